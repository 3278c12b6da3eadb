package relations

import (
	"context"

	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
)

// Personal is what somebody agreed to, and what systems outside were told of it. These
// are asked to forget it; that somebody agreed, or refused, is kept as proof.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "relations",
		Also: func(ctx context.Context, tx *pg.Tx, who personal.Subject) error {
			return s.Forget(ctx, tx, who.Person)
		},
		Tables: []personal.Table{
			{Name: "relations.wish", Show: `select jsonb_build_object('purpose', purpose, 'granted', granted, 'said_by', source, 'at_system', partner, 'text_hash', text_hash, 'lang', lang, 'at', at) from relations.wish where person = any($1) order by id`},
			{Name: "relations.stance", Show: `select jsonb_build_object('purpose', purpose, 'granted', granted, 'since', at) from relations.stance where person = any($1) order by purpose`},
			{Name: "relations.partner_link", Show: `select jsonb_build_object('system', partner, 'what', entity, 'id', local_id, 'told', version, 'told_at', sent_at) from relations.partner_link where person = any($1) order by partner, entity, local_id`},
			{Name: "relations.erasure", Show: `select jsonb_build_object('system', partner, 'state', state, 'asked', asked_at, 'done', done_at, 'proof', proof) from relations.erasure where person = any($1) order by id`},
		},
	}
}
