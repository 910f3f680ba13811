package fabric

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"testing"
)

// The package id is part of what organisations agree on: it never changes for a version.
func TestPackageID(t *testing.T) {
	for version, want := range map[int]string{
		1: "credledger_1:40a0d63ef51ba8c1dfd440fcef509a2c708c3b0131be1bdba4c7d2a881e64524",
		2: "credledger_2:b30cbec9d653264b6e94444495b0ee6e117ae9e0f9cb4fb3352a3118c7a26ccb",
	} {
		id, archive, err := chaincodePackage(version)
		if err != nil {
			t.Fatal(err)
		}
		if id != want {
			t.Errorf("version %d: %s, want %s", version, id, want)
		}
		var metadata map[string]string
		for name, content := range unpack(t, archive) {
			switch name {
			case "metadata.json":
				if err := json.Unmarshal(content, &metadata); err != nil {
					t.Error(err)
				}
			case "code.tar.gz":
				unpack(t, content)
			default:
				t.Errorf("there is %s in the package", name)
			}
		}
		if len(metadata) != 2 || metadata["type"] != "ccaas" || metadata["label"] != label(version) {
			t.Errorf("metadata %v", metadata)
		}
	}
}

func unpack(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.IsZero() && h.ModTime.Unix() != 0 || h.Uname != "" || h.Uid != 0 {
			t.Errorf("%+v tells when or by whom it was made", h)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}
