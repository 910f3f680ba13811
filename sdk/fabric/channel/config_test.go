package channel

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-protos-go/orderer"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/fabric/blocktest"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/sm"
)

// next returns the configuration that follows, changed, and an update of everything that leads there.
func (s *story) next(change func(*common.ConfigGroup)) (*common.Config, []byte) {
	next := proto.Clone(s.Config).(*common.Config)
	change(next.ChannelGroup)
	next.Sequence++
	update, err := proto.Marshal(&common.ConfigUpdate{ChannelId: blocktest.Channel, ReadSet: s.Config.ChannelGroup, WriteSet: next.ChannelGroup})
	if err != nil {
		panic(err) // it was a message before
	}
	return next, update
}

func TestAuditOfConfigurations(t *testing.T) {
	admins := func(s *story) []*blocktest.Identity {
		return []*blocktest.Identity{s.Departments[0].Admin, s.Departments[1].Admin, s.Departments[2].Admin}
	}
	admitted := admit(blocktest.NewOrganisation(t, "intruder", false))
	try(t, func(s *story) []lie {
		found := func(name string, tell func(t testing.TB, s *story)) lie {
			return lie{name, tell, []string{FindingConfig}, s.last() + 1, whole, true, ""}
		}
		update := func(change func(*common.ConfigGroup), by func(*story) []*blocktest.Identity) func(testing.TB, *story) {
			return func(_ testing.TB, s *story) { s.Update(change, by(s)...) }
		}
		return []lie{
			found("signed by nobody", update(admitted, func(*story) []*blocktest.Identity { return nil })),
			found("signed by a minority", update(admitted, func(s *story) []*blocktest.Identity { return admins(s)[1:] })),
			found("signed by one thrice", update(admitted, func(s *story) []*blocktest.Identity {
				return slices.Repeat(admins(s)[:1], 3)
			})),
			found("signed by peers", update(admitted, func(s *story) []*blocktest.Identity { return s.Endorsers() })),
			found("signed by orderers", update(admitted, func(s *story) []*blocktest.Identity {
				return []*blocktest.Identity{s.Ordering[0].Admin, s.Ordering[1].Admin, s.Ordering[2].Admin}
			})),
			found("nothing changed", update(func(*common.ConfigGroup) {}, admins)),
			found("a version left out", update(func(g *common.ConfigGroup) {
				admitted(g)
				g.Groups["Application"].Version++
			}, admins)),
			found("an orderer's organisation, by the departments", update(func(g *common.ConfigGroup) {
				g.Groups["Orderer"].Version++
			}, admins)),
			found("a policy of a department, by others", update(func(g *common.ConfigGroup) {
				g.Groups["Application"].Groups[s.Departments[3].ID+"-group"].Policies["Admins"].Version++
			}, admins)),
			found("a policy that nobody may change", update(func(g *common.ConfigGroup) {
				p := g.Groups["Application"].Policies["Admins"]
				p.Version, p.ModPolicy = p.Version+1, ""
			}, admins)),
			found("something else than the update leads to", func(t testing.TB, s *story) {
				_, update := s.next(admitted)
				other, _ := s.next(admit(blocktest.NewOrganisation(t, "other", false)))
				s.Reconfigure(other, blocktest.Signed(update, admins(s)...))
			}),
			found("another number", func(_ testing.TB, s *story) {
				next, update := s.next(admitted)
				next.Sequence++
				s.Reconfigure(next, blocktest.Signed(update, admins(s)...))
			}),
			found("an update that is none", func(_ testing.TB, s *story) {
				next, _ := s.next(admitted)
				s.Reconfigure(next, []byte{0xff})
			}),
			found("an update for another channel", func(_ testing.TB, s *story) {
				next, update := s.next(admitted)
				u := new(common.ConfigUpdate)
				if err := proto.Unmarshal(update, u); err != nil {
					t.Fatal(err)
				}
				u.ChannelId = "other"
				update, _ = proto.Marshal(u)
				s.Reconfigure(next, blocktest.Signed(update, admins(s)...))
			}),
			found("an update that was made before", func(_ testing.TB, s *story) {
				_, update := s.next(admitted)
				s.Update(func(g *common.ConfigGroup) { g.Groups["Application"].Version++ }, admins(s)...)
				s.Blocks = s.Blocks[:s.last()] // only Config has moved on
				next, _ := s.next(admitted)
				s.Reconfigure(next, blocktest.Signed(update, admins(s)...))
			}),
			found("a name with a slash", update(func(g *common.ConfigGroup) {
				g.Groups["Application"].Version++
				g.Groups["Application"].Values["a/b"] = &common.ConfigValue{ModPolicy: "Admins"}
			}, admins)),
		}
	})
}

// TestAuditOfFirstBlock asks for an error, or a finding, if block 0 is no configuration.
func TestAuditOfFirstBlock(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*common.Config)
	}{
		{"empty", func(c *common.Config) { c.ChannelGroup = nil }},
		{"BFT", func(c *common.Config) {
			b, _ := proto.Marshal(&orderer.ConsensusType{Type: "BFT"})
			c.ChannelGroup.Groups["Orderer"].Values["ConsensusType"].Value = b
		}},
		{"a capability to come", func(c *common.Config) {
			b, _ := proto.Marshal(&common.Capabilities{Capabilities: map[string]*common.Capability{"V2_0": {}, "V3_0": {}}})
			c.ChannelGroup.Values["Capabilities"].Value = b
		}},
		{"no capability", func(c *common.Config) { delete(c.ChannelGroup.Groups["Application"].Values, "Capabilities") }},
		{"no policy for blocks", func(c *common.Config) { delete(c.ChannelGroup.Groups["Orderer"].Policies, "BlockValidation") }},
		{"a policy that is none", func(c *common.Config) { c.ChannelGroup.Policies["Admins"].Policy.Value = []byte{0xff} }},
		{"a policy that asks for the unnamed", func(c *common.Config) {
			b, _ := proto.Marshal(&common.SignaturePolicyEnvelope{Rule: &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: 1}}})
			c.ChannelGroup.Policies["Admins"].Policy = &common.Policy{Type: int32(common.Policy_SIGNATURE), Value: b}
		}},
		{"an MSP that is none", func(c *common.Config) {
			for _, g := range c.ChannelGroup.Groups["Application"].Groups {
				g.Values["MSP"].Value = []byte{0xff}
			}
		}},
		{"idemix", func(c *common.Config) {
			for _, g := range c.ChannelGroup.Groups["Application"].Groups {
				g.Values["MSP"].Value, _ = proto.Marshal(&msp.MSPConfig{Type: 1})
			}
		}},
	} {
		s := newStory(t)
		first := proto.Clone(genesisConfig(t, s)).(*common.Config)
		test.change(first)
		n := &blocktest.Network{}
		n.Reconfigure(first, nil)
		_, err := Audit(t.Context(), seq(n.Blocks), 1, blocktest.Channel, blocktest.Chaincode, audit.Options{})
		if ledger.Code(err) != CodeUnsupported {
			t.Errorf("%s: %v, want %s", test.name, err, CodeUnsupported)
		}
	}

	s := newStory(t)
	s.Blocks[0] = s.Blocks[1]
	s.Blocks[0].Header.Number = 0
	s.Blocks[0].Header.PreviousHash = nil
	if r := s.audit(t, audit.Options{}); len(r.Findings) != 1 || r.Findings[0].Code != FindingConfig || !r.Incomplete {
		t.Errorf("a call in block 0: %v", r.Findings)
	}
	s = newStory(t)
	if _, err := Audit(t.Context(), seq(s.Blocks), 1, "other", blocktest.Chaincode, audit.Options{}); err != nil {
		t.Error(err)
	}
}

func genesisConfig(t *testing.T, s *story) *common.Config {
	t.Helper()
	entries, err := block.Entries(s.Blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	e, c := configIn(entries), new(common.ConfigEnvelope)
	if err := proto.Unmarshal(e.Data, c); err != nil {
		t.Fatal(err)
	}
	return c.Config
}

// TestAuditOfEndorsements lists calls that look well but for who has endorsed them, or called.
func TestAuditOfEndorsements(t *testing.T) {
	try(t, func(s *story) []lie {
		call := func(name, code string, change func(*story, *blocktest.Call)) lie {
			return lie{name, func(t testing.TB, s *story) {
				c := s.Simulate(t, s.batch.Issuer, s.revoke(t, 9))
				change(s, c)
				s.order(c)
			}, []string{code}, s.last() + 1, 0, false, ""}
		}
		parts := func(change func(*story, *blocktest.Parts)) func(*story, *blocktest.Call) {
			return func(s *story, c *blocktest.Call) { c.Change = func(p *blocktest.Parts) { change(s, p) } }
		}
		endorsers := func(who func(s *story) []*blocktest.Identity) func(*story, *blocktest.Call) {
			return func(s *story, c *blocktest.Call) { c.Endorsers = who(s) }
		}
		return []lie{
			call("nobody", FindingEndorsement, endorsers(func(*story) []*blocktest.Identity { return nil })),
			call("the majority without the authority", FindingEndorsement, endorsers(func(s *story) []*blocktest.Identity {
				return []*blocktest.Identity{s.Departments[1].Peer, s.Departments[2].Peer, s.Departments[3].Peer, s.Departments[4].Peer}
			})),
			call("the authority with a minority", FindingEndorsement, endorsers(func(s *story) []*blocktest.Identity { return s.Endorsers()[:2] })),
			call("one in place of many", FindingEndorsement, endorsers(func(s *story) []*blocktest.Identity {
				return append(s.Endorsers()[:2], s.Endorsers()[1], s.Endorsers()[1])
			})),
			call("a client in place of a peer", FindingEndorsement, endorsers(func(s *story) []*blocktest.Identity {
				return append(s.Endorsers()[:2], s.Departments[3].Client)
			})),
			call("an orderer in place of a peer", FindingEndorsement, endorsers(func(s *story) []*blocktest.Identity {
				return append(s.Endorsers()[:2], s.Ordering[2].Peer)
			})),
			call("a peer with two roles", FindingEndorsement, endorsers(func(s *story) []*blocktest.Identity {
				return append(s.Endorsers()[:2], s.Departments[2].Issue(t, "peer", "client"))
			})),
			call("a peer of another CA", FindingEndorsement, endorsers(func(s *story) []*blocktest.Identity {
				return append(s.Endorsers()[:2], blocktest.NewOrganisation(t, s.Departments[2].ID, false).Peer)
			})),
			call("an endorsement's last bit", FindingEndorsement, parts(func(_ *story, p *blocktest.Parts) {
				b := p.Endorsements[0].Signature
				b[len(b)-1] ^= 1
			})),
			call("an endorsement of another result", FindingEndorsement, parts(func(_ *story, p *blocktest.Parts) {
				p.Response = append(p.Response, 0x7a, 0)
			})),
			call("another input", block.CodeMalformed, parts(func(_ *story, p *blocktest.Parts) { p.Proposal = append(p.Proposal, 0x7a, 0) })),
			call("another channel", block.CodeMalformed, func(_ *story, c *blocktest.Call) { c.Channel = "other" }),
			call("another nonce", block.CodeMalformed, parts(func(s *story, p *blocktest.Parts) {
				p.Header, _ = proto.Marshal(&common.SignatureHeader{Creator: p.By.Serialized(), Nonce: []byte("another")})
			})),
			call("signed by another", FindingCreator, parts(func(s *story, p *blocktest.Parts) { p.By = s.Departments[2].Peer })),
			call("high s", FindingCreator, parts(func(_ *story, p *blocktest.Parts) { p.High = true })),
			call("called by a CA", FindingCreator, func(s *story, c *blocktest.Call) { c.By = s.Departments[2].Root }),
			call("called by a stranger", FindingCreator, func(s *story, c *blocktest.Call) {
				c.By = blocktest.NewOrganisation(t, "stranger", false).Client
			}),
			call("called by somebody without a role", FindingCreator, func(s *story, c *blocktest.Call) { c.By = s.Departments[2].Issue(t, "guest") }),
		}
	})
}

// TestAuditOfDefinitions asks that an endorsement policy is in force from the block after, and that
// nobody sets one alone.
func TestAuditOfDefinitions(t *testing.T) {
	alone := func(s *story) *common.SignaturePolicyEnvelope {
		return blocktest.AnyOf(blocktest.Role(s.Departments[2].ID, msp.MSPRole_PEER))
	}
	t.Run("alone", func(t *testing.T) {
		s := newStory(t)
		c := s.Definition(3, alone(s))
		c.Endorsers = []*blocktest.Identity{s.Departments[2].Peer}
		s.order(c)
		anchor := s.Simulate(t, s.batch.Issuer, s.revoke(t, 9))
		anchor.Endorsers = c.Endorsers
		s.order(anchor)
		wantCodes(t, s.audit(t, audit.Options{}), FindingEndorsement, FindingEndorsement)
	})
	t.Run("too early", func(t *testing.T) {
		s := newStory(t)
		change := s.Simulate(t, s.batch.Issuer, s.revoke(t, 9))
		change.Endorsers = []*blocktest.Identity{s.Departments[2].Peer}
		delete(change.Sets, "_lifecycle") // whose version the definition changes
		s.Order(s.Definition(3, alone(s)), peer.TxValidationCode_VALID)
		s.Order(change, peer.TxValidationCode_VALID)
		s.Cut()
		wantCodes(t, s.audit(t, audit.Options{}), FindingEndorsement)
	})
	t.Run("in time", func(t *testing.T) {
		s := newStory(t)
		s.Define(3, alone(s))
		change := s.Simulate(t, s.batch.Issuer, s.revoke(t, 9))
		change.Endorsers = []*blocktest.Identity{s.Departments[2].Peer}
		s.order(change)
		wantCodes(t, s.audit(t, audit.Options{}))
	})
	t.Run("before the definition", func(t *testing.T) {
		s := newStory(t)
		change := s.Simulate(t, s.batch.Issuer, s.revoke(t, 9))
		s.Define(3, alone(s))
		s.Order(change, peer.TxValidationCode_VALID)
		s.Cut()
		wantCodes(t, s.audit(t, audit.Options{})) // and it is marked so
		s.flag(s.last(), 0, peer.TxValidationCode_VALID)
		wantCodes(t, s.audit(t, audit.Options{}), FindingConflict)
	})
}

// TestAuditOfTwoSubmitters has two clients who work together sign for each other: an id is the hash
// of nonce and creator without the place where one ends, so that the endorsers can see another
// creator than the one who has signed. For the rules it is the one whom they saw.
func TestAuditOfTwoSubmitters(t *testing.T) {
	s := newStory(t)
	c := s.Simulate(t, s.batch.Issuer, s.revoke(t, 9))
	signer := s.Departments[0].Client.Serialized()
	seen, err := proto.Marshal(&msp.SerializedIdentity{Mspid: s.batch.Issuer, IdBytes: slices.Concat(c.By.PEM(), signer)})
	if err != nil {
		t.Fatal(err)
	}
	id := sha256.Sum256(slices.Concat(c.Nonce, seen))
	c.Change = func(p *blocktest.Parts) {
		reendorse(c, p, func() {
			h := new(common.ChannelHeader)
			if err := proto.Unmarshal(p.ChannelHeader, h); err != nil {
				t.Fatal(err)
			}
			h.TxId = hex.EncodeToString(id[:])
			p.ChannelHeader, _ = proto.Marshal(h)
			p.CallHeader, _ = proto.Marshal(&common.SignatureHeader{Creator: seen, Nonce: c.Nonce})
		})
		nonce := slices.Concat(c.Nonce, seen[:len(seen)-len(signer)])
		p.Header, _ = proto.Marshal(&common.SignatureHeader{Creator: signer, Nonce: nonce})
		p.By = s.Departments[0].Client
	}
	s.order(c)
	wantCodes(t, s.audit(t, audit.Options{}), FindingSubmitter)
	b, err := block.Read(s.Blocks[s.last()], blocktest.Channel, blocktest.Chaincode)
	if err != nil || len(b.Transactions) != 1 || b.Transactions[0].Actor != s.batch.Issuer {
		t.Errorf("%+v, %v; want a transaction of %s", b, err, s.batch.Issuer)
	}
}

// TestAuditOfRevocation asks that a certificate counts until it is on a list in the configuration.
func TestAuditOfRevocation(t *testing.T) {
	s := newStory(t)
	o := s.Departments[2]
	o.Revoke(t, o.Client)
	defer func() { o.Revoked = nil }()
	before := s.Simulate(t, o.ID, s.revoke(t, 9))
	s.order(before)
	s.Update(func(g *common.ConfigGroup) {
		v := g.Groups["Application"].Groups[o.ID+"-group"].Values["MSP"]
		v.Version, v.Value = v.Version+1, o.Group().Values["MSP"].Value
	}, o.Admin)
	wantCodes(t, s.audit(t, audit.Options{}))
	s.order(s.Simulate(t, o.ID, s.revoke(t, 10)))
	wantCodes(t, s.audit(t, audit.Options{}), FindingCreator)
}

func wantCodes(t testing.TB, r *audit.Report, codes ...string) {
	t.Helper()
	var got []string
	for _, f := range r.Findings {
		got = append(got, f.Code)
	}
	if !slices.Equal(got, codes) || r.Incomplete {
		t.Errorf("findings %v, incomplete %v\nwant %v", r.Findings, r.Incomplete, codes)
	}
}

func TestAuditExpect(t *testing.T) {
	s := newStory(t)
	head := s.head()
	for _, test := range []struct {
		name   string
		expect ledger.Head
		code   string
		block  int64
	}{
		{"the head", head, "", 0},
		{"block 0", ledger.Head{Height: 1, Hash: block.HeaderHash(s.Blocks[0].Header)}, "", 0},
		{"another block 0", ledger.Head{Height: 1, Hash: sm.Hash{1}}, audit.FindingRewritten, 0},
		{"another newest block", ledger.Head{Height: head.Height, Hash: sm.Hash{1}}, audit.FindingRewritten, int64(s.last())},
		{"more blocks", ledger.Head{Height: head.Height + 1}, audit.FindingShortened, int64(s.last())},
	} {
		r := s.audit(t, audit.Options{Expect: &test.expect})
		switch {
		case test.code == "" && !r.Clean():
			t.Errorf("%s: %v", test.name, r.Findings)
		case test.code != "" && (len(r.Findings) != 1 || r.Findings[0].Code != test.code || r.Findings[0].Block != test.block):
			t.Errorf("%s: %v, want %s at block %d", test.name, r.Findings, test.code, test.block)
		}
	}
}

func TestAuditOfPeerThatDoesNotDeliver(t *testing.T) {
	s := newStory(t)
	cause := errors.New("the peer is gone")
	for name, blocks := range map[string]iter.Seq2[*common.Block, error]{
		"an error": func(yield func(*common.Block, error) bool) {
			_ = yield(s.Blocks[0], nil) && yield(s.Blocks[1], nil) && yield(nil, cause)
		},
		"an end": seq(s.Blocks[:2]),
	} {
		_, err := Audit(t.Context(), blocks, uint64(len(s.Blocks)), blocktest.Channel, blocktest.Chaincode, audit.Options{})
		if ledger.Code(err) != CodeIncomplete || !strings.Contains(err.Error(), "block 2") || name == "an error" && !errors.Is(err, cause) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
