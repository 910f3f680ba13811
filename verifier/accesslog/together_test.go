package accesslog

import (
	"context"
	"sync"
	"testing"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// TestReadWhileRecording reads in every way while many record and an Anchorer runs: whatever is given
// out proves true, and an audit of the files finds nothing.
func TestReadWhileRecording(t *testing.T) {
	city := verifiertest.New(t)
	l, a, _ := cityLog(t, city)
	ctx, cancel := context.WithCancel(t.Context())
	var recording, reading sync.WaitGroup
	for g := range 16 {
		recording.Go(func() {
			for i := range 60 {
				if _, err := l.Append(t.Context(), draft(i, g)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	until := func(read func()) {
		reading.Go(func() {
			for ctx.Err() == nil {
				read()
			}
		})
	}
	var before Head
	until(func() {
		now := Head{Size: l.Size()}
		var err error
		if now.Root, err = l.Root(now.Size); err != nil {
			t.Error(err)
		}
		proof, err := l.Consistency(before.Size, now.Size)
		if before.Root == (sm.Hash{}) {
			before.Root = access.EmptyRoot
		}
		if err != nil || !access.VerifyConsistency(before.Size, now.Size, proof, before.Root, now.Root) {
			t.Errorf("from %d to %d: %v", before.Size, now.Size, err)
		}
		before = now
	})
	until(func() {
		size := l.Size()
		if size == 0 {
			return
		}
		entries, err := l.Entries(size/2, 10)
		if err != nil {
			t.Error(err)
		}
		root, err := l.Root(size)
		if err != nil {
			t.Error(err)
		}
		for i, e := range entries {
			index := size/2 + uint64(i)
			if index >= size {
				break
			}
			path, err := l.Inclusion(index, size)
			if err != nil || !access.VerifyInclusion(access.Leaf(e), index, size, path, root) {
				t.Errorf("entry %d in %d: %v", index, size, err)
			}
		}
	})
	until(func() {
		accesses, err := l.Accesses(issuer, digest(3), 0, 100)
		if err != nil || len(accesses) > 60 {
			t.Errorf("%d accesses, %v", len(accesses), err)
		}
	})
	until(func() {
		if err := a.Anchor(ctx); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		if size := a.State().Size; size > 0 {
			if p, err := l.Proof(size - 1); err != nil || p == nil || p.Checkpoint.Size < size {
				t.Errorf("proof of entry %d: %+v, %v", size-1, p, err)
			}
		}
	})
	until(func() {
		if r := auditDir(t, l.dir, city.Index, AuditOptions{}); !r.Clean() {
			t.Errorf("the audit finds %v", r.Findings)
		}
	})
	recording.Wait()
	cancel()
	reading.Wait()
	caughtUp(t, city)
	anchor(t, NewAnchorer(l, &post{Ledger: city.As(ledgertest.Authority)}))
	caughtUp(t, city)
	r := auditDir(t, l.dir, city.Index, AuditOptions{})
	if !r.Clean() || r.Head.Size != 16*60 || r.Anchored != 16*60 || r.Unseen != 0 {
		t.Errorf("the report is %+v", r)
	}
}
