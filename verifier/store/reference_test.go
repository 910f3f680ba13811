package store

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
)

func testReferences(t *testing.T, p *place) {
	s, other := p.open(t), p.open(t)
	presentation := bytes.Repeat([]byte("presentation "), 100)
	text, expires, err := s.PutReference(t.Context(), presentation, time.Minute)
	must(t, err)
	if len(text) != TokenLetters || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		t.Fatalf("token %q", text)
	}
	if left := expires.Sub(p.time()); left > time.Minute || left < 59*time.Second {
		t.Fatalf("expires in %v", left)
	}
	for i := range text {
		altered := []byte(text)
		altered[i] = 'A'
		if altered[i] == text[i] {
			altered[i] = 'B'
		}
		_, err := s.TakeReference(t.Context(), string(altered))
		refused(t, err, CodeReferenceUnknown, string(altered))
	}
	for _, bad := range []string{"", text[1:], text + "A", text + "\n", strings.Repeat("1", TokenLetters), strings.Repeat("=", TokenLetters)} {
		_, err := s.TakeReference(t.Context(), bad)
		refused(t, err, CodeReferenceUnknown)
	}
	got, err := other.TakeReference(t.Context(), strings.ToLower(text))
	must(t, err)
	if !bytes.Equal(got, presentation) {
		t.Fatal("another presentation came back")
	}
	for _, replica := range []*Store{s, other, p.open(t)} {
		_, err = replica.TakeReference(t.Context(), text)
		refused(t, err, CodeReferenceUsed, text)
	}

	late, _, err := s.PutReference(t.Context(), presentation, time.Minute)
	must(t, err)
	p.pass(time.Minute)
	_, err = s.TakeReference(t.Context(), late)
	refused(t, err, CodeReferenceExpired)
	must(t, s.Purge(t.Context()))
	_, err = s.TakeReference(t.Context(), late)
	refused(t, err, CodeReferenceExpired)
	p.pass(referenceMemory)
	must(t, s.Purge(t.Context()))
	_, err = s.TakeReference(t.Context(), late)
	refused(t, err, CodeReferenceUnknown)

	for _, bad := range []struct {
		presentation []byte
		ttl          time.Duration
	}{{nil, time.Minute}, {make([]byte, credential.MaxSize+1), time.Minute}, {presentation, 0}, {presentation, MaxReferenceTTL + 1}} {
		_, _, err := s.PutReference(t.Context(), bad.presentation, bad.ttl)
		refused(t, err, CodeArgument)
	}
}

func testReferencesOnce(t *testing.T, p *place) {
	replicas := []*Store{p.open(t), p.open(t), p.open(t)}
	for range 10 {
		text, _, err := replicas[0].PutReference(t.Context(), []byte("presentation"), time.Minute)
		must(t, err)
		var taken atomic.Int32
		inParallel(12, func(i int) {
			switch _, err := replicas[i%len(replicas)].TakeReference(t.Context(), text); Code(err) {
			case "":
				taken.Add(1)
			case CodeReferenceUsed:
			default:
				t.Error(err)
			}
		})
		if n := taken.Load(); n != 1 {
			t.Fatalf("taken %d times", n)
		}
	}
}

// testReferencesSealed looks for what a stolen database must not show.
func testReferencesSealed(t *testing.T, p *place) {
	s := p.open(t)
	presentation := []byte("a presentation that nobody else is to read")
	text, _, err := s.PutReference(t.Context(), presentation, time.Minute)
	must(t, err)
	session, _, err := s.NewSession(t.Context(), "agency", "clerk", time.Hour)
	must(t, err)
	token, _ := parseToken(text)
	sessionToken, _ := parseToken(session)
	secrets := map[string][]byte{
		"the token": []byte(text), "the token's bytes": token[:], "the key": token.key(), "the presentation": presentation[:16],
		"the session's token": []byte(session), "its bytes": sessionToken[:],
	}
	shown := dump(t, s)
	for name, secret := range secrets {
		if bytes.Contains(shown, secret) {
			t.Errorf("the database shows %s", name)
		}
	}
	if id := token.id(); !bytes.Contains(shown, id[:]) {
		t.Error("the dump shows nothing at all")
	}

	var sealed []byte
	id := token.id()
	must(t, s.db.Read().QueryRow("SELECT sealed FROM verifier_reference WHERE id = $1", id[:]).Scan(&sealed))
	sealed[0] ^= 1
	err = s.db.Exec(t.Context(), "UPDATE verifier_reference SET sealed = $1", sealed)
	must(t, err)
	_, err = s.TakeReference(t.Context(), text)
	refused(t, err, CodeDamaged)
	must(t, s.db.Read().QueryRow("SELECT sealed FROM verifier_reference WHERE id = $1", id[:]).Scan(&sealed))
	if len(sealed) != 0 {
		t.Error("a presentation is kept after it was taken")
	}
}

func testReferencesBounded(t *testing.T, p *place) {
	s := p.open(t)
	large := make([]byte, credential.MaxSize)
	put := func() error {
		_, _, err := s.PutReference(t.Context(), large, time.Minute)
		return err
	}
	must(t, put())
	err := s.db.Exec(t.Context(), "INSERT INTO verifier_reference (id, sealed, size, expires, taken) VALUES ($1, $2, $3, $4, FALSE)",
		[]byte("flood"), []byte{}, MaxReferenceBytes-3*len(large), p.time().Add(30*time.Second).Unix())
	must(t, err)
	p.pass(recount)
	must(t, put()) // which counts again
	refused(t, put(), CodeReferencesFull)
	refused(t, p.openThen(t, large), CodeReferencesFull)
	p.pass(recount)
	refused(t, put(), CodeReferencesFull)
	p.pass(30 * time.Second) // the flood has expired, and is deleted when there is no room
	must(t, put())
}

// openThen puts a reference by a new replica.
func (p *place) openThen(t *testing.T, presentation []byte) error {
	_, _, err := p.open(t).PutReference(t.Context(), presentation, time.Minute)
	return err
}

func FuzzToken(f *testing.F) {
	f.Add("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
	f.Add("abcdefghijklmnopqrstuvwxyz23456=")
	f.Fuzz(func(t *testing.T, text string) {
		if token, ok := parseToken(text); ok && token.String() != strings.ToUpper(text) {
			t.Fatalf("%q is taken for %q", text, token.String())
		}
	})
}
