// Package peertest has a server of a chaincode, and peers that call it over Fabric's own protocol,
// for tests of chaincodes and of package server.
package peertest

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/hyperledger/fabric-chaincode-go/shim"

	"github.com/credledger/credledger/chaincode/server"
)

// PackageID is what every Server serves.
var PackageID = "credledger_1:" + strings.Repeat("0123456789abcdef", 4)

// A Server is one that runs, on a port of its own.
type Server struct {
	Authority *Authority // of its certificate, and of the peers'
	Address   string
	Log       *Log

	tb   testing.TB
	stop context.CancelFunc
	err  chan error
}

// Config makes a configuration that can work, with files in dir.
func Config(tb testing.TB, dir string, a *Authority) server.Config {
	tb.Helper()
	cert, key := a.Issue(tb, nil)
	return server.Config{
		PackageID: PackageID, Listen: "127.0.0.1:0",
		Certificate: WriteFile(tb, dir, "server.pem", cert), Key: WriteFile(tb, dir, "server.key", key),
		ClientCA: WriteFile(tb, dir, "ca.pem", a.PEM),
	}
}

// Start serves a chaincode until the test ends.
func Start(tb testing.TB, cc shim.Chaincode) *Server {
	tb.Helper()
	s := &Server{Authority: NewAuthority(tb, nil), Log: new(Log), tb: tb, err: make(chan error, 1)}
	listening, err := server.Listen(Config(tb, tb.TempDir(), s.Authority), cc, slog.New(slog.NewTextHandler(s.Log, nil)))
	if err != nil {
		tb.Fatal(err)
	}
	s.Address = listening.Address()
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() { s.err <- listening.Serve(ctx) }()
	tb.Cleanup(func() {
		if err := s.Stop(); err != nil {
			tb.Errorf("serve: %v", err)
		}
	})
	return s
}

// Stop stops the server, and returns what Serve did.
func (s *Server) Stop() error {
	s.stop()
	err := <-s.err
	s.err <- err // for who stops it again
	return err
}

// Dial connects a peer, until the test ends.
func (s *Server) Dial(state *State) *Peer {
	s.tb.Helper()
	identity, _ := s.Authority.Issue(s.tb, nil)
	p, err := Dial(s.Address, s.Authority.Client(s.tb), state, identity)
	if err != nil {
		s.tb.Fatalf("dial the server: %v", err)
	}
	s.tb.Cleanup(p.Close)
	return p
}

// A Log keeps what a server logs.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
