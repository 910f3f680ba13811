package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

// The kinds of jobs that the API begins in the vault.
const (
	kindUpload = "upload"       // licences of an uploaded file are issued
	kindCheck  = "upload-check" // it is looked at what would be
)

const maxJobs = 100 // that are listed, of those that are done

// claimTTL is how long an idempotency key of an upload is remembered.
const claimTTL = 3 * 24 * time.Hour

// A detail is what a job needs to go on, and is told when it has failed.
type detail struct {
	Upload      upload        `json:"upload"`
	ValidFrom   *licence.Date `json:"validFrom"`
	ValidUntil  *licence.Date `json:"validUntil"`
	Predecessor vault.ID      `json:"predecessor"`
	Single      bool          `json:"single"` // of one record, by who may issue that
	Problem     *failure      `json:"problem"`
}

// A failure is why a job has failed.
type failure struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// A job is one of the API's.
type job struct {
	*vault.Job
	detail
}

func parseJob(j *vault.Job) (*job, error) {
	out := &job{Job: j}
	return out, json.Unmarshal(j.Detail, &out.detail)
}

// progress is how far the job that is being worked on has come, as far as it is not in the vault yet.
type progress struct {
	mu  sync.Mutex
	job int64 // 0: none
	at  issuer.Progress
}

func (p *progress) set(job int64, at issuer.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.job, p.at = job, at
}

func (p *progress) of(job int64) (at issuer.Progress, running bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at, p.job == job
}

// jobJSON says how far a job has come.
type (
	jobJSON struct {
		ID        int64           `json:"id"`
		Type      string          `json:"type"`
		DryRun    bool            `json:"dryRun"`
		State     string          `json:"state"`
		Records   int64           `json:"records"`
		Accepted  int64           `json:"accepted"`
		Rejected  int64           `json:"rejected"`
		Bytes     int64           `json:"bytes"`
		BytesRead int64           `json:"bytesRead"`
		By        string          `json:"by"`
		StartedAt string          `json:"startedAt"`
		ChangedAt string          `json:"changedAt"`
		Problem   *jobProblemJSON `json:"problem"`
	}
	jobProblemJSON struct {
		Code   string       `json:"code"`
		Detail string       `json:"detail"`
		Text   licence.Text `json:"text"`
	}
)

func (a *API) describeJob(j *job) jobJSON {
	out := jobJSON{
		ID: j.ID, Type: j.Type, DryRun: j.Kind == kindCheck, State: "waiting", Records: j.Records, Accepted: j.Accepted, Rejected: j.Rejected,
		Bytes: j.Upload.Bytes, By: j.By.Actor, StartedAt: rest.RFC3339(j.StartedAt), ChangedAt: rest.RFC3339(j.ChangedAt),
	}
	at, running := a.progress.of(j.ID)
	switch {
	case j.Done && j.Problem != nil:
		out.State, out.BytesRead = "failed", j.Upload.Bytes
		out.Problem = &jobProblemJSON{j.Problem.Code, j.Problem.Detail, kinds[j.Problem.Code].Text}
	case j.Done:
		out.State, out.BytesRead = "done", j.Upload.Bytes
	case running:
		out.State, out.BytesRead = "running", min(at.Bytes, j.Upload.Bytes)
		if at.Rows > out.Records {
			out.Records, out.Accepted, out.Rejected = at.Rows, at.Issued, at.Rejected
		}
	}
	return out
}

// uploadTypes are the media types of files that can be imported.
var uploadTypes = []string{"text/csv", "application/jsonl", "application/json", "application/xml"}

func (c *call) postImport() error {
	typ, err := c.IDParameter("type")
	if err != nil {
		return err
	}
	if _, err := c.may(typ, staff.Import); err != nil {
		return err
	}
	kind := kindUpload
	switch s, given := c.Parameter("dryRun"); {
	case s == "true":
		kind = kindCheck
	case given && s != "false":
		return c.Wrong("dryRun", "must be true or false")
	}
	key, err := c.idempotencyKey()
	if err != nil {
		return err
	}
	if _, err := c.MediaType(uploadTypes...); err != nil {
		return err
	}
	in, err := c.Stream(c.MaxImport)
	if err != nil {
		return err
	}
	d := new(detail)
	u, sum, err := c.store(in)
	if err != nil {
		return err
	}
	if u.Bytes == 0 {
		c.drop(u)
		return rest.Refuse(rest.CodeBodyMalformed, "the file is empty")
	}
	d.Upload = *u
	return c.begin(&vault.Job{Kind: kind, Type: typ}, d, "", vault.ClaimKey{Caller: c.who.Name, Key: key, Request: requestHash(kind+" "+typ, sum[:])})
}

// requestHash is what a call asks, for its idempotency key. What it is stands in front, so that no answer to one
// thing is taken for the answer to another.
func requestHash(what string, body []byte) sm.Hash { return sm.Sum(append([]byte(what+"\n"), body...)) }

// beginSingle begins a job of one record.
func (c *call) beginSingle(q *application, claim *vault.ClaimKey) error {
	u, _, err := c.store(bytes.NewReader(q.Record))
	if err != nil {
		return err
	}
	d := &detail{Single: true, Upload: *u, ValidFrom: q.ValidFrom, ValidUntil: q.ValidUntil, Predecessor: q.Predecessor}
	return c.begin(&vault.Job{Kind: kindUpload, Type: q.Type}, d, q.purpose, *claim)
}

// errBegunBefore undoes a transaction.
var errBegunBefore = errors.New("begun before")

// begin keeps a job under an idempotency key, and answers with it, or with the one that was begun under the key before.
func (c *call) begin(j *vault.Job, d *detail, purpose string, claim vault.ClaimKey) (err error) {
	keep := false
	defer func() {
		if !keep {
			c.drop(&d.Upload)
		}
	}()
	if j.Detail, err = json.Marshal(d); err != nil {
		return err
	}
	j.Name, j.Prefix = sm.Sum([]byte(d.Upload.Name)), sm.Sum(nil)
	var earlier []byte
	err = c.Vault.Write(c.R.Context(), c.by(purpose), func(tx *vault.Tx) error {
		if err := tx.AddJob(j); err != nil {
			return err
		}
		var err error
		if earlier, err = tx.Claim(claim, []byte(strconv.FormatInt(j.ID, 10)), c.Now().Add(claimTTL)); earlier != nil {
			err = errBegunBefore // which undoes it
		}
		return err
	})
	if earlier != nil {
		return c.begunBefore(earlier)
	}
	keep = vault.Code(err) != vault.CodeClaimReused // after other errors there may be a job: Run removes what belongs to none
	if err != nil {
		return err
	}
	c.wake()
	return c.answerJob(j)
}

// begunBefore answers with the job that was begun under the same idempotency key.
func (c *call) begunBefore(answer []byte) error {
	id, err := strconv.ParseInt(string(answer), 10, 64)
	if err != nil {
		return err
	}
	j, err := c.Vault.Job(c.R.Context(), id)
	if err != nil {
		return err
	}
	return c.answerJob(j)
}

func (c *call) answerJob(j *vault.Job) error {
	known, err := parseJob(j)
	if err != nil {
		return err
	}
	c.W.Header().Set("Location", "/v1/jobs/"+strconv.FormatInt(j.ID, 10))
	return c.Answer(http.StatusAccepted, c.describeJob(known))
}

func (c *call) getJobs() error {
	out := struct {
		Jobs []jobJSON `json:"jobs"`
	}{}
	var err error
	if out.Jobs, err = c.jobs(0); err != nil {
		return err
	}
	return c.Answer(http.StatusOK, out)
}

// jobs returns the jobs that the caller may see, newest first: those that are under way, and those done that have
// changed since a time in seconds.
func (c *call) jobs(since uint64) ([]jobJSON, error) {
	out := []jobJSON{}
	for _, done := range []bool{false, true} {
		all, err := c.Vault.Jobs(c.R.Context(), done, maxJobs)
		if err != nil {
			return nil, err
		}
		for _, j := range all {
			if !c.maySee(j) || done && uint64(j.ChangedAt.Unix()) < since {
				continue
			}
			known, err := parseJob(j)
			if err != nil {
				return nil, err
			}
			out = append(out, c.describeJob(known))
		}
	}
	slices.SortStableFunc(out, func(a, b jobJSON) int { return int(b.ID - a.ID) })
	return out, nil
}

// maySee reports whether a job is the API's, and the caller's or of a type that the caller may import.
func (c *call) maySee(j *vault.Job) bool {
	return (j.Kind == kindUpload || j.Kind == kindCheck) &&
		(c.who.May(j.Type, staff.Import) || j.By.Actor == c.who.Name && len(c.who.Rights(j.Type)) > 0)
}

// job returns the job that the path names.
func (c *call) job() (*job, error) {
	id, err := c.NumberParameter("job", 1, maxID)
	if err != nil {
		return nil, err
	}
	j, err := c.Vault.Job(c.R.Context(), int64(id))
	if err != nil {
		return nil, err
	}
	if !c.maySee(j) {
		return nil, notFound()
	}
	return parseJob(j)
}

func (c *call) getJob() error {
	j, err := c.job()
	if err != nil {
		return err
	}
	return c.Answer(http.StatusOK, c.describeJob(j))
}
