package vectors_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// A matcher reports whether a decoded CBOR item is of a type.
type matcher func(v any) bool

// A grammar is the rules of a CDDL text (RFC 8610), as far as SPEC needs the language: arrays and
// maps of named entries, repetition of the one entry of an array, choices, ranges, tags, and the
// controls .size, .regexp and .cbor.
type grammar map[string]matcher

// A cddlParser reads a CDDL text token by token.
type cddlParser struct {
	tokens []string
	rules  grammar
}

var cddlToken = regexp.MustCompile(`#6\.\d+|"[^"]*"|\.\.|\.[a-z]+|=>|\d+\*\d+|-?\d+|[a-z][a-z0-9-]*|[=/:,(){}\[\]]`)

// parseCDDL reads a text; what it does not understand is an error.
func parseCDDL(text string) (g grammar, err error) {
	var clean strings.Builder
	for line := range strings.Lines(text) {
		code, _, _ := strings.Cut(line, ";")
		clean.WriteString(code + "\n")
	}
	if rest := strings.TrimSpace(cddlToken.ReplaceAllString(clean.String(), "")); rest != "" {
		return nil, fmt.Errorf("not understood: %.40q", rest)
	}
	defer func() {
		if e, failed := recover().(error); failed {
			err = e
		}
	}()
	p := &cddlParser{cddlToken.FindAllString(clean.String(), -1), grammar{}}
	for len(p.tokens) > 0 {
		name := p.next()
		p.take("=")
		if p.rules[name] != nil {
			p.fail("a second rule %s", name)
		}
		p.rules[name] = p.choice()
	}
	return p.rules, nil
}

func (p *cddlParser) fail(format string, args ...any) { panic(fmt.Errorf(format, args...)) }

func (p *cddlParser) peek(i int) string {
	if i < len(p.tokens) {
		return p.tokens[i]
	}
	return ""
}

func (p *cddlParser) next() string {
	token := p.peek(0)
	if token == "" {
		p.fail("the text ends too early")
	}
	p.tokens = p.tokens[1:]
	return token
}

func (p *cddlParser) take(want string) {
	if got := p.next(); got != want {
		p.fail("found %s where %s was expected", got, want)
	}
}

func (p *cddlParser) choice() matcher {
	types := []matcher{p.controlled()}
	for p.peek(0) == "/" {
		p.next()
		types = append(types, p.controlled())
	}
	return func(v any) bool {
		for _, m := range types {
			if m(v) {
				return true
			}
		}
		return false
	}
}

// controlled reads a type with the control that may follow it.
func (p *cddlParser) controlled() matcher {
	m := p.single()
	switch p.peek(0) {
	case ".size":
		p.next()
		size := p.single()
		return func(v any) bool {
			switch s := v.(type) {
			case []byte:
				return m(v) && size(int64(len(s)))
			case string:
				return m(v) && size(int64(len(s)))
			}
			return false
		}
	case ".regexp":
		p.next()
		pattern := regexp.MustCompile(`^(?:` + strings.Trim(p.next(), `"`) + `)$`)
		return func(v any) bool { s, ok := v.(string); return ok && m(v) && pattern.MatchString(s) }
	case ".cbor":
		p.next()
		inner := p.single()
		return func(v any) bool {
			b, ok := v.([]byte)
			if !ok || !m(v) {
				return false
			}
			item, err := decodeItem(b)
			return err == nil && inner(item)
		}
	}
	return m
}

func (p *cddlParser) single() matcher {
	switch token := p.next(); {
	case token == "(":
		m := p.choice()
		p.take(")")
		return m
	case token == "[":
		return p.array()
	case token == "{":
		return p.mapping()
	case strings.HasPrefix(token, "#6."):
		number, _ := strconv.ParseUint(token[3:], 10, 64)
		p.take("(")
		m := p.choice()
		p.take(")")
		return func(v any) bool { tag, ok := v.(cbor.Tag); return ok && tag.Number == number && m(tag.Content) }
	case token[0] == '"':
		want := strings.Trim(token, `"`)
		return func(v any) bool { return v == want }
	case token[0] == '-' || '0' <= token[0] && token[0] <= '9':
		low, high := p.number(token), p.number(token)
		if p.peek(0) == ".." {
			p.next()
			high = p.number(p.next())
		}
		return func(v any) bool { n, ok := v.(int64); return ok && low <= n && n <= high }
	default:
		return p.named(token)
	}
}

func (p *cddlParser) number(token string) int64 {
	n, err := strconv.ParseInt(token, 10, 64)
	if err != nil {
		p.fail("%s is not a number", token)
	}
	return n
}

func (p *cddlParser) named(name string) matcher {
	switch name {
	case "null":
		return func(v any) bool { return v == nil }
	case "bstr":
		return func(v any) bool { _, ok := v.([]byte); return ok }
	case "tstr":
		return func(v any) bool { _, ok := v.(string); return ok }
	}
	return func(v any) bool { // the rule may come later in the text
		m := p.rules[name]
		return m != nil && m(v)
	}
}

// array reads the rest of an array: named entries, or one that is repeated.
func (p *cddlParser) array() matcher {
	if least, most, repeated := strings.Cut(p.peek(0), "*"); repeated {
		p.next()
		low, high := p.number(least), p.number(most)
		m := p.choice()
		p.take("]")
		return func(v any) bool {
			items, ok := v.([]any)
			if !ok || int64(len(items)) < low || int64(len(items)) > high {
				return false
			}
			for _, item := range items {
				if !m(item) {
					return false
				}
			}
			return true
		}
	}
	var entries []matcher
	for {
		if p.peek(1) == ":" {
			p.next()
			p.next()
		}
		entries = append(entries, p.choice())
		if p.peek(0) != "," {
			break
		}
		p.next()
	}
	p.take("]")
	return func(v any) bool {
		items, ok := v.([]any)
		if !ok || len(items) != len(entries) {
			return false
		}
		for i, m := range entries {
			if !m(items[i]) {
				return false
			}
		}
		return true
	}
}

// mapping reads the rest of a map whose keys are numbers.
func (p *cddlParser) mapping() matcher {
	entries := map[int64]matcher{}
	for p.peek(0) != "}" {
		key := p.number(p.next())
		p.take("=>")
		entries[key] = p.choice()
		if p.peek(0) == "," {
			p.next()
		}
	}
	p.take("}")
	return func(v any) bool {
		items, ok := v.(map[any]any)
		if !ok || len(items) != len(entries) {
			return false
		}
		for key, m := range entries {
			if item, found := items[key]; !found || !m(item) {
				return false
			}
		}
		return true
	}
}

// decodeItem decodes one item, integers as int64.
func decodeItem(b []byte) (any, error) {
	mode, err := cbor.DecOptions{IntDec: cbor.IntDecConvertSigned}.DecMode()
	if err != nil {
		return nil, err
	}
	var v any
	err = mode.Unmarshal(b, &v)
	return v, err
}

func TestCDDLParser(t *testing.T) {
	g, err := parseCDDL(`a = [x: 1..3, b / null] ; comment
		b = {1 => tstr .size (2..3), 4 => "q"}
		c = #6.18([0*2 bstr .size 2])`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule string
		v    any
		want bool
	}{
		{"a", []any{int64(3), nil}, true},
		{"a", []any{int64(4), nil}, false},
		{"a", []any{int64(math.MaxInt64), nil}, false},
		{"a", []any{int64(3)}, false},
		{"a", []any{int64(3), map[any]any{int64(1): "ab", int64(4): "q"}}, true},
		{"a", []any{int64(3), map[any]any{int64(1): "a", int64(4): "q"}}, false},
		{"b", map[any]any{int64(1): "ab"}, false},
		{"b", map[any]any{int64(1): "ab", int64(5): "q"}, false},
		{"c", cbor.Tag{Number: 18, Content: []any{[]byte{1, 2}}}, true},
		{"c", cbor.Tag{Number: 19, Content: []any{}}, false},
		{"c", cbor.Tag{Number: 18, Content: []any{"ab"}}, false},
		{"c", cbor.Tag{Number: 18, Content: []any{[]byte{1, 2}, []byte{1, 2}, []byte{1, 2}}}, false},
	} {
		if got := g[c.rule](c.v); got != c.want {
			t.Errorf("%s matches %v: %v", c.rule, c.v, got)
		}
	}
	for _, bad := range []string{"a = ", "a", "a = [", "a = 1 a = 2", "a = ?", "a = {x => 1}"} {
		if _, err := parseCDDL(bad); err == nil {
			t.Errorf("%q is understood", bad)
		}
	}
}
