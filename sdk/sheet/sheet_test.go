package sheet_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"reflect"
	"testing"

	"github.com/credledger/credledger/sdk/sheet"
)

func TestInert(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "李雷": "李雷", "a=b": "a=b", "2026-01-01": "2026-01-01", "1.5": "1.5", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "|a": "'|a", "%a": "'%a",
		"＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠a": "'＠a", "｜a": "'｜a", "％a": "'％a", " =1": "' =1", "\t1": "'\t1", "\r=1": "'\r=1", "\n1": "'\n1",
		"\u3000=1": "'\u3000=1", "\u00a0=1": "'\u00a0=1", "\ufeff=1": "'\ufeff=1", "   ": "   ", "'=1": "'=1",
	} {
		if got := sheet.Inert(cell); got != want {
			t.Errorf("%q: %q, want %q", cell, got, want)
		}
	}
}

// What is written is read again by another reader, cell for cell, and the cells given stay as they were.
func TestRow(t *testing.T) {
	var out bytes.Buffer
	w := sheet.New(&out)
	given := []string{`a "quoted", cell`, "two\nlines", "=1+1", ""}
	for range 2 {
		if err := w.Row(given...); err != nil {
			t.Fatal(err)
		}
	}
	text, marked := bytes.CutPrefix(out.Bytes(), []byte("\ufeff"))
	if !marked || !bytes.HasSuffix(text, []byte("\r\n")) {
		t.Errorf("%q", out.Bytes())
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	want := []string{`a "quoted", cell`, "two\nlines", "'=1+1", ""}
	if err != nil || !reflect.DeepEqual(rows, [][]string{want, want}) || given[2] != "=1+1" {
		t.Errorf("%q, %v, given %q", rows, err, given)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestFull(t *testing.T) {
	if err := sheet.New(full{}).Row("a"); err == nil {
		t.Error("a row that could not be written is no error")
	}
}
