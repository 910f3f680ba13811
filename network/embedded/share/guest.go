package share

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/ledger"
)

// A guest asks the process that has the ledger open.
type guest struct {
	client *http.Client
}

// newGuest finds the host. The error is a *ledger.Error where waiting does not help.
func newGuest(ctx context.Context, dir string) (*guest, error) {
	g := &guest{client: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			name, done, err := shortName(dir)
			if err != nil {
				return nil, err
			}
			defer done()
			return new(net.Dialer).DialContext(ctx, "unix", name)
		},
		MaxIdleConnsPerHost: 64,
		// A transaction is sent once the host has said that it will take it in, however long that is.
		ExpectContinueTimeout: 24 * time.Hour,
	}}}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := g.as("").Head(ctx); err != nil {
		_ = g.close()
		if errors.Is(err, fs.ErrPermission) {
			return nil, &ledger.Error{Code: embedded.CodeInUse, Message: "the ledger is open in a process of another user", Err: err}
		}
		return nil, fmt.Errorf("ask the process that has the ledger open: %w", err)
	}
	return g, nil
}

func (g *guest) as(actor string) ledger.Ledger { return &remote{g, actor} }

func (g *guest) close() error {
	g.client.CloseIdleConnections()
	return nil
}

// A remote is an organisation's connection at the host. Where the host is gone its errors are of type
// *goneError.
type remote struct {
	*guest
	actor string
}

// post asks, and returns the frames of the answer. accepted is set when the host has begun to read a
// transaction; of other questions it is nil.
func (r *remote) post(ctx context.Context, path string, question []byte, accepted *atomic.Bool) (io.ReadCloser, error) {
	if accepted != nil {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got100Continue: func() { accepted.Store(true) }})
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://ledger"+path, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	request.Header.Set(actorHeader, r.actor)
	if accepted != nil {
		request.Header.Set("Expect", "100-continue")
	}
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("the host answers %s", response.Status)
	}
	return response.Body, nil
}

// one asks for an answer of one frame.
func (r *remote) one(ctx context.Context, path string, question []byte, accepted *atomic.Bool) (*answer, error) {
	body, err := r.post(ctx, path, question, accepted)
	var a *answer
	if err == nil {
		defer body.Close()
		if a, err = readFrame(body); err == nil {
			_, _ = io.Copy(io.Discard, body) // so that the connection can be used again
		}
	}
	switch {
	case err == nil && a.Fault == nil:
		return a, nil
	case err == nil:
		err = a.Fault.err()
		return nil, err
	case ctx.Err() != nil && accepted != nil && accepted.Load():
		return nil, &ledger.Error{Code: ledger.CodeOutcomeUnknown, Message: "the wait for the transaction was given up; it may still be applied", Err: context.Cause(ctx)}
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, &goneError{err: err, accepted: accepted != nil && accepted.Load()}
}

func (r *remote) Submit(ctx context.Context, tx *chaincode.Transaction) (ledger.Receipt, error) {
	var accepted atomic.Bool
	a, err := r.one(ctx, submitPath, tx.Bytes(), &accepted)
	if err != nil {
		return ledger.Receipt{}, err
	}
	if a.Receipt == nil {
		return ledger.Receipt{}, &goneError{io.ErrUnexpectedEOF, true}
	}
	return *a.Receipt, nil
}

func (r *remote) Evaluate(ctx context.Context, q chaincode.Query) ([]byte, error) {
	question, err := cbor.Marshal(q)
	if err != nil {
		return nil, err
	}
	a, err := r.one(ctx, evaluatePath, question, nil)
	if err != nil {
		return nil, err
	}
	return a.Result, nil
}

func (r *remote) Head(ctx context.Context) (ledger.Head, error) {
	a, err := r.one(ctx, headPath, nil, nil)
	if err != nil {
		return ledger.Head{}, err
	}
	if a.Head == nil {
		return ledger.Head{}, &goneError{err: io.ErrUnexpectedEOF}
	}
	return *a.Head, nil
}

func (r *remote) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		question, err := cbor.Marshal(from)
		if err != nil {
			yield(nil, err)
			return
		}
		body, err := r.post(ctx, followPath, question, nil)
		if err != nil {
			err = &goneError{err: err}
		} else {
			defer body.Close()
			err = readBlocks(bufio.NewReaderSize(body, 1<<16), yield)
		}
		switch {
		case err == nil: // the caller has enough
		case ctx.Err() != nil:
			yield(nil, context.Cause(ctx))
		default:
			yield(nil, err)
		}
	}
}

// readBlocks yields blocks until the caller has enough, which is no error, or the host ends.
func readBlocks(r io.Reader, yield func(*ledger.Block, error) bool) error {
	for {
		a, err := readFrame(r)
		switch {
		case err != nil:
			return &goneError{err: err}
		case a.Fault != nil:
			return a.Fault.err()
		case a.Block == nil:
			return &goneError{err: io.ErrUnexpectedEOF}
		}
		if !yield(a.Block, nil) {
			return nil
		}
	}
}

func (r *remote) Close() error { return nil }

// socketIn is the name of the socket in its directory.
func socketIn(dir string) string { return filepath.Join(dir, "socket") }

// maxName is the longest name that a socket's address holds, in bytes: sun_path of sockaddr_un, less
// its final zero, on the system where that is shortest.
const maxName = 103

// shortName returns a name of the socket that fits into an address, which holds until done is called.
func shortName(dir string) (name string, done func(), err error) {
	if name = socketIn(dir); len(name) <= maxName {
		return name, func() {}, nil
	}
	if runtime.GOOS != "linux" {
		return "", nil, &ledger.Error{Code: embedded.CodeStorage, Message: "the path of the ledger's directory is too long for a socket; use a shorter one"}
	}
	f, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return socketIn("/proc/self/fd/" + strconv.Itoa(int(f.Fd()))), func() { f.Close() }, nil
}
