package channel

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
)

// update returns the configuration that comes after c, if it is what an update of c leads to that
// those have signed who may change what it changes.
func (c *config) update(e *common.ConfigEnvelope) (*config, error) {
	if e.GetConfig().GetSequence() != c.sequence+1 {
		return nil, fmt.Errorf("it has the number %d, but %d is next", e.GetConfig().GetSequence(), c.sequence+1)
	}
	signed, err := lastUpdate(e.GetLastUpdate())
	if err != nil {
		return nil, err
	}
	u := new(common.ConfigUpdate)
	if err := proto.Unmarshal(signed.ConfigUpdate, u); err != nil {
		return nil, errors.New("the update of the configuration is none")
	}
	if u.ChannelId != c.channel {
		return nil, fmt.Errorf("the update is for the channel %.64q", u.ChannelId)
	}
	ids, err := c.updaters(signed)
	if err != nil {
		return nil, err
	}
	group, err := c.apply(u, ids)
	if err != nil {
		return nil, err
	}
	if !proto.Equal(group, e.Config.ChannelGroup) {
		return nil, errors.New("it is not what the update of the one before leads to")
	}
	next, err := newConfig(c.channel, e.Config)
	if err != nil {
		return nil, unsupported(err)
	}
	return next, nil
}

// lastUpdate takes the envelope of an update apart.
func lastUpdate(e *common.Envelope) (*common.ConfigUpdateEnvelope, error) {
	payload, header, signed := new(common.Payload), new(common.ChannelHeader), new(common.ConfigUpdateEnvelope)
	if proto.Unmarshal(e.GetPayload(), payload) != nil ||
		proto.Unmarshal(payload.GetHeader().GetChannelHeader(), header) != nil ||
		common.HeaderType(header.Type) != common.HeaderType_CONFIG_UPDATE ||
		proto.Unmarshal(payload.Data, signed) != nil {
		return nil, errors.New("it does not hold the update that led to it")
	}
	return signed, nil
}

// updaters returns who has signed an update.
func (c *config) updaters(u *common.ConfigUpdateEnvelope) ([]*identity, error) {
	var set []signed
	for _, s := range u.Signatures {
		header := new(common.SignatureHeader)
		if err := proto.Unmarshal(s.GetSignatureHeader(), header); err != nil {
			return nil, errors.New("a signature of the update is none")
		}
		message := slices.Concat(s.GetSignatureHeader(), u.ConfigUpdate)
		set = append(set, signed{header.Creator, message, s.GetSignature()})
	}
	return c.signers(set), nil
}

// An element is a group, a value or a policy of a configuration.
type element struct {
	group  *common.ConfigGroup
	value  *common.ConfigValue
	policy *common.ConfigPolicy
	in     []string // the groups that it is in, from below the root; of a group, itself included
}

func (e element) version() uint64 {
	switch {
	case e.group != nil:
		return e.group.Version
	case e.value != nil:
		return e.value.Version
	}
	return e.policy.GetVersion()
}

// modPolicy names the policy of those who may change the element.
func (e element) modPolicy() string {
	switch {
	case e.group != nil:
		return e.group.ModPolicy
	case e.value != nil:
		return e.value.ModPolicy
	}
	return e.policy.GetModPolicy()
}

// Elements are named by their kind and their path.
const (
	groupElement  = "group "
	valueElement  = "value "
	policyElement = "policy "
)

// pathOf returns the path of a group, from the root on.
func pathOf(in []string) string {
	return strings.Join(append([]string{rootGroup}, in...), "/")
}

// elements lists what is in a group and below.
func elements(g *common.ConfigGroup) (map[string]element, error) {
	all := map[string]element{}
	var walk func(g *common.ConfigGroup, in []string)
	walk = func(g *common.ConfigGroup, in []string) {
		path := pathOf(in)
		all[groupElement+path] = element{group: g, in: in}
		for name, v := range g.GetValues() {
			all[valueElement+path+"/"+name] = element{value: v, in: in}
		}
		for name, p := range g.GetPolicies() {
			all[policyElement+path+"/"+name] = element{policy: p, in: in}
		}
		for name, below := range g.GetGroups() {
			walk(below, append(slices.Clone(in), name))
		}
	}
	if g != nil {
		walk(g, nil)
	}
	for name, e := range all {
		depth := len(e.in)
		if e.group == nil {
			depth++
		}
		if strings.Count(name, "/") != depth || e.group == nil && e.value == nil && e.policy == nil {
			return nil, fmt.Errorf("%q is no name in a configuration, or names nothing", name)
		}
	}
	return all, nil
}

// apply returns what an update makes of the configuration, if everything that it has read is as it
// has read it, and who changed it may.
func (c *config) apply(u *common.ConfigUpdate, ids []*identity) (*common.ConfigGroup, error) {
	var sets [3]map[string]element
	for i, g := range []*common.ConfigGroup{c.group, u.ReadSet, u.WriteSet} {
		var err error
		if sets[i], err = elements(g); err != nil {
			return nil, err
		}
	}
	now, read, written := sets[0], sets[1], sets[2]
	for name, e := range read {
		if was, ok := now[name]; !ok || was.version() != e.version() {
			return nil, fmt.Errorf("the update rests on another version of %q", name)
		}
	}
	changed := false
	for name, e := range written {
		if was, ok := read[name]; ok && was.version() == e.version() {
			continue
		}
		if err := c.mayChange(name, now, e, ids); err != nil {
			return nil, err
		}
		now[name], changed = e, true
	}
	if !changed {
		return nil, errors.New("the update changes nothing")
	}
	return assemble(now, nil)
}

// mayChange checks that an element may be put in the place of the one that is there now.
func (c *config) mayChange(name string, now map[string]element, e element, ids []*identity) error {
	was, exists := now[name]
	switch {
	case e.modPolicy() == "":
		return fmt.Errorf("the update lets nobody change %q", name)
	case !exists && e.version() != 0:
		return fmt.Errorf("the update changes %q, which there is not", name)
	case !exists:
		return nil // the group that gets it is changed too
	case e.version() != was.version()+1:
		return fmt.Errorf("the update does not change %q from the version that there is", name)
	}
	modPolicy := was.modPolicy()
	path := "/" + pathOf(was.in) + "/" + modPolicy
	if strings.HasPrefix(modPolicy, "/") {
		path = modPolicy
	}
	if may, ok := c.policy(path); !ok || !may(ids) {
		return fmt.Errorf("the update of %q is signed by %s, which does not satisfy the policy %q", name, names(ids), path)
	}
	return nil
}

// assemble puts the elements of a group together.
func assemble(all map[string]element, in []string) (*common.ConfigGroup, error) {
	path := pathOf(in)
	here, ok := all[groupElement+path]
	if !ok || here.group == nil {
		return nil, fmt.Errorf("the update leaves the group %q without content", path)
	}
	g := &common.ConfigGroup{
		Version: here.group.Version, ModPolicy: here.group.ModPolicy,
		Groups: map[string]*common.ConfigGroup{}, Values: map[string]*common.ConfigValue{}, Policies: map[string]*common.ConfigPolicy{},
	}
	for name := range here.group.Values {
		if g.Values[name] = all[valueElement+path+"/"+name].value; g.Values[name] == nil {
			return nil, fmt.Errorf("the update leaves the value %q of %q without content", name, path)
		}
	}
	for name := range here.group.Policies {
		if g.Policies[name] = all[policyElement+path+"/"+name].policy; g.Policies[name] == nil {
			return nil, fmt.Errorf("the update leaves the policy %q of %q without content", name, path)
		}
	}
	for name := range here.group.Groups {
		below, err := assemble(all, append(slices.Clone(in), name))
		if err != nil {
			return nil, err
		}
		g.Groups[name] = below
	}
	return g, nil
}
