package licence

import (
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// Limits of a type.
const (
	MaxType   = 256 << 10 // bytes of JSON
	MaxFields = 200
)

// ParseType parses a licence type from JSON, strictly: every member of the format present (mask alone may be left out), none twice and none unknown, no
// trailing data, at most MaxType bytes, and all the rules that hold for a type. Errors name the member and never need a log to be filtered: a type holds
// no personal data.
func ParseType(b []byte) (*Type, error) {
	if len(b) > MaxType {
		return nil, fmt.Errorf("licence type: larger than %d bytes", MaxType)
	}
	if !utf8.Valid(b) {
		return nil, errors.New("licence type: not UTF-8; convert the file to UTF-8")
	}
	p := &scanner{s: string(b)}
	t := new(Type)
	err := p.typ(t)
	if err == nil {
		err = p.end()
	}
	if err == nil {
		err = t.check()
	}
	if err != nil {
		return nil, fmt.Errorf("licence type: %w", err)
	}
	t.compile()
	return t, nil
}

// Members of the JSON format, in canonical order.
var (
	typeMembers = []string{"id", "version", "code", "provisional", "name", "definer", "holders", "validity", "maxStatusAge",
		"fields", "transitions", "restrictions"}
	textMembers        = []string{"zh", "en"}
	fieldMembers       = []string{"key", "label", "kind", "classification", "required", "aliases", "mask?"}
	transitionMembers  = []string{"from", "to", "approvals", "reasons"}
	reasonMembers      = []string{"code", "label", "effect"}
	restrictionMembers = []string{"code", "label"}
)

func (p *scanner) typ(t *Type) error {
	return p.object(typeMembers, func(i int) error {
		switch typeMembers[i] {
		case "id":
			return p.string(&t.ID)
		case "version":
			return p.integer(&t.Version)
		case "code":
			return p.string(&t.Code)
		case "provisional":
			return p.bool(&t.Provisional)
		case "name":
			return p.label(&t.Name)
		case "definer":
			return p.string(&t.Definer)
		case "holders":
			return p.string(&t.Holders)
		case "validity":
			return p.string(&t.Validity)
		case "maxStatusAge":
			return p.duration(&t.MaxStatusAge)
		case "fields":
			return p.array(MaxFields, func() error {
				t.Fields = append(t.Fields, Field{})
				return p.field(&t.Fields[len(t.Fields)-1])
			})
		case "transitions":
			return p.array(12, func() error {
				t.Transitions = append(t.Transitions, Transition{})
				return p.transition(&t.Transitions[len(t.Transitions)-1])
			})
		default:
			return p.array(64, func() error {
				t.Restrictions = append(t.Restrictions, Restriction{})
				r := &t.Restrictions[len(t.Restrictions)-1]
				return p.object(restrictionMembers, func(i int) error {
					if i == 0 {
						return p.string(&r.Code)
					}
					return p.label(&r.Label)
				})
			})
		}
	})
}

func (p *scanner) field(f *Field) error {
	return p.object(fieldMembers, func(i int) error {
		switch fieldMembers[i] {
		case "key":
			return p.string(&f.Key)
		case "label":
			return p.label(&f.Label)
		case "kind":
			return p.string((*string)(&f.Kind))
		case "classification":
			return p.string(&f.Classification)
		case "required":
			return p.bool(&f.Required)
		case "aliases":
			return p.array(64, func() error {
				f.Aliases = append(f.Aliases, "")
				return p.string(&f.Aliases[len(f.Aliases)-1])
			})
		default:
			if err := p.string(&f.Mask); err != nil || f.Mask != "" {
				return err
			}
			return errors.New("must not be empty; leave it out")
		}
	})
}

func (p *scanner) transition(t *Transition) error {
	return p.object(transitionMembers, func(i int) error {
		switch transitionMembers[i] {
		case "from":
			return p.string((*string)(&t.From))
		case "to":
			return p.string((*string)(&t.To))
		case "approvals":
			return p.integer(&t.Approvals)
		default:
			return p.array(64, func() error {
				t.Reasons = append(t.Reasons, Reason{})
				r := &t.Reasons[len(t.Reasons)-1]
				return p.object(reasonMembers, func(i int) error {
					switch i {
					case 0:
						return p.string(&r.Code)
					case 1:
						return p.label(&r.Label)
					}
					return p.string(&r.Effect)
				})
			})
		}
	})
}

func (p *scanner) string(to *string) (err error) {
	*to, err = p.text()
	return err
}

func (p *scanner) label(to *Text) error {
	return p.object(textMembers, func(i int) error {
		if i == 0 {
			return p.string(&to.Zh)
		}
		return p.string(&to.En)
	})
}

func (p *scanner) bool(to *bool) error {
	if *to = p.peek() == 't'; *to {
		return p.word("true")
	}
	return p.word("false")
}

// integer reads a whole number from 0 to 999999.
func (p *scanner) integer(to *int) error {
	s, err := p.number()
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n > 999999 {
		return errors.New("must be a whole number")
	}
	*to = int(n)
	return nil
}

// duration reads a whole number of hours, minutes or seconds: "24h", "90m", "30s".
func (p *scanner) duration(to *time.Duration) error {
	s, err := p.text()
	if err != nil {
		return err
	}
	wrong := errors.New(`must be a whole number of hours, minutes or seconds, as "24h", "90m" or "30s"`)
	if s == "" {
		return wrong
	}
	unit, ok := map[byte]time.Duration{'h': time.Hour, 'm': time.Minute, 's': time.Second}[s[len(s)-1]]
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 31)
	if !ok || err != nil || n > uint64(MaxStatusAge/unit) {
		return wrong
	}
	*to = time.Duration(n) * unit
	return nil
}

// Canonical returns the one canonical JSON encoding of the type, the bytes that are published on a ledger: the members in the order of the
// format, mask left out if there is none, maxStatusAge in the greatest unit that gives a whole number, no white space, strings escaped as in
// RFC 8785, section 3.2.2.2. ParseType reads it back to an equal type.
func (t *Type) Canonical() []byte {
	b := make([]byte, 0, 8<<10)
	b = member(b, '{', "id", t.ID)
	b = strconv.AppendInt(append(b, `,"version":`...), int64(t.Version), 10)
	b = member(b, ',', "code", t.Code)
	b = strconv.AppendBool(append(b, `,"provisional":`...), t.Provisional)
	b = label(b, "name", t.Name)
	b = member(b, ',', "definer", t.Definer)
	b = member(b, ',', "holders", t.Holders)
	b = member(b, ',', "validity", t.Validity)
	b = member(b, ',', "maxStatusAge", age(t.MaxStatusAge))
	b = list(append(b, `,"fields":`...), t.Fields, appendField)
	b = list(append(b, `,"transitions":`...), t.Transitions, appendTransition)
	b = list(append(b, `,"restrictions":`...), t.Restrictions, func(b []byte, r Restriction) []byte {
		return append(label(member(b, '{', "code", r.Code), "label", r.Label), '}')
	})
	return append(b, '}')
}

func appendField(b []byte, f Field) []byte {
	b = label(member(b, '{', "key", f.Key), "label", f.Label)
	b = member(b, ',', "kind", string(f.Kind))
	b = member(b, ',', "classification", f.Classification)
	b = strconv.AppendBool(append(b, `,"required":`...), f.Required)
	b = list(append(b, `,"aliases":`...), f.Aliases, appendString)
	if f.Mask != "" {
		b = member(b, ',', "mask", f.Mask)
	}
	return append(b, '}')
}

func appendTransition(b []byte, t Transition) []byte {
	b = member(member(b, '{', "from", string(t.From)), ',', "to", string(t.To))
	b = strconv.AppendInt(append(b, `,"approvals":`...), int64(t.Approvals), 10)
	b = list(append(b, `,"reasons":`...), t.Reasons, func(b []byte, r Reason) []byte {
		b = label(member(b, '{', "code", r.Code), "label", r.Label)
		return append(member(b, ',', "effect", r.Effect), '}')
	})
	return append(b, '}')
}

// member appends a separator and a member whose value is a string.
func member(b []byte, separator byte, name, value string) []byte {
	b = append(appendString(append(b, separator), name), ':')
	return appendString(b, value)
}

func label(b []byte, name string, t Text) []byte {
	b = append(appendString(append(b, ','), name), ':')
	return append(member(member(b, '{', "zh", t.Zh), ',', "en", t.En), '}')
}

func list[T any](b []byte, items []T, item func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, it := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = item(b, it)
	}
	return append(b, ']')
}

func age(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}
