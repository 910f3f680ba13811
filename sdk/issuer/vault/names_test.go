package vault

import "testing"

func TestNumbersStandTogether(t *testing.T) {
	v := &Vault{secrets: derive([]byte("sixteen bytes...."))}
	n := v.numberer("marriage")
	first, second, far := n.number("J110101-2026-000001"), n.number("J110101-2026-000002"), n.number("J110101-2026-010001")
	if first == second || [stemSize]byte(first[:]) != [stemSize]byte(second[:]) {
		t.Errorf("numbers that follow each other: %x, %x", first, second)
	}
	if [stemSize]byte(first[:]) == [stemSize]byte(far[:]) {
		t.Errorf("numbers that are far apart: %x, %x", first, far)
	}
	if again := v.numberer("marriage").number("J110101-2026-000001"); again != first {
		t.Errorf("the same number has two names: %x, %x", first, again)
	}
	if other := v.numberer("property").number("J110101-2026-000001"); other == first {
		t.Error("two types have one name for a number")
	}
	if other := (&Vault{secrets: derive([]byte("other secret...."))}).numberer("marriage").number("J110101-2026-000001"); other == first {
		t.Error("two vaults have one name for a number")
	}
	for text, stem := range map[string]string{"": "", "123": "", "1234": "", "12345": "1", "A-12-34-B": "A---B", "京A12345": "京A1", "abc": "abc"} {
		if got := string(appendStem(nil, text)); got != stem {
			t.Errorf("stem of %q is %q, want %q", text, got, stem)
		}
	}
}

func FuzzNumber(f *testing.F) {
	v := &Vault{secrets: derive([]byte("sixteen bytes...."))}
	f.Add("J110101-2026-000001", "J110101-2026-000002")
	f.Add("京A12345", "京A1234\xff")
	f.Fuzz(func(t *testing.T, a, b string) {
		n := v.numberer("marriage")
		if (n.number(a) == n.number(b)) != (a == b) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}
