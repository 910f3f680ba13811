package serve

import (
	"strconv"
	"strings"
	"text/template"
)

// Template parses the template of a commented configuration file. It can use {{q STRING}}, a string in YAML,
// and the parts {{template "web" .Web}}, {{template "tlcp" .TLCP}} and {{template "metrics" .Metrics}}, each
// of which ends with an empty line. A mistake in it is a panic, as of template.Must.
func Template(text string) *template.Template {
	t := template.Must(template.New("").Funcs(template.FuncMap{"q": quoted}).Parse(parts))
	return template.Must(t.Parse(text))
}

// quoted is a string in YAML, whatever is in it.
func quoted(s string) string {
	if s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("-./", r))
	}) < 0 && strings.ContainsFunc(s[:1], func(r rune) bool { return 'a' <= r && r <= 'z' }) {
		return s
	}
	return strconv.Quote(s)
}

const parts = `{{define "web" -}}
# Where browsers and other systems connect. Without certificate and key (PEM files) it is plain HTTP, which is
# for loopback, or for a proxy in front that ends HTTPS: say so with plain: true.
web:
  address: {{q .Address}}
{{- if .Certificate}}
  certificate: {{q .Certificate}}
  key: {{q .Key}}
{{- else}}
  # certificate: web.crt
  # key: web.key
{{- end}}
{{- if .Plain}}
  plain: true
{{- else}}
  # plain: true
{{- end}}
{{- if .ClientAuthorities}}
  clientAuthorities: {{q .ClientAuthorities}}
{{- else}}
  # Systems may prove themselves with certificates of these authorities (PEM), instead of tokens.
  # clientAuthorities: clients-ca.crt
{{- end}}
{{- if .Proxies}}
  proxies:
{{- range .Proxies}}
    - {{q .String}}
{{- end}}
{{- else}}
  # Proxies whose X-Forwarded-For is believed.
  # proxies: [10.0.0.0/24]
{{- end}}

{{end}}{{define "tlcp"}}{{if .}}# The same over TLCP (GB/T 38636), for systems that must use national cryptography on the way as well:
# two SM2 certificates. Remove this part to switch it off.
tlcp:
  address: {{q .Address}}
  signingCertificate: {{q .SigningCertificate}}
  signingKey: {{q .SigningKey}}
  encryptionCertificate: {{q .EncryptionCertificate}}
  encryptionKey: {{q .EncryptionKey}}

{{end}}{{end}}{{define "metrics"}}{{if .}}# Prometheus metrics, with /healthz and /readyz, on loopback.
metrics: {{q .}}

{{end}}{{end}}`
