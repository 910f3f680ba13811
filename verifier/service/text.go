package service

import (
	"bytes"
	"strconv"
	"strings"
	"text/template"
)

// Text is the commented file: ParseConfig reads it as it was written.
func (c *Config) Text() []byte {
	var b bytes.Buffer
	if err := configText.Execute(&b, c); err != nil {
		panic(err) // the template and the struct do not go together; a test runs it
	}
	return b.Bytes()
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

var configText = template.Must(template.New("").Funcs(template.FuncMap{"q": quoted}).Parse(`# Configuration of the verifier service of this home, ` + "`credledger serve`" + `. Unknown keys are refused.
# Paths are absolute, or relative to this file. Certificates and agencies are read again on SIGHUP.

# The department that verifies. Receipts and checkpoints of the access log are signed with this key
# of its, which the ledger knows for the purpose "log". The issuers' keys have no place here.
department: {{q .Department}}
key: {{q .Key}}

# Name of the access log. Every replica has its own: one name has one log, for ever.
accessLog: {{q .AccessLog}}

# Where browsers and agencies connect. Without certificate and key (PEM files) it is plain HTTP, which is
# for loopback, or for a proxy in front that ends HTTPS: say so with plain: true.
web:
  address: {{q .Web.Address}}
{{- if .Web.Certificate}}
  certificate: {{q .Web.Certificate}}
  key: {{q .Web.Key}}
{{- else}}
  # certificate: web.crt
  # key: web.key
{{- end}}
{{- if .Web.Plain}}
  plain: true
{{- else}}
  # plain: true
{{- end}}
{{- if .Web.ClientAuthorities}}
  clientAuthorities: {{q .Web.ClientAuthorities}}
{{- else}}
  # Agencies may prove themselves with certificates of these authorities (PEM), instead of tokens.
  # clientAuthorities: agencies-ca.crt
{{- end}}
{{- if .Web.Proxies}}
  proxies:
{{- range .Web.Proxies}}
    - {{q .String}}
{{- end}}
{{- else}}
  # Proxies whose X-Forwarded-For is believed.
  # proxies: [10.0.0.0/24]
{{- end}}
{{if .TLCP}}
# The same over TLCP (GB/T 38636), for agencies that must use national cryptography on the way as well:
# two SM2 certificates. Remove this part to switch it off.
tlcp:
  address: {{q .TLCP.Address}}
  signingCertificate: {{q .TLCP.SigningCertificate}}
  signingKey: {{q .TLCP.SigningKey}}
  encryptionCertificate: {{q .TLCP.EncryptionCertificate}}
  encryptionKey: {{q .TLCP.EncryptionKey}}
{{end}}
{{- if .Metrics}}
# Prometheus metrics, with /healthz and /readyz, on loopback.
metrics: {{q .Metrics}}
{{end}}
# Agencies, what they may ask for, and their clerks. ` + "`credledger agency token`" + ` makes tokens for it.
agencies: {{q .Agencies}}
{{if .Matters}}
# Directory of the matters.
matters: {{q .Matters}}
{{else}}
# Directory of the matters, in place of the built-in ones.
# matters: matters
{{end}}
# What replicas share: challenges, references, sessions, daily counts. A file for processes on one
# machine, or postgres://USER:PASSWORD@HOST/DATABASE for several.
store: {{q .Store}}

# What is taken on: connections at a time; requests worked on at a time, beyond which 503 is answered; and
# what one address may ask for without an account.
limits:
  connections: {{.Limits.Connections}}
  concurrent: {{.Limits.Concurrent}}
  publicPerSecond: {{.Limits.PublicPerSecond}}
  publicBurst: {{.Limits.PublicBurst}}

# /readyz says no while the index is so many blocks behind the ledger, or the newest heartbeat that
# it has is older than this. Verdicts are given all the same, and say as of when.
ready:
  blocks: {{.Ready.Blocks}}
  age: {{.Ready.Age}}

# The snapshot for offline readers. Where the home has the authority's key for the log it is made so
# often; elsewhere put one there that ` + "`credledger snapshot make`" + ` made.
snapshot:
  file: {{q .Snapshot.File}}
  every: {{.Snapshot.Every}}

# debug, info, warn or error. debug writes a line for every request; none has anything personal.
logLevel: {{q .LogLevel}}
`))
