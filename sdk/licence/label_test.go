package licence_test

import (
	"testing"

	"github.com/credledger/credledger/sdk/licence"
)

func TestLabel(t *testing.T) {
	typ := types(t)["marriage"]
	for key, zh := range map[string]string{
		"spouse1Name": "持证人一姓名", licence.IdentifierKey: "电子证照标识", licence.DocumentsKey: "证照文件摘要", "other": "other",
	} {
		if got := typ.Label(key).Zh; got != zh {
			t.Errorf("Label(%s) = %s, want %s", key, got, zh)
		}
	}
}
