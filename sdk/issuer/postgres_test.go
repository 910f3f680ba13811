package issuer_test

import (
	"errors"
	"testing"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
)

// TestJobsOnPostgreSQL ends a job after each of its steps, and goes on, with the vault in PostgreSQL; then it changes
// states by a list.
func TestJobsOnPostgreSQL(t *testing.T) {
	server := sqldbtest.PostgreSQL(t)
	t.Parallel()
	for name, out := range outputs {
		t.Run(name, func(t *testing.T) {
			const records, doubled = 40, 2
			d := newDeskAt(t, "marriage", server.Database(t))
			d.SetGroup(16)
			job := out.job(d)
			job.Type, job.Batch = "marriage", 8
			job.Inputs = []string{d.synthetic(t, "input", 1, records-doubled), d.synthetic(t, "again", 1, doubled)}
			for _, step := range issuer.Steps {
				d.EndAfter(endAt(step, 1))
				if _, err := d.Issue(t.Context(), clerk, job, nil); err != nil && !errors.Is(err, errEnd) && issuer.Code(err) != issuer.CodeJobDone {
					t.Fatalf("after %s: %v", step, err)
				}
				d.checkKnown(t)
			}
			d.EndAfter(func(string) error { return nil })
			if report, err := d.Issue(t.Context(), clerk, job, nil); err != nil && issuer.Code(err) != issuer.CodeJobDone {
				t.Fatalf("%+v, %v", report, err)
			}
			opened := d.checkIssued(t, out.read(t, d), records-doubled)

			list := "digest\n"
			for _, o := range opened[:20] {
				list += o.Digest.String() + "\n"
			}
			changes := issuer.List{Type: "marriage", Inputs: []string{d.file(t, "list", []byte(list))}, To: licence.Revoked, Reason: "error", Rejects: d.path("list.rejects")}
			if report, err := d.SetStatusList(t.Context(), clerk, changes, nil); err != nil || report.Changed != 20 {
				t.Fatalf("%+v, %v", report, err)
			}
			dry, err := d.DryRun(t.Context(), clerk, issuer.Job{Type: "marriage", Inputs: job.Inputs[:1]}, nil)
			if err != nil || dry.Issued != 20 || dry.Reasons[issuer.CodeLicenceActive] != records-doubled-20 {
				t.Errorf("after 20 of them are revoked, a dry run says %+v, %v", dry, err)
			}
		})
	}
}
