package fabric

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// A Status says how the network is.
type Status struct {
	Processes []ProcessStatus `json:"processes"`
	Chaincode ChaincodeStatus `json:"chaincode"`
	Problems  []Problem       `json:"problems"` // none: all is well
}

// A ProcessStatus says how one process is.
type ProcessStatus struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`              // orderer, peer, chaincode or heartbeat
	Address string `json:"address,omitempty"` // HOST:PORT
	State   string `json:"state"`             // one of the states below
	PID     int    `json:"pid,omitempty"`     // if this package started it
	Height  uint64 `json:"height,omitempty"`  // of an orderer or peer of this machine: its number of blocks
	Leader  bool   `json:"leader,omitempty"`  // the orderer that leads
	Local   bool   `json:"local"`             // it is this machine's
}

// States of a process.
const (
	StateRunning = "running" // it runs, and serves
	StateStopped = "stopped" // it does not run
	StateDead    = "dead"    // it ran, and ended by itself or was killed
	StateSilent  = "silent"  // it runs, or is another host's, and does not answer
)

// A ChaincodeStatus says which chaincode is in force; its zero value, that nobody could be asked.
type ChaincodeStatus struct {
	Version  string `json:"version,omitempty"`
	Sequence int    `json:"sequence,omitempty"` // of its definition
}

// A Problem is something that its operator should see to.
type Problem struct {
	Code    string `json:"code"`              // one of the codes below
	Process string `json:"process,omitempty"` // whose it is
	Message string `json:"message"`           // what it is, and what to do
}

// Codes of problems.
const (
	ProblemStopped    = "process-stopped"
	ProblemDead       = "process-dead"
	ProblemSilent     = "process-silent"
	ProblemNoMajority = "orderers-no-majority" // nothing commits
	ProblemNoLeader   = "orderers-no-leader"   // nothing commits
	ProblemBehind     = "blocks-missing"       // a process has not got all blocks
	ProblemEndorsers  = "endorsers-missing"    // no transaction can be endorsed
	ProblemUpgrade    = "upgrade-pending"
	ProblemExpiry     = "certificate-expires"
)

// expiryNotice is how long before its end a certificate becomes a problem.
const expiryNotice = 30 * 24 * time.Hour

// Status asks every process of this machine how it is, and tries those of other hosts. What is wrong
// with the network stands in the answer; an error means that it could not be made.
func (n *Network) Status(ctx context.Context) (*Status, error) {
	if err := n.checkHost(); err != nil {
		return nil, err
	}
	nodes := n.nodes("")
	s := &Status{Processes: make([]ProcessStatus, len(nodes)), Problems: []Problem{}}
	indexes := make([]int, len(nodes))
	for i := range indexes {
		indexes[i] = i
	}
	err := together(ctx, func(ctx context.Context) error {
		return forEach(ctx, indexes, func(ctx context.Context, i int) error {
			s.Processes[i] = n.processStatus(ctx, nodes[i])
			return ctx.Err()
		})
	}, func(ctx context.Context) error {
		s.Chaincode = n.chaincodeStatus(ctx)
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	n.findProblems(s)
	return s, nil
}

// statusPatience is how long a process may take to say how it is.
const statusPatience = 2 * time.Second

func (n *Network) processStatus(ctx context.Context, p *node) ProcessStatus {
	ctx, cancel := context.WithTimeout(ctx, statusPatience)
	defer cancel()
	s := ProcessStatus{Name: p.name, Kind: p.kind, Local: n.local(p), State: StateRunning}
	if p.kind != kindHeartbeat {
		s.Address = p.address(p.port())
	}
	if s.Local && !n.supervised() {
		known := readProcess(n.pidFile(p))
		switch {
		case known.alive():
			s.PID = known.PID
		case known.PID != 0:
			s.State = StateDead
			return s
		default:
			s.State = StateStopped
			return s
		}
	}
	if len(p.ports()) > 0 && n.listening(ctx, p) != nil {
		s.State = StateSilent
		return s
	}
	if s.Local {
		n.askStatus(ctx, p, &s)
	}
	return s
}

// askStatus asks an orderer or peer that listens.
func (n *Network) askStatus(ctx context.Context, p *node, s *ProcessStatus) {
	var err error
	switch p.kind {
	case kindPeer:
		s.Height, _, err = n.metric(ctx, p, peerHeight)
	case kindOrderer:
		var part participation
		var leads uint64
		part, _, err = n.participation(ctx, p)
		s.Height = part.Height
		if err == nil {
			leads, _, err = n.metric(ctx, p, "consensus_etcdraft_is_leader")
			s.Leader = leads == 1
		}
	}
	if err != nil {
		s.State = StateSilent
	}
}

// chaincodeStatus asks the first peer of this machine that answers.
func (n *Network) chaincodeStatus(ctx context.Context) ChaincodeStatus {
	ctx, cancel := context.WithTimeout(ctx, 2*statusPatience)
	defer cancel()
	for _, p := range n.localNodes(kindPeer) {
		if !n.answers(ctx, p) {
			continue
		}
		if d, err := n.committed(ctx, p); err == nil {
			return ChaincodeStatus{Version: d.Version, Sequence: d.Sequence}
		}
	}
	return ChaincodeStatus{}
}

// findProblems draws the conclusions.
func (n *Network) findProblems(s *Status) {
	add := func(code, process, format string, args ...any) {
		s.Problems = append(s.Problems, Problem{code, process, fmt.Sprintf(format, args...)})
	}
	for _, p := range s.Processes {
		switch p.State {
		case StateStopped:
			add(ProblemStopped, p.Name, "%s does not run: `credledger network up` starts it", p.Name)
		case StateDead:
			add(ProblemDead, p.Name, "%s ended by itself or was killed: `credledger network logs %s` shows its last words, `credledger network up` starts it again", p.Name, p.Name)
		case StateSilent:
			add(ProblemSilent, p.Name, "%s does not answer at %s: look at its host, its log and the network between", p.Name, p.Address)
		}
	}
	n.findOrderingProblems(s, add)
	n.findEndorsementProblems(s, add)
	if now, wanted := n.version(), n.topology.Chaincode.Version; now != wanted {
		add(ProblemUpgrade, "", "%s", versionHint(now, wanted))
	}
	expiring := n.expiring(expiryNotice, time.Now())
	for _, file := range slices.Sorted(maps.Keys(expiring)) {
		add(ProblemExpiry, "", "%s ends on %s: put a new one in its place and restart what uses it", file, expiring[file].Format(time.DateOnly))
	}
}

func (n *Network) findOrderingProblems(s *Status, add func(code, process, format string, args ...any)) {
	var all, running, asked int
	leader := false
	var height uint64
	for _, p := range s.Processes {
		height = max(height, p.Height)
		if p.Kind != kindOrderer {
			continue
		}
		all++
		leader = leader || p.Leader
		if p.State == StateRunning {
			running++
			if p.Local {
				asked++
			}
		}
	}
	if running <= all/2 {
		add(ProblemNoMajority, "", "%d of %d orderers run: nothing commits until %d do; nothing is lost", running, all, all/2+1)
	} else if asked == all && !leader {
		add(ProblemNoLeader, "", "the orderers run and none leads: nothing commits until they can reach each other; this takes seconds after a start")
	}
	for _, p := range s.Processes {
		if p.State == StateRunning && p.Height > 0 && p.Height+blocksBehind < height {
			add(ProblemBehind, p.Name, "%s has %d blocks of %d: if that stays so, look at its log", p.Name, p.Height, height)
		}
	}
}

// blocksBehind is how many blocks a process may lack while transactions go on.
const blocksBehind = 20

// findEndorsementProblems tells whether the peers that run, with their chaincode servers, can satisfy
// the policy.
func (n *Network) findEndorsementProblems(s *Status, add func(code, process, format string, args ...any)) {
	running := map[string]bool{}
	for _, p := range s.Processes {
		running[p.Name] = p.State == StateRunning
	}
	able := map[string]bool{}
	for _, p := range n.nodes(kindChaincode) {
		peer := kindPeer + p.name[len(kindChaincode):]
		if running[p.name] && running[peer] {
			able[p.org.ID] = true
		}
	}
	policy, err := parsePolicy(n.topology.Policy())
	if err != nil || policy.satisfied(able) {
		return // New has checked the policy
	}
	add(ProblemEndorsers, "", "peers with their chaincode servers run at %d organisations only, which cannot endorse (the authority is %s): nothing can be submitted until more do", len(able), n.topology.Authority)
}
