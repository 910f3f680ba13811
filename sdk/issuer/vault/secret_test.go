package vault

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/sm"
)

func init() {
	cases = append(cases, []struct {
		name string
		test func(*testing.T, *place)
	}{
		{"a stolen copy", testStolen},
		{"rows in each other's place", testSwapped},
		{"master keys", testMasterKeys},
		{"master keys retired meanwhile", testRetiredMeanwhile},
		{"wrapper that breaks its word", testBadWrapper},
	}...)
}

// everything puts something into every table, in which there is a secret.
func everything(t *testing.T, p *place, v *Vault) *Batch {
	t.Helper()
	b := p.add(t, v, p.deposits(2))
	p.anchor(t, v, b)
	kept, err := v.Keep(t.Context(), Binding{Licence: b.First, NotBefore: p.time(), NotAfter: p.time(), Statement: []byte("binding-secret")})
	must(t, err)
	write(t, v, func(tx *Tx) error {
		_, err := tx.AddBinding(kept)
		return errors.Join(err,
			tx.AddJob(&Job{Kind: "import", Detail: []byte("job-detail-secret")}),
			tx.KeepOpening(&Opening{Key: "reason-key-secret", Code: "code-secret"}),
			tx.Propose(&Proposal{Kind: "issue", Licence: b.First, Expires: p.time().Add(time.Hour), Content: []byte("proposal-content-secret")}),
			tx.Enqueue("subscriber", []byte("message-secret")))
	})
	write(t, v, func(tx *Tx) error {
		_, err := tx.Claim(ClaimKey{Caller: "caller-secret", Key: "idempotency-key-secret"}, []byte("answer-secret"), p.time().Add(time.Hour))
		return err
	})
	proposals, err := v.Proposals(t.Context(), "issue", Waiting, 1)
	must(t, err)
	must(t, v.Write(t.Context(), By{Actor: "decider-secret"}, func(tx *Tx) error { _, err := tx.Decide(proposals[0].ID, true); return err }))
	_, err = v.OpenLicences(t.Context(), By{Actor: "reader-secret", Purpose: "reading-secret"}, b.First)
	must(t, err)
	return b
}

var planted = []string{"secret", "content-of-licence", "fields and salts", "J110101", "110101199", clerk.Actor, clerk.Purpose}

func testStolen(t *testing.T, p *place) {
	v := p.create(t)
	everything(t, p, v)
	stolen := dump(t, v)
	if !bytes.Contains(stolen, []byte("marriage")) || !bytes.Contains(stolen, []byte("subscriber")) {
		t.Fatal("the test does not see what is in the tables")
	}
	for _, s := range planted {
		plain := strings.ReplaceAll(string(stolen), "\x00secret\x00", "") // the name of the vault's own
		if strings.Contains(plain, s) {
			t.Errorf("the database tells %q", s)
		}
	}
	other := filepath.Join(t.TempDir(), "other.keys")
	must(t, masterkey.Create(other))
	keys, err := masterkey.Open(other)
	must(t, err)
	_, err = Open(t.Context(), p.address, keys, p.time)
	refused(t, err, CodeKeys)
}

// testSwapped moves sealed things from one row to another, or changes a byte of them.
func testSwapped(t *testing.T, p *place) {
	v := p.create(t)
	b := everything(t, p, v)
	kept, err := v.Keep(t.Context(), Binding{Licence: b.First, NotBefore: p.time(), NotAfter: p.time().Add(time.Hour), Statement: []byte("binding-secret")})
	must(t, err)
	write(t, v, func(tx *Tx) error { _, err := tx.AddBinding(kept); return err })
	p.pass(time.Second)
	write(t, v, func(tx *Tx) error {
		return errors.Join(tx.AddJob(&Job{Name: sm.Hash{1}, Kind: "import"}), tx.KeepOpening(&Opening{Key: "reason", Salt: [16]byte{5}, Code: "c"}),
			tx.Propose(&Proposal{Kind: "issue", Expires: p.time().Add(time.Hour)}), tx.Enqueue("other", []byte("message")))
	})
	open := func() error { _, err := v.OpenLicences(t.Context(), clerk, b.First); return err }
	for _, c := range []struct {
		table, column, order string
		read                 func() error
		code                 string
	}{
		{"vault_content", "sealed", "licence", open, CodeDamaged},
		{"vault_key", "wrapped", "licence", open, CodeKeys},
		{"vault_binding", "sealed", "id", func() error { _, err := v.Bindings(t.Context(), b.First); return err }, CodeDamaged},
		{"vault_history", "sealed", "id", func() error { _, err := v.Events(t.Context(), 0, 10); return err }, CodeDamaged},
		{"vault_job", "sealed", "id", func() error { _, err := v.Jobs(t.Context(), false, 10); return err }, CodeDamaged},
		{"vault_opening", "sealed", "made_at", func() error { _, err := v.Openings(t.Context(), sm.Hash{}, ""); return err }, CodeDamaged},
		{"vault_proposal", "proposed", "created_at", func() error {
			_, err1 := v.Proposals(t.Context(), "issue", Waiting, 9)
			_, err2 := v.Proposals(t.Context(), "issue", Approved, 9)
			return errors.Join(err1, err2)
		}, CodeDamaged},
		{"vault_outbox", "sealed", "id", func() error {
			p.pass(time.Minute)
			_, err1 := v.TakeDue(t.Context(), "subscriber", time.Second, 9)
			_, err2 := v.TakeDue(t.Context(), "other", time.Second, 9)
			return errors.Join(err1, err2)
		}, CodeDamaged},
	} {
		t.Run(c.table, func(t *testing.T) {
			must(t, c.read())
			p.pass(time.Minute)
			rows, err := v.db.Read().Query("SELECT " + c.column + " FROM " + c.table + " ORDER BY " + c.order + " LIMIT 2")
			must(t, err)
			var values [][]byte
			for rows.Next() {
				var value []byte
				must(t, rows.Scan(&value))
				values = append(values, value)
			}
			must(t, errors.Join(rows.Err(), rows.Close()))
			same(t, "rows", len(values), 2)
			put := func(old, value []byte) {
				t.Helper()
				write(t, v, func(tx *Tx) error {
					n, err := tx.exec("tamper", "UPDATE "+c.table+" SET "+c.column+" = $1 WHERE "+c.column+" = $2", value, old)
					if err == nil && n != 1 {
						t.Fatalf("%d rows were changed", n)
					}
					return err
				})
			}
			altered := slices.Clone(values[0])
			altered[len(altered)/2] ^= 1
			for _, bad := range [][]byte{values[1], altered, values[0][:10], {}} {
				if bytes.Equal(bad, values[1]) { // for a moment there are two of them
					put(values[1], []byte("away"))
				}
				put(values[0], bad)
				if err := c.read(); Code(err) != c.code && !(c.table == "vault_key" && len(bad) < minWrapped) {
					t.Fatalf("after %d bytes were put in the place of %d: %v", len(bad), len(values[0]), err)
				} else if err == nil {
					t.Fatal("what was tampered with is read")
				}
				put(bad, values[0])
				if bytes.Equal(bad, values[1]) {
					put([]byte("away"), values[1])
				}
				p.pass(time.Minute)
			}
			must(t, c.read())
		})
	}
}

func testMasterKeys(t *testing.T, p *place) {
	v, other := p.create(t), p.open(t)
	first := p.add(t, v, p.deposits(rewrapChunk+100))
	p.anchor(t, v, first)
	write(t, v, func(tx *Tx) error { return tx.Erase(first.First + 5) })
	ids, err := p.keys(t).Keys()
	must(t, err)
	old := MasterID(ids[0])
	usage := func(id MasterID) int64 {
		t.Helper()
		in, err := v.MasterKeys(t.Context())
		must(t, err)
		return in[id]
	}
	same(t, "keys under the first", usage(old), rewrapChunk+100) // one less that was erased, one more that is the vault's
	refused(t, v.RetireMasterKey(t.Context(), clerk, old), CodeKeyInUse)
	if n, err := v.Rewrap(t.Context(), clerk); n != 0 || err != nil {
		t.Fatalf("nothing to rewrap: %d, %v", n, err)
	}

	fresh, err := masterkey.Rotate(p.keyFile)
	must(t, err)
	second := p.add(t, v, p.deposits(1))
	same(t, "keys under the second", usage(MasterID(fresh)), 1)
	sealedBefore, err := other.Seal(t.Context(), "marriage", p.deposits(1))
	must(t, err)
	sealedBefore[0].wrapped = append(old[:], sealedBefore[0].wrapped[masterIDSize:]...) // as if sealed before
	n, err := v.Rewrap(t.Context(), clerk)
	must(t, err)
	same(t, "rewrapped", n, rewrapChunk+100)
	same(t, "keys under the first", usage(old), 0)
	must(t, v.RetireMasterKey(t.Context(), clerk, old))
	must(t, v.RetireMasterKey(t.Context(), clerk, old))
	must(t, masterkey.Forget(p.keyFile, ids[0]))
	for _, v := range []*Vault{v, other, p.open(t)} {
		contents, err := v.OpenLicences(t.Context(), clerk, first.First, first.First+rewrapChunk+99, second.First)
		must(t, err)
		sameBytes(t, "content", contents[1], contentOf(rewrapChunk+100))
		_, err = v.OpenLicences(t.Context(), clerk, first.First+5)
		refused(t, err, CodeErased)
	}
}

// testRetiredMeanwhile tries to put in what was sealed under a master key that was retired since.
func testRetiredMeanwhile(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(1)
	sealed, err := v.Seal(t.Context(), "marriage", deposits)
	must(t, err)
	ids, err := p.keys(t).Keys()
	must(t, err)
	_, err = masterkey.Rotate(p.keyFile)
	must(t, err)
	_, err = v.Rewrap(t.Context(), clerk)
	must(t, err)
	must(t, v.RetireMasterKey(t.Context(), clerk, MasterID(ids[0])))
	head := p.sign(t, "marriage", deposits, nil)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { _, err := tx.AddBatch(NewBatch{Head: head}, sealed); return err }), CodeKeyRetired)
	p.add(t, v, deposits)
}

// A badWrapper does what no wrapper may.
type badWrapper struct {
	KeyWrapper
	change func([][]byte) [][]byte
	err    error
}

func (b badWrapper) Wrap(ctx context.Context, aads, keys [][]byte) ([][]byte, error) {
	out, err := b.KeyWrapper.Wrap(ctx, aads, keys)
	return b.change(out), errors.Join(err, b.err)
}

func (b badWrapper) Unwrap(ctx context.Context, aads, wrapped [][]byte) ([][]byte, error) {
	out, err := b.KeyWrapper.Unwrap(ctx, aads, wrapped)
	return b.change(out), errors.Join(err, b.err)
}

func testBadWrapper(t *testing.T, p *place) {
	v := p.create(t)
	good := p.deposits(1)
	b := p.add(t, v, good)
	for name, w := range map[string]badWrapper{
		"fails":     {v.keys, func(in [][]byte) [][]byte { return in }, errors.New("the module is gone")},
		"too few":   {v.keys, func(in [][]byte) [][]byte { return in[1:] }, nil},
		"too many":  {v.keys, func(in [][]byte) [][]byte { return append(in, in...) }, nil},
		"too short": {v.keys, func(in [][]byte) [][]byte { in[0] = in[0][:7]; return in }, nil},
		"zero":      {v.keys, func(in [][]byte) [][]byte { in[0] = make([]byte, minWrapped); return in }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			v.keys = w
			defer func() { v.keys = w.KeyWrapper }()
			_, err := v.Seal(t.Context(), "marriage", p.deposits(1))
			refused(t, err, CodeKeys)
			_, err = v.OpenLicences(t.Context(), clerk, b.First)
			refused(t, err, CodeKeys)
			_, err = Open(t.Context(), p.address, w, p.time)
			refused(t, err, CodeKeys)
		})
	}
}
