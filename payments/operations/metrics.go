package operations

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Collector answers how long the oldest operation has been in doubt, and how
// many are in which state, from the database at each scrape: all hubs tell the
// same.
func (e *Engine) Collector() prometheus.Collector { return collector{e} }

type collector struct{ e *Engine }

var (
	oldestDoubt  = prometheus.NewDesc("hub_unknown_oldest_seconds", "Age of the oldest operation whose outcome is not known; 0 when there is none.", nil, nil)
	openNow      = prometheus.NewDesc("hub_operations_open", "Operations without an end, by state.", []string{"state"}, nil)
	contradicted = prometheus.NewDesc("hub_operations_contradicted", "Operations that did not end as they were booked.", nil, nil)
)

// Describe names the figures.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- oldestDoubt
	ch <- openNow
	ch <- contradicted
}

// Collect reads the figures; a database that does not answer gives none.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	f, err := figuresOf(ctx, c.e.db)
	if err != nil {
		slog.WarnContext(ctx, "the figures of operations cannot be read", "error", err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(oldestDoubt, f.Oldest.Seconds())
	gauge(contradicted, float64(f.Contradicted))
	for _, s := range []State{Intent, Sending, Accepted, Unknown, Review} {
		gauge(openNow, float64(f.open[s]), string(s))
	}
}

// figures are what Collector publishes.
type figures struct {
	Oldest       time.Duration
	Contradicted int64
	open         map[State]int64
}
