package ledgertest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
)

// A Network is a running ledger with a city on it.
type Network struct {
	City *City

	// As returns a new connection of a department; the suite closes it.
	As func(department string) ledger.Ledger
}

// patience bounds everything that the suite waits for.
const patience = 5 * time.Minute

// A test of the suite begins where the ledger stands, and leaves it fit for the next.
type test struct {
	name string
	run  func(*run)
}

// tests are those of Run. What each department does is submitted by nobody else meanwhile.
var tests = []test{
	{"AnchorsOfEverySize", anchorsOfEverySize},
	{"AnchorAgain", anchorAgain},
	{"ConcurrentDuplicates", concurrentDuplicates},
	{"ConcurrentConflicts", concurrentConflicts},
	{"ConcurrentChangesOfOneSequence", concurrentChanges},
	{"ConcurrentMixture", concurrentMixture},
	{"ConcurrentOrganisations", concurrentOrganisations},
	{"FollowFromEveryPosition", followFromEveryPosition},
	{"FollowWaits", followWaits},
	{"FollowResumes", followResumes},
	{"FollowStops", followStops},
	{"FollowersReachTheState", followersReachTheState},
	{"ReceiptsAndBlocks", receiptsAndBlocks},
	{"HeadMoves", headMoves},
	{"History", history},
	{"Queries", queries},
	{"ReadsAreNotOlder", readsAreNotOlder},
	{"EveryCode", everyCode},
	{"DepartmentSuspended", departmentSuspended},
	{"TypeTakenAway", typeTakenAway},
	{"GivenUpBefore", givenUpBefore},
	{"GivenUpDuring", givenUpDuring},
	{"Oversize", oversize},
	{"CloseConnection", closeConnection},
	{"ManyChangesResumed", manyChangesResumed}, // last: it makes a shared ledger long
}

// Run runs the conformance suite on a ledger on which City.Found, or RunFounding, has run. open
// returns a running network; it may return the same one to every test, which run one at a time. The
// suite takes no block for granted but those of its own transactions: where the genesis stands,
// which blocks there are beside and how long a transaction takes is the ledger's affair.
func Run(t *testing.T, open func(t *testing.T) *Network) {
	heights := map[*City]*atomic.Uint64{}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := open(t)
			if heights[n.City] == nil {
				heights[n.City] = new(atomic.Uint64)
			}
			test.on(t, n, heights[n.City])
		})
	}
}

// RunFounding is the part of the suite for a ledger on which nothing stands but the genesis. It
// ends with the city founded, so that Run can follow on the same ledger.
func RunFounding(t *testing.T, n *Network) {
	height := new(atomic.Uint64)
	for _, test := range []test{
		{"Strangers", strangers},
		{"Founding", founding},
	} {
		if !t.Run(test.name, func(t *testing.T) { test.on(t, n, height) }) {
			t.FailNow() // what follows rests on it
		}
	}
}

func (x test) on(t *testing.T, n *Network, height *atomic.Uint64) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	x.run(&run{T: t, Network: n, ctx: ctx, height: height})
}

// A run is one test of the suite on its network.
type run struct {
	*testing.T
	*Network
	ctx      context.Context
	height   *atomic.Uint64 // of the ledger as far as receipts have told, in this test and before it
	accepted []Submission   // by try and submit, in order, those that wrote something
	last     string         // the department that try was called for last
	restore  func()         // undoes what the present ruleCase has done to the city

	mu          sync.Mutex
	connections map[string]ledger.Ledger
}

// connect returns the test's connection of a department, which may ask another copy of the ledger
// than others do, but one that has caught up with all that they were told before.
func (r *run) connect(department string) ledger.Ledger {
	r.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.connections[department]; l != nil {
		return l
	}
	l := r.As(department)
	r.Cleanup(func() {
		if err := l.Close(); err != nil {
			r.Errorf("close a connection: %v", err)
		}
	})
	r.wait(l)
	if r.connections == nil {
		r.connections = map[string]ledger.Ledger{}
	}
	r.connections[department] = l
	return l
}

// wait waits until a connection has caught up with every receipt.
func (r *run) wait(l ledger.Ledger) {
	r.Helper()
	if err := catchUp(r.ctx, l, r.height.Load()); err != nil {
		r.Fatalf("wait for block %d: %v", r.height.Load()-1, err)
	}
}

// everywhere waits until the copies that the departments ask have caught up with every receipt.
func (r *run) everywhere() {
	r.Helper()
	for _, d := range r.City.All() {
		r.wait(r.connect(d.ID))
	}
}

// try submits a transaction in a department's name, once all departments know what the one before
// has submitted.
func (r *run) try(s Submission) (ledger.Receipt, error) {
	r.Helper()
	if r.last != s.Actor {
		r.everywhere()
		r.last = s.Actor
	}
	receipt, err := r.connect(s.Actor).Submit(r.ctx, s.Tx)
	if err == nil && !receipt.Existing {
		raise(r.height, receipt)
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
		return
	}
	r.readable(err)
}

// readable checks that the message of a broken rule is for people.
func (r *run) readable(err error) {
	r.Helper()
	var broken *chaincode.Error
	if !errors.As(err, &broken) || len(broken.Message) < 10 || strings.Contains(broken.Message, `"code"`) {
		r.Errorf("the message of %#v is not one to show", err)
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

// head returns the head of the chain, at which every receipt is true.
func (r *run) head() ledger.Head {
	r.Helper()
	l := r.connect(Authority)
	r.wait(l)
	h, err := l.Head(r.ctx)
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
		next := from + uint64(len(out))
		switch {
		case err != nil:
			r.Fatalf("follow from %d: %v, at %d of %d", from, err, next, to)
		case b.Number != next:
			r.Fatalf("follow from %d: block %d in place of block %d", from, b.Number, next)
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
	State    string  `json:"state"`
	Sequence uint32  `json:"sequence"`
	Last     sm.Hash `json:"last"`
	TxID     string  `json:"txId"`
	History  []struct {
		State    string `json:"state"`
		Sequence uint32 `json:"sequence"`
		TxID     string `json:"txId"`
	} `json:"history"`
}
