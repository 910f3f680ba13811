package vectors_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

const (
	authority = statementtest.Authority
	issuer    = statementtest.Issuer
	holder    = statementtest.Holder
	stranger  = "stranger" // a key that nobody has heard of
	now       = statementtest.Time
)

var labels = []string{authority, issuer, "natural-resources", holder, stranger}

// A story is one ledger, from its genesis to a licence that was replaced, and what is signed beside it.
type story struct {
	*testing.T
	signatures   []Signature // those used, in the order of their use
	known        []Signature // those of the file, made once
	ledger       sm.Hash
	statements   []namedStatement
	batchOfThree *credential.Batch
	whole        *credential.Presentation // the credential of the last of three marriage certificates
	property     *credential.Presentation // the credential of a property certificate, with every optional part
	log          *accessLog
}

type namedStatement struct {
	name, about, signer string
	bytes               []byte
}

// signer signs with a test key, but never the same message twice: signatures are random, and the
// vectors are to stay as they are.
type signer struct {
	*story
	label string
}

func (s signer) Public() *sm.PublicKey { return statementtest.Key(s.label).Public() }

func (s signer) Sign(message []byte) ([]byte, error) {
	same := func(other Signature) bool { return other.Key == s.label && bytes.Equal(other.Message, message) }
	if i := slices.IndexFunc(s.signatures, same); i >= 0 {
		return s.signatures[i].Signature, nil
	}
	made := Signature{Key: s.label, Message: message}
	if i := slices.IndexFunc(s.known, same); i >= 0 {
		made = s.known[i]
	} else {
		signature, err := statementtest.Key(s.label).Sign(message)
		if err != nil {
			return nil, err
		}
		made.Signature = signature
	}
	s.signatures = append(s.signatures, made)
	return made.Signature, nil
}

// sign signs a body and, if it has a name, keeps the statement.
func (s *story) sign(name, about string, body statement.Body, label string) []byte {
	s.Helper()
	b, err := statement.Sign(body, signer{s, label})
	if err != nil {
		s.Fatalf("sign %s: %v", name, err)
	}
	if name != "" {
		s.statements = append(s.statements, namedStatement{name, about, label, b})
	}
	return b
}

// payload returns the payload of the last statement that was kept.
func (s *story) payload() []byte {
	parsed, err := statement.Parse(s.statements[len(s.statements)-1].bytes)
	if err != nil {
		s.Fatal(err)
	}
	return parsed.Payload
}

func newStory(t *testing.T, known []Signature) *story {
	s := &story{T: t, known: known}
	s.govern()
	s.issue()
	s.witness()
	s.release()
	return s
}

// govern founds the ledger and admits the issuer.
func (s *story) govern() {
	genesis := statementtest.Genesis()
	s.sign("genesis", "A ledger is made: its id is SM3 of this payload.", genesis, authority)
	s.ledger = sm.Sum(s.payload())

	profile := func(d licence.Department) statement.Profile {
		p := statement.Profile{ID: d.ID, USCC: d.USCC, NameZh: d.Name.Zh, NameEn: d.Name.En, Issues: d.Issues}
		for _, u := range d.Units {
			p.Units = append(p.Units, statement.Unit{ID: u.ID, DivisionCode: u.DivisionCode, NameZh: u.Name.Zh, NameEn: u.Name.En})
		}
		return p
	}
	civil := profile(credentialtest.Department(s, "marriage"))
	s.sign("department-admit", "The authority admits a department.",
		&statement.Department{Ledger: s.ledger, Profile: civil, State: statement.DepartmentActive, Sequence: 1, SignedAt: now}, authority)
	s.sign("department-suspend", "The authority suspends it; the profile has no units and no types.",
		&statement.Department{Ledger: s.ledger, Profile: statement.Profile{ID: civil.ID, USCC: civil.USCC, NameZh: civil.NameZh, NameEn: civil.NameEn},
			State: statement.DepartmentSuspended, Sequence: 2, SignedAt: now + 9000}, authority)

	key := statementtest.Key(issuer).Public()
	until := uint64(now + 1000*24*3600)
	enrol := &statement.Key{Ledger: s.ledger, Department: issuer, Action: statement.KeyEnrol, KeyID: key.ID(), PublicKey: key.Bytes(),
		Purposes: statement.PurposeAnchor | statement.PurposeStatus | statement.PurposeConsent, NotAfter: &until, SignedAt: now}
	s.sign("key-enrol", "A department's key is enrolled: anchor, status and consent, until a date.", enrol, authority)
	s.sign("key-enrol-cosigned", "The same payload, signed with the new key too.", enrol, issuer)
	s.sign("key-retire", "A key is retired.",
		&statement.Key{Ledger: s.ledger, Department: issuer, Action: statement.KeyRetire, KeyID: key.ID(), SignedAt: now + 7000}, authority)
	roots := []sm.Hash{statementtest.Hash("forged root 1"), statementtest.Hash("forged root 2")}
	slices.SortFunc(roots, func(a, b sm.Hash) int { return bytes.Compare(a[:], b[:]) })
	s.sign("key-compromise", "A key is declared compromised, and two roots are disowned.",
		&statement.Key{Ledger: s.ledger, Department: issuer, Action: statement.KeyCompromise, KeyID: key.ID(), Disowned: roots, SignedAt: now + 8000}, authority)

	y := credentialtest.Type(s, "marriage")
	s.sign("type", "Version 1 of the dictionary of marriage certificates is published.",
		&statement.Type{Ledger: s.ledger, ID: y.ID, Version: uint32(y.Version), Definition: y.Canonical(), SignedAt: now}, authority)
}

// issue anchors marriage certificates, and changes the status of one.
func (s *story) issue() {
	documents := credentialtest.Documents(s, "marriage")
	var drafts []*credential.Draft
	for _, label := range []string{"vector 0", "vector 1", "vector 2"} {
		drafts = append(drafts, credentialtest.Draft(s, documents[len(drafts)], label))
	}
	batch := s.batch("head", "The head of a batch of three marriage certificates.", drafts, "marriage")
	s.batchOfThree, s.whole = batch, batch.Credential(2)
	later := s.batch("head-alone", "The head of a batch of one: its root is the licence's digest.",
		[]*credential.Draft{credentialtest.Draft(s, documents[2], "vector later")}, "marriage")

	place := credentialtest.Open(s, s.whole).Place()
	successor := credentialtest.Open(s, later.Credential(0)).Place()
	status := statement.Status{Ledger: s.ledger, Issuer: issuer, Root: place.Root, Licence: &place, Sequence: 1,
		From: string(licence.Active), To: string(licence.Suspended), Effective: 20764, Reason: statementtest.Hash("reason 1"), SignedAt: now + 100}
	s.sign("status-first", "The first change of the status of one licence.", &status, issuer)
	previous := sm.Sum(s.payload())
	status.Sequence, status.From, status.To, status.SignedAt = 2, status.To, string(licence.Superseded), now+200
	status.Reason, status.Previous, status.Successor = statementtest.Hash("reason 2"), &previous, &successor
	s.sign("status-superseded", "The second change of the same licence, which another takes the place of.", &status, issuer)
	s.sign("status-root", "A change of the status of every licence under a root; it has effect from a day before 1970.",
		&statement.Status{Ledger: s.ledger, Issuer: issuer, Root: place.Root, Sequence: 1, From: string(licence.Active), To: string(licence.Revoked),
			Effective: -1, Reason: statementtest.Hash("reason 3"), SignedAt: now + 300}, issuer)

	restriction := statement.Restriction{Ledger: s.ledger, Issuer: issuer, Licence: place, Sequence: 1, Action: statement.RestrictionLay,
		ID: [16]byte(credentialtest.Salts("restriction", 1)), Ground: statementtest.Hash("ground 1"), Effective: 20764, SignedAt: now + 100}
	s.sign("restriction-lay", "A restriction is laid on a licence.", &restriction, issuer)
	laid := sm.Sum(s.payload())
	restriction.Sequence, restriction.Action, restriction.Previous = 2, statement.RestrictionLift, &laid
	restriction.Ground, restriction.SignedAt = statementtest.Hash("ground 2"), now+200
	s.sign("restriction-lift", "It is lifted.", &restriction, issuer)

	// A credential with every optional part.
	document := credentialtest.Documents(s, "property")[0]
	document.SetDocuments(statementtest.Hash("file 1"), statementtest.Hash("file 2"))
	from, until, predecessor := licence.Date(17532), licence.Date(42733), statementtest.Hash("predecessor")
	draft, err := credential.NewDraft(document, credential.Record{Issuer: "natural-resources", IssuedAt: now - 60,
		ValidFrom: &from, ValidUntil: &until, Predecessor: &predecessor}, credentialtest.Salts("vector property", len(document.Type().Leaves())))
	if err != nil {
		s.Fatal(err)
	}
	s.property = s.batch("", "", []*credential.Draft{draft}, "property").Credential(0)
}

func (s *story) batch(name, about string, drafts []*credential.Draft, typeID string) *credential.Batch {
	d := credentialtest.Department(s, typeID)
	batch, err := credential.NewBatch(drafts, statement.Head{Ledger: s.ledger, Unit: d.Units[0].ID, SignedAt: now}, signer{s, d.ID})
	if err != nil {
		s.Fatal(err)
	}
	if name != "" {
		s.statements = append(s.statements, namedStatement{name, about, d.ID, batch.Statement})
	}
	return batch
}

// witness signs what stands beside licences.
func (s *story) witness() {
	s.sign("consent-give", "A grant was given.",
		&statement.Consent{Ledger: s.ledger, Department: issuer, Digest: statementtest.Hash("grant"), Action: statement.ConsentGive, SignedAt: now}, issuer)
	s.sign("heartbeat", "A heartbeat of the ledger.", &statement.Heartbeat{Ledger: s.ledger, Sequence: 1, Time: now}, authority)

	shown := s.disclose(s.whole, "spouse1Name", "spouse2Id")
	o := credentialtest.Open(s, shown)
	s.sign("binding", "A holder's key is bound to the licence.", credentialtest.Binding(o), issuer)
	s.sign("consent-withdraw", "That binding is withdrawn.",
		&statement.Consent{Ledger: s.ledger, Department: issuer, Digest: sm.Sum(s.payload()), Action: statement.ConsentWithdraw, SignedAt: now}, issuer)
	proof := credentialtest.Proof()
	proof.Ledger, proof.Presentation = s.ledger, sm.Sum(shown.Bytes())
	s.sign("proof", "The holder proves that the presentation of two fields is theirs to show.", &proof, holder)
	s.record(shown, o.Digest)
	s.sign("snapshot", "The authority vouches for a file that holds the state of the ledger.",
		&statement.Snapshot{Ledger: s.ledger, Height: 12, Block: statementtest.Hash("block 12"), Heartbeat: now,
			Content: statementtest.Hash("contents"), Length: 4096}, authority)
}

func (s *story) disclose(c *credential.Presentation, keys ...string) *credential.Presentation {
	s.Helper()
	return credentialtest.Disclose(s, c, keys...)
}

// prove adds a holder part.
func (s *story) prove(p *credential.Presentation) *credential.Presentation {
	s.Helper()
	o := credentialtest.Open(s, p)
	binding := s.sign("", "", credentialtest.Binding(o), p.Record.Issuer)
	proved, err := credential.Prove(o, binding, credentialtest.Proof(), signer{s, holder})
	if err != nil {
		s.Fatal(err)
	}
	return proved
}
