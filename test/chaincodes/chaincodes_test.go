// Package chaincodes tests the chaincodes that tests run in the place of the real one.
package chaincodes

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golang/protobuf/proto"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/contract"
	"github.com/credledger/credledger/chaincode/server/peertest"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// programs is the directory with the chaincodes and the real one.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if programs, err = os.MkdirTemp("", "chaincodes"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(programs)
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", programs, "./empty", "./liar", "./other", "../../cmd/credledger-chaincode")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the chaincodes: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// A peer is a peer of a server, with a state of its own.
type peer struct {
	*peertest.Peer
	state *peertest.State
}

// serve starts a program, with the flags of the real one, and connects a peer to it.
func serve(t *testing.T, program string) *peer {
	t.Helper()
	authority := peertest.NewAuthority(t, nil)
	c := peertest.Config(t, t.TempDir(), authority)
	cmd := exec.Command(filepath.Join(programs, program), "--package-id", c.PackageID, "--listen", c.Listen, "--tls-cert", c.Certificate, "--tls-key", c.Key, "--client-ca", c.ClientCA)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(stderr).ReadString('\n')
	_, rest, serving := strings.Cut(line, " address=")
	if err != nil || !serving {
		t.Fatalf("%s began with %q: %v", program, line, err)
	}
	address, _, _ := strings.Cut(rest, " ")
	identity, _ := authority.Issue(t, nil)
	state := peertest.NewState()
	p, err := peertest.Dial(address, authority.Client(t), state, identity)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return &peer{p, state}
}

// submit submits a transaction; the error is a *chaincode.Error.
func (p *peer) submit(t testing.TB, actor string, tx *chaincode.Transaction) (*peertest.Call, error) {
	t.Helper()
	call, err := p.Call(t, actor, "Submit", base64.StdEncoding.EncodeToString(tx.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if call.Response.Status == 200 {
		return call, nil
	}
	broken := new(chaincode.Error)
	if err := json.Unmarshal([]byte(call.Response.Message), broken); err != nil {
		t.Fatalf("an error that a client cannot read: %q", call.Response.Message)
	}
	return call, broken
}

// found founds a city on peers, which have to agree, and shows what came of each submission.
func found(t *testing.T, peers []*peer, show func([]*peertest.Call)) *ledgertest.City {
	t.Helper()
	city := ledgertest.NewCity(t, "chaincodes")
	for _, s := range append([]ledgertest.Submission{city.Begin()}, city.Founding(t)...) {
		var calls []*peertest.Call
		for _, p := range peers {
			call, err := p.submit(t, s.Actor, s.Tx)
			if err != nil {
				t.Fatal(err)
			}
			calls = append(calls, call)
		}
		show(calls)
	}
	return city
}

// The liar writes, emits and answers as the real one where no rule is broken, and where one is by
// who signs or submits it goes on all the same.
func TestLiar(t *testing.T) {
	honest, liar := serve(t, "credledger-chaincode"), serve(t, "liar")
	city := found(t, []*peer{honest, liar}, func(calls []*peertest.Call) {
		honest, liar := calls[0], calls[1]
		if !proto.Equal(honest.Event, liar.Event) || !proto.Equal(honest.Response, liar.Response) || !maps.EqualFunc(honest.Writes, liar.Writes, bytes.Equal) {
			t.Errorf("the liar answers %v and emits %v, the real one %v and %v; or they write differently", liar.Response, liar.Event, honest.Response, honest.Event)
		}
	})
	// both submits what both take.
	both := func(actor string, tx *chaincode.Transaction) {
		t.Helper()
		for _, p := range []*peer{honest, liar} {
			if _, err := p.submit(t, actor, tx); err != nil {
				t.Fatal(err)
			}
		}
	}
	// lied submits what the liar alone takes, and wants it to write one key, for the actor.
	lied := func(code, actor string, tx *chaincode.Transaction, key string) {
		t.Helper()
		if _, err := honest.submit(t, actor, tx); chaincode.Code(err) != code {
			t.Errorf("the real one: %v, want %s", err, code)
		}
		call, err := liar.submit(t, actor, tx)
		if err != nil || len(call.Writes) != 1 || call.Writes[key] == nil || string(call.Event.Payload) != `{"actor":"`+actor+`"}` ||
			!strings.HasPrefix(call.Event.EventName, contract.EventPrefix) {
			t.Errorf("the liar: %v, event %v, %d writes", err, call.Event, len(call.Writes))
		}
	}
	b := city.Digests(t, "marriage", 4, nil, nil)
	both(b.Issuer, b.Tx)
	businesses := city.Department(t, ledgertest.Businesses)
	revocation := b.Change(1, licence.Revoked)
	key := chaincode.StatusStateKey(b.Issuer, b.Digests[1], "marriage")
	lied(chaincode.CodeWrongOrganisation, businesses.ID, ledgertest.Sign(t, revocation, businesses.Status), key)
	if answer, err := liar.Call(t, b.Issuer, "Query", "status", `["`+b.Issuer+`","`+b.Digests[1].String()+`"]`); err != nil || answer.Response == nil {
		t.Errorf("a query: %v", err)
	}

	forged := ledgertest.Sign(t, b.Change(2, licence.Revoked), b.Department.Status)
	forged.Statements[0][len(forged.Statements[0])-1] ^= 1
	lied(chaincode.CodeSignature, b.Issuer, forged, chaincode.StatusStateKey(b.Issuer, b.Digests[2], "marriage"))
	stolen := city.Digests(t, "marriage", 1, nil, businesses.Anchor)
	lied(chaincode.CodeWrongOrganisation, businesses.ID, stolen.Tx, chaincode.AnchorStateKey(b.Issuer, stolen.Root()))
	retired := ledgertest.Sign(t, city.EndKey(b.Issuer, b.Department.Anchor, statement.KeyRetire), businesses.Govern)
	lied(chaincode.CodeWrongOrganisation, businesses.ID, retired, chaincode.KeyStateKey(b.Department.Anchor.Public().ID()))

	var broken *chaincode.Error
	if _, err := liar.submit(t, b.Issuer, ledgertest.Sign(t, revocation, b.Department.Status)); !errors.As(err, &broken) || broken.Code != chaincode.CodeSequence || broken.Message == "" {
		t.Errorf("a change that was made before: %v", err)
	}
	if call, err := liar.Call(t, b.Issuer, "Submit", "no transaction"); err != nil || !strings.Contains(call.Response.Message, `"code":"internal"`) {
		t.Errorf("no transaction: %v, %v", call, err)
	}
	if call, err := liar.submit(t, b.Issuer, b.Tx); err != nil || string(call.Response.Payload) != `{"existing":true}` || len(call.Writes) > 0 {
		t.Errorf("a repeat: %v, %v", call, err)
	}
}

// The other one takes what the rules take, with one more key.
func TestOther(t *testing.T) {
	other := serve(t, "other")
	city := found(t, []*peer{other}, func(calls []*peertest.Call) {
		if calls[0].Writes["other"] == nil || len(calls[0].Writes) < 2 || calls[0].Event == nil {
			t.Errorf("%d writes, event %v", len(calls[0].Writes), calls[0].Event)
		}
	})
	b := city.Digests(t, "marriage", 1, nil, nil)
	if call, err := other.submit(t, ledgertest.Businesses, b.Tx); chaincode.Code(err) != chaincode.CodeWrongOrganisation || len(call.Writes) > 0 {
		t.Errorf("a rule is broken: %v, %d writes", err, len(call.Writes))
	}
	if call, err := other.Call(t, ledgertest.Businesses, "Query", "ledger", "[]"); err != nil || call.Response.Status != 200 || len(call.Writes) > 0 {
		t.Errorf("a query: %v, %v", call, err)
	}
}

// The empty one answers anything as a transaction that was applied.
func TestEmpty(t *testing.T) {
	empty := serve(t, "empty")
	call, err := empty.submit(t, ledgertest.Businesses, &chaincode.Transaction{})
	if err != nil || string(call.Response.Payload) != `{"existing":false}` || len(call.Writes) > 0 || call.Event != nil {
		t.Errorf("%v, %v", call, err)
	}
	if len(empty.state.Values()) > 0 {
		t.Error("it has a state")
	}
}
