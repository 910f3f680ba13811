package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/sm"
)

func init() {
	cases = append(cases, []struct {
		name string
		test func(*testing.T, *place)
	}{
		{"jobs", testJobs},
		{"idempotency keys", testClaims},
		{"idempotency keys of replicas", testClaimsOfReplicas},
		{"proposals", testProposals},
		{"messages", testMessages},
		{"bindings", testBindings},
		{"openings", testOpenings},
		{"all or nothing", testAtomic},
	}...)
}

func testJobs(t *testing.T, p *place) {
	v := p.create(t)
	j := &Job{Name: sm.Sum([]byte("arguments")), Kind: "import", Type: "marriage", Detail: []byte("job-detail-secret")}
	write(t, v, func(tx *Tx) error { return tx.AddJob(j) })
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.AddJob(&Job{Name: j.Name, Kind: "import"}) }), CodeJobExists)
	p.pass(time.Minute)
	j.Records, j.Accepted, j.Rejected, j.Prefix, j.Detail = 10, 7, 3, sm.Sum([]byte("ten")), []byte("further")
	write(t, v, func(tx *Tx) error { return tx.PutJob(j) })
	got, err := v.JobNamed(t.Context(), j.Name)
	must(t, err)
	if got.ID != j.ID || got.Records != 10 || got.Accepted != 7 || got.Rejected != 3 || got.Prefix != j.Prefix || !bytes.Equal(got.Detail, j.Detail) ||
		got.By != clerk || got.Kind != "import" || got.Type != "marriage" || got.Done || got.ChangedAt.Sub(got.StartedAt) != time.Minute {
		t.Fatalf("job %+v", got)
	}
	stale := *got // as another process has read it
	j.Records, j.Accepted = 11, 8
	write(t, v, func(tx *Tx) error { return tx.PutJob(j) })
	stale.Records, stale.Rejected = 11, 4
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.PutJob(&stale) }), CodeJobMoved)
	other := &Job{Name: sm.Sum([]byte("others")), Kind: "status", Done: true}
	write(t, v, func(tx *Tx) error { return tx.AddJob(other) })
	for done, want := range map[bool]int64{true: other.ID, false: j.ID} {
		found, err := v.Jobs(t.Context(), done, 10)
		must(t, err)
		if len(found) != 1 || found[0].ID != want {
			t.Fatalf("jobs done %v: %+v", done, found)
		}
	}
	_, err = v.Job(t.Context(), 99)
	refused(t, err, CodeUnknown)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.PutJob(&Job{ID: 99, Kind: "k"}) }), CodeUnknown)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.AddJob(&Job{}) }), CodeArgument)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.AddJob(&Job{Kind: "k", Detail: make([]byte, MaxDetail+1)}) }), CodeArgument)
}

func testClaims(t *testing.T, p *place) {
	v := p.create(t)
	key := ClaimKey{Caller: "registry", Key: "idempotency-key-1", Request: sm.Sum([]byte("issue"))}
	claim := func(k ClaimKey, answer string) (earlier []byte, err error) {
		err = v.Write(t.Context(), clerk, func(tx *Tx) error {
			earlier, err = tx.Claim(k, []byte(answer), p.time().Add(time.Hour))
			return err
		})
		return earlier, err
	}
	got, err := v.Recall(t.Context(), key)
	if got != nil || err != nil {
		t.Fatalf("before it was taken: %q, %v", got, err)
	}
	if got, err = claim(key, "licence 1"); got != nil || err != nil {
		t.Fatalf("first: %q, %v", got, err)
	}
	if got, err = claim(key, "licence 2"); string(got) != "licence 1" || err != nil {
		t.Fatalf("second: %q, %v", got, err)
	}
	other := key
	other.Request[0] ^= 1
	_, err = claim(other, "licence 3")
	refused(t, err, CodeClaimReused)
	_, err = v.Recall(t.Context(), other)
	refused(t, err, CodeClaimReused)
	for _, k := range []ClaimKey{{"registry2", key.Key, key.Request}, {"registr", "yidempotency-key-1", key.Request}} {
		if got, err := claim(k, "another's"); got != nil || err != nil {
			t.Fatalf("of another caller: %q, %v", got, err)
		}
	}
	got, err = v.Recall(t.Context(), key)
	must(t, err)
	same(t, "answer", string(got), "licence 1")

	p.pass(time.Hour)
	if got, err = v.Recall(t.Context(), key); got != nil || err != nil {
		t.Fatalf("after its end: %q, %v", got, err)
	}
	if got, err = claim(other, "anew"); got != nil || err != nil {
		t.Fatalf("taken anew: %q, %v", got, err)
	}
	must(t, v.Purge(t.Context()))
	same(t, "keys", count(t, v, "vault_claim", "1 = 1"), 1)
	for _, bad := range []ClaimKey{{"", "k", sm.Hash{}}, {"c", "", sm.Hash{}}, {string(make([]byte, 201)), "k", sm.Hash{}}, {"c", string(make([]byte, 201)), sm.Hash{}}} {
		_, err := claim(bad, "a")
		refused(t, err, CodeArgument)
		_, err = v.Recall(t.Context(), bad)
		refused(t, err, CodeArgument)
	}
	_, err = claim(key, "")
	refused(t, err, CodeArgument)
}

func testClaimsOfReplicas(t *testing.T, p *place) {
	vaults := []*Vault{p.create(t), p.open(t)}
	var first atomic.Int32
	inParallel(8, func(i int) {
		v := vaults[i%2]
		for k := range 10 {
			err := v.Write(t.Context(), clerk, func(tx *Tx) error {
				earlier, err := tx.Claim(ClaimKey{Caller: "c", Key: fmt.Sprint(k)}, []byte("answer"), p.time().Add(time.Hour))
				if err == nil && earlier == nil {
					first.Add(1)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	same(t, "keys taken", first.Load(), 10)
}

func testProposals(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(1))
	lihua := By{Actor: "lihua", Purpose: "checked the file"}
	propose := func(second bool) ProposalID {
		t.Helper()
		prop := &Proposal{Kind: "revoke", Licence: b.First, Second: second, Expires: p.time().Add(time.Hour), Content: []byte("proposal-content-secret")}
		write(t, v, func(tx *Tx) error { return tx.Propose(prop) })
		return prop.ID
	}
	decide := func(by By, id ProposalID, approve bool) (prop *Proposal, err error) {
		err = v.Write(t.Context(), by, func(tx *Tx) error { prop, err = tx.Decide(id, approve); return err })
		return prop, err
	}
	id := propose(true)
	_, err := decide(clerk, id, true)
	refused(t, err, CodeSamePerson)
	refused(t, v.Write(t.Context(), lihua, func(tx *Tx) error { return tx.Finish(id) }), CodeProposalClosed)
	got, err := decide(lihua, id, true)
	must(t, err)
	if got.State != Approved || string(got.Content) != "proposal-content-secret" || got.By != clerk || *got.Decider != lihua || got.Licence != b.First || !got.Second {
		t.Fatalf("approved: %+v", got)
	}
	for _, approve := range []bool{true, false} {
		_, err = decide(lihua, id, approve)
		refused(t, err, CodeProposalClosed)
	}
	if others, err := v.Proposals(t.Context(), "issue", Approved, 10); err != nil || len(others) != 0 {
		t.Fatalf("of another kind: %d, %v", len(others), err)
	}
	waiting, err := v.Proposals(t.Context(), "revoke", Approved, 10) // what a process that was killed goes on with
	must(t, err)
	if len(waiting) != 1 || waiting[0].ID != id || !bytes.Equal(waiting[0].Content, got.Content) {
		t.Fatalf("approved and to be done: %+v", waiting)
	}
	write(t, v, func(tx *Tx) error { return tx.Finish(id) })
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Finish(id) }), CodeProposalClosed)
	got, err = v.Proposal(t.Context(), id)
	must(t, err)
	if got.State != Done || len(got.Content) != 0 || *got.Decider != lihua {
		t.Fatalf("done: %+v", got)
	}

	// Refused, withdrawn, approved by oneself where that is allowed, expired.
	for _, c := range []struct {
		by      By
		approve bool
		second  bool
		want    string
	}{{lihua, false, true, Refused}, {clerk, false, true, Refused}, {clerk, true, false, Approved}} {
		got, err := decide(c.by, propose(c.second), c.approve)
		must(t, err)
		same(t, "state", got.State, c.want)
		same(t, "content is kept", len(got.Content) > 0, c.want == Approved)
	}
	late := propose(true)
	p.pass(time.Hour)
	_, err = decide(lihua, late, true)
	refused(t, err, CodeProposalClosed)
	if open, err := v.Proposals(t.Context(), "revoke", Waiting, 10); err != nil || len(open) != 0 {
		t.Fatalf("waiting: %+v, %v", open, err)
	}
	p.pass(31 * 24 * time.Hour)
	must(t, v.Purge(t.Context()))
	same(t, "proposals", count(t, v, "vault_proposal", "1 = 1"), 1) // what is approved waits to be done

	_, err = decide(lihua, ProposalID{1}, true)
	refused(t, err, CodeUnknown)
	for _, bad := range []Proposal{{Expires: p.time().Add(1)}, {Kind: "k", Expires: p.time()}, {Kind: "k", Licence: -1, Expires: p.time().Add(time.Hour)},
		{Kind: "k", Content: make([]byte, MaxContent+1), Expires: p.time().Add(time.Hour)}} {
		refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Propose(&bad) }), CodeArgument)
	}
	history, err := v.History(t.Context(), b.First)
	must(t, err)
	for action, want := range map[string]int{ActionProposed: 5, ActionApproved: 2, ActionRefused: 2, ActionDone: 1} {
		same(t, action, countActions(history, action), want)
	}
}

func TestProposalIDs(t *testing.T) {
	id := ProposalID{0xab, 15: 0xcd}
	got, err := ParseProposalID(id.String())
	must(t, err)
	same(t, "id", got, id)
	for _, bad := range []string{"", "ab", strings.ToUpper(id.String()), id.String() + "00", id.String()[:31] + "g", " " + id.String()[1:]} {
		_, err := ParseProposalID(bad)
		refused(t, err, CodeArgument)
	}
}

func testMessages(t *testing.T, p *place) {
	v := p.create(t)
	write(t, v, func(tx *Tx) error {
		for i := range 3 {
			if err := tx.Enqueue("https://subscriber.example/", []byte(fmt.Sprintf("message-secret-%d", i))); err != nil {
				return err
			}
		}
		return nil
	})
	take := func(v *Vault, limit int, want ...string) []Message {
		t.Helper()
		subscribers, err := v.Due(t.Context())
		must(t, err)
		var found []Message
		for _, s := range subscribers {
			taken, err := v.TakeDue(t.Context(), s, time.Minute, limit)
			must(t, err)
			found = append(found, taken...)
		}
		if other, err := v.TakeDue(t.Context(), "somebody else", time.Minute, limit); err != nil || len(other) != 0 {
			t.Fatalf("somebody else gets %v, %v", other, err)
		}
		var got []string
		for _, m := range found {
			got = append(got, fmt.Sprintf("%s/%d", m.Body[len("message-secret-"):], m.Attempts))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("taken: %v; want %v", got, want)
		}
		return found
	}
	first := take(v, 2, "0/1", "1/1")
	second := take(p.open(t), 10, "2/1")
	take(v, 10)
	write(t, v, func(tx *Tx) error { return tx.Sent(first[0].ID) })
	write(t, v, func(tx *Tx) error { return tx.Retry(second[0].ID, p.time().Add(time.Hour)) })
	p.pass(time.Minute)
	take(v, 10, "1/2") // the lease of who took it is over
	p.pass(time.Hour)
	take(v, 10, "1/3", "2/2")
	n, err := v.Queued(t.Context())
	must(t, err)
	same(t, "messages", n, 2)
	write(t, v, func(tx *Tx) error { return tx.Sent(first[1].ID, second[0].ID) })
	write(t, v, func(tx *Tx) error { return tx.Enqueue("s", []byte("message-secret-9")) })
	p.pass(time.Hour)
	if last := take(v, 10, "9/1"); last[0].ID <= second[0].ID || last[0].Subscriber != "s" {
		t.Fatalf("an id was given twice: %+v", last)
	}
	write(t, v, func(tx *Tx) error {
		return errors.Join(tx.Enqueue("s", []byte("message-secret-8")), tx.Enqueue("t", []byte("message-secret-7")))
	})
	write(t, v, func(tx *Tx) error { return tx.PutOff("s", p.time().Add(time.Hour)) })
	take(v, 10, "7/1")
	p.pass(time.Hour)
	take(v, 10, "9/2", "8/1", "7/2")
	_, err = v.TakeDue(t.Context(), "s", 0, 1)
	refused(t, err, CodeArgument)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Enqueue("", nil) }), CodeArgument)
}

func testBindings(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(2))
	for i := range 2 { // a marriage has two holders
		kept, err := v.Keep(t.Context(), Binding{Licence: b.First, NotBefore: p.time(), NotAfter: p.time().Add(time.Hour), Statement: []byte(fmt.Sprintf("binding-secret-%d", i))})
		must(t, err)
		write(t, v, func(tx *Tx) error { _, err := tx.AddBinding(kept); return err })
	}
	found, err := v.Bindings(t.Context(), b.First)
	must(t, err)
	same(t, "bindings", len(found), 2)
	same(t, "statement", string(found[1].Statement), "binding-secret-1")
	if found[0].RevokedAt != nil || found[0].Licence != b.First || !found[0].NotAfter.Equal(p.time().Add(time.Hour).Truncate(time.Second)) {
		t.Fatalf("binding %+v", found[0])
	}
	p.pass(time.Minute)
	for range 2 {
		write(t, v, func(tx *Tx) error { return tx.RevokeBinding(found[0].ID) })
		p.pass(time.Minute)
	}
	found, err = v.Bindings(t.Context(), b.First)
	must(t, err)
	if found[0].RevokedAt == nil || p.time().Sub(*found[0].RevokedAt).Round(time.Minute) != 2*time.Minute || found[1].RevokedAt != nil {
		t.Fatalf("after one was revoked: %+v", found)
	}
	if none, err := v.Bindings(t.Context(), b.First+1); err != nil || len(none) != 0 {
		t.Fatalf("of another licence: %v, %v", none, err)
	}
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.RevokeBinding(99) }), CodeUnknown)
	_, err = v.Bindings(t.Context(), 99)
	refused(t, err, CodeUnknown)
	for _, bad := range []Binding{{Licence: b.First}, {Licence: b.First, Statement: []byte("s"), NotBefore: p.time(), NotAfter: p.time().Add(-1)}} {
		_, err := v.Keep(t.Context(), bad)
		refused(t, err, CodeArgument)
	}
	history, err := v.History(t.Context(), b.First)
	must(t, err)
	same(t, "bound", countActions(history, ActionBound), 2)
	same(t, "unbound", countActions(history, ActionUnbound), 1)
}

func testOpenings(t *testing.T, p *place) {
	v := p.create(t)
	digest := sm.Sum([]byte("a licence"))
	var commitments []sm.Hash
	for i, key := range []string{"reason", "restriction", "reason"} {
		o := &Opening{Key: key, Salt: credential.Salt{byte(i)}, Code: "code-secret", Digest: digest, Restriction: [16]byte{byte(i)}}
		commitments = append(commitments, o.Commitment())
		write(t, v, func(tx *Tx) error { return tx.KeepOpening(o) })
		p.pass(time.Second)
	}
	write(t, v, func(tx *Tx) error { return tx.SettleOpening(commitments[2]) })
	write(t, v, func(tx *Tx) error { return tx.SettleOpening(sm.Hash{}) })
	found, err := v.Openings(t.Context(), digest, "reason")
	must(t, err)
	if len(found) != 2 || found[0].Salt != (credential.Salt{0}) || found[0].Settled || !found[1].Settled || found[1].Code != "code-secret" || found[1].Restriction != [16]byte{2} {
		t.Fatalf("openings %+v", found)
	}
	o, err := v.Opening(t.Context(), commitments[1])
	must(t, err)
	same(t, "commitment", o.Commitment(), commitments[1])
	_, err = v.Opening(t.Context(), sm.Hash{})
	refused(t, err, CodeUnknown)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.KeepOpening(&Opening{Key: "reason"}) }), CodeArgument)
}

// testAtomic breaks transactions off: none of what they did is there.
func testAtomic(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(2)
	sealed, err := v.Seal(t.Context(), "marriage", deposits)
	must(t, err)
	head := p.sign(t, "marriage", deposits, nil)
	before := dump(t, v)
	everything := func(tx *Tx) error {
		b, err := tx.AddBatch(NewBatch{Head: head}, sealed)
		if err == nil {
			err = tx.SetState(b.First, Change{To: "revoked", Sequence: 1})
		}
		if err == nil {
			err = tx.AddJob(&Job{Kind: "k"})
		}
		if err == nil {
			_, err = tx.Claim(ClaimKey{Caller: "c", Key: "k"}, []byte("a"), p.time().Add(time.Hour))
		}
		if err == nil {
			err = tx.Enqueue("s", nil)
		}
		return err
	}
	stop := errorf(CodeArgument, nil, "enough")
	err = v.Write(t.Context(), clerk, func(tx *Tx) error {
		if err := everything(tx); err != nil {
			return err
		}
		return stop
	})
	if err != stop {
		t.Fatalf("the error of a transaction is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = v.Write(ctx, clerk, func(tx *Tx) error {
		err := everything(tx)
		cancel()
		return err
	})
	if err == nil {
		t.Fatal("a transaction whose context has ended was done")
	}
	sameBytes(t, "what is in the vault", dump(t, v), before)
	write(t, v, everything)
	if bytes.Equal(dump(t, v), before) {
		t.Fatal("the transaction left nothing")
	}
	for _, by := range []By{{}, {Actor: string(make([]byte, 201))}, {Actor: "a", Purpose: string(make([]byte, 501))}, {Actor: "\xff"}} {
		refused(t, v.Write(t.Context(), by, func(*Tx) error { t.Error("done by nobody"); return nil }), CodeArgument)
	}
}
