package accesslog

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// A Draft is what is to be recorded of a verification, or of a request.
type Draft struct {
	Entry        access.Entry // but for Licence and Presentation, which the log fills in; and Call, if it is zero
	Issuer       string       // of the licence; "" if what was shown could not be read
	Digest       sm.Hash      // of the licence; zero if what was shown could not be read
	Presentation sm.Hash      // SM3 of what was shown, or released; zero if nothing was
}

// A Place is where an entry is in the log, and the proof of that.
type Place struct {
	*access.Proof               // by a checkpoint of the log when the entry was the newest, or among the newest
	Leaf          sm.Hash       // of the entry
	Entry         *access.Entry // as it was recorded
	Encoded       []byte        // the entry
	Salt          access.Salt   // opens the commitments in it
}

// A pending is an entry on its way.
type pending struct {
	record
	leaf sm.Hash

	proof *access.Proof
	err   error
	done  chan struct{} // closed when proof or err is there
}

// Append records a verification, and returns when that is durable and signed. Many calls at a time share
// one sync of the disk and one signature.
//
// The error is an *access.Error with access.CodeInvalid for a draft that cannot be recorded, and else
// an *Error: CodeStorage, after which what was not acknowledged is not in the log as long as it is
// open, and which may be over with the next call, once there is room; CodeUnsigned if the entry is in the
// log, but there is no proof of that; CodeOutcomeUnknown if ctx was done while the entry was written; or
// CodeClosed. If ctx was done before, it is that of ctx.
func (l *Log) Append(ctx context.Context, d *Draft) (Place, error) {
	p := &pending{done: make(chan struct{})}
	e := d.Entry
	if _, err := rand.Read(p.salt[:]); err != nil {
		return Place{}, errorf(CodeStorage, err, "draw the salt of an entry")
	}
	if e.Call == (access.Call{}) {
		if _, err := rand.Read(e.Call[:]); err != nil {
			return Place{}, errorf(CodeStorage, err, "draw the call of an entry")
		}
	}
	e.Licence = access.LicenceCommitment(p.salt, d.Issuer, d.Digest)
	e.Presentation = access.PresentationCommitment(p.salt, d.Presentation)
	var err error
	if p.entry, err = e.Bytes(); err != nil {
		return Place{}, err
	}
	p.leaf = access.Leaf(p.entry)
	p.tag = l.tagOf(d.Issuer, d.Digest)

	select {
	case <-l.closing:
		return Place{}, errClosed()
	default:
	}
	select {
	case l.queue <- p:
	case <-l.closing:
		return Place{}, errClosed()
	case <-ctx.Done():
		return Place{}, ctx.Err()
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return Place{}, errorf(CodeOutcomeUnknown, ctx.Err(), "the entry may or may not be in the access log")
	case <-l.ended:
		select {
		case <-p.done:
		default:
			return Place{}, errClosed() // it came into the queue when nobody read that any more
		}
	}
	if p.err != nil {
		return Place{}, p.err
	}
	return Place{p.proof, p.leaf, &e, p.entry, p.salt}, nil
}

func errClosed() *Error { return errorf(CodeClosed, nil, "the access log was closed") }

// write writes what comes, until the log is closed.
func (l *Log) write() {
	defer close(l.ended)
	group := make([]*pending, 0, maxGroup)
	var b []byte
	for {
		group = group[:0]
		select {
		case p := <-l.queue:
			group = append(group, p)
		case answer := <-l.checks:
			answer <- l.rehearse()
			continue
		case <-l.closing:
			select { // what was accepted before
			case p := <-l.queue:
				group = append(group, p)
			default:
				return
			}
		}
		for len(group) < maxGroup {
			select {
			case p := <-l.queue:
				group = append(group, p)
				continue
			default:
			}
			break
		}
		for rest := group; len(rest) > 0; {
			n := l.fits(rest)
			b = l.commit(b, rest[:n])
			rest = rest[n:]
		}
	}
}

// fits returns how many entries go into the next group: no more than the segment has room for.
func (l *Log) fits(group []*pending) int {
	room := min(uint64(len(group)), 1<<l.height-l.active.size())
	bytes := 0
	for i, p := range group[:room] {
		if bytes += recordHead + len(p.entry); bytes > maxBody {
			return i
		}
	}
	return int(room)
}

// commit writes a group, makes it durable, lets readers see it, signs it, and answers. It uses b for the
// bytes, and returns it.
func (l *Log) commit(b []byte, group []*pending) []byte {
	first := l.Size()
	b = beginGroup(b)
	offsets := make([]int64, len(group))
	for i, p := range group {
		offsets[i] = l.end + int64(len(b))
		b = p.append(b)
	}
	endGroup(b, first, len(group))
	err := l.put(b)
	if err == nil {
		l.end += int64(len(b))
		l.publish(group, offsets)
		l.grew()
		if cause := l.prove(group, first); cause != nil {
			err = errorf(CodeUnsigned, cause, "the entry is in the access log, but there is no signed checkpoint that covers it")
		}
	}
	for _, p := range group {
		p.err = err
		close(p.done)
	}
	return b
}

// prove proves the entries of a group, which is the newest in the log, by one checkpoint for all.
func (l *Log) prove(group []*pending, first uint64) error {
	r := l.reader()
	defer r.close()
	tree, err := r.tree(first + uint64(len(group)))
	if err != nil {
		return err
	}
	c, err := l.sign(tree)
	if err != nil {
		return err
	}
	for i, p := range group {
		index := first + uint64(i)
		path, err := tree.Inclusion(index)
		if err != nil {
			return err
		}
		p.proof = &access.Proof{Checkpoint: c, Index: index, Path: path}
	}
	return nil
}

// put makes bytes durable behind the end of the segment that is being filled. If that fails, the next
// call first cuts off what may be there.
func (l *Log) put(b []byte) error {
	if l.file == nil {
		f, err := l.files.create(l.path(l.active.number, entriesFile))
		if err != nil {
			return storageError("begin a segment of the access log", err)
		}
		l.file, l.end, l.dirty = f, 0, true
	}
	if err := l.repair(); err != nil {
		return err
	}
	l.dirty = true
	if _, err := l.file.WriteAt(b, l.end); err != nil {
		return storageError("write the access log", err)
	}
	if err := l.file.Sync(); err != nil {
		return storageError("write the access log", err)
	}
	l.dirty = false
	return nil
}

// repair cuts off what is behind the end. All before that was synced by a call that succeeded, and all
// that comes is written anew, so that it does not matter what the disk did with the rest.
func (l *Log) repair() error {
	if !l.dirty {
		return nil
	}
	if err := l.file.Truncate(l.end); err != nil {
		return storageError("cut off what was not written to the access log", err)
	}
	l.dirty = false
	return nil
}

// publish lets readers see a group, and begins a new segment when one is full.
func (l *Log) publish(group []*pending, offsets []int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.active
	for i, p := range group {
		s.add(offsets[i], p.tag, p.leaf)
	}
	s.end = l.end
	l.size += uint64(len(group))
	if s.size() < 1<<l.height {
		return
	}
	l.addRoot(s.levels[l.height][0])
	l.full[s.number] = s
	l.active = newSegment(s.number+1, l.height)
	_ = l.file.Close() // all of it is durable
	l.file, l.end = nil, 0
	l.seals.Go(l.seal)
}

// seal writes the index files of the segments that are full. One that cannot be written stays in memory
// until the next segment is full, or the log is opened again.
func (l *Log) seal() {
	l.sealing.Lock()
	defer l.sealing.Unlock()
	for {
		s := l.nextFull()
		if s == nil || l.writeIndex(s) != nil {
			return
		}
		l.mu.Lock()
		delete(l.full, s.number)
		l.mu.Unlock()
	}
}

// nextFull returns a segment that has no index file yet, nil if all have.
func (l *Log) nextFull() *segment {
	l.mu.RLock()
	defer l.mu.RUnlock()
	numbers := make([]uint64, 0, len(l.full))
	for number := range l.full {
		numbers = append(numbers, number)
	}
	if len(numbers) == 0 {
		return nil
	}
	return l.full[slices.Min(numbers)]
}
