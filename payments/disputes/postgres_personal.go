package disputes

import "tiwiza/pkg/personal"

// Personal is what disputes keeps of buyers: how a dispute ended stays, what the buyer
// wrote does not.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "disputes",
		Duties: []personal.Duty{{Code: "disputes.open", Open: `select id from disputes.dispute where buyer = any($1) and state <> 'resolved' order by id limit 21`}},
		Tables: []personal.Table{{
			Name:  "disputes.dispute",
			Show:  `select jsonb_build_object('id', id, 'order', order_id, 'reason', reason, 'wish', wish, 'text', text, 'state', state, 'opened', opened_at, 'ruling', ruling) from disputes.dispute where buyer = any($1) order by id`,
			Erase: []string{`update disputes.dispute set text = '', version = version + 1 where buyer = any($1) and text <> ''`},
		}},
	}
}
