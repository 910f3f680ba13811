package agency

import (
	"errors"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/strictyaml"
)

// Bounds of a directory.
const (
	MaxFile = 4 << 20         // bytes
	MaxText = callers.MaxLine // characters of a name, a unit and each text of a Context

	maxAgencies = 10000
	maxList     = callers.MaxList
	maxName     = 200 // characters of an agency's name in one language
	maxCap      = 1 << 40
)

// A document is the file.
type document struct {
	Agencies []entry `yaml:"agencies"`
}

type entry struct {
	ID           string              `yaml:"id"`
	Name         licence.Text        `yaml:"name"`
	Tokens       []string            `yaml:"tokens"`
	Certificates []string            `yaml:"certificates"`
	Addresses    []string            `yaml:"addresses"`
	Types        map[string][]string `yaml:"types"`
	Matters      []string            `yaml:"matters"`
	OnBehalf     []string            `yaml:"onBehalf"`
	Rate         callers.Rate        `yaml:"rate"`
	DailyCap     uint64              `yaml:"dailyCap"`
	Clerks       []clerkEntry        `yaml:"clerks"`
}

type clerkEntry struct {
	Name     string `yaml:"name"`
	Unit     string `yaml:"unit"`
	Password string `yaml:"password"`
}

var (
	validID  = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	validKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,63}$`)
)

// Parse reads a directory, strictly. The error says what is wrong for whoever wrote the file.
func Parse(b []byte) (*Directory, error) {
	if len(b) > MaxFile {
		return nil, fmt.Errorf("a directory of agencies has at most %d bytes", MaxFile)
	}
	if !utf8.Valid(b) {
		return nil, errors.New("it is not UTF-8; convert the file to UTF-8")
	}
	var doc document
	if err := strictyaml.Decode(b, &doc); err != nil {
		return nil, err
	}
	if len(doc.Agencies) > maxAgencies {
		return nil, fmt.Errorf("there are more than %d agencies", maxAgencies)
	}
	agencies := make([]*Agency, len(doc.Agencies))
	for i := range doc.Agencies {
		e := &doc.Agencies[i]
		if !validID.MatchString(e.ID) {
			return nil, fmt.Errorf("agency %d: id must be 1 to 32 lower-case letters, digits and hyphens", i+1)
		}
		var err error
		if agencies[i], err = e.agency(); err != nil {
			return nil, fmt.Errorf("agency %s: %w", e.ID, err)
		}
	}
	return newDirectory(agencies)
}

// agency checks an entry and converts it.
func (e *entry) agency() (*Agency, error) {
	a := &Agency{
		ID: e.ID, Name: e.Name, Types: e.Types, Matters: e.Matters, OnBehalf: e.OnBehalf, Rate: e.Rate, DailyCap: e.DailyCap,
	}
	if !callers.Line(e.Name.Zh, maxName) || !callers.Line(e.Name.En, maxName) {
		return nil, fmt.Errorf("name: zh and en must be texts of one line, of at most %d characters", maxName)
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	var err error
	if a.tokens, err = callers.ParseDigests("tokens", e.Tokens); err != nil {
		return nil, err
	}
	if a.certificates, err = callers.ParseDigests("certificates", e.Certificates); err != nil {
		return nil, err
	}
	if a.addresses, err = callers.ParseNetworks(e.Addresses); err != nil {
		return nil, err
	}
	if a.Clerks, err = clerks(e.Clerks); err != nil {
		return nil, err
	}
	if len(a.tokens)+len(a.certificates)+len(a.Clerks) == 0 {
		return nil, errors.New("it has no token, certificate or clerk, so nobody can ask in its name")
	}
	return a, nil
}

// check checks what an agency may do.
func (e *entry) check() error {
	if len(e.Types) > maxList {
		return fmt.Errorf("types: must be at most %d", maxList)
	}
	for typ, keys := range e.Types {
		if !validID.MatchString(typ) {
			return errors.New("types: must be ids of licence types")
		}
		if len(keys) > maxList || !each(keys, validKey.MatchString) {
			return fmt.Errorf("types: %s: must be keys of fields, each once", typ)
		}
	}
	switch {
	case len(e.Matters) > maxList || !each(e.Matters, validID.MatchString):
		return errors.New("matters: must be ids of matters, each once")
	case len(e.OnBehalf) > maxList || !each(e.OnBehalf, validID.MatchString):
		return errors.New("onBehalf: must be ids of departments, each once")
	case e.DailyCap < 1 || e.DailyCap > maxCap:
		return errors.New("dailyCap: must be 1 or more: how many licences may be verified on one day")
	}
	return e.Rate.Check()
}

// each reports whether all texts are good and none is there twice.
func each(list []string, good func(string) bool) bool {
	seen := map[string]bool{}
	for _, s := range list {
		if !good(s) || seen[s] {
			return false
		}
		seen[s] = true
	}
	return true
}

func clerks(entries []clerkEntry) ([]*Clerk, error) {
	if len(entries) > maxAgencies {
		return nil, fmt.Errorf("clerks: must be at most %d", maxAgencies)
	}
	out := make([]*Clerk, len(entries))
	seen := map[string]bool{}
	for i, e := range entries {
		if err := callers.CheckPerson(e.Name, e.Unit); err != nil {
			return nil, fmt.Errorf("clerks: number %d: %w", i+1, err)
		}
		if seen[e.Name] {
			return nil, fmt.Errorf("clerks: number %d has the name of another", i+1)
		}
		seen[e.Name] = true
		out[i] = &Clerk{Name: e.Name, Unit: e.Unit, password: callers.Password(e.Password)}
	}
	return out, nil
}
