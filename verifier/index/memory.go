package index

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

// memory is what the index answers from. It is made of the writes of the rules and their places on
// the ledger, and of nothing else: live and after a restart in the same way.
type memory struct {
	registry atomic.Pointer[registry]
	draft    *registry // the next one, while writes are being applied; nil if it is the same

	mu           sync.RWMutex // of all that follows
	height       uint64       // number of blocks
	names        names        // issuers, units, types
	heartbeats   records[heartbeat]
	anchors      records[anchor]
	strings      arena // transaction ids, changes, restrictions, consents
	anchorTable  *table
	changeTable  *table // of the newest change of a licence
	restrictions *table
	given        *table // consents, whatever became of them
	withdrawn    *table
}

// place is where a write was made.
type place struct {
	ledger.Position
	txID string
}

func newMemory() *memory {
	m := &memory{anchorTable: newTable(), changeTable: newTable(), restrictions: newTable(), given: newTable(), withdrawn: newTable()}
	m.registry.Store(new(registry))
	return m
}

// A heartbeat is one on the ledger; its sequence number is its ref.
type heartbeat struct {
	time, block uint64
	index       uint32
}

// An anchor is a signed head on the ledger.
type anchor struct {
	root, key         sm.Hash
	signature         [sm.SignatureSize]byte
	signedAt          uint64
	block             uint64
	index             uint32
	issuer, unit, typ uint32 // names
	typeVersion, size uint32
	before            uint32 // number of heartbeats before it
	txID              ref
	changes           ref // the newest change of the status of all licences under it
	disowned          bool
}

// apply takes in one write. Live, writes come in the order of their places; at a restart kind by kind,
// see loadOrder, and of one key in the order of their places.
func (m *memory) apply(key string, value []byte, at place) error {
	kind, rest, _ := strings.Cut(key, "/")
	var err error
	switch kind + "/" {
	case chaincode.LedgerStateKey + "/", chaincode.DepartmentPrefix, chaincode.KeyPrefix, chaincode.DefinitionPrefix:
		if m.draft == nil {
			m.draft = m.registry.Load().clone()
		}
		err = m.draft.set(kind+"/", rest, value)
	case chaincode.HeartbeatStateKey + "/":
		err = m.addHeartbeat(value, at)
	case chaincode.AnchorPrefix:
		err = m.addAnchor(value, at)
	case chaincode.DisownedPrefix:
		err = m.disown(rest)
	case chaincode.StatusPrefix:
		err = m.addChange(rest, value, at)
	case chaincode.RootStatusPrefix:
		err = m.addRootChange(rest, value, at)
	case chaincode.RestrictionPrefix:
		err = m.setRestrictions(rest, value)
	case chaincode.ConsentPrefix:
		err = m.consent(rest, value)
	case chaincode.TypePrefix, chaincode.CheckpointPrefix, chaincode.LastCheckpoint + "/":
		// Versions follow from the definitions; checkpoints are read from the store, see checkpoint.go.
	default:
		err = fmt.Errorf("a kind of record that this version does not know")
	}
	if err != nil {
		return fmt.Errorf("index state %s: %w", key, err)
	}
	return nil
}

// publish ends a series of writes: those of a block, or all of a restart.
func (m *memory) publish(height uint64) {
	m.height = height
	if m.draft != nil {
		m.registry.Store(m.draft)
		m.draft = nil
	}
}

// subject is what a state key names after its prefix: <issuer>/<hash>, and for a licence /<type>.
type subject struct {
	issuer uint32
	hash   sm.Hash
	typ    uint32
}

func (m *memory) subject(rest string, withType bool) (s subject, err error) {
	issuer, rest, _ := strings.Cut(rest, "/")
	hash, typ, found := strings.Cut(rest, "/")
	if found != withType {
		return s, fmt.Errorf("not a key of this kind")
	}
	s.hash, err = sm.ParseHash(hash)
	s.issuer = m.names.add(issuer)
	if withType {
		s.typ = m.names.add(typ)
	}
	return s, err
}

func (m *memory) addHeartbeat(value []byte, at place) error {
	var h chaincode.Heartbeat
	if err := cbor.Unmarshal(value, &h); err != nil {
		return err
	}
	if h.Sequence != uint64(m.heartbeats.n)+1 {
		return fmt.Errorf("heartbeat %s follows number %d", strconv.FormatUint(h.Sequence, 10), m.heartbeats.n)
	}
	m.heartbeats.add(heartbeat{time: h.Time, block: at.Block, index: at.Index})
	return nil
}

// heartbeat returns the heartbeat with a sequence number; none if there is none.
func (m *memory) heartbeat(sequence uint32) verify.Heartbeat {
	if sequence == 0 || int(sequence) > m.heartbeats.n {
		return verify.Heartbeat{}
	}
	h := m.heartbeats.at(ref(sequence))
	return verify.Heartbeat{Sequence: uint64(sequence), Time: h.time, Block: h.block}
}

// heartbeatsBefore returns the number of heartbeats before a place.
func (m *memory) heartbeatsBefore(p ledger.Position) uint32 {
	n := m.heartbeats.n
	before := func(i int) bool {
		h := m.heartbeats.at(ref(i))
		return ledger.Position{Block: h.block, Index: h.index}.Compare(p) < 0
	}
	if n == 0 || before(n) {
		return uint32(n)
	}
	return uint32(sort.Search(n, func(i int) bool { return !before(i + 1) }))
}

func (m *memory) addAnchor(value []byte, at place) error {
	h, s, err := statement.ParseAs[*statement.Head](value)
	if err != nil {
		return err
	}
	return m.insert(anchor{
		root: h.Root, key: s.KeyID, signature: s.Signature, signedAt: h.SignedAt,
		issuer: m.names.add(h.Issuer), unit: m.names.add(h.Unit), typ: m.names.add(h.Type),
		typeVersion: h.TypeVersion, size: h.Size,
	}, at)
}

// insert files an anchor at its place.
func (m *memory) insert(a anchor, at place) error {
	a.block, a.index = at.Block, at.Index
	a.before, a.txID = m.heartbeatsBefore(at.Position), m.strings.addText(at.txID)
	if a.txID == 0 {
		return errFull
	}
	m.anchorTable.set(&a.root, m.anchors.add(a), m.sameAnchor(a.issuer, &a.root))
	return nil
}

func (m *memory) sameAnchor(issuer uint32, root *sm.Hash) func(ref) bool {
	return func(r ref) bool {
		a := m.anchors.at(r)
		return a.issuer == issuer && a.root == *root
	}
}

func (m *memory) findAnchor(issuer uint32, root *sm.Hash) *anchor {
	if r := m.anchorTable.find(root, m.sameAnchor(issuer, root)); r != 0 {
		return m.anchors.at(r)
	}
	return nil
}

// anchorOf returns the anchor that a state key <issuer>/<root> is about.
func (m *memory) anchorOf(rest string) (*anchor, error) {
	s, err := m.subject(rest, false)
	if err != nil {
		return nil, err
	}
	if a := m.findAnchor(s.issuer, &s.hash); a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("nothing is anchored under the root")
}

func (m *memory) disown(rest string) error {
	a, err := m.anchorOf(rest)
	if err == nil {
		a.disowned = true
	}
	return err
}

// describe is the anchor as a view tells it.
func (m *memory) describe(a *anchor, ledgerID sm.Hash) verify.Anchor {
	return verify.Anchor{
		Head: statement.Head{
			Ledger: ledgerID, Issuer: m.names.texts[a.issuer], Unit: m.names.texts[a.unit], Type: m.names.texts[a.typ],
			TypeVersion: a.typeVersion, Root: a.root, Size: a.size, SignedAt: a.signedAt,
		},
		KeyID: a.key, Signature: a.signature, Checked: true, Disowned: a.disowned,
		Position:      verify.Position{Block: a.block, Index: a.index},
		TransactionID: m.strings.textAt(a.txID),
		Before:        m.heartbeat(a.before),
		After:         m.heartbeat(a.before + 1),
	}
}
