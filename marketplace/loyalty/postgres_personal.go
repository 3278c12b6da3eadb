package loyalty

import "tiwiza/pkg/personal"

// Personal is what loyalty keeps of people: points under an id, which say nothing of
// who it was once its name is gone.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "loyalty",
		Tables: []personal.Table{
			{Name: "loyalty.account", Show: `select jsonb_build_object('points', points, 'owed', owed) from loyalty.account where person = any($1)`},
			{Name: "loyalty.move", Show: `select jsonb_build_object('kind', kind, 'ref', ref, 'note', note, 'points', points, 'at', at) from loyalty.move where person = any($1) order by id`},
			{Name: "loyalty.lot"},
			{Name: "loyalty.sale", Show: `select jsonb_build_object('order', order_id, 'earned', earned, 'at', completed_at) from loyalty.sale where person = any($1) order by order_id`},
			{Name: "loyalty.voucher", Show: `select jsonb_build_object('promotion', promotion, 'points', points, 'worth', worth, 'until', until) from loyalty.voucher where person = any($1) order by promotion`},
		},
	}
}
