package ledgertest_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// A fault is what a ledger does wrong.
type fault string

const (
	faultNone      fault = ""
	faultMisplaces fault = "names another place in a receipt"
	faultDenies    fault = "denies to have submitted what it was given up on"
	faultRepeats   fault = "repeats a block to who follows from a position"
	faultSkips     fault = "skips a block with transactions"
	faultWraps     fault = "hides the code of a broken rule"
	faultStaysOpen fault = "goes on after Close"
)

// TestSparse runs the suite on a ledger that is like an embedded one in nothing that it can help.
func TestSparse(t *testing.T) {
	city := ledgertest.NewCity(t, t.Name())
	n := &ledgertest.Network{City: city, As: newSparse(t, city, 2*time.Millisecond, faultNone).As}
	ledgertest.RunFounding(t, n)
	ledgertest.Run(t, func(*testing.T) *ledgertest.Network { return n })
}

// faultVariable names the fault for the process that TestFaulty starts.
const faultVariable = "LEDGERTEST_FAULT"

// TestFaulty runs in a process of its own the tests that are to find a fault, which fail.
func TestFaulty(t *testing.T) {
	if f := fault(os.Getenv(faultVariable)); f != "" {
		city := ledgertest.NewCity(t, t.Name())
		n := &ledgertest.Network{City: city, As: newSparse(t, city, 2*time.Millisecond, f).As}
		city.Found(t, n.As)
		ledgertest.Run(t, func(*testing.T) *ledgertest.Network { return n })
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for f, test := range map[fault]string{
		faultMisplaces: "ReceiptsAndBlocks",
		faultDenies:    "GivenUpDuring",
		faultRepeats:   "FollowResumes",
		faultSkips:     "FollowFromEveryPosition",
		faultWraps:     "EveryCode",
		faultStaysOpen: "CloseConnection",
	} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			cmd := exec.CommandContext(ctx, self, "-test.run=^TestFaulty$/^"+test+"$", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), faultVariable+"="+string(f))
			out, err := cmd.CombinedOutput()
			if want := "--- FAIL: TestFaulty/" + test; err == nil || !bytes.Contains(out, []byte(want)) {
				t.Errorf("the suite does not find it: %v\n%s", err, out)
			}
		})
	}
}
