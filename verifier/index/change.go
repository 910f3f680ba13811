package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

// What lies in the arena about a licence begins with its subject:
//
//	hash        32 bytes, its digest; of a change of a whole root, that root
//	issuer      uvarint, a name
//	type        uvarint, a name
//
// A change goes on with
//
//	state       1 byte: index in states, changePrevious, changeSuccessor
//	effective   4 bytes
//	reason      32 bytes
//	previous    4 bytes, the ref of the change before it, if changePrevious
//	successor   32 bytes, if changeSuccessor
//	block       uvarint
//	index       uvarint
//
// restrictions with their number in 1 byte and for each 16 bytes of id, 32 of ground and 4 of
// effective day; and a consent with nothing (its type is name 0): the table that it is in says which.

const (
	subjectSize     = sm.HashSize + 2*binary.MaxVarintLen32 // at most
	stateMask       = 3
	changePrevious  = 1 << 2
	changeSuccessor = 1 << 3
	restrictionSize = 16 + sm.HashSize + 4
)

var states = [...]licence.State{licence.Active, licence.Suspended, licence.Superseded, licence.Revoked}

var errFull = errors.New("the index has no room for more")

func (s *subject) append(b []byte) []byte {
	b = append(b, s.hash[:]...)
	b = binary.AppendUvarint(b, uint64(s.issuer))
	return binary.AppendUvarint(b, uint64(s.typ))
}

// after returns what follows a subject in b, if it is this one.
func (s *subject) after(b []byte) (rest []byte, ok bool) {
	if [sm.HashSize]byte(b) != s.hash {
		return nil, false
	}
	b = b[sm.HashSize:]
	issuer, n := binary.Uvarint(b)
	typ, m := binary.Uvarint(b[n:])
	return b[n+m:], issuer == uint64(s.issuer) && typ == uint64(s.typ)
}

// same returns a function that tells whether what lies at a ref is about the subject.
func (m *memory) same(s *subject) func(ref) bool {
	return func(r ref) bool {
		_, ok := s.after(m.strings.at(r))
		return ok
	}
}

// file puts what is known of a subject into the arena.
func (m *memory) file(b []byte) (ref, error) {
	r := m.strings.add(b)
	if r == 0 {
		return 0, errFull
	}
	return r, nil
}

// addChange files the next change of the status of a licence.
func (m *memory) addChange(rest string, value []byte, at place) error {
	s, err := m.subject(rest, true)
	if err != nil {
		return err
	}
	r, err := m.fileChange(&s, value, at, m.changeTable.find(&s.hash, m.same(&s)))
	if err == nil {
		m.changeTable.set(&s.hash, r, m.same(&s))
	}
	return err
}

// addRootChange files the next change of the status of all licences under a root.
func (m *memory) addRootChange(rest string, value []byte, at place) error {
	a, err := m.anchorOf(rest)
	if err != nil {
		return err
	}
	s := subject{issuer: a.issuer, typ: a.typ, hash: a.root}
	r, err := m.fileChange(&s, value, at, a.changes)
	if err == nil {
		a.changes = r
	}
	return err
}

func (m *memory) fileChange(s *subject, value []byte, at place, previous ref) (ref, error) {
	var c chaincode.Status
	if err := cbor.Unmarshal(value, &c); err != nil {
		return 0, err
	}
	state := slices.Index(states[:], c.State)
	if state < 0 {
		return 0, fmt.Errorf("a state that no licence has")
	}
	if previous != 0 {
		state |= changePrevious
	}
	if c.Successor != nil {
		state |= changeSuccessor
	}
	b := s.append(make([]byte, 0, 2*subjectSize+80))
	b = append(b, byte(state))
	b = binary.LittleEndian.AppendUint32(b, uint32(c.Effective))
	b = append(b, c.Reason[:]...)
	if previous != 0 {
		b = binary.LittleEndian.AppendUint32(b, uint32(previous))
	}
	if c.Successor != nil {
		b = append(b, c.Successor.Digest[:]...)
	}
	b = binary.AppendUvarint(b, at.Block)
	b = binary.AppendUvarint(b, uint64(at.Index))
	return m.file(b)
}

// changes returns the changes of a subject that end with the one at a ref, in the ledger's order.
func (m *memory) changes(s *subject, newest ref) []verify.Change {
	var out []verify.Change
	for r := newest; r != 0; {
		var c verify.Change
		c, r = m.changeAt(s, r)
		out = append(out, c)
	}
	slices.Reverse(out)
	return out
}

func (m *memory) changeAt(s *subject, r ref) (c verify.Change, previous ref) {
	b, _ := s.after(m.strings.at(r))
	flags := b[0]
	c.State = states[flags&stateMask]
	c.Effective = licence.Date(int32(uint32At(b[1:])))
	c.Reason = sm.Hash(b[5:])
	b = b[5+sm.HashSize:]
	if flags&changePrevious != 0 {
		previous = ref(uint32At(b))
		b = b[4:]
	}
	if flags&changeSuccessor != 0 {
		successor := sm.Hash(b)
		c.Successor = &successor
		b = b[sm.HashSize:]
	}
	block, n := binary.Uvarint(b)
	index, _ := binary.Uvarint(b[n:])
	c.Position = verify.Position{Block: block, Index: uint32(index)}
	return c, previous
}

// setRestrictions files the restrictions that are open now; what was filed before stays where it
// is, unused.
func (m *memory) setRestrictions(rest string, value []byte) error {
	s, err := m.subject(rest, true)
	if err != nil {
		return err
	}
	var record chaincode.Restrictions
	if err := cbor.Unmarshal(value, &record); err != nil {
		return err
	}
	if len(record.Open) > chaincode.MaxRestrictions {
		return fmt.Errorf("more than %d restrictions", chaincode.MaxRestrictions)
	}
	b := s.append(make([]byte, 0, subjectSize+1+len(record.Open)*restrictionSize))
	b = append(b, byte(len(record.Open)))
	for i := range record.Open {
		open := &record.Open[i]
		b = append(b, open.ID[:]...)
		b = append(b, open.Ground[:]...)
		b = binary.LittleEndian.AppendUint32(b, uint32(open.Effective))
	}
	r, err := m.file(b)
	if err == nil {
		m.restrictions.set(&s.hash, r, m.same(&s))
	}
	return err
}

func (m *memory) openRestrictions(s *subject) []verify.Restriction {
	r := m.restrictions.find(&s.hash, m.same(s))
	if r == 0 {
		return nil
	}
	b, _ := s.after(m.strings.at(r))
	out := make([]verify.Restriction, b[0])
	for i, b := 0, b[1:]; i < len(out); i, b = i+1, b[restrictionSize:] {
		out[i] = verify.Restriction{
			ID: [16]byte(b), Ground: sm.Hash(b[16:]), Effective: licence.Date(int32(uint32At(b[16+sm.HashSize:]))),
		}
	}
	return out
}

// consent files that a consent was given, or that it was withdrawn.
func (m *memory) consent(rest string, value []byte) error {
	s, err := m.subject(rest, false)
	if err != nil {
		return err
	}
	in := m.given
	switch string(value) {
	case statement.ConsentGive:
	case statement.ConsentWithdraw:
		in = m.withdrawn
	default:
		return fmt.Errorf("what it says is not a consent")
	}
	r, err := m.file(s.append(nil))
	if err == nil {
		in.set(&s.hash, r, m.same(&s))
	}
	return err
}
