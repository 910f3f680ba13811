package fabric

import (
	"sync"
	"time"

	pb "github.com/hyperledger/fabric-protos-go/peer"
)

// An outcome is what has become of a transaction.
type outcome struct {
	block uint64
	index uint32 // among all transactions of the block
	code  pb.TxValidationCode
}

// commits waits for the transactions that are under way. Zero waits for none.
type commits struct {
	mu      sync.Mutex
	waiting map[string]*wait // by transaction id
	at      time.Time        // when the newest block was seen
}

// A wait is for one transaction.
type wait struct {
	own   chan outcome // as a peer of the own organisation shows it
	other chan outcome // as another one does
}

// expect begins to wait for a transaction; forget ends it.
func (c *commits) expect(id string) *wait {
	w := &wait{make(chan outcome, 1), make(chan outcome, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		c.waiting = map[string]*wait{}
	}
	c.waiting[id] = w
	return w
}

func (c *commits) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

// newest returns when the newest block was seen.
func (c *commits) newest() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// seen looks through a block. The first time that a transaction is seen counts.
func (c *commits) seen(own bool, b *pb.FilteredBlock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = time.Now()
	for i, tx := range b.FilteredTransactions {
		w := c.waiting[tx.Txid]
		if w == nil {
			continue
		}
		to := w.other
		if own {
			to = w.own
		}
		select {
		case to <- outcome{b.Number, uint32(i), tx.TxValidationCode}:
		default:
		}
	}
}
