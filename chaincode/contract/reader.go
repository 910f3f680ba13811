package contract

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-chaincode-go/shim"

	"github.com/credledger/credledger/chaincode"
)

// A reader is the state of the channel as it was before the transaction: in Fabric what a
// transaction puts is not seen by what it gets, which is what the rules ask for.
type reader struct {
	stub shim.ChaincodeStubInterface
	got  map[string][]byte // what was read, absent keys too: it cannot change meanwhile, and asking the peer is slow
}

func newReader(stub shim.ChaincodeStubInterface) reader { return reader{stub, map[string][]byte{}} }

// Get implements chaincode.State.
func (r reader) Get(key string) ([]byte, error) {
	if value, ok := r.got[key]; ok {
		return value, nil
	}
	value, err := r.stub.GetState(key)
	if err != nil {
		return nil, err
	}
	if len(value) == 0 { // no record is empty
		value = nil
	}
	r.got[key] = value
	return value, nil
}

// Scan implements chaincode.Reader. A prefix ends in "/", the character before "0".
func (r reader) Scan(prefix, after string, visit func(key string, value []byte) (bool, error)) (err error) {
	iterator, err := r.stub.GetStateByRange(max(prefix, after), prefix[:len(prefix)-1]+"0")
	if err != nil {
		return fmt.Errorf("scan state %s: %w", prefix, err)
	}
	defer func() { err = errors.Join(err, iterator.Close()) }()
	for iterator.HasNext() {
		kv, err := iterator.Next()
		if err != nil {
			return fmt.Errorf("scan state %s: %w", prefix, err)
		}
		if kv.Key <= after {
			continue // the range begins with it
		}
		if more, err := visit(kv.Key, kv.Value); err != nil || !more {
			return err
		}
	}
	return nil
}

// History implements chaincode.Reader. Fabric tells it newest first.
func (r reader) History(key string) (versions []chaincode.Version, err error) {
	iterator, err := r.stub.GetHistoryForKey(key)
	if err != nil {
		return nil, fmt.Errorf("read the history of state %s: %w", key, err)
	}
	defer func() { err = errors.Join(err, iterator.Close()) }()
	for iterator.HasNext() {
		m, err := iterator.Next()
		if err != nil {
			return nil, fmt.Errorf("read the history of state %s: %w", key, err)
		}
		versions = append(versions, chaincode.Version{TxID: m.TxId, Value: m.Value})
	}
	slices.Reverse(versions)
	return versions, nil
}
