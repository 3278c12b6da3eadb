package outbound

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"
)

// Metrics counts the calls of every lane, and knows the lanes.
type Metrics struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	breaker *prometheus.GaugeVec
	paused  *prometheus.GaugeVec
	retries *prometheus.CounterVec

	mu    sync.Mutex
	lanes map[[2]string]*Lane // by partner and class
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
		paused: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hub_partner_paused", Help: "Whether people have stopped the calls of a partner's lane.",
		}, []string{"partner", "class"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hub_partner_retries_total", Help: "Questions that were asked again within one call.",
		}, []string{"partner"}),
		lanes: map[[2]string]*Lane{},
	}
	if r != nil {
		r.MustRegister(m.calls, m.seconds, m.breaker, m.paused, m.retries)
	}
	return m
}

func (m *Metrics) state(partner string, c Class, s gobreaker.State) {
	m.breaker.WithLabelValues(partner, string(c)).Set(float64(s))
}

func (m *Metrics) hold(partner string, c Class, held bool) {
	v := 0.0
	if held {
		v = 1
	}
	m.paused.WithLabelValues(partner, string(c)).Set(v)
}

// join makes a lane known; of a partner that is opened anew the newest counts. Whom
// people have stopped stays stopped.
func (m *Metrics) join(l *Lane) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := [2]string{l.partner, string(l.class)}
	if was := m.lanes[at]; was != nil {
		l.held.Store(was.held.Load())
	}
	m.lanes[at] = l
}

// Lanes are those that count here, by partner and class.
func (m *Metrics) Lanes() []*Lane {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Values(m.lanes), func(a, b *Lane) int {
		return cmp.Or(cmp.Compare(a.partner, b.partner), cmp.Compare(a.class, b.class))
	})
}
