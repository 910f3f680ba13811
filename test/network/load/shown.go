package load

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/verify"
)

// shown is a licence that is shown to the verifiers again and again.
type shown struct {
	name         string
	presentation []byte
	well         verify.Outcome // the verdict of a verifier that knows of it and is up to date
	old          verify.Outcome // the verdict of one that knows of it, whose view is too old

	acknowledged time.Time       // of a fresh licence, which verifiers need not know of yet
	known        map[string]bool // verifiers that have called it valid
}

// fresh reports whether a licence was issued while the Watcher watched.
func (s *shown) fresh() bool { return s.known != nil }

// issueSamples anchors licences of every sort and returns the height at which all is on the ledger.
func (w *Watcher) issueSamples() (height uint64) {
	w.tb.Helper()
	for _, typ := range issuedTypes {
		b := w.options.City.IssueAt(w.tb, typ, 4, w.clock())
		l := w.connections[b.Issuer]
		submit := func(tx *chaincode.Transaction) {
			height = max(height, ledgertest.Submit(w.tb, l, tx).Position.Block+1)
		}
		submit(b.Tx)
		submit(ledgertest.Sign(w.tb, b.Change(1, licence.Revoked), b.Department.Status))
		w.show(b, 0, &shown{name: typ + ", active", well: verify.Valid, old: verify.Undetermined})
		w.show(b, 1, &shown{name: typ + ", revoked", well: verify.NotCurrent, old: verify.NotCurrent})
		if len(w.options.City.Type(w.tb, typ).Restrictions) > 0 {
			submit(ledgertest.Sign(w.tb, b.Restrict(2), b.Department.Status))
			w.show(b, 2, &shown{name: typ + ", restricted", well: verify.Restricted, old: verify.Undetermined})
		}
		forged := w.options.City.IssueAt(w.tb, typ, 1, w.base-3600) // and not anchored
		w.show(forged, 0, &shown{name: typ + ", forged", well: verify.Invalid, old: verify.Invalid})
	}
	return height
}

// show adds licence i of a batch to those that are shown.
func (w *Watcher) show(b *ledgertest.Batch, i int, s *shown) {
	typ := w.options.City.Type(w.tb, b.Head.Type)
	p, err := credential.Disclose(b.Licences.Credential(i), typ, typ.Leaves()[:2]...)
	if err != nil {
		w.tb.Errorf("disclose fields of %s: %v", s.name, err)
		return
	}
	s.presentation = p.Bytes()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shown = append(w.shown, s)
	if s.fresh() {
		w.sightings.Fresh++
	}
}

// issueFresh issues one licence, submits it until it is acknowledged, and lets it be shown from then
// on: nobody has it before.
func (w *Watcher) issueFresh(ctx context.Context, typ string) {
	b := w.options.City.IssueAt(w.tb, typ, 1, w.clock())
	for {
		_, err := w.connections[b.Issuer].Submit(ctx, b.Tx)
		switch {
		case err == nil:
			w.show(b, 0, &shown{
				name: typ + ", fresh", well: verify.Valid, old: verify.Undetermined,
				acknowledged: time.Now(), known: map[string]bool{},
			})
			return
		case ctx.Err() != nil:
			return
		case chaincode.Code(err) != "":
			w.find("a fresh licence is refused: " + err.Error())
			return
		}
		sleep(ctx, again)
	}
}

// newest is the number of fresh licences that go on being shown once every verifier knows them.
const newest = 20

// look lets a verifier judge everything that is shown, now and on a day when its view would be too
// old for anything. strict asks for the verdict of a verifier that is up to date.
func (w *Watcher) look(f *follower, strict bool) {
	w.mu.Lock()
	all := slices.Clone(w.shown)
	w.mu.Unlock()
	now := time.Unix(int64(w.clock()), 0)
	later := now.Add(48 * time.Hour)
	for _, s := range all {
		w.judge(f, s, later, s.old, strict)
		outcome := w.judge(f, s, now, s.well, strict)
		w.mu.Lock()
		w.sightings.Verdicts[outcome]++
		if s.fresh() && !s.known[f.name] {
			w.sightings.LongestUndetermined = max(w.sightings.LongestUndetermined, time.Since(s.acknowledged))
			if outcome == verify.Valid {
				s.known[f.name] = true
			}
		}
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := f.index.Head().Height; h != f.height {
		f.height, f.since = h, time.Now()
	}
	w.sightings.LongestSilence = max(w.sightings.LongestSilence, time.Since(f.since))
	w.forget()
}

// judge checks one verdict: it is the one that it should be, or undetermined.
func (w *Watcher) judge(f *follower, s *shown, now time.Time, want verify.Outcome, strict bool) verify.Outcome {
	v := verify.Verify(f.index, verify.Request{Presentation: s.presentation, Now: now})
	if v.Outcome != want && (strict || v.Outcome != verify.Undetermined) {
		w.find(fmt.Sprintf("%s calls a licence (%s) %s instead of %s: %v", f.name, s.name, v.Outcome, want, v.Reasons()))
	}
	return v.Outcome
}

// forget shows no longer the oldest fresh licences that every verifier knows.
func (w *Watcher) forget() {
	n := 0
	for _, s := range w.shown {
		if s.fresh() && len(s.known) == len(w.followers) {
			n++
		}
	}
	w.shown = slices.DeleteFunc(w.shown, func(s *shown) bool {
		if n <= newest || !s.fresh() || len(s.known) < len(w.followers) {
			return false
		}
		n--
		return true
	})
}

// undetermined returns the number of fresh licences that not every verifier has called valid.
func (w *Watcher) undetermined() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.shown {
		if s.fresh() && len(s.known) < len(w.followers) {
			n++
		}
	}
	return n
}

// ask evaluates a query into v.
func ask(ctx context.Context, l ledger.Ledger, v any, name string, args ...string) error {
	answer, err := l.Evaluate(ctx, chaincode.Query{Name: name, Args: args})
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, v)
}
