package agency

import (
	_ "embed" // for the template
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/licence"
)

// A Directory is the agencies of one file. It can be used from several goroutines.
type Directory struct {
	agencies []*Agency // in the order of the file
	byID     map[string]*Agency
	secrets  callers.Secrets[*Agency]
	cost     callers.Cost // of every password
}

// Load reads a directory from a file.
func Load(file string) (*Directory, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the agencies: %w", err)
	}
	d, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return d, nil
}

// newDirectory indexes agencies.
func newDirectory(agencies []*Agency) (*Directory, error) {
	d := &Directory{agencies: agencies, byID: map[string]*Agency{}}
	for _, a := range agencies {
		if d.byID[a.ID] != nil {
			return nil, fmt.Errorf("two agencies have the id %s", a.ID)
		}
		d.byID[a.ID] = a
		err := d.secrets.Add(a.tokens, a.certificates, a)
		for _, c := range a.Clerks {
			if err == nil {
				err = d.cost.Add(c.password)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("agency %s: %w", a.ID, err)
		}
	}
	return d, nil
}

// Agencies returns all of them, in the order of the file. The caller does not change them.
func (d *Directory) Agencies() []*Agency { return d.agencies }

// Agency returns one, nil if there is none of this id.
func (d *Directory) Agency(id string) *Agency { return d.byID[id] }

// Check returns which of the fields that agencies may ask for are not in the dictionary of a type,
// and so will never be told to anybody.
func (d *Directory) Check(t *licence.Type) error {
	for _, a := range d.agencies {
		for _, key := range a.Types[t.ID] {
			if !slices.Contains(t.Leaves(), key) {
				return fmt.Errorf("agency %s: the type %s version %d has no field %s", a.ID, t.ID, t.Version, key)
			}
		}
	}
	return nil
}

// Template returns a directory without agencies, with comments that say how one is written.
func Template() []byte { return template }

//go:embed agencies.yaml
var template []byte
