package channel

import (
	"errors"
	"fmt"
	"strings"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-protos-go/peer/lifecycle"
)

// lifecycleName is the chaincode of Fabric that keeps the definitions of chaincodes, and
// lifecyclePolicy the path of the policy of those who may change them.
const (
	lifecycleName   = "_lifecycle"
	lifecyclePolicy = "/Channel/Application/LifecycleEndorsement"
)

// implicitPrefix begins the name of the collection that an organisation has of its own.
const implicitPrefix = "_implicit_org_"

// A definitions is the definitions of chaincodes that were committed: the values of _lifecycle.
type definitions struct {
	space
	pending []change          // by the present block; they hold from the next one on
	known   map[string]policy // in the present block
}

// policy returns the endorsement policy of a chaincode, as by its definition.
func (d *definitions) policy(c *config, chaincode string) (policy, error) {
	if p := d.known[chaincode]; p != nil {
		return p, nil
	}
	p, err := d.read(c, chaincode)
	if err == nil {
		d.known[chaincode] = p
	}
	return p, err
}

func (d *definitions) read(c *config, chaincode string) (policy, error) {
	if chaincode == lifecycleName {
		return c.lifecyclePolicy(), nil
	}
	stored, err := d.Get("namespaces/fields/" + chaincode + "/ValidationInfo")
	if err != nil {
		return nil, err
	}
	field, info := new(lifecycle.StateData), new(lifecycle.ChaincodeValidationInfo)
	if stored == nil || proto.Unmarshal(stored, field) != nil || proto.Unmarshal(field.GetBytes(), info) != nil {
		return nobody, nil // there is none: no transaction is valid
	}
	if info.ValidationPlugin != "vscc" {
		return nil, unsupported(fmt.Errorf("the transactions of %.64q are validated by the plugin %.64q", chaincode, info.ValidationPlugin))
	}
	p, err := c.applicationPolicy(info.ValidationParameter)
	if err != nil {
		return nil, unsupported(fmt.Errorf("the endorsement policy of %.64q: %w", chaincode, err))
	}
	return p, nil
}

// collection returns the endorsement policy of an organisation's own collection in _lifecycle.
func (c *config) collection(name string) (policy, error) {
	id, ok := strings.CutPrefix(name, implicitPrefix)
	group, member := c.members[id]
	if !ok || !member {
		return nil, errors.New("no organisation has this collection")
	}
	if p, ok := c.policy("/Channel/Application/" + group + "/Endorsement"); ok {
		return p, nil
	}
	return memberOf(id), nil
}

// lifecyclePolicy returns the policy of those who may define a chaincode: a majority of the
// organisations if the configuration has none.
func (c *config) lifecyclePolicy() policy {
	if p, ok := c.policy(lifecyclePolicy); ok {
		return p
	}
	return func(ids []*identity) bool {
		members := 0
		for id := range c.members {
			if memberOf(id)(ids) {
				members++
			}
		}
		return members >= len(c.members)/2+1
	}
}

// memberOf returns the policy that asks for any member of an organisation.
func memberOf(id string) policy {
	return func(ids []*identity) bool {
		for _, i := range ids {
			if i.of.id == id && i.plays(msp.MSPRole_MEMBER) {
				return true
			}
		}
		return false
	}
}

// begin forgets what a block before it may have changed.
func (d *definitions) begin() { d.pending, d.known = nil, map[string]policy{} }

// settle makes the changes of a block hold.
func (d *definitions) settle() error {
	for _, c := range d.pending {
		if err := d.put(c.key, c.value); err != nil {
			return err
		}
	}
	return nil
}
