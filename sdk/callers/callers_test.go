package callers_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/sm"
)

func TestSecrets(t *testing.T) {
	first, second := callers.NewToken(), callers.NewToken()
	if first == second || len(first) != len("credledger_")+43 || !strings.HasPrefix(first, "credledger_") {
		t.Errorf("tokens %q and %q", first, second)
	}
	certificate := []byte("a certificate in DER")
	var s callers.Secrets[string]
	if _, ok := s.Find(callers.Credentials{Token: first}); ok {
		t.Error("somebody is found where nobody is")
	}
	if err := s.Add([]sm.Hash{callers.TokenDigest(first)}, []sm.Hash{sm.Sum(certificate)}, "one"); err != nil {
		t.Fatal(err)
	}
	if err := s.Add([]sm.Hash{callers.TokenDigest(second)}, nil, "two"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		shown callers.Credentials
		want  string
	}{
		{"token", callers.Credentials{Token: first}, "one"},
		{"certificate", callers.Credentials{Certificate: certificate}, "one"},
		{"other token", callers.Credentials{Token: second}, "two"},
		{"the token goes before the certificate", callers.Credentials{Token: second, Certificate: certificate}, "two"},
		{"wrong token, right certificate", callers.Credentials{Token: first + "A", Certificate: certificate}, ""},
		{"the digest in place of the token", callers.Credentials{Token: callers.TokenDigest(first).String()}, ""},
		{"endless token", callers.Credentials{Token: strings.Repeat(first, 1000)}, ""},
		{"empty certificate", callers.Credentials{Certificate: []byte{}}, ""},
		{"nothing", callers.Credentials{}, ""},
	} {
		if got, ok := s.Find(c.shown); got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v", c.name, got, ok)
		}
	}
	if err := s.Add([]sm.Hash{callers.TokenDigest(first)}, nil, "three"); err == nil || !strings.Contains(err.Error(), "token is there twice") {
		t.Errorf("a token twice: %v", err)
	}
	if err := s.Add(nil, []sm.Hash{sm.Sum(certificate)}, "three"); err == nil || !strings.Contains(err.Error(), "certificate is there twice") {
		t.Errorf("a certificate twice: %v", err)
	}
}

// Where a token is looked up cannot be computed from the token, so that trying tokens tells nothing
// about those that there are.
func TestTokensHaveNoFixedPlace(t *testing.T) {
	token := callers.NewToken()
	var first, second callers.Secrets[int]
	for _, s := range []*callers.Secrets[int]{&first, &second} {
		if err := s.Add([]sm.Hash{callers.TokenDigest(token)}, nil, 1); err != nil {
			t.Fatal(err)
		}
	}
	if first.Place(token) == second.Place(token) || first.Place(token) == callers.TokenDigest(token) {
		t.Error("the place of a token is the same in every process")
	}
	if first.Place(token) != first.Place(token) {
		t.Error("a token is not found again")
	}
}

func TestPasswords(t *testing.T) {
	for text, want := range map[string]string{
		"elevenchars": "at least 12", "密码密码密码密码密码密": "at least 12", strings.Repeat("x", 73): "at most 72",
		"two lines\nof text": "one line", "not UTF-8 \xff\xff\xff": "one line",
	} {
		if _, err := callers.HashPassword(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	const password = "密码密码密码密码密码密码"
	made, err := callers.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	hash := callers.Password(made)
	var cost callers.Cost
	if err := cost.Add(hash); err != nil || cost != 12 {
		t.Fatalf("cost %d: %v", cost, err)
	}
	for name, other := range map[string]string{
		"the password itself": password, "another kind": "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG",
		"cheap": "$2a$04$" + made[7:], "dear": "$2a$31$" + made[7:], "cut off": made[:59], "another cost": "$2a$10$" + made[7:], "nothing": "",
	} {
		if err := cost.Add(callers.Password(other)); err == nil || other != "" && strings.Contains(err.Error(), other) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := callers.NewSignIns()
	if right, err := s.Check(t.Context(), password, hash, cost); !right || err != nil {
		t.Errorf("the right one: %v, %v", right, err)
	}
	if right, err := s.Check(t.Context(), password, nil, cost); right || err != nil {
		t.Errorf("of nobody: %v, %v", right, err)
	}
	if right, err := s.Check(t.Context(), made, hash, cost); right || err != nil {
		t.Errorf("the hash as password: %v, %v", right, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	busy := make(chan error)
	for range 3 { // two are checked at a time: with three, ctx is looked at by one at least
		go func() {
			_, err := s.Check(gone, password, hash, cost)
			busy <- err
		}()
	}
	for range 3 {
		if err := <-busy; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// Attempts are held back, and one name is not held back for another.
// Whoever comes while too many wait is sent away at once, and is heard when there is room again.
func TestCrowd(t *testing.T) {
	s := callers.NewSignIns()
	leave := s.Crowd()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Check(gone, "p", nil, 0); !errors.Is(err, callers.ErrBusy) {
		t.Errorf("in a crowd: %v", err)
	}
	leave()
	if _, err := s.Check(t.Context(), "p", nil, 0); err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestAttempts(t *testing.T) {
	s := callers.NewSignIns()
	now := time.Unix(0, 0)
	for range 5 {
		if _, ok := s.Attempt("wangfang", now); !ok {
			t.Fatal("held back")
		}
	}
	wait, ok := s.Attempt("wangfang", now)
	if ok || wait != 12*time.Second {
		t.Errorf("the sixth: %v, %v", wait, ok)
	}
	free := 0
	for _, other := range []string{"a", "b", "c"} { // one in 4096 shares the place
		if _, ok := s.Attempt(other, now); ok {
			free++
		}
	}
	if free < 2 {
		t.Error("others are held back too")
	}
	if _, ok := s.Attempt("wangfang", now.Add(wait)); !ok {
		t.Error("held back after the wait")
	}
}

func TestRates(t *testing.T) {
	for _, bad := range []callers.Rate{{}, {PerSecond: 1}, {Burst: 1}, {PerSecond: -1, Burst: 1}, {PerSecond: 1, Burst: 1e7}, {PerSecond: 1e7, Burst: 1}} {
		if bad.Check() == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	now := time.Unix(0, 0)
	l := callers.Rate{PerSecond: 2, Burst: 1}.Limiter(nil, now)
	if _, ok := callers.Take(l, now); !ok {
		t.Error("the first is held back")
	}
	if wait, ok := callers.Take(l, now); ok || wait != time.Second/2 {
		t.Errorf("the second: %v, %v", wait, ok)
	}
	if kept := (callers.Rate{PerSecond: 20, Burst: 1}).Limiter(l, now); kept != l {
		t.Error("another rate begins with a full bucket")
	}
	if wait, ok := callers.Take(l, now); ok || wait != time.Second/20 {
		t.Errorf("at another rate: %v, %v", wait, ok)
	}
}

func TestNetworks(t *testing.T) {
	n, err := callers.ParseNetworks([]string{"10.20.0.0/16", "192.0.2.7", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"10.20.3.4": true, "::ffff:10.20.0.1": true, "192.0.2.7": true, "2001:db8::1%eth0": true, "10.21.0.1": false, "192.0.2.8": false,
	} {
		if n.Allow(netip.MustParseAddr(address)) != want {
			t.Errorf("%s: want %v", address, want)
		}
	}
	if n.Allow(netip.Addr{}) || !callers.Networks(nil).Allow(netip.Addr{}) {
		t.Error("an unknown address")
	}
	for _, bad := range []string{"", "10.20.0.1/16", "10.20.0.0/33", "::ffff:10.0.0.0/104", "fe80::1%eth0", "localhost", "10.20.0.0-10.30.0.0"} {
		if _, err := callers.ParseNetworks([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, err := callers.ParseNetworks(make([]string, callers.MaxList+1)); err == nil {
		t.Error("too many are taken")
	}
	if _, err := callers.ParseDigests("tokens", []string{"ABCD"}); err == nil || !strings.HasPrefix(err.Error(), "tokens: number 1") {
		t.Errorf("%v", err)
	}
}

func TestPersons(t *testing.T) {
	for _, c := range []struct {
		name, unit string
		good       bool
	}{
		{"wangfang", "综合窗口3号", true}, {"李雷", "a", true}, {"", "a", false}, {"a", "", false}, {" a", "b", false}, {"a\nb", "c", false},
		{"a\u202eb", "c", false}, {"a", strings.Repeat("科", 65), false}, {"\xff", "a", false},
	} {
		if err := callers.CheckPerson(c.name, c.unit); (err == nil) != c.good {
			t.Errorf("%q, %q: %v", c.name, c.unit, err)
		}
	}
}
