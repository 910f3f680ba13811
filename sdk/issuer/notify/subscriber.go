package notify

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/outbound"
	"github.com/credledger/credledger/sdk/webhook"
)

// A Subscriber is who is told, and of what.
type Subscriber struct {
	Name     string   // lower-case letters, digits and '-', up to 64; never another's
	URL      *url.URL // where its messages are posted to
	Types    []string // ids of licence types; none: all
	Events   []string // types of events; none: all
	Secrets  []webhook.Secret
	Networks []netip.Prefix // private networks in which its host may be
	Roots    *x509.CertPool // authorities of its certificate; nil: those of the system
}

var name = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// Check returns what is wrong with a subscriber, in the words of whoever configured it.
func (s *Subscriber) Check() error {
	if !name.MatchString(s.Name) {
		return errors.New("a subscriber's name has lower-case letters, digits and '-', 64 at most")
	}
	if err := s.place().Check(); err != nil {
		return fmt.Errorf("a subscriber's %w", err)
	}
	if len(s.Secrets) == 0 {
		return errors.New("a subscriber has a file with one secret, or two")
	}
	for _, e := range s.Events {
		if !slices.Contains(webhook.Types, e) {
			return errors.New("events are licence.status, licence.restriction, licence.expiring and job.done")
		}
	}
	return nil
}

// place is where it is told.
func (s *Subscriber) place() *outbound.Place {
	return &outbound.Place{URL: s.URL, Networks: s.Networks, Roots: s.Roots}
}

// attemptTimeout bounds one attempt.
const attemptTimeout = 10 * time.Second

// client makes a client that reaches this subscriber and nobody else.
func (s *Subscriber) client() *http.Client { return s.place().Client(attemptTimeout) }
