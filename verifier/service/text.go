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
`)
