package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
)

// The same on the database of production: one call of each kind.
func TestOnPostgreSQL(t *testing.T) {
	s := httpapitest.NewAt(t, "marriage", sqldbtest.PostgreSQL(t).Database(t))
	id := s.Issue(1)
	s.System().Key("again").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(1)}).Problem(t, "record-refused")
	clerk, second := s.SignIn(httpapitest.Clerk), s.SignIn(httpapitest.Second)
	draft := clerk.Post("/v1/drafts", members{"type": "marriage", "fields": s.Fields(2)}).Want(t, http.StatusCreated)
	clerk.Post("/v1/drafts/"+draft.Text("id")+"/issue", nil).Want(t, http.StatusCreated)
	job := upload(t, s.System(), "import", "type=marriage", "application/jsonl", file(t, s, 0, 20))
	again := s.System().Key("import").With("Content-Type", "application/jsonl").Post("/v1/imports?type=marriage", file(t, s, 0, 20)).Want(t, http.StatusAccepted)
	if again.Header.Get("Location") != job {
		t.Errorf("%v", again.Header)
	}
	if a := jobDone(t, s, s.System(), job); a.Number("accepted") != 18 || a.Number("rejected") != 2 {
		t.Errorf("%s", a.Body)
	}
	if found := s.System().Post("/v1/licences/search", members{"type": "marriage", "number": s.Number(7), "purpose": "a"}); len(found.Get("licences").([]any)) != 1 {
		t.Errorf("%s", found.Body)
	}
	_, proposal := propose(t, s, clerk, 30)
	second.Post(proposal+"/approve", nil).Want(t, http.StatusOK)
	if desk := clerk.Get("/v1/desk").Want(t, http.StatusOK); desk.Number("issued.0.count") != 21 || len(desk.Get("recent").([]any)) != 21 {
		t.Errorf("%s", desk.Body)
	}
	s.System().Post(path(id, "/open"), members{"purpose": "a"}).Want(t, http.StatusOK)
	s.System().Get(path(id, "/history")).Want(t, http.StatusOK)
}
