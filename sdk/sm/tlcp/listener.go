package tlcp

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Config says how a [Listener] treats those who connect. All fields are required but Failed.
type Config struct {
	HandshakeTimeout time.Duration // for a whole handshake
	MaxHandshakes    int           // under way at a time; who comes when there are so many is turned away
	// Failed is told of every connection that came to nothing. It is called by several goroutines at a
	// time.
	Failed func(*Error)
}

// A Listener gives out connections whose handshake is done. It is safe for concurrent use.
type Listener struct {
	inner    net.Listener
	config   Config
	identity atomic.Pointer[Identity]

	ready   chan net.Conn
	closed  chan struct{}
	ended   chan struct{} // closed when inner accepts no more, with err why
	err     error
	closing sync.Once

	mu      sync.Mutex
	pending map[net.Conn]struct{} // whose handshake is under way
}

var _ net.Listener = (*Listener)(nil)

// NewListener listens as id on what inner accepts. Closing it closes inner.
func NewListener(inner net.Listener, id *Identity, config Config) *Listener {
	l := &Listener{
		inner: inner, config: config, ready: make(chan net.Conn),
		closed: make(chan struct{}), ended: make(chan struct{}), pending: map[net.Conn]struct{}{},
	}
	l.identity.Store(id)
	go l.accept()
	return l
}

// SetIdentity changes the identity for handshakes that begin from now on.
func (l *Listener) SetIdentity(id *Identity) { l.identity.Store(id) }

// accept begins handshakes until inner ends.
func (l *Listener) accept() {
	defer close(l.ended)
	for {
		raw, err := l.inner.Accept()
		if temporary, ok := err.(interface{ Temporary() bool }); ok && temporary.Temporary() {
			select { // as when there are no file descriptors left
			case <-time.After(acceptPause):
				continue
			case <-l.closed:
				err = net.ErrClosed
			}
		}
		if err != nil {
			l.err = err
			return
		}
		if !l.enter(raw) {
			_ = raw.Close()
			l.failed(&Error{Code: CodeHandshakesFull, Text: "too many handshakes are under way"})
			continue
		}
		go l.shake(raw)
	}
}

// acceptPause is how long accepting rests after a failure that will pass.
const acceptPause = 20 * time.Millisecond

// shake performs a handshake and gives the connection out.
func (l *Listener) shake(raw net.Conn) {
	c := newConn(raw, l.identity.Load())
	err := c.handshake(l.config.HandshakeTimeout)
	l.leave(raw)
	if err != nil {
		_ = raw.Close()
		if ours, ok := err.(*Error); ok {
			l.failed(ours)
		}
		return
	}
	select {
	case l.ready <- c:
	case <-l.closed:
		_ = c.Close()
	}
}

func (l *Listener) enter(raw net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) >= l.config.MaxHandshakes {
		return false
	}
	l.pending[raw] = struct{}{}
	return true
}

func (l *Listener) leave(raw net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pending, raw)
}

func (l *Listener) failed(err *Error) {
	select {
	case <-l.closed: // by us, not by the peer
	default:
		if l.config.Failed != nil {
			l.config.Failed(err)
		}
	}
}

// Accept returns the next connection whose handshake is done.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-l.ended:
		return nil, l.err
	}
}

// Close ends the listener and the handshakes under way, not the connections that were given out.
func (l *Listener) Close() (err error) {
	l.closing.Do(func() {
		close(l.closed)
		err = l.inner.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		for raw := range l.pending {
			_ = raw.Close()
		}
	})
	return err
}

// Addr returns the address that is listened on.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }
