package webpagetest

import "slices"

// Markup is a text that would do something if it were taken for markup anywhere.
const Markup = `"'><img src=x onerror=pwned=1><script>pwned=1</script><svg onload=pwned=1>{{7*7}}</textarea>javascript:pwned=1`

// Harmless fails the test if Markup became more than text.
func (b *Tab) Harmless() {
	b.T.Helper()
	if Evaluate[bool](b, `"pwned" in globalThis || document.querySelector("main img, main script, main [onerror], main [onload], main iframe, main a[href^='javascript']") !== null`) {
		b.T.Error("the text became markup")
	}
}

// Poisoned replaces every text in a JSON value by Markup, but those of the members that steer the page.
func Poisoned(v any, steering ...string) any { return poisoned(v, "", steering) }

func poisoned(v any, name string, steering []string) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = poisoned(v[k], k, steering)
		}
	case []any:
		for i := range v {
			v[i] = poisoned(v[i], name, steering)
		}
	case string:
		if !slices.Contains(steering, name) {
			return Markup
		}
	}
	return v
}
