package grant_test

import (
	"slices"
	"testing"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/granttest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

const (
	issuer = statementtest.Issuer
	agency = statementtest.Agency
	now    = granttest.Time
)

func readGrant(t testing.TB, v *granttest.View) *grant.Grant {
	t.Helper()
	g, err := grant.ReadGrant(granttest.Grant(t, nil), granttest.Binding(t, nil), v)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func readRequest(t testing.TB, v *granttest.View, change func(*statement.Request)) *grant.Request {
	t.Helper()
	r, err := grant.ReadRequest(granttest.Request(t, change), v)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wants(t testing.TB, name string, err error, code string) {
	t.Helper()
	if grant.Code(err) != code || (err == nil) != (code == "") {
		t.Errorf("%s: got %v, want code %q", name, err, code)
	}
}

func TestGrantOfTheHolder(t *testing.T) {
	v := granttest.NewView()
	signed := granttest.Grant(t, nil)
	g := readGrant(t, v)
	if g.Digest != granttest.Digest(t, signed) || g.Signer != grant.KeyActive || g.Binding == nil ||
		g.Binding.Digest != g.Evidence || g.Binding.HolderKey != statementtest.XY(statementtest.Holder) {
		t.Errorf("%+v", g)
	}
}

// A grant that the issuer records on the holder's behalf, by each of the other means.
func TestGrantOnBehalf(t *testing.T) {
	v := granttest.NewView()
	for _, means := range []string{statement.MeansCounter, statement.MeansPlatform, statement.MeansDelegate} {
		signed := granttest.Grant(t, func(g *statement.Grant) { g.Means = means })
		g, err := grant.ReadGrant(signed, nil, v)
		if err != nil || g.Binding != nil {
			t.Errorf("%s: %v, %v", means, g, err)
		}
		_, err = grant.ReadGrant(signed, granttest.Binding(t, nil), v)
		wants(t, means+" with a binding", err, grant.CodeBindingDiffers)
	}
}

func sign(t testing.TB, body statement.Body, label string) []byte {
	t.Helper()
	return statementtest.Sign(t, body, label)
}

func parsed[B statement.Body](t testing.TB, signed []byte) B {
	t.Helper()
	b, _, err := statement.ParseAs[B](signed)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRefusesGrants(t *testing.T) {
	onBehalf := func(g *statement.Grant) { g.Means = statement.MeansCounter }
	for _, c := range []struct {
		name, code string
		grant      func(*statement.Grant)
		signer     string // "": as it ought to be
		binding    func(*statement.Binding)
		noBinding  bool
		view       func(*granttest.View)
	}{
		{name: "another ledger", code: grant.CodeOtherLedger, view: func(v *granttest.View) { v.ID[0] ^= 1 }},
		{name: "another ledger, on behalf", code: grant.CodeOtherLedger, grant: onBehalf, noBinding: true, view: func(v *granttest.View) { v.ID[0] ^= 1 }},
		{name: "no binding", code: grant.CodeBindingMissing, noBinding: true},
		{name: "a stranger's signature", code: grant.CodeSignature, signer: "stranger"},
		{name: "the issuer signs as the holder", code: grant.CodeSignature, signer: issuer},
		{name: "the holder signs as the issuer", code: grant.CodeKeyUnknown, grant: onBehalf, signer: statementtest.Holder, noBinding: true},
		{name: "the agency grants itself", code: grant.CodeKeyDepartment, grant: onBehalf, signer: agency, noBinding: true},
		{name: "another binding", code: grant.CodeBindingDiffers, binding: func(b *statement.Binding) { b.NotAfter++ }},
		{name: "the binding of another licence", code: grant.CodeBindingDiffers, grant: func(g *statement.Grant) { g.Licence[0] ^= 1 }},
		{name: "the binding of another issuer", code: grant.CodeBindingDiffers, grant: func(g *statement.Grant) { g.Issuer = agency }},
		{name: "before the binding", code: grant.CodeBindingNotYetValid, grant: func(g *statement.Grant) { g.SignedAt = now - grant.Skew - 1 }},
		{name: "after the binding", code: grant.CodeBindingExpired, grant: func(g *statement.Grant) { g.SignedAt = now + 90*24*3600 + 1 }},
		{name: "a key that is not for binding", code: grant.CodeKeyPurpose, view: func(v *granttest.View) { v.KeyOf(issuer).Purposes = statement.PurposeConsent }},
		{name: "a key that is not for consent", code: grant.CodeKeyPurpose, grant: onBehalf, noBinding: true,
			view: func(v *granttest.View) { v.KeyOf(issuer).Purposes = statement.PurposeAnchor }},
		{name: "a compromised key", code: grant.CodeKeyCompromised, view: func(v *granttest.View) { v.KeyOf(issuer).State = grant.KeyCompromised }},
		{name: "before the key", code: grant.CodeKeyNotYetValid, view: func(v *granttest.View) { at := uint64(now + 1); v.KeyOf(issuer).NotBefore = &at }},
		{name: "after the key", code: grant.CodeKeyExpired, view: func(v *granttest.View) { at := uint64(now - 1); v.KeyOf(issuer).NotAfter = &at }},
	} {
		v := granttest.NewView()
		if c.view != nil {
			c.view(v)
		}
		signed := granttest.Grant(t, c.grant)
		if c.signer != "" {
			signed = sign(t, parsed[*statement.Grant](t, signed), c.signer)
		}
		binding := granttest.Binding(t, c.binding)
		if c.noBinding {
			binding = nil
		}
		_, err := grant.ReadGrant(signed, binding, v)
		wants(t, c.name, err, c.code)
	}
	v := granttest.NewView()
	_, err := grant.ReadGrant(granttest.Request(t, nil), nil, v)
	wants(t, "a request for a grant", err, statement.CodeWrongKind)
	_, err = grant.ReadGrant(granttest.Grant(t, nil), []byte{}, v)
	wants(t, "an empty binding", err, statement.CodeMalformed)
}

func TestMayBeGiven(t *testing.T) {
	binding := granttest.Digest(t, granttest.Binding(t, nil))
	end := uint64(now + 30*24*3600)
	for _, c := range []struct {
		name, code string
		now        uint64
		view       func(*granttest.View, *grant.Grant)
	}{
		{"now", "", now, nil},
		{"on its last second", "", end, nil},
		{"clocks two minutes apart", "", now - grant.Skew, nil},
		{"too early", grant.CodeBindingNotYetValid, now - grant.Skew - 1, nil},
		{"a second too late", grant.CodeExpired, end + 1, nil},
		{"after the binding", grant.CodeBindingExpired, now + 90*24*3600 + 1, nil},
		{"binding withdrawn", grant.CodeBindingWithdrawn, now, func(v *granttest.View, _ *grant.Grant) { v.Record(binding, statement.ConsentWithdraw) }},
		{"grant given already", "", now, func(v *granttest.View, g *grant.Grant) { v.Record(g.Digest, statement.ConsentGive) }},
		{"grant withdrawn", grant.CodeWithdrawn, now, func(v *granttest.View, g *grant.Grant) { v.Record(g.Digest, statement.ConsentWithdraw) }},
	} {
		v := granttest.NewView()
		g := readGrant(t, v)
		if c.view != nil {
			c.view(v, g)
		}
		wants(t, c.name, g.MayBeGiven(v, c.now), c.code)
	}
	v := granttest.NewView()
	v.KeyOf(issuer).State = grant.KeyRetired
	wants(t, "a retired key", readGrant(t, v).MayBeGiven(v, now), grant.CodeKeyRetired)
	onBehalf, err := grant.ReadGrant(granttest.Grant(t, func(g *statement.Grant) { g.Means, g.SignedAt = statement.MeansCounter, now+grant.Skew+1 }), nil, granttest.NewView())
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "signed in the future", onBehalf.MayBeGiven(granttest.NewView(), now), grant.CodeNotYetValid)
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		name, code string
		request    func(*statement.Request)
		held       func(*grant.Held)
		now        uint64
	}{
		{"the first use", "", nil, nil, now},
		{"the last use", "", nil, func(h *grant.Held) { h.Used = 1 }, now},
		{"the first second", "", nil, nil, now},
		{"the last second", "", nil, nil, now + 30*24*3600},
		{"other fields, which are not looked at", "", func(r *statement.Request) { r.Fields = []string{"other"} }, nil, now},
		{"used up", grant.CodeUsedUp, nil, func(h *grant.Held) { h.Used = 2 }, now},
		{"more than used up", grant.CodeUsedUp, nil, func(h *grant.Held) { h.Used = 1<<32 - 1 }, now},
		{"too early", grant.CodeNotYetValid, nil, nil, now - 1},
		{"expired", grant.CodeExpired, nil, nil, now + 30*24*3600 + 1},
		{"not given", grant.CodeNotGiven, nil, func(h *grant.Held) { h.Given = false }, now},
		{"withdrawn", grant.CodeWithdrawn, nil, func(h *grant.Held) { h.Withdrawn = true }, now},
		{"withdrawn before it was given", grant.CodeWithdrawn, nil, func(h *grant.Held) { h.Given, h.Withdrawn = false, true }, now},
		{"no grant named", grant.CodeGrantDiffers, func(r *statement.Request) { r.Grant = nil }, nil, now},
		{"another grant named", grant.CodeGrantDiffers, func(r *statement.Request) { r.Grant = &sm.Hash{1} }, nil, now},
		{"another issuer", grant.CodeOtherIssuer, func(r *statement.Request) { r.Issuer = "market-regulation" }, nil, now},
		{"another licence", grant.CodeOtherLicence, func(r *statement.Request) { r.Licence = &sm.Hash{1} }, nil, now},
		{"another type", grant.CodeOtherLicence, func(r *statement.Request) { r.Type = "divorce" }, nil, now},
		{"another matter", grant.CodeOtherMatter, func(r *statement.Request) { r.Matter = "loan" }, nil, now},
	} {
		v := granttest.NewView()
		g := readGrant(t, v)
		v.Record(g.Digest, statement.ConsentGive)
		h := g.Hold(v, 0)
		if c.held != nil {
			c.held(h)
		}
		wants(t, c.name, h.Covers(readRequest(t, v, c.request), c.now), c.code)
	}
	v := granttest.NewView()
	g := readGrant(t, v)
	v.Record(g.Digest, statement.ConsentGive)
	v.Enrol("market-regulation", statement.PurposeConsent)
	stolen := parsed[*statement.Request](t, granttest.Request(t, func(r *statement.Request) { r.Agency = "market-regulation" }))
	r, err := grant.ReadRequest(sign(t, stolen, "market-regulation"), v)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "another agency", g.Hold(v, 0).Covers(r, now), grant.CodeOtherAgency)
}

func TestHoldFollowsTheLedger(t *testing.T) {
	v := granttest.NewView()
	g := readGrant(t, v)
	for action, want := range map[string]grant.Held{
		"":                        {},
		statement.ConsentGive:     {Given: true},
		statement.ConsentWithdraw: {Given: true, Withdrawn: true},
	} {
		v.Record(g.Digest, action)
		if h := g.Hold(v, 7); h.Given != want.Given || h.Withdrawn != want.Withdrawn || h.Used != 7 {
			t.Errorf("%q: %+v", action, h)
		}
	}
}

func TestBeyond(t *testing.T) {
	g := readGrant(t, granttest.NewView())
	if got := g.Beyond([]string{"spouse1Id", "spouse1Name", "spouse2Id", "spouse2Name"}); !slices.Equal(got, []string{"spouse1Id", "spouse2Name"}) {
		t.Errorf("beyond: %v", got)
	}
	if got := g.Beyond(g.Fields); got != nil {
		t.Errorf("beyond its own: %v", got)
	}
}

func TestWithdrawal(t *testing.T) {
	v := granttest.NewView()
	g := readGrant(t, v)
	if w, err := grant.ReadWithdrawal(granttest.Withdrawal(t, g.Digest, nil), nil, g, v); err != nil || w.Grant != g.Digest {
		t.Errorf("at a counter: %v", err)
	}
	// A later binding of another key of the holder to the same licence.
	binding := parsed[*statement.Binding](t, granttest.Binding(t, func(b *statement.Binding) { b.HolderKey = statementtest.XY("new telephone") }))
	signed := sign(t, binding, issuer)
	w := &statement.Withdrawal{Ledger: v.ID, Issuer: issuer, Grant: g.Digest, Means: statement.MeansKey, Evidence: granttest.Digest(t, signed), SignedAt: now}
	_, err := grant.ReadWithdrawal(sign(t, w, "new telephone"), signed, g, v)
	wants(t, "with a new key", err, "")
	_, err = grant.ReadWithdrawal(sign(t, w, statementtest.Holder), signed, g, v)
	wants(t, "with another key than the binding's", err, grant.CodeSignature)
	_, err = grant.ReadWithdrawal(sign(t, w, "new telephone"), nil, g, v)
	wants(t, "without the binding", err, grant.CodeBindingMissing)
	binding.Digest[0] ^= 1
	signed = sign(t, binding, issuer)
	w.Evidence = granttest.Digest(t, signed)
	_, err = grant.ReadWithdrawal(sign(t, w, "new telephone"), signed, g, v)
	wants(t, "by the holder of another licence", err, grant.CodeBindingDiffers)
	_, err = grant.ReadWithdrawal(granttest.Withdrawal(t, sm.Hash{1}, nil), nil, g, v)
	wants(t, "of another grant", err, grant.CodeGrantDiffers)
	_, err = grant.ReadWithdrawal(granttest.Withdrawal(t, g.Digest, func(w *statement.Withdrawal) { w.Issuer = agency }), nil, g, v)
	wants(t, "by another department", err, grant.CodeGrantDiffers)
	_, err = grant.ReadWithdrawal(granttest.Grant(t, nil), nil, g, v)
	wants(t, "a grant for a withdrawal", err, statement.CodeWrongKind)
}
