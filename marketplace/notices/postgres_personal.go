package notices

import (
	"context"
	"time"

	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
)

// agedNotices are those from before a moment that have ended, or of which a gateway never
// said what became, the oldest first; a message of the day goes when all that was told in it has gone.
const agedNotices = `select n.id from notices.notice n where n.created_at < $1 and (n.state not in ('waiting', 'sending', 'sent') or n.state = 'sent' and n.sealed is null)
	and not exists (select from notices.notice w where w.within = n.id) order by n.created_at, n.id limit $2`

// Personal is what notices keeps of whom it told: the person's own log, and all that
// was sent to its addresses, also for an organisation where it works.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "notices",
		Ages: []personal.Age{{
			Code: "notices",
			First: func(ctx context.Context, tx *pg.Tx, before time.Time, most int) error {
				_, err := tx.Exec(ctx, `delete from notices.attempt where notice in (`+agedNotices+`)`, before, most)
				return err
			},
			Past: `delete from notices.notice where id in (` + agedNotices + `)`,
		}},
		Tables: []personal.Table{
			{
				Name:  "notices.attempt",
				Show:  `select jsonb_build_object('channel', a.channel, 'address', a.address, 'state', a.state, 'at', a.at) from notices.attempt a join notices.notice n on n.id = a.notice where n.owner = any($1) order by a.id`,
				Erase: []string{`delete from notices.attempt a using notices.notice n where n.id = a.notice and (n.owner = any($1) or n.phone = any($1) or n.email = any($1) or a.address = any($1))`},
			},
			{
				Name: "notices.notice",
				Show: `select jsonb_build_object('kind', kind, 'phone', phone, 'email', email, 'says', params, 'state', state, 'at', created_at) from notices.notice where owner = any($1) order by id`,
				Erase: []string{`delete from notices.notice where owner = any($1) or phone = any($1) or email = any($1)
					or within in (select id from notices.notice where owner = any($1) or phone = any($1) or email = any($1))`},
			},
			{
				Name: "notices.settings",
				Show: `select jsonb_build_object('lang', lang, 'channels', channels, 'off', off, 'digest', digest, 'phone', phone, 'email', email) from notices.settings where owner = any($1)`,
				Erase: []string{
					`delete from notices.settings where owner = any($1)`,
					`update notices.settings set phone = case when phone = any($1) then '' else phone end, email = case when email = any($1) then '' else email end, version = version + 1 where phone = any($1) or email = any($1)`,
				},
			},
		},
	}
}
