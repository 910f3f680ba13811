package chaincode_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/internal/rulestest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

type transaction = chaincode.Transaction

// A refusal is a transaction that breaks one rule. Its name says which.
type refusal struct {
	name string
	code string
	tx   func(s *stage) (actor string, tx *transaction)
}

func by(actor string, tx *transaction) (string, *transaction) { return actor, tx }

// status is a change of licence 0 of the issuer's batch, signed with one key.
func (s *stage) status(change func(*statement.Status), labels ...string) (string, *transaction) {
	c := s.batches[issuer].Status(0, licence.Active, licence.Suspended)
	change(c)
	if len(labels) == 0 {
		labels = []string{issuer + "/status-1"}
	}
	return issuer, s.Tx(c, labels...)
}

// head is an anchor of a new batch of the issuer.
func (s *stage) head(change func(*statement.Head), label string) (string, *transaction) {
	b := s.Batch(issuer, "more", 3)
	change(b.Head)
	return issuer, b.Tx(s.City, label)
}

// enrolled enrols a key of the issuer with dates.
func (s *stage) enrolled(label string, purposes statement.Purposes, notBefore, notAfter *uint64) {
	k := s.Enrol(issuer, label, purposes)
	k.NotBefore, k.NotAfter = notBefore, notAfter
	s.Must(issuer, s.Tx(k, label, issuer+"/govern"))
}

// ended retires a key of the issuer or declares it compromised.
func (s *stage) ended(action, label string, disowned ...sm.Hash) {
	s.Must(issuer, s.Tx(s.EndKey(issuer, action, label, disowned...), issuer+"/govern"))
}

func at(seconds uint64) *uint64 { return &seconds }

func asIs[T any](*T) {}

const (
	toSuspended  = licence.Suspended
	toRevoked    = licence.Revoked
	toSuperseded = licence.Superseded
)

// listed are the refusals that the design promises by name.
var listed = []refusal{
	{"wrong organisation", chaincode.CodeWrongOrganisation, func(s *stage) (string, *transaction) {
		return by(other, s.Batch(issuer, "more", 3).Tx(s.City, issuer+"/anchor"))
	}},
	{"another's digest anchored and then withdrawn by the copier", chaincode.CodeWrongOrganisation, func(s *stage) (string, *transaction) {
		copied := s.BatchOf(other, "marriage", s.batches[issuer].Digests)
		s.Must(other, copied.Tx(s.City, other+"/anchor"))
		c := copied.Status(0, licence.Active, toRevoked)
		c.Issuer = issuer
		return by(other, s.Tx(c, other+"/status-1"))
	}},
	{"key of the wrong purpose", chaincode.CodeKeyPurpose, func(s *stage) (string, *transaction) {
		return s.head(asIs, issuer+"/status-1")
	}},
	{"key not yet valid", chaincode.CodeKeyNotYetValid, func(s *stage) (string, *transaction) {
		s.enrolled("early", statement.PurposeAnchor, at(rulestest.Time+1), nil)
		return s.head(asIs, "early")
	}},
	{"key retired", chaincode.CodeKeyRetired, func(s *stage) (string, *transaction) {
		s.ended(statement.KeyRetire, issuer+"/anchor")
		return s.head(asIs, issuer+"/anchor")
	}},
	{"key compromised before this position, though the statement is dated earlier", chaincode.CodeKeyCompromised, func(s *stage) (string, *transaction) {
		s.ended(statement.KeyCompromise, issuer+"/anchor")
		return s.head(func(h *statement.Head) { h.SignedAt = rulestest.Time - 1000 }, issuer+"/anchor")
	}},
	{"transition not allowed", chaincode.CodeTransition, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(rulestest.Then(s.revoked, toSuspended), issuer+"/status-1"))
	}},
	{"one approval where two are asked for", chaincode.CodeApprovals, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(rulestest.Then(s.revoked, licence.Active), issuer+"/status-1"))
	}},
	{"two approvals by the same key", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(rulestest.Then(s.revoked, licence.Active), issuer+"/status-1", issuer+"/status-1"))
	}},
	{"sequence number not the next", chaincode.CodeSequence, func(s *stage) (string, *transaction) {
		c := rulestest.Then(s.revoked, licence.Active)
		c.Sequence++
		return by(issuer, s.Tx(c, issuer+"/status-1", issuer+"/status-2"))
	}},
	{"old change replayed", chaincode.CodeSequence, func(s *stage) (string, *transaction) {
		tx := s.Tx(rulestest.Then(s.revoked, licence.Active), issuer+"/status-1", issuer+"/status-2")
		s.Must(issuer, tx)
		return by(issuer, tx)
	}},
	{"successor not anchored", chaincode.CodeSuccessor, func(s *stage) (string, *transaction) {
		return s.status(func(c *statement.Status) {
			c.To, c.Successor = string(toSuperseded), s.Batch(issuer, "never", 2).Place(0)
		})
	}},
	{"same root with another head", chaincode.CodeAnchorConflict, func(s *stage) (string, *transaction) {
		return by(issuer, s.batches[issuer].Tx(s.City, issuer+"/anchor")) // signed anew
	}},
	{"501 changes", chaincode.CodeTooMany, func(s *stage) (string, *transaction) {
		return by(issuer, manyChanges(s.City, s.Anchor(issuer, "many", 501)))
	}},
	{"oversized argument", statement.CodeTooLarge, func(s *stage) (string, *transaction) {
		return by(issuer, &transaction{Statements: [][]byte{make([]byte, statement.MaxSize+1)}})
	}},
	{"malformed argument", statement.CodeMalformed, func(s *stage) (string, *transaction) {
		return by(issuer, &transaction{Statements: [][]byte{[]byte("statement")}})
	}},
	{"statement for another ledger", chaincode.CodeOtherLedger, func(s *stage) (string, *transaction) {
		return s.head(func(h *statement.Head) { h.Ledger[0] ^= 1 }, issuer+"/anchor")
	}},
}

// manyChanges suspends every licence of a batch of the issuer.
func manyChanges(c *rulestest.City, b *rulestest.Batch) *transaction {
	tx := new(transaction)
	for i := range b.Digests {
		tx.Statements = append(tx.Statements, c.Sign(b.Status(i, licence.Active, toSuspended), b.Head.Issuer+"/status-1")...)
	}
	return tx
}

// spoil changes the signature of a statement, which is at its end.
func spoil(signed []byte) { signed[len(signed)-1] ^= 1 }

// TestRefused submits each of them: the code is the expected one, and nothing at all has changed.
func TestRefused(t *testing.T) {
	base := newStage(t)
	for _, r := range slices.Concat(listed, further) {
		t.Run(r.name, func(t *testing.T) {
			s := base.on(t)
			actor, tx := r.tx(s)
			before := s.Dump()
			_, err := s.Submit(actor, tx)
			if got := chaincode.Code(err); got != r.code {
				t.Errorf("got %q (%v), want %q", got, err, r.code)
			}
			if s.Dump() != before {
				t.Error("refused, but the state changed")
			}
		})
	}
}

// Before its genesis a ledger takes nothing but that.
var beforeGenesis = []refusal{
	{"anything but the genesis", chaincode.CodeNoLedger, func(s *stage) (string, *transaction) {
		return by(issuer, s.Batch(issuer, "more", 3).Tx(s.City, issuer+"/anchor"))
	}},
	{"a genesis by another organisation", chaincode.CodeWrongOrganisation, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(rulestest.Genesis(), authority+"/govern"))
	}},
	{"a genesis with another key", chaincode.CodeSignature, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(rulestest.Genesis(), issuer+"/govern"))
	}},
	{"a genesis whose signature does not verify", chaincode.CodeSignature, func(s *stage) (string, *transaction) {
		tx := s.Tx(rulestest.Genesis(), authority+"/govern")
		spoil(tx.Statements[0])
		return by(authority, tx)
	}},
	{"a genesis with two signatures", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(rulestest.Genesis(), authority+"/govern", issuer+"/govern"))
	}},
}

func TestRefusedBeforeGenesis(t *testing.T) {
	base := newStage(t)
	for _, r := range beforeGenesis {
		t.Run(r.name, func(t *testing.T) {
			l := rulestest.NewLedger()
			actor, tx := r.tx(base)
			if _, err := l.Submit(actor, tx); chaincode.Code(err) != r.code {
				t.Errorf("got %v, want %s", err, r.code)
			}
			if l.Dump() != "" {
				t.Error("refused, but the state changed")
			}
		})
	}
}

// codes returns the codes that errors.go declares.
func codes(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Code") {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, code)
		}
		return true
	})
	if len(out) < 40 {
		t.Fatalf("found only %d codes in errors.go", len(out))
	}
	return out
}

// TestEveryCodeIsProduced fails for a code that no refusal of these tests ends in.
func TestEveryCodeIsProduced(t *testing.T) {
	produced := map[string]bool{}
	for _, r := range slices.Concat(listed, further, beforeGenesis) {
		produced[r.code] = true
	}
	for _, b := range badTransactions {
		produced[b.code] = true
	}
	for _, q := range badQueries {
		produced[q.code] = true
	}
	for _, code := range codes(t) {
		if !produced[code] {
			t.Errorf("no test produces %s", code)
		}
	}
}
