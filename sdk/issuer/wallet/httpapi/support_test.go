package httpapi_test

import (
	"testing"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet/wallettest"
)

// members is a JSON object.
type members = map[string]any

// scene is a world with a licence of record 1, its two holders and a stranger, signed in.
type scene struct {
	*wallettest.World
	id                       vault.ID
	holder, spouse, stranger wallettest.Client
}

func newScene(t testing.TB) *scene {
	t.Helper()
	w := wallettest.New(t, "marriage")
	s := &scene{World: w, id: w.Issue(1)}
	s.holder, s.spouse, s.stranger = w.SignIn(w.Holder(1)), w.SignIn(w.Spouse(1)), w.SignIn(w.Holder(2))
	return s
}

// code asks for a code of what the matter needs.
func (s *scene) code(kind string) members {
	return members{"licence": s.id, "fields": s.Minimum(), "matter": wallettest.Matter, "kind": kind}
}
