package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tiwiza/payments/operations"
)

// doubts tells how long the oldest operation has been in doubt, and how many
// are in which state, from the database at each scrape.
type doubts struct{ engine *operations.Engine }

var (
	oldestDoubt  = prometheus.NewDesc("hub_unknown_oldest_seconds", "Age of the oldest operation whose outcome is not known; 0 when there is none.", nil, nil)
	openNow      = prometheus.NewDesc("hub_operations_open", "Operations without an end, by state.", []string{"state"}, nil)
	contradicted = prometheus.NewDesc("hub_operations_contradicted", "Operations that did not end as they were booked.", nil, nil)
)

// Describe names the figures.
func (d doubts) Describe(ch chan<- *prometheus.Desc) {
	ch <- oldestDoubt
	ch <- openNow
	ch <- contradicted
}

// Collect reads the figures; a database that does not answer gives none.
func (d doubts) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	f, err := d.engine.Figures(ctx)
	if err != nil {
		slog.WarnContext(ctx, "the figures of operations cannot be read", "error", err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(oldestDoubt, f.Oldest.Seconds())
	gauge(contradicted, float64(f.Contradicted))
	for _, s := range []operations.State{operations.Intent, operations.Sending, operations.Accepted, operations.Unknown, operations.Review} {
		gauge(openNow, float64(f.Open[s]), string(s))
	}
}
