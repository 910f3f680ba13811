package httpapi

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/credledger/credledger/sdk/sm"
)

// What is uploaded lies in the spool until its job is done, sealed with SM4-GCM under a key of its own, which is
// in the vault: who has the directory, or a copy of it, can read nothing, and once the job is done nobody can.
//
//	file   chunk ...                   of 64 KiB each, the last one shorter or empty
//	chunk  ciphertext || tag           nonce: 4 zero bytes, number of the chunk (8 bytes); aad: 1 for the last, else 0
//
// So nothing can be left out, put elsewhere or cut off without its being noticed.
const (
	chunkSize  = 64 << 10
	sealedSize = chunkSize + sm.SealOverhead
)

// errSpoolAltered is why an upload cannot be read: it is not what was written.
var errSpoolAltered = errors.New("the upload was altered on the disk")

// chunkSeal returns nonce and aad of a chunk.
func chunkSeal(n uint64, last bool) (nonce, aad []byte) {
	aad = []byte{0}
	if last {
		aad[0] = 1
	}
	return binary.BigEndian.AppendUint64(make([]byte, 4, sm.SealNonceSize), n), aad
}

// An upload is one that lies in the spool.
type upload struct {
	Spool string `json:"spool"` // id of the spool; see spoolID
	Name  string `json:"name"`  // of the file
	Key   []byte `json:"key"`   // under which it is sealed
	Bytes int64  `json:"bytes"` // its length before it was sealed
}

// store seals what is read into a new file, and returns it with the hash of what was read. The file is on the disk when
// it returns; after an error there is none.
func (a *API) store(in io.Reader) (u *upload, sum sm.Hash, err error) {
	var random [16 + sm.SealKeySize]byte
	_, _ = rand.Read(random[:]) // never fails
	u = &upload{Spool: a.spool, Name: hex.EncodeToString(random[:16]), Key: random[16:]}
	f, err := os.OpenFile(a.path(u), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, sum, storageError(err)
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = storageError(closed)
		}
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	hash := sm.NewHash()
	in = io.TeeReader(in, hash)
	chunk := make([]byte, chunkSize)
	for n := uint64(0); ; n++ {
		size, err := io.ReadFull(in, chunk)
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return nil, sum, err // of the body
		}
		nonce, aad := chunkSeal(n, last)
		sealed, err := sm.Seal(u.Key, nonce, chunk[:size], aad)
		if err != nil {
			return nil, sum, fmt.Errorf("seal an upload: %w", err)
		}
		if _, err := f.Write(sealed); err != nil {
			return nil, sum, storageError(err)
		}
		if u.Bytes += int64(size); last {
			break
		}
	}
	if err := f.Sync(); err != nil {
		return nil, sum, storageError(err)
	}
	return u, sm.Hash(hash.Sum(nil)), nil
}

func (a *API) path(u *upload) string    { return filepath.Join(a.Spool, u.Name+uploadExtension) }
func (a *API) rejects(u *upload) string { return filepath.Join(a.Spool, u.Name+rejectsExtension) }

// Names in the spool.
const (
	idFile           = "id"
	uploadExtension  = ".sealed"
	rejectsExtension = ".rejects.jsonl"
)

// spoolID returns the id of a spool, which it gets when it is first used. Two services of a department can share a
// vault, and each does the jobs whose uploads lie in its own spool.
func spoolID(dir string) (string, error) {
	path := filepath.Join(dir, idFile)
	var random [16]byte
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		_, _ = rand.Read(random[:]) // never fails
		id := hex.EncodeToString(random[:])
		return id, writeFile(path, []byte(id))
	case err == nil && len(b) != hex.EncodedLen(len(random)):
		err = fmt.Errorf("%s is damaged; put it back, or remove it if no job is under way", path)
	}
	return string(b), err
}

// writeFile makes a file that is there whole, or not at all.
func writeFile(path string, b []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// openUpload opens an upload from its beginning.
func (a *API) openUpload(u *upload) (io.ReadCloser, error) {
	f, err := os.Open(a.path(u))
	if err != nil {
		return nil, err
	}
	return &uploadReader{f: f, in: bufio.NewReaderSize(f, sealedSize), key: u.Key}, nil
}

// An uploadReader reads what was sealed.
type uploadReader struct {
	f    *os.File
	in   *bufio.Reader
	key  []byte
	n    uint64
	rest []byte // of the chunk that was opened
	end  bool
}

func (r *uploadReader) Read(b []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.end {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *uploadReader) next() error {
	sealed := make([]byte, sealedSize)
	size, err := io.ReadFull(r.in, sealed)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	r.end = size < sealedSize // the last chunk is never full
	nonce, aad := chunkSeal(r.n, r.end)
	if r.rest, err = sm.Open(r.key, nonce, sealed[:size], aad); err != nil {
		return errSpoolAltered
	}
	r.n++
	return nil
}

func (r *uploadReader) Close() error { return r.f.Close() }
