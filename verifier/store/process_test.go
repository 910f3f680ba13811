package store

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// replicaOf names the environment variable that makes the test's program a replica with the store at
// the address that it holds.
const replicaOf = "CREDLEDGER_TEST_REPLICA_OF"

func TestMain(m *testing.M) {
	if address := os.Getenv(replicaOf); address != "" {
		beReplica(address)
	}
	os.Exit(m.Run())
}

// beReplica redeems the challenges whose nonces come in, and says what came of each.
func beReplica(address string) {
	s, err := Open(context.Background(), address, time.Now)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		nonce, _ := hex.DecodeString(in.Text()) // else it is unknown
		fmt.Printf("%s %s\n", in.Text(), Code(s.RedeemChallenge(context.Background(), nonce, "desk")))
	}
	os.Exit(0)
}

// TestProcesses has processes redeem the same challenges from one file, one of which is killed
// meanwhile: nothing is redeemed twice, and nothing that was redeemed is forgotten.
func TestProcesses(t *testing.T) {
	address := filepath.Join(t.TempDir(), "store.db")
	s, err := Open(t.Context(), address, time.Now)
	must(t, err)
	defer s.Close()
	const challenges, processes, killedAfter = 200, 3, 40
	var nonces []string
	for range challenges {
		c, err := s.NewChallenge("desk", time.Minute)
		must(t, err)
		nonces = append(nonces, hex.EncodeToString(c.Nonce))
	}
	results := make([]map[string]string, processes)
	inParallel(processes, func(i int) {
		results[i] = map[string]string{}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), replicaOf+"="+address)
		cmd.Stdin = strings.NewReader(strings.Join(nonces, "\n") + "\n")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Error(err)
			return
		}
		for in := bufio.NewScanner(out); in.Scan(); {
			nonce, code, _ := strings.Cut(in.Text(), " ")
			if results[i][nonce] = code; i == 0 && len(results[i]) == killedAfter {
				if err := cmd.Process.Kill(); err != nil {
					t.Error(err)
				}
			}
		}
		if err := cmd.Wait(); (err == nil) == (i == 0) {
			t.Errorf("process %d ended with %v", i, err)
		}
	})
	if len(results[0]) < killedAfter || len(results[1]) != challenges {
		t.Fatalf("answers: %d, %d", len(results[0]), len(results[1]))
	}
	forgotten := 0
	for _, nonce := range nonces {
		redeemed := 0
		for i, r := range results {
			switch code, answered := r[nonce]; {
			case answered && code == "":
				redeemed++
			case answered && code != CodeChallengeUsed:
				t.Fatalf("process %d: %s", i, code)
			}
		}
		if redeemed > 1 {
			t.Fatal("a challenge was redeemed twice")
		}
		if redeemed == 0 {
			forgotten++
		}
		b, _ := hex.DecodeString(nonce)
		refused(t, s.RedeemChallenge(t.Context(), b, "desk"), CodeChallengeUsed)
	}
	if forgotten > 1 { // the killed process may have done one more than it could say
		t.Fatalf("%d challenges were redeemed by nobody", forgotten)
	}
}
