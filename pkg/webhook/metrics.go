package webhook

import "github.com/prometheus/client_golang/prometheus"

// Metrics are the figures of what is sent.
type Metrics struct {
	calls   *prometheus.CounterVec
	age     prometheus.Histogram
	waiting prometheus.Gauge
	oldest  prometheus.Gauge
}

// NewMetrics makes the figures and registers them; a nil registerer leaves them
// unpublished.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hub_webhook_calls_total", Help: "Calls of webhook endpoints: delivered, retried, given_up or gone.",
		}, []string{"result"}),
		age: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hub_webhook_age_seconds", Help: "How old an event was when an endpoint took it.",
			Buckets: []float64{.25, .5, 1, 2.5, 5, 15, 60, 300, 1800, 7200, 28800, 86400, 259200},
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "hub_webhook_waiting", Help: "Deliveries that wait for active endpoints."}),
		oldest:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "hub_webhook_oldest_seconds", Help: "How long the oldest of them has waited."}),
	}
	if r != nil {
		r.MustRegister(m.calls, m.age, m.waiting, m.oldest)
	}
	return m
}
