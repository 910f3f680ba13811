package licence_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/credledger/credledger/sdk/licence"
)

// A small type for inputs that are written by hand. Its values are easy to find in an error.
const noteType = `{"id":"note","version":1,"code":"1110000000DEM0001W009","provisional":true,"name":{"zh":"测","en":"Note"},
"definer":"1110000000DEM0001W","holders":"one","validity":"term","maxStatusAge":"1h","fields":[
{"key":"number","label":{"zh":"编号","en":"Number"},"kind":"string","classification":"public","required":true,"aliases":["ZZBH","编号"]},
{"key":"holders","label":{"zh":"持证人","en":"Holders"},"kind":"names","classification":"internal","required":false,"aliases":["持证人"]},
{"key":"ids","label":{"zh":"证件号","en":"Identity numbers"},"kind":"ids","classification":"sensitive","required":false,"aliases":["证件号"]},
{"key":"size","label":{"zh":"面积","en":"Size"},"kind":"decimal","classification":"internal","required":false,"aliases":[]},
{"key":"day","label":{"zh":"日期","en":"Day"},"kind":"date","classification":"internal","required":false,"aliases":[]},
{"key":"remarks","label":{"zh":"备注","en":"Remarks"},"kind":"text","classification":"sensitive","required":false,"aliases":["bz"]}],
"transitions":[],"restrictions":[]}`

func note(t testing.TB) *licence.Type {
	t.Helper()
	typ, err := licence.ParseType([]byte(noteType))
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// outcome renders what a reader makes of an input: documents, codes of errors, one line each.
func outcome(t testing.TB, typ *licence.Type, r io.Reader) string {
	t.Helper()
	var out strings.Builder
	reader, err := licence.NewReader(r, typ)
	for err == nil {
		var d *licence.Document
		var bad *licence.RecordError
		switch d, err = reader.Next(); {
		case err == nil:
			fmt.Fprintf(&out, "%s\n", d.Canonical())
		case errors.As(err, &bad):
			fmt.Fprintf(&out, "%d@%d", bad.Record, bad.Line)
			for _, p := range bad.Problems {
				fmt.Fprintf(&out, " %s(%s)", p.Code, p.Field)
			}
			out.WriteByte('\n')
			err = nil
		}
	}
	if err == io.EOF {
		return out.String()
	}
	var fatal *licence.InputError
	if !errors.As(err, &fatal) {
		t.Fatalf("%T: %v", err, err)
	}
	if fatal.Message == "" {
		t.Errorf("%s without a message", fatal.Code)
	}
	fmt.Fprintf(&out, "!%s@%d", fatal.Code, fatal.Line)
	if fatal.Field != "" {
		fmt.Fprintf(&out, "(%s)", fatal.Field)
	}
	return out.String() + "\n"
}

const (
	one = `{"number":"1"}` + "\n"
	two = `{"number":"2"}` + "\n"
)

func TestReader(t *testing.T) {
	typ := note(t)
	for _, c := range []struct{ name, input, want string }{
		// What belongs to no format.
		{"empty", "", "!empty-input@0\n"},
		{"blank", " \r\n\t\n", "!empty-input@0\n"},
		{"only a byte order mark", "\ufeff", "!empty-input@0\n"},
		{"UTF-16", "\xff\xfe{\x00", "!not-utf8@1\n"},
		{"UTF-16, the other way round", "\xfe\xff\x00{", "!not-utf8@1\n"},
		{"UTF-16 without a mark", "{\x00\"\x00n\x00", "!not-utf8@1\n"},
		{"binary", "\x00\x01\x02\x03", "!not-utf8@1\n"},

		// JSON.
		{"one object", `{"number":"1"}`, one},
		{"one object over lines", "\ufeff\n{\n\"number\"\n:\"1\"}\n", one},
		{"number field by its Chinese name", `{"编号":"１"}`, one},
		{"field name with white space", `{" 编号 ":"1"}`, one},
		{"empty array", " [ ] ", ""},
		{"array", "[{\"number\":\"1\"} ,\n{\"number\":\"2\"}]", one + two},
		{"array with a bad record", "[{\"number\":\"1\"},\n\n{\"number\":5},{\"number\":\"2\"}]", one + "2@3 bad-value(number)\n" + two},
		{"array with a malformed record", "[{\"number\":\"1\"},{\"number\" 5},{\"number\":\"2\"}]", one + "2@1 malformed()\n" + two},
		{"array of strings", `["a"]`, "!malformed@1\n"},
		{"array of arrays", `[[]]`, "!malformed@1\n"},
		{"array without a comma", "[{\"number\":\"1\"}\n{\"number\":\"2\"}]", one + "!malformed@2\n"},
		{"array with a comma at the end", "[{\"number\":\"1\"},]", one + "!malformed@1\n"},
		{"array cut off in a record", "[{\"number\":\"1\"},\n{\"number\":\"2", one + "!truncated@2\n"},
		{"array cut off after a record", "[{\"number\":\"1\"}", one + "!truncated@1\n"},
		{"array cut off after a comma", "[{\"number\":\"1\"},", one + "!truncated@1\n"},
		{"array cut off at once", "[", "!truncated@1\n"},
		{"array and more", "[{\"number\":\"1\"}] x", one + "!malformed@1\n"},
		{"object and more", "{\n\"number\":\"1\"} x", one + "!malformed@2\n"},
		{"object cut off", "{\n\"number\":\"1\"", "!truncated@1\n"},
		{"two objects over lines", "{\n\"number\":\"1\"}\n{\n\"number\":\"1\"}", one + "!malformed@3\n"},
		{"JSON Lines", "{\"number\":\"1\"}\r\n\r\n  {\"number\":\"2\"}", one + two},
		{"JSON Lines with a damaged first line", "{\"number\":\"1\n{\"number\":\"2\"}\n", "1@1 malformed()\n" + two},
		{"JSON Lines with a damaged second line", "{\"number\":\"1\"}\n{\"number\":\"x\n{\"number\":\"2\"}\n", one + "2@2 malformed()\n" + two},
		{"JSON Lines with two on a line", "{\"number\":\"1\"}{\"number\":\"2\"}\n{\"number\":\"2\"}", "1@1 malformed()\n" + two},
		{"JSON Lines with invalid UTF-8 in the second", "{\"number\":\"1\"}\n{\"number\":\"\xff\"}\n{\"number\":\"2\"}", one + "2@2 not-utf8()\n" + two},
		{"GB18030", "{\"number\":\"\xd6\xd0\"}\n{\"number\":\"2\"}", "!not-utf8@1\n"},
		{"GB18030 in an array", "[{\"number\":\"\xd6\xd0\"}]", "!not-utf8@1\n"},
		{"JSON Lines that are not objects", "{}\n1\n\"x\"\nnull", "1@1 missing-field(number)\n2@2 malformed()\n3@3 malformed()\n4@4 malformed()\n"},

		// JSON values.
		{"null and blank are absent", `{"number":"1","holders":null,"ids":"","size":" ","day":null,"remarks":"\t"}`, one},
		{"empty array is absent", `{"number":"1","holders":[]}`, one},
		{"escapes", `{"number":"\u0031\ud83d\ude00\/\"\\"}`, `{"number":"1😀/\"\\"}` + "\n"},
		{"lone surrogate", `{"number":"\ud83d"}`, "1@1 malformed()\n"},
		{"swapped surrogates", `{"number":"\ude00\ud83d"}`, "1@1 malformed()\n"},
		{"tab in a string", "{\"number\":\"\t1\"}", "1@1 malformed()\n"},
		{"tab in a long string", "{\"remarks\":\"0123456789\t\",\"number\":\"1\"}", "1@1 malformed()\n"},
		{"decimal as a number", `{"number":"1","size":197.20}`, `{"number":"1","size":"197.2"}` + "\n"},
		{"decimal as a string", `{"number":"1","size":"１９７.20"}`, `{"number":"1","size":"197.2"}` + "\n"},
		{"decimal with an exponent", `{"number":"1","size":1e3}`, "1@1 bad-value(size)\n"},
		{"malformed number", `{"number":"1","size":01}`, "1@1 malformed()\n"},
		{"number for a text", `{"number":1}`, "1@1 bad-value(number)\n"},
		{"boolean", `{"number":true}`, "1@1 bad-value(number)\n"},
		{"object", `{"number":{"a":[1,{"b":null}]}}`, "1@1 bad-value(number)\n"},
		{"list for a text", `{"number":["1"]}`, "1@1 bad-value(number)\n"},
		{"list of one", `{"number":"1","holders":"张三"}`, `{"number":"1","holders":["张三"]}` + "\n"},
		{"list in one text", `{"number":"1","holders":"张三;李四；王五、赵六"}`, `{"number":"1","holders":["张三","李四","王五","赵六"]}` + "\n"},
		{"list in an array", `{"number":"1","holders":["张三;李四", " 王五 "]}`, `{"number":"1","holders":["张三","李四","王五"]}` + "\n"},
		{"list with an empty item", `{"number":"1","holders":["张三",""]}`, "1@1 bad-value(holders)\n"},
		{"list with a separator too many", `{"number":"1","holders":"张三;"}`, "1@1 bad-value(holders)\n"},
		{"list of null", `{"number":"1","holders":[null]}`, "1@1 bad-value(holders)\n"},
		{"list of lists", `{"number":"1","holders":[["张三"]]}`, "1@1 bad-value(holders)\n"},
		{"list of numbers", `{"number":"1","ids":[990101196811176439]}`, "1@1 bad-value(ids)\n"},
		{"line breaks in text", `{"number":"1","remarks":"a\r\nb\rc"}`, `{"number":"1","remarks":"a\nb\nc"}` + "\n"},
		{"unknown field", `{"number":"1","colour":"red","price":{"a":[]}}`, "1@1 unknown-field(colour) unknown-field(price)\n"},
		{"unknown field with a value for a name", `{"number":"1","990101196811176439":"x"}`, "1@1 unknown-field((not shown: it does not look like a name))\n"},
		{"doubled field", `{"number":"1","number":"1"}`, "1@1 duplicate-field(number)\n"},
		{"doubled by an alias", `{"number":"1","ZZBH":null}`, "1@1 duplicate-field(number)\n"},
		{"missing field", `{"size":"5"}`, "1@1 missing-field(number)\n"},
		{"empty required field", `{"number":"  "}`, "1@1 missing-field(number)\n"},
		{"several problems", `{"size":"x","day":"y","holders":";","z":1}`,
			"1@1 bad-value(size) bad-value(day) bad-value(holders) unknown-field(z) missing-field(number)\n"},
		{"nested too deeply", `{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "1@1 malformed()\n"},
		{"reserved names", `{"number":"1","ZZYXQQSRQ":"2020-01-01","ZZYXQJZRQ":"2030-01-01"}`, one},
		{"validity the wrong way round", `{"number":"1","ZZYXQQSRQ":"2030-01-01","ZZYXQJZRQ":"2020-01-01"}`, "1@1 bad-value(ZZYXQJZRQ)\n"},
		{"malformed validity", `{"number":"1","ZZYXQQSRQ":"soon"}`, "1@1 bad-value(ZZYXQQSRQ)\n"},
		{"identifier", `{"number":"1","ZZBS":"1.2.156.3005.2.1110000000DEM0001W009.11990100MB0000001T.1.001.9"}`, "1@1 bad-value(identifier)\n"},
		{"identifier of another type", `{"number":"1","identifier":"1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0"}`, "1@1 bad-value(identifier)\n"},
		{"documents", `{"number":"1","documents":["` + strings.Repeat("AB", 32) + `"]}`, `{"number":"1","documents":["` + strings.Repeat("ab", 32) + `"]}` + "\n"},
		{"malformed document", `{"number":"1","documents":["ab"]}`, "1@1 bad-value(documents)\n"},

		// XML.
		{"XML record", "<a><number>1</number></a>", one},
		{"XML list", "<?xml version=\"1.0\"?>\n<a type='note' n='2'>\n<b><number>1</number></b>\n<!-- <b> --><b><number>2</number></b></a>\n<!-- end --> ", one + two},
		{"XML list of nothing", "<a/>", ""},
		{"XML list of nothing, with an end tag", "<a> <!-- x --> </a>", ""},
		{"XML entities", "<a><b><number>&#49;&lt;&gt;&amp;&quot;&apos;&#x4e2d;</number></b></a>", `{"number":"1<>&\"'中"}` + "\n"},
		{"XML CDATA", "<a><b><number><![CDATA[1]]><!-- 5 --><![CDATA[ <b>]]>&amp;</number></b></a>", `{"number":"1<b>&"}` + "\n"},
		{"XML list of values", "<a><b><holders>张三</holders><number>1</number><holders>李四、王五</holders></b></a>", `{"number":"1","holders":["张三","李四","王五"]}` + "\n"},
		{"XML empty elements", "<a><b><number>1</number><holders/><day></day><remarks> </remarks></b></a>", one},
		{"XML empty item", "<a><b><number>1</number><holders/><holders>x</holders></b></a>", "1@1 bad-value(holders)\n"},
		{"XML attributes of XML itself", `<a xmlns:x="u"><b xmlns="v" xml:lang="zh"><x:number xsi:type="string">1</x:number></b></a>`, one},
		{"XML attribute", `<a><b id="7"><number unit="x">1</number></b></a>`, "1@1 unknown-field(@id) unknown-field(@unit)\n"},
		{"XML doubled field", "<a><b><number>1</number><number>1</number></b></a>", "1@1 duplicate-field(number)\n"},
		{"XML doubled list by an alias", "<a><b><number>1</number><holders>x</holders><持证人>y</持证人></b></a>", "1@1 duplicate-field(holders)\n"},
		{"XML unknown field", "<a><b><number>1</number><colour><red/>x<green>y</green></colour></b></a>", "1@1 unknown-field(colour)\n"},
		{"XML nested field", "<a><b><number><x>1</x></number></b></a>", "1@1 bad-value(number)\n"},
		{"XML text in a record", "<a><b>x<number>1</number></b><b><number>2</number></b></a>", "1@1 malformed()\n" + two},
		{"XML wrong end tag in a record", "<a><b><number>1</day></b>\n<b><number>2</number></b></a>", "1@1 malformed()\n" + two},
		{"XML bare ampersand", "<a><b><number>1 & 2</number></b><b><number>2</number></b></a>", "1@1 malformed()\n" + two},
		{"XML unknown entity", "<a><b><number>&nbsp;</number></b></a>", "1@1 malformed()\n"},
		{"XML control character", "<a><b><number>&#1;</number></b></a>", "1@1 malformed()\n"},
		{"XML surrogate", "<a><b><number>&#xD800;</number></b></a>", "1@1 malformed()\n"},
		{"XML doubled attribute", "<a><b x='1' x='2'><number>1</number></b></a>", "1@1 malformed()\n"},
		{"XML unquoted attribute", "<a><b x=1><number>1</number></b></a>", "1@1 malformed()\n"},
		{"XML type declaration", "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a><b><number>&x;</number></b></a>", "!malformed@1\n"},
		{"XML type declaration in a record", "<a><b><!DOCTYPE x><number>1</number></b></a>", "!malformed@1\n"},
		{"XML text between records", "<a><b><number>1</number></b> x <b><number>2</number></b></a>", one + "!malformed@1\n"},
		{"XML CDATA between records", "<a><b><number>1</number></b><![CDATA[x]]></a>", one + "!malformed@1\n"},
		{"XML text before records", "<a>x<b><number>1</number></b></a>", "!malformed@1\n"},
		{"XML cut off", "<a>\n<b><number>1</number></b>\n<b><number>2", one + "!truncated@3\n"},
		{"XML cut off in a tag", "<a><b><num", "!truncated@1\n"},
		{"XML cut off after a record", "<a>\n<b><number>1</number></b>", one + "!truncated@2\n"},
		{"XML cut off in a comment", "<a><!-- x", "!truncated@1\n"},
		{"XML wrong end of the root", "<a><b><number>1</number></b></c>", one + "!malformed@1\n"},
		{"XML and more", "<a><b><number>1</number></b></a><a/>", one + "!malformed@1\n"},
		{"XML and text", "<a><b><number>1</number></b></a>x", one + "!malformed@1\n"},
		{"XML of another type", "<a type='marriage'><b><number>1</number></b></a>", "!wrong-type@1\n"},
		{"XML in another encoding", "<?xml version=\"1.0\" encoding=\"GBK\"?><a><b><number>1</number></b></a>", "!not-utf8@1\n"},
		{"XML with invalid UTF-8", "<a><b><number>\xd6\xd0</number></b></a>", "!not-utf8@1\n"},
		{"XML with invalid UTF-8 in the second", "<a><b><number>1</number></b><b><number>\xd6\xd0</number></b></a>", one + "2@1 not-utf8()\n"},
		{"XML less-than in an attribute", "<a x='<'><b/></a>", "!malformed@1\n"},
		{"XML that is not", "<", "!truncated@1\n"},
		{"XML that begins with an end tag", "</a>", "!malformed@1\n"},
		{"XML nested too deeply", "<a><b><number>" + strings.Repeat("<x>", 100) + strings.Repeat("</x>", 100) + "</number></b></a>", "1@1 malformed()\n"},

		// CSV.
		{"CSV", "number,day\n1,2006/5/6\n\n2,\n", `{"number":"1","day":"2006-05-06"}` + "\n" + two},
		{"CSV without a last line end", "number\r\n1\r\n2", one + two},
		{"CSV header alone", "number\n", ""},
		{"CSV header of aliases", "\ufeff 编号 ,bz\n1,\n", one},
		{"CSV quoted", "\"number\",\"bz\"\n\"1\",\"a\"\"b\r\nc, d\"\n2,\n", `{"number":"1","remarks":"a\"b\nc, d"}` + "\n" + two},
		{"CSV lines after a quoted line end", "number,bz\n1,\"a\nb\"\n,\n2,\n", `{"number":"1","remarks":"a\nb"}` + "\n2@4 missing-field(number)\n" + two},
		{"CSV list", "number,持证人\n1,张三;李四\n", `{"number":"1","holders":["张三","李四"]}` + "\n"},
		{"CSV too few cells", "number,day\n1\n2,\n", "1@2 malformed()\n" + two},
		{"CSV too many cells", "number,day\n1,,\n2,\n", "1@2 malformed()\n" + two},
		{"CSV bare quotation mark", "number,day\n1\"x,\n2,\n", "1@2 malformed()\n" + two},
		{"CSV text after a quotation mark", "number,day\n\"1\"x,\n2,\n", "1@2 malformed()\n" + two},
		{"CSV unclosed quotation mark", "number,day\n1,\n\"2,\n3,\n", `{"number":"1"}` + "\n!truncated@3\n"},
		{"CSV unknown column", "number,colour\n1,red\n", "!unknown-field@1(colour)\n"},
		{"CSV nameless column", "number,\n1,\n", "!unknown-field@1\n"},
		{"CSV doubled column", "number,ZZBH\n1,1\n", "!duplicate-field@1(number)\n"},
		{"CSV without a required column", "day\n2006-05-06\n", "!missing-field@1(number)\n"},
		{"CSV without a header", "钱琳,990101196811176439\n", "!malformed@1\n"},
		{"CSV header in GB18030", "\xb1\xe0\xba\xc5\n1\n", "!not-utf8@1\n"},
		{"CSV records in GB18030", "number\n\xb1\xe0\n", "!not-utf8@2\n"},
		{"CSV second record in GB18030", "number\n1\n\xb1\xe0\n2\n", one + "2@3 not-utf8()\n" + two},
		{"something else", "hello", "!malformed@1\n"},
	} {
		for form, r := range map[string]io.Reader{"at once": strings.NewReader(c.input), "byte by byte": iotest.OneByteReader(strings.NewReader(c.input))} {
			if got := outcome(t, typ, r); got != c.want {
				t.Errorf("%s, %s: got\n%swant\n%s", c.name, form, got, c.want)
			}
		}
	}
}

// An error names field, line and record, and never quotes a value.
func TestErrorsNameTheFieldAndHideTheValue(t *testing.T) {
	typ := types(t)["marriage"]
	good := string(sample(t, "marriage.jsonl"))
	lines := strings.SplitAfter(good, "\n")
	secret := "990101196811176439"
	if !strings.Contains(lines[0], secret) {
		t.Fatal("the sample has changed")
	}
	for _, c := range []struct{ old, new, code, field string }{
		{secret, "990101196811176438", licence.BadValue, "spouse1Id"},
		{secret, "990101SECRET", licence.BadValue, "spouse1Id"},
		{"钱琳", "钱琳\\u0000", licence.BadValue, "spouse1Name"},
		{"1968-11-17", "1968-11-71", licence.BadValue, "spouse1BirthDate"},
		{`"` + secret + `"`, secret, licence.BadValue, "spouse1Id"},
		{`"spouse1Id": "` + secret + `", `, ``, licence.MissingField, "spouse1Id"},
		{`"spouse1Id": "`, `"男方身份证件号": "` + secret + `", "spouse1Id": "`, licence.DuplicateField, "spouse1Id"},
		{`"spouse1Id": "` + secret + `"`, `"spouse1Id": "` + secret, licence.Malformed, ""},
		{`"spouse1Id": "`, `"` + secret + `": "`, licence.UnknownField, "(not shown: it does not look like a name)"},
	} {
		bad := strings.Replace(lines[0], c.old, c.new, 1)
		if bad == lines[0] {
			t.Fatalf("the edit %q does not apply", c.old)
		}
		r, err := licence.NewReader(strings.NewReader(lines[1]+bad+lines[2]), typ)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		_, err = r.Next()
		var e *licence.RecordError
		if !errors.As(err, &e) || e.Record != 2 || e.Line != 2 || e.Code() != c.code || e.Problems[0].Field != c.field {
			t.Errorf("%s: %v", c.new, err)
			continue
		}
		for _, hidden := range []string{"99010119681117643", "SECRET", "钱琳", "1968-11"} {
			if strings.Contains(err.Error(), hidden) {
				t.Errorf("the error quotes a value: %v", err)
			}
		}
		if !strings.Contains(err.Error(), "record 2 (line 2)") || !strings.Contains(err.Error(), c.field) {
			t.Errorf("the error does not say where: %v", err)
		}
		if _, err := r.Next(); err != nil {
			t.Errorf("reading does not go on: %v", err)
		}
	}
}

func TestRecordsAreParsedInParallel(t *testing.T) {
	typ := types(t)["property"]
	want := read(t, typ, sample(t, "property.jsonl"))
	for _, name := range []string{"property.jsonl", "property.csv", "property.xml"} {
		r, err := licence.NewReader(bytes.NewReader(sample(t, name)), typ)
		if err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for {
			raw, err := r.NextRaw()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(raw.Text(), want[raw.Record-1].Number()) {
				t.Errorf("%s: record %d is not the text of its licence", name, raw.Record)
			}
			wait.Go(func() {
				d, err := typ.ParseRaw(raw)
				if err != nil || !bytes.Equal(d.Canonical(), want[raw.Record-1].Canonical()) {
					t.Errorf("%s: record %d differs: %v", name, raw.Record, err)
				}
			})
		}
		wait.Wait()
	}
}

func TestReaderFailures(t *testing.T) {
	typ := note(t)
	broken := errors.New("disk on fire")
	for _, input := range []string{"", "{", one + `{"num`, "[" + one, "<a>", "<a><b/>", "number\n1", "number\n1\n", "number,bz\n1,\"x"} {
		r, err := licence.NewReader(io.MultiReader(strings.NewReader(input), iotest.ErrReader(broken)), typ)
		for err == nil {
			var record *licence.RecordError
			if _, err = r.Next(); errors.As(err, &record) {
				err = nil
			}
		}
		var e *licence.InputError
		if !errors.As(err, &e) || e.Code != licence.ReadFailed || !errors.Is(err, broken) {
			t.Errorf("%q: %v", input, err)
		}
	}
	if _, err := licence.NewReader(strings.NewReader(one), &licence.Type{ID: "note"}); err == nil {
		t.Error("a type that does not come from ParseType was accepted")
	}
	if _, err := typ.ParseRaw(licence.Raw{}); err == nil {
		t.Error("a record that does not come from a reader was accepted")
	}
	r, err := licence.NewReader(strings.NewReader("number\n1\n"), typ)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := r.NextRaw()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := types(t)["property"].ParseRaw(raw); err == nil {
		t.Error("a CSV record of another type was accepted")
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the end, again: %v", err)
	}
}

// What a person reads says where and what to do.
func TestMessages(t *testing.T) {
	typ := note(t)
	for _, c := range []struct{ input, want string }{
		{"{\"number\":\"1\",\n\"day\":\"soon\",\"x\":1}", "record 1 (line 1): day: not a value of the kind date: it must be a calendar date from 1800 to 9999, " +
			"as in 2006-05-06; x: the type note has no such field"},
		{"{}", "record 1 (line 1): number: the required field is missing or empty (编号)"},
		{"{\"number\":\"1\"", "record 1 (line 1): malformed JSON at byte 14: expected ',' or '}'"},
		{"number\n\xd6\xd0", "line 2: the input is not UTF-8 text; convert the file first, for instance with: iconv -f GB18030 -t UTF-8"},
		{"number,colour\n", "line 1: column 2: the type note has no field colour"},
		{"day\n", "line 1: there is no column for the required field number (编号)"},
		{"", "the input is empty"},
		{`{"number":"1","identifier":"1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M"}`,
			"record 1 (line 1): identifier: not a value of the kind identifier: it is refused: licence identifier: legacy check character: it was computed by a " +
				"routine that values letters one too high; ISO 7064 MOD 37,36 asks for D"},
	} {
		r, err := licence.NewReader(strings.NewReader(c.input), typ)
		if err == nil {
			_, err = r.Next()
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("%q: got\n%v, want\n%s", c.input, err, c.want)
		}
	}
}
