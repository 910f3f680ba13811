package issuer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// applyFor applies for a licence, and makes sure that it is issued.
func (d *desk) applyFor(tb testing.TB, a *issuer.Application) (*issuer.Issued, *credential.Opened) {
	tb.Helper()
	issued, err := d.Apply(tb.Context(), clerk, a)
	if err != nil {
		tb.Fatal(err)
	}
	return issued, d.opened(tb, issued)
}

// opened opens the credential of an issued licence, which must stand in vault and ledger as it says.
func (d *desk) opened(tb testing.TB, i *issuer.Issued) *credential.Opened {
	tb.Helper()
	kept, _, err := d.Credential(tb.Context(), clerk, i.Licence.ID)
	if err != nil || !bytes.Equal(kept, i.Credential) {
		tb.Errorf("the vault has another credential than the one that was given, %v", err)
	}
	b, err := d.vault.Batch(tb.Context(), i.Licence.Batch)
	if err != nil || b.Position == nil || *b.Position != i.Position {
		tb.Errorf("the licence is at %v, and its batch %+v, %v", i.Position, b, err)
	}
	c, err := credential.Parse(i.Credential)
	if err != nil {
		tb.Fatal(err)
	}
	o, err := c.Open(d.typ)
	if err != nil {
		tb.Fatal(err)
	}
	if head, ok := o.HeadStatement(); !ok || !bytes.Equal(d.anchors(tb)[o.Signed.Root], head.Bytes()) {
		tb.Error("the head is not the one on the ledger")
	}
	return o
}

// claim is an idempotency key for a request.
func claim(key string, request []byte) *vault.ClaimKey {
	return &vault.ClaimKey{Caller: "registry", Key: key, Request: sm.Sum(request)}
}

func TestApply(t *testing.T) {
	d := newDesk(t, "marriage")
	issued, o := d.applyFor(t, &issuer.Application{Type: "marriage", Record: d.sample(t, "-1.json")})
	d.Close() // notes what is to be noted
	l, err := d.vault.Licence(t.Context(), issued.Licence.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%+v %v", *issued.Licence, *issued.Licence.Since), fmt.Sprintf("%+v %v", *l, *l.Since); strings.ReplaceAll(got, fmt.Sprintf("%p", issued.Licence.Since), "") !=
		strings.ReplaceAll(want, fmt.Sprintf("%p", l.Since), "") {
		t.Errorf("the licence is given as\n%s, and kept as\n%s", got, want)
	}
	if issued.Earlier || l.BatchState != vault.Delivered || l.Digest != o.Digest || o.Record.IssuedAt != uint64(now.Unix()) {
		t.Errorf("the licence is %+v", l)
	}
	history, err := d.vault.History(t.Context(), l.ID)
	if err != nil || len(history) < 2 || history[0].Action != vault.ActionIssued || history[0].By != clerk || history[1].Action != vault.ActionOpened {
		t.Errorf("the history is %+v, %v", history, err)
	}
	number, _ := o.Value(d.typ.NumberField().Key)
	if found, err := d.vault.ByNumber(t.Context(), "marriage", number.String()); err != nil || len(found) != 1 || found[0].ID != l.ID {
		t.Errorf("the number finds %v, %v", found, err)
	}
	for _, key := range []string{"spouse1Id", "spouse2Id"} {
		id, _ := o.Value(key)
		if found, err := d.vault.ByHolder(t.Context(), id.String(), []string{l.Type}, 0, 9); err != nil || len(found) != 1 || found[0].ID != l.ID {
			t.Errorf("the %s finds %v, %v", key, found, err)
		}
	}
	_, err = d.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: d.sample(t, "-1.json")})
	hasCode(t, err, issuer.CodeClosed)
}

func TestApplyRefused(t *testing.T) {
	d := newDesk(t, "property")
	lines := bytes.SplitAfter(d.sample(t, ".jsonl"), []byte("\n"))
	with := func(from, to string) []byte { return bytes.Replace(lines[0], []byte(from), []byte(to), 1) }
	d.applyFor(t, &issuer.Application{Type: "property", Record: lines[1]})
	early, late := licence.Date(10000), licence.Date(20000)
	number := d.typ.NumberField().Key
	for _, c := range []struct {
		name        string
		a           issuer.Application
		code, field string
	}{
		{"nothing", issuer.Application{Record: nil}, licence.EmptyInput, ""},
		{"no JSON", issuer.Application{Record: []byte("{{}")}, licence.Malformed, ""},
		{"two records", issuer.Application{Record: bytes.Join(lines[2:4], nil)}, licence.Malformed, ""},
		{"another encoding", issuer.Application{Record: []byte("{\"a\": \"\xbd\xe1\"}")}, licence.NotUTF8, ""},
		{"entity bomb", issuer.Application{Record: []byte(`<!DOCTYPE a [<!ENTITY x "&y;&y;"><!ENTITY y "zzzz">]><licences><licence><location>&x;</location></licence></licences>`)}, licence.Malformed, ""},
		{"too large", issuer.Application{Record: []byte(`{"use": "` + strings.Repeat("x", licence.MaxRecord) + `"}`)}, licence.TooLarge, ""},
		{"bad value", issuer.Application{Record: with(`"area": "`, `"area": "much`)}, licence.BadValue, "area"},
		{"unknown field", issuer.Application{Record: with("{", `{"whereabouts": "x", `)}, licence.UnknownField, "whereabouts"},
		{"ends before it begins", issuer.Application{Record: with("{", `{"ZZYXQJZRQ": "1999-01-01", `), ValidFrom: &late}, licence.BadValue, licence.ValidUntilAlias},
		{"number of 300 letters", issuer.Application{Record: bytes.Replace(lines[0], []byte(`"`+number+`": "`), []byte(`"`+number+`": "`+strings.Repeat("1", 300)), 1)}, licence.BadValue, number},
		{"number in use", issuer.Application{Record: lines[1]}, issuer.CodeLicenceActive, number},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.a.Type = "property"
			for name, do := range map[string]func() error{
				"Apply": func() error { _, err := d.Apply(t.Context(), clerk, &c.a); return err },
				"Check": func() error { _, err := d.Check(t.Context(), clerk, &c.a); return err },
			} {
				var refusal *issuer.Refusal
				if err := do(); !errors.As(err, &refusal) {
					t.Fatalf("%s: %v", name, err)
				} else if p := refusal.Problems[0]; p.Code != c.code || p.Field != c.field || p.Message == "" {
					t.Errorf("%s: the first problem is %+v", name, p)
				}
			}
		})
	}
	for _, c := range []struct {
		name string
		a    issuer.Application
		code string
	}{
		{"unknown type", issuer.Application{Type: "divorce"}, issuer.CodeTypeUnknown},
		{"type of another department", issuer.Application{Type: "marriage"}, chaincode.CodeTypeNotIssued},
		{"days in no order", issuer.Application{Type: "property", ValidFrom: &late, ValidUntil: &early}, issuer.CodeArguments},
		{"no such predecessor", issuer.Application{Type: "property", Record: lines[0], Predecessor: 99}, vault.CodeUnknown},
		{"long idempotency key", issuer.Application{Type: "property", Record: lines[0], Claim: claim(strings.Repeat("k", 201), nil)}, vault.CodeArgument},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := d.Apply(t.Context(), clerk, &c.a)
			hasCode(t, err, c.code)
		})
	}
	if n := d.kept(t).licences; n != 1 {
		t.Errorf("there are %d licences in the vault", n)
	}
}

func TestCheckKeepsNothing(t *testing.T) {
	d := newDesk(t, "marriage")
	record := d.sample(t, "-1.json")
	p, err := d.Check(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: record})
	if err != nil {
		t.Fatal(err)
	}
	if n := d.kept(t).licences; n != 0 || len(d.anchors(t)) != 0 {
		t.Error("something was kept")
	}
	_, o := d.applyFor(t, &issuer.Application{Type: "marriage", Record: record})
	if p.Type.ID != "marriage" || p.Record.IssuedAt != o.Record.IssuedAt {
		t.Errorf("the record would have been %+v, and is %+v", p.Record, o.Record)
	}
	for i, f := range o.Fields {
		if p.Values[i] != f.Value {
			t.Errorf("%s would have been another", d.typ.Leaves()[i])
		}
	}
}

func TestApplySuccessor(t *testing.T) {
	d := newDesk(t, "marriage")
	record := d.sample(t, "-1.json")
	first, old := d.applyFor(t, &issuer.Application{Type: "marriage", Record: record})
	second, o := d.applyFor(t, &issuer.Application{Type: "marriage", Record: record, Predecessor: first.Licence.ID})
	if p := o.Record.Predecessor; p == nil || *p != old.Digest || second.Licence.Predecessor != first.Licence.ID {
		t.Errorf("the predecessor is %v", p)
	}
	text, _ := o.Value(licence.IdentifierKey)
	if id, err := licence.ParseIdentifier(text.String()); err != nil || id.Version() != 2 {
		t.Errorf("the identifier is of version %d, %v", id.Version(), err)
	}
	_, err := d.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: record, Predecessor: first.Licence.ID})
	var refusal *issuer.Refusal
	if !errors.As(err, &refusal) || refusal.Problems[0].Code != issuer.CodeLicenceActive {
		t.Errorf("a second successor with the number: %v", err)
	}
}

// TestAppliedTogether has many apply at once, for several clerks: they share anchors, and the history says who has
// issued which.
func testAppliedTogether(t *testing.T, d *desk) {
	const callers, each = 40, 5
	record := d.records(t)
	issued := make([]*issuer.Issued, callers*each)
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			by := vault.By{Actor: fmt.Sprint("clerk ", c), Purpose: "counter"}
			for i := c * each; i < (c+1)*each; i++ {
				var err error
				if issued[i], err = d.Apply(t.Context(), by, &issuer.Application{Type: "marriage", Record: record(i + 1)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	d.Close()
	var credentials []*credential.Presentation
	for i, one := range issued {
		c, err := credential.Parse(one.Credential)
		if err != nil {
			t.Fatal(err)
		}
		credentials = append(credentials, c)
		history, err := d.vault.History(t.Context(), one.Licence.ID)
		if err != nil || len(history) != 1 || history[0].Action != vault.ActionIssued || history[0].Actor != fmt.Sprint("clerk ", i/each) {
			t.Errorf("the history of a licence of clerk %d is %+v, %v", i/each, history, err)
		}
	}
	d.checkIssued(t, credentials, callers*each)
	if n := len(d.anchors(t)); n > callers*each/2 {
		t.Errorf("%d licences have %d anchors", callers*each, n)
	}
}

func TestAppliedTogether(t *testing.T) {
	t.Parallel()
	testAppliedTogether(t, newDesk(t, "marriage"))
}

// TestWindow has one batch stay on its way: what is applied for meanwhile does not wait for longer than the window.
func TestWindow(t *testing.T) {
	d := newDesk(t, "marriage")
	held, release := make(chan struct{}), make(chan struct{})
	s := &shaky{before: func(n int) error {
		if n == 1 {
			close(held)
			<-release
		}
		return nil
	}}
	s.Ledger = d.ledger
	c := d.config
	c.Ledger, c.Window = s, time.Second
	iss := d.open(t, c)
	record := d.records(t)
	first := make(chan error, 1)
	go func() {
		_, err := iss.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: record(1)})
		first <- err
	}()
	<-held
	start := time.Now()
	var all sync.WaitGroup
	for n := range 10 {
		all.Go(func() {
			if _, err := iss.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: record(n + 2)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if took := time.Since(start); took < c.Window {
		t.Errorf("it took %v", took)
	}
	select {
	case err := <-first:
		t.Errorf("the first batch has arrived: %v", err)
	default:
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if n := len(d.anchors(t)); n > 3 {
		t.Errorf("there are %d anchors", n)
	}
}

// TestImpatientCaller goes before the licence is there, which is issued all the same.
func TestImpatientCaller(t *testing.T) {
	d := newDesk(t, "marriage")
	held, release := make(chan struct{}), make(chan struct{})
	iss := d.on(t, &shaky{before: func(n int) error {
		if n == 1 {
			close(held)
			<-release
		}
		return nil
	}})
	record := d.sample(t, "-1.json")
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-held; cancel() }()
	_, err := iss.Apply(ctx, clerk, &issuer.Application{Type: "marriage", Record: record, Claim: claim("k", record)})
	hasCode(t, err, ledger.CodeOutcomeUnknown)
	close(release)
	issued, err := iss.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: record, Claim: claim("k", record)})
	if err != nil || !issued.Earlier {
		t.Fatalf("asked again: %+v, %v", issued, err)
	}
	d.opened(t, issued)
}
