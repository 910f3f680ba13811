package test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/credledger/credledger/"

// layers lists the packages from the ground up: a package imports only packages of lower layers,
// and those of its own layer that stand before it.
var layers = [][]string{
	{"sdk/sm", "sdk/sm/tlcp", "sdk/sm/certificate", "sdk/internal/dcbor", "sdk/qr", "sdk/strictyaml", "sdk/sqldb", "sdk/pdf", "sdk/sheet", "sdk/filelock", "sdk/outbound"},
	{"sdk/licence", "sdk/licence/catalog", "sdk/licence/samples", "sdk/callers", "sdk/envelope", "sdk/webhook", "sdk/webpage", "sdk/rest", "sdk/serve", "verifier/internal/jsonappend"},
	{"sdk/statement"},
	{"sdk/credential", "sdk/attach", "sdk/paper", "sdk/grant", "sdk/grant/policy"},
	{"chaincode"},
	{"sdk/ledger"},
	{"sdk/ledger/audit", "sdk/govern", "sdk/issuer/masterkey", "sdk/issuer/vault", "sdk/issuer", "sdk/issuer/staff", "sdk/issuer/notify",
		"verifier/verify", "verifier/access", "verifier/index", "verifier/follower", "verifier/receipt", "verifier/snapshot",
		"verifier/accesslog", "verifier/matter", "verifier/report", "verifier/agency", "verifier/store", "verifier/intake", "verifier/request",
		"sdk/issuer/release", "sdk/issuer/wallet"},
	{"chaincode/contract", "chaincode/server", "network/embedded", "network/embedded/share", "network/fabric", "sdk/fabric/block", "sdk/fabric/channel", "sdk/fabric",
		"verifier/httpapi", "verifier/web", "verifier/report/web", "verifier/service", "verifier/opener",
		"sdk/issuer/httpapi", "sdk/issuer/web", "sdk/issuer/wallet/identity", "sdk/issuer/wallet/trial", "sdk/issuer/wallet/httpapi", "sdk/issuer/wallet/web", "sdk/issuer/service"},
	{"cmd/credledger-chaincode", "cmd/credledger"},
}

// owners names the only packages that may import a module from outside.
var owners = map[string][]string{
	"github.com/emmansun/gmsm":             {"sdk/sm", "sdk/sm/tlcp", "sdk/sm/certificate"},
	"github.com/tjfoc/gmsm":                {"sdk/sm", "sdk/sm/tlcp", "sdk/sm/certificate"},
	"github.com/hyperledger":               {"chaincode/contract", "chaincode/server", "sdk/fabric/block", "sdk/fabric/channel", "sdk/fabric"},
	"github.com/hyperledger/fabric-sdk-go": {"sdk/fabric"},
	"github.com/cockroachdb/pebble":        {"network/embedded", "verifier/index", "verifier/accesslog", "sdk/ledger/audit", "sdk/fabric/channel"},
	"modernc.org/sqlite":                   {"sdk/sqldb"},
	"database/sql":                         {"sdk/sqldb", "sdk/issuer/vault", "verifier/store"},
	"github.com/jackc/pgx":                 {"sdk/sqldb"},
	"github.com/gorilla/mux":               {"sdk/rest", "sdk/issuer/httpapi", "verifier/httpapi", "verifier/opener"},
	"github.com/prometheus":                {"sdk/serve", "sdk/issuer/service", "verifier/service"},
	"github.com/klauspost/compress":        {"verifier/snapshot"},
	"github.com/getkin/kin-openapi":        {}, // reads the API's description in tests
	"github.com/chromedp":                  {}, // drives a browser in tests
	"github.com/pdfcpu/pdfcpu":             {}, // an oracle for tests
	"github.com/makiuchi-d/gozxing":        {"sdk/qr"},
	"github.com/goccy/go-yaml":             {"sdk/strictyaml"},
	"rsc.io/qr":                            {"sdk/qr"},
	"codeberg.org/go-pdf/fpdf":             {"sdk/paper"},
	"golang.org/x/image":                   {"sdk/paper"},
	"github.com/coreos/go-oidc":            {"sdk/issuer/wallet/identity"},
	"golang.org/x/oauth2":                  {"sdk/issuer/wallet/identity"},
	"github.com/go-jose/go-jose":           {"sdk/issuer/wallet/identity", "sdk/issuer/wallet/trial"},
	"github.com/go-analyze/charts":         {"verifier/report/web"},
	"github.com/fxamacker/cbor":            {"sdk/statement", "chaincode", "network/embedded", "network/embedded/share", "verifier/index", "verifier/snapshot"},
	"github.com/transparency-dev/merkle":   {}, // an oracle for tests
	"github.com/veraison/go-cose":          {}, // an oracle for tests
	"github.com/spf13/pflag":               {"cmd/credledger", "chaincode/server"},
}

// pure lists packages that reach nothing outside the process: what they may not import.
var (
	pure      = []string{"sdk/licence", "sdk/statement", "sdk/credential", "sdk/grant", "sdk/grant/policy", "chaincode", "verifier/verify", "verifier/access", "verifier/receipt", "verifier/matter", "sdk/internal/dcbor"}
	impure    = []string{"os", "net", "net/http", "crypto/rand", "math/rand", "math/rand/v2", "os/exec", "syscall", "database/sql"}
	clockless = []string{"sdk/statement", "sdk/credential", "sdk/grant", "chaincode", "sdk/internal/dcbor"} // these may not import time either
)

type listedPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string // with those of what it imports
}

func listPackages(t *testing.T) []listedPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listedPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// place is the layer of a package and its place in it; test helpers stand with what they test.
func place(path string) (layer, order int, ok bool) {
	for layer, names := range layers {
		for order, name := range names {
			if path == name {
				return layer, order, true
			}
		}
	}
	return 0, 0, false
}

// isTestSupport reports whether a package is there for tests only; nothing else may import it.
func isTestSupport(path string) bool {
	return strings.HasPrefix(path, "test") || strings.HasSuffix(path, "test") && strings.Contains(path, "/")
}

func TestImportsGoDownOnly(t *testing.T) {
	for _, p := range listPackages(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		if isTestSupport(path) {
			continue
		}
		layer, order, ok := place(path)
		if !ok {
			t.Errorf("%s has no place in the house: add it to layers", path)
			continue
		}
		for _, imported := range p.Imports {
			name, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			if isTestSupport(name) {
				t.Errorf("%s imports %s, which is for tests", path, name)
				continue
			}
			il, io, ok := place(name)
			if ok && (il > layer || il == layer && io >= order) {
				t.Errorf("%s imports %s, which is not below it", path, name)
			}
		}
	}
}

// TestVaultStaysOutOfVerifier: nothing of the public service can open a department's vault, or has its
// master keys, however far down.
func TestVaultStaysOutOfVerifier(t *testing.T) {
	for _, p := range listPackages(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		if isTestSupport(path) || !strings.HasPrefix(path, "verifier/") {
			continue
		}
		for _, dep := range p.Deps {
			if name := strings.TrimPrefix(dep, module); name == "sdk/issuer" || strings.HasPrefix(name, "sdk/issuer/") {
				t.Errorf("%s depends on %s, which is the issuer's", path, name)
			}
		}
	}
}

func TestOutsideModulesHaveOneOwner(t *testing.T) {
	for _, p := range listPackages(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		if isTestSupport(path) {
			continue
		}
		for _, imported := range p.Imports {
			for prefix, allowed := range owners {
				if (imported == prefix || strings.HasPrefix(imported, prefix+"/")) && !contains(allowed, path) {
					t.Errorf("%s imports %s; only %v may", path, imported, allowed)
				}
			}
		}
	}
}

func TestPurePackagesReachNothing(t *testing.T) {
	for _, p := range listPackages(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			if contains(pure, path) && contains(impure, imported) {
				t.Errorf("%s imports %s", path, imported)
			}
			if contains(clockless, path) && imported == "time" {
				t.Errorf("%s imports time", path)
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
