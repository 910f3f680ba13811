package accesslog

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"strconv"

	"github.com/credledger/credledger/sdk/sm"
)

// A walk is one reading of Files.
type walk struct {
	*Files
	*pipeline
	checkpoints *checkpoints
	next        int64   // number of the next checkpoint that was not read
	ahead       *stored // the next one to put, if it was read
	view        *view   // nil if it cannot be had
	reader      *reader // of the view, if proofs are to be made and can be
	size        uint64  // entries put
	before      uint64  // size of the checkpoint before
}

// read implements Source. The checkpoints are read before the entries, which only get more.
func (f *Files) read(r *reading) error {
	w := &walk{Files: f}
	var err error
	if w.checkpoints, err = openCheckpoints(f.dir, nil); err != nil {
		return err
	}
	defer w.checkpoints.close()
	switch w.view, err = load(f.dir, f.id, f.height, false); {
	case Code(err) == CodeDamaged:
		r.report(Finding{CodeDamaged, 0, err.Error()})
	case err != nil:
		return err
	case r.proofs:
		w.reader = w.view.reader()
		defer w.reader.close()
	}
	c := &comparison{Files: f, segment: newSegment(0, f.height), reading: r}
	return read(w.put, r.each, c.visit)
}

// put puts all that there is.
func (w *walk) put(p *pipeline) error {
	w.pipeline = p
	for number, last := uint64(0), false; !last; number++ {
		var err error
		if last, err = w.putSegment(number); err != nil {
			return err
		}
	}
	return w.checkpointsTo(math.MaxUint64)
}

func (w *walk) found(code, message string) error {
	return w.pipeline.put(item{kind: findingItem, finding: Finding{code, w.size, message}})
}

// errEnd ends the reading of a segment.
var errEnd = errors.New("the end of what is audited")

// putSegment puts a segment; last is true if there are no more after it.
func (w *walk) putSegment(number uint64) (last bool, err error) {
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
	first, size := number<<w.height, uint64(0)
	_, err = scan(bufio.NewReaderSize(f, 1<<20), first, func(offset int64, r *record) error {
		if w.size == end || size == 1<<w.height {
			return errEnd
		}
		size++
		w.size++
		if err := w.pipeline.put(item{kind: entryItem, bytes: r.entry, offset: offset, tag: r.tag}); err != nil {
			return err
		}
		return w.checkpointsTo(w.size)
	})
	switch full := size == 1<<w.height; {
	case errors.Is(err, errEnd) && w.size == end:
		return true, nil
	case errors.Is(err, errEnd), Code(err) == CodeDamaged, errors.Is(err, errTorn) && (full || w.view == nil || w.size < end):
		if err := w.found(CodeDamaged, "segment "+segmentName(number)+" is damaged from here on"); err != nil {
			return false, err
		}
		return true, errEnough
	case errors.Is(err, errTorn): // being written now, or when the process ended
		return true, nil
	case err != nil:
		return false, err
	case !full:
		return true, nil
	}
	return false, w.pipeline.put(item{kind: segmentItem})
}

// checkpointsTo puts the checkpoints up to a size.
func (w *walk) checkpointsTo(size uint64) error {
	for {
		c, err := w.upcoming()
		if err != nil || c == nil || c.Size > size {
			return err
		}
		w.ahead = nil
		it := item{kind: checkpointItem, checkpoint: c, unproven: true}
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
		if err := w.pipeline.put(it); err != nil {
			return err
		}
	}
}

// upcoming returns the next checkpoint, nil if there is none.
func (w *walk) upcoming() (*stored, error) {
	for w.ahead == nil && w.next < w.checkpoints.number() {
		c, err := w.checkpoints.slot(w.next)
		if Code(err) == CodeDamaged {
			err = w.found(CodeDamaged, "checkpoint "+strconv.FormatInt(w.next, 10)+" is not stored as it was written")
		}
		if err != nil {
			return nil, err
		}
		w.next++
		w.ahead = c
	}
	return w.ahead, nil
}

// A comparison visits what a walk puts, and compares the index files with the entries.
type comparison struct {
	*Files
	*reading
	segment *segment // of the entries that come
	stored  []byte   // an index file, in memory that is used again
	made    []byte   // the one that the entries give
}

func (c *comparison) visit(it *item) error {
	switch it.kind {
	case findingItem:
		c.report(it.finding)
		return nil
	case segmentItem:
		err := c.compare()
		c.segment.reset(c.segment.number + 1)
		return err
	case entryItem:
		c.segment.add(it.offset, it.tag, it.leaf)
	}
	return c.reading.visit(it)
}

// compare compares the index file of a segment with the one that its entries give.
func (c *comparison) compare() error {
	s := c.segment
	layout := indexLayout(c.height)
	f, err := os.Open(segmentPath(c.dir, s.number, indexFile))
	if isMissing(err) {
		return nil // not yet written
	} else if err != nil {
		return storageError("read the access log", err)
	}
	defer f.Close()
	if c.stored == nil {
		c.stored = make([]byte, layout.size()+1) // to see one that is longer
	}
	n, err := io.ReadFull(f, c.stored)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return storageError("read the access log", err)
	}
	stored := c.stored[:n]
	if c.made = s.appendIndex(c.made[:0]); bytes.Equal(stored, c.made) {
		return nil
	}
	for i := range s.levels[0] {
		at := layout.node(0, int64(i))
		if int64(len(stored)) == layout.size() && !bytes.Equal(stored[at:at+sm.HashSize], s.levels[0][i][:]) {
			c.report(Finding{CodeEntryAltered, s.number<<c.height + uint64(i), "the entry is not the one whose leaf is in the stored tree"})
			return nil
		}
	}
	c.report(Finding{CodeIndexAltered, s.number << c.height, "the index file of segment " + segmentName(s.number) + " is not the one that its entries give"})
	return nil
}
