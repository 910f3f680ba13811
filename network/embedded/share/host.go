package share

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/ledger"
)

// A host has the ledger open and answers the other processes.
type host struct {
	store  *embedded.Store
	server *http.Server
	socket string
	ending context.Context // done when no answer is to last any longer
	end    context.CancelFunc
	served chan struct{}
}

// grace is how long a host that ends waits for what it has begun to answer.
const grace = 10 * time.Second

func newHost(store *embedded.Store, dir string) (*host, error) {
	fail := func(err error) (*host, error) {
		return nil, &ledger.Error{Code: embedded.CodeStorage, Message: "make the socket on which other processes ask for the ledger", Err: err}
	}
	if err := makePrivate(dir); err != nil {
		return fail(err)
	}
	name, done, err := shortName(dir)
	if err != nil {
		return fail(err)
	}
	defer done()
	// Whoever has the ledger open owns the name; what is there was left by a process that was killed.
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fail(err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		return fail(err)
	}
	listener.SetUnlinkOnClose(false) // by close, under its full name
	h := &host{store: store, socket: socketIn(dir), served: make(chan struct{})}
	h.ending, h.end = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+submitPath, h.submit)
	mux.HandleFunc("POST "+evaluatePath, h.evaluate)
	mux.HandleFunc("POST "+headPath, h.head)
	mux.HandleFunc("POST "+followPath, h.follow)
	h.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	go func() {
		defer close(h.served)
		_ = h.server.Serve(listener) // ends with close
	}()
	return h, nil
}

func (h *host) as(actor string) ledger.Ledger { return h.store.As(actor) }

// close answers what was asked, and gives the ledger up.
func (h *host) close() error {
	_ = os.Remove(h.socket) // nobody new; a name that stays is removed by the next host
	h.end()
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := h.server.Shutdown(ctx); err != nil {
		_ = h.server.Close()
	}
	<-h.served
	return h.store.Close()
}

// reply writes the one frame of an answer.
func reply(w http.ResponseWriter, a *answer, err error) {
	if err != nil {
		a = &answer{Fault: faultOf(err)}
	}
	_ = writeFrame(w, a) // who asked is gone if this fails
}

func (h *host) submit(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, chaincode.MaxTransaction+1))
	if err != nil {
		return
	}
	tx, err := chaincode.ParseTransaction(b)
	if err != nil {
		reply(w, nil, err)
		return
	}
	receipt, err := h.as(r.Header.Get(actorHeader)).Submit(r.Context(), tx)
	reply(w, &answer{Receipt: &receipt}, err)
}

// ask reads the question of a request.
func ask(w http.ResponseWriter, r *http.Request, question any) bool {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxQuestion))
	if err == nil {
		err = decoding.Unmarshal(b, question)
	}
	if err != nil {
		http.Error(w, "the question cannot be read", http.StatusBadRequest)
	}
	return err == nil
}

func (h *host) evaluate(w http.ResponseWriter, r *http.Request) {
	var q chaincode.Query
	if !ask(w, r, &q) {
		return
	}
	b, err := h.as(r.Header.Get(actorHeader)).Evaluate(r.Context(), q)
	reply(w, &answer{Result: b}, err)
}

func (h *host) head(w http.ResponseWriter, r *http.Request) {
	head, err := h.as("").Head(r.Context())
	reply(w, &answer{Head: &head}, err)
}

func (h *host) follow(w http.ResponseWriter, r *http.Request) {
	var from uint64
	if !ask(w, r, &from) {
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(h.ending, cancel)()
	out := http.NewResponseController(w)
	if out.Flush() != nil { // the headers: there is somebody
		return
	}
	for block, err := range h.as("").Follow(ctx, from) {
		a := &answer{Block: block}
		if err != nil {
			if h.ending.Err() != nil {
				err = errClosed()
			}
			a = &answer{Fault: faultOf(err)}
		}
		if writeFrame(w, a) != nil || out.Flush() != nil || err != nil {
			return
		}
	}
}
