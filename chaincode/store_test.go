package chaincode_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/internal/rulestest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// everything is a transaction of each sort that the rules allow.
func (s *stage) everything() map[string]sample {
	all := map[string]sample{}
	for _, op := range ofOthers {
		tx := op.tx(s, op.signer)
		if _, err := s.on(s.T).Submit(op.submitter, tx); err == nil {
			all[op.name] = sample{actor: op.submitter, tx: tx}
		}
	}
	successor := s.batches[issuer].Status(0, licence.Active, toSuperseded)
	successor.Successor = s.batches[issuer].Place(2)
	all["supersede"] = sample{actor: issuer, tx: s.Tx(successor, issuer+"/status-1")}
	return all
}

var errDisk = errors.New("the disk is gone")

// failing is a state whose reads fail from one on, or hold what they should not.
type failing struct {
	*rulestest.Ledger
	reads, from int
	instead     []byte // what reads return then; nil: errDisk
	replaced    string
}

func (f *failing) Get(key string) ([]byte, error) {
	if f.reads++; f.reads <= f.from {
		return f.Ledger.Get(key)
	}
	if f.instead == nil {
		return nil, errDisk
	}
	f.replaced = key
	f.from = 1 << 30
	return f.instead, nil
}

// Whatever read fails: the error is the store's, never a broken rule, and nothing is written.
func TestStoreFails(t *testing.T) {
	s := newStage(t)
	for name, op := range s.everything() {
		for n := 0; ; n++ {
			state := &failing{Ledger: s.Ledger, from: n}
			writes, err := chaincode.Apply(state, (*statement.Statement).Verify, op.actor, op.tx)
			if state.reads <= n {
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
			if !errors.Is(err, errDisk) || chaincode.Code(err) != "" || writes != nil {
				t.Errorf("%s, read %d: %d writes, %v", name, n+1, len(writes), err)
			}
		}
	}
}

// A state that holds garbage is an error or a broken rule, never a panic.
func TestStateIsCorrupt(t *testing.T) {
	s := newStage(t)
	for name, op := range s.everything() {
		for _, garbage := range [][]byte{{}, {0xff}, []byte("{}"), {0x80}, {0x9f, 0xff}} {
			for n := 0; ; n++ {
				state := &failing{Ledger: s.Ledger, from: n, instead: garbage}
				writes, err := chaincode.Apply(state, (*statement.Statement).Verify, op.actor, op.tx)
				if state.replaced == "" {
					break
				}
				if err != nil && writes != nil {
					t.Errorf("%s, %q in %s: writes beside %v", name, garbage, state.replaced, err)
				}
			}
		}
	}
}

// Transactions that have nothing to do with each other touch no common key that one of them writes:
// in one block of Fabric both are valid.
func TestNoHotKeys(t *testing.T) {
	s := newStage(t)
	batches := []*rulestest.Batch{s.batches[issuer], s.Anchor(issuer, "second", 4), s.batches[other]}
	secondLog := s.Checkpoint(issuer, 9)
	secondLog.Log = "second"
	transactions := map[string]sample{
		"heartbeat":                  {actor: authority, tx: s.Tx(&statement.Heartbeat{Ledger: s.ID, Sequence: 2, Time: rulestest.Time + 1}, authority+"/log")},
		"anchor":                     {actor: issuer, tx: s.Batch(issuer, "third", 2).Tx(s.City, issuer+"/anchor")},
		"another anchor":             {actor: issuer, tx: s.Batch(issuer, "fourth", 2).Tx(s.City, issuer+"/anchor")},
		"another's anchor":           {actor: other, tx: s.Batch(other, "third", 2).Tx(s.City, other+"/anchor")},
		"status":                     {actor: issuer, tx: s.Tx(batches[0].Status(0, licence.Active, toSuspended), issuer+"/status-1")},
		"status of another":          {actor: issuer, tx: s.Tx(batches[0].Status(2, licence.Active, toSuspended), issuer+"/status-1")},
		"status of the root":         {actor: issuer, tx: s.Tx(batches[0].RootStatus(licence.Active, toSuspended), issuer+"/status-1")},
		"restriction":                {actor: issuer, tx: s.Tx(batches[1].Restriction(0, 1), issuer+"/status-1")},
		"status elsewhere":           {actor: other, tx: s.Tx(batches[2].Status(0, licence.Active, toSuspended), other+"/status-1")},
		"checkpoint":                 {actor: issuer, tx: s.Tx(s.Checkpoint(issuer, 9), issuer+"/log")},
		"checkpoint of a second log": {actor: issuer, tx: s.Tx(secondLog, issuer+"/log")},
		"another checkpoint":         {actor: other, tx: s.Tx(s.Checkpoint(other, 9), other+"/log")},
		"consent":                    {actor: issuer, tx: s.Tx(s.Consent(issuer, statement.ConsentGive), issuer+"/consent")},
		"further key":                {actor: other, tx: s.Tx(s.Enrol(other, "new", statement.PurposeLog), "new", other+"/govern")},
		"type":                       {actor: authority, tx: s.Tx(s.Type(readType(t, "divorce")), authority+"/govern")},
		"admission":                  {actor: authority, tx: s.Tx(s.Department(rulestest.Profile("second-newcomer"), 1), authority+"/govern")},
	}
	read, written := map[string]map[string]bool{}, map[string][]string{}
	for name, op := range transactions {
		s.Touched()
		writes, err := chaincode.Apply(s, (*statement.Statement).Verify, op.actor, op.tx)
		if err != nil || len(writes) == 0 {
			t.Fatalf("%s: %d writes, %v", name, len(writes), err)
		}
		read[name] = s.Touched()
		for _, w := range writes {
			written[name] = append(written[name], w.Key)
		}
	}
	for _, reader := range slices.Sorted(maps.Keys(transactions)) {
		for _, writer := range slices.Sorted(maps.Keys(transactions)) {
			for _, key := range written[writer] {
				if reader != writer && (read[reader][key] || slices.Contains(written[reader], key)) {
					t.Errorf("%s reads or writes %s, which %s writes", reader, key, writer)
				}
			}
		}
	}
}
