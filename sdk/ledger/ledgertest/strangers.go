package ledgertest

import (
	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// strangers asks and submits as organisations that have a connection, but were not admitted: they
// are answered, and whatever they submit is refused.
func strangers(r *run) {
	for _, typ := range []string{"marriage", "property", "business"} {
		d := r.City.Issuer(r, typ)
		var ledger struct {
			ID        string `json:"id"`
			Authority string `json:"authority"`
			Genesis   []byte `json:"genesis"`
		}
		r.evaluate(d.ID, &ledger, "ledger")
		if ledger.ID != r.City.ID.String() || ledger.Authority != Authority || string(ledger.Genesis) != string(r.City.Genesis) {
			r.Errorf("%s is told of the ledger %s of %s, want %s", d.ID, ledger.ID, ledger.Authority, r.City.ID)
		}
		var departments []struct {
			ID string `json:"id"`
		}
		r.evaluate(d.ID, &departments, "departments")
		if len(departments) != 1 || departments[0].ID != Authority {
			r.Errorf("%s is told of the departments %v, want the authority alone", d.ID, departments)
		}

		b := r.City.Digests(r, typ, 2, nil, nil)
		r.refuse(d.ID, b.Tx, chaincode.CodeDepartmentUnknown)
		r.refuse(d.ID, Sign(r, b.Change(0, licence.Revoked), d.Status), chaincode.CodeDepartmentUnknown)
		checkpoint := &statement.Checkpoint{Ledger: r.City.ID, Department: d.ID, Log: Log, Size: 1, SignedAt: Time}
		r.refuse(d.ID, Sign(r, checkpoint, d.Log), chaincode.CodeDepartmentUnknown)
		enrol := Sign(r, r.City.Enrolment(d.ID, d.Govern, statement.PurposeGovern), r.City.Authority.Govern, d.Govern)
		r.refuse(d.ID, enrol, chaincode.CodeDepartmentUnknown)
		for _, signer := range []*Department{d, r.City.Authority} {
			r.refuse(d.ID, Sign(r, r.City.Admission(d), signer.Govern), chaincode.CodeNotAuthority)
		}
		impostor := r.City.Digests(r, typ, 2, func(h *statement.Head) { h.Issuer = Authority }, r.City.Authority.Govern)
		r.refuse(d.ID, impostor.Tx, chaincode.CodeWrongOrganisation)
	}
}

// founding submits to a ledger that is not yet ready for it, founds the city, and submits the same
// bytes again.
func founding(r *run) {
	var early []*Batch
	for _, typ := range []string{"marriage", "property", "business"} {
		b := r.City.Digests(r, typ, 2, nil, nil)
		r.refuse(b.Issuer, b.Tx, chaincode.CodeDepartmentUnknown)
		early = append(early, b)
	}
	r.City.Found(r, r.connect)
	for _, b := range early {
		r.submit(b.Issuer, b.Tx)
		var d struct {
			State string `json:"state"`
		}
		r.evaluate(b.Issuer, &d, "department", b.Issuer)
		if d.State != statement.DepartmentActive {
			r.Errorf("%s is %q after it was admitted", b.Issuer, d.State)
		}
	}
}
