package pg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"tiwiza/pkg/auth"
)

// Tx is one unit of work: everything done through it happens, or none of it.
// It belongs to one goroutine.
//
// Writes given to Queue wait for the next round trip, at the latest the one
// that commits; begin rides along in the first. A use case that reads one row,
// queues its writes and returns costs two round trips in all. What goes wrong
// with a queued write comes back from the call that sent it, and undoes the
// whole unit.
type Tx struct {
	conn    *pgxpool.Conn
	store   *Store
	ctx     context.Context // of InTx, for Now alone
	err     error           // what a queued write or Now ran into: nothing goes on after it
	begun   bool
	now     time.Time
	pending []queued
	jobs    []river.InsertManyParams
	after   []func()
	undone  []func(context.Context)
}

type queued struct {
	sql  string
	args []any
	then func(tag pgconn.CommandTag, err error) error // nil: pass the error on
	look bool                                         // then may refuse what the database took
	self bool                                         // the statement says itself who is at work
}

// Now is the hub's time, frozen for this unit of work: the database's clock
// plus the demonstration offset, in UTC. When it cannot be had, the unit of
// work fails at its next step.
func (tx *Tx) Now() time.Time {
	if !tx.begun {
		tx.err = tx.Flush(tx.ctx)
	}
	return tx.now
}

// Actor is who is at work, as it is written down.
func (tx *Tx) Actor() string { return auth.From(tx.ctx).Actor() }

// Queue adds a write that goes out with the next round trip.
func (tx *Tx) Queue(sql string, args ...any) {
	tx.pending = append(tx.pending, queued{sql: sql, args: args})
}

// QueueThen is Queue with a look at the answer: then gets how many rows were
// touched or what went wrong, and says what the caller shall see. It never
// rides with the commit, which would come before the look.
func (tx *Tx) QueueThen(then func(tag pgconn.CommandTag, err error) error, sql string, args ...any) {
	tx.pending = append(tx.pending, queued{sql: sql, args: args, then: then, look: true})
}

// QueueMapped is Queue with a translation of what the database refuses. It may
// ride with the commit, so it can only turn one error into another.
func (tx *Tx) QueueMapped(mapped func(error) error, sql string, args ...any) {
	tx.pending = append(tx.pending, queued{sql: sql, args: args, then: translate(mapped)})
}

// QueueSelf is QueueMapped of a statement that says itself who is at work: $1
// is the principal, and the caller's args follow from $2. It spares a unit of
// work that does nothing else the statement that would.
func (tx *Tx) QueueSelf(mapped func(error) error, sql string, args ...any) {
	all := append(make([]any, 0, 1+len(args)), auth.From(tx.ctx).Actor())
	tx.pending = append(tx.pending, queued{sql: sql, args: append(all, args...), then: translate(mapped), self: true})
}

func translate(mapped func(error) error) func(pgconn.CommandTag, error) error {
	return func(_ pgconn.CommandTag, err error) error {
		if err != nil {
			return mapped(err)
		}
		return nil
	}
}

// QueueOne adds a write that must touch exactly one row; otherwise the unit of
// work fails with missed.
func (tx *Tx) QueueOne(missed error, sql string, args ...any) {
	tx.QueueThen(func(tag pgconn.CommandTag, err error) error {
		if err == nil && tag.RowsAffected() != 1 {
			return missed
		}
		return err
	}, sql, args...)
}

// Enqueue makes a job part of the unit of work.
func (tx *Tx) Enqueue(args river.JobArgs, opts *river.InsertOpts) {
	tx.jobs = append(tx.jobs, river.InsertManyParams{Args: args, InsertOpts: opts})
}

// Publish writes an event, and the jobs of those who listen for it, as part of
// the unit of work.
func (tx *Tx) Publish(ctx context.Context, e Event) error {
	if tx.store.outbox == nil {
		return errors.New("the store has no outbox")
	}
	return tx.store.outbox.Append(ctx, tx, e)
}

// PublishAll is Publish of many events at once. actors says who brought each of
// them about; nil: whoever is at work.
func (tx *Tx) PublishAll(ctx context.Context, all []Event, actors []string) error {
	if tx.store.outbox == nil {
		return errors.New("the store has no outbox")
	}
	return tx.store.outbox.AppendAll(ctx, tx, all, actors)
}

// After runs f once the unit of work has been committed. It is for caches: a
// crash in between loses it.
func (tx *Tx) After(f func()) { tx.after = append(tx.after, f) }

// Undone runs f once the unit of work has failed for good and left nothing: for
// what must be told although it was not done. A crash in between loses it.
func (tx *Tx) Undone(f func(ctx context.Context)) { tx.undone = append(tx.undone, f) }

// Flush sends what is queued and reports its first error.
func (tx *Tx) Flush(ctx context.Context) error {
	if tx.begun && len(tx.pending) == 0 {
		return tx.err
	}
	br, err := tx.send(ctx, &pgx.Batch{})
	if err != nil {
		return err
	}
	return br.Close()
}

// send sends begin and the queue ahead of b, reads their answers, and leaves
// those of b to the caller.
func (tx *Tx) send(ctx context.Context, b *pgx.Batch) (pgx.BatchResults, error) {
	if tx.err != nil {
		return nil, tx.err
	}
	all := &pgx.Batch{}
	begins := !tx.begun
	if begins {
		all.Queue("begin")
		all.Queue(enter, auth.From(ctx).Actor())
	}
	pending := tx.pending
	tx.pending = nil
	for _, q := range pending {
		all.Queue(q.sql, q.args...)
	}
	all.QueuedQueries = append(all.QueuedQueries, b.QueuedQueries...)
	tx.begun = true
	br := tx.conn.SendBatch(ctx, all)
	err := func() error {
		if begins {
			if _, err := br.Exec(); err != nil {
				return fmt.Errorf("begin: %w", err)
			}
			if err := br.QueryRow().Scan(&tx.now); err != nil {
				return fmt.Errorf("begin: %w", err)
			}
			tx.now = tx.now.UTC()
		}
		for _, q := range pending {
			tag, err := br.Exec()
			if q.then != nil {
				err = q.then(tag, err)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}()
	if err != nil {
		br.Close()
		tx.err = err // whoever makes something else of it does not commit half a unit
		return nil, err
	}
	return br, nil
}

// commit sends what is left and commits. Queued writes whose answer is looked
// at, and jobs, go out first; the rest rides with the commit itself.
func (tx *Tx) commit(ctx context.Context) error {
	if tx.err != nil {
		return tx.err
	}
	// A deadline on the connection itself: a context with one would cost a
	// goroutine each time.
	ctx = context.WithoutCancel(ctx)
	wire := tx.conn.Conn().PgConn().Conn()
	if err := wire.SetDeadline(time.Now().Add(tx.store.patience)); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	defer func() { _ = wire.SetDeadline(time.Time{}) }() // a closed connection needs none
	if len(tx.jobs) > 0 {
		jobs := tx.jobs
		tx.jobs = nil
		if tx.store.jobs == nil {
			return errors.New("the store has no job queue")
		}
		if _, err := tx.store.jobs.InsertManyTx(ctx, tx, jobs); err != nil {
			return fmt.Errorf("queue jobs: %w", err)
		}
	}
	if slices.ContainsFunc(tx.pending, func(q queued) bool { return q.look }) {
		if err := tx.Flush(ctx); err != nil {
			return err
		}
	}
	if !tx.begun {
		return tx.alone(ctx)
	}
	last := &pgx.Batch{}
	last.Queue("commit")
	br, err := tx.send(ctx, last)
	if err != nil {
		return tx.doubt(err)
	}
	tag, err := br.Exec()
	if cerr := br.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return tx.doubt(err)
	}
	tx.begun = false
	if tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// alone sends a unit of work that only writes, in its one round trip. What is
// sent up to one synchronisation point is one transaction to PostgreSQL, so it
// needs neither begin nor commit.
func (tx *Tx) alone(ctx context.Context) error {
	if len(tx.pending) == 0 {
		return nil
	}
	if q := tx.pending[0]; q.self && len(tx.pending) == 1 {
		tx.pending = nil
		_, err := tx.conn.Exec(ctx, q.sql, q.args...)
		if err != nil {
			err = tx.doubt(q.then(pgconn.CommandTag{}, err))
		}
		return err
	}
	all := &pgx.Batch{}
	all.Queue(principal, auth.From(ctx).Actor()) // nobody asked for the time
	for _, q := range tx.pending {
		all.Queue(q.sql, q.args...)
	}
	br := tx.conn.SendBatch(ctx, all)
	_, err := br.Exec()
	for _, q := range tx.pending {
		if err != nil {
			break
		}
		if _, err = br.Exec(); err != nil && q.then != nil {
			err = q.then(pgconn.CommandTag{}, err)
		}
	}
	if cerr := br.Close(); err == nil {
		err = cerr // of the commit that the synchronisation point is
	}
	tx.pending = nil
	if err != nil {
		return tx.doubt(err)
	}
	return nil
}

// enter says who is at work, and answers the hub's time.
const enter = `select platform.enter($1)`

// principal says who is at work where nobody asks for the time.
const principal = `select set_config('hub.principal', $1, true)`

// doubt tells a refusal, which undid the unit, from a lost answer. A server that
// ends the session may have committed before: while it waits for a standby, say.
func (tx *Tx) doubt(err error) error {
	if said, ok := errors.AsType[*pgconn.PgError](err); ok {
		if said.SeverityUnlocalized != "FATAL" && said.SeverityUnlocalized != "PANIC" {
			return err
		}
		return ErrInDoubt.With(err)
	}
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		_ = tx.conn.Conn().Close(tx.ctx) // its answer may still come: nobody else shall read it
	}
	if !tx.conn.Conn().IsClosed() {
		return err
	}
	return ErrInDoubt.With(err)
}

func (tx *Tx) rollback(ctx context.Context) {
	tx.pending, tx.jobs = nil, nil
	if !tx.begun || tx.conn.Conn().IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, err := tx.conn.Exec(ctx, "rollback"); err != nil {
		_ = tx.conn.Conn().Close(ctx) // a connection in an unknown state is not given back
	}
}

// Exec runs a statement and waits for its answer.
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if tx.begun && len(tx.pending) == 0 && tx.err == nil {
		return tx.conn.Exec(ctx, sql, args...)
	}
	b := &pgx.Batch{}
	b.Queue(sql, args...)
	br, err := tx.send(ctx, b)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := br.Exec()
	if cerr := br.Close(); err == nil {
		err = cerr
	}
	return tag, err
}

// Query runs a query; its rows must be closed or read to the end.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if tx.begun && len(tx.pending) == 0 && tx.err == nil {
		return tx.conn.Query(ctx, sql, args...)
	}
	b := &pgx.Batch{}
	b.Queue(sql, args...)
	br, err := tx.send(ctx, b)
	if err != nil {
		return failed{err}, err
	}
	rows, err := br.Query()
	if err != nil {
		br.Close()
		return rows, err
	}
	return &batchRows{rows, br}, nil
}

// SendBatch sends b in one round trip, behind what is queued.
func (tx *Tx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	br, err := tx.send(ctx, b)
	if err != nil {
		return failedBatch{err}
	}
	return br
}
