package vault

import (
	"context"
	"database/sql"
	"encoding/binary"
	"time"

	"github.com/credledger/credledger/sdk/sqldb"
)

// What can be rated.
const (
	UseCode      = "code"      // a code was shown
	UsePrint     = "print"     // a sheet was printed
	UseGrant     = "grant"     // a grant was given
	UseObjection = "objection" // an objection was answered
)

// MaxRating is the greatest length of the text of a rating in bytes.
const MaxRating = 4 << 10

// AddUse notes that a person has used something, for a matter or "", and returns the id under which it can be rated.
func (t *Tx) AddUse(person, kind, matter string) (ItemID, error) {
	p, err := t.v.person(person)
	if err != nil {
		return ItemID{}, err
	}
	if kind == "" || len(kind) > maxKind || len(matter) > maxMatter {
		return ItemID{}, errorf(CodeArgument, nil, "a use has a kind of 1 to %d bytes, and a matter of up to %d", maxKind, maxMatter)
	}
	id, err := newItemID()
	if err != nil {
		return id, err
	}
	_, err = t.exec("note a use", "INSERT INTO vault_use (id, person, kind, matter, at, rated) VALUES ($1, $2, $3, $4, $5, FALSE)", id[:], p, kind, matter, t.at)
	return id, err
}

// Rate rates a use of a person with 1 to 5 stars, once, within a time after it. Whose the rating is, is not kept.
//
// Errors: CodeUnknown (there is no such use of this person), CodeRated.
func (t *Tx) Rate(id ItemID, person string, stars int, text string, within time.Duration) error {
	p, err := t.v.person(person)
	if err != nil {
		return err
	}
	if stars < 1 || stars > 5 || len(text) > MaxRating {
		return errorf(CodeArgument, nil, "a rating has 1 to 5 stars, and a text of up to %d bytes", MaxRating)
	}
	var kind, matter string
	known := false
	err = sqldb.Select(t.ctx, t.tx, "SELECT kind, matter FROM vault_use WHERE id = $1 AND person = $2", []any{id[:], p}, func(rows *sql.Rows) error {
		known = true
		return sqldb.Wrap("look for a use", rows.Scan(&kind, &matter))
	})
	if err != nil {
		return err
	}
	if !known {
		return errorf(CodeUnknown, nil, "there is no such use in the vault")
	}
	n, err := t.exec("rate a use", "UPDATE vault_use SET rated = TRUE WHERE id = $1 AND NOT rated AND at > $2", id[:], t.at-int64(within/time.Second))
	if err != nil {
		return err
	}
	if n == 0 {
		return errorf(CodeRated, nil, "the use was rated before, or is too long ago")
	}
	var sealed []byte
	if text != "" {
		if sealed, err = t.v.sealRecord(purposeRating, ratingName(t.at, stars), []byte(text)); err != nil {
			return err
		}
	}
	_, err = t.exec("keep a rating", "INSERT INTO vault_rating (at, kind, matter, stars, sealed) VALUES ($1, $2, $3, $4, $5)", t.at, kind, matter, stars, sealed)
	return err
}

// ratingName is what the text of a rating is bound to.
func ratingName(at int64, stars int) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(at)), byte(stars))
}

// A RatingCount is how often the uses for one matter were rated with 1 to 5 stars.
type RatingCount struct {
	Matter string    // "": of none
	Scores [5]uint64 // Scores[0]: one star
}

// Ratings counts ratings from one time to before another, by matter.
func (v *Vault) Ratings(ctx context.Context, from, until time.Time) ([]RatingCount, error) {
	var out []RatingCount
	err := sqldb.Select(ctx, v.db.Read(), "SELECT matter, stars, COUNT(*) FROM vault_rating WHERE at >= $1 AND at < $2 GROUP BY matter, stars ORDER BY matter, stars", []any{from.Unix(), until.Unix()}, func(rows *sql.Rows) error {
		var matter string
		var stars int
		var n uint64
		if err := rows.Scan(&matter, &stars, &n); err != nil {
			return sqldb.Wrap("count ratings", err)
		}
		if stars < 1 || stars > 5 {
			return damaged("a rating")
		}
		if len(out) == 0 || out[len(out)-1].Matter != matter {
			out = append(out, RatingCount{Matter: matter})
		}
		out[len(out)-1].Scores[stars-1] = n
		return nil
	})
	return out, err
}

// A Comment is what somebody wrote beside a rating.
type Comment struct {
	At     time.Time
	Kind   string
	Matter string
	Stars  int
	Text   string
}

// Comments returns up to limit texts of ratings, newest first.
func (v *Vault) Comments(ctx context.Context, limit int) ([]Comment, error) {
	var out []Comment
	err := sqldb.Select(ctx, v.db.Read(), "SELECT at, kind, matter, stars, sealed FROM vault_rating WHERE sealed IS NOT NULL ORDER BY id DESC LIMIT $1", []any{limit}, func(rows *sql.Rows) error {
		var c Comment
		var at int64
		var sealed []byte
		if err := rows.Scan(&at, &c.Kind, &c.Matter, &c.Stars, &sealed); err != nil {
			return sqldb.Wrap("read a rating", err)
		}
		text, err := v.unsealRecord(purposeRating, ratingName(at, c.Stars), sealed)
		c.At, c.Text = time.Unix(at, 0).UTC(), string(text)
		out = append(out, c)
		return err
	})
	return out, err
}
