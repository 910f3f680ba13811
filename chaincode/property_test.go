package chaincode_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/internal/rulestest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A draw makes random transactions, most of them nearly right, for the state that there is.
type draw struct {
	*rapid.T
	*stage
	batches []*rulestest.Batch
	past    []sample // everything submitted so far
}

func pick[V any](d *draw, label string, values ...V) V {
	return rapid.SampledFrom(values).Draw(d.T, label)
}

// seldom is true about once in n.
func (d *draw) seldom(n int) bool { return rapid.IntRange(1, n).Draw(d.T, "seldom") == n }

// key is mostly the wanted key.
func (d *draw) key(wanted string) string {
	if !d.seldom(8) {
		return wanted
	}
	return pick(d, "department", authority, issuer, other, suspended, stranger) + "/" +
		pick(d, "sort", "govern", "anchor", "status-1", "status-2", "log", "consent", "extra")
}

func (d *draw) state() licence.State {
	return pick(d, "state", licence.Active, toSuspended, toRevoked, toSuperseded)
}

func (d *draw) next() sample {
	if len(d.past) > 0 && d.seldom(6) {
		return pick(d, "replay", d.past...)
	}
	b := pick(d, "batch", d.batches...)
	id := b.Head.Issuer
	var op sample
	switch pick(d, "operation", "anchor", "status", "status", "status", "restriction", "department", "key", "key", "checkpoint", "consent", "heartbeat", "type") {
	case "anchor":
		op = sample{actor: id, tx: b.Tx(d.City, d.key(id+"/anchor"))}
		if d.seldom(8) {
			op.tx.Digests = op.tx.Digests[:len(op.tx.Digests)-32]
		}
	case "status":
		op = sample{actor: id, tx: new(transaction)}
		for range rapid.IntRange(1, 3).Draw(d.T, "changes") {
			c := d.change(b)
			labels := []string{d.key(id + "/status-1"), d.key(id + "/status-2")}[:1+len(c.To)%2]
			op.tx.Statements = append(op.tx.Statements, d.Sign(c, labels...)...)
		}
	case "restriction":
		op = sample{actor: id, tx: d.Tx(d.restriction(b), d.key(id+"/status-1"))}
	case "department":
		p := rulestest.Profile(pick(d, "department", authority, issuer, other, suspended, "newcomer"))
		c := d.Department(p, 1)
		if record, found, _ := chaincode.Load[chaincode.Department](d, chaincode.DepartmentStateKey(p.ID)); found {
			c.Sequence = record.Sequence + uint64(rapid.IntRange(0, 1).Draw(d.T, "step"))
		}
		c.Sequence = max(c.Sequence, 1)
		c.State = pick(d, "state", statement.DepartmentActive, statement.DepartmentSuspended)
		op = sample{actor: authority, tx: d.Tx(c, d.key(authority+"/govern"))}
	case "key":
		op = d.keyChange()
	case "checkpoint":
		c := d.Checkpoint(id, uint64(rapid.IntRange(0, 5).Draw(d.T, "size")))
		c.Log = pick(d, "log", rulestest.Log, "second")
		if d.seldom(4) {
			c.Root = sm.Sum(nil)
		}
		op = sample{actor: id, tx: d.Tx(c, d.key(id+"/log"))}
	case "consent":
		c := d.Consent(id, pick(d, "action", statement.ConsentGive, statement.ConsentWithdraw))
		op = sample{actor: id, tx: d.Tx(c, d.key(id+"/consent"))}
	case "heartbeat":
		h := &statement.Heartbeat{Ledger: d.ID, Sequence: 1, Time: rulestest.Time + uint64(rapid.IntRange(0, 1000).Draw(d.T, "time"))}
		if record, found, _ := chaincode.Load[chaincode.Heartbeat](d, chaincode.HeartbeatStateKey); found {
			h.Sequence = record.Sequence + 1
		}
		op = sample{actor: authority, tx: d.Tx(h, d.key(authority+"/log"))}
	case "type":
		op = sample{actor: authority, tx: d.Tx(d.Type(readType(d.stage.T, pick(d, "type", "divorce", "no-record"))), d.key(authority+"/govern"))}
	}
	if d.seldom(10) {
		op.actor = pick(d, "actor", authority, issuer, other, suspended, stranger)
	}
	if d.seldom(10) {
		spoil(op.tx.Statements[0])
	}
	return op
}

// change continues what the state says, mostly.
func (d *draw) change(b *rulestest.Batch) *statement.Status {
	i := rapid.IntRange(0, len(b.Digests)-1).Draw(d.T, "licence")
	c := b.Status(i, licence.Active, d.state())
	key := chaincode.StatusStateKey(c.Issuer, c.Licence.Digest, b.Head.Type)
	if d.seldom(4) {
		c.Licence, key = nil, chaincode.RootStatusStateKey(c.Issuer, c.Root)
	}
	if record, found, _ := chaincode.Load[chaincode.Status](d, key); found {
		c.Sequence, c.From, c.Previous = record.Sequence+1, string(record.State), &record.Last
	}
	if c.Licence != nil && licence.State(c.To) == toSuperseded {
		c.Successor = b.Place((i + 1) % len(b.Digests))
	}
	return c
}

func (d *draw) restriction(b *rulestest.Batch) *statement.Restriction {
	r := b.Restriction(0, byte(rapid.IntRange(1, 3).Draw(d.T, "id")))
	r.Action = pick(d, "action", statement.RestrictionLay, statement.RestrictionLift)
	if record, found, _ := chaincode.Load[chaincode.Restrictions](d, chaincode.RestrictionStateKey(r.Issuer, r.Licence.Digest, b.Head.Type)); found {
		r.Sequence, r.Previous = record.Sequence+1, &record.Last
	}
	return r
}

func (d *draw) keyChange() sample {
	id := pick(d, "department", authority, issuer, other, suspended)
	label := id + "/" + pick(d, "key", "anchor", "status-1", "extra", "extra-2", "govern")
	actor := pick(d, "actor", id, authority)
	if action := pick(d, "action", statement.KeyEnrol, statement.KeyRetire, statement.KeyCompromise); action != statement.KeyEnrol {
		return sample{actor: actor, tx: d.Tx(d.EndKey(id, action, label), d.key(id+"/govern"))}
	}
	labels := []string{label, d.key(id + "/govern")}
	if d.seldom(3) {
		labels = append(labels, d.key(authority+"/govern"))
	}
	k := d.Enrol(id, label, pick(d, "purposes", statement.PurposeAnchor, statement.PurposeStatus, statement.PurposeGovern))
	return sample{actor: actor, tx: d.Tx(k, labels...)}
}

// TestAnySequence: whatever is submitted in whatever order, what must not change does not, what
// only grows only grows, a refusal writes nothing, nothing is written twice, and the same
// transactions give the same state.
func TestAnySequence(t *testing.T) {
	base := newStage(t)
	var batches []*rulestest.Batch
	for _, id := range []string{issuer, issuer, other, suspended} {
		batches = append(batches, base.Batch(id, "drawn "+string(rune('0'+len(batches))), 1+len(batches)))
	}
	committed := 0
	rapid.Check(t, func(rt *rapid.T) {
		d := &draw{T: rt, stage: base.on(t), batches: batches}
		twin := base.Ledger.Clone()
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			op := d.next()
			d.past = append(d.past, op)
			parsed, err := chaincode.ParseTransaction(op.tx.Bytes())
			if err != nil || !bytes.Equal(parsed.Bytes(), op.tx.Bytes()) {
				rt.Fatalf("the transaction does not survive its encoding: %v", err)
			}
			writes, err := chaincode.Apply(d, (*statement.Statement).Verify, op.actor, parsed)
			if err != nil {
				if chaincode.Code(err) == "" || writes != nil {
					rt.Fatalf("refused without a code, or with writes: %v", err)
				}
				continue
			}
			if problem := badWrites(d, parsed, writes); problem != "" {
				rt.Fatal(problem)
			}
			if len(writes) == 0 {
				continue
			}
			committed++
			d.Write(writes)
			if existing, err := twin.Submit(op.actor, op.tx); err != nil || existing {
				rt.Fatalf("applied once but not a second time elsewhere: existing %v, %v", existing, err)
			}
			if again, err := chaincode.Apply(d, (*statement.Statement).Verify, op.actor, parsed); err == nil && len(again) > 0 {
				rt.Fatalf("writes twice: %v", again[0].Key)
			}
		}
		if d.Dump() != twin.Dump() {
			rt.Fatal("the same transactions gave another state")
		}
	})
	if committed < 100 {
		t.Errorf("only %d transactions were drawn that the rules allow", committed)
	}
}

// badWrites says what is wrong with the writes of a transaction, "" if nothing.
func badWrites(state chaincode.State, tx *transaction, writes []chaincode.Write) string {
	if !slices.IsSortedFunc(writes, func(a, b chaincode.Write) int { return strings.Compare(a.Key, b.Key) }) {
		return "writes are not in ascending order"
	}
	for i, w := range writes {
		if len(w.Value) == 0 || w.Key == "" || i > 0 && writes[i-1].Key == w.Key {
			return "an empty write, or two of one key: " + w.Key
		}
		for _, c := range []byte(w.Key) {
			if c <= ' ' || c > '~' {
				return "a key that is not printable: " + w.Key
			}
		}
		if problem := badWrite(state, tx, w); problem != "" {
			return w.Key + ": " + problem
		}
	}
	return ""
}

func load[R any](state chaincode.State, w chaincode.Write) (before, after *R) {
	after, _, err := chaincode.Load[R](fixed{w}, w.Key)
	if err != nil {
		panic(err)
	}
	if before, _, err = chaincode.Load[R](state, w.Key); err != nil {
		panic(err)
	}
	if before == nil {
		before = new(R)
	}
	return before, after
}

type fixed struct{ w chaincode.Write }

func (f fixed) Get(string) ([]byte, error) { return f.w.Value, nil }

func badWrite(state chaincode.State, tx *transaction, w chaincode.Write) string {
	old, err := state.Get(w.Key)
	if err != nil {
		panic(err)
	}
	is := func(prefix string) bool { return strings.HasPrefix(w.Key, prefix) }
	switch {
	case is(chaincode.AnchorPrefix), is(chaincode.DisownedPrefix), is(chaincode.DefinitionPrefix), is(chaincode.CheckpointPrefix), w.Key == chaincode.LedgerStateKey:
		if old != nil {
			return "changed, though it never may"
		}
	case is(chaincode.StatusPrefix), is(chaincode.RootStatusPrefix):
		before, after := load[chaincode.Status](state, w)
		if after.Sequence != before.Sequence+1 || !after.State.Valid() || !signs(tx, after.Last) {
			return "not the next change, or not one of this transaction"
		}
		if before.Sequence == 0 && after.State == licence.Active || after.State == before.State {
			return "not a change"
		}
	case is(chaincode.RestrictionPrefix):
		before, after := load[chaincode.Restrictions](state, w)
		if grown := len(after.Open) - len(before.Open); after.Sequence != before.Sequence+1 || grown*grown != 1 || !signs(tx, after.Last) {
			return "not one restriction more or less"
		}
	case is(chaincode.DepartmentPrefix):
		before, after := load[chaincode.Department](state, w)
		if before.Enrolled && !after.Enrolled || after.Sequence < before.Sequence || after.Sequence > before.Sequence+1 ||
			after.Profile.ID == authority && after.State != statement.DepartmentActive {
			return "a department went back"
		}
	case is(chaincode.KeyPrefix):
		before, after := load[chaincode.Key](state, w)
		rank := map[string]int{"": 0, chaincode.KeyActive: 1, chaincode.KeyRetired: 2, chaincode.KeyCompromised: 3}
		if rank[after.State] <= rank[before.State] {
			return "a key went from " + before.State + " to " + after.State
		}
		if before.State != "" && (before.Department != after.Department || before.PublicKey != after.PublicKey || before.Purposes != after.Purposes) {
			return "a key became another"
		}
	case is(chaincode.TypePrefix):
		if before, after := load[chaincode.TypeVersions](state, w); after.Newest != before.Newest+1 {
			return "not the next version"
		}
	case is(chaincode.LastCheckpoint):
		if before, after := load[chaincode.Checkpoint](state, w); after.Size < before.Size {
			return "a log shrank"
		}
	case is(chaincode.ConsentPrefix):
		if string(old) == statement.ConsentWithdraw || string(old) == string(w.Value) {
			return "a withdrawal is final"
		}
	case w.Key == chaincode.HeartbeatStateKey:
		if before, after := load[chaincode.Heartbeat](state, w); after.Sequence != before.Sequence+1 || after.Time <= before.Time {
			return "a heartbeat went back"
		}
	default:
		return "a key that nothing is known of"
	}
	return ""
}

// signs reports whether a payload of the transaction has the hash.
func signs(tx *transaction, h sm.Hash) bool {
	return slices.ContainsFunc(tx.Statements, func(b []byte) bool {
		s, err := statement.Parse(b)
		return err == nil && sm.Sum(s.Payload) == h
	})
}
