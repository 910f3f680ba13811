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

{{if .Release -}}
# The requests of other departments for fields of licences are answered (docs/RELEASE.md): by the policy that the
# authority has published (` + "`credledger policy publish`" + `; the file is looked at every few seconds), and by holders'
# grants. The directory holds a view of the ledger and the access log, which ` + "`credledger issuer init`" + ` has made;
# a log keeps its name for ever. The limits are of requests: from one address, and of one agency.
release:
  directory: {{q .Release.Directory}}
  accessLog: {{q .Release.AccessLog}}
  policy: {{q .Release.Policy}}
{{- if .Release.Matters}}
  matters: {{q .Release.Matters}}
{{- else}}
  # The service items that grants can be for, as in verifier.yaml; without it those that are built in.
  # matters: /srv/matters
{{- end}}
  addressPerSecond: {{.Release.AddressPerSecond}}
  addressBurst: {{.Release.AddressBurst}}
  agencyPerSecond: {{.Release.AgencyPerSecond}}
  agencyBurst: {{.Release.AgencyBurst}}
{{- else -}}
# The requests of other departments are not answered.
# release:
#   directory: release
#   accessLog: releases
#   policy: ../../policy.signed
#   addressPerSecond: 100
#   addressBurst: 400
#   agencyPerSecond: 50
#   agencyBurst: 200
{{- end}}

{{if .Wallet -}}
{{with .Wallet -}}
# The holders of licences have a wallet (docs/WALLET.md) at a listener of their own. origin is what browsers know
# it by.
wallet:
  web:
    address: {{q .Web.Address}}
{{- if .Web.Certificate}}
    certificate: {{q .Web.Certificate}}
    key: {{q .Web.Key}}
{{- end}}
{{- if .Web.Plain}}
    plain: true
{{- end}}
{{- if .Web.Proxies}}
    proxies:
{{- range .Web.Proxies}}
      - {{q .String}}
{{- end}}
{{- end}}
  origin: {{q .Origin}}
{{- with .Platform}}
  # The city's identity platform (OpenID Connect). It has ORIGIN/v1/sign-in/callback on file as our redirect
  # URI; number is the claim that holds the identity number.
  platform:
    name: {zh: {{q .Name.Zh}}, en: {{q .Name.En}}}
    issuer: {{q .Issuer}}
    client: {{q .Client}}
{{- if .Secret}}
    secret: {{q .Secret}}
{{- end}}
{{- if .Scopes}}
    scopes:
{{- range .Scopes}}
      - {{q .}}
{{- end}}
{{- end}}
    number: {{q .Number}}
{{- if .NameClaim}}
    nameClaim: {{q .NameClaim}}
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
{{- with .Trial}}
  # A trial: whoever can reach this machine can be any of these people. It works on loopback alone.
  trial:
    address: {{q .Address}}
    people: {{q .People}}
{{- end}}
{{- with .Verifier}}
  # Where codes are checked. With the token of an agency whose id is the department's, holders are told who
  # has looked.
  verifier:
    url: {{q .URL}}
{{- if .Token}}
    token: {{q .Token}}
{{- else}}
    # token: verifier.token
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
  # How long somebody stays signed in: at most; without doing anything; and without proving once more who they
  # are, for what shows more than a matter needs. one: true ends every other session of who signs in.
  session: {{.Session}}
  idle: {{.Idle}}
  fresh: {{.Fresh}}
{{- if .One}}
  one: true
{{- end}}
  # In how many working days objections are answered. Saturdays and Sundays are none, nor are the holidays;
  # workdays are those that are one in exchange.
  answerWithin: {{.AnswerWithin}}
{{- if .Holidays}}
  holidays: [{{range $i, $d := .Holidays}}{{if $i}}, {{end}}{{q $d}}{{end}}]
{{- end}}
{{- if .Workdays}}
  workdays: [{{range $i, $d := .Workdays}}{{if $i}}, {{end}}{{q $d}}{{end}}]
{{- end}}
  # Calls from one address.
  perSecond: {{.PerSecond}}
  burst: {{.Burst}}
{{- end}}
{{- else -}}
# The holders of licences have no wallet (docs/WALLET.md).
# wallet:
#   web: {address: "0.0.0.0:8446", certificate: wallet.crt, key: wallet.key}
#   origin: https://licences.example.gov.cn
#   platform:
#     name: {zh: 市统一身份认证平台, en: City Identity Platform}
#     issuer: https://id.example.gov.cn
#     client: licences
#     secret: platform.secret
#     scopes: [profile]
#     number: id_number
#     nameClaim: name
#   verifier: {url: "https://verify.example.gov.cn", token: verifier.token}
#   session: 2h
#   idle: 20m
#   fresh: 10m
#   answerWithin: 10
#   holidays: ["2026-10-01"]
#   workdays: ["2026-10-10"]
#   perSecond: 10
#   burst: 100
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
