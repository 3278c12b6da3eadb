package pools

import "tiwiza/pkg/personal"

// Personal is what pools keep of who pledges, under an id.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "pools",
		Duties: []personal.Duty{{Code: "pools.open", Open: `select p.pool from pools.pledge p join pools.pool x on x.id = p.pool where p.member = any($1) and p.state in ('pledged', 'matched') and x.state in ('open', 'cleared')
			union select id from pools.pool where organiser = any($1) and state in ('open', 'cleared') order by 1 limit 21`}},
		Tables: []personal.Table{
			{Name: "pools.pledge", Show: `select jsonb_build_object('pool', pool, 'side', side, 'quantity', quantity, 'centimes', price, 'state', state, 'at', made_at) from pools.pledge where member = any($1) order by id`},
			{Name: "pools.pool", Show: `select jsonb_build_object('id', id, 'names', names, 'text', text, 'state', state, 'deadline', deadline) from pools.pool where organiser = any($1) order by id`},
			{Name: "pools.deal", Show: `select jsonb_build_object('pool', pool, 'order', order_id, 'state', state) from pools.deal where buyer = any($1) order by id`},
		},
	}
}
