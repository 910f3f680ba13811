package chaincode_test

import (
	"bytes"
	"slices"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/internal/rulestest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// further are the other refusals, in the order of the rules.
var further = []refusal{
	{"no statement", chaincode.CodeMalformed, func(s *stage) (string, *transaction) { return by(issuer, new(transaction)) }},
	{"digests without a head", chaincode.CodeMalformed, func(s *stage) (string, *transaction) {
		actor, tx := s.status(asIs)
		tx.Digests = make([]byte, 32)
		return by(actor, tx)
	}},
	{"a kind that nobody knows", statement.CodeWrongKind, func(s *stage) (string, *transaction) {
		actor, tx := s.status(asIs)
		tx.Statements[0] = bytes.Replace(tx.Statements[0], []byte(".status+"), []byte(".stafus+"), 1)
		return by(actor, tx)
	}},
	{"a value out of its bounds", statement.CodeInvalid, func(s *stage) (string, *transaction) {
		actor, tx := s.head(asIs, issuer+"/anchor")
		tx.Statements[0] = bytes.Replace(tx.Statements[0], []byte("unit"), []byte("Unit"), 1)
		return by(actor, tx)
	}},
	{"two heads", chaincode.CodeTooMany, func(s *stage) (string, *transaction) {
		actor, tx := s.head(asIs, issuer+"/anchor")
		tx.Statements = append(tx.Statements, s.Sign(s.Batch(issuer, "even more", 3).Head, issuer+"/anchor")...)
		return by(actor, tx)
	}},
	{"two kinds", chaincode.CodeTooMany, func(s *stage) (string, *transaction) {
		actor, tx := s.status(asIs)
		tx.Statements = append(tx.Statements, s.Sign(s.Checkpoint(issuer, 1), issuer+"/log")...)
		return by(actor, tx)
	}},
	{"two kinds with one payload", chaincode.CodeTooMany, func(s *stage) (string, *transaction) {
		c := s.Checkpoint(authority, 1)
		tx := s.Tx(c, authority+"/log")
		typ := &statement.Type{Ledger: s.ID, ID: authority, Version: 1, Definition: c.Root[:], SignedAt: c.SignedAt}
		tx.Statements = append(tx.Statements, s.Sign(typ, authority+"/govern")...)
		return by(authority, tx)
	}},
	{"one licence changed twice", chaincode.CodeTooMany, func(s *stage) (string, *transaction) {
		first := s.batches[issuer].Status(0, licence.Active, toSuspended)
		tx := s.Tx(first, issuer+"/status-1")
		tx.Statements = append(tx.Statements, s.Sign(rulestest.Then(first, licence.Active), issuer+"/status-1")...)
		return by(issuer, tx)
	}},
	{"the last of several changes refused", chaincode.CodeTransition, func(s *stage) (string, *transaction) {
		b := s.batches[issuer]
		tx := s.Tx(b.Status(0, licence.Active, toSuspended), issuer+"/status-1")
		tx.Statements = append(tx.Statements, s.Sign(rulestest.Then(s.revoked, toSuspended), issuer+"/status-1")...)
		return by(issuer, tx)
	}},
	{"a second genesis", chaincode.CodeLedgerExists, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(rulestest.Genesis(), authority+"/govern"))
	}},

	{"a department admitted by a key for something else", chaincode.CodeKeyPurpose, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(s.Department(rulestest.Profile("second-newcomer"), 1), authority+"/log"))
	}},
	{"a department admitted by two keys", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(s.Department(rulestest.Profile("second-newcomer"), 1), authority+"/govern", authority+"/log"))
	}},
	{"an admission replayed", chaincode.CodeSequence, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(s.Department(rulestest.Profile(issuer), 1), authority+"/govern"))
	}},
	{"the authority suspended", chaincode.CodeNotAuthority, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(withState(s.Department(rulestest.Profile(authority), 1), statement.DepartmentSuspended), authority+"/govern"))
	}},
	{"not submitted by the authority", chaincode.CodeNotAuthority, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.Department(rulestest.Profile("second-newcomer"), 1), authority+"/govern"))
	}},
	{"a definition that is none", chaincode.CodeTypeInvalid, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(&statement.Type{Ledger: s.ID, ID: "divorce", Version: 1, Definition: []byte("{}")}, authority+"/govern"))
	}},
	{"a definition of another type", chaincode.CodeTypeInvalid, func(s *stage) (string, *transaction) {
		typ := s.Type(readType(s.T, "divorce"))
		typ.ID = "other"
		return by(authority, s.Tx(typ, authority+"/govern"))
	}},
	{"a definition of another version", chaincode.CodeTypeInvalid, func(s *stage) (string, *transaction) {
		typ := s.Type(readType(s.T, "divorce"))
		typ.Version = 2
		return by(authority, s.Tx(typ, authority+"/govern"))
	}},
	{"a definition not in canonical form", chaincode.CodeTypeInvalid, func(s *stage) (string, *transaction) {
		typ := s.Type(readType(s.T, "divorce"))
		typ.Definition = append(typ.Definition, ' ')
		return by(authority, s.Tx(typ, authority+"/govern"))
	}},
	{"a version published again", chaincode.CodeSequence, func(s *stage) (string, *transaction) {
		tx := s.Tx(s.Type(readType(s.T, "divorce")), authority+"/govern")
		s.Must(authority, tx)
		return by(authority, tx)
	}},
	{"a heartbeat out of sequence", chaincode.CodeSequence, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(&statement.Heartbeat{Ledger: s.ID, Sequence: 1, Time: rulestest.Time + 1}, authority+"/log"))
	}},
	{"a heartbeat not later", chaincode.CodeHeartbeatOld, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(&statement.Heartbeat{Ledger: s.ID, Sequence: 2, Time: rulestest.Time}, authority+"/log"))
	}},
	{"another root for the same size of the log", chaincode.CodeCheckpointConflict, func(s *stage) (string, *transaction) {
		s.Must(issuer, s.Tx(s.Checkpoint(issuer, 7), issuer+"/log"))
		c := s.Checkpoint(issuer, 7)
		c.Root[0] ^= 1
		return by(issuer, s.Tx(c, issuer+"/log"))
	}},
	{"a log that shrank", chaincode.CodeCheckpointOld, func(s *stage) (string, *transaction) {
		s.Must(issuer, s.Tx(s.Checkpoint(issuer, 7), issuer+"/log"))
		return by(issuer, s.Tx(s.Checkpoint(issuer, 6), issuer+"/log"))
	}},
	{"a grant given again after it was withdrawn", chaincode.CodeConsentWithdrawn, func(s *stage) (string, *transaction) {
		s.Must(issuer, s.Tx(s.Consent(issuer, statement.ConsentWithdraw), issuer+"/consent"))
		return by(issuer, s.Tx(s.Consent(issuer, statement.ConsentGive), issuer+"/consent"))
	}},
	{"a grant signed with a key for something else", chaincode.CodeKeyPurpose, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.Consent(issuer, statement.ConsentGive), issuer+"/log"))
	}},

	{"a key of a department that is not there", chaincode.CodeDepartmentUnknown, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(s.Enrol(stranger, "new", statement.PurposeAnchor), "new", authority+"/govern"))
	}},
	{"a key enrolled again after it was retired", chaincode.CodeKeyExists, func(s *stage) (string, *transaction) {
		s.ended(statement.KeyRetire, issuer+"/anchor")
		return by(issuer, s.Tx(s.Enrol(issuer, issuer+"/anchor", statement.PurposeAnchor), issuer+"/anchor", issuer+"/govern"))
	}},
	{"another's key enrolled", chaincode.CodeKeyExists, func(s *stage) (string, *transaction) {
		return by(other, s.Tx(s.Enrol(other, issuer+"/anchor", statement.PurposeAnchor), issuer+"/anchor", other+"/govern"))
	}},
	{"a new key that did not sign", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor), issuer+"/govern"))
	}},
	{"a new key that signed alone", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor), "new"))
	}},
	{"a new key whose signature is another's", chaincode.CodeSignature, func(s *stage) (string, *transaction) {
		tx := s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor), "new", issuer+"/govern")
		spoil(tx.Statements[0])
		return by(issuer, tx)
	}},
	{"a key that would do more than the one that vouches for it", chaincode.CodeKeyPurpose, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor|statement.PurposeStatus), "new", issuer+"/anchor"))
	}},
	{"the authority alone enrols a key of a department that had one", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		s.ended(statement.KeyCompromise, issuer+"/anchor")
		return by(authority, s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor), "new", authority+"/govern"))
	}},
	{"a second department without the authority enrols a key", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor), "new", other+"/govern"))
	}},
	{"a loss attested with a key that is not for governing", chaincode.CodeKeyPurpose, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor), "new", authority+"/govern", other+"/anchor"))
	}},
	{"a loss attested by a suspended department", chaincode.CodeDepartmentSuspended, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor), "new", authority+"/govern", suspended+"/govern"))
	}},
	{"an enrolment with more signatures than it takes", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor), "new", issuer+"/govern", authority+"/govern"))
	}},
	{"an enrolment with four signatures", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor), "new", issuer+"/govern", authority+"/govern", other+"/govern"))
	}},
	{"an enrolment that waited while its voucher was retired", chaincode.CodeKeyRetired, func(s *stage) (string, *transaction) {
		tx := s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor), "new", issuer+"/anchor")
		s.ended(statement.KeyRetire, issuer+"/anchor")
		return by(issuer, tx)
	}},
	{"a status key that makes itself a second signer: it is retired", chaincode.CodeKeyRetired, func(s *stage) (string, *transaction) {
		s.Must(issuer, s.Tx(s.Enrol(issuer, "new", statement.PurposeStatus), "new", issuer+"/status-1"))
		return by(issuer, s.Tx(rulestest.Then(s.revoked, licence.Active), issuer+"/status-1", "new"))
	}},
	{"a key retired that the department does not have", chaincode.CodeKeyUnknown, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.EndKey(issuer, statement.KeyRetire, "never"), issuer+"/govern"))
	}},
	{"a key of another department retired as one's own", chaincode.CodeKeyUnknown, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.EndKey(issuer, statement.KeyRetire, other+"/anchor"), issuer+"/govern"))
	}},
	{"a key retired with two signatures", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.EndKey(issuer, statement.KeyRetire, issuer+"/anchor"), issuer+"/anchor", issuer+"/govern"))
	}},
	{"a key retired with one that may do less", chaincode.CodeKeyPurpose, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.EndKey(issuer, statement.KeyRetire, issuer+"/anchor"), issuer+"/log"))
	}},
	{"a key retired by the authority with a key that is not for governing", chaincode.CodeKeyPurpose, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(s.EndKey(issuer, statement.KeyRetire, issuer+"/anchor"), authority+"/status-1"))
	}},
	{"a key that retired itself, its repeat forged", chaincode.CodeKeyRetired, func(s *stage) (string, *transaction) {
		tx := s.Tx(s.EndKey(issuer, statement.KeyRetire, issuer+"/anchor"), issuer+"/anchor")
		s.Must(issuer, tx)
		spoil(tx.Statements[0])
		return by(issuer, tx)
	}},
	{"a compromised key retired", chaincode.CodeKeyCompromised, func(s *stage) (string, *transaction) {
		s.ended(statement.KeyCompromise, issuer+"/anchor")
		return by(issuer, s.Tx(s.EndKey(issuer, statement.KeyRetire, issuer+"/anchor"), issuer+"/govern"))
	}},
	{"the authority's only key for governing retired with itself", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(s.EndKey(authority, statement.KeyRetire, authority+"/govern"), authority+"/govern"))
	}},
	{"the authority's key for governing declared compromised with one for status", chaincode.CodeKeyPurpose, func(s *stage) (string, *transaction) {
		return by(authority, s.Tx(s.EndKey(authority, statement.KeyCompromise, authority+"/govern"), authority+"/status-1"))
	}},
	{"a key that declares itself compromised", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.EndKey(issuer, statement.KeyCompromise, issuer+"/govern"), issuer+"/govern"))
	}},
	{"a compromise declared with a key for anchoring", chaincode.CodeKeyPurpose, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.EndKey(issuer, statement.KeyCompromise, issuer+"/govern"), issuer+"/anchor"))
	}},
	{"a root disowned with a key for status", chaincode.CodeKeyPurpose, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.EndKey(issuer, statement.KeyCompromise, issuer+"/anchor", s.batches[issuer].Head.Root), issuer+"/status-1"))
	}},
	{"a root disowned that was never anchored", chaincode.CodeAnchorUnknown, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.EndKey(issuer, statement.KeyCompromise, issuer+"/anchor", sm.Sum(nil)), issuer+"/govern"))
	}},
	{"a root disowned that another key signed", chaincode.CodeAnchorUnknown, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.EndKey(issuer, statement.KeyCompromise, issuer+"/status-1", s.batches[issuer].Head.Root), issuer+"/govern"))
	}},

	{"an unknown key", chaincode.CodeKeyUnknown, func(s *stage) (string, *transaction) { return s.head(asIs, "never") }},
	{"a key past its dates", chaincode.CodeKeyExpired, func(s *stage) (string, *transaction) {
		s.enrolled("late", statement.PurposeAnchor, nil, at(rulestest.Time-1))
		return s.head(asIs, "late")
	}},
	{"a signature that does not verify", chaincode.CodeSignature, func(s *stage) (string, *transaction) {
		actor, tx := s.head(asIs, issuer+"/anchor")
		spoil(tx.Statements[0])
		return by(actor, tx)
	}},
	{"a head with two signatures", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		actor, tx := s.head(asIs, issuer+"/anchor")
		tx.Statements = append(tx.Statements, s.Sign(s.Batch(issuer, "more", 3).Head, issuer+"/status-1")...)
		return by(actor, tx)
	}},
	{"an anchor by a suspended department", chaincode.CodeDepartmentSuspended, func(s *stage) (string, *transaction) {
		return by(suspended, s.Batch(suspended, "more", 1).Tx(s.City, suspended+"/anchor"))
	}},
	{"a unit of another department", chaincode.CodeUnitUnknown, func(s *stage) (string, *transaction) {
		return s.head(func(h *statement.Head) { h.Unit = "marriage-registry" }, issuer+"/anchor")
	}},
	{"a type of another department", chaincode.CodeTypeNotIssued, func(s *stage) (string, *transaction) {
		return s.head(func(h *statement.Head) { h.Type = "marriage" }, issuer+"/anchor")
	}},
	{"a type not published yet", chaincode.CodeTypeUnknown, func(s *stage) (string, *transaction) {
		return by(other, s.BatchOf(other, "divorce", s.batches[issuer].Digests).Tx(s.City, other+"/anchor"))
	}},
	{"a version not published yet", chaincode.CodeTypeUnknown, func(s *stage) (string, *transaction) {
		return s.head(func(h *statement.Head) { h.TypeVersion = 2 }, issuer+"/anchor")
	}},
	{"digests in another order", chaincode.CodeRootMismatch, func(s *stage) (string, *transaction) {
		actor, tx := s.head(asIs, issuer+"/anchor")
		tx.Digests = slices.Concat(tx.Digests[32:], tx.Digests[:32])
		return by(actor, tx)
	}},
	{"a digest too few", chaincode.CodeRootMismatch, func(s *stage) (string, *transaction) {
		actor, tx := s.head(asIs, issuer+"/anchor")
		tx.Digests = tx.Digests[32:]
		return by(actor, tx)
	}},
	{"a size that is not the tree's", chaincode.CodeRootMismatch, func(s *stage) (string, *transaction) {
		return s.head(func(h *statement.Head) { h.Size = 4 }, issuer+"/anchor")
	}},
	{"an anchor repeated with other digests", chaincode.CodeRootMismatch, func(s *stage) (string, *transaction) {
		tx := s.Batch(issuer, "more", 3).Tx(s.City, issuer+"/anchor")
		s.Must(issuer, tx)
		tx.Digests = make([]byte, len(tx.Digests))
		return by(issuer, tx)
	}},

	{"a status under a root that was never anchored", chaincode.CodeAnchorUnknown, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.Batch(issuer, "never", 2).Status(0, licence.Active, toSuspended), issuer+"/status-1"))
	}},
	{"a status under another's root, in one's own name", chaincode.CodeAnchorUnknown, func(s *stage) (string, *transaction) {
		c := s.batches[issuer].Status(0, licence.Active, toRevoked)
		c.Issuer = other
		return by(other, s.Tx(c, other+"/status-1"))
	}},
	{"a status under a disowned root", chaincode.CodeAnchorDisowned, func(s *stage) (string, *transaction) {
		s.ended(statement.KeyCompromise, issuer+"/anchor", s.batches[issuer].Head.Root)
		return s.status(asIs)
	}},
	{"a digest that does not stand under the root", chaincode.CodeNotInAnchor, func(s *stage) (string, *transaction) {
		return s.status(func(c *statement.Status) { c.Licence.Digest[0] ^= 1 })
	}},
	{"a licence at another place", chaincode.CodeNotInAnchor, func(s *stage) (string, *transaction) {
		return s.status(func(c *statement.Status) { c.Licence.Index = 1 })
	}},
	{"a path that is too long", chaincode.CodeNotInAnchor, func(s *stage) (string, *transaction) {
		return s.status(func(c *statement.Status) { c.Licence.Path = append(c.Licence.Path, make([]byte, 32)...) })
	}},
	{"an interior node as a licence", chaincode.CodeNotInAnchor, func(s *stage) (string, *transaction) {
		return s.status(func(c *statement.Status) {
			c.Licence.Digest = sm.SumNode(&s.batches[issuer].Digests[0], &s.batches[issuer].Digests[1])
			c.Licence.Path = c.Licence.Path[32:]
		})
	}},
	{"a first change that is not the first", chaincode.CodeSequence, func(s *stage) (string, *transaction) {
		return s.status(func(c *statement.Status) { c.Licence = s.batches[issuer].Place(1) })
	}},
	{"a change that does not continue the last one", chaincode.CodePrevious, func(s *stage) (string, *transaction) {
		c := rulestest.Then(s.revoked, licence.Active)
		c.Previous[0] ^= 1
		return by(issuer, s.Tx(c, issuer+"/status-1", issuer+"/status-2"))
	}},
	{"a change from another state", chaincode.CodeStatusFrom, func(s *stage) (string, *transaction) {
		return s.status(func(c *statement.Status) { c.From, c.To = "suspended", "revoked" })
	}},
	{"a change to no state", chaincode.CodeTransition, func(s *stage) (string, *transaction) {
		return s.status(func(c *statement.Status) { c.To = "lost" })
	}},
	{"more approvals than the type asks for", chaincode.CodeSigners, func(s *stage) (string, *transaction) {
		return s.status(asIs, issuer+"/status-1", issuer+"/status-2")
	}},
	{"the second approval by another department", chaincode.CodeWrongOrganisation, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(rulestest.Then(s.revoked, licence.Active), issuer+"/status-1", other+"/status-1"))
	}},
	{"the second approval with a key for something else", chaincode.CodeKeyPurpose, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(rulestest.Then(s.revoked, licence.Active), issuer+"/status-1", issuer+"/govern"))
	}},
	{"superseded by nothing", chaincode.CodeSuccessor, func(s *stage) (string, *transaction) {
		return s.status(func(c *statement.Status) { c.To = string(toSuperseded) })
	}},
	{"all under a root superseded", chaincode.CodeSuccessor, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(s.batches[issuer].RootStatus(licence.Active, toSuperseded), issuer+"/status-1"))
	}},
	{"suspended with a successor", chaincode.CodeSuccessor, func(s *stage) (string, *transaction) {
		return s.status(func(c *statement.Status) { c.Successor = s.batches[issuer].Place(2) })
	}},
	{"its own successor", chaincode.CodeSuccessor, func(s *stage) (string, *transaction) {
		return s.status(func(c *statement.Status) { c.To, c.Successor = string(toSuperseded), s.batches[issuer].Place(0) })
	}},
	{"a successor of another issuer", chaincode.CodeSuccessor, func(s *stage) (string, *transaction) {
		return s.status(func(c *statement.Status) { c.To, c.Successor = string(toSuperseded), s.batches[other].Place(0) })
	}},
	{"a successor of another type", chaincode.CodeSuccessor, func(s *stage) (string, *transaction) {
		s.Must(authority, s.Tx(s.Type(readType(s.T, "divorce")), authority+"/govern"))
		next := s.BatchOf(other, "divorce", []sm.Hash{sm.Sum([]byte("next"))})
		s.Must(other, next.Tx(s.City, other+"/anchor"))
		c := s.batches[other].Status(0, licence.Active, toSuperseded)
		c.Successor = next.Place(0)
		return by(other, s.Tx(c, other+"/status-1"))
	}},
	{"a successor out of its place", chaincode.CodeSuccessor, func(s *stage) (string, *transaction) {
		next := s.Anchor(issuer, "next", 2).Place(0)
		next.Index = 1
		return s.status(func(c *statement.Status) { c.To, c.Successor = string(toSuperseded), next })
	}},
	{"a successor under a disowned root", chaincode.CodeSuccessor, func(s *stage) (string, *transaction) {
		s.enrolled("stolen", statement.PurposeAnchor, nil, nil)
		next := s.Batch(issuer, "next", 2)
		s.Must(issuer, next.Tx(s.City, "stolen"))
		s.ended(statement.KeyCompromise, "stolen", next.Head.Root)
		return s.status(func(c *statement.Status) { c.To, c.Successor = string(toSuperseded), next.Place(0) })
	}},

	{"a restriction on licences that know none", chaincode.CodeRestriction, func(s *stage) (string, *transaction) {
		return by(other, s.Tx(s.batches[other].Restriction(0, 1), other+"/status-1"))
	}},
	{"a restriction laid twice", chaincode.CodeRestrictionState, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(rulestest.ThenRestriction(s.laid, statement.RestrictionLay, 1), issuer+"/status-1"))
	}},
	{"a restriction lifted that was not laid", chaincode.CodeRestrictionState, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(rulestest.ThenRestriction(s.laid, statement.RestrictionLift, 2), issuer+"/status-1"))
	}},
	{"a 33rd restriction", chaincode.CodeRestrictionState, func(s *stage) (string, *transaction) {
		r := s.laid
		for id := byte(2); id <= chaincode.MaxRestrictions; id++ {
			r = rulestest.ThenRestriction(r, statement.RestrictionLay, id)
			s.Must(issuer, s.Tx(r, issuer+"/status-1"))
		}
		return by(issuer, s.Tx(rulestest.ThenRestriction(r, statement.RestrictionLay, 33), issuer+"/status-1"))
	}},
	{"a restriction laid again by replay", chaincode.CodeSequence, func(s *stage) (string, *transaction) {
		s.Must(issuer, s.Tx(rulestest.ThenRestriction(s.laid, statement.RestrictionLift, 1), issuer+"/status-1"))
		return by(issuer, s.Tx(s.laid, issuer+"/status-1"))
	}},
	{"a restriction that does not continue the last one", chaincode.CodePrevious, func(s *stage) (string, *transaction) {
		r := rulestest.ThenRestriction(s.laid, statement.RestrictionLift, 1)
		r.Previous[0] ^= 1
		return by(issuer, s.Tx(r, issuer+"/status-1"))
	}},
	{"a restriction on a licence out of its place", chaincode.CodeNotInAnchor, func(s *stage) (string, *transaction) {
		r := s.batches[issuer].Restriction(0, 1)
		r.Licence.Index = 1
		return by(issuer, s.Tx(r, issuer+"/status-1"))
	}},
	{"a statement that stays off the ledger", chaincode.CodeOffLedger, func(s *stage) (string, *transaction) {
		return by(issuer, s.Tx(offLedger(s.City, issuer)[0], issuer+"/anchor"))
	}},
}
