package licence

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// Department is a department as the authority admits it.
type Department struct {
	ID     string   `json:"id"`   // [a-z0-9-]{1,32}
	USCC   string   `json:"uscc"` // unified social credit code, GB 32100
	Name   Text     `json:"name"`
	Units  []Unit   `json:"units"`  // at least one
	Issues []string `json:"issues"` // ids of the licence types it may issue
}

// Unit is a part of a department in whose name licences are issued.
type Unit struct {
	ID           string `json:"id"`           // [a-z0-9-]{1,32}, unique in its department
	DivisionCode string `json:"divisionCode"` // six digits, GB/T 2260
	Name         Text   `json:"name"`
}

// Limits of a list of departments.
const (
	MaxDepartmentsFile = 4 << 20 // bytes of JSON
	maxDepartments     = 10000
	maxUnits           = 1000
	maxIssues          = 1000
)

var (
	departmentMembers = []string{"id", "uscc", "name", "units", "issues"}
	unitMembers       = []string{"id", "divisionCode", "name"}
)

// ParseDepartments parses a JSON array of departments, strictly: every member present, none twice and none unknown, no trailing data, ids and
// unified social credit codes unique. Whether the licence types in Issues exist is not checked here.
func ParseDepartments(b []byte) ([]Department, error) {
	if len(b) > MaxDepartmentsFile {
		return nil, fmt.Errorf("departments: larger than %d bytes", MaxDepartmentsFile)
	}
	if !utf8.Valid(b) {
		return nil, errors.New("departments: not UTF-8; convert the file to UTF-8")
	}
	p := &scanner{s: string(b)}
	var all []Department
	seen := map[string]bool{}
	err := p.array(maxDepartments, func() error {
		var d Department
		if err := p.department(&d); err != nil {
			return err
		}
		if err := d.check(); err != nil {
			return err
		}
		if seen["id "+d.ID] || seen["uscc "+d.USCC] {
			return fmt.Errorf("%s: another department has the same id or unified social credit code", d.ID)
		}
		seen["id "+d.ID], seen["uscc "+d.USCC] = true, true
		all = append(all, d)
		return nil
	})
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, fmt.Errorf("departments: %w", err)
	}
	return all, nil
}

func (p *scanner) department(d *Department) error {
	return p.object(departmentMembers, func(i int) error {
		switch departmentMembers[i] {
		case "id":
			return p.string(&d.ID)
		case "uscc":
			return p.string(&d.USCC)
		case "name":
			return p.label(&d.Name)
		case "units":
			return p.array(maxUnits, func() error {
				d.Units = append(d.Units, Unit{})
				u := &d.Units[len(d.Units)-1]
				return p.object(unitMembers, func(i int) error {
					switch unitMembers[i] {
					case "id":
						return p.string(&u.ID)
					case "divisionCode":
						return p.string(&u.DivisionCode)
					}
					return p.label(&u.Name)
				})
			})
		default:
			return p.array(maxIssues, func() error {
				d.Issues = append(d.Issues, "")
				return p.string(&d.Issues[len(d.Issues)-1])
			})
		}
	})
}

func (d *Department) check() error {
	if !validID(d.ID) {
		return errors.New("id: must be 1 to 32 lower-case letters, digits and hyphens")
	}
	if wrong := wrongUSCC(d.USCC); wrong != "" {
		return fmt.Errorf("%s: uscc: %s", d.ID, wrong)
	}
	if err := d.Name.check(); err != nil {
		return fmt.Errorf("%s: name: %w", d.ID, err)
	}
	if len(d.Units) == 0 {
		return fmt.Errorf("%s: units: at least one is needed", d.ID)
	}
	seen := map[string]bool{}
	for _, u := range d.Units {
		switch {
		case !validID(u.ID):
			return fmt.Errorf("%s: units: id must be 1 to 32 lower-case letters, digits and hyphens", d.ID)
		case seen[u.ID]:
			return fmt.Errorf("%s: units: %s is given twice", d.ID, u.ID)
		case len(u.DivisionCode) != 6 || !digits(u.DivisionCode):
			return fmt.Errorf("%s: units: %s: divisionCode must be six digits", d.ID, u.ID)
		}
		seen[u.ID] = true
		if err := u.Name.check(); err != nil {
			return fmt.Errorf("%s: units: %s: %w", d.ID, u.ID, err)
		}
	}
	seen = map[string]bool{}
	for _, id := range d.Issues {
		if !validID(id) || seen[id] {
			return fmt.Errorf("%s: issues: must be ids of licence types, each once", d.ID)
		}
		seen[id] = true
	}
	return nil
}
