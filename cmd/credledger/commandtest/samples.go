package commandtest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Samples makes a directory that has the sample licences as files: those that are built in, in more those of two types
// that are not, in catalogue all five types, and the built-in departments.
func Samples(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	_, self, _, _ := runtime.Caller(0)
	source := filepath.Join(filepath.Dir(self), "../../../sdk/licence")
	copies := [][2]string{
		{source + "/samples/*.json*", "."},
		{source + "/samples/*.xml", "."},
		{source + "/samples/*.csv", "."},
		{source + "/testdata/*-1.json", "more"},
		{source + "/catalog/more/*.json", "catalogue"},
		{source + "/catalog/[^d]*.json", "catalogue"},
		{source + "/catalog/departments.json", "."},
	}
	for _, c := range copies {
		files, err := filepath.Glob(c[0])
		if err != nil || len(files) == 0 {
			t.Fatalf("no files %s: %v", c[0], err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err == nil {
				err = os.MkdirAll(filepath.Join(dir, c[1]), 0o755)
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, c[1], filepath.Base(file)), b, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}
