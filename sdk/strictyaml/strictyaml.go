// Package strictyaml reads configuration files: one YAML document each, in which every key is known.
// It never reads a file itself, never guesses, and never panics.
package strictyaml

import (
	"bytes"
	"errors"
	"io"

	"github.com/goccy/go-yaml"
)

// Decode reads the one document in b into v, a pointer to a struct with yaml tags. The error says
// what is wrong, and where, in a line or two for whoever wrote the file: an unknown key, a value of another
// kind, no document or more than one. The caller bounds the size of b.
func Decode(b []byte, v any) (err error) {
	defer func() {
		if recover() != nil { // so goccy/go-yaml ends on some malformed texts
			err = errors.New("it is not YAML")
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	if err := d.Decode(v); errors.Is(err, io.EOF) {
		return errors.New("it is empty")
	} else if err != nil {
		return errors.New(yaml.FormatError(err, false, false))
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return errors.New("it holds more than one document")
	}
	return checkWholes(b, v)
}
