package sharing

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// What lets somebody read of dossier $1, as organisation $2 and person $3: the
// newest consent that lives, or for the market's people a glass that they broke.
const (
	liveConsents = `select c.id as consent, null::text as glass, c.purpose, c.sections, c.sensitive, c.until, platform.now() as at,
			exists (select from sharing.consultation k where k.consent = c.id and k.by = $3) as known
		from sharing.consent c where c.owner = $1 and c.state = 'granted' and c.since <= platform.now() and c.until > platform.now()
			and (c.grantee = $2 or c.programme in (select p.programme from sharing.participant p where p.organisation = $2 and p.until is null))`
	openGlasses = `select null::text as consent, c.id as glass, '' as purpose, c.sections, true as sensitive, c.until, platform.now() as at, true as known
		from sharing.glass c where c.owner = $1 and ` + openGlass + ` and c.asked_by = $3 and $2::text <> ''`
	openGlass = `c.state = 'open' and c.since <= platform.now() and c.until > platform.now()`
)

func grounds(r reader) string {
	if r.Role == auth.Operator {
		return openGlasses
	}
	return liveConsents
}

// groundsOf reads what lets somebody list a dossier; named: that consent alone.
func groundsOf(r reader, owner, named string, out *[]Ground) pg.Read {
	return func(b *pgx.Batch) {
		b.Queue(grounds(r)+` and ($4 = '' or c.id = $4) order by c.id desc limit 1`, owner, r.Subject, r.by(), named).Query(func(rows pgx.Rows) (err error) {
			*out, err = pgx.CollectRows(rows, pgx.RowToStructByName[Ground])
			return err
		})
	}
}

// A readable is a row of itemOn.
type readable struct {
	Item
	File      string
	Form      map[string]any
	Type      string
	Size      int
	Digest    []byte
	AddedAt   time.Time
	Consent   *string
	Glass     *string
	Purpose   string
	Until     time.Time
	At        time.Time
	Known     bool
	GSections []string
}

// What one may see of item $2 of dossier $1, as person $3, with what lets one:
// on a consent, or through a broken glass.
const (
	sharedItem = `select ` + listedColumns + `, form, i.consent, null::text as glass, i.purpose, i.until, i.sections as g_sections, platform.now() as at,
			exists (select from sharing.consultation k where k.consent = i.consent and k.by = $3) as known
		from sharing.shared i where i.owner = $1 and i.id = $2 order by i.consent desc limit 1`
	brokenItem = `select ` + listedColumns + `, form, null::text as consent, c.id as glass, '' as purpose, c.until, c.sections as g_sections, platform.now() as at, true as known
		from sharing.item i join sharing.edition e on e.item = i.id and e.version = i.version
		join sharing.glass c on c.owner = i.owner and i.section = any(c.sections) and ` + openGlass + ` and c.asked_by = $3
		where i.owner = $1 and i.id = $2 and i.retired_at is null order by c.id desc limit 1`
)

// itemOn reads an item with what lets somebody see it; nothing when nothing does.
func itemOn(r reader, owner, item string, out *[]found) pg.Read {
	sql := sharedItem
	if r.Role == auth.Operator {
		sql = brokenItem
	}
	return func(b *pgx.Batch) {
		b.Queue(sql, owner, item, r.by()).Query(func(rows pgx.Rows) error {
			all, err := pgx.CollectRows(rows, pgx.RowToStructByName[readable])
			*out = nil
			for _, f := range all {
				*out = append(*out, found{
					f.Item,
					Edition{Item: f.ID, Version: f.Version, File: f.File, Form: f.Form, Type: f.Type, Size: f.Size, Digest: f.Digest, AddedAt: f.AddedAt},
					Ground{Consent: f.Consent, Glass: f.Glass, Purpose: f.Purpose, Sections: f.GSections, Until: f.Until, At: f.At, Known: f.Known},
				})
			}
			return err
		})
	}
}

// hadConsent says whether a consent for an organisation ended that was granted
// once, or one that it has through a programme.
func hadConsent(ctx context.Context, db pg.DB, owner, org string) (bool, error) {
	return pg.Value[bool](ctx, db, nil, `select exists (select from sharing.consent c where c.owner = $1 and c.since is not null
		and (c.grantee = $2 or c.programme in (select p.programme from sharing.participant p where p.organisation = $2)))`, owner, org)
}

const consultationColumns = `at, owner, consent, glass, organisation, by, item, version, section, sensitive, title, purpose, action, bytes, policy`

func insertConsultation(tx *pg.Tx, c Consultation) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "consultation_allowed") {
			return ErrWithdrawn.With(err)
		}
		return err
	}, `insert into sharing.consultation (`+consultationColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		c.At, c.Owner, c.Consent, c.Glass, c.Organisation, c.By, c.Item, c.Version, c.Section, c.Sensitive, c.Title, c.Purpose, c.Action, c.Bytes, c.Policy)
}

// A look is a row of the log, with why the glass was broken when it was.
type look struct {
	Consultation
	Why string
}

// looks lists who looked into a dossier, the newest first.
func looks(ctx context.Context, db pg.DB, owner string, below int64, limit int) ([]look, error) {
	return pg.All[look](ctx, db, `select seq, `+consultationColumns+`, coalesce((select g.reason from sharing.glass g where g.id = k.glass), '') as why
		from sharing.consultation k where owner = $1 and ($2 = 0 or seq < $2) order by seq desc limit $3`, owner, below, limit)
}
