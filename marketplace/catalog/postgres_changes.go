package catalog

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// changeJSON is the request c as JSON.
const changeJSON = `jsonb_build_object('id', c.id, 'offer', c.offer, 'seller', c.seller, 'claims', c.claims, 'origin', case when c.region is not null then
	jsonb_build_object('region', c.region, 'commune', c.commune, 'lat', c.lat, 'lng', c.lng) end, 'state', c.state, 'reason', c.reason,
	'asked_at', c.asked_at, 'decided_at', c.decided_at, 'decided_by', c.decided_by)`

type changeRow struct{ Change Change }

func findChange(ctx context.Context, db pg.DB, change string) (Change, error) {
	r, err := pg.One[changeRow](ctx, db, ErrNoChange, `select `+changeJSON+` as change from catalog.change c where c.id = $1`, change)
	return r.Change, err
}

func changesPage(ctx context.Context, db pg.DB, seller, state, after string, limit int) ([]Change, error) {
	rows, err := pg.All[changeRow](ctx, db, `select `+changeJSON+` as change from catalog.change c
		where ($1 = '' or c.seller = $1) and ($2 = '' or c.state = $2) and c.id > $3 order by c.id limit $4`, seller, state, after, limit)
	out := make([]Change, len(rows))
	for i, r := range rows {
		out[i] = r.Change
	}
	return out, err
}

func saveDecision(tx *pg.Tx, c Change) {
	tx.QueueOne(ErrChangeState, `update catalog.change set state = $2, reason = $3, decided_at = $4, decided_by = $5 where id = $1 and state = 'open'`,
		c.ID, c.State, c.Reason, c.DecidedAt, c.DecidedBy)
}

// insertChanges writes requests in the place of those still open; an empty one
// only takes that back.
func insertChanges(tx *pg.Tx, all []Change) {
	if len(all) == 0 {
		return
	}
	type row struct {
		ID      string    `json:"id"`
		Offer   string    `json:"offer"`
		Seller  string    `json:"seller"`
		Claims  []string  `json:"claims"`
		Origin  *Origin   `json:"origin"`
		AskedAt time.Time `json:"asked_at"`
	}
	rows := make([]row, len(all))
	for i, c := range all {
		rows[i] = row{c.ID, c.Offer, c.Seller, c.Claims, c.Origin, c.AskedAt}
	}
	tx.Queue(`update catalog.change c set state = 'withdrawn', decided_at = platform.now()
		from jsonb_to_recordset($1) as r(offer text) where c.offer = r.offer and c.state = 'open'`, text(rows))
	tx.Queue(`insert into catalog.change (id, offer, seller, claims, region, commune, lat, lng, state, asked_at)
		select r.id, r.offer, r.seller, r.claims, r.origin->>'region', r.origin->>'commune', (r.origin->>'lat')::float8, (r.origin->>'lng')::float8,
			'open', r.asked_at
		from jsonb_to_recordset($1) as r(id text, offer text, seller text, claims text[], origin jsonb, asked_at timestamptz)
		where r.claims is not null or r.origin is not null`, text(rows))
}
