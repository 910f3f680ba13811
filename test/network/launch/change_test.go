//go:build network

package launch

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/fabric"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/test/fabrictest"
	"github.com/credledger/credledger/test/network/load"
)

const newcomer = "housing-fund"

// The chaincode is upgraded and a department joins while others go on submitting.
func TestChangesUnderLoad(t *testing.T) {
	n := fabrictest.Start(t, fabrictest.Options{})
	city := ledgertest.NewCity(t, "a city that changes")
	begin := city.Begin()
	ledgertest.Submit(t, n.Connect(begin.Actor), begin.Tx)
	city.Found(t, n.Connect)
	l := load.Start(t, load.Options{City: city, Connect: n.Connect, InFlight: 4, Batch: 64, Arrivals: 200 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	await(t, ctx, l)

	l.Fault("upgrade")
	upgrade(t, ctx, n)
	await(t, ctx, l)
	l.Fault("a department joins")
	addOrganisation(t, ctx, n)
	await(t, ctx, l)

	record := l.Stop(ctx)
	var peers []load.Peer
	for _, org := range append([]string{newcomer}, fabrictest.Organisations...) {
		peers = append(peers, load.Peer{Name: org, Chain: n.Connect(org)})
	}
	for _, finding := range record.Check(ctx, peers...) {
		t.Error(finding)
	}
	t.Log(record.Numbers())
}

// await waits until transactions have gone on for a while.
func await(t *testing.T, ctx context.Context, l *load.Load) {
	t.Helper()
	if err := l.Await(ctx, 100); err != nil {
		t.Fatal(err)
	}
}

// upgrade puts version 2 into force, with an interruption.
func upgrade(t *testing.T, ctx context.Context, n *fabrictest.Network) {
	t.Helper()
	old := status(t, n)
	edit(t, n, "authority:", "chaincode:\n  version: 3\nauthority:")
	if err := n.Upgrade(ctx, progress(t)); fabric.Code(err) != fabric.CodeVersion {
		t.Errorf("an upgrade by two versions: %v", err)
	}
	edit(t, n, "version: 3", "version: 2")
	n.Network.Up(ctx, progress(t))
	if s := status(t, n); s.Chaincode.Version != "1" || codes(s)[fabric.ProblemUpgrade] != 1 {
		t.Errorf("Up, while an upgrade is wanted: %+v", s)
	}

	interrupted, cancel := context.WithCancel(ctx)
	err := n.Upgrade(interrupted, func(step string) {
		if strings.Contains(step, "into force") {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted upgrade: %v", err)
	}
	for range 2 {
		if err := n.Upgrade(ctx, progress(t)); err != nil {
			t.Fatalf("upgrade: %v", err)
		}
	}
	s := status(t, n)
	if s.Chaincode != (fabric.ChaincodeStatus{Version: "2", Sequence: 2}) || len(s.Problems) > 0 {
		t.Errorf("after the upgrade: %+v", s)
	}
	for i, p := range s.Processes {
		if before := old.Processes[i]; p.Kind == "chaincode" {
			if _, err := os.Stat("/proc/" + strconv.Itoa(before.PID)); err == nil || p.PID == before.PID {
				t.Errorf("%s of the old version runs", p.Name)
			}
		} else if p.PID != before.PID {
			t.Errorf("%s was started again", p.Name)
		}
	}
}

// addOrganisation admits a fifth department, with an interruption.
func addOrganisation(t *testing.T, ctx context.Context, n *fabrictest.Network) {
	t.Helper()
	if err := n.AddOrganisation(ctx, newcomer, progress(t)); fabric.Code(err) != fabric.CodeOrganisation {
		t.Errorf("a department that the topology has not: %v", err)
	}
	n.AddToTopology(newcomer)
	err := n.Network.Up(ctx, progress(t))
	if fabric.Code(err) != fabric.CodeChannelDiffers || !strings.Contains(err.Error(), "network add-org "+newcomer) {
		t.Errorf("Up with a department that is not on the channel: %v", err)
	}
	for _, p := range status(t, n).Processes {
		if running := p.State == fabric.StateRunning; running == strings.HasSuffix(p.Name, newcomer) {
			t.Errorf("after the refused Up: %+v", p)
		}
	}

	interrupted, cancel := context.WithCancel(ctx)
	err = n.AddOrganisation(interrupted, newcomer, func(step string) {
		if strings.Contains(step, "into force") {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted admission: %v", err)
	}
	for range 2 {
		if err := n.AddOrganisation(ctx, newcomer, progress(t)); err != nil {
			t.Fatalf("admit a department: %v", err)
		}
	}
	n.Up()
	if s := status(t, n); len(s.Problems) > 0 || s.Chaincode.Sequence != 2 {
		t.Errorf("with the new department: %+v", s)
	}
	answer, err := n.Connect(newcomer).Evaluate(ctx, chaincode.Query{Name: "departments"})
	if err != nil || !strings.Contains(string(answer), "civil-affairs") {
		t.Errorf("the new department asks for the departments: %s, %v", answer, err)
	}
}

// edit changes the topology file.
func edit(t *testing.T, n *fabrictest.Network, from, to string) {
	t.Helper()
	b, err := os.ReadFile(n.Topology)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(b), from, to, 1)
	if changed == string(b) {
		t.Fatalf("the topology has no %q", from)
	}
	if err := os.WriteFile(n.Topology, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	n.Load()
}

func progress(t *testing.T) func(string) {
	begun := time.Now()
	return func(step string) { t.Logf("%6.2f s  %s", time.Since(begun).Seconds(), step) }
}
