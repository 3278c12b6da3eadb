package promotions

import "tiwiza/pkg/personal"

// Personal is what promotions keeps of buyers: which of them used what, under an id.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "promotions",
		Tables: []personal.Table{
			{Name: "promotions.promotion", Show: `select jsonb_build_object('code', code, 'names', names, 'centimes', amount, 'given_for', made_for, 'until', until, 'ended', ended_at) from promotions.promotion where person = any($1) order by id`},
			{Name: "promotions.redemption", Show: `select jsonb_build_object('order', order_id, 'promotion', promotion, 'centimes', amount, 'at', at) from promotions.redemption where buyer = any($1) order by order_id, promotion`},
			{Name: "promotions.buyer", Show: `select jsonb_build_object('promotion', promotion, 'used', used) from promotions.buyer where buyer = any($1) order by promotion`},
		},
	}
}
