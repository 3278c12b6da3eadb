package groupbuys

import "tiwiza/pkg/personal"

// Personal is what group buys keep of who takes part, under an id.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "groupbuys",
		Duties: []personal.Duty{{Code: "groupbuys.open", Open: `select s.grp from groupbuys.seat s join groupbuys.group_buy g on g.id = s.grp where s.buyer = any($1) and s.state <> 'left' and g.state in ('open', 'reached', 'ordered')
			union select id from groupbuys.group_buy where organiser = any($1) and state in ('asked', 'open', 'reached', 'ordered') order by 1 limit 21`}},
		Tables: []personal.Table{
			{Name: "groupbuys.seat", Show: `select jsonb_build_object('group_buy', grp, 'quantity', quantity, 'order', order_id, 'state', state, 'at', made_at) from groupbuys.seat where buyer = any($1) order by id`},
			{Name: "groupbuys.group_buy", Show: `select jsonb_build_object('id', id, 'names', names, 'state', state, 'deadline', deadline) from groupbuys.group_buy where organiser = any($1) order by id`},
		},
	}
}
