package outbound

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"
)

// Metrics counts the calls of every lane.
type Metrics struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	breaker *prometheus.GaugeVec
}

// NewMetrics makes the figures and registers them; a nil registerer leaves
// them unpublished.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hub_partner_calls_total", Help: "Calls to partners by outcome.",
		}, []string{"partner", "op", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hub_partner_call_seconds", Help: "How long calls to partners took.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25},
		}, []string{"partner", "op"}),
		breaker: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hub_breaker_state", Help: "The breaker of a partner's lane: 0 closed, 1 half-open, 2 open.",
		}, []string{"partner", "class"}),
	}
	if r != nil {
		r.MustRegister(m.calls, m.seconds, m.breaker)
	}
	return m
}

func (m *Metrics) state(partner string, c Class, s gobreaker.State) {
	m.breaker.WithLabelValues(partner, string(c)).Set(float64(s))
}
