package filelock

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTry(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, dir} {
		open := func() *os.File {
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			return f
		}
		first, second := open(), open()
		if free, err := Try(first); err != nil || !free {
			t.Fatalf("%s could not be locked: %v", path, err)
		}
		if free, err := Try(second); err != nil || free {
			t.Errorf("%s was locked twice: %v", path, err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		if free, err := Try(second); err != nil || !free {
			t.Errorf("%s cannot be locked after the first has closed it: %v", path, err)
		}
	}
}
