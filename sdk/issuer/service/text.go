package service

import (
	"bytes"

	"github.com/credledger/credledger/sdk/serve"
)

// Text is the commented file: ParseConfig reads it as it was written.
func (c *Config) Text() []byte {
	var b bytes.Buffer
	if err := configText.Execute(&b, c); err != nil {
		panic(err) // the template and the struct do not go together; a test runs it
	}
	return b.Bytes()
}

var configText = serve.Template(`# Configuration of the issuing service of a department, ` + "`credledger issuer serve`" + `. Unknown keys are refused.
# Paths are absolute, or relative to this file. Staff, secrets of webhooks, certificates and the department's
# keys are read again on SIGHUP.

# The department that issues. Its vault is that of the home. It signs with those of its keys in the home that the
# ledger has in force; a new one is used as soon as both have it.
department: {{q .Department}}
{{- if .Unit}}
unit: {{q .Unit}}
{{- else}}
# Its unit that stands in the licences, if it is not the first.
# unit: window-1
{{- end}}

# Which systems and people may do what. ` + "`credledger issuer token`" + ` and ` + "`credledger issuer person`" + ` make
# lines for it.
staff: {{q .Staff}}

# Directory for imports that are under way: what was sent in, sealed, and the rejects.
spool: {{q .Spool}}

{{template "web" .Web}}{{template "tlcp" .TLCP}}{{template "metrics" .Metrics -}}
# How long a request waits for others that share its anchor.
window: {{.Window}}

{{if .Retention -}}
# How many days after its end a licence is kept, by type. Then it is erased for good; its anchor stays.
retention:
{{- range $type, $days := .Retention}}
  {{q $type}}: {{$days}}
{{- end}}
{{- else -}}
# How many days after its end a licence is kept, by type. Then it is erased for good; its anchor stays. What is
# not named is kept.
# retention:
#   marriage: 36500
{{- end}}

# How many days before the last day of a licence webhooks are told of it. 0: they are not.
expiring: {{.Expiring}}

{{if .Webhooks -}}
# Who is told of changes; docs/ISSUER-API.md says how.
webhooks:
{{- range .Webhooks}}
  - name: {{q .Name}}
    url: {{q .URL}}
    secret: {{q .Secret}}
{{- if .Types}}
    types:
{{- range .Types}}
      - {{q .}}
{{- end}}
{{- end}}
{{- if .Events}}
    events:
{{- range .Events}}
      - {{q .}}
{{- end}}
{{- end}}
{{- if .Authorities}}
    authorities: {{q .Authorities}}
{{- end}}
{{- if .Networks}}
    networks:
{{- range .Networks}}
      - {{q .String}}
{{- end}}
{{- end}}
{{- end}}
{{- else -}}
# Who is told of changes; docs/ISSUER-API.md says how. The file of the secret has one line of 64 hexadecimal
# digits (openssl rand -hex 32), or two while one takes the place of the other. Without types and events all
# are told. A host in a private network is called only if networks has it.
# webhooks:
#   - name: permits
#     url: https://permits.example.gov.cn/credledger
#     secret: permits.secret
#     types: [marriage]
#     events: [licence.status, licence.restriction, licence.expiring, job.done]
#     authorities: permits-ca.crt
#     networks: [10.0.0.0/8]
{{- end}}

# What is taken on: connections at a time; requests worked on at a time, beyond which 503 is answered; what one
# address may ask for without being known; and the greatest file of an import.
limits:
  connections: {{.Limits.Connections}}
  concurrent: {{.Limits.Concurrent}}
  publicPerSecond: {{.Limits.PublicPerSecond}}
  publicBurst: {{.Limits.PublicBurst}}
  importMegabytes: {{.Limits.ImportMegabytes}}

# debug, info, warn or error. debug writes a line for every request; none has anything personal.
logLevel: {{q .LogLevel}}
`)
