package rest

import "tiwiza/pkg/personal"

// Answers are what the edge keeps of somebody: the answers to what it asked for, which
// it may ask for again within thirty days.
func Answers() personal.Holder {
	return personal.Room{
		Called: "platform",
		Tables: []personal.Table{{
			Name:  "platform.answer",
			Show:  `select jsonb_build_object('key', key, 'status', status, 'at', at) from platform.answer where split_part(split_part(actor, ' ', 2), '/', 1) = any($1) or split_part(actor, ' by ', 2) = any($1) order by at, key`,
			Erase: []string{`delete from platform.answer where split_part(split_part(actor, ' ', 2), '/', 1) = any($1) or split_part(actor, ' by ', 2) = any($1)`},
		}},
	}
}
