package web

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html"
	"html/template"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/webpage"
)

//go:embed assets
var assets embed.FS

func asset(name string) string {
	b, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic("report: " + err.Error()) // it is embedded: the program is broken
	}
	return string(b)
}

var (
	style  = webpage.Asset("base.css") + asset("page.css") + "@media print {\n" + webpage.Asset("print.css") + "}\n"
	script = asset("page.js")
)

// Policy is the Content-Security-Policy of the pages: their own style and script, and nothing else.
// require-trusted-types-for leaves no way for text to become markup.
var Policy = "default-src 'none'; style-src '" + hash(style) + "'; script-src '" + hash(script) + "'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"policy": func() template.HTML {
		return template.HTML(`<meta http-equiv="Content-Security-Policy" content="` + html.EscapeString(Policy) + `">`)
	},
	"style":  func() template.HTML { return template.HTML("<style>" + style + "</style>") },
	"script": func() template.HTML { return template.HTML("<script>" + script + "</script>") },
	"text":   both,
	"t":      func(zh, en string) template.HTML { return both(licence.Text{Zh: zh, En: en}) },
}).ParseFS(assets, "assets/*.html"))

// both is a text in both languages, of which the page shows one.
func both(t licence.Text) template.HTML {
	if t.Zh == t.En {
		return template.HTML(html.EscapeString(t.Zh))
	}
	return template.HTML(`<span class="zh" lang="zh-CN">` + html.EscapeString(t.Zh) + `</span><span class="en" lang="en">` + html.EscapeString(t.En) + `</span>`)
}
