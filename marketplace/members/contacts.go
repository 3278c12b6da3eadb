package members

import (
	"context"

	"tiwiza/pkg/pg"
)

// A Contact is where a person can be reached; Phone and Email may be "".
type Contact struct{ Phone, Email, Lang string }

// Contact says where a person can be reached; nobody is known under another id.
func (s *Service) Contact(ctx context.Context, db pg.DB, person string) ([]Contact, error) {
	return contact(ctx, db, person)
}

// ContactsOf says where those of an organisation can be reached who look after
// its sales, its money or its people.
func (s *Service) ContactsOf(ctx context.Context, db pg.DB, organisation string) ([]Contact, error) {
	return contactsOf(ctx, db, organisation)
}
