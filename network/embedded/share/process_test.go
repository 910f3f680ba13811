package share_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded/share"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// childDir names the ledger's directory to a process that TestKill starts: this test again, which then
// submits the transactions that come on standard input, one line of base64 each, and answers each with
// a line.
const childDir = "CREDLEDGER_SHARE_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	os.Exit(m.Run())
}

func child(dir string) {
	ctx := context.Background()
	s, err := share.Open(ctx, dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("open")
	l := s.As(ledgertest.Marriages)
	for in := bufio.NewReader(os.Stdin); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
		if err != nil {
			fmt.Println(err)
			return
		}
		tx, err := chaincode.ParseTransaction(b)
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = l.Submit(ctx, tx)
		fmt.Printf("submitted %s\n", ledger.Code(err))
	}
}

// A process is a child that submits.
type process struct {
	cmd *exec.Cmd
	in  interface{ Write([]byte) (int, error) }
	out *bufio.Reader
}

func startProcess(t *testing.T, dir string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
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
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	p := &process{cmd, in, bufio.NewReader(out)}
	if line, err := p.out.ReadString('\n'); line != "open\n" {
		t.Fatalf("a process begins with %q, %v", line, err)
	}
	return p
}

// TestKill kills the host with SIGKILL again and again, each time while every process submits: another
// one takes over, what was acknowledged is on the ledger once, and the processes that live go on.
func TestKill(t *testing.T) {
	city, dir := newCity(t)
	founder := open(t, dir)
	city.Found(t, founder.As)
	if err := founder.Close(); err != nil {
		t.Fatal(err)
	}
	const processes, each = 4, 30
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	unknown := 0
	var wg sync.WaitGroup
	all := make([]*process, processes)
	for i := range all {
		all[i] = startProcess(t, dir) // the first is the host
		txs := make([]*chaincode.Transaction, each)
		for j := range txs {
			txs[j] = city.Digests(t, "marriage", 2, nil, nil).Tx
		}
		wg.Go(func() {
			for _, tx := range txs {
				if _, err := fmt.Fprintln(all[i].in, base64.StdEncoding.EncodeToString(tx.Bytes())); err != nil {
					return // killed
				}
				line, err := all[i].out.ReadString('\n')
				if err != nil {
					return // killed
				}
				mu.Lock()
				switch line {
				case "submitted \n":
					acknowledged[string(tx.Bytes())] = true
				case "submitted " + ledger.CodeOutcomeUnknown + "\n":
					unknown++
				default:
					t.Errorf("process %d: %q", i, line)
				}
				mu.Unlock()
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	for i := range processes - 1 { // each may be the host when its turn comes; the first is
		time.Sleep(50 * time.Millisecond)
		if err := all[i].cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	if unknown > processes*processes {
		t.Errorf("%d outcomes are unknown", unknown)
	}
	if err := all[processes-1].cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = all[processes-1].cmd.Wait()

	s := open(t, dir)
	head, err := s.As("").Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	on := map[string]int{}
	for block, err := range s.As("").Follow(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for _, tx := range block.Transactions {
			on[string(tx.Bytes)]++
		}
		if block.Number+1 == head.Height {
			break
		}
	}
	if len(acknowledged) < each {
		t.Errorf("only %d transactions were acknowledged", len(acknowledged))
	}
	for tx := range acknowledged {
		if on[tx] != 1 {
			t.Errorf("an acknowledged transaction is %d times on the ledger", on[tx])
		}
	}
}
