package ledgertest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// codes returns the values of the constants Code... in a file.
func codes(t *testing.T, path string) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			if !strings.HasPrefix(name.Name, "Code") || i >= len(spec.Values) {
				continue
			}
			if value, ok := spec.Values[i].(*ast.BasicLit); ok && value.Kind == token.STRING {
				code, err := strconv.Unquote(value.Value)
				if err != nil {
					t.Fatal(err)
				}
				found[code] = true
			}
		}
		return true
	})
	if len(found) == 0 {
		t.Fatalf("%s has no codes", path)
	}
	return found
}

// TestEveryCodeHasACase fails when a rule gets a code that the suite does not try.
func TestEveryCodeHasACase(t *testing.T) {
	tried := map[string]bool{}
	for _, c := range ruleCases() {
		tried[c.code] = true
	}
	for _, c := range queryCases {
		tried[c.code] = true
	}
	all := codes(t, "../../../chaincode/errors.go")
	for code := range codes(t, "../../statement/errors.go") {
		all[code] = true
	}
	for code := range all {
		switch reason := unreachable[code]; {
		case tried[code] && reason != "":
			t.Errorf("%s is tried, though it %s", code, reason)
		case !tried[code] && reason == "":
			t.Errorf("no case leads to %s", code)
		}
	}
	for code := range tried {
		if !all[code] {
			t.Errorf("a case leads to %s, which is no code", code)
		}
	}
}

// TestCity builds everything that there is a builder for, and applies it.
func TestCity(t *testing.T) {
	city := NewCity(t, "a city")
	if other := NewCity(t, "a city"); other.ID == city.ID {
		t.Error("two cities have one ledger id")
	}
	state := memory{}
	apply := func(actor string, tx *chaincode.Transaction) {
		t.Helper()
		writes, err := chaincode.Apply(state, (*statement.Statement).Verify, actor, tx)
		if err != nil || len(writes) == 0 {
			t.Fatalf("%d writes, %v", len(writes), err)
		}
		for _, w := range writes {
			state[w.Key] = w.Value
		}
	}
	apply(Authority, &chaincode.Transaction{Statements: [][]byte{city.Genesis}})
	for _, s := range city.Founding(t) {
		apply(s.Actor, s.Tx)
	}
	for _, typ := range city.Types {
		b := city.Issue(t, typ.ID, 50)
		apply(b.Issuer, b.Tx)
		opened, err := b.Licences.Credential(7).Open(typ)
		if err != nil || opened.Digest != b.Place(7).Digest || opened.Signed.Root != b.Root() {
			t.Errorf("%s: credential 7: %v", typ.ID, err)
		}
		next := city.Digests(t, typ.ID, 1, nil, nil)
		apply(next.Issuer, next.Tx)
		superseded, successor := b.Change(0, licence.Superseded), next.Place(0)
		superseded.Successor = &successor
		apply(b.Issuer, Sign(t, superseded, b.Department.Status))
		suspended := b.Change(1, licence.Suspended)
		apply(b.Issuer, Sign(t, suspended, b.Department.Status))
		apply(b.Issuer, Sign(t, After(t, suspended, licence.Revoked), b.Department.Status))
		apply(b.Issuer, Sign(t, b.ChangeAll(licence.Suspended), b.Department.Second))
		if len(typ.Restrictions) > 0 {
			laid := b.Restrict(2)
			apply(b.Issuer, Sign(t, laid, b.Department.Status))
			apply(b.Issuer, Sign(t, AfterRestriction(t, laid, statement.RestrictionLift), b.Department.Status))
		}
	}
	apply(Authority, Sign(t, city.Heartbeat(1), city.Authority.Log))
	apply(Authority, Sign(t, city.Heartbeat(2), city.Authority.Log))
}
