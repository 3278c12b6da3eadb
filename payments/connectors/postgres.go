package connectors

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

const columns = `id, port, url, roots, coalesce(safeguard_rib, '') as safeguard_rib, coalesce(safeguard_name, '') as safeguard_name,
	coalesce(operating_rib, '') as operating_rib, coalesce(operating_name, '') as operating_name, bic, coalesce(settles_from, '') as settles_from, fee_percent, owner, features, remembers_s, sandbox, manifest,
	webhook_keys, found_at, certificate, state, pays, wants_pays, created_by, created_at, changed_at, version, hosted, per_second, burst`

func insert(tx *pg.Tx, c Connector) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "connector_pkey") || pg.Violates(err, "connector_safeguard_rib_key") || pg.Violates(err, "connector_operating_rib_key") {
			return ErrTaken
		}
		return err
	}, `insert into connectors.connector (id, port, url, roots, safeguard_rib, safeguard_name, operating_rib, operating_name, bic, settles_from, fee_percent, created_by, created_at, changed_at, hosted)
		values ($1, $2, $3, $4, nullif($5, ''), nullif($6, ''), nullif($7, ''), nullif($8, ''), $9, nullif($10, ''), $11, $12, $13, $13, $14)`,
		c.ID, c.Port, c.URL, c.Roots, c.SafeguardRIB, c.SafeguardName, c.OperatingRIB, c.OperatingName, c.BIC, c.SettlesFrom, c.FeePercent, c.CreatedBy, c.CreatedAt, c.Hosted)
}

func load(ctx context.Context, db pg.DB, id string) (Connector, error) {
	return pg.One[Connector](ctx, db, ErrNotFound, `select `+columns+` from connectors.connector where id = $1`, id)
}

func lock(ctx context.Context, tx *pg.Tx, id string) (Connector, error) {
	return pg.One[Connector](ctx, tx, ErrNotFound, `select `+columns+` from connectors.connector where id = $1 for update`, id)
}

// payer is the connector that payouts leave from.
func payer(ctx context.Context, db pg.DB) (Connector, error) {
	return pg.One[Connector](ctx, db, ErrNotFound, `select `+columns+` from connectors.connector where pays and port = 'bank'`)
}

// all are the connectors, by their names.
func all(ctx context.Context, db pg.DB) ([]Connector, error) {
	return pg.All[Connector](ctx, db, `select `+columns+` from connectors.connector order by id limit 1000`)
}

// everLive are those of a port that were ever live, by their names.
func everLive(ctx context.Context, db pg.DB, port string) ([]Connector, error) {
	return pg.All[Connector](ctx, db, `select `+columns+` from connectors.connector where port = $1 and state <> 'registered' order by id limit 1000`, port)
}

// ports are those that somebody was ever live at.
func ports(ctx context.Context, db pg.DB) ([]string, error) {
	return pg.Column[string](ctx, db, `select distinct port from connectors.connector where state <> 'registered'`)
}

func save(tx *pg.Tx, c Connector) {
	tx.QueueOne(ErrState, `update connectors.connector set owner = $3, features = $4, remembers_s = $5, sandbox = $6, manifest = $7, webhook_keys = $8, found_at = $9,
		certificate = $10, state = $11, pays = $12, wants_pays = $13, changed_at = $14, per_second = $15, burst = $16, version = version + 1 where id = $1 and version = $2`,
		c.ID, c.Version, c.Owner, c.Features, c.RemembersS, c.Sandbox, c.Manifest, c.WebhookKeys, c.FoundAt, c.Certificate, c.State, c.Pays, c.WantsPays, c.ChangedAt, c.PerSecond, c.Burst)
}

// onlyPayer has money leave from, or come by, no other connector of a port first.
func onlyPayer(tx *pg.Tx, port, id string, at time.Time) {
	tx.Queue(`update connectors.connector set pays = false, changed_at = $3, version = version + 1 where pays and port = $1 and id <> $2`, port, id, at)
}

// credential is a row of sealed secrets.
type credential struct {
	ID, Connector string
	Slot          int16
	Sealed        []byte
	CreatedAt     time.Time
	CreatedBy     string
}

// credentials are a connector's, the newest first.
func credentials(ctx context.Context, db pg.DB, connector string) ([]credential, error) {
	return pg.All[credential](ctx, db, `select id, connector, slot, sealed, created_at, created_by from connectors.credential
		where connector = $1 order by created_at desc, id desc`, connector)
}

func insertCredential(tx *pg.Tx, c credential) {
	tx.Queue(`insert into connectors.credential (id, connector, slot, sealed, created_at, created_by) values ($1, $2, $3, $4, $5, $6)`,
		c.ID, c.Connector, c.Slot, c.Sealed, c.CreatedAt, c.CreatedBy)
}

func dropCredential(tx *pg.Tx, id string) {
	tx.Queue(`delete from connectors.credential where id = $1`, id)
}
