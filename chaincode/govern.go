package chaincode

import (
	"bytes"
	"fmt"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// department admits a department or changes its record.
func (a *application) department(act *act, d *statement.Department) error {
	if err := a.governs(act, statement.PurposeGovern, d.SignedAt); err != nil {
		return err
	}
	id := d.Profile.ID
	if id == a.ledger.Authority && d.State != statement.DepartmentActive {
		return errorf(CodeNotAuthority, "the authority cannot suspend itself")
	}
	record, found, err := Load[Department](a, DepartmentStateKey(id))
	if err != nil {
		return err
	}
	if !found {
		record = new(Department)
	}
	if err := sequence(d.Sequence, record.Sequence, nil, sm.Hash{}); err != nil {
		return err
	}
	record.Profile, record.State, record.Sequence = d.Profile, d.State, d.Sequence
	return a.putRecord(DepartmentStateKey(id), record)
}

// publishType publishes the next version of a type.
func (a *application) publishType(act *act, t *statement.Type) error {
	if err := a.governs(act, statement.PurposeGovern, t.SignedAt); err != nil {
		return err
	}
	definition, err := licence.ParseType(t.Definition)
	if err != nil {
		return errorf(CodeTypeInvalid, "the definition is not that of a licence type: %v", err)
	}
	if definition.ID != t.ID || definition.Version != int(t.Version) || !bytes.Equal(definition.Canonical(), t.Definition) {
		return errorf(CodeTypeInvalid, "the definition is of another type or version than the statement, or not in canonical form")
	}
	versions, found, err := Load[TypeVersions](a, TypeStateKey(t.ID))
	if err != nil {
		return err
	}
	if !found {
		versions = new(TypeVersions)
	}
	if err := sequence(uint64(t.Version), uint64(versions.Newest), nil, sm.Hash{}); err != nil {
		return err
	}
	versions.Newest = t.Version
	a.put(DefinitionStateKey(t.ID, t.Version), t.Definition)
	return a.putRecord(TypeStateKey(t.ID), versions)
}

// heartbeat moves the ledger's provable time on.
func (a *application) heartbeat(act *act, h *statement.Heartbeat) error {
	if err := a.governs(act, statement.PurposeLog, h.Time); err != nil {
		return err
	}
	last, found, err := Load[Heartbeat](a, HeartbeatStateKey)
	if err != nil {
		return err
	}
	if !found {
		last = new(Heartbeat)
	}
	if err := sequence(h.Sequence, last.Sequence, nil, sm.Hash{}); err != nil {
		return err
	}
	if h.Time <= last.Time {
		return errorf(CodeHeartbeatOld, "a heartbeat is later than the one before: is the clock right?")
	}
	return a.putRecord(HeartbeatStateKey, &Heartbeat{Sequence: h.Sequence, Time: h.Time})
}

// checkpoint fixes one of a department's access logs at a size.
func (a *application) checkpoint(act *act, c *statement.Checkpoint) error {
	if err := a.submittedBy(c.Department); err != nil {
		return err
	}
	if _, err := a.activeDepartment(c.Department); err != nil {
		return err
	}
	if err := a.signedOnce(act, c.Department, statement.PurposeLog, c.SignedAt); err != nil {
		return err
	}
	key := CheckpointStateKey(c.Department, c.Log, c.Size)
	root, err := a.Get(key)
	switch {
	case err != nil:
		return fmt.Errorf("read state %s: %w", key, err)
	case bytes.Equal(root, c.Root[:]):
		return nil
	case root != nil:
		return errorf(CodeCheckpointConflict, "the access log had another root at this size: an entry was changed")
	}
	last, found, err := Load[Checkpoint](a, LastCheckpointStateKey(c.Department, c.Log))
	if err != nil {
		return err
	}
	if found && c.Size < last.Size {
		return errorf(CodeCheckpointOld, "the access log has shrunk: the newest checkpoint is at size %d", last.Size)
	}
	a.put(key, c.Root[:])
	return a.putRecord(LastCheckpointStateKey(c.Department, c.Log), &Checkpoint{Size: c.Size, Root: c.Root})
}

// consent records a grant, or that a grant or a holder binding is withdrawn, for good.
func (a *application) consent(act *act, c *statement.Consent) error {
	if err := a.submittedBy(c.Department); err != nil {
		return err
	}
	if _, err := a.activeDepartment(c.Department); err != nil {
		return err
	}
	if err := a.signedOnce(act, c.Department, statement.PurposeConsent, c.SignedAt); err != nil {
		return err
	}
	key := ConsentStateKey(c.Department, c.Digest)
	state, err := a.Get(key)
	switch {
	case err != nil:
		return fmt.Errorf("read state %s: %w", key, err)
	case string(state) == c.Action:
		return nil
	case string(state) == statement.ConsentWithdraw:
		return errorf(CodeConsentWithdrawn, "this was withdrawn, which is final: give a new grant")
	}
	a.put(key, []byte(c.Action))
	return nil
}
