package notices

import (
	"context"
	"errors"
	"time"

	"tiwiza/adapters/notify"
	"tiwiza/pkg/pg"
)

const noticeColumns = `id, owner, kind, lang, phone, email, params, sealed, amount, dedupe, state, reason, within, due_at, expires_at, created_at, version`

// insert writes a notice, unless one of the same reason is there.
func insert(ctx context.Context, tx *pg.Tx, n Notice) (fresh bool, err error) {
	_, err = pg.Value[string](ctx, tx, errThere, `insert into notices.notice (`+noticeColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) on conflict (dedupe) do nothing returning id`,
		n.ID, n.Owner, n.Kind, n.Lang, n.Phone, n.Email, n.Params, n.Sealed, n.Amount, n.Dedupe, n.State, n.Reason, n.Within, n.DueAt, n.ExpiresAt, n.CreatedAt, n.Version)
	if errors.Is(err, errThere) {
		return false, nil
	}
	return err == nil, err
}

var errThere = errors.New("this was told already")

func lock(ctx context.Context, tx *pg.Tx, id string) (Notice, error) {
	return pg.One[Notice](ctx, tx, ErrNotFound, `select `+noticeColumns+` from notices.notice where id = $1 for update`, id)
}

// lockAll locks notices, always in the order of their ids.
func lockAll(ctx context.Context, tx *pg.Tx, ids []string) ([]Notice, error) {
	return pg.All[Notice](ctx, tx, `select `+noticeColumns+` from notices.notice where id = any($1) order by id for update`, ids)
}

// save writes what changes of a notice that was read as version before.
func save(tx *pg.Tx, n Notice) {
	tx.QueueOne(ErrChanged, `update notices.notice set state = $3, reason = $4, sealed = $5, within = $6, due_at = $7, version = version + 1 where id = $1 and version = $2`,
		n.ID, n.Version, n.State, n.Reason, n.Sealed, n.Within, n.DueAt)
}

// toldOf says whether somebody was ever told something of a kind.
func toldOf(ctx context.Context, db pg.DB, owner string, k Kind) (bool, error) {
	return pg.Value[bool](ctx, db, nil, `select exists (select from notices.notice where owner = $1 and kind = $2)`, owner, k)
}

const attemptColumns = `id, notice, channel, carrier, address, state, sends, code, partner_id, parts, at, version`

func attemptsOf(ctx context.Context, db pg.DB, notice string) ([]Attempt, error) {
	return pg.All[Attempt](ctx, db, `select `+attemptColumns+` from notices.attempt where notice = $1 order by at, id`, notice)
}

// put writes an attempt about to be sent: a new one, or a further send of one.
func put(tx *pg.Tx, a Attempt) {
	tx.QueueOne(ErrChanged, `insert into notices.attempt as t (`+attemptColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (notice, channel) do update set state = excluded.state, sends = excluded.sends, at = excluded.at, carrier = excluded.carrier, partner_id = excluded.partner_id, version = t.version + 1
		where t.id = excluded.id and t.version = excluded.version`,
		a.ID, a.Notice, a.Channel, a.Carrier, a.Address, a.State, a.Sends, a.Code, a.PartnerID, a.Parts, a.At, a.Version)
}

// saveAttempt writes what became of an attempt that was read as the version
// before.
func saveAttempt(tx *pg.Tx, a Attempt) {
	tx.QueueOne(ErrChanged, `update notices.attempt set state = $3, code = left($4, 200), partner_id = left($5, 200), version = version + 1 where id = $1 and version = $2`,
		a.ID, a.Version-1, a.State, a.Code, a.PartnerID)
}

// spoken are the notices that a gateway reports of: by our references, or by its
// own names of them.
func spoken(ctx context.Context, db pg.DB, carrier string, refs, names []string) ([]Attempt, error) {
	return pg.All[Attempt](ctx, db, `select `+attemptColumns+` from notices.attempt where carrier = $1 and id = any($2)
		union select `+attemptColumns+` from notices.attempt where carrier = $1 and partner_id = any($3) and partner_id <> ''`, carrier, refs, names)
}

// crowd is how often an address was written to since two moments.
func crowd(ctx context.Context, db pg.DB, address string, hour, day time.Time) (inHour, inDay int64, err error) {
	type row struct{ InHour, InDay int64 }
	r, err := pg.One[row](ctx, db, nil, `select count(*) filter (where at > $2) as in_hour, count(*) as in_day
		from notices.attempt where address = $1 and at > $3`, address, hour, day)
	return r.InHour, r.InDay, err
}

// A logged notice is one with the last way it was tried.
type logged struct {
	Notice
	Channel  notify.Channel
	Address  string
	TriedAt  *time.Time
	Attempts int64
}

func list(ctx context.Context, db pg.DB, owner, below string, limit int) ([]logged, error) {
	return pg.All[logged](ctx, db, `select n.id, n.owner, n.kind, n.lang, n.phone, n.email, n.params, null::bytea as sealed, n.amount, n.dedupe, n.state, n.reason, n.within,
			n.due_at, n.expires_at, n.created_at, n.version,
			coalesce(a.channel, '') as channel, coalesce(a.address, '') as address, a.at as tried_at, coalesce(a.attempts, 0) as attempts
		from notices.notice n left join lateral (
			select channel, address, at, sum(sends) over () as attempts from notices.attempt where notice = n.id order by at desc, id desc limit 1) a on true
		where n.owner = $1 and ($2 = '' or n.id < $2) order by n.id desc limit $3`, owner, below, limit)
}
