package agreements

import "tiwiza/pkg/personal"

// Personal is what agreements keep of buyers: what was agreed on, under an id.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "agreements",
		Tables: []personal.Table{{
			Name: "agreements.agreement",
			Show: `select jsonb_build_object('id', id, 'kind', kind, 'seller', seller, 'state', state, 'order', order_id, 'until', until, 'at', made_at) from agreements.agreement where buyer = any($1) order by id`,
		}},
	}
}
