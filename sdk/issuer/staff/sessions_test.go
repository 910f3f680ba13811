package staff

import (
	"testing"
	"time"
)

// Who signs in again and again has the newest sessions, and memory is bounded.
func TestManySessions(t *testing.T) {
	person := &Caller{Kind: Person, Name: "wangfang", password: []byte("hash")}
	d := &Directory{byName: map[string]*Caller{person.Name: person}}
	s := newSessions()
	now := time.Unix(0, 0)
	var all []*Session
	for range sessionsOfEach + 5 {
		now = now.Add(time.Minute)
		all = append(all, s.begin(person, now))
	}
	for i, session := range all {
		if open := s.find(session.Token, d, now) != nil; open != (i >= 5) {
			t.Errorf("session %d is open: %v", i, open)
		}
	}
	s.begin(person, now.Add(sessionTTL+time.Hour)) // all others have ended by then
	if len(s.byToken) != 1 || len(s.byName[person.Name]) != 1 {
		t.Errorf("%d sessions are kept", len(s.byToken))
	}
}
