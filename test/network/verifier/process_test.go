//go:build network

package verifier

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/test/fabrictest"
	"github.com/credledger/credledger/test/hometest"
)

const (
	program = "github.com/credledger/credledger/cmd/credledger"
	maxAge  = 20 * time.Second // for which a status counts
)

// A world is a network, with a home of the authority and services in it.
type world struct {
	*hometest.Operator
	network *fabrictest.Network
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Operator: hometest.New(t, fabrictest.Program(t, program))}
	w.network = fabrictest.Start(t, fabrictest.Options{Heartbeat: w.Home})
	w.Must(os.Mkdir(w.Path("types"), 0o755))
	types, err := catalog.Types()
	w.Must(err)
	for _, typ := range types {
		var members map[string]any
		w.Must(json.Unmarshal(typ.Canonical(), &members))
		members["maxStatusAge"] = maxAge.String()
		b, err := json.Marshal(members)
		w.Must(err)
		w.Must(os.WriteFile(w.Path("types/"+typ.ID+".json"), b, 0o644))
	}
	b, err := samples.Files.ReadFile("marriage-1.json")
	w.Must(err)
	w.Must(os.WriteFile(w.Path("marriage-1.json"), b, 0o644))
	return w
}

// A service is a running `credledger serve`.
type service struct{ *hometest.Service }

func (w *world) serve(home string) *service { return &service{w.Serve(home, "serve")} }

// A verification is as much of the answer as the tests look at.
type verification struct {
	Verdict struct{ Outcome string }
	Receipt json.RawMessage
	Code    string // of a problem
}

// verify has a request verified.
func (s *service) verify(request map[string]any) verification {
	s.Helper()
	body, err := json.Marshal(request)
	s.Must(err)
	r, err := http.Post(s.URLs["web"]+"/v1/verifications", "application/json", bytes.NewReader(body))
	s.Must(err)
	defer r.Body.Close()
	var v verification
	s.Must(json.NewDecoder(r.Body).Decode(&v))
	return v
}

func (s *service) outcome(code string) string {
	s.Helper()
	v := s.verify(map[string]any{"code": code})
	if v.Code != "" {
		s.Fatalf("a problem: %s", v.Code)
	}
	return v.Verdict.Outcome
}

// A readiness is the answer of /readyz.
type readiness struct {
	Ready    bool
	Problems []string
	Reached  bool
	Height   uint64
}

func (s *service) ready() (r readiness) {
	s.Helper()
	s.Get("metrics", "/readyz", &r)
	return r
}
