package chaincode

import (
	"fmt"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// key enrols, retires or declares compromised a key.
func (a *application) key(act *act, k *statement.Key) error {
	if a.actor != k.Department && a.actor != a.ledger.Authority {
		return errorf(CodeWrongOrganisation, "only %s or the authority may submit this", k.Department)
	}
	department, err := a.activeDepartment(k.Department)
	if Code(err) == CodeDepartmentSuspended && a.actor == a.ledger.Authority && k.Action != statement.KeyEnrol {
		err = nil // the authority can still end the keys of a suspended department
	}
	if err != nil {
		return err
	}
	record, found, err := Load[Key](a, KeyStateKey(k.KeyID))
	if err != nil {
		return err
	}
	if k.Action == statement.KeyEnrol {
		if found {
			return errorf(CodeKeyExists, "this key was enrolled before; a key is never enrolled again")
		}
		return a.enrol(act, k, department)
	}
	if !found || record.Department != k.Department {
		return errorf(CodeKeyUnknown, "%s has no such key", k.Department)
	}
	if k.Action == statement.KeyRetire {
		return a.retire(act, k, record)
	}
	return a.compromise(act, k, record)
}

// enrol admits a new key. It signs for itself, which proves that its owner holds it, and beside it
// sign exactly
//   - a key of the same department that may govern; or one that may do all that the new key will,
//     which is retired by this, so that nobody adds a second signer to himself (rotation);
//   - the authority, if the department never had a key (admission); or
//   - the authority and the governing key of a second department (recovery of a lost key).
func (a *application) enrol(act *act, k *statement.Key, department *Department) error {
	if len(act.signed) > 3 {
		return errorf(CodeSigners, "an enrolment has two or three signatures")
	}
	v, err := a.vouchers(act, k)
	if err != nil {
		return err
	}
	two, three := len(act.signed) == 2, len(act.signed) == 3
	admission := two && v.authority && !department.Enrolled
	recovery := three && v.authority && v.second
	if rotation := two && v.own != nil; !v.itself || !rotation && !admission && !recovery {
		return errorf(CodeSigners, "a key is enrolled with its own signature and that of an old key of the department; "+
			"its first key with that of the authority; after a loss with those of the authority and a second department")
	}
	if v.own != nil && !v.own.Purposes.Has(statement.PurposeGovern) {
		v.own.State = KeyRetired
		if err := a.putRecord(KeyStateKey(v.ownID), v.own); err != nil {
			return err
		}
	}
	if !department.Enrolled {
		department.Enrolled = true
		if err := a.putRecord(DepartmentStateKey(k.Department), department); err != nil {
			return err
		}
	}
	return a.putRecord(KeyStateKey(k.KeyID), &Key{
		Department: k.Department, PublicKey: [64]byte(k.PublicKey), Purposes: k.Purposes,
		NotBefore: k.NotBefore, NotAfter: k.NotAfter, State: KeyActive,
	})
}

// vouchers is who signed an enrolment.
type vouchers struct {
	itself            bool
	own               *Key // of the same department
	ownID             sm.Hash
	authority, second bool // with a key for governing
}

// vouchers checks each signature of an enrolment, and that its key may vouch.
func (a *application) vouchers(act *act, k *statement.Key) (v vouchers, err error) {
	for _, s := range act.signed {
		if s.KeyID == k.KeyID {
			key, err := sm.NewPublicKey(k.PublicKey)
			if err != nil || !a.verify(s, key) {
				return v, errorf(CodeSignature, "the signature by the new key does not verify")
			}
			v.itself = true
			continue
		}
		signer, err := a.signer(s, k.SignedAt)
		if err != nil {
			return v, err
		}
		governs := signer.Purposes.Has(statement.PurposeGovern)
		switch {
		case signer.Department == k.Department:
			if !governs && !signer.Purposes.Has(k.Purposes) {
				return v, errorf(CodeKeyPurpose, "the old key may not do all that the new one is to do, nor govern")
			}
			v.own, v.ownID = signer, s.KeyID
		case !governs:
			return v, errorf(CodeKeyPurpose, "a key of another department that signs an enrolment must be one for governing")
		case signer.Department == a.ledger.Authority:
			v.authority = true
		default:
			if _, err := a.activeDepartment(signer.Department); err != nil {
				return v, err
			}
			v.second = true
		}
	}
	return v, nil
}

// retire ends a key in good order: signed with the key itself, with one of its department that may
// govern or do all that it may, or with the authority's. The authority retires a key for governing
// with another one, so that one is always left: without any the ledger could never be governed again.
func (a *application) retire(act *act, k *statement.Key, record *Key) error {
	itself := act.signed[0].KeyID == k.KeyID
	if itself && record.State == KeyRetired && len(act.signed) == 1 {
		if key, err := sm.NewPublicKey(record.PublicKey[:]); err == nil && a.verify(act.signed[0], key) {
			return nil // it retired itself before
		}
	}
	signer, err := a.oneSigner(act, k)
	if err != nil {
		return err
	}
	if signer.Department == k.Department && !signer.Purposes.Has(record.Purposes) && !signer.Purposes.Has(statement.PurposeGovern) {
		return errorf(CodeKeyPurpose, "a key is retired with itself, with one that may do as much, or with one for governing")
	}
	if itself && a.governsAll(record) {
		return errorf(CodeSigners, "the authority retires a key for governing with another one, so that one is always left")
	}
	switch record.State {
	case KeyRetired:
		return nil
	case KeyCompromised:
		return errorf(CodeKeyCompromised, "the key was declared compromised, which is final")
	}
	record.State = KeyRetired
	return a.putRecord(KeyStateKey(k.KeyID), record)
}

// governsAll reports whether a key is the authority's, for governing.
func (a *application) governsAll(k *Key) bool {
	return k.Department == a.ledger.Authority && k.Purposes.Has(statement.PurposeGovern)
}

// compromise ends a key that others may hold: signed with another key of the department for
// governing or status, or with the authority's. Against a key with which the authority governs, only
// another such key will do. What the key signed and the ledger took before stays, but for the roots
// that the department disowns.
func (a *application) compromise(act *act, k *statement.Key, record *Key) error {
	if act.signed[0].KeyID == k.KeyID {
		return errorf(CodeSigners, "a key cannot declare itself compromised: another key of the department, or the authority, does")
	}
	signer, err := a.oneSigner(act, k)
	if err != nil {
		return err
	}
	governs := signer.Purposes.Has(statement.PurposeGovern)
	if signer.Department == k.Department && !governs && !signer.Purposes.Has(statement.PurposeStatus) {
		return errorf(CodeKeyPurpose, "a compromise is declared with a key for governing or for status")
	}
	if len(k.Disowned) > 0 && !governs {
		return errorf(CodeKeyPurpose, "roots are disowned, for good, with a key for governing")
	}
	if a.governsAll(record) && !a.governsAll(signer) {
		return errorf(CodeKeyPurpose, "the compromise of a key with which the authority governs is declared with another such key")
	}
	if record.State != KeyCompromised {
		record.State = KeyCompromised
		if err := a.putRecord(KeyStateKey(k.KeyID), record); err != nil {
			return err
		}
	}
	for _, root := range k.Disowned {
		if err := a.disown(k, root); err != nil {
			return err
		}
	}
	return nil
}

func (a *application) disown(k *statement.Key, root sm.Hash) error {
	head, err := a.anchored(k.Department, root)
	if err != nil {
		return err
	}
	if head.KeyID != k.KeyID {
		return errorf(CodeAnchorUnknown, "a disowned root was not signed with the compromised key")
	}
	key := DisownedStateKey(k.Department, root)
	if none, err := isNil(a.Get(key)); err != nil || !none {
		return err
	}
	a.put(key, k.KeyID[:])
	return nil
}

// oneSigner requires one signature: of the department with whatever purpose, or of the authority
// with one for governing.
func (a *application) oneSigner(act *act, k *statement.Key) (*Key, error) {
	if len(act.signed) != 1 {
		return nil, errorf(CodeSigners, "a key is retired or declared compromised with one signature")
	}
	signer, err := a.signer(act.signed[0], k.SignedAt)
	switch {
	case err != nil:
		return nil, err
	case signer.Department == k.Department:
	case signer.Department != a.ledger.Authority:
		return nil, errorf(CodeWrongOrganisation, "the statement is signed with a key of another department than %s", k.Department)
	case !signer.Purposes.Has(statement.PurposeGovern):
		return nil, errorf(CodeKeyPurpose, "the authority signs this with a key for governing")
	}
	return signer, nil
}

// anchored loads the signed head under a root.
func (a *application) anchored(issuer string, root sm.Hash) (*statement.Statement, error) {
	key := AnchorStateKey(issuer, root)
	b, err := a.Get(key)
	if err != nil {
		return nil, fmt.Errorf("read state %s: %w", key, err)
	}
	if b == nil {
		return nil, errorf(CodeAnchorUnknown, "%s has anchored nothing under this root", issuer)
	}
	s, err := statement.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("state %s does not hold a head: %w", key, err)
	}
	return s, nil
}
