package server_test

import (
	"crypto/tls"
	"testing"
	"time"

	pb "github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode/server"
	"github.com/credledger/credledger/chaincode/server/peertest"
)

// A server that stops lets the calls under way end, takes no more, and frees its port.
func TestStop(t *testing.T) {
	t.Parallel()
	s := peertest.Start(t, script{"read": read, "done": done})
	p := s.Dial(peertest.NewState())
	asked := make(chan *pb.ChaincodeMessage, 1)
	p.Ask = func(m *pb.ChaincodeMessage) *pb.ChaincodeMessage {
		asked <- m
		return nil
	}
	type result struct {
		call *peertest.Call
		err  error
	}
	results := make(chan result, 1)
	go func() {
		c, err := p.Call(t, "a", "read")
		results <- result{c, err}
	}()
	question := <-asked
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop() }()
	for _, err := tls.Dial("tcp", s.Address, s.Authority.Client(t)); err == nil; {
		_, err = tls.Dial("tcp", s.Address, s.Authority.Client(t))
	}
	refused := make(chan error, 1)
	go func() {
		_, err := p.Call(t, "a", "done")
		refused <- err
	}()
	select {
	case err := <-stopped:
		t.Fatalf("it stopped, %v, with a call under way", err)
	case r := <-results:
		t.Fatalf("the call under way was dropped: %v", r.err)
	case err := <-refused:
		t.Fatalf("a new call ended before the conversation did: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	answer := &pb.ChaincodeMessage{Type: pb.ChaincodeMessage_RESPONSE, ChannelId: question.ChannelId, Txid: question.Txid, Payload: []byte("late")}
	if err := p.Send(answer); err != nil {
		t.Fatal(err)
	}
	if r := <-results; r.err != nil || string(r.call.Response.Payload) != "late" {
		t.Errorf("the call under way: %v", r)
	}
	if err := <-refused; err == nil {
		t.Error("a call was taken by a server that stops")
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// A call that does not end does not keep the server from stopping.
func TestStopWithStuckCall(t *testing.T) {
	t.Parallel()
	s := peertest.Start(t, script{"read": read})
	p := s.Dial(peertest.NewState())
	asked := make(chan bool, 1)
	p.Ask = func(*pb.ChaincodeMessage) *pb.ChaincodeMessage {
		asked <- true
		return nil
	}
	failed := make(chan error, 1)
	go func() {
		_, err := p.Call(t, "a", "read")
		failed <- err
	}()
	<-asked
	began := time.Now()
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > server.StopTimeout+30*time.Second || took < server.StopTimeout/2 {
		t.Errorf("it took %v", took)
	}
	if err := <-failed; err == nil {
		t.Error("the call was answered")
	}
}
