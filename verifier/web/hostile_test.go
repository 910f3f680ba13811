package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// TestMarkupInLicence: whatever a licence says in any of its fields is shown as it is.
func TestMarkupInLicence(t *testing.T) {
	w := newTown(t)
	for _, y := range w.Types {
		changes, want := map[string]any{}, []string{}
		for _, f := range y.Fields {
			if f.Kind == licence.KindString || f.Kind == licence.KindText {
				changes[f.Key] = fmt.Sprintf("%s %s", f.Key, webpagetest.Markup)
				want = append(want, f.Key)
			}
		}
		if len(want) == 0 {
			continue
		}
		t.Run(y.ID, func(t *testing.T) {
			b := newTab(t, webpagetest.Browser, w.home)
			l := w.IssueDocument(y.ID, 0, changes)
			file := written(t, "licence.cbor", l.Show(want...).Bytes())
			b.Open("/")
			b.upload(file)
			if got := b.verdict(); got != "valid" {
				t.Errorf("outcome %s", got)
			}
			if b.Visible(".reveal button") {
				b.Click(".reveal button")
			}
			for _, key := range want {
				if got := b.Text("[data-key=" + key + "]"); got != value(t, l, key) || !strings.Contains(got, "<script>") {
					t.Errorf("%s: %s", key, got)
				}
			}
			b.Harmless()
		})
	}
}

// TestHostileAnswer: even an API whose every text is webpagetest.Markup, in a verdict or a problem, makes no
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
		if err := json.NewEncoder(rw).Encode(webpagetest.Poisoned(answer, "outcome", "result", "key", "classification", "code")); err != nil {
			t.Error(err)
		}
		return true
	}
	t.Run("verdict", func(t *testing.T) {
		w.Answer(poison)
		defer w.Answer(nil)
		b := newTab(t, webpagetest.Browser, w.home)
		b.Open(fragment(house.Code("rightHolders", "rightHolderIds")))
		b.verdict()
		b.Harmless()
		if got := b.Text("[data-key] .several"); !strings.Contains(got, "<img") {
			t.Errorf("the text is not shown as it is: %s", got)
		}
		b.Click("summary")
		b.Click("#language")
		b.Click("#elder")
		b.Harmless()
	})
	t.Run("problem", func(t *testing.T) {
		w.Answer(webpagetest.Refusal(422, "code-malformed", strings.ReplaceAll(webpagetest.Markup, `"`, `\"`), "-"))
		defer w.Answer(nil)
		b := newTab(t, webpagetest.Browser, w.home)
		b.Allowed = []string{"422"}
		b.Open(fragment(house.Code()))
		b.Until(webpagetest.Seen("#problem"))
		b.Harmless()
		if got := b.Text("#problem p"); got != webpagetest.Markup {
			t.Errorf("says %s", got)
		}
	})
	for _, shape := range []string{`null`, `[]`, `{}`, `"text"`, `{"verdict": null}`, `{"verdict": {"outcome": "valid", "text": {"zh": "好", "en": "good"}, "axes": {}}}`} {
		t.Run("shape "+shape, func(t *testing.T) {
			w.Answer(webpagetest.Saying(http.StatusOK, shape))
			defer w.Answer(nil)
			b := newTab(t, webpagetest.Browser, w.home)
			b.Open(fragment(house.Code()))
			if got := b.verdict(); got != "undetermined" {
				t.Errorf("outcome %s", got)
			}
		})
	}
	t.Run("address", func(t *testing.T) {
		b := newTab(t, webpagetest.Browser, w.home)
		b.Allowed = []string{"422"}
		b.Open("/?mode=" + "%3Cscript%3E&lang=%22%3E%3Cimg%20src=x%20onerror=pwned=1%3E#" + "<img%20src=x%20onerror=pwned=1>")
		b.Until(webpagetest.Seen("#text"))
		b.Harmless()
		if got := webpagetest.Evaluate[string](b.Tab, "document.documentElement.dataset.mode + document.documentElement.lang"); got != "standardzh-CN" {
			t.Errorf("mode and language are %s", got)
		}
	})
}
