package accesslog

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
)

// altered returns an entry that says something else.
func altered(t testing.TB, r record) record {
	t.Helper()
	e, err := access.ParseEntry(r.entry)
	if err != nil {
		t.Fatal(err)
	}
	e.Clerk = "李芳"
	if r.entry, err = e.Bytes(); err != nil {
		t.Fatal(err)
	}
	return r
}

// slot is where a checkpoint is in its file.
func slot(i int) (from, to int) { return i * slotSize, (i + 1) * slotSize }

// TestTampered has every way to tamper with a log that somebody with full rights on its files has.
func TestTampered(t *testing.T) {
	city, dir := audited(t)
	resign := func(t *testing.T, dir string, i int, change func(*statement.Checkpoint), key *sm.PrivateKey) {
		t.Helper()
		stored, err := openCheckpoints(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer stored.close()
		old, err := stored.slot(int64(i))
		if err != nil {
			t.Fatal(err)
		}
		c, err := old.parse()
		if err != nil {
			t.Fatal(err)
		}
		change(c.Checkpoint)
		c, err = access.SignCheckpoint(c.Checkpoint, key)
		if err != nil {
			t.Fatal(err)
		}
		w, err := openCheckpoints(dir, disk{})
		if err != nil {
			t.Fatal(err)
		}
		defer w.close()
		w.count = int64(i)
		if err := w.add(c); err != nil {
			t.Fatal(err)
		}
	}
	same := func(*statement.Checkpoint) {}
	cutCheckpoints := func(t *testing.T, dir string, n int) {
		t.Helper()
		change(t, filepath.Join(dir, checkpointsFile), func(b []byte) []byte { return b[:n*slotSize] })
	}
	for name, c := range map[string]struct {
		tamper func(t *testing.T, dir string)
		want   []string // of the files
		at     uint64   // of the first finding
		export []string // of an export; nil if there can be none
	}{
		"an entry is altered": {func(t *testing.T, dir string) {
			all := records(t, dir)
			all[13] = altered(t, all[13])
			rebuild(t, dir, all)
		}, []string{CodeForked}, 20, []string{CodeForked}},
		"the first entry is altered": {func(t *testing.T, dir string) {
			all := records(t, dir)
			all[0] = altered(t, all[0])
			rebuild(t, dir, all)
		}, []string{CodeForked}, 5, []string{CodeForked}},
		"the last anchored entry is altered": {func(t *testing.T, dir string) {
			all := records(t, dir)
			all[29] = altered(t, all[29])
			rebuild(t, dir, all)
		}, []string{CodeForked}, 30, []string{CodeForked}},
		"an entry is removed": {func(t *testing.T, dir string) {
			rebuild(t, dir, slices.Delete(records(t, dir), 6, 7))
		}, []string{CodeForked}, 8, []string{CodeForked}},
		"an entry is put in": {func(t *testing.T, dir string) {
			all := records(t, dir)
			rebuild(t, dir, slices.Insert(all, 21, all[3]))
		}, []string{CodeForked}, 30, []string{CodeForked}},
		"two entries change places": {func(t *testing.T, dir string) {
			all := records(t, dir)
			all[25], all[26] = all[26], all[25]
			rebuild(t, dir, all)
		}, []string{CodeForked}, 30, []string{CodeForked}},
		"an entry is no entry": {func(t *testing.T, dir string) {
			all := records(t, dir)
			all[31].entry = []byte("rubbish")
			rebuild(t, dir, all)
		}, []string{CodeEntryMalformed}, 31, []string{CodeEntryMalformed}},
		"an entry is altered, its index is not": {func(t *testing.T, dir string) {
			all := records(t, dir)
			all[11] = altered(t, all[11])
			index, err := os.ReadFile(filepath.Join(dir, segmentName(1)+indexFile))
			if err != nil {
				t.Fatal(err)
			}
			rebuild(t, dir, all)
			change(t, filepath.Join(dir, segmentName(1)+indexFile), func([]byte) []byte { return index })
		}, []string{CodeEntryAltered, CodeForked}, 11, nil},
		"the log is cut": {func(t *testing.T, dir string) {
			rebuild(t, dir, records(t, dir)[:25])
		}, []string{CodeRolledBack}, 25, []string{CodeRolledBack}},
		"the log is cut, and its checkpoints too": {func(t *testing.T, dir string) {
			rebuild(t, dir, records(t, dir)[:25])
			cutCheckpoints(t, dir, 3)
		}, []string{CodeRolledBack}, 25, []string{}},
		"the log is emptied": {func(t *testing.T, dir string) {
			rebuild(t, dir, nil)
			cutCheckpoints(t, dir, 0)
		}, []string{CodeRolledBack}, 0, []string{}},
		"entries after the last checkpoint are removed": {func(t *testing.T, dir string) {
			rebuild(t, dir, records(t, dir)[:30])
		}, []string{}, 0, []string{}},
		"checkpoints are removed": {func(t *testing.T, dir string) {
			cutCheckpoints(t, dir, 2)
		}, []string{}, 0, []string{}},
		"the log is forked, with a checkpoint": {func(t *testing.T, dir string) {
			all := records(t, dir)
			all[28] = altered(t, all[28])
			rebuild(t, dir, all)
			var f access.Frontier
			for _, r := range all[:30] {
				f.Append(access.Leaf(r.entry))
			}
			resign(t, dir, 3, func(c *statement.Checkpoint) { c.Root = f.Root() }, city.Authority.Log)
		}, []string{CodeForked, CodeCheckpointNotLedger}, 30, []string{CodeForked, CodeCheckpointNotLedger}},
		"a checkpoint that was never on the ledger": {func(t *testing.T, dir string) {
			var f access.Frontier
			for _, r := range records(t, dir)[:19] {
				f.Append(access.Leaf(r.entry))
			}
			resign(t, dir, 2, func(c *statement.Checkpoint) { c.Size, c.Root = f.Size(), f.Root() }, city.Authority.Log)
		}, []string{CodeCheckpointNotLedger}, 19, []string{CodeCheckpointNotLedger}},
		"a checkpoint by a key of another department": {func(t *testing.T, dir string) {
			resign(t, dir, 1, same, city.Departments[0].Log)
		}, []string{CodeCheckpointInvalid}, 8, []string{CodeCheckpointInvalid}},
		"a checkpoint by a key for something else": {func(t *testing.T, dir string) {
			resign(t, dir, 1, same, city.Authority.Anchor)
		}, []string{CodeCheckpointInvalid}, 8, []string{CodeCheckpointInvalid}},
		"a checkpoint by a key that nobody knows": {func(t *testing.T, dir string) {
			key, err := sm.GenerateKey(nil)
			if err != nil {
				t.Fatal(err)
			}
			resign(t, dir, 1, same, key)
		}, []string{CodeCheckpointInvalid}, 8, []string{CodeCheckpointInvalid}},
		"the signature of a checkpoint is altered": {func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, checkpointsFile), func(b []byte) []byte {
				from, to := slot(1)
				length := int(binary.BigEndian.Uint16(b[from+slotHead-2:]))
				b[from+slotHead+length-1] ^= 1
				binary.BigEndian.PutUint32(b[to-4:], crc32.Checksum(b[from:to-4], castagnoli))
				return b
			})
		}, []string{CodeCheckpointInvalid}, 8, []string{CodeCheckpointInvalid}},
		"a checkpoint on the ledger is signed again, by the right key": {func(t *testing.T, dir string) {
			resign(t, dir, 1, same, city.Authority.Log)
		}, []string{}, 0, []string{}},
		"a checkpoint of another log": {func(t *testing.T, dir string) {
			resign(t, dir, 1, func(c *statement.Checkpoint) { c.Log = "verifier-2" }, city.Authority.Log)
		}, []string{CodeCheckpointInvalid}, 8, []string{CodeCheckpointInvalid}},
		"a checkpoint twice": {func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, checkpointsFile), func(b []byte) []byte {
				from, to := slot(1)
				return slices.Insert(bytes.Clone(b), to, b[from:to]...)
			})
		}, []string{CodeCheckpointOrder}, 8, []string{CodeCheckpointOrder}},
		"a checkpoint is damaged": {func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, checkpointsFile), func(b []byte) []byte { b[slotSize+70] ^= 1; return b })
		}, []string{CodeDamaged}, 5, nil},
		"a node of the tree is altered": {func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, segmentName(1)+indexFile), func(b []byte) []byte {
				b[indexLayout(small).node(small, 0)] ^= 1
				return b
			})
		}, []string{CodeIndexAltered}, 8, nil},
		"a tag is altered": {func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, segmentName(1)+indexFile), func(b []byte) []byte {
				b[indexLayout(small).tag(4)+3] ^= 1
				return b
			})
		}, []string{CodeIndexAltered}, 8, nil},
		"a byte of an entry is altered": {func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, segmentName(1)+entriesFile), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		}, []string{CodeDamaged}, 12, nil},
		"a byte of an entry of the last segment is altered": {func(t *testing.T, dir string) {
			rebuild(t, dir, records(t, dir)[:30])
			change(t, filepath.Join(dir, segmentName(3)+entriesFile), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		}, []string{CodeDamaged, CodeDamaged}, 0, nil},
		"a segment is removed": {func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, segmentName(2)+entriesFile)); err != nil {
				t.Fatal(err)
			}
		}, []string{CodeDamaged, CodeRolledBack}, 0, nil},
		"an index file is removed": {func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, segmentName(2)+indexFile)); err != nil {
				t.Fatal(err)
			}
		}, []string{}, 0, []string{}},
		"it is said to be another log": {func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, identityFile), func(b []byte) []byte {
				return bytes.Replace(b, []byte("verifier-1"), []byte("verifier-9"), 1)
			})
		}, []string{CodeCheckpointInvalid, CodeCheckpointInvalid, CodeCheckpointInvalid, CodeCheckpointInvalid}, 5,
			[]string{CodeCheckpointInvalid, CodeCheckpointInvalid, CodeCheckpointInvalid, CodeCheckpointInvalid}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyDir(t, dir)
			c.tamper(t, dir)
			r := auditDir(t, dir, city.Index, AuditOptions{})
			wantFindings(t, r, c.want...)
			if len(r.Findings) > 0 && r.Findings[0].At != c.at {
				t.Errorf("the first finding is at %d, want %d: %v", r.Findings[0].At, c.at, r.Findings[0])
			}
			r, err := auditExport(t, dir, city.Index, AuditOptions{})
			if c.export == nil {
				wantCode(t, "export", err, CodeDamaged)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantFindings(t, r, c.export...)
		})
	}
}
