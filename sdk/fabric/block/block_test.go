package block_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/fabric/blocktest"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
)

// A world is a channel with a ledger on it, whose genesis is in block 2.
type world struct {
	*blocktest.Network
	city *ledgertest.City
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{blocktest.New(t, ledgertest.Authority, ledgertest.Marriages, ledgertest.Properties), ledgertest.NewCity(t, "blocks")}
	w.Submit(t, ledgertest.Authority, &chaincode.Transaction{Statements: [][]byte{w.city.Genesis}})
	w.Cut()
	return w
}

// admission is the call that admits a department.
func (w *world) admission(t testing.TB) *blocktest.Call {
	t.Helper()
	d := w.city.Department(t, ledgertest.Properties)
	return w.Simulate(t, ledgertest.Authority, ledgertest.Sign(t, w.city.Admission(d), w.city.Authority.Govern))
}

func read(b *common.Block) (*ledger.Block, error) {
	return block.Read(b, blocktest.Channel, blocktest.Chaincode)
}

func TestHeaderHash(t *testing.T) {
	// A header of a real network with the hash that the next one names.
	h := &common.BlockHeader{Number: 1 << 63, PreviousHash: []byte{1, 2}, DataHash: []byte{3}}
	der, err := hex.DecodeString("30120209" + "008000000000000000" + "04020102" + "040103")
	if err != nil {
		t.Fatal(err)
	}
	if got := block.HeaderBytes(h); !bytes.Equal(got, der) {
		t.Errorf("HeaderBytes = %x, want %x", got, der)
	}
	if got, want := block.HeaderHash(h), sm.Hash(sha256.Sum256(der)); got != want {
		t.Errorf("HeaderHash = %s, want %s", got, want)
	}
	if got, want := block.HeaderHash(nil), block.HeaderHash(new(common.BlockHeader)); got != want {
		t.Errorf("HeaderHash(nil) = %s, want %s", got, want)
	}
}

func TestRead(t *testing.T) {
	w := newWorld(t)
	other := w.Call(w.Departments[1].Client, "put")
	other.Chaincode = "other"
	other.Sets["other"] = &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{Key: "key", Value: []byte("value")}}}
	query := w.Call(w.Departments[1].Client, "Query", "types", "[]")
	query.Sets[blocktest.Chaincode] = &kvrwset.KVRWSet{RangeQueriesInfo: []*kvrwset.RangeQueryInfo{{StartKey: "type/", EndKey: "type0"}}}
	foreign := w.Call(w.Departments[1].Client, "Query")
	foreign.Sets[blocktest.Chaincode] = other.Sets["other"]

	call := w.admission(t)
	w.Order(other, peer.TxValidationCode_VALID)
	w.Order(foreign, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE)
	w.Order(query, peer.TxValidationCode_VALID)
	w.Order(call, peer.TxValidationCode_VALID)
	w.Order(call, peer.TxValidationCode_VALID) // the peers mark it as too late
	w.Add([]byte{0x0a, 1, 0xff}, peer.TxValidationCode_BAD_PAYLOAD)
	b := w.Cut()

	got, err := read(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.Number != 3 || got.Hash != block.HeaderHash(b.Header) || got.Previous != block.HeaderHash(w.Blocks[2].Header) {
		t.Errorf("block %d %s after %s", got.Number, got.Hash, got.Previous)
	}
	if len(got.Transactions) != 1 {
		t.Fatalf("%d transactions, want 1", len(got.Transactions))
	}
	tx := got.Transactions[0]
	id := sha256.Sum256(slices.Concat(call.Nonce, call.By.Serialized()))
	if tx.Index != 3 || tx.Actor != ledgertest.Authority || tx.ID != hex.EncodeToString(id[:]) {
		t.Errorf("transaction %d %s by %s", tx.Index, tx.ID, tx.Actor)
	}
	parsed, err := chaincode.ParseTransaction(tx.Bytes)
	if err != nil || blocktest.Argument(parsed) != string(call.Args[1]) {
		t.Errorf("the transaction is not the one that was submitted: %v", err)
	}
	for _, i := range []int{0, 1} { // a configuration, a definition
		if got, err := read(w.Blocks[i]); err != nil || got.Number != uint64(i) || len(got.Transactions) != 0 {
			t.Errorf("block %d: %+v, %v; want it empty", i, got, err)
		}
	}
	if got, err := block.Read(b, blocktest.Channel, "other"); ledger.Code(err) != block.CodeForeignWrite {
		t.Errorf("as of another chaincode: %+v, %v", got, err)
	}
}

// TestReadWhatClientsMayVary lists what a client can put into a call without any peer taking notice.
func TestReadWhatClientsMayVary(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*peer.ChaincodeInvocationSpec){
		"no name":    func(s *peer.ChaincodeInvocationSpec) { s.ChaincodeSpec.ChaincodeId = nil },
		"a name":     func(s *peer.ChaincodeInvocationSpec) { s.ChaincodeSpec.ChaincodeId.Name = "other" },
		"a type":     func(s *peer.ChaincodeInvocationSpec) { s.ChaincodeSpec.Type = peer.ChaincodeSpec_JAVA },
		"a timeout":  func(s *peer.ChaincodeInvocationSpec) { s.ChaincodeSpec.Timeout = 1 },
		"decoration": func(s *peer.ChaincodeInvocationSpec) { s.ChaincodeSpec.Input.Decorations = map[string][]byte{"a": nil} },
	} {
		n := &world{w.Clone(), w.city}
		call := n.admission(t)
		call.Change = func(p *blocktest.Parts) {
			payload, spec := new(peer.ChaincodeProposalPayload), new(peer.ChaincodeInvocationSpec)
			if err := proto.Unmarshal(p.Proposal, payload); err != nil {
				t.Fatal(err)
			}
			if err := proto.Unmarshal(payload.Input, spec); err != nil {
				t.Fatal(err)
			}
			change(spec)
			payload.Input, _ = proto.Marshal(spec)
			p.Proposal, _ = proto.Marshal(payload)
			endorse(t, p)
		}
		n.Order(call, peer.TxValidationCode_VALID)
		if b, err := read(n.Cut()); err != nil || len(b.Transactions) != 1 {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
}

// endorse makes the response fit what was called.
func endorse(t testing.TB, p *blocktest.Parts) {
	t.Helper()
	r := new(peer.ProposalResponsePayload)
	if err := proto.Unmarshal(p.Response, r); err != nil {
		t.Fatal(err)
	}
	r.ProposalHash = p.ProposalHash()
	p.Response, _ = proto.Marshal(r)
}

// TestReadRefuses lists blocks with a valid transaction that no honest network makes.
func TestReadRefuses(t *testing.T) {
	w := newWorld(t)
	parts := func(change func(*blocktest.Parts)) func(*blocktest.Call) {
		return func(c *blocktest.Call) { c.Change = change }
	}
	called := func(change func(*blocktest.Parts)) func(*blocktest.Call) {
		return parts(func(p *blocktest.Parts) {
			change(p)
			endorse(t, p)
		})
	}
	private := map[string]map[string]*kvrwset.HashedRWSet{blocktest.Chaincode: {"collection": {}}}
	unknown := []byte{0x9a, 0x3f, 1, 0} // a field that no message has
	for _, test := range []struct {
		name, code string
		change     func(*blocktest.Call)
	}{
		{"another channel", block.CodeMalformed, func(c *blocktest.Call) { c.Channel = "other" }},
		{"another chaincode", block.CodeForeignWrite, func(c *blocktest.Call) { c.Chaincode = "other" }},
		{"another function", block.CodeForeignWrite, func(c *blocktest.Call) { c.Args[0] = []byte("submit") }},
		{"the function of a contract", block.CodeForeignWrite, func(c *blocktest.Call) { c.Args[0] = []byte("credledger:Submit") }},
		{"no argument", block.CodeForeignWrite, func(c *blocktest.Call) { c.Args = c.Args[:1] }},
		{"no function", block.CodeForeignWrite, func(c *blocktest.Call) { c.Args = nil }},
		{"two arguments", block.CodeForeignWrite, func(c *blocktest.Call) { c.Args = append(c.Args, nil) }},
		{"URL-safe base64", block.CodeForeignWrite, func(c *blocktest.Call) { c.Args[1] = []byte("-_-_") }},
		{"no padding", block.CodeForeignWrite, func(c *blocktest.Call) { c.Args[1] = []byte("AAA") }},
		{"bits behind the end", block.CodeForeignWrite, func(c *blocktest.Call) { c.Args[1] = []byte("AAB=") }},
		{"a line feed", block.CodeForeignWrite, func(c *blocktest.Call) { c.Args[1] = append(c.Args[1], '\n') }},
		{"too long", block.CodeForeignWrite, func(c *blocktest.Call) { c.Args[1] = bytes.Repeat([]byte("A"), chaincode.MaxTransaction/3*4+8) }},
		{"private data", block.CodeForeignWrite, func(c *blocktest.Call) { c.Collections = private }},
		{"metadata", block.CodeForeignWrite, func(c *blocktest.Call) {
			c.Sets[blocktest.Chaincode].MetadataWrites = []*kvrwset.KVMetadataWrite{{Key: "ledger"}}
		}},
		{"an unknown field in the channel header", block.CodeForeignWrite, called(func(p *blocktest.Parts) { p.ChannelHeader = append(p.ChannelHeader, unknown...) })},
		{"an unknown field in the call's header", block.CodeForeignWrite, called(func(p *blocktest.Parts) { p.CallHeader = append(p.CallHeader, unknown...) })},
		{"an unknown field in the input", block.CodeForeignWrite, called(func(p *blocktest.Parts) { p.Proposal = append(p.Proposal, unknown...) })},
		{"two inputs", block.CodeForeignWrite, called(func(p *blocktest.Parts) { p.Proposal = append(p.Proposal, p.Proposal...) })},
		{"two nonces", block.CodeForeignWrite, called(func(p *blocktest.Parts) { p.CallHeader = append(p.CallHeader, 0x12, 1, 0) })},
		{"the place where one header ends", block.CodeForeignWrite, called(func(p *blocktest.Parts) {
			// The field tls_cert_hash, which the endorsers may have seen in the channel header.
			p.CallHeader = slices.Concat([]byte{0x42, 2, 1, 2}, p.CallHeader)
		})},
		{"no nonce", block.CodeMalformed, called(func(p *blocktest.Parts) {
			p.CallHeader, _ = proto.Marshal(&common.SignatureHeader{Creator: p.By.Serialized()})
		})},
		{"no creator", block.CodeMalformed, called(func(p *blocktest.Parts) { p.CallHeader, _ = proto.Marshal(&common.SignatureHeader{Nonce: []byte{1}}) })},
		{"another input than endorsed", block.CodeMalformed, parts(func(p *blocktest.Parts) { p.Proposal[len(p.Proposal)-1] ^= 1 })},
		{"another id", block.CodeMalformed, called(func(p *blocktest.Parts) {
			h := new(common.ChannelHeader)
			if err := proto.Unmarshal(p.ChannelHeader, h); err != nil {
				t.Fatal(err)
			}
			h.TxId = strings.Repeat("0", 64)
			p.ChannelHeader, _ = proto.Marshal(h)
		})},
		{"no result", block.CodeMalformed, parts(func(p *blocktest.Parts) { p.Response = nil })},
		{"a result that is none", block.CodeMalformed, parts(func(p *blocktest.Parts) { p.Response = []byte{0xff} })},
		{"a header that is none", block.CodeMalformed, parts(func(p *blocktest.Parts) { p.ChannelHeader = []byte{0xff} })},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := &world{w.Clone(), w.city}
			call := n.admission(t)
			test.change(call)
			n.Order(call, peer.TxValidationCode_VALID)
			got, err := read(n.Cut())
			if ledger.Code(err) != test.code || !strings.Contains(err.Error(), "block 3, transaction 0") {
				t.Errorf("%+v, %v; want %s in block 3, transaction 0", got, err, test.code)
			}
		})
	}
}

// TestReadRefusesBlocks lists blocks that are not what orderer and peer make.
func TestReadRefusesBlocks(t *testing.T) {
	w := newWorld(t)
	w.Order(w.admission(t), peer.TxValidationCode_VALID)
	w.Order(w.admission(t), peer.TxValidationCode_VALID)
	w.Cut()
	flags := int(common.BlockMetadataIndex_TRANSACTIONS_FILTER)
	rehash := func(b *common.Block) {
		sum := sha256.Sum256(slices.Concat(b.Data.Data...))
		b.Header.DataHash = sum[:]
	}
	for _, test := range []struct {
		name, code string
		change     func(*common.Block)
	}{
		{"no header", block.CodeMalformed, func(b *common.Block) { b.Header = nil }},
		{"no data", block.CodeMalformed, func(b *common.Block) { b.Data = nil }},
		{"no metadata", block.CodeMalformed, func(b *common.Block) { b.Metadata = nil }},
		{"no flags", block.CodeMalformed, func(b *common.Block) { b.Metadata.Metadata[flags] = nil }},
		{"metadata without a place for flags", block.CodeMalformed, func(b *common.Block) { b.Metadata.Metadata = b.Metadata.Metadata[:flags] }},
		{"a flag too few", block.CodeMalformed, func(b *common.Block) { b.Metadata.Metadata[flags] = []byte{0} }},
		{"a flag too many", block.CodeMalformed, func(b *common.Block) { b.Metadata.Metadata[flags] = []byte{0, 0, 0} }},
		{"a short previous hash", block.CodeMalformed, func(b *common.Block) { b.Header.PreviousHash = b.Header.PreviousHash[1:] }},
		{"no previous hash", block.CodeMalformed, func(b *common.Block) { b.Header.PreviousHash = nil }},
		{"another data hash", block.CodeDataHash, func(b *common.Block) { b.Header.DataHash[31] ^= 1 }},
		{"no data hash", block.CodeDataHash, func(b *common.Block) { b.Header.DataHash = nil }},
		{"a bit of a signature", block.CodeDataHash, func(b *common.Block) { b.Data.Data[1][len(b.Data.Data[1])-1] ^= 1 }},
		{"the order", block.CodeDataHash, func(b *common.Block) { slices.Reverse(b.Data.Data) }},
		{"two envelopes in one", block.CodeMalformed, func(b *common.Block) {
			b.Data.Data = [][]byte{slices.Concat(b.Data.Data...)}
			b.Metadata.Metadata[flags] = []byte{byte(peer.TxValidationCode_BAD_PAYLOAD)}
		}},
		{"an envelope in two", block.CodeMalformed, func(b *common.Block) {
			first := b.Data.Data[0]
			e := new(common.Envelope)
			if err := proto.Unmarshal(first, e); err != nil {
				t.Fatal(err)
			}
			i := len(first) - len(e.Signature) - 2
			b.Data.Data = [][]byte{first[:i], first[i:], b.Data.Data[1]}
			b.Metadata.Metadata[flags] = []byte{10, 10, 0}
		}},
		{"an empty envelope more", block.CodeMalformed, func(b *common.Block) {
			b.Data.Data = append(b.Data.Data, nil)
			b.Metadata.Metadata[flags] = []byte{0, 0, 10}
		}},
		{"an envelope that is none", block.CodeMalformed, func(b *common.Block) {
			b.Data.Data[0] = []byte{0xff}
			rehash(b)
		}},
	} {
		b := proto.Clone(w.Blocks[3]).(*common.Block)
		test.change(b)
		if got, err := read(b); ledger.Code(err) != test.code {
			t.Errorf("%s: %+v, %v; want %s", test.name, got, err, test.code)
		}
	}
	if got, err := read(nil); ledger.Code(err) != block.CodeMalformed {
		t.Errorf("no block: %+v, %v", got, err)
	}
}

// FuzzRead reads blocks of any bytes, whose data are hashed anew so that what is inside is looked at.
func FuzzRead(f *testing.F) {
	w := newWorld(f)
	w.Order(w.admission(f), peer.TxValidationCode_VALID)
	w.Cut()
	for _, b := range w.Blocks {
		encoded, err := proto.Marshal(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded)
	}
	f.Fuzz(func(t *testing.T, encoded []byte) {
		b := new(common.Block)
		if err := proto.Unmarshal(encoded, b); err != nil {
			return
		}
		if b.Header != nil {
			sum := sha256.Sum256(slices.Concat(b.GetData().GetData()...))
			b.Header.DataHash = sum[:]
		}
		got, err := read(b)
		if err != nil {
			if ledger.Code(err) == "" {
				t.Fatalf("the error has no code: %v", err)
			}
			return
		}
		for i, tx := range got.Transactions {
			if i > 0 && tx.Index <= got.Transactions[i-1].Index {
				t.Errorf("transaction %d has index %d", i, tx.Index)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	w := newWorld(b)
	for range 100 {
		w.Order(w.admission(b), peer.TxValidationCode_VALID)
	}
	raw := w.Cut()
	raw.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = make([]byte, 100)
	b.ResetTimer()
	for b.Loop() {
		if _, err := read(raw); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/100, "µs/transaction")
}
