package job

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivertype"

	"tiwiza/pkg/pg"
)

type pgxTx = pgx.Tx

// backoff is how long a failed job waits: about 1 s, 2 s, 4 s … at most 10
// minutes, with jitter, so that work interrupted by a restart is soon done.
type backoff struct{}

// NextRetry is River's question.
func (backoff) NextRetry(j *rivertype.JobRow) time.Time {
	d := min(time.Second<<min(len(j.Errors), 10), 10*time.Minute)
	return time.Now().Add(d + rand.N(d/2))
}

var errNone = errors.New("no timer is due")

type timer struct {
	Kind    string
	Subject string
	Tries   int
	NextAt  time.Time
}

func schedule(tx *pg.Tx, kind, subject string, due time.Time) {
	tx.Queue(`insert into platform.timer (kind, subject, due, next_at) values ($1, $2, $3, $3)
		on conflict (kind, subject) do update set due = excluded.due, next_at = excluded.next_at, tries = 0, error = ''`, kind, subject, due)
}

// scheduleOnce leaves a timer that is still to be taken, and holds it until the
// caller's work commits, so that whoever takes it sees that work. One that is
// firing may have looked already: it is set anew.
func scheduleOnce(tx *pg.Tx, kind, subject string, due time.Time) {
	tx.Queue(`insert into platform.timer as t (kind, subject, due, next_at) values ($1, $2, $3, $3)
		on conflict (kind, subject) do update set
			next_at = case when t.due <= platform.now() and t.next_at > platform.now() then excluded.next_at else t.next_at end,
			due = case when t.due <= platform.now() and t.next_at > platform.now() then excluded.due else t.due end`, kind, subject, due)
}

func unschedule(tx *pg.Tx, kind, subject string) {
	tx.Queue(`delete from platform.timer where kind = $1 and subject = $2`, kind, subject)
}

// claim leases the timer that is due longest, of the kinds this hub knows: no
// other hub takes it before the lease is over.
func claim(ctx context.Context, tx *pg.Tx, kinds []string) (timer, error) {
	return pg.One[timer](ctx, tx, errNone, `update platform.timer set next_at = platform.now() + interval '1 minute'
		where (kind, subject) = (
			select kind, subject from platform.timer
			where next_at <= platform.now() and kind = any($1)
			order by next_at limit 1 for update skip locked)
		returning kind, subject, tries, next_at`, kinds)
}

// claimMore leases more timers of a kind that are due, from the one that is due
// longest on.
func claimMore(ctx context.Context, tx *pg.Tx, kind string, limit int) ([]timer, error) {
	return pg.All[timer](ctx, tx, `with due as (
			select subject, next_at as since from platform.timer
			where next_at <= platform.now() and kind = $1
			order by next_at limit $2 for update skip locked), taken as (
			update platform.timer t set next_at = platform.now() + interval '1 minute' from due
			where t.kind = $1 and t.subject = due.subject
			returning t.kind, t.subject, t.tries, t.next_at, due.since)
		select kind, subject, tries, next_at from taken order by since, subject`, kind, limit)
}

// standing are the subjects of timers of one kind that were claimed together and
// that nobody has set, claimed or taken away since.
func standing(ctx context.Context, db pg.DB, all []timer) ([]string, error) {
	return pg.Column[string](ctx, db, `select subject from platform.timer where kind = $1 and subject = any($2) and next_at = $3`,
		all[0].Kind, subjectsOf(all), all[0].NextAt)
}

func subjectsOf(all []timer) []string {
	subjects := make([]string, len(all))
	for i, t := range all {
		subjects[i] = t.Subject
	}
	return subjects
}

// dropAll is drop of timers of one kind that were claimed together, but for some.
func dropAll(tx *pg.Tx, all []timer, but []string) {
	tx.Queue(`delete from platform.timer where kind = $1 and subject = any($2) and subject <> all($3::text[]) and next_at = $4`,
		all[0].Kind, subjectsOf(all), append([]string{}, but...), all[0].NextAt)
}

func scheduleAll(tx *pg.Tx, kind string, subjects []string, due []time.Time) {
	tx.Queue(`insert into platform.timer (kind, subject, due, next_at)
		select $1, subject, due, due from unnest($2::text[], $3::timestamptz[]) x (subject, due) order by subject
		on conflict (kind, subject) do update set due = excluded.due, next_at = excluded.next_at, tries = 0, error = ''`, kind, subjects, due)
}

func scheduleAllOnce(tx *pg.Tx, kind string, subjects []string, due time.Time) {
	tx.Queue(`insert into platform.timer as t (kind, subject, due, next_at) select $1, subject, $3, $3 from unnest($2::text[]) x (subject) order by subject
		on conflict (kind, subject) do update set
			next_at = case when t.due <= platform.now() and t.next_at > platform.now() then excluded.next_at else t.next_at end,
			due = case when t.due <= platform.now() and t.next_at > platform.now() then excluded.due else t.due end`, kind, subjects, due)
}

func unscheduleAll(tx *pg.Tx, kinds, subjects []string) {
	tx.Queue(`delete from platform.timer where kind = any($1) and subject = any($2)`, kinds, subjects)
}

// drop takes a timer that has fired away, unless it was set anew meanwhile.
func drop(tx *pg.Tx, t timer) {
	tx.Queue(`delete from platform.timer where kind = $1 and subject = $2 and next_at = $3`, t.Kind, t.Subject, t.NextAt)
}

func postpone(ctx context.Context, tx *pg.Tx, t timer, wait time.Duration, reason string) error {
	_, err := tx.Exec(ctx, `update platform.timer set next_at = platform.now() + $3::interval, tries = tries + 1, error = left($4, 500)
		where kind = $1 and subject = $2`, t.Kind, t.Subject, wait, reason)
	return err
}

func showAlive(ctx context.Context, conn *pgx.Conn, name string) error {
	_, err := conn.Exec(ctx, `select pg_advisory_lock(hashtextextended('alive ' || $1, 0))`, name)
	return err
}

// giveBack returns jobs to the queue whose hub's lock is free: it died. Our own
// lock is ours, so it would look free to us.
func giveBack(ctx context.Context, conn *pgx.Conn, own string) (int64, error) {
	tag, err := conn.Exec(ctx, `with dead as (
			select hub from (select distinct attempted_by[array_upper(attempted_by, 1)] as hub from river.river_job where state = 'running') h
			where hub like 'hub-run\_%' and hub <> $1 and pg_try_advisory_xact_lock(hashtextextended('alive ' || hub, 0)))
		update river.river_job set state = 'available', scheduled_at = now()
		where state = 'running' and attempted_by[array_upper(attempted_by, 1)] in (select hub from dead)`, own)
	return tag.RowsAffected(), err
}
