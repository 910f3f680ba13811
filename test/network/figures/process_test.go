//go:build network

package figures

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// The clock tick of /proc/PID/stat is 10 ms on Linux (USER_HZ, proc(5)).
const tick = 10 * time.Millisecond

// pids returns the processes of the network by kind (orderer, peer, chaincode), those of the empty
// chaincode, and this one.
func (s *setting) pids() map[string][]int {
	s.Helper()
	pids := map[string][]int{"client": {os.Getpid()}, "empty": s.emptyServers}
	status, err := s.network.Status(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	for _, p := range status.Processes {
		if p.PID == 0 {
			s.Fatalf("%s does not run", p.Name)
		}
		pids[p.Kind] = append(pids[p.Kind], p.PID)
	}
	return pids
}

// processorTime is how long the processes of each kind have kept a processor busy so far.
func (s *setting) processorTime() map[string]time.Duration {
	s.Helper()
	used := map[string]time.Duration{}
	for kind, pids := range s.processes {
		for _, pid := range pids {
			used[kind] += s.processorTimeOf(pid)
		}
	}
	return used
}

func (s *setting) processorTimeOf(pid int) time.Duration {
	s.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		s.Fatal(err)
	}
	// After the name in brackets: the state is field 3, user time 14, system time 15.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	user, err1 := strconv.ParseInt(string(fields[11]), 10, 64)
	system, err2 := strconv.ParseInt(string(fields[12]), 10, 64)
	if err1 != nil || err2 != nil {
		s.Fatalf("/proc/%d/stat has an unknown form", pid)
	}
	return time.Duration(user+system) * tick
}

// resident is the resident memory of a process in bytes.
func (s *setting) resident(pid int) float64 {
	s.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		s.Fatal(err)
	}
	pages, err := strconv.Atoi(string(bytes.Fields(b)[1]))
	if err != nil {
		s.Fatal(err)
	}
	return float64(pages * os.Getpagesize())
}

// disk is the space in bytes that the average process of a kind takes on the disk, log included.
func (s *setting) disk(kind string) float64 {
	s.Helper()
	dirs, err := filepath.Glob(filepath.Join(s.network.Network.Topology().Directory, "nodes", kind+"*"))
	if err != nil || len(dirs) == 0 {
		s.Fatalf("there is no %s: %v", kind, err)
	}
	var blocks int64 // of 512 bytes
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return nil // files of Raft and LevelDB come and go
			}
			info, err := entry.Info()
			if err != nil {
				return nil
			}
			blocks += info.Sys().(*syscall.Stat_t).Blocks
			return nil
		})
		if err != nil {
			s.Fatal(err)
		}
	}
	return float64(blocks) * 512 / float64(len(dirs))
}
