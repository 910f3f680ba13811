package store

import "sync"

// groupSize bounds how many calls are run together.
const groupSize = 256

// A group runs calls together: those that come while others are run are the next. So a busy store
// does one transaction for many calls, and an idle one does not wait for more of them.
type group[C any] struct {
	run func([]C) // at most groupSize; gives every one of them its answer

	mu      sync.Mutex
	waiting []C
	running bool
}

// add has a call run.
func (g *group[C]) add(c C) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, c)
	if !g.running {
		g.running = true
		go g.runAll()
	}
}

// runAll runs calls until none is waiting.
func (g *group[C]) runAll() {
	for {
		calls := g.next()
		if len(calls) == 0 {
			return
		}
		g.run(calls)
	}
}

func (g *group[C]) next() []C {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), groupSize)
	calls := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	if n == 0 {
		g.waiting, g.running = nil, false
	}
	return calls
}
