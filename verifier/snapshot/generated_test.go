package snapshot_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/snapshot"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/verify"
)

// snapshot makes a snapshot of what the index has, and opens it.
func (h *history) snapshot() *snapshot.View {
	h.Helper()
	export, err := h.Index.Export()
	if err != nil {
		h.Fatal(err)
	}
	file, _, err := snapshot.Build(export, h.Authority.Log)
	if err != nil {
		h.Fatal(err)
	}
	view, err := snapshot.Open(file, trustOf(h.City.City), 0)
	if err != nil {
		h.Fatal(err)
	}
	return view
}

func trustOf(c *ledgertest.City) snapshot.Trust {
	return snapshot.Trust{Ledger: c.ID, Keys: []*sm.PublicKey{c.Authority.Log.Public()}}
}

// shown is everything that somebody could show, with what the verifier asks.
func (h *history) shown() []verify.Request {
	var all []verify.Request
	ask := func(p *credential.Presentation, request verify.Request) {
		request.Presentation = p.Bytes()
		all = append(all, request)
	}
	for _, l := range h.lots {
		for i := range l.papers {
			p := place{l, i}.show(h)
			ask(p, verify.Request{})
			for _, days := range []licence.Date{-20, -3, 3} {
				day := ledgertest.Day + days
				ask(p, verify.Request{AsOf: &day})
			}
		}
		forged := place{l, 0}.show(h)
		forged.Head.Signature[40] ^= 1
		ask(forged, verify.Request{})
	}
	for _, b := range h.bindings {
		ask(b.shown, verify.Request{Audience: "counter", Nonce: b.nonce, HolderRequired: true})
	}
	for _, typ := range []string{"marriage", "property"} {
		never := h.sign(h.Type(h, typ), []*paper{h.paper(h.Type(h, typ))})
		ask(place{never, 0}.show(h), verify.Request{})
	}
	if h.unsent == nil {
		h.unsent = h.sign(h.Type(h, "business"), []*paper{h.paper(h.Type(h, "business"))})
	}
	ask(place{h.unsent, 0}.show(h), verify.Request{})
	other := verifiertest.New(h.T)
	ask(other.Issue("marriage", 1)[0].Show(), verify.Request{})
	all = append(all, verify.Request{Presentation: []byte("nothing")})
	return all
}

// same compares the verdicts by two views, now and later.
func (h *history) same(got, want verify.View, requests []verify.Request) map[string]int {
	h.Helper()
	seen := map[string]int{}
	for _, r := range requests {
		for _, later := range []time.Duration{0, 48 * time.Hour, 500 * 24 * time.Hour} {
			r.Now = h.Clock.Now().Add(later)
			g, w := verify.Verify(got, r), verify.Verify(want, r)
			if plain(&g) != plain(&w) {
				h.Fatalf("the verdicts differ:\n got %s\nwant %s\nof %d requests, as of %v\nhistory: %q", plain(&g), plain(&w), len(requests), r.AsOf, h.log)
			}
			seen[string(w.Outcome)]++
			for _, reason := range w.Reasons() {
				seen[reason]++
			}
		}
	}
	return seen
}

// plain is what a verdict says, but for what a snapshot leaves out.
func plain(v *verify.Verdict) string {
	text := fmt.Sprint(v.Outcome, v.Text(), v.Note(), v.Day, v.OfBatch, v.MaxAge, v.Issuer, v.Known.Height, v.Known.Heartbeat)
	for a := verify.AxisContent; a <= verify.AxisFreshness; a++ {
		text += fmt.Sprint(" ", a, v.Finding(a))
	}
	since, known := v.Since()
	age, aged := v.Age()
	n, restricted := v.RestrictionsInEffect()
	text += fmt.Sprint(since, known, age, aged, n, restricted, change(v.Change), change(v.Pending))
	a := v.Known.Anchor
	a.TransactionID, a.Checked = "", false
	return text + fmt.Sprintf("%+v", a)
}

func change(c *verify.Change) string {
	if c == nil {
		return "none"
	}
	return fmt.Sprint(c.State, c.Effective)
}

// TestGenerated: by a snapshot everything that anybody could show has the same verdict as by the index
// that it was made of, whatever became of licences before.
func TestGenerated(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			h := newHistory(t, seed)
			for round := range 3 {
				for range 60 {
					h.step()
				}
				if round > 0 {
					h.compromise()
				}
				view := h.snapshot()
				for what, n := range h.same(view, h.Index, h.shown()) {
					seen[what] += n
				}
				h.sameLogs(view)
			}
		})
	}
	for _, reason := range []verify.Reason{
		verify.ReasonActive, verify.ReasonSuspended, verify.ReasonRevoked, verify.ReasonSuperseded, verify.ReasonExpired, verify.ReasonNotYetValid,
		verify.ReasonRestricted, verify.ReasonAnchorDisowned, verify.ReasonAnchorDiffers, verify.ReasonNotAnchored, verify.ReasonNewerThanView,
		verify.ReasonBindingWithdrawn, verify.ReasonHolderProven, verify.ReasonBindingKeyCompromised, verify.ReasonStale, verify.ReasonFresh,
		verify.ReasonLedgerUnknown, verify.ReasonMalformed,
	} {
		if seen[string(reason)] == 0 {
			t.Errorf("nothing had the reason %s", reason)
		}
	}
	for _, outcome := range []verify.Outcome{verify.Valid, verify.Restricted, verify.NotCurrent, verify.Undetermined, verify.Invalid} {
		if seen[string(outcome)] == 0 {
			t.Errorf("nothing was %s", outcome)
		}
	}
}

// sameLogs compares the newest checkpoints of the access logs, departments and keys.
func (h *history) sameLogs(view *snapshot.View) {
	h.Helper()
	if view.Head() != h.Index.Head() {
		h.Errorf("head %v, want %v", view.Head(), h.Index.Head())
	}
	for _, d := range h.All() {
		if got, want := view.Department(d.ID), h.Index.Department(d.ID); !reflect.DeepEqual(got, want) {
			h.Errorf("department %+v, want %+v", got, want)
		}
		for _, key := range []*sm.PrivateKey{d.Govern, d.Anchor, d.Status, d.Log} {
			got, want := *view.Key(key.Public().ID()), *h.Index.Key(key.Public().ID())
			if !got.Public.Equal(want.Public) {
				h.Errorf("a key of %s is another one", d.ID)
			}
			got.Public, want.Public = nil, nil
			if !reflect.DeepEqual(got, want) {
				h.Errorf("key %+v, want %+v", got, want)
			}
		}
		for _, log := range []string{"main", "second"} {
			got, gotOK, _ := view.LatestCheckpoint(d.ID, log)
			want, wantOK, err := h.Index.LatestCheckpoint(d.ID, log)
			want.Statement = sm.Hash{} // a snapshot is small
			if err != nil || got != want || gotOK != wantOK {
				h.Errorf("checkpoint of %s, %s: %+v, want %+v; %v", d.ID, log, got, want, err)
			}
			if same, ok, _ := view.Checkpoint(d.ID, log, want.Size); same != want || ok != wantOK {
				h.Errorf("checkpoint at %d: %+v, want %+v", want.Size, same, want)
			}
			if _, ok, _ := view.Checkpoint(d.ID, log, want.Size+1); ok {
				h.Errorf("there is a checkpoint at %d", want.Size+1)
			}
		}
	}
}
