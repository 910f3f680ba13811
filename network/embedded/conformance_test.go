package embedded

import (
	"testing"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// newCity returns a city on a new ledger in a real directory.
func newCity(t *testing.T) (*ledgertest.City, *Store) {
	t.Helper()
	city := ledgertest.NewCity(t, t.Name())
	s, err := Create(t.TempDir(), city.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the ledger: %v", err)
		}
	})
	city.Found(t, s.As)
	return city, s
}

// TestConformance runs the whole suite on one ledger.
func TestConformance(t *testing.T) {
	city, s := newCity(t)
	ledgertest.Run(t, func(*testing.T) *ledgertest.Network {
		return &ledgertest.Network{City: city, As: s.As}
	})
}
