package report

import (
	"cmp"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// None stands in a Where for a text that is empty: no matter was named, or what was shown could not be
// read.
const None = "(none)"

// A Where says what a row is about. What is empty is not told apart: all are taken together.
type Where struct {
	Department string `json:"department,omitempty"` // id: of the issuer, or of who asked
	Unit       string `json:"unit,omitempty"`       // id, of the department
	Type       string `json:"type,omitempty"`       // id of a licence type
	Matter     string `json:"matter,omitempty"`     // id
	Outcome    string `json:"outcome,omitempty"`    // of a verdict
	Basis      string `json:"basis,omitempty"`      // on which a release was asked for
	Cause      string `json:"cause,omitempty"`      // why something was left out
}

// dimensions are the names of what a Where has, and how to get it, in the order of columns.
var dimensions = [...]struct {
	name string
	of   func(*Where) string
}{
	{"department", func(w *Where) string { return w.Department }},
	{"unit", func(w *Where) string { return w.Unit }},
	{"type", func(w *Where) string { return w.Type }},
	{"matter", func(w *Where) string { return w.Matter }},
	{"outcome", func(w *Where) string { return w.Outcome }},
	{"basis", func(w *Where) string { return w.Basis }},
	{"cause", func(w *Where) string { return w.Cause }},
}

// Dimensions returns the names of what a row is told apart by, in the order of columns; none if it takes
// all together.
func (w *Where) Dimensions() (names []string) {
	for _, d := range dimensions {
		if d.of(w) != "" {
			names = append(names, d.name)
		}
	}
	return names
}

// compare puts rows in order: those that tell less apart come first.
func (w *Where) compare(x *Where) int {
	if c := cmp.Compare(w.pattern(), x.pattern()); c != 0 {
		return c
	}
	for _, d := range dimensions {
		if c := strings.Compare(d.of(w), d.of(x)); c != 0 {
			return c
		}
	}
	return 0
}

// pattern numbers what is told apart: less first, and of as much the earlier columns first.
func (w *Where) pattern() (n int) {
	for i, d := range dimensions {
		if d.of(w) != "" {
			n += 1<<len(dimensions) + 1<<i
		}
	}
	return n
}

// A Row is one figure. A count has no denominator.
type Row struct {
	Where       Where
	Numerator   uint64
	Denominator uint64
}

// Value returns the figure of an indicator's row in its form: a count in digits, a share in percent or
// a mean with two decimals, rounded half up; "" for a share of nothing.
func (r *Row) Value(form Form) string {
	if form == Count {
		return strconv.FormatUint(r.Numerator, 10)
	}
	if r.Denominator == 0 {
		return ""
	}
	value := new(big.Rat).SetFrac(new(big.Int).SetUint64(r.Numerator), new(big.Int).SetUint64(r.Denominator))
	if form == Share {
		value.Mul(value, big.NewRat(100, 1))
	}
	return value.FloatString(2) // rounds halves away from zero
}

// figures are the rows of one indicator while they are added up.
type figures map[Where]*Row

// add adds to a row.
func (f figures) add(w Where, numerator, denominator uint64) {
	r := f[w]
	if r == nil {
		r = &Row{Where: w}
		f[w] = r
	}
	r.Numerator += numerator
	r.Denominator += denominator
}

// rows returns the rows in order.
func (f figures) rows() []Row {
	out := make([]Row, 0, len(f))
	for _, r := range f {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(x, y Row) int { return x.Where.compare(&y.Where) })
	return out
}

// orNone returns a text, None if it is empty.
func orNone(s string) string { return cmp.Or(s, None) }
