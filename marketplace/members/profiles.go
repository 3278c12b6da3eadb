package members

import (
	"context"

	"tiwiza/pkg/pg"
)

// A Profile is what there is to know of a person who may be written to; Phone and
// Email may be "".
type Profile struct {
	ID    string
	Names Texts
	Phone string
	Email string
	Lang  string
}

// Profiles are those of some persons; who is not known is left out.
func (s *Service) Profiles(ctx context.Context, db pg.DB, persons []string) ([]Profile, error) {
	return profiles(ctx, db, persons)
}
