package embedded

import (
	"testing"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// TestConformance runs the whole suite on one ledger in a real directory.
func TestConformance(t *testing.T) {
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
	n := &ledgertest.Network{City: city, As: s.As}
	ledgertest.RunFounding(t, n)
	ledgertest.Run(t, func(*testing.T) *ledgertest.Network { return n })
}
