package embedded

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
)

// childEnv makes this test binary the other process: its value is what to do, a colon, a directory.
const childEnv = "CREDLEDGER_EMBEDDED_TEST"

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

// child opens the ledger and holds it until standard input ends, or submits anchors and prints the
// position and the bytes' hash of each as soon as it is acknowledged.
func child(role, dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	fmt.Println("OPEN")
	if role == "hold" {
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}
	answer, err := s.As("").Evaluate(context.Background(), chaincode.Query{Name: "ledger"})
	if err != nil {
		return err
	}
	var id struct {
		ID sm.Hash `json:"id"`
	}
	if err := json.Unmarshal(answer, &id); err != nil {
		return err
	}
	city := ledgertest.NewCity(childTB{}, "child")
	city.ID = id.ID
	failed := make(chan error)
	for i := range 4 {
		go func() {
			for {
				tx := city.Digests(childTB{}, "marriage", 1+i*20, nil, nil).Tx
				receipt, err := s.As(ledgertest.Marriages).Submit(context.Background(), tx)
				if err != nil {
					failed <- err
					return
				}
				fmt.Println("ACK", receipt.Position.Block, receipt.Position.Index, sm.Sum(tx.Bytes()))
			}
		}()
	}
	return <-failed
}

// childTB is what the builders of package ledgertest need outside of a test.
type childTB struct{ testing.TB }

func (childTB) Helper()                      {}
func (childTB) Fatal(args ...any)            { panic(fmt.Sprint(args...)) }
func (childTB) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }

// start starts the other process and waits until it has the ledger open.
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

// foundedIn makes a city's ledger in a directory, and closes it.
func foundedIn(t *testing.T, dir string) {
	t.Helper()
	city := ledgertest.NewCity(t, t.Name())
	s, err := Create(dir, city.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	city.Found(t, s.As)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestTwoProcesses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	foundedIn(t, dir)
	cmd, stdin, _ := start(t, "hold", dir)
	s, err := Open(dir)
	wantCode(t, "open", s, err, CodeInUse)
	_, err = Audit(t.Context(), dir, audit.Options{})
	wantCode(t, "audit", nil, err, CodeInUse)
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the other process: %v", err)
	}
	if s, err = Open(dir); err != nil {
		t.Fatalf("open, when the other process is gone: %v", err)
	}
	s.Close()
}

// TestKill kills a process that submits, with SIGKILL, at random moments.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ledger")
	foundedIn(t, dir)
	rng := rand.New(rand.NewPCG(3, 4))
	type ack struct {
		at   ledger.Position
		hash string
	}
	var acks []ack
	for range 5 {
		cmd, _, lines := start(t, "submit", dir)
		until := len(acks) + 1 + rng.IntN(20)
		killed := false
		for lines.Scan() {
			f := strings.Fields(lines.Text())
			if len(f) != 4 || f[0] != "ACK" {
				if killed {
					break // the last line can be half a line
				}
				t.Fatalf("the other process says %q", lines.Text())
			}
			block, err := strconv.ParseUint(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			index, err := strconv.ParseUint(f[2], 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			acks = append(acks, ack{ledger.Position{Block: block, Index: uint32(index)}, f[3]})
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
		s, err := Open(dir)
		if err != nil {
			t.Fatalf("open after kill -9: %v", err)
		}
		for _, a := range acks {
			block, found, err := readBlock(s.db, a.at.Block)
			if err != nil || !found || int(a.at.Index) >= len(block.Transactions) ||
				sm.Sum(block.Transactions[a.at.Index].Bytes).String() != a.hash {
				t.Fatalf("what was acknowledged at %v is lost: %v", a.at, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Audit(t.Context(), dir, audit.Options{})
	if err != nil || !r.Clean() {
		t.Errorf("audit of %d acknowledged transactions: %+v, %v", len(acks), r, err)
	}
	if r.Transactions < uint64(len(acks)) {
		t.Errorf("the audit saw %d transactions, %d were acknowledged", r.Transactions, len(acks))
	}
}
