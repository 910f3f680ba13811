package snapshot_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// A history is a city in which everything that can become of licences does, in an order that chance
// decides.
type history struct {
	*testing.T
	*verifiertest.City
	rand     *rand.Rand
	lots     []*lot
	batches  map[*lot]*statement.Status
	bindings []*bound
	unsent   *lot     // signed early, and never anchored
	sizes    uint64   // of access logs, so far
	log      []string // what happened, for the reader of a failure
}

// A lot is licences under one head.
type lot struct {
	department *ledgertest.Department
	typ        *licence.Type
	batch      *credential.Batch
	tree       *credential.Tree
	papers     []*paper
	disowned   bool
}

// A paper is a licence, and where it was anchored.
type paper struct {
	draft       *credential.Draft
	digest      sm.Hash
	typ         *licence.Type
	places      []place
	status      *statement.Status
	restriction *statement.Restriction
	open        [][16]byte
}

type place struct {
	*lot
	index int
}

// bound is a presentation that a holder proves to make.
type bound struct {
	department *ledgertest.Department
	binding    []byte
	shown      *credential.Presentation
	nonce      []byte
	withdrawn  bool
}

func newHistory(t *testing.T, seed uint64) *history {
	return &history{T: t, City: verifiertest.New(t), rand: rand.New(rand.NewPCG(seed, 0)), batches: map[*lot]*statement.Status{}}
}

func (h *history) note(format string, args ...any) {
	h.log = append(h.log, fmt.Sprintf(format, args...))
}

// step lets something happen; it may come to nothing.
func (h *history) step() {
	steps := []func(){
		h.issue, h.issue, h.anchorAgain, h.changeOne, h.changeOne, h.changeOne, h.changeOne, h.changeAll, h.restrict, h.restrict, h.lift,
		h.bind, h.withdraw, h.give, h.checkpoint, h.beat, h.beat,
	}
	steps[h.rand.IntN(len(steps))]()
}

func pick[T any](h *history, list []T) T { return list[h.rand.IntN(len(list))] }

// issue anchors licences that are new.
func (h *history) issue() {
	typ := h.Type(h, pick(h, []string{"marriage", "property", "property", "business"}))
	var papers []*paper
	for range 1 + h.rand.IntN(5) {
		papers = append(papers, h.paper(typ))
	}
	h.anchor(typ, papers)
}

func (h *history) paper(typ *licence.Type) *paper {
	salts := make([]byte, len(typ.Leaves())*credential.SaltSize)
	for i := range salts {
		salts[i] = byte(h.rand.Uint32())
	}
	record := credential.Record{Issuer: h.Issuer(h, typ.ID).ID, IssuedAt: ledgertest.Time}
	if h.rand.IntN(4) == 0 {
		until := licence.Date(ledgertest.Day + h.rand.IntN(3) - 1)
		record.ValidUntil = &until
	}
	draft, err := credential.NewDraft(pick(h, h.Documents(h, typ.ID)), record, salts)
	if err != nil {
		h.Fatal(err)
	}
	return &paper{draft: draft, typ: typ}
}

// anchorAgain anchors licences once more, under another root.
func (h *history) anchorAgain() {
	if len(h.lots) == 0 {
		return
	}
	old := pick(h, h.lots)
	papers := append(slices.Clone(old.papers[:1+h.rand.IntN(len(old.papers))]), h.paper(old.typ))
	h.rand.Shuffle(len(papers), func(i, j int) { papers[i], papers[j] = papers[j], papers[i] })
	h.anchor(old.typ, papers)
}

func (h *history) anchor(typ *licence.Type, papers []*paper) *lot {
	l := h.sign(typ, papers)
	h.Submit(l.department.ID, &chaincode.Transaction{Statements: [][]byte{l.batch.Statement}, Digests: l.batch.DigestBytes()})
	h.note("lot %d: anchor %d of %s", len(h.lots), len(papers), typ.ID)
	h.lots = append(h.lots, l)
	return l
}

// sign makes a lot that is not on the ledger yet.
func (h *history) sign(typ *licence.Type, papers []*paper) *lot {
	d := h.Issuer(h, typ.ID)
	drafts := make([]*credential.Draft, len(papers))
	for i := range drafts {
		drafts[i] = papers[i].draft
	}
	head := statement.Head{Ledger: h.ID, Unit: pick(h, d.Profile.Units).ID, SignedAt: h.Clock.Unix()}
	batch, err := credential.NewBatch(drafts, head, d.Anchor)
	if err != nil {
		h.Fatal(err)
	}
	l := &lot{department: d, typ: typ, batch: batch, tree: credential.NewTree(batch.Digests), papers: papers}
	for i, p := range papers {
		p.digest = batch.Digests[i]
		p.places = append(p.places, place{l, i})
	}
	return l
}

// at is where a paper stands under one of the lots that are not disowned; ok is false if there is none.
func (h *history) at(p *paper) (at statement.Place, d *ledgertest.Department, ok bool) {
	for _, i := range h.rand.Perm(len(p.places)) {
		if place := p.places[i]; !place.disowned && slices.Contains(h.lots, place.lot) {
			return place.on(), place.department, true
		}
	}
	return at, nil, false
}

func (p place) on() statement.Place {
	return statement.Place{Root: p.batch.Head.Root, Index: uint32(p.index), Digest: p.batch.Digests[p.index], Path: p.tree.AppendPath(nil, p.index)}
}

// anyPaper is one that can be changed.
func (h *history) anyPaper() (*paper, statement.Place, *ledgertest.Department, bool) {
	if len(h.lots) == 0 {
		return nil, statement.Place{}, nil, false
	}
	p := pick(h, pick(h, h.lots).papers)
	at, d, ok := h.at(p)
	return p, at, d, ok
}

// effective is a day about now.
func (h *history) effective() int32 { return int32(ledgertest.Day + h.rand.IntN(15) - 7) }

// next is a change of status after another one, as the type allows it; nil if it allows none.
func (h *history) next(typ *licence.Type, last *statement.Status, whole bool) *statement.Status {
	from := licence.Active
	s := &statement.Status{Ledger: h.ID, Sequence: 1, Effective: h.effective(), Reason: sm.Sum([]byte{byte(h.rand.Uint32())}), SignedAt: h.Clock.Unix()}
	if last != nil {
		from = licence.State(last.To)
		payload, err := statement.Encode(last)
		if err != nil {
			h.Fatal(err)
		}
		previous := sm.Sum(payload)
		s.Sequence, s.Previous = last.Sequence+1, &previous
	}
	var to []licence.State
	for _, t := range typ.Transitions {
		if t.From == from && !(whole && t.To == licence.Superseded) {
			to = append(to, t.To)
		}
	}
	if len(to) == 0 {
		return nil
	}
	s.From, s.To = string(from), string(pick(h, to))
	return s
}

func (h *history) submitStatus(d *ledgertest.Department, typ *licence.Type, s *statement.Status) {
	keys := []*sm.PrivateKey{d.Status}
	if t, _ := typ.Transition(licence.State(s.From), licence.State(s.To)); t.Approvals == 2 {
		keys = append(keys, d.Second)
	}
	s.Issuer = d.ID
	h.Submit(d.ID, ledgertest.Sign(h, s, keys...))
}

func (h *history) changeOne() {
	p, at, d, ok := h.anyPaper()
	if !ok {
		return
	}
	s := h.next(p.typ, p.status, false)
	if s == nil {
		return
	}
	s.Root, s.Licence = at.Root, &at
	if s.To == string(licence.Superseded) {
		other, place, _, ok := h.anyPaper()
		if !ok || other == p || other.typ != p.typ {
			return
		}
		s.Successor = &place
	}
	h.submitStatus(d, p.typ, s)
	p.status = s
	h.note("licence %s: %s from day %d", p.digest, s.To, s.Effective-ledgertest.Day)
}

func (h *history) changeAll() {
	if len(h.lots) == 0 || h.rand.IntN(2) == 0 {
		return
	}
	l := pick(h, h.lots)
	s := h.next(l.typ, h.batches[l], true)
	if l.disowned || s == nil {
		return
	}
	s.Root = l.batch.Head.Root
	h.submitStatus(l.department, l.typ, s)
	h.batches[l] = s
	h.note("lot %d: %s from day %d", slices.Index(h.lots, l), s.To, s.Effective-ledgertest.Day)
}

func (h *history) restriction(p *paper, at statement.Place, d *ledgertest.Department, action string, id [16]byte) {
	r := &statement.Restriction{
		Ledger: h.ID, Issuer: d.ID, Licence: at, Sequence: 1, Action: action, ID: id,
		Ground: sm.Sum(id[:]), Effective: h.effective(), SignedAt: h.Clock.Unix(),
	}
	if p.restriction != nil {
		payload, err := statement.Encode(p.restriction)
		if err != nil {
			h.Fatal(err)
		}
		previous := sm.Sum(payload)
		r.Sequence, r.Previous = p.restriction.Sequence+1, &previous
	}
	h.Submit(d.ID, ledgertest.Sign(h, r, d.Status))
	p.restriction = r
	h.note("licence %s: %s from day %d", p.digest, action, r.Effective-ledgertest.Day)
}

func (h *history) restrict() {
	p, at, d, ok := h.anyPaper()
	if !ok || len(p.typ.Restrictions) == 0 {
		return
	}
	id := [16]byte{byte(h.rand.Uint32()), byte(len(p.open)), 1}
	if slices.Contains(p.open, id) {
		return
	}
	p.open = append(p.open, id)
	h.restriction(p, at, d, statement.RestrictionLay, id)
}

func (h *history) lift() {
	p, at, d, ok := h.anyPaper()
	if !ok || len(p.open) == 0 {
		return
	}
	i := h.rand.IntN(len(p.open))
	id := p.open[i]
	p.open = slices.Delete(p.open, i, i+1)
	h.restriction(p, at, d, statement.RestrictionLift, id)
}

// bind gives a holder a binding and lets him show a licence with it.
func (h *history) bind() {
	p, at, d, ok := h.anyPaper()
	if !ok {
		return
	}
	holder, err := sm.GenerateKey(nil)
	if err != nil {
		h.Fatal(err)
	}
	now := h.Clock.Unix()
	binding, err := statement.Sign(&statement.Binding{
		Ledger: h.ID, Issuer: d.ID, Digest: p.digest, HolderKey: [64]byte(holder.Public().Bytes()), NotBefore: now, NotAfter: now + 7*24*3600,
	}, d.Anchor)
	if err != nil {
		h.Fatal(err)
	}
	i := slices.IndexFunc(p.places, func(x place) bool { return x.batch.Head.Root == at.Root })
	opened, err := p.places[i].show(h).Open(p.typ)
	if err != nil {
		h.Fatal(err)
	}
	b := &bound{department: d, binding: binding, nonce: []byte("a nonce of sixteen")}
	proof := statement.Proof{Audience: "counter", Nonce: b.nonce, IssuedAt: now, NotAfter: now + 12*3600}
	if b.shown, err = credential.Prove(opened, binding, proof, holder); err != nil {
		h.Fatal(err)
	}
	h.bindings = append(h.bindings, b)
}

func (p place) show(h *history) *credential.Presentation {
	shown, err := credential.Disclose(p.batch.Credential(p.index), p.typ, p.typ.NumberField().Key)
	if err != nil {
		h.Fatal(err)
	}
	return shown
}

func (h *history) consent(d *ledgertest.Department, digest sm.Hash, action string) {
	h.Submit(d.ID, ledgertest.Sign(h, &statement.Consent{
		Ledger: h.ID, Department: d.ID, Digest: digest, Action: action, SignedAt: h.Clock.Unix(),
	}, d.Consent))
}

func (h *history) withdraw() {
	if len(h.bindings) == 0 {
		return
	}
	b := pick(h, h.bindings)
	s, err := statement.Parse(b.binding)
	if err != nil || b.withdrawn {
		return
	}
	b.withdrawn = true
	h.consent(b.department, sm.Sum(s.Payload), statement.ConsentWithdraw)
	h.note("a binding of %s is withdrawn", b.department.ID)
}

// give records a grant, which is nothing to a verifier.
func (h *history) give() {
	h.consent(pick(h, h.Departments), sm.Sum([]byte{byte(h.rand.Uint32()), byte(len(h.log))}), statement.ConsentGive)
}

func (h *history) checkpoint() {
	d := pick(h, h.Departments)
	h.sizes += uint64(1 + h.rand.IntN(1000))
	h.Submit(d.ID, ledgertest.Sign(h, &statement.Checkpoint{
		Ledger: h.ID, Department: d.ID, Log: pick(h, []string{"main", "second"}), Size: h.sizes, Root: sm.Sum([]byte{byte(h.sizes)}), SignedAt: h.Clock.Unix(),
	}, d.Log))
}

func (h *history) beat() { h.Pass(time.Duration(1+h.rand.IntN(600)) * time.Second) }

// compromise disowns some of what a department anchored, and gives it another key.
func (h *history) compromise() {
	l := pick(h, h.lots)
	d := l.department
	var disowned []sm.Hash
	for _, other := range h.lots {
		s, err := statement.Parse(other.batch.Statement)
		if err != nil {
			h.Fatal(err)
		}
		if other.department == d && s.KeyID == d.Anchor.Public().ID() && (other == l || h.rand.IntN(3) == 0) {
			other.disowned = true
			disowned = append(disowned, other.batch.Head.Root)
			h.note("lot %d is disowned", slices.Index(h.lots, other))
		}
	}
	slices.SortFunc(disowned, func(x, y sm.Hash) int { return slices.Compare(x[:], y[:]) })
	end := h.EndKey(d.ID, d.Anchor, statement.KeyCompromise, disowned...)
	end.SignedAt = h.Clock.Unix()
	h.Submit(d.ID, ledgertest.Sign(h, end, d.Govern))
	next, err := sm.GenerateKey(nil)
	if err != nil {
		h.Fatal(err)
	}
	enrol := h.Enrolment(d.ID, next, statement.PurposeAnchor)
	enrol.SignedAt = h.Clock.Unix()
	h.Submit(d.ID, ledgertest.Sign(h, enrol, next, d.Govern))
	d.Anchor = next
}
