package contract_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-chaincode-go/shim"
	pb "github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/contract"
	"github.com/credledger/credledger/chaincode/internal/rulestest"
	"github.com/credledger/credledger/sdk/licence"
)

// brokenRule reads the error of a response as a client does.
func brokenRule(t testing.TB, r pb.Response) *chaincode.Error {
	t.Helper()
	if r.Status == shim.OK {
		return nil
	}
	e := new(chaincode.Error)
	if err := json.Unmarshal([]byte(r.Message), e); err != nil || e.Code == "" || e.Message == "" {
		t.Fatalf("an error that a client cannot read: %q", r.Message)
	}
	return e
}

// submit submits a transaction through contractapi.
func (p *peer) submit(actor string, tx *chaincode.Transaction) (existing bool, err error) {
	p.t.Helper()
	r := p.invoke(p.creator(actor), "Submit", base64.StdEncoding.EncodeToString(tx.Bytes()))
	if e := brokenRule(p.t, r); e != nil {
		return false, e
	}
	var answer struct{ Existing *bool }
	if err := json.Unmarshal(r.Payload, &answer); err != nil || answer.Existing == nil {
		p.t.Fatalf("answer %q: %v", r.Payload, err)
	}
	return *answer.Existing, nil
}

// city founds a city on a peer and, step by step, on a ledger in memory, and compares the two.
func city(t testing.TB, p *peer) *rulestest.City {
	l := rulestest.NewLedger()
	return rulestest.Found(t, l, func(actor string, tx *chaincode.Transaction) (bool, error) {
		t.Helper()
		existing, err := l.Submit(actor, tx)
		events := len(p.events)
		gotExisting, got := p.submit(actor, tx)
		if gotExisting != existing || chaincode.Code(got) != chaincode.Code(err) || (got == nil) != (err == nil) {
			t.Fatalf("on the peer: existing %v, %v; in memory: existing %v, %v", gotExisting, got, existing, err)
		}
		if wrote := err == nil && !existing; wrote != (len(p.events) > events) || wrote != (len(p.puts) > 0) {
			t.Fatalf("%d events and %d puts for a transaction with existing %v, %v", len(p.events)-events, len(p.puts), existing, err)
		}
		if !slices.IsSorted(p.puts) {
			t.Fatalf("puts out of order: %v", p.puts)
		}
		return existing, err
	})
}

// TestStory tells the whole story through contractapi's dispatcher: the state is the same as in
// memory after it, and so is every answer.
func TestStory(t *testing.T) {
	p := newPeer(t)
	c := city(t, p)
	story := rulestest.Tell(c)
	if !slices.Equal(slices.Sorted(maps.Keys(p.state)), c.Keys()) {
		t.Fatal("the peer has other keys than the ledger in memory")
	}
	for key, value := range p.state {
		if want, err := c.Get(key); err != nil || !bytes.Equal(value, want) {
			t.Errorf("%s differs", key)
		}
	}
	for _, q := range story.Queries() {
		want, wantErr := chaincode.Evaluate(c, q)
		args, err := json.Marshal(append([]string{}, q.Args...))
		if err != nil {
			t.Fatal(err)
		}
		calls := [][]string{{"Query", q.Name, string(args)}}
		if q.Name == "verify" {
			calls = append(calls, append([]string{"Verify"}, q.Args...))
		}
		for _, call := range calls {
			r := p.invoke(p.creator(rulestest.Stranger), call...)
			switch e := brokenRule(t, r); {
			case e != nil && (wantErr == nil || e.Error() != wantErr.Error()), e == nil && wantErr != nil:
				t.Errorf("%q: got %v, want %v", call, e, wantErr)
			case e == nil && !bytes.Equal(r.Payload, want):
				t.Errorf("%q:\n got %s\nwant %s", call, r.Payload, want)
			}
		}
	}
}

// The event of a transaction names the kind of its statements and who submitted it.
func TestEvent(t *testing.T) {
	p := newPeer(t)
	c := city(t, p)
	c.Anchor(rulestest.Issuer, "batch", 3)
	last := p.events[len(p.events)-1]
	if last.EventName != contract.EventPrefix+"head" || string(last.Payload) != `{"actor":"natural-resources"}` {
		t.Errorf("event %s %s", last.EventName, last.Payload)
	}
	if first := p.events[0]; first.EventName != contract.EventPrefix+"genesis" {
		t.Errorf("first event %s", first.EventName)
	}
}

// What a transaction puts is not seen by what it gets: two changes of one licence cannot pass as
// one after the other, in Fabric as little as elsewhere.
func TestPutsAreNotSeenByGets(t *testing.T) {
	p := newPeer(t)
	c := city(t, p)
	b := c.Anchor(rulestest.Issuer, "batch", 3)
	first := b.Status(0, licence.Active, licence.Suspended)
	tx := c.Tx(first, rulestest.Issuer+"/status-1")
	tx.Statements = append(tx.Statements, c.Sign(rulestest.Then(first, licence.Active), rulestest.Issuer+"/status-1")...)
	c.Refused(chaincode.CodeTooMany, rulestest.Issuer, tx)
	tx.Statements[1] = c.Sign(b.Status(1, licence.Active, licence.Suspended), rulestest.Issuer+"/status-1")[0]
	c.Must(rulestest.Issuer, tx)
}

func TestBadCalls(t *testing.T) {
	p := newPeer(t)
	c := city(t, p)
	b := c.Batch(rulestest.Issuer, "batch", 3)
	good := base64.StdEncoding.EncodeToString(b.Tx(c, rulestest.Issuer+"/anchor").Bytes())
	issuer := p.creator(rulestest.Issuer)
	state := maps.Clone(p.state)
	events := len(p.events)
	for _, bad := range []struct {
		name    string
		creator []byte
		args    []string
		code    string
	}{
		{"empty", issuer, []string{"Submit", ""}, chaincode.CodeMalformed},
		{"not base64", issuer, []string{"Submit", "!"}, chaincode.CodeMalformed},
		{"base64 of another alphabet", issuer, []string{"Submit", "gkD_"}, chaincode.CodeMalformed},
		{"a line break", issuer, []string{"Submit", good[:40] + "\n" + good[40:]}, chaincode.CodeMalformed},
		{"padding bits", issuer, []string{"Submit", "gkB="}, chaincode.CodeMalformed},
		{"not a transaction", issuer, []string{"Submit", "AAAA"}, chaincode.CodeMalformed},
		{"too large", issuer, []string{"Submit", strings.Repeat("A", 6<<20)}, chaincode.CodeTooLarge},
		{"a byte too large", issuer, []string{"Submit", base64.StdEncoding.EncodeToString(make([]byte, chaincode.MaxTransaction+1))}, chaincode.CodeTooLarge},
		{"invalid UTF-8", issuer, []string{"Submit", "\xff\xfe"}, chaincode.CodeMalformed},
		{"a surplus argument", issuer, []string{"Submit", good, "more"}, chaincode.CodeMalformed},
		{"another spelling", issuer, []string{"submit", good}, chaincode.CodeMalformed},
		{"the contract's name before it", issuer, []string{contract.Name + ":Submit", good}, chaincode.CodeMalformed},
		{"another organisation", p.creator(rulestest.Other), []string{"Submit", good}, chaincode.CodeWrongOrganisation},
		{"no creator", nil, []string{"Submit", good}, contract.CodeInternal},
		{"a creator that is none", []byte("creator"), []string{"Submit", good}, contract.CodeInternal},
		{"an unknown function", issuer, []string{"Transfer", "1"}, chaincode.CodeQuery},
		{"a function of contractapi's", issuer, []string{"GetName"}, chaincode.CodeQuery},
		{"no JSON", issuer, []string{"Query", "ledger", ""}, chaincode.CodeQuery},
		{"an object", issuer, []string{"Query", "ledger", "{}"}, chaincode.CodeQuery},
		{"numbers", issuer, []string{"Query", "key", "[1]"}, chaincode.CodeQuery},
		{"trailing data", issuer, []string{"Query", "ledger", "[] []"}, chaincode.CodeQuery},
		{"deep nesting", issuer, []string{"Query", "ledger", strings.Repeat("[", 100000)}, chaincode.CodeQuery},
		{"an unknown query", issuer, []string{"Query", "everything", "[]"}, chaincode.CodeQuery},
		{"nothing there", issuer, []string{"Query", "department", `["nowhere"]`}, chaincode.CodeNotFound},
		{"a key of another namespace", issuer, []string{"Query", "department", `["\u0000key"]`}, chaincode.CodeQuery},
		{"a bad index", issuer, []string{"Verify", "natural-resources", "x", "y", "z", ""}, chaincode.CodeQuery},
	} {
		e := brokenRule(t, p.invoke(bad.creator, bad.args...))
		if e == nil || e.Code != bad.code {
			t.Errorf("%s: got %v, want %s", bad.name, e, bad.code)
		}
	}
	// contractapi itself refuses these, in its own words.
	for _, args := range [][]string{{"Submit"}, {"Query", "ledger"}, {"Verify", "a", "b", "c", "d"}, {""}, {"other:Submit", good}} {
		if r := p.invoke(issuer, args...); r.Status == shim.OK {
			t.Errorf("%q: %s", args, r.Payload)
		}
	}
	if !maps.EqualFunc(p.state, state, bytes.Equal) || len(p.events) != events {
		t.Error("a bad call changed the state or emitted an event")
	}
	if r := p.invoke(issuer, "Submit", good); r.Status != shim.OK {
		t.Errorf("the good call: %s", r.Message)
	}
}

// Whatever the peer fails to do, the transaction fails, and nothing is answered.
func TestPeerFails(t *testing.T) {
	p := newPeer(t)
	c := city(t, p)
	story := rulestest.Tell(c)
	digest, root := story.First.Digests[0].String(), story.First.Head.Root.String()
	anchor := []string{"Submit", base64.StdEncoding.EncodeToString(c.Batch(rulestest.Issuer, "more", 3).Tx(c, "dated").Bytes())}
	keys := []string{"Query", "keys", `["natural-resources"]`}
	status := []string{"Query", "status", `["natural-resources","` + digest + `"]`}
	rootStatus := []string{"Query", "root-status", `["natural-resources","` + root + `"]`}
	height, events := p.height, len(p.events)
	for _, f := range []struct {
		method string
		args   []string
	}{
		{"GetCreator", anchor}, {"GetSignedProposal", anchor}, {"GetState", anchor}, {"PutState", anchor}, {"SetEvent", anchor},
		{"GetStateByRange", keys}, {"Next", keys}, {"Close", keys},
		{"GetStateByRange", status}, {"GetHistoryForKey", status}, {"Next", status}, {"Close", status},
		{"GetHistoryForKey", rootStatus}, {"Next", rootStatus}, {"Close", rootStatus},
	} {
		p.fails = f.method
		e := brokenRule(t, p.invoke(p.creator(rulestest.Issuer), f.args...))
		p.fails = ""
		if e == nil || e.Code != contract.CodeInternal || !strings.Contains(e.Message, errPeer.Error()) {
			t.Errorf("%s, %q: %v", f.method, f.args[:2], e)
		}
	}
	if p.height != height || len(p.events) != events {
		t.Error("a failed call was committed")
	}
	if r := p.invoke(p.creator(rulestest.Issuer), anchor...); r.Status != shim.OK {
		t.Errorf("after the peer is back: %s", r.Message)
	}
}

// The description that contractapi publishes names the three functions.
func TestMetadata(t *testing.T) {
	p := newPeer(t)
	r := p.invoke(p.creator(rulestest.Issuer), "org.hyperledger.fabric:GetMetadata")
	var described struct {
		Contracts map[string]struct {
			Transactions []struct {
				Name       string
				Tag        []string
				Parameters []struct{ Name string }
			}
		}
	}
	if err := json.Unmarshal(r.Payload, &described); err != nil {
		t.Fatalf("%v: %s", err, r.Message)
	}
	got := map[string]int{}
	for _, tx := range described.Contracts[contract.Name].Transactions {
		got[tx.Name] = len(tx.Parameters)
		if evaluate := slices.Contains(tx.Tag, "EVALUATE"); evaluate != (tx.Name != "Submit") {
			t.Errorf("%s is tagged %v", tx.Name, tx.Tag)
		}
	}
	if !maps.Equal(got, map[string]int{"Submit": 0, "Query": 2, "Verify": 5}) {
		t.Errorf("functions %v", got)
	}
}

func BenchmarkSubmitAnchor(b *testing.B) {
	p := newPeer(b)
	c := city(b, p)
	creator := p.creator(rulestest.Issuer)
	arg := base64.StdEncoding.EncodeToString(c.Batch(rulestest.Issuer, "batch", 1).Tx(c, rulestest.Issuer+"/anchor").Bytes())
	p.fails = "SetEvent" // so that nothing is committed
	for b.Loop() {
		if r := p.invoke(creator, "Submit", arg); !strings.Contains(r.Message, errPeer.Error()) {
			b.Fatal(r.Message)
		}
	}
}
