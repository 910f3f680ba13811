package vectors_test

import (
	"bytes"
	"slices"

	"github.com/credledger/credledger/sdk/statement"
)

// A badPayload is a payload that no statement of its kind has.
type badPayload struct {
	kind          statement.Kind
	expect, about string
	payload       []byte
}

// badPayloads returns payloads that must be refused, by name: first those not in their one
// encoding, shown on a head, then those of every kind with a value out of bounds.
func (s *story) badPayloads() map[string]badPayload {
	out := map[string]badPayload{}
	malformed := func(name, about string, payload []byte) {
		out[name] = badPayload{statement.KindHead, statement.CodeMalformed, about, payload}
	}
	with := func(kind statement.Kind, index int, value any) []byte {
		items := s.items(kind)
		items[index] = value
		return s.array(items...)
	}
	head := s.encode(s.items(statement.KindHead))
	malformed("short", "An item is missing.", s.encode(s.items(statement.KindHead)[:7]))
	malformed("long", "There is an item more.", s.encode(append(s.items(statement.KindHead), nil)))
	malformed("map", "The payload is an empty map.", []byte{0xa0})
	malformed("trailing-byte", "A byte follows the array.", append(slices.Clone(head), 0))
	malformed("indefinite-array", "The array has indefinite length.", append(append([]byte{0x9f}, head[1:]...), 0xff))
	malformed("longer-than-needed", "The size 3 takes two bytes.", with(statement.KindHead, 6, encoded{0x18, 3}))
	malformed("indefinite-text", "The type is a text of indefinite length.", with(statement.KindHead, 3,
		encoded(append(append([]byte{0x7f}, s.encode("marriage")...), 0xff))))
	malformed("bytes-for-text", "The type is a byte string.", with(statement.KindHead, 3, []byte("marriage")))
	malformed("text-for-bytes", "The root is a text.", with(statement.KindHead, 5, "0123456789abcdef0123456789abcdef"))
	malformed("null-for-bytes", "The root is null.", with(statement.KindHead, 5, nil))
	malformed("root-31-bytes", "The root has 31 bytes.", with(statement.KindHead, 5, make([]byte, 31)))
	malformed("root-33-bytes", "The root has 33 bytes.", with(statement.KindHead, 5, make([]byte, 33)))
	malformed("float", "The size is the number 3.0.", with(statement.KindHead, 6, encoded{0xf9, 0x42, 0x00}))
	malformed("bignum", "The size is a bignum.", with(statement.KindHead, 6, encoded{0xc2, 0x41, 3}))
	malformed("negative", "The size is negative.", with(statement.KindHead, 6, -3))
	malformed("not-utf8", "The unit is not UTF-8.", with(statement.KindHead, 2, encoded{0x62, 0xc0, 0xaf}))
	malformed("tagged", "The time has tag 1.", with(statement.KindHead, 7, encoded(append([]byte{0xc1}, s.encode(uint64(now))...))))

	invalid := func(kind statement.Kind, name, about string, index int, value any) {
		out[string(kind)+"-"+name] = badPayload{kind, statement.CodeInvalid, about, with(kind, index, value)}
	}
	profile := func(index int, value any) []any {
		p := slices.Clone(s.items(statement.KindDepartment)[1].([]any))
		p[index] = value
		return p
	}
	unit := []any{"counter", "990101", "窗口", "Counter"}
	offCurve := append(make([]byte, 63), 1)
	const late = uint64(1) << 40

	invalid(statement.KindGenesis, "name-empty", "The name is empty.", 0, "")
	invalid(statement.KindGenesis, "name-control", "The name has a control character, U+0085.", 0, "a\u0085b")
	invalid(statement.KindGenesis, "key-off-curve", "The key is not on the curve.", 2, offCurve)
	invalid(statement.KindGenesis, "key-not-for-governing", "The first key is not for governing.", 3, 4)
	invalid(statement.KindGenesis, "purpose-unknown", "A purpose is none.", 3, 16|32)
	invalid(statement.KindHead, "issuer-empty", "The issuer is empty.", 1, "")
	invalid(statement.KindHead, "issuer-capitals", "The issuer has a capital letter.", 1, "Civil-affairs")
	invalid(statement.KindHead, "issuer-33", "The issuer has 33 characters.", 1, string(bytes.Repeat([]byte{'a'}, 33)))
	invalid(statement.KindHead, "type-version-0", "The type's version is 0.", 4, 0)
	invalid(statement.KindHead, "size-0", "The size is 0.", 6, 0)
	invalid(statement.KindHead, "size-4097", "The size is 4097.", 6, 4097)
	invalid(statement.KindHead, "time-2-40", "The time is 2^40.", 7, late)
	invalid(statement.KindStatus, "root-differs", "The root is not that of the licence's place.", 2, hash("another root"))
	invalid(statement.KindStatus, "sequence-0", "The sequence is 0.", 4, 0)
	invalid(statement.KindStatus, "first-with-previous", "The first change names one before it.", 4, 1)
	invalid(statement.KindStatus, "second-without-previous", "The second change does not name the first.", 10, nil)
	invalid(statement.KindStatus, "state-capitals", "The new state is in capitals.", 6, "Revoked")
	invalid(statement.KindStatus, "day-10000", "It has effect from the year 10000.", 7, 2932897)
	invalid(statement.KindStatus, "root-with-successor", "Every licence under the root has the same successor.", 3, nil)
	invalid(statement.KindRestriction, "action-unknown", "The action is none.", 4, "seize")
	invalid(statement.KindRestriction, "index-4096", "The index is 4096.", 2, []any{hash("root"), 4096, hash("digest"), []byte{}})
	invalid(statement.KindRestriction, "path-33-bytes", "The path is not whole hashes.", 2, []any{hash("root"), 0, hash("digest"), make([]byte, 33)})
	invalid(statement.KindRestriction, "path-13-hashes", "The path has 13 hashes.", 2, []any{hash("root"), 0, hash("digest"), make([]byte, 13*32)})
	invalid(statement.KindDepartment, "types-not-ascending", "The types are not in ascending order.", 1, profile(5, []any{"marriage", "divorce"}))
	invalid(statement.KindDepartment, "type-twice", "A type is named twice.", 1, profile(5, []any{"marriage", "marriage"}))
	invalid(statement.KindDepartment, "unit-twice", "Two units have one id.", 1, profile(4, []any{unit, unit}))
	invalid(statement.KindDepartment, "division-code", "A division code has a letter.", 1, profile(4, []any{[]any{"counter", "99010A", "窗口", "Counter"}}))
	invalid(statement.KindDepartment, "uscc", "The unified code is in lower case.", 1, profile(1, "11990100mb0000001t"))
	invalid(statement.KindDepartment, "state-unknown", "The state is none.", 2, "closed")
	invalid(statement.KindDepartment, "sequence-0", "The sequence is 0.", 3, 0)
	invalid(statement.KindKey, "kid-differs", "The kid is not that of the key.", 3, hash("another key"))
	invalid(statement.KindKey, "no-purpose", "The key is for nothing.", 5, 0)
	invalid(statement.KindKey, "bounds-crossed", "It ends before it begins.", 6, late-1)
	invalid(statement.KindKey, "enrolled-with-disowned", "An enrolment disowns a root.", 8, []any{hash("root")})
	invalid(statement.KindKey, "retired-with-key", "A retired key is enrolled in the same breath.", 2, "retire")
	invalid(statement.KindType, "version-0", "The version is 0.", 2, 0)
	invalid(statement.KindType, "definition-empty", "The definition is empty.", 3, []byte{})
	invalid(statement.KindCheckpoint, "size-2-40", "The log has 2^40 entries.", 3, late)
	invalid(statement.KindCheckpoint, "log-in-capitals", "The log is named in capitals.", 2, "Main")
	invalid(statement.KindConsent, "action-unknown", "The action is none.", 3, "renew")
	invalid(statement.KindHeartbeat, "sequence-0", "The sequence is 0.", 1, 0)
	invalid(statement.KindBinding, "key-off-curve", "The holder's key is not on the curve.", 3, offCurve)
	invalid(statement.KindBinding, "over-400-days", "It lasts a second longer than 400 days.", 5, uint64(now+statement.MaxBinding+1))
	invalid(statement.KindBinding, "ends-before-it-begins", "It ends before it begins.", 5, uint64(now-1))
	invalid(statement.KindProof, "over-a-day", "It lasts a second longer than a day.", 5, uint64(now+statement.MaxProof+1))
	invalid(statement.KindProof, "nonce-65-bytes", "The nonce has 65 bytes.", 3, make([]byte, 65))
	invalid(statement.KindProof, "audience-201-bytes", "The audience has 201 bytes.", 2, string(bytes.Repeat([]byte{'a'}, 201)))
	invalid(statement.KindSnapshot, "length-2-40", "The contents have 2^40 bytes.", 5, late)
	invalid(statement.KindGrant, "no-field", "It is about no field.", 6, []any{})
	invalid(statement.KindGrant, "field-begins-with-digit", "A field begins with a digit.", 6, []any{"1a"})
	invalid(statement.KindGrant, "field-65-letters", "A field has 65 letters.", 6, []any{string(bytes.Repeat([]byte{'a'}, 65))})
	invalid(statement.KindGrant, "fields-not-ascending", "The fields are not in ascending order.", 6, []any{"b", "a"})
	invalid(statement.KindGrant, "uses-0", "It is for no use.", 7, 0)
	invalid(statement.KindGrant, "uses-1001", "It is for 1,001 uses.", 7, 1001)
	invalid(statement.KindGrant, "over-400-days", "It lasts a second longer than 400 days.", 9, uint64(now+statement.MaxGrant+1))
	invalid(statement.KindGrant, "ends-before-it-begins", "It ends before it begins.", 9, uint64(now-1))
	invalid(statement.KindGrant, "means-unknown", "The means are none.", 10, "telephone")
	invalid(statement.KindWithdrawal, "means-unknown", "The means are none.", 3, "")
	invalid(statement.KindRequest, "no-licence", "It names no licence.", 4, nil)
	invalid(statement.KindRequest, "licence-twice", "It names the licence twice.", 5, hash("subject"))
	invalid(statement.KindRequest, "matter-capitals", "The matter has a capital letter.", 6, "Loan")
	invalid(statement.KindRequest, "case-control", "The case number has a line end.", 7, "a\nb")
	invalid(statement.KindRequest, "recipient-off-curve", "The recipient's key is not on the curve.", 10, offCurve)
	invalid(statement.KindRequest, "over-30-days", "It lasts a second longer than 30 days.", 13, uint64(now+statement.MaxRequest+1))
	invalid(statement.KindAnswer, "outcome-unknown", "The outcome is none.", 3, "silence")
	invalid(statement.KindAnswer, "refused-with-fields", "It is refused, and fields are released.", 3, "refused")
	invalid(statement.KindAnswer, "bases-not-ascending", "The legal bases are not in ascending order.", 6, []any{"b", "a"})
	invalid(statement.KindAnswer, "use-0", "The grant is not used.", 8, 0)
	invalid(statement.KindAnswer, "no-fields", "It releases nothing.", 9, []any{})
	invalid(statement.KindAnswer, "no-presentation", "What it releases is not there.", 10, nil)
	invalid(statement.KindPolicy, "version-0", "The version is 0.", 1, 0)
	invalid(statement.KindPolicy, "definition-empty", "The definition is empty.", 2, []byte{})
	return out
}
