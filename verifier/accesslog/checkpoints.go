package accesslog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
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

// A stored checkpoint is what a slot says.
type stored struct {
	Head
	statement []byte // a statement.Checkpoint, signed
}

// parse reads the statement.
func (s *stored) parse() (*access.Checkpoint, error) {
	c, err := access.ParseCheckpoint(s.statement)
	if err != nil {
		return nil, damaged("the stored checkpoint of the access log at %d entries is none: %v", s.Size, err)
	}
	return c, nil
}

// sign signs a checkpoint of the log as it is in a tree, which is durable.
func (l *Log) sign(tree *access.Tree) (*access.Checkpoint, error) {
	c, err := access.SignCheckpoint(&statement.Checkpoint{
		Ledger: l.id.Ledger, Department: l.id.Department, Log: l.id.Log,
		Size: tree.Size(), Root: tree.Root(), SignedAt: uint64(l.now().Unix()),
	}, l.signer)
	if err != nil {
		return nil, fmt.Errorf("sign a checkpoint of the access log: %w", err)
	}
	return c, nil
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
func (c *checkpoints) slot(i int64) (*stored, error) {
	b := make([]byte, slotSize)
	if _, err := c.read.ReadAt(b, i*slotSize); err != nil && err != io.EOF {
		return nil, storageError("read the checkpoints of the access log", err)
	}
	length := int(binary.BigEndian.Uint16(b[slotHead-2:]))
	sum := binary.BigEndian.Uint32(b[slotSize-4:])
	if length == 0 || length > maxStatement || crc32.Checksum(b[:slotSize-4], castagnoli) != sum {
		return nil, damaged("checkpoint %d of the access log is not stored as it was written", i)
	}
	return &stored{Head{binary.BigEndian.Uint64(b), sm.Hash(b[8:])}, b[slotHead : slotHead+length]}, nil
}

// newest returns the checkpoint of the greatest size; found is false if there is none.
func (c *checkpoints) newest() (newest *stored, found bool, err error) {
	n := c.number()
	if n == 0 {
		return &stored{}, false, nil
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
func (c *checkpoints) add(p *access.Checkpoint) error {
	signed := p.Signed.Bytes()
	if len(signed) > maxStatement {
		return errorf(CodeStorage, nil, "a checkpoint has at most %d bytes", maxStatement)
	}
	b := make([]byte, 0, slotSize)
	b = append(binary.BigEndian.AppendUint64(b, p.Size), p.Root[:]...)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(signed))), signed...)
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
func (l *Log) Checkpoints(after uint64, n int) ([]*access.Checkpoint, error) {
	from, err := l.checkpoints.after(after)
	if err != nil {
		return nil, err
	}
	list := []*access.Checkpoint{}
	for to := min(l.checkpoints.number(), from+int64(min(n, MostCheckpoints))); from < to; from++ {
		c, err := l.checkpoint(from)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// checkpoint returns a checkpoint that is on the ledger, by its number.
func (l *Log) checkpoint(i int64) (*access.Checkpoint, error) {
	s, err := l.checkpoints.slot(i)
	if err != nil {
		return nil, err
	}
	return s.parse()
}

// Proof returns the proof of an entry by the first checkpoint on the ledger that covers it, nil if
// there is none yet. The error is an *Error.
func (l *Log) Proof(index uint64) (*access.Proof, error) {
	if size := l.Size(); index >= size {
		return nil, errorf(CodeRange, nil, "the access log has %d entries, not one with the index %d", size, index)
	}
	i, err := l.checkpoints.after(index)
	if err != nil || i == l.checkpoints.number() {
		return nil, err
	}
	c, err := l.checkpoint(i)
	if err != nil {
		return nil, err
	}
	r := l.reader()
	defer r.close()
	leaf, err := r.Node(0, index)
	if err != nil {
		return nil, err
	}
	tree, err := r.tree(c.Size)
	if err != nil {
		return nil, err
	}
	p := &access.Proof{Checkpoint: c, Index: index}
	if p.Path, err = tree.Inclusion(index); err != nil {
		return nil, err
	}
	if !p.Includes(leaf) {
		return nil, damaged("the stored tree of the access log is not that of its checkpoint at %d entries", c.Size)
	}
	return p, nil
}
