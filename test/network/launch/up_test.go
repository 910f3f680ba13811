//go:build network

package launch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/network/fabric"
	"github.com/credledger/credledger/test/fabrictest"
)

// upLimit is how long a network may take from nothing to a committed transaction: some four seconds on a machine of
// its own, and longer on one that others use.
const upLimit = time.Minute

func TestUp(t *testing.T) {
	n := fabrictest.New(t, fabrictest.Options{})
	fabrictest.Programs(t)
	begun := time.Now()
	n.Up()
	took := time.Since(begun)
	t.Logf("from nothing to a committed transaction: %v", took)
	if took > upLimit {
		t.Errorf("the network took %v to come up, more than %v", took, upLimit)
	}

	s := status(t, n)
	if len(s.Problems) > 0 {
		t.Errorf("problems of a network that just came up: %v", s.Problems)
	}
	height := s.Processes[0].Height
	leaders := 0
	for _, p := range s.Processes {
		if p.Leader {
			leaders++
		}
		if p.State != fabric.StateRunning || p.PID == 0 || !p.Local {
			t.Errorf("%+v", p)
		}
		if wantsHeight := p.Kind == "orderer" || p.Kind == "peer"; wantsHeight != (p.Height == height) {
			t.Errorf("%s has %d blocks, not %d", p.Name, p.Height, height)
		}
	}
	if leaders != 1 || len(s.Processes) != 11 || s.Chaincode != (fabric.ChaincodeStatus{Version: "1", Sequence: 1}) {
		t.Errorf("%d leaders, %d processes, chaincode %v", leaders, len(s.Processes), s.Chaincode)
	}

	pids := pidsOf(s)
	n.Up()
	if again := pidsOf(status(t, n)); !slices.Equal(again, pids) {
		t.Errorf("Up of a running network started processes again: %v, %v", pids, again)
	}

	n.Down()
	for _, pid := range pids {
		if !ended(pid) {
			t.Errorf("process %d is there after Down", pid)
		}
	}
	if s := status(t, n); s.Processes[0].State != fabric.StateStopped || codes(s)[fabric.ProblemNoMajority] != 1 || codes(s)[fabric.ProblemStopped] != 11 {
		t.Errorf("after Down: %+v", s)
	}

	n.Up()
	s = status(t, n)
	if s.Processes[0].Height <= height || s.Chaincode.Sequence != 1 || len(s.Problems) > 0 {
		t.Errorf("after Down and Up: %d blocks, before %d; %+v", s.Processes[0].Height, height, s)
	}

	height = s.Processes[0].Height
	for _, p := range s.Processes {
		if err := n.Kill(p.Name); err != nil {
			t.Error(err)
		}
	}
	if s := status(t, n); codes(s)[fabric.ProblemDead] != 11 || codes(s)[fabric.ProblemEndorsers] != 1 {
		t.Errorf("after kill -9 of everything: %+v", s)
	}
	n.Up()
	if s := status(t, n); s.Processes[0].Height <= height || len(s.Problems) > 0 {
		t.Errorf("after kill -9 of everything and Up: %d blocks, before %d; %v", s.Processes[0].Height, height, s.Problems)
	}
}

func TestOneOrdererDead(t *testing.T) {
	n := fabrictest.New(t, fabrictest.Options{Organisations: fabrictest.Organisations[:3]})
	second := fmt.Sprintf("      - port: %d\n", fabrictest.FreePorts(t))
	b, err := os.ReadFile(n.Topology)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(n.Topology, append(b, second...), 0o644); err != nil { // a peer of the last organisation
		t.Fatal(err)
	}
	n.Load()
	n.Up()
	if s := status(t, n); len(s.Problems) > 0 || len(s.Processes) != 3+4+4 {
		t.Errorf("%+v", s)
	}
	if err := n.Kill("orderer2.civil-affairs"); fabric.Code(err) != fabric.CodeNodeUnknown {
		t.Errorf("an orderer that there is not: %v", err)
	}
	if err := n.Kill("orderer1.civil-affairs"); err != nil {
		t.Fatal(err)
	}
	s := status(t, n)
	i := slices.IndexFunc(s.Problems, func(p fabric.Problem) bool { return p.Process == "orderer1.civil-affairs" })
	if i < 0 || s.Problems[i].Code != fabric.ProblemDead || !strings.Contains(s.Problems[i].Message, "network up") {
		t.Errorf("a dead orderer is reported as %v", s.Problems)
	}
	if codes(s)[fabric.ProblemNoMajority] != 0 {
		t.Errorf("two of three orderers run: %v", s.Problems)
	}
	if err := n.Stop(t.Context(), "orderer1.natural-resources"); err != nil {
		t.Fatal(err)
	}
	if s := status(t, n); codes(s)[fabric.ProblemNoMajority] != 1 || codes(s)[fabric.ProblemStopped] != 1 {
		t.Errorf("one of three orderers runs: %v", s.Problems)
	}
	for _, name := range []string{"orderer1.civil-affairs", "orderer1.natural-resources"} {
		if err := n.Start(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	n.Up()
	if s := status(t, n); len(s.Problems) > 0 {
		t.Error(s.Problems)
	}
}

// What a failed Up started is gone when it returns, and the reason says what to do.
func TestFailedUp(t *testing.T) {
	n := fabrictest.New(t, fabrictest.Options{Organisations: fabrictest.Organisations[:2], Orderers: 1})
	peer := n.Network.Topology().Organisations[1].Peers[0]

	taken, err := net.Listen("tcp4", net.JoinHostPort(peer.Listen, strconv.Itoa(peer.Port+2)))
	if err != nil {
		t.Fatal(err)
	}
	err = n.Network.Up(t.Context(), func(string) {})
	if fabric.Code(err) != fabric.CodePortInUse || !strings.Contains(err.Error(), "peer1.civil-affairs") ||
		!strings.Contains(err.Error(), taken.Addr().String()) || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("Up with a port in use: %v", err)
	}
	nothingRuns(t, n)
	taken.Close()

	// A process that ends at its start, and its last words.
	program := fabrictest.Program(t, "github.com/credledger/credledger/cmd/credledger-chaincode")
	n.Network.Wrap = func(process string, argv []string) []string {
		if process == "chaincode1.civil-affairs" {
			return []string{program, "--listen", "nowhere"}
		}
		return argv
	}
	err = n.Network.Up(t.Context(), func(string) {})
	if fabric.Code(err) != fabric.CodeNodeDied || !strings.Contains(err.Error(), "chaincode1.civil-affairs") || !strings.Contains(err.Error(), "--package-id") {
		t.Errorf("Up with a process that dies: %v", err)
	}
	nothingRuns(t, n)

	// Interrupted.
	n.Network.Wrap = nil
	ctx, cancel := context.WithCancel(t.Context())
	err = n.Network.Up(ctx, func(step string) {
		if strings.Contains(step, "into force") {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Up interrupted: %v", err)
	}
	nothingRuns(t, n)

	n.Up() // from where it was
	if s := status(t, n); len(s.Problems) > 0 {
		t.Error(s.Problems)
	}
}

func status(t *testing.T, n *fabrictest.Network) *fabric.Status {
	t.Helper()
	s, err := n.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func codes(s *fabric.Status) map[string]int {
	out := map[string]int{}
	for _, p := range s.Problems {
		out[p.Code]++
	}
	return out
}

func pidsOf(s *fabric.Status) []int {
	var pids []int
	for _, p := range s.Processes {
		pids = append(pids, p.PID)
	}
	return pids
}

// nothingRuns looks for processes that have the network's directory on their command line or in
// their environment, beside what pid files say.
func nothingRuns(t *testing.T, n *fabrictest.Network) {
	t.Helper()
	for _, p := range status(t, n).Processes {
		if p.PID != 0 || p.State == fabric.StateRunning {
			t.Errorf("%+v", p)
		}
	}
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		environ, _ := os.ReadFile(file) // it may have ended, or be another user's
		cmdline, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		if strings.Contains(string(environ)+string(cmdline), n.Dir+"/") {
			t.Errorf("%s runs: %q", filepath.Dir(file), cmdline)
		}
	}
}

// ended reports whether a process is gone, or nothing but an entry that its parent has not taken notice of yet.
func ended(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(stat), ") ") // proc(5): the state follows the name
	return strings.HasPrefix(after, "Z")
}
