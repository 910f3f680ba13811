// Package accesslog keeps a verifier's access log: who verified which licence, when, for what, and
// what was found. It is append-only, and a Merkle tree over its entries, whose root goes to the ledger
// every minute or every thousand entries, lets anybody see that no entry was removed, changed or put
// in later. Package access has the format of entries, and the proofs.
//
// A log is a directory of plain files. That is little code, because nothing in them ever changes but
// by getting longer, and it has what a database would not give: an append is on disk after one write
// and one sync, which all appends that wait share (group commit); an audit reads the files of a
// log that is in use; and nothing goes on in the background that could fail, or end the process, when
// the disk is full. With h segments of 65,536 entries each,
//
//	identity.json          which log this is: format, ledger, department, log
//	key                    32 random bytes, for the tags
//	0000000000.entries     a segment: the entries, each with its salt and its tag, in groups
//	0000000000.index       of a segment that is full: where its entries are, its tree, its tags
//	checkpoints            the checkpoints that are on the ledger
//	lock                   held by the process that has the log open
//
// opening reads the index files' roots (h times 32 bytes) and the one segment that is not full. An
// index file that is missing is made again from its segment; nothing else can be.
//
// A group is what one write put there, with numbers in big-endian form:
//
//	"CLG1"  first (8)  count (4)  length (4)  CRC-32C (4)   the number of its first entry, how many they
//	                                                       are, bytes that follow; checksum of all but itself
//	count times:  length (2)  salt (16)  tag (16)  entry
//
// A group is written when the one before it is on disk. So if the last one is torn, none of its
// entries was acknowledged, and it is cut off when the log is opened; damage anywhere else is an
// error. When a group is on disk, and before anybody is told, the log signs one checkpoint for all its
// entries: what was signed is never taken back, also not by a process that ends at any moment. The tag of an entry is the first half of HMAC-SM3(key, issuer || 0x00 || digest) of the
// licence: it finds the accesses to one licence for whoever knows its name, while the files list no
// digests.
//
// The package keeps no values of licences and no names of them but as salted commitments and tags.
// It verifies nothing and decides nothing about who may read.
package accesslog

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/sm"
)

// An Identity says which log this is. A department may keep several, one for each replica of its
// verifier.
type Identity struct {
	Ledger     sm.Hash // id of the ledger that its checkpoints go to
	Department string  // id of the department that keeps it
	Log        string  // 1 to 32 of a-z, 0-9 and -
}

// A Log is one that is open. It is safe for concurrent use.
type Log struct {
	*view
	key    []byte
	signer sm.Signer
	now    func() time.Time
	files  files
	lock   *os.File

	queue   chan *pending
	checks  chan chan<- error // of Check, answered by the writer
	closing chan struct{}     // closed when nothing more is accepted
	ended   chan struct{}     // closed when what was accepted is written, or refused
	seals   sync.WaitGroup
	sealing sync.Mutex

	// Of the writer alone:
	file  file  // of the segment that is being filled; nil if it has none yet
	end   int64 // up to where that holds what was acknowledged
	dirty bool  // there may be something behind the end

	checkpoints *checkpoints

	notify sync.Mutex
	grown  chan struct{} // closed, and replaced, after each group

	once   sync.Once
	closed error
}

// Open opens a log that Create made. The signer has a key of the log's department for
// statement.PurposeLog, which signs its checkpoints; the clock gives the time that they claim. The error
// is an *Error: CodeMissing, CodeInUse, CodeOlderFormat, CodeNewerFormat, CodeDamaged or CodeStorage.
func Open(dir string, signer sm.Signer, now func() time.Time) (*Log, error) {
	return open(dir, signer, now, disk{})
}

func open(dir string, signer sm.Signer, now func() time.Time, files files) (l *Log, err error) {
	id, height, err := readIdentity(dir)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			lock.Close()
		}
	}()
	l = &Log{
		signer: signer, now: now, files: files, lock: lock,
		queue: make(chan *pending, maxGroup), checks: make(chan chan<- error), closing: make(chan struct{}), ended: make(chan struct{}), grown: make(chan struct{}),
	}
	if l.key, err = readKey(dir); err != nil {
		return nil, err
	}
	if l.view, err = load(dir, id, height, true); err != nil {
		return nil, err
	}
	if l.checkpoints, err = openCheckpoints(dir, files); err != nil {
		return nil, err
	}
	if err = l.begin(); err != nil {
		l.checkpoints.close()
		if l.file != nil {
			l.file.Close()
		}
		return nil, err
	}
	go l.write()
	return l, nil
}

// begin compares the newest checkpoint with the log, and cuts off what an interrupted write left
// behind it.
func (l *Log) begin() error {
	newest, found, err := l.checkpoints.newest()
	if err != nil {
		return err
	}
	if found {
		if err := l.continues(newest.Size, newest.Root); err != nil {
			return err
		}
	}
	name := l.path(l.active.number, entriesFile)
	info, err := os.Stat(name)
	switch {
	case os.IsNotExist(err):
		return nil // it is made with its first group
	case err != nil:
		return storageError("open the access log", err)
	}
	if l.file, err = l.files.open(name); err != nil {
		return storageError("open the access log", err)
	}
	l.end = l.active.end
	l.dirty = info.Size() > l.end
	return l.repair()
}

// continues reports, as an error, that the log is not one that once had this size and root.
func (l *Log) continues(size uint64, root sm.Hash) error {
	if size > l.Size() {
		return errorf(CodeRolledBack, nil, "the access log has %d entries, but had %d at a checkpoint: a part of it is lost; find it, or go on with a new log under another name", l.Size(), size)
	}
	now, err := l.Root(size)
	if err != nil {
		return err
	}
	if now != root {
		return errorf(CodeForked, nil, "the access log is not the one that had its checkpoint at %d entries: one of these was changed; audit it, and go on with a new log under another name", size)
	}
	return nil
}

// Identity says which log this is.
func (l *Log) Identity() Identity { return l.id }

// Close ends the log once what was accepted is durable and answered. Later calls of Append end with
// CodeClosed.
func (l *Log) Close() error {
	l.once.Do(func() {
		close(l.closing)
		<-l.ended
		l.seals.Wait()
		var err error
		if l.file != nil {
			err = l.repair()
			if e := l.file.Close(); err == nil {
				err = e
			}
		}
		if e := l.checkpoints.close(); err == nil {
			err = e
		}
		if e := l.lock.Close(); err == nil {
			err = e
		}
		if err != nil {
			l.closed = storageError("close the access log", err)
		}
	})
	return l.closed
}

// grew tells those who wait that the log has grown.
func (l *Log) grew() {
	l.notify.Lock()
	defer l.notify.Unlock()
	close(l.grown)
	l.grown = make(chan struct{})
}

// wait waits until the log has at least so many entries; the error is that of ctx.
func (l *Log) wait(ctx context.Context, size uint64) error {
	for {
		l.notify.Lock()
		grown := l.grown
		l.notify.Unlock()
		if l.Size() >= size {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (v *view) path(segment uint64, kind string) string { return segmentPath(v.dir, segment, kind) }
