package matter

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/credledger/credledger/sdk/licence"
)

//go:embed catalog/*.yaml
var builtin embed.FS

// A Catalog holds matters, in all their versions. It can be used from several goroutines.
type Catalog struct {
	versions map[string][]*Matter // by id, ascending by version
	ids      []string             // sorted
}

// Builtin returns the matters that come with CredLedger.
func Builtin() (*Catalog, error) {
	dir, err := fs.Sub(builtin, "catalog")
	if err != nil {
		return nil, err
	}
	return Load(dir)
}

// Load reads the matters in a directory: one version of one matter in each file *.yaml; all other
// files are left alone. It is an error if there is none, if one version of a matter is there twice,
// or if a later version counts from a day that is not later.
func Load(dir fs.FS) (*Catalog, error) {
	names, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return nil, err
	}
	c := &Catalog{versions: map[string][]*Matter{}}
	for _, name := range names {
		m, err := read(dir, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.versions[m.ID] = append(c.versions[m.ID], m)
	}
	if len(names) == 0 {
		return nil, errors.New("there is no matter (a file *.yaml)")
	}
	for id, versions := range c.versions {
		slices.SortFunc(versions, func(a, b *Matter) int { return a.Version - b.Version })
		for i, m := range versions[1:] {
			switch before := versions[i]; {
			case m.Version == before.Version:
				return nil, fmt.Errorf("version %d of the matter %s is in two files", m.Version, id)
			case m.from <= before.from:
				return nil, fmt.Errorf("version %d of the matter %s must count from a later day than version %d", m.Version, id, before.Version)
			}
		}
		c.ids = append(c.ids, id)
	}
	slices.SortFunc(c.ids, strings.Compare)
	return c, nil
}

func read(dir fs.FS, name string) (*Matter, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, err
	}
	return Parse(b)
}

// Matter returns the version of a matter that counts on a day, nil if there is none.
func (c *Catalog) Matter(id string, day licence.Date) *Matter {
	versions := c.versions[id]
	for i := len(versions) - 1; i >= 0; i-- {
		if versions[i].from <= day {
			return versions[i]
		}
	}
	return nil
}

// All returns the version of each matter that counts on a day, ordered by id.
func (c *Catalog) All(day licence.Date) []*Matter {
	var all []*Matter
	for _, id := range c.ids {
		if m := c.Matter(id, day); m != nil {
			all = append(all, m)
		}
	}
	return all
}
