package ledger_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
)

func TestHeadText(t *testing.T) {
	h := ledger.Head{Height: 1204, Hash: sm.Sum([]byte("block"))}
	got, err := ledger.ParseHead(h.String())
	if err != nil || got != h {
		t.Fatalf("ParseHead(%s) = %v, %v", h, got, err)
	}
	hash := h.Hash.String()
	for _, bad := range []string{
		"", ":", "1204", "1204:", ":" + hash, "0:" + hash, "01204:" + hash, "+1:" + hash, "-1:" + hash, " 1:" + hash,
		"1204:" + strings.ToUpper(hash), "1204:" + hash[1:], "1204:" + hash + " ", "1204::" + hash,
		"18446744073709551616:" + hash, "0x10:" + hash,
	} {
		if h, err := ledger.ParseHead(bad); err == nil {
			t.Errorf("ParseHead(%q) = %v, want an error", bad, h)
		}
	}
}

func FuzzParseHead(f *testing.F) {
	f.Add(ledger.Head{Height: 1, Hash: sm.Sum(nil)}.String())
	f.Add("1:2")
	f.Fuzz(func(t *testing.T, s string) {
		if h, err := ledger.ParseHead(s); err == nil && h.String() != s {
			t.Errorf("ParseHead(%q).String() = %q", s, h)
		}
	})
}

func TestPositionOrder(t *testing.T) {
	ascending := []ledger.Position{{0, 0}, {0, 1}, {1, 0}, {1, 7}, {2, 0}}
	for i, p := range ascending {
		for j, q := range ascending {
			if got := p.Compare(q); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%v.Compare(%v) = %d", p, q, got)
			}
		}
	}
}

func TestErrorCode(t *testing.T) {
	inner := &ledger.Error{Code: ledger.CodeClosed, Message: "closed", Err: io.EOF}
	err := fmt.Errorf("issue: %w", &ledger.Error{Code: ledger.CodeOutcomeUnknown, Message: "gone", Err: inner})
	if got := ledger.Code(err); got != ledger.CodeOutcomeUnknown {
		t.Errorf("Code = %q, want the outermost", got)
	}
	if !errors.Is(err, io.EOF) {
		t.Error("the cause is lost")
	}
	if got := ledger.Code(io.EOF); got != "" {
		t.Errorf("Code(io.EOF) = %q", got)
	}
}
