package main

import (
	"reflect"
	"testing"
)

// A configuration is read as it was written, wherever its directory is.
func TestConfigText(t *testing.T) {
	for _, want := range []config{
		{Ledger: ledgerEmbedded, Host: defaultHost},
		{Ledger: ledgerFabric, Connections: "/srv/network/clients", Host: "check.example:8443"},
		{Ledger: ledgerEmbedded, Host: defaultHost, Vaults: map[string]string{
			"civil-affairs": "postgres://issuer@database.example/vault?sslmode=verify-full", "transport": "postgresql:///a 'b' \"c\" # d",
		}},
		{Ledger: ledgerFabric, Connections: `a 'b' "c" # 深/目录: \ 1`, Host: defaultHost},
	} {
		got, err := parseConfig(want.text())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v; want %+v from\n%s", got, err, want, want.text())
		}
	}
}

// FuzzConfig: no bytes make reading the configuration panic, and what is read can be written.
func FuzzConfig(f *testing.F) {
	f.Add(config{Ledger: ledgerEmbedded, Host: defaultHost}.text())
	f.Add(config{Ledger: ledgerFabric, Connections: "../clients", Host: defaultHost}.text())
	f.Add([]byte("ledger:\n  ! 0\n  -00"))
	f.Add(config{Ledger: ledgerEmbedded, Host: defaultHost, Vaults: map[string]string{"transport": "postgres:///vault"}}.text())
	f.Add([]byte("ledger: [embedded"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseConfig(b)
		if err != nil {
			return
		}
		if again, err := parseConfig(c.text()); err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%+v is read again as %+v, %v", c, again, err)
		}
	})
}
