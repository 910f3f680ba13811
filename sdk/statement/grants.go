package statement

import (
	"github.com/credledger/credledger/sdk/sm"
)

// The statements of this file stay off the ledger, which learns of a grant by a Consent over SM3 of its
// payload. The departments that they are about keep them, and package grant judges them.

// Grant (授权用证) lets one agency have fields of one licence from its issuer, for one matter. The
// holder's key signs it (MeansKey), or else a key of the issuer for PurposeConsent, on the holder's
// behalf.
type Grant struct {
	_         struct{} `cbor:",toarray"`
	Ledger    sm.Hash
	Issuer    string   // of the licence: the department that answers
	Licence   sm.Hash  // its digest
	Type      string   // of the licence
	Agency    string   // the department that may ask
	Matter    string   // the service item (事项), by its id
	Fields    []string // keys of the type's dictionary, ascending, each once
	Uses      uint32   // how many times, 1 to MaxUses
	NotBefore uint64
	NotAfter  uint64 // at most MaxGrant seconds after NotBefore
	Means     string // how it was known to be the holder's will: one of the means
	Evidence  sm.Hash
	Salt      [16]byte // random: what the ledger has of a grant cannot be found by trying
	SignedAt  uint64
}

// Bounds of a Grant.
const (
	MaxGrant = 400 * 24 * 3600 // longest life, in seconds: 400 days
	MaxUses  = 1000
)

// The means by which somebody's will is known to be the holder's. With MeansKey the holder signs, and the
// evidence is SM3 of the payload of the Binding of the key. With the others the issuer signs on the
// holder's behalf, and the evidence is a salted commitment to its record of who was identified, and how.
const (
	MeansKey      = "holder-key" // signed with the key that is bound to the licence
	MeansCounter  = "counter"    // identity document checked at a counter (窗口)
	MeansPlatform = "platform"   // signed in through the city's identity platform
	MeansDelegate = "delegate"   // somebody else acted for the holder (帮办代办)
)

// Withdrawal takes a grant back, for good. It is signed as a Grant is, by whatever means; the department
// then withdraws the grant on the ledger.
type Withdrawal struct {
	_        struct{} `cbor:",toarray"`
	Ledger   sm.Hash
	Issuer   string
	Grant    sm.Hash // SM3 of the payload of the grant
	Means    string
	Evidence sm.Hash
	SignedAt uint64
}

// Request asks an issuer for fields of a licence. A key of the agency for PurposeConsent signs it.
type Request struct {
	_         struct{} `cbor:",toarray"`
	Ledger    sm.Hash
	Agency    string // the department that asks
	Issuer    string // the department that is asked
	Type      string
	Licence   *sm.Hash // digest of the licence; null if the agency does not know it,
	Subject   *sm.Hash // and then a salted commitment to what the licence is to be found by
	Matter    string   // the service item (事项), by its id
	Case      string   // the case number (办件号), at most 200 bytes; "" if there is none
	Fields    []string // as in a Grant
	Grant     *sm.Hash // SM3 of the payload of the grant that it is made under; null: by law alone
	Recipient [64]byte // x || y, the key that the answer is to be sealed to
	Nonce     [16]byte // random: no two requests are the same
	SignedAt  uint64
	NotAfter  uint64 // at most MaxRequest seconds after SignedAt
}

// MaxRequest is the longest life of a request: 30 days, in seconds.
const MaxRequest = 30 * 24 * 3600

// MaxRequestFields bounds the fields of a Grant and of a Request: a type has at most 200, the identifier
// and the documents.
const MaxRequestFields = 202

// Answer is the issuer's word on what became of a request. A key of the issuer for PurposeConsent signs
// it. What was released travels beside it, sealed.
type Answer struct {
	_            struct{} `cbor:",toarray"`
	Ledger       sm.Hash
	Issuer       string
	Request      sm.Hash  // SM3 of the payload of the request
	Outcome      string   // AnswerReleased or AnswerRefused
	Reason       string   // code of the decision, see package policy
	Policy       sm.Hash  // SM3 of the payload of the policy that was applied
	Basis        []string // ids of the legal bases that it was released under, ascending, each once
	Grant        *sm.Hash // SM3 of the payload of the grant that it was released under; null: by law alone
	Use          uint32   // number of this use of the grant, from 1; 0 without a grant
	Fields       []string // that were released, as in a Grant; none if refused
	Presentation *sm.Hash // SM3 of the presentation that was released; null if refused
	SignedAt     uint64
}

// The outcomes of an Answer.
const (
	AnswerReleased = "released"
	AnswerRefused  = "refused"
)

// MaxBases bounds the legal bases of an Answer.
const MaxBases = 16

// Policy publishes one version of the legal bases for releases. A key of the authority for PurposeGovern
// signs it.
type Policy struct {
	_          struct{} `cbor:",toarray"`
	Ledger     sm.Hash
	Version    uint32
	Definition []byte // see package policy; 1 to MaxDefinition bytes
	SignedAt   uint64
}

func (*Grant) Kind() Kind      { return KindGrant }
func (*Withdrawal) Kind() Kind { return KindWithdrawal }
func (*Request) Kind() Kind    { return KindRequest }
func (*Answer) Kind() Kind     { return KindAnswer }
func (*Policy) Kind() Kind     { return KindPolicy }

func (g *Grant) LedgerID() sm.Hash      { return g.Ledger }
func (w *Withdrawal) LedgerID() sm.Hash { return w.Ledger }
func (r *Request) LedgerID() sm.Hash    { return r.Ledger }
func (a *Answer) LedgerID() sm.Hash     { return a.Ledger }
func (p *Policy) LedgerID() sm.Hash     { return p.Ledger }

// Validate implements Body.
func (g *Grant) Validate() error {
	return check(g,
		id("issuer", g.Issuer),
		id("type", g.Type),
		id("agency", g.Agency),
		id("matter", g.Matter),
		fieldKeys(g.Fields, 1),
		that("uses", 1 <= g.Uses && g.Uses <= MaxUses, "must be 1 to 1000"),
		seconds("not-before", g.NotBefore),
		seconds("not-after", g.NotAfter),
		that("not-after", g.NotBefore <= g.NotAfter && g.NotAfter-g.NotBefore <= MaxGrant, "must lie within 400 days after not-before"),
		means(g.Means),
		seconds("signed-at", g.SignedAt),
	)
}

// Validate implements Body.
func (w *Withdrawal) Validate() error {
	return check(w, id("issuer", w.Issuer), means(w.Means), seconds("signed-at", w.SignedAt))
}

// Validate implements Body.
func (r *Request) Validate() error {
	return check(r,
		id("agency", r.Agency),
		id("issuer", r.Issuer),
		id("type", r.Type),
		that("licence", (r.Licence == nil) != (r.Subject == nil), "is named by its digest or by a commitment, not by both"),
		that("licence", r.Grant == nil || r.Licence != nil, "is named by its digest in a request under a grant"),
		id("matter", r.Matter),
		text("case", r.Case, 0, 200),
		fieldKeys(r.Fields, 1),
		publicKey(r.Recipient[:]),
		seconds("signed-at", r.SignedAt),
		seconds("not-after", r.NotAfter),
		that("not-after", r.SignedAt <= r.NotAfter && r.NotAfter-r.SignedAt <= MaxRequest, "must lie within 30 days after signed-at"),
	)
}

// Validate implements Body.
func (a *Answer) Validate() error {
	released := a.Outcome == AnswerReleased
	problems := []problem{
		id("issuer", a.Issuer),
		oneOf("outcome", a.Outcome, AnswerReleased, AnswerRefused),
		id("reason", a.Reason),
		that("bases", len(a.Basis) <= MaxBases && ascending(a.Basis), "must be at most 16, in ascending order, each once"),
		that("use", (a.Use > 0) == (a.Grant != nil) && a.Use <= MaxUses, "is 1 to 1000 with a grant, and 0 without"),
		fieldKeys(a.Fields, 0),
		that("outcome", released == (len(a.Fields) > 0) && released == (a.Presentation != nil), "is released with fields and a presentation, and refused without"),
		that("outcome", released == (len(a.Basis) > 0 || a.Grant != nil), "is released under a legal basis or a grant, and refused under none"),
		seconds("signed-at", a.SignedAt),
	}
	for _, b := range a.Basis {
		problems = append(problems, id("basis", b))
	}
	return check(a, problems...)
}

// Validate implements Body.
func (p *Policy) Validate() error {
	return check(p,
		version("version", p.Version),
		that("definition", 1 <= len(p.Definition) && len(p.Definition) <= MaxDefinition, "must have 1 to 262144 bytes"),
		seconds("signed-at", p.SignedAt),
	)
}

func means(s string) problem {
	return oneOf("means", s, MeansKey, MeansCounter, MeansPlatform, MeansDelegate)
}

// fieldKeys checks keys of a type's dictionary: a letter, then letters and digits, 64 at most.
func fieldKeys(keys []string, least int) problem {
	ok := least <= len(keys) && len(keys) <= MaxRequestFields && ascending(keys)
	for i := 0; ok && i < len(keys); i++ {
		ok = isFieldKey(keys[i])
	}
	return that("fields", ok, "must be at most 202 keys of a dictionary, in ascending order, each once")
}

func isFieldKey(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', i > 0 && '0' <= c && c <= '9':
		default:
			return false
		}
	}
	return 1 <= len(s) && len(s) <= 64
}
