package wallet

import (
	"bytes"
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/paper"
	"github.com/credledger/credledger/sdk/sm"
)

// sheetTime is how long a sheet that was prepared can be fetched.
const sheetTime = 5 * time.Minute

// maxSheets bounds the sheets that are in memory, in bytes; one has some 50,000.
const maxSheets = 64 << 20

// maxOfPerson is how many somebody can have prepared, in all their sessions: the oldest goes when another comes.
const maxOfPerson = 3

// printedAtOnce is how many sheets are printed at the same time: while that lasts, each takes tens of megabytes.
const printedAtOnce = 2

// printPatience is how long somebody waits for others' sheets to be printed.
const printPatience = 20 * time.Second

// A Sheet is a licence to be printed.
type Sheet struct {
	Showing
	Large    bool
	Language string // paper.Chinese or paper.English
}

// A Prepared sheet can be fetched in the session in which it was prepared.
type Prepared struct {
	ID    vault.ItemID
	Use   vault.ItemID
	Until time.Time
}

// sheets are those that were prepared.
type sheets struct {
	places chan struct{} // one for each that is being printed

	mu    sync.Mutex
	all   map[vault.ItemID]prepared
	bytes int // of all files
}

type prepared struct {
	file    []byte // PDF
	session sm.Hash
	person  string        // who signed in
	under   *vault.ItemID // the delegation
	until   time.Time
}

func (s *sheets) init() {
	s.places, s.all = make(chan struct{}, printedAtOnce), map[vault.ItemID]prepared{}
}

// print prints a sheet, once there is a place for that.
func (s *sheets) print(ctx context.Context, sheet paper.Sheet) ([]byte, error) {
	waiting, stop := context.WithTimeout(ctx, printPatience)
	defer stop()
	select {
	case s.places <- struct{}{}:
	case <-waiting.Done():
		return nil, errorf(CodeBusy, waiting.Err(), "too many sheets are printed at present: try again in a minute")
	}
	defer func() { <-s.places }()
	var file bytes.Buffer
	err := paper.Print(&file, sheet)
	return file.Bytes(), err
}

func (s *sheets) keep(p prepared, now time.Time) (id vault.ItemID, err error) {
	if _, err := rand.Read(id[:]); err != nil {
		return id, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var oldest vault.ItemID
	own := 0
	for id, old := range s.all {
		switch {
		case old.until.Before(now):
			s.drop(id)
		case old.person == p.person:
			if own++; own == 1 || old.until.Before(s.all[oldest].until) {
				oldest = id
			}
		}
	}
	if own >= maxOfPerson {
		s.drop(oldest)
	}
	if s.bytes+len(p.file) > maxSheets {
		return id, errorf(CodeBusy, nil, "too many sheets are prepared at present: try again in some minutes")
	}
	s.all[id], s.bytes = p, s.bytes+len(p.file)
	return id, nil
}

// drop is for who holds the lock.
func (s *sheets) drop(id vault.ItemID) {
	s.bytes -= len(s.all[id].file)
	delete(s.all, id)
}

func (s *sheets) find(id vault.ItemID, session sm.Hash, now time.Time) (prepared, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.all[id]
	return p, ok && p.session == session && !p.until.Before(now)
}

// Prepare prints a sheet, which stands in the licence's history. It needs a fresh sign-in.
//
// Errors: as of Code, but those of the verifier; those of package paper.
func (w *Wallet) Prepare(ctx context.Context, c *Caller, s Sheet) (*Prepared, error) {
	if err := w.fresh(c); err != nil {
		return nil, err
	}
	o, err := w.prepare(ctx, c, &s.Showing, WayPrint, "print")
	if err != nil {
		return nil, err
	}
	now := w.Now()
	file, err := w.sheets.print(ctx, w.sheet(&s, o, now))
	if err != nil {
		return nil, err
	}
	p := prepared{file: file, session: c.Digest, person: c.Number, until: now.Add(sheetTime)}
	if c.Delegation != nil {
		p.under = &c.Delegation.ID
	}
	out := &Prepared{Until: p.until}
	if out.ID, err = w.sheets.keep(p, now); err != nil {
		return nil, err
	}
	out.Use, err = w.use(ctx, c, vault.UsePrint, s.Matter)
	return out, err
}

// sheet is what is printed.
func (w *Wallet) sheet(s *Sheet, o *credential.Opened, now time.Time) paper.Sheet {
	out := paper.Sheet{Shown: o, Issuer: w.Department.Name, Host: w.Host, Printed: now, Large: s.Large, Language: s.Language}
	for _, u := range w.Department.Units {
		if u.ID == w.Unit {
			out.Unit = u.Name
		}
	}
	if m := w.Matters.Matter(s.Matter, w.today()); m != nil {
		out.Purpose = m.Name
	}
	return out
}

// Fetch returns a sheet that was prepared in a session, as PDF. Errors: CodeNotThere if it was not, or too long ago, or the session is
// over; CodeEnded if it was prepared by a helper who may no longer act.
func (w *Wallet) Fetch(ctx context.Context, session sm.Hash, id vault.ItemID) ([]byte, error) {
	p, ok := w.sheets.find(id, session, w.Now())
	if !ok {
		return nil, notThere()
	}
	c, err := w.Caller(ctx, session, p.under)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, notThere()
	}
	return p.file, nil
}
