package chaincode

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// The answers. Names are part of the interface.
type (
	ledgerAnswer struct {
		ID        sm.Hash `json:"id"`
		Name      string  `json:"name"`
		Authority string  `json:"authority"`
		Genesis   []byte  `json:"genesis"` // the signed statement, base64
	}
	heartbeatAnswer struct {
		Sequence uint64 `json:"sequence"`
		Time     uint64 `json:"time"`
	}
	departmentAnswer struct {
		ID       string       `json:"id"`
		USCC     string       `json:"uscc"`
		Name     licence.Text `json:"name"`
		Units    []unitAnswer `json:"units"`
		Issues   []string     `json:"issues"`
		State    string       `json:"state"`
		Sequence uint64       `json:"sequence"`
	}
	unitAnswer struct {
		ID           string       `json:"id"`
		DivisionCode string       `json:"divisionCode"`
		Name         licence.Text `json:"name"`
	}
	keyAnswer struct {
		ID         string   `json:"id"`
		Department string   `json:"department"`
		PublicKey  string   `json:"publicKey"` // x || y, hex
		Purposes   []string `json:"purposes"`
		NotBefore  *uint64  `json:"notBefore,omitempty"`
		NotAfter   *uint64  `json:"notAfter,omitempty"`
		State      string   `json:"state"`
	}
	typeAnswer struct {
		ID     string `json:"id"`
		Newest uint32 `json:"newest"`
	}
	anchorAnswer struct {
		Issuer      string  `json:"issuer"`
		Unit        string  `json:"unit"`
		Type        string  `json:"type"`
		TypeVersion uint32  `json:"typeVersion"`
		Root        sm.Hash `json:"root"`
		Size        uint32  `json:"size"`
		SignedAt    uint64  `json:"signedAt"`
		Key         sm.Hash `json:"key"`
		Statement   []byte  `json:"statement"` // the signed head, base64
		Disowned    bool    `json:"disowned"`
	}
	statusAnswer struct {
		State     licence.State  `json:"state"`
		Sequence  uint32         `json:"sequence"`
		Effective int32          `json:"effective"` // days since 1970-01-01, UTC+8
		Last      *sm.Hash       `json:"last,omitempty"`
		Reason    *sm.Hash       `json:"reason,omitempty"` // commitment
		Successor *sm.Hash       `json:"successor,omitempty"`
		TxID      string         `json:"txId,omitempty"`
		History   []statusAnswer `json:"history,omitempty"`
	}
	restrictionsAnswer struct {
		Sequence uint32              `json:"sequence"`
		Last     *sm.Hash            `json:"last,omitempty"`
		Open     []restrictionAnswer `json:"open"`
	}
	restrictionAnswer struct {
		ID        string  `json:"id"`
		Ground    sm.Hash `json:"ground"` // commitment
		Effective int32   `json:"effective"`
	}
	checkpointAnswer struct {
		Size uint64  `json:"size"`
		Root sm.Hash `json:"root"`
	}
	consentAnswer struct {
		Action string `json:"action"`
	}
	verifyAnswer struct {
		Issuer    string `json:"issuerState"`
		Heartbeat uint64 `json:"heartbeat"` // time of the newest; 0 if none
		Anchored  bool   `json:"anchored"`
		Disowned  bool   `json:"disowned"`
		Type      string `json:"type,omitempty"` // of the head, if anchored
		Included  bool   `json:"included"`       // digest, index and path lead to the root

		// Known only of a licence that is included, else null.
		Status       *statusAnswer       `json:"status"`
		RootStatus   *statusAnswer       `json:"rootStatus"`
		Restrictions *restrictionsAnswer `json:"restrictions"`
	}
)

// must loads a record that has to be there.
func must[R any](r Reader, what, key string) (*R, error) {
	record, found, err := Load[R](r, key)
	if err == nil && !found {
		err = errorf(CodeNotFound, "there is no such %s", what)
	}
	return record, err
}

func queryLedger(r Reader, _ []argument) (any, error) {
	l, err := must[Ledger](r, "ledger", LedgerStateKey)
	if err != nil {
		return nil, err
	}
	return ledgerAnswer{l.ID, l.Name, l.Authority, l.Genesis}, nil
}

func queryHeartbeat(r Reader, _ []argument) (any, error) {
	h, err := must[Heartbeat](r, "heartbeat", HeartbeatStateKey)
	if err != nil {
		return nil, err
	}
	return heartbeatAnswer{h.Sequence, h.Time}, nil
}

func queryDepartments(r Reader, _ []argument) (any, error) {
	out := []departmentAnswer{}
	err := r.Scan(DepartmentPrefix, "", func(key string, value []byte) (bool, error) {
		d, err := decode[Department](key, value)
		if err == nil {
			out = append(out, answerDepartment(d))
		}
		return true, err
	})
	return out, err
}

func queryDepartment(r Reader, args []argument) (any, error) {
	d, err := must[Department](r, "department", DepartmentStateKey(args[0].id))
	if err != nil {
		return nil, err
	}
	return answerDepartment(d), nil
}

func answerDepartment(d *Department) departmentAnswer {
	p := &d.Profile
	units := make([]unitAnswer, len(p.Units))
	for i, u := range p.Units {
		units[i] = unitAnswer{u.ID, u.DivisionCode, licence.Text{Zh: u.NameZh, En: u.NameEn}}
	}
	return departmentAnswer{p.ID, p.USCC, licence.Text{Zh: p.NameZh, En: p.NameEn}, units, p.Issues, d.State, d.Sequence}
}

func queryKeys(r Reader, args []argument) (any, error) {
	out := []keyAnswer{}
	err := r.Scan(KeyPrefix, "", func(key string, value []byte) (bool, error) {
		k, err := decode[Key](key, value)
		if err == nil && k.Department == args[0].id {
			out = append(out, answerKey(key, k))
		}
		return true, err
	})
	return out, err
}

func queryKey(r Reader, args []argument) (any, error) {
	key := KeyStateKey(args[0].hash)
	k, err := must[Key](r, "key", key)
	if err != nil {
		return nil, err
	}
	return answerKey(key, k), nil
}

func answerKey(key string, k *Key) keyAnswer {
	return keyAnswer{
		strings.TrimPrefix(key, KeyPrefix), k.Department, hex.EncodeToString(k.PublicKey[:]),
		k.Purposes.Names(), k.NotBefore, k.NotAfter, k.State,
	}
}

func queryTypes(r Reader, _ []argument) (any, error) {
	out := []typeAnswer{}
	err := r.Scan(TypePrefix, "", func(key string, value []byte) (bool, error) {
		v, err := decode[TypeVersions](key, value)
		if err == nil {
			out = append(out, typeAnswer{strings.TrimPrefix(key, TypePrefix), v.Newest})
		}
		return true, err
	})
	return out, err
}

func queryType(r Reader, args []argument) (any, error) {
	v, err := must[TypeVersions](r, "type", TypeStateKey(args[0].id))
	if err != nil {
		return nil, err
	}
	version := v.Newest
	if len(args) == 2 {
		version = args[1].number
	}
	b, err := r.Get(DefinitionStateKey(args[0].id, version))
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	if b == nil {
		return nil, errorf(CodeNotFound, "there is no such version of the type")
	}
	return json.RawMessage(b), nil
}

func queryCheckpoint(r Reader, args []argument) (any, error) {
	if len(args) == 2 {
		c, err := must[Checkpoint](r, "checkpoint", LastCheckpointStateKey(args[0].id, args[1].id))
		if err != nil {
			return nil, err
		}
		return checkpointAnswer{c.Size, c.Root}, nil
	}
	key := CheckpointStateKey(args[0].id, args[1].id, args[2].size)
	b, err := r.Get(key)
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	if b == nil {
		return nil, errorf(CodeNotFound, "there is no such checkpoint")
	}
	if len(b) != sm.HashSize {
		return nil, fmt.Errorf("state %s does not hold a root", key)
	}
	return checkpointAnswer{args[2].size, sm.Hash(b)}, nil
}

func queryConsent(r Reader, args []argument) (any, error) {
	b, err := r.Get(ConsentStateKey(args[0].id, args[1].hash))
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	if b == nil {
		return nil, errorf(CodeNotFound, "there is no such grant")
	}
	return consentAnswer{string(b)}, nil
}
