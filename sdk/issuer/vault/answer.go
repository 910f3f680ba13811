package vault

import (
	"context"
	"database/sql"
	"time"

	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// An Answer is what was answered to another department's request, as the vault keeps it. What the statements say
// is the caller's to know.
type Answer struct {
	ID       int64   // in the order in which they were given
	Request  sm.Hash // name of the request
	Asked    []byte  // the signed request
	Answered []byte  // the signed answer
	Licence  ID      // 0: none was found
	Type     string  // of licence that was asked for
	Grant    *sm.Hash
	Use      uint32 // number of this use of the grant; 0 without
	At       time.Time
	Expires  time.Time // until when what was released is given again
	Envelope []byte    // what was released; nil: nothing, or not kept any more
	Logged   bool      // it is known that the access log has it
}

// Bounds of an answer in bytes.
const (
	maxAnswerStatement = 16 << 10
	maxEnvelope        = 128 << 10
)

// AddAnswer keeps an answer, before anybody gets it. ID, At and Logged are not looked at. Errors: CodeArgument; CodeErased if
// something was released of a licence that was erased meanwhile; CodeAnswered if the vault has an answer to this request, or
// to another with this use of the grant.
func (t *Tx) AddAnswer(a *Answer) error {
	if len(a.Asked) == 0 || len(a.Asked) > maxAnswerStatement || len(a.Answered) == 0 || len(a.Answered) > maxAnswerStatement || len(a.Envelope) > maxEnvelope ||
		len(a.Type) > maxType || (a.Grant == nil) != (a.Use == 0) {
		return errorf(CodeArgument, nil, "an answer has a request and an answer of 1 to %d bytes, and an envelope of at most %d", maxAnswerStatement, maxEnvelope)
	}
	sealed, err := t.v.sealRecord(purposeAnswer, a.Request[:], dcbor.AppendBytes(dcbor.AppendBytes(dcbor.AppendArray(nil, 2), a.Asked), a.Answered))
	if err != nil {
		return err
	}
	var envelope, until, grant, use any
	if a.Envelope != nil {
		if l, err := oneLicence(t.ctx, t.tx, selectLicence+"WHERE l.id = $1", int64(a.Licence)); err != nil {
			return err
		} else if l.ErasedAt != nil {
			return errorf(CodeErased, nil, "licence %d was erased", a.Licence)
		}
		if envelope, err = t.v.sealRecord(purposeEnvelope, a.Request[:], a.Envelope); err != nil {
			return err
		}
		until = a.Expires.Unix()
	}
	if a.Grant != nil {
		grant, use = a.Grant[:], int64(a.Use)
	}
	_, err = t.exec("keep an answer", "INSERT INTO vault_answer (request, licence, type, grant_digest, use_number, answered_at, expires, logged, sealed, envelope, kept_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
		a.Request[:], int64(a.Licence), a.Type, grant, use, t.at, a.Expires.Unix(), false, sealed, envelope, until)
	if sqldb.Code(err) == sqldb.CodeUnique {
		return errorf(CodeAnswered, nil, "the request was answered before")
	}
	return err
}

// AnswersLogged notes that the access log has the entries of answers.
func (t *Tx) AnswersLogged(requests ...sm.Hash) error {
	for i := range requests {
		if _, err := t.exec("note that an answer is logged", "UPDATE vault_answer SET logged = $1 WHERE request = $2", true, requests[i][:]); err != nil {
			return err
		}
	}
	return nil
}

// Answer returns the answer to a request, by the request's name. Error: CodeUnknown.
func (v *Vault) Answer(ctx context.Context, request sm.Hash) (*Answer, error) {
	found, err := v.answers(ctx, "WHERE request = $1", request[:])
	if err == nil && len(found) == 0 {
		return nil, errorf(CodeUnknown, nil, "there is no answer to this request in the vault")
	} else if err != nil {
		return nil, err
	}
	return found[0], nil
}

// AnswersOf returns up to limit answers to requests for licences of some types, with ids below one, newest first; 0: from
// the newest.
func (v *Vault) AnswersOf(ctx context.Context, types []string, before int64, limit int) ([]*Answer, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	if len(types) == 0 {
		return nil, nil
	}
	where, args := oneOf("type", types, []any{before, limit})
	return v.answers(ctx, "WHERE id < $1 AND "+where+" ORDER BY id DESC LIMIT $2", args...)
}

// UnloggedAnswers returns up to limit answers of which it is not known that the access log has them, oldest first, with ids
// after one.
func (v *Vault) UnloggedAnswers(ctx context.Context, after int64, limit int) ([]*Answer, error) {
	return v.answers(ctx, "WHERE logged = $1 AND id > $2 ORDER BY id LIMIT $3", false, after, limit)
}

func (v *Vault) answers(ctx context.Context, where string, args ...any) ([]*Answer, error) {
	var out []*Answer
	err := sqldb.Select(ctx, v.db.Read(), "SELECT id, request, licence, type, grant_digest, use_number, answered_at, expires, logged, sealed, envelope FROM vault_answer "+where, args, func(rows *sql.Rows) error {
		a := new(Answer)
		var request, grant, sealed, envelope []byte
		var use *uint32
		var at, expires int64
		if err := rows.Scan(&a.ID, &request, &a.Licence, &a.Type, &grant, &use, &at, &expires, &a.Logged, &sealed, &envelope); err != nil {
			return sqldb.Wrap("read an answer", err)
		}
		if len(request) != sm.HashSize || grant != nil && (len(grant) != sm.HashSize || use == nil) {
			return damaged("an answer")
		}
		a.Request, a.At, a.Expires = sm.Hash(request), time.Unix(at, 0).UTC(), time.Unix(expires, 0).UTC()
		if grant != nil {
			digest := sm.Hash(grant)
			a.Grant, a.Use = &digest, *use
		}
		plain, err := v.unsealRecord(purposeAnswer, request, sealed)
		if err != nil {
			return err
		}
		r := dcbor.NewReader(plain)
		r.ArrayOf(2)
		a.Asked, a.Answered = r.Bytes(maxAnswerStatement), r.Bytes(maxAnswerStatement)
		if !r.OK() || len(r.Rest()) != 0 {
			return damaged("an answer")
		}
		if envelope != nil {
			if a.Envelope, err = v.unsealRecord(purposeEnvelope, request, envelope); err != nil {
				return err
			}
		}
		out = append(out, a)
		return nil
	})
	return out, err
}
