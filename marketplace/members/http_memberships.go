package members

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/phone"
	"tiwiza/pkg/rest"
	"tiwiza/pkg/script"
)

// MembershipRoutes is who works for an organisation, and who is asked to. Each
// may be sent again: it finds what is so already, and changes nothing.
func MembershipRoutes(s *Service) []rest.Route {
	const org = "/v1/organisations/{org}"
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Handle("GET", org+"/members", "memberships.list", "List who works for an organisation", ok, s.listMembers),
		rest.Handle("POST", org+"/members", "memberships.invite", "Ask somebody to work for an organisation; the invitation goes to the address alone", made, s.inviteMember),
		rest.Handle("GET", org+"/invitations", "memberships.invited", "List who is asked to work for an organisation", ok, s.listInvitations),
		rest.Handle("DELETE", org+"/members/{member}", "memberships.remove", "End a membership, from the next request on", ok, s.removeMember),
		rest.Handle("DELETE", "/v1/me/memberships/{member}", "memberships.leave", "Leave an organisation", ok, s.leave),
		rest.Handle("GET", "/v1/invitations/{token}", "invitations.show", "Read an invitation, before one accepts it; for whom it was sent to", ok, s.ShowInvitation),
		rest.Handle("POST", "/v1/invitations/{token}/accept", "invitations.accept", "Accept an invitation; once, by whom it was sent to", ok,
			func(ctx context.Context, in AcceptInput) (MembershipView, error) { return s.Accept(ctx, in.Token) }),
		rest.Handle("PATCH", "/v1/me", "people.update", "Say one's name and language", ok, s.updateMe),
	}
}

// MembershipView is a person's place in an organisation.
type MembershipView struct {
	ID           string    `json:"id" required:"true"`
	Organisation string    `json:"organisation" required:"true"`
	Person       string    `json:"person" required:"true"`
	Names        Texts     `json:"names" required:"true"`
	Phone        string    `json:"phone,omitempty" description:"Most of it hidden."`
	Role         string    `json:"role" required:"true" enum:"manager,treasurer,member,courier,agent"`
	Since        time.Time `json:"since" required:"true"`
}

// InviteInput asks somebody to work for an organisation.
type InviteInput struct {
	Org   string `path:"org"`
	Phone string `json:"phone,omitempty" maxLength:"30"`
	Email string `json:"email,omitempty" maxLength:"254"`
	Role  string `json:"role" required:"true" enum:"manager,treasurer,member,courier,agent"`
}

// InvitationView is an invitation, without its token.
type InvitationView struct {
	ID        string    `json:"id" required:"true"`
	To        string    `json:"to" required:"true" description:"The address, most of it hidden."`
	Role      string    `json:"role" required:"true"`
	MadeBy    string    `json:"made_by" required:"true"`
	Waits     bool      `json:"waits,omitempty" description:"It goes out once a second person has approved it."`
	Approval  string    `json:"approval,omitempty" description:"Where a second person approves it: POST /v1/approvals/{id}."`
	ExpiresAt time.Time `json:"expires_at" required:"true"`
}

func invitationView(i Invitation) InvitationView {
	return InvitationView{i.ID, phone.Mask(i.Address), i.Role, i.MadeBy, i.waits(), "", i.ExpiresAt.UTC()}
}

func (s *Service) inviteMember(ctx context.Context, in InviteInput) (v InvitationView, err error) {
	policy, err := s.may(ctx, "memberships.invite", in.Org)
	if err != nil {
		return v, err
	}
	at, err := addressOf(in.Phone, in.Email)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		i, approval, err := s.invite(ctx, tx, in.Org, in.Role, at)
		if err != nil {
			return err
		}
		v = invitationView(i)
		v.Approval = approval
		audit.Record(tx, "memberships.invite", in.Org, policy, map[string]any{"invitation": i.ID, "role": i.Role, "waits": i.waits()})
		return nil
	})
	return v, err
}

func (s *Service) listMembers(ctx context.Context, in OfOrganisation) (p rest.Page[MembershipView], err error) {
	var below string
	if err := s.listing(ctx, "memberships.list", in, &below); err != nil {
		return p, err
	}
	all, err := membersOf(ctx, s.db, in.Org, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, func(m seated) MembershipView {
		v := MembershipView{m.ID, in.Org, m.Person, m.Names, "", m.Role, m.ValidFrom.UTC()}
		if m.Phone != nil {
			v.Phone = phone.Mask(*m.Phone)
		}
		return v
	}, func(v MembershipView) any { return v.ID }), nil
}

func (s *Service) listInvitations(ctx context.Context, in OfOrganisation) (p rest.Page[InvitationView], err error) {
	var below string
	if err := s.listing(ctx, "memberships.invited", in, &below); err != nil {
		return p, err
	}
	all, err := invitationsOf(ctx, s.db, in.Org, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, invitationView, func(v InvitationView) any { return v.ID }), nil
}

// OneMember names a membership.
type OneMember struct {
	Org    string `path:"org"`
	Member string `path:"member"`
}

func (s *Service) removeMember(ctx context.Context, in OneMember) (v EndedView, err error) {
	policy, err := s.may(ctx, "memberships.remove", in.Org)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		audit.Record(tx, "memberships.remove", in.Org, policy, map[string]string{"membership": in.Member})
		return s.remove(ctx, tx, in.Org, in.Member)
	})
	return EndedView{1}, err
}

// MyMember names a membership of the caller's own.
type MyMember struct {
	Member string `path:"member"`
}

func (s *Service) leave(ctx context.Context, in MyMember) (v EndedView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		m, err := membershipOf(ctx, tx, in.Member)
		if err == nil && (m.Person != who.Human || m.ValidTo != nil) {
			err = ErrNoMember
		}
		if err != nil {
			return err
		}
		audit.Record(tx, "memberships.leave", m.Organisation, authz.Policy(ctx), map[string]string{"membership": m.ID})
		return s.Leave(ctx, tx, who.Human, m.Organisation)
	})
	return EndedView{1}, err
}

// AcceptInput is an invitation's token.
type AcceptInput struct {
	Token string `path:"token"`
}

// OfferedView is an invitation as whoever it was sent to reads it.
type OfferedView struct {
	Organisation string    `json:"organisation" required:"true"`
	Names        Texts     `json:"names" required:"true" description:"The organisation's, by language."`
	Kind         Kind      `json:"kind" required:"true"`
	Role         string    `json:"role" required:"true" enum:"manager,treasurer,member,courier,agent"`
	ExpiresAt    time.Time `json:"expires_at" required:"true"`
}

// ShowInvitation is an invitation that still waits, for whoever signed in with the
// very address to which it was sent; for anybody else there is none.
func (s *Service) ShowInvitation(ctx context.Context, in AcceptInput) (v OfferedView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	i, err := invitationWaiting(ctx, s.db, hashOf(in.Token))
	if err != nil {
		return v, err
	}
	p, err := loadPerson(ctx, s.db, who.Human)
	if err != nil {
		return v, err
	}
	if !p.at(Address(i.Address)) {
		return v, ErrInvitation
	}
	o, err := load(ctx, s.db, i.Organisation)
	return OfferedView{o.ID, o.Names, o.Kind, i.Role, i.ExpiresAt.UTC()}, err
}

// UpdateInput is what a person says of itself. What is left out stays.
type UpdateInput struct {
	Names Texts   `json:"names,omitempty" description:"By language."`
	Lang  *string `json:"lang,omitempty" enum:"fr,ar,zgh,en"`
	Voice *bool   `json:"voice,omitempty" description:"Would rather be spoken to than read."`
}

func (s *Service) updateMe(ctx context.Context, in UpdateInput) (v MeView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	in.Names = tidied(in.Names)
	if wrong := checkTexts(nil, "/names", in.Names, 100); wrong != nil {
		return v, wrong
	}
	for lang, name := range in.Names {
		if !script.Line(name) {
			return v, ErrInvalid.At("/names/"+lang, "Write the name with letters alone, without signs that nobody sees.")
		}
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		p, err := lockPerson(ctx, tx, who.Human)
		if err != nil {
			return err
		}
		if in.Names != nil {
			p.Names = in.Names
		}
		if in.Lang != nil {
			p.Lang = *in.Lang
		}
		if in.Voice != nil {
			p.Voice = *in.Voice
		}
		savePerson(tx, p)
		audit.Record(tx, "people.update", who.Human, authz.Policy(ctx), nil)
		v, err = s.meView(ctx, tx, who)
		return err
	})
	return v, err
}
