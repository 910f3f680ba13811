package licence_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
)

// Identifiers seen in public use.
var goodIdentifiers = []string{
	"1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
	"1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.002.S",
	"1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
	"1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
	"1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
	"1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.D",
}

func TestParseIdentifier(t *testing.T) {
	for _, s := range goodIdentifiers {
		id, err := licence.ParseIdentifier(s)
		if err != nil || id.String() != s {
			t.Errorf("%s: %s, %v", s, id, err)
			continue
		}
		again, err := licence.NewIdentifier(id.TypeCode(), id.Issuer(), id.Serial(), id.Version())
		if err != nil || again != id {
			t.Errorf("%s: not made again from its parts: %v", s, err)
		}
		if got, want := slices.Equal(id.Warnings(), []string{licence.IssuerIsDivision}), strings.Contains(s, ".340100."); got != want {
			t.Errorf("%s: warnings %v", s, id.Warnings())
		}
	}
}

func TestParseIdentifierRefuses(t *testing.T) {
	good := goodIdentifiers[0]
	for _, c := range []struct{ code, text string }{
		{licence.LegacyCheckCharacter, "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M"},
		{licence.LegacyCheckCharacter, strings.TrimSuffix(good, "U") + "T"},
		{licence.CheckCharacter, strings.TrimSuffix(good, "U") + "V"},
		{licence.CheckCharacter, strings.TrimSuffix(good, "U") + "u"},
		{licence.CheckCharacter, strings.Replace(good, "20230000403", "20230000430", 1)},
		{licence.IdentifierForm, ""},
		{licence.IdentifierForm, licence.IdentifierRoot + "."},
		{licence.IdentifierForm, good + " "},
		{licence.IdentifierForm, " " + good},
		{licence.IdentifierForm, good + ".U"},
		{licence.IdentifierForm, strings.TrimSuffix(good, ".U")},
		{licence.IdentifierForm, strings.TrimSuffix(good, "U")},
		{licence.IdentifierForm, strings.Replace(good, "3005.2", "3005.3", 1)},
		{licence.IdentifierType, strings.Replace(good, "338W", "339W", 1)},
		{licence.IdentifierType, strings.Replace(good, "W011", "W01", 1)},
		{licence.IdentifierType, strings.Replace(good, "W011", "W01A", 1)},
		{licence.IdentifierIssuer, strings.Replace(good, "44L", "44M", 1)},
		{licence.IdentifierIssuer, strings.Replace(good, "11430000006122244L", "34010", 1)},
		{licence.IdentifierSerial, strings.Replace(good, "20230000403", "", 1)},
		{licence.IdentifierSerial, strings.Replace(good, "20230000403", "2023a", 1)},
		{licence.IdentifierSerial, strings.Replace(good, "20230000403", "２０２３", 1)},
		{licence.IdentifierSerial, strings.Replace(good, "20230000403", strings.Repeat("0", 65), 1)},
		{licence.IdentifierVersion, strings.Replace(good, ".001.", ".1.", 1)},
		{licence.IdentifierVersion, strings.Replace(good, ".001.", ".000.", 1)},
		{licence.IdentifierVersion, strings.Replace(good, ".001.", ".0001.", 1)},
		{licence.IdentifierVersion, strings.Replace(good, ".001.", ".-01.", 1)},
	} {
		var e *licence.IdentifierError
		if _, err := licence.ParseIdentifier(c.text); !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%q: got %v, want %s", c.text, err, c.code)
		}
	}
}

// The check character finds every single wrong character.
func TestIdentifierFindsSubstitutions(t *testing.T) {
	good := goodIdentifiers[5]
	for i := len(licence.IdentifierRoot) + 1; i < len(good); i++ {
		for _, c := range "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" {
			bad := good[:i] + string(c) + good[i+1:]
			if bad == good {
				continue
			}
			if id, err := licence.ParseIdentifier(bad); err == nil {
				t.Fatalf("%s: accepted as %v", bad, id)
			}
		}
	}
}

func TestDemonstrationIdentifiers(t *testing.T) {
	for id, typ := range types(t) {
		made, err := licence.NewIdentifier(typ.Code, "11990100MB0000001T", "20180000001", 999)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if parsed, err := licence.ParseIdentifier(made.String()); err != nil || parsed != made {
			t.Errorf("%s: %v, %v", id, parsed, err)
		}
	}
	for _, version := range []int{-1, 0, 1000} {
		if _, err := licence.NewIdentifier("1110000000DEM0001W001", "11990100MB0000001T", "1", version); err == nil {
			t.Errorf("version %d accepted", version)
		}
	}
}

func TestSerialFromNumber(t *testing.T) {
	for _, c := range []struct {
		number, serial string
		ok             bool
	}{
		{"示(2018)示范市不动产权第0000001号", "20180000001", true},
		{"J990101-2006-000001", "J9901012006000001", true},
		{"91990101ma61756039", "91990101MA61756039", true},
		{"无号", "", false},
		{"ABC", "ABC", false},
		{"", "", false},
		{strings.Repeat("1", 64), strings.Repeat("1", 64), true},
	} {
		if serial, ok := licence.SerialFromNumber(c.number); serial != c.serial || ok != c.ok {
			t.Errorf("%s: %q, %t", c.number, serial, ok)
		}
	}
	if _, ok := licence.SerialFromNumber(strings.Repeat("1", 65)); ok {
		t.Error("a serial of 65 characters was accepted")
	}
}
