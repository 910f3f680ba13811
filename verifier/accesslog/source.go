package accesslog

import (
	"bufio"
	"bytes"
	"errors"
	"math"
	"os"
	"strconv"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// A Source is a log as an auditor reads it: the Files of one, or an Export.
type Source interface {
	// Identity says which log it is.
	Identity() Identity
	// read visits the entries in their order, and each checkpoint when the entries that it covers were
	// visited; what it passes is good until visit returns. It reports what is wrong with the way in
	// which they are stored, and returns the error of visit, or one that ends the reading.
	read(report func(Finding), visit func(*item) error) error
	// whole reports whether the source has all entries that there were when it was read.
	whole() bool
}

// An item is an entry or a checkpoint.
type item struct {
	entry      []byte
	leaf       sm.Hash // of the entry
	checkpoint *stored
	proof      []sm.Hash // of the checkpoint's consistency with the one before, or with the empty log
	unproven   bool      // there is no such proof, for a reason that was reported
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

// A walk is one reading of Files.
type walk struct {
	*Files
	report      func(Finding)
	visit       func(*item) error
	checkpoints *checkpoints
	next        int64   // number of the next checkpoint that was not read
	ahead       *stored // the next one to visit, if it was read
	view        *view   // nil if it cannot be had
	reader      *reader // of the view, as long as proofs can be made
	size        uint64  // entries visited
	before      uint64  // size of the checkpoint before
}

// read implements Source. The checkpoints are read before the entries, which only get more.
func (f *Files) read(report func(Finding), visit func(*item) error) error {
	w := &walk{Files: f, report: report, visit: visit}
	var err error
	if w.checkpoints, err = openCheckpoints(f.dir, nil); err != nil {
		return err
	}
	defer w.checkpoints.close()
	switch w.view, err = load(f.dir, f.id, f.height, false); {
	case Code(err) == CodeDamaged:
		report(Finding{CodeDamaged, 0, err.Error()})
	case err != nil:
		return err
	default:
		w.reader = w.view.reader()
		defer w.reader.close()
	}
	for number, last := uint64(0), false; !last; number++ {
		if last, err = w.segment(number); err != nil {
			return err
		}
	}
	return w.checkpointsTo(math.MaxUint64)
}

// errEnd ends the reading of a segment.
var errEnd = errors.New("the end of what is audited")

// segment reads a segment; last is true if there are no more after it.
func (w *walk) segment(number uint64) (last bool, err error) {
	end := uint64(math.MaxUint64) // entries that come later are left for another time
	if w.view != nil {
		end = w.view.Size()
	}
	if w.size == end {
		return true, nil
	}
	f, err := os.Open(segmentPath(w.dir, number, entriesFile))
	if isMissing(err) {
		return true, nil
	} else if err != nil {
		return false, storageError("read the access log", err)
	}
	defer f.Close()
	s := newSegment(number, w.height)
	_, err = scan(bufio.NewReaderSize(f, 1<<20), number<<w.height, func(offset int64, r *record) error {
		if w.size == end || s.size() == 1<<w.height {
			return errEnd
		}
		it := item{entry: r.entry, leaf: access.Leaf(r.entry)}
		s.add(offset, r.tag, it.leaf)
		w.size++
		if err := w.visit(&it); err != nil {
			return err
		}
		return w.checkpointsTo(w.size)
	})
	switch full := s.size() == 1<<w.height; {
	case errors.Is(err, errEnd) && w.size == end:
		return true, nil
	case errors.Is(err, errEnd), Code(err) == CodeDamaged, errors.Is(err, errTorn) && (full || w.view == nil || w.size < end):
		w.report(Finding{CodeDamaged, w.size, "segment " + segmentName(number) + " is damaged from here on"})
		return true, errEnough
	case errors.Is(err, errTorn): // being written now, or when the process ended
		return true, nil
	case err != nil:
		return false, err
	case !full:
		return true, nil
	}
	return false, w.compare(s)
}

// compare compares the index file of a segment with the one that its entries give.
func (w *walk) compare(s *segment) error {
	stored, err := os.ReadFile(segmentPath(w.dir, s.number, indexFile))
	if isMissing(err) {
		return nil // not yet written
	} else if err != nil {
		return storageError("read the access log", err)
	}
	if bytes.Equal(stored, s.index()) {
		return nil
	}
	layout := indexLayout(w.height)
	for i := range s.levels[0] {
		at := layout.node(0, int64(i))
		if int64(len(stored)) == layout.size() && !bytes.Equal(stored[at:at+sm.HashSize], s.levels[0][i][:]) {
			w.report(Finding{CodeEntryAltered, s.number<<w.height + uint64(i), "the entry is not the one whose leaf is in the stored tree"})
			return nil
		}
	}
	w.report(Finding{CodeIndexAltered, s.number << w.height, "the index file of segment " + segmentName(s.number) + " is not the one that its entries give"})
	return nil
}

// checkpointsTo visits the checkpoints up to a size.
func (w *walk) checkpointsTo(size uint64) error {
	for {
		c, err := w.upcoming()
		if err != nil || c == nil || c.Size > size {
			return err
		}
		w.ahead = nil
		it := &item{checkpoint: c, unproven: true}
		if w.reader != nil && w.before <= c.Size && c.Size <= w.view.Size() {
			tree, err := w.reader.tree(c.Size)
			if err == nil {
				it.proof, err = tree.Consistency(w.before)
			}
			if err == nil {
				it.unproven = false
			} else if Code(err) != CodeDamaged {
				return err
			}
		}
		w.before = c.Size
		if err := w.visit(it); err != nil {
			return err
		}
	}
}

// upcoming returns the next checkpoint, nil if there is none.
func (w *walk) upcoming() (*stored, error) {
	for w.ahead == nil && w.next < w.checkpoints.number() {
		c, err := w.checkpoints.slot(w.next)
		if Code(err) == CodeDamaged {
			w.report(Finding{CodeDamaged, w.size, "checkpoint " + strconv.FormatInt(w.next, 10) + " is not stored as it was written"})
		} else if err != nil {
			return nil, err
		}
		w.next++
		w.ahead = c
	}
	return w.ahead, nil
}
