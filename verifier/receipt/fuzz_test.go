package receipt_test

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/receipt"
)

// FuzzParse: what parses is written again as the same file, and can be judged.
func FuzzParse(f *testing.F) {
	b := goldenFile(f)
	f.Add(b)
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		f.Fatal(err)
	}
	members["readable"] = json.RawMessage("{}")
	f.Add(marshal(f, members))
	f.Add([]byte(`{"entry":"` + base64.StdEncoding.EncodeToString([]byte{0x91, 1}) + `","salt":"","presentation":"","proof":{"checkpoint":"","index":0,"path":[],"readable":1},"readable":0}`))
	known := sampleTrust()
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := receipt.Parse(b)
		if err != nil {
			if c := code(err); c != receipt.CodeMalformed && c != receipt.CodeTooLarge {
				t.Fatalf("no code: %v", err)
			}
			return
		}
		out := marshal(t, file)
		again, err := receipt.Parse(out)
		if err != nil || !reflect.DeepEqual(again, file) {
			t.Fatalf("written again as %s, %v", out, err)
		}
		r, err := receipt.Verify(file, nil, known)
		if err != nil || r.Outcome == receipt.Anchored { // nothing is on that ledger
			t.Fatalf("%s, %v", r.Outcome, err)
		}
		marshal(t, r)
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	f, _ := sample(b)
	f.Proof.Path = make([]sm.Hash, 20)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = f.AppendJSON(out[:0])
	}
}

func BenchmarkVerify(b *testing.B) {
	file := goldenFile(b)
	known := sampleTrust()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := receipt.Verify(parse(b, file), nil, known); err != nil {
			b.Fatal(err)
		}
	}
}
