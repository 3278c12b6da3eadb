package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/go-kit/kit/endpoint"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
)

// chain is a row's whole way in, outermost first. The deadline stands ahead of
// the first look into the database, so that it bounds each of them. Recover
// stands twice: the inner one lets the log and the metrics see the panic.
func (s *server) chain(use endpoint.Endpoint) endpoint.Endpoint {
	return endpoint.Chain(s.recover, s.trace, s.log, s.measure, s.recover, s.deadline,
		s.principal, s.limit, s.authorise, s.place, s.key, s.read)(use)
}

func (s *server) recover(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, in any) (out any, err error) {
		defer func() {
			if p := recover(); p != nil {
				out, err = nil, errInternal.With(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		return next(ctx, in)
	}
}

func (s *server) trace(next endpoint.Endpoint) endpoint.Endpoint {
	tracer := otel.Tracer("tiwiza/pkg/rest", trace.WithInstrumentationVersion(s.edge.Version))
	return func(ctx context.Context, in any) (any, error) {
		c := in.(*call)
		ctx, span := tracer.Start(ctx, c.route.Name, trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(attribute.String("http.route", c.route.Path), attribute.String("http.request.method", c.r.Method), attribute.String("request_id", c.id)))
		defer span.End()
		if sc := span.SpanContext(); sc.HasTraceID() {
			c.trace = sc.TraceID().String()
		}
		out, err := next(ctx, in)
		status, code := outcome(out, err)
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, code)
		}
		return out, err
	}
}

// outcome is the status and the problem's code of an answer.
func outcome(out any, err error) (int, string) {
	if err != nil {
		f, status := classify(err)
		return status, f.Code
	}
	return out.(answer).status, ""
}

func (s *server) log(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, in any) (any, error) {
		c, start := in.(*call), time.Now()
		out, err := next(ctx, in)
		status, code := outcome(out, err)
		attrs := []slog.Attr{
			slog.String("route", c.route.Name), slog.Int("status", status),
			slog.Duration("took", time.Since(start)), slog.String("actor", c.who.Actor()),
		}
		level := slog.LevelInfo
		if code != "" {
			attrs = append(attrs, slog.String("code", code))
			if f, ok := errors.AsType[*fault.Error](err); !ok || f.Err != nil || status >= http.StatusInternalServerError {
				attrs = append(attrs, slog.Any("cause", err))
			}
		}
		if a, ok := out.(answer); ok && a.replayed {
			attrs = append(attrs, slog.Bool("replayed", true))
		}
		if status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
			level = slog.LevelError
		}
		s.logger.LogAttrs(ctx, level, "request", attrs...)
		return out, err
	}
}

func (s *server) measure(next endpoint.Endpoint) endpoint.Endpoint {
	if s.times == nil {
		return next
	}
	return func(ctx context.Context, in any) (any, error) {
		start := time.Now()
		out, err := next(ctx, in)
		status, _ := outcome(out, err)
		s.times.WithLabelValues(in.(*call).route.Name, strconv.Itoa(status)).Observe(time.Since(start).Seconds())
		return out, err
	}
}

func (s *server) deadline(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, in any) (any, error) {
		ctx, cancel := context.WithTimeout(ctx, in.(*call).route.timeout)
		defer cancel()
		return next(ctx, in)
	}
}

// principal finds out who is asking. Whoever keeps sending wrong keys is
// stopped before they are looked up; keys that were right before still pass,
// for a proxy or an office has one address for many members.
func (s *server) principal(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, in any) (any, error) {
		c := in.(*call)
		key, sent, err := auth.Bearer(c.r.Header.Get("Authorization"))
		switch {
		case !sent && c.route.Anonymous:
			return next(auth.With(ctx, auth.Nobody), in)
		case !sent:
			err = auth.ErrMissing
		case !s.right.has(key) && s.wrong.spent(c.w.Header(), address(c.r), time.Now()):
			return nil, errLimited
		case err == nil:
			c.who, err = s.crowd.authenticate(ctx, key)
		}
		if err != nil {
			if sent && fault.KindOf(err) == fault.Unauthenticated && !errors.Is(err, auth.ErrEnded) { // who was signed out guesses nothing
				_ = s.wrong.take(http.Header{}, address(c.r), time.Now())
			}
			c.who = auth.Nobody
			return nil, err
		}
		s.right.add(key)
		return next(auth.With(ctx, c.who), in)
	}
}

func (s *server) limit(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, in any) (any, error) {
		c := in.(*call)
		l, who := s.members, owner(c.who)
		if c.who.Subject == "" {
			l, who = s.addresses, address(c.r)
		}
		if err := l.take(c.w.Header(), who, time.Now()); err != nil {
			return nil, err
		}
		return next(ctx, in)
	}
}

func (s *server) authorise(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, in any) (any, error) {
		c := in.(*call)
		policy, err := s.edge.May(ctx, c.who, c.route.Name)
		if err != nil {
			return nil, err
		}
		return next(authz.Allowed(ctx, policy), in)
	}
}

// key reads the Idempotency-Key of a Commit row.
func (s *server) key(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, in any) (_ any, err error) {
		c := in.(*call)
		if c.route.Commits {
			if c.key, err = keyOf(c.r.Header); err != nil {
				return nil, err
			}
		}
		return next(ctx, in)
	}
}

func (s *server) read(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, in any) (any, error) {
		if err := in.(*call).read(); err != nil {
			return nil, err
		}
		return next(ctx, in)
	}
}
