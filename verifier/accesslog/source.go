package accesslog

import "github.com/credledger/credledger/verifier/access"

// A Source is a log as an auditor reads it: the Files of one, or an Export.
type Source interface {
	// Identity says which log it is.
	Identity() Identity
	// read visits the entries in their order, and each checkpoint when the entries that it covers were
	// visited; what it passes is good until visit returns. It reports what is wrong with the way in
	// which they are stored, and returns the error of visit, or one that ends the reading.
	read(r *reading) error
	// whole reports whether the source has all entries that there were when it was read.
	whole() bool
}

// A reading is what is done with what is read.
type reading struct {
	proofs bool // whether checkpoints are to have proofs of their consistency, as far as there can be any
	// prepare makes a function, for one of several goroutines, that prepares an entryItem, whose bytes are
	// entry, or a checkpointItem.
	prepare func() func(it *item, entry string)
	report  func(Finding)
	visit   func(*item) error
}

// each prepares the items of a batch.
func (r *reading) each() func(*batch) {
	prepare := r.prepare()
	return func(b *batch) {
		all := string(b.bytes)
		for i := range b.items {
			it := &b.items[i]
			text := all[:len(it.bytes)]
			all = all[len(it.bytes):]
			if it.kind == lineItem {
				it.parse()
				text = string(it.bytes)
			}
			if it.kind == entryItem {
				it.leaf = access.Leaf(it.bytes)
			}
			if it.kind == entryItem || it.kind == checkpointItem {
				prepare(it, text)
			}
		}
	}
}

// Files is a Source: a log's directory. The log may be in use.
type Files struct {
	dir    string
	id     Identity
	height uint
}

// OpenFiles looks which log is in a directory. The error is an *Error.
func OpenFiles(dir string) (*Files, error) {
	id, height, err := readIdentity(dir)
	if err != nil {
		return nil, err
	}
	return &Files{dir, id, height}, nil
}

// Identity implements Source.
func (f *Files) Identity() Identity { return f.id }

func (f *Files) whole() bool { return true }
