package webpagetest

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Sources returns our own files of an extension below the directories, by path.
func Sources(t *testing.T, extension string, dirs ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(p) != extension || strings.Contains(p, "vendor") {
				return err
			}
			b, err := os.ReadFile(p)
			out[p] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) == 0 {
		t.Fatalf("no %s files", extension)
	}
	return out
}

// forbidden are patterns by extension: nothing inline, nothing from elsewhere, no way to turn text into
// markup or code, nothing kept in the browser.
var forbidden = map[string][]string{
	".html": {`<script>`, `<style`, `style="`, `javascript:`, ` on[a-z]+="`, `https?://`, `placeholder=`, `target=`},
	".css":  {`@import`, `url\(`, `https?:`},
	".js":   {`innerHTML`, `outerHTML`, `insertAdjacentHTML`, `document\.write`, `\beval\(`, `new Function`, `createContextualFragment`, `DOMParser`, `sessionStorage`, `indexedDB`, `document\.cookie`, `console\.`, `https?://[a-z]`},
}

var translated = regexp.MustCompile(`data-en="([^"]*)"[^>]*>([^<]*)<(.)`)

// KeepTheRules fails the test if a source below the directories has what is forbidden, is long, or has
// a text in one language only.
func KeepTheRules(t *testing.T, dirs ...string) {
	t.Helper()
	for extension, patterns := range forbidden {
		for name, source := range Sources(t, extension, dirs...) {
			source = strings.ReplaceAll(source, "http://www.w3.org/2000/svg", "")
			for _, pattern := range patterns {
				if found := regexp.MustCompile(pattern).FindString(source); found != "" {
					t.Errorf("%s has %q", name, found)
				}
			}
			if lines := strings.Count(source, "\n"); lines >= 400 {
				t.Errorf("%s has %d lines", name, lines)
			}
		}
	}
	for name, source := range Sources(t, ".html", dirs...) {
		found := translated.FindAllStringSubmatch(source, -1)
		if len(found) != strings.Count(source, "data-en=") {
			t.Errorf("%s: some texts are not understood", name)
		}
		for _, text := range found {
			if text[1] == "" || text[2] == "" || text[3] != "/" {
				t.Errorf("%s: %q and %q: a text in both languages, and nothing else in its element", name, text[1], text[2])
			}
		}
	}
	for name, source := range Sources(t, ".js", dirs...) {
		zh, en := regexp.MustCompile(`\bzh:`).FindAllString(source, -1), regexp.MustCompile(`\ben:`).FindAllString(source, -1)
		if len(zh) != len(en) {
			t.Errorf("%s: %d texts in Chinese and %d in English", name, len(zh), len(en))
		}
	}
}

var (
	loaded   = regexp.MustCompile(`{{assets}}/([^"]+)"`)
	imported = regexp.MustCompile(`(?:from|import|import\()\s*"\./([^"]+)"`)
)

// EverythingIsThere fails the test if what the pages and modules below the directories load is in none
// of the directories of assets.
func EverythingIsThere(t *testing.T, assets []string, dirs ...string) {
	t.Helper()
	there := func(name string) bool {
		for _, dir := range assets {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				return true
			}
		}
		return false
	}
	for name, source := range Sources(t, ".html", dirs...) {
		for _, m := range loaded.FindAllStringSubmatch(source, -1) {
			if !there(m[1]) {
				t.Errorf("%s loads %s, which is not there", name, m[1])
			}
		}
	}
	for name, source := range Sources(t, ".js", dirs...) {
		_, below, _ := strings.Cut(filepath.ToSlash(name), "assets/")
		for _, m := range imported.FindAllStringSubmatch(source, -1) {
			if !there(path.Join(path.Dir(below), m[1])) {
				t.Errorf("%s imports %s, which is not there", name, m[1])
			}
		}
	}
}
