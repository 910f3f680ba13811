package fabric

import (
	"os"
	"testing"
	"time"
)

// TestMain makes the package impatient, lest its tests be spent waiting; but not so that a busy machine is taken for a
// silent peer, and not with endorsers and orderers, on whose answers nearly all tests rest.
func TestMain(m *testing.M) {
	for _, patience := range []*time.Duration{
		&differPatience, &quietFor, &ownPatience, &queryPatience, &stallPatience,
	} {
		*patience /= 2
	}
	os.Exit(m.Run())
}
