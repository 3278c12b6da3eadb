package policies

import "tiwiza/pkg/personal"

// Personal is what is kept of buyers who are insured by the hub's way. Insurers and
// their supervisor ask for it for years: it stays, under an id.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "policies",
		Duties: []personal.Duty{
			{Code: "policies.in_force", Open: `select id from policies.policy where member = any($1) and state in ('pending', 'active') order by id limit 21`},
			{Code: "policies.claim_open", Open: `select id from policies.claim where member = any($1) and state not in ('paid', 'rejected') order by id limit 21`},
		},
		Tables: []personal.Table{
			{Name: "policies.policy", Show: `select jsonb_build_object('id', id, 'insurer', insurer, 'number', number, 'state', state, 'centimes', premium, 'starts', starts, 'ends', ends, 'agreed_to', consent_hash, 'agreed_at', consent_at) from policies.policy where member = any($1) order by id`},
			{Name: "policies.quote", Show: `select jsonb_build_object('id', id, 'insurer', insurer, 'state', state, 'subject', subject) from policies.quote where member = any($1) order by id`},
			{Name: "policies.claim", Show: `select jsonb_build_object('id', id, 'kind', kind, 'description', description, 'state', state) from policies.claim where member = any($1) order by id`},
		},
	}
}
