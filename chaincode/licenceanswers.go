package chaincode

import (
	"encoding/hex"
	"fmt"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

func queryAnchor(r Reader, args []argument) (any, error) {
	b, err := r.Get(AnchorStateKey(args[0].id, args[1].hash))
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	if b == nil {
		return nil, errorf(CodeNotFound, "the issuer has anchored nothing under this root")
	}
	return answerAnchor(r, b)
}

func answerAnchor(r Reader, signed []byte) (*anchorAnswer, error) {
	h, s, err := statement.ParseAs[*statement.Head](signed)
	if err != nil {
		return nil, fmt.Errorf("the state does not hold a head: %w", err)
	}
	disowned, err := r.Get(DisownedStateKey(h.Issuer, h.Root))
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	return &anchorAnswer{
		h.Issuer, h.Unit, h.Type, h.TypeVersion, h.Root, h.Size, h.SignedAt, s.KeyID, signed, disowned != nil,
	}, nil
}

func queryAnchors(r Reader, args []argument) (any, error) {
	prefix, after := AnchorPrefix+args[0].id+"/", ""
	if len(args) == 2 {
		after = AnchorStateKey(args[0].id, args[1].hash)
	}
	out := []*anchorAnswer{}
	err := r.Scan(prefix, after, func(_ string, value []byte) (bool, error) {
		answer, err := answerAnchor(r, value)
		out = append(out, answer)
		return len(out) < pageSize, err
	})
	return out, err
}

func queryStatus(r Reader, args []argument) (any, error) {
	key, err := ofOneType(r, StatusStateKey, args)
	if err != nil {
		return nil, err
	}
	return answerHistory(r, key)
}

func queryRootStatus(r Reader, args []argument) (any, error) {
	return answerHistory(r, RootStatusStateKey(args[0].id, args[1].hash))
}

// ofOneType returns the state key of what the state holds of a digest under the type that the third
// argument names, or else under the only type that there is.
func ofOneType(r Reader, stateKey func(issuer string, digest sm.Hash, typ string) string, args []argument) (string, error) {
	if len(args) == 3 {
		return stateKey(args[0].id, args[1].hash, args[2].id), nil
	}
	prefix := stateKey(args[0].id, args[1].hash, "")
	var keys []string
	err := r.Scan(prefix, "", func(key string, _ []byte) (bool, error) {
		keys = append(keys, key)
		return len(keys) < 2, nil
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("scan state: %w", err)
	case len(keys) == 0:
		return prefix, nil // where there is nothing either
	case len(keys) > 1:
		return "", errorf(CodeQuery, "there are licences of several types with this digest: name the type")
	}
	return keys[0], nil
}

// answerStatus answers with the newest change: "active" where there was none.
func answerStatus(r Reader, key string) (*statusAnswer, error) {
	record, found, err := Load[Status](r, key)
	if err != nil {
		return nil, err
	}
	if !found {
		return &statusAnswer{State: licence.Active}, nil
	}
	answer := answerChange(record)
	return &answer, nil
}

// answerHistory is answerStatus with all changes, oldest first.
func answerHistory(r Reader, key string) (*statusAnswer, error) {
	versions, err := r.History(key)
	if err != nil {
		return nil, fmt.Errorf("read history of %s: %w", key, err)
	}
	answer := &statusAnswer{State: licence.Active}
	changes := make([]statusAnswer, len(versions))
	for i, v := range versions {
		record, err := decode[Status](key, v.Value)
		if err != nil {
			return nil, err
		}
		changes[i] = answerChange(record)
		changes[i].TxID = v.TxID
		*answer = changes[i]
	}
	answer.History = changes
	return answer, nil
}

func answerChange(s *Status) statusAnswer {
	answer := statusAnswer{State: s.State, Sequence: s.Sequence, Effective: s.Effective, Last: &s.Last, Reason: &s.Reason}
	if s.Successor != nil {
		answer.Successor = &s.Successor.Digest
	}
	return answer
}

func queryRestrictions(r Reader, args []argument) (any, error) {
	key, err := ofOneType(r, RestrictionStateKey, args)
	if err != nil {
		return nil, err
	}
	return answerRestrictions(r, key)
}

func answerRestrictions(r Reader, key string) (*restrictionsAnswer, error) {
	record, found, err := Load[Restrictions](r, key)
	if err != nil {
		return nil, err
	}
	answer := &restrictionsAnswer{Open: []restrictionAnswer{}}
	if found {
		answer.Sequence, answer.Last = record.Sequence, &record.Last
		for _, o := range record.Open {
			answer.Open = append(answer.Open, restrictionAnswer{hex.EncodeToString(o.ID[:]), o.Ground, o.Effective})
		}
	}
	return answer, nil
}

// queryVerify gathers what the ledger says of one licence, for whoever has nothing but a peer.
func queryVerify(r Reader, args []argument) (any, error) {
	issuer, root, index, digest, path := args[0].id, args[1].hash, args[2].number, args[3].hash, args[4].path
	department, err := must[Department](r, "department", DepartmentStateKey(issuer))
	if err != nil {
		return nil, err
	}
	answer := &verifyAnswer{Issuer: department.State}
	heartbeat, found, err := Load[Heartbeat](r, HeartbeatStateKey)
	if err != nil {
		return nil, err
	}
	if found {
		answer.Heartbeat = heartbeat.Time
	}
	signed, err := r.Get(AnchorStateKey(issuer, root))
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	if signed == nil {
		return answer, nil
	}
	anchor, err := answerAnchor(r, signed)
	if err != nil {
		return nil, err
	}
	answer.Anchored, answer.Disowned, answer.Type = true, anchor.Disowned, anchor.Type
	if got, ok := credential.PathRoot(digest, index, anchor.Size, path); !ok || got != root {
		return answer, nil
	}
	answer.Included = true
	if answer.Status, err = answerStatus(r, StatusStateKey(issuer, digest, anchor.Type)); err != nil {
		return nil, err
	}
	if answer.RootStatus, err = answerStatus(r, RootStatusStateKey(issuer, root)); err != nil {
		return nil, err
	}
	answer.Restrictions, err = answerRestrictions(r, RestrictionStateKey(issuer, digest, anchor.Type))
	return answer, err
}
