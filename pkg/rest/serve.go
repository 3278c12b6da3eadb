package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"

	"github.com/go-kit/kit/endpoint"
	kithttp "github.com/go-kit/kit/transport/http"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// An Edge is what all routes share.
type Edge struct {
	Store *pg.Store // for Commit rows
	// Authenticate says who holds a key; auth.ErrUnknown when nobody does.
	Authenticate func(ctx context.Context, key auth.Key) (auth.Principal, error)
	// May says whether such a principal may call an operation at all, and by
	// which policy.
	May     func(ctx context.Context, p auth.Principal, action string) (policy string, err error)
	Log     *slog.Logger          // nil: slog's default
	Metrics prometheus.Registerer // nil: none
	Limits  Limits
	Version string // of the hub, for traces and the document
}

// Mount serves the routes on mux: each under its own pattern, with a problem
// for a path or a method that is in no row. Like mux itself it panics on rows
// that contradict each other.
func Mount(mux *http.ServeMux, routes []Route, e Edge) {
	s, err := newServer(routes, e)
	if err != nil {
		panic("rest: " + err.Error())
	}
	for _, p := range prefixes(routes) {
		mux.Handle(p, s)
	}
}

// NotFound answers every request with a 404 problem; it belongs at "/" when
// nothing else does.
func NotFound() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := newCall(w, r)
		c.problem(errNoSuchPath)
	})
}

// prefixes are the first segments of the routes' paths, as patterns.
func prefixes(routes []Route) []string {
	var out []string
	seen := map[string]bool{}
	for _, r := range routes {
		first, _, deeper := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
		p := "/" + first
		if deeper {
			p += "/"
		}
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

// served is a route with its checks, which come from the published document.
type served struct {
	Route
	bodyCheck *checker
	needsBody bool
	checks    map[string]*checker // of parameters, by pointer
	queries   map[string]bool
	places    places
}

type server struct {
	edge                      Edge
	mux                       *http.ServeMux
	logger                    *slog.Logger
	times                     *prometheus.HistogramVec
	members, addresses, wrong *limiter
	right                     keyring
	crowd                     crowd
}

func newServer(routes []Route, e Edge) (*server, error) {
	l := e.Limits
	s := &server{
		edge: e, mux: http.NewServeMux(), logger: e.Log,
		members:   newLimiter("member", l.Principal, l.PrincipalBurst, 500, 2000),
		addresses: newLimiter("address", l.Address, l.AddressBurst, 200, 1000),
		wrong:     newLimiter("refused", l.Refused, l.RefusedBurst, 1, 30),
	}
	s.crowd.ask = e.Authenticate
	if s.logger == nil {
		s.logger = slog.Default()
	}
	if err := s.register(e.Metrics); err != nil {
		return nil, err
	}
	document, err := Document(Info{Version: e.Version}, routes)
	if err != nil {
		return nil, err
	}
	c, err := compiler(document)
	if err != nil {
		return nil, err
	}
	var d published
	if err := json.Unmarshal(document, &d); err != nil {
		return nil, err
	}
	for _, r := range routes {
		rt, err := d.serve(c, r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		s.mux.Handle(r.Method+" "+r.Path, s.handler(rt))
	}
	return s, nil
}

// register makes the histogram, or finds the one made before.
func (s *server) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	s.times = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "hub_http_request_seconds", Help: "How long operations took, by route and status.",
		Buckets: []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15},
	}, []string{"route", "status"})
	err := r.Register(s.times)
	if before, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		s.times, err = before.ExistingCollector.(*prometheus.HistogramVec), nil
	}
	return err
}

// published is as much of the document as the checks need.
type published struct {
	Paths map[string]map[string]struct {
		Parameters []struct {
			Name, In string
			Schema   json.RawMessage
		}
	}
}

// serve compiles a route's checks.
func (d published) serve(c *jsonschema.Compiler, r Route) (*served, error) {
	rt := &served{Route: r, checks: map[string]*checker{}, queries: map[string]bool{}}
	at := "/paths/" + escape(cleanPath(r.Path)) + "/" + strings.ToLower(r.Method)
	fields := map[string]param{}
	for _, p := range r.shape.params {
		fields[p.in+" "+strings.ToLower(p.name)] = p
		rt.queries[p.name] = rt.queries[p.name] || p.in == "query"
	}
	for i, p := range d.Paths[cleanPath(r.Path)][strings.ToLower(r.Method)].Parameters {
		field, ok := fields[p.In+" "+strings.ToLower(p.Name)]
		if !ok || trivial(p.Schema) {
			continue
		}
		check, err := compile(c, fmt.Sprintf("%s/parameters/%d/schema", at, i))
		if err != nil {
			return nil, err
		}
		rt.checks[field.pointer()] = check
		if err := checkDefault(field, check); err != nil {
			return nil, err
		}
	}
	var err error
	switch {
	case r.shape.file != nil || r.shape.raw != nil || r.Method == http.MethodGet:
	case r.shape.json:
		rt.needsBody = required(reflect.TypeOf(r.In))
		rt.bodyCheck, err = compile(c, at+"/requestBody/content/application~1json/schema")
	default:
		rt.bodyCheck = nothing
	}
	return rt, err
}

// checkDefault reads a parameter's default as if it had been sent.
func checkDefault(p param, check *checker) error {
	if p.missing == "" || p.many {
		return nil
	}
	v, wrong := set(reflect.New(p.typ).Elem(), p.missing)
	if wrong != "" {
		return fmt.Errorf("default of %s: %s", p.name, wrong)
	}
	var found findings
	check.check(v, p.pointer(), &found)
	return found.err()
}

// nothing checks the body of an operation without fields: {}.
var nothing = func() *checker {
	c := jsonschema.NewCompiler()
	if err := c.AddResource("hub:///nothing", map[string]any{"type": "object", "additionalProperties": false}); err != nil {
		panic(err)
	}
	return &checker{c.MustCompile("hub:///nothing")}
}()

// handler is a route as a kit server behind its chain.
func (s *server) handler(rt *served) http.Handler {
	use := func(ctx context.Context, in any) (any, error) {
		c := in.(*call)
		if rt.Commits {
			return s.commit(ctx, c)
		}
		out, err := rt.use(ctx, c.in)
		if err != nil {
			return nil, err
		}
		if b, ok := out.(Blob); ok && b.Tag != "" && has(c.r, b.Tag) {
			return answer{status: http.StatusNotModified, tag: b.Tag, foreign: b.Foreign}, nil
		}
		return encode(rt.Status, out)
	}
	kit := kithttp.NewServer(s.chain(endpoint.Endpoint(use)),
		func(ctx context.Context, _ *http.Request) (any, error) { return callOf(ctx), nil },
		func(ctx context.Context, _ http.ResponseWriter, out any) error {
			c, a := callOf(ctx), out.(answer)
			if a.stream != nil && c.r.Method != http.MethodHead {
				s.stream(ctx, c, a)
				return nil
			}
			c.write(a)
			return nil
		},
		kithttp.ServerErrorEncoder(func(ctx context.Context, err error, _ http.ResponseWriter) { callOf(ctx).problem(err) }))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := callOf(r.Context())
		c.route, c.w, c.r = rt, w, r
		kit.ServeHTTP(w, r)
	})
}

// ServeHTTP answers a route, or says which methods its path takes, or that
// there is no such path.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := newCall(w, r)
	r = r.WithContext(withCall(r.Context(), c))
	if _, pattern := s.mux.Handler(r); pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	c.route = &served{}
	var allowed refusal
	s.mux.ServeHTTP(&allowed, r)
	err := errNoSuchPath
	if a := allowed.header.Get("Allow"); allowed.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", a)
		err = errMethod
	}
	c.problem(err)
	s.logger.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("code", err.Code),
		slog.String("method", r.Method), slog.String("path", r.URL.Path))
}

// refusal listens to how the mux refuses a request.
type refusal struct {
	header http.Header
	status int
}

// Header is where the mux says what it allows.
func (f *refusal) Header() http.Header {
	if f.header == nil {
		f.header = http.Header{}
	}
	return f.header
}

// WriteHeader keeps the status.
func (f *refusal) WriteHeader(status int) { f.status = status }

// Write drops the text.
func (f *refusal) Write(b []byte) (int, error) { return len(b), nil }
