package licence_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/licence/samples"
)

var update = flag.Bool("update", false, "write the golden files anew")

// types returns the built-in types and the two that exist only as files of the tests.
func types(t testing.TB) map[string]*licence.Type {
	t.Helper()
	builtin, err := catalog.Types()
	if err != nil {
		t.Fatal(err)
	}
	extra, err := catalog.Load("catalog/more")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*licence.Type{}
	for _, typ := range append(builtin, extra...) {
		all[typ.ID] = typ
	}
	if len(all) != 5 {
		t.Fatalf("%d types, want 5", len(all))
	}
	return all
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := samples.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read reads all licences of an input that has no errors.
func read(t testing.TB, typ *licence.Type, input []byte) []*licence.Document {
	t.Helper()
	r, err := licence.NewReader(bytes.NewReader(input), typ)
	if err != nil {
		t.Fatal(err)
	}
	var docs []*licence.Document
	for {
		d, err := r.Next()
		if err == io.EOF {
			return docs
		}
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
}

func TestSamplesAreTheSameInEveryFormat(t *testing.T) {
	for _, id := range []string{"marriage", "property", "business"} {
		typ := types(t)[id]
		want := read(t, typ, sample(t, id+".jsonl"))
		if len(want) != 40 {
			t.Fatalf("%s: %d licences, want 40", id, len(want))
		}
		for _, name := range []string{id + ".xml", id + ".csv", id + "-1.json", id + "-1.zh.json"} {
			got := read(t, typ, sample(t, name))
			if len(got) != 40 && !(len(got) == 1 && strings.Contains(name, "-1.")) {
				t.Fatalf("%s: %d licences", name, len(got))
			}
			for i := range got {
				if !bytes.Equal(got[i].Canonical(), want[i].Canonical()) {
					t.Errorf("%s: licence %d is\n%s, in JSON Lines\n%s", name, i+1, got[i].Canonical(), want[i].Canonical())
				}
			}
		}
		var all []byte
		for _, d := range want[:5] {
			all = append(d.AppendCanonical(all), '\n')
		}
		golden(t, id+".canonical.jsonl", all)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// plainValue is a document as the encoders of the standard library take it.
type plainField struct {
	name   string
	values []string
	list   bool
}

// vocabulary renders a document's leaves under the n-th of each field's names.
func vocabulary(d *licence.Document, n int) (fields []plainField) {
	for i, key := range d.Type().Leaves() {
		names, list := []string{key}, key == licence.DocumentsKey
		if key == licence.IdentifierKey {
			names = append(names, licence.IdentifierAlias)
		}
		if f, ok := d.Type().Field(key); ok {
			names, list = append(names, f.Aliases...), f.Kind.List()
		}
		if v := d.ValueAt(i); !v.IsNull() {
			fields = append(fields, plainField{names[n%len(names)], v.Strings(), list})
		}
	}
	if from, ok := d.ValidFrom(); ok {
		fields = append(fields, plainField{licence.ValidFromAlias, []string{from.String()}, false})
	}
	if until, ok := d.ValidUntil(); ok {
		fields = append(fields, plainField{licence.ValidUntilAlias, []string{until.String()}, false})
	}
	return fields
}

// Independent writers of the formats: the readers are checked against the encoders of the standard library.
func writeJSON(fields []plainField, indent string) []byte {
	m := map[string]any{} // sorted by name when written: the order must not matter
	for _, f := range fields {
		if m[f.name] = f.values[0]; f.list {
			m[f.name] = f.values
		}
	}
	b, err := json.MarshalIndent(m, "", indent)
	if err != nil {
		panic(err)
	}
	return b
}

func writeXML(fields []plainField, wrap bool) []byte {
	var b bytes.Buffer
	b.WriteString("\ufeff<?xml version='1.0' encoding='utf-8'?>\r\n<!-- exported -->")
	if wrap {
		b.WriteString("<data xmlns:gov='urn:gov'>")
	}
	b.WriteString("<gov:record>")
	for _, f := range fields {
		for i, v := range f.values {
			if i == 0 {
				fmt.Fprintf(&b, "\r\n <gov:%s><!-- x --><![CDATA[%s]]></gov:%s >", f.name, v, f.name)
				continue
			}
			fmt.Fprintf(&b, "<gov:%s>", f.name)
			xml.EscapeText(&b, []byte(v))
			fmt.Fprintf(&b, "</gov:%s>", f.name)
		}
	}
	b.WriteString("</gov:record>")
	if wrap {
		b.WriteString("</data>")
	}
	return b.Bytes()
}

func writeCSV(fields []plainField) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	var header, row []string
	for _, f := range fields {
		header = append(header, f.name)
		row = append(row, strings.Join(f.values, "；"))
	}
	w.Write(header)
	w.Write(row)
	w.Flush()
	return b.Bytes()
}

func TestEveryVocabularyInEveryFormat(t *testing.T) {
	all := types(t)
	for id, typ := range all {
		name := filepath.Join("testdata", id+"-1.json")
		input, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			input = sample(t, id+"-1.json")
		} else if err != nil {
			t.Fatal(err)
		}
		d := read(t, typ, input)[0]
		serial, ok := licence.SerialFromNumber(d.Number())
		if !ok {
			t.Fatalf("%s: no serial in the licence number", id)
		}
		identifier, err := licence.NewIdentifier(typ.Code, "11990100MB0000001T", serial, 1)
		if err != nil {
			t.Fatal(err)
		}
		d.SetIdentifier(identifier)
		d.SetDocuments([32]byte{1, 2, 3}, [32]byte{0xff})
		from, hasFrom := d.ValidFrom()
		until, hasUntil := d.ValidUntil()
		for n := range 8 {
			fields := vocabulary(d, n)
			for form, input := range map[string][]byte{
				"compact JSON": writeJSON(fields, ""), "indented JSON": writeJSON(fields, "\t"),
				"an array":        append(append([]byte("[ "), writeJSON(fields, " ")...), " ] \n"...),
				"one XML element": writeXML(fields, false), "an XML list": writeXML(fields, true), "CSV": writeCSV(fields),
				"canonical": d.Canonical(),
			} {
				got := read(t, typ, input)
				if len(got) != 1 || !bytes.Equal(got[0].Canonical(), d.Canonical()) {
					t.Errorf("%s, vocabulary %d, %s: got %d licences from\n%s", id, n, form, len(got), input)
					continue
				}
				if form == "canonical" {
					continue
				}
				gotFrom, ok1 := got[0].ValidFrom()
				gotUntil, ok2 := got[0].ValidUntil()
				if gotFrom != from || gotUntil != until || ok1 != hasFrom || ok2 != hasUntil {
					t.Errorf("%s, vocabulary %d, %s: days of validity differ", id, n, form)
				}
			}
		}
	}
}

// A type that is only a file works like the built-in ones.
func TestTypesAsFiles(t *testing.T) {
	all := types(t)
	divorce := all["divorce"]
	d := read(t, divorce, mustRead(t, "testdata/divorce-1.json"))[0]
	golden(t, "divorce-1.canonical.json", d.Canonical())
	if _, ok := d.ValidUntil(); ok || divorce.NumberField().Key != "certificateNumber" {
		t.Error("divorce: wrong number field or validity")
	}
	if got, want := d.Value("formerSpouse1Id").String(), "99010119680229123"; !strings.HasPrefix(got, want) {
		t.Error("divorce: the identity number was not folded")
	}

	statement := all["no-record"]
	d = read(t, statement, mustRead(t, "testdata/no-record-1.json"))[0]
	golden(t, "no-record-1.canonical.json", d.Canonical())
	from, ok1 := d.ValidFrom()
	until, ok2 := d.ValidUntil()
	if !ok1 || !ok2 || from.String() != "2026-03-02" || until.String() != "2026-08-31" {
		t.Errorf("no-record: valid from %s (%t) until %s (%t)", from, ok1, until, ok2)
	}
}

func mustRead(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
