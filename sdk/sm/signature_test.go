package sm

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
)

func TestSignatureDER(t *testing.T) {
	short := strings.Repeat("00", 31)
	for _, test := range []struct{ name, rs, der string }{
		{"one byte each", short + "01" + short + "7f", "3006020101" + "02017f"},
		{"one byte, high bit", short + "80" + short + "ff", "300802020080" + "020200ff"},
		{"leading zeros", "00007f" + strings.Repeat("11", 29) + "0000ff" + strings.Repeat("22", 29),
			"3041" + "021e7f" + strings.Repeat("11", 29) + "021f00ff" + strings.Repeat("22", 29)},
	} {
		rs, _ := hex.DecodeString(test.rs)
		der, err := SignatureToDER(rs)
		if err != nil || hex.EncodeToString(der) != test.der {
			t.Errorf("%s: %x, %v", test.name, der, err)
			continue
		}
		if back, err := SignatureFromDER(der); err != nil || !bytes.Equal(back, rs) {
			t.Errorf("%s: back %x, %v", test.name, back, err)
		}
	}
}

func TestSignatureToDERRefuses(t *testing.T) {
	n := func(plus int64) []byte { return bytes32(new(big.Int).Add(curveN, big.NewInt(plus))) }
	zero, one, ones := make([]byte, 32), append(make([]byte, 31), 1), bytes.Repeat([]byte{0xFF}, 32)
	for _, test := range []struct {
		name string
		r, s []byte
		ok   bool
	}{
		{"smallest", one, one, true},
		{"largest", n(-1), n(-1), true},
		{"r+s = n+1", n(-1), append(make([]byte, 31), 2), true},
		{"r+s = n-1", n(-2), one, true},
		{"r+s = n", n(-1), one, false},
		{"r = 0", zero, one, false},
		{"s = 0", one, zero, false},
		{"r = n", n(0), one, false},
		{"s = n", one, n(0), false},
		{"r = n+1", n(1), one, false},
		{"r = 2^256-1", ones, one, false},
		{"s = 2^256-1", one, ones, false},
		{"63 bytes", one, one[:31], false},
		{"65 bytes", one, append(zero, 1), false},
		{"nothing", nil, nil, false},
	} {
		der, err := SignatureToDER(append(bytes.Clone(test.r), test.s...))
		if (err == nil) != test.ok {
			t.Errorf("%s: %x, %v", test.name, der, err)
		}
		if !test.ok {
			wantCode(t, err, CodeBadSignature)
		}
	}
}

func TestSignatureFromDERRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                 "",
		"empty sequence":          "3000",
		"only r":                  "3003020101",
		"a third integer":         "3009020101020101020101",
		"trailing byte":           "300602010102010100",
		"trailing byte inside":    "300702010102010100",
		"sequence too long":       "3007020101020101",
		"sequence too short":      "3005020101020101",
		"indefinite length":       "30800201010201010000",
		"long form of length":     "308106020101020101",
		"long form of integer":    "300702810101020101",
		"set":                     "3106020101020101",
		"octet strings":           "3006040101040101",
		"zero padding":            "30070202000102" + "0101",
		"empty integer":           "30050200020101",
		"zero":                    "3006020100020101",
		"minus one":               "30060201ff020101",
		"33 bytes":                "3026022101" + strings.Repeat("00", 32) + "020101",
		"n":                       "3026022100fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123020101",
		"length of four bytes":    "3084000000060201010201" + "01",
		"application tag":         "6006020101020101",
		"length beyond the input": "30ff",
	} {
		der, err := hex.DecodeString(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rs, err := SignatureFromDER(der)
		if err == nil {
			t.Errorf("%s: accepted as %x", name, rs)
			continue
		}
		wantCode(t, err, CodeBadSignature)
	}
}
