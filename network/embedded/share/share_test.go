package share_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/network/embedded/share"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// newCity creates a ledger with nothing but the genesis.
func newCity(t *testing.T) (city *ledgertest.City, dir string) {
	t.Helper()
	city = ledgertest.NewCity(t, t.Name())
	dir = filepath.Join(t.TempDir(), "ledger")
	s, err := embedded.Create(dir, city.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return city, dir
}

func open(t *testing.T, dir string) *share.Store {
	t.Helper()
	s, err := share.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// TestConformance runs the suite in a guest, and, since the host is just another Store, in the host
// by turns.
func TestConformance(t *testing.T) {
	for _, test := range []struct {
		name string
		pick func(host, guest *share.Store, n int) *share.Store
	}{
		{"host", func(host, _ *share.Store, _ int) *share.Store { return host }},
		{"guest", func(_, guest *share.Store, _ int) *share.Store { return guest }},
		{"by turns", func(host, guest *share.Store, n int) *share.Store {
			return []*share.Store{host, guest}[n%2]
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			city, dir := newCity(t)
			host := open(t, dir)
			guest := open(t, dir)
			n := make(chan int, 1)
			n <- 0
			network := &ledgertest.Network{City: city, As: func(department string) ledger.Ledger {
				i := <-n
				n <- i + 1
				return test.pick(host, guest, i).As(department)
			}}
			ledgertest.RunFounding(t, network)
			ledgertest.Run(t, func(*testing.T) *ledgertest.Network { return network })
		})
	}
}

// TestHostEnds has the host close while guests submit and follow: nothing is lost, refused or
// repeated, and nobody is told that an outcome is unknown.
func TestHostEnds(t *testing.T) {
	city, dir := newCity(t)
	first, err := share.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	city.Found(t, first.As)
	guests := []*share.Store{open(t, dir), open(t, dir), open(t, dir)}
	const each = 40
	own := 2*each + keysOf(t, city) // transactions of civil affairs
	followed := make(chan map[string]int, 1)
	go func() {
		seen := map[string]int{}
		last := uint64(0)
		defer func() { followed <- seen }()
		for block, err := range guests[2].As("").Follow(t.Context(), 0) {
			if err != nil {
				t.Errorf("follow: %v", err)
				return
			}
			if block.Number != last {
				t.Errorf("block %d comes where %d was due", block.Number, last)
			}
			last++
			for _, tx := range block.Transactions {
				if tx.Actor == ledgertest.Marriages {
					seen[string(tx.Bytes)]++
				}
			}
			if len(seen) >= own {
				return
			}
		}
	}()
	errs := make(chan error, 2)
	for _, guest := range guests[:2] {
		batches := make([]*ledgertest.Batch, each)
		for i := range batches {
			batches[i] = city.Digests(t, "marriage", 2, nil, nil)
		}
		go func() {
			l := guest.As(ledgertest.Marriages)
			for _, b := range batches {
				if r, err := l.Submit(t.Context(), b.Tx); err != nil || r.Existing {
					errs <- errors.Join(err, errors.New("a submission failed or was repeated"))
					return
				}
			}
			errs <- nil
		}()
	}
	time.Sleep(20 * time.Millisecond)
	if err := first.Close(); err != nil {
		t.Errorf("close the host: %v", err)
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	select {
	case seen := <-followed:
		for tx, n := range seen {
			if n != 1 {
				t.Errorf("a transaction of %d bytes was seen %d times", len(tx), n)
			}
		}
	case <-time.After(time.Minute):
		t.Error("the follower did not see everything")
	}
}

// keysOf is how many transactions civil affairs submits while the city is founded.
func keysOf(t *testing.T, city *ledgertest.City) int {
	n := 0
	for _, d := range city.Departments {
		if d.ID != ledgertest.Marriages {
			continue
		}
		for _, s := range city.Admit(t, d) {
			if s.Actor == ledgertest.Marriages {
				n++
			}
		}
	}
	return n
}

func TestOpenErrors(t *testing.T) {
	t.Run("no ledger", func(t *testing.T) {
		_, err := share.Open(t.Context(), filepath.Join(t.TempDir(), "nothing"))
		if ledger.Code(err) != embedded.CodeNotALedger {
			t.Errorf("error = %v, want %s", err, embedded.CodeNotALedger)
		}
	})
	t.Run("held by a process that does not share", func(t *testing.T) {
		_, dir := newCity(t)
		s, err := embedded.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := share.Open(ctx, dir); ledger.Code(err) != embedded.CodeInUse {
			t.Errorf("error = %v, want %s", err, embedded.CodeInUse)
		}
	})
	t.Run("closed", func(t *testing.T) {
		_, dir := newCity(t)
		s, err := share.Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		l := s.As(ledgertest.Authority)
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Head(t.Context()); ledger.Code(err) != ledger.CodeClosed {
			t.Errorf("error = %v, want %s", err, ledger.CodeClosed)
		}
	})
}

// TestSocket: the socket is for its owner only, is there under a path of any length, and neither what
// a killed host left nor garbage sent to it disturbs anybody.
func TestSocket(t *testing.T) {
	city := ledgertest.NewCity(t, t.Name())
	parent := filepath.Join(t.TempDir(), strings.Repeat("long", 40))
	if err := os.Mkdir(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "ledger")
	s, err := embedded.Create(dir, city.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	shared := dir + ".shared"
	if err := os.Mkdir(shared, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(shared, "socket"), nil, 0o644); err != nil { // left by somebody
		t.Fatal(err)
	}
	host := open(t, dir)
	guest := open(t, dir)
	if info, err := os.Stat(shared); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode of the socket's directory = %v, %v", info.Mode(), err)
	}
	t.Chdir(shared)
	for _, garbage := range []string{"", "\x00\x01\x02", "GET / HTTP/1.1\r\n\r\n",
		"POST /submit HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
		"POST /evaluate HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n\xff\xff\xff",
		"POST /follow HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n\x00"} {
		c, err := net.Dial("unix", "socket")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(garbage))
		_ = c.Close()
	}
	city.Found(t, guest.As)
	answer, err := host.As("").Evaluate(t.Context(), chaincode.Query{Name: "departments"})
	if err != nil || !json.Valid(answer) {
		t.Errorf("departments: %v", err)
	}
}
