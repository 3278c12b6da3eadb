package webhook

import (
	"context"
	"errors"
	"time"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

const columns = `id, owner, url, events, state, why, failures, created_at, changed_at`

func load(ctx context.Context, db pg.DB, id string) (Endpoint, error) {
	return pg.One[Endpoint](ctx, db, ErrNotFound, `select `+columns+` from platform.webhook_endpoint where id = $1`, id)
}

// lock keeps an endpoint's queue to its holder: whoever adds to it, or takes
// something away, locks it first.
func lock(ctx context.Context, tx *pg.Tx, id string) (Endpoint, error) {
	return pg.One[Endpoint](ctx, tx, ErrNotFound, `select `+columns+` from platform.webhook_endpoint where id = $1 for update`, id)
}

func lockAll(ctx context.Context, tx *pg.Tx, owner string) ([]Endpoint, error) {
	return pg.All[Endpoint](ctx, tx, `select `+columns+` from platform.webhook_endpoint where owner = $1 order by id for update`, owner)
}

// insert writes down a new endpoint; its owner has twenty places.
func insert(ctx context.Context, tx *pg.Tx, e Endpoint) error {
	tag, err := tx.Exec(ctx, `insert into platform.webhook_endpoint (id, owner, slot, url, events, created_at, changed_at)
		select $1, $2, s, $3, $4, $5, $5 from generate_series(1, 20) s
		where not exists (select from platform.webhook_endpoint e where e.owner = $2 and e.slot = s) order by s limit 1`,
		e.ID, e.Owner, e.URL, e.Events, e.CreatedAt)
	switch {
	case pg.Violates(err, "webhook_slot"): // another was made at the same moment
		return pg.ErrBusy.With(err)
	case err == nil && tag.RowsAffected() == 0:
		return ErrFull
	}
	return err
}

func save(tx *pg.Tx, e Endpoint) {
	tx.Queue(`update platform.webhook_endpoint set url = $2, events = $3, state = $4, why = $5, failures = $6, changed_at = $7,
		held_until = case when $6 = 0 then '-infinity' else held_until end where id = $1`,
		e.ID, e.URL, e.Events, e.State, e.Why, e.Failures, e.ChangedAt)
}

func remove(tx *pg.Tx, id string) {
	tx.Queue(`delete from platform.webhook_endpoint where id = $1`, id)
}

// list reads an owner's endpoints, or with "" everybody's, oldest first.
func list(ctx context.Context, db pg.DB, owner, after string, limit int) ([]Endpoint, error) {
	return pg.All[Endpoint](ctx, db, `select `+columns+` from platform.webhook_endpoint
		where ($1 = '' or owner = $1) and id > $2 order by id limit $3`, owner, after, limit)
}

func insertSecret(tx *pg.Tx, endpoint string, secret []byte) {
	tx.Queue(`insert into platform.webhook_secret (endpoint, no, secret, made_at)
		select $1, coalesce(max(no), 0) + 1, $2, platform.now() from platform.webhook_secret where endpoint = $1`, endpoint, secret)
}

// retire has the current secret end, and forgets those before it.
func retire(tx *pg.Tx, endpoint string, now, ends time.Time) {
	tx.Queue(`delete from platform.webhook_secret where endpoint = $1 and ends_at is not null`, endpoint)
	tx.Queue(`update platform.webhook_secret set ends_at = greatest($2::timestamptz, $3::timestamptz) where endpoint = $1 and ends_at is null`, endpoint, now, ends)
}

// live are the secrets that sign now, the newest first.
func live(ctx context.Context, db pg.DB, endpoint string) ([][]byte, error) {
	return pg.Column[[]byte](ctx, db, `select secret from platform.webhook_secret
		where endpoint = $1 and (ends_at is null or ends_at > platform.now()) order by no desc`, endpoint)
}

// find is an event's place in the log and its type, if the owner hears of it.
func find(ctx context.Context, tx *pg.Tx, owner, eid string) (int64, string, error) {
	type found struct {
		Pos  int64
		Type string
	}
	f, err := pg.One[found](ctx, tx, ErrEvent, `select l.pos, e.type from platform.event e join platform.log l on l.seq = e.seq
		where e.id = $2 and ($1 = '*' or exists (select from platform.telling t where t.member = $1 and t.pos = l.pos))`, owner, eid)
	return f.Pos, f.Type, err
}

// wants is Wants, in SQL: of an endpoint p and an event e.
const wants = `p.events && array['*', e.type, split_part(e.type, '.', 1) || '.*']`

// fanOut queues tellings for all endpoints that want them. It locks these first,
// so that nobody meanwhile takes away the delivery that a new one waits behind.
func fanOut(tx *pg.Tx, told []event.Telling) {
	n := len(told)
	ids, types, subjects, members, places := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]int64, n)
	for i, t := range told {
		ids[i], types[i], subjects[i], members[i], places[i] = t.ID, t.Type, t.Subject, t.Member, t.Pos
	}
	tx.Queue(`select from platform.webhook_endpoint where owner = any($1) order by id for update`, members)
	tx.Queue(`insert into platform.webhook_delivery (endpoint, event, pos, type, subject, state, next_at, until)
		select p.id, e.id, e.pos, e.type, e.subject, 'waiting',
			case when row_number() over (partition by p.id, e.subject order by e.pos) > 1
				or exists (select from platform.webhook_delivery b where b.endpoint = p.id and b.subject = e.subject and b.state = 'waiting')
				then 'infinity' else platform.now() end,
			platform.now() + $6::interval
		from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) as e (id, type, subject, member, pos)
		join platform.webhook_endpoint p on p.owner = e.member and p.state <> 'disabled' and `+wants+`
		on conflict do nothing`, ids, types, subjects, members, places, Lifetime)
}

// again queues what an endpoint wants of a part of the log, and answers the
// events, in the order of the log.
func again(ctx context.Context, tx *pg.Tx, p Endpoint, r span, until time.Time) ([]string, error) {
	events, err := pg.Column[string](ctx, tx, `with part as (
			select e.id, l.pos, e.type, e.subject from platform.log l join platform.event e on e.seq = l.seq
			join (select $2::text[] as events) p on `+wants+`
			where l.pos > $4 and ($5 = 0 or l.pos < $5) and ($6::timestamptz is null or e.at > $6) and ($7::timestamptz is null or e.at < $7)
			and ($3 = '*' or exists (select from platform.telling t where t.member = $3 and t.pos = l.pos))
			order by l.pos limit $9),
		queued as (
			insert into platform.webhook_delivery (endpoint, event, pos, type, subject, state, next_at, until)
			select $1, id, pos, type, subject, 'waiting', 'infinity', $8 from part
			on conflict (endpoint, event) do update set state = 'waiting', tries = 0, next_at = 'infinity', until = excluded.until, error = ''
			where webhook_delivery.state <> 'waiting')
		select id from part order by pos`,
		p.ID, p.Events, p.Owner, r.After.Pos, r.Before.Pos, r.After.Time, r.Before.Time, until, maxReplay)
	order(tx, p.ID)
	return events, err
}

// order has only the first of each subject be due.
func order(tx *pg.Tx, endpoint string) {
	tx.Queue(`update platform.webhook_delivery d set next_at = 'infinity'
		where endpoint = $1 and state = 'waiting' and next_at < 'infinity' and exists (select from platform.webhook_delivery b
			where b.endpoint = $1 and b.subject = d.subject and b.state = 'waiting' and b.pos < d.pos)`, endpoint)
	wake(tx, endpoint, "")
}

// wake has the first that waits of a subject, or with "" of all, be due.
func wake(tx *pg.Tx, endpoint, subject string) {
	tx.Queue(`update platform.webhook_delivery d set next_at = platform.now()
		where endpoint = $1 and state = 'waiting' and next_at = 'infinity' and ($2 = '' or subject = $2)
		and not exists (select from platform.webhook_delivery b
			where b.endpoint = $1 and b.subject = d.subject and b.state = 'waiting' and b.pos < d.pos)`, endpoint, subject)
}

// resume gives what waited its whole time, and has it be due at once.
func resume(tx *pg.Tx, endpoint string, now time.Time) {
	tx.Queue(`update platform.webhook_delivery set until = greatest(until, $2::timestamptz + $3::interval), next_at = case when next_at < 'infinity' then $2 else next_at end
		where endpoint = $1 and state = 'waiting'`, endpoint, now, Lifetime)
}

var errDone = errors.New("the delivery is through")
