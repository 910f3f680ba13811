package issuer_test

import (
	"bytes"
	"testing"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
)

// TestSubjects finds licences of several batches by their ids, and by their credentials: they are the same.
func TestSubjects(t *testing.T) {
	d := newDesk(t, "property")
	lines := bytes.SplitAfter(d.sample(t, ".jsonl"), []byte("\n"))
	lines[0] = bytes.Replace(lines[0], []byte("{"), []byte(`{"ZZYXQQSRQ": "2019-05-01", `), 1)
	opened := d.issued(t, "bundle", d.file(t, "input", bytes.Join(lines[:10], nil)), 4)
	var ids []vault.ID
	for _, o := range opened {
		ids = append(ids, d.subject(t, o).ID)
	}
	subjects, err := d.Subjects(t.Context(), ids...)
	if err != nil {
		t.Fatal(err)
	}
	history, err := d.vault.Events(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range history {
		if e.Action == vault.ActionOpened {
			t.Error("licences were opened to find them")
		}
	}
	for i, s := range subjects {
		of := d.subject(t, opened[i])
		if s.ID != of.ID || s.Type != of.Type || s.Since != of.Since || s.Place.Root != of.Place.Root || s.Place.Index != of.Place.Index ||
			s.Place.Digest != of.Place.Digest || !bytes.Equal(s.Place.Path, of.Place.Path) {
			t.Errorf("licence %d is %+v by its id, and %+v by its credential", i+1, s, of)
		}
	}
	if subjects[0].Since != 18017 || subjects[1].Since != licence.DateOf(now) { // 2019-05-01, and the day of issue
		t.Errorf("the first days are %s and %s", subjects[0].Since, subjects[1].Since)
	}
	_, err = d.Subjects(t.Context(), ids[0], 99)
	hasCode(t, err, vault.CodeUnknown)

	keys, err := masterkey.Open(d.path("master.keys"))
	if err != nil {
		t.Fatal(err)
	}
	empty, err := vault.Create(t.Context(), d.path("empty.db"), d.vault.Identity(), keys, clockOfTests)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { empty.Close() })
	c := d.config
	c.Vault = empty
	iss := d.open0(t, c)
	s, err := iss.SubjectOf(t.Context(), opened[0])
	if err != nil || s.ID != 0 {
		t.Fatalf("in another vault it is %+v, %v", s, err)
	}
	results, err := iss.SetStatus(t.Context(), clerk, []issuer.StatusChange{{Licence: s, To: licence.Revoked, Reason: "fraud"}}, nil)
	if err != nil || results[0].Outcome != issuer.StatusChanged || d.status(t, opened[0]).State != licence.Revoked {
		t.Errorf("a licence that is not in the vault: %+v, %v", results, err)
	}
}
