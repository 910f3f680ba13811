package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
)

// Bounds on what is read, in bytes.
const (
	maxMetadata    = 64 << 10
	maxLabel       = 128
	maxConnections = 1 << 20
)

// labelFile is what build leaves for release.
const labelFile = "label"

// labelPattern is what Fabric accepts as a label.
var labelPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.+-]*$`)

// metadata is a package's metadata.json. Fabric allows further fields in it.
type metadata struct {
	Type  string `json:"type"`
	Label string `json:"label"`
}

// detect accepts every package of the one type, also a faulty one: build says what is wrong with it,
// while a peer does not log why it found no builder.
func detect(dir string) error {
	m, err := readMetadata(dir)
	if err != nil {
		return err
	}
	if m.Type != "ccaas" {
		return fmt.Errorf("the package is of type %.40q; only chaincode as a service, type \"ccaas\", is served", m.Type)
	}
	return nil
}

func build(dir, output string) error {
	m, err := readMetadata(dir)
	if err != nil {
		return err
	}
	if err := checkLabel(m.Label); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(output, labelFile), []byte(m.Label), 0o600)
}

func readMetadata(dir string) (*metadata, error) {
	file := filepath.Join(dir, "metadata.json")
	b, err := readFile(file, maxMetadata)
	if err != nil {
		return nil, err
	}
	m := new(metadata)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}

func checkLabel(label string) error {
	if len(label) > maxLabel || !labelPattern.MatchString(label) {
		return fmt.Errorf("the package's label %.40q is none: give it up to %d letters, digits and _.+-, beginning with a letter or digit", label, maxLabel)
	}
	return nil
}

// readFile reads a file of at most limit bytes.
func readFile(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", file, limit)
	}
	return b, nil
}
