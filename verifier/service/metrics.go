package service

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/credledger/credledger/verifier/httpapi"
)

// metrics are what Prometheus is told. No label has anything that a caller chose, but ids of agencies
// nowhere, and routes as templates.
type metrics struct {
	registry *prometheus.Registry

	requests *prometheus.CounterVec   // by route and status
	latency  *prometheus.HistogramVec // by route
	outcomes *prometheus.CounterVec   // of verifications
	problems *prometheus.CounterVec   // by code
	shed     *prometheus.CounterVec   // by where
	tlcp     *prometheus.CounterVec   // handshakes that failed, by code
}

// latencyBuckets, in seconds: fine where the promises are.
var latencyBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "credledger_verifier_" + name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	m.requests = counter("requests_total", "Requests answered.", "route", "status")
	m.outcomes = counter("verifications_total", "Verdicts given, and overall outcomes of cases.", "route", "outcome")
	m.problems = counter("problems_total", "Requests refused or failed.", "code")
	m.shed = counter("shed_total", "Requests and connections turned away at a limit.", "at")
	m.tlcp = counter("tlcp_failures_total", "TLCP connections that came to nothing.", "code")
	m.latency = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "credledger_verifier_request_seconds", Help: "Time to answer.", Buckets: latencyBuckets,
	}, []string{"route"})
	m.registry.MustRegister(m.latency, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// gauge is a value that is asked for when Prometheus asks.
func (m *metrics) gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "credledger_verifier_" + name, Help: help}, value))
}

// observe counts a request.
func (m *metrics) observe(c httpapi.Call) {
	m.requests.WithLabelValues(c.Route, strconv.Itoa(c.Status)).Inc()
	m.latency.WithLabelValues(c.Route).Observe(c.Duration.Seconds())
	if c.Outcome != "" {
		m.outcomes.WithLabelValues(c.Route, c.Outcome).Inc()
	}
	if c.Problem != "" {
		m.problems.WithLabelValues(c.Problem).Inc()
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
