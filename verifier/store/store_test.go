package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
)

// A clock is what all replicas of a test go by.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A place is an empty database, with a clock.
type place struct {
	clock
	address string
}

func (p *place) open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(t.Context(), p.address, p.time)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func newPlace(address string) *place {
	return &place{clock: clock{now: time.Unix(1_800_000_000, 500_000_000)}, address: address}
}

// cases are what both databases have to do.
var cases = []struct {
	name string
	test func(*testing.T, *place)
}{
	{"challenges", testChallenges},
	{"challenges of replicas", testChallengesOfReplicas},
	{"challenges once", testChallengesOnce},
	{"challenges in bulk", testChallengesInBulk},
	{"references", testReferences},
	{"references once", testReferencesOnce},
	{"references sealed", testReferencesSealed},
	{"references bounded", testReferencesBounded},
	{"usage", testUsage},
	{"usage of replicas", testUsageOfReplicas},
	{"sessions", testSessions},
	{"sessions bounded", testSessionsBounded},
	{"requests", testRequests},
	{"requests that fail", testRequestsThatFail},
	{"request lists", testRequestLists},
	{"requests once", testRequestsOnce},
	{"requests bounded", testRequestsBounded},
	{"counts", testCounts},
	{"counts of replicas", testCountsOfReplicas},
	{"counts purged", testCountsPurged},
	{"purge", testPurge},
	{"replicas begin together", testBeginTogether},
	{"newer", testNewer},
	{"damaged key", testDamagedKey},
	{"context", testContext},
}

func TestSQLite(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.test(t, newPlace(filepath.Join(t.TempDir(), "a store #1.db"))) })
	}
}

func TestPostgreSQL(t *testing.T) {
	server := sqldbtest.PostgreSQL(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.test(t, newPlace(server.Database(t))) })
	}
	testOutage(t, server)
}

// refused checks that an error has a code, and a text that tells no secret.
func refused(t *testing.T, err error, code string, secrets ...string) {
	t.Helper()
	if Code(err) != code {
		t.Fatalf("error %v, code %q; want %s", err, Code(err), code)
	}
	for _, secret := range secrets {
		if bytes.Contains([]byte(err.Error()), []byte(secret)) {
			t.Fatalf("the error repeats %q: %v", secret, err)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rows returns how many rows a table has.
func rows(t *testing.T, s *Store, table string) (n int) {
	t.Helper()
	must(t, s.db.Read().QueryRow("SELECT COUNT(*) FROM "+table).Scan(&n))
	return n
}

// inParallel runs something n times at once.
func inParallel(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

func testPurge(t *testing.T, p *place) {
	s := p.open(t)
	challenge, err := s.NewChallenge("desk", MaxChallengeTTL)
	must(t, err)
	must(t, s.RedeemChallenge(t.Context(), challenge.Nonce, "desk"))
	_, _, err = s.PutReference(t.Context(), []byte("presentation"), MaxReferenceTTL)
	must(t, err)
	_, _, err = s.NewSession(t.Context(), "agency", "clerk", MaxSessionTTL)
	must(t, err)
	_, _, err = s.Add(t.Context(), "agency", today(p), 1, 10)
	must(t, err)
	for i := range 2*purgeChunk + 1 { // more than are deleted at a time
		err := s.db.Exec(t.Context(), "INSERT INTO verifier_redeemed (challenge, expires) VALUES ($1, $2)", []byte{byte(i >> 8), byte(i)}, p.time().Unix())
		must(t, err)
	}
	want := func(redeemed, references, sessions, usage int) {
		t.Helper()
		must(t, s.Purge(t.Context()))
		got := []int{rows(t, s, "verifier_redeemed"), rows(t, s, "verifier_reference"), rows(t, s, "verifier_session"), rows(t, s, "verifier_usage")}
		if !slices.Equal(got, []int{redeemed, references, sessions, usage}) {
			t.Fatalf("at %v there are %v rows; want %v", p.time(), got, []int{redeemed, references, sessions, usage})
		}
	}
	want(2*purgeChunk+2, 1, 1, 1)
	p.pass(MaxReferenceTTL + referenceMemory)
	want(2*purgeChunk+2, 0, 1, 1)
	p.pass(skew)
	want(1, 0, 1, 1)
	p.pass(MaxChallengeTTL)
	want(0, 0, 1, 1)
	p.pass(MaxSessionTTL)
	want(0, 0, 0, 1)
	p.pass((usageDays + 1) * 24 * time.Hour)
	want(0, 0, 0, 0)
}

func testBeginTogether(t *testing.T, p *place) {
	stores := make([]*Store, 6)
	errs := make([]error, len(stores))
	inParallel(len(stores), func(i int) { stores[i], errs[i] = Open(t.Context(), p.address, p.time) })
	for i, err := range errs {
		if err != nil {
			t.Fatalf("replica %d: %v", i, err)
		}
		defer stores[i].Close()
	}
	challenge, err := stores[0].NewChallenge("desk", time.Minute)
	must(t, err)
	must(t, stores[5].RedeemChallenge(t.Context(), challenge.Nonce, "desk"))
	if files, err := migrations.ReadDir("migrations"); err != nil || rows(t, stores[0], "verifier_migration") != len(files) {
		t.Fatalf("%d migrations were run of %d (%v)", rows(t, stores[0], "verifier_migration"), len(files), err)
	}
}

func testNewer(t *testing.T, p *place) {
	must(t, p.open(t).db.Exec(t.Context(), "INSERT INTO verifier_migration (version, applied_at) VALUES (1000, 0)"))
	_, err := Open(t.Context(), p.address, p.time)
	refused(t, err, CodeNewer)
}

func testDamagedKey(t *testing.T, p *place) {
	err := p.open(t).db.Exec(t.Context(), "UPDATE verifier_secret SET value = $1", []byte("short"))
	must(t, err)
	_, err = Open(t.Context(), p.address, p.time)
	refused(t, err, CodeDamaged)
}

func testContext(t *testing.T, p *place) {
	s := p.open(t)
	challenge, err := s.NewChallenge("desk", time.Minute)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"ping":      func() error { return s.Ping(ctx) },
		"purge":     func() error { return s.Purge(ctx) },
		"put":       func() error { _, _, err := s.PutReference(ctx, []byte("p"), time.Minute); return err },
		"add":       func() error { _, _, err := s.Add(ctx, "agency", today(p), 1, 1); return err },
		"sign in":   func() error { _, _, err := s.NewSession(ctx, "agency", "clerk", time.Hour); return err },
		"take":      func() error { _, err := s.TakeReference(ctx, (&token{}).String()); return err },
		"session":   func() error { _, err := s.Session(ctx, (&token{}).String()); return err },
		"challenge": func() error { return s.RedeemChallenge(ctx, challenge.Nonce, "desk") },
	} {
		if err := call(); name != "challenge" || err != nil { // which may have been redeemed by then
			refused(t, err, CodeUnavailable)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	must(t, s.Ping(t.Context()))
}

// dump returns all that is in the tables.
func dump(t *testing.T, s *Store) []byte {
	t.Helper()
	var out []byte
	for _, table := range []string{"verifier_secret", "verifier_redeemed", "verifier_reference", "verifier_usage", "verifier_session", "verifier_request", "verifier_count", "verifier_migration"} {
		found, err := s.db.Read().Query("SELECT * FROM " + table)
		must(t, err)
		columns, err := found.Columns()
		must(t, err)
		for found.Next() {
			values := make([]sql.RawBytes, len(columns))
			targets := make([]any, len(columns))
			for i := range values {
				targets[i] = &values[i]
			}
			must(t, found.Scan(targets...))
			for _, v := range values {
				out = append(append(out, v...), 0)
			}
		}
		must(t, found.Err())
	}
	return out
}
