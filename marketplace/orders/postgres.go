package orders

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

func insertBasket(tx *pg.Tx, b Basket) {
	tx.Queue(`insert into orders.basket (id, buyer, version) values ($1, $2, $3)`, b.ID, b.Buyer, b.Version)
}

// lockBasket locks a basket and reads, in the same round trip, its lines, the
// quote of that hash, the tariffs of today and the market's fees.
func lockBasket(ctx context.Context, tx *pg.Tx, e Escrows, basket, hash string) (c counter, err error) {
	if !id.Is(id.Basket, basket) {
		return c, ErrNoBasket
	}
	if sum, err := hex.DecodeString(hash); err != nil || len(sum) != 32 {
		hash = "" // no quote's
	}
	b := &pgx.Batch{}
	b.Queue(`select id, buyer, state = 'ordered', state = 'merged', version from orders.basket where id = $1 for update`, basket).
		QueryRow(func(r pgx.Row) error {
			return r.Scan(&c.basket.ID, &c.basket.Buyer, &c.basket.Ordered, &c.basket.Merged, &c.basket.Version)
		})
	collect(b, &c.basket.Lines, `select variant, quantity, price, agreement from orders.basket_line where basket = $1 order by variant`, basket)
	collect(b, &c.tariffs, `select distinct on (method) method, base, included_g, per_kg, payee, offered from orders.tariff
		where since <= platform.now() order by method, since desc`)
	collect(b, &c.rules, `select distinct on (method, seller) method, seller, most from orders.payment_rule
		where since <= platform.now() order by method, seller, since desc`)
	e.Fees(&c.fees)(b)
	var heads []Head
	if hash != "" {
		collect(b, &heads, `select id, version, method, commune, region, choices, codes, expires_at from orders.quote where basket = $1 and hash = $2`, basket, hash)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return c, missing(err, ErrNoBasket)
	}
	if len(heads) == 1 {
		c.quote = &heads[0]
		c.quote.ExpiresAt = c.quote.ExpiresAt.UTC()
	}
	return c, nil
}

// collect reads the rows of a query of a batch into out.
func collect[T any](b *pgx.Batch, out *[]T, sql string, args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
		*out, err = pgx.CollectRows(rows, pgx.RowToStructByName[T])
		return err
	})
}

func missing(err, instead error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return instead
	}
	return err
}

func putLine(tx *pg.Tx, basket string, l Line, changed bool) {
	tx.Queue(`insert into orders.basket_line (basket, variant, quantity, price, agreement) values ($1, $2, $3, $4, $5)
		on conflict (basket, variant) do update set quantity = excluded.quantity, price = excluded.price, agreement = excluded.agreement`,
		basket, l.Variant, l.Quantity, l.Price, l.Agreement)
	if changed {
		bump(tx, basket)
	}
}

func deleteLine(tx *pg.Tx, basket, variant string) {
	tx.Queue(`delete from orders.basket_line where basket = $1 and variant = $2`, basket, variant)
	bump(tx, basket)
}

func bump(tx *pg.Tx, basket string) {
	tx.Queue(`update orders.basket set version = version + 1 where id = $1`, basket)
}

// insertQuote keeps a quote, and forgets those of the basket that nobody can
// mean any more.
func insertQuote(tx *pg.Tx, q Quote) {
	tx.Queue(`delete from orders.quote where basket = $1 and expires_at < $2`, q.Basket, q.ExpiresAt.Add(-24*time.Hour))
	choices := q.Delivery.Choices
	if choices == nil {
		choices = map[string]string{}
	}
	tx.Queue(`insert into orders.quote (id, basket, hash, version, method, commune, region, choices, codes, body, expires_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		q.ID, q.Basket, q.Hash, q.Version, q.Delivery.Method, q.Delivery.Commune, q.Delivery.Region, choices, q.Codes, q, q.ExpiresAt)
}

func loadQuote(ctx context.Context, db pg.DB, quote string) (Quote, error) {
	return pg.Value[Quote](ctx, db, ErrNoQuote, `select body from orders.quote where id = $1`, quote)
}

// showPrices writes down that the buyer has been shown the prices of q.
func showPrices(tx *pg.Tx, q Quote) {
	for _, p := range q.Problems {
		if p.Now != nil {
			tx.Queue(`update orders.basket_line set price = $3 where basket = $1 and variant = $2`, q.Basket, p.Variant, p.Now.Centimes())
		}
	}
}

func groupOf(ctx context.Context, db pg.DB, basket string) (string, error) {
	return pg.Value[string](ctx, db, ErrNoGroup, `select id from orders.order_group where basket = $1`, basket)
}

// A group is what one checkout made.
type group struct {
	ID        string
	Basket    string
	Buyer     string
	Charge    string
	Currency  string
	Total     int64
	Contact   Contact
	Delivery  DeliveryWanted
	CreatedAt time.Time
}

// insertGroup writes a group, its orders with their lines, and the beginning
// of their timelines, and closes the basket.
func insertGroup(tx *pg.Tx, g group, drafts []Draft) {
	var lines []boughtLine
	ids := make([]string, len(drafts))
	for i, d := range drafts {
		ids[i] = d.ID
		for _, l := range d.Lines {
			lines = append(lines, boughtLine{d.ID, l.Variant, l.Offer, l.Names, l.VariantNames, l.SKU, l.Quantity, l.Price.Centimes(), l.Total.Centimes(), l.Discount.Centimes(), l.exempt, l.category, l.MarketPays.Centimes(), l.PriceFrom, l.Agreement, l.Kind, l.byCodes, l.StartsAt, l.Minutes})
		}
	}
	tx.Queue(`update orders.basket set state = 'ordered', version = version + 1 where id = $1`, g.Basket)
	tx.Queue(`insert into orders.order_group (id, basket, buyer, charge, currency, total, contact, delivery, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, g.ID, g.Basket, g.Buyer, g.Charge, g.Currency, g.Total, g.Contact, g.Delivery, g.CreatedAt)
	for _, d := range drafts {
		tx.Queue(`insert into orders.seller_order (id, grp, seller, seller_names, buyer, state, currency, goods, delivery, fees, total, legs, method, delivery_code, created_at, payment, way, lead_days, spot, discount, bonus, agreed, seat, waits, make_days, digital)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)`,
			d.ID, d.Group, d.Seller, d.SellerNames, d.Buyer, d.State, d.Currency, d.Goods, d.Delivery, d.Fees, d.Total, d.Legs, d.Method, d.DeliveryCode, d.CreatedAt, d.Payment, d.Way, d.LeadDays, d.Fetch, d.Discount, d.Bonus, d.Agreed, d.Seat, d.Waits, d.MakeDays, d.Digital)
	}
	tx.Queue(`insert into orders.line (order_id, variant, offer, names, variant_names, sku, quantity, price, total, discount, exempt, category, bonus, price_from, agreement, kind, by_codes, starts_at, minutes)
		select order_id, variant, offer, names, variant_names, sku, quantity, price, total, discount, exempt, category, bonus, price_from, agreement, kind, by_codes, starts_at, minutes
		from jsonb_to_recordset($1::jsonb) as l(order_id text, variant text, offer text, names jsonb, variant_names jsonb, sku text, quantity int, price bigint, total bigint, discount bigint, exempt text, category text, bonus bigint, price_from text, agreement text, kind text, by_codes bool, starts_at timestamptz, minutes int)`, lines)
	tx.Queue(`insert into orders.timeline (order_id, at, actor, what) select unnest($1::text[]), $2, 'buyer', 'placed'`, ids, g.CreatedAt)
}

// A boughtLine is a line of an order as it is kept.
type boughtLine struct {
	OrderID      string            `json:"order_id"`
	Variant      string            `json:"variant"`
	Offer        string            `json:"offer"`
	Names        map[string]string `json:"names"`
	VariantNames map[string]string `json:"variant_names"`
	SKU          string            `json:"sku"`
	Quantity     int               `json:"quantity"`
	Price        int64             `json:"price"`
	Total        int64             `json:"total"`
	Discount     int64             `json:"discount"`
	Exempt       string            `json:"exempt"` // why it cannot be sent back without a fault, if so
	Category     string            `json:"category"`
	Bonus        int64             `json:"bonus"`
	PriceFrom    From              `json:"price_from"`
	Agreement    string            `json:"agreement"`
	Kind         catalog.Kind      `json:"kind"`
	ByCodes      bool              `json:"by_codes"`
	StartsAt     *time.Time        `json:"starts_at"`
	Minutes      int               `json:"minutes"`
}

const lineColumns = `order_id, variant, offer, names, variant_names, sku, quantity, price, total, discount, exempt, category, bonus, price_from, agreement, kind, by_codes, starts_at, minutes`

const orderColumns = `id, grp, seller, seller_names, buyer, state, currency, goods, discount, bonus, delivery, fees, total, legs, method, way, lead_days, make_days, ships_by, spot, digital,
	delivery_code, code_tries, carrier, tracking, settled, payment, received, agreed, seat, waits, rebate, delivered_at, preparing_at, comes_back, version, created_at`

// lockOrders locks orders, always in the order of their ids.
func lockOrders(ctx context.Context, tx *pg.Tx, ids []string) ([]Order, error) {
	return pg.All[Order](ctx, tx, `select `+orderColumns+` from orders.seller_order where id = any($1) order by id for update`, ids)
}

func save(tx *pg.Tx, o Order) {
	tx.Queue(`update orders.seller_order set state = $2, code_tries = $3, carrier = $4, tracking = $5, settled = $6, version = $7, received = $8, delivered_at = $9, preparing_at = $10, waits = $11, rebate = $12, ships_by = $13, comes_back = $14 where id = $1`,
		o.ID, o.State, o.CodeTries, o.Carrier, o.Tracking, o.Settled, o.Version, o.Received, o.DeliveredAt, o.PreparingAt, o.Waits, o.Rebate, o.ShipsBy, o.ComesBack)
}

// note adds to an order's timeline, in the name of whoever is at work.
func note(ctx context.Context, tx *pg.Tx, order, what string) {
	tx.Queue(`insert into orders.timeline (order_id, at, actor, what) values ($1, $2, $3, $4)`, order, tx.Now(), who(ctx), what)
}

// A file is all that is kept of a group, or of one order of it.
type file struct {
	group   group
	orders  []Order
	lines   map[string][]OrderLine
	entries map[string][]Entry

	shipments map[string][]ShipmentView // with the codes of those that have their own
	photos    map[string]string         // of deliveries, by parcel
}

type timelineRow struct {
	OrderID string
	Entry
}

// loadFile reads a group by its id, or the group of an order with that order
// alone, in one round trip.
func loadFile(ctx context.Context, db pg.DB, by id.Kind, name string) (f file, err error) {
	if !id.Is(by, name) {
		return f, ErrNotFound
	}
	column := "id"
	if by == id.Group {
		column = "grp"
	}
	own := ` in (select id from orders.seller_order where ` + column + ` = $1)`
	var groups []group
	var lines []boughtLine
	var entries []timelineRow
	var parcels parcelRows
	b := &pgx.Batch{}
	collect(b, &groups, `select id, basket, buyer, charge, currency, total, contact, delivery, created_at from orders.order_group
		where id = (select grp from orders.seller_order where `+column+` = $1 limit 1)`, name)
	collect(b, &f.orders, `select `+orderColumns+` from orders.seller_order where `+column+` = $1 order by id`, name)
	collect(b, &lines, `select `+lineColumns+` from orders.line where order_id`+own+` order by variant`, name)
	collect(b, &entries, `select order_id, at, actor, what from orders.timeline where order_id`+own+` order by seq`, name)
	parcels.read(b, own, name)
	if err := db.SendBatch(ctx, b).Close(); err != nil {
		return f, err
	}
	f.shipments, f.photos = parcels.views()
	if len(groups) == 0 {
		return f, ErrNotFound
	}
	f.group, f.lines, f.entries = groups[0], map[string][]OrderLine{}, map[string][]Entry{}
	for _, l := range lines {
		mad := func(c int64) money.Money { return money.FromCentimes(c, f.group.Currency) }
		f.lines[l.OrderID] = append(f.lines[l.OrderID], OrderLine{l.Variant, l.Offer, l.Names, l.VariantNames, l.SKU, l.Quantity, mad(l.Price), mad(l.Total), mad(l.Discount), mad(l.Bonus), l.PriceFrom, l.Agreement, l.Kind, rest.UTC(l.StartsAt), l.Minutes})
	}
	for _, e := range entries {
		e.At = e.At.UTC()
		f.entries[e.OrderID] = append(f.entries[e.OrderID], e.Entry)
	}
	return f, nil
}

// listOrders lists orders, the newest first, from below an id on. "" for a
// party or a state means any.
func listOrders(ctx context.Context, db pg.DB, seller string, buyers []string, state, below string, limit int) ([]Order, error) {
	return pg.All[Order](ctx, db, `select `+orderColumns+` from orders.seller_order
		where ($1 = '' or seller = $1) and ($2::text[] is null or buyer = any($2)) and ($3 = '' or state = $3) and ($4 = '' or id < $4)
		order by id desc limit $5`, seller, buyers, state, below, limit)
}

// faces reads orders with whom they are for, and by which agreement one was
// bought that has one.
func faces(ctx context.Context, db pg.DB, ids []string) (map[string]Face, error) {
	type row struct {
		ID string
		Face
	}
	rows, err := pg.All[row](ctx, db, `select o.id, o.state, o.waits, coalesce(g.contact ->> 'name', '') as name, coalesce(g.contact ->> 'phone', '') as phone,
			coalesce((select l.agreement from orders.line l where l.order_id = o.id and l.agreement <> '' limit 1), '') as agreement
		from orders.seller_order o join orders.order_group g on g.id = o.grp where o.id `+pg.OfThese, ids)
	out := make(map[string]Face, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Face
	}
	return out, err
}

// OnlyFor are the buyers all of whose orders were made after a moment and are for
// one phone number, the last to order first.
func (s *Service) OnlyFor(ctx context.Context, db pg.DB, phone string, since time.Time, most int) ([]string, error) {
	return pg.Column[string](ctx, db, `select g.buyer from orders.order_group g where g.contact ->> 'phone' = $1 and g.created_at > $2
		group by g.buyer having not exists (select from orders.seller_order o join orders.order_group h on h.id = o.grp
			where o.buyer = g.buyer and (h.created_at <= $2 or h.contact ->> 'phone' is distinct from $1))
		order by max(g.id) desc limit $3`, phone, since, most)
}
