package vectors_test

import (
	"slices"

	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// EvidenceFile is the evidence of a request, and what a reader knows who judges it.
type EvidenceFile struct {
	Common
	File     Hex            `json:"file"`
	Ledger   Hex            `json:"ledger"`   // the only ledger known
	Keys     []KnownKey     `json:"keys"`     // on it
	Consents []KnownConsent `json:"consents"` // on it
	// The rest is there in a good file only.
	Request   Hex    `json:"request,omitempty"`   // digest
	Grant     Hex    `json:"grant,omitempty"`     // digest of the grant in the file
	Outcome   string `json:"outcome,omitempty"`   // of the answer
	Withdrawn bool   `json:"withdrawn,omitempty"` // the grant is, by now
}

// KnownConsent is what a ledger has of a grant.
type KnownConsent struct {
	Department string `json:"department"`
	Digest     Hex    `json:"digest"`
	Action     string `json:"action"`
}

const agency = statementtest.Agency

// An evidenceCase is the parts of an evidence file, before something is changed in them.
type evidenceCase struct {
	*story
	grant        *statement.Grant
	request      *statement.Request
	answer       *statement.Answer
	signers      map[statement.Kind]string // labels
	binding      any                       // []byte or nil
	presentation any                       // []byte or nil
	keys         []KnownKey
	action       string                       // of the consent on the ledger; "": none
	signed       func(map[statement.Kind]any) // changes the signed parts; nil is null
	items        func([]any) []any            // changes the items of the file
	bytes        func([]byte) []byte          // changes the whole file
}

// evidenceCase is the release of two fields of a marriage certificate under a grant of the holder.
func (s *story) evidenceCase() *evidenceCase {
	shown := s.disclose(s.whole, "spouse1Name", "spouse2Id")
	o := credentialtest.Open(s, shown)
	binding := s.sign("", "", credentialtest.Binding(o), issuer)
	presentation := sm.Sum(shown.Bytes())
	fields := []string{"spouse1Name", "spouse2Id"}
	return &evidenceCase{
		story: s,
		grant: &statement.Grant{Ledger: s.ledger, Issuer: issuer, Licence: o.Digest, Type: "marriage", Agency: agency,
			Matter: "second-hand-home-transfer", Fields: fields, Uses: 2, NotBefore: now, NotAfter: now + 30*24*3600,
			Means: statement.MeansKey, Evidence: s.payloadHash(binding), Salt: [16]byte(credentialtest.Salts("grant", 1)), SignedAt: now},
		request: &statement.Request{Ledger: s.ledger, Agency: agency, Issuer: issuer, Type: "marriage", Licence: &o.Digest,
			Matter: "second-hand-home-transfer", Case: "20261107-0042", Fields: fields, Grant: new(sm.Hash), Recipient: statementtest.XY(agency),
			Nonce: [16]byte(credentialtest.Salts("request", 1)), SignedAt: now + 60, NotAfter: now + 3660},
		answer: &statement.Answer{Ledger: s.ledger, Issuer: issuer, Outcome: statement.AnswerReleased, Reason: "grant",
			Policy: statementtest.Hash("policy"), Basis: []string{}, Grant: new(sm.Hash), Use: 1, Fields: fields,
			Presentation: &presentation, SignedAt: now + 61},
		signers:      map[statement.Kind]string{statement.KindGrant: holder, statement.KindRequest: agency, statement.KindAnswer: issuer},
		binding:      binding,
		presentation: shown.Bytes(),
		keys: []KnownKey{
			{Key: issuer, Department: issuer, Purposes: uint8(statement.PurposeAnchor | statement.PurposeConsent), State: "active"},
			{Key: agency, Department: agency, Purposes: uint8(statement.PurposeConsent), State: "active"},
		},
		action: statement.ConsentGive,
		signed: func(map[statement.Kind]any) {},
		items:  func(items []any) []any { return items },
		bytes:  func(b []byte) []byte { return b },
	}
}

func (s *story) payloadHash(signed []byte) sm.Hash {
	parsed, err := statement.Parse(signed)
	if err != nil {
		s.Fatal(err)
	}
	return sm.Sum(parsed.Payload)
}

// onBehalf makes the grant one that the issuer recorded at a counter.
func (c *evidenceCase) onBehalf() {
	c.grant.Means, c.grant.Evidence = statement.MeansCounter, statementtest.Hash("record")
	c.signers[statement.KindGrant], c.binding = issuer, nil
}

// byLaw makes the request one without a grant, which the law gives.
func (c *evidenceCase) byLaw() {
	c.request.Grant, c.answer.Grant, c.answer.Use, c.answer.Reason, c.answer.Basis = nil, nil, 0, "basis", []string{"registration-rules-16"}
	c.binding = nil
	c.signed = func(parts map[statement.Kind]any) { parts[statement.KindGrant] = nil }
}

func (c *evidenceCase) refuse(reason string) {
	c.answer.Outcome, c.answer.Reason, c.answer.Basis, c.answer.Grant, c.answer.Use = statement.AnswerRefused, reason, []string{}, nil, 0
	c.answer.Fields, c.answer.Presentation, c.presentation = []string{}, nil, nil
}

// file signs the parts, names each in the next where a zero hash stands for it, and puts them together.
func (c *evidenceCase) file(common Common) EvidenceFile {
	c.Helper()
	parts := map[statement.Kind]any{}
	sign := func(body statement.Body) sm.Hash {
		b := c.sign("", "", body, c.signers[body.Kind()])
		parts[body.Kind()] = b
		return c.payloadHash(b)
	}
	fill := func(h *sm.Hash, with sm.Hash) {
		if h != nil && *h == (sm.Hash{}) {
			*h = with
		}
	}
	f := EvidenceFile{Common: common, Ledger: c.ledger[:], Keys: c.keys, Consents: []KnownConsent{}}
	digest := sign(c.grant)
	fill(c.request.Grant, digest)
	fill(c.answer.Grant, digest)
	request := sign(c.request)
	fill(&c.answer.Request, request)
	sign(c.answer)
	if c.action != "" {
		f.Consents = append(f.Consents, KnownConsent{issuer, digest[:], c.action})
	}
	c.signed(parts)
	f.File = c.bytes(c.encode(c.items([]any{1, parts[statement.KindRequest], parts[statement.KindAnswer], parts[statement.KindGrant], c.binding, c.presentation})))
	if common.Expect == "ok" {
		f.Request, f.Outcome, f.Withdrawn = request[:], c.answer.Outcome, c.action == statement.ConsentWithdraw
		if parts[statement.KindGrant] != nil {
			f.Grant = digest[:]
		}
	}
	return f
}

// release signs one statement of each kind that grants are made of, for files of their own.
func (s *story) release() {
	c := s.evidenceCase()
	s.sign("grant", "A holder lets an agency have two fields of a licence, twice.", c.grant, holder)
	digest := sm.Sum(s.payload())
	s.sign("withdrawal", "That grant is withdrawn, at a counter.", &statement.Withdrawal{Ledger: s.ledger, Issuer: issuer, Grant: digest,
		Means: statement.MeansCounter, Evidence: statementtest.Hash("record of the withdrawal"), SignedAt: now + 7000}, issuer)
	c.request.Grant = &digest
	s.sign("request", "The agency asks for the fields under that grant.", c.request, agency)
	request := sm.Sum(s.payload())
	c.answer.Request, c.answer.Grant = request, &digest
	s.sign("answer", "The issuer releases them.", c.answer, issuer)
	c.onBehalf()
	s.sign("grant-on-behalf", "The issuer records such a grant on the holder's behalf.", c.grant, issuer)
	subject := statementtest.Hash("subject")
	c.request.Licence, c.request.Subject, c.request.Grant, c.request.Case = nil, &subject, nil, ""
	s.sign("request-described", "A request by law, for a licence that it describes.", c.request, agency)
	c.answer.Request = sm.Sum(s.payload())
	c.refuse("no-basis")
	s.sign("answer-refused", "The issuer refuses it.", c.answer, issuer)
	s.sign("policy", "The authority publishes legal bases.", &statement.Policy{Ledger: s.ledger, Version: 1,
		Definition: []byte("version: 1\nfrom: 2026-11-07\nanswerWithin: 300\n"), SignedAt: now}, authority)
}

func (s *story) goodEvidence() map[string]any {
	files := map[string]any{}
	add := func(name, about string, change func(c *evidenceCase)) {
		c := s.evidenceCase()
		change(c)
		files["evidence-"+name+".json"] = c.file(good("evidence", about))
	}
	add("grant", "Two fields are released under a grant of the holder.", func(*evidenceCase) {})
	add("grant-on-behalf", "Under a grant that was recorded at a counter, its last use.", func(c *evidenceCase) {
		c.onBehalf()
		c.answer.Use = 2
	})
	add("since", "Since then the grant was withdrawn and the keys were retired; what was released is not kept.", func(c *evidenceCase) {
		c.action, c.keys[0].State, c.keys[1].State, c.presentation = statement.ConsentWithdraw, "retired", "retired", nil
	})
	add("law", "The law gives both fields; the licence was found by what the request described it by.", func(c *evidenceCase) {
		c.byLaw()
		subject := statementtest.Hash("subject")
		c.request.Licence, c.request.Subject = nil, &subject
	})
	add("law-and-grant", "The law gives one field, the grant the other.", func(c *evidenceCase) {
		c.grant.Fields, c.answer.Basis, c.answer.Reason = []string{"spouse2Id"}, []string{"registration-rules-16"}, "basis-and-grant"
	})
	add("law-grant-shown", "The law gives both fields, and the grant is not used, nor on the ledger.", func(c *evidenceCase) {
		c.answer.Grant, c.answer.Use, c.answer.Reason, c.answer.Basis, c.action = nil, 0, "basis", []string{"registration-rules-16"}, ""
	})
	add("refused", "The grant had expired.", func(c *evidenceCase) {
		c.grant.NotAfter = now + 1
		c.refuse("grant-expired")
	})
	return files
}

func (s *story) badEvidence() map[string]any {
	files := map[string]any{}
	add := func(name, stage, code, about string, change func(c *evidenceCase)) {
		c := s.evidenceCase()
		change(c)
		files["evidence-"+name+".json"] = c.file(bad("evidence", stage, code, about))
	}
	malformed := func(name, about string, change func(c *evidenceCase)) {
		add(name, "parse", grant.CodeEvidenceMalformed, about, change)
	}
	malformed("empty", "No bytes at all.", func(c *evidenceCase) { c.bytes = func([]byte) []byte { return []byte{} } })
	malformed("trailing", "A byte follows.", func(c *evidenceCase) { c.bytes = func(b []byte) []byte { return append(b, 0) } })
	malformed("truncated", "The last byte is missing.", func(c *evidenceCase) { c.bytes = func(b []byte) []byte { return b[:len(b)-1] } })
	malformed("version-2", "The version is 2.", func(c *evidenceCase) { c.items = func(v []any) []any { v[0] = 2; return v } })
	malformed("item-more", "There is an item more.", func(c *evidenceCase) { c.items = func(v []any) []any { return append(v, nil) } })
	malformed("answer-null", "There is no answer.", func(c *evidenceCase) { c.items = func(v []any) []any { v[2] = nil; return v } })
	malformed("grant-empty", "The grant is an empty string.", func(c *evidenceCase) { c.items = func(v []any) []any { v[3] = []byte{}; return v } })
	malformed("request-16385-bytes", "The request has 16,385 bytes.", func(c *evidenceCase) {
		c.items = func(v []any) []any { v[1] = make([]byte, 16385); return v }
	})

	refused := func(name, code, about string, change func(c *evidenceCase)) { add(name, "check", code, about, change) }
	refused("another-ledger", grant.CodeOtherLedger, "The request is for another ledger.", func(c *evidenceCase) { c.request.Ledger[0] ^= 1 })
	refused("exchanged", statement.CodeWrongKind, "Request and answer are exchanged.", func(c *evidenceCase) {
		c.items = func(v []any) []any { v[1], v[2] = v[2], v[1]; return v }
	})
	refused("request-stranger", grant.CodeKeyUnknown, "A stranger made the request.", func(c *evidenceCase) { c.signers[statement.KindRequest] = stranger })
	refused("request-key-department", grant.CodeKeyDepartment, "The issuer made the request itself.", func(c *evidenceCase) { c.signers[statement.KindRequest] = issuer })
	refused("request-key-purpose", grant.CodeKeyPurpose, "The agency's key is not for consent.", func(c *evidenceCase) { c.keys[1].Purposes = 7 })
	refused("request-key-compromised", grant.CodeKeyCompromised, "The agency's key was declared compromised.", func(c *evidenceCase) { c.keys[1].State = "compromised" })
	refused("request-key-expired", grant.CodeKeyExpired, "The request was signed after its key ended.", func(c *evidenceCase) { at := uint64(now); c.keys[1].NotAfter = &at })
	refused("answer-key-not-yet-valid", grant.CodeKeyNotYetValid, "The answer was signed before its key began.", func(c *evidenceCase) {
		at := uint64(now + 62)
		c.keys[0].NotBefore = &at
	})
	refused("request-signature", grant.CodeSignature, "A bit of the signature of the request was changed.", func(c *evidenceCase) {
		c.signed = func(parts map[statement.Kind]any) {
			b := slices.Clone(parts[statement.KindRequest].([]byte))
			b[len(b)-1] ^= 1
			parts[statement.KindRequest] = b
		}
	})
	refused("answer-another-request", grant.CodeAnswerDiffers, "The answer is to another request.", func(c *evidenceCase) { c.answer.Request = statementtest.Hash("another request") })
	refused("answer-by-agency", grant.CodeKeyDepartment, "The agency answered itself.", func(c *evidenceCase) { c.signers[statement.KindAnswer] = agency })
	refused("answer-another-issuer", grant.CodeAnswerDiffers, "Another department was asked.", func(c *evidenceCase) { c.request.Issuer, c.grant.Issuer = "market-regulation", "market-regulation" })
	refused("answer-field-less", grant.CodeAnswerFields, "One field of two is released.", func(c *evidenceCase) { c.answer.Fields = c.answer.Fields[:1] })
	refused("answer-another-grant", grant.CodeGrantDiffers, "The answer is under another grant than the request names.", func(c *evidenceCase) {
		other := statementtest.Hash("another grant")
		c.answer.Grant = &other
	})
	refused("grant-missing", grant.CodeGrantMissing, "The grant is left out.", func(c *evidenceCase) {
		c.binding = nil
		c.signed = func(parts map[statement.Kind]any) { parts[statement.KindGrant] = nil }
	})
	refused("grant-another", grant.CodeGrantDiffers, "Request and answer name another grant than the one in the file.", func(c *evidenceCase) {
		other := statementtest.Hash("another grant")
		c.request.Grant, c.answer.Grant = &other, &other
	})
	refused("grant-stranger", grant.CodeSignature, "A stranger gave the grant.", func(c *evidenceCase) { c.signers[statement.KindGrant] = stranger })
	refused("grant-by-agency", grant.CodeKeyDepartment, "The agency recorded the grant on the holder's behalf.", func(c *evidenceCase) {
		c.onBehalf()
		c.signers[statement.KindGrant] = agency
	})
	refused("binding-missing", grant.CodeBindingMissing, "The binding is left out.", func(c *evidenceCase) { c.binding = nil })
	refused("binding-alone", grant.CodeBindingDiffers, "There is a binding, but no grant.", func(c *evidenceCase) {
		binding := c.binding
		c.byLaw()
		c.binding = binding
	})
	refused("binding-unneeded", grant.CodeBindingDiffers, "There is a binding with a grant that the issuer signed.", func(c *evidenceCase) {
		binding := c.binding
		c.onBehalf()
		c.binding = binding
	})
	refused("binding-of-another", grant.CodeBindingDiffers, "The binding is of another licence.", func(c *evidenceCase) {
		c.grant.Licence = statementtest.Hash("another licence")
	})
	refused("binding-not-yet-valid", grant.CodeBindingNotYetValid, "The grant was signed more than two minutes before the key was bound.", func(c *evidenceCase) { c.grant.SignedAt = now - 121 })
	refused("binding-expired", grant.CodeBindingExpired, "The grant was signed a second after the binding expired.", func(c *evidenceCase) { c.grant.SignedAt = now + 90*24*3600 + 1 })
	refused("grant-not-given", grant.CodeNotGiven, "The ledger does not have the grant.", func(c *evidenceCase) { c.action = "" })
	refused("grant-other-agency", grant.CodeOtherAgency, "The grant is for another agency.", func(c *evidenceCase) { c.grant.Agency = "tax-bureau" })
	refused("grant-other-licence", grant.CodeOtherLicence, "The request is for another licence.", func(c *evidenceCase) {
		other := statementtest.Hash("another licence")
		c.request.Licence = &other
	})
	refused("grant-other-type", grant.CodeOtherLicence, "The request is for another type.", func(c *evidenceCase) { c.request.Type = "divorce" })
	refused("grant-other-matter", grant.CodeOtherMatter, "The request is for another matter.", func(c *evidenceCase) { c.request.Matter = "loan" })
	refused("grant-not-yet-valid", grant.CodeNotYetValid, "It was answered a second before the grant began.", func(c *evidenceCase) { c.grant.NotBefore = now + 62 })
	refused("grant-expired", grant.CodeExpired, "It was answered a second after the grant expired.", func(c *evidenceCase) { c.grant.NotAfter = now + 60 })
	refused("grant-used-up", grant.CodeUsedUp, "It is the third use of two.", func(c *evidenceCase) { c.answer.Use = 3 })
	refused("grant-fields", grant.CodeBeyond, "A field is released that the grant is not about.", func(c *evidenceCase) { c.grant.Fields = []string{"spouse2Id"} })
	refused("grant-for-nothing", grant.CodeBeyond, "The grant is about none of the fields that the law gives.", func(c *evidenceCase) {
		c.grant.Fields, c.answer.Basis = []string{"spouse1Id"}, []string{"registration-rules-16"}
	})
	refused("presentation-differs", grant.CodePresentation, "The presentation is another one.", func(c *evidenceCase) {
		c.presentation = c.disclose(c.whole, "spouse1Name").Bytes()
	})
	refused("refused-with-presentation", grant.CodePresentation, "It was refused, and there is a presentation.", func(c *evidenceCase) {
		shown := c.presentation
		c.refuse("excluded")
		c.presentation = shown
	})
	return files
}

// releaseView is what the reader of an evidence vector knows.
type releaseView struct {
	*runner
	EvidenceFile
}

func (k releaseView) Ledger() sm.Hash { return sm.Hash(k.EvidenceFile.Ledger) }

func (k releaseView) Key(kid sm.Hash) *grant.Key {
	for _, one := range k.Keys {
		if key := k.key(one.Key); key.ID() == kid {
			return &grant.Key{Department: one.Department, Public: key, Purposes: statement.Purposes(one.Purposes),
				NotBefore: one.NotBefore, NotAfter: one.NotAfter, State: grant.KeyState(one.State)}
		}
	}
	return nil
}

func (k releaseView) Consent(department string, digest sm.Hash) string {
	for _, c := range k.Consents {
		if c.Department == department && sm.Hash(c.Digest) == digest {
			return c.Action
		}
	}
	return ""
}

func (r *runner) checkEvidence(f EvidenceFile) {
	e, err := grant.ParseEvidence(f.File)
	if err != nil {
		r.outcome(f.Common, "parse", r.code(err))
		return
	}
	report, err := e.Check(releaseView{r, f})
	r.outcome(f.Common, "check", r.code(err))
	if err != nil {
		return
	}
	r.same("again", e.Bytes(), f.File)
	r.same("request", report.Request.Digest[:], f.Request)
	if report.Answer.Outcome != f.Outcome || report.Withdrawn != f.Withdrawn || (report.Grant == nil) != (f.Grant == nil) {
		r.Errorf("%s, withdrawn: %v", report.Answer.Outcome, report.Withdrawn)
	}
	if report.Grant != nil {
		r.same("grant", report.Grant.Digest[:], f.Grant)
	}
}
