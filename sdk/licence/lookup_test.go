package licence_test

import (
	"testing"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
)

// What is typed is looked up in the form that a document has.
func TestLookup(t *testing.T) {
	types, err := catalog.Types()
	if err != nil {
		t.Fatal(err)
	}
	var marriage *licence.Type
	for _, typ := range types {
		if typ.ID == "marriage" {
			marriage = typ
		}
	}
	for typed, want := range map[string]string{
		"J990101-2006-000001": "J990101-2006-000001", " Ｊ９９０１０１－２００６－０００００１\t": "J990101-2006-000001", "j1": "j1", "": "", " ": "", "a\x00b": "", "a\xffb": "",
	} {
		if got, ok := marriage.CanonicalNumber(typed); got != want && ok || ok != (want != "") {
			t.Errorf("number %q: %q, %v", typed, got, ok)
		}
	}
	for typed, want := range map[string]string{
		"990101196811176439": "990101196811176439", "９９０１０１１９６８０６０３６０１ｘ": "99010119680603601X", " 91990101ma61756039 ": "91990101MA61756039",
		"990101196811176438": "", "": "", "' OR 1=1 --": "", "\xff": "",
	} {
		if got, ok := licence.CanonicalHolder(typed); got != want && ok || ok != (want != "") {
			t.Errorf("holder %q: %q, %v", typed, got, ok)
		}
	}
}
