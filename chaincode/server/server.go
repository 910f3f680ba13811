// Package server serves a chaincode to the peers of its organisation as an external service, over
// gRPC with TLS in which both sides show certificates. The peer dials, and speaks Fabric's chaincode
// protocol, which fabric-chaincode-go answers; the package looks after everything around that:
// whether the configuration can work at all, who may connect, and how calls end when the peer, the
// server or the chaincode fails.
//
//   - A server that could not serve does not start: see Listen.
//   - A peer that restarts, or was cut off, dials again and is served as before. The calls that it
//     left behind end with an error instead of waiting for answers for ever.
//   - A call that panics fails, with contract.CodeInternal. The server goes on.
//   - A server that is told to stop takes no more calls, lets those under way end for up to
//     StopTimeout, and closes.
//
// The package never looks into calls, keeps no state, and logs neither arguments nor answers: only
// addresses of peers, codes of errors and the stack of a panic. Main is the whole program around a
// chaincode.
package server

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/shim"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// StopTimeout is how long a server that stops waits for the calls under way.
const StopTimeout = 5 * time.Second

// Limits of a connection. A peer sends messages of up to 100 MiB and pings once a minute (Fabric
// 2.5, its gRPC defaults); the server asks for a sign of life as often, so that a peer whose host
// has vanished is found out in 80 seconds.
const (
	maxMessage       = 100 << 20
	pingInterval     = time.Minute
	pingTimeout      = 20 * time.Second
	handshakeTimeout = 5 * time.Second
)

// A Server is a chaincode's server that has its port, but serves only while Serve runs.
type Server struct {
	listener net.Listener
	grpc     *grpc.Server
	shim     shim.ChaincodeServer
	log      *slog.Logger
	stop     chan struct{} // closed when the server stops
}

// Listen checks the configuration and takes the port. The error is an *Error.
func Listen(c Config, cc shim.Chaincode, log *slog.Logger) (*Server, error) {
	tlsConfig, err := c.check(time.Now())
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, listenError(c.Listen, err)
	}
	s := &Server{
		listener: listener,
		grpc:     newGRPC(tlsConfig),
		shim:     shim.ChaincodeServer{CCID: c.PackageID, CC: &guard{cc, log}},
		log:      log,
		stop:     make(chan struct{}),
	}
	pb.RegisterChaincodeServer(s.grpc, s)
	return s, nil
}

func newGRPC(c *tls.Config) *grpc.Server {
	return grpc.NewServer(
		grpc.Creds(credentials.NewTLS(c)),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxSendMsgSize(maxMessage),
		grpc.ConnectionTimeout(handshakeTimeout),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingInterval, Timeout: pingTimeout}),
		// Less than the interval, so that a ping that comes early is no offence.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingInterval / 2, PermitWithoutStream: true}),
	)
}

// Address is the address that peers connect to, HOST:PORT, with the port that was taken if the
// configuration left it open.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Serve serves until ctx is done, and returns when the server has stopped: nil, or an *Error if it
// could not go on. It is called once.
func (s *Server) Serve(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.grpc.Serve(s.listener) }()
	select {
	case err := <-served:
		s.grpc.Stop()
		return &Error{CodeServe, "the server cannot go on", err}
	case <-ctx.Done():
	}
	close(s.stop)
	stopped := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(StopTimeout):
		go s.grpc.Stop() // which may wait for the calls in vain, as GracefulStop does
	}
	return nil
}

// Connect implements pb.ChaincodeServer: it serves one connection of a peer. It is for gRPC to call.
func (s *Server) Connect(stream pb.Chaincode_ConnectServer) (err error) {
	from := "unknown"
	if p, ok := peer.FromContext(stream.Context()); ok {
		from = p.Addr.String()
	}
	s.log.Info("peer connected", "peer", from)
	defer func() {
		if p := recover(); p != nil {
			logPanic(s.log, p)
			err = status.Error(codes.Internal, "the chaincode's server failed")
		}
		s.log.Info("peer disconnected", "peer", from, "reason", err)
	}()
	return s.shim.Connect(converse(stream, s.stop))
}
