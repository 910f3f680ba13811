package serve

import (
	"net"
	"sync"
	"sync/atomic"
)

// A connections is a limit on the connections of all listeners together.
type connections struct {
	max  int64
	open atomic.Int64
	shed func()
}

// listener wraps a listener so that a connection beyond the limit is closed at once: who comes then
// knows it, instead of waiting behind those who came to fill the places.
func (c *connections) listener(inner net.Listener) net.Listener {
	return &limitedListener{Listener: inner, limit: c}
}

type limitedListener struct {
	net.Listener
	limit *connections
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.limit.open.Add(1) <= l.limit.max {
			return &limitedConn{Conn: c, limit: l.limit}, nil
		}
		l.limit.open.Add(-1)
		_ = c.Close()
		l.limit.shed()
	}
}

type limitedConn struct {
	net.Conn
	limit *connections
	once  sync.Once
}

func (c *limitedConn) Close() error {
	c.once.Do(func() { c.limit.open.Add(-1) })
	return c.Conn.Close()
}
