package paper

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/qr"
)

func TestLines(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int // in Chinese characters
		want  []string
	}{
		{"", 10, []string{""}},
		{"结婚证", 10, []string{"结婚证"}},
		{"结婚证", 2, []string{"结婚", "证"}},
		{"一\n\n二", 5, []string{"一", "", "二"}},
		{"核验通过，现行有效", 4, []string{"核验通", "过，现行", "有效"}},
		{"他说「可以」", 3, []string{"他说", "「可", "以」"}},
		{"two short words", 4, []string{"two", "short", "words"}},
		{"示(2017)示范市", 5, []string{"示(2017)", "示范市"}},
		{"   ", 5, []string{""}},
		{"0123456789abcdef", 3, []string{"0123", "4567", "89ab", "cdef"}},
		{"at https://verify.example.gov.cn/", 6, []string{"at", "https://", "verify.", "example.", "gov.cn/"}},
		{"1.2.156.3005.2", 20, []string{"1.2.156.3005.2"}},
		{"中文and English混排", 5, []string{"中文and", "English混", "排"}},
		{"证", 0, []string{"证"}},
		{"李𠮷生", 2, []string{"李𠮷", "生"}},
	} {
		var got []string
		for _, l := range faces().lines(c.text, c.width*em) {
			got = append(got, said(l))
		}
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%q in %d: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func said(l line) string {
	var b strings.Builder
	for _, r := range l {
		b.WriteString(r.text)
	}
	return b.String()
}

// FuzzLayout lays out all kinds of values and names: nothing leaves the page or is lost, and each page has
// its foot.
func FuzzLayout(f *testing.F) {
	shown := credentialtest.Open(f, credentialtest.Disclose(f, credentialtest.Batch(f, "property", 2).Credential(0), "rightHolders", "location", "unitNumber"))
	encoded, err := credential.EncodeCode(credentialtest.Host, shown.Presentation)
	if err != nil {
		f.Fatal(err)
	}
	symbol, err := qr.Encode(encoded, qr.L)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("钱琳", "示范市民政局", "二手房过户", false, false)
	f.Add(strings.Repeat("国有建设用地使用权 ", 400), "", "", true, false)
	f.Add(strings.Repeat("x", 3000)+"\n\n\n", strings.Repeat("局", 300), strings.Repeat("用途", 200), true, true)
	f.Add(strings.Repeat("\n", 500), "a b c", "𠮷·𠮷", false, true)
	f.Fuzz(func(t *testing.T, value, issuer, purpose string, large, english bool) {
		s := &Sheet{Shown: new(credential.Opened), Host: credentialtest.Host, Printed: time.Unix(1.8e9, 0), Large: large, Language: Chinese,
			Issuer: licence.Text{Zh: issuer, En: issuer}, Purpose: licence.Text{Zh: purpose, En: purpose}}
		if english {
			s.Language = English
		}
		*s.Shown = *shown
		s.Shown.Presentation = &credential.Presentation{Record: shown.Record, Fields: append([]credential.Field(nil), shown.Fields...)}
		s.Shown.Fields[0].Value = licence.TextValue(value)
		if len(value)+len(issuer)+len(purpose) > 20_000 || s.drawable() != nil {
			return
		}
		pages := s.layOut(symbol)
		codes, all := 0, ""
		for i, p := range pages {
			for _, x := range p.texts {
				right := x.x + float64(x.line.width())*x.size/em
				foot := x.size == footType
				if x.x < margin-0.01 || right > margin+textWidth+x.size && len(x.line) > 0 || x.y < margin || !foot && x.y > textEnd+0.01 || x.y > pageHeight-margin/2 {
					t.Fatalf("page %d: %q at %.1f to %.1f, %.1f leaves the page", i+1, said(x.line), x.x, right, x.y)
				}
				if !foot {
					all += said(x.line)
				}
			}
			if n := len(p.texts); n < 2 || p.texts[n-1].size != footType {
				t.Fatalf("page %d has no foot", i+1)
			}
			if c := p.code; c != nil {
				codes++
				if side := float64(symbol.Size()+2*qr.QuietZone) * c.module; c.module < 0.5 || c.x+side > pageWidth || c.y+side > textEnd+1 {
					t.Fatalf("the code leaves the page, or is too small: %+v", *c)
				}
			}
		}
		if codes != 1 {
			t.Fatalf("%d codes", codes)
		}
		all = unspaced(all)
		for _, text := range []string{value, issuer, purpose, s.Shown.Fields[1].Value.String(), wordNotProven.Zh} {
			if !strings.Contains(all, unspaced(text)) {
				t.Fatalf("%q is lost", text)
			}
		}
	})
}

func unspaced(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// TestModules lays out the smallest and the largest symbol: both are readable and fit.
func TestModules(t *testing.T) {
	shown := credentialtest.Open(t, credentialtest.Disclose(t, credentialtest.Batch(t, "marriage", 1).Credential(0), "spouse1Name"))
	for _, n := range []int{20, 4296} {
		symbol, err := qr.Encode(strings.Repeat("A", n), qr.L)
		if err != nil {
			t.Fatal(err)
		}
		for _, large := range []bool{false, true} {
			s := &Sheet{Shown: shown, Host: credentialtest.Host, Language: Chinese, Large: large, Issuer: licence.Text{Zh: "局"}}
			pages := s.layOut(symbol)
			c := pages[0].code
			if c == nil || c.module < 0.5 || c.module > 0.9 || float64(symbol.Size())*c.module > textWidth*0.6 {
				t.Errorf("version %d: %+v", symbol.Version, c)
			}
		}
	}
}
