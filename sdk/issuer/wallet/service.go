package wallet

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
)

// A Deadline is how long staff have to answer an objection: so many working days after the day on which it was made.
// Saturdays and Sundays are none, nor are holidays; but what was made a working day in exchange for one is.
type Deadline struct {
	Days     int            // 1 to 60
	Holidays []licence.Date // that are no Saturdays or Sundays
	Workdays []licence.Date // that are
}

// maxDeadline bounds a deadline in working days.
const maxDeadline = 60

// Check returns what is wrong with a deadline, in the words of whoever configured it.
func (d *Deadline) Check() error {
	if d.Days < 1 || d.Days > maxDeadline {
		return fmt.Errorf("objections are answered within 1 to %d working days", maxDeadline)
	}
	return nil
}

// Due returns the last day on which an answer to what was made on a day is in time.
func (d *Deadline) Due(made licence.Date) licence.Date {
	day := made
	for left := d.Days; left > 0; {
		day++
		if d.works(day) {
			left--
		}
	}
	return day
}

func (d *Deadline) works(day licence.Date) bool {
	if slices.Contains(d.Workdays, day) {
		return true
	}
	weekday := time.Unix(int64(day)*86400, 0).UTC().Weekday()
	return weekday != time.Saturday && weekday != time.Sunday && !slices.Contains(d.Holidays, day)
}

// Bounds of objections.
const (
	maxObjections = 100 // that are listed
	maxOpen       = 3   // of one person to one licence
	MaxText       = 1000
	MaxComment    = 500
)

// text refuses what cannot be put on a page: it has some characters, and no control characters but line breaks.
func text(s string, most int) error {
	n := utf8.RuneCountInString(s)
	if n < 1 || n > most || !utf8.ValidString(s) {
		return errorf(CodeArguments, nil, "a text has 1 to %d characters", most)
	}
	for _, c := range s {
		if c != '\n' && (unicode.IsControl(c) || unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp)) {
			return errorf(CodeArguments, nil, "a text has no control characters but line breaks")
		}
	}
	return nil
}

// Object keeps an objection about one of one's licences. Helpers cannot.
//
// Under an idempotency key (nil: none) under which one was kept, it returns that.
//
// Errors: CodeLimits, CodeNotThere, CodeOpen, CodeArguments, vault.CodeClaimReused.
func (w *Wallet) Object(ctx context.Context, c *Caller, id vault.ID, about, what string, once *Once) (*vault.Objection, error) {
	if err := c.alone(); err != nil {
		return nil, err
	}
	if err := text(what, MaxText); err != nil {
		return nil, err
	}
	if _, err := w.Licence(ctx, c, id); err != nil {
		return nil, err
	}
	done, err := w.turns.take(ctx, "objections of "+c.Number)
	if err != nil {
		return nil, err
	}
	defer done()
	claim := once.claim(c, "objection")
	if earlier, ok, err := w.recall(ctx, claim); err != nil {
		return nil, err
	} else if ok {
		return w.Vault.Objection(ctx, earlier)
	}
	mine, err := w.Vault.ObjectionsBy(ctx, c.Number, maxObjections)
	if err != nil {
		return nil, err
	}
	open := 0
	for _, o := range mine {
		if o.Licence == id && o.Settled == nil {
			open++
		}
	}
	if open >= maxOpen {
		return nil, errorf(CodeOpen, nil, "%d objections of this person to the licence wait for an answer", open)
	}
	o := &vault.Objection{Licence: id, About: about, Text: what, Due: w.Deadline.Due(w.today())}
	earlier, ok, err := w.keepOnce(ctx, c.by("object"), claim, func(tx *vault.Tx) (vault.ItemID, error) {
		err := tx.Object(c.Number, o)
		return o.ID, err
	})
	if ok {
		return w.Vault.Objection(ctx, earlier)
	}
	return o, err
}

// Objections returns one's own, newest first.
func (w *Wallet) Objections(ctx context.Context, c *Caller) ([]*vault.Objection, error) {
	return w.Vault.ObjectionsBy(ctx, c.Number, maxObjections)
}

// rateWithin is how long after a use it can be rated.
const rateWithin = 30 * 24 * time.Hour

// Rate rates a use with 1 to 5 stars and perhaps a text. Errors: CodeNotThere, CodeArguments, vault.CodeRated.
func (w *Wallet) Rate(ctx context.Context, c *Caller, use vault.ItemID, stars int, what string) error {
	if what != "" {
		if err := text(what, MaxComment); err != nil {
			return err
		}
	}
	err := w.write(ctx, vault.By{Actor: "wallet", Purpose: "rating"}, func(tx *vault.Tx) error { return tx.Rate(use, c.Number, stars, what, rateWithin) })
	if vault.Code(err) == vault.CodeUnknown {
		return notThere()
	}
	return err
}
