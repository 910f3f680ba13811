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
	"github.com/credledger/credledger/sdk/statement"
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

// child opens the log and holds it until standard input ends, or records verifications. It prints what it
// signs before that is signed, and place and leaf of each verification as soon as it is acknowledged.
func child(role, dir string) error {
	if role == "full" {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: fileLimit, Max: fileLimit}); err != nil {
			return err
		}
	}
	l, err := Open(dir, telling{testKey}, time.Now)
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

// telling is a key that prints size and root of each checkpoint that it is about to sign.
type telling struct{ sm.Signer }

func (k telling) Sign(message []byte) ([]byte, error) {
	before := len(statement.ToBeSigned(statement.KindCheckpoint, k.Public().ID(), nil)) - 1
	body, err := statement.Decode(statement.KindCheckpoint, message[before+2:]) // behind the two bytes of its length
	if err != nil {
		return nil, err
	}
	c := body.(*statement.Checkpoint)
	fmt.Println("SIGN", c.Size, c.Root)
	return k.Signer.Sign(message)
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

// word is what follows a word in a line that the other process prints: a number and a hash.
func word(line, first string) (n uint64, h sm.Hash, ok bool) {
	f := strings.Fields(line)
	if len(f) != 3 || f[0] != first {
		return 0, h, false
	}
	n, err1 := strconv.ParseUint(f[1], 10, 64)
	h, err2 := sm.ParseHash(f[2])
	return n, h, err1 == nil && err2 == nil
}

// heads are the roots that were signed, by size.
type heads map[uint64]sm.Hash

// take takes in a line that says what was signed. No size may have two roots.
func (h heads) take(t *testing.T, line string) bool {
	t.Helper()
	size, root, ok := word(line, "SIGN")
	if !ok {
		return false
	}
	if before, twice := h[size]; twice && before != root {
		t.Fatalf("two roots were signed for %d entries", size)
	}
	h[size] = root
	return true
}

// wantHeads wants the log to be one that had all that was signed.
func wantHeads(t *testing.T, l *Log, h heads) {
	t.Helper()
	for size, want := range h {
		if root, err := l.Root(size); err != nil || root != want {
			t.Fatalf("the root that was signed for %d entries is not that of the log: %v", size, err)
		}
	}
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
	_, err := Open(l.dir, testKey, time.Now)
	wantCode(t, "open", err, CodeInUse)
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the other process: %v", err)
	}
	reopen(t, l.dir)
}

// TestKill kills a process that records, with SIGKILL, at random moments: what it acknowledged is there, and
// what it signed, even if nobody was told.
func TestKill(t *testing.T) {
	l := newLog(t, 6)
	closeLog(t, l)
	rng := rand.New(rand.NewPCG(3, 4))
	var acks []ack
	signed := heads{}
	for range 8 {
		cmd, _, lines := start(t, "append", l.dir)
		until := len(acks) + 1 + rng.IntN(300)
		killed := false
		for lines.Scan() {
			if signed.take(t, lines.Text()) {
				continue
			}
			index, leaf, ok := word(lines.Text(), "ACK")
			if !ok {
				if killed {
					break // the last line can be half a line
				}
				t.Fatalf("the other process says %q", lines.Text())
			}
			acks = append(acks, ack{index, leaf})
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
		wantHeads(t, l, signed)
		closeLog(t, l)
	}
	if len(signed) < 20 {
		t.Errorf("only %d checkpoints were signed", len(signed))
	}
}

// TestProcessWithFullDisk lets a process record until its disk is full: what it acknowledged is there,
// and with more room the log goes on.
func TestProcessWithFullDisk(t *testing.T) {
	l := newLog(t, segmentHeight)
	closeLog(t, l)
	cmd, _, lines := start(t, "full", l.dir)
	var acks []ack
	signed, failure := heads{}, ""
	for lines.Scan() {
		if index, leaf, ok := word(lines.Text(), "ACK"); ok {
			acks = append(acks, ack{index, leaf})
		} else if !signed.take(t, lines.Text()) {
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
	wantHeads(t, l, signed)
	fill(t, l, int(l.Size())+100)
}
