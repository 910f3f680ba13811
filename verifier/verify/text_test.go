package verify_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/verify"
)

var update = flag.Bool("update", false, "write the golden files")

func TestWords(t *testing.T) {
	const note = "未证明本人出示,请核对身份证"
	for _, test := range []struct {
		name   string
		change func(*city)
		zh, en string
		note   string
	}{
		{"valid", func(*city) {}, "核验通过,现行有效", "Verified: genuine and in force", note},
		{"restricted", func(c *city) { c.view.licence.Restrictions = make([]verify.Restriction, 1) },
			"核验通过,现行有效,但有限制", "Verified: genuine and in force, but restricted", note},
		{"invalid", func(c *city) { c.view.licence.Anchor.Disowned = true },
			"核验不通过,请勿据此办理", "Verification failed: do not rely on it", ""},
		{"undetermined", func(c *city) { c.view.licence.Heartbeat = verify.Heartbeat{} },
			"暂时无法核验,不代表证照有问题", "Cannot be verified at present: this says nothing against the licence", ""},
		{"revoked", func(c *city) { c.view.licence.Changes = changes(licence.Revoked, "2026-10-01") },
			"证照真实,当前已失效(已作废)", "Genuine, but not in force (revoked)", note},
		{"revoked, of a type that knows one reason", func(c *city) {
			c.view.licence.Changes = changes(licence.Revoked, "2026-10-01")
			c.oneReason(licence.Revoked, "divorce")
		}, "证照真实,当前已失效(离婚)", "Genuine, but not in force (Divorce)", note},
		{"suspended", func(c *city) { c.view.licence.Changes = changes(licence.Suspended, "2026-10-01") },
			"证照真实,当前已失效(已暂停效力)", "Genuine, but not in force (suspended)", note},
		{"superseded", func(c *city) { c.view.licence.Changes = changes(licence.Superseded, "2026-10-01") },
			"证照真实,当前已失效(已由新证替代)", "Genuine, but not in force (superseded by a newer licence)", note},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCity(t, 2)
			test.change(c)
			v := c.check(c.two(t, 0))
			if got := v.Text(); got.Zh != test.zh || got.En != test.en {
				t.Errorf("text = %q, %q, want %q, %q", got.Zh, got.En, test.zh, test.en)
			}
			if got := v.Note(); got.Zh != test.note || (got.En == "") != (test.note == "") {
				t.Errorf("note = %q, %q, want %q", got.Zh, got.En, test.note)
			}
		})
	}
	for name, test := range map[string]struct {
		change func(*credential.Record)
		zh     string
	}{
		"expired":       {func(r *credential.Record) { r.ValidUntil = dayp("2026-11-02") }, "证照真实,当前已失效(已过有效期)"},
		"not yet valid": {func(r *credential.Record) { r.ValidFrom = dayp("2026-11-04") }, "证照真实,当前已失效(尚未生效)"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCity(t, 2, test.change)
			c.oneReason(licence.Active, "cleared")
			c.view.licence.Changes = changes(licence.Active, "2026-10-01")
			v := c.check(c.two(t, 0))
			if got := v.Text(); got.Zh != test.zh {
				t.Errorf("text = %q, want %q", got.Zh, test.zh)
			}
		})
	}
}

// TestWordsOfAnotherDay: what was in force on the day that was asked for need not be in force now.
func TestWordsOfAnotherDay(t *testing.T) {
	for _, test := range []struct {
		name, asOf string
		change     func(*city)
		zh, en     string
	}{
		{"today", "2026-11-03", func(c *city) { c.view.licence.Changes = nil }, "核验通过,现行有效", "Verified: genuine and in force"},
		{"before it was revoked", "2026-09-30", func(*city) {}, "核验通过,2026-09-30当日有效", "Verified: genuine, and in force on 2026-09-30"},
		{"the day on which it was", "2026-10-01", func(*city) {}, "证照真实,2026-10-01当日无效(已作废)", "Genuine, but not in force on 2026-10-01 (revoked)"},
		{"to come", "2026-12-01", func(c *city) {
			c.view.licence.Changes = nil
			c.view.licence.Restrictions = make([]verify.Restriction, 1)
		}, "核验通过,2026-12-01当日有效,但有限制", "Verified: genuine, and in force on 2026-12-01, but restricted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCity(t, 2, func(r *credential.Record) { r.ValidFrom = dayp("2026-01-01") })
			c.view.licence.Changes = changes(licence.Revoked, "2026-10-01")
			test.change(c)
			v := verify.Verify(c.view, verify.Request{Presentation: c.two(t, 0).Bytes(), Now: noon, AsOf: dayp(test.asOf)})
			if got := v.Text(); got.Zh != test.zh || got.En != test.en {
				t.Errorf("text = %q, %q, want %q, %q", got.Zh, got.En, test.zh, test.en)
			}
		})
	}
}

// oneReason leaves the city's type one reason for coming into a state.
func (c *city) oneReason(state licence.State, code string) {
	typ := *c.typ
	typ.Transitions = append([]licence.Transition(nil), typ.Transitions...)
	for i, tr := range typ.Transitions {
		if reason, ok := tr.Reason(code); tr.To == state && ok {
			typ.Transitions[i].Reasons = []licence.Reason{reason}
		}
	}
	c.view.types["marriage"] = []*licence.Type{&typ}
	c.typ = &typ
}

func TestFields(t *testing.T) {
	c := newCity(t, 2)
	v := c.check(c.two(t, 0))
	fields := v.Fields()
	if len(fields) != 2 || fields[0].Key != "spouse1Name" || fields[1].Key != "spouse2Id" {
		t.Fatalf("fields %v", fields)
	}
	for _, f := range fields {
		entry, _ := c.typ.Field(f.Key)
		if f.Label != entry.Label || f.Value.IsNull() || f.Masked != entry.Masked(f.Value) || f.Masked == f.Value.String() || f.Classification != entry.Classification {
			t.Errorf("%s: label %v, masked %q", f.Key, f.Label, f.Masked)
		}
	}

	all := c.check(c.batch.Credential(1))
	fields = all.Fields()
	if len(fields) != len(c.typ.Leaves()) {
		t.Fatalf("%d fields, want %d", len(fields), len(c.typ.Leaves()))
	}
	for i, f := range fields {
		if f.Key != c.typ.Leaves()[i] || f.Label.Zh == "" || f.Label.En == "" || f.Classification == "" {
			t.Errorf("field %d: %q %v", i, f.Key, f.Label)
		}
	}
}

var hashes = regexp.MustCompile(`"[0-9a-f]{64}"`)

// TestJSON compares the JSON forms of some verdicts with golden files; -update writes them.
func TestJSON(t *testing.T) {
	successor := sm.Sum([]byte("successor"))
	for name, change := range map[string]func(*city){
		"valid":   func(*city) {},
		"ledger":  func(c *city) { c.view.ledger = sm.Hash{} },
		"invalid": func(c *city) { c.view.licence.Anchored = false },
		"superseded": func(c *city) {
			c.view.licence.Changes = changes(licence.Superseded, "2026-10-01", licence.Active, "2026-11-20")
			c.view.licence.Changes[0].Successor = &successor
			c.view.licence.Changes[0].Position = verify.Position{Block: 21, Index: 4}
			c.view.licence.Changes[0].Reason = successor // of the second the view keeps state and day only
		},
		"restricted": func(c *city) {
			c.view.licence.Restrictions = []verify.Restriction{{ID: [16]byte{1}, Ground: successor, Effective: day("2026-10-01")}, {Effective: day("2026-12-01")}}
			c.view.licence.Anchor.After = verify.Heartbeat{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCity(t, 5, func(r *credential.Record) { r.ValidUntil = dayp("2030-12-31") })
			p := c.two(t, 3)
			change(c)
			v := c.check(p)
			wantJSON(t, &v)
			got, err := json.MarshalIndent(v, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(hashes.ReplaceAll(got, []byte(`"(hash)"`)), '\n')
			golden := filepath.Join("testdata", "verdict-"+name+".json")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s:\n%s", golden, got)
			}
		})
	}
}

// TestJSONOfAnything: whatever dates a presentation claims, its verdict has a JSON form, of a pointer
// and of a value.
func TestJSONOfAnything(t *testing.T) {
	c := newCity(t, 2)
	p := c.two(t, 0)
	p.Record.IssuedAt = 1<<40 - 1 // beyond the year 9999
	p.Head.SignedAt = 1<<40 - 1
	v := c.check(p)
	expect(t, v, verify.Invalid, pass(verify.AxisContent, verify.ReasonConsistent))
	for _, x := range []any{v, &v} {
		b, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		var back struct {
			Outcome verify.Outcome
			Licence struct{ IssuedAt string }
		}
		if err := json.Unmarshal(b, &back); err != nil || back.Outcome != verify.Invalid || back.Licence.IssuedAt != "36812-02-20T00:36:15Z" {
			t.Errorf("%v, %+v", err, back)
		}
	}
	empty := verify.Verify(c.view, verify.Request{})
	wantJSON(t, &empty)
}

// FuzzVerify: no bytes make Verify panic, and none but those of the presentation are valid.
func FuzzVerify(f *testing.F) {
	c := newCity(f, 3)
	good := c.two(f, 1).Bytes()
	f.Add(good)
	f.Add(c.batch.Credential(2).Bytes())
	f.Add([]byte{})
	all := c.batch.Credential(1)
	f.Fuzz(func(t *testing.T, b []byte) {
		v := verify.Verify(c.view, verify.Request{Presentation: b, Now: noon})
		wantJSON(t, &v)
		if v.Outcome == verify.Valid && v.Opened.Digest != c.open(t, all).Digest && v.Opened.Digest != c.open(t, c.batch.Credential(2)).Digest {
			t.Errorf("%x is valid", b)
		}
	})
}

// What is withheld is neither among the fields nor in the JSON form, and named.
func TestWithhold(t *testing.T) {
	c := newCity(t, 2)
	v := c.check(c.two(t, 0))
	withheld := v.Withhold(func(key string) bool { return key == "spouse1Name" })
	if !slices.Equal(withheld, []string{"spouse2Id"}) {
		t.Errorf("withheld %v", withheld)
	}
	if fields := v.Fields(); len(fields) != 1 || fields[0].Key != "spouse1Name" {
		t.Errorf("fields %v", fields)
	}
	b, err := json.Marshal(v)
	if err != nil || !bytes.Contains(b, []byte("spouse1Name")) || bytes.Contains(b, []byte("spouse2Id")) {
		t.Errorf("%v: %s", err, b)
	}
	unread := verify.Verify(c.view, verify.Request{Presentation: []byte{1}, Now: noon})
	if unread.Withhold(func(string) bool { return false }) != nil {
		t.Error("something of what could not be read is withheld")
	}
}
