//go:build network

package issuer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/test/fabrictest"
	"github.com/credledger/credledger/test/hometest"
)

const (
	program    = "github.com/credledger/credledger/cmd/credledger"
	department = "civil-affairs"
)

// A world is a network, and a home with the issuing service of a department.
type world struct {
	*hometest.Operator
	network    *fabrictest.Network
	token      string
	head, tail []byte // of a request for a licence, before and after the end of its number
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{Operator: hometest.New(tb, fabrictest.Program(tb, program))}
	w.network = fabrictest.Start(tb, fabrictest.Options{Heartbeat: w.Home})
	w.Run(0, "init", "--network", w.network.Network.Topology().Directory)
	w.Run(0, "issuer", "init", "--department", department)
	dir := filepath.Join("issuer", department)
	w.Edit(w.Home, filepath.Join(dir, "issuer.yaml"), ":8090", ":0", ":8444", ":0", ":9465", ":0", "connections: 4096", "connections: 16384", "concurrent: 2048", "concurrent: 8192")
	var drawn struct{ Token, Digest string }
	w.Must(json.Unmarshal([]byte(w.Run(0, "issuer", "token", "--json")), &drawn))
	w.token = drawn.Token
	w.Must(os.WriteFile(filepath.Join(w.Home, dir, "staff.yaml"), fmt.Appendf(nil, "systems:\n  - id: registry\n    tokens: [%q]\n"+
		"    rate: {perSecond: 100000, burst: 100000}\n    rights:\n      marriage: [issue, status, open, import]\npeople: []\n", drawn.Digest), 0o600))
	w.readSample()
	return w
}

// readSample reads the record of which all licences are made, with numbers of their own.
func (w *world) readSample() {
	w.Helper()
	file, err := samples.Files.ReadFile("marriage.jsonl")
	w.Must(err)
	line, _, _ := bytes.Cut(file, []byte("\n"))
	var record map[string]any
	w.Must(json.Unmarshal(line, &record))
	const marker = "J990101-000000000"
	record["certificateNumber"] = marker
	body, err := json.Marshal(map[string]any{"type": "marriage", "fields": record})
	w.Must(err)
	var ok bool
	if w.head, w.tail, ok = bytes.Cut(body, []byte(marker)); !ok {
		w.Fatalf("no number in %s", body)
	}
}

// application is the request for the n-th licence.
func (w *world) application(s *hometest.Service, n int) *http.Request {
	body := append(fmt.Appendf(bytes.Clone(w.head), "J990101-%09d", n), w.tail...)
	r, err := http.NewRequest(http.MethodPost, s.URLs["web"]+"/v1/licences", bytes.NewReader(body))
	if err != nil {
		panic(err) // the service's own URL
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("Idempotency-Key", fmt.Sprintf("request-%d", n))
	return r
}

// begin starts the service and waits until it is ready.
func (w *world) begin() *hometest.Service {
	w.Helper()
	s := w.Serve(w.Home, "issuer", "serve")
	s.Await("readiness", func() bool { return ready(s).Ready })
	return s
}

// A readiness is the answer of /readyz.
type readiness struct {
	Ready    bool
	Problems []string
}

func ready(s *hometest.Service) (r readiness) {
	s.Helper()
	s.Get("metrics", "/readyz", &r)
	return r
}

// An issued is as much of the answer to an application as is looked at.
type issued struct {
	Licence struct {
		ID     int64
		Digest string
	}
	Earlier bool
	Code    string // of a problem
}

// apply applies for the n-th licence.
func (w *world) apply(s *hometest.Service, n int) (answer issued, status int, err error) {
	r, err := http.DefaultClient.Do(w.application(s, n))
	if err != nil {
		return answer, 0, err
	}
	defer r.Body.Close()
	return answer, r.StatusCode, json.NewDecoder(r.Body).Decode(&answer)
}
