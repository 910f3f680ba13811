package snapshot_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/snapshot"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/verify"
)

func code(err error) string {
	var e *snapshot.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// build makes a snapshot of what the city's index has.
func build(t testing.TB, city *verifiertest.City) ([]byte, *statement.Snapshot) {
	t.Helper()
	export, err := city.Index.Export()
	if err != nil {
		t.Fatal(err)
	}
	file, header, err := snapshot.Build(export, city.Authority.Log)
	if err != nil {
		t.Fatal(err)
	}
	return file, header
}

func newKey(t testing.TB) *sm.PrivateKey {
	t.Helper()
	key, err := sm.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// file is the outermost form, as the specification has it.
func file(t testing.TB, signed, compressed []byte) []byte {
	t.Helper()
	b, err := statement.Marshal([][]byte{signed, compressed})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func compress(t testing.TB, contents []byte, options ...zstd.EOption) []byte {
	t.Helper()
	e, err := zstd.NewWriter(nil, options...)
	if err != nil {
		t.Fatal(err)
	}
	return e.EncodeAll(contents, nil)
}

// contentsOf inflates the contents of a snapshot.
func contentsOf(t testing.TB, b []byte) []byte {
	t.Helper()
	var parts [][]byte
	if err := cbor.Unmarshal(b, &parts); err != nil || len(parts) != 2 {
		t.Fatal(err)
	}
	d, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	raw, err := d.DecodeAll(parts[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sign signs a header over contents.
func sign(t testing.TB, header statement.Snapshot, contents []byte, key *sm.PrivateKey) []byte {
	t.Helper()
	header.Content, header.Length = sm.Sum(contents), uint64(len(contents))
	signed, err := statement.Sign(&header, key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// What Build returns is what Open returns.
func TestHeader(t *testing.T) {
	city := verifiertest.New(t)
	b, header := build(t, city)
	if head := city.Index.Head(); header.Ledger != city.ID || header.Height != head.Height-1 || header.Block != head.Hash || header.Heartbeat != ledgertest.Time+60 {
		t.Errorf("header %+v, head %v", header, head)
	}
	view, err := snapshot.Open(b, trustOf(city.City), header.Height)
	if err != nil {
		t.Fatal(err)
	}
	if view.Ledger() != city.ID || view.Head() != city.Index.Head() || view.Heartbeat().Time != header.Heartbeat || view.Heartbeat().Sequence != 1 {
		t.Errorf("ledger %s, head %v, heartbeat %+v", view.Ledger(), view.Head(), view.Heartbeat())
	}
}

// TestRefused: every reason for which a file is not a snapshot to go by.
func TestRefused(t *testing.T) {
	city := verifiertest.New(t)
	b, header := build(t, city)
	stranger := newKey(t)
	anchor := city.Department(t, ledgertest.Marriages).Anchor
	contents := []byte("contents that are none")
	trust := trustOf(city.City)
	with := func(change func(*snapshot.Trust)) snapshot.Trust {
		changed := trust
		change(&changed)
		return changed
	}
	resigned := func(key *sm.PrivateKey) []byte {
		raw := contentsOf(t, b)
		return file(t, sign(t, *header, raw, key), compress(t, raw))
	}
	head := ledger.Head{Height: header.Height + 1, Hash: header.Block}
	forged := sign(t, *header, contents, city.Authority.Log)
	forged[len(forged)-1] ^= 1
	heartbeat, err := statement.Sign(&statement.Heartbeat{Ledger: city.ID, Sequence: 2, Time: ledgertest.Time}, city.Authority.Log)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file      []byte
		trust     snapshot.Trust
		minHeight uint64
		code      string
	}{
		"good":                      {b, trust, 0, ""},
		"good, exactly so old":      {b, trust, header.Height, ""},
		"good, seen the same":       {b, with(func(t *snapshot.Trust) { t.Seen = head }), 0, ""},
		"good, seen an older one":   {b, with(func(t *snapshot.Trust) { t.Seen = ledger.Head{Height: 1} }), 0, ""},
		"good, several keys":        {b, with(func(t *snapshot.Trust) { t.Keys = append([]*sm.PublicKey{stranger.Public()}, t.Keys...) }), 0, ""},
		"older than asked":          {b, trust, header.Height + 1, snapshot.CodeRolledBack},
		"older than seen":           {b, with(func(t *snapshot.Trust) { t.Seen = ledger.Head{Height: head.Height + 1} }), 0, snapshot.CodeRolledBack},
		"another block":             {b, with(func(t *snapshot.Trust) { t.Seen = ledger.Head{Height: head.Height} }), 0, snapshot.CodeForked},
		"another ledger":            {b, with(func(t *snapshot.Trust) { t.Ledger[0]++ }), 0, snapshot.CodeOtherLedger},
		"a trusted stranger":        {b, with(func(t *snapshot.Trust) { t.Keys = []*sm.PublicKey{stranger.Public()} }), 0, snapshot.CodeUntrusted},
		"nobody trusted":            {b, with(func(t *snapshot.Trust) { t.Keys = nil }), 0, snapshot.CodeUntrusted},
		"signed by a stranger":      {file(t, sign(t, *header, contents, stranger), compress(t, contents)), trust, 0, snapshot.CodeUntrusted},
		"good, compressed again":    {resigned(city.Authority.Log), trust, 0, ""},
		"signature changed":         {file(t, forged, compress(t, contents)), trust, 0, snapshot.CodeUntrusted},
		"signed by an issuer":       {resigned(anchor), with(func(t *snapshot.Trust) { t.Keys = []*sm.PublicKey{anchor.Public()} }), 0, snapshot.CodeSigner},
		"signed by a stranger well": {resigned(stranger), with(func(t *snapshot.Trust) { t.Keys = []*sm.PublicKey{stranger.Public()} }), 0, snapshot.CodeSigner},
		"empty":                     {nil, trust, 0, snapshot.CodeMalformed},
		"words":                     {[]byte("This is not a snapshot."), trust, 0, snapshot.CodeMalformed},
		"another statement":         {file(t, heartbeat, compress(t, contents)), trust, 0, snapshot.CodeMalformed},
		"three parts":               {append([]byte{0x83}, append(b[1:len(b):len(b)], 0x40)...), trust, 0, snapshot.CodeMalformed},
		"bytes after it":            {append(b[:len(b):len(b)], 0), trust, 0, snapshot.CodeMalformed},
		"cut":                       {b[:len(b)-1], trust, 0, snapshot.CodeMalformed},
		"too large":                 {make([]byte, snapshot.MaxFile+1), trust, 0, snapshot.CodeTooLarge},
		"contents that are none":    {file(t, sign(t, *header, contents, city.Authority.Log), compress(t, contents)), trust, 0, snapshot.CodeMalformed},
		"other contents":            {file(t, sign(t, *header, contents, city.Authority.Log), compress(t, []byte("contents that are gone"))), trust, 0, snapshot.CodeDamaged},
		"contents cut":              {file(t, sign(t, *header, contents, city.Authority.Log), compress(t, contents[1:])), trust, 0, snapshot.CodeDamaged},
		"not compressed":            {file(t, sign(t, *header, contents, city.Authority.Log), contents), trust, 0, snapshot.CodeDamaged},
		"nothing compressed":        {file(t, sign(t, *header, contents, city.Authority.Log), nil), trust, 0, snapshot.CodeDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			view, err := snapshot.Open(c.file, c.trust, c.minHeight)
			if code(err) != c.code || (err == nil) != (c.code == "") || (view == nil) != (err != nil) {
				t.Errorf("%v, want %q", err, c.code)
			}
		})
	}
}

// TestBomb: a file is never inflated to more than its signed statement says, nor before that is
// verified.
func TestBomb(t *testing.T) {
	city := verifiertest.New(t)
	_, header := build(t, city)
	const size = 256 << 20
	var frame bytes.Buffer
	e, err := zstd.NewWriter(&frame, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range size / len(zeros) {
		if _, err := e.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	bomb := frame.Bytes()
	wide := compress(t, make([]byte, 17<<20), zstd.WithWindowSize(16<<20))
	long := *header
	long.Length = snapshot.MaxContents + 1
	tooLong, err := statement.Sign(&long, city.Authority.Log)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"a stranger's":          {file(t, sign(t, *header, zeros, newKey(t)), bomb), snapshot.CodeUntrusted},
		"longer than signed":    {file(t, sign(t, *header, []byte("little"), city.Authority.Log), bomb), snapshot.CodeDamaged},
		"signed, and too long":  {file(t, tooLong, bomb), snapshot.CodeTooLarge},
		"with too large window": {file(t, sign(t, *header, make([]byte, 17<<20), city.Authority.Log), wide), snapshot.CodeDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			allocated := testing.AllocsPerRun(1, func() { _, err = snapshot.Open(c.file, trustOf(city.City), 0) })
			if code(err) != c.code {
				t.Errorf("%v, want %s", err, c.code)
			}
			if allocated > 1000 {
				t.Errorf("%.0f allocations", allocated)
			}
		})
	}
}

// TestMangled: a file of which a byte was changed is refused, or holds the same: what is signed are the
// contents, not how they are compressed.
func TestMangled(t *testing.T) {
	city := verifiertest.New(t)
	b, header := build(t, city)
	signed := len(file(t, sign(t, *header, nil, city.Authority.Log), nil)) - 1
	for i := 0; i < len(b); i++ {
		if i > signed {
			i += 6 // the compressed part is long
		}
		if i >= len(b) {
			break
		}
		mangled := bytes.Clone(b)
		mangled[i] ^= 1 << (i % 8)
		view, err := snapshot.Open(mangled, trustOf(city.City), 0)
		if err == nil && (i < signed || view.Head() != city.Index.Head()) || err != nil && code(err) == "" {
			t.Fatalf("byte %d of %d: %v", i, len(b), err)
		}
	}
}

// TestAnchoredTwice: a licence that was anchored under two roots has one status, whichever it is shown
// with; one of the same digest and another type has its own.
func TestAnchoredTwice(t *testing.T) {
	h := newHistory(t, 1)
	typ := h.Type(t, "property")
	papers := []*paper{h.paper(typ), h.paper(typ), h.paper(typ)}
	first := h.anchor(typ, papers)
	second := h.anchor(typ, []*paper{papers[2], papers[0]})
	at, d, _ := h.at(papers[0])
	s := h.next(typ, nil, false)
	s.To, s.Root, s.Licence, s.Effective = string(licence.Suspended), at.Root, &at, ledgertest.Day
	h.submitStatus(d, typ, s)
	h.beat()
	view := h.snapshot()
	for name, c := range map[string]struct {
		place
		outcome verify.Outcome
	}{
		"changed, under the first":  {place{first, 0}, verify.NotCurrent},
		"changed, under the second": {place{second, 1}, verify.NotCurrent},
		"other, under the first":    {place{first, 2}, verify.Valid},
		"other, under the second":   {place{second, 0}, verify.Valid},
		"other":                     {place{first, 1}, verify.Valid},
	} {
		if v := verify.Verify(view, verify.Request{Parsed: c.show(h), Now: h.Clock.Now()}); v.Outcome != c.outcome {
			t.Errorf("%s: %s, want %s; %v", name, v.Outcome, c.outcome, v.Reasons())
		}
	}
}
