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

var configText = serve.Template(`# Configuration of the verifier service of this home, ` + "`credledger serve`" + `. Unknown keys are refused.
# Paths are absolute, or relative to this file. Certificates and agencies are read again on SIGHUP.

# The department that verifies. The checkpoints of the access log, on which receipts rest, are signed with
# this key of its, which the ledger knows for the purpose "log". The issuers' keys have no place here.
department: {{q .Department}}
key: {{q .Key}}

# Name of the access log. Every replica has its own: one name has one log, for ever.
accessLog: {{q .AccessLog}}

{{template "web" .Web}}{{template "tlcp" .TLCP}}{{template "metrics" .Metrics}}# Agencies, what they may ask for, and their clerks. ` + "`credledger agency token`" + ` makes tokens for it.
agencies: {{q .Agencies}}
{{if .Matters}}
# Directory of the matters.
matters: {{q .Matters}}
{{else}}
# Directory of the matters, in place of the built-in ones.
# matters: matters
{{end}}{{if .Reports}}
# Directory of finished reports, which /reports/ shows.
reports: {{q .Reports}}
{{else}}
# Directory of finished reports, which /reports/ shows: files PERIOD.json that ` + "`credledger report --json`" + ` made.
# reports: reports
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

{{if .Requests -}}
# Requests to issuers for fields of licences: docs/API.md says how.
requests:
  keys:
{{- range $id, $file := .Requests.Keys}}
    {{q $id}}: {{q $file}}
{{- end}}
  issuers:
{{- range $id, $url := .Requests.Issuers}}
    {{q $id}}: {{q $url}}
{{- end}}
{{- if .Requests.Networks}}
  networks:
{{- range .Requests.Networks}}
    - {{q .String}}
{{- end}}
{{- end}}
{{- if .Requests.Authorities}}
  authorities: {{q .Requests.Authorities}}
{{- end}}
{{- if .Requests.Policy}}
  policy: {{q .Requests.Policy}}
{{- end}}
{{else -}}
# Requests to issuers for fields of licences: docs/API.md says how. The departments that ask, with the
# files of their keys for consent; those that are asked, with the URLs of their services, which are called
# and nobody else. A host in a private network is called only if networks has it. authorities are those
# of the issuers' certificates, in place of the system's. The policy, as the authority published it, says
# when an answer is due; it is read again on SIGHUP.
# requests:
#   keys: {natural-resources: keys/natural-resources/service.pem}
#   issuers: {civil-affairs: https://issuer.civil-affairs.example.gov.cn}
#   networks: [10.0.0.0/8]
#   authorities: issuers-ca.crt
#   policy: policy.signed
{{end}}
# debug, info, warn or error. debug writes a line for every request; none has anything personal.
logLevel: {{q .LogLevel}}
`)
