package chaincode

import (
	"fmt"
	"slices"
	"strings"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// An application is one transaction on its way through the rules. Its writes are pending until all
// of its statements have passed. None of them depends on what another one of it writes: all are
// judged by the state before the transaction.
type application struct {
	State
	verify  Verifier
	actor   string
	digests []byte
	ledger  *Ledger
	pending map[string][]byte
	types   map[string]*licence.Type // newest versions met so far
}

func (a *application) put(key string, value []byte) { a.pending[key] = value }

// putRecord is put for a record of records.go.
func (a *application) putRecord(key string, record any) error {
	b, err := statement.Marshal(record)
	if err != nil {
		return fmt.Errorf("encode state %s: %w", key, err)
	}
	a.put(key, b)
	return nil
}

func (a *application) writes() []Write {
	out := make([]Write, 0, len(a.pending))
	for key, value := range a.pending {
		out = append(out, Write{key, value})
	}
	slices.SortFunc(out, func(x, y Write) int { return strings.Compare(x.Key, y.Key) })
	return out
}

// applyAll applies every act of a transaction on an existing ledger.
func (a *application) applyAll(acts []*act) error {
	var found bool
	var err error
	if a.ledger, found, err = Load[Ledger](a, LedgerStateKey); err != nil {
		return err
	}
	if !found {
		return errorf(CodeNoLedger, "the ledger has not begun: its first transaction is the genesis")
	}
	for _, act := range acts {
		if act.body.LedgerID() != a.ledger.ID {
			return errorf(CodeOtherLedger, "the statement is for another ledger")
		}
		if err := a.apply(act); err != nil {
			return err
		}
	}
	return nil
}

func (a *application) apply(act *act) error {
	switch body := act.body.(type) {
	case *statement.Head:
		return a.anchor(act, body)
	case *statement.Status:
		return a.setStatus(act, body)
	case *statement.Restriction:
		return a.restrict(act, body)
	case *statement.Department:
		return a.department(act, body)
	case *statement.Key:
		return a.key(act, body)
	case *statement.Type:
		return a.publishType(act, body)
	case *statement.Checkpoint:
		return a.checkpoint(act, body)
	case *statement.Consent:
		return a.consent(act, body)
	case *statement.Heartbeat:
		return a.heartbeat(act, body)
	}
	return errorf(CodeOffLedger, "a %s statement is not for the ledger", act.body.Kind())
}

// genesis begins the ledger: the one statement that needs no state before it.
func (a *application) genesis(act *act, g *statement.Genesis) error {
	if stored, err := a.Get(LedgerStateKey); err != nil {
		return fmt.Errorf("read state: %w", err)
	} else if stored != nil {
		return errorf(CodeLedgerExists, "the ledger has begun already: there is one genesis")
	}
	if a.actor != g.Authority.ID {
		return errorf(CodeWrongOrganisation, "the genesis is submitted by the authority that it names")
	}
	if len(act.signed) != 1 {
		return errorf(CodeSigners, "the genesis has one signature, by the authority's first key")
	}
	key, err := sm.NewPublicKey(g.PublicKey[:])
	if err != nil || key.ID() != act.signed[0].KeyID || !a.verify(act.signed[0], key) {
		return errorf(CodeSignature, "the genesis is not signed by the key that it enrols")
	}
	department := &Department{Profile: g.Authority, State: statement.DepartmentActive, Enrolled: true}
	if err := a.putRecord(DepartmentStateKey(g.Authority.ID), department); err != nil {
		return err
	}
	record := &Key{Department: g.Authority.ID, PublicKey: g.PublicKey, Purposes: g.Purposes, State: KeyActive}
	if err := a.putRecord(KeyStateKey(key.ID()), record); err != nil {
		return err
	}
	return a.putRecord(LedgerStateKey, &Ledger{
		ID: sm.Sum(act.payload), Name: g.Name, Authority: g.Authority.ID, Genesis: act.signed[0].Bytes(),
	})
}

// submittedBy requires the submitter to be the department that a statement concerns.
func (a *application) submittedBy(department string) error {
	if a.actor != department {
		return errorf(CodeWrongOrganisation, "only %s itself may submit this", department)
	}
	return nil
}

// submittedByAuthority requires the submitter to be the authority.
func (a *application) submittedByAuthority() error {
	if a.actor != a.ledger.Authority {
		return errorf(CodeNotAuthority, "only the authority, %s, may submit this", a.ledger.Authority)
	}
	return nil
}

// activeDepartment loads a department that may act.
func (a *application) activeDepartment(id string) (*Department, error) {
	d, found, err := Load[Department](a, DepartmentStateKey(id))
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, errorf(CodeDepartmentUnknown, "the department %s has not been admitted", id)
	case d.State != statement.DepartmentActive:
		return nil, errorf(CodeDepartmentSuspended, "the department %s is suspended", id)
	}
	return d, nil
}

// signer requires a signature by a key that is enrolled, in force and within its dates, and returns
// the key's record. Which department and purpose it must be of is for the caller to say.
func (a *application) signer(s *statement.Statement, signedAt uint64) (*Key, error) {
	k, found, err := Load[Key](a, KeyStateKey(s.KeyID))
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, errorf(CodeKeyUnknown, "the statement is signed with a key that was never enrolled")
	case k.State == KeyRetired:
		return nil, errorf(CodeKeyRetired, "the statement is signed with a key that was retired")
	case k.State == KeyCompromised:
		return nil, errorf(CodeKeyCompromised, "the statement is signed with a key that was declared compromised, whatever its date")
	case k.NotBefore != nil && signedAt < *k.NotBefore:
		return nil, errorf(CodeKeyNotYetValid, "the statement is dated before its key begins")
	case k.NotAfter != nil && signedAt > *k.NotAfter:
		return nil, errorf(CodeKeyExpired, "the statement is dated after its key ends")
	}
	key, err := sm.NewPublicKey(k.PublicKey[:])
	if err != nil {
		return nil, fmt.Errorf("state %s does not hold a key: %w", KeyStateKey(s.KeyID), err)
	}
	if !a.verify(s, key) {
		return nil, errorf(CodeSignature, "the signature does not verify")
	}
	return k, nil
}

// signedFor is signer for a key of one department and purpose.
func (a *application) signedFor(s *statement.Statement, department string, purpose statement.Purposes, signedAt uint64) error {
	k, err := a.signer(s, signedAt)
	if err != nil {
		return err
	}
	if k.Department != department {
		return errorf(CodeWrongOrganisation, "the statement is signed with a key of another department than %s", department)
	}
	if !k.Purposes.Has(purpose) {
		return errorf(CodeKeyPurpose, "the key was not enrolled for this purpose")
	}
	return nil
}

// signedOnce is signedFor for an act that has exactly one signature.
func (a *application) signedOnce(act *act, department string, purpose statement.Purposes, signedAt uint64) error {
	if len(act.signed) != 1 {
		return errorf(CodeSigners, "a %s statement has one signature", act.body.Kind())
	}
	return a.signedFor(act.signed[0], department, purpose, signedAt)
}

// governs requires one signature of the authority, submitted by itself.
func (a *application) governs(act *act, purpose statement.Purposes, signedAt uint64) error {
	if err := a.submittedByAuthority(); err != nil {
		return err
	}
	return a.signedOnce(act, a.ledger.Authority, purpose, signedAt)
}

// newestType loads the newest version of a type.
func (a *application) newestType(id string) (*licence.Type, error) {
	if t := a.types[id]; t != nil {
		return t, nil
	}
	v, found, err := Load[TypeVersions](a, TypeStateKey(id))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, errorf(CodeTypeUnknown, "the type %s has not been published", id)
	}
	b, err := a.Get(DefinitionStateKey(id, v.Newest))
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	t, err := licence.ParseType(b)
	if err != nil {
		return nil, fmt.Errorf("state %s does not hold a type: %w", DefinitionStateKey(id, v.Newest), err)
	}
	if a.types == nil {
		a.types = map[string]*licence.Type{}
	}
	a.types[id] = t
	return t, nil
}

// sequence requires a statement to continue what the record says was last.
func sequence(next, last uint64, previous *sm.Hash, lastHash sm.Hash) error {
	if next != last+1 {
		return errorf(CodeSequence, "this has sequence number %d, but %d is next: read the state again and sign anew", next, last+1)
	}
	if previous != nil && *previous != lastHash {
		return errorf(CodePrevious, "this does not continue the change before it: read the state again and sign anew")
	}
	return nil
}

// isNil reports whether the state holds nothing under a key: isNil(state.Get(key)).
func isNil(b []byte, err error) (bool, error) {
	if err != nil {
		return false, fmt.Errorf("read state: %w", err)
	}
	return b == nil, nil
}
