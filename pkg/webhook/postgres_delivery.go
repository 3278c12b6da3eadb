package webhook

import (
	"context"
	"time"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

const deliveryColumns = `id, event, type, subject, state, tries, nullif(next_at, 'infinity') as next_at, until, status, answer, error, created_at, tried_at`

// deliveries reads an endpoint's log, newest first.
func deliveries(ctx context.Context, db pg.DB, endpoint string, state Progress, below int64, limit int) ([]Delivery, error) {
	return pg.All[Delivery](ctx, db, `select `+deliveryColumns+` from platform.webhook_delivery
		where endpoint = $1 and ($2 = '' or state = $2) and ($3 = 0 or id < $3) order by id desc limit $4`, endpoint, state, below, limit)
}

// insertTest writes down a test, which is over already.
func insertTest(ctx context.Context, tx *pg.Tx, endpoint string, t event.Telling, r result) (Delivery, error) {
	state := Delivered
	if !r.ok() {
		state = Failed
	}
	return pg.One[Delivery](ctx, tx, errDone, `insert into platform.webhook_delivery (endpoint, event, pos, type, subject, state, tries, next_at, until, status, answer, error, tried_at)
		values ($1, $2, 0, $3, $4, $5, 1, platform.now(), platform.now(), $6, $7, $8, platform.now()) returning `+deliveryColumns,
		endpoint, t.ID, t.Type, t.Subject, state, r.status, r.answer, r.err)
}

// claim leases up to n endpoints that something is due for, those that waited
// longest first: no other hub sends to them meanwhile.
func claim(ctx context.Context, tx *pg.Tx, n int) ([]Endpoint, error) {
	return pg.All[Endpoint](ctx, tx, `update platform.webhook_endpoint set leased_until = platform.now() + $2::interval
		where id in (select id from platform.webhook_endpoint p
			where p.state = 'active' and p.leased_until <= platform.now() and p.held_until <= platform.now()
			and exists (select from platform.webhook_delivery d where d.endpoint = p.id and d.state = 'waiting' and d.next_at <= platform.now())
			order by leased_until limit $1 for update skip locked)
		returning `+columns, n, lease)
}

func unlease(tx *pg.Tx, endpoint string) {
	tx.Queue(`update platform.webhook_endpoint set leased_until = '-infinity' where id = $1`, endpoint)
}

// An attempt is a delivery that is about to be tried.
type attempt struct {
	ID    int64
	Tries int
	Until time.Time
	event.Telling
}

// take takes what is due next, one of each subject, and counts the try. Should
// this hub die now, it is due again after the lease.
func take(ctx context.Context, tx *pg.Tx, p Endpoint, n int) ([]attempt, error) {
	type row struct {
		ID            int64
		Tries         int
		Until         time.Time
		Pos           int64
		Event         string
		Type, Subject string
		At            time.Time
		Version       int
		Data          []byte
	}
	rows, err := pg.All[row](ctx, tx, `with due as (
			update platform.webhook_delivery set tries = tries + 1, tried_at = platform.now(), next_at = platform.now() + $3::interval
			where id in (select id from platform.webhook_delivery where endpoint = $1 and state = 'waiting' and next_at <= platform.now()
				order by next_at, pos limit $2 for update skip locked)
			returning id, tries, until, pos)
		, renewed as (update platform.webhook_endpoint set leased_until = platform.now() + $3::interval where id = $1)
		select d.id, d.tries, d.until, d.pos, e.id as event, e.type, e.subject, e.at, coalesce(t.version, 0) as version, coalesce(t.data, e.payload) as data
		from due d join platform.log l on l.pos = d.pos join platform.event e on e.seq = l.seq
		left join platform.telling t on t.member = $4 and t.pos = d.pos order by d.pos`, p.ID, n, lease, p.Owner)
	out := make([]attempt, len(rows))
	for i, r := range rows {
		out[i] = attempt{r.ID, r.Tries, r.Until, event.Telling{
			Pos: r.Pos, ID: r.Event, Type: r.Type, Subject: r.Subject, At: r.At, Member: p.Owner, Version: r.Version, Data: r.Data,
		}}
	}
	return out, err
}

// saveDelivered writes down that an endpoint took a delivery, and lets the next
// of its subject go. When the endpoint had failed for a while, all that it
// failed at is due at once.
func saveDelivered(tx *pg.Tx, p Endpoint, a attempt, r result) {
	tx.Queue(`update platform.webhook_delivery set state = 'delivered', status = $2, answer = $3, error = '' where id = $1 and state = 'waiting'`, a.ID, r.status, r.answer)
	if p.Failures >= shaky {
		tx.Queue(`update platform.webhook_delivery set next_at = platform.now()
			where endpoint = $1 and state = 'waiting' and next_at < 'infinity' and next_at > platform.now() + $2::interval`, p.ID, lease)
	}
	if p.Failures > 0 {
		tx.Queue(`update platform.webhook_endpoint set failures = 0, held_until = '-infinity' where id = $1`, p.ID)
	}
	wake(tx, p.ID, a.Subject)
}

// saveTried writes down a failure: when the next try is, or that there is none.
// A try that another has overtaken changes nothing.
func saveTried(tx *pg.Tx, p Endpoint, a attempt, r result, state Progress, next, held time.Time) {
	tx.Queue(`update platform.webhook_delivery d set state = $3, next_at = case when exists (select from platform.webhook_delivery b
			where b.endpoint = d.endpoint and b.subject = d.subject and b.state = 'waiting' and b.pos < d.pos) then 'infinity' else $4::timestamptz end,
			status = $5, answer = $6, error = $7 where id = $1 and state = 'waiting' and tries = $2`,
		a.ID, a.Tries, state, next, r.status, r.answer, r.err)
	tx.Queue(`update platform.webhook_endpoint set failures = $2, held_until = $3 where id = $1`, p.ID, p.Failures, held)
	if state == Failed {
		wake(tx, p.ID, a.Subject)
	}
}

// giveUp fails what an endpoint that is down was not tried for once more in
// time; what was tried keeps the error of its last try.
func giveUp(tx *pg.Tx, endpoint string) {
	tx.Queue(`update platform.webhook_delivery set state = 'failed', error = coalesce(nullif(error, ''), 'the endpoint took nothing for three days')
		where endpoint = $1 and state = 'waiting' and until <= platform.now()`, endpoint)
	wake(tx, endpoint, "")
}

// saveGone disables an endpoint; what waits for it is given up.
func saveGone(tx *pg.Tx, p Endpoint, a attempt, r result) {
	tx.Queue(`update platform.webhook_endpoint set state = 'disabled', why = $2, changed_at = platform.now() where id = $1`, p.ID, r.err)
	tx.Queue(`update platform.webhook_delivery set state = 'failed', status = $3, answer = $4, error = $5 where endpoint = $1 and id = $2`, p.ID, a.ID, r.status, r.answer, r.err)
	tx.Queue(`update platform.webhook_delivery set state = 'failed', error = $2 where endpoint = $1 and state = 'waiting'`, p.ID, r.err)
}

// putBack takes back a try that we broke off ourselves.
func putBack(tx *pg.Tx, a attempt) {
	tx.Queue(`update platform.webhook_delivery set tries = tries - 1, next_at = platform.now() where id = $1 and state = 'waiting' and tries = $2`, a.ID, a.Tries)
}

// forget deletes what is through and old.
func forget(ctx context.Context, db *pg.Store) error {
	_, err := db.Exec(ctx, `delete from platform.webhook_delivery where id in (select id from platform.webhook_delivery
		where state <> 'waiting' and created_at < platform.now() - $1::interval order by created_at limit 10000)`, Keep)
	return err
}

// backlog is how much waits, and how old the oldest of it is in seconds.
type backlog struct {
	Waiting int64
	Oldest  int64
}

func waiting(ctx context.Context, db pg.DB) (backlog, error) {
	return pg.One[backlog](ctx, db, errDone, `select count(*) as waiting, coalesce(extract(epoch from platform.now() - min(d.created_at)), 0)::bigint as oldest
		from platform.webhook_delivery d join platform.webhook_endpoint p on p.id = d.endpoint where d.state = 'waiting' and p.state = 'active'`)
}
