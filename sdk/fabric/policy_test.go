package fabric

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	pb "github.com/hyperledger/fabric-protos-go/peer"
)

func TestQuorum(t *testing.T) {
	peersOf := func(organisations string) (out []*peer) {
		for o := range strings.FieldsSeq(organisations) {
			out = append(out, &peer{name: o + "'s", organisation: o})
		}
		return out
	}
	for _, test := range []struct {
		organisations int
		candidates    string // best first
		have          string
		chosen        string
		ok            bool
	}{
		{4, "own a other third", "", "a own other", true},
		{4, "a other own", "", "a other own", true},
		{4, "own other third", "", "own other third", false}, // never without the authority
		{4, "own a", "", "a own", false},
		{4, "own own a a other", "", "a own other", true},
		{4, "other third", "a own", "other", true},
		{4, "a third", "own", "a third", true},
		{4, "other", "a own third", "", true},
		{4, "third", "own other", "third", false},
		{3, "own a third", "", "a own", true},
		{2, "own a", "", "a own", true},
		{2, "a own", "", "a own", true},
		{1, "a", "", "a", true},
		{5, "own a x y z", "", "a own x", true},
		{6, "own a x y z", "", "a own x y", true},
	} {
		have := map[string]bool{}
		for o := range strings.FieldsSeq(test.have) {
			have[o] = true
		}
		chosen, ok := policy{"a", test.organisations}.majority().choose(peersOf(test.candidates), have)
		var names []string
		for _, p := range chosen {
			names = append(names, p.organisation)
		}
		if got := strings.Join(names, " "); got != test.chosen || ok != test.ok {
			t.Errorf("of %d, candidates %q beside %q: %q, %v; want %q, %v", test.organisations, test.candidates, test.have, got, ok, test.chosen, test.ok)
		}
	}
	q := quorum{"a", 4}
	if chosen, ok := q.choose(peersOf("own a other third"), nil); len(chosen) != 4 || !ok {
		t.Errorf("everybody: %d, %v", len(chosen), ok)
	}
	if _, ok := q.choose(peersOf("own a other"), nil); ok {
		t.Error("three are not everybody")
	}
}

func TestFitness(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		name           string
		peer           *peer
		told, furthest uint64
		want           int
	}{
		{"not seen yet", &peer{}, 0, 100, fit},
		{"not seen yet, but something is known", &peer{}, 1, 100, unfit},
		{"live", &peer{state: streamLive, height: 100}, 100, 100, fit},
		{"a little behind", &peer{state: streamLive, height: 100}, 100, 100 + lag, fit},
		{"far behind", &peer{state: streamLive, height: 100}, 0, 101 + lag, fitLagging},
		{"behind what is known", &peer{state: streamLive, height: 100}, 101, 101, unfit},
		{"failed just now", &peer{state: streamLive, height: 100, until: now.Add(1)}, 100, 100, fitAiling},
		{"failed some time ago", &peer{state: streamLive, height: 100, until: now}, 100, 100, fit},
		{"down", &peer{state: streamDown}, 0, 100, fitDown},
		{"down, and something is known", &peer{state: streamDown}, 1, 100, unfit},
	} {
		if got := test.peer.fitness(now, test.told, test.furthest); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
	p := &peer{}
	var last time.Duration
	for i := range 20 {
		p.failed(errors.New("x"), now)
		pause := p.until.Sub(now)
		if pause < last || pause > mostPause {
			t.Errorf("failure %d: a pause of %v after one of %v", i, pause, last)
		}
		last = pause
	}
	if last != mostPause {
		t.Errorf("after 20 failures a pause of %v", last)
	}
	p.answered()
	if f := p.fitness(now, 0, 0); f != fit {
		t.Errorf("after an answer: %d", f)
	}
}

func TestFittest(t *testing.T) {
	peers := []*peer{
		{name: "down", state: streamDown}, {name: "behind", state: streamLive, height: 5}, {name: "ailing", state: streamLive, height: 50, until: time.Now().Add(time.Hour)},
		{name: "one", state: streamLive, height: 50}, {name: "new"}, {name: "two", state: streamLive, height: 49},
	}
	for told, want := range map[uint64]string{0: "one new two behind ailing down", 49: "one two ailing", 50: "one ailing", 51: ""} {
		var names []string
		for _, p := range fittest(peers, told, fitDown) {
			names = append(names, p.name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("told of %d: %q, want %q", told, got, want)
		}
	}
}

// TestCommits shows a transaction's fate in any order, twice, and by several peers.
func TestCommits(t *testing.T) {
	var c commits
	filtered := func(n uint64, ids ...string) *pb.FilteredBlock {
		b := &pb.FilteredBlock{Number: n}
		for _, id := range ids {
			b.FilteredTransactions = append(b.FilteredTransactions, &pb.FilteredTransaction{Txid: id, TxValidationCode: pb.TxValidationCode(n)})
		}
		return b
	}
	c.seen(true, filtered(1, "a")) // nobody waits yet
	w := c.expect("a")
	c.seen(false, filtered(2, "b", "c", "a"))
	c.seen(false, filtered(3, "a"))
	c.seen(true, filtered(4, "a", "a"))
	if o := <-w.other; o != (outcome{2, 2, 2}) {
		t.Errorf("others show %v", o)
	}
	if o := <-w.own; o != (outcome{4, 0, 4}) {
		t.Errorf("the own peer shows %v", o)
	}
	c.forget("a")
	c.seen(true, filtered(5, "a"))
	select {
	case o := <-w.own:
		t.Errorf("%v is shown to who has gone", o)
	default:
	}
	if len(c.waiting) != 0 {
		t.Error("something is still waited for")
	}
}

func TestMark(t *testing.T) {
	var m mark
	for _, v := range []uint64{5, 3, 7, 7, 1} {
		m.raise(v)
	}
	if m.get() != 7 {
		t.Errorf("the mark is at %d", m.get())
	}
	var b bell
	one, two := b.next(), b.next()
	b.ring()
	b.ring()
	<-one
	<-two
	select {
	case <-b.next():
		t.Error("it rings for who came after")
	default:
	}
	var p pace
	if got := p.times(4, time.Second, time.Minute); got != time.Second {
		t.Errorf("of nothing: %v", got)
	}
	for range 100 {
		p.note(2 * time.Second)
	}
	if got := p.times(4, time.Second, time.Minute); got != 8*time.Second {
		t.Errorf("four times 2 s: %v", got)
	}
	if got := p.times(4, time.Second, 3*time.Second); got != 3*time.Second {
		t.Errorf("at most 3 s: %v", got)
	}
}

// TestRoundNeverWithoutTheAuthority casts random ballots and checks every agreement.
func TestRoundNeverWithoutTheAuthority(t *testing.T) {
	organisations := []string{"a", "b", "c", "d", "e"}
	for range 2000 {
		var peers []*peer
		for _, o := range organisations {
			peers = append(peers, &peer{name: "peer1." + o, organisation: o})
		}
		r := newRound(policy{"a", len(organisations)}.majority(), nil, peers)
		for _, p := range peers {
			r.begin(p)
		}
		rand.Shuffle(len(peers), func(i, j int) { peers[i], peers[j] = peers[j], peers[i] })
		votes := map[string][]string{}
		for _, p := range peers {
			vote := fmt.Sprint(rand.N(3))
			var b ballot
			switch vote {
			case "0":
				b = ballot{peer: p, err: errors.New("it is down")}
			default:
				b = ballot{peer: p, response: endorsed(p.organisation, vote)}
				votes[vote] = append(votes[vote], p.organisation)
			}
			a := r.count(b)
			met := vote != "0" && len(votes[vote]) >= 3 && strings.Contains(strings.Join(votes[vote], ""), "a")
			if (a != nil) != met {
				t.Fatalf("after %v: an agreement is %v, want %v", votes, a != nil, met)
			}
			if a != nil {
				break
			}
		}
	}
}
