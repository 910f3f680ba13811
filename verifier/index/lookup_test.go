package index_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/index"
)

// What is told about the ledger is what was put on it, live and after a restart.
func TestLookup(t *testing.T) {
	w := newTown(t)
	b := w.anchor("property", 3)
	w.change(b, b.Change(1, licence.Revoked))
	restriction := b.Restrict(1)
	w.restrict(b, restriction)
	w.change(b, b.Change(2, licence.Suspended))
	dir := t.TempDir()
	for range 2 {
		x := openIndex(t, dir)
		stop := follow(t, x, w.as(ledgertest.Authority))
		wait(t, x, w.height())
		w.checkLookup(x, b, restriction.ID)
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *town) checkLookup(x *index.Index, b *ledgertest.Batch, restriction [16]byte) {
	w.Helper()
	var departments, types []string
	for _, d := range x.Departments() {
		departments = append(departments, d.Profile.ID)
	}
	if want := []string{ledgertest.Marriages, ledgertest.Authority, ledgertest.Businesses, ledgertest.Properties}; !reflect.DeepEqual(departments, want) {
		w.Errorf("departments %v, want %v", departments, want)
	}
	for _, t := range x.Types() {
		types = append(types, t.ID)
	}
	if want := []string{"business", "marriage", "property"}; !reflect.DeepEqual(types, want) {
		w.Errorf("types %v, want %v", types, want)
	}
	keys := x.Keys()
	for i, k := range keys {
		if k.Key != x.Key(k.ID) || i > 0 && keys[i-1].Key.Department > k.Key.Department {
			w.Errorf("key %d is not the one of its id, or out of order", i)
		}
	}
	if len(keys) < 4*len(departments) {
		w.Errorf("%d keys", len(keys))
	}

	found := x.Exceptions(b.Issuer, b.Digests[1])
	if len(found) != 1 || found[0].Type != "property" || len(found[0].Changes) != 1 || found[0].Changes[0].State != licence.Revoked ||
		len(found[0].Restrictions) != 1 || found[0].Restrictions[0].ID != restriction {
		w.Errorf("%+v", found)
	}
	if found = x.Exceptions(b.Issuer, b.Digests[2]); len(found) != 1 || found[0].Changes[0].State != licence.Suspended || found[0].Restrictions != nil {
		w.Errorf("%+v", found)
	}
	for _, digest := range []sm.Hash{b.Digests[0], sm.Sum(nil)} {
		if found = x.Exceptions(b.Issuer, digest); found != nil {
			w.Errorf("%+v", found)
		}
	}
	for _, issuer := range []string{ledgertest.Marriages, "nobody"} {
		if found = x.Exceptions(issuer, b.Digests[1]); found != nil {
			w.Errorf("of %s: %+v", issuer, found)
		}
	}
}
