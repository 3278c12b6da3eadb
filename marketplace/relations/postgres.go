package relations

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

const wishColumns = `id, person, purpose, granted, source, partner, text_hash, lang, at`

func insertWish(tx *pg.Tx, w Wish) {
	tx.Queue(`insert into relations.wish (`+wishColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		w.ID, w.Person, w.Purpose, w.Granted, w.Source, w.Partner, w.TextHash, w.Lang, w.At)
}

func listWishes(ctx context.Context, db pg.DB, person, below string, limit int) ([]Wish, error) {
	var w pg.Where
	w.And(true, "person =", person)
	w.And(below != "", "id <", below)
	return pg.All[Wish](ctx, db, `select `+wishColumns+` from relations.wish where `+w.String()+` order by id desc limit `+w.Arg(limit), w.Args()...)
}

// A standing is somebody's stance with how it came about.
type standing struct {
	Stance
	TextHash string
	Source   Source
}

const standingOf = `select s.person, s.purpose, s.granted, s.wish, s.at, s.version, w.text_hash, w.source
	from relations.stance s join relations.wish w on w.id = s.wish where s.person = $1 and s.purpose = 'marketing'`

// stanceOf reads somebody's stance; who never said anything has none.
func stanceOf(ctx context.Context, db pg.DB, person string) (standing, error) {
	all, err := pg.All[standing](ctx, db, standingOf, person)
	if err != nil || len(all) == 0 {
		return standing{Stance: Stance{Person: person, Purpose: Marketing}}, err
	}
	return all[0], nil
}

// lockStance reads it so that nobody changes it meanwhile, the first one neither.
func lockStance(ctx context.Context, tx *pg.Tx, person string) (standing, error) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('relations ' || $1, 0))`, person)
	return stanceOf(ctx, tx, person)
}

func saveStance(tx *pg.Tx, s Stance) {
	tx.QueueOne(ErrChanged, `insert into relations.stance as t (person, purpose, granted, wish, at, version) values ($1, $2, $3, $4, $5, $6)
		on conflict (person, purpose) do update set granted = excluded.granted, wish = excluded.wish, at = excluded.at, version = excluded.version
		where t.version = excluded.version - 1`, s.Person, s.Purpose, s.Granted, s.Wish, s.At, s.Version)
}

// agreed are those of some persons who agree.
func agreed(ctx context.Context, db pg.DB, persons []string) (map[string]bool, error) {
	all, err := pg.Column[string](ctx, db, `select person from relations.stance where person = any($1) and purpose = 'marketing' and granted`, persons)
	out := make(map[string]bool, len(all))
	for _, p := range all {
		out[p] = true
	}
	return out, err
}

const partnerColumns = `partner, paused, transfer, busy_until, retry_at, failures, reason, code, synced_at, cursor, looked_at, version`

// meet writes a system down that the hub has not met.
func meet(ctx context.Context, tx *pg.Tx, name, transfer string) (fresh bool, err error) {
	tag, err := tx.Exec(ctx, `insert into relations.partner (partner, transfer) values ($1, $2) on conflict do nothing`, name, transfer)
	return tag.RowsAffected() == 1, err
}

func partnerOf(ctx context.Context, db pg.DB, name string) (Partner, error) {
	return pg.One[Partner](ctx, db, ErrPartner, `select `+partnerColumns+` from relations.partner where partner = $1`, name)
}

func lockPartner(ctx context.Context, tx *pg.Tx, name string) (Partner, error) {
	return pg.One[Partner](ctx, tx, ErrPartner, `select `+partnerColumns+` from relations.partner where partner = $1 for update`, name)
}

func listPartners(ctx context.Context, db pg.DB, names []string) ([]Partner, error) {
	return pg.All[Partner](ctx, db, `select `+partnerColumns+` from relations.partner where partner = any($1) order by partner`, names)
}

func savePartner(tx *pg.Tx, p Partner) {
	tx.QueueOne(ErrChanged, `update relations.partner set paused = $3, transfer = $4, busy_until = $5, retry_at = $6, failures = $7, reason = $8, code = left($9, 200),
			synced_at = $10, cursor = $11, looked_at = $12, version = version + 1
		where partner = $1 and version = $2`,
		p.Partner, p.Version, p.Paused, p.Transfer, p.BusyUntil, p.RetryAt, p.Failures, p.Reason, p.Code, p.SyncedAt, p.Cursor, p.LookedAt)
}

// A backlog is what waits to be said to one system.
type backlog struct {
	Partner string
	Waiting int64 // a thousand at most
	Oldest  *time.Time
	Erasing int64
}

// backlogs are what waits for some systems.
func backlogs(ctx context.Context, db pg.DB, names []string) ([]backlog, error) {
	return pg.All[backlog](ctx, db, `select n.partner, l.waiting, l.oldest, e.erasing from unnest($1::text[]) as n(partner),
		lateral (select count(*) as waiting, min(x.due_at) as oldest from (select due_at from relations.partner_link where partner = n.partner and wanted > done limit 1000) x) l,
		lateral (select count(*) as erasing from (select from relations.erasure where partner = n.partner and state = 'asked' limit 1000) y) e`, names)
}
