package members

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Errors of memberships and invitations.
var (
	ErrMember     = fault.New(fault.Conflict, "memberships.already", "This person belongs to the organisation already.")
	ErrNoMember   = fault.New(fault.NotFound, "memberships.not_found", "There is no such member of this organisation.")
	ErrInvitation = fault.New(fault.NotFound, "invitations.not_found", "This invitation is not for you, or is over; ask for a new one.")
	ErrTwoSides   = fault.New(fault.Conflict, "memberships.two_sides", "Whom the operator puts into an organisation cannot work for the operator too.")
)

// kindInvitation names invitations among the approvals.
const kindInvitation = "members.invitation"

// invitationLife is how long an invitation waits for its answer.
const invitationLife = 7 * day

// An Invitation asks somebody to work for an organisation.
type Invitation struct {
	ID           string
	Organisation string
	Role         string
	Address      string
	Hash         []byte
	MadeBy       string
	Behind       string
	Second       bool
	OpenedBy     string
	MadeAt       time.Time
	ExpiresAt    time.Time
	EndedAt      *time.Time
	AcceptedBy   *string
}

// waits says whether a second person has yet to agree.
func (i Invitation) waits() bool { return i.Second && i.OpenedBy == "" && i.EndedAt == nil }

// sum stands for exactly the invitation that a second person approves.
func (i Invitation) sum() []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q", i.ID, i.Organisation, i.Role, i.Address, i.MadeBy))
	return sum[:]
}

// Join makes a person a member of an organisation, in a role. It is for setting a
// hub up; people are invited.
func (s *Service) Join(ctx context.Context, tx *pg.Tx, person, organisation, role string) error {
	insertMembership(tx, membership{ID: id.New(id.Membership), Person: person, Organisation: organisation, Role: role})
	return tx.Flush(ctx)
}

// Leave ends a person's membership, from the next request on.
func (s *Service) Leave(ctx context.Context, tx *pg.Tx, person, organisation string) error {
	n, err := endMembership(ctx, tx, person, organisation, tx.Actor())
	if err == nil && n == 0 {
		return ErrNoMember
	}
	if err == nil {
		err = tx.Publish(ctx, Left{Organisation: organisation, Person: person})
	}
	return err
}

// invite asks whoever is at an address to work for an organisation. The same
// again, while it is open, answers the same. What one of the operator's people
// asks waits for a second one, but for a seller's very first person.
func (s *Service) invite(ctx context.Context, tx *pg.Tx, org, role string, at Address) (i Invitation, approval string, err error) {
	o, err := lock(ctx, tx, org)
	if err != nil {
		return i, "", err
	}
	open, err := openInvitation(ctx, tx, org, at)
	if err != nil {
		return i, "", err
	}
	for _, before := range open {
		if before.Role == role && tx.Now().Before(before.ExpiresAt) {
			return before, "", nil
		}
		if err := s.withdraw(ctx, tx, before); err != nil {
			return i, "", err
		}
	}
	if n, err := belongs(ctx, tx, org, at); err != nil || n > 0 {
		return i, "", orElse(err, ErrMember)
	}
	who := auth.From(ctx)
	i = Invitation{ID: id.New(id.Invitation), Organisation: org, Role: role, Address: string(at), MadeBy: who.Person(), MadeAt: tx.Now(), ExpiresAt: tx.Now().Add(invitationLife)}
	if i.Behind, err = s.vouched(ctx, tx, who, org); err != nil {
		return i, "", err
	}
	if who.Role == auth.Operator {
		had, err := everInvited(ctx, tx, org)
		if err != nil {
			return i, "", err
		}
		asSeller, _ := o.Kind.Role()
		i.Second = asSeller != auth.Seller || had
	}
	if i.Second {
		insertInvitation(tx, i)
		r, err := s.approvals.Ask(ctx, tx, approvals.Ask{
			Kind: kindInvitation, Subject: i.ID, Hash: i.sum(), Why: fmt.Sprintf("%s is asked to work for %s as %s.", at, org, role),
		})
		return i, r.ID, err
	}
	token := auth.Secret()
	i.Hash = hashOf(token)
	insertInvitation(tx, i)
	return i, "", s.post(ctx, tx, i, o, token)
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// vouched is the operator's person on whose word somebody is asked: the one who
// asks, or whoever stands behind the one who does.
func (s *Service) vouched(ctx context.Context, tx *pg.Tx, who auth.Principal, org string) (string, error) {
	switch {
	case who.Role == auth.Operator:
		return who.Person(), nil
	case who.Human == "":
		return who.Behind, nil
	}
	return behindOf(ctx, tx, who.Human, org)
}

// post sends an invitation's token to its address.
func (s *Service) post(ctx context.Context, tx *pg.Tx, i Invitation, o Organisation, token string) error {
	if s.courier == nil {
		return ErrNobody
	}
	at := Address(i.Address)
	return s.courier.Tell(ctx, tx, Notice{
		Phone: at.Phone(), Email: at.Email(), Kind: "members.invitation",
		Params: map[string]string{"token": token, "role": i.Role, "organisation": o.Names["fr"], "organisation_ar": o.Names["ar"]},
	})
}

// invitationDecided sends an invitation on a second person's word, or ends it.
func (s *Service) invitationDecided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	i, err := lockInvitation(ctx, tx, r.Subject)
	if err != nil {
		return err
	}
	if r.State == approvals.Refused {
		endInvitation(tx, i.ID, nil)
		return nil
	}
	if !i.waits() || !bytes.Equal(i.sum(), r.Hash) {
		return approvals.ErrChanged
	}
	o, err := load(ctx, tx, i.Organisation)
	if err != nil {
		return err
	}
	token := auth.Secret()
	openInvitationFor(tx, i.ID, hashOf(token), auth.From(ctx).Person(), tx.Now().Add(invitationLife))
	return s.post(ctx, tx, i, o, token)
}

// withdraw ends an invitation that was not answered.
func (s *Service) withdraw(ctx context.Context, tx *pg.Tx, i Invitation) error {
	endInvitation(tx, i.ID, nil)
	if !i.waits() {
		return tx.Flush(ctx)
	}
	return s.approvals.Void(ctx, tx, kindInvitation, i.ID)
}

// Accept makes the caller, who signed in with the very address that was asked, a
// member of the organisation; once.
func (s *Service) Accept(ctx context.Context, token string) (v MembershipView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		m, err := s.accept(ctx, tx, who, token)
		v = m
		return err
	})
	if pg.Violates(err, "membership_one") {
		err = ErrMember
	}
	return v, err
}

func (s *Service) accept(ctx context.Context, tx *pg.Tx, who auth.Principal, token string) (v MembershipView, err error) {
	i, err := invitationBy(ctx, tx, hashOf(token))
	if err != nil {
		return v, err
	}
	p, err := lockPerson(ctx, tx, who.Human)
	if err != nil {
		return v, err
	}
	if !p.at(Address(i.Address)) || i.EndedAt != nil || !tx.Now().Before(i.ExpiresAt) {
		return v, ErrInvitation
	}
	o, err := load(ctx, tx, i.Organisation)
	if err != nil {
		return v, err
	}
	sides, err := sidesOf(ctx, tx, p.ID)
	if err != nil {
		return v, err
	}
	if o.Kind == Operator && sides.Vouched || o.Kind != Operator && sides.Operator && i.Behind != "" {
		return v, ErrTwoSides
	}
	endInvitation(tx, i.ID, &p.ID)
	m := membership{ID: id.New(id.Membership), Person: p.ID, Organisation: o.ID, Role: i.Role, Behind: i.Behind, Invitation: &i.ID}
	insertMembership(tx, m)
	audit.Record(tx, "invitations.accept", o.ID, authz.Policy(ctx), map[string]string{"membership": m.ID, "person": p.ID, "role": i.Role, "made_by": i.MadeBy})
	if err := tx.Flush(ctx); err != nil {
		return v, err
	}
	return MembershipView{ID: m.ID, Organisation: o.ID, Person: p.ID, Names: p.Names, Role: i.Role, Since: tx.Now().UTC()}, tx.Publish(ctx, Joined{Organisation: o.ID, Person: p.ID, Role: i.Role})
}

// at says whether the person is reached at an address.
func (p Person) at(a Address) bool {
	return p.Phone != nil && *p.Phone == string(a) || p.Email != nil && *p.Email == string(a)
}

// remove ends a membership of an organisation.
func (s *Service) remove(ctx context.Context, tx *pg.Tx, org, member string) error {
	m, err := membershipOf(ctx, tx, member)
	if err == nil && (m.Organisation != org || m.ValidTo != nil) {
		err = ErrNoMember
	}
	if err != nil {
		return err
	}
	return s.Leave(ctx, tx, m.Person, org)
}
