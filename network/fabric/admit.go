package fabric

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// admit changes the channel's configuration so that an organisation is a member, with the policies
// that the topology has for so many. The update lies in a file that collects signatures.
func (n *Network) admit(ctx context.Context, id string, current, wanted object) error {
	update, err := n.computeUpdate(ctx, id, current, wanted)
	if err != nil {
		return err
	}
	file := filepath.Join(filepath.Dir(n.genesisFile()), "add-"+id+".pb")
	signers, err := n.signersOf(ctx, file, update)
	if errors.Is(err, os.ErrNotExist) {
		signers, err = nil, n.writeUpdate(ctx, file, update)
	}
	if err != nil {
		return err
	}
	members := at(application(current), "groups")
	var last *node
	for _, p := range n.firstPeers(true) {
		if _, member := members[p.org.ID]; !member {
			continue
		}
		last = p
		if !slices.Contains(signers, p.org.ID) {
			if _, err := n.asAdmin(ctx, p, "channel", "signconfigtx", "-f", file); err != nil {
				return err
			}
			signers = append(signers, p.org.ID)
		}
	}
	if last == nil {
		return failf(CodeSignaturesMissing, "%s cannot admit itself: run the same command where a department of the channel has its peers", id)
	}
	if enough, err := n.enough(members, signers); err != nil {
		return err
	} else if !enough {
		slices.Sort(signers)
		return failf(CodeSignaturesMissing, "admitting %s needs the signatures of a majority with the authority; %s has those of %s: copy it to the same place on another department's host and run the same command there",
			id, file, strings.Join(signers, ", "))
	}
	return n.until(ctx, "admit "+id+" to the channel", nil, func(ctx context.Context) error {
		_, err := n.asAdmin(ctx, last, append([]string{"channel", "update", "-f", file, "-c", Channel}, n.toOrderer(ctx)...)...)
		if err == nil {
			return os.Remove(file)
		}
		now, askErr := n.channelConfig(ctx, last)
		if _, member := at(application(now), "groups")[id]; askErr == nil && member {
			return nil // by the attempt before, or by somebody else
		}
		return err
	})
}

// enough reports whether the signers are a majority of the members with the authority.
func (n *Network) enough(members object, signers []string) (bool, error) {
	old := &Topology{Authority: n.topology.Authority}
	for id := range members {
		old.Organisations = append(old.Organisations, Organisation{ID: id})
	}
	policy, err := parsePolicy(old.majority("peer")) // whose role does not matter here
	if err != nil {
		return false, err
	}
	signed := map[string]bool{}
	for _, id := range signers {
		signed[id] = true
	}
	return policy.satisfied(signed), nil
}

// computeUpdate makes the change from the configuration in force to one with the organisation.
func (n *Network) computeUpdate(ctx context.Context, id string, current, wanted object) (object, error) {
	original, err := n.encodeProto(ctx, "common.Config", current)
	if err != nil {
		return nil, err
	}
	a, w := application(current), application(wanted)
	groups := maps.Clone(at(a, "groups"))
	groups[id] = at(w, "groups", id)
	policies := object{}
	for name := range at(a, "policies") {
		policies[name] = maps.Clone(at(a, "policies", name))
	}
	for name := range at(w, "policies") {
		at(policies, name)["policy"] = at(w, "policies", name)["policy"]
	}
	changed, err := replaced(current, map[string]any{"groups": groups, "policies": policies}, "channel_group", "groups", "Application")
	if err != nil {
		return nil, err
	}
	updated, err := n.encodeProto(ctx, "common.Config", changed)
	if err != nil {
		return nil, err
	}
	b, err := n.translate(ctx, map[string][]byte{"--original": original, "--updated": updated}, "compute_update", "--channel_id="+Channel)
	if err != nil {
		return nil, err
	}
	return n.decodeProto(ctx, "common.ConfigUpdate", b)
}

// replaced returns a copy of nested objects in which the one at the path has other values.
func replaced(o object, values map[string]any, path ...string) (object, error) {
	o = maps.Clone(o)
	if len(path) == 0 {
		maps.Copy(o, values)
		return o, nil
	}
	inner, ok := o[path[0]].(object)
	if !ok {
		return nil, fmt.Errorf("the channel's configuration has no %s", path[0])
	}
	inner, err := replaced(inner, values, path[1:]...)
	o[path[0]] = inner
	return o, err
}

// writeUpdate puts an update into a file that nobody has signed yet.
func (n *Network) writeUpdate(ctx context.Context, file string, update object) error {
	const configUpdate = 2 // common.HeaderType
	b, err := n.encodeProto(ctx, "common.Envelope", object{"payload": object{
		"header": object{"channel_header": object{"channel_id": Channel, "type": configUpdate}},
		"data":   object{"config_update": update},
	}})
	if err != nil {
		return err
	}
	return n.write(file, b, 0o644)
}

// signersOf lists the organisations that have signed the update in a file. A file with another
// update than the expected one is refused: nobody signs what the own topology does not say.
func (n *Network) signersOf(ctx context.Context, file string, expected object) ([]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	envelope, err := n.decodeProto(ctx, "common.Envelope", b)
	if err != nil {
		return nil, failf(CodeSignaturesMissing, "%s holds no update: remove it and begin again: %w", file, err)
	}
	data := at(envelope, "payload", "data")
	if !sameJSON(at(data, "config_update"), expected) {
		return nil, failf(CodeSignaturesMissing, "%s is not the change that this host's topology and the channel as it is now give: compare the topologies, or remove the file and begin again", file)
	}
	var signers []string
	signatures, _ := data["signatures"].([]any)
	for _, s := range signatures {
		s, _ := s.(object)
		if id, ok := at(s, "signature_header", "creator")["mspid"].(string); ok {
			signers = append(signers, id)
		}
	}
	return signers, nil
}

func sameJSON(a, b object) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && (bytes.Equal(x, y) || reflect.DeepEqual(a, b))
}
