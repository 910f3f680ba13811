package fabric

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// object is a JSON object of configtxlator's, which knows every part of a channel's configuration.
type object = map[string]any

// at follows names into nested objects; what is not there is an empty object.
func at(o object, path ...string) object {
	for _, name := range path {
		o, _ = o[name].(object)
	}
	if o == nil {
		return object{}
	}
	return o
}

// translate runs configtxlator on files in a directory of its own and returns what it made of them.
func (n *Network) translate(ctx context.Context, inputs map[string][]byte, args ...string) ([]byte, error) {
	dir, err := os.MkdirTemp(filepath.Dir(n.genesisFile()), ".translate-")
	if err != nil {
		return nil, failf(CodeDirectory, "%w", err)
	}
	defer os.RemoveAll(dir)
	for option, content := range inputs {
		file := filepath.Join(dir, strings.TrimLeft(option, "-"))
		if err := n.write(file, content, 0o600); err != nil {
			return nil, err
		}
		args = append(args, option+"="+file)
	}
	output := filepath.Join(dir, "output")
	if _, err := n.run(ctx, nil, programConfigtxlator, append(args, "--output="+output)...); err != nil {
		return nil, err
	}
	return os.ReadFile(output)
}

func (n *Network) decodeProto(ctx context.Context, kind string, message []byte) (object, error) {
	b, err := n.translate(ctx, map[string][]byte{"--input": message}, "proto_decode", "--type="+kind)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var o object
	return o, d.Decode(&o)
}

func (n *Network) encodeProto(ctx context.Context, kind string, o object) ([]byte, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	return n.translate(ctx, map[string][]byte{"--input": b}, "proto_encode", "--type="+kind)
}

// configOf reads the configuration from a block that holds one.
func (n *Network) configOf(ctx context.Context, block []byte) (object, error) {
	o, err := n.decodeProto(ctx, "common.Block", block)
	if err != nil {
		return nil, err
	}
	transactions, _ := at(o, "data")["data"].([]any)
	if len(transactions) != 1 {
		return nil, fmt.Errorf("a block with a configuration holds one transaction")
	}
	first, _ := transactions[0].(object)
	return at(first, "payload", "data", "config"), nil
}

// channelConfig fetches the channel's configuration in force from the ordering service.
func (n *Network) channelConfig(ctx context.Context, as *node) (config object, err error) {
	file := filepath.Join(filepath.Dir(n.genesisFile()), "current.block")
	err = n.untilAll(ctx, "fetch the channel's configuration", n.localNodes(kindOrderer), func(ctx context.Context) error {
		_, err := n.asAdmin(ctx, as, append([]string{"channel", "fetch", "config", file, "-c", Channel}, n.toOrderer(ctx)...)...)
		return err
	})
	if err != nil {
		return nil, err
	}
	block, err := os.ReadFile(file)
	if err != nil {
		return nil, failf(CodeDirectory, "%w", err)
	}
	return n.configOf(ctx, block)
}

// topologyConfig is the configuration of a channel that would be made of the topology now.
func (n *Network) topologyConfig(ctx context.Context) (object, error) {
	file := filepath.Join(filepath.Dir(n.genesisFile()), "topology.block")
	if err := n.makeBlock(ctx, file); err != nil {
		return nil, err
	}
	block, err := os.ReadFile(file)
	if err != nil {
		return nil, failf(CodeDirectory, "%w", err)
	}
	return n.configOf(ctx, block)
}

// application is the part of a configuration that says who the organisations are and who decides.
func application(config object) object {
	return at(config, "channel_group", "groups", "Application")
}

// reconcile compares the channel with the topology. If the only organisation that the channel lacks
// is the admitted one, it is admitted, with the policies of so many organisations; other
// differences are errors.
func (n *Network) reconcile(ctx context.Context, admitted string, progress func(string)) error {
	admins := n.firstPeers(true)
	if len(admins) == 0 {
		return nil // a host of orderers has no business with the organisations
	}
	current, err := n.channelConfig(ctx, admins[0])
	if err != nil {
		return err
	}
	wanted, err := n.topologyConfig(ctx)
	if err != nil {
		return err
	}
	missing, err := compareMembers(application(current), application(wanted), admitted)
	if err != nil {
		return err
	}
	if !missing {
		return comparePolicies(application(current), application(wanted))
	}
	progress("admitting " + admitted + " to the channel")
	return n.admit(ctx, admitted, current, wanted)
}

// compareMembers reports whether an organisation is missing from the channel, which is an error of
// any other organisation.
func compareMembers(current, wanted object, admitted string) (missing bool, err error) {
	have, want := at(current, "groups"), at(wanted, "groups")
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if _, ok := have[id]; !ok && id == admitted {
			missing = true
		} else if !ok {
			return false, failf(CodeChannelDiffers, "%s is in the topology and not on the channel: `credledger network add-org %s` admits it", id, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want[id]; !ok {
			return false, failf(CodeChannelDiffers, "%s is on the channel and not in the topology: put it back; its rights are taken away on the ledger", id)
		}
	}
	return missing, nil
}

// comparePolicies reports a policy of the topology that is not the channel's.
func comparePolicies(current, wanted object) error {
	have := at(current, "policies")
	for _, name := range slices.Sorted(maps.Keys(at(wanted, "policies"))) {
		if !reflect.DeepEqual(at(have, name)["policy"], at(wanted, "policies", name)["policy"]) {
			return failf(CodeChannelDiffers, "the channel's policy %s is not the topology's: put `authority` and `endorsement` back as they were; they change only when an organisation is added", name)
		}
	}
	return nil
}
