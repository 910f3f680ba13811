package policy

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/strictyaml"
)

// Bounds of a policy.
const (
	MaxFile         = statement.MaxDefinition // bytes
	MaxLines        = 1024                    // of the bases, and of the negative list
	MaxAnswerWithin = 30 * 24 * 3600          // seconds

	maxText = 1000 // characters of a text in one language
)

// CodeInvalid is the code of every error of Parse; it never changes.
const CodeInvalid = "policy-invalid"

// An Error says what is wrong with a policy, for whoever wrote it.
type Error struct {
	Code    string // CodeInvalid
	Message string
}

func (e *Error) Error() string { return e.Message }

func errorf(format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Message: "policy: " + fmt.Sprintf(format, args...)}
}

var (
	validID  = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	validKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,63}$`)
)

// Parse reads a policy, strictly: a key that is not known, a line that says nothing and a field that
// stands twice are refused. The error is an *[Error].
func Parse(b []byte) (*Policy, error) {
	if len(b) > MaxFile {
		return nil, errorf("has at most %d bytes", MaxFile)
	}
	if !utf8.Valid(b) {
		return nil, errorf("is not UTF-8; convert the file to UTF-8")
	}
	p := new(Policy)
	if err := strictyaml.Decode(b, p); err != nil {
		return nil, errorf("%v", err)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Policy) check() error {
	from, err := day(p.From)
	switch {
	case p.Version < 1 || p.Version > 1<<31-1:
		return errorf("version: must be 1 or more")
	case err != nil || from == nil:
		return errorf("from: must be a date as in 2026-11-01")
	case p.AnswerWithin < 1 || p.AnswerWithin > MaxAnswerWithin:
		return errorf("answerWithin: must be 1 to %d seconds", MaxAnswerWithin)
	case len(p.Bases) > MaxLines || len(p.Negative) > MaxLines:
		return errorf("bases, negative: must be at most %d each", MaxLines)
	}
	p.from = *from
	seen := map[string]bool{}
	type asked struct{ agency, matter, issuer, typ string }
	together := map[asked]int{}
	for i := range p.Bases {
		b := &p.Bases[i]
		if err := b.check(); err != nil {
			return errorf("bases: line %d: %v", i+1, err)
		}
		key := asked{b.Agency, b.Matter, b.Issuer, b.Type}
		if together[key]++; together[key] > statement.MaxBases {
			return errorf("bases: line %d: at most %d are for one agency, matter, issuer and type", i+1, statement.MaxBases)
		}
		if seen[b.ID] {
			return errorf("bases: line %d: id: another line has it", i+1)
		}
		seen[b.ID] = true
	}
	for i := range p.Negative {
		x := &p.Negative[i]
		if err := x.check(); err != nil {
			return errorf("negative: line %d: %v", i+1, err)
		}
		if seen[x.ID] {
			return errorf("negative: line %d: id: another line has it", i+1)
		}
		seen[x.ID] = true
	}
	return nil
}

func (b *Basis) check() (err error) {
	switch {
	case !areIDs(b.ID, b.Agency, b.Matter, b.Issuer, b.Type):
		return fmt.Errorf("id, agency, matter, issuer, type: must be 1 to 32 lower-case letters, digits and hyphens")
	case len(b.Fields) == 0 || !areKeys(b.Fields):
		return fmt.Errorf("fields: must be 1 to %d keys of fields, each once", statement.MaxRequestFields)
	case b.AnswerWithin < 0 || b.AnswerWithin > MaxAnswerWithin:
		return fmt.Errorf("answerWithin: must be 1 to %d seconds, or be left out", MaxAnswerWithin)
	case !isText(b.Text):
		return fmt.Errorf("text: must be in zh and en, at most %d characters each", maxText)
	}
	b.days, err = span(b.From, b.Until)
	return err
}

func (x *Exclusion) check() (err error) {
	switch {
	case !areIDs(x.ID, x.Type) || x.Agency != "" && !areIDs(x.Agency) || x.Matter != "" && !areIDs(x.Matter):
		return fmt.Errorf("id, type, agency, matter: must be 1 to 32 lower-case letters, digits and hyphens")
	case !areKeys(x.Fields):
		return fmt.Errorf("fields: must be at most %d keys of fields, each once", statement.MaxRequestFields)
	case !isText(x.Text):
		return fmt.Errorf("text: must be in zh and en, at most %d characters each", maxText)
	}
	x.days, err = span(x.From, x.Until)
	return err
}

func areIDs(ids ...string) bool {
	for _, id := range ids {
		if !validID.MatchString(id) {
			return false
		}
	}
	return true
}

func areKeys(keys []string) bool {
	seen := map[string]bool{}
	for _, k := range keys {
		if !validKey.MatchString(k) || seen[k] {
			return false
		}
		seen[k] = true
	}
	return len(keys) <= statement.MaxRequestFields
}

func isText(t licence.Text) bool {
	for _, s := range [...]string{t.Zh, t.En} {
		if strings.TrimSpace(s) == "" || utf8.RuneCountInString(s) > maxText || strings.IndexFunc(s, unicode.IsControl) >= 0 {
			return false
		}
	}
	return true
}

// day reads a date; nil if there is none.
func day(s string) (*licence.Date, error) {
	if s == "" {
		return nil, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return nil, err
	}
	d := licence.DateOf(t)
	return &d, nil
}

func span(from, until string) (days, error) {
	first, err := day(from)
	if err != nil {
		return days{}, fmt.Errorf("from: must be a date as in 2026-11-01")
	}
	last, err := day(until)
	if err != nil {
		return days{}, fmt.Errorf("until: must be a date as in 2026-11-01")
	}
	if first != nil && last != nil && *first > *last {
		return days{}, fmt.Errorf("until: must not be before from")
	}
	return days{first, last}, nil
}
