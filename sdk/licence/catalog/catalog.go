// Package catalog holds the licence types that come with CredLedger (marriage certificate, real property certificate, business licence) and the departments
// of the demonstration city, and loads other catalogues from a directory. It never writes.
//
// The directory more has files of two further types, which a city puts into a catalogue of its own where it issues them: divorce certificate and statement
// of no marriage record.
package catalog

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/credledger/credledger/sdk/licence"
)

//go:embed *.json
var files embed.FS

// departmentsFile may lie beside the types of a catalogue.
const departmentsFile = "departments.json"

// Types returns the built-in licence types, ordered by id.
func Types() ([]*licence.Type, error) { return load(files) }

// Departments returns the departments of the demonstration city.
func Departments() ([]licence.Department, error) {
	b, err := files.ReadFile(departmentsFile)
	if err != nil {
		return nil, err
	}
	return licence.ParseDepartments(b)
}

// Load reads the licence types in a directory, in the order of the files' names: one type, in one version, per file *.json; departments.json
// and all other files are left alone. It is an error if there is none, if one version of a type is there twice, or if two types have one code
// or one type two codes.
func Load(dir string) ([]*licence.Type, error) {
	types, err := load(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", dir, err)
	}
	return types, nil
}

func load(fsys fs.FS) ([]*licence.Type, error) {
	names, err := fs.Glob(fsys, "*.json")
	if err != nil {
		return nil, err
	}
	var types []*licence.Type
	for _, name := range names {
		if name == departmentsFile {
			continue
		}
		t, err := read(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, other := range types {
			switch {
			case t.ID == other.ID && t.Version == other.Version:
				return nil, fmt.Errorf("%s: version %d of the type %s is in another file too", name, t.Version, t.ID)
			case (t.ID == other.ID) != (t.Code == other.Code):
				return nil, fmt.Errorf("%s: the types %s and %s do not agree on their codes: each type has one of its own, the same in all versions",
					name, t.ID, other.ID)
			}
		}
		types = append(types, t)
	}
	if len(types) == 0 {
		return nil, errors.New("there is no licence type (a file *.json)")
	}
	return types, nil
}

func read(fsys fs.FS, name string) (*licence.Type, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, licence.MaxType+1))
	if err != nil {
		return nil, err
	}
	return licence.ParseType(b)
}
