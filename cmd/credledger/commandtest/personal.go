package commandtest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/licence/samples"
)

// personalData are the values in the sample licences that name or describe a person or a place.
var personalData = sync.OnceValue(func() []string {
	types, err := catalog.Types()
	if err != nil {
		panic(err)
	}
	var out []string
	for _, t := range types {
		f, err := samples.Files.Open(t.ID + ".jsonl")
		if err != nil {
			panic(err)
		}
		r, err := licence.NewReader(f, t)
		if err != nil {
			panic(err)
		}
		for doc, err := r.Next(); err == nil; doc, err = r.Next() {
			for i, field := range t.Fields {
				switch {
				case field.Classification == licence.Public, field.Kind == licence.KindDate, strings.Contains(field.Key, "ationality"):
				case !doc.ValueAt(i).IsNull():
					out = append(out, doc.ValueAt(i).Strings()...)
				}
			}
		}
	}
	if len(out) < 500 {
		panic("the samples are not read")
	}
	return append(out, "司马一", "990101196802291232", "阿依古丽", "990101197011094042", "欧阳静", "WH990101", "L990101")
})

// Personal returns a personal value that a text holds, "" if it holds none.
func Personal(text string) string {
	for _, value := range personalData() {
		if strings.Contains(text, value) {
			return value
		}
	}
	return ""
}

// NoPersonalData wants no personal value in a text.
func NoPersonalData(t testing.TB, text string) {
	t.Helper()
	if value := Personal(text); value != "" {
		t.Fatalf("%q holds personal data: %s", text, value)
	}
}

// NoPersonalRejects wants no personal data in the reasons of rejections, under a directory.
func NoPersonalRejects(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "rejects.jsonl") {
			return err
		}
		b, err := os.ReadFile(path)
		if value := Personal(string(b)); err == nil && value != "" {
			err = fmt.Errorf("%s holds personal data: %s", path, value)
		}
		return err
	})
}
