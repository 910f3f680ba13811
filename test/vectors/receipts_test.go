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
	receipt, checkpoint *statement.Statement
	entry, salt         []byte
	path                []sm.Hash
	proof               bool
	key                 KnownKey
	points              []KnownCheckpoint
	text                func(string) string // changes the text of the file
}

// receiptCase is a receipt whose checkpoint is on the ledger.
func (s *story) receiptCase() *receiptCase {
	c := &receiptCase{story: s, entry: s.entry(theEntry), salt: slices.Clone(s.log.salt[:]), path: treePath(theEntry, s.logLeaves()), proof: true,
		key: KnownKey{Key: authority, Department: authority, Purposes: purposeLog, State: "active"}}
	c.receipt, c.checkpoint = c.signed(s.log.receipt.Receipt(), authority), c.signed(s.checkpoint(), authority)
	size := uint64(len(s.log.entries))
	c.points = []KnownCheckpoint{{authority, "main", size, bytesOf(s.root(size))}}
	return c
}

func (c *receiptCase) signed(body statement.Body, label string) *statement.Statement {
	parsed, err := statement.Parse(c.sign("", "", body, label))
	if err != nil {
		c.Fatal(err)
	}
	return parsed
}

// says changes the receipt, and signs it anew.
func (c *receiptCase) says(change func(*statement.Receipt)) {
	body := *c.log.receipt.Receipt()
	change(&body)
	c.receipt = c.signed(&body, authority)
}

// fixes changes the checkpoint in the file, and signs it anew.
func (c *receiptCase) fixes(label string, change func(*statement.Checkpoint)) {
	body := c.story.checkpoint()
	change(body)
	c.checkpoint = c.signed(body, label)
}

// file is the receipt file as a vector.
func (c *receiptCase) file(common Common) ReceiptFile {
	c.Helper()
	members := map[string]any{
		"receipt": c.receipt.Bytes(), "entry": c.entry, "salt": c.salt, "proof": nil, "readable": nil,
	}
	if c.proof {
		members["proof"] = map[string]any{"checkpoint": c.checkpoint.Bytes(), "path": append([]sm.Hash{}, c.path...)}
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
	at := s.log.receipt.Receipt().CheckedAt
	add("anchored", "Its checkpoint is on the ledger.", receipt.Anchored, "", func(*receiptCase) {})
	add("readable", "What is readable contradicts the rest, and is of no account; members are in another order, with white space.", receipt.Anchored, "",
		func(c *receiptCase) {
			c.text = func(text string) string {
				return "{ \"readable\": {\"outcome\": \"invalid\", \"a\": 1, \"a\": [{}]},\r\n\t" + strings.Replace(text, `,"readable":null`, "", 1)[1:] + "\n"
			}
		})
	add("anchored-key-retired", "Its key was retired since.", receipt.Anchored, "", func(c *receiptCase) { c.key.State = "retired" })
	add("anchored-key-compromised", "Its key was declared compromised since.", receipt.Anchored, "", func(c *receiptCase) { c.key.State = "compromised" })
	add("anchored-dates", "It is dated on the first and last second of its key.", receipt.Anchored, "", func(c *receiptCase) { c.key.NotBefore, c.key.NotAfter = &at, &at })
	add("unanchored", "It has no proof.", receipt.Unanchored, receipt.CodeNoProof, func(c *receiptCase) { c.proof = false })
	add("unanchored-key-retired", "It has no proof, and its key was retired since.", receipt.Unanchored, receipt.CodeNoProof, func(c *receiptCase) {
		c.proof, c.key.State = false, "retired"
	})
	add("unanchored-checkpoint", "The ledger has no checkpoint at this size.", receipt.Unanchored, receipt.CodeCheckpointNotThere, func(c *receiptCase) { c.points[0].Size++ })
	add("unanchored-log", "The ledger has that checkpoint of another log.", receipt.Unanchored, receipt.CodeCheckpointNotThere, func(c *receiptCase) { c.points[0].Log = "second" })
	add("unanchored-department", "The ledger has that checkpoint of another department.", receipt.Unanchored, receipt.CodeCheckpointNotThere, func(c *receiptCase) { c.points[0].Department = issuer })
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
	malformed("member-missing", "A member is missing.", replaced(`,"readable":null`, ""))
	malformed("member-capitals", "The name of a member is in capitals.", replaced(`"salt"`, `"SALT"`))
	malformed("salt-hex", "The salt is in hexadecimal digits.", replaced(`"`+salt+`"`, `"53616c74"`))
	malformed("salt-null", "The salt is null.", replaced(`"`+salt+`"`, `null`))
	malformed("base64-unpadded", "The salt is not padded.", replaced(salt, strings.TrimRight(salt, "=")))
	malformed("base64-line-end", "There is a line end in the salt.", replaced(salt, salt[:8]+`\n`+salt[8:]))
	malformed("base64-url", "The salt is in another alphabet.", replaced(salt, "_____________________w=="))
	malformed("base64-bits", "The last letter of the salt has bits that stand for nothing.", replaced(salt, salt[:21]+string(salt[21]+1)+"=="))
	malformed("path-capitals", "The path is in capitals.", func(text string) string {
		at := strings.Index(text, `"path":[`)
		return text[:at+8] + strings.ToUpper(text[at+8:at+8+66]) + text[at+8+66:]
	})
	malformed("path-null", "The path is null.", func(text string) string {
		at, end := strings.Index(text, `"path":[`)+7, strings.Index(text, "]")
		return text[:at] + "null" + text[end+1:]
	})
	add("parse", "path-41-hashes", receipt.CodeMalformed, "The path has 41 hashes.", func(c *receiptCase) { c.path = make([]sm.Hash, 41) })
	add("parse", "receipt-checkpoint", receipt.CodeMalformed, "The receipt is a checkpoint.", func(c *receiptCase) { c.receipt = c.checkpoint })
	add("parse", "checkpoint-receipt", receipt.CodeMalformed, "The checkpoint is a receipt.", func(c *receiptCase) { c.checkpoint = c.receipt })
	add("parse", "entry-malformed", receipt.CodeMalformed, "The entry is none.", func(c *receiptCase) { c.entry = c.entry[1:] })

	refused("another-ledger", receipt.CodeOtherLedger, "It is of another ledger.", func(c *receiptCase) {
		c.says(func(r *statement.Receipt) { r.Ledger = sm.Hash(hash("another ledger")) })
	})
	refused("another-entry", receipt.CodeEntryDiffers, "The entry is another one.", func(c *receiptCase) { c.entry = c.story.entry(0) })
	refused("another-salt", receipt.CodeEntryDiffers, "The salt does not open the entry.", func(c *receiptCase) { c.salt[0] ^= 1 })
	differs := func(what string, change func(*statement.Receipt)) {
		refused("another-"+what, receipt.CodeEntryDiffers, "The receipt and the entry do not agree: "+what+".", func(c *receiptCase) { c.says(change) })
	}
	differs("presentation", func(r *statement.Receipt) { r.Presentation[0] ^= 1 })
	differs("outcome", func(r *statement.Receipt) { r.Outcome = string(verify.Invalid) })
	differs("reasons", func(r *statement.Receipt) { r.Reasons = r.Reasons[1:] })
	differs("day", func(r *statement.Receipt) { r.Day++ })
	differs("height", func(r *statement.Receipt) { r.Height++ })
	differs("heartbeat", func(r *statement.Receipt) { r.Heartbeat++ })
	differs("time", func(r *statement.Receipt) { r.CheckedAt++ })
	refused("key-unknown", receipt.CodeKeyUnknown, "Its key is not on the ledger.", func(c *receiptCase) { c.key.Key = stranger })
	refused("key-department", receipt.CodeKeyDepartment, "Its key is another department's.", func(c *receiptCase) { c.key.Department = issuer })
	refused("key-purpose", receipt.CodeKeyPurpose, "Its key is not for logs.", func(c *receiptCase) { c.key.Purposes = purposeStatus })
	refused("signature", receipt.CodeSignature, "Its signature does not verify.", func(c *receiptCase) { c.receipt.Signature[40] ^= 1 })
	at := s.log.receipt.Receipt().CheckedAt
	before, after := at-1, at+1
	refused("key-not-yet-valid", receipt.CodeKeyNotYetValid, "It is dated before its key begins.", func(c *receiptCase) { c.key.NotBefore = &after })
	refused("key-expired", receipt.CodeKeyExpired, "It is dated after its key ends.", func(c *receiptCase) { c.key.NotAfter = &before })
	refused("key-compromised", receipt.CodeKeyCompromised, "Its key was declared compromised, and it has no proof.", func(c *receiptCase) {
		c.key.State, c.proof = "compromised", false
	})
	refused("key-compromised-checkpoint", receipt.CodeKeyCompromised, "Its key was declared compromised, and its checkpoint is not on the ledger.", func(c *receiptCase) {
		c.key.State, c.points = "compromised", nil
	})
	refused("another-index", receipt.CodeNotIncluded, "The path is that of another index.", func(c *receiptCase) {
		c.says(func(r *statement.Receipt) { r.Index++ })
	})
	refused("path-short", receipt.CodeNotIncluded, "The path lacks its last hash.", func(c *receiptCase) { c.path = c.path[:len(c.path)-1] })
	refused("path-long", receipt.CodeNotIncluded, "The path has a hash more.", func(c *receiptCase) { c.path = append(c.path, sm.Hash{}) })
	refused("checkpoint-ledger", receipt.CodeProofDiffers, "The checkpoint is of another ledger.", func(c *receiptCase) {
		c.fixes(authority, func(p *statement.Checkpoint) { p.Ledger[0] ^= 1 })
	})
	refused("checkpoint-department", receipt.CodeProofDiffers, "The checkpoint is of another department.", func(c *receiptCase) {
		c.fixes(authority, func(p *statement.Checkpoint) { p.Department = issuer })
	})
	refused("checkpoint-log", receipt.CodeProofDiffers, "The checkpoint is of another log.", func(c *receiptCase) {
		c.fixes(authority, func(p *statement.Checkpoint) { p.Log = "second" })
	})
	refused("checkpoint-root", receipt.CodeNotIncluded, "The checkpoint has another root.", func(c *receiptCase) {
		c.fixes(authority, func(p *statement.Checkpoint) { p.Root[0] ^= 1 })
	})
	refused("checkpoint-stranger", receipt.CodeCheckpointUnsigned, "A stranger signed the checkpoint.", func(c *receiptCase) {
		c.fixes(stranger, func(*statement.Checkpoint) {})
	})
	refused("checkpoint-signature", receipt.CodeCheckpointUnsigned, "The signature of the checkpoint does not verify.", func(c *receiptCase) {
		c.checkpoint.Signature[40] ^= 1
	})
	refused("checkpoint-differs", receipt.CodeCheckpointDiffers, "The ledger has another root at this size.", func(c *receiptCase) {
		c.points[0].Root = hash("another root")
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
