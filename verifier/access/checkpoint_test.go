package access_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
	"github.com/credledger/credledger/verifier/access"
)

// proven is the proof of an entry by a checkpoint of seven entries, and its leaf.
func proven(t *testing.T, index uint64) (*access.Proof, sm.Hash) {
	t.Helper()
	nodes, leaves, _ := grow(7)
	tree := treeOf(t, nodes, 7)
	c, err := access.SignCheckpoint(&statement.Checkpoint{
		Ledger: statementtest.Ledger(), Department: "data-bureau", Log: "main", Size: tree.Size(), Root: tree.Root(), SignedAt: 1794009660,
	}, statementtest.Key("log"))
	if err != nil {
		t.Fatal(err)
	}
	path, err := tree.Inclusion(index)
	if err != nil {
		t.Fatal(err)
	}
	return &access.Proof{Checkpoint: c, Index: index, Path: path}, leaves[index]
}

func TestIncludes(t *testing.T) {
	for index := range uint64(7) {
		p, leaf := proven(t, index)
		if !p.Includes(leaf) {
			t.Errorf("entry %d is not included", index)
		}
		if p.Includes(sm.Sum(nil)) {
			t.Errorf("another entry is included at %d", index)
		}
		p.Index ^= 1
		if p.Includes(leaf) {
			t.Errorf("entry %d is included at another index", index)
		}
	}
}

func TestParseCheckpoint(t *testing.T) {
	p, _ := proven(t, 4)
	b := p.Checkpoint.Signed.Bytes()
	parsed, err := access.ParseCheckpoint(b)
	if err != nil {
		t.Fatal(err)
	}
	if *parsed.Checkpoint != *p.Checkpoint.Checkpoint || !bytes.Equal(parsed.Signed.Bytes(), b) || !parsed.Signed.Verify(statementtest.Key("log").Public()) {
		t.Errorf("%+v is read as %+v", p.Checkpoint, parsed)
	}
	var wrong *statement.Error
	heartbeat := statementtest.Sign(t, &statement.Heartbeat{Ledger: statementtest.Ledger(), Sequence: 1}, "log")
	if _, err := access.ParseCheckpoint(heartbeat); !errors.As(err, &wrong) || wrong.Code != statement.CodeWrongKind {
		t.Errorf("a heartbeat: %v", err)
	}
	if _, err := access.ParseCheckpoint(b[1:]); !errors.As(err, &wrong) || wrong.Code != statement.CodeMalformed {
		t.Errorf("cut: %v", err)
	}
	broken := *p.Checkpoint.Checkpoint
	broken.Log = "Main"
	if _, err := access.SignCheckpoint(&broken, statementtest.Key("log")); !errors.As(err, &wrong) || wrong.Code != statement.CodeInvalid {
		t.Errorf("a log in capitals is signed: %v", err)
	}
}

// The forms in JSON are those that encoding/json would give.
func TestJSON(t *testing.T) {
	list := func(s []string) []string { return append([]string{}, s...) }
	utc := func(seconds uint64) string { return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339) }
	odd := counter()
	odd.Clerk, odd.Case, odd.Fields = `<"王">`, "a&b\u2028", []string{}
	for _, e := range []*access.Entry{counter(), public(), release(), odd} {
		var heartbeat *string
		if e.Heartbeat != 0 {
			at := utc(e.Heartbeat)
			heartbeat = &at
		}
		day := time.Unix(int64(e.Day)*86400, 0).UTC().Format(time.DateOnly)
		wantJSON(t, e, struct {
			Time         string   `json:"time"`
			Call         string   `json:"call"`
			Agency       string   `json:"agency"`
			Clerk        string   `json:"clerk"`
			Unit         string   `json:"unit"`
			Matter       string   `json:"matter"`
			Case         string   `json:"case"`
			OnBehalf     string   `json:"onBehalf"`
			Asked        string   `json:"asked"`
			Type         string   `json:"type"`
			Licence      sm.Hash  `json:"licence"`
			Presentation sm.Hash  `json:"presentation"`
			Fields       []string `json:"fields"`
			Outcome      string   `json:"outcome"`
			Reasons      []string `json:"reasons"`
			Day          string   `json:"day"`
			Height       uint64   `json:"height"`
			Heartbeat    *string  `json:"heartbeat"`
			Overall      string   `json:"overall"`
		}{utc(e.Time), hex.EncodeToString(e.Call[:]), e.Agency, e.Clerk, e.Unit, e.Matter, e.Case, e.OnBehalf, e.Asked, e.Type, e.Licence, e.Presentation,
			list(e.Fields), e.Outcome, list(e.Reasons), day, e.Height, heartbeat, e.Overall})
	}
	type checkpointJSON struct {
		Ledger     sm.Hash `json:"ledger"`
		Department string  `json:"department"`
		Log        string  `json:"log"`
		Size       uint64  `json:"size"`
		Root       sm.Hash `json:"root"`
		SignedAt   string  `json:"signedAt"`
		Key        sm.Hash `json:"key"`
	}
	p, _ := proven(t, 6)
	alone := *p
	alone.Path = nil
	for _, p := range []*access.Proof{p, &alone} {
		c := p.Checkpoint
		wantJSON(t, p, struct {
			Checkpoint []byte         `json:"checkpoint"`
			Index      uint64         `json:"index"`
			Path       []sm.Hash      `json:"path"`
			Readable   checkpointJSON `json:"readable"`
		}{c.Signed.Bytes(), 6, append([]sm.Hash{}, p.Path...), checkpointJSON{c.Ledger, "data-bureau", "main", 7, c.Root, "2026-11-07T00:01:00Z", c.Signed.KeyID}})
	}
}

func wantJSON(t *testing.T, v interface {
	json.Marshaler
	AppendJSON([]byte) []byte
}, want any) {
	t.Helper()
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if got := v.AppendJSON([]byte("front")); string(got) != "front"+string(b) {
		t.Errorf("appended is\n%s\nwant\n%s", got, b)
	}
	if got, err := json.Marshal(v); err != nil || !bytes.Equal(got, b) {
		t.Errorf("marshalled is\n%s\nwant\n%s\n%v", got, b, err)
	}
}
