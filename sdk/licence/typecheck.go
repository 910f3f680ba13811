package licence

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// MaxStatusAge is the greatest maxStatusAge a type can have; the least is one second.
const MaxStatusAge = 366 * 24 * time.Hour

// check reports the first rule of a type that t breaks.
func (t *Type) check() error {
	switch {
	case !validID(t.ID):
		return errors.New("id: must be 1 to 32 lower-case letters, digits and hyphens")
	case t.Version < 1 || t.Version > 9999:
		return errors.New("version: must be from 1 to 9999")
	case wrongUSCC(t.Definer) != "":
		return errors.New("definer: " + wrongUSCC(t.Definer))
	case len(t.Code) != 21 || t.Code[:18] != t.Definer || !digits(t.Code[18:]):
		return errors.New("code: must be the definer's unified social credit code followed by three digits")
	case t.Holders != HoldersOne && t.Holders != HoldersMany:
		return errors.New(`holders: must be "one" or "many"`)
	case t.Validity != ValidityPermanent && t.Validity != ValidityTerm:
		return errors.New(`validity: must be "permanent" or "term"`)
	case t.MaxStatusAge < time.Second || t.MaxStatusAge > MaxStatusAge:
		return errors.New("maxStatusAge: must be from 1s to 8784h")
	case len(t.Fields) == 0:
		return errors.New("fields: must not be empty")
	}
	if err := t.Name.check(); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	if err := t.checkFields(); err != nil {
		return fmt.Errorf("fields: %w", err)
	}
	if err := t.checkTransitions(); err != nil {
		return fmt.Errorf("transitions: %w", err)
	}
	codes := map[string]bool{}
	for _, r := range t.Restrictions {
		if err := checkCode(codes, r.Code, r.Label); err != nil {
			return fmt.Errorf("restrictions: %w", err)
		}
	}
	return nil
}

func (t *Type) checkFields() error {
	names := map[string]bool{IdentifierKey: true, DocumentsKey: true, IdentifierAlias: true, ValidFromAlias: true, ValidUntilAlias: true}
	numbered := false
	for _, f := range t.Fields {
		if !validKey(f.Key) {
			return fmt.Errorf("key %.40q must be a letter and at most 63 letters and digits", f.Key)
		}
		if err := f.check(); err != nil {
			return fmt.Errorf("%s: %w", f.Key, err)
		}
		if names[f.Key] {
			return fmt.Errorf("%s: the name is taken, or reserved in every type", f.Key)
		}
		names[f.Key] = true
		for _, a := range f.Aliases {
			if !cleanLine(a, 128) {
				return fmt.Errorf("%s: an alias must be 1 to 128 bytes of one line of NFC text without white space at its ends", f.Key)
			}
			if names[a] {
				return fmt.Errorf("%s: the alias %q is taken, or reserved in every type", f.Key, a)
			}
			names[a] = true
		}
		if !slices.Contains(f.Aliases, NumberAlias) {
			continue
		}
		numbered = true
		if !f.Required || !slices.Contains([]Kind{KindString, KindResidentID, KindUSCC, KindPropertyUnit}, f.Kind) {
			return fmt.Errorf("%s: the licence's number (alias %s) must be required and of the kind string, resident-id, uscc or property-unit",
				f.Key, NumberAlias)
		}
	}
	if !numbered {
		return fmt.Errorf("one field must have the alias %s: it is the licence's number", NumberAlias)
	}
	return nil
}

func (f Field) check() error {
	switch {
	case !f.Kind.known():
		return fmt.Errorf("unknown kind %.40q", string(f.Kind))
	case f.Classification != Public && f.Classification != Internal && f.Classification != Sensitive:
		return errors.New(`classification must be "public", "internal" or "sensitive"`)
	case f.Mask != "" && f.Mask != MaskName && f.Mask != MaskID:
		return errors.New(`mask must be "name" or "id", or left out`)
	}
	return f.Label.check()
}

func (t *Type) checkTransitions() error {
	pairs := map[[2]State]bool{}
	for _, tr := range t.Transitions {
		pair := [2]State{tr.From, tr.To}
		switch {
		case !tr.From.Valid() || !tr.To.Valid():
			return errors.New("a state must be active, suspended, revoked or superseded")
		case tr.From == tr.To:
			return fmt.Errorf("%s to %s: not a change", tr.From, tr.To)
		case pairs[pair]:
			return fmt.Errorf("%s to %s: given twice", tr.From, tr.To)
		case tr.Approvals != 1 && tr.Approvals != 2:
			return fmt.Errorf("%s to %s: approvals must be 1 or 2", tr.From, tr.To)
		case len(tr.Reasons) == 0:
			return fmt.Errorf("%s to %s: needs a reason", tr.From, tr.To)
		}
		pairs[pair] = true
		codes := map[string]bool{}
		for _, r := range tr.Reasons {
			if r.Effect != FromDate && r.Effect != AbInitio {
				return fmt.Errorf(`%s to %s: effect must be "from-date" or "ab-initio"`, tr.From, tr.To)
			}
			if err := checkCode(codes, r.Code, r.Label); err != nil {
				return fmt.Errorf("%s to %s: %w", tr.From, tr.To, err)
			}
		}
	}
	return nil
}

// checkCode checks the code and the label of a reason or restriction, and that the code is not among those already seen.
func checkCode(seen map[string]bool, code string, l Text) error {
	if !validCode(code) {
		return fmt.Errorf("code %.40q must be a letter and at most 31 letters, digits and hyphens", code)
	}
	if seen[code] {
		return fmt.Errorf("code %q is given twice", code)
	}
	seen[code] = true
	if err := l.check(); err != nil {
		return fmt.Errorf("%s: %w", code, err)
	}
	return nil
}

func (t Text) check() error {
	if !cleanLine(t.Zh, 256) || !cleanLine(t.En, 256) {
		return errors.New("a text must be 1 to 256 bytes of one line of NFC text without white space at its ends")
	}
	return nil
}

// cleanLine reports whether s is not empty, at most limit bytes long and clean as it stands.
func cleanLine(s string, limit int) bool {
	text, wrong := clean(s, false)
	return s != "" && len(s) <= limit && wrong == "" && text == s
}

// validID: the ids of types, departments and units.
func validID(s string) bool {
	return s != "" && len(s) <= 32 && every(s, func(i int, c byte) bool {
		return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-'
	})
}

func validKey(s string) bool {
	return s != "" && len(s) <= 64 && every(s, func(i int, c byte) bool {
		return letter(c) || i > 0 && '0' <= c && c <= '9'
	})
}

func validCode(s string) bool {
	return s != "" && len(s) <= 32 && every(s, func(i int, c byte) bool {
		return letter(c) || i > 0 && ('0' <= c && c <= '9' || c == '-')
	})
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func every(s string, ok func(i int, c byte) bool) bool {
	for i := range len(s) {
		if !ok(i, s[i]) {
			return false
		}
	}
	return true
}

// compile fills what the readers look up.
func (t *Type) compile() {
	n := len(t.Fields)
	t.names = map[string]int{IdentifierKey: n, IdentifierAlias: n, DocumentsKey: n + 1, ValidFromAlias: n + 2, ValidUntilAlias: n + 3}
	t.leaves = make([]string, 0, n+2)
	for i, f := range t.Fields {
		t.leaves = append(t.leaves, f.Key)
		t.names[f.Key] = i
		for _, a := range f.Aliases {
			t.names[a] = i
			if a == NumberAlias {
				t.number = i
			}
		}
	}
	t.leaves = append(t.leaves, IdentifierKey, DocumentsKey)
}
