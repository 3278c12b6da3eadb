package ledger

import (
	"context"
	"errors"
	"time"

	"tiwiza/pkg/pg"
)

// past sums the entries of one account that count by at and were recorded by
// known: from the last snapshot of a day before both, what counts from that day
// on, and what counts from before it and was recorded since. It needs $1 the
// account's id, $2 at, $3 known; snapshots are of times before both, so that
// all their entries are of the sum.
const past = `with base as (
		select day, dr, cr from ledger.balance_snapshot
		where account_id = $1 and day <= $2 and day <= $3 order by day desc limit 1),
	since as (select coalesce((select day from base), '-infinity'::timestamptz) as day),
	added as (
		select e.amount from since s join ledger.entry e on e.account_id = $1
			and e.effective_at >= s.day and e.effective_at <= $2 and e.recorded_at <= $3
		union all
		select e.amount from since s join ledger.entry e on e.account_id = $1
			and e.effective_at < e.recorded_at and e.recorded_at >= s.day and e.recorded_at <= $3 and e.effective_at < s.day),
	total as (
		select (coalesce((select dr - cr from base), 0) + coalesce((select sum(amount) from added), 0))::bigint as net)`

func balanceAt(ctx context.Context, db pg.DB, code, currency string, at, known time.Time) (int64, error) {
	type account struct {
		ID     int64
		Normal string
	}
	errNone := errors.New("never used")
	a, err := pg.One[account](ctx, db, errNone, `select id, normal from ledger.account where code = $1 and currency = $2`, code, currency)
	if errors.Is(err, errNone) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	net, err := pg.Value[int64](ctx, db, nil, past+` select net from total`, a.ID, at, known)
	if a.Normal == "C" {
		net = -net
	}
	return net, err
}

// lockHorizon reads the horizon and keeps it from other hubs.
func lockHorizon(ctx context.Context, tx *pg.Tx) (horizon, error) {
	busy := errors.New("another hub is at it")
	h, err := pg.One[horizon](ctx, tx, busy, `select kept, done, fence::text as fence,
			coalesce(fence <= pg_snapshot_xmin(pg_current_snapshot()), false) as passed, false as busy
		from ledger.horizon for no key update skip locked`)
	if errors.Is(err, busy) {
		return horizon{Busy: true}, nil
	}
	return h, err
}

func setKept(tx *pg.Tx, day time.Time) {
	tx.Queue(`update ledger.horizon set kept = $1, fence = null`, day)
}

// drawFence names the first transaction that cannot have begun before this one.
func drawFence(tx *pg.Tx) {
	tx.Queue(`update ledger.horizon set fence = pg_snapshot_xmax(pg_current_snapshot())`)
}

// busy is from how many entries since its last snapshot an account gets another.
const busy = 32

// takeSnapshots sums up each account that much has come to since its last
// snapshot. Its balance's version counts its entries.
func takeSnapshots(tx *pg.Tx, day time.Time) {
	tx.Queue(`insert into ledger.balance_snapshot (account_id, day, dr, cr, entries)
		select b.account_id, $1, coalesce(s.dr, 0) + n.dr, coalesce(s.cr, 0) + n.cr, coalesce(s.entries, 0) + n.entries
		from (select account_id, sum(version) as version from ledger.balance group by account_id) b
		left join lateral (
			select day, dr, cr, entries from ledger.balance_snapshot x where x.account_id = b.account_id order by day desc limit 1) s on true
		cross join lateral (
			select coalesce(sum(greatest(amount, 0)), 0)::bigint as dr, coalesce(sum(greatest(-amount, 0)), 0)::bigint as cr, count(*) as entries from (
				select amount from ledger.entry e
				where e.account_id = b.account_id and e.effective_at >= coalesce(s.day, '-infinity') and e.effective_at < $1 and e.recorded_at < $1
				union all
				select amount from ledger.entry e
				where e.account_id = b.account_id and e.effective_at < e.recorded_at
					and e.recorded_at >= s.day and e.recorded_at < $1 and e.effective_at < s.day) e) n
		where b.version >= coalesce(s.entries, 0) + $2::bigint and n.entries >= $2::bigint`, day, busy)
	tx.Queue(`update ledger.horizon set done = kept`)
}
