package accesslog

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/credledger/credledger/sdk/sm"
)

// Names in a log's directory.
const (
	identityFile    = "identity.json"
	keyFile         = "key"
	lockFile        = "lock"
	checkpointsFile = "checkpoints"
	entriesFile     = ".entries"
	indexFile       = ".index"
	partFile        = ".part" // of a file that is being written, before it has its name
)

// format is the version of what a log's directory holds: its layout, and the entries, of which format 1 had those of
// version 1.
const format = 2

// segmentHeight is the height of a full segment's tree: it has 2^segmentHeight entries.
const segmentHeight = 16

const keySize = 32

// An identityJSON is the content of the identity file.
type identityJSON struct {
	Format     int     `json:"format"`
	Ledger     sm.Hash `json:"ledger"`
	Department string  `json:"department"`
	Log        string  `json:"log"`
	Segment    uint64  `json:"segment"` // entries in a full segment
}

var idForm = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// Create makes a log without entries, in a directory of its own, which is made if need be. It is never
// made by the way: a log that was lost must be noticed. The error is an *Error: CodeName, CodeExists or
// CodeStorage.
func Create(dir string, id Identity) error { return create(dir, id, segmentHeight) }

func create(dir string, id Identity, height uint) error {
	if !idForm.MatchString(id.Department) || !idForm.MatchString(id.Log) {
		return errorf(CodeName, nil, "an access log is named by the id of its department and one of its own: 1 to 32 of a-z, 0-9 and -")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return storageError("make an access log", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return storageError("make an access log", err)
	}
	for _, e := range entries {
		// What a Create that was interrupted leaves is taken over.
		if name := e.Name(); name != keyFile && name != checkpointsFile && !strings.HasSuffix(name, partFile) {
			return errorf(CodeExists, nil, "%s is not empty; an access log has a directory of its own", dir)
		}
	}
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return errorf(CodeStorage, err, "draw the key of an access log")
	}
	if err := writeFile(filepath.Join(dir, keyFile), key); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, checkpointsFile), nil); err != nil {
		return err
	}
	text, err := json.MarshalIndent(identityJSON{format, id.Ledger, id.Department, id.Log, 1 << height}, "", "  ")
	if err != nil {
		return errorf(CodeStorage, err, "make an access log")
	}
	if err := writeFile(filepath.Join(dir, identityFile), append(text, '\n')); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return storageError("make an access log", err)
	}
	return nil
}

// readIdentity reads which log is in a directory, and the height of its segments.
func readIdentity(dir string) (id Identity, height uint, err error) {
	text, err := readSmall(filepath.Join(dir, identityFile), 4096)
	if errors.Is(err, fs.ErrNotExist) {
		return id, 0, errorf(CodeMissing, nil, "there is no access log in %s; if it was lost, restore it or go on with a new one under another name", dir)
	} else if err != nil {
		return id, 0, storageError("open the access log", err)
	}
	var parsed identityJSON
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err = d.Decode(&parsed)
	switch {
	case parsed.Format > format:
		return id, 0, errorf(CodeNewerFormat, nil, "the access log was written by a later version of this software; use that one")
	case err == nil && parsed.Format == 1:
		return id, 0, errorf(CodeOlderFormat, nil, "the access log in %s was written by an earlier version of this software, which can still audit and export it; "+
			"nothing in it was changed. Keep it: move it to another place, and go on with a new log under another name", dir)
	case err != nil || parsed.Format != format || !idForm.MatchString(parsed.Department) || !idForm.MatchString(parsed.Log),
		bits.OnesCount64(parsed.Segment) != 1 || parsed.Segment < 2 || parsed.Segment > 1<<segmentHeight:
		return id, 0, damaged("%s does not say which access log this is", filepath.Join(dir, identityFile))
	}
	return Identity{parsed.Ledger, parsed.Department, parsed.Log}, uint(bits.TrailingZeros64(parsed.Segment)), nil
}

func readKey(dir string) ([]byte, error) {
	key, err := readSmall(filepath.Join(dir, keyFile), keySize+1)
	if err != nil {
		return nil, storageError("read the key of the access log", err)
	}
	if len(key) != keySize {
		return nil, damaged("the key of the access log does not have %d bytes", keySize)
	}
	return key, nil
}

// readSmall reads the first so many bytes of a file.
func readSmall(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}
