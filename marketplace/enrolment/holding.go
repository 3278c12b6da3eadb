package enrolment

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// Holding are the papers of an organisation that were accepted and hold at a
// moment, for other domains that ask for the same.
func (s *Service) Holding(ctx context.Context, db pg.DB, org string, at time.Time) (held []Paper, err error) {
	all, err := livePapers(ctx, db, org)
	for _, p := range all {
		if p.holds(at) {
			held = append(held, p)
		}
	}
	return held, err
}
