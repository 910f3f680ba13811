package vault

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sm"
)

// answerTo is an answer to a request, under a grant if that is not nil.
func (p *place) answerTo(name string, g *Grant, use uint32) *Answer {
	a := &Answer{Request: sm.Sum([]byte(name)), Asked: []byte("request-secret " + name), Answered: []byte("answer-secret " + name), Licence: 1, Type: "marriage",
		Expires: p.time().Add(time.Minute), Envelope: []byte("envelope-secret " + name)}
	if g != nil {
		a.Licence, a.Grant, a.Use = g.Licence, &g.Digest, use
	}
	return a
}

func testAnswers(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(1))
	g := p.grantOf(b.First, "one", 9)
	add := func(a *Answer) error {
		return v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.AddAnswer(a) })
	}
	names := []string{"a", "b", "c", "d"}
	for i, name := range names {
		a := p.answerTo(name, nil, 0)
		if i == 0 {
			a = p.answerTo(name, g, 1)
		}
		if name == "c" {
			a.Type, a.Envelope = "property", nil
		}
		must(t, add(a))
		p.pass(time.Second)
	}
	got, err := v.Answer(t.Context(), sm.Sum([]byte("a")))
	must(t, err)
	if !bytes.Equal(got.Asked, []byte("request-secret a")) || !bytes.Equal(got.Answered, []byte("answer-secret a")) || !bytes.Equal(got.Envelope, []byte("envelope-secret a")) ||
		got.Licence != b.First || got.Type != "marriage" || *got.Grant != g.Digest || got.Use != 1 || got.Logged || got.At.Sub(p.time().Truncate(time.Second)) != -4*time.Second {
		t.Fatalf("the answer is %+v", got)
	}
	refused(t, add(p.answerTo("a", nil, 0)), CodeAnswered)
	refused(t, add(p.answerTo("e", g, 1)), CodeAnswered) // no use has its number twice
	_, err = v.Answer(t.Context(), sm.Sum([]byte("e")))
	refused(t, err, CodeUnknown)
	requests := func(found []*Answer, err error) (out string) {
		t.Helper()
		must(t, err)
		for _, a := range found {
			out += strings.TrimPrefix(string(a.Asked), "request-secret ")
		}
		return out
	}
	same(t, "all", requests(v.AnswersOf(t.Context(), []string{"marriage", "property"}, 0, 10)), "dcba")
	same(t, "some", requests(v.AnswersOf(t.Context(), []string{"marriage"}, 0, 2)), "db")
	same(t, "those before", requests(v.AnswersOf(t.Context(), []string{"marriage"}, got.ID+1, 9)), "a")
	same(t, "none", requests(v.AnswersOf(t.Context(), nil, 0, 9)), "")
	same(t, "not logged", requests(v.UnloggedAnswers(t.Context(), got.ID, 9)), "bcd")
	write(t, v, func(tx *Tx) error { return tx.AnswersLogged(sm.Sum([]byte("b")), sm.Sum([]byte("d"))) })
	same(t, "not logged", requests(v.UnloggedAnswers(t.Context(), 0, 9)), "ac")

	// Of what has expired the evidence stays.
	p.pass(56 * time.Second) // a has ended now
	must(t, v.Purge(t.Context()))
	same(t, "still released", count(t, v, "vault_answer", "envelope IS NOT NULL"), 3)
	p.pass(time.Hour)
	must(t, v.Purge(t.Context()))
	same(t, "still released", count(t, v, "vault_answer", "envelope IS NOT NULL"), 0)
	same(t, "all", requests(v.AnswersOf(t.Context(), []string{"marriage", "property"}, 0, 10)), "dcba")

	for _, change := range []func(*Answer){
		func(a *Answer) { a.Asked = nil }, func(a *Answer) { a.Answered = make([]byte, maxAnswerStatement+1) }, func(a *Answer) { a.Use = 1 },
		func(a *Answer) { a.Envelope = make([]byte, maxEnvelope+1) }, func(a *Answer) { a.Type = strings.Repeat("x", 65) },
	} {
		a := p.answerTo("bad", nil, 0)
		change(a)
		refused(t, add(a), CodeArgument)
	}
}

func testWitness(t *testing.T, p *place) {
	v := p.create(t)
	for _, size := range []uint64{5, 1 << 40} {
		for _, log := range []string{"releases", "releases-2"} {
			write(t, v, func(tx *Tx) error { return tx.SetWitness(log, size+uint64(len(log))) })
		}
		for _, log := range []string{"releases", "releases-2"} {
			got, err := v.Witness(t.Context(), log)
			must(t, err)
			same(t, "entries compared", got, size+uint64(len(log)))
		}
	}
	if size, err := v.Witness(t.Context(), "another"); size != 0 || err != nil {
		t.Fatalf("of another log %d entries were compared, %v", size, err)
	}
	if at, err := v.Restored(t.Context()); !at.IsZero() || err != nil {
		t.Fatalf("restored at %v, %v", at, err)
	}
	for _, bad := range []string{"", strings.Repeat("x", 33)} {
		refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.SetWitness(bad, 1) }), CodeArgument)
	}
	b := p.add(t, v, p.deposits(1))
	g := p.addGrant(t, v, b.First, "one", 9)
	a := p.answerTo("a", g, 1)
	write(t, v, func(tx *Tx) error { return tx.AddAnswer(a) })
	for n, want := range map[int]bool{32: true, 16: true, 1: true} {
		known, err := v.AnsweredFrom(t.Context(), a.Request[:n])
		must(t, err)
		same(t, "answered", known, want)
		other := slices.Clone(a.Request[:n])
		other[n-1] ^= 1
		known, err = v.AnsweredFrom(t.Context(), other)
		must(t, err)
		same(t, "answered", known, false)
	}
	for _, ended := range []int64{1, 0} {
		write(t, v, func(tx *Tx) error {
			n, err := tx.EndGrants()
			same(t, "ended", n, ended)
			return err
		})
	}
	at, err := v.Restored(t.Context())
	must(t, err)
	same(t, "restored", at, p.time().Truncate(time.Second).UTC())
	write(t, v, func(tx *Tx) error {
		n, err := tx.UseGrant(g.Digest)
		same(t, "number", n, 0)
		return err
	})
}
