package store

import (
	"strings"
	"testing"
	"time"
)

func testSessions(t *testing.T, p *place) {
	s, other := p.open(t), p.open(t)
	text, expires, err := s.NewSession(t.Context(), "registry", "clerk-7", time.Hour)
	must(t, err)
	got, err := other.Session(t.Context(), text)
	must(t, err)
	if want := (Session{"registry", "clerk-7", expires}); got != want {
		t.Fatalf("session %+v; want %+v", got, want)
	}
	for _, bad := range []string{"", text[1:], "A" + text[1:] + "A", strings.Repeat("A", TokenLetters)} {
		_, err := s.Session(t.Context(), bad)
		refused(t, err, CodeSessionUnknown)
		must(t, s.EndSession(t.Context(), bad))
	}
	must(t, other.EndSession(t.Context(), text))
	_, err = s.Session(t.Context(), text)
	refused(t, err, CodeSessionUnknown, text)

	text, _, err = s.NewSession(t.Context(), "registry", "clerk-7", time.Hour)
	must(t, err)
	p.pass(time.Hour)
	_, err = s.Session(t.Context(), text)
	refused(t, err, CodeSessionExpired)

	for _, bad := range []struct {
		agency, clerk string
		ttl           time.Duration
	}{{"", "c", time.Hour}, {"a", "", time.Hour}, {"a", "c", 0}, {"a", "c", MaxSessionTTL + 1}} {
		_, _, err := s.NewSession(t.Context(), bad.agency, bad.clerk, bad.ttl)
		refused(t, err, CodeArgument)
	}
}

func testSessionsBounded(t *testing.T, p *place) {
	s := p.open(t)
	var texts []string
	for range MaxSessions + 2 {
		for _, clerk := range []string{"one", "two"} {
			text, _, err := s.NewSession(t.Context(), "registry", clerk, time.Hour)
			must(t, err)
			if clerk == "one" {
				texts = append(texts, text)
			}
		}
		p.pass(time.Second)
	}
	for i, text := range texts {
		_, err := s.Session(t.Context(), text)
		if ended := i < 2; ended != (Code(err) == CodeSessionUnknown) || !ended && err != nil {
			t.Errorf("session %d of %d: %v", i, len(texts), err)
		}
	}
	if n := rows(t, s, "verifier_session"); n != 2*MaxSessions {
		t.Fatalf("%d sessions", n)
	}
}
