package fabric

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	ab "github.com/hyperledger/fabric-protos-go/orderer"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/chconfig"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/comm"
	clientdispatcher "github.com/hyperledger/fabric-sdk-go/pkg/fab/events/client/dispatcher"
	deliver "github.com/hyperledger/fabric-sdk-go/pkg/fab/events/deliverclient/connection"
)

// connectTimeout bounds the opening of a stream.
const connectTimeout = 3 * time.Second

// A stream is blocks as a peer commits them, whole or filtered: without what is in the transactions.
// It holds at most two at a time; what is not taken waits at the peer.
type stream struct {
	connection *deliver.DeliverConnection
	events     chan any
}

// The streams of a peer.
var (
	wholeBlocks    deliver.StreamProvider = deliver.Deliver
	filteredBlocks deliver.StreamProvider = deliver.DeliverFiltered
)

// open opens a stream of a peer; close ends it.
func (n *network) open(ctx context.Context, p *peer, provider deliver.StreamProvider, seek *ab.SeekInfo) (*stream, error) {
	c, err := deliver.New(n.client, chconfig.NewChannelCfg(n.channel), provider, p.config.URL,
		comm.WithConnectTimeout(connectTimeout), comm.WithParentContext(ctx))
	if err == nil && c.StreamConnection == nil {
		err = errNoConnection // it broke while it was opened
	}
	if err != nil {
		return nil, fmt.Errorf("follow %s: %w", p.name, err)
	}
	s := &stream{c, make(chan any)}
	go func() {
		c.Receive(s.events)
		close(s.events)
	}()
	if err := c.Send(seek); err != nil {
		s.close()
		return nil, fmt.Errorf("follow %s: %w", p.name, err)
	}
	return s, nil
}

// close ends the stream.
func (s *stream) close() {
	s.connection.Close()
	for range s.events {
	}
}

// errNotThere says that a peer does not have the block that a stream should begin with.
var errNotThere = errors.New("the peer does not have this block yet")

// response returns what an event of the stream says; ok is false if the stream is at its end.
func response(event any, ok bool) (*pb.DeliverResponse, error) {
	if !ok {
		return nil, io.ErrUnexpectedEOF
	}
	switch e := event.(type) {
	case *deliver.Event:
		r, _ := e.Event.(*pb.DeliverResponse)
		status, isStatus := r.GetType().(*pb.DeliverResponse_Status)
		switch {
		case !isStatus:
			return r, nil
		case status.Status == common.Status_FORBIDDEN:
			return nil, denied(errors.New("the peer refuses to show blocks: " + status.Status.String()))
		case status.Status == common.Status_NOT_FOUND:
			return nil, errNotThere
		}
		return nil, errors.New("the peer ended the stream: " + status.Status.String())
	case *clientdispatcher.DisconnectedEvent:
		return nil, e.Err
	}
	return nil, fmt.Errorf("the stream has an event %T", event)
}
