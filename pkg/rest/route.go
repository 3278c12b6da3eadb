// Package rest is the hub's edge: a domain's table of routes becomes go-kit
// endpoints behind one chain of middleware, the OpenAPI document, and the
// checks of what comes in. Only this package knows HTTP statuses.
package rest

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"tiwiza/pkg/pg"
)

// A Route is one row of a domain's table: an operation, where it lives, and
// what it takes and gives.
type Route struct {
	Method, Path, Name, Doc string
	Status                  int
	In, Out                 any // zero values; their struct tags are the contract

	// Anonymous says that callers without a key may ask; policies still decide.
	Anonymous bool
	// Commits says that the edge opens the transaction, and that callers must
	// send an Idempotency-Key.
	Commits bool

	tags    []string
	accepts []string
	gives   []string
	body    int64
	timeout time.Duration
	about   string
	all     int // at once, of everybody; 0: no bound
	each    int // of one caller
	parts   bool

	shape shape
	make  func() (ptr any)                                          // a new *In
	use   func(ctx context.Context, in any) (any, error)            // Handle
	step  func(ctx context.Context, tx *pg.Tx, in any) (any, error) // Commit
	keep  func(ctx context.Context, k *Keep, in any) error          // Kept
}

// Handle makes a row of a use case that opens its own transaction, or none.
// It panics when In cannot be read from a request.
func Handle[In, Out any](method, path, name, doc string, status int, f func(context.Context, In) (Out, error), opts ...Option) Route {
	r := row[In, Out](method, path, name, doc, status, opts)
	r.use = func(ctx context.Context, in any) (any, error) { return f(ctx, *in.(*In)) }
	return r
}

// Commit makes a row of a step whose transaction the edge opens, because the
// answer is kept in that same transaction: a caller who asks again with the
// same Idempotency-Key gets the same bytes, and nothing is done twice. The
// step may run more than once before it commits. It panics when In cannot be
// read from a request, when Out is not JSON, or when the row is public.
func Commit[In, Out any](method, path, name, doc string, status int, f func(context.Context, *pg.Tx, In) (Out, error), opts ...Option) Route {
	r := row[In, Out](method, path, name, doc, status, opts)
	r.Commits = true
	if r.Anonymous {
		panic("rest: " + name + ": visitors share no keys, so a Commit row is never public")
	}
	if k := kindOf(reflect.TypeFor[Out]()); k != outJSON {
		panic("rest: " + name + ": the answer of a Commit row is JSON")
	}
	r.step = func(ctx context.Context, tx *pg.Tx, in any) (any, error) { return f(ctx, tx, *in.(*In)) }
	return r
}

// Kept makes a row like Commit's whose use case opens its transactions itself,
// and keeps the answer in k in the one that does the work: for work that is
// committed together with that of others.
func Kept[In, Out any](method, path, name, doc string, status int, f func(context.Context, *Keep, In) (Out, error), opts ...Option) Route {
	r := Commit(method, path, name, doc, status, func(ctx context.Context, _ *pg.Tx, in In) (out Out, err error) { return out, nil }, opts...)
	r.step = nil
	r.keep = func(ctx context.Context, k *Keep, in any) error { _, err := f(ctx, k, *in.(*In)); return err }
	return r
}

func row[In, Out any](method, path, name, doc string, status int, opts []Option) Route {
	var in In
	var out Out
	s, err := shapeOf(reflect.TypeFor[In](), path)
	if err != nil {
		panic(fmt.Sprintf("rest: %s: %v", name, err))
	}
	tag, _, _ := strings.Cut(name, ".")
	r := Route{
		Method: method, Path: path, Name: name, Doc: doc, Status: status, In: in, Out: out,
		tags: []string{tag}, body: defaultBody, timeout: defaultTimeout, shape: s,
		make: func() any { return new(In) },
	}
	if s.file != nil {
		r.body, r.accepts = defaultFile, fileTypes
	}
	if k := kindOf(reflect.TypeFor[Out]()); k == outBlob || k == outStream {
		r.gives = []string{"application/octet-stream"}
	}
	for _, o := range opts {
		o(&r)
	}
	return r
}

const (
	defaultBody    = 1 << 20
	defaultFile    = 5 << 20
	defaultTimeout = 15 * time.Second
)

// An Option changes a row.
type Option func(*Route)

// Public lets callers without a key ask.
func Public() Option { return func(r *Route) { r.Anonymous = true } }

// Body sets how many bytes the body may have (1 MB; files 5 MB).
func Body(limit int64) Option { return func(r *Route) { r.body = limit } }

// Timeout sets how long the operation may take (15 s).
func Timeout(d time.Duration) Option { return func(r *Route) { r.timeout = d } }

// Accepts sets which media types a File may have.
func Accepts(types ...string) Option { return func(r *Route) { r.accepts = types } }

// Gives says which media types a Blob or Stream may have, for the document.
func Gives(types ...string) Option { return func(r *Route) { r.gives = types } }

// Unchanging says in the document that the row's Blobs have a Tag: they are
// answered 304, and in parts.
func Unchanging() Option { return func(r *Route) { r.parts = true } }

// AtOnce bounds how many requests of the row are at work at once, of everybody
// and of one caller. Who comes beyond that is told to come back before a byte of
// its body is read: for large bodies, so that memory is bounded.
func AtOnce(all, each int) Option { return func(r *Route) { r.all, r.each = all, each } }

// About adds a longer text to the document.
func About(text string) Option { return func(r *Route) { r.about = text } }
