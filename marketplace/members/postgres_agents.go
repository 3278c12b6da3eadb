package members

import (
	"context"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// deskOf is the organisation at whose desk a session sits.
func deskOf(ctx context.Context, tx *pg.Tx, session string) (string, error) {
	return pg.Value[string](ctx, tx, ErrEnded, `select organisation from members.session where id = $1 and organisation is not null and ended_at is null for share`, session)
}

// mandator is who has a phone number and sells for an organisation, other than the
// agent itself.
func mandator(ctx context.Context, tx *pg.Tx, at Address, organisation, agent string) (string, error) {
	return pg.Value[string](ctx, tx, ErrNoMandate, `select p.id from members.person p
		join members.membership m on m.person = p.id and m.organisation = $2 and m.valid_from <= platform.now() and (m.valid_to is null or m.valid_to > platform.now())
		join members.role r on r.name = m.role and 'sell' = any(r.rights)
		join members.organisation o on o.id = m.organisation and o.kind in ('beneficiary_coop', 'auto_entrepreneur') and o.state <> 'terminated'
		where p.phone = $1 and p.id <> $3`, at.Phone(), organisation, agent)
}

// speaksFor says whether a person says who belongs to an organisation, and so speaks
// for it.
func speaksFor(ctx context.Context, db pg.DB, person, organisation string) (bool, error) {
	return pg.Value[bool](ctx, db, nil, `select exists (select from members.membership m join members.role r on r.name = m.role and 'people' = any(r.rights)
		where m.person = $1 and m.organisation = $2 and m.valid_from <= platform.now() and (m.valid_to is null or m.valid_to > platform.now()))`, person, organisation)
}

func insertMandate(tx *pg.Tx, k auth.Key, agent, member, organisation, via string, until time.Time, from Origin) {
	tx.Queue(`insert into members.session (id, person, hash, organisation, proof, device, address, made_at, seen_at, proved_at, acts_for, acts_via, acts_until)
		values ($1, $2, $3, $4, 'code', $5, $6, $7, $7, $7, $8, $9, $10)`, k.ID, agent, k.Hash(), organisation, clip(from.Device), from.Address, tx.Now(), member, via, until)
}

func agentsOf(ctx context.Context, db pg.DB, member, below string, limit int) ([]AgentView, error) {
	return pg.All[AgentView](ctx, db, `select s.id as session, s.person as agent, p.names, s.organisation, s.acts_via as "from", s.made_at as created_at, s.seen_at, s.acts_until as until
		from members.session s join members.person p on p.id = s.person
		where s.acts_for = $1 and s.ended_at is null and s.acts_until > platform.now() and ($2 = '' or s.id < $2) order by s.id desc limit $3`, member, below, limit)
}

func endMandate(ctx context.Context, tx *pg.Tx, member, session string) (int64, error) {
	tag, err := tx.Exec(ctx, `update members.session set ended_at = platform.now(), ended_by = $1 where id = $2 and acts_for = $1 and ended_at is null`, member, session)
	return tag.RowsAffected(), err
}
