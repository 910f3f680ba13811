package index

import (
	"fmt"
	"maps"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/verify"
)

// registry is what there is little of: once published it is not changed but replaced, and read
// without a lock.
type registry struct {
	ledger      sm.Hash
	departments map[string]*verify.Department
	keys        map[sm.Hash]*verify.Key
	types       map[string][]*licence.Type // version 1 first
}

func (r *registry) clone() *registry {
	next := &registry{r.ledger, maps.Clone(r.departments), maps.Clone(r.keys), maps.Clone(r.types)}
	if next.departments == nil {
		next.departments, next.keys, next.types = map[string]*verify.Department{}, map[sm.Hash]*verify.Key{}, map[string][]*licence.Type{}
	}
	return next
}

// set takes in one write of a record of the given kind.
func (r *registry) set(kind, rest string, value []byte) error {
	switch kind {
	case chaincode.DepartmentPrefix:
		var d chaincode.Department
		if err := cbor.Unmarshal(value, &d); err != nil {
			return err
		}
		r.departments[rest] = &verify.Department{Profile: d.Profile, State: d.State}
	case chaincode.KeyPrefix:
		kid, err := sm.ParseHash(rest)
		if err != nil {
			return err
		}
		r.keys[kid], err = readKey(value)
		return err
	case chaincode.DefinitionPrefix:
		t, err := licence.ParseType(value)
		if err != nil {
			return err
		}
		id, _, _ := strings.Cut(rest, "/")
		known := r.types[id]
		if t.ID != id || t.Version != len(known)+1 {
			return fmt.Errorf("version %d follows version %d", t.Version, len(known))
		}
		r.types[id] = append(known[:len(known):len(known)], t)
	default:
		var l chaincode.Ledger
		if err := cbor.Unmarshal(value, &l); err != nil {
			return err
		}
		r.ledger = l.ID
	}
	return nil
}

func readKey(value []byte) (*verify.Key, error) {
	var k chaincode.Key
	if err := cbor.Unmarshal(value, &k); err != nil {
		return nil, err
	}
	public, err := sm.NewPublicKey(k.PublicKey[:])
	if err != nil {
		return nil, err
	}
	state, ok := map[string]verify.KeyState{
		chaincode.KeyActive: verify.KeyActive, chaincode.KeyRetired: verify.KeyRetired, chaincode.KeyCompromised: verify.KeyCompromised,
	}[k.State]
	if !ok {
		return nil, fmt.Errorf("a state that no key has")
	}
	return &verify.Key{
		Department: k.Department, Public: public, Purposes: k.Purposes, NotBefore: k.NotBefore, NotAfter: k.NotAfter, State: state,
	}, nil
}

func (r *registry) typeOf(id string, version uint32) (named, newest *licence.Type) {
	versions := r.types[id]
	if version == 0 || uint64(version) > uint64(len(versions)) {
		return nil, nil
	}
	return versions[version-1], versions[len(versions)-1]
}
