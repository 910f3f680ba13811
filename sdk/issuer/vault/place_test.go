package vault

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/statement"
)

func init() {
	cases = append(cases, []struct {
		name string
		test func(*testing.T, *place)
	}{
		{"create and open", testCreateAndOpen},
		{"newer", testNewer},
		{"processes open together", testOpenTogether},
		{"context", testContext},
	}...)
}

func testCreateAndOpen(t *testing.T, p *place) {
	keys := p.keys(t)
	_, err := Open(t.Context(), p.address, keys, p.time)
	refused(t, err, CodeMissing)
	for _, id := range []Identity{{}, {Department: string(make([]byte, maxDepartment+1))}} {
		_, err = Create(t.Context(), p.address, id, keys, p.time)
		refused(t, err, CodeArgument)
	}
	v := p.create(t)
	_, err = Create(t.Context(), p.address, p.identity(), keys, p.time)
	refused(t, err, CodeExists)
	same(t, "identity", p.open(t).Identity(), p.identity())
	same(t, "identity", v.Identity(), p.identity())
	must(t, v.Ping(t.Context()))
	must(t, v.db.Exec(t.Context(), "DELETE FROM vault_meta WHERE name = 'secret'"))
	_, err = Open(t.Context(), p.address, keys, p.time)
	refused(t, err, CodeDamaged)
}

func testNewer(t *testing.T, p *place) {
	must(t, p.create(t).db.Exec(t.Context(), "INSERT INTO vault_migration (version, applied_at) VALUES (1000, 0)"))
	_, err := Open(t.Context(), p.address, p.keys(t), p.time)
	refused(t, err, sqldb.CodeNewer)
}

func testOpenTogether(t *testing.T, p *place) {
	b := p.add(t, p.create(t), p.deposits(1))
	inParallel(6, func(int) {
		v, err := Open(t.Context(), p.address, p.keys(t), p.time)
		if err == nil {
			_, err = v.OpenLicences(t.Context(), clerk, b.First)
			_ = v.Close()
		}
		if err != nil {
			t.Error(err)
		}
	})
}

func testContext(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"ping":     func() error { return v.Ping(ctx) },
		"write":    func() error { return v.Write(ctx, clerk, func(tx *Tx) error { return tx.TakeNumber(b.First) }) },
		"licence":  func() error { _, err := v.Licence(ctx, b.First); return err },
		"open":     func() error { _, err := v.OpenLicences(ctx, clerk, b.First); return err },
		"catch up": func() error { _, err := v.CatchUp(ctx, p.ledger); return err },
		"rewrap":   func() error { _, err := v.Rewrap(ctx, clerk); return err },
		"scrub":    func() error { return v.Scrub(ctx) },
	} {
		if err := call(); Code(err) != sqldb.CodeUnavailable && Code(err) != sqldb.CodeBusy {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, v.Ping(t.Context()))
}

func TestAddresses(t *testing.T) {
	p := sqlitePlace(t)
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	must(t, os.WriteFile(text, []byte(strings.Repeat("this is not a database. ", 100)), 0o600))
	empty := filepath.Join(dir, "empty")
	must(t, os.WriteFile(empty, nil, 0o600))
	for address, code := range map[string]string{
		"":                               sqldb.CodeAddress,
		dir:                              sqldb.CodeAddress,
		filepath.Join(dir, "none"):       CodeMissing,
		filepath.Join(dir, "a", "b"):     CodeMissing,
		text:                             sqldb.CodeDamaged,
		empty:                            CodeMissing,
		"postgres://u:hunter2@h:port/n":  sqldb.CodeAddress,
		"postgresql:///name?host=" + dir: sqldb.CodeUnavailable,
	} {
		_, err := Open(t.Context(), address, p.keys(t), p.time)
		refused(t, err, code)
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error repeats a password: %v", err)
		}
	}
	v := p.create(t)
	p.add(t, v, p.deposits(1))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(p.address + suffix)
		must(t, err)
		same(t, "mode of the file"+suffix, info.Mode().Perm(), 0o600)
	}
}

// Environment variables that make the test's program another process: one that issues into a vault, or
// one that holds the master keys.
const (
	issueInto = "CREDLEDGER_TEST_ISSUE_INTO" // path of the vault, of its key file, ledger id, department
	holdKeys  = "CREDLEDGER_TEST_HOLD_KEYS"  // path of the key file, of the socket
)

func TestMain(m *testing.M) {
	if args := strings.Split(os.Getenv(issueInto), "\n"); len(args) == 3 {
		beIssuer(args[0], args[1], args[2])
	}
	if args := strings.Split(os.Getenv(holdKeys), "\n"); len(args) == 2 {
		beKeeper(args[0], args[1])
	}
	os.Exit(m.Run())
}

func end(err error) {
	if err != nil {
		fmt.Println("ended:", err)
		os.Exit(1)
	}
}

// beIssuer puts batches into a vault until it is killed, and says what it has put in.
func beIssuer(address, keyFile, number string) {
	keys, err := masterkey.Open(keyFile)
	end(err)
	v, err := Open(context.Background(), address, keys, time.Now)
	end(err)
	_, err = v.CatchUp(context.Background(), newChain())
	end(err)
	key, err := sm.GenerateKey(nil)
	end(err)
	for i := 0; ; i++ {
		var deposits []Deposit
		var digests []byte
		for k := range 20 {
			d := Deposit{Number: fmt.Sprintf("%s-%d-%d", number, i, k), Holders: []string{"holder"}, Content: contentOf(k)}
			d.Digest = sm.Sum([]byte(d.Number))
			deposits, digests = append(deposits, d), append(digests, d.Digest[:]...)
		}
		head, err := statement.Sign(&statement.Head{Ledger: v.identity.Ledger, Issuer: v.identity.Department, Unit: "unit", Type: "marriage", TypeVersion: 1,
			Root: rootOf(digests), Size: uint32(len(deposits)), SignedAt: 1}, key)
		end(err)
		sealed, err := v.Seal(context.Background(), "marriage", deposits)
		end(err)
		var b *Batch
		end(v.Write(context.Background(), clerk, func(tx *Tx) error {
			if _, err := tx.Free(sealed); err != nil {
				return err
			}
			b, err = tx.AddBatch(NewBatch{Head: head}, sealed)
			return err
		}))
		fmt.Println(b.ID, b.First)
	}
}

// TestKilled kills processes that issue into one vault, in the midst of it: what they have said is there
// is there, and every batch is whole.
func TestKilled(t *testing.T) {
	p := sqlitePlace(t)
	v := p.create(t)
	const processes, each = 3, 12
	said := make([]map[int64]ID, processes)
	inParallel(processes, func(i int) {
		said[i] = map[int64]ID{}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), issueInto+"="+strings.Join([]string{p.address, p.keyFile, strconv.Itoa(i)}, "\n"))
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Error(err)
			return
		}
		for in := bufio.NewScanner(out); in.Scan(); {
			var batch int64
			var first ID
			if _, err := fmt.Sscan(in.Text(), &batch, &first); err != nil {
				t.Errorf("process %d says %q", i, in.Text())
			}
			if said[i][batch] = first; len(said[i]) == each {
				_ = cmd.Process.Kill() // what else it says is read
			}
		}
		_ = cmd.Wait() // it was killed
	})
	pending, err := v.Batches(t.Context(), Pending, 0, 0, 1000)
	must(t, err)
	var next ID = 1
	for _, b := range pending {
		same(t, "first licence of a batch", b.First, next)
		next += ID(b.Size)
		_, err := v.OpenBatch(t.Context(), clerk, b.ID)
		must(t, err)
	}
	for i := range said {
		if len(said[i]) < each {
			t.Errorf("process %d has put in %d batches", i, len(said[i]))
		}
		for id, first := range said[i] {
			b, err := v.Batch(t.Context(), id)
			must(t, err)
			same(t, "first licence of a batch that a process has told of", b.First, first)
		}
	}
	for table, rows := range map[string]int{"vault_licence": 20, "vault_key": 20, "vault_content": 20, "vault_holder": 20} {
		same(t, "rows of "+table, count(t, v, table, "1 = 1"), rows*len(pending))
	}
}

// beKeeper holds the master keys, until its input ends.
func beKeeper(keyFile, socket string) {
	keys, err := masterkey.Open(keyFile)
	end(err)
	l, err := masterkey.Listen(socket)
	end(err)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadByte() // at the end of it
		cancel()
	}()
	fmt.Println("ready")
	end(masterkey.Serve(ctx, l, keys))
	os.Exit(0)
}

// keeper starts a process that holds the master keys, and returns how to end it.
func keeper(t *testing.T, keyFile, socket string) (stop func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holdKeys+"="+keyFile+"\n"+socket)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	ready := bufio.NewScanner(out)
	if !ready.Scan() || ready.Text() != "ready" {
		t.Fatalf("the process with the master keys says %q", ready.Text())
	}
	return func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the process with the master keys: %v", err)
		}
	}
}

// TestKeysElsewhere has a vault whose master keys are in another process, which ends and comes back.
func TestKeysElsewhere(t *testing.T) {
	p := sqlitePlace(t)
	socket := filepath.Join(t.TempDir(), "s")
	stop := keeper(t, p.keyFile, socket)
	remote := masterkey.Dial(socket)
	defer remote.Close()
	v, err := Create(t.Context(), p.address, p.identity(), remote, p.time)
	must(t, err)
	defer v.Close()
	_, err = v.CatchUp(t.Context(), p.ledger)
	must(t, err)
	deposits := p.deposits(2000) // more than one request takes
	b := p.add(t, v, deposits)
	open := func() {
		t.Helper()
		contents, err := v.OpenBatch(t.Context(), clerk, b.ID)
		must(t, err)
		for i := range deposits {
			sameBytes(t, "content", contents[i], deposits[i].Content)
		}
	}
	open()
	stop()
	_, err = v.OpenLicences(t.Context(), clerk, b.First)
	refused(t, err, CodeKeys)
	_, err = v.Licence(t.Context(), b.First) // which needs no key
	must(t, err)
	defer keeper(t, p.keyFile, socket)()
	open()
	ids, err := p.keys(t).Keys()
	must(t, err)
	_, err = masterkey.Rotate(p.keyFile) // the other process notices by itself
	must(t, err)
	n, err := v.Rewrap(t.Context(), clerk)
	must(t, err)
	same(t, "rewrapped", n, 2001)
	must(t, v.RetireMasterKey(t.Context(), clerk, MasterID(ids[0])))
	must(t, masterkey.Forget(p.keyFile, ids[0]))
	open()
}

// FuzzBlock has a ledger say anything at all.
func FuzzBlock(f *testing.F) {
	city := ledgertest.NewCity(f, "fuzz")
	batch := city.Issue(f, "marriage", 2)
	f.Add(batch.Tx.Bytes())
	f.Add(ledgertest.Sign(f, batch.Change(1, "revoked"), batch.Department.Status).Bytes())
	f.Add(ledgertest.Sign(f, batch.Restrict(0), batch.Department.Status).Bytes())
	v := &Vault{identity: Identity{Ledger: city.ID, Department: batch.Issuer}}
	f.Fuzz(func(t *testing.T, tx []byte) {
		items, err := v.appendItems(nil, blockOf(tx))
		if err != nil && Code(err) != CodeLedgerOther {
			t.Fatal(err)
		}
		for _, item := range items {
			if (item.head != nil) == (item.status != nil || item.restriction != nil) {
				t.Fatalf("item %+v", item)
			}
			if item.head != nil && item.head.Issuer != batch.Issuer || item.status != nil && item.status.Issuer != batch.Issuer {
				t.Fatal("another department's")
			}
		}
	})
}
