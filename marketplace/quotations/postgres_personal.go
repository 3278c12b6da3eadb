package quotations

import "tiwiza/pkg/personal"

// Personal is what quotations keeps of who asked for an offer: that stays, what it
// wrote does not.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "quotations",
		Ages:   []personal.Age{{Code: "quotation_messages", Past: `update quotations.message set text = '—' where id in (select id from quotations.message where at < $1 and text <> '—' order by at limit $2)`}},
		Duties: []personal.Duty{{Code: "quotations.open", Open: `select id from quotations.request where buyer = any($1) and state in ('open', 'awarded') order by id limit 21`}},
		Tables: []personal.Table{
			{
				Name:  "quotations.message",
				Show:  `select jsonb_build_object('request', m.request, 'text', m.text, 'at', m.at) from quotations.message m join quotations.request r on r.id = m.request where r.buyer = any($1) and m.sender = 'buyer' order by m.id`,
				Erase: []string{`update quotations.message m set text = '—' from quotations.request r where r.id = m.request and r.buyer = any($1) and m.sender = 'buyer' and m.text <> '—'`},
			},
			{
				Name:  "quotations.line",
				Show:  `select jsonb_build_object('request', l.request, 'variant', l.variant, 'text', l.text, 'quantity', l.quantity, 'unit', l.unit) from quotations.line l join quotations.request r on r.id = l.request where r.buyer = any($1) order by l.request, l.n`,
				Erase: []string{`update quotations.line l set text = '—' from quotations.request r where r.id = l.request and r.buyer = any($1) and l.text not in ('', '—')`},
			},
			{
				Name:  "quotations.request",
				Show:  `select jsonb_build_object('id', id, 'state', state, 'text', text, 'commune', commune, 'wanted_on', wanted_on, 'budget', budget, 'at', made_at) from quotations.request where buyer = any($1) order by id`,
				Erase: []string{`update quotations.request set text = '', files = '{}', version = version + 1 where buyer = any($1) and (text <> '' or files <> '{}')`},
			},
		},
	}
}
