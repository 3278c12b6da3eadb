package escrow

import "tiwiza/pkg/personal"

// Personal is what escrow keeps of buyers: money that is held for an order, under the
// buyer's id. It is part of the books.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "escrow",
		Duties: []personal.Duty{{Code: "escrow.held", Open: `select id from escrow.hold where buyer = any($1) and state in ('authorized', 'funded') order by id limit 21`}},
		Tables: []personal.Table{{
			Name: "escrow.hold",
			Show: `select jsonb_build_object('id', id, 'order', order_id, 'state', state, 'centimes', amount, 'released', released, 'refunded', refunded, 'at', created_at) from escrow.hold where buyer = any($1) order by id`,
		}},
	}
}
