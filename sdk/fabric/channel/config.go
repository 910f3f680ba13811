package channel

import (
	"errors"
	"fmt"
	"strings"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-protos-go/orderer"
)

// rootGroup is the name of the group that holds all the others.
const rootGroup = "Channel"

// blockValidation is the path of the policy that says whose signatures a block needs.
const blockValidation = "/Channel/Orderer/BlockValidation"

// A config is a channel's configuration as it stands after some block.
type config struct {
	channel       string
	sequence      uint64
	group         *common.ConfigGroup
	organisations map[string]*organisation
	members       map[string]string // of those with peers and clients: the MSP's id to the group's name
	policies      *policies

	identities map[string]*known // by their encoding
}

// newConfig reads a configuration.
func newConfig(channel string, encoded *common.Config) (*config, error) {
	c := &config{
		channel: channel, sequence: encoded.GetSequence(), group: encoded.GetChannelGroup(),
		organisations: map[string]*organisation{}, members: map[string]string{}, identities: map[string]*known{},
	}
	if c.group == nil {
		return nil, errors.New("it is empty")
	}
	if err := c.supported(); err != nil {
		return nil, err
	}
	if err := c.addOrganisations(c.group); err != nil {
		return nil, err
	}
	for name, g := range c.group.Groups["Application"].GetGroups() {
		o, err := newOrganisation(g.GetValues()["MSP"].GetValue())
		if err != nil {
			return nil, err
		}
		c.members[o.id] = name
	}
	var err error
	if c.policies, err = newPolicies(c.group); err != nil {
		return nil, err
	}
	if _, ok := c.policy(blockValidation); !ok {
		return nil, errors.New("it does not say whose signatures a block needs")
	}
	return c, nil
}

// supported checks that the channel works by the rules that the audit knows: those of Fabric 2.5
// with its capabilities V2_0 and a Raft ordering service.
func (c *config) supported() error {
	app := c.group.Groups["Application"]
	for _, level := range []*common.ConfigGroup{c.group, app} {
		capabilities := new(common.Capabilities)
		if err := proto.Unmarshal(level.GetValues()["Capabilities"].GetValue(), capabilities); err != nil {
			return err
		}
		for name := range capabilities.Capabilities {
			if name != "V2_0" && name != "V2_5" && !strings.HasPrefix(name, "V1_") {
				return fmt.Errorf("it has the capability %.16q, which the audit does not know", name)
			}
		}
		if capabilities.Capabilities["V2_0"] == nil && capabilities.Capabilities["V2_5"] == nil {
			return errors.New("it does not have the capability V2_0")
		}
	}
	consensus := new(orderer.ConsensusType)
	if err := proto.Unmarshal(c.group.Groups["Orderer"].GetValues()["ConsensusType"].GetValue(), consensus); err != nil {
		return err
	}
	if consensus.Type != "etcdraft" {
		return fmt.Errorf("its ordering service is of the type %.16q, which the audit does not know", consensus.Type)
	}
	return nil
}

// addOrganisations reads the MSPs of a group and of those below it.
func (c *config) addOrganisations(g *common.ConfigGroup) error {
	if v := g.GetValues()["MSP"]; v != nil {
		o, err := newOrganisation(v.Value)
		if err != nil {
			return err
		}
		c.organisations[o.id] = o
	}
	for _, below := range g.GetGroups() {
		if err := c.addOrganisations(below); err != nil {
			return err
		}
	}
	return nil
}

// policy returns the policy of an absolute path, which is nobody if there is none.
func (c *config) policy(path string) (p policy, ok bool) {
	relative, ok := strings.CutPrefix(path, "/"+rootGroup+"/")
	if !ok {
		return nobody, false
	}
	return c.policies.policy(relative)
}

// Bounds of the identities that a config remembers: how many, and how long in bytes.
const (
	maxKnown    = 4096
	maxIdentity = 8 << 10
)

// A known is what an encoded identity has come to.
type known struct {
	id  *identity
	err error
}

// identity reads a msp.SerializedIdentity. The error says that it is no certificate of an
// organisation of the channel.
func (c *config) identity(encoded []byte) (*identity, error) {
	if k := c.identities[string(encoded)]; k != nil {
		return k.id, k.err
	}
	k := new(known)
	named := new(msp.SerializedIdentity)
	if k.err = proto.Unmarshal(encoded, named); k.err == nil {
		if o := c.organisations[named.Mspid]; o == nil {
			k.err = fmt.Errorf("%.64q is no organisation of the channel", named.Mspid)
		} else if k.id, k.err = o.identity(named.IdBytes); k.err != nil {
			k.err = fmt.Errorf("a certificate of %s: %w", named.Mspid, k.err)
		}
	}
	if len(encoded) <= maxIdentity {
		if len(c.identities) >= maxKnown {
			clear(c.identities)
		}
		c.identities[string(encoded)] = k
	}
	return k.id, k.err
}

// A signed is bytes with a signature and whose it is said to be.
type signed struct {
	identity  []byte // msp.SerializedIdentity
	message   []byte
	signature []byte
}

// signers returns the identities whose signatures verify, each once, in their order.
func (c *config) signers(set []signed) []*identity {
	var ids []*identity
	seen := map[string]bool{}
	for _, s := range set {
		id, err := c.identity(s.identity)
		if err != nil {
			continue
		}
		name := id.of.id + "\x00" + string(id.cert.RawTBSCertificate)
		if !seen[name] && verifySignature(id.key, s.message, s.signature) {
			seen[name] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// names lists the organisations of identities, for a message.
func names(ids []*identity) string {
	if len(ids) == 0 {
		return "nobody"
	}
	var list []string
	for _, id := range ids {
		list = append(list, id.of.id)
	}
	return strings.Join(list, ", ")
}
