package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-chaincode-go/shim"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/contract"
	"github.com/credledger/credledger/chaincode/internal/rulestest"
	"github.com/credledger/credledger/chaincode/server/peertest"
)

// A script is a chaincode whose calls do what their first argument says.
type script map[string]func(shim.ChaincodeStubInterface) pb.Response

func (s script) Init(stub shim.ChaincodeStubInterface) pb.Response { return s.Invoke(stub) }

func (s script) Invoke(stub shim.ChaincodeStubInterface) pb.Response {
	function, _ := stub.GetFunctionAndParameters()
	return s[function](stub)
}

// read is a call that reads one key.
func read(stub shim.ChaincodeStubInterface) pb.Response {
	value, err := stub.GetState("key")
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(value)
}

func done(shim.ChaincodeStubInterface) pb.Response { return shim.Success([]byte("done")) }

// brokenRule reads the error of a response as a client does.
func brokenRule(t *testing.T, r *pb.Response) error {
	t.Helper()
	if r.Status == shim.OK {
		return nil
	}
	e := new(chaincode.Error)
	if err := json.Unmarshal([]byte(r.Message), e); err != nil {
		t.Fatalf("an error that a client cannot read: %q", r.Message)
	}
	return e
}

// A city is founded through a peer of the contract's server, and its licences anchored, changed and
// queried; the state is what the rules leave by themselves.
func TestContract(t *testing.T) {
	t.Parallel()
	cc, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	state := peertest.NewState()
	p := peertest.Start(t, cc).Dial(state)
	if p.PackageID != peertest.PackageID {
		t.Errorf("the server registered as %s", p.PackageID)
	}
	call := func(actor string, args ...string) *peertest.Call {
		t.Helper()
		got, err := p.Call(t, actor, args...)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	l := rulestest.NewLedger()
	c := rulestest.Found(t, l, func(actor string, tx *chaincode.Transaction) (bool, error) {
		existing, want := l.Submit(actor, tx)
		got := call(actor, "Submit", base64.StdEncoding.EncodeToString(tx.Bytes()))
		if err := brokenRule(t, got.Response); chaincode.Code(err) != chaincode.Code(want) {
			t.Fatalf("through the peer %v, in memory %v", err, want)
		}
		if wrote := want == nil && !existing; wrote != (len(got.Writes) > 0) || wrote != (got.Event != nil) {
			t.Fatalf("%d writes, event %v, after %v", len(got.Writes), got.Event, want)
		}
		return existing, want
	})
	b := c.Anchor(rulestest.Issuer, "batch", 40)
	c.Refused(chaincode.CodeWrongOrganisation, rulestest.Other, c.Batch(rulestest.Issuer, "stolen", 1).Tx(c, rulestest.Other+"/anchor"))
	values := state.Values()
	if len(values) != len(c.Keys()) {
		t.Errorf("%d keys, want %d", len(values), len(c.Keys()))
	}
	for _, key := range c.Keys() {
		if want, err := c.Get(key); err != nil || !bytes.Equal(values[key], want) {
			t.Errorf("%s differs: %v", key, err)
		}
	}

	query := call(rulestest.Stranger, "Query", "anchor", `["`+rulestest.Issuer+`","`+b.Head.Root.String()+`"]`)
	if want, err := chaincode.Evaluate(l, chaincode.Query{Name: "anchor", Args: []string{rulestest.Issuer, b.Head.Root.String()}}); err != nil ||
		!bytes.Equal(query.Response.Payload, want) || len(query.Writes) > 0 || query.Event != nil {
		t.Errorf("the query answers %s (%v), want %s, %v", query.Response.Payload, query.Response.Message, want, err)
	}
}

// A peer that was restarted is served as before, and many at one time are.
func TestPeersComeAndGo(t *testing.T) {
	t.Parallel()
	s := peertest.Start(t, script{"read": read})
	state := peertest.NewState()
	for range 3 {
		p := s.Dial(state)
		if c, err := p.Call(t, "a", "read"); err != nil || c.Response.Status != shim.OK {
			t.Fatalf("%v, %v", c, err)
		}
		p.Close()
	}
	var wait sync.WaitGroup
	for range 4 {
		p := s.Dial(state)
		for range 8 {
			wait.Go(func() {
				if c, err := p.Call(t, "a", "read"); err != nil || c.Response.Status != shim.OK {
					t.Errorf("%v, %v", c, err)
				}
			})
		}
	}
	wait.Wait()
}

// Calls that wait for a peer that is gone end, and leave nothing behind. (Not parallel: it counts.)
func TestPeerGone(t *testing.T) {
	const n = 40
	ended := make(chan error, n)
	s := peertest.Start(t, script{
		"read": func(stub shim.ChaincodeStubInterface) pb.Response {
			_, err := stub.GetState("key")
			_, again := stub.GetState("other")
			ended <- errors.Join(err, again)
			if err == nil || again == nil {
				t.Error("a call got an answer of a peer that is gone")
			}
			return shim.Success(nil)
		},
		"done": done,
	})
	state := peertest.NewState()
	s.Dial(state).Close()
	before := fewest(300*time.Millisecond, 0)
	for range 3 {
		p := s.Dial(state)
		var asked sync.WaitGroup
		asked.Add(n)
		p.Ask = func(*pb.ChaincodeMessage) *pb.ChaincodeMessage {
			asked.Done()
			return nil
		}
		var failed sync.WaitGroup
		for range n {
			failed.Go(func() {
				if c, err := p.Call(t, "a", "read"); err == nil {
					t.Errorf("a call was answered: %v", c)
				}
			})
		}
		asked.Wait()
		p.Close()
		failed.Wait()
		for range n {
			select {
			case <-ended:
			case <-time.After(10 * time.Second):
				t.Fatal("a call waits for ever")
			}
		}
	}
	if after := fewest(5*time.Second, before); after > before {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d before:\n%s", after, before, stacks[:runtime.Stack(stacks, true)])
	}
	if c, err := s.Dial(state).Call(t, "a", "done"); err != nil || c.Response.Status != shim.OK {
		t.Errorf("the next peer: %v, %v", c, err)
	}
}

// fewest is the smallest number of goroutines seen in some time, or the first that is no more than
// enough.
func fewest(patience time.Duration, enough int) int {
	n := runtime.NumGoroutine()
	for end := time.Now().Add(patience); n > enough && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		n = min(n, runtime.NumGoroutine())
	}
	return n
}

// A call that panics fails as an internal error; what it panics with is not logged.
func TestPanic(t *testing.T) {
	t.Parallel()
	const secret = "110101199003074610"
	s := peertest.Start(t, script{
		"string": func(shim.ChaincodeStubInterface) pb.Response { panic(secret) },
		"error":  func(shim.ChaincodeStubInterface) pb.Response { panic(errors.New(secret)) },
		"index": func(stub shim.ChaincodeStubInterface) pb.Response {
			return shim.Success(stub.GetArgs()[len(stub.GetArgs())])
		},
		"done": done,
	})
	p := s.Dial(peertest.NewState())
	if err := p.Send(&pb.ChaincodeMessage{Type: pb.ChaincodeMessage_INIT, ChannelId: peertest.Channel, Txid: "init"}); err != nil {
		t.Fatal(err)
	}
	for _, function := range []string{"string", "error", "index", "absent"} {
		c, err := p.Call(t, "a", function)
		if err != nil {
			t.Fatal(err)
		}
		if err := brokenRule(t, c.Response); chaincode.Code(err) != contract.CodeInternal || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", function, err)
		}
	}
	if c, err := p.Call(t, "a", "done"); err != nil || c.Response.Status != shim.OK {
		t.Errorf("the next call: %v, %v", c, err)
	}
	log := s.Log.String()
	for deadline := time.Now().Add(10 * time.Second); strings.Count(log, "a call panicked") < 5; log = s.Log.String() {
		if time.Now().After(deadline) {
			t.Fatalf("fewer than 5 panics in the log:\n%s", log)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if strings.Contains(log, secret) {
		t.Error("the log has what a call panicked with")
	}
	for _, want := range []string{"panic=string", "panic=*errors.errorString", "index out of range", "server_test.go"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}

// Whatever a peer sends, the server goes on.
func TestUnexpectedMessages(t *testing.T) {
	t.Parallel()
	s := peertest.Start(t, script{"done": done, "read": read})
	state := peertest.NewState()
	bad, err := proto.Marshal(&pb.ChaincodeInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*pb.ChaincodeMessage{
		{},
		{Type: 1000},
		{Type: pb.ChaincodeMessage_REGISTER},
		{Type: pb.ChaincodeMessage_READY},
		{Type: pb.ChaincodeMessage_RESPONSE, Txid: "none"},
		{Type: pb.ChaincodeMessage_ERROR, Txid: "none"},
		{Type: pb.ChaincodeMessage_COMPLETED, Txid: "none"},
		{Type: pb.ChaincodeMessage_TRANSACTION, Txid: "x", Payload: []byte{0xff}},
		{Type: pb.ChaincodeMessage_TRANSACTION, Txid: "x", Payload: bad},
		{Type: pb.ChaincodeMessage_TRANSACTION, Txid: "x", Proposal: &pb.SignedProposal{}},
		{Type: pb.ChaincodeMessage_INIT, Txid: "x"},
		{Type: pb.ChaincodeMessage_KEEPALIVE},
	} {
		p := s.Dial(state)
		if err := p.Send(m); err != nil {
			t.Errorf("%v: %v", m, err)
		}
		p.Close()
	}
	if c, err := s.Dial(state).Call(t, "a", "done"); err != nil || c.Response.Status != shim.OK {
		t.Errorf("the call after them: %v, %v", c, err)
	}
}

// What is too large for a message ends the connection, as gRPC has it, and no more.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	large := make([]byte, 101<<20)
	s := peertest.Start(t, script{
		"put": func(stub shim.ChaincodeStubInterface) pb.Response {
			if err := stub.PutState("key", large); err == nil {
				t.Error("a write that is too large did not fail")
			}
			return shim.Success(nil)
		},
		"answer": func(shim.ChaincodeStubInterface) pb.Response { return shim.Success(large) },
		"done":   done,
	})
	state := peertest.NewState()
	for _, function := range []string{"put", "answer"} {
		if _, err := s.Dial(state).Call(t, "a", function); status.Code(err) != codes.ResourceExhausted {
			t.Errorf("%s: %v", function, err)
		}
	}
	if c, err := s.Dial(state).Call(t, "a", "done"); err != nil || c.Response.Status != shim.OK {
		t.Errorf("the next peer: %v, %v", c, err)
	}
}
