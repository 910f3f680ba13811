package blocktest

import (
	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-protos-go/orderer"
	"github.com/hyperledger/fabric-protos-go/peer"
)

// Role returns the principal of those who have a role in an organisation.
func Role(id string, role msp.MSPRole_MSPRoleType) *msp.MSPPrincipal {
	return &msp.MSPPrincipal{
		PrincipalClassification: msp.MSPPrincipal_ROLE, Principal: encode(&msp.MSPRole{MspIdentifier: id, Role: role}),
	}
}

func signedBy(i int) *common.SignaturePolicy {
	return &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: int32(i)}}
}

func outOf(n int, rules ...*common.SignaturePolicy) *common.SignaturePolicy {
	return &common.SignaturePolicy{Type: &common.SignaturePolicy_NOutOf_{NOutOf: &common.SignaturePolicy_NOutOf{N: int32(n), Rules: rules}}}
}

// AnyOf returns the policy that asks for any of some.
func AnyOf(principals ...*msp.MSPPrincipal) *common.SignaturePolicyEnvelope {
	var rules []*common.SignaturePolicy
	for i := range principals {
		rules = append(rules, signedBy(i))
	}
	return &common.SignaturePolicyEnvelope{Rule: outOf(1, rules...), Identities: principals}
}

// MajorityWith returns the endorsement policy of CredLedger: peers of a majority of organisations,
// the first of which is always among them.
func MajorityWith(ids ...string) *common.SignaturePolicyEnvelope {
	e := &common.SignaturePolicyEnvelope{}
	var others []*common.SignaturePolicy
	for i, id := range ids {
		e.Identities = append(e.Identities, Role(id, msp.MSPRole_PEER))
		if i > 0 {
			others = append(others, signedBy(i))
		}
	}
	e.Rule = outOf(2, signedBy(0), outOf(len(ids)/2, others...))
	return e
}

func policyOf(p *common.SignaturePolicyEnvelope) *common.ConfigPolicy {
	return &common.ConfigPolicy{ModPolicy: "Admins", Policy: &common.Policy{Type: int32(common.Policy_SIGNATURE), Value: encode(p)}}
}

func implicit(rule common.ImplicitMetaPolicy_Rule, below string) *common.ConfigPolicy {
	return &common.ConfigPolicy{ModPolicy: "Admins", Policy: &common.Policy{
		Type: int32(common.Policy_IMPLICIT_META), Value: encode(&common.ImplicitMetaPolicy{Rule: rule, SubPolicy: below}),
	}}
}

func group(values map[string]proto.Message, policies map[string]*common.ConfigPolicy) *common.ConfigGroup {
	g := &common.ConfigGroup{
		ModPolicy: "Admins", Policies: policies,
		Groups: map[string]*common.ConfigGroup{}, Values: map[string]*common.ConfigValue{},
	}
	for name, v := range values {
		g.Values[name] = &common.ConfigValue{ModPolicy: "Admins", Value: encode(v)}
	}
	return g
}

// Group is the organisation in the channel's configuration.
func (o *Organisation) Group() *common.ConfigGroup {
	g := group(nil, map[string]*common.ConfigPolicy{
		"Readers":     policyOf(AnyOf(Role(o.ID, msp.MSPRole_MEMBER))),
		"Writers":     policyOf(AnyOf(Role(o.ID, msp.MSPRole_MEMBER))),
		"Admins":      policyOf(AnyOf(Role(o.ID, msp.MSPRole_ADMIN))),
		"Endorsement": policyOf(AnyOf(Role(o.ID, msp.MSPRole_PEER))),
	})
	g.Values["MSP"] = &common.ConfigValue{ModPolicy: "Admins", Value: o.config()}
	return g
}

// config is the configuration that a channel begins with.
func (n *Network) config() *common.Config {
	capabilities := &common.Capabilities{Capabilities: map[string]*common.Capability{"V2_0": {}}}
	rules := func() map[string]*common.ConfigPolicy {
		return map[string]*common.ConfigPolicy{
			"Readers": implicit(common.ImplicitMetaPolicy_ANY, "Readers"),
			"Writers": implicit(common.ImplicitMetaPolicy_ANY, "Writers"),
			"Admins":  implicit(common.ImplicitMetaPolicy_MAJORITY, "Admins"),
		}
	}
	ordering := group(map[string]proto.Message{"ConsensusType": &orderer.ConsensusType{Type: "etcdraft"}}, rules())
	ordering.Policies["BlockValidation"] = implicit(common.ImplicitMetaPolicy_ANY, "Writers")
	for _, o := range n.Ordering {
		ordering.Groups[o.ID] = o.Group()
	}
	application := group(map[string]proto.Message{"Capabilities": capabilities}, rules())
	application.Policies["Endorsement"] = implicit(common.ImplicitMetaPolicy_MAJORITY, "Endorsement")
	application.Policies["LifecycleEndorsement"] = implicit(common.ImplicitMetaPolicy_MAJORITY, "Endorsement")
	for _, o := range n.Departments {
		application.Groups[o.ID+"-group"] = o.Group()
	}
	root := group(map[string]proto.Message{"Capabilities": capabilities}, rules())
	root.Groups["Orderer"], root.Groups["Application"] = ordering, application
	return &common.Config{ChannelGroup: root}
}

// ApplicationPolicy is a policy as the definition of a chaincode names it.
func ApplicationPolicy(p *common.SignaturePolicyEnvelope) []byte {
	return encode(&peer.ApplicationPolicy{Type: &peer.ApplicationPolicy_SignaturePolicy{SignaturePolicy: p}})
}

func cloneConfig(c *common.Config) *common.Config { return proto.Clone(c).(*common.Config) }
