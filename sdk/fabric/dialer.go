package fabric

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

// A dialer keeps one gRPC connection to each endpoint of a profile, for all that is done there. It
// is fabric-sdk-go's fab.CommManager: the one that comes with it closes a connection under those who
// share it when one of them is cancelled, and waits out its deadline on a connection that has gone
// idle, as all do to a server that was restarted.
type dialer struct {
	mu     sync.Mutex
	lines  map[string]*line // by address
	closed bool
}

// A line is the connection to one endpoint.
type line struct {
	tls  *tls.Config
	conn *grpc.ClientConn // nil until it is used

	mu  sync.Mutex
	err error // why the newest attempt to connect failed
}

func newDialer(p *profile) *dialer {
	d := &dialer{lines: map[string]*line{}}
	for _, endpoints := range []map[string]profileEndpoint{p.Peers, p.Orderers} {
		for _, e := range endpoints {
			d.lines[e.address()] = &line{tls: e.tls()}
		}
	}
	return d
}

// Servers let clients ping once a minute by default. A connection whose bytes nobody acknowledges
// is given up after deadAfter; one on which nothing is said, when the kernel's probes fail for about
// as long. Attempts to connect are at most maxBackoff apart.
const (
	pingEvery  = 65 * time.Second
	deadAfter  = 10 * time.Second
	maxBackoff = time.Second
)

// DialContext implements fab.CommManager: it returns when the connection is ready, or the newest
// attempt to make it has failed.
func (d *dialer) DialContext(ctx context.Context, address string, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	l, err := d.line(address, options)
	if err != nil {
		return nil, err
	}
	for {
		switch state := l.conn.GetState(); state {
		case connectivity.Ready:
			return l.conn, nil
		case connectivity.Shutdown:
			return nil, errClosed()
		case connectivity.TransientFailure:
			return nil, fmt.Errorf("connect to %s: %w", address, l.reason())
		case connectivity.Idle:
			l.conn.Connect()
			fallthrough
		default:
			if !l.conn.WaitForStateChange(ctx, state) {
				return nil, fmt.Errorf("connect to %s: %w", address, several{ctx.Err(), l.reason()})
			}
		}
	}
}

func (d *dialer) line(address string, options []grpc.DialOption) (*line, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lines[address]
	switch {
	case d.closed:
		return nil, errClosed()
	case l == nil:
		return nil, fmt.Errorf("connect to %s: it is not in the connection profile", address)
	case l.conn == nil:
		var err error
		if l.conn, err = grpc.NewClient("passthrough:///"+address, append(options, l.options()...)...); err != nil {
			return nil, fmt.Errorf("connect to %s: %w", address, err)
		}
	}
	return l, nil
}

func (l *line) options() []grpc.DialOption {
	dial := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: deadAfter / 2, Interval: 2 * time.Second, Count: 3}}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(&witness{credentials.NewTLS(l.tls), l}),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			conn, err := dial.DialContext(ctx, "tcp", address)
			if err != nil { // else TLS will tell, and what it told last stays until then
				l.note(err)
			}
			return conn, err
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: maxBackoff / 10, Multiplier: 1.6, Jitter: 0.2, MaxDelay: maxBackoff},
			MinConnectTimeout: 3 * time.Second,
		}),
		// The timeout also is how long the kernel waits for an acknowledgement.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingEvery, Timeout: deadAfter, PermitWithoutStream: true}),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(false)),
		grpc.WithIdleTimeout(0),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
	}
}

func (l *line) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

var errNoConnection = errors.New("there is no connection")

func (l *line) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		return errNoConnection
	}
	return l.err
}

// A witness notes why TLS could not be agreed on, which gRPC only tells who makes a call.
type witness struct {
	credentials.TransportCredentials
	line *line
}

func (w *witness) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	secured, info, err := w.TransportCredentials.ClientHandshake(ctx, authority, conn)
	w.line.note(err)
	return secured, info, err
}

func (w *witness) Clone() credentials.TransportCredentials {
	return &witness{w.TransportCredentials.Clone(), w.line}
}

// ReleaseConn implements fab.CommManager; connections are kept until close.
func (d *dialer) ReleaseConn(*grpc.ClientConn) {}

func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, l := range d.lines {
		if l.conn != nil {
			l.conn.Close()
		}
	}
}
