//go:build network

package faults

import (
	"fmt"
	"os/exec"
	"syscall"
	"testing"
)

const bridge = "between"

// address is that of the bridge for 0, and of the organisations from 1 on.
func address(i int) string { return fmt.Sprintf("10.77.0.%d", i+1) }

// A site is where an organisation's processes run: a network namespace with one cable to the bridge.
type site struct {
	address string
	cable   string // the end of it at the bridge
	enter   []string
}

// sites gives each organisation one.
func sites(t *testing.T, organisations []string) map[string]*site {
	t.Helper()
	out := map[string]*site{}
	for i, org := range organisations {
		s, err := newSite(i + 1)
		if err != nil {
			t.Fatalf("make the network namespace of %s: %v", org, err)
		}
		out[org] = s
	}
	return out
}

func newSite(i int) (*site, error) {
	holder := exec.Command("sleep", "infinity") // a namespace lives as long as a process in it
	holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := holder.Start(); err != nil {
		return nil, err
	}
	go holder.Wait()
	pid := fmt.Sprint(holder.Process.Pid)
	s := &site{address: address(i), cable: fmt.Sprint("cable", i), enter: []string{"nsenter", "--net=/proc/" + pid + "/ns/net", "--"}}
	if err := ip("link", "add", s.cable, "type", "veth", "peer", "name", "eth0", "netns", pid); err != nil {
		return nil, err
	}
	if err := ip("link", "set", s.cable, "master", bridge, "up"); err != nil {
		return nil, err
	}
	for _, command := range []string{
		"ip link set lo up",
		"ip address add " + s.address + "/24 dev eth0",
		"ip link set eth0 up",
		// As docs/OPERATIONS.md wants it for the hosts of orderers.
		"echo 1 > /proc/sys/net/ipv4/tcp_syn_retries",
	} {
		argv := s.within("sh", "-c", command)
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", command, err, out)
		}
	}
	return s, nil
}

// within is the command line that runs another one at the site.
func (s *site) within(argv ...string) []string {
	return append(append([]string(nil), s.enter...), argv...)
}

// cut pulls the cable out: what is sent either way is lost without a word.
func (s *site) cut() error { return ip("link", "set", s.cable, "down") }

// mend puts the cable back in.
func (s *site) mend() error { return ip("link", "set", s.cable, "up") }
