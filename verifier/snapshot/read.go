package snapshot

import (
	"slices"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

// maxCount bounds numbers of blocks, heartbeats and entries, and times in seconds, as in statements.
const maxCount = 1<<40 - 1

// parse reads contents that have the hash and length that the header names, and checks what can be
// checked of them. The signer of the header must be, by them, a key of the authority in force for logs.
func parse(raw []byte, header *statement.Snapshot, signer sm.Hash) (*View, error) {
	var c contents
	if err := decMode.Unmarshal(raw, &c); err != nil {
		return nil, errorf(CodeMalformed, "the contents are not those of a snapshot")
	}
	if c.Version != version {
		return nil, errorf(CodeMalformed, "the contents have form %d, and this software reads form %d: use a newer one", c.Version, version)
	}
	if !isEncodingOf(raw, &c) {
		return nil, errorf(CodeMalformed, "the contents are not in their one encoding")
	}
	r := &reader{contents: &c, header: header, base: dayOf(header), View: &View{
		ledger: header.Ledger, head: ledger.Head{Height: header.Height + 1, Hash: header.Block}, namer: namer{header.Block},
		departments: map[string]*verify.Department{}, keys: map[sm.Hash]*verify.Key{}, types: map[string][]*licence.Type{},
		checkpoints: map[logName]verify.Checkpoint{},
	}}
	if err := r.read(signer); err != nil {
		return nil, err
	}
	return r.View, nil
}

// A reader makes a view of contents.
type reader struct {
	contents *contents
	header   *statement.Snapshot
	base     licence.Date // to which days are relative
	needed   []bool       // the heartbeats that something refers to
	*View
}

func (r *reader) read(signer sm.Hash) error {
	for _, step := range []func() error{
		r.readDepartments, r.readKeys, func() error { return r.readGenesis(signer) }, r.readTypes, r.readHeartbeats,
		r.readHeads, r.readAnchors, r.readCheckpoints, r.allNeeded, r.readLicences, r.readWithdrawn,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func inconsistent(format string, args ...any) *Error {
	return errorf(CodeInconsistent, "the snapshot was signed, but is wrong: "+format+"; tell the authority", args...)
}

// ascending reports whether each element stands after the one before it.
func ascending[T any](list []T, compare func(x, y T) int) bool {
	for i := 1; i < len(list); i++ {
		if compare(list[i-1], list[i]) >= 0 {
			return false
		}
	}
	return true
}

func (r *reader) readDepartments() error {
	for i := range r.contents.Departments {
		d := &r.contents.Departments[i]
		s := statement.Department{Ledger: r.ledger, Profile: d.Profile, State: d.State, Sequence: 1}
		if err := s.Validate(); err != nil {
			return inconsistent("department %d: %v", i, err)
		}
		r.departments[d.Profile.ID] = &verify.Department{Profile: d.Profile, State: d.State}
	}
	if !ascending(r.contents.Departments, compareDepartments) {
		return inconsistent("the departments are out of order")
	}
	return nil
}

func (r *reader) readKeys() error {
	var last sm.Hash
	for i := range r.contents.Keys {
		k := &r.contents.Keys[i]
		public, err := sm.NewPublicKey(k.PublicKey[:])
		if err != nil {
			return inconsistent("key %d: %v", i, err)
		}
		kid := public.ID()
		s := statement.Key{
			Ledger: r.ledger, Department: k.Department, Action: statement.KeyEnrol, KeyID: kid, PublicKey: k.PublicKey[:],
			Purposes: k.Purposes, NotBefore: k.NotBefore, NotAfter: k.NotAfter,
		}
		state := verify.KeyState(k.State)
		switch {
		case s.Validate() != nil:
			return inconsistent("key %d: %v", i, s.Validate())
		case r.departments[k.Department] == nil:
			return inconsistent("key %s is of a department that is not there", kid)
		case state != verify.KeyActive && state != verify.KeyRetired && state != verify.KeyCompromised:
			return inconsistent("key %s is in a state that no key has", kid)
		case i > 0 && compare(last, kid) >= 0:
			return inconsistent("the keys are out of order")
		}
		last = kid
		r.keys[kid] = &verify.Key{
			Department: k.Department, Public: public, Purposes: k.Purposes, NotBefore: k.NotBefore, NotAfter: k.NotAfter, State: state,
		}
	}
	return nil
}

// readGenesis finds out who the authority is, and whether the signer is it.
func (r *reader) readGenesis(signer sm.Hash) error {
	genesis, s, err := statement.ParseAs[*statement.Genesis](r.contents.Genesis)
	if err != nil {
		return inconsistent("the genesis: %v", err)
	}
	first, err := sm.NewPublicKey(genesis.PublicKey[:])
	if err != nil || sm.Sum(s.Payload) != r.ledger || !s.Verify(first) {
		return inconsistent("the genesis is not that of the ledger")
	}
	if k := r.keys[first.ID()]; k == nil || k.Department != genesis.Authority.ID {
		return inconsistent("the key of the genesis is not there")
	}
	k := r.keys[signer]
	switch {
	case !signs(k, genesis.Authority.ID):
		return errorf(CodeSigner, "a snapshot is signed with a key of the authority, %s, for logs; %s is none", genesis.Authority.ID, signer)
	case k.State != verify.KeyActive:
		return errorf(CodeSigner, "the key %s, which signs the snapshot, is %s: a snapshot is signed with one in force", signer, k.State)
	case k.NotAfter != nil && r.header.Heartbeat > *k.NotAfter:
		return errorf(CodeSigner, "the key %s, which signs the snapshot, had ended before the newest heartbeat", signer)
	}
	return nil
}

func (r *reader) readTypes() error {
	last := ""
	for i, definition := range r.contents.Types {
		t, err := licence.ParseType(definition)
		if err != nil || string(t.Canonical()) != string(definition) {
			return inconsistent("licence type %d is not one in canonical form", i)
		}
		if t.ID < last || t.Version != len(r.types[t.ID])+1 {
			return inconsistent("the licence types are out of order")
		}
		last, r.types[t.ID] = t.ID, append(r.types[t.ID], t)
	}
	return nil
}

func (r *reader) readHeartbeats() error {
	c := r.contents.Heartbeats
	ok := true
	for last := (verify.Heartbeat{}); ok && len(c.Sequences) > 0; {
		gap := c.Sequences.take(maxCount-last.Sequence, &ok)
		time := int64(last.Time+interval*gap) + c.Times.takeSigned(&ok)
		h := verify.Heartbeat{Sequence: last.Sequence + gap, Time: uint64(time), Block: c.Blocks.takeSum(last.Block, r.header.Height, &ok)}
		if !ok || gap == 0 || time < 0 || time > maxCount || last.Sequence > 0 && h.Time <= last.Time {
			return inconsistent("the heartbeats are out of order")
		}
		r.beats, last = append(r.beats, h), h
	}
	if len(c.Times)+len(c.Blocks) > 0 || r.Heartbeat().Time != r.header.Heartbeat {
		return inconsistent("the newest heartbeat is not the one that was signed")
	}
	r.needed = make([]bool, len(r.beats))
	if n := len(r.needed); n > 0 {
		r.needed[n-1] = true
	}
	return nil
}

// place checks that something at a block has its heartbeats right before and right after it: those up
// to a number and the one after that.
func (r *reader) place(block, number uint64) error {
	if number > uint64(len(r.beats)) {
		return inconsistent("more heartbeats stand before something than there are")
	}
	before, after := r.around(uint32(number))
	switch {
	case before.Block > block, after.Sequence != 0 && after.Block < block, block > r.header.Height:
		return inconsistent("something is not where its heartbeats are")
	case after.Sequence != 0 && after.Sequence != before.Sequence+1:
		return inconsistent("heartbeat %d is not there", before.Sequence+1)
	}
	if before.Sequence != 0 {
		r.needed[number-1] = true
	}
	if after.Sequence != 0 {
		r.needed[number] = true
	}
	return nil
}

// allNeeded requires that no heartbeat is there for nothing.
func (r *reader) allNeeded() error {
	if slices.Contains(r.needed, false) {
		return inconsistent("there is a heartbeat that nothing refers to")
	}
	return nil
}

func (r *reader) readCheckpoints() error {
	list := r.contents.Checkpoints
	for i := range list {
		c := &list[i]
		s := statement.Checkpoint{Ledger: r.ledger, Department: c.Department, Log: c.Log, Size: c.Size, Root: c.Root}
		switch {
		case s.Validate() != nil:
			return inconsistent("checkpoint %d: %v", i, s.Validate())
		case r.departments[c.Department] == nil:
			return inconsistent("a checkpoint is of a department that is not there")
		}
		if err := r.place(c.Block, c.Before); err != nil {
			return err
		}
		before, after := r.around(uint32(c.Before))
		r.checkpoints[logName{c.Department, c.Log}] = verify.Checkpoint{
			Size: c.Size, Root: c.Root, Position: verify.Position{Block: c.Block, Index: c.Index}, Before: before, After: after,
		}
	}
	if !ascending(list, compareCheckpoints) {
		return inconsistent("the checkpoints are out of order")
	}
	return nil
}
