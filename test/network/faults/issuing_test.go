//go:build network

package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	sdkfabric "github.com/credledger/credledger/sdk/fabric"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// issuingVariable makes of this program an issuing department at work, which comes to harm: it has
// the directory with vault and input, the client configuration, and the time of what is signed,
// one on each line.
const issuingVariable = "CREDLEDGER_FAULTS_ISSUING"

const (
	issuedType  = "marriage"
	issuedBatch = 8
	issued      = 6000 // licences
)

// issuingProcess issues the input, or goes on with it.
func issuingProcess() int {
	order := strings.Split(os.Getenv(issuingVariable), "\n")
	signedAt, err := strconv.ParseInt(order[2], 10, 64)
	if err == nil {
		err = issue(order[0], order[1], signedAt)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, issuer.Code(err), err)
		return 1
	}
	return 0
}

func issue(dir, config string, signedAt int64) error {
	ctx := context.Background()
	t := new(testing.B) // the city wants one; it does not fail here
	city := ledgertest.NewCity(t, "issuing")
	d := city.Issuer(t, issuedType)
	c, err := sdkfabric.LoadConfig(config)
	if err != nil {
		return err
	}
	connection, err := sdkfabric.Open(ctx, c)
	if err != nil {
		return err
	}
	defer connection.Close()
	v, err := openVault(ctx, dir, vault.Open)
	if err != nil {
		return err
	}
	defer v.Close()
	department := licence.Department{ID: d.ID, USCC: d.Profile.USCC, Issues: d.Profile.Issues}
	for _, u := range d.Profile.Units {
		department.Units = append(department.Units, licence.Unit{ID: u.ID, DivisionCode: u.DivisionCode})
	}
	iss, err := issuer.New(ctx, issuer.Config{
		Department: department, Types: city.Types, Ledger: connection, Vault: v,
		Signers: issuer.Fixed(map[statement.Purposes][]sm.Signer{statement.PurposeAnchor: {d.Anchor}}),
		Now:     func() time.Time { return time.Unix(signedAt, 0) },
	})
	if err != nil {
		return err
	}
	defer iss.Close()
	for {
		if _, err := iss.CatchUp(ctx); err != nil {
			return err
		}
		if err := acceptOthers(ctx, v, uint64(signedAt)); err != nil {
			return err
		}
		_, err := iss.Issue(ctx, clerk, issuer.Job{
			Type: issuedType, Inputs: []string{filepath.Join(dir, "input")}, Bundle: filepath.Join(dir, "bundle"), Batch: issuedBatch,
		}, nil)
		if vault.Code(err) != vault.CodeContentsLost {
			return err
		}
	}
}

// clerk does what the tests do.
var clerk = vault.By{Actor: "clerk", Purpose: "faults"}

// openVault opens the vault in a directory.
func openVault(ctx context.Context, dir string, open func(context.Context, string, vault.KeyWrapper, func() time.Time) (*vault.Vault, error)) (*vault.Vault, error) {
	keys, err := masterkey.Open(filepath.Join(dir, "master.keys"))
	if err != nil {
		return nil, err
	}
	return open(ctx, filepath.Join(dir, "vault.db"), keys, time.Now)
}

// acceptOthers has the vault do without what the department has issued on the ledger by other means: those who watch the
// network issue in its name too. What the process itself has issued the vault must have.
func acceptOthers(ctx context.Context, v *vault.Vault, signedAt uint64) error {
	lost, err := v.Lost(ctx)
	if err != nil {
		return err
	}
	return v.Write(ctx, clerk, func(tx *vault.Tx) error {
		for _, b := range lost {
			if b.IssuedAt == signedAt {
				return fmt.Errorf("the root %s of this process is on the ledger, and not in its vault", b.Root)
			}
			if err := tx.AcceptLoss(b.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// createVault makes the vault in a directory.
func createVault(ctx context.Context, dir string, id vault.Identity) error {
	if err := masterkey.Create(filepath.Join(dir, "master.keys")); err != nil {
		return err
	}
	v, err := openVault(ctx, dir, func(ctx context.Context, address string, keys vault.KeyWrapper, now func() time.Time) (*vault.Vault, error) {
		return vault.Create(ctx, address, id, keys, now)
	})
	if err != nil {
		return err
	}
	return v.Close()
}

// An issuing is a department that issues licences in a process of its own.
type issuing struct {
	*testing.T
	*city
	dir      string
	at       *site  // where the process runs
	signedAt uint64 // of what it signs: tells it from all else
	from     uint64 // number of the first block in which it may have anchored
}

func newIssuing(t *testing.T, c *city) *issuing {
	t.Helper()
	c.jobs++
	x := &issuing{
		T: t, city: c, dir: t.TempDir(), at: c.sites[c.Issuer(t, issuedType).ID],
		signedAt: ledgertest.Time + 10*24*3600 + c.jobs,
	}
	err := createVault(t.Context(), x.dir, vault.Identity{Ledger: c.ID, Department: c.Issuer(t, issuedType).ID})
	if err == nil {
		x.from, err = c.chains[0].height(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	x.from-- // there is a block to read at once
	x.writeInput()
	return x
}

// writeInput writes the samples over and over, with numbers of their own, as JSON Lines.
func (x *issuing) writeInput() {
	x.Helper()
	text, err := samples.Files.ReadFile(issuedType + ".jsonl")
	if err != nil {
		x.Fatal(err)
	}
	lines := bytes.SplitAfter(bytes.TrimSpace(text), []byte("\n"))
	key := []byte(`"` + x.Type(x.T, issuedType).NumberField().Key + `": "`)
	var out bytes.Buffer
	for i := range issued {
		head, rest, found := bytes.Cut(bytes.TrimSpace(lines[i%len(lines)]), key)
		_, tail, closed := bytes.Cut(rest, []byte(`"`))
		if !found || !closed {
			x.Fatal("a sample has no number")
		}
		fmt.Fprintf(&out, "%s%sJ990101-%09d\"%s\n", head, key, i, tail)
	}
	if err := os.WriteFile(filepath.Join(x.dir, "input"), out.Bytes(), 0o600); err != nil {
		x.Fatal(err)
	}
}

// begin begins the process; wait returns whether it finished the job, or else what it said.
func (x *issuing) begin() (process *os.Process, wait func() (done bool, said string)) {
	x.Helper()
	argv := x.at.within(os.Args[0])
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s\n%s\n%d",
		issuingVariable, x.dir, x.network.Config(x.Issuer(x.T, issuedType).ID), x.signedAt))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		x.Fatal(err)
	}
	return cmd.Process, func() (bool, string) {
		err := cmd.Wait()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
			return false, "killed"
		}
		done := err == nil || strings.HasPrefix(stderr.String(), issuer.CodeJobDone+" ")
		return done, strings.TrimSpace(stderr.String())
	}
}

// check compares what was issued with what is on every peer.
func (x *issuing) check() {
	x.Helper()
	bundle, err := os.ReadFile(filepath.Join(x.dir, "bundle"))
	if err != nil {
		x.Fatal(err)
	}
	roots, digests := map[sm.Hash]bool{}, map[sm.Hash]bool{}
	typ := x.Type(x.T, issuedType)
	for len(bundle) > 0 {
		p, n, err := credential.ParsePrefix(bundle)
		if err != nil {
			x.Fatal(err)
		}
		opened, err := p.Open(typ)
		if err != nil {
			x.Fatal(err)
		}
		bundle = bundle[n:]
		digests[opened.Digest], roots[opened.Signed.Root] = true, true
	}
	if len(digests) != issued {
		x.Errorf("%d licences were issued, want %d", len(digests), issued)
	}
	x.caughtUp(x.T)
	for _, chain := range x.chains {
		heads, licences := x.anchored(chain)
		twice, strange := 0, 0
		for root, times := range heads {
			if times != 1 {
				twice++
			}
			if !roots[root] {
				strange++
			}
		}
		if twice > 0 || strange > 0 || len(heads) != len(roots) || licences != issued {
			x.Errorf("%s: %d roots with %d licences are there, want %d with %d; %d more than once, %d of no licence that was issued",
				chain.name, len(heads), licences, len(roots), issued, twice, strange)
		}
	}
	x.Logf("%d licences under %d roots, each there once on %d peers", len(digests), len(roots), len(x.chains))
}

// anchored counts the roots of the process on a peer, and the licences under them.
func (x *issuing) anchored(c *chain) (heads map[sm.Hash]int, licences int) {
	x.Helper()
	height, err := c.height(x.Context())
	if err != nil {
		x.Fatal(err)
	}
	return x.read(c, func(b *ledger.Block, _ int) bool { return b.Number+1 == height })
}

// read counts likewise, in the blocks since the process first began, up to the one that is to be the
// last: it is asked of each, with the number of roots so far.
func (x *issuing) read(c *chain, last func(b *ledger.Block, roots int) bool) (heads map[sm.Hash]int, licences int) {
	x.Helper()
	ctx, cancel := context.WithTimeout(x.Context(), patience)
	defer cancel()
	heads = map[sm.Hash]int{}
	for b, err := range c.Follow(ctx, x.from) {
		if err != nil {
			x.Fatal(err)
		}
		for _, transaction := range b.Transactions {
			tx, err := chaincode.ParseTransaction(transaction.Bytes)
			if err != nil {
				x.Fatal(err)
			}
			for _, signed := range tx.Statements {
				s, err := statement.Parse(signed)
				if err != nil {
					x.Fatal(err)
				}
				if h, ok := s.Body.(*statement.Head); ok && h.SignedAt == x.signedAt {
					heads[h.Root]++
					licences += int(h.Size)
				}
			}
		}
		if last(b, len(heads)) {
			break
		}
	}
	return heads, licences
}

// killedWhileIssuing kills the process again and again, at any moment.
func killedWhileIssuing(t *testing.T, c *city) {
	const most = 4
	x := newIssuing(t, c)
	for kills := 0; ; kills++ {
		process, wait := x.begin()
		if kills < most {
			time.Sleep(700*time.Millisecond + rand.N(1500*time.Millisecond))
			if err := process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
		}
		done, said := wait()
		if done {
			t.Logf("killed %d times", kills)
			break
		}
		if said != "killed" || kills == most {
			t.Fatalf("after %d kills: %s", kills, said)
		}
	}
	x.check()
}

// cutOffWhileIssuing cuts the organisation off in which the process runs.
func cutOffWhileIssuing(t *testing.T, c *city) {
	const some, most = 50, 5
	x := newIssuing(t, c)
	_, wait := x.begin()
	elsewhere := c.chains[0]
	x.read(elsewhere, func(_ *ledger.Block, roots int) bool { return roots >= some })
	if err := x.at.cut(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(while / 4) // what the orderers had is committed
	before, _ := x.anchored(elsewhere)
	time.Sleep(while)
	during, _ := x.anchored(elsewhere)
	if err := x.at.mend(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	done, said := wait()
	again := 0
	for ; !done && again < most; again++ {
		t.Logf("it ended: %s", said)
		_, wait = x.begin()
		done, said = wait()
	}
	if !done {
		t.Fatalf("begun %d times after mending, it does not come to an end: %s", again, said)
	}
	if len(during) != len(before) || len(before)*issuedBatch >= issued {
		t.Errorf("%d batches were anchored when it was cut off, and %d before it was mended", len(before), len(during))
	}
	t.Logf("%d batches anchored when it was cut off; begun again %d times; done %s after mending", len(before), again, short(time.Since(begun)))
	x.check()
}
