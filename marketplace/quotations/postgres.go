package quotations

import (
	"context"

	"tiwiza/pkg/pg"
)

const requestColumns = `r.id, r.buyer, r.state, r.to_all, r.category, r.area, r.text, r.commune, r.region, r.wanted_on, r.budget, r.files, r.deadline, r.made_at, r.version,
	(select coalesce(jsonb_agg(jsonb_build_object('variant', l.variant, 'text', l.text, 'category', l.category, 'quantity', l.quantity, 'unit', l.unit) order by l.n), '[]')
		from quotations.line l where l.request = r.id) as lines`

// insertRequest keeps a request in its buyer's first free slot, and whom it is
// put to by name. Those who ask in one's name go one after the other.
func insertRequest(tx *pg.Tx, r Request, named []string) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('quotations ' || $1, 0))`, r.Buyer)
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "request_slot_check") {
			return ErrMany.With(err)
		}
		return err
	}, `insert into quotations.request (slot, id, buyer, to_all, category, area, text, commune, region, wanted_on, budget, files, deadline, made_at, sellers)
		select coalesce((select min(n) from generate_series(1, 10) n
				where not exists (select from quotations.request r where r.buyer = $2 and r.slot = n and r.state = 'open')), 11),
			$1, $2, $3, $4, $5, $6, $7, $8, $9::date, $10, $11, $12, $13, $14`,
		r.ID, r.Buyer, r.ToAll, r.Category, r.Area, r.Text, r.Commune, r.Region, r.WantedOn, r.Budget, r.Files, r.Deadline, r.MadeAt, len(named))
	var n, quantities []int
	var variants, texts, categories, units []string
	for i, l := range r.Lines {
		n, quantities = append(n, i+1), append(quantities, l.Quantity)
		variants, texts, categories, units = append(variants, l.Variant), append(texts, l.Text), append(categories, l.Category), append(units, l.Unit)
	}
	tx.Queue(`insert into quotations.line (request, n, variant, text, category, quantity, unit)
		select $1, * from unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[])`, r.ID, n, variants, texts, categories, quantities, units)
	if len(named) > 0 {
		tx.Queue(`insert into quotations.asked (request, seller, named) select $1, s, true from unnest($2::text[]) s`, r.ID, named)
	}
}

func lockRequest(ctx context.Context, tx *pg.Tx, request string) (Request, error) {
	return pg.One[Request](ctx, tx, ErrNotFound, `select `+requestColumns+` from quotations.request r where r.id = $1 for update of r`, request)
}

func byRequest(ctx context.Context, db pg.DB, request string) (Request, error) {
	return pg.One[Request](ctx, db, ErrNotFound, `select `+requestColumns+` from quotations.request r where r.id = $1`, request)
}

func saveRequest(tx *pg.Tx, r Request) {
	tx.QueueOne(ErrState, `update quotations.request set state = $2, version = $3 where id = $1 and version = $3 - 1`, r.ID, r.State, r.Version)
}

// listOwn lists a buyer's requests, or ("") all, the newest first.
func listOwn(ctx context.Context, db pg.DB, buyers []string, below string, limit int) ([]Request, error) {
	column := "r.buyer"
	if buyers == nil {
		column, buyers = "''", []string{""}
	}
	return pg.All[Request](ctx, db, `select `+requestColumns+` from quotations.request r
		where `+column+` = any($1) and ($2 = '' or r.id < $2) order by r.id desc limit $3`, buyers, below, limit)
}

// An inboxRow is a request as one seller finds it.
type inboxRow struct {
	Request
	Declined  string
	Mine      bool // an offer of the seller's is accepted, or was
	LastOffer string
}

// inbox lists what was put to a seller, by name or because it sells such things
// there, the newest first.
func inbox(ctx context.Context, db pg.DB, seller string, shelves []string, region, below string, limit int) ([]inboxRow, error) {
	return pg.All[inboxRow](ctx, db, `with found as (
			(select a.request as id from quotations.asked a where a.seller = $1 and ($4 = '' or a.request < $4) order by a.request desc limit $5)
			union
			(select q.id from quotations.request q where q.to_all and q.state = 'open' and q.category = any($2) and q.area in ('', $3)
				and ($4 = '' or q.id < $4) order by q.id desc limit $5))
		select `+requestColumns+`, coalesce(a.reason, '') as declined, `+ownOffers+`
		from found join quotations.request r on r.id = found.id left join quotations.asked a on a.request = r.id and a.seller = $1
		order by r.id desc limit $5`, seller, shelves, region, below, limit)
}

// ownOffers are what a seller ($1) offered for a request r.
const ownOffers = `exists (select from quotations.offer o where o.request = r.id and o.seller = $1 and o.agreement <> '' and o.state = 'accepted') as mine,
	coalesce((select o.id from quotations.offer o where o.request = r.id and o.seller = $1 order by o.revision desc limit 1), '') as last_offer`

// standing is how a seller stands to a request.
func standing(ctx context.Context, db pg.DB, request, seller string) (side, error) {
	type row struct {
		Asked, Mine         bool
		Declined, LastOffer string
	}
	r, err := pg.One[row](ctx, db, ErrNotFound, `select a.seller is not null as asked, coalesce(a.reason, '') as declined, `+ownOffers+`
		from quotations.request r left join quotations.asked a on a.request = r.id and a.seller = $1 where r.id = $2`, seller, request)
	return side{seller: seller, asked: r.Asked, declined: r.Declined, mine: r.Mine, lastOffer: r.LastOffer}, err
}

// join notes that a seller has to do with a request, and why it declines if it
// does. There is room for so many.
func join(tx *pg.Tx, request string, me side, reason string) {
	if me.asked {
		tx.Queue(`update quotations.asked set reason = $3 where request = $1 and seller = $2`, request, me.seller, reason)
		return
	}
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "request_sellers") {
			return ErrEnough.With(err)
		}
		return err
	}, `update quotations.request set sellers = sellers + 1 where id = $1`, request)
	tx.Queue(`insert into quotations.asked (request, seller, named, reason) values ($1, $2, false, $3)`, request, me.seller, reason)
}

func askedIn(ctx context.Context, db pg.DB, request string) ([]string, error) {
	return pg.Column[string](ctx, db, `select seller from quotations.asked where request = $1 order by seller`, request)
}

func namedIn(ctx context.Context, db pg.DB, request string) ([]string, error) {
	return pg.Column[string](ctx, db, `select seller from quotations.asked where request = $1 and named order by seller`, request)
}
