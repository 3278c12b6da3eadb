package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// An offerRow is an offer with all that belongs to it, as read gives it.
type offerRow struct {
	offerJSON
	Variants []variantRow
	Labels   []Label
	Photos   []photoJSON
	Asked    *Change
	Reopens  string
	Reviews  int
	Stars    int64
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
	Net      int               `json:"net"`
	NetUnit  string            `json:"net_unit"`
	Tiers    []Tier            `json:"tiers"`
	Policy   Policy            `json:"policy"`
	LeadDays int               `json:"lead_days"`
	Weekly   int               `json:"weekly"`
	ThisWeek int               `json:"this_week"`
	StartsAt *time.Time        `json:"starts_at"`
	Minutes  int               `json:"minutes"`
	OnHand   int               `json:"on_hand"`
	Reserved int               `json:"reserved"`
	Least    int               `json:"least"`
	Free     int               `json:"free"`
	Kind     Kind              `json:"kind,omitempty"` // of its offer, when it is read alone
}

// variantRead is a variant v as variantRow reads it.
const variantRead = `to_jsonb(v) || jsonb_build_object('free', catalog.free(v), 'least', v.reserved + v.placed - v.placed_reserved,
	'this_week', case when v.booked_week = catalog.this_week() then v.booked else 0 end)`

func (r variantRow) variant() Variant {
	return Variant{
		ID: r.ID, SKU: r.SKU, Names: r.Names, Unit: r.Unit, WeightG: r.WeightG, Net: Net{r.Net, r.NetUnit},
		Price: money.FromCentimes(r.Price, r.Currency), Tiers: r.Tiers, Policy: r.Policy, LeadDays: r.LeadDays, Weekly: r.Weekly,
		Booked: r.ThisWeek, StartsAt: r.StartsAt, Minutes: r.Minutes, OnHand: r.OnHand, Reserved: r.Reserved, Least: r.Least, Free: r.Free,
	}
}

func (v Variant) row(o Offer) variantRow {
	tiers := v.Tiers
	if tiers == nil {
		tiers = []Tier{}
	}
	return variantRow{
		v.ID, o.ID, o.Seller, v.SKU, v.Names, v.Unit, v.WeightG, v.Price.Centimes(), v.Price.Currency(), v.Net.Quantity, v.Net.Unit,
		tiers, v.Policy, v.LeadDays, v.Weekly, 0, v.StartsAt, v.Minutes, v.OnHand, 0, 0, 0, "",
	}
}

func (r offerRow) offer() Offer {
	o := Offer{
		ID: r.ID, Seller: r.Seller, Ref: r.Ref, Kind: r.Kind, Way: r.Way, Category: r.Category, Attributes: r.Attributes, Claims: r.Claims,
		Names: r.Names, Descriptions: r.Descriptions, Voice: r.Voice, Region: r.Region, Commune: r.Commune, Lat: r.Lat, Lng: r.Lng,
		WithdrawalExempt: r.WithdrawalExempt, Image: r.Image, State: r.State, Version: r.Version, CreatedAt: r.CreatedAt,
		PublishedAt: r.PublishedAt, Labels: r.Labels, Asked: r.Asked, Reopens: r.Reopens, Reviews: r.Reviews, Stars: r.Stars,
	}
	for _, v := range r.Variants {
		o.Variants = append(o.Variants, v.variant())
	}
	for _, x := range r.Photos {
		o.Photos = append(o.Photos, Photo(x))
	}
	return o
}

const offers = `select o.id, o.seller, o.ref, o.kind, o.way, o.category, o.attributes, o.claims, o.names, o.descriptions, o.voice,
		o.region, o.commune, o.lat, o.lng, o.withdrawal_exempt, o.image, o.state, o.version, o.created_at, o.published_at,
		coalesce((select jsonb_agg(` + variantRead + ` order by v.id) from catalog.variant v where v.offer = o.id), '[]') as variants,
		(select ` + labelsJSON + ` from catalog.labels_of(o.id, o.seller) l) as labels,
		(select coalesce(jsonb_agg(` + photoRead + ` order by p.place), '[]') from catalog.picture p where p.offer = o.id) as photos,
		(select ` + changeJSON + ` from catalog.change c where c.offer = o.id order by c.id desc limit 1) as asked,
		coalesce(catalog.reopens(o.seller, d.today)::text, '') as reopens, coalesce(g.reviews, 0) as reviews, coalesce(g.stars, 0) as stars
	from catalog.offer o left join catalog.rating g on g.offer = o.id cross join (select catalog.today() as today) d `

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
	return many(ctx, db, offers+`where o.id `+pg.OfThese+` order by o.id`, ids)
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

func lockVariant(ctx context.Context, tx *pg.Tx, variant string) (variantRow, error) {
	r, err := pg.One[struct{ Read variantRow }](ctx, tx, ErrNotFound, `select `+variantRead+` ||
			jsonb_build_object('kind', (select o.kind from catalog.offer o where o.id = v.offer)) as read
		from catalog.variant v where v.id = $1 for update`, variant)
	return r.Read, err
}

// A move is a change of on_hand that is written down.
type move struct {
	Variant string `json:"variant"`
	Delta   int    `json:"delta"`
	Reason  string `json:"reason"`
	Ref     string `json:"ref"`
}

// save writes offers whole, new ones and changed ones, with their variants and
// what changed of their labels. What buyers hold is left alone; whoever saves
// on_hand has the variant's lock.
func save(tx *pg.Tx, all []Offer, moves []move) {
	var os []offerJSON
	var vs []variantRow
	for _, o := range all {
		os = append(os, offerJSON{
			o.ID, o.Seller, o.Ref, o.Kind, o.Way, o.Category, o.Attributes, o.Claims, o.Names, o.Descriptions, o.Voice, o.Region, o.Commune,
			o.Lat, o.Lng, o.WithdrawalExempt, o.Image, o.State, o.Version, o.CreatedAt, o.PublishedAt,
		})
		for _, v := range o.Variants {
			vs = append(vs, v.row(o))
		}
	}
	tx.QueueMapped(taken, `insert into catalog.offer (id, seller, ref, kind, way, category, attributes, claims, names, descriptions, voice,
			region, commune, lat, lng, withdrawal_exempt, image, state, version, created_at, published_at)
		select r.id, r.seller, r.ref, r.kind, r.way, r.category, coalesce(r.attributes, '{}'), coalesce(r.claims, '{}'), coalesce(r.names, '{}'),
			coalesce(r.descriptions, '{}'), r.voice, r.region, r.commune, r.lat, r.lng, r.withdrawal_exempt, r.image, r.state, r.version,
			r.created_at, r.published_at
		from jsonb_to_recordset($1) as r(id text, seller text, ref text, kind text, way text, category text, attributes jsonb, claims text[],
			names jsonb, descriptions jsonb, voice text, region text, commune text, lat float8, lng float8, withdrawal_exempt text, image text,
			state text, version int, created_at timestamptz, published_at timestamptz)
		on conflict (id) do update set kind = excluded.kind, way = excluded.way, category = excluded.category, attributes = excluded.attributes,
			claims = excluded.claims, names = excluded.names, descriptions = excluded.descriptions, voice = excluded.voice,
			region = excluded.region, commune = excluded.commune, lat = excluded.lat, lng = excluded.lng,
			withdrawal_exempt = excluded.withdrawal_exempt, image = excluded.image, state = excluded.state,
			version = excluded.version, published_at = excluded.published_at`, text(os))
	tx.QueueMapped(taken, `insert into catalog.variant (id, offer, seller, sku, names, unit, weight_g, price, currency, net, net_unit, tiers,
			policy, lead_days, weekly, starts_at, minutes, on_hand)
		select r.id, r.offer, r.seller, r.sku, coalesce(r.names, '{}'), r.unit, r.weight_g, r.price, r.currency, r.net, r.net_unit, r.tiers,
			r.policy, r.lead_days, r.weekly, r.starts_at, r.minutes, r.on_hand
		from jsonb_to_recordset($1) as r(id text, offer text, seller text, sku text, names jsonb, unit text, weight_g int,
			price bigint, currency text, net int, net_unit text, tiers jsonb, policy text, lead_days int, weekly int, starts_at timestamptz,
			minutes int, on_hand int)
		on conflict (id) do update set sku = excluded.sku, names = excluded.names, unit = excluded.unit,
			weight_g = excluded.weight_g, price = excluded.price, net = excluded.net, net_unit = excluded.net_unit, tiers = excluded.tiers,
			policy = excluded.policy, lead_days = excluded.lead_days, weekly = excluded.weekly, starts_at = excluded.starts_at,
			minutes = excluded.minutes, on_hand = excluded.on_hand, booked = case when excluded.policy = 'made_to_order'
				and variant.booked_week = catalog.this_week() then variant.booked else 0 end`, text(vs))
	saveClaims(tx, all)
	saveMoves(tx, moves)
}

// saveClaims writes what changed of the offers' labels. Offers that claim the same
// certificate share one label.
func saveClaims(tx *pg.Tx, all []Offer) {
	var fresh []Label
	var covers, dropped []covering
	ids := map[Label]string{}
	for _, o := range all {
		for _, l := range o.dropped {
			dropped = append(dropped, covering{o.ID, l})
		}
		for _, l := range o.Labels {
			if l.ID != "" {
				continue
			}
			of := l.said()
			of.Seller = o.Seller
			if ids[of] == "" {
				l.ID, l.Seller, l.Scope, l.State = id.New(id.Label), o.Seller, OfOffers, Claimed
				ids[of], fresh = l.ID, append(fresh, l)
			}
			covers = append(covers, covering{o.ID, ids[of]})
		}
	}
	if len(dropped) > 0 {
		dropLabels(tx, dropped)
	}
	if len(fresh) > 0 {
		insertLabels(tx, fresh, covers)
	}
}

type offerJSON struct {
	ID               string            `json:"id"`
	Seller           string            `json:"seller"`
	Ref              string            `json:"ref"`
	Kind             Kind              `json:"kind"`
	Way              Way               `json:"way"`
	Category         string            `json:"category"`
	Attributes       map[string]string `json:"attributes"`
	Claims           []string          `json:"claims"`
	Names            map[string]string `json:"names"`
	Descriptions     map[string]string `json:"descriptions"`
	Voice            string            `json:"voice"`
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

// text is rows as the JSON that jsonb_to_recordset reads.
func text(rows any) string {
	b, err := json.Marshal(rows)
	if err != nil {
		panic(err) // plain structs
	}
	if string(b) == "null" { // no rows
		return "[]"
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
