package accesslog

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sm"
)

// childEnv makes this test binary another process: its value is what to do, a colon, a directory.
const childEnv = "CREDLEDGER_ACCESSLOG_TEST"

// fileLimit is beyond which byte the other process can write no file, if it is one with a full disk.
const fileLimit = 40_000

func TestMain(m *testing.M) {
	role, dir, isChild := strings.Cut(os.Getenv(childEnv), ":")
	if !isChild {
		os.Exit(m.Run())
	}
	if err := child(role, dir); err != nil {
		fmt.Println("ERROR", err)
		os.Exit(1)
	}
}

// child opens the log and holds it until standard input ends, or records verifications and prints
// place and leaf of each as soon as it is acknowledged.
func child(role, dir string) error {
	if role == "full" {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: fileLimit, Max: fileLimit}); err != nil {
			return err
		}
	}
	l, err := Open(dir)
	if err != nil {
		return err
	}
	fmt.Println("OPEN")
	if role == "hold" {
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}
	failed := make(chan error)
	for g := range 16 {
		go func() {
			for i := 0; ; i++ {
				p, err := l.Append(context.Background(), draft(i, g))
				if err != nil {
					failed <- err
					return
				}
				fmt.Println("ACK", p.Index, p.Leaf)
			}
		}()
	}
	err = <-failed
	for range 15 {
		<-failed // all of them fail in the end
	}
	return err
}

// start starts the other process and waits until it has the log open.
func start(t *testing.T, role, dir string) (cmd *exec.Cmd, stdin io.Closer, lines *bufio.Scanner) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+role+":"+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	lines = bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "OPEN" {
		t.Fatalf("the other process says %q", lines.Text())
	}
	return cmd, in, lines
}

// An ack is what the other process acknowledged.
type ack struct {
	index uint64
	leaf  sm.Hash
}

func parseAck(line string) (ack, bool) {
	f := strings.Fields(line)
	if len(f) != 3 || f[0] != "ACK" {
		return ack{}, false
	}
	index, err1 := strconv.ParseUint(f[1], 10, 64)
	leaf, err2 := sm.ParseHash(f[2])
	return ack{index, leaf}, err1 == nil && err2 == nil
}

// wantAcks wants the log to have all that was acknowledged.
func wantAcks(t *testing.T, l *Log, acks []ack) {
	t.Helper()
	r := l.reader()
	defer r.close()
	for _, a := range acks {
		if a.index >= l.Size() {
			t.Fatalf("entry %d was acknowledged; the log has %d", a.index, l.Size())
		}
		if leaf, err := r.Node(0, a.index); err != nil || leaf != a.leaf {
			t.Fatalf("entry %d is not the one that was acknowledged: %v", a.index, err)
		}
		if _, err := r.record(a.index); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTwoProcesses(t *testing.T) {
	l := newLog(t, small)
	closeLog(t, l)
	cmd, stdin, _ := start(t, "hold", l.dir)
	_, err := Open(l.dir)
	wantCode(t, "open", err, CodeInUse)
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the other process: %v", err)
	}
	reopen(t, l.dir)
}

// TestKill kills a process that records, with SIGKILL, at random moments.
func TestKill(t *testing.T) {
	l := newLog(t, 6)
	closeLog(t, l)
	rng := rand.New(rand.NewPCG(3, 4))
	var acks []ack
	for range 8 {
		cmd, _, lines := start(t, "append", l.dir)
		until := len(acks) + 1 + rng.IntN(300)
		killed := false
		for lines.Scan() {
			a, ok := parseAck(lines.Text())
			if !ok {
				if killed {
					break // the last line can be half a line
				}
				t.Fatalf("the other process says %q", lines.Text())
			}
			acks = append(acks, a)
			if len(acks) >= until && !killed {
				killed = true
				time.Sleep(time.Duration(rng.IntN(3000)) * time.Microsecond)
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil || !killed {
			t.Fatalf("the other process ended by itself: %v", err)
		}
		l := reopen(t, l.dir)
		wantAcks(t, l, acks)
		closeLog(t, l)
	}
}

// TestProcessWithFullDisk lets a process record until its disk is full: what it acknowledged is there,
// and with more room the log goes on.
func TestProcessWithFullDisk(t *testing.T) {
	l := newLog(t, segmentHeight)
	closeLog(t, l)
	cmd, _, lines := start(t, "full", l.dir)
	var acks []ack
	failure := ""
	for lines.Scan() {
		if a, ok := parseAck(lines.Text()); ok {
			acks = append(acks, a)
		} else {
			failure = lines.Text()
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(failure, "the disk is full") {
		t.Fatalf("the other process says %q, %v", failure, err)
	}
	if len(acks) < 50 {
		t.Fatalf("it acknowledged %d entries only", len(acks))
	}
	indexes := make([]int, len(acks))
	for i, a := range acks {
		indexes[i] = int(a.index)
	}
	slices.Sort(indexes)
	for i, index := range indexes {
		if i != index {
			t.Fatalf("entry %d was acknowledged in place of %d", index, i)
		}
	}
	l = reopen(t, l.dir)
	wantAcks(t, l, acks)
	fill(t, l, int(l.Size())+100)
}
