package service

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"

	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/outbound"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/snapshot"
	"github.com/credledger/credledger/verifier/store"
)

// Requests says which departments make requests to issuers here, and where those are.
type Requests struct {
	Keys        map[string]string `yaml:"keys"`        // by department: path of its key for consent
	Issuers     map[string]string `yaml:"issuers"`     // by department: URL of its issuer's service
	Networks    []netip.Prefix    `yaml:"networks"`    // may be left out
	Authorities string            `yaml:"authorities"` // path; may be left out
	Policy      string            `yaml:"policy"`      // path; may be left out
}

// maxPart bounds a file of certificates, or a policy, in bytes.
const maxPart = 1 << 20

// check returns what is wrong first, in the words of whoever wrote the file.
func (r *Requests) check() error {
	if r == nil {
		return nil
	}
	if len(r.Keys) == 0 || len(r.Issuers) == 0 {
		return errors.New("requests: keys names the departments that ask, with the files of their keys, and issuers those that are asked, with their URLs")
	}
	for id, file := range r.Keys {
		if !departmentID.MatchString(id) || file == "" {
			return fmt.Errorf("requests: keys has the id of a department and the file of its key for consent")
		}
	}
	for id := range r.Issuers {
		if !departmentID.MatchString(id) {
			return fmt.Errorf("requests: issuers has the id of a department and the URL of its service")
		}
		if _, err := r.place(id, nil); err != nil {
			return err
		}
	}
	return nil
}

// resolve makes paths absolute, or relative to the working directory as dir is.
func (r *Requests) resolve(dir string) {
	if r == nil {
		return
	}
	serve.Resolve(dir, &r.Authorities, &r.Policy)
	for id, file := range r.Keys {
		serve.Resolve(dir, &file)
		r.Keys[id] = file
	}
}

// Places returns where issuers are, by id: with the authorities of their certificates, which it reads.
func (r *Requests) Places() (map[string]*outbound.Place, error) {
	roots, err := r.roots()
	if err != nil {
		return nil, err
	}
	places := map[string]*outbound.Place{}
	for id := range r.Issuers {
		if places[id], err = r.place(id, roots); err != nil {
			return nil, err
		}
	}
	return places, nil
}

// place is where an issuer is.
func (r *Requests) place(id string, roots *x509.CertPool) (*outbound.Place, error) {
	u, err := url.Parse(r.Issuers[id])
	if err != nil {
		return nil, fmt.Errorf("requests: the url of %s is https://HOST/PATH", id)
	}
	p := &outbound.Place{URL: u, Networks: r.Networks, Roots: roots}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("requests: %s: %w", id, err)
	}
	if u.RawQuery != "" {
		return nil, fmt.Errorf("requests: the url of %s is https://HOST/PATH", id)
	}
	return p, nil
}

// roots reads the authorities of the issuers' certificates; nil: those of the system.
func (r *Requests) roots() (*x509.CertPool, error) {
	if r.Authorities == "" {
		return nil, nil
	}
	b, err := readPart(r.Authorities)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%s holds no certificate", r.Authorities)
	}
	return pool, nil
}

func readPart(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxPart {
		return nil, fmt.Errorf("%s is too large", file)
	}
	return os.ReadFile(file)
}

// openRequests makes what makes requests, if any are made here.
func (s *Service) openRequests() error {
	r := s.config.Requests
	if r == nil {
		return nil
	}
	failed := func(err error) error {
		return &serve.Error{Code: serve.CodeConfig, Message: "requests to issuers", Err: err}
	}
	places, err := r.Places()
	if err != nil {
		return failed(err)
	}
	if err := s.loadPolicy(); err != nil {
		return err
	}
	ended := s.metrics.Counter("issuer_requests_total", "Requests to issuers that have ended.", "state")
	s.asker, err = request.New(request.Config{
		View: s.index, Grants: s.index.Grants(), Store: s.store, Log: s.access, Keys: s.parts.AskerKeys, Issuers: places,
		Policy: s.policy.Load, Now: s.parts.Now, Ended: func(state store.RequestState) { ended(string(state)) },
	})
	if err != nil {
		return failed(err)
	}
	return nil
}

// loadPolicy reads the policy, which the authority must have signed; a version before the one that is
// known is refused.
func (s *Service) loadPolicy() error {
	if s.config.Requests == nil || s.config.Requests.Policy == "" {
		return nil
	}
	file := s.config.Requests.Policy
	p, err := ReadPolicy(file, s.index)
	if known := s.policy.Load(); err == nil && known != nil && p.Version < known.Version {
		err = fmt.Errorf("it is version %d, and version %d is known: put the newer one back", p.Version, known.Version)
	}
	if err != nil {
		return &serve.Error{Code: serve.CodeConfig, Message: "read " + file, Err: err}
	}
	s.policy.Store(p)
	return nil
}

// ReadPolicy reads a policy that the authority of a ledger published, a signed statement in a file.
func ReadPolicy(file string, x *index.Index) (*policy.Published, error) {
	b, err := readPart(file)
	if err != nil {
		return nil, err
	}
	export, err := x.Export()
	if err != nil {
		return nil, err
	}
	authority, _, err := snapshot.TrustOf(export)
	if err != nil {
		return nil, err
	}
	return policy.Read(b, authority, x.Grants())
}

// settle looks after requests to issuers.
func (s *Service) settle(ctx context.Context) error {
	if s.asker == nil {
		return nil
	}
	return serve.Every(ctx, s.log, request.SettleEvery, "requests to issuers", s.asker.Settle)
}
