package vectors_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/verify"
)

const (
	purposeStatus = uint8(statement.PurposeStatus)
	purposeLog    = uint8(statement.PurposeLog)
)

// A receiptCase is a receipt file with what its reader knows, before something is changed in it.
type receiptCase struct {
	*story
	entry, salt  []byte
	presentation sm.Hash
	checkpoint   *statement.Statement
	index        uint64
	path         []sm.Hash
	key          KnownKey
	points       []KnownCheckpoint
	text         func(string) string // changes the text of the file
}

// receiptCase is a receipt whose checkpoint, of all entries, is on the ledger.
func (s *story) receiptCase() *receiptCase {
	c := &receiptCase{story: s, entry: s.entry(theEntry), salt: slices.Clone(s.log.salt[:]), presentation: s.log.shown, index: theEntry,
		key: KnownKey{Key: authority, Department: authority, Purposes: purposeLog, State: "active"}}
	size := len(s.log.entries)
	c.proven(size)
	c.points = []KnownCheckpoint{{authority, "main", uint64(size), bytesOf(s.root(size))}}
	return c
}

// proven proves the entry by a checkpoint of so many entries.
func (c *receiptCase) proven(size int) {
	c.checkpoint = c.signed(c.story.checkpoint(size), authority)
	c.path = treePath(theEntry, c.logLeaves()[:size])
}

func (c *receiptCase) signed(body statement.Body, label string) *statement.Statement {
	parsed, err := statement.Parse(c.sign("", "", body, label))
	if err != nil {
		c.Fatal(err)
	}
	return parsed
}

// says changes the checkpoint in the file, and signs it anew.
func (c *receiptCase) says(label string, change func(*statement.Checkpoint)) {
	body := c.story.checkpoint(len(c.log.entries))
	change(body)
	c.checkpoint = c.signed(body, label)
}

// file is the receipt file as a vector.
func (c *receiptCase) file(common Common) ReceiptFile {
	c.Helper()
	members := map[string]any{
		"entry": c.entry, "salt": c.salt, "presentation": c.presentation, "readable": nil,
		"proof": map[string]any{"checkpoint": c.checkpoint.Bytes(), "index": c.index, "path": append([]sm.Hash{}, c.path...), "readable": nil},
	}
	text, err := json.Marshal(members)
	if err != nil {
		c.Fatal(err)
	}
	out := ReceiptFile{Common: common, File: string(text), Ledger: c.ledger[:], Keys: []KnownKey{c.key}, Checkpoints: append([]KnownCheckpoint{}, c.points...)}
	if c.text != nil {
		if out.File = c.text(out.File); out.File == string(text) {
			c.Fatalf("%s: nothing was changed", common.About)
		}
	}
	return out
}

func (s *story) goodReceipts() map[string]any {
	files := map[string]any{}
	add := func(name, about string, outcome receipt.Outcome, why string, change func(c *receiptCase)) {
		c := s.receiptCase()
		change(c)
		f := c.file(good("receipt", about))
		f.Outcome, f.Why = string(outcome), why
		files["receipt-"+name+".json"] = f
	}
	at := s.checkpoint(1).SignedAt
	late := receipt.CodeCheckpointNotThere
	add("anchored", "Its checkpoint is on the ledger.", receipt.Anchored, "", func(*receiptCase) {})
	add("readable", "What is readable contradicts the rest, and is of no account; members are in another order, with white space.", receipt.Anchored, "",
		func(c *receiptCase) {
			c.text = func(text string) string {
				text = strings.Replace(text, `"readable":null`, `"readable":{"size":-0,"a":[1e400],"a":null}`, 1)
				return "{ \"readable\": {\"outcome\": \"invalid\", \"a\": 1, \"a\": [{}]},\r\n\t" + strings.Replace(text, `,"readable":null`, "", 1)[1:] + "\n"
			}
		})
	add("anchored-key-retired", "Its key was retired since.", receipt.Anchored, "", func(c *receiptCase) { c.key.State = "retired" })
	add("anchored-key-compromised", "Its key was declared compromised since.", receipt.Anchored, "", func(c *receiptCase) { c.key.State = "compromised" })
	add("anchored-dates", "It is signed on the first and last second of its key.", receipt.Anchored, "", func(c *receiptCase) { c.key.NotBefore, c.key.NotAfter = &at, &at })
	add("unanchored", "It is as the verifier answered: the checkpoint was signed when the entry was the newest.", receipt.Unanchored, late, func(c *receiptCase) { c.proven(theEntry + 1) })
	add("unanchored-alone", "The ledger has no checkpoint.", receipt.Unanchored, late, func(c *receiptCase) { c.points = nil })
	add("unanchored-key-retired", "The ledger has no checkpoint, and its key was retired since.", receipt.Unanchored, late, func(c *receiptCase) {
		c.points, c.key.State = nil, "retired"
	})
	add("unanchored-log", "The ledger has a checkpoint of another log, with another root at this size.", receipt.Unanchored, late, func(c *receiptCase) {
		c.points[0].Log, c.points[0].Root = "second", hash("another root")
	})
	add("unanchored-department", "The ledger has a checkpoint of another department, with another root at this size.", receipt.Unanchored, late, func(c *receiptCase) {
		c.points[0].Department, c.points[0].Root = issuer, hash("another root")
	})
	return files
}

func (s *story) badReceipts() map[string]any {
	files := map[string]any{}
	add := func(stage, name, expect, about string, change func(c *receiptCase)) {
		c := s.receiptCase()
		change(c)
		files["receipt-"+name+".json"] = c.file(bad("receipt", stage, expect, about))
	}
	refused := func(name, expect, about string, change func(c *receiptCase)) {
		add("verify", name, expect, about, change)
	}
	malformed := func(name, about string, text func(string) string) {
		add("parse", name, receipt.CodeMalformed, about, func(c *receiptCase) { c.text = text })
	}
	replaced := func(old, new string) func(string) string {
		return func(text string) string { return strings.Replace(text, old, new, 1) }
	}
	salt := base64.StdEncoding.EncodeToString(s.log.salt[:])

	malformed("empty", "There is nothing.", func(string) string { return "" })
	malformed("array", "It is an array.", func(text string) string { return "[" + text + "]" })
	malformed("trailing", "A value follows.", func(text string) string { return text + "{}" })
	malformed("member-twice", "A member is there twice.", func(text string) string { return `{"salt":"` + salt + `",` + text[1:] })
	malformed("member-unknown", "There is a member more.", func(text string) string { return `{"note":"",` + text[1:] })
	malformed("member-missing", "A member is missing.", replaced(`,"readable":null},"readable":null`, `,"readable":null}`))
	malformed("member-capitals", "The name of a member is in capitals.", replaced(`"salt"`, `"SALT"`))
	malformed("salt-hex", "The salt is in hexadecimal digits.", replaced(`"`+salt+`"`, `"53616c74"`))
	malformed("salt-null", "The salt is null.", replaced(`"`+salt+`"`, `null`))
	malformed("base64-unpadded", "The salt is not padded.", replaced(salt, strings.TrimRight(salt, "=")))
	malformed("base64-line-end", "There is a line end in the salt.", replaced(salt, salt[:8]+`\n`+salt[8:]))
	malformed("base64-url", "The salt is in another alphabet.", replaced(salt, "_____________________w=="))
	malformed("base64-bits", "The last letter of the salt has bits that stand for nothing.", replaced(salt, salt[:21]+string(salt[21]+1)+"=="))
	proof := func(name, about, value string) {
		malformed(name, about, func(text string) string {
			at := strings.Index(text, `"proof":`)
			return text[:at+8] + value + `,"readable":null,"salt"` + strings.SplitN(text[at:], `"salt"`, 2)[1]
		})
	}
	proof("proof-null", "The proof is null.", `null`)
	proof("proof-array", "The proof is an array.", `[]`)
	proof("proof-empty", "The proof has no members.", `{}`)
	malformed("proof-member-unknown", "The proof has a member more.", replaced(`"index":4`, `"index":4,"size":7`))
	malformed("proof-member-missing", "The proof lacks its index.", replaced(`"index":4,`, ``))
	malformed("proof-member-twice", "The proof has its index twice.", replaced(`"index":4`, `"index":4,"index":4`))
	for name, value := range map[string][2]string{
		"null": {"null", "null"}, "text": {`"4"`, "a text"}, "fraction": {"4.0", "written with a fraction"}, "exponent": {"4e0", "written with an exponent"},
		"minus-zero": {"-0", "minus zero"}, "2-40": {"1099511627775", "2^40 - 1"}, "2-64": {"18446744073709551620", "beyond 2^64"},
	} {
		malformed("index-"+name, "The index is "+value[1]+".", replaced(`"index":4`, `"index":`+value[0]))
	}
	malformed("presentation-base64", "The SM3 of what was shown is in base64.", replaced(s.log.shown.String(), base64.StdEncoding.EncodeToString(s.log.shown[:])))
	malformed("presentation-null", "The SM3 of what was shown is null.", replaced(`"`+s.log.shown.String()+`"`, "null"))
	malformed("path-capitals", "The path is in capitals.", func(text string) string {
		at := strings.Index(text, `"path":[`)
		return text[:at+8] + strings.ToUpper(text[at+8:at+8+66]) + text[at+8+66:]
	})
	path := func(name, about, value string) {
		malformed(name, about, func(text string) string {
			at, end := strings.Index(text, `"path":[`)+7, strings.Index(text, "]")
			return text[:at] + value + text[end+1:]
		})
	}
	path("path-null", "The path is null.", "null")
	path("path-number", "A hash in the path is a number.", "["+strings.Repeat("1", 64)+"]")
	add("parse", "path-41-hashes", receipt.CodeMalformed, "The path has 41 hashes.", func(c *receiptCase) { c.path = make([]sm.Hash, 41) })
	add("parse", "checkpoint-heartbeat", receipt.CodeMalformed, "The checkpoint is a heartbeat.", func(c *receiptCase) {
		c.checkpoint = c.signed(&statement.Heartbeat{Ledger: s.ledger, Sequence: 1, Time: now}, authority)
	})
	add("parse", "entry-malformed", receipt.CodeMalformed, "The entry is none.", func(c *receiptCase) { c.entry = c.entry[1:] })

	refused("another-ledger", receipt.CodeOtherLedger, "It is of another ledger.", func(c *receiptCase) {
		c.says(authority, func(p *statement.Checkpoint) { p.Ledger = sm.Hash(hash("another ledger")) })
	})
	refused("another-presentation", receipt.CodeEntryDiffers, "It is said to be about something else.", func(c *receiptCase) { c.presentation[0] ^= 1 })
	refused("another-salt", receipt.CodeEntryDiffers, "The salt does not open the entry.", func(c *receiptCase) { c.salt[0] ^= 1 })
	refused("another-entry", receipt.CodeNotIncluded, "The entry has another outcome.", func(c *receiptCase) {
		said := *s.log.entries[theEntry]
		said.Outcome = string(verify.Invalid)
		b, err := said.Bytes()
		if err != nil {
			c.Fatal(err)
		}
		c.entry = b
	})
	refused("another-index", receipt.CodeNotIncluded, "The path is that of another index.", func(c *receiptCase) { c.index++ })
	refused("index-past-the-end", receipt.CodeNotIncluded, "The index is not below the size.", func(c *receiptCase) { c.index = 7 })
	refused("path-short", receipt.CodeNotIncluded, "The path lacks its last hash.", func(c *receiptCase) { c.path = c.path[:len(c.path)-1] })
	refused("path-long", receipt.CodeNotIncluded, "The path has a hash more.", func(c *receiptCase) { c.path = append(c.path, sm.Hash{}) })
	refused("another-root", receipt.CodeNotIncluded, "The checkpoint has another root.", func(c *receiptCase) {
		c.says(authority, func(p *statement.Checkpoint) { p.Root[0] ^= 1 })
	})
	refused("another-size", receipt.CodeNotIncluded, "The checkpoint has another size.", func(c *receiptCase) {
		c.says(authority, func(p *statement.Checkpoint) { p.Size = 6 })
	})
	refused("key-unknown", receipt.CodeKeyUnknown, "Its key is not on the ledger.", func(c *receiptCase) { c.key.Key = stranger })
	refused("key-stranger", receipt.CodeKeyUnknown, "A stranger signed it.", func(c *receiptCase) { c.says(stranger, func(*statement.Checkpoint) {}) })
	refused("key-department", receipt.CodeKeyDepartment, "Its key is another department's.", func(c *receiptCase) { c.key.Department = issuer })
	refused("another-department", receipt.CodeKeyDepartment, "The checkpoint is of another department.", func(c *receiptCase) {
		c.says(authority, func(p *statement.Checkpoint) { p.Department = issuer })
	})
	refused("key-purpose", receipt.CodeKeyPurpose, "Its key is not for logs.", func(c *receiptCase) { c.key.Purposes = purposeStatus })
	refused("signature", receipt.CodeSignature, "Its signature does not verify.", func(c *receiptCase) { c.checkpoint.Signature[40] ^= 1 })
	at := s.checkpoint(1).SignedAt
	before, after := at-1, at+1
	refused("key-not-yet-valid", receipt.CodeKeyNotYetValid, "It is signed before its key begins.", func(c *receiptCase) { c.key.NotBefore = &after })
	refused("key-expired", receipt.CodeKeyExpired, "It is signed after its key ends.", func(c *receiptCase) { c.key.NotAfter = &before })
	refused("checkpoint-differs", receipt.CodeCheckpointDiffers, "The ledger has another root at this size.", func(c *receiptCase) {
		c.points[0].Root = hash("another root")
	})
	refused("checkpoint-differs-key-compromised", receipt.CodeCheckpointDiffers, "The ledger has another root at this size, and the key was declared compromised.", func(c *receiptCase) {
		c.points[0].Root, c.key.State = hash("another root"), "compromised"
	})
	refused("key-compromised", receipt.CodeKeyCompromised, "Its key was declared compromised, and its checkpoint is not on the ledger.", func(c *receiptCase) {
		c.key.State, c.points = "compromised", nil
	})
	return files
}

// trust is what the reader of a receipt vector knows.
type trust struct {
	*runner
	ReceiptFile
}

func (t trust) Ledger() sm.Hash { return sm.Hash(t.ReceiptFile.Ledger) }

func (t trust) Key(kid sm.Hash) *verify.Key {
	for _, k := range t.Keys {
		if key := t.key(k.Key); key.ID() == kid {
			return &verify.Key{Department: k.Department, Public: key, Purposes: statement.Purposes(k.Purposes),
				NotBefore: k.NotBefore, NotAfter: k.NotAfter, State: verify.KeyState(k.State)}
		}
	}
	return nil
}

func (t trust) Checkpoint(department, log string, size uint64) (verify.Checkpoint, bool, error) {
	for _, c := range t.Checkpoints {
		if c.Department == department && c.Log == log && c.Size == size {
			return verify.Checkpoint{Size: size, Root: sm.Hash(c.Root)}, true, nil
		}
	}
	return verify.Checkpoint{}, false, nil
}

func (trust) LatestCheckpoint(string, string) (verify.Checkpoint, bool, error) {
	return verify.Checkpoint{}, false, nil
}

func (r *runner) checkReceipt(f ReceiptFile) {
	file, err := receipt.Parse([]byte(f.File))
	if err != nil {
		r.outcome(f.Common, "parse", r.code(err))
		return
	}
	report, err := receipt.Verify(file, nil, trust{r, f})
	if err != nil {
		r.Fatal(err)
	}
	if report.Outcome == receipt.Refused {
		r.outcome(f.Common, "verify", report.Code)
		return
	}
	r.outcome(f.Common, "", "ok")
	if string(report.Outcome) != f.Outcome || report.Code != f.Why {
		r.Errorf("%s, %q, want %s, %q", report.Outcome, report.Code, f.Outcome, f.Why)
	}
}
