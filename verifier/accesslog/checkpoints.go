package accesslog

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// The file of checkpoints has a slot for each one that is on the ledger, in ascending order of their
// sizes, so that the one for an entry is found without reading all of them:
//
//	size (8)  root (32)  length (2)  the statement  zeros  CRC-32C (4) of all that
const (
	slotSize     = 384
	slotHead     = 8 + sm.HashSize + 2
	maxStatement = slotSize - slotHead - 4
)

// A Checkpoint is one of a log that is on the ledger.
type Checkpoint struct {
	Size      uint64 // number of entries
	Root      sm.Hash
	Statement []byte // a statement.Checkpoint, signed
}

// checkpoints are those of a log. They are safe for concurrent use.
type checkpoints struct {
	read *os.File

	mu    sync.Mutex // of what follows
	write file       // nil for those of a log that is only read
	count int64
}

// openCheckpoints opens the file of checkpoints, to write to it too unless files is nil.
func openCheckpoints(dir string, files files) (*checkpoints, error) {
	name := filepath.Join(dir, checkpointsFile)
	read, err := os.Open(name)
	if isMissing(err) {
		return nil, damaged("the checkpoints of the access log are missing")
	} else if err != nil {
		return nil, storageError("open the checkpoints of the access log", err)
	}
	c := &checkpoints{read: read}
	if err := c.begin(name, files); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// begin counts the checkpoints; a last one that was not written to its end is written over.
func (c *checkpoints) begin(name string, files files) error {
	info, err := c.read.Stat()
	if err == nil && files != nil {
		c.write, err = files.open(name)
	}
	if err != nil {
		return storageError("open the checkpoints of the access log", err)
	}
	c.count = info.Size() / slotSize
	if c.count > 0 {
		if _, err := c.slot(c.count - 1); Code(err) == CodeDamaged {
			c.count--
		} else if err != nil {
			return err
		}
	}
	return nil
}

// slot reads a slot.
func (c *checkpoints) slot(i int64) (*Checkpoint, error) {
	b := make([]byte, slotSize)
	if _, err := c.read.ReadAt(b, i*slotSize); err != nil && err != io.EOF {
		return nil, storageError("read the checkpoints of the access log", err)
	}
	length := int(binary.BigEndian.Uint16(b[slotHead-2:]))
	sum := binary.BigEndian.Uint32(b[slotSize-4:])
	if length == 0 || length > maxStatement || crc32.Checksum(b[:slotSize-4], castagnoli) != sum {
		return nil, damaged("checkpoint %d of the access log is not stored as it was written", i)
	}
	return &Checkpoint{binary.BigEndian.Uint64(b), sm.Hash(b[8:]), b[slotHead : slotHead+length]}, nil
}

// newest returns the checkpoint of the greatest size; found is false if there is none.
func (c *checkpoints) newest() (newest *Checkpoint, found bool, err error) {
	n := c.number()
	if n == 0 {
		return &Checkpoint{}, false, nil
	}
	newest, err = c.slot(n - 1)
	return newest, err == nil, err
}

func (c *checkpoints) number() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// after returns the number of the first checkpoint of a greater size than this, which is the number of
// all if there is none.
func (c *checkpoints) after(size uint64) (int64, error) {
	var failed error
	n := sort.Search(int(c.number()), func(i int) bool {
		s, err := c.slot(int64(i))
		if err != nil {
			failed = err
			return true
		}
		return s.Size > size
	})
	return int64(n), failed
}

// add makes a checkpoint durable that is greater than those before.
func (c *checkpoints) add(p *Checkpoint) error {
	if len(p.Statement) > maxStatement {
		return errorf(CodeStorage, nil, "a checkpoint has at most %d bytes", maxStatement)
	}
	b := make([]byte, 0, slotSize)
	b = append(binary.BigEndian.AppendUint64(b, p.Size), p.Root[:]...)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(p.Statement))), p.Statement...)
	b = append(b, make([]byte, slotSize-4-len(b))...)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.write.WriteAt(b, c.count*slotSize)
	if err == nil {
		err = c.write.Sync()
	}
	if err != nil {
		return storageError("write a checkpoint of the access log", err)
	}
	c.count++
	return nil
}

func (c *checkpoints) close() error {
	err := c.read.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.write != nil {
		if e := c.write.Close(); err == nil {
			err = e
		}
	}
	return err
}

// Anchored returns the size of the newest checkpoint that is on the ledger, 0 if there is none. The
// error is an *Error.
func (l *Log) Anchored() (uint64, error) {
	newest, _, err := l.checkpoints.newest()
	if err != nil {
		return 0, err
	}
	return newest.Size, nil
}

// MostCheckpoints is how many checkpoints one call returns at most.
const MostCheckpoints = 1000

// Checkpoints returns those on the ledger that have a greater size than this, the smallest first, at
// most n of them and at most MostCheckpoints. The error is an *Error.
func (l *Log) Checkpoints(after uint64, n int) ([]*Checkpoint, error) {
	from, err := l.checkpoints.after(after)
	if err != nil {
		return nil, err
	}
	list := []*Checkpoint{}
	for to := min(l.checkpoints.number(), from+int64(min(n, MostCheckpoints))); from < to; from++ {
		c, err := l.checkpoints.slot(from)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// A Proof shows that an entry is in the log as the ledger has it.
type Proof struct {
	Checkpoint
	Path []sm.Hash // from the entry's leaf to the checkpoint's root (access.VerifyInclusion)
}

// Proof returns the proof of an entry against the first checkpoint on the ledger that covers it, nil if
// there is none yet. The error is an *Error.
func (l *Log) Proof(index uint64) (*Proof, error) {
	if size := l.Size(); index >= size {
		return nil, errorf(CodeRange, nil, "the access log has %d entries, not one with the index %d", size, index)
	}
	i, err := l.checkpoints.after(index)
	if err != nil || i == l.checkpoints.number() {
		return nil, err
	}
	c, err := l.checkpoints.slot(i)
	if err != nil {
		return nil, err
	}
	r := l.reader()
	defer r.close()
	leaf, err := r.Node(0, index)
	if err != nil {
		return nil, err
	}
	path, err := access.InclusionPath(r, index, c.Size)
	if err != nil {
		return nil, err
	}
	if !access.VerifyInclusion(leaf, index, c.Size, path, c.Root) {
		return nil, damaged("the stored tree of the access log is not that of its checkpoint at %d entries", c.Size)
	}
	return &Proof{*c, path}, nil
}
