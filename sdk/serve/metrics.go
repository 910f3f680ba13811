package serve

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are what Prometheus is told: those that every service has, and those that it adds. No label has
// anything that a caller chose; routes are templates.
type Metrics struct {
	registry *prometheus.Registry
	prefix   string

	requests *prometheus.CounterVec   // by route and status
	latency  *prometheus.HistogramVec // by route
	problems *prometheus.CounterVec   // by code
	shed     *prometheus.CounterVec   // by where
	tlcp     *prometheus.CounterVec   // handshakes that failed, by code
}

// latencyBuckets, in seconds: fine where the promises are.
var latencyBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

// NewMetrics makes the metrics of a service, whose names begin with credledger_ and its name.
func NewMetrics(service string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), prefix: "credledger_" + service + "_"}
	m.requests = m.counter("requests_total", "Requests answered.", "route", "status")
	m.problems = m.counter("problems_total", "Requests refused or failed.", "code")
	m.shed = m.counter("shed_total", "Requests and connections turned away at a limit.", "at")
	m.tlcp = m.counter("tlcp_failures_total", "TLCP connections that came to nothing.", "code")
	m.latency = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: m.prefix + "request_seconds", Help: "Time to answer.", Buckets: latencyBuckets,
	}, []string{"route"})
	m.registry.MustRegister(m.latency, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.prefix + name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

// Counter adds a counter with labels and returns what counts one more, given a value for each label.
func (m *Metrics) Counter(name, help string, labels ...string) (count func(values ...string)) {
	c := m.counter(name, help, labels...)
	return func(values ...string) { c.WithLabelValues(values...).Inc() }
}

// Gauge adds a value that is asked for when Prometheus asks.
func (m *Metrics) Gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: m.prefix + name, Help: help}, value))
}

// Observe counts a request: the template of its route, and the code of its problem, "" without one.
func (m *Metrics) Observe(route string, status int, problem string, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.latency.WithLabelValues(route).Observe(took.Seconds())
	if problem != "" {
		m.problems.WithLabelValues(problem).Inc()
	}
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Bool is a yes or no as a value of a gauge.
func Bool(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
