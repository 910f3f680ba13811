package embedded

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
)

// aBlock is the example of the golden encoding.
func aBlock() *ledger.Block {
	b := &ledger.Block{Number: 300, Previous: sm.Sum([]byte("the block before")), Transactions: []ledger.Transaction{
		{ID: "300-0", Index: 0, Actor: "civil-affairs", Bytes: []byte{0x82, 0x80, 0x40}},
		{ID: "300-1", Index: 1, Actor: "a", Bytes: []byte{}},
	}}
	return b
}

const aBlockEncoded = "8401" + "19012c" + "5820" + "previous" + "82" + "82" + "6d636976696c2d61666661697273" + "43828040" + "82" + "6161" + "40"

func TestBlockGolden(t *testing.T) {
	block := aBlock()
	want := strings.Replace(aBlockEncoded, "previous", block.Previous.String(), 1)
	encoded, err := formatBlock(block)
	if err != nil || hex.EncodeToString(encoded) != want {
		t.Fatalf("encoded as %x, %v\nwant       %s", encoded, err, want)
	}
	got, err := parseBlock(encoded)
	if err != nil {
		t.Fatal(err)
	}
	block.Hash = sm.Sum(encoded)
	if !reflect.DeepEqual(got, block) {
		t.Errorf("parsed as %+v\nwant      %+v", got, block)
	}
}

func TestBlockBad(t *testing.T) {
	good := strings.Replace(aBlockEncoded, "previous", aBlock().Previous.String(), 1)
	for what, bad := range map[string]string{
		"empty":                       "",
		"truncated":                   good[:len(good)-2],
		"trailing byte":               good + "00",
		"another version":             strings.Replace(good, "8401", "8402", 1),
		"version in a longer form":    strings.Replace(good, "8401", "841801", 1),
		"number in a longer form":     strings.Replace(good, "19012c", "1a0000012c", 1),
		"negative number":             strings.Replace(good, "19012c", "39012c", 1),
		"indefinite length":           strings.Replace(good, "8401", "9f01", 1) + "ff",
		"five elements":               strings.Replace(good, "8401", "8501", 1) + "00",
		"three elements":              "83" + good[2:],
		"previous hash too short":     strings.Replace(good, "5820", "581f", 1),
		"previous hash as text":       strings.Replace(good, "5820", "7820", 1),
		"no transactions":             good[:2+2+6+4+64] + "80",
		"transaction of one":          good[:2+2+6+4+64] + "81" + "81" + "6161",
		"actor as bytes":              strings.Replace(good, "6161", "4161", 1),
		"actor not UTF-8":             strings.Replace(good, "6161", "61ff", 1),
		"transaction bytes as text":   good[:len(good)-2] + "60",
		"transaction bytes null":      good[:len(good)-2] + "f6",
		"tagged":                      "c0" + good,
		"map":                         "a0",
		"half an array of 2^32":       "84010058200000000000000000000000000000000000000000000000000000000000000000" + "9affffffff",
		"nested":                      strings.Repeat("81", 1000),
		"more transactions than fit":  good[:2+2+6+4+64] + "990201" + strings.Repeat("82616140", maxGroup+1),
		"a number larger than number": strings.Replace(good, "19012c", "c249010000000000000000", 1),
	} {
		b, err := hex.DecodeString(bad)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if block, err := parseBlock(b); ledger.Code(err) != CodeCorrupt {
			t.Errorf("%s: %+v, %v; want %s", what, block, err, CodeCorrupt)
		}
	}
	if _, err := parseBlock(make([]byte, maxBlock+1)); ledger.Code(err) != CodeCorrupt {
		t.Errorf("too large: %v", err)
	}
}

func FuzzParseBlock(f *testing.F) {
	encoded, err := formatBlock(aBlock())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded)
	f.Add([]byte{0x84, 0x01, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		block, err := parseBlock(b)
		if err != nil {
			if ledger.Code(err) != CodeCorrupt {
				t.Errorf("the error has no code: %v", err)
			}
			return
		}
		again, err := formatBlock(block)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x was parsed, and is formatted as %x, %v", b, again, err)
		}
	})
}
