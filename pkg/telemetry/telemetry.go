// Package telemetry sets up logs, metrics and traces, and keeps secrets and
// account numbers out of them.
package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

type requestKey struct{}

// WithRequest returns a context whose log lines carry a request id.
func WithRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID is the id of the request ctx serves, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// Logs makes a logger that writes to w as format ("json" or "text") from
// level ("debug", "info", "warn", "error") on. Each line says its trace and
// request; secrets and account numbers are masked.
func Logs(w io.Writer, format, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("read log level: %w", err)
	}
	o := &slog.HandlerOptions{Level: l, ReplaceAttr: mask}
	switch format {
	case "json":
		return slog.New(handler{slog.NewJSONHandler(w, o)}), nil
	case "text":
		return slog.New(handler{slog.NewTextHandler(w, o)}), nil
	}
	return nil, fmt.Errorf("log format %q is neither json nor text", format)
}

// handler adds what the context knows, and masks the message.
type handler struct{ slog.Handler }

// Handle writes one line.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	r.Message = Redact(r.Message)
	if id := RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	if sc := trace.SpanContextFromContext(ctx); sc.HasTraceID() {
		r.AddAttrs(slog.String("trace_id", sc.TraceID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the handler around a derived one.
func (h handler) WithAttrs(a []slog.Attr) slog.Handler { return handler{h.Handler.WithAttrs(a)} }

// WithGroup keeps the handler around a derived one.
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }

// Metrics makes a registry that already counts what the process and the Go
// runtime do.
func Metrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Traces makes the tracer provider of a hub and sets it as the global one.
// Without an exporter spans still carry the trace ids that logs and problems
// show. share is the part of requests that is kept, 0 to 1. Whoever calls it
// calls the provider's Shutdown.
func Traces(version string, share float64, exporters ...sdktrace.SpanExporter) *sdktrace.TracerProvider {
	o := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "hub"), attribute.String("service.version", version))),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(share))),
	}
	for _, e := range exporters {
		o = append(o, sdktrace.WithBatcher(e))
	}
	p := sdktrace.NewTracerProvider(o...)
	otel.SetTracerProvider(p)
	return p
}
