package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/credledger/credledger/cmd/credledger/commandtest"
)

// marriages writes an input of n different marriage certificates, with numbers from first on.
func (p *process) marriages(name string, first, n int) string {
	p.t.Helper()
	var b bytes.Buffer
	for i := range n {
		b.WriteString(strings.Replace(marriage, "990001", fmt.Sprintf("%06d", first+i), 1))
		b.WriteByte('\n')
	}
	return p.write(name, b.Bytes())
}

// issueArgs issues marriage certificates.
func issueArgs(rest ...string) []string {
	return append([]string{"issue", "--json", "--department", "civil-affairs", "--type", "marriage"}, rest...)
}

// wantIssued wants a report of issue that so many are issued, and none is rejected or under way.
func wantIssued(t *testing.T, out string, n int) {
	t.Helper()
	var report issuedAnswer
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if want := int64(n); report.Records != want || report.Issued != want || report.Rejected != 0 || report.Pending != 0 {
		t.Errorf("want %d issued: %s", n, out)
	}
}

// wantCredentials wants so many valid credentials with numbers of their own, and a clean audit.
func (p *process) wantCredentials(n int, files ...string) {
	p.t.Helper()
	out, _ := p.run(exitDone, append([]string{"show", "--json"}, files...)...)
	values, err := commandtest.Values(out)
	if err != nil {
		p.t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, v := range values {
		seen[commandtest.At(v, "fields.0.value")] = true
	}
	if len(values) != n || len(seen) != n {
		p.t.Errorf("%d credentials with %d numbers, want %d", len(values), len(seen), n)
	}
	out, _ = p.run(exitDone, append([]string{"verify", "--json"}, files...)...)
	if got := strings.Count(out, `"outcome": "valid"`); got != n {
		p.t.Errorf("%d valid credentials, want %d", got, n)
	}
	p.run(exitDone, "audit")
}

// Interrupted or killed while it issues, and run again: every licence is issued, and none twice.
func TestIssueInterrupted(t *testing.T) {
	t.Parallel()
	const n = 1500
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			p := newProcess(t)
			p.run(exitDone, "init")
			p.marriages("input.jsonl", 1, n)
			args := issueArgs("--batch", "8", "--bundle", "out.creds", "input.jsonl")
			interrupted := 0
			for delay := 60 * time.Millisecond; ; delay += delay / 4 {
				var out, problems bytes.Buffer
				cmd := p.command(args...)
				cmd.Stdout, cmd.Stderr = &out, &problems
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.AfterFunc(delay, func() { _ = cmd.Process.Signal(signal) }) // it may have ended
				err := cmd.Wait()
				if err == nil {
					wantIssued(t, out.String(), n)
					break
				}
				if strings.Contains(problems.String(), "job-done") {
					break // ended in the very moment of the signal
				}
				interrupted++
				if signal != syscall.SIGKILL && cmd.ProcessState.ExitCode() != -1 {
					if exitCode(t, err) != exitFailed || !strings.Contains(problems.String(), "run the same command again") {
						t.Fatalf("%v: %s", err, problems.String())
					}
				}
				if delay > patient {
					t.Fatal("it does not get on")
				}
			}
			t.Logf("interrupted %d times", interrupted)
			if interrupted == 0 {
				t.Error("it was not interrupted")
			}
			p.wantCredentials(n, "out.creds")
			_, problems := p.run(exitFailed, args...)
			if !strings.Contains(problems, "job-done") {
				t.Errorf("done again: %s", problems)
			}
		})
	}
}

// Two processes issue from the same home at once: one waits for the other, or says that it does.
func TestTwoIssue(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	const n, processes = 50, 4
	var all sync.WaitGroup
	for i := range processes {
		input := p.marriages(fmt.Sprintf("input-%d.jsonl", i), 1+i*n, n)
		all.Go(func() {
			var out bytes.Buffer
			cmd := p.command(issueArgs("--batch", "8", "--bundle", fmt.Sprintf("out-%d.creds", i), input)...)
			cmd.Stdout = &out
			if err := cmd.Run(); err != nil {
				t.Errorf("process %d: %v", i, err)
				return
			}
			wantIssued(t, out.String(), n)
		})
	}
	all.Wait()
	p.wantCredentials(processes*n, "out-0.creds", "out-1.creds", "out-2.creds", "out-3.creds")

	// The same input twice at once: each licence once, whoever comes first.
	input := p.marriages("same.jsonl", 5000, n)
	issued := make([]int64, processes)
	for i := range processes {
		all.Go(func() {
			var out bytes.Buffer
			cmd := p.command(issueArgs("--bundle", fmt.Sprintf("same-%d.creds", i), input)...)
			cmd.Stdout = &out
			if exitCode(t, cmd.Run()) == exitUsage {
				t.Errorf("process %d was called wrongly", i)
			}
			var report issuedAnswer
			if err := json.Unmarshal(out.Bytes(), &report); err != nil {
				t.Errorf("process %d: %v in %s", i, err, out.String())
			}
			issued[i] = report.Issued
		})
	}
	all.Wait()
	sum := int64(0)
	for _, k := range issued {
		sum += k
	}
	if sum != n {
		t.Errorf("issued %v, want %d in all", issued, n)
	}
	p.run(exitDone, "audit")
}

// Killed while it makes a home, and run again: the home is made, and nothing else is left. One at a time
// makes it.
func TestInitKilled(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	killed := 0
	for delay := 5 * time.Millisecond; ; delay += max(5*time.Millisecond, delay/10) {
		cmd := p.command("init")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(delay, func() { _ = cmd.Process.Kill() }) // it may have ended
		if err := cmd.Wait(); err == nil {
			break
		}
		killed++
		if _, err := os.Stat(filepath.Join(p.home, configFile)); err == nil {
			break // killed when all was done
		}
	}
	t.Logf("killed %d times", killed)
	if killed == 0 {
		t.Error("it was not killed")
	}
	entries, err := filepath.Glob(filepath.Join(p.home, "[^.]*"))
	if err != nil || len(entries) != 10 {
		t.Errorf("the home has %v", entries)
	}
	p.run(exitDone, "audit")
	p.marriages("input.jsonl", 1, 1)
	p.run(exitDone, issueArgs("--out", "out", "input.jsonl")...)

	p.home = filepath.Join(p.dir, "second")
	const processes = 4
	codes := make([]int, processes)
	var all sync.WaitGroup
	for i := range processes {
		all.Go(func() { codes[i] = exitCode(t, p.command("init").Run()) })
	}
	all.Wait()
	slices.Sort(codes)
	if !slices.Equal(codes, []int{exitDone, exitFailed, exitFailed, exitFailed}) {
		t.Errorf("of several at once the exit codes are %v", codes)
	}
	p.run(exitDone, "audit")
}

// The disk is full at every possible moment of issuing, then there is room again: every licence is
// issued, and none twice.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	const n = 200
	for _, out := range []string{"--out", "--bundle"} {
		t.Run(out, func(t *testing.T) {
			t.Parallel()
			p := newProcess(t)
			p.run(exitDone, "init")
			p.marriages("input.jsonl", 1, n)
			args := issueArgs("--batch", "32", out, "out", "input.jsonl")
			failed := 0
			for limit := 2 << 10; ; limit *= 2 {
				var stdout, stderr bytes.Buffer
				cmd := p.command(args...)
				cmd.Env = append(cmd.Env, fileLimit+"="+strconv.Itoa(limit))
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				if got := exitCode(t, cmd.Run()); got == exitDone {
					wantIssued(t, stdout.String(), n)
					break
				} else if got != exitFailed {
					t.Fatalf("with %d bytes: exit code %d\n%s%s", limit, got, stdout.String(), stderr.String())
				}
				failed++
				values, err := commandtest.Values(stderr.String())
				if err != nil || len(values) != 1 {
					t.Fatalf("with %d bytes: %v in %s", limit, err, stderr.String())
				}
				switch code := commandtest.At(values[0], "error.code"); code {
				case "storage", "ledger-storage", "not-submitted", "outcome-unknown", "database-unavailable":
				default:
					t.Errorf("with %d bytes: code %s: %s", limit, code, stderr.String())
				}
				p.run(exitDone, "audit")
			}
			t.Logf("failed %d times", failed)
			if failed < 5 {
				t.Errorf("only %d runs met the full disk", failed)
			}
			files := []string{"out"}
			if out == "--out" {
				files, _ = filepath.Glob(filepath.Join(p.dir, "out", "*.cred"))
				if left, _ := os.ReadDir(filepath.Join(p.dir, "out")); len(left) != n {
					t.Errorf("%d files are left in the directory", len(left))
				}
			}
			p.wantCredentials(n, files...)
		})
	}
}

// A full disk while anything else is written leaves what was there, and no half of anything.
func TestDiskFullElsewhere(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	p.write("good.json", []byte(marriage))
	p.run(exitDone, issueArgs("--out", "m", "good.json")...)
	const cred = "m/licence-0000001.cred"
	p.run(exitDone, "present", cred, "--all", "--qr", "code.png")
	before, err := os.ReadFile(filepath.Join(p.dir, "code.png"))
	if err != nil {
		t.Fatal(err)
	}
	p.env = append(p.env, fileLimit+"=100")
	p.run(exitFailed, "init", "--home", "second")
	if entries, _ := filepath.Glob(filepath.Join(p.dir, "second*")); len(entries) > 0 {
		t.Errorf("half a home is left: %v", entries)
	}
	for _, args := range [][]string{
		{"present", cred, "--all", "--qr", "code.png"},
		{"present", cred, "--all", "--qr", "code.svg"},
		{"keys", "export", "--department", "civil-affairs", "--out", "key.pem", "anchor"},
		{"keys", "generate", "--department", "civil-affairs", "--name", "new", "--purposes", "anchor"},
		{"status", "set", "--department", "civil-affairs", "--to", "revoked", "--reason", "error", cred},
	} {
		p.run(exitFailed, args...)
	}
	p.env = nil
	after, err := os.ReadFile(filepath.Join(p.dir, "code.png"))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the picture was overwritten: %v", err)
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil || len(entries) != 4 { // home, m, good.json, code.png
		t.Errorf("left over: %v %v", entries, err)
	}
	p.run(exitDone, "verify", cred)
	p.run(exitDone, "audit")
}
