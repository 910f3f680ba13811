package fabric

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
)

var anyQuery = chaincode.Query{Name: "status", Args: []string{"a", "b"}}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	for _, p := range f.peers {
		p.with(func(p *fakePeer) { p.invoke = answer(`{"from":"` + p.organisation + `"}`) })
	}
	evaluate := func(want string) {
		t.Helper()
		b, err := c.Evaluate(t.Context(), anyQuery)
		if err != nil || string(b) != `{"from":"`+want+`"}` {
			t.Errorf("%s, %v; want the answer of %s", b, err, want)
		}
	}
	evaluate("own")
	asked := f.peers["own"].asked
	if q := asked[len(asked)-1]; q.function != "Query" || len(q.args) != 2 || q.args[0] != "status" || q.args[1] != `["a","b"]` {
		t.Errorf("asked: %+v", q)
	}
	if _, err := c.Evaluate(t.Context(), chaincode.Query{Name: "types"}); err != nil {
		t.Error(err)
	}
	if q := f.peers["own"].asked[len(asked)]; q.args[1] != "[]" {
		t.Errorf("no arguments are %s", q.args[1])
	}

	f.peers["own"].with(func(p *fakePeer) { p.invoke = refusalOf(chaincode.CodeNotFound) })
	if _, err := c.Evaluate(t.Context(), anyQuery); chaincode.Code(err) != chaincode.CodeNotFound {
		t.Errorf("%v, want %s", err, chaincode.CodeNotFound)
	}
	f.peers["own"].with(func(p *fakePeer) { p.invoke = refusalOf("internal") })
	evaluate("authority")
	f.peers["own"].stop()
	f.peers["authority"].stop()
	evaluate("second")

	f.peers["own"].with(func(p *fakePeer) { p.invoke = answer(`{"from":"own"}`) })
	f.peers["own"].start(t, f.root)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if b, _ := c.Evaluate(t.Context(), anyQuery); strings.Contains(string(b), "own") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the own peer is not asked though it is back")
		}
	}
}

// TestEvaluateIsNotOlder asks nobody who has not reached what this process was told of, through
// whichever connection.
func TestEvaluateIsNotOlder(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	one, two := f.connect("own"), f.connect("second")
	f.peers["own"].with(func(p *fakePeer) { p.most = 1 })
	for _, p := range f.peers {
		p.with(func(p *fakePeer) { p.invoke = answer(`{"existing":false}`) })
	}
	if _, err := two.Submit(t.Context(), transaction("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Evaluate(t.Context(), anyQuery); err != nil {
		t.Fatal(err)
	}
	if got := f.peers["own"].calls("Query"); got != 0 {
		t.Errorf("a peer that lags was asked %d times", got)
	}
	if h, err := one.Head(t.Context()); err != nil || h.Height != 2 {
		t.Errorf("%v, %v; want a height of 2", h, err)
	}
	for _, p := range f.peers {
		p.with(func(p *fakePeer) { p.most = 1 })
	}
	f.grow(1)
	two.network.told.raise(3)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if b, err := one.Evaluate(ctx, anyQuery); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%s, %v; but nobody has caught up", b, err)
	}
	time.AfterFunc(100*time.Millisecond, func() { f.peers["third"].with(func(p *fakePeer) { p.most = never }) })
	if _, err := one.Evaluate(t.Context(), anyQuery); err != nil {
		t.Error(err)
	}
	if got := f.peers["third"].calls("Query"); got != 1 {
		t.Errorf("the only peer that has caught up was asked %d times", got)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	for _, p := range f.peers {
		p.stop()
	}
	start := time.Now()
	_, err := c.Evaluate(t.Context(), anyQuery)
	if ledger.Code(err) != CodeUnreachable || !strings.Contains(err.Error(), "peer1.own: ") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v, want %s and why", err, CodeUnreachable)
	}
	if took := time.Since(start); took > queryPatience+20*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestOtherRoots refuses a peer whose certificate is not under its own roots.
func TestOtherRoots(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	config := f.config("own")
	e := config.profile.Peers["peer1.own"]
	e.Roots = map[string]string{"pem": string(issue(t, "another root", nil, nil).certificatePEM())}
	config.profile.Peers["peer1.own"] = e
	c, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		if _, err := c.Evaluate(t.Context(), anyQuery); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.peers["own"].calls("Query"); got != 0 {
		t.Error("a peer was asked whose certificate is under another's roots")
	}
	if err := c.network.peers[0].trouble(); err == nil || !strings.Contains(err.Error(), "x509") {
		t.Errorf("%v, which does not say why", err)
	}
}

func TestClose(t *testing.T) {
	f := newFakeNetwork(t)
	before := runtime.NumGoroutine()
	open := func() int {
		instancesMu.Lock()
		defer instancesMu.Unlock()
		return len(instances)
	}
	for range 2 {
		var connections []*Connection
		for range 10 {
			for _, o := range fakeOrganisations {
				c, err := Open(t.Context(), f.config(o))
				if err != nil {
					t.Fatal(err)
				}
				connections = append(connections, c)
			}
		}
		if n := open(); n != 1 {
			t.Errorf("%d instances of fabric-sdk-go for one profile", n)
		}
		var wg sync.WaitGroup
		for i, c := range connections {
			wg.Go(func() {
				switch _, err := c.Submit(t.Context(), transaction("x")); ledger.Code(err) {
				case ledger.CodeOutcomeUnknown, ledger.CodeNotSubmitted, ledger.CodeClosed:
				default:
					if err != nil {
						t.Error(err)
					}
				}
				for _, err := range c.Blocks(t.Context(), 0) {
					if err != nil && ledger.Code(err) != ledger.CodeClosed {
						t.Error(err)
					}
					if i%2 == 0 {
						break
					}
				}
			})
		}
		time.AfterFunc(500*time.Millisecond, func() {
			for _, c := range connections {
				c.Close()
				c.Close()
			}
		})
		wg.Wait()
		c := connections[0]
		c.Close()
		if _, err := c.Submit(t.Context(), transaction("x")); ledger.Code(err) != ledger.CodeClosed {
			t.Errorf("submit: %v", err)
		}
		if _, err := c.Evaluate(t.Context(), anyQuery); ledger.Code(err) != ledger.CodeClosed {
			t.Errorf("evaluate: %v", err)
		}
		if _, err := c.Head(t.Context()); ledger.Code(err) != ledger.CodeClosed {
			t.Errorf("head: %v", err)
		}
		for b, err := range c.Blocks(t.Context(), 0) {
			if b != nil || ledger.Code(err) != ledger.CodeClosed {
				t.Errorf("blocks: %v", err)
			}
		}
	}
	var after int
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if after = runtime.NumGoroutine(); after <= before {
			break
		}
	}
	if after > before {
		buffer := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after:\n%s", before, after, buffer[:runtime.Stack(buffer, true)])
	}
	if open() != 0 {
		t.Error("an instance is still there")
	}
}

func TestOutcryOf(t *testing.T) {
	for _, test := range []struct {
		message, code string
	}{
		{`{"code":"anchor-conflict","message":"m"}`, "anchor-conflict"},
		{`{"code":"internal","message":"m"}`, ""},
		{`{"code":"","message":"m"}`, ""},
		{`{"code":"Anchor Conflict","message":"m"}`, ""},
		{`{"code":"-a","message":"m"}`, ""},
		{`{"code":"` + strings.Repeat("a", 65) + `","message":"m"}`, ""},
		{`{"code":"a","message":"` + strings.Repeat("m", maxRuleMessage) + `"}`, ""},
		{`{"code":1}`, ""},
		{`["a"]`, ""},
		{`error in simulation`, ""},
		{``, ""},
	} {
		got := ""
		if e := brokenRule(test.message); e != nil {
			got = e.Code
		}
		if got != test.code {
			t.Errorf("%.60s: %q, want %q", test.message, got, test.code)
		}
	}
	for _, err := range []error{nil, errors.New("access denied"), context.Canceled} {
		if cry := outcryOf(err); cry != nil {
			t.Errorf("%v is taken for an outcry", err)
		}
	}
}

func FuzzBrokenRule(f *testing.F) {
	f.Add(`{"code":"anchor-conflict","message":"m"}`)
	f.Fuzz(func(t *testing.T, message string) {
		if e := brokenRule(message); e != nil && !ruleCode.MatchString(e.Code) {
			t.Errorf("%q", e.Code)
		}
	})
}
