package request_test

import (
	"bytes"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/request/requesttest"
	"github.com/credledger/credledger/verifier/store"
	"github.com/credledger/credledger/verifier/verify"
)

func TestReleasedByLaw(t *testing.T) {
	w := newWorld(t)
	first, err := w.asker.Ask(t.Context(), w.ask())
	w.must(err)
	r := w.again(first.Kept)
	if !r.Recorded || !r.ByLaw || r.Due.Sub(r.Made) != time.Minute || r.Attempts != 1 || len(w.ended) != 1 || first.Verdict.Outcome != verify.Valid || first.Receipt == nil {
		t.Fatalf("%+v", r)
	}
	w.wantOutcomes("released", "valid")
	e := w.entries()[0]
	want := &access.Entry{
		Time: w.Clock.Unix(), Call: access.RequestCall(r.Digest), Agency: ledgertest.Properties, Clerk: "li", Unit: "hall-1", Matter: requesttest.Matter,
		Case: "20261107-0042", Asked: ledgertest.Marriages, Type: "marriage", Licence: e.Licence, Presentation: e.Presentation,
		Fields: []string{"spouse1Name", "spouse2Name"}, Outcome: "released", Reasons: []string{"basis", "registration-rules-16"},
		Day: ledgertest.Day, Height: e.Height, Heartbeat: e.Heartbeat,
	}
	if got, _ := e.MarshalJSON(); string(got) != string(must(want.MarshalJSON())) || e.Height == 0 || e.Heartbeat == 0 {
		t.Fatalf("entry %s", got)
	}
	found, err := w.log.Accesses(ledgertest.Marriages, w.marriage.Digest, 0, 10)
	w.must(err)
	if len(found) != 2 {
		t.Fatal("the entries are not found by the licence")
	}

	got, err := w.asker.Fetch(t.Context(), r.Agency, r.Digest, "wang", "hall-2")
	w.must(err)
	if got.Verdict.Outcome != verify.Valid || got.Answer.Reason != "basis" || len(got.Verdict.Fields()) != 2 || !bytes.Equal(got.Presentation, first.Presentation) {
		t.Fatalf("%+v", got)
	}
	shown, err := credential.Parse(got.Presentation)
	w.must(err)
	if shown.Record.Issuer != ledgertest.Marriages || sm.Sum(got.Presentation) != *got.Answer.Presentation {
		t.Fatal("another presentation")
	}
	w.wantOutcomes("released", "valid", "valid")
	if e := w.entries()[2]; e.Call != access.RequestCall(r.Digest) || e.Clerk != "wang" || e.Unit != "hall-2" || e.Asked != "" || len(e.Fields) != 2 || e.Case != "20261107-0042" {
		t.Fatalf("entry %+v", e)
	}

	// It can be fetched again for a while, which is recorded too; then the key is gone, and the evidence stays.
	w.pass(9 * time.Minute)
	if _, err := w.asker.Fetch(t.Context(), r.Agency, r.Digest, "", ""); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Minute)
	got, err = w.asker.Fetch(t.Context(), r.Agency, r.Digest, "", "")
	w.must(err)
	if got.Verdict != nil || got.Presentation != nil || got.Answer == nil || got.Kept.Recipient != nil || got.Kept.Released != nil {
		t.Fatal("what was fetched can still be opened")
	}
	w.wantOutcomes("released", "valid", "valid", "valid")
	evidence, err := w.asker.Evidence(t.Context(), r.Agency, r.Digest)
	w.must(err)
	report, err := evidence.Check(w.Index.Grants())
	w.must(err)
	if report.Answer.Outcome != "released" || report.Grant != nil || evidence.Presentation != nil {
		t.Fatalf("%+v", report)
	}
	evidence.Presentation = shown.Bytes() // whoever kept it can add it
	if _, err := evidence.Check(w.Index.Grants()); err != nil {
		t.Fatal(err)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// Nobody who has the store, at any time, reads what was released; what nobody fetches is destroyed after a day.
func TestStoreHasNoValues(t *testing.T) {
	w := newWorld(t)
	w.issuer.Fault(unavailable)
	r := w.made(w.ask(func(a *request.Ask) { a.Licence, a.Number = nil, w.value("certificateNumber") }), store.RequestPending)
	w.issuer.Fault(nil)
	w.pass(2 * time.Second)
	if w.again(r).State != store.RequestReleased {
		t.Fatal("the request is not answered")
	}
	for _, key := range []string{"spouse1Name", "spouse2Name", "certificateNumber"} {
		if bytes.Contains(w.stored(), []byte(w.value(key))) {
			t.Errorf("the store has the value of %s", key)
		}
	}
	w.pass(24*time.Hour - time.Second)
	if w.again(r).Recipient == nil {
		t.Fatal("destroyed before anybody could fetch it")
	}
	w.pass(time.Second)
	if got := w.again(r); got.Recipient != nil || got.Released != nil || got.State != store.RequestReleased {
		t.Fatalf("%+v", got)
	}
}

// value returns the value of a field of the marriage.
func (w *world) value(key string) string {
	for _, f := range w.marriage.Credential.Fields {
		if w.marriage.Type.Leaves()[f.Index] == key {
			return f.Value.String()
		}
	}
	w.t.Fatalf("there is no field %s", key)
	return ""
}

func TestByNumber(t *testing.T) {
	w := newWorld(t)
	r := w.made(w.ask(func(a *request.Ask) { a.Licence, a.Number = nil, w.value("certificateNumber") }), store.RequestReleased)
	got, err := w.asker.Fetch(t.Context(), r.Agency, r.Digest, "", "")
	w.must(err)
	if got.Verdict.Opened.Digest != w.marriage.Digest || got.Request.Licence != nil || got.Request.Subject == nil {
		t.Fatalf("%+v", got.Request)
	}
	if found, err := w.log.Accesses(ledgertest.Marriages, w.marriage.Digest, 0, 10); err != nil || len(found) != 3 {
		t.Fatalf("%d entries are found by the licence: %v", len(found), err)
	}
	w.wantOutcomes("released", "valid", "valid")
}

func TestUnderGrant(t *testing.T) {
	w := newWorld(t)
	digest := w.issuer.Give(w.marriage, ledgertest.Properties, requesttest.Matter, 1, "spouse1Id", "spouse2Id")
	r := w.made(w.ask(under(digest, "spouse1Id", "spouse1Name")), store.RequestReleased)
	if r.ByLaw || r.Due.Sub(r.Made) != 5*time.Minute {
		t.Errorf("%+v", r)
	}
	if e := w.entries()[0]; !slices.Equal(e.Reasons, []string{"basis-and-grant", "registration-rules-16"}) {
		t.Errorf("%+v", e)
	}
	evidence, err := w.asker.Evidence(t.Context(), r.Agency, r.Digest)
	w.must(err)
	report, err := evidence.Check(w.Index.Grants())
	w.must(err)
	if report.Grant == nil || report.Grant.Digest != digest || report.Answer.Use != 1 {
		t.Fatalf("%+v", report)
	}
	// It is used up, withdrawn, and somebody else's.
	second := w.made(w.ask(under(digest, "spouse1Id")), store.RequestRefused)
	if second.Recipient != nil || second.Released != nil {
		t.Error("there is a key for nothing")
	}
	other := w.issuer.Give(w.marriage, ledgertest.Properties, requesttest.Matter, 5, "spouse1Id")
	w.made(w.ask(under(other, "spouse1Id", "spouse2Id")), store.RequestRefused)
	w.made(w.ask(under(other, "spouse1Id"), func(a *request.Ask) { a.Agency = ledgertest.Businesses }), store.RequestRefused)
	w.made(w.ask(under(other, "spouse1Id"), func(a *request.Ask) { a.Matter = "company-opening" }), store.RequestRefused)
	w.issuer.Withdraw(other)
	w.made(w.ask(under(other, "spouse1Id")), store.RequestRefused)
	w.made(w.ask(under(sm.Sum(nil), "spouse1Id")), store.RequestRefused)
	w.made(w.ask(func(a *request.Ask) { a.Fields = []string{"spouse1Id"} }), store.RequestRefused)
	w.made(w.ask(func(a *request.Ask) { a.Fields = []string{"remarks", "spouse1Name"} }), store.RequestRefused)
	late := w.issuer.Give(w.marriage, ledgertest.Properties, requesttest.Matter, 5, "spouse1Id")
	w.Pass(31 * 24 * time.Hour)
	w.made(w.ask(under(late, "spouse1Id")), store.RequestRefused)
	var reasons []string
	for _, e := range w.entries()[2:] {
		if e.Outcome != "refused" || e.Asked != ledgertest.Marriages || len(e.Reasons) != 1 {
			t.Fatalf("%+v", e)
		}
		reasons = append(reasons, e.Reasons...)
	}
	if want := []string{"grant-used-up", "grant-fields", "grant-other-agency", "grant-other-matter", "grant-withdrawn", "grant-missing", "no-basis", "excluded", "grant-expired"}; !slices.Equal(reasons, want) {
		t.Fatalf("%v; want %v", reasons, want)
	}
	refused, err := w.asker.Evidence(t.Context(), second.Agency, second.Digest)
	w.must(err)
	if report, err := refused.Check(w.Index.Grants()); err != nil || report.Answer.Reason != "grant-used-up" {
		t.Fatalf("%+v, %v", report, err)
	}
}

// An issuer that is away, or says nothing of use, is asked again with growing pauses, and answers when it is back.
func TestOutage(t *testing.T) {
	w := newWorld(t)
	w.issuer.Fault(func(w http.ResponseWriter) bool {
		w.Header().Set("Retry-After", "20")
		w.WriteHeader(http.StatusServiceUnavailable)
		w.Write([]byte(`{"code":"overloaded","detail":"x"}`))
		return true
	})
	r := w.made(w.ask(), store.RequestPending)
	if r.Problem != "overloaded" {
		t.Errorf("problem %q", r.Problem)
	}
	got, err := w.asker.Fetch(t.Context(), r.Agency, r.Digest, "", "")
	w.must(err)
	if got.Verdict != nil || got.Answer != nil || w.log.Size() != 0 {
		t.Fatalf("%+v", got)
	}
	if _, err := w.asker.Evidence(t.Context(), r.Agency, r.Digest); request.Code(err) != request.CodeNoEvidence {
		t.Errorf("%v", err)
	}
	w.pass(19 * time.Second)
	if n := w.issuer.Calls(); n != 1 {
		t.Fatalf("%d calls: the issuer said when it wants the next", n)
	}
	w.issuer.Fault(nil)
	w.pass(time.Second)
	if got := w.again(r); got.State != store.RequestReleased || got.Attempts != 2 || w.issuer.Calls() != 2 {
		t.Fatalf("%+v", got)
	}
	w.wantOutcomes("released")
}

// An issuer that cannot be reached is called for those requests that are taken together, and for no more of them that time.
func TestAway(t *testing.T) {
	w := newWorld(t)
	w.issuer.Fault(func(w http.ResponseWriter) bool {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			conn.Close()
		}
		return true
	})
	const together, requests = 32, 70
	for range requests {
		if r := w.made(w.ask(), store.RequestPending); r.Problem != request.CodeUnreachable {
			t.Fatalf("problem %q", r.Problem)
		}
	}
	calls := w.issuer.Calls()
	w.pass(2 * time.Second)
	if n := w.issuer.Calls() - calls; n < 1 || n > together {
		t.Errorf("%d calls for %d requests to an issuer that is away", n, requests)
	}
	w.issuer.Fault(nil)
	w.pass(time.Minute)
	if n := len(w.outcomes()); n != requests {
		t.Errorf("%d of %d requests have ended when it is back", n, requests)
	}
}

func TestUnanswered(t *testing.T) {
	w := newWorld(t)
	w.issuer.Fault(func(w http.ResponseWriter) bool { // to itself, where it would be answered
		w.Header().Set("Location", "/v1/requests")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	})
	r := w.made(w.ask(), store.RequestPending)
	times := []time.Time{w.Clock.Now()}
	for w.again(r).State == store.RequestPending {
		calls := w.issuer.Calls()
		if w.pass(time.Second); w.issuer.Calls() > calls {
			times = append(times, w.Clock.Now())
		}
	}
	got := w.again(r)
	if got.State != store.RequestUnanswered || got.Problem != request.CodeIssuerFailed || got.Recipient != nil || !got.ByLaw || w.Clock.Now().Before(r.Due) {
		t.Fatalf("%+v", got)
	}
	for i := 1; i < len(times)-1; i++ {
		if d := times[i].Sub(times[i-1]); d != min(2*time.Second<<(i-1), time.Minute) {
			t.Errorf("pause %d is %v", i, d)
		}
	}
	w.wantOutcomes("unanswered")
	e := w.entries()[0]
	if len(e.Reasons) > 0 || !slices.Equal(e.Fields, []string{"spouse1Name", "spouse2Name"}) || e.Asked != ledgertest.Marriages || e.Call != access.RequestCall(r.Digest) {
		t.Errorf("%+v", e)
	}
	w.issuer.Fault(nil)
	w.pass(time.Hour) // an answer that would come late changes nothing
	w.wantOutcomes("unanswered")
	if n := w.issuer.Calls(); n != len(times) {
		t.Errorf("%d calls after it was due", n-len(times))
	}
}

// The answer to one agency, and what was released with it, are of no use to another.
func TestReplayToAnother(t *testing.T) {
	w := newWorld(t)
	var stolen *requesttest.Message
	w.issuer.Change(func(m *requesttest.Message) { kept := *m; stolen = &kept })
	w.made(w.ask(), store.RequestReleased)
	w.issuer.Change(func(m *requesttest.Message) { *m = *stolen })
	r := w.made(w.ask(func(a *request.Ask) { a.Agency = ledgertest.Businesses }), store.RequestPending)
	if r.Problem != grant.CodeAnswerDiffers {
		t.Errorf("problem %s", r.Problem)
	}
	// The same, with its own answer in front of what was sealed for the first.
	w.issuer.Change(func(m *requesttest.Message) { m.Sealed = stolen.Sealed })
	if r := w.made(w.ask(), store.RequestPending); r.Problem != envelope.CodeOtherKey {
		t.Errorf("problem %s", r.Problem)
	}
	if _, err := w.asker.Fetch(t.Context(), ledgertest.Businesses, w.made(w.ask(), store.RequestPending).Digest, "", ""); store.Code(err) != store.CodeRequestUnknown {
		t.Errorf("another agency's request is given out: %v", err)
	}
}

// Many at once are each answered once, whoever looks after them.
func TestTogether(t *testing.T) {
	w := newWorld(t)
	w.issuer.Fault(func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusInternalServerError); return true })
	const n = 24
	for range n {
		w.made(w.ask(func(a *request.Ask) { a.Within = time.Hour }), store.RequestPending)
	}
	w.issuer.Fault(nil)
	w.Pass(time.Minute)
	var mu sync.Mutex
	replica := func(c *request.Config) {
		c.Ended = func(store.RequestState) { mu.Lock(); defer mu.Unlock(); w.ended = append(w.ended, "") }
	}
	var all sync.WaitGroup
	for _, a := range []*request.Asker{w.another(replica), w.another(replica), w.another(replica)} {
		all.Go(func() {
			if err := a.Settle(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	calls := map[access.Call]int{}
	for _, e := range w.entries() {
		calls[e.Call]++
	}
	if len(calls) != n || len(w.ended) != n || w.issuer.Calls() != 2*n {
		t.Fatalf("%d requests in the log, %d ended, %d calls", len(calls), len(w.ended), w.issuer.Calls())
	}
}
