package sharing

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

const (
	itemColumns    = `id, owner, section, title, sensitive, version, made_at, retired_at`
	editionColumns = `item, version, file, form, type, size, digest, added_by, added_at`
	consentColumns = `id, owner, grantee, programme, purpose, sections, sensitive, days, why, text, digest, state, asked_by, asked_at,
		answered_by, answered_at, evidence, since, until, ended_by, ended_at, version`
	glassColumns = `id, owner, reason, sections, state, asked_by, asked_at, opened_by, since, until`
)

// lockDossier has those who add to one dossier go one after the other, and counts
// what is in it.
func lockDossier(ctx context.Context, tx *pg.Tx, owner string) (int, error) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('dossier ' || $1, 0))`, owner)
	return pg.Value[int](ctx, tx, nil, `select count(*)::int from sharing.item where owner = $1 and retired_at is null`, owner)
}

func insertItem(tx *pg.Tx, i Item) {
	tx.Queue(`insert into sharing.item (`+itemColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)`, i.ID, i.Owner, i.Section, i.Title, i.Sensitive, i.Version, i.MadeAt, i.RetiredAt)
}

func lockItem(ctx context.Context, tx *pg.Tx, id string) (Item, error) {
	return pg.One[Item](ctx, tx, ErrNotFound, `select `+itemColumns+` from sharing.item where id = $1 for update`, id)
}

func loadItem(ctx context.Context, db pg.DB, id string) (Item, error) {
	return pg.One[Item](ctx, db, ErrNotFound, `select `+itemColumns+` from sharing.item where id = $1`, id)
}

func saveItem(tx *pg.Tx, i Item) {
	tx.QueueOne(ErrRetired, `update sharing.item set version = $2, retired_at = $3 where id = $1 and retired_at is null`, i.ID, i.Version, i.RetiredAt)
}

func insertEdition(tx *pg.Tx, e Edition) {
	tx.Queue(`insert into sharing.edition (`+editionColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, e.Item, e.Version, e.File, e.Form, e.Type, e.Size, e.Digest, e.AddedBy, e.AddedAt)
}

func editionOf(ctx context.Context, db pg.DB, item string, version int) (Edition, error) {
	return pg.One[Edition](ctx, db, ErrNotFound, `select `+editionColumns+` from sharing.edition where item = $1 and version = $2`, item, version)
}

// A listed is an item with its latest version.
type listed struct {
	Item
	File    string
	Type    string
	Size    int
	Digest  []byte
	AddedAt time.Time
}

const listedColumns = `i.id, i.owner, i.section, i.title, i.sensitive, i.version, i.made_at, i.retired_at, file, type, size, digest, added_at`

// dossier lists what is in an owner's dossier, the oldest first, from above an item.
func dossier(ctx context.Context, db pg.DB, owner, above string, limit int) ([]listed, error) {
	return pg.All[listed](ctx, db, `select `+listedColumns+` from sharing.item i join sharing.edition e on e.item = i.id and e.version = i.version
		where i.owner = $1 and i.retired_at is null and i.id > $2 order by i.id limit $3`, owner, above, limit)
}

// itemsOn lists what a ground lets see of an owner's dossier.
func itemsOn(ctx context.Context, db pg.DB, owner string, g Ground) ([]listed, error) {
	return pg.All[listed](ctx, db, `select `+listedColumns+` from sharing.item i join sharing.edition e on e.item = i.id and e.version = i.version
		where i.owner = $1 and i.retired_at is null and i.section = any($2) and ($3 or not i.sensitive) order by i.id limit $4`, owner, g.Sections, g.Sensitive, most)
}

func insertConsent(tx *pg.Tx, c Consent) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "consent_asked_once") {
			return ErrOpen
		}
		return err
	}, `insert into sharing.consent (`+consentColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
		c.ID, c.Owner, c.Grantee, c.Programme, c.Purpose, c.Sections, c.Sensitive, c.Days, c.Why, c.Text, c.Digest, c.State, c.AskedBy, c.AskedAt,
		c.AnsweredBy, c.AnsweredAt, c.Evidence, c.Since, c.Until, c.EndedBy, c.EndedAt, c.Version)
}

func lockConsent(ctx context.Context, tx *pg.Tx, id string) (Consent, error) {
	return pg.One[Consent](ctx, tx, ErrNotFound, `select `+consentColumns+` from sharing.consent where id = $1 for update`, id)
}

func loadConsent(ctx context.Context, db pg.DB, id string) (Consent, error) {
	return pg.One[Consent](ctx, db, ErrNotFound, `select `+consentColumns+` from sharing.consent where id = $1`, id)
}

func loadConsents(ctx context.Context, db pg.DB, ids []string) ([]Consent, error) {
	return pg.All[Consent](ctx, db, `select `+consentColumns+` from sharing.consent where id = any($1)`, ids)
}

// save writes a consent that was moved by one step.
func save(tx *pg.Tx, c Consent) {
	tx.QueueOne(ErrState, `update sharing.consent set state = $3, answered_by = $4, answered_at = $5, evidence = $6, since = $7, until = $8, ended_by = $9, ended_at = $10, version = $2
		where id = $1 and version = $2 - 1`, c.ID, c.Version, c.State, c.AnsweredBy, c.AnsweredAt, c.Evidence, c.Since, c.Until, c.EndedBy, c.EndedAt)
}

// lastRead is when somebody last read something on a consent that is locked.
func lastRead(ctx context.Context, tx *pg.Tx, consent string) (*time.Time, error) {
	return pg.Value[*time.Time](ctx, tx, nil, `select max(at) from sharing.consultation where consent = $1`, consent)
}

// consentsOf lists consents of a dossier, or those for an organisation and for
// programmes in which it takes part; the newest first.
func consentsOf(ctx context.Context, db pg.DB, owner, grantee, state, below string, limit int) ([]Consent, error) {
	where, who := `owner = $1`, owner
	if grantee != "" {
		where, who = `(grantee = $1 or programme in (select p.programme from sharing.participant p where p.organisation = $1 and p.until is null))`, grantee
	}
	return pg.All[Consent](ctx, db, `select `+consentColumns+` from sharing.consent where `+where+` and ($2 = '' or state = $2 or $2 = 'ended' and state in ('refused', 'withdrawn', 'expired')) and ($3 = '' or id < $3) order by id desc limit $4`, who, state, below, limit)
}

func insertProgramme(tx *pg.Tx, p Programme) {
	tx.Queue(`insert into sharing.programme (id, names, made_by, made_at) values ($1, $2, $3, $4)`, p.ID, p.Names, p.MadeBy, p.MadeAt)
}

func loadProgramme(ctx context.Context, db pg.DB, id string) (Programme, error) {
	return pg.One[Programme](ctx, db, ErrNotFound, `select id, names, made_by, made_at from sharing.programme where id = $1`, id)
}

func programmesBy(ctx context.Context, db pg.DB, ids []string) ([]Programme, error) {
	return pg.All[Programme](ctx, db, `select id, names, made_by, made_at from sharing.programme where id = any($1)`, ids)
}

// takesPart says whether an organisation takes part in a programme now.
func takesPart(ctx context.Context, db pg.DB, programme, organisation string) (bool, error) {
	return pg.Value[bool](ctx, db, nil, `select exists (select from sharing.participant where programme = $1 and organisation = $2 and until is null)`, programme, organisation)
}

// lockProgramme has those who change a programme go one after the other.
func lockProgramme(ctx context.Context, tx *pg.Tx, id string) (Programme, error) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('programme ' || $1, 0))`, id)
	return loadProgramme(ctx, tx, id)
}

func programmes(ctx context.Context, db pg.DB, below string, limit int) ([]Programme, error) {
	return pg.All[Programme](ctx, db, `select id, names, made_by, made_at from sharing.programme where ($1 = '' or id < $1) order by id desc limit $2`, below, limit)
}

// A participant is an organisation that takes part in a programme.
type participant struct{ Programme, Organisation string }

func participants(ctx context.Context, db pg.DB, programmes []string) ([]participant, error) {
	return pg.All[participant](ctx, db, `select programme, organisation from sharing.participant where programme = any($1) and until is null order by programme, organisation limit 10000`, programmes)
}

func join(tx *pg.Tx, programme, organisation string) {
	tx.Queue(`insert into sharing.participant (programme, organisation, since) values ($1, $2, platform.now()) on conflict do nothing`, programme, organisation)
}

func leave(tx *pg.Tx, programme, organisation string) {
	tx.Queue(`update sharing.participant set until = platform.now() where programme = $1 and organisation = $2 and until is null`, programme, organisation)
}

func insertGlass(tx *pg.Tx, g Glass) {
	tx.Queue(`insert into sharing.glass (`+glassColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, g.ID, g.Owner, g.Reason, g.Sections, g.State, g.AskedBy, g.AskedAt, g.OpenedBy, g.Since, g.Until)
}

func lockGlass(ctx context.Context, tx *pg.Tx, id string) (Glass, error) {
	return pg.One[Glass](ctx, tx, ErrNotFound, `select `+glassColumns+` from sharing.glass where id = $1 for update`, id)
}

func saveGlass(tx *pg.Tx, g Glass) {
	tx.QueueOne(ErrState, `update sharing.glass set state = $2, opened_by = $3, since = $4, until = $5 where id = $1 and state = 'asked'`, g.ID, g.State, g.OpenedBy, g.Since, g.Until)
}

// glasses lists broken glasses, the newest first.
func glasses(ctx context.Context, db pg.DB, state, below string, limit int) ([]Glass, error) {
	return pg.All[Glass](ctx, db, `select `+glassColumns+` from sharing.glass where ($1 = '' or state = $1) and ($2 = '' or id < $2) order by id desc limit $3`, state, below, limit)
}
