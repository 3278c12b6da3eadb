package lanes

import (
	"context"
	"encoding/json"
	"time"

	"tiwiza/pkg/pg"
)

const boundColumns = `dial_ms, tls_ms, header_ms, deadline_ms, bulkhead, contract_per_minute, burst, window_s, consecutive, volume, ratio_percent, cooldown_s,
	retries, retry_min_ms, retry_max_ms, ping_s`

func settings(ctx context.Context, db pg.DB) ([]setting, error) {
	return pg.All[setting](ctx, db, `select partner, class, `+boundColumns+`, set_by, set_at from platform.lane_setting order by partner, class`)
}

func settingsOf(ctx context.Context, db pg.DB, partner string) ([]setting, error) {
	return pg.All[setting](ctx, db, `select partner, class, `+boundColumns+`, set_by, set_at from platform.lane_setting where partner = $1`, partner)
}

func saveSetting(tx *pg.Tx, s setting) {
	b := s.Bounds
	tx.Queue(`insert into platform.lane_setting (partner, class, `+boundColumns+`, set_by, set_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		on conflict (partner, class) do update set (`+boundColumns+`, set_by, set_at) = (select $3::int, $4::int, $5::int, $6::int, $7::int, $8::int,
			$9::int, $10::int, $11::int, $12::int, $13::int, $14::int, $15::int, $16::int, $17::int, $18::int, $19::text, $20::timestamptz)`,
		s.Partner, s.Class, b.DialMS, b.TLSMS, b.HeaderMS, b.DeadlineMS, b.Bulkhead, b.ContractPerMinute, b.Burst, b.WindowS, b.Consecutive,
		b.Volume, b.RatioPercent, b.CooldownS, b.Retries, b.RetryMinMS, b.RetryMaxMS, b.PingS, s.SetBy, s.SetAt)
}

func pauses(ctx context.Context, db pg.DB) ([]Pause, error) {
	return pg.All[Pause](ctx, db, `select partner, reason, by, at from platform.partner_pause order by partner`)
}

func savePause(tx *pg.Tx, p Pause) {
	tx.Queue(`insert into platform.partner_pause (partner, reason, by, at) values ($1, $2, $3, $4)
		on conflict (partner) do update set reason = excluded.reason, by = excluded.by`, p.Partner, p.Reason, p.By, p.At)
}

func dropPause(tx *pg.Tx, partner string) {
	tx.Queue(`delete from platform.partner_pause where partner = $1`, partner)
}

const stateColumns = `hub, partner, class, breaker, since, reason, in_flight, p95_us, calls, failures, errors, seen_at`

// states are what hubs have told since a time.
func states(ctx context.Context, db pg.DB, since time.Time) ([]State, error) {
	return pg.All[State](ctx, db, `select `+stateColumns+` from platform.lane_state where seen_at >= $1 order by partner, class, hub`, since)
}

func saveStates(tx *pg.Tx, hub string, all []State) {
	for _, s := range all {
		errs, err := json.Marshal(s.Errors)
		if err != nil {
			errs = []byte("[]")
		}
		tx.Queue(`insert into platform.lane_state (`+stateColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			on conflict (hub, partner, class) do update set (breaker, since, reason, in_flight, p95_us, calls, failures, errors, seen_at)
			= (excluded.breaker, excluded.since, excluded.reason, excluded.in_flight, excluded.p95_us, excluded.calls, excluded.failures, excluded.errors, excluded.seen_at)`,
			hub, s.Partner, s.Class, s.Breaker, s.Since, s.Reason, s.InFlight, s.P95us, s.Calls, s.Failures, errs, tx.Now())
	}
}

func dropHub(tx *pg.Tx, hub string) {
	tx.Queue(`update platform.lane_state set seen_at = '-infinity' where hub = $1`, hub)
}

// bury forgets hubs that have said nothing since a time: a breaker that one of
// them had open is nobody's any more.
func bury(ctx context.Context, tx *pg.Tx, since time.Time) error {
	_, err := tx.Exec(ctx, `with dead as (delete from platform.lane_state where seen_at < $1 returning hub, partner, class, breaker)
		insert into platform.lane_change (at, hub, partner, class, change, reason)
		select $2, hub, partner, class, 'closed', 'the hub is gone' from dead where breaker <> 'closed'`, since, tx.Now())
	return err
}

func insertChange(tx *pg.Tx, c Change) {
	tx.Queue(`insert into platform.lane_change (at, hub, partner, class, change, reason) values ($1, $2, $3, $4, $5, left($6, 500))`,
		c.At, c.Hub, c.Partner, c.Class, c.Change, c.Reason)
}

func forgetChanges(tx *pg.Tx, before time.Time) {
	tx.Queue(`delete from platform.lane_change where at < $1`, before)
}

// changesOf pages through what happened to a partner, newest first.
func changesOf(ctx context.Context, db pg.DB, partner string, below int64, limit int) ([]Change, error) {
	return pg.All[Change](ctx, db, `select id, at, hub, partner, class, change, reason from platform.lane_change
		where partner = $1 and id < $2 order by id desc limit $3`, partner, below, limit)
}

// changesSince are all partners' moves since a time, oldest first.
func changesSince(ctx context.Context, db pg.DB, since time.Time) ([]Change, error) {
	return pg.All[Change](ctx, db, `select id, at, hub, partner, class, change, reason from platform.lane_change
		where at > $1 and change <> 'tuned' order by at, id`, since)
}

// standing are the last moves of each lane before a time, as far as they left it
// open or stopped.
func standing(ctx context.Context, db pg.DB, before time.Time) ([]Change, error) {
	return pg.All[Change](ctx, db, `select id, at, hub, partner, class, change, reason from (
			select distinct on (partner, hub, class) id, at, hub, partner, class, change, reason from platform.lane_change
			where at <= $1 and change <> 'tuned' order by partner, hub, class, at desc, id desc) last
		where change in ('opened', 'paused')`, before)
}
