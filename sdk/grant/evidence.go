package grant

import (
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sm"
)

// MaxEvidence is the greatest length of an evidence file in bytes: four statements and a presentation.
const MaxEvidence = 132 << 10

// maxStatement bounds each statement in an evidence file: keys of 202 fields take 13.3 KB.
const maxStatement = 16 << 10

const evidenceVersion = 1

// Evidence is what either party keeps of one request, and shows to whoever asks: the signed statements, and
// what was released if it still has that. As a file it is deterministic CBOR:
//
//	[1, request, answer, grant / null, binding / null, presentation / null]
//
// The grant is there if the answer is under it; it may be there if the request names it. The binding is
// there with a grant that the holder signed.
type Evidence struct {
	Request      []byte
	Answer       []byte
	Grant        []byte // nil if there is none
	Binding      []byte // of the grant; nil if there is none
	Presentation []byte // nil if nothing was released, or it is not kept
}

// Bytes returns the file. It is the inverse of ParseEvidence for parts that are there and no longer than
// statements and presentations are.
func (e *Evidence) Bytes() []byte {
	b := dcbor.AppendArray(nil, 6)
	b = dcbor.AppendUint(b, evidenceVersion)
	b = dcbor.AppendBytes(b, e.Request)
	b = dcbor.AppendBytes(b, e.Answer)
	for _, part := range [...][]byte{e.Grant, e.Binding, e.Presentation} {
		if part == nil {
			b = dcbor.AppendNull(b)
		} else {
			b = dcbor.AppendBytes(b, part)
		}
	}
	return b
}

// ParseEvidence takes a file apart. Every other encoding than that of Bytes is refused; the parts are not
// looked at: Check does. The result has parts of b. The error is an *[Error] with CodeEvidenceMalformed or
// CodeEvidenceTooLarge.
func ParseEvidence(b []byte) (*Evidence, error) {
	if len(b) > MaxEvidence {
		return nil, errorf(CodeEvidenceTooLarge, "an evidence file has at most %d bytes", MaxEvidence)
	}
	r := dcbor.NewReader(b)
	r.ArrayOf(6)
	version := r.Uint(evidenceVersion)
	e := &Evidence{Request: part(&r, maxStatement), Answer: part(&r, maxStatement)}
	e.Grant, e.Binding = optional(&r, maxStatement), optional(&r, maxStatement)
	e.Presentation = optional(&r, credential.MaxSize)
	if !r.OK() || len(r.Rest()) > 0 || version != evidenceVersion {
		return nil, errorf(CodeEvidenceMalformed, "not an evidence file of version %d: see that it came whole and unchanged", evidenceVersion)
	}
	return e, nil
}

// part reads a byte string of 1 to max bytes.
func part(r *dcbor.Reader, max int) []byte {
	b := r.Bytes(max)
	if len(b) == 0 {
		r.Fail()
	}
	return b
}

func optional(r *dcbor.Reader, max int) []byte {
	if r.Null() {
		return nil
	}
	return part(r, max)
}

// A Report is what an evidence file shows.
type Report struct {
	Request *Request
	Answer  *Answer
	Grant   *Grant // nil if there is none
	// Withdrawn says that the grant is withdrawn by now, which says nothing against an answer given
	// before.
	Withdrawn bool
}

// Check reports what the file shows, to whoever has the ledger. It refuses one whose parts do not belong
// together or are not signed by whom they say, and a release that what it claims to rest on does not allow:
// a grant that is not on the ledger, is for something else or other fields, did not hold when the answer
// was signed or allows fewer uses. Legal bases are judged by the policy, which is not in the file, and the
// contents of the presentation by Answer.Released. The error is an *[Error], or one of package statement.
func (e *Evidence) Check(v View) (*Report, error) {
	r, err := ReadRequest(e.Request, v)
	if err != nil {
		return nil, err
	}
	a, err := ReadAnswer(e.Answer, r, v)
	if err != nil {
		return nil, err
	}
	report := &Report{Request: r, Answer: a}
	if err := e.checkGrant(report, v); err != nil {
		return nil, err
	}
	if e.Presentation != nil && (a.Presentation == nil || sm.Sum(e.Presentation) != *a.Presentation) {
		return nil, errorf(CodePresentation, "this is not the presentation that was released")
	}
	return report, nil
}

func (e *Evidence) checkGrant(report *Report, v View) error {
	r, a := report.Request, report.Answer
	switch {
	case e.Grant == nil && a.Grant != nil:
		return errorf(CodeGrantMissing, "the answer is under a grant, which is not in the file")
	case e.Grant == nil && e.Binding != nil:
		return errorf(CodeBindingDiffers, "a binding is in the file, but no grant that it belongs to")
	case e.Grant == nil:
		return nil
	}
	g, err := ReadGrant(e.Grant, e.Binding, v)
	if err != nil {
		return err
	}
	if r.Grant == nil || *r.Grant != g.Digest {
		return errorf(CodeGrantDiffers, "the request does not name this grant")
	}
	h := g.Hold(v, 0)
	report.Grant, report.Withdrawn = g, h.Withdrawn
	if a.Grant == nil {
		return nil
	}
	h.Used, h.Withdrawn = a.Use-1, false
	if err := h.Covers(r, a.SignedAt); err != nil {
		return err
	}
	if beyond := g.Beyond(a.Fields); len(beyond) == len(a.Fields) || len(beyond) > 0 && len(a.Basis) == 0 {
		return errorf(CodeBeyond, "fields were released that the grant is not about")
	}
	return nil
}
