package licence

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestCanonicalValues(t *testing.T) {
	long := strings.Repeat("长", 1366) // 4098 bytes
	for _, c := range []struct {
		kind     Kind
		in, want string // want "!" for a refusal
	}{
		{KindString, "  a b　", "a b"},
		{KindString, "e\u0301", "é"},
		{KindString, "１２３", "１２３"},       // text is not folded
		{KindString, "㎡", "㎡"},           // NFC, not NFKC
		{KindString, "\uf900", "\u8c48"}, // a compatibility ideograph has a canonical equivalent
		{KindString, "", ""}, {KindString, " \t\r\n", ""}, {KindString, "\ufeffx\u200b", "x"},
		{KindString, "a\nb", "!"}, {KindString, "a\tb", "!"}, {KindString, "a\x00b", "!"}, {KindString, "a\u0085b", "!"}, {KindString, "a\ufffdb", "!"},
		{KindString, "a\u202eb", "!"}, {KindString, "a\u200bb", "!"}, {KindString, "a\u2066b", "!"}, {KindString, "a\u00adb", "!"}, {KindString, "\ufdd0", "!"},
		{KindString, "\ue000", "\ue000"}, // private use: rare names
		{KindString, "ب\u200cت", "ب\u200cت"},
		{KindString, long, "!"}, {KindString, long[3:], long[3:]},
		{KindText, "a\r\nb\rc\td", "a\nb\nc\td"}, {KindText, "\n a \n", "a"}, {KindText, "a\x0bb", "!"},
		{KindText, strings.Repeat("x", MaxText+1), "!"},
		{KindName, "阿依古丽·静", "阿依古丽·静"}, {KindName, " 张三", "张三"}, {KindName, "张\n三", "!"}, {KindName, strings.Repeat("x", MaxName+1), "!"},
		{KindDate, "２００６年５月６日", "2006-05-06"}, {KindDate, "", ""}, {KindDate, "5", "!"},
		{KindDecimal, "208.29", "208.29"}, {KindDecimal, "197.20", "197.2"}, {KindDecimal, "０１２．５０", "12.5"}, {KindDecimal, "0", "0"}, {KindDecimal, "-0.00", "0"},
		{KindDecimal, "-0", "0"}, {KindDecimal, "000", "0"}, {KindDecimal, ".5", "0.5"}, {KindDecimal, "-.50", "-0.5"}, {KindDecimal, "10", "10"},
		{KindDecimal, "100.00", "100"}, {KindDecimal, " 1 000 ", "1000"}, {KindDecimal, "", ""},
		{KindDecimal, "1,000", "!"}, {KindDecimal, "1.", "!"}, {KindDecimal, "+1", "!"}, {KindDecimal, "1e3", "!"}, {KindDecimal, "--1", "!"}, {KindDecimal, "1.2.3", "!"},
		{KindDecimal, "-", "!"}, {KindDecimal, ".", "!"}, {KindDecimal, "12㎡", "!"}, {KindDecimal, "NaN", "!"}, {KindDecimal, strings.Repeat("9", 39), "!"},
		{KindResidentID, "99010119760617990X", "99010119760617990X"}, {KindResidentID, "99010119760617990x", "99010119760617990X"},
		{KindResidentID, "９９０１０１１９７６０６１７９９０ｘ", "99010119760617990X"}, {KindResidentID, "990101 19760617 990X", "99010119760617990X"},
		{KindResidentID, "11010519491231002X", "11010519491231002X"}, // the standard's own example
		{KindResidentID, "990101197606179901", "!"}, {KindResidentID, "99010119761317990X", "!"}, {KindResidentID, "9901011976061799", "!"},
		{KindResidentID, "990101760617990", "!"}, {KindResidentID, "X9010119760617990X", "!"}, {KindResidentID, "110105194912310021", "!"},
		{KindUSCC, "91330100799655058B", "91330100799655058B"}, {KindUSCC, "9144030071526726xg", "9144030071526726XG"},
		{KindUSCC, "９１３３０１００７９９６５５０５８Ｂ", "91330100799655058B"}, {KindUSCC, "11990100MB0000001T", "11990100MB0000001T"},
		{KindUSCC, "91330100799655058C", "!"}, {KindUSCC, "91330100799655058", "!"}, {KindUSCC, "9133010O799655058B", "!"}, {KindUSCC, "91330100I99655058B", "!"},
		{KindUSCC, "9133010079965505ſB", "!"},
		{KindIDs, "91330100799655058B", "91330100799655058B"}, {KindIDs, "99010119760617990x", "99010119760617990X"}, {KindIDs, "E12345678", "!"},
		{KindPropertyUnit, "990101 212312 gb07540 f00191834", "990101212312GB07540F00191834"}, {KindPropertyUnit, "990101212312GB07540W00000000", "990101212312GB07540W00000000"},
		{KindPropertyUnit, "990101212312GB07540F0019183", "!"}, {KindPropertyUnit, "990101212312GB07540F001918344", "!"}, {KindPropertyUnit, "990101212312G107540F00191834", "!"},
	} {
		got, wrong := c.kind.canonical(c.in, false)
		if c.want == "!" {
			if wrong == "" {
				t.Errorf("%s %.40q: accepted as %.40q", c.kind, c.in, got)
			} else if len(c.in) > 3 && strings.Contains(wrong, c.in) {
				t.Errorf("%s %.40q: quoted in %q", c.kind, c.in, wrong)
			}
			continue
		}
		if wrong != "" || got != c.want {
			t.Errorf("%s %.40q: %.40q, %s; want %.40q", c.kind, c.in, got, wrong, c.want)
			continue
		}
		if again, wrong := c.kind.canonical(got, false); again != got || wrong != "" {
			t.Errorf("%s %.40q: not its own canonical form: %.40q, %s", c.kind, got, again, wrong)
		}
	}
}

func TestLicenceNumbersAreNarrowed(t *testing.T) {
	got, wrong := KindString.canonical("示（２０１８）示范市 不动产权第０００００01号 ", true)
	if want := "示(2018)示范市不动产权第0000001号"; got != want || wrong != "" {
		t.Errorf("%q, %s", got, wrong)
	}
	if got, _ := KindString.canonical("j９９", true); got != "j99" {
		t.Errorf("the case of a licence number was changed: %q", got)
	}
}

// Every digit of a resident identity number and every character of a unified code is covered by the check character.
func TestCheckCharacters(t *testing.T) {
	for good, wrong := range map[string]func(string) string{"11010519491231002X": wrongResidentID, "9144030071526726XG": wrongUSCC} {
		if wrong(good) != "" {
			t.Fatalf("%s: %s", good, wrong(good))
		}
		for i := range good {
			for _, c := range usccAlphabet {
				if bad := good[:i] + string(c) + good[i+1:]; bad != good && wrong(bad) == "" {
					t.Errorf("%s: accepted", bad)
				}
			}
		}
	}
}

// plain may only say yes to what clean would leave alone.
func TestPlainAgreesWithClean(t *testing.T) {
	slow := func(s string) string {
		return strings.TrimFunc(norm.NFC.String(s), blank)
	}
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		for _, s := range []string{string(r), "a" + string(r), "中" + string(r) + "a", string(r) + "\u0301"} {
			if plain(s) && (slow(s) != s || forbidden(r) || r == '\n' || r == '\t' || r == utf8.RuneError) {
				t.Fatalf("%q is not plain", s)
			}
		}
	}
	for _, s := range []string{"示(2018)示范市不动产权第0000001号", "阿依古丽·静", "“互联网+”销售(除依法须经批准的项目外,凭营业执照)", "（一）、。《》：ＡＢ１"} {
		if !plain(s) {
			t.Errorf("%s is not plain", s)
		}
	}
}

func TestMasked(t *testing.T) {
	for _, c := range []struct {
		field Field
		value Value
		want  string
	}{
		{Field{Mask: MaskName, Classification: Internal}, TextValue("张三"), "张*"},
		{Field{Mask: MaskName, Classification: Internal}, TextValue("欧阳静"), "欧**"},
		{Field{Mask: MaskName, Classification: Internal}, TextValue("阿依古丽·静"), "阿**"},
		{Field{Mask: MaskName, Classification: Internal}, TextValue("张"), "*"},
		{Field{Mask: MaskName, Classification: Internal}, ListValue("张三", "李四五"), "张*、李**"},
		{Field{Mask: MaskID, Classification: Sensitive}, TextValue("990101196811176439"), "990***********6439"},
		{Field{Mask: MaskID, Classification: Sensitive}, ListValue("99010119760617990X", "E12345678"), "990***********990X、E*******8"},
		{Field{Mask: MaskID, Classification: Sensitive}, TextValue("1234"), "****"},
		{Field{Classification: Sensitive}, TextValue("某地"), "***"},
		{Field{Classification: Sensitive}, ListValue("a", "b"), "***、***"},
		{Field{Classification: ""}, TextValue("某地"), "***"},
		{Field{Classification: Internal}, TextValue("某地"), "某地"},
		{Field{Classification: Public}, ListValue("a", "b"), "a、b"},
		{Field{Classification: Sensitive}, Null, ""},
		{Field{Mask: MaskID}, TextValue(""), ""},
	} {
		if got := c.field.Masked(c.value); got != c.want {
			t.Errorf("%+v %v: %q, want %q", c.field, c.value, got, c.want)
		}
	}
}

func TestValue(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		v    Value
		want []string
	}{
		{Null, nil}, {TextValue(""), []string{""}}, {TextValue("a"), []string{"a"}}, {ListValue(), []string{}}, {ListValue(""), []string{""}},
		{ListValue("a", "", long, "b"), []string{"a", "", long, "b"}}, {ListValue("\xff"), []string{"\xff"}},
	} {
		got := c.v.Strings()
		if strings.Join(got, "|") != strings.Join(c.want, "|") || len(got) != len(c.want) || c.v.Len() != len(c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%v: %q", c.v, got)
		}
	}
	distinct := []Value{Null, TextValue(""), TextValue("a"), ListValue(), ListValue(""), ListValue("a"), ListValue("a", ""), ListValue("", "a"), TextValue("\x01a")}
	for i := range distinct {
		for j := range distinct {
			if (distinct[i] == distinct[j]) != (i == j) {
				t.Errorf("%d and %d compare wrongly", i, j)
			}
		}
	}
	for s := range ListValue("a", "b").All() { // a consumer may stop early
		if s != "a" {
			t.Error(s)
		}
		break
	}
}

func TestAppendString(t *testing.T) {
	for in, want := range map[string]string{
		"中<>&\u2028/": "\"中<>&\u2028/\"", "\"\\": `"\"\\"`, "\b\t\n\f\r": `"\b\t\n\f\r"`, "\x00\x1f\x7f": "\"\\u0000\\u001f\x7f\"", "": `""`,
	} {
		if got := string(appendString(nil, in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
		p := &scanner{s: want}
		if back, err := p.text(); err != nil || back != in {
			t.Errorf("%s: read back as %q, %v", want, back, err)
		}
	}
}

func TestStates(t *testing.T) {
	order := []State{Active, Suspended, Superseded, Revoked, "anything"}
	for i, a := range order {
		for j, b := range order {
			if got := a.Restrictiveness() < b.Restrictiveness(); got != (i < j) {
				t.Errorf("%s is less restrictive than %s: %t", a, b, got)
			}
		}
		if a.Valid() != (i < 4) {
			t.Errorf("%s: valid %t", a, a.Valid())
		}
	}
}
