package serve

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/credledger/credledger/sdk/sm/tlcp"
)

// A Handler is what a service does with requests.
type Handler struct {
	API http.Handler // with the pages
	// Refuse answers a request that does not get as far as the API, with the problem that has a code.
	Refuse func(w http.ResponseWriter, r *http.Request, code string, retryAfter time.Duration)
	// Ready says whether the service is to be given work, and what /readyz answers, as JSON.
	Ready func(context.Context) (ready bool, state any)
}

// Doors are the listeners of a service.
type Doors struct {
	config      *Config
	metrics     *Metrics
	connections *connections
	web         webIdentity
	tlcp        *tlcp.Listener // nil without one
	doors       []*door
	serving     atomic.Bool
	ballast     []byte
}

// ballastSize is memory that is never touched, and so takes none of the machine's. It counts as in use
// when the garbage collector decides how much may be allocated until it runs again: a service that holds
// little would otherwise spend a tenth of its time collecting what it allocates for each request.
const ballastSize = 64 << 20

// Open opens the listeners. What connects waits until Run. The error is an [*Error].
func Open(c *Config, m *Metrics, h Handler) (*Doors, error) {
	d := &Doors{config: c, metrics: m, ballast: make([]byte, ballastSize)}
	d.connections = &connections{max: int64(c.Connections), shed: m.shed.WithLabelValues("connections").Inc}
	m.Gauge("connections", "Open connections of callers.", func() float64 { return float64(d.connections.open.Load()) })
	callers := d.handler(h)
	opens := []func() (*door, error){func() (*door, error) { return d.openWeb(callers) }}
	if c.TLCP != nil {
		opens = append(opens, func() (*door, error) { return d.openTLCP(callers) })
	}
	if c.Metrics != "" {
		opens = append(opens, func() (*door, error) { return d.openMetrics(h.Ready) })
	}
	for _, open := range opens {
		opened, err := open()
		if err != nil {
			d.Close()
			return nil, err
		}
		d.doors = append(d.doors, opened)
	}
	return d, nil
}

// handler is what the listeners of callers serve: probes before all limits, then the gate, then the API.
func (d *Doors) handler(h Handler) http.Handler {
	shed := d.metrics.shed.WithLabelValues("requests")
	refuse := func(w http.ResponseWriter, r *http.Request, code string) {
		if code == CodeOverloaded {
			shed.Inc()
		}
		h.Refuse(w, r, code, time.Second)
	}
	g := &gate{max: int64(d.config.Concurrent), refuse: refuse, next: h.API}
	return probes(h.Ready, throughProxies(d.config.Web.Proxies, g))
}

// Serving reports whether Run has begun, and is not about to end.
func (d *Doors) Serving() bool { return d.serving.Load() }

// An Address is where a service listens.
type Address struct {
	Name string // web or Config.Name, tlcp or metrics
	URL  string
}

// Addresses returns where the service listens.
func (d *Doors) Addresses() []Address {
	var out []Address
	for _, door := range d.doors {
		out = append(out, Address{door.name, door.url()})
	}
	return out
}

// Reload reads the certificates again. What cannot be read stays as it was.
func (d *Doors) Reload() error {
	var errs []error
	if d.config.Web.Certificate != "" {
		errs = append(errs, d.web.load(d.config.Web))
	}
	if d.tlcp != nil {
		id, err := loadTLCP(d.config.TLCP)
		if err == nil {
			d.tlcp.SetIdentity(id)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Close closes the listeners at once; Run does it in order.
func (d *Doors) Close() {
	for _, door := range d.doors {
		_ = door.server.Close()
		_ = door.listener.Close()
	}
}
