package members

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

const organisationColumns = `id, kind, names, legal, story, region, commune, lat, lng, state, note, version, created_at, asked_at, reviewer, restricted, charter, charter_before, charter_from`

func insert(tx *pg.Tx, o Organisation) {
	tx.QueueMapped(taken, `insert into members.organisation (`+organisationColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		o.ID, o.Kind, o.Names, o.Legal, o.Story, o.Region, o.Commune, o.Lat, o.Lng, o.State, o.Note, o.Version, o.CreatedAt, o.AskedAt, o.Reviewer, reasons(o.Restricted), o.Charter, o.CharterBefore, o.CharterFrom)
}

// reasons are never null.
func reasons(all []string) []string { return append([]string{}, all...) }

func load(ctx context.Context, db pg.DB, id string) (Organisation, error) {
	return pg.One[Organisation](ctx, db, ErrNotFound, `select `+organisationColumns+` from members.organisation where id = $1`, id)
}

func lock(ctx context.Context, tx *pg.Tx, id string) (Organisation, error) {
	return pg.One[Organisation](ctx, tx, ErrNotFound, `select `+organisationColumns+` from members.organisation where id = $1 for update`, id)
}

func save(tx *pg.Tx, o Organisation) {
	tx.QueueMapped(taken, `update members.organisation set state = $2, note = $3, version = $4, asked_at = $5, reviewer = $6, restricted = $7, charter = $8, charter_before = $9, charter_from = $10 where id = $1`,
		o.ID, o.State, o.Note, o.Version, o.AskedAt, o.Reviewer, reasons(o.Restricted), o.Charter, o.CharterBefore, o.CharterFrom)
}

// shut ends what lets anybody act for an organisation that is no member any more.
func shut(tx *pg.Tx, org string) {
	tx.Queue(`update members.api_key set revoked_at = platform.now() where subject = $1 and revoked_at is null`, org)
	tx.Queue(`update members.membership set valid_to = platform.now(), ended_by = $2 where organisation = $1 and valid_to is null`, org, tx.Actor())
	tx.Queue(`update members.invitation set ended_at = platform.now() where organisation = $1 and ended_at is null`, org)
}

// A face is what shows of an organisation to those who buy from it.
type face struct {
	ID    string
	Kind  Kind
	Names Texts
	State State

	Restricted []string
}

func faces(ids []string, then func([]face)) pg.Read {
	return func(b *pgx.Batch) {
		b.Queue(`select id, kind, names, state, restricted from members.organisation where id `+pg.OfThese, ids).Query(func(rows pgx.Rows) error {
			all, err := pgx.CollectRows(rows, pgx.RowToStructByName[face])
			then(all)
			return err
		})
	}
}

func imprints(ctx context.Context, db pg.DB, ids []string) ([]Imprint, error) {
	return pg.All[Imprint](ctx, db, `select id, names, legal, region, commune from members.organisation where id = any($1)`, ids)
}

// suspended are those of some organisations that are suspended, or no members
// any more.
func suspended(ctx context.Context, db pg.DB, ids []string) ([]string, error) {
	return pg.Column[string](ctx, db, `select id from members.organisation where id = any($1) and state in ('suspended', 'terminated')`, ids)
}

func insertPerson(tx *pg.Tx, id string, p NewPerson) {
	tx.Queue(`insert into members.person (id, names, phone, email) values ($1, $2, nullif($3, ''), nullif($4, ''))`, id, p.Names, p.Phone, p.Email)
}

// A credential is an API key as the hub keeps it.
type credential struct {
	ID        string
	Subject   string
	Role      auth.Role
	Label     string
	Hash      []byte
	MadeBy    string // the person or member; "" when the hub was set up
	MadeWith  string // the key
	Behind    string // see auth.Principal
	Second    bool   // it opens when a second person has agreed
	OpenedBy  string // who that was
	CreatedAt time.Time
	RevokedAt *time.Time
}

const credentialColumns = `id, subject, role, label, hash, made_by, made_with, behind, second, opened_by, created_at, revoked_at`

func insertKey(tx *pg.Tx, c credential) {
	tx.Queue(`insert into members.api_key (id, subject, role, label, hash, made_by, made_with, behind, second, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		c.ID, c.Subject, c.Role, c.Label, c.Hash, c.MadeBy, c.MadeWith, c.Behind, c.Second, c.CreatedAt)
}

func lockKey(ctx context.Context, tx *pg.Tx, id string) (credential, error) {
	return pg.One[credential](ctx, tx, ErrNoKey, `select `+credentialColumns+` from members.api_key where id = $1 for update`, id)
}

func openKey(tx *pg.Tx, id, by string) {
	tx.Queue(`update members.api_key set opened_by = $2 where id = $1`, id, by)
}

// held is a key with the version of the charter that binds its owner.
type held struct {
	credential
	Charter int
}

func loadHeld(ctx context.Context, db pg.DB, id string) (held, error) {
	return pg.One[held](ctx, db, auth.ErrUnknown, `select `+credentialColumns+`,
			case when role = 'operator' then 0 else coalesce((select members.binding(o) from members.organisation o where o.id = subject), 0) end as charter
		from members.api_key where id = $1`, id)
}

// keysOf lists keys, the newest first, from below a key on.
func keysOf(ctx context.Context, db pg.DB, subject, below string, limit int) ([]credential, error) {
	return pg.All[credential](ctx, db, `select `+credentialColumns+` from members.api_key
		where subject = $1 and ($2 = '' or id < $2) order by id desc limit $3`, subject, below, limit)
}

func revoke(ctx context.Context, tx *pg.Tx, id string) error {
	_, err := pg.Value[string](ctx, tx, auth.ErrUnknown,
		`update members.api_key set revoked_at = coalesce(revoked_at, platform.now()) where id = $1 returning id`, id)
	return err
}

const accountColumns = `id, organisation, rib, holder, state, first, since, created_at, given_by, behind, verified_by`

// standing reads the accounts of organisations that are current or pending, the
// current one of each first.
func standing(ctx context.Context, db pg.DB, orgs ...string) ([]Account, error) {
	return pg.All[Account](ctx, db, `select `+accountColumns+` from members.bank_account
		where organisation = any($1) and state in ('current', 'pending') order by state`, orgs)
}

func accountsOf(ctx context.Context, db pg.DB, org, below string, limit int) ([]Account, error) {
	return pg.All[Account](ctx, db, `select `+accountColumns+` from members.bank_account
		where organisation = $1 and ($2 = '' or id < $2) order by id desc limit $3`, org, below, limit)
}

// dropPending forgets an account that was never verified.
func dropPending(tx *pg.Tx, org string) {
	tx.Queue(`delete from members.bank_account where organisation = $1 and state = 'pending'`, org)
}

func retireCurrent(tx *pg.Tx, org string) {
	tx.Queue(`update members.bank_account set state = 'former' where organisation = $1 and state = 'current'`, org)
}

func insertAccount(tx *pg.Tx, a Account) {
	tx.Queue(`insert into members.bank_account (`+accountColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		a.ID, a.Organisation, a.RIB, a.Holder, a.State, a.First, a.Since, a.CreatedAt, a.GivenBy, a.Behind, a.VerifiedBy)
}
