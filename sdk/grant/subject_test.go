package grant_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

func subject() *grant.Subject {
	return &grant.Subject{Salt: credential.Salt{1, 2, 3}, Key: "certificateNumber", Value: "J990101-2009-000002"}
}

// requestFor is a request for the licence that a subject describes.
func requestFor(s *grant.Subject) *statement.Request {
	commitment := s.Commitment()
	return &statement.Request{Subject: &commitment}
}

func TestSubject(t *testing.T) {
	s := subject()
	if got, want := s.Commitment(), sm.SumLeaf(s.Bytes()); got != want {
		t.Fatalf("the commitment %s is not that over the encoding, %s", got, want)
	}
	if s.Commitment() != grant.SubjectCommitment(&s.Salt, s.Key, s.Value) {
		t.Fatal("two commitments of one subject")
	}
	got, err := grant.ParseSubject(s.Bytes(), requestFor(s))
	if err != nil || *got != *s {
		t.Fatalf("%+v, %v", got, err)
	}
	longest := &grant.Subject{Key: strings.Repeat("k", grant.MaxSubjectKey), Value: strings.Repeat("v", grant.MaxSubjectValue)}
	if got, err := grant.ParseSubject(longest.Bytes(), requestFor(longest)); err != nil || *got != *longest {
		t.Fatalf("%v", err)
	}
}

func TestSubjectRefused(t *testing.T) {
	s := subject()
	other := *s
	other.Value += "0"
	salted := *s
	salted.Salt[15] = 1
	b := s.Bytes()
	for name, c := range map[string]struct {
		bytes []byte
		to    *statement.Request
		code  string
	}{
		"nothing":           {nil, requestFor(s), grant.CodeSubjectMalformed},
		"cut off":           {b[:len(b)-1], requestFor(s), grant.CodeSubjectMalformed},
		"more behind it":    {append(append([]byte{}, b...), 0), requestFor(s), grant.CodeSubjectMalformed},
		"four items":        {append([]byte{0x84}, b[1:]...), requestFor(s), grant.CodeSubjectMalformed},
		"longer head":       {append([]byte{0x98, 3}, b[1:]...), requestFor(s), grant.CodeSubjectMalformed},
		"no key":            {(&grant.Subject{Value: "v"}).Bytes(), requestFor(s), grant.CodeSubjectMalformed},
		"key of no field":   {(&grant.Subject{Key: "a-b", Value: "v"}).Bytes(), requestFor(s), grant.CodeSubjectMalformed},
		"no value":          {(&grant.Subject{Key: "k"}).Bytes(), requestFor(s), grant.CodeSubjectMalformed},
		"key too long":      {(&grant.Subject{Key: strings.Repeat("k", 65), Value: "v"}).Bytes(), requestFor(s), grant.CodeSubjectMalformed},
		"value too long":    {(&grant.Subject{Key: "k", Value: strings.Repeat("v", 513)}).Bytes(), requestFor(s), grant.CodeSubjectMalformed},
		"not UTF-8":         {(&grant.Subject{Key: "k", Value: "\xff"}).Bytes(), requestFor(s), grant.CodeSubjectMalformed},
		"another value":     {b, requestFor(&other), grant.CodeSubjectDiffers},
		"another salt":      {b, requestFor(&salted), grant.CodeSubjectDiffers},
		"request by digest": {b, &statement.Request{Licence: &sm.Hash{}}, grant.CodeSubjectDiffers},
	} {
		_, err := grant.ParseSubject(c.bytes, c.to)
		if grant.Code(err) != c.code || strings.Contains(err.Error(), s.Value) {
			t.Errorf("%s: %v; want %s", name, err, c.code)
		}
	}
}

func FuzzSubject(f *testing.F) {
	f.Add(subject().Bytes())
	f.Add([]byte{0x83, 0x50})
	f.Fuzz(func(t *testing.T, b []byte) {
		// What is read is what was committed to, so that a commitment is made of what the bytes say.
		commitment := sm.SumLeaf(b)
		s, err := grant.ParseSubject(b, &statement.Request{Subject: &commitment})
		if err == nil && !bytes.Equal(s.Bytes(), b) {
			t.Fatalf("%x was read as %+v", b, s)
		}
	})
}
