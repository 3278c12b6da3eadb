package audit

import "tiwiza/pkg/pg"

func insert(tx *pg.Tx, action, subject, policy string, detail any) {
	tx.Queue(`insert into platform.audit (action, subject, policy, detail) values ($1, $2, $3, $4)`, action, subject, policy, detail)
}
