package vault

import (
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
)

func init() {
	cases = append(cases, []struct {
		name string
		test func(*testing.T, *place)
	}{
		{"erase", testErase},
		{"sweep", testSweep},
	}...)
}

func testErase(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(3)
	b := p.add(t, v, deposits)
	id := b.First + 1
	erase := func(ids ...ID) error {
		return v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Erase(ids...) })
	}
	refused(t, erase(id), CodeNotAnchored)
	p.anchor(t, v, b)
	refused(t, erase(b.First, 99), CodeUnknown)
	kept, err := v.Keep(t.Context(), Binding{Licence: id, NotBefore: p.time(), NotAfter: p.time().Add(time.Hour), Statement: []byte("binding")})
	must(t, err)
	late, err := v.Keep(t.Context(), Binding{Licence: id, NotBefore: p.time(), NotAfter: p.time().Add(time.Hour), Statement: []byte("binding")})
	must(t, err)
	write(t, v, func(tx *Tx) error {
		if _, err := tx.AddBinding(kept); err != nil {
			return err
		}
		return tx.KeepOpening(&Opening{Key: "reason", Salt: credential.Salt{1}, Code: "death", Digest: deposits[1].Digest})
	})
	write(t, v, func(tx *Tx) error {
		return tx.Propose(&Proposal{Kind: "revoke", Licence: id, Expires: p.time().Add(time.Hour), Content: []byte("because")})
	})
	must(t, erase(id))
	must(t, erase(id)) // once more

	for table, column := range map[string]string{"vault_content": "licence", "vault_holder": "licence", "vault_binding": "licence", "vault_proposal": "licence"} {
		same(t, "rows in "+table, count(t, v, table, column+" = $1", int64(id)), 0)
	}
	same(t, "openings", count(t, v, "vault_opening", "1 = 1"), 0)
	l, err := v.Licence(t.Context(), id)
	must(t, err)
	if l.ErasedAt == nil || !l.ErasedAt.Equal(p.time().Truncate(time.Second)) || l.Digest != deposits[1].Digest || l.Index != 1 || !l.HoldsNumber || l.Lost {
		t.Fatalf("after the erasure: %+v", l)
	}
	_, err = v.OpenLicences(t.Context(), clerk, id)
	refused(t, err, CodeErased)
	_, err = v.OpenBatch(t.Context(), clerk, b.ID)
	refused(t, err, CodeErased)
	_, err = v.Bindings(t.Context(), id)
	refused(t, err, CodeErased)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { _, err := tx.AddBinding(late); return err }), CodeErased)
	if found, err := v.ByHolder(t.Context(), deposits[1].Holders[0], []string{"marriage"}, 0, 10); err != nil || len(found) != 0 {
		t.Fatalf("the holder of an erased licence is found: %v, %v", found, err)
	}

	// Its number is not issued once more, and its state still changes.
	again := p.deposits(1)
	again[0].Number = deposits[1].Number
	_, err = p.tryAdd(t, v, again)
	refused(t, err, CodeNumberTaken)
	write(t, v, func(tx *Tx) error { return tx.SetState(id, Change{licence.Revoked, ledgertest.Day, 1}) })
	same(t, "days of its end", count(t, v, "vault_licence", "id = $1 AND ends IS NULL", int64(id)), 1)

	// The others are as they were, and the history tells.
	contents, err := v.OpenLicences(t.Context(), clerk, b.First, b.First+2)
	must(t, err)
	sameBytes(t, "content", contents[1], deposits[2].Content)
	history, err := v.History(t.Context(), id)
	must(t, err)
	same(t, "times it was erased", countActions(history, ActionErased), 1)
}

func countActions(events []Event, action string) (n int) {
	for _, e := range events {
		if e.Action == action {
			n++
		}
	}
	return n
}

func testSweep(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(450) // more than one transaction of the sweep erases
	for i := range deposits {
		until := licence.DateOf(p.time()) - 100
		if i >= 440 {
			until++
		}
		deposits[i].ValidUntil = &until
	}
	deposits[449].ValidUntil = nil
	b := p.add(t, v, deposits)
	today := licence.DateOf(p.time())
	sweep := func(retention map[string]int) int64 {
		t.Helper()
		n, err := v.Sweep(t.Context(), clerk, retention, today)
		must(t, err)
		return n
	}
	same(t, "erased before they are anchored", sweep(map[string]int{"marriage": 1}), 0)
	p.anchor(t, v, b)
	same(t, "erased of another type", sweep(map[string]int{"business-licence": 0}), 0)
	same(t, "erased too early", sweep(map[string]int{"marriage": 100}), 0)
	same(t, "erased", sweep(map[string]int{"marriage": 99}), 440)
	same(t, "erased once more", sweep(map[string]int{"marriage": 99}), 0)
	same(t, "erased a day later", sweep(map[string]int{"marriage": 98}), 9)
	last := b.First + 449
	write(t, v, func(tx *Tx) error { return tx.SetState(last, Change{licence.Revoked, 0, 1}) })
	same(t, "erased of what was revoked today, from long ago on", sweep(map[string]int{"marriage": 0}), 0)
	today += 50
	same(t, "erased of what was just revoked", sweep(map[string]int{"marriage": 50}), 0)
	same(t, "erased of what was revoked long ago", sweep(map[string]int{"marriage": 49}), 1)
	same(t, "contents", count(t, v, "vault_content", "1 = 1"), 0)
	_, err := v.Sweep(t.Context(), clerk, map[string]int{"marriage": -1}, ledgertest.Day)
	refused(t, err, CodeArgument)
}

// testErasedFiles erases licences here and there and returns what must not be found in the database's files
// any more, and what must: wrapped keys, sealed contents.
func testErasedFiles(t *testing.T, p *place, v *Vault) (gone, still [][]byte) {
	t.Helper()
	const batches, size = 6, 300
	random := rand.New(rand.NewSource(1))
	for range batches {
		deposits := p.deposits(size)
		sealed, err := v.Seal(t.Context(), "marriage", deposits)
		must(t, err)
		var b *Batch
		write(t, v, func(tx *Tx) error {
			b, err = tx.AddBatch(NewBatch{Head: p.sign(t, "marriage", deposits, nil)}, sealed)
			return err
		})
		p.anchor(t, v, b)
		var ids []ID
		for i, s := range sealed {
			if random.Intn(3) == 0 {
				still = append(still, s.wrapped, s.content)
			} else {
				ids = append(ids, b.First+ID(i))
				gone = append(gone, s.wrapped)
				if v.db.SQLite() {
					gone = append(gone, s.content)
				}
			}
		}
		random.Shuffle(len(ids), func(i, k int) { ids[i], ids[k] = ids[k], ids[i] })
		for len(ids) > 0 { // several transactions, so that pages are written in between
			n := min(len(ids), 50)
			write(t, v, func(tx *Tx) error { return tx.Erase(ids[:n]...) })
			ids = ids[n:]
		}
	}
	return gone, still
}

// found returns how many of the byte strings, by a part of them that is random, stand in the files of a directory.
func found(t *testing.T, dir string, wanted [][]byte) (n int) {
	t.Helper()
	const from, to = 8, 32 // wrapped keys all begin with the same master key's id; a long content is spread over pages
	parts := map[[to - from]byte]bool{}
	begins := make([]bool, 1<<16)
	for _, w := range wanted {
		parts[[to - from]byte(w[from:to])] = true
		begins[int(w[from])<<8|int(w[from+1])] = true
	}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		for i := 0; i+to-from <= len(content); i++ {
			if begins[int(content[i])<<8|int(content[i+1])] && parts[[to - from]byte(content[i:])] {
				n++
			}
		}
		return err
	}))
	return n
}

func TestErasedFromSQLiteFiles(t *testing.T) {
	p := sqlitePlace(t)
	v := p.create(t)
	gone, still := testErasedFiles(t, p, v)
	dir := filepath.Dir(p.address)
	if found(t, dir, gone) == 0 {
		t.Fatal("before it was scrubbed nothing is left of what was erased: the test finds nothing")
	}
	must(t, v.Scrub(t.Context()))
	if n := found(t, dir, gone); n != 0 {
		t.Fatalf("of %d keys and contents that were erased %d are still in the files", len(gone), n)
	}
	if n := found(t, dir, still); n < len(still) {
		t.Fatalf("of %d keys and contents that were kept only %d are found", len(still), n)
	}
}

func testScrubbedPostgreSQL(t *testing.T, p *place, server *sqldbtest.Server) {
	v := p.create(t)
	gone, still := testErasedFiles(t, p, v)
	files := server.Files(t, p.address)
	must(t, v.db.Exec(t.Context(), "CHECKPOINT")) // what is only in memory is written
	if found(t, files, gone) == 0 {
		t.Fatal("before it was scrubbed nothing is left of what was erased: the test finds nothing")
	}
	must(t, v.Scrub(t.Context()))
	must(t, v.db.Exec(t.Context(), "CHECKPOINT"))
	if n := found(t, files, gone); n != 0 {
		t.Fatalf("of %d keys that were erased %d are still in the tables' files", len(gone), n)
	}
	if n := found(t, files, still); n < len(still) {
		t.Fatalf("of %d keys and contents that were kept only %d are found", len(still), n)
	}
}

// TestErasedFromCopies shows what ends licences in copies of before: the end of the master key.
func TestErasedFromCopies(t *testing.T) {
	p := sqlitePlace(t)
	v := p.create(t)
	b := p.add(t, v, p.deposits(2))
	p.anchor(t, v, b)
	must(t, v.Scrub(t.Context()))
	copied := p.copy(t, p.address)
	write(t, v, func(tx *Tx) error { return tx.Erase(b.First) })
	open := func(keys KeyWrapper) error {
		old, err := Open(t.Context(), copied, keys, p.time)
		if err != nil {
			return err
		}
		defer old.Close()
		_, err = old.OpenLicences(t.Context(), clerk, b.First)
		return err
	}
	must(t, open(p.keys(t))) // as long as its master key lives

	old, err := p.keys(t).Keys()
	must(t, err)
	_, err = masterkey.Rotate(p.keyFile)
	must(t, err)
	n, err := v.Rewrap(t.Context(), clerk)
	must(t, err)
	same(t, "keys rewrapped", n, 2) // one licence, and the vault's secret
	must(t, v.RetireMasterKey(t.Context(), clerk, MasterID(old[0])))
	must(t, masterkey.Forget(p.keyFile, old[0]))
	refused(t, open(p.keys(t)), CodeKeys)
	contents, err := v.OpenLicences(t.Context(), clerk, b.First+1)
	must(t, err)
	sameBytes(t, "content", contents[0], contentOf(2))
}
