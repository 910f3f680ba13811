package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/verifier/intake"
)

// maxCodeText bounds a file that holds the text of a code, in bytes.
const maxCodeText = 64 << 10

// open opens a file, or standard input for "-".
func (c *call) open(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(c.stdin), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.Join(errIsDirectory(path), f.Close())
	}
	return f, nil
}

func errIsDirectory(path string) error {
	return failf("not-a-file", "%s is a directory; name the files in it", path)
}

// presentations reads what a file holds: credentials and presentations one after the other (one, or
// a bundle of any number), the text of a self-contained code, a PNG or JPEG picture of one, or a PDF or
// OFD to which they are attached; told apart by content. An error ends it.
func (c *call) presentations(path string) iter.Seq2[*credential.Presentation, error] {
	return func(yield func(*credential.Presentation, error) bool) {
		f, err := c.open(path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		r := bufio.NewReaderSize(f, credential.MaxSize)
		magic, err := r.Peek(4)
		switch {
		case len(magic) == 0 && errors.Is(err, io.EOF):
			yield(nil, failf("empty-input", "%s is empty", path))
		case bytes.HasPrefix(magic, []byte("\x89PNG")), bytes.HasPrefix(magic, []byte("\xff\xd8\xff")):
			yieldOne(yield, path, func() (*credential.Presentation, error) {
				text, err := qr.Decode(r)
				if err != nil {
					return nil, err
				}
				return credential.DecodeCode(text)
			})
		case len(magic) > 0 && magic[0] >= 0x80 && magic[0] < 0xa0: // an array in CBOR
			sequence(r, path, yield)
		case bytes.HasPrefix(magic, []byte("%PDF")), bytes.HasPrefix(magic, []byte("PK\x03\x04")):
			attached(r, path, yield)
		default:
			yieldOne(yield, path, func() (*credential.Presentation, error) {
				text, err := io.ReadAll(io.LimitReader(r, maxCodeText+1))
				if err != nil {
					return nil, err
				}
				p, err := credential.DecodeCode(string(text))
				if err != nil && !bytes.ContainsRune(text, '#') {
					err = fmt.Errorf("neither a credential nor a PNG or JPEG picture; and as text, %w", err)
				}
				return p, err
			})
		}
	}
}

func yieldOne(yield func(*credential.Presentation, error) bool, path string, read func() (*credential.Presentation, error)) {
	p, err := read()
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	yield(p, err)
}

// attached reads the credentials that are attached to a PDF or OFD.
func attached(r io.Reader, path string, yield func(*credential.Presentation, error) bool) {
	found := new(intake.Result)
	file, err := io.ReadAll(io.LimitReader(r, intake.MaxFile+1))
	if err == nil {
		found, err = intake.NewReader(1).Read(context.Background(), intake.Input{File: file})
	}
	if err != nil {
		yield(nil, fmt.Errorf("%s: %w", path, err))
		return
	}
	for _, item := range found.Items {
		if !yield(credential.Parse(item.Bytes)) {
			return
		}
	}
}

// sequence reads credentials one after the other, in the memory of one.
func sequence(r *bufio.Reader, path string, yield func(*credential.Presentation, error) bool) {
	for n := 1; ; n++ {
		window, err := r.Peek(credential.MaxSize)
		if len(window) == 0 {
			if !errors.Is(err, io.EOF) {
				yield(nil, fmt.Errorf("%s: %w", path, err))
			}
			return
		}
		_, size, err := credential.ParsePrefix(window)
		if err != nil {
			yield(nil, fmt.Errorf("%s: number %d, after which nothing can be read: %w", path, n, err))
			return
		}
		if !yield(credential.Parse(bytes.Clone(window[:size]))) { // which keeps what it is given
			return
		}
		if _, err := r.Discard(size); err != nil {
			yield(nil, fmt.Errorf("%s: %w", path, err))
			return
		}
	}
}

// one reads a file that must hold exactly one credential or presentation.
func (c *call) one(path string) (*credential.Presentation, error) {
	var found *credential.Presentation
	for p, err := range c.presentations(path) {
		if err != nil {
			return nil, err
		}
		if found != nil {
			return nil, failf("several-credentials", "%s holds several credentials; this command takes one", path)
		}
		found = p
	}
	return found, nil
}

// A dictionary finds the version of a type that a presentation names.
type dictionary func(id string, version uint32) (*licence.Type, error)

// dictionary looks types up on the home's ledger, or without a home in the built-in catalogue.
func (c *call) dictionary(h *home) (dictionary, error) {
	if h == nil {
		types, err := catalog.Types()
		if err != nil {
			return nil, err
		}
		return func(id string, version uint32) (*licence.Type, error) {
			for _, t := range types {
				if t.ID == id && t.Version == int(version) {
					return t, nil
				}
			}
			return nil, failf("type-unknown", "the built-in catalogue has no version %d of the type %q: name a home whose ledger has it with --home", version, id)
		}, nil
	}
	return h.typeVersion, nil
}

// openPresentation finds the type of a presentation and opens it.
func openPresentation(p *credential.Presentation, types dictionary) (*credential.Opened, error) {
	t, err := types(p.Record.Type, p.Record.TypeVersion)
	if err != nil {
		return nil, err
	}
	return p.Open(t)
}
