package snapshot

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/statement"
)

// wrong is what can be wrong with contents that the authority signed, and what is said about it.
var wrong = []struct {
	name, message string
	change        func(c *contents, h *statement.Snapshot)
}{
	{"another version", "the contents have form 2",
		func(c *contents, _ *statement.Snapshot) { c.Version = 2 }},
	{"departments out of order", "the departments are out of order",
		func(c *contents, _ *statement.Snapshot) { swap(c.Departments) }},
	{"a department twice", "the departments are out of order",
		func(c *contents, _ *statement.Snapshot) { c.Departments = append(c.Departments[:1], c.Departments...) }},
	{"a department missing", "is of a department that is not there",
		func(c *contents, _ *statement.Snapshot) { c.Departments = c.Departments[1:] }},
	{"a department of no state", "the state is not one of those known",
		func(c *contents, _ *statement.Snapshot) { c.Departments[0].State = "asleep" }},
	{"a department without name", "the Chinese name is too short, too long or has control characters",
		func(c *contents, _ *statement.Snapshot) { c.Departments[0].Profile.NameZh = "" }},
	{"keys out of order", "the keys are out of order",
		func(c *contents, _ *statement.Snapshot) { swap(c.Keys) }},
	{"a key twice", "the keys are out of order",
		func(c *contents, _ *statement.Snapshot) { c.Keys = append(c.Keys[:1], c.Keys...) }},
	{"a key missing", "is none with which civil-affairs anchors",
		func(c *contents, _ *statement.Snapshot) {
			c.Keys = keep(c.Keys, func(k key) bool { return k.Purposes != statement.PurposeAnchor })
		}},
	{"the first key missing", "the key of the genesis is not there",
		func(c *contents, _ *statement.Snapshot) {
			c.Keys = keep(c.Keys, func(k key) bool { return k.Purposes != statement.PurposeGovern })
		}},
	{"a key that is no point", "sm: the point is not on the curve sm2p256v1",
		func(c *contents, _ *statement.Snapshot) { c.Keys[0].PublicKey[9]++ }},
	{"a key of nobody", "is of a department that is not there",
		func(c *contents, _ *statement.Snapshot) { c.Keys[0].Department = "nobody" }},
	{"a key for nothing", "the purposes",
		func(c *contents, _ *statement.Snapshot) { c.Keys[0].Purposes = 0 }},
	{"a key of no state", "is in a state that no key has",
		func(c *contents, _ *statement.Snapshot) { c.Keys[0].State = "lost" }},
	{"a key that ends early", "the not-after",
		func(c *contents, _ *statement.Snapshot) {
			one, two := uint64(1), uint64(2)
			c.Keys[0].NotBefore, c.Keys[0].NotAfter = &two, &one
		}},
	{"the first key of another", "the key of the genesis is not there",
		func(c *contents, _ *statement.Snapshot) {
			each(c.Keys, func(k *key) { k.Department = ledgertest.Marriages })
		}},
	{"another genesis", "the genesis is not that of the ledger",
		func(_ *contents, h *statement.Snapshot) { h.Ledger[0]++ }},
	{"a genesis signed anew", "the genesis is not that of the ledger",
		func(c *contents, _ *statement.Snapshot) { c.Genesis[len(c.Genesis)-1] ^= 1 }},
	{"a genesis that is none", "the genesis: not a statement",
		func(c *contents, _ *statement.Snapshot) { c.Genesis = nil }},
	{"types out of order", "the licence types are out of order",
		func(c *contents, _ *statement.Snapshot) { swap(c.Types) }},
	{"a type twice", "the licence types are out of order",
		func(c *contents, _ *statement.Snapshot) { c.Types = append(c.Types[:1], c.Types...) }},
	{"a type missing", "version 1 of the licence type marriage is not there",
		func(c *contents, _ *statement.Snapshot) { c.Types = nil }},
	{"a type that is none", "licence type 0 is not one in canonical form",
		func(c *contents, _ *statement.Snapshot) { c.Types[0] = []byte("{}") }},
	{"a type in another form", "licence type 0 is not one in canonical form",
		func(c *contents, _ *statement.Snapshot) { c.Types[0] = append([]byte(" "), c.Types[0]...) }},
	{"a type's second version", "the licence types are out of order",
		func(c *contents, _ *statement.Snapshot) {
			c.Types[0] = bytes.Replace(c.Types[0], []byte(`"version":1`), []byte(`"version":2`), 1)
		}},
	{"checkpoints out of order", "the checkpoints are out of order",
		func(c *contents, _ *statement.Snapshot) { swap(c.Checkpoints) }},
	{"a checkpoint twice", "the checkpoints are out of order",
		func(c *contents, _ *statement.Snapshot) { c.Checkpoints = append(c.Checkpoints[:1], c.Checkpoints...) }},
	{"a checkpoint of nobody", "a checkpoint is of a department that is not there",
		func(c *contents, _ *statement.Snapshot) { c.Checkpoints[0].Department = "nobody" }},
	{"a checkpoint of no log", "the log",
		func(c *contents, _ *statement.Snapshot) { c.Checkpoints[0].Log = "" }},
	{"a checkpoint too early", "something is not where its heartbeats are",
		func(c *contents, _ *statement.Snapshot) { c.Checkpoints[0].Block = 0 }},
	{"a checkpoint too late", "something is not where its heartbeats are",
		func(c *contents, _ *statement.Snapshot) { c.Checkpoints[0].Block += 1000 }},
	{"a checkpoint elsewhere", "more heartbeats stand before something than there are",
		func(c *contents, _ *statement.Snapshot) { c.Checkpoints[0].Before = 9 }},
	{"a checkpoint after everything", "more heartbeats stand before something than there are",
		func(c *contents, _ *statement.Snapshot) { c.Checkpoints[0].Before = 1 << 50 }},
	{"heads out of order", "the heads are out of order",
		func(c *contents, _ *statement.Snapshot) { swap(c.Heads) }},
	{"a head that is not needed", "there is a head that no anchor refers to",
		func(c *contents, _ *statement.Snapshot) {
			c.Heads = append(c.Heads, c.Heads[len(c.Heads)-1])
			c.Heads[len(c.Heads)-1].Unit = "zzz"
		}},
	{"a head missing", "what is said about anchor 0 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Heads = c.Heads[:1] }},
	{"no heads", "anchor 0 has no head",
		func(c *contents, _ *statement.Snapshot) { c.Heads = nil }},
	{"a head with another key", "is none with which civil-affairs anchors",
		func(c *contents, _ *statement.Snapshot) { c.Heads[0].KeyID = c.Heads[1].KeyID }},
	{"a head with no key", "is none with which civil-affairs anchors",
		func(c *contents, _ *statement.Snapshot) { c.Heads[0].KeyID[0]++ }},
	{"a head of no unit", "the unit",
		func(c *contents, _ *statement.Snapshot) { c.Heads[0].Unit = "" }},
	{"a head of no type", "version 1 of the licence type none is not there",
		func(c *contents, _ *statement.Snapshot) { c.Heads[0].Type = "none" }},
	{"a head of a later version", "version 2 of the licence type marriage is not there",
		func(c *contents, _ *statement.Snapshot) { c.Heads[0].TypeVersion++ }},
	{"a head for another purpose", "is none with which civil-affairs anchors",
		func(c *contents, _ *statement.Snapshot) {
			each(c.Keys, func(k *key) { k.Purposes &^= statement.PurposeAnchor; k.Purposes |= statement.PurposeLog })
		}},
	{"heartbeats not in order", "the heartbeats are out of order",
		func(c *contents, _ *statement.Snapshot) { c.Heartbeats.Sequences.edit(func(l []uint64) { l[1] = 0 }) }},
	{"a heartbeat not later", "the heartbeats are out of order",
		func(c *contents, _ *statement.Snapshot) {
			gap := int64(c.Heartbeats.Sequences.all()[1])
			c.Heartbeats.Times.edit(func(l []uint64) { l[1] = folded(-interval * gap).all()[0] })
		}},
	{"a heartbeat after the head", "the heartbeats are out of order",
		func(c *contents, _ *statement.Snapshot) { c.Heartbeats.Blocks.raise(-1, 1000) }},
	{"another newest heartbeat", "the newest heartbeat is not the one that was signed",
		func(_ *contents, h *statement.Snapshot) { h.Heartbeat++ }},
	{"an older newest heartbeat", "the newest heartbeat is not the one that was signed",
		func(_ *contents, h *statement.Snapshot) { h.Heartbeat-- }},
	{"more times than heartbeats", "the newest heartbeat is not the one that was signed",
		func(c *contents, _ *statement.Snapshot) { c.Heartbeats.Times.add(1) }},
	{"more blocks than heartbeats", "the newest heartbeat is not the one that was signed",
		func(c *contents, _ *statement.Snapshot) { c.Heartbeats.Blocks.add(0) }},
	{"a heartbeat too many", "there is a heartbeat that nothing refers to",
		func(c *contents, _ *statement.Snapshot) {
			h := &c.Heartbeats
			i := len(h.Sequences.all()) - 1
			for _, column := range []*column{&h.Sequences, &h.Blocks} {
				list := column.all()
				list[i]--
				*column = numbers(slices.Insert(list, i, 1)...)
			}
			h.Times = numbers(slices.Insert(h.Times.all(), i, 0)...)
		}},
	{"a heartbeat missing", "heartbeat 3 is not there",
		func(c *contents, _ *statement.Snapshot) {
			h := &c.Heartbeats
			for _, column := range []*column{&h.Sequences, &h.Times, &h.Blocks} {
				list := column.all()
				list[1] += list[0]
				*column = numbers(list[1:]...)
			}
		}},
	{"a root more", "the roots and signatures are not as many",
		func(c *contents, _ *statement.Snapshot) {
			c.Random.Roots = append(c.Random.Roots, make([]byte, 32)...)
		}},
	{"a byte of a root more", "the roots and signatures are not as many",
		func(c *contents, _ *statement.Snapshot) { c.Random.Roots = append(c.Random.Roots, 0) }},
	{"a signature less", "the roots and signatures are not as many",
		func(c *contents, _ *statement.Snapshot) { c.Random.Signatures = c.Random.Signatures[64:] }},
	{"a root twice", "a root was anchored twice",
		func(c *contents, _ *statement.Snapshot) {
			copy(c.Random.Roots, c.Random.Roots[64:])
			c.Anchors.Heads.edit(func(l []uint64) { l[0] = l[2] })
		}},
	{"an anchor after the head", "what is said about anchor 2 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Blocks.raise(-1, 1000) }},
	{"an anchor of a later place", "something is not where its heartbeats are",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Blocks.raise(0, 5) }},
	{"an anchor's index too large", "what is said about anchor 0 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Indexes.raise(0, 1<<32) }},
	{"an anchor of no head", "what is said about anchor 0 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Heads.raise(0, 1000) }},
	{"an anchor of no licence", "what is said about anchor 0 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Sizes.edit(func(l []uint64) { l[0] = 0 }) }},
	{"an anchor of too many", "what is said about anchor 0 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Sizes.raise(0, statement.MaxBatch) }},
	{"an anchor signed before time", "what is said about anchor 0 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.SignedAt = folded(-1<<40, 0, 0) }},
	{"an anchor signed after time", "what is said about anchor 0 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.SignedAt = folded(1<<40, 0, 0) }},
	{"an anchor signed far away", "what is said about anchor 1 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.SignedAt = folded(1, 1<<63-1, 0) }},
	{"an anchor of a later time", "heartbeat 3 is not there",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Before.raise(0, 1) }},
	{"an anchor of no time", "what is said about anchor 2 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Before.raise(-1, 1000) }},
	{"more changes than there are", "what is said about anchor 2 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Flags.raise(-1, 2) }},
	{"fewer changes than there are", "there is more about anchors than there are anchors",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Flags = numbers(0, 0, 0) }},
	{"a change to no state", "what is said about anchor 2 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Changes.States = numbers(4) }},
	{"a change on no day", "what is said about anchor 2 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Changes.Days = nil }},
	{"a change too early", "what is said about anchor 2 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Changes.Days = folded(-375050) }},
	{"a change too late", "what is said about anchor 2 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Changes.Days = folded(1 << 40) }},
	{"a change more", "there is more about anchors than there are anchors",
		func(c *contents, _ *statement.Snapshot) {
			c.Anchors.Changes.States.add(1)
			c.Anchors.Changes.Days.add(1)
		}},
	{"a number cut", "what is said about anchor 2 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Sizes[len(c.Anchors.Sizes)-1] |= 0x80 }},
	{"a number in a longer form", "what is said about anchor 2 is not in bounds",
		func(c *contents, _ *statement.Snapshot) {
			c.Anchors.Sizes = append(append(c.Anchors.Sizes[:len(c.Anchors.Sizes)-1], c.Anchors.Sizes[len(c.Anchors.Sizes)-1]|0x80), 0)
		}},
	{"a number too long", "what is said about anchor 0 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Sizes = bytes.Repeat([]byte{0xff}, 20) }},
	{"no numbers", "what is said about anchor 0 is not in bounds",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Blocks = nil }},
	{"a number more", "there is more about anchors than there are anchors",
		func(c *contents, _ *statement.Snapshot) { c.Anchors.Before.add(0) }},
	{"licences not in order", "what is said about licences is not in bounds or not in order",
		func(c *contents, _ *statement.Snapshot) { setName(&c.Licences.Names, c.Random.Licences, 1, 0) }},
	{"a licence of too great name", "what is said about licences is not in bounds or not in order",
		func(c *contents, _ *statement.Snapshot) { setName(&c.Licences.Names, c.Random.Licences, 1, 1<<64-1) }},
	{"a licence without exception", "what is said about licences is not in bounds or not in order",
		func(c *contents, _ *statement.Snapshot) {
			c.Licences.Restricted.edit(func(l []uint64) { clear(l) })
			c.Licences.Restrictions = nil
		}},
	{"more restrictions", "what is said about licences is not in bounds or not in order",
		func(c *contents, _ *statement.Snapshot) { c.Licences.Restricted.raise(0, 1) }},
	{"fewer restrictions", "what is said about licences is not in bounds or not in order",
		func(c *contents, _ *statement.Snapshot) { c.Licences.Restrictions.add(0) }},
	{"a restriction on no day", "what is said about licences is not in bounds or not in order",
		func(c *contents, _ *statement.Snapshot) { c.Licences.Restrictions = folded(1 << 40) }},
	{"more changes", "what is said about licences is not in bounds or not in order",
		func(c *contents, _ *statement.Snapshot) { c.Licences.Changed.raise(0, 1) }},
	{"fewer changes", "what is said about licences is not in bounds or not in order",
		func(c *contents, _ *statement.Snapshot) {
			c.Licences.Changes.States.add(0)
			c.Licences.Changes.Days.add(0)
		}},
	{"a licence more", "what is said about licences is not in bounds or not in order",
		func(c *contents, _ *statement.Snapshot) { addName(&c.Licences.Names, &c.Random.Licences, 1) }},
	{"a count more", "what is said about licences is not in bounds or not in order",
		func(c *contents, _ *statement.Snapshot) { c.Licences.Changed.add(0) }},
	{"a byte of a name more", "what is said about licences is not in bounds or not in order",
		func(c *contents, _ *statement.Snapshot) { c.Random.Licences = append(c.Random.Licences, 0) }},
	{"an upper part more", "what is said about licences is not in bounds or not in order",
		func(c *contents, _ *statement.Snapshot) { c.Licences.Names.add(0) }},
	{"an upper part too large", "what is said about licences is not in bounds or not in order",
		func(c *contents, _ *statement.Snapshot) { c.Licences.Names = numbers(1<<16, 0) }},
	{"bindings not in order", "the withdrawn bindings are not in order",
		func(c *contents, _ *statement.Snapshot) { setName(&c.Withdrawn, c.Random.Withdrawn, 1, 0) }},
	{"a binding of too great name", "the withdrawn bindings are not in order",
		func(c *contents, _ *statement.Snapshot) {
			setName(&c.Withdrawn, c.Random.Withdrawn, 1, 1<<64-1)
		}},
}

func keep(list []key, good func(key) bool) (out []key) {
	for _, k := range list {
		if good(k) {
			out = append(out, k)
		}
	}
	return out
}

func each(list []key, change func(*key)) {
	for i := range list {
		change(&list[i])
	}
}

// TestWrong: what is wrong with contents is found, though the authority signed them.
func TestWrong(t *testing.T) {
	raw, header, signer := sample(t)
	if _, err := read(raw, *header, signer); err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		t.Run(w.name, func(t *testing.T) {
			var c contents
			if err := decMode.Unmarshal(raw, &c); err != nil {
				t.Fatal(err)
			}
			h := *header
			w.change(&c, &h)
			changed, err := statement.Marshal(&c)
			if err != nil {
				t.Fatal(err)
			}
			want := CodeInconsistent
			if c.Version != version {
				want = CodeMalformed
			}
			view, err := read(changed, h, signer)
			if codeOf(err) != want || view != nil || !strings.Contains(err.Error(), w.message) {
				t.Errorf("%v, want %s: %s", err, want, w.message)
			}
		})
	}
}
