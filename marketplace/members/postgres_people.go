package members

import (
	"context"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

const personColumns = `id, names, phone, email, lang, voice, created_at`

// personAt finds who has a phone number or an e-mail address. One query for
// both, so that it takes as long for each.
func personAt(ctx context.Context, db pg.DB, at Address) ([]Person, error) {
	column := "phone"
	if at.Email() != "" {
		column = "email"
	}
	return pg.All[Person](ctx, db, `select `+personColumns+` from members.person where `+column+` = $1`, string(at))
}

func loadPerson(ctx context.Context, db pg.DB, person string) (Person, error) {
	return pg.One[Person](ctx, db, ErrPerson, `select `+personColumns+` from members.person where id = $1`, person)
}

func insertArrival(tx *pg.Tx, p Person, at Address) {
	tx.Queue(`insert into members.person (id, names, phone, email, lang, created_at) values ($1, $2, nullif($3, ''), nullif($4, ''), $5, $6)`,
		p.ID, p.Names, at.Phone(), at.Email(), p.Lang, p.CreatedAt)
}

func lockCode(ctx context.Context, tx *pg.Tx, handle []byte) ([]code, error) {
	return pg.All[code](ctx, tx, `select address, purpose, bound, handle, mac, tries, expires_at from members.code where handle = $1 for update`, handle)
}

// saveCode puts a code in the place of the one before.
func saveCode(tx *pg.Tx, c code) {
	tx.Queue(`insert into members.code (address, purpose, bound, handle, mac, expires_at) values ($1, $2, $3, $4, $5, $6)
		on conflict (address, purpose) do update set bound = excluded.bound, handle = excluded.handle, mac = excluded.mac, tries = 0, expires_at = excluded.expires_at`,
		c.Address, c.Purpose, c.Bound, c.Handle, c.MAC, c.ExpiresAt)
}

func tryCode(tx *pg.Tx, c code) {
	tx.Queue(`update members.code set tries = least(tries + 1, 5) where handle = $1`, c.Handle)
}

func dropCode(tx *pg.Tx, c code) {
	tx.QueueOne(ErrCode, `delete from members.code where handle = $1`, c.Handle)
}

// throttle counts one more, from one when the window is over.
func throttle(ctx context.Context, tx *pg.Tx, key string, window time.Duration) (int, error) {
	return pg.Value[int](ctx, tx, nil, `insert into members.throttle as t (key, count, since) values ($1, 1, platform.now())
		on conflict (key) do update set count = case when t.since <= platform.now() - $2::interval then 1 else t.count + 1 end,
			since = case when t.since <= platform.now() - $2::interval then platform.now() else t.since end
		returning count`, key, window)
}

// forgive counts some less.
func forgive(tx *pg.Tx, key string, n int) {
	tx.Queue(`update members.throttle set count = greatest(count - $2, 0) where key = $1`, key, n)
}

func forgetCodes(tx *pg.Tx, before time.Time) {
	tx.Queue(`delete from members.code where expires_at < $1`, before)
	tx.Queue(`delete from members.ceremony where expires_at < $1`, before)
	tx.Queue(`delete from members.throttle where since < $1`, before)
	tx.Queue(`delete from members.inbox where at < $1`, before)
}

// loadSitting looks a session up with its person and where that one works.
func loadSitting(ctx context.Context, db pg.DB, session string) (sitting, error) {
	c, err := pg.One[sitting](ctx, db, auth.ErrUnknown, `select s.id, s.person, s.hash, s.organisation, s.proof, s.made_at, s.seen_at, s.proved_at, s.ended_at, s.locked_at, s.acts_for, s.acts_until, p.names, p.lang,
			(select count(*)::int from members.passkey k where k.person = s.person and k.ended_at is null) as passkeys, platform.now() as now,
			(s.acts_via is null or exists (select from members.membership v join members.role w on w.name = v.role and 'represent' = any(w.rights)
				where v.person = s.person and v.organisation = s.acts_via and v.valid_from <= platform.now() and (v.valid_to is null or v.valid_to > platform.now()))) as sent,
			coalesce((select string_agg(g.guest, ' ' order by g.guest) from members.guest_claim g where g.person = s.person), '') as guests,
			coalesce((select jsonb_agg(jsonb_build_object('organisation', o.id, 'names', o.names, 'kind', o.kind, 'template', m.role, 'rights', r.rights, 'behind', m.behind, 'charter', members.binding(o), 'state', o.state, 'note', case when o.state = 'suspended' then o.note else '' end) order by m.id)
				from members.membership m join members.organisation o on o.id = m.organisation join members.role r on r.name = m.role
				where m.person = coalesce(s.acts_for, s.person) and (s.acts_for is null or m.organisation = s.organisation) and m.valid_from <= platform.now() and (m.valid_to is null or m.valid_to > platform.now()) and o.state <> 'terminated'), '[]') as seats
		from members.session s join members.person p on p.id = s.person where s.id = $1`, session)
	c.Desks = []Desk{}
	for _, r := range c.Seats {
		d := r.Desk
		d.Role, _ = d.Kind.Role()
		d.behind, d.charter = r.Behind, r.Charter
		c.Desks = append(c.Desks, d)
	}
	return c, err
}

func insertSession(tx *pg.Tx, k auth.Key, person string, desk *string, proof string, from Origin) {
	tx.Queue(`insert into members.session (id, person, hash, organisation, proof, device, address, made_at, seen_at, proved_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8)`,
		k.ID, person, k.Hash(), desk, proof, clip(from.Device), from.Address, tx.Now())
}

// clip keeps what a device says of itself to a length.
func clip(s string) string {
	if r := []rune(s); len(r) > 200 {
		return string(r[:200])
	}
	return s
}

func lockSession(ctx context.Context, tx *pg.Tx, session string) error {
	_, err := pg.Value[string](ctx, tx, ErrEnded, `select id from members.session where id = $1 for update`, session)
	return err
}

func see(tx *pg.Tx, session string) {
	tx.Queue(`update members.session set seen_at = platform.now() where id = $1 and ended_at is null`, session)
}

func saveDesk(tx *pg.Tx, session string, organisation *string) {
	tx.Queue(`update members.session set organisation = $2, seen_at = platform.now() where id = $1`, session, organisation)
}

// prove writes down that the person showed who it is, and gives the session a new
// secret.
func prove(tx *pg.Tx, k auth.Key, proof string) {
	tx.QueueOne(ErrEnded, `update members.session set hash = $2, seen_at = platform.now(), proved_at = platform.now(), proof = case when proof = 'passkey' then proof else $3 end
		where id = $1 and ended_at is null`, k.ID, k.Hash(), proof)
}

func endSession(ctx context.Context, tx *pg.Tx, person, session, why string) (int64, error) {
	tag, err := tx.Exec(ctx, `update members.session set ended_at = platform.now(), ended_by = $3 where id = $2 and person = $1 and ended_at is null`, person, session, why)
	return tag.RowsAffected(), err
}

func endSessions(ctx context.Context, tx *pg.Tx, person, but, why string) (int64, error) {
	tag, err := tx.Exec(ctx, `update members.session set ended_at = platform.now(), ended_by = $3 where person = $1 and id <> $2 and ended_at is null`, person, but, why)
	return tag.RowsAffected(), err
}

// A device is a session as its person sees it.
type device struct {
	ID           string
	Device       string
	Address      string
	Organisation *string
	Proof        string
	MadeAt       time.Time
	SeenAt       time.Time
}

func devicesOf(ctx context.Context, db pg.DB, person, below string, limit int) ([]device, error) {
	return pg.All[device](ctx, db, `select id, device, address, organisation, proof, made_at, seen_at from members.session
		where person = $1 and ended_at is null and seen_at > platform.now() - interval '30 days' and ($2 = '' or id < $2) order by id desc limit $3`, person, below, limit)
}

func endMembership(ctx context.Context, tx *pg.Tx, person, organisation, by string) (int64, error) {
	tag, err := tx.Exec(ctx, `update members.membership set valid_to = platform.now(), ended_by = $3 where person = $1 and organisation = $2 and valid_to is null`, person, organisation, by)
	return tag.RowsAffected(), err
}

func insertMessage(tx *pg.Tx, at string, n Notice) {
	tx.Queue(`insert into members.inbox (id, address, kind, lang, params, at) values ($1, $2, $3, $4, $5, $6)`, id.New(id.Message), at, n.Kind, n.Lang, n.Params, tx.Now())
}

func messages(ctx context.Context, db pg.DB, address, below string, limit int) ([]MessageView, error) {
	return pg.All[MessageView](ctx, db, `select id, address, kind, lang, params, at from members.inbox
		where ($1 = '' or address = $1) and ($2 = '' or id < $2) order by id desc limit $3`, address, below, limit)
}

func reach(tx *pg.Tx, person, number string) {
	tx.QueueOne(ErrPerson, `update members.person set phone = $2 where id = $1`, person, number)
}
