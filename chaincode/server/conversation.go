package server

import (
	"errors"
	"sync"
	"time"

	pb "github.com/hyperledger/fabric-protos-go/peer"
)

// errStopping ends a conversation when the server stops.
var errStopping = errors.New("the server stops")

// linger is how long a conversation that is over waits after its last call has ended, for the shim
// to collect the results of its sends: it would leave a goroutine behind for each that it has not.
const linger = 50 * time.Millisecond

// A call is one that a peer began: a transaction or a query.
type call struct{ channel, transaction string }

// A conversation stands between a peer's stream and the shim, so that every call comes to an end.
// The shim by itself would leave each call that waits for an answer waiting for ever, with all that
// it holds, when the peer goes away, and would take calls until it is killed.
//
// When the peer's stream breaks, the calls that wait get an error for an answer, and those that ask
// once more get one at once. Only when all calls have ended does the shim learn that the stream is
// broken. When the server stops, calls that the peer begins are dropped, those under way go on, and
// the conversation is over with the last of them; the end of the stream tells the peer of the rest.
type conversation struct {
	pb.Chaincode_ConnectServer

	in      chan *pb.ChaincodeMessage // what the peer sends
	changed chan struct{}             // tells Recv that a call ended, or that the conversation is over

	// Of Recv only, which is called by one goroutine after the other.
	stop     <-chan struct{} // nil once it was closed
	stopping bool

	mu    sync.Mutex
	err   error         // not nil once the conversation is over
	calls map[call]bool // under way; true while it waits for an answer of the peer's
}

// converse begins a conversation that is over when the stream breaks, or after stop is closed.
func converse(stream pb.Chaincode_ConnectServer, stop <-chan struct{}) *conversation {
	c := &conversation{
		Chaincode_ConnectServer: stream,
		in:                      make(chan *pb.ChaincodeMessage),
		changed:                 make(chan struct{}, 1),
		stop:                    stop,
		calls:                   map[call]bool{},
	}
	go c.receive()
	return c
}

// receive hands on what the peer sends until its stream breaks, which it does at the latest when the
// server is done with it.
func (c *conversation) receive() {
	for {
		m, err := c.Chaincode_ConnectServer.Recv()
		if err != nil {
			c.end(err)
			return
		}
		select {
		case c.in <- m:
		case <-c.Context().Done():
			c.end(c.Context().Err())
			return
		}
	}
}

// Recv returns the next message for the shim, and the error that ended the conversation when no call
// is under way any more.
func (c *conversation) Recv() (*pb.ChaincodeMessage, error) {
	for {
		m, err := c.settle()
		if err != nil {
			time.Sleep(linger)
		}
		if m != nil || err != nil {
			return m, err
		}
		select {
		case <-c.changed:
		case <-c.stop:
			c.stop, c.stopping = nil, true
		case m := <-c.in:
			if c.accept(m) {
				return m, nil
			}
		}
	}
}

// settle returns an answer for a call that waits in vain, or the error if the conversation is over
// and nothing is left to wait for.
func (c *conversation) settle() (*pb.ChaincodeMessage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		for call, waits := range c.calls {
			if waits {
				c.calls[call] = false
				return &pb.ChaincodeMessage{
					Type: pb.ChaincodeMessage_ERROR, ChannelId: call.channel, Txid: call.transaction, Payload: []byte("the peer is gone"),
				}, nil
			}
		}
	}
	if len(c.calls) > 0 || c.err == nil && !c.stopping {
		return nil, nil
	}
	if c.err == nil {
		c.err = errStopping
	}
	return nil, c.err
}

// accept notes what a message of the peer's means for the calls, and reports whether it is for the
// shim.
func (c *conversation) accept(m *pb.ChaincodeMessage) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := call{m.GetChannelId(), m.GetTxid()}
	switch m.GetType() {
	case pb.ChaincodeMessage_TRANSACTION, pb.ChaincodeMessage_INIT:
		if c.stopping {
			return false
		}
		c.calls[k] = false
	case pb.ChaincodeMessage_RESPONSE, pb.ChaincodeMessage_ERROR:
		if c.calls[k] {
			c.calls[k] = false
		}
	}
	return true
}

// Send sends a message of the shim's. Only what a call asks the peer for fails: of everything else
// the shim would take a failure for the end of the conversation, which is for Recv to tell.
func (c *conversation) Send(m *pb.ChaincodeMessage) error {
	k := call{m.ChannelId, m.Txid}
	ends := m.Type == pb.ChaincodeMessage_COMPLETED || m.Type == pb.ChaincodeMessage_ERROR
	c.mu.Lock()
	_, underWay := c.calls[k]
	over := c.err != nil
	c.mu.Unlock()
	if underWay && !ends {
		return c.ask(k, m)
	}
	if !over {
		if err := c.Chaincode_ConnectServer.Send(m); err != nil {
			c.end(err)
		}
	}
	if ends {
		c.mu.Lock()
		delete(c.calls, k)
		c.mu.Unlock()
		c.notify()
	}
	return nil
}

// ask sends what a call asks the peer for.
func (c *conversation) ask(k call, m *pb.ChaincodeMessage) error {
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return c.err
	}
	c.calls[k] = true
	c.mu.Unlock()
	err := c.Chaincode_ConnectServer.Send(m)
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.calls[k] {
		return nil // Recv found out first: the call has an answer coming
	}
	c.calls[k] = false
	return err
}

// end makes the conversation be over, for the first reason that is given.
func (c *conversation) end(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.mu.Unlock()
	c.notify()
}

func (c *conversation) notify() {
	select {
	case c.changed <- struct{}{}:
	default: // Recv will look anyway
	}
}
