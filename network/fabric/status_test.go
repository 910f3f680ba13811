package fabric

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestProblems(t *testing.T) {
	topology, err := ParseTopology(DefaultTopology(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(topology, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		spoil func(byName map[string]*ProcessStatus)
		want  []string // codes
	}{
		"healthy": {func(map[string]*ProcessStatus) {}, nil},
		"one orderer dead": {func(p map[string]*ProcessStatus) {
			p["orderer1.natural-resources"].State = StateDead
		}, []string{ProblemDead}},
		"two orderers dead": {func(p map[string]*ProcessStatus) {
			p["orderer1.civil-affairs"].State = StateDead
			p["orderer1.natural-resources"].State = StateStopped
		}, []string{ProblemDead, ProblemStopped, ProblemNoMajority}},
		"no leader": {func(p map[string]*ProcessStatus) {
			p["orderer1.data-bureau"].Leader = false
		}, []string{ProblemNoLeader}},
		"the leader is another host's": {func(p map[string]*ProcessStatus) {
			p["orderer1.data-bureau"].Leader = false
			p["orderer1.data-bureau"].Local = false
		}, nil},
		"a peer is behind": {func(p map[string]*ProcessStatus) {
			p["peer1.civil-affairs"].Height = 79
		}, []string{ProblemBehind}},
		"a peer is a little behind": {func(p map[string]*ProcessStatus) {
			p["peer1.civil-affairs"].Height = 80
		}, nil},
		"the authority's chaincode is dead": {func(p map[string]*ProcessStatus) {
			p["chaincode1.data-bureau"].State = StateDead
		}, []string{ProblemDead, ProblemEndorsers}},
		"another's chaincode is dead": {func(p map[string]*ProcessStatus) {
			p["chaincode1.civil-affairs"].State = StateDead
		}, []string{ProblemDead}},
		"two others cannot endorse": {func(p map[string]*ProcessStatus) {
			p["chaincode1.civil-affairs"].State = StateDead
			p["peer1.natural-resources"].State = StateSilent
		}, []string{ProblemDead, ProblemSilent, ProblemEndorsers}},
	} {
		t.Run(name, func(t *testing.T) {
			s := new(Status)
			for _, p := range n.nodes("") {
				s.Processes = append(s.Processes, ProcessStatus{Name: p.name, Kind: p.kind, State: StateRunning, Local: true})
			}
			byName := map[string]*ProcessStatus{}
			for i := range s.Processes {
				p := &s.Processes[i]
				byName[p.Name] = p
				if p.Kind == kindOrderer || p.Kind == kindPeer {
					p.Height = 100
				}
			}
			byName["orderer1.data-bureau"].Leader = true
			test.spoil(byName)
			n.findProblems(s)
			var got []string
			for _, p := range s.Problems {
				got = append(got, p.Code)
				if p.Message == "" || p.Process != "" && !strings.Contains(p.Message, p.Process) {
					t.Errorf("%+v", p)
				}
			}
			slices.Sort(got)
			slices.Sort(test.want)
			if !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", s.Problems, test.want)
			}
		})
	}
}

func TestUpgradePending(t *testing.T) {
	n := newExample(t)
	n.topology.Chaincode.Version = 2
	for recorded, code := range map[int]string{1: ProblemUpgrade, 2: "", 4: ProblemUpgrade} {
		if err := n.recordVersion(recorded); err != nil {
			t.Fatal(err)
		}
		s := new(Status)
		n.findProblems(s)
		i := slices.IndexFunc(s.Problems, func(p Problem) bool { return p.Code == ProblemUpgrade })
		if (i >= 0) != (code != "") {
			t.Errorf("version %d is in force, the topology says 2: %v", recorded, s.Problems)
		}
	}
}

func TestSequenceOfDefinitions(t *testing.T) {
	for _, test := range []struct {
		committed definition
		version   int
		want      int // 0: refused
	}{
		{definition{}, 1, 1}, {definition{}, 7, 1}, {definition{Sequence: 1, Version: "1"}, 1, 1}, {definition{Sequence: 1, Version: "1"}, 2, 2}, {definition{Sequence: 5, Version: "2"}, 3, 6},
		{definition{Sequence: 5, Version: "2"}, 4, 0}, {definition{Sequence: 5, Version: "2"}, 1, 0}, {definition{Sequence: 5, Version: "v2"}, 3, 0},
	} {
		got, err := test.committed.next(test.version)
		if got != test.want || (test.want == 0) != (Code(err) == CodeVersion) {
			t.Errorf("after %+v, version %d is %d (%v), want %d", test.committed, test.version, got, err, test.want)
		}
	}
}

func TestParseMetric(t *testing.T) {
	const text = "# HELP x y\n# TYPE x gauge\nx{channel=\"other\"} 5\nxy{channel=\"credledger\"} 6\nx{channel=\"credledger\"} 1.234e+03\n"
	for name, want := range map[string]uint64{"x": 1234, "xy": 6} {
		if got, known := parseMetric([]byte(text), name); !known || got != want {
			t.Errorf("%s is %d, %v", name, got, known)
		}
	}
	for _, bad := range []string{"", "x", "x{channel=\"credledger\"} ", "x{channel=\"credledger\"} NaN", "x{channel=\"credledger\"} +Inf", "x{channel=\"credledger\"} 1e300"} {
		if got, known := parseMetric([]byte(bad), "x"); known {
			t.Errorf("%q is %d", bad, got)
		}
	}
	if got, known := parseMetric([]byte("x{channel=\"credledger\"} -3\n"), "x"); !known || got != 0 {
		t.Errorf("a negative height is %d", got)
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	p := &node{Process: Process{Host: "127.0.0.1", Listen: "127.0.0.1", Port: port - 2}, kind: kindPeer, name: "peer1.civil-affairs"}
	err = checkPorts(p)
	for _, says := range []string{"peer1.civil-affairs", l.Addr().String(), "process " + strconv.Itoa(os.Getpid())} {
		if Code(err) != CodePortInUse || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want something with %s", err, says)
		}
	}
	p.Listen = "192.0.2.1" // not this machine's: the process will say so
	if err := checkPorts(p); err != nil {
		t.Error(err)
	}
}

func TestLastWords(t *testing.T) {
	n := newExample(t)
	p := n.nodes(kindPeer)[0]
	if err := os.MkdirAll(n.topology.dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	lines := make([]string, 30)
	for i := range lines {
		lines[i] = strconv.Itoa(i)
	}
	log := "before\n" + startMark + strings.Join(lines, "\n") + "\n"
	if err := os.WriteFile(n.logFile(p), []byte(log), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, want := string(n.lastWords(p)), strings.Join(lines[30-lastWordsLines:], "\n"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if err := os.WriteFile(n.logFile(p), []byte(log+startMark+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := n.died(p)
	if Code(err) != CodeNodeDied || !strings.HasSuffix(err.Error(), ":\nafter") || !strings.Contains(err.Error(), n.logFile(p)) {
		t.Errorf("%v", err)
	}
	var out strings.Builder
	if err := n.Logs(&out, 2, p.name); err != nil || !strings.HasSuffix(out.String(), "\n"+startMark+"after\n") {
		t.Errorf("%q, %v", out.String(), err)
	}
	if err := n.Logs(&out, 2, "peer9.nobody"); Code(err) != CodeNodeUnknown {
		t.Errorf("%v", err)
	}
}

func TestSupervised(t *testing.T) {
	n := newExample(t)
	n.topology.Supervisor = supervisorSystemd
	for name, err := range map[string]error{
		"down": n.Down(t.Context()), "start": n.Start(t.Context(), "peer1.civil-affairs"),
		"stop": n.Stop(t.Context(), "peer1.civil-affairs"), "kill": n.Kill("peer1.civil-affairs"),
	} {
		if Code(err) != CodeSupervised {
			t.Errorf("%s: %v", name, err)
		}
	}
	if did, err := n.start(t.Context(), n.nodes(kindPeer)[0]); did || err != nil {
		t.Errorf("a process was started: %v, %v", did, err)
	}
}

func TestProgramsMissing(t *testing.T) {
	n := newExample(t)
	programs := n.programs
	if err := os.Chmod(filepath.Join(programs, programOrderer), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := New(n.topology, programs); Code(err) != CodeProgramsMissing || !strings.Contains(err.Error(), programOrderer) {
		t.Errorf("%v", err)
	}
	n.topology.Programs = filepath.Join(programs, "absent")
	if _, err := New(n.topology, ""); Code(err) != CodeProgramsMissing || !strings.Contains(err.Error(), "programs:") {
		t.Errorf("%v", err)
	}
}

func TestUntil(t *testing.T) {
	n := newExample(t)
	tries := 0
	if err := n.until(t.Context(), "try", nil, func(context.Context) error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	}); err != nil || tries != 3 {
		t.Errorf("%d tries, %v", tries, err)
	}
	err := n.untilWithin(t.Context(), 50*time.Millisecond, "try", nil, func(context.Context) error { return errors.New("never") })
	if Code(err) != CodeNotReady || !strings.Contains(err.Error(), "try: not done within 50ms: never") {
		t.Errorf("%v", err)
	}
	permanent := failf(CodeChannelDiffers, "for good")
	if err := n.until(t.Context(), "try", nil, func(context.Context) error { return permanent }); !errors.Is(err, permanent) {
		t.Errorf("%v", err)
	}
	dead := n.nodes(kindPeer)[:1]
	if err := n.until(t.Context(), "try", dead, func(context.Context) error { return errors.New("refused") }); Code(err) != CodeNodeDied {
		t.Errorf("%v", err)
	}
}
