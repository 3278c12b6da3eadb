package members

import (
	"context"

	"tiwiza/pkg/pg"
)

// A Body is an institution by its names.
type Body struct {
	ID    string
	Names Texts
}

// Institutions are those that are at work, in the order of their ids, beginning
// behind one.
func (s *Service) Institutions(ctx context.Context, db pg.DB, after string, limit int) ([]Body, error) {
	return bodies(ctx, db, after, limit)
}
