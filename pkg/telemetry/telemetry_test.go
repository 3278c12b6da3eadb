package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/telemetry"
)

func logger(t *testing.T, format, level string) (*slog.Logger, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	l, err := telemetry.Logs(&b, format, level)
	if err != nil {
		t.Fatal(err)
	}
	return l, &b
}

func TestSecretsAndAccountsNeverReachTheLog(t *testing.T) {
	t.Parallel()
	key := auth.NewKey()
	const rib = "007780000123456789012345"
	for _, format := range []string{"json", "text"} {
		l, b := logger(t, format, "debug")
		l.With("iban", "MA64"+rib).Info("paid to 007 780 0001234567890123 45 with "+key.String(),
			"rib", rib, "cause", errors.New("Bearer "+key.String()+" refused"),
			"password", "hunter22hunter22", "api_key", "x", "callback_secret", []byte("hush"),
			slog.Group("partner", "authorization", "Basic aHVudGVyMjI=", "url", "https://hub:hunter22@example.org/", "pan", "4"),
			"card", "4000 0000 0000 0002", "struct", struct{ RIB string }{rib})
		got := b.String()
		for _, secret := range []string{key.Secret, rib, "1234567890123", "hunter22", "aHVudGVyMjI=", "hush", "4000 0000", "4000000000000002"} {
			if strings.Contains(got, secret) {
				t.Errorf("%s: %q is in %s", format, secret, got)
			}
		}
		for _, kept := range []string{key.ID, "***2345", "***0002"} {
			if !strings.Contains(got, kept) {
				t.Errorf("%s: %q is not in %s", format, kept, got)
			}
		}
	}
}

func TestOrdinaryTextIsKept(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "ord_01m802b11xf6nzhfg5k230j7rm", "123.50 MAD", "2026-11-21T10:00:00.123456789Z", "+212612345678", "spanned 12 lines", "postgres://hub@127.0.0.1:5432/hub", "bearer of news"} {
		if got := telemetry.Redact(s); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
	l, b := logger(t, "json", "info")
	l.Info("x", "span", "kept", "company", "kept", "tokenless", 1)
	if strings.Count(b.String(), "kept") != 2 {
		t.Errorf("names that only look secret were hidden: %s", b)
	}
}

func TestLinesSayTheirRequestAndTrace(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	p := telemetry.Traces("1.0.0", 1, spans)
	ctx, span := p.Tracer("test").Start(telemetry.WithRequest(t.Context(), "req_1"), "work")
	l, b := logger(t, "json", "info")
	l.With("a", 1).InfoContext(ctx, "working")
	l.DebugContext(ctx, "not at this level")
	span.End()
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	if line["request_id"] != "req_1" || line["trace_id"] != span.SpanContext().TraceID().String() {
		t.Errorf("got %s", b)
	}
	if err := p.ForceFlush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := spans.GetSpans(); len(got) != 1 || got[0].Name != "work" {
		t.Errorf("exported %v, want the one span", got)
	}
	if err := p.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if got := telemetry.RequestID(t.Context()); got != "" {
		t.Errorf("a bare context has request %q", got)
	}
}

func TestLogsRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{{"xml", "info"}, {"json", "loud"}} {
		if _, err := telemetry.Logs(&bytes.Buffer{}, c[0], c[1]); err == nil {
			t.Errorf("format %s, level %s were taken", c[0], c[1])
		}
	}
}

func TestMetricsCountThePoolAndTheProcess(t *testing.T) {
	t.Parallel()
	db, reg := pgtest.New(t), telemetry.Metrics()
	if err := reg.Register(telemetry.Pool(db.Pool())); err != nil {
		t.Fatal(err)
	}
	conn, err := db.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	names, busy := map[string]bool{}, -1.0
	for _, f := range families {
		names[f.GetName()] = true
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == "hub_pool_connections" && l.GetValue() == "busy" {
					busy = m.GetGauge().GetValue()
				}
			}
		}
	}
	if busy != 1 {
		t.Errorf("%v connections are busy, want 1", busy)
	}
	for _, want := range []string{"go_goroutines", "process_open_fds", "hub_pool_connections_max", "hub_pool_wait_seconds_total"} {
		if !names[want] {
			t.Errorf("%s is not there", want)
		}
	}
	var _ prometheus.Gatherer = reg
}
