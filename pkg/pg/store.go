// Package pg runs work in PostgreSQL: a pool, units of work, and three small
// ways to read rows. Only postgres.go files and a few platform packages use it
// to speak SQL.
package pg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
)

// Role is what the hub is on its connections: it may only insert into the
// books and the audit trail (migrations/00001_platform.sql).
const Role = "hub_app"

// Reader is what commands are that only read: it may change nothing
// (migrations/00324_platform_reader.sql).
const Reader = "hub_read"

// ErrBusy says that no connection came free in time.
var ErrBusy = fault.New(fault.Unavailable, "database.busy", "The hub is busy; please try again in a moment.")

// ErrInDoubt says that the connection died while a commit was on its way:
// whether it took place is not known. Whoever needs to know reads it back.
var ErrInDoubt = fault.New(fault.Unavailable, "database.in_doubt", "Whether this took place is not known yet; ask again with the same key.")

// A Read adds what one domain reads to another's batch, so that both cost one
// round trip; what it read is there once the batch is closed.
type Read func(*pgx.Batch)

// OfThese asks for rows whose key is in the list $1, of texts. Against a bare
// any($1) PostgreSQL keeps the statement's plan also outside units of work: the
// list's length does not show before it is run.
const OfThese = `= any(array(select unnest($1::text[])))`

// Together reads in one round trip.
func Together(ctx context.Context, db DB, reads ...Read) error {
	b := &pgx.Batch{}
	for _, r := range reads {
		r(b)
	}
	return db.SendBatch(ctx, b).Close()
}

// DB is what a read needs; a Store and a Tx both give it.
type DB interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Jobs queues jobs inside a unit of work; a River client is one.
type Jobs interface {
	InsertManyTx(ctx context.Context, tx pgx.Tx, params []river.InsertManyParams) ([]*rivertype.JobInsertResult, error)
}

// An Event is a fact that other domains may hear of.
type Event interface {
	EventType() string // "charges.confirmed"
	Subject() string   // the id of what it happened to
}

// Outbox writes an event, and what it sets going, inside a unit of work.
type Outbox interface {
	Append(ctx context.Context, tx *Tx, e Event) error
	AppendAll(ctx context.Context, tx *Tx, all []Event, actors []string) error
}

// Store opens units of work. Use gives it its jobs and its outbox once, before
// it is shared.
type Store struct {
	pool     *pgxpool.Pool
	jobs     Jobs
	outbox   Outbox
	patience time.Duration // with a commit's answer
}

// Options tune a Store; the zero value is right for a hub.
type Options struct {
	MaxConns int32
	// Role is what the store is on its connections; "" for Role.
	Role string
	// Tracer sees each statement; nil for none.
	Tracer pgx.QueryTracer
}

// Open connects to a migrated database.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read database address: %w", err)
	}
	if o.MaxConns > 0 {
		cfg.MaxConns = o.MaxConns
	}
	p := cfg.ConnConfig.RuntimeParams
	p["role"] = cmp.Or(o.Role, Role)
	p["timezone"] = "UTC"
	p["application_name"] = "hub"
	p["lock_timeout"] = "10s"
	p["idle_in_transaction_session_timeout"] = "60s"
	cfg.ConnConfig.Tracer = o.Tracer
	cfg.ConnConfig.StatementCacheCapacity = 1024
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach database: %w", err)
	}
	return &Store{pool: pool, patience: commitTimeout}, nil
}

// Use sets where jobs and events go. It is called once, before the Store is
// shared.
func (s *Store) Use(j Jobs, o Outbox) { s.jobs, s.outbox = j, o }

// Pool is for the packages that need pgx itself: River and metrics.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// Close waits for connections in use and closes all.
func (s *Store) Close() { s.pool.Close() }

// Query reads outside any unit of work.
func (s *Store) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return s.pool.Query(ctx, sql, args...)
}

// SendBatch sends several reads in one round trip.
func (s *Store) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return s.pool.SendBatch(ctx, b)
}

// Asking gives reads outside any unit of work that say who is asking, in the round
// trip they cost anyway. Tables with row-level security show nothing to others.
func (s *Store) Asking() DB { return asking{s} }

type asking struct{ *Store }

// Query reads as whoever is asking.
func (a asking) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	b := &pgx.Batch{}
	b.Queue(sql, args...)
	br := a.SendBatch(ctx, b)
	rows, err := br.Query()
	if err != nil {
		br.Close()
		return failed{err}, err
	}
	return &batchRows{rows, br}, nil
}

// SendBatch reads as whoever is asking. What is sent up to one synchronisation
// point is one transaction to PostgreSQL, and who is asking is forgotten with it.
func (a asking) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	all := &pgx.Batch{}
	all.Queue(principal, auth.From(ctx).Actor())
	all.QueuedQueries = append(all.QueuedQueries, b.QueuedQueries...)
	br := a.pool.SendBatch(ctx, all)
	if _, err := br.Exec(); err != nil {
		br.Close()
		return failedBatch{fmt.Errorf("say who is asking: %w", err)}
	}
	return br
}

// Exec runs one statement in a unit of work of its own.
func (s *Store) Exec(ctx context.Context, sql string, args ...any) (n int64, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		tag, err := tx.Exec(ctx, sql, args...)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

const (
	attempts      = 4
	commitTimeout = 30 * time.Second
)

// InTx runs fn in a transaction and commits it if fn returns nil. When
// PostgreSQL reports a deadlock or a serialization failure, fn runs again from
// the start, so it must touch nothing but tx and what it overwrites each time.
// After a commit whose answer was lost it returns ErrInDoubt.
func (s *Store) InTx(ctx context.Context, fn func(tx *Tx) error) error {
	for try := 1; ; try++ {
		var undone []func(context.Context)
		var after []func()
		err := s.once(ctx, fn, &undone, &after)
		if err == nil || try == attempts || !retryable(err) {
			for _, f := range undone {
				f(context.WithoutCancel(ctx))
			}
			for _, f := range after { // without its connection: it may want one
				f()
			}
			return err
		}
		pause := time.Duration(rand.Int64N(int64(try*try) * int64(10*time.Millisecond)))
		slog.DebugContext(ctx, "transaction runs again", "try", try, "cause", err, "pause", pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// once runs fn one time. When fn itself fails, it hands out what shall be done
// about that; when it is committed, what shall be done then.
func (s *Store) once(ctx context.Context, fn func(tx *Tx) error, undone *[]func(context.Context), after *[]func()) (err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return ErrBusy.With(err)
		}
		return fmt.Errorf("take a connection: %w", err)
	}
	tx := &Tx{conn: conn, store: s, ctx: ctx}
	defer conn.Release() // runs after the rollback below
	defer func() {
		if p := recover(); p != nil {
			tx.rollback(ctx)
			panic(p)
		}
		if err != nil {
			tx.rollback(ctx)
		}
	}()
	if err = fn(tx); err != nil {
		*undone = tx.undone
		return err
	}
	if err = tx.commit(ctx); err != nil {
		return err
	}
	*after = tx.after
	return nil
}

// retryable says that PostgreSQL undid the transaction and would take it again.
func retryable(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == pgerrcode.SerializationFailure || e.Code == pgerrcode.DeadlockDetected)
}

// Violates says whether err is the refusal of the named constraint or index.
func Violates(err error, constraint string) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.ConstraintName == constraint
}

// Code is the SQLSTATE of err, or "".
func Code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// One returns the only row of a query as a T (a struct with a field for each
// column, in db-tag or snake_case names), or missing when there is none.
func One[T any](ctx context.Context, db DB, missing error, sql string, args ...any) (T, error) {
	rows, _ := db.Query(ctx, sql, args...) // the collector reports the error
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	if errors.Is(err, pgx.ErrNoRows) {
		return v, missing
	}
	return v, err
}

// All returns each row of a query as a T; see One.
func All[T any](ctx context.Context, db DB, sql string, args ...any) ([]T, error) {
	rows, _ := db.Query(ctx, sql, args...)
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}

// Value returns the only column of the only row of a query, or missing.
func Value[T any](ctx context.Context, db DB, missing error, sql string, args ...any) (T, error) {
	rows, _ := db.Query(ctx, sql, args...)
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if errors.Is(err, pgx.ErrNoRows) {
		return v, missing
	}
	return v, err
}

// Column returns the only column of each row of a query.
func Column[T any](ctx context.Context, db DB, sql string, args ...any) ([]T, error) {
	rows, _ := db.Query(ctx, sql, args...)
	return pgx.CollectRows(rows, pgx.RowTo[T])
}
