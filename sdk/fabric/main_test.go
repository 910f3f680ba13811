package fabric

import (
	"os"
	"testing"
	"time"
)

// TestMain makes the package impatient, lest its tests be spent waiting.
func TestMain(m *testing.M) {
	for _, patience := range []*time.Duration{
		&leastHedge, &differPatience, &orderTimeout, &quietFor, &ownPatience, &queryPatience, &stallPatience,
	} {
		*patience /= 5
	}
	os.Exit(m.Run())
}
