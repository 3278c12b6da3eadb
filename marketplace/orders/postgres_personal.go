package orders

import (
	"context"
	"slices"
	"time"

	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
)

// forgotten stands where a text was that a row must have.
const forgotten = "—"

// over are the states in which nothing of an order is waited for any more.
const over = `('completed', 'expired', 'cancelled', 'refunded', 'refused')`

// disputable finds whether what proves a delivery may be asked for: the order s.order_id,
// or a return of it, is not over, or it was paid by card so lately that its bank can still
// ask for the money back. An order is not over while a dispute about it is open. $1 is
// proofKept ago.
const disputable = `(exists (select from orders.seller_order o where o.id = s.order_id and (o.state not in ` + over + ` or ` + chargeable + `))
	or exists (select from orders.return r where r.order_id = s.order_id and r.ended_at is null and r.state <> 'rejected'))`

// chargeable finds whether the order o was paid by card less than 540 days ago, the longest
// that card schemes leave a buyer's bank; $1 is half a year ago.
const chargeable = `o.payment = 'card' and o.created_at >= $1 - interval '360 days'`

// agedProofs are parcels that came before a moment, of which a place or a photograph is
// left that nobody needs; after the first $3.
const agedProofs = `select s.id, s.order_id, s.photo from orders.shipment s where s.delivered_at < $1 and (s.lat is not null or s.photo not in ('', '` + forgotten + `')) and not ` + disputable + ` order by s.delivered_at, s.id limit $2 offset $3`

// agedAttempts are failed deliveries of which a place or a note is left that nobody needs;
// after the first $3.
const agedAttempts = `select a.shipment, a.n, coalesce(s.order_id, '') as order_id from orders.attempt a left join orders.shipment s on s.id = a.shipment
	where a.at < $1 and (a.note <> '' or a.lat is not null) and not ` + disputable + ` order by a.at, a.shipment, a.n limit $2 offset $3`

// pass lets go of what is past its time, most at once, until at least so many went or none
// is left: what is contested stays, and keeps nothing that comes after it. Let lets go of
// what it may of those that come after the first skip, and says how many it saw, and of
// how many it let go.
func pass(most int, let func(skip int) (saw, gone int, err error)) (n int64, err error) {
	for stay := 0; ; {
		saw, gone, err := let(stay)
		n += int64(gone)
		stay += saw - gone
		if err != nil || saw < most || n >= int64(most) {
			return n, err
		}
	}
}

// passProofs lets go of where parcels came and of their photographs. What is about an
// order that somebody contests stays until that is decided: its bank asks for it.
func (s *Service) passProofs(ctx context.Context, tx *pg.Tx, before time.Time, most int) (int64, error) {
	type proof struct{ ID, OrderID, Photo string }
	return pass(most, func(skip int) (int, int, error) {
		all, err := pg.All[proof](ctx, tx, agedProofs, before, most, skip)
		if err != nil || len(all) == 0 {
			return 0, 0, err
		}
		open, err := s.contested(ctx, tx, each(all, func(p proof) string { return p.OrderID }))
		if err != nil {
			return 0, 0, err
		}
		var gone []string
		for _, p := range all {
			if open[p.OrderID] {
				continue
			}
			gone = append(gone, p.ID)
			if p.Photo != "" && p.Photo != forgotten {
				s.Files.Release(tx, p.Photo, p.ID)
			}
		}
		_, err = tx.Exec(ctx, `update orders.shipment set lat = null, lng = null, accuracy_m = null, photo = case when photo = '' then '' else '`+forgotten+`' end where id = any($1)`, gone)
		return len(all), len(gone), err
	})
}

// passAttempts lets go of where nobody was at home.
func (s *Service) passAttempts(ctx context.Context, tx *pg.Tx, before time.Time, most int) (int64, error) {
	type attempt struct {
		Shipment string
		N        int32
		OrderID  string
	}
	return pass(most, func(skip int) (int, int, error) {
		all, err := pg.All[attempt](ctx, tx, agedAttempts, before, most, skip)
		if err != nil || len(all) == 0 {
			return 0, 0, err
		}
		open, err := s.contested(ctx, tx, each(all, func(a attempt) string { return a.OrderID }))
		if err != nil {
			return 0, 0, err
		}
		var shipments []string
		var ns []int32
		for _, a := range all {
			if !open[a.OrderID] {
				shipments, ns = append(shipments, a.Shipment), append(ns, a.N)
			}
		}
		_, err = tx.Exec(ctx, `update orders.attempt set note = '', lat = null, lng = null, accuracy_m = null where (shipment, n) in (select * from unnest($1::text[], $2::int[]))`, shipments, ns)
		return len(all), len(ns), err
	})
}

// contested are those orders of which a case is open: a dispute, a return, a chargeback.
func (s *Service) contested(ctx context.Context, db pg.DB, orders []string) (map[string]bool, error) {
	cases, err := s.Escrows.CaseOf(ctx, db, orders)
	open := make(map[string]bool, len(cases))
	for order := range cases {
		open[order] = true
	}
	return open, err
}

// agedGroups are orders of somebody who may have no account, made before a moment and over;
// after the first $3.
const agedGroups = `select g.id, g.buyer, array(select id from orders.seller_order o where o.grp = g.id) as orders from orders.order_group g where g.created_at < $1 and g.aged = ''
	and not exists (select from orders.seller_order o where o.grp = g.id and (o.state not in ` + over + ` or o.payment = 'card' and o.created_at >= $1 - interval '175 days'))
	and not exists (select from orders.return r join orders.seller_order o on o.id = r.order_id where o.grp = g.id and r.ended_at is null and r.state <> 'rejected')
	order by g.created_at, g.id limit $2 offset $3 for update of g`

// passGuests takes the name, number and address off orders that somebody made without
// an account, which nobody has claimed. Whether their buyer has one is looked at once.
func (s *Service) passGuests(ctx context.Context, tx *pg.Tx, before time.Time, most int) (int64, error) {
	type row struct {
		ID, Buyer string
		Orders    []string
	}
	return pass(most, func(skip int) (int, int, error) {
		all, err := pg.All[row](ctx, tx, agedGroups, before, most, skip)
		if err != nil || len(all) == 0 {
			return 0, 0, err
		}
		var buyers, orders []string
		for _, r := range all {
			buyers, orders = append(buyers, r.Buyer), append(orders, r.Orders...)
		}
		open, err := s.contested(ctx, tx, orders)
		if err != nil {
			return 0, 0, err
		}
		nobodies, err := s.Nobodies.Nobodies(ctx, tx, buyers)
		if err != nil {
			return 0, 0, err
		}
		var guests, others []string
		for _, r := range all {
			switch {
			case slices.ContainsFunc(r.Orders, func(o string) bool { return open[o] }): // until that is decided
			case slices.Contains(nobodies, r.Buyer):
				guests = append(guests, r.ID)
			default:
				others = append(others, r.ID)
			}
		}
		tx.Queue(`update orders.order_group set aged = 'account' where id = any($1)`, others)
		_, err = tx.Exec(ctx, `update orders.order_group set aged = 'forgotten', contact = '{"name": "", "phone": ""}', delivery = delivery - 'address' - 'point' where id = any($1)`, guests)
		return len(all), len(guests) + len(others), err
	})
}

// Personal is what orders keeps of buyers. What somebody bought, from whom and for how
// much stays, without its name, phone number and address; invoices stay as they are.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "orders",
		Also: func(ctx context.Context, tx *pg.Tx, who personal.Subject) error {
			type photo struct{ Photo, ID string }
			all, err := pg.All[photo](ctx, tx, `select s.photo, s.id from orders.shipment s join orders.seller_order o on o.id = s.order_id
				where o.buyer = any($1) and s.photo not in ('', '`+forgotten+`')`, who.Keys())
			for _, p := range all {
				s.Files.Release(tx, p.Photo, p.ID)
			}
			return err
		},
		Ages: []personal.Age{
			{Code: "delivery_proofs", Do: s.passProofs},
			{Code: "delivery_attempts", Do: s.passAttempts},
			{Code: "guest_contacts", Do: s.passGuests},
			{Code: "messages", First: func(ctx context.Context, tx *pg.Tx, before time.Time, most int) error {
				type file struct{ File, ID string }
				all, err := pg.All[file](ctx, tx, `select unnest(m.files) as file, m.id from (select id, files from orders.message where at < $1 and text <> '`+forgotten+`' order by at, id limit $2) m`, before, most)
				for _, f := range all {
					s.Files.Release(tx, f.File, f.ID)
				}
				return err
			}, Past: `update orders.message set text = '` + forgotten + `', files = '{}' where id in (select id from orders.message where at < $1 and text <> '` + forgotten + `' order by at, id limit $2)`},
			{Code: "quotes", Past: `delete from orders.quote where id in (select id from orders.quote where expires_at < $1 order by expires_at limit $2)`},
		},
		Duties: []personal.Duty{
			{Code: "orders.open", Open: `select id from orders.seller_order where buyer = any($1) and state not in ` + over + ` order by id limit 21`},
			{Code: "orders.return_open", Open: `select id from orders.return where buyer = any($1) and ended_at is null and state <> 'rejected' order by id limit 21`},
		},
		Tables: []personal.Table{
			{
				Name:  "orders.order_group",
				Show:  `select jsonb_build_object('id', id, 'contact', contact, 'delivery', delivery, 'centimes', total, 'currency', currency, 'at', created_at) from orders.order_group where buyer = any($1) order by id`,
				Erase: []string{`update orders.order_group set contact = '{"name": "", "phone": ""}', delivery = delivery - 'address' - 'point' where buyer = any($1) and contact ->> 'name' <> ''`},
			},
			{Name: "orders.seller_order", Show: `select jsonb_build_object('id', id, 'seller', seller, 'state', state, 'centimes', total, 'currency', currency, 'at', created_at) from orders.seller_order where buyer = any($1) order by id`},
			{Name: "orders.line", Show: `select jsonb_build_object('order', l.order_id, 'offer', l.offer, 'names', l.names, 'quantity', l.quantity, 'centimes', l.total) from orders.line l join orders.seller_order o on o.id = l.order_id where o.buyer = any($1) order by l.order_id, l.variant`},
			{
				Name: "orders.shipment",
				Show: `select jsonb_build_object('order', s.order_id, 'method', s.method, 'shipped', s.shipped_at, 'delivered', s.delivered_at, 'proof', s.proof, 'lat', s.lat, 'lng', s.lng) from orders.shipment s join orders.seller_order o on o.id = s.order_id where o.buyer = any($1) order by s.id`,
				Erase: []string{`update orders.shipment s set lat = null, lng = null, accuracy_m = null, photo = case when s.photo = '' then '' else '` + forgotten + `' end
					from orders.seller_order o where o.id = s.order_id and o.buyer = any($1) and (s.lat is not null or s.photo not in ('', '` + forgotten + `'))`},
			},
			{
				Name:  "orders.attempt",
				Show:  `select jsonb_build_object('order', s.order_id, 'reason', a.reason, 'at', a.at, 'lat', a.lat, 'lng', a.lng) from orders.attempt a join orders.shipment s on s.id = a.shipment join orders.seller_order o on o.id = s.order_id where o.buyer = any($1) order by a.shipment, a.n`,
				Erase: []string{`update orders.attempt a set note = '', lat = null, lng = null, accuracy_m = null from orders.shipment s join orders.seller_order o on o.id = s.order_id where s.id = a.shipment and o.buyer = any($1) and (a.note <> '' or a.lat is not null)`},
			},
			{
				Name:  "orders.message",
				Show:  `select jsonb_build_object('order', m.order_id, 'text', m.text, 'files', cardinality(m.files), 'at', m.at) from orders.message m join orders.seller_order o on o.id = m.order_id where o.buyer = any($1) and m.sender = 'buyer' order by m.id`,
				Erase: []string{`update orders.message m set text = '` + forgotten + `', files = '{}' from orders.seller_order o where o.id = m.order_id and o.buyer = any($1) and m.sender = 'buyer' and m.text <> '` + forgotten + `'`},
			},
			{
				Name:  "orders.review",
				Show:  `select jsonb_build_object('order', order_id, 'offer', offer, 'stars', stars, 'text', text, 'shown', state = 'shown', 'at', created_at) from orders.review where buyer = any($1) order by id`,
				Erase: []string{`update orders.review set text = '', version = version + 1 where buyer = any($1) and text <> ''`},
			},
			{
				Name:  "orders.return",
				Show:  `select jsonb_build_object('id', id, 'order', order_id, 'reason', reason, 'wish', wish, 'text', text, 'state', state, 'at', requested_at) from orders.return where buyer = any($1) order by id`,
				Erase: []string{`update orders.return set text = '', version = version + 1 where buyer = any($1) and text <> ''`},
			},
			{Name: "orders.return_photo", Show: `select jsonb_build_object('return', p.ret, 'file', p.file) from orders.return_photo p join orders.return r on r.id = p.ret where r.buyer = any($1) order by p.ret, p.place`},
			{Name: "orders.invoice", Show: `select jsonb_build_object('id', i.id, 'order', i.order_id, 'kind', i.kind, 'issued', i.issued_at, 'buyer', i.body -> 'buyer') from orders.invoice i join orders.seller_order o on o.id = i.order_id where o.buyer = any($1) order by i.id`},
			{Name: "orders.consent", Show: `select jsonb_build_object('group', c.grp, 'kind', c.kind, 'hash', c.hash, 'texts', c.texts, 'lang', c.lang, 'at', c.at) from orders.consent c join orders.order_group g on g.id = c.grp where g.buyer = any($1) order by c.grp, c.kind`},
			{Name: "orders.quote", Erase: []string{`delete from orders.quote q using orders.basket b where b.id = q.basket and b.buyer = any($1)`}},
			{
				Name:  "orders.basket",
				Show:  `select jsonb_build_object('id', b.id, 'state', b.state, 'at', b.created_at, 'lines', (select coalesce(jsonb_agg(jsonb_build_object('variant', l.variant, 'quantity', l.quantity) order by l.variant), '[]') from orders.basket_line l where l.basket = b.id)) from orders.basket b where b.buyer = any($1) order by b.id`,
				Erase: []string{`delete from orders.basket_line l using orders.basket b where b.id = l.basket and b.state = 'open' and b.buyer = any($1)`},
			},
			{Name: "orders.timeline"},
			{Name: "orders.courier_link"},
		},
	}
}
