package rest

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// A Check looks at one thing the hub stands on.
type Check struct {
	Name     string
	Required bool // without it the hub cannot serve; otherwise it is only shown
	Run      func(ctx context.Context) error
}

// checkTime is how long a Check may take.
const checkTime = 200 * time.Millisecond

// Health serves what machines ask about a hub: /livez says that the process
// runs, and looks at nothing else, so that an outage of the database restarts
// no hub; /readyz says whether it can serve; /metrics; and the document.
func Health(mux *http.ServeMux, checks []Check, metrics prometheus.Gatherer, document []byte) {
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, r *http.Request) {
		newCall(w, r).write(answer{status: http.StatusOK, contentType: "application/json", body: []byte(`{"status":"alive"}`)})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		c := newCall(w, r)
		c.write(ready(withCall(r.Context(), c), checks))
	})
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		newCall(w, r).write(answer{status: http.StatusOK, contentType: "application/json", body: document})
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
}

// ready runs the checks side by side. Why one fails stays in the log.
func ready(ctx context.Context, checks []Check) answer {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	results := make(chan struct {
		Check
		err error
	}, len(checks))
	for _, k := range checks {
		go func() {
			results <- struct {
				Check
				err error
			}{k, k.Run(ctx)}
		}()
	}
	said := struct {
		Status string            `json:"status"`
		Checks map[string]string `json:"checks"`
	}{"ready", map[string]string{}}
	for _, k := range checks {
		said.Checks[k.Name] = "slow"
	}
	status := http.StatusOK
	for range checks {
		select {
		case r := <-results:
			said.Checks[r.Name] = "ok"
			if r.err != nil {
				said.Checks[r.Name] = "failing"
				slog.WarnContext(ctx, "readiness check", "check", r.Name, "cause", r.err)
			}
		case <-ctx.Done():
		}
	}
	for _, k := range checks {
		if k.Required && said.Checks[k.Name] != "ok" {
			said.Status, status = "not ready", http.StatusServiceUnavailable
		}
	}
	b, _ := json.Marshal(said) // texts only
	return answer{status: status, contentType: "application/json", body: b}
}
