package paper_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/paper"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/verifier/intake"
)

// sheet is a sheet of a sample licence in a batch of a size; without keys it shows all fields.
func sheet(t testing.TB, typeID string, size int, keys ...string) paper.Sheet {
	t.Helper()
	p := credentialtest.Batch(t, typeID, size).Credential(size - 1)
	if len(keys) > 0 {
		p = credentialtest.Disclose(t, p, keys...)
	}
	return of(t, p)
}

// of is a sheet of a presentation.
func of(t testing.TB, p *credential.Presentation) paper.Sheet {
	t.Helper()
	issuer := credentialtest.Department(t, p.Record.Type)
	return paper.Sheet{
		Shown: credentialtest.Open(t, p), Issuer: issuer.Name, Unit: issuer.Units[0].Name,
		Purpose: licence.Text{Zh: "二手房过户", En: "Transfer of a second-hand home"},
		Host:    credentialtest.Host, Printed: time.Date(2026, 11, 22, 2, 30, 5, 0, time.UTC), Language: paper.Chinese,
	}
}

// saying is a sheet whose first field says something else: for its looks, since it proves nothing.
func saying(t testing.TB, value string) paper.Sheet {
	t.Helper()
	s := sheet(t, "property", 1, credentialtest.TwoFields["property"]...)
	s.Shown.Fields[0].Value = licence.TextValue(value)
	return s
}

// noise is a text of so many Chinese characters that hardly gets shorter by compression.
func noise(n int) string {
	text, x := make([]rune, n), uint32(1)
	for i := range text {
		x = x*1664525 + 1013904223
		text[i] = rune(0x4e00 + x>>8%20000)
	}
	return string(text)
}

func printed(t testing.TB, s paper.Sheet) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := paper.Print(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPrint prints sheets, and has everything on them read by other programs.
func TestPrint(t *testing.T) {
	for name, c := range map[string]struct {
		sheet paper.Sheet
		large bool
		lang  string
		pages int
		says  []string
	}{
		"two fields": {sheet(t, "marriage", 1, credentialtest.TwoFields["marriage"]...), false, paper.Chinese, 1,
			[]string{"结婚证", "颁发机构：示范市民政局 婚姻登记处", "制发日期：2026-11-07", "打印时间：2026-11-22 10:30", "持证人选择出示的内容（2 项）", "第 1 页，共 1 页"}},
		"two fields, large, in English": {sheet(t, "marriage", 256, credentialtest.TwoFields["marriage"]...), true, paper.English, 2,
			[]string{"Marriage certificate", "结婚证", "Demo City Civil Affairs Bureau, Marriage registry", "Shown for: Transfer of a second-hand home",
				"Not proven to be shown by its holder: check the identity card", "What the holder chose to show (2 fields)", "Page 2 of 2"}},
		"everything":              {sheet(t, "property", 4096), false, paper.Chinese, 2, []string{"用于办理：二手房过户", "不动产权证书", "（无）", "第 2 页，共 2 页"}},
		"everything, large":       {sheet(t, "business", 256), true, paper.Chinese, 2, []string{"营业执照", "经营范围", "怎样核验"}},
		"as much as a code holds": {saying(t, noise(960)), false, paper.Chinese, 2, []string{"权利人"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.sheet.Large, c.sheet.Language = c.large, c.lang
			file := printed(t, c.sheet)
			path := written(t, file)
			if n := validPages(t, file); n != c.pages {
				t.Errorf("%d pages, want %d", n, c.pages)
			}
			allEmbedded(t, path)

			text := textOf(t, path)
			types := c.sheet.Shown.Type
			says := append(c.says, "未证明本人出示,请核对身份证", "https://"+strings.ToLower(c.sheet.Host)+"/", c.sheet.Shown.Digest.String())
			for _, f := range c.sheet.Shown.Fields {
				says = append(says, types.Label(types.Leaves()[f.Index]).Zh, f.Value.String())
			}
			within := withoutFeet(text, c.sheet.Shown.Digest.String(), c.pages)
			for _, want := range says {
				if !strings.Contains(text, squeezed(want)) && !strings.Contains(within, squeezed(want)) {
					t.Errorf("it does not say %.60q", want)
				}
			}
			shown := c.sheet.Shown.Bytes()
			if got := attachment(t, path); !bytes.Equal(got, shown) {
				t.Error("what is attached is not what was to be shown")
			}
			result, err := intake.NewReader(1).Read(t.Context(), intake.Input{File: file})
			if err != nil || len(result.Items) != 1 || !bytes.Equal(result.Items[0].Bytes, shown) || result.Items[0].Source != intake.SourcePDF {
				t.Errorf("the verifier reads another thing from the file: %v", err)
			}
			page := rendered(t, path, 200)
			want, err := credential.EncodeCode(c.sheet.Host, c.sheet.Shown.Presentation)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSuffix(run(t, "zbarimg", "--quiet", "--raw", page), "\n"); got != want {
				t.Errorf("zbar reads another code: %.60s", got)
			}
			if name != "everything" { // the others would take seconds
				return
			}
			picture, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := qr.Decode(bytes.NewReader(picture)); err != nil || got != want {
				t.Errorf("the picture of the page shows another code: %v", err)
			}
		})
	}
}

// withoutFeet leaves out what is at the foot of each page, in either language, and may be in the middle of a value.
func withoutFeet(text, digest string, pages int) string {
	for n := range pages {
		text = strings.Replace(text, fmt.Sprintf("证照摘要%s第%d页，共%d页", digest, n+1, pages), "", 1)
		text = strings.Replace(text, fmt.Sprintf("Digest%sPage%dof%d", digest, n+1, pages), "", 1)
	}
	return text
}

// TestFieldsThatAreNotShown are nowhere in the file.
func TestFieldsThatAreNotShown(t *testing.T) {
	whole := sheet(t, "marriage", 1)
	s := of(t, credentialtest.Disclose(t, whole.Shown.Presentation, "spouse1Name"))
	file := printed(t, s)
	text := textOf(t, written(t, file))
	for _, f := range whole.Shown.Fields {
		key, value := whole.Shown.Type.Leaves()[f.Index], f.Value.String()
		if key == "spouse1Name" || len(value) < 6 || value == whole.Issuer.Zh+whole.Unit.Zh {
			continue
		}
		if strings.Contains(text, squeezed(value)) || bytes.Contains(file, []byte(value)) || bytes.Contains(file, f.Salt[:]) {
			t.Errorf("%s is in the file", key)
		}
	}
}

// TestSame prints the same from several goroutines at once.
func TestSame(t *testing.T) {
	first, other := sheet(t, "business", 3), sheet(t, "property", 3)
	want, wantOther := printed(t, first), printed(t, other)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if !bytes.Equal(printed(t, first), want) {
				t.Error("the same sheet gives another file")
			}
		})
		all.Go(func() {
			if !bytes.Equal(printed(t, other), wantOther) {
				t.Error("the other sheet gives another file")
			}
		})
	}
	all.Wait()
	later := first
	later.Printed = later.Printed.Add(time.Minute)
	if bytes.Equal(printed(t, later), want) {
		t.Error("the time of printing makes no difference")
	}
}

// TestNames prints names whose characters are rare, or look as if they could break something.
func TestNames(t *testing.T) {
	names := []string{
		"阿依古丽·买买提", "朱镕基", "㛃㛚㟃", "王𬭎", "李𠮷生", "𨱏𫍯𬍛", "鿍鿔", "〇七", "ÀÇéñ Ōta", "Иванов", "O'Brien-Smith",
		"(Tj) ET Q", `back\slash \(`, "<</Type /Catalog>>", "endstream endobj", "%PDF-1.7", "不丨丩尨", "“引号”——①Ⅳ㎡…", "⒈⑴〈〉",
	}
	file := printed(t, saying(t, strings.Join(names, "\n")))
	validPages(t, file)
	text := textOf(t, written(t, file))
	for _, name := range names {
		if !strings.Contains(text, squeezed(name)) {
			t.Errorf("%s is read as another text", name)
		}
	}
}

// TestLongValue prints a value that goes on for pages.
func TestLongValue(t *testing.T) {
	sentence := "国有建设用地使用权，自二〇二六年起；see also section 12.3 (b).\n"
	long := strings.Repeat(sentence, 120)
	for _, large := range []bool{false, true} {
		s := saying(t, long)
		s.Large = large
		pages := 4
		if large {
			pages = 10
		}
		file := printed(t, s)
		if n := validPages(t, file); n < pages {
			t.Errorf("only %d pages", n)
		}
		if got := strings.Count(textOf(t, written(t, file)), "年"); got != 120 {
			t.Errorf("%d sentences of 120", got)
		}
	}
}

func TestRefused(t *testing.T) {
	good := func() paper.Sheet { return sheet(t, "property", 1, credentialtest.TwoFields["property"]...) }
	with := func(change func(*paper.Sheet)) paper.Sheet {
		s := good()
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		sheet  paper.Sheet
		code   string
		fields []string
	}{
		"nothing":             {with(func(s *paper.Sheet) { s.Shown = nil }), paper.CodeBadSheet, nil},
		"no field":            {of(t, credentialtest.Disclose(t, sheet(t, "property", 1).Shown.Presentation)), paper.CodeBadSheet, nil},
		"a proof":             {of(t, credentialtest.Prove(t, good().Shown.Presentation)), paper.CodeHolderProof, nil},
		"no issuer":           {with(func(s *paper.Sheet) { s.Issuer = licence.Text{} }), paper.CodeBadSheet, nil},
		"no language":         {with(func(s *paper.Sheet) { s.Language = "" }), paper.CodeBadSheet, nil},
		"no time":             {with(func(s *paper.Sheet) { s.Printed = time.Time{} }), paper.CodeBadSheet, nil},
		"no host":             {with(func(s *paper.Sheet) { s.Host = "" }), paper.CodeBadSheet, nil},
		"a host with a path":  {with(func(s *paper.Sheet) { s.Host = "example.gov.cn/secret" }), paper.CodeBadSheet, nil},
		"too much":            {saying(t, noise(2000)), paper.CodeTooMuch, nil},
		"far too much":        {saying(t, strings.Repeat(noise(2000), 12)), paper.CodeTooMuch, nil},
		"a private character": {saying(t, "secret\ue000"), paper.CodeNoCharacter, []string{"rightHolders"}},
		"an unknown one":      {saying(t, "secret\U0003fffd"), paper.CodeNoCharacter, []string{"rightHolders"}},
		"emoji":               {saying(t, "secret😀"), paper.CodeNoCharacter, []string{"rightHolders"}},
		"Arabic letters":      {saying(t, "ئۇيغۇر"), paper.CodeNoCharacter, []string{"rightHolders"}},
		"Tibetan letters":     {saying(t, "བོད"), paper.CodeNoCharacter, []string{"rightHolders"}},
		"a changed direction": {saying(t, "secret\u202e"), paper.CodeNoCharacter, []string{"rightHolders"}},
		"an invisible sign":   {saying(t, "sec\u200bret"), paper.CodeNoCharacter, []string{"rightHolders"}},
		"a combining sign":    {saying(t, "secre\u0323t"), paper.CodeNoCharacter, []string{"rightHolders"}},
		"a control character": {saying(t, "secret\t"), paper.CodeNoCharacter, []string{"rightHolders"}},
		"no UTF-8":            {saying(t, "secret\xff"), paper.CodeNoCharacter, []string{"rightHolders"}},
		"an issuer's name":    {with(func(s *paper.Sheet) { s.Issuer.Zh = "\ue000" }), paper.CodeNoCharacter, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			err := paper.Print(&b, c.sheet)
			var e *paper.Error
			if paper.Code(err) != c.code || !errors.As(err, &e) || b.Len() > 0 {
				t.Fatalf("%v; want %s", err, c.code)
			}
			if strings.Join(e.Fields, " ") != strings.Join(c.fields, " ") || e.Message == "" || strings.Contains(err.Error(), "secret") {
				t.Errorf("%q, fields %v", err, e.Fields)
			}
		})
	}
	if paper.Code(errors.New("x")) != "" {
		t.Error("a code of an error of another package")
	}
	if err := paper.Print(brokenWriter{}, good()); !errors.Is(err, errBroken) || paper.Code(err) != "" {
		t.Errorf("a writer that fails: %v", err)
	}
}

var errBroken = errors.New("broken")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

// TestLooks compares pages with pictures of them, which somebody has looked at.
func TestLooks(t *testing.T) {
	b, err := os.ReadFile("../../test/vectors/good/presentation-two.json")
	if err != nil {
		t.Fatal(err)
	}
	var vector struct{ Presentation string }
	if err := json.Unmarshal(b, &vector); err != nil {
		t.Fatal(err)
	}
	encoded, err := hex.DecodeString(vector.Presentation)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*paper.Sheet){
		"normal":  func(*paper.Sheet) {},
		"large":   func(s *paper.Sheet) { s.Large = true },
		"english": func(s *paper.Sheet) { s.Language = paper.English },
		"rare": func(s *paper.Sheet) {
			s.Shown.Fields[0].Value = licence.TextValue("阿依𠮷·鿍㛃𬭎 (O'Brien) 𨱏𫍯𬍛⒈")
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := credential.Parse(encoded)
			if err != nil {
				t.Fatal(err)
			}
			s := of(t, p)
			change(&s)
			looksLike(t, rendered(t, written(t, printed(t, s)), 60), "testdata/"+name+".png")
		})
	}
}

// TestSize makes sure that of the faces only what is used is in a file.
func TestSize(t *testing.T) {
	if n := len(printed(t, sheet(t, "property", 4096))); n > 200<<10 {
		t.Errorf("%d bytes: are the faces in it whole?", n)
	}
}

func BenchmarkPrint(b *testing.B) {
	s := sheet(b, "property", 256)
	b.ReportAllocs()
	for b.Loop() {
		printed(b, s)
	}
}
