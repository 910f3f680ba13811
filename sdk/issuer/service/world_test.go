package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer/issuertest"
	"github.com/credledger/credledger/sdk/issuer/releasetest"
	"github.com/credledger/credledger/sdk/issuer/service"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm/tlcp"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/accesslog"
)

// A world is a town with an issuing service that the test can start, cut off and end.
type world struct {
	*issuertest.Town
	config *service.Config
	ledger *doubtful
	vault  *vault.Vault
	logged *buffer
	root   []byte // the authority of the certificates for TLCP
	token  string // of a system that may do all
	next   *atomic.Int64
	office *releasetest.Office // makes laws and requests

	service *service.Service
	stop    context.CancelFunc
	ended   chan error
}

// newWorld makes a world whose vault is at an address, or in SQLite, and whose service is not yet running.
func newWorld(t testing.TB, address string) *world {
	t.Helper()
	w := &world{Town: issuertest.New(t, "property", address), logged: new(buffer), next: new(atomic.Int64), token: callers.NewToken()}
	w.vault = w.Vault
	w.ledger = &doubtful{Ledger: w.Ledger}
	w.config = service.Default(w.Department.ID, "tlcp")
	w.config.Web.Address, w.config.TLCP.Address, w.config.Metrics = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	w.config.LogLevel = "debug"
	w.config.Window = 20 * time.Millisecond
	files, root, err := tlcp.Generate([]string{"127.0.0.1"}, time.Now())
	w.Must(err)
	w.root = root
	w.write("tlcp/signing.crt", files.SigningCertificate)
	w.write("tlcp/signing.key", files.SigningKey)
	w.write("tlcp/encryption.crt", files.EncryptionCertificate)
	w.write("tlcp/encryption.key", files.EncryptionKey)
	w.write("staff.yaml", []byte(w.staff(w.token)))
	w.Must(os.MkdirAll(w.Path("spool"), 0o700))
	w.office = releasetest.Outside(w.Town)
	w.beat(1)
	w.config.Release.Policy = "policy.signed"
	w.write("policy.signed", w.office.Policy(1, w.office.Law()))
	w.createLog()
	return w
}

// beat has the authority say what time it is.
func (w *world) beat(sequence uint64) {
	w.Helper()
	a := w.City.Authority
	beat := &statement.Heartbeat{Ledger: w.City.ID, Sequence: sequence, Time: w.office.Seconds()}
	ledgertest.Submit(w, w.As(a.ID), ledgertest.Sign(w, beat, a.Log))
}

// createLog makes the access log that the configuration names.
func (w *world) createLog() {
	w.Helper()
	dir := w.Path(w.config.Release.Directory)
	w.Must(os.MkdirAll(dir, 0o700))
	w.Must(accesslog.Create(filepath.Join(dir, service.AccessLogDir), accesslog.Identity{Ledger: w.City.ID, Department: w.Department.ID, Log: w.config.Release.AccessLog}))
}

// staff is a file with a system that may do all that systems may.
func (w *world) staff(token string) string {
	return fmt.Sprintf("systems:\n  - id: registry\n    tokens: [%q]\n    rate: {perSecond: 100000, burst: 100000}\n"+
		"    rights:\n      %s: [issue, status, restrict, open, search, bind, import, grant, audit, objection]\npeople: []\n", callers.TokenDigest(token), w.Type.ID)
}

func (w *world) write(name string, content []byte) {
	w.Helper()
	w.Must(os.MkdirAll(filepath.Dir(w.Path(name)), 0o700))
	w.Must(os.WriteFile(w.Path(name), content, 0o600))
}

// new makes the service.
func (w *world) new(ctx context.Context) (*service.Service, error) {
	w.Helper()
	config, err := service.ParseConfig(w.config.Text(), w.Dir)
	w.Must(err)
	level := new(slog.Level)
	w.Must(level.UnmarshalText([]byte(config.LogLevel)))
	return service.New(ctx, config, service.Parts{
		Vault: w.vault, Ledger: w.ledger, Host: "verify.example", Keys: w.Keys, Now: w.Clock.Now,
		Pages:       http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "the desk") }),
		WalletPages: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "my licences") }),
		Log:         slog.NewJSONHandler(w.logged, &slog.HandlerOptions{Level: level}),
	})
}

// start starts the service.
func (w *world) start() {
	w.Helper()
	var err error
	w.service, err = w.new(w.Context())
	w.Must(err)
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

// begin starts the service and waits until it is ready.
func (w *world) begin() {
	w.Helper()
	w.start()
	w.await("readiness", func() bool { return w.ready().Ready })
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
	w.Must(err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	w.Must(err)
	return r.StatusCode, string(b)
}

// application is the body of a request for the n-th licence.
func (w *world) application(n int) []byte {
	w.Helper()
	b, err := json.Marshal(map[string]any{"type": w.Type.ID, "fields": json.RawMessage(w.Record(n))})
	w.Must(err)
	return b
}

// An issued is as much of an answer as the tests look at.
type issued struct {
	Licence struct {
		ID     json.RawMessage `json:"id"`
		Digest string          `json:"digest"`
	} `json:"licence"`
	Credential []byte `json:"credential"`
	Earlier    bool   `json:"earlier"`
	Code       string `json:"code"` // of a problem
}

// call asks the API something as the system.
func (w *world) call(client *http.Client, door, path, key string, body []byte) (answer issued, status int, err error) {
	w.Helper()
	r, err := http.NewRequest(http.MethodPost, w.url(door)+path, bytes.NewReader(body))
	w.Must(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+w.token)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	got, err := client.Do(r)
	if err != nil {
		return answer, 0, err
	}
	defer got.Body.Close()
	return answer, got.StatusCode, json.NewDecoder(got.Body).Decode(&answer)
}

// issue issues a licence with a number that was not there before.
func (w *world) issue(client *http.Client, door string) (issued, int, error) {
	w.Helper()
	n := int(w.next.Add(1))
	return w.call(client, door, "/v1/licences", fmt.Sprintf("request-%d", n), w.application(n))
}

// mustIssue issues a licence.
func (w *world) mustIssue() issued {
	w.Helper()
	answer, status, err := w.issue(http.DefaultClient, "web")
	if err != nil || status != http.StatusCreated {
		w.Fatalf("issue: %v, %d %s\n%s", err, status, answer.Code, w.logged)
	}
	return answer
}

// await waits until something is so.
func (w *world) await(what string, is func() bool) {
	w.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("%s: not within a minute; log:\n%s", what, w.logged)
		}
	}
}

// erased reports whether what a licence says was erased.
func (w *world) erased(answer issued) bool {
	w.Helper()
	var id vault.ID
	_, err := fmt.Sscan(licenceID(answer), &id)
	w.Must(err)
	l, err := w.Vault.Licence(w.Context(), id)
	w.Must(err)
	return l.ErasedAt != nil
}

// A readiness is the answer of /readyz.
type readiness struct {
	Ready    bool     `json:"ready"`
	Problems []string `json:"problems"`
	Height   uint64   `json:"height"`
	Blocked  []string `json:"blocked"`
}

func (w *world) ready() (r readiness) {
	w.Helper()
	status, body := w.get(w.url("metrics") + "/readyz")
	w.Must(json.Unmarshal([]byte(body), &r))
	if r.Ready != (status == http.StatusOK) || r.Ready != (len(r.Problems) == 0) {
		w.Fatalf("%d, %s", status, body)
	}
	return r
}

// metric is the value of a metric, with its labels if it has any.
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

// A doubtful ledger can be cut off.
type doubtful struct {
	ledger.Ledger
	gone atomic.Bool
}

var errGone = &ledger.Error{Code: ledger.CodeNotSubmitted, Message: "the network is gone"}

func (d *doubtful) Head(ctx context.Context) (ledger.Head, error) {
	if d.gone.Load() {
		return ledger.Head{}, errGone
	}
	return d.Ledger.Head(ctx)
}

func (d *doubtful) Submit(ctx context.Context, tx *chaincode.Transaction) (ledger.Receipt, error) {
	if d.gone.Load() {
		return ledger.Receipt{}, errGone
	}
	return d.Ledger.Submit(ctx, tx)
}

func (d *doubtful) Evaluate(ctx context.Context, q chaincode.Query) ([]byte, error) {
	if d.gone.Load() {
		return nil, errGone
	}
	return d.Ledger.Evaluate(ctx, q)
}

func (d *doubtful) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	if d.gone.Load() {
		return func(yield func(*ledger.Block, error) bool) { yield(nil, errGone) }
	}
	return d.Ledger.Follow(ctx, from)
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
