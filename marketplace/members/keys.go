package members

import (
	"context"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// NewPerson is what is known of a person; phone (E.164) and email may be "".
type NewPerson struct {
	Names        Texts
	Phone, Email string
}

// CreatePerson writes down a person and returns its id.
func (s *Service) CreatePerson(_ context.Context, tx *pg.Tx, p NewPerson) (string, error) {
	if p.Names == nil {
		p.Names = Texts{}
	}
	pid := id.New(id.Person)
	insertPerson(tx, pid, p)
	return pid, nil
}

// CreateKey makes an API key for an organisation or a person. The key it
// returns is the only copy of the secret.
func (s *Service) CreateKey(_ context.Context, tx *pg.Tx, subject string, role auth.Role, label string) (auth.Key, error) {
	k := auth.NewKey()
	insertKey(tx, credential{ID: k.ID, Subject: subject, Role: role, Label: label, Hash: k.Hash(), CreatedAt: tx.Now()})
	return k, nil
}

// RevokeKey closes a key for good; one that is not there is auth.ErrUnknown.
func (s *Service) RevokeKey(ctx context.Context, tx *pg.Tx, key string) error {
	return revoke(ctx, tx, key)
}
