package fabric

import (
	"fmt"
	"maps"
	"math/bits"
	"strings"
	"testing"
)

// members makes a topology of organisations a (the authority), b, c, ...
func members(n int, endorsement string) *Topology {
	t := &Topology{Authority: "a", Endorsement: endorsement}
	for i := range n {
		t.Organisations = append(t.Organisations, Organisation{ID: string(rune('a' + i))})
	}
	return t
}

// The default policy is satisfied by exactly the majorities that include the authority.
func TestMajority(t *testing.T) {
	for n := 2; n <= 9; n++ {
		topology := members(n, "")
		policy, err := parsePolicy(topology.Policy())
		if err != nil {
			t.Fatal(err)
		}
		for set := range uint(1) << n {
			by := map[string]bool{}
			for i := range n {
				if set>>i&1 == 1 {
					by[string(rune('a'+i))] = true
				}
			}
			want := by["a"] && 2*bits.OnesCount(set) > n
			if got := policy.satisfied(by); got != want {
				t.Errorf("%d organisations, %v: %v", n, by, got)
			}
		}
		if err := topology.checkEndorsement(); err != nil {
			t.Error(err)
		}
	}
	if got, want := members(4, "").Policy(), "AND('a.peer', OutOf(2, 'b.peer', 'c.peer', 'd.peer'))"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestEndorsementPolicies(t *testing.T) {
	for policy, code := range map[string]string{
		"AND('a.peer', 'b.peer')":                                    "",
		" AND ( 'a.peer' , 'b.peer' ) ":                              CodeEndorsementInvalid,
		"AND( 'a.peer' ,\n\t'b.peer' )\n":                            "",
		"OutOf(2, 'a.peer', OR('b.peer', 'c.peer'))":                 "",
		"AND('a.peer', OutOf(1, AND('b.peer', 'c.peer'), 'd.peer'))": "",
		"AND('a.peer', OutOf(2, 'a.peer', 'b.peer', 'c.peer'))":      "",
		"'a.peer'":                CodeEndorsementWeak,
		"OR('a.peer', 'b.peer')":  CodeEndorsementWeak,
		"AND('a.peer', 'a.peer')": CodeEndorsementWeak,
		"AND('b.peer', 'c.peer')": CodeEndorsementWeak,
		"OutOf(2, 'a.peer', 'b.peer', 'c.peer', 'd.peer')":               CodeEndorsementWeak,
		"OutOf(3, 'a.peer', 'b.peer', 'c.peer', 'd.peer')":               CodeEndorsementWeak,
		"OR(AND('a.peer', 'b.peer'), AND('b.peer', 'c.peer', 'd.peer'))": CodeEndorsementWeak,
		"AND('a.member', 'b.member')":                                    CodeEndorsementInvalid,
		"AND('a.admin', 'b.peer')":                                       CodeEndorsementInvalid,
		"AND('a.client', 'b.peer')":                                      CodeEndorsementInvalid,
		"AND('a.peer', 'stranger.peer')":                                 CodeEndorsementInvalid,
		"AND('a.peer', 'B.peer')":                                        CodeEndorsementInvalid,
		"AND('a.peer', 'b.peer'":                                         CodeEndorsementInvalid,
		"AND('a.peer', 'b.peer'))":                                       CodeEndorsementInvalid,
		"AND('a.peer' 'b.peer')":                                         CodeEndorsementInvalid,
		"AND()":                                                          CodeEndorsementInvalid,
		"AND('a.peer, 'b.peer')":                                         CodeEndorsementInvalid,
		"OutOf(0, 'a.peer', 'b.peer')":                                   CodeEndorsementInvalid,
		"OutOf(3, 'a.peer', 'b.peer')":                                   CodeEndorsementInvalid,
		"OutOf('a.peer', 'b.peer')":                                      CodeEndorsementInvalid,
		"OutOf(-1, 'a.peer')":                                            CodeEndorsementInvalid,
		"OutOf(99999999999999999999, 'a.peer')":                          CodeEndorsementInvalid,
		"and('a.peer', 'b.peer')":                                        CodeEndorsementInvalid,
		"MAJORITY Endorsement":                                           CodeEndorsementInvalid,
		"'a.peer":                                                        CodeEndorsementInvalid,
		"AND('a.peer', " + strings.Repeat("AND(", 20) + "'b.peer'" + strings.Repeat(")", 21): CodeEndorsementInvalid,
		"AND('a.peer', '" + strings.Repeat("b", maxPolicy) + ".peer')":                       CodeEndorsementInvalid,
	} {
		err := members(4, policy).checkEndorsement()
		if Code(err) != code || (code == "") != (err == nil) {
			t.Errorf("%.80s: %v, want %q", policy, err, code)
		}
	}
}

// More signatures never make a policy unsatisfied: on this the check of weak policies rests.
func FuzzParsePolicy(f *testing.F) {
	f.Add("AND('a.peer', OutOf(2, 'b.peer', 'c.peer', 'd.peer'))", uint8(3))
	f.Add("OR('a.peer', AND('b.peer', 'c.peer'))", uint8(1))
	f.Add(strings.Repeat("AND(", 30), uint8(0))
	f.Fuzz(func(t *testing.T, text string, set uint8) {
		policy, err := parsePolicy(text)
		if err != nil {
			if Code(err) != CodeEndorsementInvalid {
				t.Errorf("an error with the code %q: %v", Code(err), err)
			}
			return
		}
		some := map[string]bool{}
		for i, org := range policy.organisations(nil) {
			if set>>(i%8)&1 == 1 {
				some[org] = true
			}
		}
		before := policy.satisfied(some)
		more := maps.Clone(some)
		for _, org := range policy.organisations(nil) {
			more[org] = true
			if before && !policy.satisfied(more) {
				t.Fatalf("%s: satisfied by %v, not by %v", text, some, more)
			}
		}
		if !policy.satisfied(more) {
			t.Fatalf("%s: not satisfied by all", text)
		}
	})
}

func ExampleTopology_Policy() {
	t, err := ParseTopology(DefaultTopology(), "/var/lib/credledger")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Policy())
	// Output: AND('data-bureau.peer', OutOf(2, 'civil-affairs.peer', 'natural-resources.peer', 'market-regulation.peer'))
}
