package members

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

// A membership is a person's place in an organisation.
type membership struct {
	ID           string
	Person       string
	Organisation string
	Role         string
	ValidFrom    time.Time
	ValidTo      *time.Time
	Behind       string
	Invitation   *string
}

func insertMembership(tx *pg.Tx, m membership) {
	tx.Queue(`insert into members.membership (id, person, organisation, role, valid_from, behind, invitation) values ($1, $2, $3, $4, $5, $6, $7)`,
		m.ID, m.Person, m.Organisation, m.Role, tx.Now(), m.Behind, m.Invitation)
}

func membershipOf(ctx context.Context, tx *pg.Tx, id string) (membership, error) {
	return pg.One[membership](ctx, tx, ErrNoMember, `select id, person, organisation, role, valid_from, valid_to, behind, invitation from members.membership where id = $1 for update`, id)
}

// behindOf is the operator's person on whose word somebody works for an
// organisation; "" when nobody of the operator's had a hand in it.
func behindOf(ctx context.Context, tx *pg.Tx, person, org string) (string, error) {
	return pg.Value[string](ctx, tx, ErrNoMember, `select behind from members.membership where person = $1 and organisation = $2 and valid_to is null`, person, org)
}

// A seated is a member as its organisation sees it.
type seated struct {
	ID        string
	Person    string
	Names     Texts
	Phone     *string
	Role      string
	ValidFrom time.Time
}

func membersOf(ctx context.Context, db pg.DB, org, below string, limit int) ([]seated, error) {
	return pg.All[seated](ctx, db, `select m.id, m.person, p.names, p.phone, m.role, m.valid_from from members.membership m join members.person p on p.id = m.person
		where m.organisation = $1 and m.valid_to is null and ($2 = '' or m.id < $2) order by m.id desc limit $3`, org, below, limit)
}

// sides are what a person is already, for those whom the operator puts somewhere.
type sides struct {
	Operator bool // works for the operator
	Vouched  bool // works for others on the operator's word
}

func sidesOf(ctx context.Context, tx *pg.Tx, person string) (sides, error) {
	return pg.One[sides](ctx, tx, nil, `select coalesce(bool_or(o.kind = 'operator'), false) or exists (select from members.api_key k where k.subject = $1 and k.role = 'operator' and k.revoked_at is null) as operator,
			coalesce(bool_or(o.kind <> 'operator' and m.behind <> ''), false) as vouched
		from members.membership m join members.organisation o on o.id = m.organisation where m.person = $1 and m.valid_to is null`, person)
}

// belongs counts who is at an address and in the organisation already.
func belongs(ctx context.Context, tx *pg.Tx, org string, at Address) (int, error) {
	return pg.Value[int](ctx, tx, nil, `select count(*) from members.person p join members.membership m on m.person = p.id
		where (p.phone = $2 or p.email = $2) and m.organisation = $1 and m.valid_to is null`, org, string(at))
}

// working reads in which of some organisations a person has a place.
func working(person string, among []string, out *[]string) pg.Read {
	return func(b *pgx.Batch) {
		b.Queue(`select organisation from members.membership where person = $1 and organisation = any($2) and valid_to is null order by organisation`, person, among).
			Query(func(rows pgx.Rows) (err error) {
				*out, err = pgx.CollectRows(rows, pgx.RowTo[string])
				return err
			})
	}
}

func lockPerson(ctx context.Context, tx *pg.Tx, person string) (Person, error) {
	return pg.One[Person](ctx, tx, ErrPerson, `select `+personColumns+` from members.person where id = $1 for update`, person)
}

const invitationColumns = `id, organisation, role, address, hash, made_by, behind, second, opened_by, made_at, expires_at, ended_at, accepted_by`

func insertInvitation(tx *pg.Tx, i Invitation) {
	tx.Queue(`insert into members.invitation (id, organisation, role, address, hash, made_by, behind, second, made_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		i.ID, i.Organisation, i.Role, i.Address, i.Hash, i.MadeBy, i.Behind, i.Second, i.MadeAt, i.ExpiresAt)
}

func openInvitation(ctx context.Context, tx *pg.Tx, org string, at Address) ([]Invitation, error) {
	return pg.All[Invitation](ctx, tx, `select `+invitationColumns+` from members.invitation where organisation = $1 and address = $2 and ended_at is null for update`, org, string(at))
}

// everInvited says whether anybody was asked to work for an organisation, or does.
func everInvited(ctx context.Context, tx *pg.Tx, org string) (bool, error) {
	return pg.Value[bool](ctx, tx, nil, `select exists (select from members.invitation where organisation = $1) or exists (select from members.membership where organisation = $1)`, org)
}

func lockInvitation(ctx context.Context, tx *pg.Tx, id string) (Invitation, error) {
	return pg.One[Invitation](ctx, tx, ErrInvitation, `select `+invitationColumns+` from members.invitation where id = $1 for update`, id)
}

func invitationBy(ctx context.Context, tx *pg.Tx, hash []byte) (Invitation, error) {
	return pg.One[Invitation](ctx, tx, ErrInvitation, `select `+invitationColumns+` from members.invitation where hash = $1 for update`, hash)
}

// invitationWaiting is an invitation that can still be accepted.
func invitationWaiting(ctx context.Context, db pg.DB, hash []byte) (Invitation, error) {
	return pg.One[Invitation](ctx, db, ErrInvitation, `select `+invitationColumns+` from members.invitation where hash = $1 and ended_at is null and expires_at > platform.now()`, hash)
}

func openInvitationFor(tx *pg.Tx, id string, hash []byte, by string, until time.Time) {
	tx.QueueOne(ErrInvitation, `update members.invitation set hash = $2, opened_by = $3, expires_at = $4 where id = $1 and ended_at is null`, id, hash, by, until)
}

func endInvitation(tx *pg.Tx, id string, acceptedBy *string) {
	tx.QueueOne(ErrInvitation, `update members.invitation set ended_at = platform.now(), accepted_by = $2 where id = $1 and ended_at is null`, id, acceptedBy)
}

func invitationsOf(ctx context.Context, db pg.DB, org, below string, limit int) ([]Invitation, error) {
	return pg.All[Invitation](ctx, db, `select `+invitationColumns+` from members.invitation
		where organisation = $1 and ended_at is null and expires_at > platform.now() and ($2 = '' or id < $2) order by id desc limit $3`, org, below, limit)
}

func savePerson(tx *pg.Tx, p Person) {
	tx.Queue(`update members.person set names = $2, lang = $3, voice = $4 where id = $1`, p.ID, p.Names, p.Lang, p.Voice)
}
