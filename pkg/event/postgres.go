package event

import (
	"context"
	"errors"
	"time"

	"tiwiza/pkg/pg"
)

var errGone = errors.New("the event is not there")

func insert(tx *pg.Tx, id, typ, subject string, payload []byte) {
	tx.Queue(`insert into platform.event (id, type, subject, payload) values ($1, $2, $3, $4)`, id, typ, subject, payload)
}

func insertAll(tx *pg.Tx, ids, types, subjects, payloads, actors []string) {
	tx.Queue(`insert into platform.event (id, type, subject, payload, actor)
		select id, type, subject, payload::jsonb, coalesce(actor, platform.principal())
		from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) with ordinality x (id, type, subject, payload, actor, n) order by n`,
		ids, types, subjects, payloads, actors)
}

// claim says whether this subscriber has not taken the event in before. A
// second delivery at the same time waits here for the first.
func claim(ctx context.Context, tx *pg.Tx, event, subscriber string) (bool, error) {
	tag, err := tx.Exec(ctx, `insert into platform.handled (event, subscriber) values ($1, $2) on conflict do nothing`, event, subscriber)
	return tag.RowsAffected() == 1, err
}

func load(ctx context.Context, tx *pg.Tx, event string) ([]byte, error) {
	return pg.Value[[]byte](ctx, tx, errGone, `select payload from platform.event where id = $1`, event)
}

type row struct {
	Seq               int64
	ID, Type, Subject string
	At                time.Time
	Payload           []byte
}

// undelivered lists events of the last two days that a subscriber should have taken
// in by now, in the order of the index that finds them: by any other the planner
// may walk through all there ever were.
func undelivered(ctx context.Context, tx *pg.Tx, typ, subscriber string) ([]string, error) {
	return pg.Column[string](ctx, tx, `select e.id from platform.event e
		where e.type = $1 and e.at between platform.now() - interval '2 days' and platform.now() - interval '3 minutes'
		and not exists (select from platform.handled h where h.event = e.id and h.subscriber = $2)
		and not exists (select from river.river_job j where j.kind = 'event.deliver' and j.state in ('available', 'running', 'retryable', 'scheduled', 'pending')
			and j.args @> jsonb_build_object('event', e.id, 'subscriber', $2::text))
		order by e.at limit 100`, typ, subscriber)
}
