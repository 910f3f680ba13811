package licence_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/licence"
)

// Whatever comes in: a document's canonical form is its own canonical form, errors are of the two documented types, and how the bytes arrive
// makes no difference.
func FuzzReader(f *testing.F) {
	all := types(f)
	var ids []string
	for id := range all {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for i, id := range ids {
		if id == "divorce" || id == "no-record" {
			f.Add(uint8(i), mustRead(f, "testdata/"+id+"-1.json"))
			continue
		}
		for _, ext := range []string{".jsonl", ".xml", ".csv", "-1.json", "-1.zh.json"} {
			b := sample(f, id+ext)
			f.Add(uint8(i), b[:min(len(b), 700)])
		}
	}
	f.Add(uint8(0), []byte("<a><b><![CDATA[x]]><!-- --><?p ?></b></a>"))
	f.Add(uint8(0), []byte("a,b\n\"x\"\"y\",\n"))
	f.Fuzz(func(t *testing.T, which uint8, input []byte) {
		typ := all[ids[int(which)%len(ids)]]
		if outcome(t, typ, bytes.NewReader(input)) != outcome(t, typ, iotest.HalfReader(bytes.NewReader(input))) {
			t.Fatal("the outcome depends on how the bytes arrive")
		}
		r, err := licence.NewReader(bytes.NewReader(input), typ)
		if err != nil {
			return
		}
		for {
			d, err := r.Next()
			var bad *licence.RecordError
			if errors.As(err, &bad) {
				continue
			}
			if err != nil {
				return
			}
			canonical := d.Canonical()
			if !utf8.Valid(canonical) || bytes.IndexByte(canonical, '\n') >= 0 {
				t.Fatalf("canonical form %q", canonical)
			}
			again, err := licence.NewReader(bytes.NewReader(canonical), typ)
			if err != nil {
				t.Fatal(err)
			}
			same, err := again.Next()
			if err != nil {
				t.Fatalf("%v: %s", err, canonical)
			}
			if !bytes.Equal(same.Canonical(), canonical) {
				t.Fatalf("not stable: %s, then %s", canonical, same.Canonical())
			}
			for i := range typ.Leaves() {
				if same.ValueAt(i) != d.ValueAt(i) {
					t.Fatalf("leaf %d differs", i)
				}
			}
			if _, err := again.Next(); err != io.EOF {
				t.Fatal(err)
			}
		}
	})
}

func FuzzParseIdentifier(f *testing.F) {
	for _, s := range goodIdentifiers {
		f.Add(s)
	}
	f.Add(strings.TrimSuffix(goodIdentifiers[5], "D") + "M")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := licence.ParseIdentifier(s)
		var e *licence.IdentifierError
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("%T", err)
		}
		if err == nil && id.String() != s {
			t.Fatalf("%q becomes %q", s, id)
		}
	})
}

func FuzzParseType(f *testing.F) {
	for _, typ := range types(f) {
		f.Add(typ.Canonical())
	}
	f.Add([]byte(noteType))
	f.Fuzz(func(t *testing.T, b []byte) {
		typ, err := licence.ParseType(b)
		if err != nil {
			return
		}
		canonical := typ.Canonical()
		again, err := licence.ParseType(canonical)
		if err != nil {
			t.Fatalf("%v: %s", err, canonical)
		}
		if !bytes.Equal(again.Canonical(), canonical) || !slices.Equal(again.Leaves(), typ.Leaves()) || again.NumberField().Key != typ.NumberField().Key {
			t.Fatalf("not stable: %s", canonical)
		}
	})
}

func FuzzParseDepartments(f *testing.F) {
	f.Add([]byte(`[{"id":"a","uscc":"11990100MB0000001T","name":{"zh":"甲","en":"A"},"units":[{"id":"u","divisionCode":"990101","name":{"zh":"乙","en":"B"}}],"issues":["x"]}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		departments, err := licence.ParseDepartments(b)
		if (err != nil) != (departments == nil) && !reflect.DeepEqual(departments, []licence.Department(nil)) {
			t.Fatalf("%v with %v", departments, err)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2006-05-06", "20060506", "2006年5月6日", "２００６／５／６", "2006-05-06 00:00:00.0", "2006-05-06T00:00:00+08:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := licence.ParseDate(s)
		if err != nil {
			return
		}
		again, err := licence.ParseDate(d.String())
		if err != nil || again != d || len(d.String()) != 10 {
			t.Fatalf("%q: %s, %v", s, d, err)
		}
	})
}
