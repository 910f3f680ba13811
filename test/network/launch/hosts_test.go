//go:build network

package launch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/network/fabric"
	"github.com/credledger/credledger/test/fabrictest"
)

// hostOf gives each organisation a host: an address of the loopback interface, and a directory that
// nobody else has.
var hostOf = map[string]string{
	"data-bureau": "127.0.0.11", "civil-affairs": "127.0.0.12", "natural-resources": "127.0.0.13", newcomer: "127.0.0.14",
}

var hostOrganisations = []string{"data-bureau", "civil-affairs", "natural-resources"}

type hosts struct {
	t        *testing.T
	base     *fabrictest.Network
	networks map[string]*fabric.Network // by organisation
}

// Each organisation runs its processes on a host of its own; one of them has rendered the trial
// material and the first block, the others have copies. One organisation has its own certificates.
func TestSeveralHosts(t *testing.T) {
	h := newHosts(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()

	missing := h.networks["civil-affairs"]
	if err := missing.Up(ctx, progress(t)); fabric.Code(err) != fabric.CodeGenesisMissing {
		t.Errorf("a host without the first block: %v", err)
	}
	h.share("channel/genesis.block")
	h.up(ctx, hostOrganisations...)

	s, err := h.networks["civil-affairs"].Status(ctx)
	if err != nil || len(s.Problems) > 0 || len(s.Processes) != 9 || s.Chaincode.Sequence != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, p := range s.Processes {
		if local := strings.HasSuffix(p.Name, ".civil-affairs"); local != p.Local || local != (p.PID != 0) || !strings.HasPrefix(p.Address, "127.0.0.1") {
			t.Errorf("%+v", p)
		}
	}

	// A host that is down is its own affair.
	if err := h.networks["natural-resources"].Down(ctx); err != nil {
		t.Fatal(err)
	}
	h.up(ctx, "data-bureau", "civil-affairs")
	if s, err := h.networks["data-bureau"].Status(ctx); err != nil || codes(s)[fabric.ProblemSilent] != 3 || len(s.Problems) != 3 {
		t.Errorf("%+v, %v", s, err)
	}
	h.up(ctx, "natural-resources")

	h.admit(ctx)
}

// admit carries the change of the channel from department to department.
func (h *hosts) admit(ctx context.Context) {
	t := h.t
	t.Helper()
	h.base.AddToTopology(newcomer)
	edit(t, h.base, "id: "+newcomer+"\n    host: 127.0.0.1", "id: "+newcomer+"\n    host: "+hostOf[newcomer])
	if err := h.base.Render(ctx, progress(t)); err != nil { // makes the newcomer's material
		t.Fatal(err)
	}
	h.share("crypto/" + newcomer)
	h.load(newcomer)
	h.share("channel/genesis.block")

	update := "n/channel/add-" + newcomer + ".pb"
	err := h.networks["data-bureau"].AddOrganisation(ctx, newcomer, progress(t))
	if fabric.Code(err) != fabric.CodeSignaturesMissing || !strings.Contains(err.Error(), update) {
		t.Fatalf("the authority alone admits a department: %v", err)
	}
	copyFile(t, h.file("data-bureau", update), h.file("civil-affairs", update))
	if err := h.networks["civil-affairs"].AddOrganisation(ctx, newcomer, progress(t)); err != nil {
		t.Fatalf("a majority with the authority admits a department: %v", err)
	}
	if _, err := os.Stat(h.file("civil-affairs", update)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the update is still there: %v", err)
	}
	h.up(ctx, append([]string{newcomer}, hostOrganisations...)...)
	s, err := h.networks[newcomer].Status(ctx)
	if err != nil || len(s.Problems) > 0 || len(s.Processes) != 11 {
		t.Errorf("%+v, %v", s, err)
	}
}

func newHosts(t *testing.T) *hosts {
	h := &hosts{t: t, networks: map[string]*fabric.Network{}}
	h.base = fabrictest.New(t, fabrictest.Options{Organisations: hostOrganisations, Hosts: hostOf})
	if err := h.base.Render(t.Context(), progress(t)); err != nil {
		t.Fatal(err)
	}
	h.certify("civil-affairs")
	h.load(hostOrganisations...)
	return h
}

// certify takes an organisation's material out of the network's directory, to where its own CA may
// have put it, in the form in which a Fabric CA's client does.
func (h *hosts) certify(org string) {
	h.t.Helper()
	trial, certificates := filepath.Join(h.base.Dir, "n", "crypto", org), filepath.Join(h.base.Dir, "certificates", org)
	copyAll(h.t, trial, certificates)
	for _, process := range []string{"orderer1", "peer1", "chaincode1"} {
		tls := filepath.Join(certificates, process, "tls")
		for from, to := range map[string]string{
			"server.crt": "signcerts/cert.pem", "server.key": "keystore/8f2e_sk", "ca.crt": "tlscacerts/tls-ca.pem",
		} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(tls, to)), 0o755); err != nil {
				h.t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(tls, from), filepath.Join(tls, to)); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	if err := os.RemoveAll(trial); err != nil {
		h.t.Fatal(err)
	}
	edit(h.t, h.base, "id: "+org+"\n", "id: "+org+"\n    certificates: certificates/"+org+"\n")
}

// load makes hosts of organisations, with the topology and all material, and makes the others read
// the topology again.
func (h *hosts) load(organisations ...string) {
	h.t.Helper()
	for _, org := range organisations {
		copyAll(h.t, filepath.Join(h.base.Dir, "n", "crypto"), h.file(org, "n/crypto"))
		copyAll(h.t, filepath.Join(h.base.Dir, "certificates"), h.file(org, "certificates"))
		h.networks[org] = nil
	}
	for org, before := range h.networks {
		copyFile(h.t, h.base.Topology, h.file(org, "topology.yaml"))
		topology, err := fabric.LoadTopology(h.file(org, "topology.yaml"))
		if err != nil {
			h.t.Fatal(err)
		}
		n, err := fabric.New(topology, fabrictest.Programs(h.t))
		if err != nil {
			h.t.Fatal(err)
		}
		n.Host = hostOf[org]
		h.networks[org] = n
		if before == nil {
			h.t.Cleanup(func() { // before the directory goes
				if err := n.Down(context.Background()); err != nil {
					h.t.Error(err)
				}
				if h.t.Failed() {
					n.Logs(h.t.Output(), 20)
				}
			})
		}
	}
}

// file is a path on the host of an organisation.
func (h *hosts) file(org, name string) string {
	return filepath.Join(h.base.Dir, "hosts", org, name)
}

// share copies something from where it was rendered to every host.
func (h *hosts) share(name string) {
	h.t.Helper()
	for org := range h.networks {
		source, target := filepath.Join(h.base.Dir, "n", name), h.file(org, "n/"+name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			h.t.Fatal(err)
		}
		if info, err := os.Stat(source); err != nil {
			h.t.Fatal(err)
		} else if info.IsDir() {
			copyAll(h.t, source, target)
		} else {
			copyFile(h.t, source, target)
		}
	}
}

// up brings hosts up at the same time, since they wait for each other.
func (h *hosts) up(ctx context.Context, organisations ...string) {
	h.t.Helper()
	begun := time.Now()
	var wg sync.WaitGroup
	for _, org := range organisations {
		wg.Go(func() {
			if err := h.networks[org].Up(ctx, func(string) {}); err != nil {
				h.t.Errorf("bring the host of %s up: %v", org, err)
			}
		})
	}
	wg.Wait()
	h.t.Logf("%v are up after %v", organisations, time.Since(begun))
	if h.t.Failed() {
		h.t.FailNow()
	}
}
