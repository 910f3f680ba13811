package licence

import (
	"fmt"
	"strconv"
	"strings"
)

// localName cuts the namespace prefix off a name.
func localName(name string) string { return name[strings.IndexByte(name, ':')+1:] }

// xmlScanner reads the elements of one record from a string that is valid UTF-8, strictly.
type xmlScanner struct {
	s string
	i int
}

func (p *xmlScanner) fail(message string) error {
	return fmt.Errorf("at byte %d: %s", p.i+1, message)
}

func xmlSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (p *xmlScanner) space() {
	for p.i < len(p.s) && xmlSpace(p.s[p.i]) {
		p.i++
	}
}

func (p *xmlScanner) take(mark string) bool {
	if !strings.HasPrefix(p.s[p.i:], mark) {
		return false
	}
	p.i += len(mark)
	return true
}

// endsName marks the bytes that end a name.
var endsName = func() (t [256]bool) {
	for _, c := range []byte(" \t\r\n<>/='\"&;!?") {
		t[c] = true
	}
	return t
}()

// name reads the name of an element or attribute.
func (p *xmlScanner) name() (string, error) {
	start := p.i
	for p.i < len(p.s) && !endsName[p.s[p.i]] {
		p.i++
	}
	name := p.s[start:p.i]
	if name == "" || '0' <= name[0] && name[0] <= '9' || name[0] == '-' || name[0] == '.' {
		return "", p.fail("a name is missing")
	}
	return name, nil
}

// close reads the rest of the end tag of an element after "</".
func (p *xmlScanner) close(name string) error {
	if !p.take(name) {
		return p.fail("an end tag does not fit")
	}
	p.space()
	if !p.take(">") {
		return p.fail("an end tag does not fit")
	}
	return nil
}

// rest reads on in an element to behind its end tag, whatever is in it.
func (p *xmlScanner) rest(name string) error {
	open := []string{name}
	for {
		if p.take("</") {
			if err := p.close(open[len(open)-1]); err != nil {
				return err
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				return nil
			}
		} else {
			name, empty, err := p.tag(nil)
			if err != nil {
				return err
			}
			if !empty {
				open = append(open, name)
			}
			if len(open) > maxDepth {
				return p.fail("elements are nested too deeply")
			}
		}
		if _, err := p.content(); err != nil {
			return err
		}
	}
}

// tag reads an opening or empty tag and calls attribute, which may be nil, for each of its attributes but namespace declarations.
func (p *xmlScanner) tag(attribute func(name, value string)) (name string, empty bool, err error) {
	if !p.take("<") {
		return "", false, p.fail("a tag is missing")
	}
	if name, err = p.name(); err != nil {
		return "", false, err
	}
	empty, err = p.attributes(attribute)
	return name, empty, err
}

// attributes reads the rest of a tag after the name.
func (p *xmlScanner) attributes(attribute func(name, value string)) (empty bool, err error) {
	var seen []string
	for {
		before := p.i
		p.space()
		if p.take("/>") {
			return true, nil
		}
		if p.take(">") {
			return false, nil
		}
		if p.i == before {
			return false, p.fail("white space is missing before an attribute")
		}
		name, err := p.name()
		if err != nil {
			return false, err
		}
		for _, s := range seen {
			if s == name {
				return false, p.fail("an attribute is given twice")
			}
		}
		if seen = append(seen, name); len(seen) > 32 {
			return false, p.fail("there are more than 32 attributes")
		}
		p.space()
		if !p.take("=") {
			return false, p.fail("'=' is missing after an attribute")
		}
		p.space()
		quote := "\""
		if !p.take(quote) {
			if quote = "'"; !p.take(quote) {
				return false, p.fail("quotation marks are missing around an attribute")
			}
		}
		end := strings.Index(p.s[p.i:], quote)
		if end < 0 || strings.IndexByte(p.s[p.i:p.i+end], '<') >= 0 {
			return false, p.fail("an attribute is not closed")
		}
		value, err := p.unescape(p.s[p.i : p.i+end])
		if err != nil {
			return false, err
		}
		p.i += end + 1
		if attribute != nil && name != "xmlns" && !strings.HasPrefix(name, "xmlns:") {
			attribute(name, value)
		}
	}
}

// content reads text up to the next tag, with CDATA sections in it and without comments.
func (p *xmlScanner) content() (string, error) {
	var text joined
	for {
		end := strings.IndexByte(p.s[p.i:], '<')
		if end < 0 {
			return "", p.fail("an end tag is missing")
		}
		run, err := p.unescape(p.s[p.i : p.i+end])
		if err != nil {
			return "", err
		}
		text.add(run)
		p.i += end
		switch {
		case p.take("<![CDATA["):
			run, err = p.until("]]>")
			text.add(run)
		case p.take("<!--"):
			_, err = p.until("-->")
		case p.take("<?"):
			_, err = p.until("?>")
		default:
			return text.string(), nil
		}
		if err != nil {
			return "", err
		}
	}
}

func (p *xmlScanner) until(mark string) (string, error) {
	end := strings.Index(p.s[p.i:], mark)
	if end < 0 {
		return "", p.fail("'" + mark + "' is missing")
	}
	text := p.s[p.i : p.i+end]
	p.i += end + len(mark)
	return text, nil
}

// unescape replaces character references and the five predefined entities; there are no others.
func (p *xmlScanner) unescape(s string) (string, error) {
	at := strings.IndexByte(s, '&')
	if at < 0 {
		return s, nil
	}
	var b strings.Builder
	for ; at >= 0; at = strings.IndexByte(s, '&') {
		b.WriteString(s[:at])
		end := strings.IndexByte(s[:min(len(s), at+12)], ';')
		if end < at {
			return "", p.fail("an '&' that is not part of an entity must be written as '&amp;'")
		}
		r, ok := entity(s[at+1 : end])
		if !ok {
			return "", p.fail("only the entities &lt; &gt; &amp; &apos; &quot; and character references are accepted")
		}
		b.WriteRune(r)
		s = s[end+1:]
	}
	b.WriteString(s)
	return b.String(), nil
}

// entity is the character that an entity or character reference stands for.
func entity(name string) (rune, bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "apos":
		return '\'', true
	case "quot":
		return '"', true
	}
	digits, ok := strings.CutPrefix(name, "#")
	base := 10
	if hex, isHex := strings.CutPrefix(digits, "x"); isHex {
		digits, base = hex, 16
	}
	if !ok || digits == "" || digits[0] == '+' || digits[0] == '-' {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, base, 32)
	valid := err == nil && (n == '\t' || n == '\n' || n == '\r' || 0x20 <= n && n < 0xd800 || 0xe000 <= n && n < 0xfffe || 0x10000 <= n && n <= 0x10ffff)
	return rune(n), valid
}

// joined is a text that is put together from runs; a single run is not copied.
type joined struct {
	first string
	rest  strings.Builder
}

func (j *joined) add(run string) {
	switch {
	case run == "":
	case j.rest.Len() > 0:
		j.rest.WriteString(run)
	case j.first == "":
		j.first = run
	default:
		j.rest.WriteString(j.first)
		j.rest.WriteString(run)
	}
}

func (j *joined) string() string {
	if j.rest.Len() > 0 {
		return j.rest.String()
	}
	return j.first
}
