package event

import (
	"context"
	"errors"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// ErrUnknown says that the caller knows no such event.
var ErrUnknown = fault.New(fault.NotFound, "events.not_found", "There is no such event.")

var errTaken = errors.New("another hub is giving places")

// state is how far the log has come.
type state struct{ High, Pos int64 }

// lockLog takes the turn of giving places.
func lockLog(ctx context.Context, tx *pg.Tx) (state, error) {
	return pg.One[state](ctx, tx, errTaken, `select high, pos from platform.log_state for update skip locked`)
}

// unplaced are events without a place, by their numbers: those above the
// highest seen, and those below it that were missing and have appeared.
func unplaced(ctx context.Context, tx *pg.Tx, high int64, limit int) ([]row, error) {
	return pg.All[row](ctx, tx, `(select seq, id, type, subject, at, payload from platform.event where seq > $1 order by seq limit $2)
		union all
		(select e.seq, e.id, e.type, e.subject, e.at, e.payload from platform.log_gap g join platform.event e on e.seq = g.seq limit $2)
		order by seq`, high, limit)
}

// saveLog gives events the places that follow, remembers what is missing below
// them, and forgets what was found, or what nobody can bring any more: whoever
// drew the number has ended, a day ago.
func saveLog(tx *pg.Tx, st state, fresh []row) {
	seqs, high := make([]int64, len(fresh)), st.High
	for i, e := range fresh {
		seqs[i], high = e.Seq, max(high, e.Seq)
	}
	tx.Queue(`insert into platform.log (pos, seq) select $1 + n, seq from unnest($2::bigint[]) with ordinality as f (seq, n)`, st.Pos, seqs)
	tx.Queue(`insert into platform.log_gap (seq) select unnest($1::bigint[])`, missing(st.High, fresh))
	tx.Queue(`delete from platform.log_gap where seq = any($1)
		or after <= pg_snapshot_xmin(pg_current_snapshot()) and since < now() - interval '1 day'`, seqs)
	tx.Queue(`update platform.log_state set high = $1, pos = pos + $2`, high, len(fresh))
}

func insertTellings(tx *pg.Tx, told []Telling) {
	var members []string
	var places, versions []int64
	var data []string
	for _, t := range told {
		if t.Member != Everything {
			members, places, versions, data = append(members, t.Member), append(places, t.Pos), append(versions, int64(t.Version)), append(data, string(t.Data))
		}
	}
	if len(members) > 0 {
		tx.Queue(`insert into platform.telling (member, pos, version, data)
			select m, p, v, d::jsonb from unnest($1::text[], $2::bigint[], $3::int[], $4::text[]) as t (m, p, v, d)`, members, places, versions, data)
	}
}

// placeOf finds an event's place in the log, if the member hears of it.
func placeOf(ctx context.Context, db pg.DB, member, event string) (int64, error) {
	return pg.Value[int64](ctx, db, ErrUnknown, `select l.pos from platform.event e join platform.log l on l.seq = e.seq
		where e.id = $2 and ($1 = '*' or exists (select from platform.telling t where t.member = $1 and t.pos = l.pos))`, member, event)
}

// list reads what a member hears of, in the order of the log.
func list(ctx context.Context, db pg.DB, member string, after int64, limit int) ([]Telling, error) {
	if member == Everything {
		return pg.All[Telling](ctx, db, `select l.pos, e.id, e.type, e.subject, e.at, '*' as member, 0 as version, e.payload as data
			from platform.log l join platform.event e on e.seq = l.seq where l.pos > $1 order by l.pos limit $2`, after, limit)
	}
	return pg.All[Telling](ctx, db, `select t.pos, e.id, e.type, e.subject, e.at, t.member, t.version, t.data
		from platform.telling t join platform.log l on l.pos = t.pos join platform.event e on e.seq = l.seq
		where t.member = $1 and t.pos > $2 order by t.pos limit $3`, member, after, limit)
}
