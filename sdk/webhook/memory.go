package webhook

import (
	"sync"
	"time"
)

// A Memory is a Seen of one process: it forgets when that ends, and what it was not to remember any
// longer. It is safe for concurrent use. Only who knows the secret can put something into it.
type Memory struct {
	now func() time.Time

	mu     sync.Mutex
	until  map[ID]time.Time
	forget time.Time // when it looks next for what it can forget
}

// NewMemory makes an empty memory.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, until: map[ID]time.Time{}}
}

// Seen implements Seen.
func (m *Memory) Seen(id ID, until time.Time) (before bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if !now.Before(m.forget) {
		for id, until := range m.until {
			if until.Before(now) {
				delete(m.until, id)
			}
		}
		m.forget = now.Add(Tolerance)
	}
	if known, ok := m.until[id]; ok && !known.Before(now) {
		return true, nil
	}
	m.until[id] = until
	return false, nil
}
