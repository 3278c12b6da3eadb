package telemetry

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// Pool makes a collector of how busy a connection pool is.
func Pool(p *pgxpool.Pool) prometheus.Collector { return pool{p} }

type pool struct{ *pgxpool.Pool }

var (
	poolConns  = prometheus.NewDesc("hub_pool_connections", "Connections to PostgreSQL by what they do.", []string{"state"}, nil)
	poolMax    = prometheus.NewDesc("hub_pool_connections_max", "The most connections the pool opens.", nil, nil)
	poolTaken  = prometheus.NewDesc("hub_pool_acquired_total", "Connections taken from the pool.", nil, nil)
	poolWaits  = prometheus.NewDesc("hub_pool_waits_total", "Connections taken that had to be waited for.", nil, nil)
	poolWaited = prometheus.NewDesc("hub_pool_wait_seconds_total", "Time spent waiting for connections.", nil, nil)
	poolGaveUp = prometheus.NewDesc("hub_pool_given_up_total", "Waits that ended with the caller's deadline.", nil, nil)
)

// Describe names the figures.
func (p pool) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(p, ch) }

// Collect reads the pool's figures.
func (p pool) Collect(ch chan<- prometheus.Metric) {
	s := p.Stat()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v)
	}
	gauge(poolConns, float64(s.AcquiredConns()), "busy")
	gauge(poolConns, float64(s.IdleConns()), "idle")
	gauge(poolConns, float64(s.ConstructingConns()), "opening")
	gauge(poolMax, float64(s.MaxConns()))
	count(poolTaken, float64(s.AcquireCount()))
	count(poolWaits, float64(s.EmptyAcquireCount()))
	count(poolWaited, s.EmptyAcquireWaitTime().Seconds())
	count(poolGaveUp, float64(s.CanceledAcquireCount()))
}
