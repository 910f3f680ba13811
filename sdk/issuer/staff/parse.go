package staff

import (
	_ "embed" // for the template
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/strictyaml"
)

// MaxFile is the greatest size of a staff file in bytes.
const MaxFile = 4 << 20

const (
	maxCallers = 10000
	maxName    = 200 // bytes: histories have no room for longer ones
)

// A document is the file.
type document struct {
	Systems []systemEntry `yaml:"systems"`
	People  []personEntry `yaml:"people"`
}

type systemEntry struct {
	ID           string             `yaml:"id"`
	Tokens       []string           `yaml:"tokens"`
	Certificates []string           `yaml:"certificates"`
	Addresses    []string           `yaml:"addresses"`
	Rate         callers.Rate       `yaml:"rate"`
	Rights       map[string][]Right `yaml:"rights"`
}

type personEntry struct {
	Name      string             `yaml:"name"`
	Unit      string             `yaml:"unit"`
	Password  string             `yaml:"password"`
	Addresses []string           `yaml:"addresses"`
	Rights    map[string][]Right `yaml:"rights"`
}

var validID = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// A Directory is the staff of one file. It can be used from several goroutines.
type Directory struct {
	callers []*Caller // systems, then people, in the order of the file
	byName  map[string]*Caller
	secrets callers.Secrets[*Caller]
	cost    callers.Cost // of every password
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
		return nil, fmt.Errorf("read the staff file: %w", err)
	}
	d, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return d, nil
}

// Parse reads a directory, strictly. The error says what is wrong for whoever wrote the file.
func Parse(b []byte) (*Directory, error) {
	if len(b) > MaxFile {
		return nil, fmt.Errorf("a staff file has at most %d bytes", MaxFile)
	}
	if !utf8.Valid(b) {
		return nil, errors.New("it is not UTF-8; convert the file to UTF-8")
	}
	var doc document
	if err := strictyaml.Decode(b, &doc); err != nil {
		return nil, err
	}
	if len(doc.Systems) > maxCallers || len(doc.People) > maxCallers {
		return nil, fmt.Errorf("there are more than %d systems or people", maxCallers)
	}
	d := &Directory{byName: map[string]*Caller{}}
	for i := range doc.Systems {
		e := &doc.Systems[i]
		if !validID.MatchString(e.ID) {
			return nil, fmt.Errorf("system %d: id must be 1 to 32 lower-case letters, digits and hyphens", i+1)
		}
		c, err := e.caller()
		if err == nil {
			err = d.add(c)
		}
		if err != nil {
			return nil, fmt.Errorf("system %s: %w", e.ID, err)
		}
	}
	for i := range doc.People {
		c, err := doc.People[i].caller()
		if err == nil {
			err = d.add(c)
		}
		if err == nil {
			err = d.cost.Add(c.password)
		}
		if err != nil {
			return nil, fmt.Errorf("person %d: %w", i+1, err)
		}
	}
	return d, nil
}

// add adds a caller whose name is nobody else's.
func (d *Directory) add(c *Caller) error {
	if d.byName[c.Name] != nil {
		return errors.New("another system or person has this name")
	}
	d.byName[c.Name] = c
	d.callers = append(d.callers, c)
	return d.secrets.Add(c.tokens, c.certificates, c)
}

func (e *systemEntry) caller() (*Caller, error) {
	c := &Caller{Kind: System, Name: e.ID, Rate: e.Rate, rights: e.Rights}
	var err error
	if c.tokens, err = callers.ParseDigests("tokens", e.Tokens); err != nil {
		return nil, err
	}
	if c.certificates, err = callers.ParseDigests("certificates", e.Certificates); err != nil {
		return nil, err
	}
	if c.addresses, err = callers.ParseNetworks(e.Addresses); err != nil {
		return nil, err
	}
	if len(c.tokens)+len(c.certificates) == 0 {
		return nil, errors.New("it has no token and no certificate, so it cannot say who it is")
	}
	if err := e.Rate.Check(); err != nil {
		return nil, err
	}
	for typ, rights := range e.Rights {
		if slices.Contains(rights, Approve) {
			return nil, fmt.Errorf("rights: %s: only people approve", typ)
		}
	}
	return c, checkRights(e.Rights)
}

func (e *personEntry) caller() (*Caller, error) {
	if err := callers.CheckPerson(e.Name, e.Unit); err != nil {
		return nil, err
	}
	if len(e.Name) > maxName {
		return nil, fmt.Errorf("the name must have at most %d bytes in UTF-8", maxName)
	}
	c := &Caller{Kind: Person, Name: e.Name, Unit: e.Unit, Rate: personRate, rights: e.Rights, password: callers.Password(e.Password)}
	var err error
	if c.addresses, err = callers.ParseNetworks(e.Addresses); err != nil {
		return nil, err
	}
	return c, checkRights(e.Rights)
}

func checkRights(rights map[string][]Right) error {
	if len(rights) == 0 {
		return errors.New("rights: must name a type of licence at least, as in {marriage: [issue]}")
	}
	for typ, list := range rights {
		if !validID.MatchString(typ) {
			return errors.New("rights: must be ids of licence types, with what may be done with them")
		}
		for i, r := range list {
			if !slices.Contains(Rights, r) || slices.Contains(list[:i], r) {
				return fmt.Errorf("rights: %s: must be of %v, each once", typ, Rights)
			}
		}
		if len(list) == 0 {
			return fmt.Errorf("rights: %s: is empty; leave it out", typ)
		}
	}
	return nil
}

// Callers returns all of them, systems first, in the order of the file. The caller does not change them.
func (d *Directory) Callers() []*Caller { return d.callers }

// Caller returns the one of a name, nil if there is none.
func (d *Directory) Caller(name string) *Caller { return d.byName[name] }

// Check returns whose rights name a type that the department does not issue, and so mean nothing.
func (d *Directory) Check(issues []string) error {
	for _, c := range d.callers {
		for _, typ := range c.Types() {
			if !slices.Contains(issues, typ) {
				return fmt.Errorf("%s %s: this department does not issue licences of the type %s", c.Kind, c.Name, typ)
			}
		}
	}
	return nil
}

// Template returns a directory without anybody, with comments that say how one is written.
func Template() []byte { return template }

//go:embed staff.yaml
var template []byte
