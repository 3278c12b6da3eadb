package telemetry

import "github.com/prometheus/client_golang/prometheus"

// A Lane has the figures of a lane in which work of many callers is committed
// together. A nil one takes none.
type Lane struct {
	batch, wait prometheus.Histogram
	queue       prometheus.Gauge
	refused     prometheus.Counter
}

// NewLane makes the figures under a name and registers them.
func NewLane(r prometheus.Registerer, name string) *Lane {
	l := &Lane{
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hub_" + name + "_lane_batch_items", Help: "How many items were committed together.", Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		wait: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hub_" + name + "_lane_seconds", Help: "How long callers waited for their commit.", Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5},
		}),
		queue:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "hub_" + name + "_lane_queue_items", Help: "How many items wait for a batch."}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{Name: "hub_" + name + "_lane_refused_total", Help: "Calls turned away because too many items were waiting."}),
	}
	r.MustRegister(l.batch, l.wait, l.queue, l.refused)
	return l
}

// Batch counts the items of a batch.
func (l *Lane) Batch(items int) {
	if l != nil {
		l.batch.Observe(float64(items))
	}
}

// Queue says how many items wait.
func (l *Lane) Queue(items int) {
	if l != nil {
		l.queue.Set(float64(items))
	}
}

// Refused counts a call that was turned away.
func (l *Lane) Refused() {
	if l != nil {
		l.refused.Inc()
	}
}

// A Wait is how long one caller has waited so far.
type Wait struct{ timer *prometheus.Timer }

// Begin starts a caller's wait.
func (l *Lane) Begin() Wait {
	if l == nil {
		return Wait{}
	}
	return Wait{prometheus.NewTimer(l.wait)}
}

// End ends it.
func (w Wait) End() {
	if w.timer != nil {
		w.timer.ObserveDuration()
	}
}
