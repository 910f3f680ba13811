package accesslog

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// exported makes a small log and returns it with its export.
func exported(t testing.TB, size int) (*Log, []byte) {
	t.Helper()
	l := newLog(t, small)
	fill(t, l, size)
	files, err := OpenFiles(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := files.Write(&b); err != nil {
		t.Fatal(err)
	}
	return l, b.Bytes()
}

// readAll reads an export to its end, and returns its entries.
func readAll(b []byte) (entries [][]byte, checkpoints int, err error) {
	x, err := ReadExport(bytes.NewReader(b))
	if err != nil {
		return nil, 0, err
	}
	err = x.read(&reading{
		prepare: func() func(*item, string) { return func(*item, string) {} },
		visit: func(it *item) error {
			if it.checkpoint != nil {
				checkpoints++
			} else {
				entries = append(entries, it.bytes)
			}
			return nil
		},
	})
	return entries, checkpoints, err
}

// TestExportForm wants the lines to be those that the specification has.
func TestExportForm(t *testing.T) {
	l, b := exported(t, 3)
	entries, err := l.Entries(0, 3)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"accessLog":1,"ledger":"` + testID.Ledger.String() + `","department":"data-bureau","log":"verifier-1"}` + "\n"
	for _, e := range entries {
		want += `{"entry":"` + base64.StdEncoding.EncodeToString(e) + `"}` + "\n"
	}
	want += `{"entries":3}` + "\n"
	if string(b) != want {
		t.Errorf("the export is\n%swant\n%s", b, want)
	}
}

// TestExportHasNoSalts opens no commitment with anything in an export.
func TestExportHasNoSalts(t *testing.T) {
	l, b := exported(t, 10)
	for _, r := range records(t, l.dir) {
		for what, secret := range map[string][]byte{"salt": r.salt[:], "tag": r.tag[:]} {
			for _, form := range []string{string(secret), base64.StdEncoding.EncodeToString(secret), hexOf(secret)} {
				if bytes.Contains(b, []byte(form)) {
					t.Errorf("the export holds a %s", what)
				}
			}
		}
	}
}

func hexOf(b []byte) string {
	var h sm.Hash
	copy(h[:], b)
	return h.String()[:2*len(b)]
}

func TestExportRefused(t *testing.T) {
	_, good := exported(t, 3)
	lines := strings.SplitAfter(string(good), "\n")
	first, entry, last := lines[0], lines[1], lines[4]
	for name, b := range map[string]string{
		"nothing":                    "",
		"not JSON":                   "PK\x03\x04",
		"no first line":              entry + last,
		"another version":            strings.Replace(first, `"accessLog":1`, `"accessLog":2`, 1) + last,
		"no ledger":                  strings.Replace(first, `"ledger"`, `"entry"`, 1) + last,
		"a log that has no name":     strings.Replace(first, "verifier-1", "", 1) + last,
		"a bad name":                 strings.Replace(first, "verifier-1", "../../x", 1) + last,
		"a hash in capitals":         strings.Replace(first, testID.Ledger.String(), strings.ToUpper(testID.Ledger.String()), 1) + last,
		"no last line":               first + entry,
		"cut in a line":              first + entry[:20],
		"another number of entries":  first + entry + last,
		"goes on":                    first + `{"entries":0}` + "\n" + entry,
		"an unknown member":          first + `{"entry":"AA==","salt":"AA=="}` + "\n" + last,
		"two in a line":              first + `{"entry":"AA==","entries":1}` + "\n",
		"two values in a line":       first + strings.TrimSpace(entry) + ` {"entries":1}` + "\n",
		"an empty line":              first + "\n" + `{"entries":0}`,
		"null":                       first + "null\n" + `{"entries":0}`,
		"a negative number":          first + `{"entries":-1}`,
		"not base64":                 first + `{"entry":"?"}` + "\n" + `{"entries":1}`,
		"a checkpoint that is none":  first + `{"checkpoint":"AAAA","consistency":[]}` + "\n" + `{"entries":0}`,
		"a line that is too long":    first + `{"entry":"` + strings.Repeat("A", maxLine) + `"}` + "\n" + `{"entries":1}`,
		"consistency of nothing":     first + `{"consistency":[]}` + "\n" + `{"entries":0}`,
		"an entry and a consistency": first + `{"entry":"AA==","consistency":[]}` + "\n" + `{"entries":1}`,
	} {
		_, _, err := readAll([]byte(b))
		wantCode(t, name, err, CodeExport)
	}
	if entries, _, err := readAll(good); err != nil || len(entries) != 3 {
		t.Errorf("the good one: %d entries, %v", len(entries), err)
	}
}

// TestExportNotWritten has nowhere to write to, and nothing to read from.
func TestExportNotWritten(t *testing.T) {
	l, _ := exported(t, 300)
	files, err := OpenFiles(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := files.Write(failing{}); !errors.Is(err, errFault) {
		t.Errorf("an export to a writer that fails: %v", err)
	}
	if _, err := ReadExport(failing{}); !errors.Is(err, errFault) {
		t.Errorf("an export from a reader that fails: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFault }
func (failing) Read([]byte) (int, error)  { return 0, errFault }

// FuzzExport reads rubbish; what can be read has as many entries as it says.
func FuzzExport(f *testing.F) {
	_, good := exported(f, 3)
	f.Add(good)
	f.Add([]byte(strings.Split(string(good), "\n")[0] + "\n{\"checkpoint\":\"AAAA\",\"consistency\":[]}\n{\"entries\":0}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, _, err := readAll(b)
		if err != nil {
			if Code(err) != CodeExport {
				t.Fatalf("an error without its code: %v", err)
			}
			return
		}
		last := b[bytes.LastIndexByte(bytes.TrimRight(b, "\r\n"), '\n')+1:]
		var end struct{ Entries int }
		if err := json.Unmarshal(last, &end); err != nil || end.Entries != len(entries) {
			t.Errorf("%d entries, %s, %v", len(entries), last, err)
		}
	})
}

// FuzzSegment reads rubbish as the entries of a segment: what is read, written again, is the beginning
// of it.
func FuzzSegment(f *testing.F) {
	l := newLog(f, small)
	for i := range 6 {
		if _, err := l.Append(f.Context(), draft(i, i)); err != nil {
			f.Fatal(err)
		}
	}
	var file []byte
	for i, r := range records(f, l.dir) {
		b := r.append(beginGroup(nil))
		endGroup(b, uint64(i), 1)
		file = append(file, b...)
	}
	f.Add(file, uint64(0))
	f.Add(file[:len(file)-9], uint64(0))
	two := (&record{entry: []byte{2}}).append((&record{entry: []byte{1}}).append(beginGroup(nil)))
	endGroup(two, 8, 2)
	f.Add(two, uint64(8))
	f.Fuzz(func(t *testing.T, b []byte, first uint64) {
		var count uint64
		end, err := scan(bytes.NewReader(b), first, func(offset int64, r *record) error {
			stored, _, ok := parseRecord(b[offset:])
			if !ok || !bytes.Equal(stored.entry, r.entry) || stored.salt != r.salt || stored.tag != r.tag {
				t.Fatalf("record %d is not at %d", count, offset)
			}
			if len(r.entry) > access.MaxSize {
				t.Fatal("an entry that is too large")
			}
			count++
			return nil
		})
		if err != nil && !errors.Is(err, errTorn) && Code(err) != CodeDamaged {
			t.Fatalf("an error without a code: %v", err)
		}
		if end > int64(len(b)) || (err == nil) != (end == int64(len(b)) && Code(err) == "") {
			t.Fatalf("it ends at %d of %d with %v", end, len(b), err)
		}
		if _, err := goesOn(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			whole, err := scan(io.LimitReader(bytes.NewReader(b), end), first, func(int64, *record) error { return nil })
			if err != nil || whole != end {
				t.Errorf("read again: %d, %v", whole, err)
			}
		}
	})
}
