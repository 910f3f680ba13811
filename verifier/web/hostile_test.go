package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
)

// markup is a text that would do something if it were taken for markup anywhere.
const markup = `"'><img src=x onerror=pwned=1><script>pwned=1</script><svg onload=pwned=1>{{7*7}}</textarea>javascript:pwned=1`

// harmless fails the test if the text became more than text.
func (b *tab) harmless() {
	b.t.Helper()
	if evaluate[bool](b, `"pwned" in globalThis || document.querySelector("main img, main script, main [onerror], main [onload], main iframe, main a[href^='javascript']") !== null`) {
		b.t.Error("the text became markup")
	}
}

// TestMarkupInLicence: whatever a licence says in any of its fields is shown as it is.
func TestMarkupInLicence(t *testing.T) {
	w := newTown(t)
	for _, y := range w.Types {
		changes, want := map[string]any{}, []string{}
		for _, f := range y.Fields {
			if f.Kind == licence.KindString || f.Kind == licence.KindText {
				changes[f.Key] = fmt.Sprintf("%s %s", f.Key, markup)
				want = append(want, f.Key)
			}
		}
		if len(want) == 0 {
			continue
		}
		t.Run(y.ID, func(t *testing.T) {
			b := newTab(t, browserContext, w.home)
			l := w.IssueDocument(y.ID, 0, changes)
			file := written(t, "licence.cbor", l.Show(want...).Bytes())
			b.open("/")
			b.upload(file)
			if got := b.verdict(); got != "valid" {
				t.Errorf("outcome %s", got)
			}
			if b.visible(".reveal button") {
				b.click(".reveal button")
			}
			for _, key := range want {
				if got := b.text("[data-key=" + key + "]"); got != value(t, l, key) || !strings.Contains(got, "<script>") {
					t.Errorf("%s: %s", key, got)
				}
			}
			b.harmless()
		})
	}
}

// TestHostileAnswer: even an API whose every text is markup, in a verdict or a problem, makes no
// page do anything; nor does an answer of another shape.
func TestHostileAnswer(t *testing.T) {
	w := newTown(t)
	house := w.Issue("property", 1)[0]
	house.Restrict()
	poison := func(rw http.ResponseWriter, r *http.Request) bool {
		recorded := httptest.NewRecorder()
		w.API.ServeHTTP(recorded, r)
		var answer any
		decode(t, recorded.Body.Bytes(), &answer)
		rw.Header().Set("Content-Type", recorded.Header().Get("Content-Type"))
		rw.WriteHeader(recorded.Code)
		if err := json.NewEncoder(rw).Encode(poisoned(answer, "")); err != nil {
			t.Error(err)
		}
		return true
	}
	t.Run("verdict", func(t *testing.T) {
		w.answer(poison)
		defer w.answer(nil)
		b := newTab(t, browserContext, w.home)
		b.open(fragment(house.Code("rightHolders", "rightHolderIds")))
		b.verdict()
		b.harmless()
		if got := b.text("[data-key] .several"); !strings.Contains(got, "<img") {
			t.Errorf("the text is not shown as it is: %s", got)
		}
		b.click("summary")
		b.click("#language")
		b.click("#elder")
		b.harmless()
	})
	t.Run("problem", func(t *testing.T) {
		w.answer(refusal(422, "code-malformed", strings.ReplaceAll(markup, `"`, `\"`), "-"))
		defer w.answer(nil)
		b := newTab(t, browserContext, w.home)
		b.allowed = []string{"422"}
		b.open(fragment(house.Code()))
		b.until(seen("#problem"))
		b.harmless()
		if got := b.text("#problem p"); got != markup {
			t.Errorf("says %s", got)
		}
	})
	for _, shape := range []string{`null`, `[]`, `{}`, `"text"`, `{"verdict": null}`, `{"verdict": {"outcome": "valid", "text": {"zh": "好", "en": "good"}, "axes": {}}}`} {
		t.Run("shape "+shape, func(t *testing.T) {
			w.answer(func(rw http.ResponseWriter, _ *http.Request) bool {
				_, err := rw.Write([]byte(shape))
				return err == nil
			})
			defer w.answer(nil)
			b := newTab(t, browserContext, w.home)
			b.open(fragment(house.Code()))
			if got := b.verdict(); got != "undetermined" {
				t.Errorf("outcome %s", got)
			}
		})
	}
	t.Run("address", func(t *testing.T) {
		b := newTab(t, browserContext, w.home)
		b.allowed = []string{"422"}
		b.open("/?mode=" + "%3Cscript%3E&lang=%22%3E%3Cimg%20src=x%20onerror=pwned=1%3E#" + "<img%20src=x%20onerror=pwned=1>")
		b.until(seen("#text"))
		b.harmless()
		if got := evaluate[string](b, "document.documentElement.dataset.mode + document.documentElement.lang"); got != "standardzh-CN" {
			t.Errorf("mode and language are %s", got)
		}
	})
}

// poisoned replaces every text in a JSON value but those that steer the page.
func poisoned(v any, name string) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = poisoned(v[k], k)
		}
	case []any:
		for i := range v {
			v[i] = poisoned(v[i], name)
		}
	case string:
		switch name {
		case "outcome", "result", "key", "classification", "code":
		default:
			return markup
		}
	}
	return v
}
