package ledgertest

import (
	"encoding/hex"
	"slices"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// departmentSuspended takes all rights away from a department and gives them back. What it submits
// meanwhile is refused, each kind of it, and accepted afterwards, byte for byte; who asks still gets
// an answer, and other departments go on.
func departmentSuspended(r *run) {
	d, govern := r.City.Department(r, Properties), r.City.Authority.Govern
	before := r.anchor("property", 4)
	key := freshKey(r)
	checkpoint := r.nextCheckpoint(d)
	consent := &statement.Consent{
		Ledger: r.City.ID, Department: d.ID, Digest: before.Digests[0], Action: statement.ConsentGive, SignedAt: Time,
	}
	kinds := []*chaincode.Transaction{
		r.City.Digests(r, "property", 2, nil, nil).Tx,
		Sign(r, before.Change(0, licence.Suspended), d.Status),
		Sign(r, before.Restrict(1), d.Status),
		Sign(r, checkpoint, d.Log),
		Sign(r, consent, d.Consent),
		Sign(r, r.City.Enrolment(d.ID, key, statement.PurposeAnchor), d.Govern, key),
		Sign(r, before.ChangeAll(licence.Suspended), d.Second),
	}

	r.submit(Authority, Sign(r, r.nextDepartment(d, statement.DepartmentSuspended), govern))
	for _, tx := range kinds {
		r.refuse(d.ID, tx, chaincode.CodeDepartmentSuspended)
	}
	receipt, err := r.try(Submission{d.ID, before.Tx})
	if err != nil || !receipt.Existing {
		r.Errorf("what it anchored before, again: %+v, %v; want Existing", receipt, err)
	}
	var verified struct {
		Issuer   string `json:"issuerState"`
		Included bool   `json:"included"`
	}
	place := before.Place(2)
	r.evaluate(d.ID, &verified, "verify", d.ID, before.Root().String(), "2", place.Digest.String(), hex.EncodeToString(place.Path))
	if verified.Issuer != statement.DepartmentSuspended || !verified.Included {
		r.Errorf("a licence that it anchored before: %+v; want it included, its issuer suspended", verified)
	}
	r.anchor("marriage", 1)

	r.submit(Authority, Sign(r, r.nextDepartment(d, statement.DepartmentActive), govern))
	for _, tx := range kinds {
		r.submit(d.ID, tx)
	}
}

// typeTakenAway takes one right away from a department, to issue a type, and gives it back. What it
// has issued of that type remains its own to suspend.
func typeTakenAway(r *run) {
	d, govern := r.City.Department(r, Businesses), r.City.Authority.Govern
	before := r.anchor("business", 2)
	less := r.nextDepartment(d, statement.DepartmentActive)
	less.Profile.Issues = slices.DeleteFunc(slices.Clone(less.Profile.Issues), func(typ string) bool { return typ == "business" })
	r.submit(Authority, Sign(r, less, govern))

	refused := r.City.Digests(r, "business", 2, nil, nil)
	r.refuse(d.ID, refused.Tx, chaincode.CodeTypeNotIssued)
	r.submit(d.ID, Sign(r, before.Change(0, licence.Suspended), d.Status))
	r.anchor("marriage", 1)

	r.submit(Authority, Sign(r, r.nextDepartment(d, statement.DepartmentActive), govern))
	r.submit(d.ID, refused.Tx)
}
