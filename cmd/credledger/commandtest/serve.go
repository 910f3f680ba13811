package commandtest

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a service may take to listen, and to end.
const patience = time.Minute

var port = regexp.MustCompile(`address: "127\.0\.0\.1:\d+"|metrics: "127\.0\.0\.1:\d+"`)

// serveIssuer runs the issuing service of a department of the script's home, on ports that are free, until the
// script ends, and sets ISSUER_URL to where it is.
func serveIssuer(ts *testscript.TestScript, department string) {
	file := filepath.Join(ts.Getenv("CREDLEDGER_HOME"), "issuer", department, "issuer.yaml")
	b, err := os.ReadFile(file)
	ts.Check(err)
	b = port.ReplaceAllFunc(b, func(found []byte) []byte {
		return append(found[:strings.LastIndexByte(string(found), ':')+1:len(found)], `0"`...)
	})
	ts.Check(os.WriteFile(file, b, 0o600))
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, filepath.Join(strings.Split(ts.Getenv("PATH"), string(filepath.ListSeparator))[0], "credledger"), "issuer", "serve", "--department", department)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	cmd.Env = []string{"CREDLEDGER_HOME=" + ts.Getenv("CREDLEDGER_HOME"), "LANG=C"}
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ended := make(chan struct{})
	listening := make(chan string, 1)
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if name, url, ok := strings.Cut(lines.Text(), " "); ok && name == "web" {
				listening <- url
			}
		}
		_ = cmd.Wait() // it is told to end by a signal
	}()
	ts.Defer(func() {
		cancel()
		<-ended
	})
	select {
	case url := <-listening:
		ts.Setenv("ISSUER_URL", url)
	case <-ended:
		ts.Fatalf("the issuing service of %s has ended: %s", department, problems.String())
	case <-time.After(patience):
		ts.Fatalf("the issuing service of %s does not listen within %v", department, patience)
	}
}
