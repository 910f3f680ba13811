package verifiertest_test

import (
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/verify"
)

func TestEveryOutcome(t *testing.T) {
	city := verifiertest.New(t)
	all := city.Issue("property", 6)
	outcome := func(p *credential.Presentation, want verify.Outcome, change ...func(*verify.Request)) {
		t.Helper()
		if v := city.Verify(p, change...); v.Outcome != want {
			t.Errorf("outcome %s, want %s; reasons %v", v.Outcome, want, v.Reasons())
		}
	}
	outcome(all[0].Show(), verify.Valid)
	all[1].SetStatus(licence.Suspended)
	outcome(all[1].Show(), verify.NotCurrent)
	all[1].SetStatus(licence.Active)
	outcome(all[1].Show(), verify.Valid)
	all[1].SetStatus(licence.Revoked)
	all[1].SetStatus(licence.Active) // takes two signatures
	outcome(all[1].Show(), verify.Valid)
	all[2].Supersede(all[3])
	outcome(all[2].Show(), verify.NotCurrent)
	all[3].Restrict()
	all[3].Release()
	outcome(all[3].Show(), verify.Valid)
	all[3].Restrict()
	outcome(all[3].Show(), verify.Restricted)
	nonce := []byte("0123456789abcdef")
	asked := func(r *verify.Request) { r.Audience, r.Nonce, r.HolderRequired = "counter", nonce, true }
	held := all[4].Prove("counter", nonce, "rightHolders")
	outcome(held, verify.Valid, asked)
	outcome(all[4].Show(), verify.Undetermined, asked)
	all[4].WithdrawBinding()
	outcome(held, verify.Invalid, asked)

	city.Disconnect()
	city.Clock.Advance(2 * time.Hour)
	outcome(all[0].Show(), verify.Undetermined)
	city.Connect()
	city.Pass(time.Minute)
	outcome(all[0].Show(), verify.Valid)
	all[0].RevokeRoot()
	outcome(all[0].Show(), verify.NotCurrent)
	other := city.IssueDocument("divorce", 0, map[string]any{"holder": "阿依古丽·静"})
	outcome(other.Show("holder"), verify.Valid)
	city.Compromise(ledgertest.Marriages, other)
	outcome(other.Show("holder"), verify.Invalid)
}
