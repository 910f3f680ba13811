package web_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/credledger/credledger/sdk/issuer/wallet/web"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// shared is where the assets are that other services' pages have too.
const shared = "../../../webpage/assets"

func TestSourcesKeepTheRules(t *testing.T) { webpagetest.KeepTheRules(t, "pages", "assets") }

func TestEverythingIsThere(t *testing.T) {
	webpagetest.EverythingIsThere(t, []string{"assets", shared}, "pages", "assets")
}

var imported = regexp.MustCompile(`(?:from|import)\s*"\./([^"]+)"`)

// modules are those that a module loads, directly or not.
func modules(t *testing.T, name string, found []string) []string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("assets", name))
	if err != nil {
		source, err = os.ReadFile(filepath.Join(shared, name))
	}
	must(t, err)
	for _, m := range imported.FindAllStringSubmatch(string(source), -1) {
		if !slices.Contains(found, m[1]) {
			found = modules(t, m[1], append(found, m[1]))
		}
	}
	return found
}

// TestModulesComeAtOnce: the page names every module that is loaded, so that a slow line is waited for once and not for every
// module that imports another.
func TestModulesComeAtOnce(t *testing.T) {
	_, page := webpagetest.Get(t, web.Handler(), "GET", "/")
	var named []string
	for _, m := range regexp.MustCompile(`modulepreload" href="/assets/[0-9a-f]+/([^"]+)"`).FindAllStringSubmatch(page, -1) {
		named = append(named, m[1])
	}
	want := modules(t, "wallet.js", nil)
	slices.Sort(want)
	if !slices.Equal(named, want) {
		t.Errorf("the page names\n%v, loaded are\n%v", named, want)
	}
}

// younger is what browsers learned after 2020, as far as one could come to write it.
var younger = map[string]string{
	".js":  `AbortSignal\.any|Object\.hasOwn|Object\.groupBy|structuredClone|\.(at|findLast|toSorted|toReversed|toSpliced|with)\(|\.replaceAll\(|checkVisibility|showModal|showPopover|static \{|\bawait import|Promise\.withResolvers|\bcrypto\.randomUUID|isSubsetOf`,
	".css": `@container|@layer|:is\(|aspect-ratio|\bdvh\b|color-mix|oklch|@scope|\binset:|subgrid|accent-color: auto`,
}

// TestNothingTooNew: the sources of the pages keep to what web views inside apps, years behind, can do.
func TestNothingTooNew(t *testing.T) {
	for extension, pattern := range younger {
		for name, source := range webpagetest.Sources(t, extension, "assets", shared) {
			if found := regexp.MustCompile(pattern).FindString(source); found != "" {
				t.Errorf("%s has %q", name, found)
			}
		}
	}
}

func TestRoutes(t *testing.T) {
	for _, c := range []struct {
		method, target string
		status         int
		kind, caching  string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", "no-store"},
		{"HEAD", "/?lang=en", 200, "text/html; charset=utf-8", "no-store"},
		{"GET", "/assets/0123456789abcdef/wallet.js", 200, "text/javascript; charset=utf-8", "no-store"}, // of another replica's page
		{"GET", "/assets/0123456789abcdef/base.css", 200, "text/css; charset=utf-8", "no-store"},
		{"GET", "/wallet.html", 404, "text/html; charset=utf-8", "no-store"},
		{"GET", "/licence/1", 404, "text/html; charset=utf-8", "no-store"},
		{"GET", "/assets/0123456789abcdef/pages/wallet.html", 404, "text/html; charset=utf-8", "no-store"},
		{"POST", "/", 405, "text/plain; charset=utf-8", ""},
	} {
		webpagetest.Leads(t, web.Handler(), false, c.method, c.target, c.status, c.kind, c.caching)
	}
}

// budget is what everything that the wallet could ever load may take on the line, in bytes.
const budget = 80_000

func TestBudget(t *testing.T) {
	total := webpagetest.Weight(t, web.Handler(), []string{"/"}, "assets", shared)
	if total > budget || total < budget/4 {
		t.Errorf("the wallet with all that it loads takes %d bytes, at most %d are allowed", total, budget)
	}
	t.Logf("the wallet with all that it loads takes %d bytes", total)
}
