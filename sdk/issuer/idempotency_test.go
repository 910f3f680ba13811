package issuer_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
)

// testAppliedTwice asks the same again, and something else, under one idempotency key.
func testAppliedTwice(t *testing.T, d *desk) {
	record := d.records(t)
	ask := func(iss *issuer.Issuer, key string, n int) (*issuer.Issued, error) {
		r := record(n)
		return iss.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: r, Claim: claim(key, r)})
	}
	first, err := ask(d.Issuer, "k", 1)
	if err != nil || first.Earlier {
		t.Fatalf("first: %+v, %v", first, err)
	}
	again, err := ask(d.Issuer, "k", 1)
	if err != nil || !again.Earlier || again.Licence.ID != first.Licence.ID || !bytes.Equal(again.Credential, first.Credential) || again.Position != first.Position {
		t.Errorf("again: %+v, %v", again, err)
	}
	_, err = ask(d.Issuer, "k", 2)
	hasCode(t, err, vault.CodeClaimReused)
	other, err := ask(d.Issuer, "another", 2)
	if err != nil || other.Earlier {
		t.Errorf("under another key: %+v, %v", other, err)
	}

	// Many at once, through two processes: the same under each of some keys, and something else once.
	second := d.open(t, d.config)
	var all sync.WaitGroup
	var mu sync.Mutex
	got := map[string]map[vault.ID]int{}
	for i := range 60 {
		iss, key, n := d.Issuer, fmt.Sprint("key ", i%6), 100+i%6
		if i%2 == 1 {
			iss = second
		}
		all.Go(func() {
			issued, err := ask(iss, key, n)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if got[key] == nil {
				got[key] = map[vault.ID]int{}
			}
			got[key][issued.Licence.ID]++
		})
	}
	all.Wait()
	for key, ids := range got {
		if len(ids) != 1 {
			t.Errorf("under %s there were issued %v", key, ids)
		}
	}
	if n := d.kept(t).licences; n != 8 {
		t.Errorf("%d licences were issued, want 8", n)
	}
	d.checkKnown(t)
}

func TestAppliedTwice(t *testing.T) { testAppliedTwice(t, newDesk(t, "marriage")) }

// TestTwins asks the same, and something else, under one key in the same batch.
func TestTwins(t *testing.T) {
	d := newDesk(t, "marriage")
	record := d.records(t)
	held, release := make(chan struct{}), make(chan struct{})
	iss := d.on(t, &shaky{before: func(n int) error {
		if n == 1 {
			close(held)
			<-release
		}
		return nil
	}})
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := iss.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: record(1)}); err != nil {
			t.Error(err)
		}
	})
	<-held
	var mu sync.Mutex
	issued, earlier, reused := 0, 0, 0
	for i := range 9 { // three keys, of which each is used twice for the same, and once for something else
		all.Go(func() {
			r := record(10 + i)
			if i < 6 {
				r = record(10 + i%3)
			}
			one, err := iss.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: r, Claim: claim(fmt.Sprint(i%3), r)})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case issuer.Code(err) == vault.CodeClaimReused:
				reused++
			case err != nil:
				t.Error(err)
			case one.Earlier:
				earlier++
			default:
				issued++
			}
		})
	}
	close(release)
	all.Wait()
	if issued != 3 || earlier+reused != 6 || d.kept(t).licences != 4 {
		t.Errorf("%d issued, %d earlier, %d refused; the vault has %d", issued, earlier, reused, d.kept(t).licences)
	}
}
