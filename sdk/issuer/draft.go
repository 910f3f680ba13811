package issuer

import (
	"errors"
	"io"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"

	"github.com/credledger/credledger/sdk/issuer/vault"
)

// A draft is a licence that is right: committed to, and after seal ready to be put into a batch.
type draft struct {
	*credential.Draft
	row         int64 // number of the record in its job, from 1; 0: it is of none
	number      string
	holders     []string
	predecessor vault.ID
	claim       *vault.ClaimKey // may be nil
	sealed      *vault.Sealed

	// What put has found: the licence was not issued, because another holds its number, or because
	// something was asked under its idempotency key before, or the same by another draft of the posting.
	taken   bool
	earlier vault.Recalled
	twin    bool
}

// asked reports whether something was asked under the draft's idempotency key before.
func (d *draft) asked() bool { return d.earlier.Reused || d.earlier.Answer != nil || d.twin }

// terms are what is said about licences beside their records.
type terms struct {
	validFrom, validUntil *licence.Date // instead of those in the record; nil: as there
	predecessor           *predecessor  // nil: none
}

// A predecessor is the licence whose place another one takes.
type predecessor struct {
	id         vault.ID // 0: not in the vault
	digest     sm.Hash
	identifier licence.Value // its GB/T 36904 identifier, may be null
}

// A drafter parses records and commits to them. It must not be used from several goroutines.
type drafter struct {
	iss *Issuer
	typ *licence.Type
	terms
	random io.Reader
	salts  []byte
}

// drafter makes one that draws its salts from a reader.
func (iss *Issuer) drafter(typ *licence.Type, t terms, random io.Reader) *drafter {
	return &drafter{iss: iss, typ: typ, terms: t, random: random, salts: make([]byte, len(typ.Leaves())*credential.SaltSize)}
}

// draft makes a draft of a record, or says what is wrong with it. An error is not about the record.
func (d *drafter) draft(raw licence.Raw, issuedAt uint64) (*draft, []licence.Problem, error) {
	doc, err := d.typ.ParseRaw(raw)
	var refused *licence.RecordError
	if errors.As(err, &refused) {
		return nil, refused.Problems, nil
	} else if err != nil {
		return nil, nil, err
	}
	record := credential.Record{Issuer: d.iss.department.ID, IssuedAt: issuedAt}
	record.ValidFrom, record.ValidUntil = d.validity(doc)
	if problems := d.check(doc, &record); problems != nil {
		return nil, problems, nil
	}
	out := &draft{number: doc.Number(), holders: holders(d.typ, doc.ValueAt)}
	if p := d.predecessor; p != nil {
		record.Predecessor, out.predecessor = &p.digest, p.id
	}
	d.identify(doc)
	if _, err := io.ReadFull(d.random, d.salts); err != nil {
		return nil, nil, errorf(CodeStorage, err, "draw salts")
	}
	out.Draft, err = credential.NewDraft(doc, record, d.salts)
	var tooLarge *credential.Error
	if errors.As(err, &tooLarge) {
		return nil, problem(licence.TooLarge, "", "%s", tooLarge.Message), nil
	}
	return out, nil, err
}

// maxNumber is the greatest length of a licence number that the vault keeps, in bytes.
const maxNumber = 256

// check says what is wrong with a document that its type does not look at.
func (d *drafter) check(doc *licence.Document, record *credential.Record) []licence.Problem {
	switch number := doc.Number(); {
	case record.ValidFrom != nil && record.ValidUntil != nil && *record.ValidFrom > *record.ValidUntil:
		return problem(licence.BadValue, licence.ValidUntilAlias, "the last day of validity must not be before the first")
	case number == "" || len(number) > maxNumber:
		return problem(licence.BadValue, d.typ.NumberField().Key, "a licence number has 1 to %d bytes", maxNumber)
	case len(holders(d.typ, doc.ValueAt)) > vault.MaxHolders:
		return problem(licence.TooLarge, "", "a licence has at most %d holders", vault.MaxHolders)
	}
	return nil
}

// validity returns the days of validity of a licence: those of the terms, else those of the record.
func (t *terms) validity(doc *licence.Document) (from, until *licence.Date) {
	from, until = t.validFrom, t.validUntil
	if day, ok := doc.ValidFrom(); ok && from == nil {
		from = &day
	}
	if day, ok := doc.ValidUntil(); ok && until == nil {
		until = &day
	}
	return from, until
}

// holders returns the ids that a licence is found by: every identity number and unified social credit code among
// its values.
func holders(t *licence.Type, value func(leaf int) licence.Value) []string {
	var out []string
	for i, f := range t.Fields {
		switch f.Kind {
		case licence.KindResidentID, licence.KindIDs, licence.KindUSCC:
			for id := range value(i).All() {
				if id != "" {
					out = append(out, id)
				}
			}
		}
	}
	return out
}

// identify gives a licence its GB/T 36904 identifier, unless the record has one: the serial derived
// from the licence number, in version 001, or the one after its predecessor's if that has the same
// serial. A number from which no serial can be derived leaves the licence without identifier.
func (d *drafter) identify(doc *licence.Document) {
	serial, ok := licence.SerialFromNumber(doc.Number())
	if !ok || !doc.Value(licence.IdentifierKey).IsNull() {
		return
	}
	version := 1
	if p := d.predecessor; p != nil {
		if id, err := licence.ParseIdentifier(p.identifier.String()); err == nil && id.Serial() == serial {
			version = id.Version() + 1
		}
	}
	if id, err := licence.NewIdentifier(d.typ.Code, d.iss.department.USCC, serial, version); err == nil {
		doc.SetIdentifier(id)
	}
}

// taken is what is wrong with a record whose number is in use.
func taken(t *licence.Type) []licence.Problem {
	return problem(CodeLicenceActive, t.NumberField().Key,
		"a licence with this number was issued and is not revoked or superseded; end it first, or issue this one as its successor")
}
