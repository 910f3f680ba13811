package snapshot_test

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
	"github.com/credledger/credledger/verifier/snapshot"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/verify"
)

var update = flag.Bool("update", false, "write the golden files")

// The golden files are a snapshot with something of everything, and credentials of its ledger.
const (
	goldenSnapshot    = "testdata/sample.snapshot"
	goldenCredentials = "testdata/sample.creds"
)

// golden is what the credentials are, in their order, by the newest heartbeat.
var golden = []verify.Outcome{
	verify.NotCurrent, // suspended, and active again nine days later
	verify.Restricted,
	verify.Valid,
	verify.Valid,
	verify.NotCurrent, // its whole batch was revoked
	verify.Invalid,    // never anchored
}

// writeGolden makes the golden files anew.
func writeGolden(t *testing.T) {
	t.Helper()
	city := verifiertest.New(t)
	never := city.City.Issue(t, "business", 1).Licences.Credential(0)
	house, marriage := city.Issue("property", 3), city.Issue("marriage", 2)
	city.Pass(time.Minute)
	house[0].SetStatus(licence.Suspended)
	house[0].SetStatusFrom(licence.Active, ledgertest.Day+9)
	house[1].Restrict()
	house[2].WithdrawBinding()
	marriage[0].WithdrawBinding()
	for range 20 {
		city.Pass(time.Minute)
	}
	revoked := city.Issue("property", 1)[0]
	revoked.RevokeRoot()
	for _, log := range []string{"first", "second"} {
		d := city.Department(t, ledgertest.Marriages)
		city.Submit(d.ID, ledgertest.Sign(t, &statement.Checkpoint{
			Ledger: city.ID, Department: d.ID, Log: log, Size: 7, Root: sm.Sum([]byte(log)), SignedAt: ledgertest.Time,
		}, d.Log))
	}
	for range 3 {
		city.Pass(time.Minute)
	}
	var creds []byte
	for _, c := range []*credential.Presentation{house[0].Credential, house[1].Credential, house[2].Credential, marriage[1].Credential, revoked.Credential, never} {
		creds = append(creds, c.Bytes()...)
	}
	b, _ := build(t, city)
	for name, content := range map[string][]byte{goldenSnapshot: b, goldenCredentials: creds} {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// readGolden returns a golden snapshot and what it is to be trusted for.
func readGolden(tb testing.TB) ([]byte, *statement.Snapshot, snapshot.Trust) {
	tb.Helper()
	b, err := os.ReadFile(goldenSnapshot)
	if err != nil {
		tb.Fatal(err)
	}
	_, header, err := snapshot.Header(b)
	if err != nil {
		tb.Fatal(err)
	}
	key := statementtest.Key("city " + ledgertest.Authority + " log")
	return b, header, snapshot.Trust{Ledger: header.Ledger, Keys: []*sm.PublicKey{key.Public()}}
}

// TestGolden: a snapshot that was made by an earlier version is read by this one. -update makes another.
func TestGolden(t *testing.T) {
	if *update {
		writeGolden(t)
	}
	b, header, trust := readGolden(t)
	view, err := snapshot.Open(b, trust, 0)
	if err != nil {
		t.Fatal(err)
	}
	creds, err := os.ReadFile(goldenCredentials)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(int64(header.Heartbeat), 0)
	for i, want := range golden {
		p, n, err := credential.ParsePrefix(creds)
		if err != nil {
			t.Fatal(err)
		}
		v := verify.Verify(view, verify.Request{Presentation: bytes.Clone(creds[:n]), Now: now})
		if v.Outcome != want {
			t.Errorf("credential %d, of a %s: %s, want %s; %v", i, p.Record.Type, v.Outcome, want, v.Reasons())
		}
		creds = creds[n:]
	}
	if len(creds) > 0 {
		t.Errorf("%d bytes are left", len(creds))
	}
}

// FuzzOpen: whatever a file holds, Open does not panic, and takes only what has the signed contents.
func FuzzOpen(f *testing.F) {
	good, header, trust := readGolden(f)
	f.Add(good, uint32(0), byte(0))
	f.Add(good, uint32(len(good)-1), byte(1))
	f.Add(good[:len(good)/2], uint32(3), byte(1))
	signed, _, err := snapshot.Header(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file(f, signed, nil), uint32(0), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at uint32, flip byte) {
		b = bytes.Clone(b)
		if int(at) < len(b) {
			b[at] ^= flip
		}
		view, err := snapshot.Open(b, trust, 0)
		if err == nil && view.Head().Hash != header.Block || err != nil && (code(err) == "" || view != nil) {
			t.Fatalf("%v, %v", view, err)
		}
	})
}
