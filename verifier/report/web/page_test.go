package web_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/report/web"
)

func TestMain(m *testing.M) { webpagetest.Main(m) }

// full is a report that has something of everything.
func full(t testing.TB) *report.Report {
	t.Helper()
	b, err := os.ReadFile("../testdata/full.json")
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func written(t testing.TB, r *report.Report, language report.Language) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := web.Write(&b, r, language); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// opened is the page as somebody opens it who was sent the file.
func opened(t *testing.T, r *report.Report, language report.Language, settings ...webpagetest.Setting) *webpagetest.Tab {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "report.html"), written(t, r, language), 0o600); err != nil {
		t.Fatal(err)
	}
	b := webpagetest.NewTab(t, webpagetest.Browser, "file://"+dir, settings...)
	b.Open("/report.html")
	b.Until(webpagetest.Seen("h1"))
	return b
}

func TestSources(t *testing.T) {
	for _, name := range []string{"page.css", "page.js"} {
		b, err := os.ReadFile("assets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"innerHTML", "http:", "https:", "@import", "url(", "</"} {
			if strings.Contains(string(b), word) {
				t.Errorf("%s has %s", name, word)
			}
		}
	}
}

// Five ways to look at a report, each without anything that keeps people out.
func TestModes(t *testing.T) {
	elder := `document.getElementById("elder").click()`
	english := `document.getElementById("language").click()`
	for name, way := range map[string]struct {
		settings []webpagetest.Setting
		click    string
	}{
		"light":         {},
		"english dark":  {settings: []webpagetest.Setting{webpagetest.Dark}, click: english},
		"elder dark":    {settings: []webpagetest.Setting{webpagetest.Dark}, click: elder},
		"phone elder":   {settings: []webpagetest.Setting{webpagetest.Phone}, click: elder},
		"phone english": {settings: []webpagetest.Setting{webpagetest.Phone}, click: english},
	} {
		t.Run(name, func(t *testing.T) {
			b := opened(t, full(t), report.Chinese, way.settings...)
			if way.click != "" {
				webpagetest.Evaluate[any](b, way.click)
			}
			b.Shot("report " + name)
			b.Fits()
			webpagetest.Evaluate[any](b, `document.querySelectorAll("details").forEach(d => { d.open = true })`)
			b.Accessible()
			b.Fits()
			if name == "light" {
				b.Paper("report")
			}
		})
	}
}

// The page has every figure of the report, and no other.
func TestFigures(t *testing.T) {
	r := full(t)
	b := opened(t, r, report.English)
	got := webpagetest.Evaluate[[]string](b, `[...document.querySelectorAll("section:not([aria-labelledby=disagreements])")].flatMap(s => [...s.querySelectorAll("tbody tr")].map(tr =>
		s.querySelector("h2").id + "|" + (tr.querySelector("th .en") ?? tr.querySelector("th")).textContent + "|" + [...tr.querySelectorAll("td")].map(td => td.textContent).join("|")))`)
	var want []string
	for _, i := range r.Indicators {
		for _, row := range i.Rows {
			if row.Where == (report.Where{}) {
				continue
			}
			value := row.Value(i.Form)
			if i.Form == report.Share && value != "" {
				value += " %"
			}
			if value == "" {
				value = "–"
			}
			line := i.Code + "|" + r.Label(&row.Where).En + "|" + value
			if i.Form != report.Count {
				line += fmt.Sprintf("|%d|%d", row.Numerator, row.Denominator)
			}
			want = append(want, line)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the page says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, d := range r.Disagreements {
		if list := b.Text("section[aria-labelledby=disagreements]"); !strings.Contains(list, d.Call.String()) {
			t.Errorf("the list lacks the request %s:\n%s", d.Call, list)
		}
	}
	headlines := webpagetest.Evaluate[string](b, `document.querySelector(".tiles").innerText`)
	all := r.Indicator(report.Definitive).Rows[0]
	for _, part := range []string{
		all.Value(report.Share) + " %", fmt.Sprintf("%d / %d; in the past 68.00 %%, wanted 95.00 %%", all.Numerator, all.Denominator), "self-reported",
	} {
		if !strings.Contains(headlines, part) {
			t.Errorf("the headlines lack %q:\n%s", part, headlines)
		}
	}
}

// A bar is as long as its figure, and the marks stand where past and target are.
func TestBars(t *testing.T) {
	b := opened(t, full(t), report.English)
	got := webpagetest.Evaluate[[]string](b, `[...document.getElementById("recorded-definitive-verdicts").closest("section").querySelector("svg").children].map(e =>
		e.getAttribute("class") === "zh" ? "" : e.tagName === "text" ? e.textContent : e.getAttribute("class") + " " + Math.round(100 * Number(e.getAttribute("width") ?? e.getAttribute("x1")) / 250)).filter(s => s)`)
	want := []string{
		"track 100", "bar 100", "=HYPERLINK(1)", "100.00 %",
		"track 100", "bar 100", "Demo City Natural Resources Bureau", "100.00 %",
		"track 100", "bar 86", "Demo City Tax Bureau", "85.71 %",
		"mark 68", "mark 95",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the chart is %q, want %q", got, want)
	}
}

// Each language shows its own texts alone, the choice is kept, and the title follows.
func TestLanguage(t *testing.T) {
	b := opened(t, full(t), report.Chinese)
	says := func() string {
		t.Helper()
		return webpagetest.Evaluate[string](b, `document.querySelector("main").innerText`)
	}
	if s := says(); !strings.Contains(s, "制发证照数") || strings.Contains(s, "Licences issued") {
		t.Errorf("in Chinese the page says\n%.500s", s)
	}
	b.Click("#language")
	if s := says(); strings.Contains(s, "制发证照数") || !strings.Contains(s, "Licences issued") {
		t.Errorf("in English the page says\n%.500s", s)
	}
	if title := webpagetest.Evaluate[string](b, `document.title`); title != "Indicators of electronic licences, 2026-11" {
		t.Errorf("the title is %q", title)
	}
	b.Click("#elder")
	b.Open("/report.html")
	if webpagetest.Evaluate[string](b, `document.documentElement.lang + document.documentElement.dataset.mode`) != "enelder" {
		t.Error("the choice is forgotten")
	}
	b = opened(t, full(t), report.English)
	if webpagetest.Evaluate[string](b, `document.documentElement.lang`) != "en" {
		t.Error("a page that is made in English opens in another language")
	}
}

// Without scripts there is a page all the same; and what is folded up is on paper.
func TestPaper(t *testing.T) {
	b := opened(t, full(t), report.Chinese)
	webpagetest.Call(b, page.PrintToPDF, page.PrintToPDFParams{})
	webpagetest.Evaluate[any](b, `dispatchEvent(new Event("beforeprint"))`)
	if n := webpagetest.Evaluate[int](b, `document.querySelectorAll("details:not([open])").length`); n > 0 {
		t.Errorf("%d parts are folded up on paper", n)
	}
	webpagetest.Evaluate[any](b, `dispatchEvent(new Event("afterprint"))`)
	if n := webpagetest.Evaluate[int](b, `document.querySelectorAll("details[open]").length`); n > 0 {
		t.Errorf("%d parts stay open", n)
	}
}

// No text of a report becomes markup.
func TestMarkup(t *testing.T) {
	r := full(t)
	bad := licence.Text{Zh: webpagetest.Markup, En: webpagetest.Markup + "!"}
	for _, names := range []map[string]licence.Text{r.Names.Departments, r.Names.Units, r.Names.Types, r.Names.Matters} {
		for id := range names {
			names[id] = bad
		}
	}
	r.Logs[0].Name, r.Logs[0].Department = webpagetest.Markup, webpagetest.Markup
	r.SelfReports = []string{webpagetest.Markup}
	for i := range r.Indicators {
		d := *r.Indicators[i].Definition
		d.Code, d.Name, d.Past, d.Target = fmt.Sprint(webpagetest.Markup, i), bad, webpagetest.Markup, webpagetest.Markup
		r.Indicators[i].Definition = &d
	}
	b := opened(t, r, report.Chinese)
	b.Harmless()
	b.Click("#language")
	b.Harmless()
	if n := strings.Count(webpagetest.Evaluate[string](b, `document.body.innerText`), "pwned=1"); n < 100 {
		t.Errorf("the text is there %d times only", n)
	}
}

func TestSameBytes(t *testing.T) {
	first := written(t, full(t), report.Chinese)
	if !bytes.Equal(first, written(t, full(t), report.Chinese)) {
		t.Error("the same report gives another page")
	}
	if len(first) > 150<<10 {
		t.Errorf("the page has %d bytes", len(first))
	}
}

// A report without any figure is a page too.
func TestEmpty(t *testing.T) {
	r := full(t)
	r.Indicators, r.Logs, r.SelfReports, r.Ledger.Heartbeat, r.Ledger.Complete = nil, nil, nil, 0, false
	b := opened(t, r, report.Chinese, webpagetest.Phone)
	b.Accessible()
	b.Fits()
	if text := b.Text(".note"); !strings.Contains(text, "尚未到期末") {
		t.Errorf("the caution is %q", text)
	}
}
