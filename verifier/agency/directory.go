package agency

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// A Directory is the agencies of one file. It can be used from several goroutines.
type Directory struct {
	agencies []*Agency // in the order of the file
	byID     map[string]*Agency
	key      [32]byte            // random; see place
	bySecret map[sm.Hash]*Agency // by place of tokens
	byPublic map[sm.Hash]*Agency // by SM3 of certificates
	cost     int                 // of every password
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
	d := &Directory{
		agencies: agencies, byID: map[string]*Agency{}, bySecret: map[sm.Hash]*Agency{}, byPublic: map[sm.Hash]*Agency{},
		cost: passwordCost,
	}
	rand.Read(d.key[:])
	for _, a := range agencies {
		if d.byID[a.ID] != nil {
			return nil, fmt.Errorf("two agencies have the id %s", a.ID)
		}
		d.byID[a.ID] = a
		for _, digest := range a.tokens {
			place := d.place(digest)
			if d.bySecret[place] != nil {
				return nil, fmt.Errorf("agency %s: a token is there twice; each has tokens of its own", a.ID)
			}
			d.bySecret[place] = a
		}
		for _, digest := range a.certificates {
			if d.byPublic[digest] != nil {
				return nil, fmt.Errorf("agency %s: a certificate is there twice; each has certificates of its own", a.ID)
			}
			d.byPublic[digest] = a
		}
	}
	return d, d.checkCosts()
}

// checkCosts makes sure that all passwords cost the same to try, or how long a wrong one takes would
// tell whether there is such a clerk.
func (d *Directory) checkCosts() error {
	first := true
	for _, a := range d.agencies {
		for _, c := range a.Clerks {
			cost, err := costOf(c.password)
			if err != nil {
				return fmt.Errorf("agency %s: %w", a.ID, err)
			}
			if !first && cost != d.cost {
				return errors.New("the passwords differ in cost; make all of them anew with `credledger agency clerk`")
			}
			d.cost, first = cost, false
		}
	}
	return nil
}

// place is where a token is looked up. It depends on a key that nobody knows, so that the time it
// takes to find out that there is none tells nothing about the tokens that there are.
func (d *Directory) place(digest sm.Hash) sm.Hash {
	var b [64]byte
	copy(b[:], d.key[:])
	copy(b[32:], digest[:])
	return sm.Sum(b[:])
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
