package masterkey

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// maxConnections bounds how many processes, or parts of one, ask at the same time.
	maxConnections = 64

	// answerTime bounds how long a request may take to arrive once it has begun, and its answer to be
	// made and read.
	answerTime = 10 * time.Second
)

// Listen listens on a local socket that only the same user of the system can connect to. A socket that
// was left behind there is replaced; anything else that has the name is CodeExists.
func Listen(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != os.ModeSocket {
		return nil, errorf(CodeExists, nil, "%s is there, and not a socket", path)
	}
	// Until it has its permissions the socket stands where nobody else can go.
	private, err := os.MkdirTemp(filepath.Dir(path), ".socket")
	if err != nil {
		return nil, errorf(CodeUnavailable, err, "listen for those who need the master keys")
	}
	defer os.RemoveAll(private)
	made := filepath.Join(private, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, errorf(CodeUnavailable, err, "listen for those who need the master keys")
	}
	l.SetUnlinkOnClose(false) // it has another name by then
	err = os.Chmod(made, 0o600)
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		return nil, errors.Join(errorf(CodeUnavailable, err, "listen for those who need the master keys"), l.Close())
	}
	return l, nil
}

// Serve wraps and unwraps for who connects, until ctx is done or the listener is closed; then it ends
// the connections, and returns nil. The listener is closed in any case.
func Serve(ctx context.Context, l net.Listener, keys wrapper) error {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	places := make(chan struct{}, maxConnections)
	for {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil, errors.Is(err, net.ErrClosed):
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case err != nil:
			_ = l.Close()
			return errorf(CodeUnavailable, err, "serve those who need the master keys")
		}
		all.Go(func() {
			defer func() { <-places }()
			serveConn(ctx, conn, keys)
		})
	}
}

// serveConn answers requests until one of both ends has enough.
func serveConn(ctx context.Context, conn net.Conn, keys wrapper) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	for in := bufio.NewReader(conn); ; {
		if conn.SetDeadline(time.Time{}) != nil {
			return
		}
		if _, err := in.Peek(1); err != nil { // between requests there is all the time in the world
			return
		}
		if conn.SetDeadline(time.Now().Add(answerTime)) != nil {
			return
		}
		kind, rest, err := readFrame(in)
		if err != nil || answer(ctx, conn, keys, kind, rest) != nil {
			return
		}
	}
}

// answer answers one request.
func answer(ctx context.Context, conn net.Conn, keys wrapper, kind byte, rest []byte) error {
	done, err := do(ctx, keys, kind, rest)
	if err == nil {
		return writeFrame(conn, kindKeys, done...)
	}
	code := Code(err)
	if code == "" {
		code = CodeUnavailable
	}
	message := err.Error()
	return writeFrame(conn, kindRefusal, []byte(code), []byte(message[:min(len(message), maxMessage)]))
}

// maxMessage bounds the text of a refusal, in bytes.
const maxMessage = 1024

func do(ctx context.Context, keys wrapper, kind byte, rest []byte) ([][]byte, error) {
	aads, items, err := parsePairs(rest)
	switch {
	case err != nil:
		return nil, err
	case kind == kindWrap:
		if err := check(aads, items, KeySize); err != nil {
			return nil, err
		}
		return keys.Wrap(ctx, aads, items)
	case kind == kindUnwrap:
		if err := check(aads, items, WrappedSize); err != nil {
			return nil, err
		}
		return keys.Unwrap(ctx, aads, items)
	}
	return nil, errProtocol
}
