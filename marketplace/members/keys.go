package members

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// kindKey names keys among the approvals.
const kindKey = "members.key"

// Approvals is the second person.
type Approvals interface {
	Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r approvals.Request) error)
	Ask(ctx context.Context, tx *pg.Tx, a approvals.Ask) (approvals.Request, error)
	Void(ctx context.Context, tx *pg.Tx, kind, subject string) error
}

// Approve has keys and invitations that one person may not make alone wait for a
// second one. It is called at start.
func (s *Service) Approve(by Approvals) {
	s.approvals = by
	by.Handle(kindKey, s.keyDecided)
	by.Handle(kindInvitation, s.invitationDecided)
}

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

// GuestView is what somebody buys with who has no account.
type GuestView struct {
	Person string `json:"person" required:"true"`
	Key    string `json:"api_key" required:"true" description:"Shown once; whoever has it has the guest's baskets and orders."`
}

// Welcome lets somebody buy without an account: a person of whom nothing is known
// yet, and a secret that opens what it buys. The hub keeps the secret's hash.
func (s *Service) Welcome(ctx context.Context, _ rest.None) (v GuestView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		if v.Person, err = s.CreatePerson(ctx, tx, NewPerson{}); err != nil {
			return err
		}
		k, err := s.CreateKey(ctx, tx, v.Person, auth.Buyer, guest)
		v.Key = k.String()
		return err
	})
	return v, err
}

// guest is the label of the keys of those who have no account.
const guest = "guest"

// CreateKey makes an API key for an organisation or a person that opens at once.
// It is for setting a hub up: nobody stands behind the key. The key it returns is
// the only copy of the secret.
func (s *Service) CreateKey(_ context.Context, tx *pg.Tx, subject string, role auth.Role, label string) (auth.Key, error) {
	k := auth.NewKey()
	insertKey(tx, credential{ID: k.ID, Subject: subject, Role: role, Label: label, Hash: k.Hash(), CreatedAt: tx.Now()})
	return k, nil
}

// mint makes a key of an organisation for whoever is asking: a member for
// itself, or one of the operator's people, who alone may give a seller its first
// key and no other. Who holds a member's key is that member, so the rest wait for
// a second person: until then the secret opens nothing.
func (s *Service) mint(ctx context.Context, tx *pg.Tx, org, label string) (c credential, k auth.Key, approval string, err error) {
	o, err := lock(ctx, tx, org) // one first key
	if err != nil {
		return c, k, "", err
	}
	role, ok := o.Kind.Role()
	if !ok {
		return c, k, "", ErrNoAccess
	}
	if role != auth.Seller && o.State != Active { // a bank's word moves money
		return c, k, "", ErrNotActive
	}
	had, err := keysOf(ctx, tx, org, "", 1)
	if err != nil {
		return c, k, "", err
	}
	who := auth.From(ctx)
	k = auth.NewKey()
	c = credential{
		ID: k.ID, Subject: org, Role: role, Label: label, Hash: k.Hash(), MadeBy: who.Person(), MadeWith: who.Key, Behind: who.Makes(),
		Second: who.Role == auth.Operator && (role != auth.Seller || len(had) > 0), CreatedAt: tx.Now(),
	}
	insertKey(tx, c)
	if !c.Second {
		return c, k, "", nil
	}
	r, err := s.approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindKey, Subject: c.ID, Hash: c.sum(),
		Why: fmt.Sprintf("A key «%s» for %s, with which one acts as its %s.", label, org, role),
	})
	return c, k, r.ID, err
}

// sum stands for exactly the key that a second person approves.
func (c credential) sum() []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %x", c.ID, c.Subject, c.Role, c.Label, c.MadeBy, c.Hash))
	return sum[:]
}

// waits says whether a second person has yet to agree.
func (c credential) waits() bool { return c.Second && c.OpenedBy == "" && c.RevokedAt == nil }

// keyDecided opens a key on a second person's word, or closes it for good.
func (s *Service) keyDecided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	c, err := lockKey(ctx, tx, r.Subject)
	if err != nil {
		return err
	}
	if r.State == approvals.Refused {
		return revoke(ctx, tx, c.ID)
	}
	if !c.waits() || !bytes.Equal(c.sum(), r.Hash) {
		return approvals.ErrChanged
	}
	o, err := load(ctx, tx, c.Subject)
	if err != nil {
		return err
	}
	if c.Role != auth.Seller && o.State != Active {
		return ErrNotActive
	}
	openKey(tx, c.ID, auth.From(ctx).Person())
	return nil
}

// RevokeKey closes a key for good, from the next request on; one that is not
// there is auth.ErrUnknown.
func (s *Service) RevokeKey(ctx context.Context, tx *pg.Tx, key string) error {
	if err := revoke(ctx, tx, key); err != nil || s.approvals == nil {
		return err
	}
	return s.approvals.Void(ctx, tx, kindKey, key)
}
