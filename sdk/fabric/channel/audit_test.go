package channel

import (
	"testing"

	"github.com/credledger/credledger/sdk/ledger/audit"
)

func TestAuditClean(t *testing.T) {
	s := newStory(t)
	head := s.head()
	r := s.audit(t, audit.Options{Expect: &head})
	if !r.Clean() {
		t.Error(r.Findings)
	}
	t.Log(r)
}
