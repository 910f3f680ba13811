package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/rest"
)

// What the strict reader takes is JSON that encoding/json reads in the same way; nothing makes it panic,
// and no error holds anything out of the body.
func FuzzReadVerification(f *testing.F) {
	for _, s := range []string{
		`{"code":"HTTPS://H/#ABC"}`, `{"credential":"iAE=","asOf":"2026-01-31","holderRequired":true,"fields":["a","b1"]}`,
		`{"image":"AAAA","nonce":"00112233445566778899aabbccddeeff","audience":"a"}`, `{"file":"AAAA","credential":"iAE="}`,
		`{"code":"\ud83d\ude00\n\"","context":{"clerk":"李雷","unit":"1","matter":"m","case":"c","onBehalf":"d"}}`,
		`{"code":"a","code":"b"}`, `{"x":[[[[`, `{"code":"\u`, "{\"code\":\"\xff\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := readVerification(b)
		if err != nil {
			var p *rest.Problem
			if !errors.As(err, &p) || kinds[p.Code].Status == 0 || !utf8.ValidString(p.Detail) {
				t.Fatalf("not a problem: %v", err)
			}
			return
		}
		var same struct {
			Code           *string
			Credential     []byte
			Image, File    []byte
			Audience       string
			AsOf           *string
			HolderRequired bool
			Fields         []string
			Context        struct{ Clerk, Unit, Matter, Case, OnBehalf string }
		}
		if err := json.Unmarshal(b, &same); err != nil {
			t.Fatalf("taken, and not JSON: %v", err)
		}
		if same.Code != nil && *same.Code != q.Code || !bytes.Equal(same.Credential, q.Credential) || !bytes.Equal(same.Image, q.Image) ||
			!bytes.Equal(same.File, q.File) || same.Audience != q.audience || same.HolderRequired != q.holderRequired ||
			len(same.Fields) != len(q.fields) || same.Context.Clerk != q.context.Clerk || same.Context.OnBehalf != q.context.OnBehalf {
			t.Fatalf("read in two ways: %+v and %+v", same, q)
		}
		if same.AsOf != nil && *same.AsOf != q.asOf.String() {
			t.Fatalf("two days: %s and %s", *same.AsOf, q.asOf)
		}
	})
}

// Nothing makes the reader of cases panic.
func FuzzReadMatterVerification(f *testing.F) {
	f.Add([]byte(`{"case":"1","licences":[{"code":"a"},{"sealed":"AAAA","identityChecked":true}],"onBehalf":["tax"],"context":{"clerk":"a","unit":"b"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := readMatterVerification(b)
		if err == nil && (q.number == "" || len(q.licences) == 0) {
			t.Fatalf("%+v", q)
		}
	})
}
