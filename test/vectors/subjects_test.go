package vectors_test

import (
	"strings"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// SubjectFile is what a licence is to be found by, as it is sealed beside a request.
type SubjectFile struct {
	Common
	Subject    Hex     `json:"subject"`
	Commitment sm.Hash `json:"commitment"` // in the request
	// The rest is there in a good file only.
	Salt  Hex    `json:"salt,omitempty"`
	Key   string `json:"key,omitempty"`
	Value string `json:"value,omitempty"`
}

// subject is a marriage certificate, by its number.
func (s *story) subject() *grant.Subject {
	salt := sm.Sum([]byte("salt of a subject"))
	return &grant.Subject{Salt: credential.Salt(salt[:16]), Key: "certificateNumber", Value: "J990101-2009-000002"}
}

func (s *story) goodSubjects() map[string]any {
	files := map[string]any{}
	add := func(name, about string, v *grant.Subject) {
		files[name+".json"] = SubjectFile{Common: good("subject", about), Subject: v.Bytes(), Commitment: v.Commitment(), Salt: v.Salt[:], Key: v.Key, Value: v.Value}
	}
	add("subject", "A licence is to be found by its number.", s.subject())
	longest := s.subject()
	longest.Key, longest.Value = strings.Repeat("k", grant.MaxSubjectKey), strings.Repeat("号", grant.MaxSubjectValue/3)
	add("subject-longest", "Key and value are as long as can be.", longest)
	return files
}

func (s *story) badSubjects() map[string]any {
	files := map[string]any{}
	add := func(name, code, about string, b []byte, commitment sm.Hash) {
		files["subject-"+name+".json"] = SubjectFile{Common: bad("subject", "parse", code, about), Subject: b, Commitment: commitment}
	}
	v := s.subject()
	items := func(salt, key, value any) []byte { return s.encode([]any{salt, key, value}) }
	malformed := func(name, about string, b []byte) { // committed to as it is
		add(name, grant.CodeSubjectMalformed, about, b, sm.SumLeaf(b))
	}
	b := v.Bytes()
	malformed("empty", "There is nothing.", nil)
	malformed("truncated", "The last byte is missing.", b[:len(b)-1])
	malformed("trailing", "A byte follows.", append(append([]byte{}, b...), 0))
	malformed("longer-than-needed", "The number of items is in two bytes.", append([]byte{0x98, 3}, b[1:]...))
	malformed("item-more", "It has an item more.", s.encode([]any{v.Salt[:], v.Key, v.Value, nil}))
	malformed("salt-15-bytes", "The salt is short.", items(v.Salt[1:], v.Key, v.Value))
	malformed("key-empty", "The key is empty.", items(v.Salt[:], "", v.Value))
	malformed("key-65-letters", "The key is long.", items(v.Salt[:], strings.Repeat("k", 65), v.Value))
	malformed("key-hyphen", "No field can have the key.", items(v.Salt[:], "certificate-number", v.Value))
	malformed("value-empty", "The value is empty.", items(v.Salt[:], v.Key, ""))
	malformed("value-513-bytes", "The value is long.", items(v.Salt[:], v.Key, strings.Repeat("v", 513)))
	malformed("value-bytes", "The value is no text.", items(v.Salt[:], v.Key, []byte(v.Value)))
	malformed("value-null", "There is no value.", items(v.Salt[:], v.Key, nil))
	add("other-value", grant.CodeSubjectDiffers, "The request has a commitment to another value.", b, grant.SubjectCommitment(&v.Salt, v.Key, v.Value+"0"))
	add("other-salt", grant.CodeSubjectDiffers, "The request has a commitment with another salt.", b, grant.SubjectCommitment(&credential.Salt{}, v.Key, v.Value))
	return files
}

func (r *runner) checkSubject(f SubjectFile) {
	v, err := grant.ParseSubject(f.Subject, &statement.Request{Subject: &f.Commitment})
	r.outcome(f.Common, "parse", r.code(err))
	if err != nil {
		return
	}
	r.same("again", v.Bytes(), f.Subject)
	r.same("salt", v.Salt[:], f.Salt)
	if v.Key != f.Key || v.Value != f.Value {
		r.Errorf("key %q, value %q", v.Key, v.Value)
	}
}
