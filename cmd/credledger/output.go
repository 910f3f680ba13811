package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"

	"github.com/credledger/credledger/chaincode"
	network "github.com/credledger/credledger/network/fabric"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/paper"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sm/certificate"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/webhook"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/intake"
	"github.com/credledger/credledger/verifier/receipt"
	indicators "github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/snapshot"
	"github.com/credledger/credledger/verifier/store"
)

// An answerWriter remembers that something could not be written: an answer that did not arrive is a
// failure.
type answerWriter struct {
	w   io.Writer
	err error
}

func (a *answerWriter) Write(p []byte) (int, error) {
	n, err := a.w.Write(p)
	if err != nil && a.err == nil {
		a.err = fmt.Errorf("write the answer: %w", err)
	}
	return n, err
}

// writeJSON writes one indented JSON value, Chinese characters and <, > and & as they are.
func writeJSON(w io.Writer, v any) {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		fmt.Fprintf(w, "{\"error\":{\"code\":\"internal\",\"message\":%q}}\n", err)
	}
}

// answer writes a command's answer: v in JSON if asked for, else what text prints.
func (c *call) answer(v any, text func(w io.Writer)) {
	if c.json {
		writeJSON(c.stdout, v)
		return
	}
	text(c.stdout)
}

// pick chooses between the languages.
func (c *call) pick(zh, en string) string {
	if c.lang == "zh" {
		return zh
	}
	return en
}

// name chooses between the languages of a text.
func (c *call) name(t licence.Text) string { return c.pick(t.Zh, t.En) }

// list joins words.
func (c *call) list(words []string) string {
	if len(words) == 0 {
		return c.pick("无", "none")
	}
	return strings.Join(words, ", ")
}

// beijing is the civil time of dates on licences.
var beijing = time.FixedZone("UTC+8", 8*3600)

func formatTime(seconds uint64) string {
	return time.Unix(int64(seconds), 0).In(beijing).Format("2006-01-02 15:04:05 -0700")
}

// An instant is a time in seconds since 1970 that is written in JSON as in RFC 3339, in UTC. The
// ledger answers with the numbers of instants and days, which can be read into them.
type instant uint64

func (i instant) MarshalText() ([]byte, error) {
	return []byte(time.Unix(int64(i), 0).UTC().Format(time.RFC3339)), nil
}

// A day is a licence.Date that is written in JSON as in ISO 8601.
type day licence.Date

func (d day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d day) String() string { return licence.Date(d).String() }

// printable keeps text that others chose, a file's name or a licence's field, from doing anything
// to a terminal but being read: a line end becomes a semicolon, another control character U+FFFD.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return '\uFFFD'
		}
		return r
	}, strings.ReplaceAll(s, "\n", "; "))
}

// errorCode is the stable code of an error, "failed" if it has none.
func errorCode(err error) string {
	var (
		usage   *usageError
		own     *codedError
		issuing *issuer.Error
		sealed  *vault.Error
		master  *masterkey.Error
		rows    *sqldb.Error
		rule    *chaincode.Error
		backend *ledger.Error
		view    *index.Error
		kept    *receipt.Error
		copied  *snapshot.Error
		alarm   *index.Discrepancy
		signed  *statement.Error
		cred    *credential.Error
		picture *qr.Error
		crypto  *sm.Error
		vouched *certificate.Error
		input   *licence.InputError
		record  *licence.RecordError
		granted *grant.Error
		law     *policy.Error
		nodes   *network.Error
		shared  *store.Error
		logged  *accesslog.Error
		service *serve.Error
		message *webhook.Error
		figures *indicators.Error
		asked   *request.Error
		sheet   *paper.Error
		shown   *intake.Error
		file    *fs.PathError
	)
	switch {
	case errors.As(err, &usage):
		return "usage"
	case errors.As(err, &own):
		return own.code
	case errors.As(err, &issuing):
		return issuing.Code
	case errors.As(err, &sealed) && sealed.Code == vault.CodeUnavailable && errors.As(err, &backend):
		return backend.Code
	case errors.As(err, &sealed):
		return sealed.Code
	case errors.As(err, &alarm):
		return alarm.Code
	case errors.As(err, &view):
		return view.Code
	case errors.As(err, &copied):
		return copied.Code
	case errors.As(err, &kept):
		return kept.Code
	case errors.As(err, &backend):
		return backend.Code
	case errors.As(err, &rule):
		return rule.Code
	case errors.As(err, &signed):
		return signed.Code
	case errors.As(err, &cred):
		return cred.Code
	case errors.As(err, &picture):
		return picture.Code
	case errors.As(err, &vouched): // before crypto, which can be its cause
		return vouched.Code
	case errors.As(err, &crypto):
		return crypto.Code
	case errors.As(err, &input):
		return input.Code
	case errors.As(err, &record):
		return record.Code()
	case errors.As(err, &asked): // before what is wrong with the request
		return asked.Code
	case errors.As(err, &granted):
		return granted.Code
	case errors.As(err, &law):
		return law.Code
	case errors.As(err, &nodes):
		return nodes.Code
	case errors.As(err, &shared):
		return shared.Code
	case errors.As(err, &message):
		return message.Code
	case errors.As(err, &master):
		return master.Code
	case errors.As(err, &rows):
		return rows.Code
	case errors.As(err, &logged):
		return logged.Code
	case errors.As(err, &service):
		return service.Code
	case errors.As(err, &figures):
		return figures.Code
	case errors.As(err, &sheet):
		return sheet.Code
	case errors.As(err, &shown):
		return shown.Code
	case errors.As(err, &file):
		return "file"
	}
	return "failed"
}

// A codedError is an error of the command itself.
type codedError struct{ code, message string }

func (e *codedError) Error() string { return e.message }

func failf(code, format string, args ...any) error {
	return &codedError{code, fmt.Sprintf(format, args...)}
}

// unfinished is what the names of files that are being written begin with.
const unfinished = ".credledger-"

// writeOutput writes a file whole or not at all: under another name, which it has in the end. What is
// there is replaced, but only a file: a link, a device or a directory is somebody's trap or mistake.
func writeOutput(path string, content []byte) error {
	return writeOutputBy(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// writeOutputBy is writeOutput of what write writes.
func writeOutputBy(path string, write func(io.Writer) error) error {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return failf("output-not-a-file", "%s exists and is not a regular file; name another output", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), unfinished+"*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = write(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// columns is the width of the terminal that shows the answer, 0 if none does.
func (c *call) columns() int {
	if f, ok := c.stdout.(*answerWriter).w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 0
}

// progress shows how far long work has come, on a terminal only.
type progress struct {
	w    io.Writer
	what string
	last time.Time
}

// newProgress returns a progress line on standard error, or nil where nobody would see it.
func (c *call) newProgress(what string) *progress {
	f, ok := c.stderr.(*os.File)
	if !ok || c.json || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &progress{w: f, what: what}
}

// show draws n, of total if that is known (above 0), at most ten times a second.
func (p *progress) show(n, total int64) {
	if p == nil || time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last = time.Now()
	if total > 0 {
		const width = 30
		filled := int(min(n, total) * width / total)
		fmt.Fprintf(p.w, "\r%s [%-*s] %d/%d", p.what, width, bar[:filled], n, total)
		return
	}
	fmt.Fprintf(p.w, "\r%s %d", p.what, n)
}

const bar = "##############################"

// done removes the line.
func (p *progress) done() {
	if p != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
