package qr_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/qr"
)

const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*+-./:"

// selfContained returns a text of n characters as a self-contained code has them.
func selfContained(n int) string {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	text := []byte("HTTPS://CHECK.EXAMPLE.GOV.CN/#")
	for len(text) < n {
		text = append(text, letters[random.IntN(len(letters))])
	}
	return string(text)
}

// reference is a URL of 120 characters.
var reference = "https://check.example.gov.cn/r/" + strings.Repeat("x7-Kq_", 20)[:89]

func encode(t testing.TB, text string, level qr.Level) *qr.Symbol {
	t.Helper()
	symbol, err := qr.Encode(text, level)
	if err != nil {
		t.Fatal(err)
	}
	return symbol
}

func wantCode(t testing.TB, err error, code string) *qr.Error {
	t.Helper()
	var e *qr.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("error %v, want code %s", err, code)
	}
	return e
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		text    string
		level   qr.Level
		version int
	}{
		{"1", qr.L, 1},
		{strings.Repeat("1", 41), qr.L, 1},
		{strings.Repeat("1", 42), qr.L, 2},
		{reference, qr.M, 7},
		{selfContained(740), qr.M, 18},
		{selfContained(740), qr.L, 15},
		{selfContained(850), qr.L, 17},
		{selfContained(1130), qr.L, 19},
		{selfContained(1250), qr.L, 21},
		{selfContained(2300), qr.L, 29},
		{selfContained(2331), qr.L, 29},
		{selfContained(2300), qr.M, 33},
	} {
		s := encode(t, c.text, c.level)
		if s.Version != c.version || s.Level != c.level || s.Size() != 17+4*c.version {
			t.Errorf("%d characters: version %d, level %v, size %d, want version %d, level %v",
				len(c.text), s.Version, s.Level, s.Size(), c.version, c.level)
		}
	}
}

func TestDefaultLevel(t *testing.T) {
	for _, c := range []struct {
		text string
		want qr.Level
	}{
		{"1", qr.M}, {reference, qr.M}, {selfContained(740), qr.M}, {selfContained(850), qr.L}, {selfContained(2300), qr.L},
		{"", qr.M}, {strings.Repeat("1", 10_000), qr.L},
	} {
		if got := qr.DefaultLevel(c.text); got != c.want {
			t.Errorf("%d characters: %v, want %v", len(c.text), got, c.want)
		}
	}
}

// The capacities of version 40 (ISO/IEC 18004, table 7).
func TestCapacity(t *testing.T) {
	t.Parallel()
	for level, capacity := range map[qr.Level]map[string]int{
		qr.L: {"7": 7089, "A": 4296, "a": 2953, "证": 2953 / 3},
		qr.M: {"7": 5596, "A": 3391, "a": 2331, "证": 2331 / 3},
		qr.Q: {"7": 3993, "A": 2420, "a": 1663, "证": 1663 / 3},
		qr.H: {"7": 3057, "A": 1852, "a": 1273, "证": 1273 / 3},
	} {
		for character, n := range capacity {
			if s := encode(t, strings.Repeat(character, n), level); s.Version != 40 {
				t.Errorf("level %v, %d of %q: version %d", level, n, character, s.Version)
			}
			for _, more := range []int{1, 10_000} {
				_, err := qr.Encode(strings.Repeat(character, n+more), level)
				if e := wantCode(t, err, qr.CodeTooLong); e.Fits != n {
					t.Errorf("level %v, %d of %q: %d fit, want %d", level, n+more, character, e.Fits, n)
				}
			}
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, c := range []struct {
		text  string
		level qr.Level
		code  string
	}{
		{"", qr.M, qr.CodeBadText},
		{"a\xff", qr.M, qr.CodeBadText},
		{"a", qr.L - 1, qr.CodeBadLevel},
		{"a", qr.H + 1, qr.CodeBadLevel},
	} {
		_, err := qr.Encode(c.text, c.level)
		wantCode(t, err, c.code)
	}
	_, err := qr.Encode(strings.Repeat("secret", 1000), qr.M)
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error holds the text: %v", err)
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, text := range map[string]string{"reference": reference, "2300": selfContained(2300)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				encode(b, text, qr.DefaultLevel(text))
			}
		})
	}
}
