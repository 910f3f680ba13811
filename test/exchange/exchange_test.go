// Package exchange_test has one department ask another for fields of licences, both as they are, and then looks at it as an
// auditor does: by the two access logs, the ledger and the evidence files.
package exchange_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/issuer/releasetest"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/outbound"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/store"
)

// patience bounds what is waited for: there may be slow machines.
const patience = time.Minute

// A world is a department that is asked, behind its API, and one that asks.
type world struct {
	*httpapitest.Server
	ctx    context.Context
	office *releasetest.Office
	digest sm.Hash // of a licence
	id     vault.ID
	asker  *request.Asker
	store  *store.Store
	log    *accesslog.Log // of the department that asks
	beats  uint64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := httpapitest.New(t, "marriage")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	w := &world{Server: s, ctx: ctx, office: s.Offer()}
	w.id = vault.ID(s.Issue(1))
	l, err := s.Vault.Licence(ctx, w.id)
	w.Must(err)
	w.digest = l.Digest
	agency := w.office.Agency
	w.Must(accesslog.Create(w.Path("asking"), accesslog.Identity{Ledger: s.City.ID, Department: agency.ID, Log: "verifier-1"}))
	w.log, err = accesslog.Open(w.Path("asking"), agency.Log, s.Clock.Now)
	w.Must(err)
	t.Cleanup(func() { _ = w.log.Close() })
	kept, err := store.Open(ctx, w.Path("asking.db"), s.Clock.Now)
	w.Must(err)
	t.Cleanup(func() { _ = kept.Close() })
	w.store = kept
	w.asker = w.askerOf(s.Listen())
	return w
}

// askerOf is the department that asks, which believes the other one to be at a URL.
func (w *world) askerOf(address string) *request.Asker {
	w.Helper()
	u, err := url.Parse(address)
	w.Must(err)
	agency := w.office.Agency
	a, err := request.New(request.Config{
		View: w.office.Index, Grants: w.office.Index.Grants(), Store: w.store, Log: w.log, Keys: map[string]request.Key{agency.ID: agency.Consent},
		Issuers: map[string]*outbound.Place{w.Department.ID: {URL: u}}, Policy: func() *policy.Published { return nil }, Now: w.Clock.Now,
		Ended: func(store.RequestState) {},
	})
	w.Must(err)
	w.Cleanup(a.Close)
	return a
}

// ask asks for fields.
func (w *world) ask(fields []string, under *sm.Hash) *request.Answer {
	w.Helper()
	a, err := w.asker.Ask(w.ctx, request.Ask{
		Agency: w.office.Agency.ID, Issuer: w.Department.ID, Type: w.Type.ID, Licence: &w.digest, Matter: releasetest.Matter, Case: "20261107-0042", Fields: fields, Grant: under,
	})
	w.Must(err)
	return a
}

// anchor brings a log to the ledger.
func (w *world) anchor(log *accesslog.Log, department string) {
	w.Helper()
	w.Must(accesslog.NewAnchorer(log, w.As(department)).Anchor(w.ctx))
	w.office.CatchUp()
}

// beat puts a heartbeat of now on the ledger.
func (w *world) beat() {
	w.Helper()
	w.beats++
	beat := &statement.Heartbeat{Ledger: w.City.ID, Sequence: w.beats, Time: w.office.Seconds()}
	ledgertest.Submit(w.TB, w.As(w.City.Authority.ID), ledgertest.Sign(w.TB, beat, w.City.Authority.Log))
	w.office.CatchUp()
}

// report is what an auditor makes of two logs, and what the audits have found.
func (w *world) report(dirs ...string) (*report.Report, []string) {
	w.Helper()
	export, err := w.office.Index.Export()
	w.Must(err)
	period, err := report.ParsePeriod(w.Clock.Now().Format("2006-01"))
	w.Must(err)
	law, err := policy.Read(w.office.Policy(1, w.office.Law()), w.City.Authority.ID, w.office.Index.Grants())
	w.Must(err)
	scope := &report.Scope{Period: period, Policies: []*policy.Published{law}}
	var logs []report.Log
	var found []string
	for _, dir := range dirs {
		files, err := accesslog.OpenFiles(w.Path(dir))
		w.Must(err)
		tally := report.NewTally(scope)
		audit, err := accesslog.Audit(files, w.office.Index, accesslog.AuditOptions{Entry: tally.Add})
		w.Must(err)
		for _, f := range audit.Findings {
			found = append(found, f.Code)
		}
		of := audit.Identity
		logs = append(logs, report.Log{Tally: tally, Ledger: of.Ledger, Department: of.Department, Name: of.Log, Size: audit.Head.Size, Root: audit.Head.Root,
			Anchored: audit.Anchored, Behind: audit.Behind(), Clean: audit.Clean()})
	}
	r, err := report.New(scope, export, logs, nil)
	w.Must(err)
	return r, found
}

// count is the numerator of a row; -1 if there is none.
func count(r *report.Report, code string, where report.Where) int {
	for _, row := range r.Indicator(code).Rows {
		if row.Where == where {
			return int(row.Numerator)
		}
	}
	return -1
}

// Both departments record the same of every request, and it counts once.
func TestBothLogsAgree(t *testing.T) {
	w := newWorld(t)
	g := w.office.Give(w.id, 1)
	both := slices.Sorted(slices.Values(append(w.office.Free(), w.office.Granted()...)))
	for _, c := range []struct {
		fields  []string
		under   *sm.Hash
		outcome string
		reason  string
	}{
		{w.office.Free(), nil, statement.AnswerReleased, policy.CodeBasis},
		{w.office.Granted(), nil, statement.AnswerRefused, policy.CodeNoBasis},
		{both, &g.Digest, statement.AnswerReleased, policy.CodeBasisAndGrant},
		{both, &g.Digest, statement.AnswerRefused, grant.CodeUsedUp},
		{[]string{w.office.Never()}, nil, statement.AnswerRefused, policy.CodeExcluded},
	} {
		a := w.ask(c.fields, c.under)
		if a.Answer == nil || a.Answer.Outcome != c.outcome || a.Answer.Reason != c.reason || (c.outcome == statement.AnswerReleased) != (a.Verdict != nil && a.Presentation != nil) {
			t.Fatalf("%v: %+v", c, a.Answer)
		}
	}
	w.anchor(w.office.Log, w.Department.ID)
	w.anchor(w.log, w.office.Agency.ID)
	w.Clock.Advance(time.Minute)
	w.beat()
	for _, dirs := range [][]string{{"asking", "release-log"}, {"release-log"}, {"asking"}} {
		r, found := w.report(dirs...)
		if len(found) > 0 || len(r.Disagreements) > 0 {
			t.Errorf("%v: found %v, %+v", dirs, found, r.Disagreements)
		}
		for where, want := range map[report.Where]int{
			{}: 2, {Department: w.Department.ID}: 2, {Matter: releasetest.Matter}: 2, {Basis: report.BasisGrant}: 1, {Basis: releasetest.Basis}: 2,
		} {
			if got := count(r, report.Releases, where); got != want {
				t.Errorf("%v: releases %+v: %d, want %d", dirs, where, got, want)
			}
		}
		for where, want := range map[report.Where]int{{}: 3, {Cause: policy.CodeNoBasis}: 1, {Cause: grant.CodeUsedUp}: 1, {Cause: policy.CodeExcluded}: 1} {
			if got := count(r, report.Refusals, where); got != want {
				t.Errorf("%v: refusals %+v: %d, want %d", dirs, where, got, want)
			}
		}
		if got := count(r, report.Silences, report.Where{}); got != 0 {
			t.Errorf("%v: %d silences", dirs, got)
		}
	}
}

// A department that takes an answer out of its log before anybody could know of it is found out by the log of the one that
// asked, whose evidence shows that it was given; after that, by the audit.
func TestAnswerIsDeleted(t *testing.T) {
	w := newWorld(t)
	w.ask(w.office.Free(), nil)
	w.anchor(w.office.Log, w.Department.ID)
	w.Must(os.CopyFS(w.Path("before"), os.DirFS(w.Path("release-log"))))
	hidden := w.ask(w.office.Free(), nil)
	w.anchor(w.log, w.office.Agency.ID)
	w.Clock.Advance(time.Minute)
	w.beat()

	if r, found := w.report("asking", "release-log"); len(found) > 0 || len(r.Disagreements) > 0 {
		t.Errorf("as it is: found %v, %+v", found, r.Disagreements)
	}
	digest := hidden.Kept.Digest
	want := []report.Disagreement{{Call: access.RequestCall(digest), Asked: w.Department.ID, Agency: w.office.Agency.ID, Cause: report.CauseNotByAsked}}
	r, found := w.report("asking", "before")
	if len(found) > 0 || !slices.Equal(r.Disagreements, want) || count(r, report.Releases, report.Where{}) != 2 {
		t.Errorf("deleted in time: found %v, %+v", found, r.Disagreements)
	}
	e, err := w.asker.Evidence(w.ctx, w.office.Agency.ID, digest)
	w.Must(err)
	e.Presentation = hidden.Presentation
	parsed, err := grant.ParseEvidence(e.Bytes())
	w.Must(err)
	shown, err := parsed.Check(w.office.Index.Grants())
	if err != nil || shown.Request.Digest != digest || shown.Answer.Outcome != statement.AnswerReleased || shown.Answer.Issuer != w.Department.ID {
		t.Errorf("the evidence shows %+v, %v", shown, err)
	}

	w.anchor(w.office.Log, w.Department.ID)
	if r, found := w.report("asking", "before"); !slices.Equal(found, []string{accesslog.CodeRolledBack}) || len(r.Disagreements) != 0 {
		// What the log lacks is known from the ledger; that it is this answer, no log can say that is not whole.
		t.Errorf("deleted too late: found %v, %+v", found, r.Disagreements)
	}
	w.Must(accesslog.Create(w.Path("anew"), w.office.Log.Identity()))
	anew, err := accesslog.Open(w.Path("anew"), w.Department.Log, w.Clock.Now)
	w.Must(err)
	for _, c := range []string{"something", "else"} { // as many entries as the ledger knows
		_, err := anew.Append(w.ctx, &accesslog.Draft{Entry: access.Entry{
			Time: w.office.Seconds(), Call: access.RequestCall(sm.Sum([]byte(c))), Agency: w.office.Agency.ID, Matter: releasetest.Matter, Asked: w.Department.ID, Type: w.Type.ID,
			Fields: w.office.Free(), Outcome: access.Released, Reasons: []string{policy.CodeBasis, releasetest.Basis}, Day: 20764,
		}})
		w.Must(err)
	}
	w.Must(anew.Close())
	if r, found := w.report("asking", "anew"); !slices.Contains(found, accesslog.CodeForked) || len(r.Disagreements) != 2 {
		t.Errorf("put in the place of another: found %v, %+v", found, r.Disagreements)
	}
}

// A department that does not answer what the law has it answer has refused to share; one whose answer came too late is
// told to have answered, by its own log.
func TestSilence(t *testing.T) {
	w := newWorld(t)
	nobody := httptest.NewServer(http.NotFoundHandler())
	asker := w.askerOf(nobody.URL)
	nobody.Close()
	a, err := asker.Ask(w.ctx, request.Ask{
		Agency: w.office.Agency.ID, Issuer: w.Department.ID, Type: w.Type.ID, Licence: &w.digest, Matter: releasetest.Matter, Fields: w.office.Free(), Within: time.Minute,
	})
	w.Must(err)
	if a.Kept.State != store.RequestPending {
		t.Fatalf("nobody is there, and the request is %s", a.Kept.State)
	}
	w.Clock.Advance(time.Minute)
	w.Must(asker.Settle(w.ctx))
	w.beat()
	r, found := w.report("asking", "release-log")
	if len(found) > 0 || len(r.Disagreements) > 0 || count(r, report.Silences, report.Where{Department: w.Department.ID}) != 1 || count(r, report.RefusalsToShare, report.Where{}) != 1 {
		t.Errorf("found %v, %+v", found, r.Disagreements)
	}

	w.Post("/v1/requests", map[string]any{"request": a.Kept.Signed}).Want(t, http.StatusOK) // on its way all the while
	r, found = w.report("asking", "release-log")
	want := []report.Disagreement{{Call: access.RequestCall(a.Kept.Digest), Asked: w.Department.ID, Agency: w.office.Agency.ID, Cause: report.CauseNotReceived}}
	if len(found) > 0 || !slices.Equal(r.Disagreements, want) || count(r, report.Silences, report.Where{}) != 1 || count(r, report.Releases, report.Where{}) != -1 {
		t.Errorf("found %v, %+v", found, r.Disagreements)
	}
	if r, _ = w.report("release-log"); count(r, report.Releases, report.Where{}) != 1 {
		t.Error("by the log of the department asked alone, it was released")
	}
}
