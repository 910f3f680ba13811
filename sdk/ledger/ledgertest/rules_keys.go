package ledgertest

import (
	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/statement"
)

// keyCases are about keys, and about what they sign.
var keyCases = []ruleCase{
	{chaincode.CodeKeyUnknown, func(r *run) Submission {
		return r.unsubmitted("marriage", 1, nil, freshKey(r))
	}},
	{chaincode.CodeKeyUnknown, func(r *run) Submission { // retires what was never enrolled
		d := r.City.Department(r, Marriages)
		return Submission{d.ID, Sign(r, r.City.EndKey(d.ID, freshKey(r), statement.KeyRetire), d.Govern)}
	}},
	{chaincode.CodeKeyExists, func(r *run) Submission {
		d := r.City.Department(r, Marriages)
		return Submission{d.ID, Sign(r, r.City.Enrolment(d.ID, d.Anchor, statement.PurposeAnchor), d.Govern, d.Anchor)}
	}},
	{chaincode.CodeKeyPurpose, func(r *run) Submission {
		return r.unsubmitted("marriage", 1, nil, r.City.Department(r, Marriages).Status)
	}},
	{chaincode.CodeKeyPurpose, func(r *run) Submission { // a narrower key enrols a wider one
		d, key := r.City.Department(r, Marriages), freshKey(r)
		return Submission{d.ID, Sign(r, r.City.Enrolment(d.ID, key, statement.PurposeGovern), d.Anchor, key)}
	}},
	{chaincode.CodeKeyNotYetValid, func(r *run) Submission {
		begins := uint64(Time + 1)
		key := r.enrolled(r.City.Department(r, Marriages), statement.PurposeAnchor, func(k *statement.Key) { k.NotBefore = &begins })
		return r.unsubmitted("marriage", 1, nil, key)
	}},
	{chaincode.CodeKeyExpired, func(r *run) Submission {
		ends := uint64(Time)
		key := r.enrolled(r.City.Department(r, Marriages), statement.PurposeAnchor, func(k *statement.Key) { k.NotAfter = &ends })
		return r.unsubmitted("marriage", 1, func(h *statement.Head) { h.SignedAt = Time + 1 }, key)
	}},
	{chaincode.CodeKeyRetired, func(r *run) Submission {
		d := r.City.Department(r, Marriages)
		key := r.enrolled(d, statement.PurposeAnchor, nil)
		r.ended(d, key, statement.KeyRetire)
		return r.unsubmitted("marriage", 1, nil, key)
	}},
	{chaincode.CodeKeyCompromised, func(r *run) Submission { // though dated long before
		d := r.City.Department(r, Marriages)
		key := r.enrolled(d, statement.PurposeAnchor, nil)
		s := r.unsubmitted("marriage", 1, func(h *statement.Head) { h.SignedAt = Time - 1e6 }, key)
		r.ended(d, key, statement.KeyCompromise)
		return s
	}},
	{chaincode.CodeSignature, func(r *run) Submission {
		s := r.unsubmitted("marriage", 1, nil, nil)
		signed := s.Tx.Statements[0]
		signed[len(signed)-1] ^= 1
		return s
	}},
	{chaincode.CodeSignature, func(r *run) Submission { // the new key's own
		d, key := r.City.Department(r, Marriages), freshKey(r)
		tx := Sign(r, r.City.Enrolment(d.ID, key, statement.PurposeAnchor), d.Govern, key)
		tx.Statements[1][len(tx.Statements[1])-1] ^= 1
		return Submission{d.ID, tx}
	}},
	{chaincode.CodeSigners, func(r *run) Submission { // the new key alone
		d, key := r.City.Department(r, Marriages), freshKey(r)
		return Submission{d.ID, Sign(r, r.City.Enrolment(d.ID, key, statement.PurposeAnchor), key)}
	}},
	{chaincode.CodeSigners, func(r *run) Submission { // not the new key
		d := r.City.Department(r, Marriages)
		return Submission{d.ID, Sign(r, r.City.Enrolment(d.ID, freshKey(r), statement.PurposeAnchor), d.Govern)}
	}},
	{chaincode.CodeSigners, func(r *run) Submission { // the authority alone, of a department that has keys
		d, key := r.City.Department(r, Marriages), freshKey(r)
		return Submission{Authority, Sign(r, r.City.Enrolment(d.ID, key, statement.PurposeAnchor), r.City.Authority.Govern, key)}
	}},
	{chaincode.CodeSigners, func(r *run) Submission { // one key twice
		b := r.City.Digests(r, "marriage", 1, nil, nil)
		tx := Sign(r, b.Head, b.Department.Anchor, b.Department.Anchor)
		tx.Digests = b.Tx.Digests
		return Submission{b.Issuer, tx}
	}},
	{chaincode.CodeWrongOrganisation, func(r *run) Submission { // a stranger ends a key
		d := r.City.Department(r, Marriages)
		other := r.City.Department(r, Properties)
		return Submission{d.ID, Sign(r, r.City.EndKey(d.ID, d.Consent, statement.KeyRetire), other.Govern)}
	}},
}

// evidenceCases are about checkpoints, consents and heartbeats.
var evidenceCases = []ruleCase{
	{chaincode.CodeCheckpointConflict, func(r *run) Submission {
		d := r.City.Department(r, Marriages)
		first := r.nextCheckpoint(d)
		r.submit(Marriages, Sign(r, first, d.Log))
		other := *first
		other.Root[0] ^= 1
		return Submission{Marriages, Sign(r, &other, d.Log)}
	}},
	{chaincode.CodeCheckpointOld, func(r *run) Submission {
		d := r.City.Department(r, Marriages)
		first := r.nextCheckpoint(d)
		first.Size += 10
		r.submit(Marriages, Sign(r, first, d.Log))
		older := *first
		older.Size -= 5
		return Submission{Marriages, Sign(r, &older, d.Log)}
	}},
	{chaincode.CodeConsentWithdrawn, func(r *run) Submission {
		b := r.City.Digests(r, "marriage", 1, nil, nil)
		key := b.Department.Consent
		consent := func(action string) *statement.Consent {
			return &statement.Consent{Ledger: r.City.ID, Department: b.Issuer, Digest: b.Digests[0], Action: action, SignedAt: Time}
		}
		give := Sign(r, consent(statement.ConsentGive), key)
		r.submit(b.Issuer, give)
		r.submit(b.Issuer, Sign(r, consent(statement.ConsentWithdraw), key))
		return Submission{b.Issuer, give}
	}},
	{chaincode.CodeHeartbeatOld, func(r *run) Submission {
		log := r.City.Authority.Log
		first := r.nextHeartbeat()
		r.submit(Authority, Sign(r, first, log))
		second := r.nextHeartbeat()
		second.Time = first.Time
		return Submission{Authority, Sign(r, second, log)}
	}},
	{chaincode.CodeSequence, func(r *run) Submission { // a heartbeat skipped
		next := r.nextHeartbeat()
		next.Sequence++
		return Submission{Authority, Sign(r, next, r.City.Authority.Log)}
	}},
}

// nextCheckpoint returns a checkpoint of a department's log that is larger than any before.
func (r *run) nextCheckpoint(d *Department) *statement.Checkpoint {
	r.Helper()
	var now struct {
		Size uint64 `json:"size"`
	}
	b, err := r.connect(d.ID).Evaluate(r.ctx, chaincode.Query{Name: "checkpoint", Args: []string{d.ID, Log}})
	switch {
	case err == nil:
		decode(r, b, &now)
	case chaincode.Code(err) != chaincode.CodeNotFound:
		r.Fatalf("query checkpoint: %v", err)
	}
	return &statement.Checkpoint{Ledger: r.City.ID, Department: d.ID, Log: Log, Size: now.Size + 1, SignedAt: Time}
}
