package channel

import (
	"errors"
	"fmt"
	"strings"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-protos-go/peer"
)

// A policy reports whether a set of identities, no two of them the same, is enough.
type policy func([]*identity) bool

// nobody is the policy in the place of one that does not exist.
func nobody([]*identity) bool { return false }

// A policies is the policies of one group of the configuration, and the groups below it.
type policies struct {
	named  map[string]policy
	groups map[string]*policies
}

func newPolicies(g *common.ConfigGroup) (*policies, error) {
	p := &policies{named: map[string]policy{}, groups: map[string]*policies{}}
	for name, below := range g.GetGroups() {
		var err error
		if p.groups[name], err = newPolicies(below); err != nil {
			return nil, fmt.Errorf("group %.64q: %w", name, err)
		}
	}
	for name, c := range g.GetPolicies() {
		made, err := p.make(c.GetPolicy())
		if err != nil {
			return nil, fmt.Errorf("policy %.64q: %w", name, err)
		}
		p.named[name] = made
	}
	return p, nil
}

func (p *policies) make(c *common.Policy) (policy, error) {
	switch common.Policy_PolicyType(c.GetType()) {
	case common.Policy_SIGNATURE:
		e := new(common.SignaturePolicyEnvelope)
		if err := proto.Unmarshal(c.GetValue(), e); err != nil {
			return nil, err
		}
		return signaturePolicy(e)
	case common.Policy_IMPLICIT_META:
		m := new(common.ImplicitMetaPolicy)
		if err := proto.Unmarshal(c.GetValue(), m); err != nil {
			return nil, err
		}
		return p.implicit(m)
	}
	return nil, errors.New("it is of a type that the audit does not know")
}

// implicit makes a policy that asks for any, a majority or all of the groups below to be content, by
// their own policies of one name. Where there are no groups, that is nothing.
func (p *policies) implicit(m *common.ImplicitMetaPolicy) (policy, error) {
	var below []policy
	for _, g := range p.groups {
		part, _ := g.policy(m.SubPolicy)
		below = append(below, part)
	}
	least := 0
	switch m.Rule {
	case common.ImplicitMetaPolicy_ANY:
		least = min(1, len(below))
	case common.ImplicitMetaPolicy_ALL:
		least = len(below)
	case common.ImplicitMetaPolicy_MAJORITY:
		least = len(below)/2 + min(1, len(below))
	default:
		return nil, errors.New("its rule is none")
	}
	return func(ids []*identity) bool {
		content := 0
		for _, policy := range below {
			if policy(ids) {
				content++
			}
		}
		return content >= least
	}, nil
}

// policy returns the policy of a path relative to the group, names separated by slashes; it is nobody
// if there is none.
func (p *policies) policy(path string) (found policy, ok bool) {
	for {
		group, rest, below := strings.Cut(path, "/")
		if !below {
			break
		}
		if p = p.groups[group]; p == nil {
			return nobody, false
		}
		path = rest
	}
	if found = p.named[path]; found == nil {
		return nobody, false
	}
	return found, true
}

// signaturePolicy makes a policy that names who must sign.
func signaturePolicy(e *common.SignaturePolicyEnvelope) (policy, error) {
	if e.GetVersion() != 0 {
		return nil, errors.New("it is of a version that the audit does not know")
	}
	met, err := signatureRule(e.GetRule(), e.GetIdentities())
	if err != nil {
		return nil, err
	}
	return func(ids []*identity) bool { return met(ids, make([]bool, len(ids))) }, nil
}

// A rule is a part of a signature policy. It marks the identities that it has used: each counts once.
type rule func(ids []*identity, used []bool) bool

func signatureRule(r *common.SignaturePolicy, principals []*msp.MSPPrincipal) (rule, error) {
	switch t := r.GetType().(type) {
	case *common.SignaturePolicy_SignedBy:
		if t.SignedBy < 0 || int(t.SignedBy) >= len(principals) {
			return nil, errors.New("it asks for somebody whom it does not name")
		}
		principal := principals[t.SignedBy]
		return func(ids []*identity, used []bool) bool {
			for i, id := range ids {
				if !used[i] && id.satisfies(principal) {
					used[i] = true
					return true
				}
			}
			return false
		}, nil
	case *common.SignaturePolicy_NOutOf_:
		parts := make([]rule, len(t.NOutOf.GetRules()))
		for i, part := range t.NOutOf.GetRules() {
			var err error
			if parts[i], err = signatureRule(part, principals); err != nil {
				return nil, err
			}
		}
		least := int(t.NOutOf.GetN())
		return func(ids []*identity, used []bool) bool {
			met := 0
			for _, part := range parts {
				trial := append([]bool(nil), used...)
				if part(ids, trial) {
					met++
					copy(used, trial)
				}
			}
			return met >= least
		}, nil
	}
	return nil, errors.New("it is no rule")
}

// applicationPolicy makes the policy of a chaincode's definition.
func (c *config) applicationPolicy(encoded []byte) (policy, error) {
	p := new(peer.ApplicationPolicy)
	if err := proto.Unmarshal(encoded, p); err != nil {
		return nil, err
	}
	switch t := p.Type.(type) {
	case *peer.ApplicationPolicy_SignaturePolicy:
		return signaturePolicy(t.SignaturePolicy)
	case *peer.ApplicationPolicy_ChannelConfigPolicyReference:
		p, ok := c.policy(t.ChannelConfigPolicyReference)
		if !ok {
			return nil, fmt.Errorf("the channel has no policy %.64q", t.ChannelConfigPolicyReference)
		}
		return p, nil
	}
	return nil, errors.New("it is of a type that the audit does not know")
}
