package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sm/tlcp"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/service"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/web"
)

// A world is a city with a verifier service that the test can start, cut off and end.
type world struct {
	testing.TB
	city   *verifiertest.City
	dir    string
	config *service.Config
	ledger *doubtful
	logged *buffer
	root   []byte // the authority of the certificates for TLCP
	pages  http.Handler
	askers map[string]request.Key

	service *service.Service
	stop    context.CancelFunc
	ended   chan error
}

// newWorld makes a world whose service is not yet running.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, city: verifiertest.New(t), dir: t.TempDir(), logged: new(buffer), pages: web.Handler()}
	w.ledger = &doubtful{Ledger: w.city.As(ledgertest.Authority)}
	w.config = service.Default(ledgertest.Authority)
	w.config.Web.Address, w.config.TLCP.Address, w.config.Metrics = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	w.config.Limits.PublicPerSecond, w.config.Limits.PublicBurst = 1e5, 1e5
	w.config.LogLevel = "debug"
	files, root, err := tlcp.Generate([]string{"127.0.0.1"}, time.Now())
	w.must(err)
	w.root = root
	w.write("tlcp/signing.crt", files.SigningCertificate)
	w.write("tlcp/signing.key", files.SigningKey)
	w.write("tlcp/encryption.crt", files.EncryptionCertificate)
	w.write("tlcp/encryption.key", files.EncryptionKey)
	w.write("agencies.yaml", agency.Template())
	w.must(os.MkdirAll(w.path("verifier"), 0o700))
	w.must(accesslog.Create(w.path("verifier/access-log"), accesslog.Identity{Ledger: w.city.ID, Department: ledgertest.Authority, Log: w.config.AccessLog}))
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name string, content []byte) {
	w.Helper()
	w.must(os.MkdirAll(filepath.Dir(w.path(name)), 0o700))
	w.must(os.WriteFile(w.path(name), content, 0o600))
}

// new makes the service.
func (w *world) new(ctx context.Context) (*service.Service, error) {
	w.Helper()
	config, err := service.ParseConfig(w.config.Text(), w.dir)
	w.must(err)
	level := new(slog.Level)
	w.must(level.UnmarshalText([]byte(config.LogLevel)))
	return service.New(ctx, config, service.Parts{
		Dir: w.path("verifier"), Host: "verify.example", Ledger: w.ledger, Signer: w.city.Authority.Log,
		Keys: func(department string) ([]sm.Signer, error) {
			if department != ledgertest.Authority {
				return nil, nil
			}
			return []sm.Signer{w.city.Authority.Govern, w.city.Authority.Log}, nil
		},
		AskerKeys: w.askers, Pages: w.pages, Now: w.city.Clock.Now,
		Log: slog.NewJSONHandler(w.logged, &slog.HandlerOptions{Level: level}),
	})
}

// start starts the service.
func (w *world) start() {
	w.Helper()
	var err error
	w.service, err = w.new(w.Context())
	w.must(err)
	w.run()
}

// run has the service run that was made.
func (w *world) run() {
	w.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w.stop, w.ended = stop, make(chan error, 1)
	go func() { w.ended <- w.service.Run(ctx) }()
	w.Cleanup(func() { w.end() })
}

// end ends the service and returns what Run returned.
func (w *world) end() error {
	w.Helper()
	if w.stop == nil {
		return nil
	}
	w.stop()
	w.stop = nil
	select {
	case err := <-w.ended:
		return err
	case <-time.After(time.Minute):
		w.Fatal("the service does not end")
		return nil
	}
}

// url is where a listener is.
func (w *world) url(name string) string {
	w.Helper()
	for _, a := range w.service.Addresses() {
		if a.Name == name {
			return a.URL
		}
	}
	w.Fatalf("no listener for %s", name)
	return ""
}

// get fetches something and returns status and body.
func (w *world) get(url string) (int, string) {
	w.Helper()
	r, err := http.Get(url)
	w.must(err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	w.must(err)
	return r.StatusCode, string(b)
}

// A verification is as much of an answer as the tests look at.
type verification struct {
	Verdict struct {
		Outcome string `json:"outcome"`
	} `json:"verdict"`
	Receipt struct {
		Entry []byte `json:"entry"`
	} `json:"receipt"`
	Code string `json:"code"` // of a problem
}

// verify has a code verified.
func (w *world) verify(client *http.Client, url, code string) (v verification, status int, err error) {
	w.Helper()
	body, err := json.Marshal(map[string]string{"code": code})
	w.must(err)
	r, err := client.Post(url+"/v1/verifications", "application/json", bytes.NewReader(body))
	if err != nil {
		return v, 0, err
	}
	defer r.Body.Close()
	return v, r.StatusCode, json.NewDecoder(r.Body).Decode(&v)
}

// outcome is the outcome of a code, which must have one.
func (w *world) outcome(code string) string {
	w.Helper()
	v, status, err := w.verify(http.DefaultClient, w.url("web"), code)
	w.must(err)
	if status != http.StatusOK {
		w.Fatalf("status %d, %s", status, v.Code)
	}
	return v.Verdict.Outcome
}

// await waits until something is so.
func (w *world) await(what string, is func() bool) {
	w.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("%s: not within a minute; log:\n%s", what, w.logged.String())
		}
	}
}

// A readiness is the answer of /readyz.
type readiness struct {
	Ready    bool     `json:"ready"`
	Problems []string `json:"problems"`
	Height   uint64   `json:"height"`
	Behind   uint64   `json:"behind"`
	Age      *int64   `json:"age"`
	Reached  bool     `json:"reached"`
}

func (w *world) ready() (r readiness) {
	w.Helper()
	status, body := w.get(w.url("metrics") + "/readyz")
	w.must(json.Unmarshal([]byte(body), &r))
	if r.Ready != (status == http.StatusOK) || r.Ready != (len(r.Problems) == 0) {
		w.Fatalf("%d, %s", status, body)
	}
	return r
}

// metric is the value of a metric without labels.
func (w *world) metric(name string) int {
	w.Helper()
	_, text := w.get(w.url("metrics") + "/metrics")
	_, rest, ok := strings.Cut(text, "\n"+name+" ")
	value, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseFloat(value, 64)
	if !ok || err != nil {
		w.Fatalf("no metric %s in\n%s", name, text)
	}
	return int(n)
}

// A doubtful ledger can be cut off, and can lie.
type doubtful struct {
	ledger.Ledger
	gone atomic.Bool
	lies atomic.Bool
}

var errGone = &ledger.Error{Code: "unreachable", Message: "the network is gone"}

func (d *doubtful) Head(ctx context.Context) (ledger.Head, error) {
	if d.gone.Load() {
		return ledger.Head{}, errGone
	}
	return d.Ledger.Head(ctx)
}

func (d *doubtful) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		if d.gone.Load() {
			yield(nil, errGone)
			return
		}
		watched, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		go func() {
			for watched.Err() == nil {
				if d.gone.Load() {
					cancel(errGone)
				}
				time.Sleep(5 * time.Millisecond)
			}
		}()
		for b, err := range d.Ledger.Follow(watched, from) {
			if err != nil && errors.Is(context.Cause(watched), errGone) {
				err = errGone
			}
			if err == nil && d.lies.Load() {
				changed := *b
				changed.Hash[0] ^= 1
				b = &changed
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

// A buffer is what was logged.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (w *world) hasLogged(text string) bool { return strings.Contains(w.logged.String(), text) }
