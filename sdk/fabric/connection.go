package fabric

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/hyperledger/fabric-protos-go/common"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/ledger"
)

// A Connection is one organisation's use of the network. It implements ledger.Ledger.
type Connection struct {
	network *network
	once    sync.Once
	open    context.Context // done when it is closed
	shut    context.CancelFunc
}

var _ ledger.Ledger = (*Connection)(nil)

// Open connects an organisation. It does not wait for the network, nor fail if that is down:
// connections are made and made again behind it. Connections of one process share them. The error is
// a *ledger.Error.
func Open(ctx context.Context, c *Config) (*Connection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c == nil || c.profile == nil || c.identity == nil {
		return nil, fail(CodeConfig, "a connection is opened with what LoadConfig returns", nil)
	}
	n, err := acquire(c)
	if err != nil {
		return nil, err
	}
	connection := &Connection{network: n}
	connection.open, connection.shut = context.WithCancel(context.Background())
	return connection, nil
}

// Close implements ledger.Ledger. With the last connection of the process to a network everything
// that stands behind it ends.
func (c *Connection) Close() error {
	c.once.Do(func() {
		c.shut()
		release(c.network)
	})
	return nil
}

// bind returns a ctx that is done when the connection is closed, too. The error says that one of
// them is.
func (c *Connection) bind(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if c.open.Err() != nil {
		return nil, nil, errClosed()
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	bound, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.open, cancel)
	return bound, func() { stop(); cancel() }, nil
}

// ended gives the error of a call that was ended by closing the connection its code.
func (c *Connection) ended(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() == nil && c.open.Err() != nil {
		return errClosed()
	}
	return err
}

// Submit implements ledger.Ledger. What has become of the transaction is the word of a peer of the own
// organisation, or of another one if that has not shown the block two seconds later. It takes at
// most about a minute: to find peers that agree, and 30 s to be committed. Beside those that every
// ledger gives, the errors are CodeDenied, CodeDiffer and CodeIdentity, after which nothing was
// submitted, and CodeInvalidated.
func (c *Connection) Submit(ctx context.Context, tx *chaincode.Transaction) (ledger.Receipt, error) {
	ctx, cancel, err := c.bind(ctx)
	if err != nil {
		if ledger.Code(err) == "" {
			err = notSubmitted("the transaction was given up before it was submitted", err)
		}
		return ledger.Receipt{}, err
	}
	defer cancel()
	return c.network.submit(ctx, tx)
}

// Evaluate implements ledger.Ledger. The answer is one peer's word: of the own organisation's as
// long as it is up and has caught up. If none answers within 10 s the error is CodeUnreachable.
func (c *Connection) Evaluate(ctx context.Context, q chaincode.Query) ([]byte, error) {
	bound, cancel, err := c.bind(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	answer, err := c.network.evaluate(bound, q)
	return answer, c.ended(ctx, err)
}

// Head implements ledger.Ledger. The height counts Fabric's blocks, the hash is that of a block's
// header.
func (c *Connection) Head(ctx context.Context) (ledger.Head, error) {
	bound, cancel, err := c.bind(ctx)
	if err != nil {
		return ledger.Head{}, err
	}
	defer cancel()
	head, err := c.network.head(bound)
	return head, c.ended(ctx, err)
}

// Follow implements ledger.Ledger. Fabric's blocks of configuration are among the blocks, without
// transactions. While no peer can be reached it waits.
func (c *Connection) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for raw, err := range c.Blocks(ctx, from) {
			var b *ledger.Block
			if err == nil {
				b, err = block.Read(raw, c.network.channel, c.network.chaincode)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// Blocks yields Fabric's blocks as a peer has them, like Follow. What is in them was not looked at,
// but that each follows the one before.
func (c *Connection) Blocks(ctx context.Context, from uint64) iter.Seq2[*common.Block, error] {
	return func(yield func(*common.Block, error) bool) {
		bound, cancel, err := c.bind(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		defer cancel()
		for b, err := range c.network.blocks(bound, from) {
			if !yield(b, c.ended(ctx, err)) || err != nil {
				return
			}
		}
	}
}
