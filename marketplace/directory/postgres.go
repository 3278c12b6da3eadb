package directory

import (
	"context"
	"strconv"
	"strings"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/pg"
)

const entryColumns = `organisation, kind, names, sort, region, commune, lat, lng, trades, labels, made_at`

func saveEntry(tx *pg.Tx, e Entry) {
	tx.Queue(`insert into directory.entry (`+entryColumns+`, words) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, array_to_tsvector($12))
		on conflict (organisation) do update set kind = excluded.kind, names = excluded.names, sort = excluded.sort, region = excluded.region, commune = excluded.commune,
			lat = excluded.lat, lng = excluded.lng, trades = excluded.trades, labels = excluded.labels, made_at = excluded.made_at, words = excluded.words`,
		e.Organisation, e.Kind, e.Names, e.Sort, e.Region, e.Commune, e.Lat, e.Lng, e.Trades, e.Labels, e.MadeAt, e.Words)
}

func dropEntry(tx *pg.Tx, org string) {
	tx.Queue(`delete from directory.entry where organisation = $1`, org)
}

// dropOthers takes the entries between two organisations away that are of none of
// these, and were not made a moment ago; last is "" for all behind the first.
func dropOthers(tx *pg.Tx, after, last string, these []string, before time.Time) {
	tx.Queue(`delete from directory.entry where organisation > $1 and ($2 = '' or organisation <= $2) and not organisation = any($3::text[]) and made_at < $4`, after, last, these, before)
}

func loadEntry(ctx context.Context, db pg.DB, org string) (Entry, error) {
	return pg.One[Entry](ctx, db, ErrNotFound, `select `+entryColumns+` from directory.entry where organisation = $1`, org)
}

// namesOf are the names of some members, by organisation.
func namesOf(ctx context.Context, db pg.DB, orgs []string) (map[string]members.Texts, error) {
	type row struct {
		Organisation string
		Names        members.Texts
	}
	all, err := pg.All[row](ctx, db, `select organisation, names from directory.entry where organisation `+pg.OfThese, orgs)
	out := map[string]members.Texts{}
	for _, r := range all {
		out[r.Organisation] = r.Names
	}
	return out, err
}

// A place is where an entry stands in the list.
type place struct {
	Sort string `json:"sort"`
	ID   string `json:"id"`
}

// A query is what somebody looks for; "" and none: anything.
type query struct {
	Region, Kind, Trade, Label string
	Words                      []string // folded: letters and digits only
	Behind                     place
	Limit                      int
}

func entries(ctx context.Context, db pg.DB, q query) ([]Entry, error) {
	where, args := []string{"true"}, []any{q.Limit}
	add := func(text string, value any) {
		args = append(args, value)
		where = append(where, strings.ReplaceAll(text, "$n", "$"+strconv.Itoa(len(args))))
	}
	if q.Region != "" {
		add(`region = $n`, q.Region)
	}
	if q.Kind != "" {
		add(`kind = $n`, q.Kind)
	}
	if q.Trade != "" {
		add(`trades @> array[$n::text]`, q.Trade)
	}
	if q.Label != "" {
		add(`labels @> array[$n::text]`, q.Label)
	}
	if len(q.Words) > 0 {
		add(`words @@ $n::tsquery`, "'"+strings.Join(q.Words, "':* & '")+"':*")
	}
	if q.Behind.ID != "" {
		add(`(sort, organisation) > ($n, `, q.Behind.Sort)
		args = append(args, q.Behind.ID)
		where[len(where)-1] += `$` + strconv.Itoa(len(args)) + `)`
	}
	return pg.All[Entry](ctx, db, `select `+entryColumns+` from directory.entry where `+strings.Join(where, ` and `)+` order by sort, organisation limit $1`, args...)
}

const fieldColumns = `organisation, code, value, shown, kinds, organisations, changed_by, changed_at`

// visible are the fields of some members that a reader may see. Nothing else leaves
// the table.
func visible(ctx context.Context, db pg.DB, orgs []string, r Reader) ([]Field, error) {
	return pg.All[Field](ctx, db, `select `+fieldColumns+` from directory.field where organisation `+pg.OfThese+`
		and (shown = 'public' or shown = 'some' and ($2 <> '' and ($2 = any (organisations) or $3 = any (kinds))) or $2 = organisation)
		order by organisation, code`, orgs, r.Organisation, r.Kind)
}

func fieldsOf(ctx context.Context, db pg.DB, org string) ([]Field, error) {
	return pg.All[Field](ctx, db, `select `+fieldColumns+` from directory.field where organisation = $1 order by code`, org)
}

func saveField(tx *pg.Tx, f Field) {
	tx.Queue(`insert into directory.field (`+fieldColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (organisation, code) do update set value = excluded.value, shown = excluded.shown, kinds = excluded.kinds,
			organisations = excluded.organisations, changed_by = excluded.changed_by, changed_at = excluded.changed_at`,
		f.Organisation, f.Code, f.Value, f.Shown, f.Kinds, f.Organisations, f.ChangedBy, f.ChangedAt)
}

func dropField(tx *pg.Tx, org, code string) {
	tx.QueueOne(ErrNotFound, `delete from directory.field where organisation = $1 and code = $2`, org, code)
}
