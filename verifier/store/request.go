package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// A RequestState is what became of a request to an issuer.
type RequestState string

// The states of requests. All but the first are final.
const (
	RequestPending    RequestState = "pending"    // there is no answer, and it is not due
	RequestReleased   RequestState = "released"   // the fields were released
	RequestRefused    RequestState = "refused"    // the answer says no
	RequestUnanswered RequestState = "unanswered" // it fell due without an answer
)

// A Request is one that a department made to an issuer. The bytes are those of packages grant, statement and
// envelope, at which the store does not look; what there is none of is nil.
type Request struct {
	Digest    sm.Hash // its name
	Agency    string  // department that asks
	Signed    []byte
	Subject   []byte // what the licence is to be found by, sealed to the issuer
	Recipient []byte // private key that the answer is sealed to, sealed itself; nil once destroyed
	Clerk     string // who had it made
	Unit      string // where
	ByLaw     bool   // the policy says that it must be answered, without a grant
	Made      time.Time
	Due       time.Time // until when an answer is waited for

	// The store's:
	Number   int64 // in the order in which they were made
	State    RequestState
	Recorded bool   // its end is in the access log
	Attempts int    // to send it, that were begun
	Problem  string // code of why the last of them failed
	Answer   []byte // signed
	Grant    []byte // that it is under
	Binding  []byte // of the grant
	Released []byte // what was released, sealed to the recipient key; nil once that is destroyed
	Ended    time.Time
}

// Bounds of requests.
const (
	// RequestMemory is how long a request is kept after it fell due, with the evidence of it.
	RequestMemory = 3 * 366 * 24 * time.Hour

	// MostRequests is how many requests one call returns at most.
	MostRequests = 1000

	maxRequestPart = 128 << 10 // bytes of each part
	never          = math.MaxInt64
)

// requestColumns are those of a Request, in the order of scanRequest.
const requestColumns = "digest, agency, request, subject, recipient, clerk, unit, by_law, made, due, number, state, recorded, attempts, problem, " +
	"answer, given, binding, released, ended"

func scanRequest(row interface{ Scan(...any) error }) (*Request, error) {
	r := new(Request)
	var digest []byte
	var made, due, ended int64
	if err := row.Scan(&digest, &r.Agency, &r.Signed, &r.Subject, &r.Recipient, &r.Clerk, &r.Unit, &r.ByLaw, &made, &due, &r.Number, &r.State,
		&r.Recorded, &r.Attempts, &r.Problem, &r.Answer, &r.Grant, &r.Binding, &r.Released, &ended); err != nil {
		return nil, err
	}
	if len(digest) != sm.HashSize {
		return nil, errorf(CodeDamaged, nil, "the store gives back other bytes than were written; restore a copy, or begin with an empty store")
	}
	for _, part := range []*[]byte{&r.Subject, &r.Recipient, &r.Answer, &r.Grant, &r.Binding, &r.Released} {
		if len(*part) == 0 {
			*part = nil
		}
	}
	r.Digest, r.Made, r.Due = sm.Hash(digest), time.Unix(made, 0).UTC(), time.Unix(due, 0).UTC()
	if ended != 0 {
		r.Ended = time.Unix(ended, 0).UTC()
	}
	return r, nil
}

// AddRequest keeps a request that is about to be sent. For the time of the lease, of at least a second, no
// call of TakeRequests returns it: who adds it sends it first.
//
// Errors: CodeArgument; CodeUnavailable, after which it may be kept or not.
func (s *Store) AddRequest(ctx context.Context, r *Request, lease time.Duration) error {
	if r.Agency == "" || len(r.Signed) == 0 || len(r.Recipient) == 0 || lease < time.Second || !fits(r.Signed, r.Subject, r.Recipient) {
		return errorf(CodeArgument, nil, "a request has an agency, its bytes and a recipient key, and is leased for a second at least")
	}
	_, err := s.exec(ctx, "keep a request",
		"INSERT INTO verifier_request (digest, agency, request, subject, recipient, clerk, unit, by_law, made, due, state, recorded, next, attempts, problem, "+
			"answer, given, binding, released, ended) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, '', $14, $14, $14, $14, 0)",
		r.Digest[:], r.Agency, r.Signed, filled(r.Subject), r.Recipient, r.Clerk, r.Unit, r.ByLaw, r.Made.Unix(), r.Due.Unix(), RequestPending,
		false, s.now().Add(lease).Unix(), []byte{})
	return err
}

// filled makes an empty part one that is not null.
func filled(part []byte) []byte { return append([]byte{}, part...) }

func fits(parts ...[]byte) bool {
	for _, part := range parts {
		if len(part) > maxRequestPart {
			return false
		}
	}
	return true
}

// TakeRequests returns up to n requests about which something is to be done now, those first that have waited
// longest. For the time of the lease, of at least a second, nobody else gets them; who does not say by then
// what was done leaves them to be taken once more.
//
// Errors: CodeArgument, CodeUnavailable.
func (s *Store) TakeRequests(ctx context.Context, lease time.Duration, n int) ([]*Request, error) {
	if lease < time.Second {
		return nil, errorf(CodeArgument, nil, "a request is leased for a second at least")
	}
	var out []*Request
	err := s.inTransaction(ctx, "take requests", func(tx *sql.Tx) error {
		out = nil
		now := s.now()
		// Of two that take at the same time one waits for the other, and then looks again at what is due.
		return sqldb.Select(ctx, tx, "UPDATE verifier_request SET next = $1, attempts = attempts + CASE WHEN state = $2 THEN 1 ELSE 0 END "+
			"WHERE next <= $3 AND number IN (SELECT number FROM verifier_request WHERE next <= $3 ORDER BY next, number LIMIT $4) RETURNING "+requestColumns,
			[]any{now.Add(lease).Unix(), RequestPending, now.Unix(), n}, func(rows *sql.Rows) error {
				r, err := scanRequest(rows)
				out = append(out, r)
				return err
			})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// RetryRequest has something done about a request again at a time, and keeps why an attempt has failed.
// Error: CodeUnavailable.
func (s *Store) RetryRequest(ctx context.Context, digest sm.Hash, at time.Time, problem string) error {
	_, err := s.exec(ctx, "put a request off", "UPDATE verifier_request SET next = $1, problem = $2 WHERE digest = $3", at.Unix(), problem, digest[:])
	return err
}

// An End is how a request ends.
type End struct {
	State    RequestState // not pending
	Answer   []byte       // empty if it is unanswered
	Grant    []byte       // that the answer is under
	Binding  []byte
	Released []byte // sealed; empty unless the state is released
}

// EndRequest ends a request that is pending, and returns it as it is then: what ended it before stays. The
// recipient key is destroyed unless there is something that it opens. The lease of whoever calls goes on.
//
// Errors: CodeArgument, CodeRequestUnknown, CodeUnavailable.
func (s *Store) EndRequest(ctx context.Context, digest sm.Hash, e End) (r *Request, err error) {
	final := e.State == RequestReleased || e.State == RequestRefused || e.State == RequestUnanswered
	if !final || (e.State == RequestReleased) != (len(e.Released) > 0) || !fits(e.Answer, e.Grant, e.Binding, e.Released) {
		return nil, errorf(CodeArgument, nil, "a request ends released, with what was, refused or unanswered")
	}
	err = s.inTransaction(ctx, "end a request", func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE verifier_request SET state = $1, answer = $2, given = $3, binding = $4, released = $5, ended = $6, "+
			"problem = CASE WHEN $1 = $7 THEN problem ELSE '' END, recipient = CASE WHEN $1 = $8 THEN recipient ELSE $9 END WHERE digest = $10 AND state = $11",
			e.State, filled(e.Answer), filled(e.Grant), filled(e.Binding), filled(e.Released), s.now().Unix(),
			RequestUnanswered, RequestReleased, []byte{}, digest[:], RequestPending)
		if err != nil {
			return err
		}
		r, err = scanRequest(tx.QueryRow("SELECT "+requestColumns+" FROM verifier_request WHERE digest = $1", digest[:]))
		if errors.Is(err, sql.ErrNoRows) {
			return errRequestUnknown()
		}
		return err
	})
	return r, err
}

// RecordedRequest notes that the end of a request is in the access log. The recipient key, if there still is
// one, is to be looked at again at a time, by which nobody may have fetched what it opens. Error:
// CodeUnavailable.
func (s *Store) RecordedRequest(ctx context.Context, digest sm.Hash, look time.Time) error {
	_, err := s.exec(ctx, "note that a request is recorded",
		"UPDATE verifier_request SET recorded = $1, next = CASE WHEN length(recipient) > 0 THEN CAST($2 AS BIGINT) ELSE CAST($3 AS BIGINT) END WHERE digest = $4",
		true, look.Unix(), int64(never), digest[:])
	return err
}

// FetchedRequest notes that what was released was given out: at a time, or before if that is so already, the
// recipient key is to be destroyed. Error: CodeUnavailable.
func (s *Store) FetchedRequest(ctx context.Context, digest sm.Hash, destroy time.Time) error {
	_, err := s.exec(ctx, "note that an answer was fetched", "UPDATE verifier_request SET next = $1 WHERE digest = $2 AND next > $1", destroy.Unix(), digest[:])
	return err
}

// DestroyRecipient destroys the recipient key of a request that has ended, and what only it opens. Error:
// CodeUnavailable.
func (s *Store) DestroyRecipient(ctx context.Context, digest sm.Hash) error {
	_, err := s.exec(ctx, "destroy a recipient key",
		"UPDATE verifier_request SET recipient = $1, released = $1, next = $2 WHERE digest = $3 AND state <> $4", []byte{}, int64(never), digest[:], RequestPending)
	return err
}

// Request returns a request of an agency. Errors: CodeRequestUnknown, also for another's; CodeUnavailable.
func (s *Store) Request(ctx context.Context, agency string, digest sm.Hash) (*Request, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := scanRequest(s.db.Read().QueryRowContext(ctx, "SELECT "+requestColumns+" FROM verifier_request WHERE digest = $1 AND agency = $2", digest[:], agency))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, errRequestUnknown()
	case err != nil:
		return nil, s.failed("look for a request", err)
	}
	return r, nil
}

// Requests returns requests of an agency, the newest first: those in a state, or all for "", with a number
// below before, or all for 0, at most n of them and at most MostRequests. Error: CodeUnavailable.
func (s *Store) Requests(ctx context.Context, agency string, state RequestState, before int64, n int) ([]*Request, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if before == 0 {
		before = never
	}
	query, args := "SELECT "+requestColumns+" FROM verifier_request WHERE agency = $1 AND number < $2 ORDER BY number DESC LIMIT $3", []any{agency, before, min(n, MostRequests)}
	if state != "" {
		query = "SELECT " + requestColumns + " FROM verifier_request WHERE agency = $1 AND number < $2 AND state = $4 ORDER BY number DESC LIMIT $3"
		args = append(args, state)
	}
	var out []*Request
	err := sqldb.Select(ctx, s.db.Read(), query, args, func(rows *sql.Rows) error {
		r, err := scanRequest(rows)
		out = append(out, r)
		return err
	})
	if err != nil {
		return nil, s.failed("look for requests", err)
	}
	return out, nil
}

// purgeRequests deletes requests whose evidence is given up.
const purgeRequests = "DELETE FROM verifier_request WHERE number IN (SELECT number FROM verifier_request WHERE due <= $1 LIMIT $2)"

func errRequestUnknown() error {
	return errorf(CodeRequestUnknown, nil, "the agency has made no such request: GET /v1/requests lists them")
}

// Text is what people are told of a state; no text for what is none.
func (s RequestState) Text() licence.Text {
	switch s {
	case RequestPending:
		return licence.Text{Zh: "等待答复", En: "Waiting for an answer"}
	case RequestReleased:
		return licence.Text{Zh: "已共享", En: "Released"}
	case RequestRefused:
		return licence.Text{Zh: "拒绝共享", En: "Refused"}
	case RequestUnanswered:
		return licence.Text{Zh: "逾期未答复", En: "Not answered in time"}
	}
	return licence.Text{}
}
