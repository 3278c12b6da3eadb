package enrolment

import (
	"context"
	"time"

	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
)

// refusedPapers are those that were refused before a moment and still say something.
const refusedPapers = `select id from enrolment.paper where state = 'rejected' and decided_at < $1 and value <> '—' order by decided_at, id limit $2`

// endedApplications are those whose application ended before a moment, and that still say
// something.
const endedApplications = `select id from enrolment.paper where ended_at < $1 and value <> '—' order by ended_at, id limit $2`

// Personal is what enrolment keeps of organisations, which may be one person's. It is
// theirs; what was refused, and what was handed in for an application that ended, goes by
// itself, sealed numbers and files too.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "enrolment",
		Tables: []personal.Table{{Name: "enrolment.paper"}},
		Ages: []personal.Age{
			{Code: "refused_papers", First: s.releases(refusedPapers), Past: `select enrolment.forget_refused($1, $2)`},
			{Code: "ended_applications", First: s.releases(endedApplications), Past: `select enrolment.forget_ended($1, $2)`},
		},
	}
}

// releases lets go of the files of some papers.
func (s *Service) releases(papers string) func(ctx context.Context, tx *pg.Tx, before time.Time, most int) error {
	return func(ctx context.Context, tx *pg.Tx, before time.Time, most int) error {
		type paper struct{ File, ID string }
		all, err := pg.All[paper](ctx, tx, `select file, id from enrolment.paper where id in (`+papers+`) and file <> ''`, before, most)
		for _, p := range all {
			s.Files.Release(tx, p.File, p.ID)
		}
		return err
	}
}
