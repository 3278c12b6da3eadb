package charges

import "tiwiza/pkg/personal"

// Personal is what charges keeps of who pays. What was paid, and the account that money
// went back to, stay with the books; whom to call does not.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "charges",
		Duties: []personal.Duty{
			{Code: "charges.pending", Open: `select id from charges.charge where buyer = any($1) and state in ('created', 'accepted', 'unknown') order by id limit 21`},
			{Code: "charges.refund_open", Open: `select id from charges.refund where buyer = any($1) and state not in ('confirmed', 'rejected') order by id limit 21`},
			{Code: "charges.chargeback_open", Open: `select b.id from charges.chargeback b join charges.charge c on c.id = b.charge where c.buyer = any($1) and b.state = 'open' order by b.id limit 21`},
		},
		Tables: []personal.Table{
			{
				Name:  "charges.charge",
				Show:  `select jsonb_build_object('id', id, 'method', method, 'state', state, 'contact', contact, 'centimes', amount, 'currency', currency, 'at', created_at) from charges.charge where buyer = any($1) order by id`,
				Erase: []string{`update charges.charge set contact = '{}' where buyer = any($1) and contact <> '{}'`},
			},
			{
				Name:  "charges.wallet_request",
				Show:  `select jsonb_build_object('charge', w.charge, 'phone', w.phone, 'refusal', w.refusal, 'at', w.created_at) from charges.wallet_request w join charges.charge c on c.id = w.charge where c.buyer = any($1) order by w.charge, w.no`,
				Erase: []string{`update charges.wallet_request w set phone = '' from charges.charge c where c.id = w.charge and c.buyer = any($1) and w.phone <> ''`},
			},
			{Name: "charges.refund", Show: `select jsonb_build_object('id', id, 'charge', charge, 'centimes', amount, 'currency', currency, 'state', state, 'rib', rib, 'holder', holder, 'reason', reason, 'at', created_at) from charges.refund where buyer = any($1) order by id`},
			{Name: "charges.transfer", Show: `select jsonb_build_object('charge', t.charge, 'reference', t.reference, 'payer', t.payer) from charges.transfer t join charges.charge c on c.id = t.charge where c.buyer = any($1) order by t.charge`},
			{Name: "charges.chargeback", Show: `select jsonb_build_object('id', b.id, 'charge', b.charge, 'state', b.state, 'reason', b.reason, 'at', b.opened_at) from charges.chargeback b join charges.charge c on c.id = b.charge where c.buyer = any($1) order by b.id`},
			{Name: "charges.credit"},
			{Name: "charges.case_message"},
		},
	}
}
