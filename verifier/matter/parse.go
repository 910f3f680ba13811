package matter

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/strictyaml"
)

// Bounds of a matter.
const (
	MaxFile = 256 << 10 // bytes

	maxList = 64   // of anything in a matter
	maxText = 1000 // characters of a text in one language
	maxDays = 36525
)

var (
	validID    = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	validKey   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,63}$`)
	validCode  = regexp.MustCompile(`^[0-9A-Z]{1,31}$`)
	validField = regexp.MustCompile(`^[a-z0-9-]{1,32}\.[A-Za-z][A-Za-z0-9]{0,63}$`)
)

// Parse reads a matter, strictly. The error says what is wrong for whoever wrote the file.
func Parse(b []byte) (*Matter, error) {
	if len(b) > MaxFile {
		return nil, fmt.Errorf("a matter has at most %d bytes", MaxFile)
	}
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("it is not UTF-8; convert the file to UTF-8")
	}
	m := new(Matter)
	if err := strictyaml.Decode(b, m); err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Matter) check() error {
	switch {
	case !validID.MatchString(m.ID):
		return fmt.Errorf("id: must be 1 to 32 lower-case letters, digits and hyphens")
	case m.Version < 1 || m.Version > 1<<30:
		return fmt.Errorf("version: must be 1 or more")
	case !validCode.MatchString(m.Code):
		return fmt.Errorf("code: must be 1 to 31 digits and capital letters; quote a code of digits only")
	case len(m.Requirements) == 0 || len(m.Requirements) > maxList:
		return fmt.Errorf("requirements: must be 1 to %d", maxList)
	case len(m.Departments) == 0 || len(m.Departments) > maxList:
		return fmt.Errorf("departments: must be 1 to %d", maxList)
	case len(m.Rules) > maxList:
		return fmt.Errorf("rules: must be at most %d", maxList)
	}
	from, err := time.Parse(time.DateOnly, m.From)
	if err != nil {
		return fmt.Errorf("from: must be a date as in 2026-01-01")
	}
	m.from = licence.DateOf(from)
	if err := checkText("name", m.Name); err != nil {
		return err
	}
	if err := checkTexts("basis", m.Basis); err != nil {
		return err
	}
	if err := checkTexts("review", m.Review); err != nil {
		return err
	}
	if err := m.checkDepartments(); err != nil {
		return err
	}
	if err := m.checkRequirements(); err != nil {
		return err
	}
	if err := m.checkRules(); err != nil {
		return err
	}
	m.fillIn()
	return nil
}

// fillIn makes lists that are absent empty ones, as they stand in the JSON form.
func (m *Matter) fillIn() {
	if m.Basis == nil {
		m.Basis = []licence.Text{}
	}
	if m.Review == nil {
		m.Review = []licence.Text{}
	}
	if m.Rules == nil {
		m.Rules = []Rule{}
	}
}

func (m *Matter) checkDepartments() error {
	seen := map[string]bool{}
	for _, d := range m.Departments {
		if !validID.MatchString(d.ID) || seen[d.ID] {
			return fmt.Errorf("departments: ids must be 1 to 32 lower-case letters, digits and hyphens, each once")
		}
		seen[d.ID] = true
		if err := checkText("departments: "+d.ID+": name", d.Name); err != nil {
			return err
		}
	}
	return nil
}

func (m *Matter) checkRequirements() error {
	roles, types := map[string]bool{}, map[string]bool{}
	for i := range m.Requirements {
		r := &m.Requirements[i]
		if !validID.MatchString(r.Role) || roles[r.Role] {
			return fmt.Errorf("requirements: roles must be 1 to 32 lower-case letters, digits and hyphens, each once")
		}
		roles[r.Role] = true
		where := "requirements: " + r.Role
		if err := checkText(where+": name", r.Name); err != nil {
			return err
		}
		if r.Min < 0 || r.Max < 1 || r.Min > r.Max || r.Max > MaxItems {
			return fmt.Errorf("%s: min and max must be a range within 0 to %d, max at least 1", where, MaxItems)
		}
		if len(r.Alternatives) == 0 || len(r.Alternatives) > maxList {
			return fmt.Errorf("%s: alternatives: must be 1 to %d", where, maxList)
		}
		for j := range r.Alternatives {
			a := &r.Alternatives[j]
			if !validID.MatchString(a.Type) || types[a.Type] {
				return fmt.Errorf("%s: alternatives: type must be the id of a licence type, and each type stands in one place of a matter", where)
			}
			types[a.Type] = true
			if err := a.check(); err != nil {
				return fmt.Errorf("%s: %s: %w", where, a.Type, err)
			}
		}
	}
	return nil
}

func (a *Alternative) check() error {
	if len(a.Fields) == 0 || len(a.Fields) > maxList {
		return fmt.Errorf("fields: must be 1 to %d", maxList)
	}
	for i, key := range a.Fields {
		if !validKey.MatchString(key) || slices.Contains(a.Fields[:i], key) {
			return fmt.Errorf("fields: must be keys of the type's dictionary, each once")
		}
	}
	switch {
	case a.Show != ShowNone && a.Show != ShowOne && a.Show != ShowAll:
		return fmt.Errorf("show: must be %s, %s or %s", ShowNone, ShowOne, ShowAll)
	case (a.Show == ShowAll) != (a.Holders != ""):
		return fmt.Errorf("holders: goes with show: %s, and only with that", ShowAll)
	case a.Holders != "" && !slices.Contains(a.Fields, a.Holders):
		return fmt.Errorf("holders: must be one of the fields")
	}
	return nil
}

func (m *Matter) checkRules() error {
	seen := map[string]bool{}
	for i := range m.Rules {
		r := &m.Rules[i]
		if !validID.MatchString(r.ID) || seen[r.ID] {
			return fmt.Errorf("rules: ids must be 1 to 32 lower-case letters, digits and hyphens, each once")
		}
		seen[r.ID] = true
		where := "rules: " + r.ID
		if err := checkText(where+": text", r.Text); err != nil {
			return err
		}
		if err := m.checkRule(r); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	return nil
}

func (m *Matter) checkRule(r *Rule) error {
	forms := 0
	for _, given := range []bool{r.Every != nil || r.In != nil, r.Equals != nil, r.Within != nil, r.NotAfter != nil} {
		if given {
			forms++
		}
	}
	switch {
	case forms != 1:
		return fmt.Errorf("a rule is one of: every with in, equals, within, notAfter")
	case r.Equals == nil && r.Within == nil && r.NotAfter == nil && (len(r.Every) == 0 || len(r.In) == 0):
		return fmt.Errorf("every and in go together, each with one field or more")
	case len(r.Every) > maxList || len(r.In) > maxList:
		return fmt.Errorf("every and in have at most %d fields", maxList)
	case r.Within != nil && (r.Within.Days < 0 || r.Within.Days > maxDays):
		return fmt.Errorf("within: days must be 0 to %d", maxDays)
	case r.Equals != nil && (len(r.Equals.Value) > maxText || !utf8.ValidString(r.Equals.Value)):
		return fmt.Errorf("equals: value is too long")
	}
	for _, field := range r.fields() {
		if !validField.MatchString(field) {
			return fmt.Errorf("a field is written TYPE.KEY, as in property.rightHolders")
		}
		typ, key, _ := strings.Cut(field, ".")
		if !slices.Contains(m.Fields(typ), key) {
			return fmt.Errorf("%s is not among the fields that the matter requires", field)
		}
	}
	return nil
}

// fields returns every field that the rule looks at.
func (r *Rule) fields() []string {
	fields := slices.Concat(r.Every, r.In)
	switch {
	case r.Equals != nil:
		fields = append(fields, r.Equals.Field)
	case r.Within != nil:
		fields = append(fields, r.Within.Field)
	case r.NotAfter != nil:
		fields = append(fields, r.NotAfter.Field, r.NotAfter.Bound)
	}
	return fields
}

func checkTexts(where string, texts []licence.Text) error {
	if len(texts) > maxList {
		return fmt.Errorf("%s: must be at most %d", where, maxList)
	}
	for _, t := range texts {
		if err := checkText(where, t); err != nil {
			return err
		}
	}
	return nil
}

func checkText(where string, t licence.Text) error {
	for _, s := range []string{t.Zh, t.En} {
		if s == "" || utf8.RuneCountInString(s) > maxText || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) }) {
			return fmt.Errorf("%s: zh and en must be texts of one line, of at most %d characters", where, maxText)
		}
	}
	return nil
}

// Check returns what the matter asks of a version of a type that is not in its dictionary, or is of
// another kind there; nil for a type that the matter does not use.
func (m *Matter) Check(t *licence.Type) error {
	_, a := m.alternative(t.ID)
	if a == nil {
		return nil
	}
	for _, key := range a.Fields {
		if !slices.Contains(t.Leaves(), key) {
			return fmt.Errorf("matter %s: the type %s version %d has no field %s", m.ID, t.ID, t.Version, key)
		}
	}
	if f, ok := t.Field(a.Holders); a.Holders != "" && (!ok || !f.Kind.List()) {
		return fmt.Errorf("matter %s: the field %s of the type %s is not a list of holders", m.ID, a.Holders, t.ID)
	}
	for i := range m.Rules {
		r := &m.Rules[i]
		if r.Within == nil && r.NotAfter == nil {
			continue
		}
		for _, field := range r.fields() {
			typ, key, _ := strings.Cut(field, ".")
			if f, ok := t.Field(key); typ == t.ID && (!ok || f.Kind != licence.KindDate) {
				return fmt.Errorf("matter %s: rule %s: %s is not a date", m.ID, r.ID, field)
			}
		}
	}
	return nil
}
