package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strconv"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sheet"
)

// rejectionJSON is one line of what a job has rejected.
type rejectionJSON struct {
	Record  int64  `json:"record"`
	Line    int    `json:"line"`
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

func (c *call) getRejects() error {
	j, err := c.job()
	if err != nil {
		return err
	}
	format, given := c.Parameter("format")
	if given && format != "jsonl" && format != "csv" {
		return c.Wrong("format", "must be jsonl or csv")
	}
	if j.Upload.Spool != c.spool {
		return rest.Refuse(codeElsewhere, "another service of this department does the job, and has its rejects: ask there")
	}
	f, err := os.Open(c.rejects(&j.Upload))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // nothing was rejected, or it was long ago
		return storageError(err)
	}
	h := c.W.Header()
	var put func(*rejectionJSON) error
	out := bufio.NewWriter(c.W)
	if format == "csv" {
		h.Set("Content-Type", "text/csv; charset=utf-8")
		h.Set("Content-Disposition", `attachment; filename="rejects-`+strconv.FormatInt(j.ID, 10)+`.csv"`)
		rows := sheet.New(out)
		if err := rows.Row("record", "line", "code", "field", "message"); err != nil {
			return err
		}
		put = func(r *rejectionJSON) error {
			return rows.Row(strconv.FormatInt(r.Record, 10), strconv.Itoa(r.Line), r.Code, r.Field, r.Message)
		}
	} else {
		h.Set("Content-Type", "application/jsonl")
		encoder := json.NewEncoder(out)
		put = func(r *rejectionJSON) error { return encoder.Encode(r) }
	}
	if f == nil {
		return out.Flush()
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		r := new(rejectionJSON)
		if json.Unmarshal(lines.Bytes(), r) != nil {
			break // the line that is being written
		}
		if err := put(r); err != nil {
			return aborted(err)
		}
	}
	return aborted(errors.Join(lines.Err(), out.Flush()))
}

// aborted has a connection cut off whose answer cannot be ended, so that it is not taken for whole.
func aborted(err error) error {
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (c *call) getJobCredentials() error {
	j, err := c.job()
	if err != nil {
		return err
	}
	if own := j.Single && j.By.Actor == c.who.Name && c.who.May(j.Type, staff.Issue); !own && !c.who.May(j.Type, staff.Import) {
		return missing(j.Type, staff.Import)
	}
	if !j.Done || j.Kind == kindCheck {
		return rest.Refuse(codeJobNotDone, "credentials are there when the job is done and was no dry run")
	}
	begun := false
	for _, state := range []string{vault.Anchored, vault.Delivered} {
		for after := int64(0); ; {
			batches, err := c.Vault.Batches(c.R.Context(), state, j.ID, after, 1)
			if err == nil && len(batches) == 0 {
				break
			}
			var b []byte
			if err == nil {
				after = batches[0].ID
				b, err = c.credentials(c.R.Context(), batches[0], "credentials of job "+strconv.FormatInt(j.ID, 10))
			}
			if err != nil && begun {
				return aborted(err)
			} else if err != nil {
				return err
			}
			if !begun {
				c.W.Header().Set("Content-Type", "application/cbor-seq")
				c.W.Header().Set("Content-Disposition", `attachment; filename="credentials-`+strconv.FormatInt(j.ID, 10)+`.cborseq"`)
				begun = true
			}
			if _, err := c.W.Write(b); err != nil {
				return aborted(err)
			}
		}
	}
	if !begun {
		c.Send(http.StatusOK, "application/cbor-seq", nil)
	}
	return nil
}

// credentials returns the credentials of a batch one after the other, in the order of the file.
func (c *call) credentials(ctx context.Context, b *vault.Batch, purpose string) ([]byte, error) {
	all, err := c.anchored(ctx, b, purpose)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(x, y issuer.Anchored) int { return int(x.Row - y.Row) })
	var out bytes.Buffer
	for i := range all {
		if p := all[i].Credential; p != nil {
			out.Write(p.Bytes())
		}
	}
	return out.Bytes(), nil
}

// anchored opens a batch, in the order of its tree. A licence about which nothing can be said has no credential.
func (c *call) anchored(ctx context.Context, b *vault.Batch, purpose string) ([]issuer.Anchored, error) {
	all, err := c.Issuer.Credentials(ctx, c.by(purpose), b.ID)
	if !unreadable(err) {
		return all, err
	}
	all = make([]issuer.Anchored, b.Size)
	for i := range all {
		encoded, _, err := c.Issuer.Credential(ctx, c.by(purpose), b.First+vault.ID(i))
		if unreadable(err) {
			continue
		} else if err != nil {
			return nil, err
		}
		if all[i].Credential, err = credential.Parse(encoded); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// maxExport is the greatest number of licences in a list.
const maxExport = 10_000

func (c *call) postExport() error {
	var typ string
	var from, until *licence.Date
	why, err := c.purposeOf(maxTexts,
		rest.Member{Name: "type", Read: rest.ID(&typ), Required: true},
		rest.Member{Name: "from", Read: rest.Day(&from), Required: true},
		rest.Member{Name: "until", Read: rest.Day(&until), Required: true},
	)
	if err != nil {
		return err
	}
	t, err := c.may(typ, staff.Search)
	if err != nil {
		return err
	}
	ctx, begin, end := c.R.Context(), start(*from), start(*until+1)
	count, err := c.Vault.CountIssued(ctx, begin, end)
	if err != nil {
		return err
	}
	if count[typ] > maxExport {
		return rest.Refuse(codeExportTooLarge, "a list has at most "+strconv.Itoa(maxExport)+" licences")
	}
	found, err := c.Vault.Issued(ctx, []string{typ}, begin, end, 0, maxExport)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := c.list(&out, t, found, "list: "+why); err != nil {
		return err
	}
	c.W.Header().Set("Content-Disposition", `attachment; filename="licences-`+typ+`.csv"`)
	c.Send(http.StatusOK, "text/csv; charset=utf-8", out.Bytes())
	return nil
}

// list writes licences as a table, a batch at a time.
func (c *call) list(out *bytes.Buffer, t *licence.Type, found []*vault.Licence, purpose string) error {
	rows := sheet.New(out)
	head := []string{"id", "digest", "state", "issuedAt", "validUntil"}
	for _, f := range t.Fields {
		head = append(head, f.Key)
	}
	if err := rows.Row(head...); err != nil {
		return err
	}
	var batch *vault.Batch
	var opened []issuer.Anchored
	for _, l := range found {
		if batch == nil || batch.ID != l.Batch {
			var err error
			if batch, err = c.Vault.Batch(c.R.Context(), l.Batch); err != nil {
				return err
			}
			if opened, err = c.anchored(c.R.Context(), batch, purpose); err != nil {
				return err
			}
		}
		row := []string{strconv.FormatInt(int64(l.ID), 10), l.Digest.String(), string(l.State), rest.UTC(l.IssuedAt), ""}
		if l.ValidUntil != nil {
			row[4] = l.ValidUntil.String()
		}
		values, err := c.maskedRow(t, opened[l.Index].Credential)
		if err != nil {
			return err
		}
		if err := rows.Row(append(row, values...)...); err != nil {
			return err
		}
	}
	return nil
}

// maskedRow returns the masked values of a credential in the order of a type's fields, which may be those of a later
// version; none if nothing can be said.
func (c *call) maskedRow(t *licence.Type, p *credential.Presentation) ([]string, error) {
	out := make([]string, len(t.Fields))
	if p == nil {
		return out, nil
	}
	o, err := c.opened(p)
	if err != nil {
		return nil, err
	}
	for i, f := range t.Fields {
		if v, ok := o.Value(f.Key); ok {
			out[i] = f.Masked(v)
		}
	}
	return out, nil
}
