package issuer

import (
	"context"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// Licences that are applied for one by one are gathered, by type, into batches. While a batch of a type is on its
// way, the next one gathers; it is closed when that has arrived, when its window has ended, or when it is full.
// So batches are as large as the ledger is slow, and a lone licence does not wait. Since those who have got
// theirs often come back at once with another, a batch that comes after one of several lingers for a part of
// the time that that one took, and of the window, until it has as many.

// Bounds of gathering.
const (
	defaultWindow = 200 * time.Millisecond
	maxWindow     = time.Minute

	underwayTime = 2 * time.Minute // for all that is done with a batch

	noteDelay = 100 * time.Millisecond
)

// gatherers are those of an issuer.
type gatherers struct {
	iss    *Issuer
	window time.Duration

	mu      sync.Mutex
	types   map[string]*gatherer
	notes   []*batch // on the ledger, and the vault does not know it yet
	closed  bool
	running sync.WaitGroup
}

// A gatherer gathers the licences of one type.
type gatherer struct {
	all      *gatherers
	typ      *licence.Type
	open     []*member
	since    time.Time // when the first of them came, if others were on their way
	timer    *time.Timer
	underway int           // batches on their way
	expected int           // how many are likely to come: those of the last one that arrived, and who waited then
	took     time.Duration // the last one that arrived
}

// A member is one licence of a batch that is gathered.
type member struct {
	draft *draft
	by    vault.By
	done  chan struct{} // closed when the rest is there
	batch *batch        // nil: the licence was not issued
	index int           // in the batch
	err   error
}

func (g *gatherers) begin(iss *Issuer, window time.Duration) {
	g.iss, g.window = iss, window
	if g.window == 0 {
		g.window = defaultWindow
	}
	g.types = map[string]*gatherer{}
}

// close lets what is on its way come to its end.
func (g *gatherers) close() {
	g.mu.Lock()
	g.closed = true
	for _, t := range g.types {
		if len(t.open) > 0 {
			t.start()
		}
	}
	g.mu.Unlock()
	g.running.Wait()
	g.writeNotes()
}

// add gives a draft to the batch of its type that is open.
func (g *gatherers) add(typ *licence.Type, d *draft, by vault.By) (*member, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, errorf(CodeClosed, nil, "no more licences are issued here: the service is being stopped")
	}
	t := g.types[typ.ID]
	if t == nil {
		t = &gatherer{all: g, typ: typ}
		g.types[typ.ID] = t
	}
	m := &member{draft: d, by: by, done: make(chan struct{})}
	t.open = append(t.open, m)
	switch n := len(t.open); {
	case n == statement.MaxBatch || t.underway == 0 && n >= t.expected:
		t.start()
	case n > 1: // the timer runs
	case t.underway == 0:
		t.startAfter(t.linger())
	default:
		t.since = time.Now()
		t.startAfter(g.window)
	}
	return m, nil
}

// arrived goes on with the batch that is open when one has arrived.
func (t *gatherer) arrived() {
	switch n := len(t.open); {
	case n == 0 || t.underway > 0:
	case n >= t.expected:
		t.start()
	default:
		t.startAfter(min(t.linger(), t.all.window-time.Since(t.since)))
	}
}

// linger returns how long a batch waits for those who have got theirs.
func (t *gatherer) linger() time.Duration { return min(t.took/2, t.all.window/8) }

// startAfter closes the batch that is open after a time, unless that is done, or set anew, before.
func (t *gatherer) startAfter(d time.Duration) {
	if t.timer != nil {
		t.timer.Stop()
	}
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		t.all.mu.Lock()
		defer t.all.mu.Unlock()
		if t.timer == timer {
			t.start()
		}
	})
	t.timer = timer
}

// start closes the batch that is open, and has it issued.
func (t *gatherer) start() {
	members := t.open
	t.open = nil
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	t.underway++
	t.all.running.Go(func() {
		began := time.Now()
		t.all.issue(t.typ, members)
		t.all.mu.Lock()
		defer t.all.mu.Unlock()
		t.underway--
		t.expected, t.took = len(members)+len(t.open), time.Since(began)
		t.arrived()
	})
}

// issue issues the licences of a batch, and tells those who wait for them.
func (g *gatherers) issue(typ *licence.Type, members []*member) {
	ctx, cancel := context.WithTimeout(context.Background(), underwayTime)
	defer cancel()
	b, err := g.store(ctx, typ, members)
	if err == nil && b != nil {
		if err = g.iss.bring(ctx, b); err == nil {
			g.note(b)
		} else if b.refused && g.discard(ctx, b) {
			err = errorf(Code(err), err, "the ledger has refused the batch; its licences were not issued")
		}
	}
	places := map[*draft]int{}
	if b != nil {
		for i, d := range b.drafts {
			places[d] = i
		}
	}
	for _, m := range members {
		if i, ok := places[m.draft]; ok {
			m.batch, m.index, m.err = b, i, err
		} else if b == nil {
			m.err = err
		}
		close(m.done)
	}
}

// store seals the drafts and puts them into the vault. The batch is nil if nothing is left of it.
func (g *gatherers) store(ctx context.Context, typ *licence.Type, members []*member) (*batch, error) {
	drafts := make([]*draft, len(members))
	by := make(map[*draft]vault.By, len(members))
	p := &posting{by: members[0].by}
	for i, m := range members {
		drafts[i], by[m.draft] = m.draft, m.by
		if m.by != p.by {
			p.each = func(d *draft) vault.By { return by[d] }
		}
	}
	if err := g.iss.seal(ctx, typ.ID, drafts); err != nil {
		return nil, err
	}
	notes := g.takeNotes()
	p.groups = [][]*draft{drafts}
	p.also = func(tx *vault.Tx, _ []*batch) error { return note(tx, notes) }
	batches, err := g.iss.put(ctx, p)
	if err != nil {
		g.note(notes...)
		return nil, err
	}
	return batches[0], nil
}

// discard takes a batch that the ledger has refused out of the vault, unless another process has brought it to the
// ledger before.
func (g *gatherers) discard(ctx context.Context, b *batch) bool {
	if g.iss.learn(ctx) != nil {
		return false
	}
	return g.iss.write(ctx, self, func(tx *vault.Tx) error { return tx.Discard(b.ID) }) == nil
}

// note has the vault note soon that batches are on the ledger: with the next batch that is stored, or by itself.
// If that fails, the next comparison with the ledger finds it out.
func (g *gatherers) note(batches ...*batch) {
	if len(batches) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.notes) == 0 {
		time.AfterFunc(noteDelay, g.writeNotes)
	}
	g.notes = append(g.notes, batches...)
}

func (g *gatherers) takeNotes() []*batch {
	g.mu.Lock()
	defer g.mu.Unlock()
	notes := g.notes
	g.notes = nil
	return notes
}

// writeNotes has the vault note now what waits for that.
func (g *gatherers) writeNotes() {
	notes := g.takeNotes()
	if len(notes) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), underwayTime)
	defer cancel()
	_ = g.iss.write(ctx, self, func(tx *vault.Tx) error { return note(tx, notes) }) // see note
}

// issued is what an application gets.
func (m *member) issued() *Issued {
	b, d := m.batch, m.draft
	record := d.Record()
	since := firstDay(&record)
	return &Issued{
		Licence: &vault.Licence{
			ID: b.id(m.index), Batch: b.ID, Type: b.Type, Digest: d.Digest(), Root: b.Root, Index: uint32(m.index),
			BatchState: vault.Delivered, IssuedAt: b.IssuedAt, Since: &since, ValidUntil: record.ValidUntil, Predecessor: d.predecessor,
			State: licence.Active, Own: licence.Active, HoldsNumber: true,
		},
		Credential: b.sealed.Credential(m.index).Bytes(), Position: *b.Position,
	}
}
