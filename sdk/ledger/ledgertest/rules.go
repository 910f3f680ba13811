package ledgertest

import (
	"bytes"
	"strings"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A ruleCase is one way to break a rule, and the code that must come of it. make does whatever has
// to be on the ledger before, and sets run.restore if something has to be undone afterwards.
type ruleCase struct {
	code string
	make func(*run) Submission
}

// unreachable has the codes that nothing can lead to on a ledger that Run gets, and why.
var unreachable = map[string]string{
	chaincode.CodeNoLedger: "is given only before the genesis",
}

// ruleCases are refused submissions. With queryCases they have every code that there is; a test of
// this package compares them with the constants.
func ruleCases() []ruleCase {
	var all []ruleCase
	for _, cases := range [][]ruleCase{formCases, governCases, keyCases, anchorCases, statusCases, evidenceCases} {
		all = append(all, cases...)
	}
	return all
}

// queryCases are queries that have no answer.
var queryCases = []struct {
	code string
	name string
	args []string
}{
	{chaincode.CodeQuery, "nothing", nil},
	{chaincode.CodeQuery, "", nil},
	{chaincode.CodeQuery, "ledger", []string{"1"}},
	{chaincode.CodeQuery, "anchor", []string{Marriages}},
	{chaincode.CodeQuery, "anchor", []string{Marriages, "0"}},
	{chaincode.CodeQuery, "department", []string{"NOBODY"}},
	{chaincode.CodeNotFound, "anchor", []string{Marriages, strings.Repeat("0", 2*sm.HashSize)}},
	{chaincode.CodeNotFound, "consent", []string{Marriages, strings.Repeat("0", 2*sm.HashSize)}},
	{chaincode.CodeNotFound, "department", []string{"nobody"}},
	{chaincode.CodeNotFound, "type", []string{"marriage", "99"}},
}

// everyCode breaks every rule. None of it may change anything: in the end the ledger has grown by
// what was accepted in between, and by nothing else.
func everyCode(r *run) {
	from := r.head().Height
	for _, c := range ruleCases() {
		s := c.make(r)
		r.refuse(s.Actor, s.Tx, c.code)
		if r.restore != nil {
			r.restore()
			r.restore = nil
		}
	}
	for _, c := range queryCases {
		answer, err := r.connect(Authority).Evaluate(r.ctx, chaincode.Query{Name: c.name, Args: c.args})
		if chaincode.Code(err) != c.code {
			r.Errorf("query %s %v: %s, %v; want %s", c.name, c.args, answer, err, c.code)
			continue
		}
		r.readable(err)
	}
	r.anchor("marriage", 1)
	i := 0
	for _, b := range r.blocks(from, r.head().Height) {
		for _, t := range b.Transactions {
			if i >= len(r.accepted) || t.Actor != r.accepted[i].Actor || !bytes.Equal(t.Bytes, r.accepted[i].Tx.Bytes()) {
				r.Fatalf("transaction %s of %s is on the ledger, but was not the next to be accepted", t.ID, t.Actor)
			}
			i++
		}
	}
	if i != len(r.accepted) {
		r.Errorf("%d transactions are on the ledger, %d were accepted", i, len(r.accepted))
	}
}

// enrolled enrols a fresh key for a department.
func (r *run) enrolled(d *Department, purposes statement.Purposes, edit func(*statement.Key)) *sm.PrivateKey {
	r.Helper()
	key := freshKey(r)
	body := r.City.Enrolment(d.ID, key, purposes)
	if edit != nil {
		edit(body)
	}
	r.submit(d.ID, Sign(r, body, d.Govern, key))
	return key
}

func freshKey(r *run) *sm.PrivateKey {
	r.Helper()
	key, err := sm.GenerateKey(nil)
	if err != nil {
		r.Fatal(err)
	}
	return key
}

// ended ends a key of a department.
func (r *run) ended(d *Department, key *sm.PrivateKey, action string, disowned ...sm.Hash) {
	r.Helper()
	r.submit(d.ID, Sign(r, r.City.EndKey(d.ID, key, action, disowned...), d.Govern))
}

// nextDepartment returns the statement that changes a department, whatever was changed before.
func (r *run) nextDepartment(d *Department, state string) *statement.Department {
	r.Helper()
	var now struct {
		Sequence uint64 `json:"sequence"`
	}
	r.evaluate(Authority, &now, "department", d.ID)
	s := r.City.Admission(d)
	s.State, s.Sequence = state, now.Sequence+1
	return s
}

// nextHeartbeat returns the heartbeat that is due, whatever there was before.
func (r *run) nextHeartbeat() *statement.Heartbeat {
	r.Helper()
	var now struct {
		Sequence uint64 `json:"sequence"`
		Time     uint64 `json:"time"`
	}
	b, err := r.connect(Authority).Evaluate(r.ctx, chaincode.Query{Name: "heartbeat"})
	switch {
	case chaincode.Code(err) == chaincode.CodeNotFound:
		now.Time = Time
	case err != nil:
		r.Fatalf("query heartbeat: %v", err)
	default:
		decode(r, b, &now)
	}
	return &statement.Heartbeat{Ledger: r.City.ID, Sequence: now.Sequence + 1, Time: now.Time + 60}
}

// unsubmitted is the submission of a batch, for the caller to make; see City.Digests.
func (r *run) unsubmitted(typ string, n int, edit func(*statement.Head), key *sm.PrivateKey) Submission {
	r.Helper()
	b := r.City.Digests(r, typ, n, edit, key)
	return Submission{b.Issuer, b.Tx}
}

// formCases are those that need no state.
var formCases = []ruleCase{
	{statement.CodeMalformed, func(r *run) Submission {
		return Submission{Marriages, &chaincode.Transaction{Statements: [][]byte{[]byte("not a statement")}}}
	}},
	{statement.CodeMalformed, func(r *run) Submission {
		s := r.unsubmitted("marriage", 1, nil, nil)
		s.Tx.Statements[0] = append(s.Tx.Statements[0], 0)
		return s
	}},
	{statement.CodeTooLarge, func(r *run) Submission {
		return Submission{Marriages, &chaincode.Transaction{Statements: [][]byte{make([]byte, statement.MaxSize+1)}}}
	}},
	{statement.CodeWrongKind, func(r *run) Submission {
		s := r.unsubmitted("marriage", 1, nil, nil)
		s.Tx.Statements[0] = bytes.Replace(s.Tx.Statements[0], []byte(".head+cbor"), []byte(".hand+cbor"), 1)
		return s
	}},
	{statement.CodeInvalid, func(r *run) Submission {
		s := r.unsubmitted("marriage", 1, nil, nil)
		s.Tx.Statements[0] = bytes.Replace(s.Tx.Statements[0], []byte("civil-affairs"), []byte("Civil-affairs"), 1)
		return s
	}},
	{chaincode.CodeMalformed, func(r *run) Submission {
		return Submission{Marriages, &chaincode.Transaction{}}
	}},
	{chaincode.CodeMalformed, func(r *run) Submission {
		tx := Sign(r, r.nextHeartbeat(), r.City.Authority.Log)
		tx.Digests = make([]byte, sm.HashSize)
		return Submission{Authority, tx}
	}},
	{chaincode.CodeTooLarge, func(r *run) Submission {
		s := r.unsubmitted("marriage", 1, nil, nil)
		s.Tx.Digests = make([]byte, chaincode.MaxTransaction)
		return s
	}},
	{chaincode.CodeTooMany, func(r *run) Submission { // two heads
		s, other := r.unsubmitted("marriage", 1, nil, nil), r.unsubmitted("marriage", 1, nil, nil)
		s.Tx.Statements = append(s.Tx.Statements, other.Tx.Statements...)
		return s
	}},
	{chaincode.CodeOtherLedger, func(r *run) Submission {
		return r.unsubmitted("marriage", 1, func(h *statement.Head) { h.Ledger[0] ^= 1 }, nil)
	}},
	{chaincode.CodeLedgerExists, func(r *run) Submission {
		return Submission{Authority, &chaincode.Transaction{Statements: [][]byte{r.City.Genesis}}}
	}},
	{chaincode.CodeOffLedger, func(r *run) Submission {
		return Submission{Authority, Sign(r, &statement.Snapshot{Ledger: r.City.ID}, r.City.Authority.Log)}
	}},
}

// governCases are about departments and types.
var governCases = []ruleCase{
	{chaincode.CodeNotAuthority, func(r *run) Submission {
		d := r.City.Department(r, Marriages)
		return Submission{Marriages, Sign(r, r.nextDepartment(d, statement.DepartmentActive), r.City.Authority.Govern)}
	}},
	{chaincode.CodeNotAuthority, func(r *run) Submission { // suspends itself
		d := r.City.Authority
		return Submission{Authority, Sign(r, r.nextDepartment(d, statement.DepartmentSuspended), d.Govern)}
	}},
	{chaincode.CodeWrongOrganisation, func(r *run) Submission { // signed by a department
		d := r.City.Department(r, Marriages)
		return Submission{Authority, Sign(r, r.nextDepartment(d, statement.DepartmentActive), d.Govern)}
	}},
	{chaincode.CodeDepartmentUnknown, func(r *run) Submission {
		key := freshKey(r)
		return Submission{Authority, Sign(r, r.City.Enrolment("nobody", key, statement.PurposeAnchor), r.City.Authority.Govern, key)}
	}},
	{chaincode.CodeDepartmentSuspended, func(r *run) Submission {
		d, govern := r.City.Department(r, Businesses), r.City.Authority.Govern
		key := freshKey(r)
		enrol := Sign(r, r.City.Enrolment(d.ID, key, statement.PurposeAnchor), d.Govern, key)
		r.submit(Authority, Sign(r, r.nextDepartment(d, statement.DepartmentSuspended), govern))
		r.restore = func() { r.submit(Authority, Sign(r, r.nextDepartment(d, statement.DepartmentActive), govern)) }
		r.refuse(d.ID, enrol, chaincode.CodeDepartmentSuspended)
		return r.unsubmitted("business", 1, nil, nil)
	}},
	{chaincode.CodeSequence, func(r *run) Submission { // replays the admission
		d := r.City.Department(r, Marriages)
		return Submission{Authority, Sign(r, r.City.Admission(d), r.City.Authority.Govern)}
	}},
	{chaincode.CodeTypeInvalid, func(r *run) Submission {
		body := &statement.Type{Ledger: r.City.ID, ID: "marriage", Version: 2, Definition: []byte("{}"), SignedAt: Time}
		return Submission{Authority, Sign(r, body, r.City.Authority.Govern)}
	}},
	{chaincode.CodeTypeInvalid, func(r *run) Submission { // the definition of another type
		body := &statement.Type{
			Ledger: r.City.ID, ID: "marriage", Version: 2, Definition: r.City.Type(r, "property").Canonical(), SignedAt: Time,
		}
		return Submission{Authority, Sign(r, body, r.City.Authority.Govern)}
	}},
	{chaincode.CodeSequence, func(r *run) Submission { // publishes a version again
		body := &statement.Type{
			Ledger: r.City.ID, ID: "marriage", Version: 1, Definition: r.City.Type(r, "marriage").Canonical(), SignedAt: Time,
		}
		return Submission{Authority, Sign(r, body, r.City.Authority.Govern)}
	}},
}
