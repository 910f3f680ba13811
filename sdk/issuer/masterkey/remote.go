package masterkey

import (
	"bufio"
	"context"
	"net"
	"strings"
	"time"
)

// A Remote asks another process, which serves on a local socket, to wrap and unwrap. It is safe for
// concurrent use.
type Remote struct {
	path string
	idle chan *remoteConn
}

type remoteConn struct {
	net.Conn
	in *bufio.Reader
}

// idleConnections is how many connections are kept for the next call.
const idleConnections = 4

// Dial prepares to ask the process that serves at a path. It connects when it is first needed, and
// again when the other process was started anew.
func Dial(path string) *Remote {
	return &Remote{path: path, idle: make(chan *remoteConn, idleConnections)}
}

// Close ends the connections that wait for a call.
func (r *Remote) Close() error {
	for {
		select {
		case c := <-r.idle:
			_ = c.Close() // nothing is under way
		default:
			return nil
		}
	}
}

// Wrap is that of File, in the other process. Error: also CodeUnavailable, CodeProtocol.
func (r *Remote) Wrap(ctx context.Context, aads, keys [][]byte) ([][]byte, error) {
	if err := check(aads, keys, KeySize); err != nil {
		return nil, err
	}
	return r.all(ctx, kindWrap, aads, keys, WrappedSize)
}

// Unwrap is that of File, in the other process. Error: also CodeUnavailable, CodeProtocol.
func (r *Remote) Unwrap(ctx context.Context, aads, wrapped [][]byte) ([][]byte, error) {
	if err := check(aads, wrapped, WrappedSize); err != nil {
		return nil, err
	}
	return r.all(ctx, kindUnwrap, aads, wrapped, KeySize)
}

// all asks for any number of keys, in as many requests as it takes.
func (r *Remote) all(ctx context.Context, kind byte, aads, items [][]byte, size int) ([][]byte, error) {
	out := make([][]byte, 0, len(items))
	for len(items) > 0 {
		n := min(len(items), maxItems)
		request := make([][]byte, 0, 2*n)
		for i := range n {
			request = append(request, aads[i], items[i])
		}
		answer, err := r.ask(ctx, kind, request)
		if err != nil {
			return nil, err
		}
		if len(answer) != n {
			return nil, errProtocol
		}
		for _, a := range answer {
			if len(a) != size {
				return nil, errProtocol
			}
		}
		out = append(out, answer...)
		aads, items = aads[n:], items[n:]
	}
	return out, nil
}

// ask sends a request and reads its answer. A connection that was kept may be one of a process that is
// gone: then it asks again on a new one, which does no harm.
func (r *Remote) ask(ctx context.Context, kind byte, request [][]byte) ([][]byte, error) {
	for {
		var c *remoteConn
		kept := true
		select {
		case c = <-r.idle:
		default:
			kept = false
			conn, err := new(net.Dialer).DialContext(ctx, "unix", r.path)
			if err != nil {
				return nil, r.unavailable(ctx, err)
			}
			c = &remoteConn{conn, bufio.NewReader(conn)}
		}
		kindOf, rest, err := c.exchange(ctx, kind, request)
		if err != nil {
			_ = c.Close() // the first error says more
			if kept && ctx.Err() == nil && Code(err) == "" {
				continue
			}
			return nil, r.unavailable(ctx, err)
		}
		select {
		case r.idle <- c:
		default:
			_ = c.Close() // there are enough
		}
		return parseAnswer(kindOf, rest)
	}
}

// exchange has no code unless the other side broke the protocol.
func (c *remoteConn) exchange(ctx context.Context, kind byte, request [][]byte) (byte, []byte, error) {
	deadline := time.Now().Add(answerTime)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := c.SetDeadline(deadline); err != nil {
		return 0, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if err := writeFrame(c, kind, request...); err != nil {
		return 0, nil, err
	}
	return readFrame(c.in)
}

func parseAnswer(kind byte, rest []byte) ([][]byte, error) {
	switch kind {
	case kindKeys:
		return splitStrings(rest, maxItems)
	case kindRefusal:
		parts, err := splitStrings(rest, 2)
		if err != nil || len(parts) != 2 || !knownCode(string(parts[0])) {
			return nil, errProtocol
		}
		return nil, errorf(string(parts[0]), nil, "%s", strings.ToValidUTF8(string(parts[1]), ""))
	}
	return nil, errProtocol
}

func knownCode(code string) bool {
	switch code {
	case CodeArgument, CodeMissing, CodeMalformed, CodePermissions, CodeUnknown, CodeRefused, CodeUnavailable, CodeProtocol:
		return true
	}
	return false
}

func (r *Remote) unavailable(ctx context.Context, err error) error {
	if Code(err) != "" {
		return err
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return errorf(CodeUnavailable, err, "the process with the master keys does not answer at %s; see whether it runs", r.path)
}
