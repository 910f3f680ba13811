package chaincode_test

import (
	"strconv"
	"testing"

	"github.com/credledger/credledger/chaincode/internal/rulestest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Statements that may come twice change nothing the second time, and say so.
func TestRepeats(t *testing.T) {
	base := newStage(t)
	root := base.batches[issuer].Head.Root
	for _, c := range []struct {
		name  string
		tx    func(s *stage) *transaction
		again func(s *stage) *transaction // nil: the same bytes
	}{
		{"anchor", func(s *stage) *transaction { return s.Batch(issuer, "more", 5).Tx(s.City, issuer+"/anchor") }, nil},
		{"checkpoint", func(s *stage) *transaction { return s.Tx(s.Checkpoint(issuer, 7), issuer+"/log") }, nil},
		{"checkpoint signed anew", func(s *stage) *transaction { return s.Tx(s.Checkpoint(issuer, 7), issuer+"/log") },
			func(s *stage) *transaction { return s.Tx(s.Checkpoint(issuer, 7), issuer+"/log") }},
		{"grant", func(s *stage) *transaction { return s.Tx(s.Consent(issuer, statement.ConsentGive), issuer+"/consent") }, nil},
		{"withdrawal", func(s *stage) *transaction {
			return s.Tx(s.Consent(issuer, statement.ConsentWithdraw), issuer+"/consent")
		}, nil},
		{"retirement", func(s *stage) *transaction {
			return s.Tx(s.EndKey(issuer, statement.KeyRetire, issuer+"/anchor"), issuer+"/govern")
		}, nil},
		{"retirement by itself", func(s *stage) *transaction {
			return s.Tx(s.EndKey(issuer, statement.KeyRetire, issuer+"/anchor"), issuer+"/anchor")
		}, nil},
		{"retirement after rotation", func(s *stage) *transaction {
			return s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor), "new", issuer+"/anchor")
		}, func(s *stage) *transaction {
			return s.Tx(s.EndKey(issuer, statement.KeyRetire, issuer+"/anchor"), "new")
		}},
		{"compromise", func(s *stage) *transaction {
			return s.Tx(s.EndKey(issuer, statement.KeyCompromise, issuer+"/anchor", root), issuer+"/govern")
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := base.on(t)
			tx := c.tx(s)
			if existing, err := s.Submit(issuer, tx); err != nil || existing {
				t.Fatalf("the first time: existing %v, %v", existing, err)
			}
			if c.again != nil {
				tx = c.again(s)
			}
			before := s.Dump()
			if existing, err := s.Submit(issuer, tx); err != nil || !existing {
				t.Errorf("the second time: existing %v, %v", existing, err)
			}
			if s.Dump() != before {
				t.Error("the state changed the second time")
			}
		})
	}
}

// Each of a department's access logs stands for itself: it is smaller than another, or has another
// root at the same size.
func TestSeveralLogs(t *testing.T) {
	s := newStage(t)
	first, second := s.Checkpoint(issuer, 7), s.Checkpoint(issuer, 7)
	second.Log, second.Root = "second", sm.Sum(nil)
	smaller := s.Checkpoint(issuer, 3)
	smaller.Log = "third"
	for _, c := range []*statement.Checkpoint{first, second, smaller} {
		s.Must(issuer, s.Tx(c, issuer+"/log"))
	}
	type answer struct {
		Size uint64
		Root sm.Hash
	}
	for _, c := range []*statement.Checkpoint{first, second, smaller} {
		want := answer{c.Size, c.Root}
		if got := evaluate[answer](t, s, "checkpoint", issuer, c.Log); got != want {
			t.Errorf("the newest of %s: %v, want %v", c.Log, got, want)
		}
		if got := evaluate[answer](t, s, "checkpoint", issuer, c.Log, strconv.FormatUint(c.Size, 10)); got != want {
			t.Errorf("%s at %d: %v, want %v", c.Log, c.Size, got, want)
		}
	}
}

// An older checkpoint may come late only if it says what was said before.
func TestCheckpointsInAnyOrder(t *testing.T) {
	s := newStage(t)
	for _, size := range []uint64{0, 3, 7, 3} {
		s.Must(issuer, s.Tx(s.Checkpoint(issuer, size), issuer+"/log"))
	}
	if got := evaluate[struct{ Size uint64 }](t, s, "checkpoint", issuer, rulestest.Log); got.Size != 7 {
		t.Errorf("the newest checkpoint is at size %d", got.Size)
	}
}
