package notify_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/notify"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/webhook"
)

// States and restrictions are told of as the ledger has them, whoever made the change; and nothing else.
func TestTellsOfTheLedger(t *testing.T) {
	w := newWorld(t)
	all := w.subscribe("all", nil)
	only := w.subscribe("restrictions", func(s *notify.Subscriber) { s.Events = []string{webhook.LicenceRestriction} })
	other := w.subscribe("marriage", func(s *notify.Subscriber) { s.Types = []string{"marriage"} })
	n := w.notifier(w.Vault)
	before := w.issue(0, nil)
	w.set(w.issuer, before, licence.Suspended, w.reason(licence.Active, licence.Suspended)) // before anybody was to be told
	end := w.run(n.Follow, n.Send)
	w.awaitFollowing()

	l := w.issue(1, nil)
	elsewhere := w.Issuer(w.Reopen()) // the command line, say
	w.set(elsewhere, l, licence.Suspended, w.reason(licence.Active, licence.Suspended))
	w.set(w.issuer, l, licence.Active, w.reason(licence.Suspended, licence.Active))
	subject, err := w.issuer.Subject(t.Context(), l.ID)
	w.Must(err)
	laid, err := w.issuer.Restrict(t.Context(), clerk, subject, w.Type.Restrictions[0].Code, nil)
	w.Must(err)

	got := all.await(3)
	for i, want := range []webhook.Status{
		{From: licence.Active, To: licence.Suspended, Sequence: 1}, {From: licence.Suspended, To: licence.Active, Sequence: 2},
	} {
		e := got[i]
		if e.Type != webhook.LicenceStatus || e.Status.From != want.From || e.Status.To != want.To || e.Status.Sequence != want.Sequence ||
			e.Status.Block == 0 || e.Status.Effective != licence.DateOf(w.Clock.Now()).String() {
			t.Errorf("message %d: %+v, %+v", i, e, e.Status)
		}
	}
	last := got[2]
	if last.Type != webhook.LicenceRestriction || last.Restriction.Lifted || last.Restriction.ID != laid.ID.String() || last.Restriction.Sequence != 1 {
		t.Errorf("%+v, %+v", last, last.Restriction)
	}
	for _, e := range got {
		if e.Licence.ID != int64(l.ID) || e.Licence.Type != "property" || *e.Licence.Digest != l.Digest || e.Licence.Root != l.Root || e.Licence.Index != l.Index ||
			e.Department != w.Department.ID || e.Ledger != w.City.ID || e.At.After(w.Clock.Now()) {
			t.Errorf("%+v is about %+v", e, e.Licence)
		}
	}
	if got := only.await(1); got[0].Type != webhook.LicenceRestriction {
		t.Errorf("%+v", got[0])
	}
	end()
	if other.count() != 0 {
		t.Errorf("%d messages about another type", other.count())
	}
	for _, body := range all.raw {
		for _, value := range w.values(1) {
			if strings.Contains(body, value) {
				t.Errorf("a message has the value of a field: %s", body)
			}
		}
	}
	if log := w.log(); strings.Contains(log, "hidden") || strings.Contains(log, "level=WARN") {
		t.Errorf("the log:\n%s", log)
	}
}

// A change of all licences under a root is told of once, as that.
func TestTellsOfWholeRoots(t *testing.T) {
	w := newWorld(t)
	r := w.subscribe("all", nil)
	n := w.notifier(w.Vault)
	w.run(n.Follow, n.Send)
	w.awaitFollowing()
	l := w.issue(0, nil)
	body := &statement.Status{Ledger: w.City.ID, Issuer: w.Department.ID, Root: l.Root, Sequence: 1, From: "active", To: "suspended",
		Effective: int32(licence.DateOf(w.Clock.Now())), Reason: sm.Hash{1}, SignedAt: uint64(w.Clock.Now().Unix())}
	ledgertest.Submit(t, w.Ledger, ledgertest.Sign(t, body, w.Department.Status))
	e := r.await(1)[0]
	if e.Type != webhook.LicenceStatus || e.Licence.Digest != nil || e.Licence.ID != 0 || e.Licence.Root != l.Root || e.Licence.Type != "property" || e.Status.To != licence.Suspended {
		t.Errorf("%+v, %+v", e.Licence, e.Status)
	}
}

// awaitFollowing waits until something that happens is told.
func (w *world) awaitFollowing() {
	w.Helper()
	for told := uint64(0); told == 0; time.Sleep(time.Millisecond) {
		head, err := w.Vault.Told(w.Context())
		w.Must(err)
		told = head.Height
	}
}

// values are the values of the n-th record.
func (w *world) values(n int) (out []string) {
	w.Helper()
	var record map[string]any
	w.Must(json.Unmarshal(w.Record(n), &record))
	for _, v := range record {
		if text, ok := v.(string); ok && len(text) > 3 {
			out = append(out, text)
		}
	}
	return out
}

// reason is a reason that the type has for a change.
func (w *world) reason(from, to licence.State) string {
	w.Helper()
	for _, t := range w.Type.Transitions {
		if t.From == from && t.To == to {
			return t.Reasons[0].Code
		}
	}
	w.Fatalf("the type has no change from %s to %s", from, to)
	return ""
}

// Several processes on one vault tell each thing once, also if they end and begin again.
func TestTellsOnce(t *testing.T) {
	w := newWorld(t)
	r := w.subscribe("all", nil)
	r.endings = true
	var ends []func()
	begin := func() {
		for range 2 {
			n := w.notifier(w.Reopen())
			ends = append(ends, w.run(n.Follow, n.Send))
		}
	}
	begin()
	w.awaitFollowing()
	l := w.issue(0, nil)
	const changes = 10
	for i := range changes {
		if i == changes/2 {
			for _, end := range ends {
				end()
			}
			begin()
		}
		if i%2 == 0 {
			w.set(w.issuer, l, licence.Suspended, w.reason(licence.Active, licence.Suspended))
		} else {
			w.set(w.issuer, l, licence.Active, w.reason(licence.Suspended, licence.Active))
		}
	}
	got := r.await(changes)
	time.Sleep(200 * time.Millisecond)
	if r.count() != changes {
		t.Errorf("%d messages of %d changes", r.count(), changes)
	}
	sequences := map[uint32]bool{}
	for _, e := range got {
		sequences[e.Status.Sequence] = true
	}
	if len(sequences) != changes {
		t.Errorf("%d of %d changes were told of", len(sequences), changes)
	}
}

// Licences that expire soon, and jobs that are done, are told of once.
func TestTellsWhatItFinds(t *testing.T) {
	w := newWorld(t)
	r := w.subscribe("all", nil)
	n := w.notifier(w.Vault)
	w.run(n.Send)
	today := licence.DateOf(w.Clock.Now())
	for i, last := range []licence.Date{today + 30, today + 31, today, today + 1} {
		w.issue(i, &last)
	}
	w.set(w.issuer, w.issue(4, &today), licence.Revoked, w.reason(licence.Active, licence.Revoked))
	w.issue(5, nil)
	w.Must(w.Vault.Write(t.Context(), clerk, func(tx *vault.Tx) error {
		job := &vault.Job{Kind: "issue", Type: "property", Records: 3, Accepted: 2, Rejected: 1, Done: true}
		if err := tx.AddJob(job); err != nil {
			return err
		}
		return tx.AddJob(&vault.Job{Name: [32]byte{1}, Kind: "issue", Type: "property"})
	}))
	w.Must(n.TellDone(t.Context()))
	w.Must(n.TellExpiring(t.Context()))
	got := r.await(4)
	job := got[0]
	if job.Type != webhook.JobDone || *job.Job != (webhook.Job{ID: job.Job.ID, Kind: "issue", Type: "property", Records: 3, Accepted: 2, Rejected: 1}) {
		t.Errorf("%+v, %+v", job, job.Job)
	}
	for i, want := range []licence.Date{today + 30, today, today + 1} {
		if e := got[i+1]; e.Type != webhook.LicenceExpiring || e.Expiring.ValidUntil != want.String() {
			t.Errorf("%+v, %+v", e, e.Expiring)
		}
	}
	w.Must(n.TellDone(t.Context()))
	w.Must(n.TellExpiring(t.Context()))
	w.awaitNoted()
	w.Clock.Advance(24 * time.Hour)
	other := w.notifier(w.Reopen())
	w.Must(other.TellExpiring(t.Context()))
	w.run(other.Send)
	if e := r.await(5)[4]; e.Expiring.ValidUntil != (today + 31).String() {
		t.Errorf("a day later: %+v", e.Expiring)
	}
}

// More than fit into one transaction.
func TestTellsOfMany(t *testing.T) {
	w := newWorld(t)
	r := w.subscribe("all", nil)
	const jobs = 600
	w.Must(w.Vault.Write(t.Context(), clerk, func(tx *vault.Tx) error {
		for i := range jobs {
			if err := tx.AddJob(&vault.Job{Name: sm.Hash{byte(i), byte(i >> 8)}, Kind: "issue", Done: true}); err != nil {
				return err
			}
		}
		return nil
	}))
	n := w.notifier(w.Vault)
	w.Must(n.TellDone(t.Context()))
	w.run(n.Send)
	for i, e := range r.await(jobs) {
		if e.Job.ID != int64(i+1) {
			t.Fatalf("message %d is about job %d", i, e.Job.ID)
		}
	}
}
