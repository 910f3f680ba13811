package audit

import (
	"runtime"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// signatures checks signatures with both crypto libraries, on all processors, beside the replay.
type signatures struct {
	jobs    chan signature
	workers sync.WaitGroup
	checked atomic.Uint64
	most    int

	mu       sync.Mutex
	findings []Finding
}

// A signature is one to be checked.
type signature struct {
	statement *statement.Statement
	key       *sm.PublicKey
	at        ledger.Position
	tx        *chaincode.Transaction
}

func newSignatures(most int) *signatures {
	n := runtime.GOMAXPROCS(0)
	s := &signatures{jobs: make(chan signature, 64*n), most: most}
	for range n {
		s.workers.Go(func() {
			for job := range s.jobs {
				s.check(job)
			}
		})
	}
	return s
}

// verifier returns the Verifier for a transaction: it believes for now.
func (s *signatures) verifier(at ledger.Position, tx *chaincode.Transaction) chaincode.Verifier {
	return func(signed *statement.Statement, key *sm.PublicKey) bool {
		if key.ID() != signed.KeyID {
			return false
		}
		s.jobs <- signature{signed, key, at, tx}
		return true
	}
}

func (s *signatures) check(job signature) {
	s.checked.Add(1)
	first, second := job.statement.Verify(job.key), job.statement.VerifySecondOpinion(job.key)
	if first && second {
		return
	}
	i := 0
	for j, signed := range job.tx.Statements {
		if string(signed) == string(job.statement.Bytes()) {
			i = j
		}
	}
	f := inStatement(job.at, job.tx, i)
	switch {
	case first:
		f = f.Because(FindingDisputed, "the signature verifies by emmansun/gmsm and not by tjfoc/gmsm")
	case second:
		f = f.Because(FindingDisputed, "the signature verifies by tjfoc/gmsm and not by emmansun/gmsm")
	default:
		f = f.Because(chaincode.CodeSignature, "the signature does not verify")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.findings) <= s.most { // one more than there may be says that there are more
		s.findings = append(s.findings, f)
	}
}

// finish waits for the last signature and puts what was found among the other findings, in the
// order of the ledger; what concerns a transaction or a block as a whole comes after what concerns a
// part of it, and what concerns no block comes last.
func (s *signatures) finish(r *Report) {
	close(s.jobs)
	s.workers.Wait()
	r.Signatures = s.checked.Load()
	r.Findings = append(r.Findings, s.findings...)
	sort.SliceStable(r.Findings, func(i, j int) bool {
		a, b := &r.Findings[i], &r.Findings[j]
		switch {
		case a.Block != b.Block:
			return a.Block >= 0 && (b.Block < 0 || a.Block < b.Block)
		case a.Transaction != b.Transaction:
			return a.Transaction >= 0 && (b.Transaction < 0 || a.Transaction < b.Transaction)
		}
		return a.Statement >= 0 && (b.Statement < 0 || a.Statement < b.Statement)
	})
}
