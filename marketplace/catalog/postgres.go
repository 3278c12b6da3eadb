package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// An offerRow is an offer with all that belongs to it, as read gives it.
type offerRow struct {
	ID               string
	Seller           string
	Ref              string
	Category         string
	Names            map[string]string
	Descriptions     map[string]string
	Region           string
	Commune          string
	Lat, Lng         *float64
	WithdrawalExempt string
	Image            string
	State            State
	Version          int
	CreatedAt        time.Time
	PublishedAt      *time.Time
	Variants         []variantRow
	Labels           []Label
}

type variantRow struct {
	ID       string            `json:"id"`
	Offer    string            `json:"offer"`
	Seller   string            `json:"seller"`
	SKU      string            `json:"sku"`
	Names    map[string]string `json:"names"`
	Unit     string            `json:"unit"`
	WeightG  int               `json:"weight_g"`
	Price    int64             `json:"price"`
	Currency string            `json:"currency"`
	OnHand   int               `json:"on_hand"`
	Reserved int               `json:"reserved"`
}

func (r variantRow) variant() Variant {
	return Variant{r.ID, r.SKU, r.Names, r.Unit, r.WeightG, money.FromCentimes(r.Price, r.Currency), r.OnHand, r.Reserved}
}

func (r offerRow) offer() Offer {
	o := Offer{
		ID: r.ID, Seller: r.Seller, Ref: r.Ref, Category: r.Category, Names: r.Names, Descriptions: r.Descriptions,
		Region: r.Region, Commune: r.Commune, Lat: r.Lat, Lng: r.Lng, WithdrawalExempt: r.WithdrawalExempt,
		Image: r.Image, State: r.State, Version: r.Version, CreatedAt: r.CreatedAt, PublishedAt: r.PublishedAt, Labels: r.Labels,
	}
	for _, v := range r.Variants {
		o.Variants = append(o.Variants, v.variant())
	}
	return o
}

const offers = `select o.id, o.seller, o.ref, o.category, o.names, o.descriptions, o.region, o.commune, o.lat, o.lng,
		o.withdrawal_exempt, o.image, o.state, o.version, o.created_at, o.published_at,
		coalesce((select jsonb_agg(to_jsonb(v) order by v.id) from catalog.variant v where v.offer = o.id), '[]') as variants,
		coalesce((select jsonb_agg(jsonb_build_object('code', l.code, 'issuer', l.issuer, 'number', l.number,
				'valid_from', l.valid_from, 'valid_to', coalesce(l.valid_to::text, ''),
				'current', l.valid_from <= d.today and (l.valid_to is null or l.valid_to >= d.today)) order by l.code)
			from catalog.label l where l.offer = o.id), '[]') as labels
	from catalog.offer o cross join (select catalog.today() as today) d `

func many(ctx context.Context, db pg.DB, sql string, args ...any) ([]Offer, error) {
	rows, err := pg.All[offerRow](ctx, db, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read offers: %w", err)
	}
	out := make([]Offer, len(rows))
	for i, r := range rows {
		out[i] = r.offer()
	}
	return out, nil
}

// read gives offers by id.
func read(ctx context.Context, db pg.DB, ids []string) ([]Offer, error) {
	return many(ctx, db, offers+`where o.id = any($1) order by o.id`, ids)
}

// readOwn gives all offers of a seller.
func readOwn(ctx context.Context, db pg.DB, seller string) ([]Offer, error) {
	return many(ctx, db, offers+`where o.seller = $1 order by o.created_at, o.id`, seller)
}

func offersOf(ctx context.Context, db pg.DB, seller string) ([]string, error) {
	return pg.Column[string](ctx, db, `select id from catalog.offer where seller = $1 order by id`, seller)
}

// lock reads an offer under its lock.
func lock(ctx context.Context, tx *pg.Tx, offer string) (Offer, error) {
	lockOffers(tx, []string{offer})
	all, err := read(ctx, tx, []string{offer})
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Offer{}, err
	}
	return all[0], nil
}

func lockOffers(tx *pg.Tx, ids []string) {
	tx.Queue(`select id from catalog.offer where id = any($1) order by id for update`, ids)
}

// lockVariants locks what an offer is sold in; always before the offer itself.
func lockVariants(tx *pg.Tx, offer string) {
	tx.Queue(`select id from catalog.variant where offer = $1 order by id for update`, offer)
}

// lockSeller has imports of one seller take turns, and locks all its variants.
func lockSeller(tx *pg.Tx, seller string) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('catalog.import ' || $1, 0))`, seller)
	tx.Queue(`select id from catalog.variant where seller = $1 order by id for update`, seller)
}

func lockVariant(ctx context.Context, tx *pg.Tx, variant string) (variantRow, error) {
	return pg.One[variantRow](ctx, tx, ErrNotFound, `select id, offer, seller, sku, names, unit, weight_g, price, currency, on_hand, reserved
		from catalog.variant where id = $1 for update`, variant)
}

// A move is a change of on_hand that is written down.
type move struct {
	Variant string `json:"variant"`
	Delta   int    `json:"delta"`
	Reason  string `json:"reason"`
	Ref     string `json:"ref"`
}

// save writes offers whole, new ones and changed ones, with their variants and
// labels. What buyers hold is left alone; whoever saves on_hand has the
// variant's lock.
func save(tx *pg.Tx, all []Offer, moves []move) {
	var os []offerJSON
	var vs []variantRow
	var ls []labelJSON
	ids := make([]string, 0, len(all))
	for _, o := range all {
		ids = append(ids, o.ID)
		os = append(os, offerJSON{
			o.ID, o.Seller, o.Ref, o.Category, o.Names, o.Descriptions, o.Region, o.Commune, o.Lat, o.Lng,
			o.WithdrawalExempt, o.Image, o.State, o.Version, o.CreatedAt, o.PublishedAt,
		})
		for _, v := range o.Variants {
			vs = append(vs, variantRow{v.ID, o.ID, o.Seller, v.SKU, v.Names, v.Unit, v.WeightG, v.Price.Centimes(), v.Price.Currency(), v.OnHand, 0})
		}
		for _, l := range o.Labels {
			lj := labelJSON{Offer: o.ID, Code: l.Code, Issuer: l.Issuer, Number: l.Number, From: l.From}
			if l.To != "" {
				lj.To = &l.To
			}
			ls = append(ls, lj)
		}
	}
	tx.QueueMapped(taken, `insert into catalog.offer (id, seller, ref, category, names, descriptions, region, commune, lat, lng,
			withdrawal_exempt, image, state, version, created_at, published_at)
		select r.id, r.seller, r.ref, r.category, coalesce(r.names, '{}'), coalesce(r.descriptions, '{}'), r.region, r.commune, r.lat, r.lng,
			r.withdrawal_exempt, r.image, r.state, r.version, r.created_at, r.published_at
		from jsonb_to_recordset($1) as r(id text, seller text, ref text, category text, names jsonb, descriptions jsonb,
			region text, commune text, lat float8, lng float8, withdrawal_exempt text, image text, state text, version int,
			created_at timestamptz, published_at timestamptz)
		on conflict (id) do update set category = excluded.category, names = excluded.names, descriptions = excluded.descriptions,
			region = excluded.region, commune = excluded.commune, lat = excluded.lat, lng = excluded.lng,
			withdrawal_exempt = excluded.withdrawal_exempt, image = excluded.image, state = excluded.state,
			version = excluded.version, published_at = excluded.published_at`, text(os))
	tx.QueueMapped(taken, `insert into catalog.variant (id, offer, seller, sku, names, unit, weight_g, price, currency, on_hand)
		select r.id, r.offer, r.seller, r.sku, coalesce(r.names, '{}'), r.unit, r.weight_g, r.price, r.currency, r.on_hand
		from jsonb_to_recordset($1) as r(id text, offer text, seller text, sku text, names jsonb, unit text, weight_g int,
			price bigint, currency text, on_hand int)
		on conflict (id) do update set sku = excluded.sku, names = excluded.names, unit = excluded.unit,
			weight_g = excluded.weight_g, price = excluded.price, on_hand = excluded.on_hand`, text(vs))
	tx.Queue(`delete from catalog.label where offer = any($1)`, ids)
	if len(ls) > 0 {
		tx.Queue(`insert into catalog.label (offer, code, issuer, number, valid_from, valid_to)
			select r.offer, r.code, r.issuer, r.number, r.valid_from, r.valid_to
			from jsonb_to_recordset($1) as r(offer text, code text, issuer text, number text, valid_from date, valid_to date)`, text(ls))
	}
	saveMoves(tx, moves)
}

type offerJSON struct {
	ID               string            `json:"id"`
	Seller           string            `json:"seller"`
	Ref              string            `json:"ref"`
	Category         string            `json:"category"`
	Names            map[string]string `json:"names"`
	Descriptions     map[string]string `json:"descriptions"`
	Region           string            `json:"region"`
	Commune          string            `json:"commune"`
	Lat              *float64          `json:"lat"`
	Lng              *float64          `json:"lng"`
	WithdrawalExempt string            `json:"withdrawal_exempt"`
	Image            string            `json:"image"`
	State            State             `json:"state"`
	Version          int               `json:"version"`
	CreatedAt        time.Time         `json:"created_at"`
	PublishedAt      *time.Time        `json:"published_at"`
}

type labelJSON struct {
	Offer  string  `json:"offer"`
	Code   string  `json:"code"`
	Issuer string  `json:"issuer"`
	Number string  `json:"number"`
	From   string  `json:"valid_from"`
	To     *string `json:"valid_to"`
}

// text is rows as the JSON that jsonb_to_recordset reads.
func text(rows any) string {
	b, err := json.Marshal(rows)
	if err != nil {
		panic(err) // plain structs
	}
	return string(b)
}

func taken(err error) error {
	switch {
	case pg.Violates(err, "variant_sku"):
		return ErrSKU.With(err)
	case pg.Violates(err, "offer_ref"):
		return ErrKey.With(err)
	}
	return err
}

func saveState(tx *pg.Tx, o Offer) {
	tx.Queue(`update catalog.offer set state = $2, version = $3, published_at = $4 where id = $1`, o.ID, o.State, o.Version, o.PublishedAt)
}

func saveMoves(tx *pg.Tx, moves []move) {
	if len(moves) > 0 {
		tx.Queue(`insert into catalog.stock_move (variant, delta, reason, ref)
			select r.variant, r.delta, r.reason, r.ref
			from jsonb_to_recordset($1) as r(variant text, delta int, reason text, ref text) where r.delta <> 0`, text(moves))
	}
}
