package fabric

import (
	"fmt"
	"strconv"
	"strings"
)

// A rule is a policy over the peers of organisations: of its parts at least n have to be satisfied,
// or, if it names an organisation, a peer of that has to sign.
type rule struct {
	n     int
	parts []*rule
	org   string
}

// maxPolicy bounds the text and, with it, the depth of a policy.
const maxPolicy = 16 << 10 // bytes

// Policy returns the endorsement policy in Fabric's policy language: the file's own, else a majority
// of the organisations that includes the authority.
func (t *Topology) Policy() string {
	if t.Endorsement != "" {
		return t.Endorsement
	}
	return t.majority("peer")
}

// majority is the policy that a majority of the organisations with the authority among them signs,
// each by an identity of a role.
func (t *Topology) majority(role string) string {
	others := make([]string, 0, len(t.Organisations))
	for _, o := range t.Organisations {
		if o.ID != t.Authority {
			others = append(others, fmt.Sprintf("'%s.%s'", o.ID, role))
		}
	}
	return fmt.Sprintf("AND('%s.%s', OutOf(%d, %s))", t.Authority, role, len(t.Organisations)/2, strings.Join(others, ", "))
}

// checkEndorsement refuses a policy that is none, or that is too weak.
func (t *Topology) checkEndorsement() error {
	r, err := parsePolicy(t.Policy())
	if err != nil {
		return err
	}
	for _, org := range r.organisations(nil) {
		if t.organisation(org) == nil {
			return failf(CodeEndorsementInvalid, "endorsement: %q is none of the organisations", org)
		}
	}
	all := map[string]bool{}
	for _, o := range t.Organisations {
		all[o.ID] = true
		if r.satisfied(map[string]bool{o.ID: true}) {
			return failf(CodeEndorsementWeak, "endorsement: %s alone can satisfy this policy, and so write what it likes; ask for two organisations or more", o.ID)
		}
	}
	if !r.satisfied(all) {
		return failf(CodeEndorsementInvalid, "endorsement: all organisations together cannot satisfy this policy")
	}
	delete(all, t.Authority)
	if r.satisfied(all) {
		return failf(CodeEndorsementWeak, "endorsement: this policy can be met without the authority %s; begin it with AND('%s.peer', ...)", t.Authority, t.Authority)
	}
	return nil
}

// satisfied reports whether signatures of these organisations' peers, as many as each likes, are enough.
func (r *rule) satisfied(by map[string]bool) bool {
	if r.org != "" {
		return by[r.org]
	}
	n := 0
	for _, part := range r.parts {
		if part.satisfied(by) {
			n++
		}
	}
	return n >= r.n
}

// organisations appends those that are named.
func (r *rule) organisations(out []string) []string {
	if r.org != "" {
		return append(out, r.org)
	}
	for _, part := range r.parts {
		out = part.organisations(out)
	}
	return out
}

// parsePolicy reads Fabric's policy language as far as it speaks of peers: AND(...), OR(...) and
// OutOf(n, ...) over parts and 'ORGANISATION.peer'.
func parsePolicy(text string) (*rule, error) {
	if len(text) > maxPolicy {
		return nil, failf(CodeEndorsementInvalid, "endorsement: a policy has at most %d bytes", maxPolicy)
	}
	p := &policyParser{text: text}
	r, err := p.rule(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, p.fail("the policy ends here")
	}
	return r, nil
}

type policyParser struct {
	text string
	at   int
}

func (p *policyParser) fail(expected string) error {
	return failf(CodeEndorsementInvalid, "endorsement: at character %d: expected: %s", p.at+1, expected)
}

func (p *policyParser) space() {
	p.at += len(p.text[p.at:]) - len(strings.TrimLeft(p.text[p.at:], " \t\r\n"))
}

// take reads a token if it comes next.
func (p *policyParser) take(token string) bool {
	p.space()
	if !strings.HasPrefix(p.text[p.at:], token) {
		return false
	}
	p.at += len(token)
	return true
}

const maxPolicyDepth = 16

func (p *policyParser) rule(depth int) (*rule, error) {
	if depth > maxPolicyDepth {
		return nil, p.fail(fmt.Sprintf("at most %d levels of brackets", maxPolicyDepth))
	}
	switch {
	case p.take("'"):
		return p.principal()
	case p.take("AND("):
		parts, err := p.parts(depth)
		return &rule{n: len(parts), parts: parts}, err
	case p.take("OR("):
		parts, err := p.parts(depth)
		return &rule{n: 1, parts: parts}, err
	case p.take("OutOf("):
		return p.outOf(depth)
	}
	return nil, p.fail("AND(...), OR(...), OutOf(n, ...) or 'ORGANISATION.peer'")
}

func (p *policyParser) principal() (*rule, error) {
	name, rest, ok := strings.Cut(p.text[p.at:], "'")
	org, role, _ := strings.Cut(name, ".")
	if !ok || role != "peer" || !idPattern.MatchString(org) {
		return nil, p.fail("ORGANISATION.peer' (peers endorse, and only they)")
	}
	p.at = len(p.text) - len(rest)
	return &rule{org: org}, nil
}

// parts reads rules separated by commas, up to the closing bracket.
func (p *policyParser) parts(depth int) ([]*rule, error) {
	var parts []*rule
	for {
		part, err := p.rule(depth + 1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
		if p.take(")") {
			return parts, nil
		}
		if !p.take(",") {
			return nil, p.fail("a comma or a closing bracket")
		}
	}
}

func (p *policyParser) outOf(depth int) (*rule, error) {
	p.space()
	digits := p.text[p.at:]
	digits = digits[:len(digits)-len(strings.TrimLeft(digits, "0123456789"))]
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return nil, p.fail("how many of the parts have to sign")
	}
	p.at += len(digits)
	if !p.take(",") {
		return nil, p.fail("a comma")
	}
	parts, err := p.parts(depth)
	if err != nil {
		return nil, err
	}
	if n < 1 || int(n) > len(parts) {
		return nil, p.fail(fmt.Sprintf("OutOf(n, ...) with n from 1 to its %d parts", len(parts)))
	}
	return &rule{n: int(n), parts: parts}, nil
}
