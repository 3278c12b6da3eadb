package digital

import "tiwiza/pkg/personal"

// Personal is what is kept of who bought files and codes. A code that was given to
// somebody is overwritten: nobody reads it again.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "digital",
		Tables: []personal.Table{
			{Name: "digital.grant", Show: `select jsonb_build_object('order', order_id, 'variant', variant, 'quantity', quantity, 'granted', granted_at, 'until', until, 'opened', opened_at) from digital.grant where buyer = any($1) order by order_id, variant`},
			{Name: "digital.fetch", Show: `select jsonb_build_object('order', f.order_id, 'ware', f.ware, 'times', f.times, 'first', f.first_at, 'last', f.last_at) from digital.fetch f join digital.grant g on (g.order_id, g.variant) = (f.order_id, f.variant) where g.buyer = any($1) order by f.order_id, f.ware`},
			{
				Name: "digital.code",
				Show: `select jsonb_build_object('order', c.order_id, 'variant', c.variant, 'given', c.given_at) from digital.code c where c.state = 'given' and c.order_id in (select order_id from digital.grant where buyer = any($1)) order by c.order_id, c.id`,
				Erase: []string{`update digital.code set sealed = decode(repeat('00', 29), 'hex') where state = 'given' and sealed <> decode(repeat('00', 29), 'hex')
					and order_id in (select order_id from digital.grant where buyer = any($1))`},
			},
		},
	}
}
