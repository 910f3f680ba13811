package staff

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/sm"
)

// Bounds of sessions.
const (
	sessionTTL     = 10 * time.Hour
	sessionsOfEach = 20 // of one person: the oldest ends when another begins
)

// sessions are those that are open, by the digest of their token. There are at most sessionsOfEach for
// each person of the file.
type sessions struct {
	mu      sync.Mutex
	byToken map[sm.Hash]*session
	byName  map[string][]sm.Hash // oldest first
}

type session struct {
	name     string
	password callers.Password // with which it began
	expires  time.Time
}

func newSessions() *sessions {
	return &sessions{byToken: map[sm.Hash]*session{}, byName: map[string][]sm.Hash{}}
}

func (s *sessions) begin(person *Caller, now time.Time) *Session {
	token := callers.NewToken()
	digest := callers.TokenDigest(token)
	expires := now.Add(sessionTTL)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, old := range s.byName[person.Name] {
		if !s.byToken[old].expires.After(now) {
			s.forget(old)
		}
	}
	if open := s.byName[person.Name]; len(open) >= sessionsOfEach {
		s.forget(open[0])
	}
	s.byToken[digest] = &session{person.Name, person.password, expires}
	s.byName[person.Name] = append(s.byName[person.Name], digest)
	return &Session{Token: token, Person: person, Expires: expires}
}

// find returns the person of a session, nil if it is over or the person is not on file any more.
func (s *sessions) find(token string, d *Directory, now time.Time) *Caller {
	digest := callers.TokenDigest(token)
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.byToken[digest]
	if found == nil {
		return nil
	}
	person := d.byName[found.name]
	if !found.expires.After(now) || person == nil || !bytes.Equal(person.password, found.password) {
		s.forget(digest)
		return nil
	}
	return person
}

func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(callers.TokenDigest(token))
}

// forget is for who holds the lock.
func (s *sessions) forget(digest sm.Hash) {
	found := s.byToken[digest]
	if found == nil {
		return
	}
	delete(s.byToken, digest)
	rest := slices.DeleteFunc(slices.Clone(s.byName[found.name]), func(h sm.Hash) bool { return h == digest })
	if s.byName[found.name] = rest; len(rest) == 0 {
		delete(s.byName, found.name)
	}
}
