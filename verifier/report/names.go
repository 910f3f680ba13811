package report

import "strings"

// maxNames bounds how many different agencies, matters and types the entries of a log may name: an
// honest verifier has them on file, and a log that somebody made up is not to take all memory.
const maxNames = 1 << 16

// names numbers texts in the order in which they come.
type names struct {
	numbers map[string]uint32
	texts   []string
}

func newNames() *names { return &names{numbers: map[string]uint32{}} }

// number returns the number of a text.
func (n *names) number(s string) (uint32, error) {
	if number, known := n.numbers[s]; known {
		return number, nil
	}
	if len(n.texts) == maxNames {
		return 0, errorf(CodeTooMany, "the entries of an access log name more than %d agencies, matters or types: audit it", maxNames)
	}
	s = strings.Clone(s) // it may be a part of an entry
	number := uint32(len(n.texts))
	n.numbers[s] = number
	n.texts = append(n.texts, s)
	return number, nil
}
