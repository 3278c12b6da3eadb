package enrolment

import (
	"context"
	"time"

	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
)

// refusedPapers are those that were refused before a moment and still say something.
const refusedPapers = `select id from enrolment.paper where state = 'rejected' and decided_at < $1 and value <> '—' order by decided_at, id limit $2`

// Personal is what enrolment keeps of organisations, which may be one person's. It is
// theirs; what was refused goes by itself, sealed numbers and files too.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "enrolment",
		Tables: []personal.Table{{Name: "enrolment.paper"}},
		Ages: []personal.Age{{
			Code: "refused_papers",
			First: func(ctx context.Context, tx *pg.Tx, before time.Time, most int) error {
				type paper struct{ File, ID string }
				all, err := pg.All[paper](ctx, tx, `select file, id from enrolment.paper where id in (`+refusedPapers+`) and file <> ''`, before, most)
				for _, p := range all {
					s.Files.Release(tx, p.File, p.ID)
				}
				return err
			},
			Past: `select enrolment.forget_refused($1, $2)`,
		}},
	}
}
