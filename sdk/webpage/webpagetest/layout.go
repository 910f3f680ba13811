package webpagetest

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"io"
	"sync"
)

//go:embed axe/axe.min.js.gz
var packedAxe []byte

var axe = sync.OnceValues(func() (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packedAxe))
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), err
})

// Accessible runs axe-core on what the page shows now; every violation of WCAG 2.2 AA or of its best
// practices fails the test.
func (b *Tab) Accessible() {
	b.T.Helper()
	script, err := axe()
	if err != nil {
		b.T.Fatal(err)
	}
	if !Evaluate[bool](b, "'axe' in globalThis") {
		Evaluate[bool](b, script+"; true")
	}
	report := Evaluate[string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`)
	var violations []struct {
		ID, Help string
		Nodes    []struct{ HTML, FailureSummary string }
	}
	if err := json.Unmarshal([]byte(report), &violations); err != nil {
		b.T.Fatal(err)
	}
	for _, v := range violations {
		for _, n := range v.Nodes {
			b.T.Errorf("%s: %s: %s\n%s", v.ID, v.Help, n.HTML, n.FailureSummary)
		}
	}
}

// Skips fails the test unless the way past the header, which the keyboard comes to first, leads to what
// the page shows now and changes nothing of it.
func (b *Tab) Skips() {
	b.T.Helper()
	const shown = `location.href + document.querySelector("main").innerText`
	before := Evaluate[string](b, `document.querySelector(".skip").focus(); `+shown)
	b.Keys("\r")
	b.Until(`document.activeElement.id === "main"`)
	if after := Evaluate[string](b, shown); after != before {
		b.T.Errorf("past the header there is\n%s\nand before there was\n%s", after, before)
	}
}

// Fits fails the test if anything is wider than the screen, or a control is too small for a finger.
func (b *Tab) Fits() {
	b.T.Helper()
	wide := Evaluate[string](b, `(() => {
		const width = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= width) return "";
		return [...document.querySelectorAll("main *, header *")].filter(e => e.checkVisibility() && e.getBoundingClientRect().right > width + 1 && !e.closest(".unseen, .pause")).map(e => e.outerHTML.slice(0, 120)).slice(0, 3).join("\n") || "something";
	})()`)
	if wide != "" {
		b.T.Errorf("wider than the screen: %s", wide)
	}
	small := Evaluate[string](b, `[...document.querySelectorAll("button, select, summary, input:not(.unseen)")].filter(e => {
		const r = (e.closest("label") ?? e).getBoundingClientRect();
		return e.checkVisibility() && (r.height < 24 || r.width < 24);
	}).map(e => e.outerHTML.slice(0, 120)).join("\n")`)
	if small != "" {
		b.T.Errorf("too small to hit: %s", small)
	}
}
