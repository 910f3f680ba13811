package licence_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
)

func TestBuiltInTypes(t *testing.T) {
	all := types(t)
	p := all["property"]
	if p.MaxStatusAge != time.Hour || p.NumberField().Key != "certificateNumber" || p.Version != 1 || p.Provisional {
		t.Errorf("property: %+v", p)
	}
	leaves := p.Leaves()
	if len(leaves) != len(p.Fields)+2 || leaves[0] != "certificateNumber" || leaves[15] != "identifier" || leaves[16] != "documents" {
		t.Errorf("property: leaves %v", leaves)
	}
	if tr, ok := p.Transition(licence.Revoked, licence.Active); !ok || tr.Approvals != 2 {
		t.Error("property: bringing a revoked licence back must need two approvals")
	}
	if _, ok := p.Transition(licence.Superseded, licence.Active); ok {
		t.Error("property: a superseded licence must not come back")
	}
	tr, _ := p.Transition(licence.Active, licence.Revoked)
	if r, ok := tr.Reason("fraud"); !ok || r.Effect != licence.AbInitio {
		t.Error("property: fraud must revoke from the beginning")
	}
	if _, ok := tr.Reason("divorce"); ok {
		t.Error("property: unknown reason accepted")
	}
	if r, ok := p.Restriction("seizure"); !ok || r.Label.Zh != "查封" {
		t.Error("property: no seizure")
	}
	if _, ok := p.Field("area"); !ok {
		t.Error("property: no area")
	}
	if b := all["business"]; b.NumberField().Key != "unifiedSocialCreditCode" {
		t.Errorf("business: number field %s", b.NumberField().Key)
	}
	if all["no-record"].MaxStatusAge != 90*time.Minute {
		t.Error("no-record: maxStatusAge")
	}
}

func TestCanonicalType(t *testing.T) {
	for id, typ := range types(t) {
		canonical := typ.Canonical()
		again, err := licence.ParseType(canonical)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if !reflect.DeepEqual(again, typ) {
			t.Errorf("%s: ParseType(Canonical()) is another type", id)
		}
		if !bytes.Equal(again.Canonical(), canonical) {
			t.Errorf("%s: Canonical is not stable", id)
		}
		// The encoding is what encoding/json makes of the file without white space, members in the order of the format.
		file, err := os.ReadFile("catalog/" + id + ".json")
		if err != nil {
			file = mustRead(t, "catalog/more/"+id+".json")
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, file); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(bytes.TrimSpace(compact.Bytes()), canonical) {
			t.Errorf("%s: the canonical encoding is\n%s", id, canonical)
		}
	}
	marriage := types(t)["marriage"]
	golden(t, "marriage.canonical-type.json", marriage.Canonical())
	same := bytes.Replace(marriage.Canonical(), []byte(`"24h"`), []byte(`"1440m"`), 1)
	if typ, err := licence.ParseType(same); err != nil || !bytes.Equal(typ.Canonical(), marriage.Canonical()) {
		t.Errorf("1440m is not 24h: %v", err)
	}
}

// Each edit of a good type breaks one rule.
func TestParseTypeRefuses(t *testing.T) {
	good := string(types(t)["marriage"].Canonical())
	for _, c := range []struct{ name, old, new string }{
		{"unknown member", `{"id"`, `{"colour":"red","id"`},
		{"member in another case", `{"id"`, `{"ID"`},
		{"doubled member", `{"id":"marriage",`, `{"id":"marriage","id":"marriage",`},
		{"missing member", `"version":1,`, ``},
		{"missing member of a field", `"required":false,`, ``},
		{"null", `"version":1,`, `"version":null,`},
		{"version 0", `"version":1,`, `"version":0,`},
		{"version too great", `"version":1,`, `"version":10000,`},
		{"fractional version", `"version":1,`, `"version":1.0,`},
		{"negative version", `"version":1,`, `"version":-1,`},
		{"version as text", `"version":1,`, `"version":"1",`},
		{"id in capitals", `"id":"marriage"`, `"id":"Marriage"`},
		{"empty id", `"id":"marriage"`, `"id":""`},
		{"long id", `"id":"marriage"`, `"id":"` + strings.Repeat("a", 33) + `"`},
		{"definer with a wrong check character", `"definer":"1110000000DEM0001W"`, `"definer":"1110000000DEM0001X"`},
		{"code of another definer", `"code":"1110000000DEM0001W001"`, `"code":"11100000MB03271699001"`},
		{"code too short", `"code":"1110000000DEM0001W001"`, `"code":"1110000000DEM0001W01"`},
		{"provisional as text", `"provisional":true`, `"provisional":"true"`},
		{"holders", `"holders":"many"`, `"holders":"some"`},
		{"validity", `"validity":"permanent"`, `"validity":"long"`},
		{"age without unit", `"24h"`, `"24"`},
		{"compound age", `"24h"`, `"1h30m"`},
		{"fractional age", `"24h"`, `"1.5h"`},
		{"zero age", `"24h"`, `"0h"`},
		{"negative age", `"24h"`, `"-1h"`},
		{"age too great", `"24h"`, `"8785h"`},
		{"empty age", `"24h"`, `""`},
		{"unknown kind", `"kind":"resident-id"`, `"kind":"passport"`},
		{"unknown classification", `"classification":"public"`, `"classification":"secret"`},
		{"unknown mask", `"mask":"id"`, `"mask":"half"`},
		{"empty mask", `"mask":"id"`, `"mask":""`},
		{"doubled key", `"key":"spouse2Name"`, `"key":"spouse1Name"`},
		{"reserved key", `"key":"remarks"`, `"key":"documents"`},
		{"key with a space", `"key":"remarks"`, `"key":"re marks"`},
		{"key that begins with a digit", `"key":"remarks"`, `"key":"1remarks"`},
		{"reserved alias", `"aliases":["bz",`, `"aliases":["ZZYXQQSRQ",`},
		{"reserved alias of the identifier", `"aliases":["bz",`, `"aliases":["ZZBS",`},
		{"alias that is the identifier's key", `"aliases":["bz",`, `"aliases":["identifier",`},
		{"alias of another field", `"aliases":["bz",`, `"aliases":["djrq",`},
		{"alias that is another key", `"aliases":["bz",`, `"aliases":["spouse1Id",`},
		{"alias that is its own key", `"aliases":["bz",`, `"aliases":["remarks",`},
		{"alias with white space at its end", `"aliases":["bz",`, `"aliases":["bz ",`},
		{"alias that is not NFC", `"aliases":["bz",`, `"aliases":["e` + "\u0301" + `",`},
		{"empty alias", `"aliases":["bz",`, `"aliases":["",`},
		{"aliases as text", `"aliases":["bz","备注"]`, `"aliases":"bz"`},
		{"no number field", `"ZZBH"`, `"number"`},
		{"two number fields", `"aliases":["bz",`, `"aliases":["ZZBH",`},
		{"optional number field", `"classification":"internal","required":true,"aliases":["ZZBH"`, `"classification":"internal","required":false,"aliases":["ZZBH"`},
		{"number field of a list", `"kind":"string","classification":"internal","required":true,"aliases":["ZZBH"`, `"kind":"names","classification":"internal","required":true,"aliases":["ZZBH"`},
		{"empty label", `"zh":"备注"`, `"zh":""`},
		{"label in one language", `{"zh":"备注","en":"Remarks"}`, `{"zh":"备注"}`},
		{"label of two lines", `"en":"Remarks"`, `"en":"Re\nmarks"`},
		{"unknown state", `"to":"revoked"`, `"to":"lost"`},
		{"change to the same state", `"from":"active","to":"suspended"`, `"from":"suspended","to":"suspended"`},
		{"doubled transition", `"from":"suspended","to":"active"`, `"from":"active","to":"suspended"`},
		{"no approvals", `"approvals":2`, `"approvals":0`},
		{"three approvals", `"approvals":2`, `"approvals":3`},
		{"doubled reason", `"code":"court"`, `"code":"holder"`},
		{"malformed reason", `"code":"court"`, `"code":"the court"`},
		{"unknown effect", `"effect":"ab-initio"`, `"effect":"retroactive"`},
		{"no reasons", `"approvals":2,"reasons":[`, `"approvals":2,"reasons":[],"x":[`},
		{"trailing data", `"restrictions":[]}`, `"restrictions":[]}{}`},
		{"trailing comma", `"restrictions":[]}`, `"restrictions":[],}`},
		{"trailing comma in an array", `"aliases":["bz",`, `"aliases":["bz",,`},
		{"missing comma", `"version":1,`, `"version":1 `},
		{"cut off", `"restrictions":[]}`, `"restrictions":[]`},
		{"invalid UTF-8", `"en":"Remarks"`, `"en":"` + "\xff" + `"`},
		{"lone surrogate", `"en":"Remarks"`, `"en":"\ud800"`},
		{"unknown escape", `"en":"Remarks"`, `"en":"\x41"`},
		{"array instead of the type", `{"id"`, `[{"id"`},
		{"nothing", good, ``},
		{"too large", `"restrictions":[]}`, `"restrictions":[]}` + strings.Repeat(" ", licence.MaxType)},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		if bad == good {
			t.Errorf("%s: the edit does not apply", c.name)
			continue
		}
		if _, err := licence.ParseType([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", c.name)
		}
	}
	fields := make([]licence.Field, 201)
	for i := range fields {
		fields[i] = licence.Field{Key: "a" + strings.Repeat("b", i%60) + strings.Repeat("c", i/60), Label: licence.Text{Zh: "x", En: "x"},
			Kind: licence.KindString, Classification: licence.Public, Required: i == 0, Aliases: []string{}}
	}
	fields[0].Aliases = []string{licence.NumberAlias}
	large := *types(t)["marriage"]
	for _, n := range []int{200, 201} {
		large.Fields = fields[:n]
		if typ, err := licence.ParseType(large.Canonical()); (err == nil) != (n == 200) {
			t.Errorf("%d fields: %v", n, err)
		} else if err == nil {
			d := read(t, typ, []byte(`{"a":"1","abbc":"x"}`))
			if len(d) != 1 {
				t.Error("200 fields: not read")
			}
		}
	}
}

func TestParseDepartments(t *testing.T) {
	departments, err := catalog.Departments()
	if err != nil {
		t.Fatal(err)
	}
	if len(departments) != 4 || departments[1].ID != "natural-resources" || departments[1].Units[0].DivisionCode != "990101" ||
		departments[1].Issues[0] != "property" || departments[3].Name.Zh != "示范市政务服务和数据管理局" || len(departments[3].Issues) != 0 {
		t.Errorf("%+v", departments)
	}
	b, err := json.Marshal(departments)
	if err != nil {
		t.Fatal(err)
	}
	good := strings.Replace(string(b), `null`, `[]`, 1)
	if again, err := licence.ParseDepartments([]byte(good)); err != nil || !reflect.DeepEqual(again, departments) {
		t.Errorf("not read back: %v", err)
	}
	for _, c := range []struct{ name, old, new string }{
		{"unknown member", `{"id"`, `{"x":1,"id"`},
		{"missing member", `"issues":["marriage"]`, `"units":[]`},
		{"wrong code", `"uscc":"11990100MB0000001T"`, `"uscc":"11990100MB0000001X"`},
		{"doubled id", `"id":"data-bureau"`, `"id":"civil-affairs"`},
		{"doubled code", `"uscc":"11990100MB0000001T"`, `"uscc":"11990100MB0000002X"`},
		{"id with a dot", `"id":"data-bureau"`, `"id":"data.bureau"`},
		{"no units", `"units":[{"id":"operations","divisionCode":"990101","name":{"zh":"平台运行中心","en":"Platform operations centre"}}]`, `"units":[]`},
		{"division of five digits", `"divisionCode":"990101"`, `"divisionCode":"99010"`},
		{"malformed unit", `"id":"operations"`, `"id":"Operations"`},
		{"empty unit name", `"zh":"平台运行中心"`, `"zh":""`},
		{"empty name", `"en":"Demo City Government Services and Data Bureau"`, `"en":" "`},
		{"doubled type", `["marriage"]`, `["marriage","marriage"]`},
		{"malformed type", `["marriage"]`, `["Marriage"]`},
		{"trailing data", good, good + "[]"},
		{"one department alone", good, good[1 : len(good)-1]},
		{"invalid UTF-8", "婚", "\xff"},
		{"too large", good, good + strings.Repeat(" ", licence.MaxDepartmentsFile)},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		if bad == good {
			t.Errorf("%s: the edit does not apply", c.name)
		} else if _, err := licence.ParseDepartments([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", c.name)
		}
	}
}
