package jsonappend_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/internal/jsonappend"
)

// want wants bytes to be what encoding/json makes of a value, behind what was there.
func want(t *testing.T, got []byte, value any) {
	t.Helper()
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if want := "front" + string(b); string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func front() []byte { return []byte("front") }

// FuzzString: every text, alone and among others, is written as encoding/json writes it.
func FuzzString(f *testing.F) {
	for _, s := range []string{
		"", "plain", "窗口 3", `a "b" \c`, "<script>&amp;", "line\nend", "tab\tbell\a", "\x7f", "\u2028", "甲\u2029乙", "\ufffd",
		"\xff", "甲\xc0\xaf", "\xed\xa0\x80", "😀", "\u2027\u202a", "\xe2\x80",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want(t, jsonappend.String(front(), s), s)
		want(t, jsonappend.Strings(front(), []string{s, "", s}), []string{s, "", s})
		want(t, jsonappend.Text(front(), licence.Text{Zh: s, En: s}), licence.Text{Zh: s, En: s})
		want(t, jsonappend.Base64(front(), []byte(s)), []byte(s))
		want(t, jsonappend.Hash(front(), sm.Sum([]byte(s))), sm.Sum([]byte(s)))
	})
}

func TestStringsOfNothing(t *testing.T) {
	want(t, jsonappend.Strings(front(), []string(nil)), []string{})
}

func TestTime(t *testing.T) {
	for _, seconds := range []uint64{0, 1, 951782400, 1794009600, 253402300800, 1<<40 - 1} {
		want(t, jsonappend.Time(front(), seconds), time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339))
	}
}

func BenchmarkString(b *testing.B) {
	out := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		out = jsonappend.String(out[:0], "核验通过,现行有效")
		out = jsonappend.String(out, "Verified: genuine and in force")
	}
}
