package ledgertest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
)

// A Network is a running ledger with a city on it.
type Network struct {
	City *City // Found has run

	// As returns a new connection of a department of the city; the suite closes it.
	As func(department string) ledger.Ledger
}

// patience bounds everything that the suite waits for.
const patience = time.Minute

// Run runs the conformance suite. open returns a running network; it may return the same one to
// every test, which begin where the ledger stands and leave it fit for the next, but run one at a
// time.
func Run(t *testing.T, open func(t *testing.T) *Network) {
	for _, test := range []struct {
		name string
		run  func(*run)
	}{
		{"AnchorsOfEverySize", anchorsOfEverySize},
		{"AnchorAgain", anchorAgain},
		{"ConcurrentDuplicates", concurrentDuplicates},
		{"ConcurrentConflicts", concurrentConflicts},
		{"ConcurrentChanges", concurrentChanges},
		{"ConcurrentMixture", concurrentMixture},
		{"ConcurrentOrganisations", concurrentOrganisations},
		{"FollowFromEveryPosition", followFromEveryPosition},
		{"FollowWaits", followWaits},
		{"FollowStops", followStops},
		{"FollowersReachTheState", followersReachTheState},
		{"ReceiptsAndBlocks", receiptsAndBlocks},
		{"HeadMoves", headMoves},
		{"History", history},
		{"Queries", queries},
		{"Rules", rules},
		{"GivenUpBefore", givenUpBefore},
		{"GivenUpDuring", givenUpDuring},
		{"Oversize", oversize},
		{"CloseConnection", closeConnection},
		{"ManyChanges", manyChanges}, // last: it makes a shared ledger long
	} {
		t.Run(test.name, func(t *testing.T) {
			n := open(t)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			t.Cleanup(cancel)
			test.run(&run{T: t, Network: n, ctx: ctx})
		})
	}
}

// A run is one test of the suite on its network.
type run struct {
	*testing.T
	*Network
	ctx         context.Context
	connections map[string]ledger.Ledger
	accepted    []Submission // by try and submit, in order, those that wrote something
	restore     func()       // undoes what the present ruleCase has done to the city
}

// connect returns the test's connection of a department.
func (r *run) connect(department string) ledger.Ledger {
	r.Helper()
	if l := r.connections[department]; l != nil {
		return l
	}
	l := r.As(department)
	r.Cleanup(func() {
		if err := l.Close(); err != nil {
			r.Errorf("close a connection: %v", err)
		}
	})
	if r.connections == nil {
		r.connections = map[string]ledger.Ledger{}
	}
	r.connections[department] = l
	return l
}

// try submits a transaction in a department's name.
func (r *run) try(s Submission) (ledger.Receipt, error) {
	r.Helper()
	receipt, err := r.connect(s.Actor).Submit(r.ctx, s.Tx)
	if err == nil && !receipt.Existing {
		r.accepted = append(r.accepted, s)
	}
	return receipt, err
}

// submit submits a transaction that must write something.
func (r *run) submit(department string, tx *chaincode.Transaction) ledger.Receipt {
	r.Helper()
	receipt, err := r.try(Submission{department, tx})
	if err != nil {
		r.Fatalf("submit as %s: %v", department, err)
	}
	if receipt.Existing {
		r.Fatalf("submit as %s: it is said to exist already", department)
	}
	if receipt.TxID == "" {
		r.Fatalf("submit as %s: the receipt has no transaction id", department)
	}
	return receipt
}

// refuse submits a transaction that must break a rule.
func (r *run) refuse(department string, tx *chaincode.Transaction, code string) {
	r.Helper()
	receipt, err := r.try(Submission{department, tx})
	if got := chaincode.Code(err); got != code {
		r.Errorf("submit as %s: %+v, %v; want the code %s", department, receipt, err, code)
	}
}

// anchor puts n random digests of a type on the ledger.
func (r *run) anchor(typ string, n int) *Batch {
	r.Helper()
	b := r.City.Digests(r, typ, n, nil, nil)
	r.submit(b.Issuer, b.Tx)
	return b
}

// evaluate answers a query into v.
func (r *run) evaluate(department string, v any, name string, args ...string) {
	r.Helper()
	b, err := r.connect(department).Evaluate(r.ctx, chaincode.Query{Name: name, Args: args})
	if err != nil {
		r.Fatalf("query %s: %v", name, err)
	}
	decode(r, b, v)
}

// decode reads the answer to a query.
func decode(r *run, answer []byte, v any) {
	r.Helper()
	if err := json.Unmarshal(answer, v); err != nil {
		r.Fatalf("an answer is not what it should be: %v in %.200s", err, answer)
	}
}

// head returns the head of the chain.
func (r *run) head() ledger.Head {
	r.Helper()
	h, err := r.connect(Authority).Head(r.ctx)
	if err != nil {
		r.Fatalf("head: %v", err)
	}
	return h
}

// blocks returns the blocks from a number up to, but not including, another.
func (r *run) blocks(from, to uint64) []*ledger.Block {
	r.Helper()
	var out []*ledger.Block
	if from == to {
		return nil
	}
	for b, err := range r.connect(Authority).Follow(r.ctx, from) {
		if err != nil {
			r.Fatalf("follow from %d: %v, at %d of %d", from, err, from+uint64(len(out)), to)
		}
		if out = append(out, b); b.Number+1 >= to {
			return out
		}
	}
	r.Fatalf("following from %d ended without an error", from)
	return nil
}

// status is the answer to the queries status and root-status.
type status struct {
	State    string `json:"state"`
	Sequence uint32 `json:"sequence"`
	TxID     string `json:"txId"`
	History  []struct {
		State    string `json:"state"`
		Sequence uint32 `json:"sequence"`
		TxID     string `json:"txId"`
	} `json:"history"`
}
