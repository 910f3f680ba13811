package accesslog

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"sync"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// A view is what can be read of a log: of one that is open, or of the files of one that another
// process may have open, as they were.
type view struct {
	dir    string
	id     Identity
	height uint // of a full segment's tree

	mu     sync.RWMutex
	size   uint64
	upper  [][]sm.Hash         // upper[k] has the tree's nodes at level height+k that will never change
	active *segment            // the one that is being filled
	full   map[uint64]*segment // those that have no index file yet
}

// mostInMemory bounds the entries in full segments without an index file for which a view of files has
// memory, some 90 bytes for each.
const mostInMemory = 1 << 20

// load reads what a view needs of a log's directory. If seal is set, it makes the index files that are
// missing.
func load(dir string, id Identity, height uint, seal bool) (*view, error) {
	v := &view{dir: dir, id: id, height: height, full: map[uint64]*segment{}}
	count, err := countSegments(dir)
	if err != nil {
		return nil, err
	}
	v.active = newSegment(count, height)
	for number := range count {
		root, found, err := v.indexRoot(number)
		if err != nil {
			return nil, err
		}
		if found {
			v.addRoot(root)
			continue
		}
		s, err := v.readSegment(number)
		switch {
		case err != nil:
			return nil, err
		case s.size() == 1<<height:
			v.addRoot(s.levels[height][0])
			if seal {
				err = v.writeIndex(s)
			} else if v.full[number] = s; len(v.full)<<height > mostInMemory {
				err = damaged("index files of the access log are missing; opening it makes them again")
			}
			if err != nil {
				return nil, err
			}
		case number+1 < count:
			return nil, damaged("segment %d of the access log has %d entries only", number, s.size())
		default:
			v.active = s
		}
	}
	v.size = v.active.number<<height + v.active.size()
	return v, nil
}

var segmentFile = regexp.MustCompile(`^([0-9]{10})(\.entries|\.index)$`)

// countSegments counts the segments in a directory, which are numbered from 0 without gaps.
func countSegments(dir string) (uint64, error) {
	d, err := os.Open(dir)
	if err != nil {
		return 0, storageError("read the access log's directory", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return 0, storageError("read the access log's directory", err)
	}
	var count, end uint64 // how many, and one more than the greatest number
	for _, name := range names {
		m := segmentFile.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		number, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			continue // ten digits always fit
		}
		end = max(end, number+1)
		if m[2] == entriesFile {
			count++
		}
	}
	if count != end {
		return 0, damaged("the access log has %d segments, but one with the number %d: some are missing", count, end-1)
	}
	return count, nil
}

// readSegment reads a segment from its entries.
func (v *view) readSegment(number uint64) (*segment, error) {
	f, err := os.Open(v.path(number, entriesFile))
	if err != nil {
		return nil, storageError("read the access log", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, storageError("read the access log", err)
	}
	s := newSegment(number, v.height)
	s.end, err = scan(bufio.NewReaderSize(io.NewSectionReader(f, 0, info.Size()), 1<<20), number<<v.height, func(offset int64, r *record) error {
		if s.size() == 1<<v.height {
			return damaged("segment %d of the access log has more than %d entries", number, s.size())
		}
		s.add(offset, r.tag, access.Leaf(r.entry))
		return nil
	})
	if errors.Is(err, errTorn) {
		var more bool
		if more, err = goesOn(io.NewSectionReader(f, s.end, info.Size()-s.end)); more {
			err = damaged("the access log is damaged after entry %d, and goes on behind that", number<<v.height+s.size())
		}
	}
	return s, err
}

// addRoot takes in the root of the next full segment.
func (v *view) addRoot(root sm.Hash) {
	for k := 0; ; k++ {
		if k == len(v.upper) {
			v.upper = append(v.upper, nil)
		}
		v.upper[k] = append(v.upper[k], root)
		n := len(v.upper[k])
		if n%2 == 1 {
			return
		}
		root = sm.SumNode(&v.upper[k][n-2], &v.upper[k][n-1])
	}
}

// Size returns the number of entries that are durable.
func (v *view) Size() uint64 {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.size
}

// Root returns the root over the first so many entries. The error is an *Error.
func (v *view) Root(size uint64) (sm.Hash, error) {
	r := v.reader()
	defer r.close()
	tree, err := r.tree(size)
	if err != nil {
		return sm.Hash{}, err
	}
	return tree.Root(), nil
}

// Inclusion returns the path, from the leaf up, that shows an entry to be in the log of a size
// (access.VerifyInclusion). The error is an *Error.
func (v *view) Inclusion(index, size uint64) ([]sm.Hash, error) {
	if index >= size {
		return nil, errorf(CodeRange, nil, "entry %d is not among the first %d of the access log", index, size)
	}
	r := v.reader()
	defer r.close()
	tree, err := r.tree(size)
	if err != nil {
		return nil, err
	}
	return tree.Inclusion(index)
}

// Consistency returns the proof that the log of the first size is the beginning of that of the second
// (access.VerifyConsistency). The error is an *Error.
func (v *view) Consistency(first, second uint64) ([]sm.Hash, error) {
	if first > second {
		return nil, errorf(CodeRange, nil, "an access log of %d entries does not come before one of %d", first, second)
	}
	r := v.reader()
	defer r.close()
	tree, err := r.tree(second)
	if err != nil {
		return nil, err
	}
	return tree.Consistency(first)
}

// MostEntries is how many entries one call returns at most.
const MostEntries = 1000

// Entries returns entries as they were encoded, in their order: from an index on, at most n of them and
// at most MostEntries; fewer at the end of the log. The error is an *Error.
func (v *view) Entries(from uint64, n int) ([][]byte, error) {
	r := v.reader()
	defer r.close()
	entries := [][]byte{}
	for size := v.Size(); from < size && len(entries) < min(n, MostEntries); from++ {
		stored, err := r.record(from)
		if err != nil {
			return nil, err
		}
		entries = append(entries, stored.entry)
	}
	return entries, nil
}

// isMissing reports whether an error says that a file is not there.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
