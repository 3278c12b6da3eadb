package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

// asOwner runs f on a connection of its own, as the owner of the database.
func asOwner(ctx context.Context, url string, f func(conn *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("reach the bench's database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return f(conn)
}

// install runs a file of statements.
func install(ctx context.Context, url, sql string) error {
	return asOwner(ctx, url, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql)
		return err
	})
}

// ask runs one statement and reads its only row into out.
func ask(ctx context.Context, url string, out []any, sql string, args ...any) error {
	return asOwner(ctx, url, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, sql, args...).Scan(out...)
	})
}

// eachAsk gives f a function that asks the same over one connection and says how
// many rows came.
func eachAsk(ctx context.Context, url, sql, arg string, f func(ask func() (int, error)) error) error {
	return asOwner(ctx, url, func(conn *pgx.Conn) error {
		return f(func() (int, error) {
			tag, err := conn.Exec(ctx, sql, arg)
			return int(tag.RowsAffected()), err
		})
	})
}

// order runs one statement without an answer.
func order(ctx context.Context, url, sql string, args ...any) error {
	return asOwner(ctx, url, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql, args...)
		return err
	})
}

// payees makes members with an account who are paid each month.
func payees(ctx context.Context, url string, n int) error {
	sql, err := yardsticks.ReadFile("bench/payouts.sql")
	if err != nil {
		return err
	}
	if err := install(ctx, url, string(sql)); err != nil {
		return err
	}
	return order(ctx, url, `select bench.payees($1)`, n)
}

// payday has the time of the first n of them come.
func payday(ctx context.Context, url string, n int) error {
	return order(ctx, url, `select bench.payday($1)`, n)
}

// An article is a variant and its offer.
type article struct{ variant, offer string }

// pool lists the articles that may be bought together.
func pool(ctx context.Context, url string) (pairs [][2]article, err error) {
	err = asOwner(ctx, url, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `select first, first_offer, second, second_offer from bench.pool order by nr`)
		if err != nil {
			return err
		}
		var a, b article
		_, err = pgx.ForEachRow(rows, []any{&a.variant, &a.offer, &b.variant, &b.offer}, func() error {
			pairs = append(pairs, [2]article{a, b})
			return nil
		})
		return err
	})
	return pairs, err
}

// A touch is how many rows of a table were written.
type touch struct{ inserted, updated, deleted int64 }

// touched counts what was written to each table since the server began. First
// it waits for all other sessions on the database to end: each keeps what it
// counted to itself for a while.
func touched(ctx context.Context, url string) (map[string]touch, error) {
	out := map[string]touch{}
	err := asOwner(ctx, url, func(conn *pgx.Conn) error {
		for left, deadline := 1, time.Now().Add(10*time.Second); left > 0; time.Sleep(10 * time.Millisecond) {
			if err := conn.QueryRow(ctx, `select count(*) from pg_stat_activity
				where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`).Scan(&left); err != nil {
				return err
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%d sessions do not end", left)
			}
		}
		rows, err := conn.Query(ctx, `select schemaname || '.' || relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables where schemaname <> 'bench'`)
		if err != nil {
			return err
		}
		var name string
		var t touch
		_, err = pgx.ForEachRow(rows, []any{&name, &t.inserted, &t.updated, &t.deleted}, func() error {
			out[name] = t
			return nil
		})
		return err
	})
	return out, err
}

// statements counts what a store sends, by round trip.
type statements struct{ queries, trips int }

// TraceQueryStart counts a statement of its own.
func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	s.queries++
	s.trips++
	return ctx
}

// TraceQueryEnd is not of interest.
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart counts a round trip.
func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	s.trips++
	return ctx
}

// TraceBatchQuery counts a statement in it.
func (s *statements) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {
	s.queries++
}

// TraceBatchEnd is not of interest.
func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// oneRow writes a row, for what a durable commit costs.
func oneRow(tx *pg.Tx) { tx.Queue(`insert into public.bench_row (text) values ('bilan')`) }
