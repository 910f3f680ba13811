// Package share lets the processes of one user on one machine use an embedded ledger together.
//
// An embedded ledger is open in one process at a time. The process that opens it first is its host:
// beside using it, it answers the others on a socket. When the host ends, in order or by force, one
// of the others opens the ledger and is the host from then on; callers notice a pause, and what was
// in the air when a host was killed is CodeOutcomeUnknown, as on any ledger. A ledger.Ledger from
// here passes the conformance suite in the host, in a guest, and from one host to the next.
//
// The socket is DIR.shared/socket beside the ledger's directory DIR, in a directory that only its
// owner can enter. That is the whole of the protection: who can open the ledger's files can use the
// socket, in every department's name, and nobody else can. What is said on it is HTTP/1.1; package
// share is on both ends, and wire.go has the bodies.
//
// The package decides nothing about transactions and opens no port.
package share

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/ledger"
)

// patience is how long a process waits for a ledger that another one has open and does not, or not
// yet, answer for; pause is the time between two attempts.
const (
	patience = 5 * time.Second
	pause    = 10 * time.Millisecond
)

// A Store is an embedded ledger as one of several processes has it. It is safe for concurrent use.
type Store struct {
	dir  string
	life context.Context // done when the Store is closed
	end  context.CancelCauseFunc

	turn    chan struct{} // holds a token: whoever has it may use current
	current session       // nil while there is none
}

// A session is one way of reaching the ledger: having it, or asking its host.
type session interface {
	as(actor string) ledger.Ledger
	close() error
}

// Open opens the ledger that embedded.Create made in a directory, here or in the process that has it
// open already. The error is that of embedded.Open; embedded.CodeInUse if a process that does not
// share the ledger has it open, such as an audit, and keeps it for more than five seconds.
func Open(ctx context.Context, dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, &ledger.Error{Code: embedded.CodeStorage, Message: "find the ledger's directory", Err: err}
	}
	s := &Store{dir: dir, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	s.life, s.end = context.WithCancelCause(context.Background())
	if _, err := s.session(ctx); err != nil {
		s.end(nil)
		return nil, err
	}
	return s, nil
}

// As returns an organisation's connection; actor is its department id.
func (s *Store) As(actor string) ledger.Ledger {
	c := &connection{store: s, actor: actor}
	c.life, c.end = context.WithCancelCause(s.life)
	return c
}

// Close ends this process's use of the ledger. A host finishes first what it has accepted. The error
// is that of embedded.Store.Close.
func (s *Store) Close() error {
	s.end(errClosed())
	<-s.turn
	defer s.give()
	if s.current == nil {
		return nil
	}
	err := s.current.close()
	s.current = nil
	return err
}

// session returns the way of reaching the ledger, and finds a new one if there is none.
func (s *Store) session(ctx context.Context) (session, error) {
	select {
	case <-s.turn:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer s.give()
	if s.life.Err() != nil {
		return nil, context.Cause(s.life)
	}
	if s.current != nil {
		return s.current, nil
	}
	found, err := s.find(ctx)
	s.current = found
	return found, err
}

// lost says that a session leads nowhere any more.
func (s *Store) lost(gone session) {
	<-s.turn
	defer s.give()
	if s.current == gone {
		s.current = nil
		_ = gone.close() // there is nothing at its other end
	}
}

// give lets the next one take its turn.
func (s *Store) give() { s.turn <- struct{}{} }

// find becomes the host, or finds it.
func (s *Store) find(ctx context.Context) (session, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		store, err := embedded.Open(s.dir)
		switch {
		case err == nil:
			h, err := newHost(store, s.socketDir())
			if err != nil {
				return nil, errors.Join(err, store.Close())
			}
			return h, nil
		case ledger.Code(err) != embedded.CodeInUse:
			return nil, err
		}
		if g, askErr := newGuest(ctx, s.socketDir()); askErr == nil {
			return g, nil
		} else if ledger.Code(askErr) != "" {
			return nil, askErr
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-s.life.Done():
			return nil, context.Cause(s.life)
		case <-time.After(pause):
		}
	}
}

// socketDir is the directory of the socket.
func (s *Store) socketDir() string { return s.dir + ".shared" }

func errClosed() *ledger.Error {
	return &ledger.Error{Code: ledger.CodeClosed, Message: "the connection to the ledger was closed"}
}

// makePrivate makes a directory that only its owner can enter, or makes it so.
func makePrivate(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return os.Chmod(dir, 0o700)
}
