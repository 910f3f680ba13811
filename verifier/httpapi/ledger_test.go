package httpapi_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/snapshot"
)

func TestDepartments(t *testing.T) {
	s := httpapitest.New(t)
	a := s.Get("/v1/departments").Want(t, http.StatusOK)
	var list struct {
		Departments []struct {
			ID   string
			Keys []struct {
				ID       sm.Hash
				Purposes []string
				State    string
			}
		}
	}
	a.JSON(t, &list)
	var ids []string
	for _, d := range list.Departments {
		ids = append(ids, d.ID)
		known := s.Department(t, d.ID)
		for _, key := range []*sm.PrivateKey{known.Govern, known.Log} {
			if key != nil && !slices.ContainsFunc(d.Keys, func(k struct {
				ID       sm.Hash
				Purposes []string
				State    string
			}) bool {
				return k.ID == key.Public().ID() && k.State == "active"
			}) {
				t.Errorf("%s lacks a key", d.ID)
			}
		}
	}
	want := []string{ledgertest.Marriages, ledgertest.Authority, ledgertest.Businesses, ledgertest.Properties}
	slices.Sort(want)
	if !slices.Equal(ids, want) {
		t.Errorf("%v, want %v", ids, want)
	}
	if a.Get("view.height") == nil || a.Get("view.heartbeat.sequence").(float64) != 1 || a.Get("view.age").(float64) != 0 {
		t.Errorf("%s", a.Body)
	}
}

func TestTypes(t *testing.T) {
	s := httpapitest.New(t)
	a := s.Get("/v1/types").Want(t, http.StatusOK)
	if a.Text("types.0.id") != "business" || a.Text("types.1.name.zh") != "离婚证" {
		t.Errorf("%s", a.Body)
	}
	canonical := string(s.Type(t, "property").Canonical())
	for _, path := range []string{"/v1/types/property", "/v1/types/property/versions/1"} {
		a := s.Get(path).Want(t, http.StatusOK)
		if !strings.Contains(string(a.Body), canonical) || a.Get("newest").(float64) != 1 {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
	s.Get("/v1/types/passport").Problem(t, "type-unknown")
	s.Get("/v1/types/property/versions/2").Problem(t, "type-unknown")
	for _, path := range []string{"/v1/types/PROPERTY", "/v1/types/property/versions/0", "/v1/types/property/versions/01", "/v1/types/property/versions/-1",
		"/v1/types/property/versions/99999999999999999999", "/v1/types/property?x=1"} {
		s.Get(path).Problem(t, "parameter-invalid")
	}
}

func TestAnchor(t *testing.T) {
	s := httpapitest.New(t)
	houses := s.Issue("property", 2)
	houses[0].RevokeRoot()
	s.Pass(time.Minute)
	tax := s.Agency(s.Tax)
	path := "/v1/anchors/" + ledgertest.Properties + "/"
	a := tax.Get(path+houses[0].Batch.Root().String()).Want(t, http.StatusOK)
	signed, err := base64.StdEncoding.DecodeString(a.Text("statement"))
	if err != nil || !bytes.Equal(signed, houses[0].Batch.Statement) {
		t.Errorf("not the signed head: %v", err)
	}
	if a.Text("changes.0.state") != "revoked" || a.Get("size").(float64) != 2 || a.Text("transaction") == "" || a.Get("after.sequence").(float64) != 2 {
		t.Errorf("%s", a.Body)
	}
	tax.Get(path+zeros).Problem(t, "anchor-unknown")
	tax.Get("/v1/anchors/nobody/"+zeros).Problem(t, "department-unknown")
	tax.Get("/v1/anchors/"+ledgertest.Marriages+"/"+houses[0].Batch.Root().String()).Problem(t, "anchor-unknown")
	tax.Get(path+strings.ToUpper(houses[0].Batch.Root().String())).Problem(t, "parameter-invalid")
	tax.Get(path+"abc").Problem(t, "parameter-invalid")
}

func TestStatus(t *testing.T) {
	s := httpapitest.New(t)
	houses := s.Issue("property", 3)
	houses[0].SetStatus(licence.Suspended)
	houses[0].SetStatus(licence.Active)
	houses[0].Supersede(houses[1])
	houses[0].Restrict()
	tax := s.Agency(s.Tax)
	get := func(digest sm.Hash) httpapitest.Answer {
		return tax.Get("/v1/statuses/"+ledgertest.Properties+"/"+digest.String()).Want(t, http.StatusOK)
	}
	a := get(houses[0].Digest)
	if a.Text("changes.0.state") != "suspended" || a.Text("changes.2.state") != "superseded" || a.Text("changes.2.successor") != houses[1].Digest.String() ||
		a.Text("changes.0.type") != "property" || a.Text("restrictions.0.effective") != "2026-11-07" {
		t.Errorf("%s", a.Body)
	}
	// A licence that was never changed is not told from a guess.
	genuine, guess := get(houses[2].Digest), get(sm.Sum([]byte("a guess")))
	if string(raw(t, genuine, "changes")) != "[]" || string(raw(t, genuine, "restrictions")) != "[]" {
		t.Errorf("%s", genuine.Body)
	}
	if same := strings.ReplaceAll(string(guess.Body), sm.Sum([]byte("a guess")).String(), houses[2].Digest.String()); same != string(genuine.Body) {
		t.Errorf("a guess is told from a licence: %s and %s", genuine.Body, guess.Body)
	}
	tax.Get("/v1/statuses/nobody/"+zeros).Problem(t, "department-unknown")
}

func TestSnapshot(t *testing.T) {
	s := httpapitest.New(t)
	s.Issue("property", 3)
	s.Get("/v1/snapshots/latest").Problem(t, "snapshot-none")
	s.Get("/v1/snapshots/latest/description").Problem(t, "snapshot-none")
	made := s.MakeSnapshot()
	a := s.Get("/v1/snapshots/latest").Want(t, http.StatusOK)
	view, err := snapshot.Open(a.Body, snapshot.Trust{Ledger: s.ID, Keys: []*sm.PublicKey{s.Authority.Log.Public()}}, 0)
	if err != nil || view.Ledger() != s.ID {
		t.Fatalf("%v", err)
	}
	tag := a.Header.Get("ETag")
	if a := s.With("If-None-Match", tag).Get("/v1/snapshots/latest"); a.Status != http.StatusNotModified {
		t.Errorf("%d", a.Status)
	}
	part := s.With("Range", "bytes=10-19").With("If-Range", tag).Get("/v1/snapshots/latest").Want(t, http.StatusPartialContent)
	if !bytes.Equal(part.Body, made.File[10:20]) {
		t.Error("another part")
	}
	if a := s.Do(http.MethodHead, "/v1/snapshots/latest", nil).Want(t, http.StatusOK); a.Header.Get("Content-Length") == "" {
		t.Errorf("%v", a.Header)
	}

	a = s.Get("/v1/snapshots/latest/description").Want(t, http.StatusOK)
	signed, err := base64.StdEncoding.DecodeString(a.Text("statement"))
	if err != nil {
		t.Fatal(err)
	}
	body, _, err := statement.ParseAs[*statement.Snapshot](signed)
	if err != nil || body.Content.String() != a.Text("content") || a.Get("size").(float64) != float64(len(made.File)) {
		t.Errorf("%v: %s", err, a.Body)
	}
}
