package vectors_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the vectors anew; signatures that are in good/signatures.json already stay")

// The folders of the vectors.
const (
	goodFolder = "good"
	badFolder  = "bad"
)

// generate returns every file by its path.
func generate(t *testing.T) map[string][]byte {
	t.Helper()
	var known Signatures
	b, err := os.ReadFile(filepath.Join(goodFolder, "signatures.json"))
	if err == nil {
		err = unmarshal(b, &known)
	}
	if err != nil && !*update {
		t.Fatalf("signatures made before: %v", err)
	}
	s := newStory(t, known.Signatures)
	out := map[string][]byte{}
	put := func(folder string, files map[string]any) {
		for name, file := range files {
			b, err := marshal(file)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			out[filepath.Join(folder, name)] = b
		}
	}
	badFiles := map[string]any{}
	for _, files := range []map[string]any{s.badStatements(), s.badPresentations(), s.badPaths(), s.badSignatures(), s.badCodes(), s.badEntries(), s.badProofs(), s.badReceipts(), s.badSnapshots(), s.badEnvelopes(), s.badSubjects(), s.badEvidence()} {
		maps.Copy(badFiles, files)
	}
	put(badFolder, badFiles)
	put(goodFolder, s.goodFiles())
	return out
}

// The files are what the generator makes of the code as it is: a format that changed, or a file that
// was edited or forgotten, shows here. To change them: go test ./test/vectors -update
func TestVectorsAreCurrent(t *testing.T) {
	want := generate(t)
	if *update {
		for _, folder := range []string{goodFolder, badFolder} {
			if err := os.RemoveAll(folder); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(folder, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for path, b := range want {
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	for _, path := range paths(t) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, want[path]) {
			t.Errorf("%s is not what the generator makes", path)
		}
		delete(want, path)
	}
	for path := range want {
		t.Errorf("%s is missing", path)
	}
}

// paths returns the paths of all vectors.
func paths(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, folder := range []string{goodFolder, badFolder} {
		found, err := filepath.Glob(filepath.Join(folder, "*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			t.Fatalf("no vectors in %s", folder)
		}
		out = append(out, found...)
	}
	return out
}
