package issuer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
)

// A draft is a record that is right: committed to, and ready to be put into a batch.
type draft struct {
	*credential.Draft
	number number
}

// A drafter parses records and commits to them. Several work at the same time.
type drafter struct {
	r      *run
	random *bufio.Reader
	salts  []byte
	*numberer
}

// draft drafts the records of the chunks that come, until no more come.
func (r *run) draft(ctx context.Context, chunks <-chan *chunk) error {
	d := &drafter{
		r: r, random: bufio.NewReaderSize(r.iss.random, 16<<10),
		salts:    make([]byte, len(r.typ.Leaves())*credential.SaltSize),
		numberer: r.iss.register.numberer(r.typ.ID),
	}
	for c := range chunks {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for i := range c.items {
			if err := d.do(&c.items[i], c.issuedAt); err != nil {
				return err
			}
		}
		close(c.ready)
	}
	return nil
}

// do drafts a record or notes what is wrong with it. An error is not about the record.
func (d *drafter) do(it *item, issuedAt uint64) error {
	if it.problems != nil {
		return nil
	}
	doc, err := d.r.typ.ParseRaw(it.raw)
	var refused *licence.RecordError
	if errors.As(err, &refused) {
		it.problems = refused.Problems
		return nil
	} else if err != nil {
		return err
	}
	record := credential.Record{Issuer: d.r.iss.department.ID, IssuedAt: issuedAt}
	record.ValidFrom, record.ValidUntil = d.r.validity(doc)
	if record.ValidFrom != nil && record.ValidUntil != nil && *record.ValidFrom > *record.ValidUntil {
		it.problems = problem(licence.BadValue, licence.ValidUntilAlias, "the last day of validity must not be before the first")
		return nil
	}
	if p := d.r.job.Predecessor; p != nil {
		record.Predecessor = &p.Digest
	}
	d.r.identify(doc)
	if _, err := io.ReadFull(d.random, d.salts); err != nil {
		return errorf(CodeStorage, err, "draw salts")
	}
	it.draft.Draft, err = credential.NewDraft(doc, record, d.salts)
	var tooLarge *credential.Error
	if errors.As(err, &tooLarge) {
		it.problems = problem(licence.TooLarge, "", "%s", tooLarge.Message)
		return nil
	} else if err != nil {
		return err
	}
	it.draft.number = d.number(doc.Number())
	return nil
}

// validity returns the days of validity of a licence: those of the job, else those of the input.
func (r *run) validity(doc *licence.Document) (from, until *licence.Date) {
	from, until = r.job.ValidFrom, r.job.ValidUntil
	if day, ok := doc.ValidFrom(); ok && from == nil {
		from = &day
	}
	if day, ok := doc.ValidUntil(); ok && until == nil {
		until = &day
	}
	return from, until
}

// identify gives a licence its GB/T 36904 identifier, unless the input has one: the serial derived
// from the licence number, in version 001, or the one after its predecessor's if that has the same
// serial. A number from which no serial can be derived leaves the licence without identifier.
func (r *run) identify(doc *licence.Document) {
	serial, ok := licence.SerialFromNumber(doc.Number())
	if !ok || !doc.Value(licence.IdentifierKey).IsNull() {
		return
	}
	version := 1
	if p := r.job.Predecessor; p != nil {
		text, _ := p.Value(licence.IdentifierKey)
		if id, err := licence.ParseIdentifier(text.String()); err == nil && id.Serial() == serial {
			version = id.Version() + 1
		}
	}
	if id, err := licence.NewIdentifier(r.typ.Code, r.iss.department.USCC, serial, version); err == nil {
		doc.SetIdentifier(id)
	}
}

// A clock gives dates of issue, which never go back.
type clock struct {
	now    func() uint64
	newest uint64 // date of issue so far
	behind uint64 // most seconds by which the clock lagged behind that
}

func (c *clock) next() uint64 {
	now := c.now()
	if now < c.newest {
		c.behind = max(c.behind, c.newest-now)
		return c.newest
	}
	c.newest = now
	return now
}

// lag returns by how much the clock lagged at most.
func (c *clock) lag() time.Duration { return time.Duration(c.behind) * time.Second }

// taken is what is wrong with a record whose number is in use.
func (r *run) taken() []licence.Problem {
	return problem(CodeLicenceActive, r.typ.NumberField().Key,
		"a licence with this number was issued and is not revoked or superseded; end it first, or issue this one as its successor")
}
