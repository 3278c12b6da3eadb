package audit

import (
	"context"

	"tiwiza/pkg/pg"
)

func insert(tx *pg.Tx, action, subject, policy string, detail any) {
	tx.Queue(`insert into platform.audit (action, subject, policy, detail) values ($1, $2, $3, $4)`, action, subject, policy, detail)
}

// trail reads rows, newest first, from below one on; 0 from the newest.
func trail(ctx context.Context, db pg.DB, in ListInput, below int64) ([]View, error) {
	var w pg.Where
	w.And(in.Action != "", "action =", in.Action)
	w.And(in.Subject != "", "subject =", in.Subject)
	w.And(in.Actor != "", "actor =", in.Actor)
	w.And(in.From != nil, "at >=", in.From)
	w.And(in.Until != nil, "at <", in.Until)
	w.And(below > 0, "seq <", below)
	most := w.Arg(in.Limit + 1)
	return pg.All[View](ctx, db, `select seq, at, actor, action, subject, policy, detail from platform.audit where `+w.String()+
		` order by seq desc limit `+most, w.Args()...)
}
