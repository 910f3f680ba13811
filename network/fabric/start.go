package fabric

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// running reports whether a process of this machine runs.
func (n *Network) running(p *node) bool {
	if n.supervised() {
		return len(p.ports()) == 0 || n.listening(context.Background(), p) == nil
	}
	return readProcess(n.pidFile(p)).alive()
}

// supervised reports whether the processes are run by something else.
func (n *Network) supervised() bool { return n.topology.Supervisor != "" }

// start starts a process unless it runs, and reports whether it did.
func (n *Network) start(ctx context.Context, p *node) (bool, error) {
	if n.supervised() || n.running(p) {
		return false, nil
	}
	if err := checkPorts(p); err != nil {
		return false, err
	}
	if p.kind == kindPeer {
		// The peer caches what the external builder made, with the chaincode server's address and
		// certificates; without it, it has the builder render them again.
		if err := os.RemoveAll(n.builds(p)); err != nil {
			return false, failf(CodeDirectory, "%w", err)
		}
	}
	argv, env, err := n.processOf(ctx, p)
	if err != nil {
		return false, err
	}
	if n.Wrap != nil {
		argv = n.Wrap(p.name, argv)
	}
	if err := n.markLog(p); err != nil {
		return false, err
	}
	if _, err := spawn(argv, append(environment(), env...), n.topology.dir(p), n.logFile(p), n.pidFile(p)); err != nil {
		return false, failf(CodeNodeDied, "start %s: %w", p.name, err)
	}
	return true, nil
}

// startMark begins what a process writes to its log from its start on.
const startMark = "--- started by credledger ---\n"

func (n *Network) markLog(p *node) error {
	f, err := os.OpenFile(n.logFile(p), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return failf(CodeDirectory, "%w", err)
	}
	_, err = f.WriteString(startMark)
	return errors.Join(err, f.Close())
}

// died returns why a process that was started no longer runs, nil if it does. What others run is
// waited for.
func (n *Network) died(p *node) error {
	if n.supervised() || !n.local(p) || n.running(p) {
		return nil
	}
	words := n.lastWords(p)
	hint := ""
	if bytes.Contains(words, []byte(forgotten)) {
		hint = "; its directory lacks blocks that the other orderers know it to have had (OPERATIONS.md: an orderer that was lost)"
	}
	return failf(CodeNodeDied, "%s ended by itself%s; the end of its log %s:\n%s", p.name, hint, n.logFile(p), words)
}

// forgotten is in the last words of an orderer whose data was lost or replaced by an older copy: Raft
// forbids that, since what it had confirmed may be committed.
const forgotten = "is out of range [lastIndex("

const (
	lastWordsLines = 12
	lastWordsBytes = 16 << 10
)

// lastWords are the last lines that a process wrote since it was started.
func (n *Network) lastWords(p *node) []byte {
	b := tail(n.logFile(p), lastWordsBytes)
	if i := bytes.LastIndex(b, []byte(startMark)); i >= 0 {
		b = b[i+len(startMark):]
	}
	return lastLines(bytes.TrimRight(b, "\n"), lastWordsLines)
}

// lastLines returns the last lines of a text.
func lastLines(b []byte, n int) []byte {
	lines := bytes.Split(b, []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-n):], []byte("\n"))
}

// tail reads the end of a file.
func tail(path string, limit int64) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > limit {
		f.Seek(-limit, io.SeekEnd)
	}
	b, _ := io.ReadAll(io.LimitReader(f, limit))
	return b
}

// checkPorts reports a port that the process needs and another one listens on.
func checkPorts(p *node) error {
	for _, i := range p.ports() {
		l, err := net.Listen("tcp4", p.listenAddress(i))
		if err == nil {
			l.Close()
			continue
		}
		if errors.Is(err, syscall.EADDRINUSE) {
			return failf(CodePortInUse, "%s cannot listen on %s: %s; end that, or give %s another port in the topology",
				p.name, p.listenAddress(i), listener(p.Port+i), p.name)
		}
		// Any other failure (an address that this machine has in another network namespace only) is
		// for the process itself to report.
	}
	return nil
}

// listener says which process listens on a port, as far as this user may know.
func listener(port int) string {
	inode := listeningSocket(port)
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if err != nil || target != "socket:["+inode+"]" {
			continue
		}
		pid := filepath.Base(filepath.Dir(filepath.Dir(fd)))
		name, _ := os.ReadFile("/proc/" + pid + "/comm")
		return fmt.Sprintf("process %s (%s) listens there", pid, bytes.TrimSpace(name))
	}
	return "a process of another user listens there"
}

// listeningSocket finds the inode of the socket that listens on a TCP port (proc(5), /proc/net/tcp).
func listeningSocket(port int) string {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, _ := os.ReadFile(table)
		for line := range bytes.Lines(b) {
			fields := bytes.Fields(line)
			if len(fields) < 10 || string(fields[3]) != "0A" {
				continue
			}
			_, local, _ := bytes.Cut(fields[1], []byte(":"))
			if n, err := strconv.ParseUint(string(local), 16, 16); err == nil && int(n) == port {
				return string(fields[9])
			}
		}
	}
	return ""
}

const dialPatience = time.Second

// listening reports whether a process serves where others reach it, under a certificate that they
// accept.
func (n *Network) listening(ctx context.Context, p *node) error {
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	config, err := n.clientTLS(p)
	if err != nil {
		return err
	}
	d := tls.Dialer{Config: config}
	c, err := d.DialContext(ctx, "tcp", p.address(p.port()))
	if err != nil {
		return err
	}
	return c.Close()
}

// clientTLS is how this machine's processes reach a process over TLS: with their own certificate if
// the process is one of this machine's; a chaincode server's client is its peer.
func (n *Network) clientTLS(p *node) (*tls.Config, error) {
	t := n.topology
	root, err := os.ReadFile(t.rootOf(p.org, p.kind))
	if err != nil {
		return nil, failf(CodeCertificates, "%s: %w", p.name, err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	config.RootCAs.AppendCertsFromPEM(root)
	if !n.local(p) {
		return config, nil
	}
	own := t.tlsOf(p.org, strings.Replace(p.short(), kindChaincode, kindPeer, 1))
	certificate, err := tls.LoadX509KeyPair(own.Certificate, own.Key)
	if err != nil {
		return nil, failf(CodeCertificates, "%s: %w", p.name, err)
	}
	config.Certificates = []tls.Certificate{certificate}
	return config, nil
}
