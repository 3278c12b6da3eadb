package operations_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tiwiza/payments/operations"
)

// gauges are the engine's figures, each under its name and label.
func gauges(t *testing.T, e *operations.Engine) map[string]float64 {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(e.Collector())
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			out[name] = m.GetGauge().GetValue()
		}
	}
	return out
}
