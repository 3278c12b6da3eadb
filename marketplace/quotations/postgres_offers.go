package quotations

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

const offerColumns = `o.id, o.request, o.seller, o.revision, o.state, o.method, o.delivery, o.lead_days, o.total, o.text, o.reason, o.agreement, o.valid_until, o.made_at, o.version,
	(select jsonb_agg(jsonb_build_object('variant', l.variant, 'answers', l.answers, 'quantity', l.quantity, 'price', l.price) order by l.variant)
		from quotations.offer_line l where l.offer = o.id) as lines`

func insertOffer(tx *pg.Tx, o Offer) {
	tx.Queue(`insert into quotations.offer (id, request, seller, revision, method, delivery, lead_days, total, text, valid_until, made_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		o.ID, o.Request, o.Seller, o.Revision, o.Method, o.Delivery, o.LeadDays, o.Total, o.Text, o.ValidUntil, o.MadeAt)
	var variants []string
	var answers []*int
	var quantities []int
	var prices []int64
	for _, l := range o.Lines {
		variants, answers, quantities, prices = append(variants, l.Variant), append(answers, l.Answers), append(quantities, l.Quantity), append(prices, l.Price)
	}
	tx.Queue(`insert into quotations.offer_line (offer, variant, answers, quantity, price) select $1, * from unnest($2::text[], $3::int[], $4::int[], $5::bigint[])`,
		o.ID, variants, answers, quantities, prices)
}

func saveOffer(tx *pg.Tx, o Offer) {
	tx.QueueOne(ErrOffer, `update quotations.offer set state = $2, reason = $3, agreement = $4, version = $5 where id = $1 and version = $5 - 1`,
		o.ID, o.State, o.Reason, o.Agreement, o.Version)
}

func requestOf(ctx context.Context, db pg.DB, offer string) (string, error) {
	return pg.Value[string](ctx, db, ErrNoOffer, `select request from quotations.offer where id = $1`, offer)
}

func byOffer(ctx context.Context, db pg.DB, offer string) (Offer, error) {
	return pg.One[Offer](ctx, db, ErrNoOffer, `select `+offerColumns+` from quotations.offer o where o.id = $1`, offer)
}

// latest is a seller's last offer for a request, if it has made one.
func latest(ctx context.Context, db pg.DB, request, seller string) ([]Offer, error) {
	return pg.All[Offer](ctx, db, `select `+offerColumns+` from quotations.offer o where o.request = $1 and o.seller = $2 order by o.revision desc limit 1`, request, seller)
}

// liveOffers are those of a request that stand or are accepted.
func liveOffers(ctx context.Context, db pg.DB, request string) ([]Offer, error) {
	return pg.All[Offer](ctx, db, `select `+offerColumns+` from quotations.offer o where o.request = $1 and o.state in ('standing', 'accepted') order by o.id`, request)
}

// listOffers lists the offers for a request, of one seller or ("") all, the
// newest first.
func listOffers(ctx context.Context, db pg.DB, request, seller, below string, limit int) ([]Offer, error) {
	return pg.All[Offer](ctx, db, `select `+offerColumns+` from quotations.offer o
		where o.request = $1 and ($2 = '' or o.seller = $2) and ($3 = '' or o.id < $3) order by o.id desc limit $4`, request, seller, below, limit)
}

func insertMessage(tx *pg.Tx, m Message) {
	tx.Queue(`insert into quotations.message (id, request, seller, sender, text, at) values ($1, $2, $3, $4, $5, $6)`, m.ID, m.Request, m.Seller, m.Sender, m.Text, m.At)
}

func messagesSince(ctx context.Context, db pg.DB, m Message, since time.Time) (int, error) {
	return pg.Value[int](ctx, db, nil, `select count(*)::int from (select from quotations.message
		where request = $1 and seller = $2 and sender = $3 and at > $4 limit 50) m`, m.Request, m.Seller, m.Sender, since)
}

func listMessages(ctx context.Context, db pg.DB, request, seller, below string, limit int) ([]Message, error) {
	return pg.All[Message](ctx, db, `select id, request, seller, sender, text, at from quotations.message
		where request = $1 and seller = $2 and ($3 = '' or id < $3) order by id desc limit $4`, request, seller, below, limit)
}
