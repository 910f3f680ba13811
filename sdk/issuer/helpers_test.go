package issuer_test

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// now is the time of the tests' clocks: an hour after the city's statements.
var now = time.Unix(ledgertest.Time+3600, 0)

// clerk does what the tests do.
var clerk = vault.By{Actor: "clerk", Purpose: "test"}

// A desk is an issuing department at work: a city, its ledger, its vault, and the issuer of one type.
type desk struct {
	*issuer.Issuer
	vault      *vault.Vault
	city       *ledgertest.City
	department *ledgertest.Department
	typ        *licence.Type
	dir        string
	config     issuer.Config
	ledger     ledger.Ledger
}

// newDesk makes a city with its ledger and a vault in SQLite, in a directory of its own.
func newDesk(tb testing.TB, typ string) *desk {
	tb.Helper()
	return newDeskAt(tb, typ, "")
}

// newDeskAt is newDesk with the vault at an address; empty: in SQLite.
func newDeskAt(tb testing.TB, typ, address string) *desk {
	tb.Helper()
	d := &desk{city: ledgertest.NewCity(tb, "test"), dir: tb.TempDir()}
	store, err := embedded.Create(d.path("ledger"), d.city.Genesis)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { store.Close() })
	d.city.Found(tb, store.As)
	d.department, d.typ = d.city.Issuer(tb, typ), d.city.Type(tb, typ)
	d.ledger = store.As(d.department.ID)
	if address == "" {
		address = d.path("vault.db")
	}
	d.vault = d.createVault(tb, address)
	tb.Cleanup(func() { d.vault.Close() })
	d.config = config(d.city, d.department, d.ledger, d.vault)
	d.Issuer = d.open(tb, d.config)
	return d
}

// createVault makes the department's vault, with its master keys.
func (d *desk) createVault(tb testing.TB, address string) *vault.Vault {
	tb.Helper()
	if err := masterkey.Create(d.path("master.keys")); err != nil {
		tb.Fatal(err)
	}
	keys, err := masterkey.Open(d.path("master.keys"))
	if err != nil {
		tb.Fatal(err)
	}
	v, err := vault.Create(tb.Context(), address, vault.Identity{Ledger: d.city.ID, Department: d.department.ID}, keys, clockOfTests)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// openVault opens the vault once more.
func (d *desk) openVault(ctx context.Context) (*vault.Vault, error) {
	keys, err := masterkey.Open(d.path("master.keys"))
	if err != nil {
		return nil, err
	}
	return vault.Open(ctx, d.path("vault.db"), keys, clockOfTests)
}

func clockOfTests() time.Time { return now }

// config is what the issuer of a department needs.
func config(city *ledgertest.City, d *ledgertest.Department, l ledger.Ledger, v *vault.Vault) issuer.Config {
	department := licence.Department{ID: d.ID, USCC: d.Profile.USCC, Issues: d.Profile.Issues}
	for _, u := range d.Profile.Units {
		department.Units = append(department.Units, licence.Unit{ID: u.ID, DivisionCode: u.DivisionCode})
	}
	return issuer.Config{
		Department: department, Types: city.Types, Ledger: l, Vault: v,
		Signers: issuer.Fixed(map[statement.Purposes][]sm.Signer{
			statement.PurposeAnchor: {d.Anchor}, statement.PurposeStatus: {d.Status, d.Second}, statement.PurposeConsent: {d.Consent},
		}),
		Now: clockOfTests,
	}
}

// open makes an issuer that has caught up with the ledger.
func (d *desk) open(tb testing.TB, c issuer.Config) *issuer.Issuer {
	tb.Helper()
	iss, err := issuer.New(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(iss.Close)
	if _, err := iss.CatchUp(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return iss
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

// file writes a file and returns its path.
func (d *desk) file(tb testing.TB, name string, content []byte) string {
	tb.Helper()
	path := d.path(name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// sample returns the sample licences of the desk's type in a format, by the file's ending.
func (d *desk) sample(tb testing.TB, ending string) []byte {
	tb.Helper()
	b, err := samples.Files.ReadFile(d.typ.ID + ending)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// synthetic writes n licences to a file as JSON Lines: the samples over and over, with numbers of
// their own from the given one on.
func (d *desk) synthetic(tb testing.TB, name string, first, n int) string {
	tb.Helper()
	record := d.records(tb)
	f, err := os.Create(d.path(name))
	if err != nil {
		tb.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for i := first; i < first+n; i++ {
		w.Write(record(i))
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
	return f.Name()
}
