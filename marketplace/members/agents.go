package members

import (
	"context"
	"errors"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// ToAct is the purpose of codes by which a member lets an agent act for it.
const ToAct Purpose = "agent"

// agentLife is how long an agent acts for a member on one code.
const agentLife = 8 * time.Hour

// ErrNoMandate says that whoever gave a code cannot let an agent act.
var ErrNoMandate = fault.New(fault.NotFound, "agents.no_member", "Whoever has this phone does not sell for this organisation, so nobody can act for it by this code.")

// AgentCodeInput asks a member for its code.
type AgentCodeInput struct {
	Organisation string `json:"organisation" required:"true" maxLength:"40" description:"Which the member works for."`
	Phone        string `json:"phone" required:"true" maxLength:"30" description:"The member's own."`
}

// agent is the caller at the desk from which it may act for members.
func agent(ctx context.Context) (auth.Principal, error) {
	who, err := me(ctx)
	if err == nil && (!who.Proof.Desk || who.For != "" || who.Proof.Rights&auth.Represent == 0) {
		err = authz.ErrDenied
	}
	return who, err
}

// bond ties a code to the agent's session and the organisation that it is about.
func bond(session, organisation string) string { return session + " " + organisation }

// AskMandate sends a member the code that it reads to the agent who stands before
// it. The same happens whoever has the number.
func (s *Service) AskMandate(ctx context.Context, in AgentCodeInput, from Origin) (v CodeView, err error) {
	who, err := agent(ctx)
	if err != nil {
		return v, err
	}
	at, err := addressOf(in.Phone, "")
	if err != nil {
		return v, err
	}
	return s.askCode(ctx, ToAct, bond(who.Key, in.Organisation), at, Notice{}, from)
}

// MandateInput is the member's code.
type MandateInput struct {
	Organisation string `json:"organisation" required:"true" maxLength:"40"`
	Phone        string `json:"phone" required:"true" maxLength:"30"`
	Code         string `json:"code" required:"true" pattern:"^[0-9]{6}$"`
	Handle       string `json:"handle" required:"true" minLength:"43" maxLength:"43"`
}

// MandateView is the session in which an agent acts for a member.
type MandateView struct {
	Session string    `json:"session" required:"true"`
	Token   string    `json:"token" required:"true" description:"Shown this once; the agent's own session stays as it is."`
	For     string    `json:"for" required:"true" description:"The member's person."`
	Until   time.Time `json:"until" required:"true"`
}

// Mandate opens a session in which the agent acts for the member who gave it the
// code: with the member's own rights there, but nothing that pays money out, shows
// or changes where it is paid, or says who belongs to the organisation. It ends
// after eight hours, and at once when the member, or whoever sent the agent, ends
// it.
func (s *Service) Mandate(ctx context.Context, in MandateInput, from Origin) (v MandateView, err error) {
	who, err := agent(ctx)
	if err != nil {
		return v, err
	}
	at, err := addressOf(in.Phone, "")
	if err != nil {
		return v, err
	}
	var refused error
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		v = MandateView{}
		if refused, err = s.use(ctx, tx, ToAct, bond(who.Key, in.Organisation), at, in.Handle, in.Code, from); err != nil || refused != nil {
			return err
		}
		via, err := deskOf(ctx, tx, who.Key)
		if err != nil {
			return err
		}
		member, err := mandator(ctx, tx, at, in.Organisation, who.Human)
		if errors.Is(err, ErrNoMandate) || err == nil && via == in.Organisation {
			refused = ErrNoMandate // the code is used all the same
			return nil
		}
		if err != nil {
			return err
		}
		k := auth.KeyOf(id.New(id.Session))
		v = MandateView{k.ID, k.String(), member, tx.Now().Add(agentLife).UTC()}
		insertMandate(tx, k, who.Human, member, in.Organisation, via, v.Until, from)
		audit.Record(tx, "agents.session", member, authz.Policy(ctx), map[string]string{"session": k.ID, "agent": who.Human, "organisation": in.Organisation, "via": via})
		return tx.Publish(ctx, Mandated{Organisation: in.Organisation, Person: member, Agent: who.Human, Session: k.ID})
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return MandateView{}, err
	}
	return v, nil
}

// An AgentView is an agent who acts for the caller.
type AgentView struct {
	Session      string    `json:"session" required:"true"`
	Agent        string    `json:"agent" required:"true"`
	Names        Texts     `json:"names" required:"true"`
	Organisation string    `json:"organisation" required:"true"`
	From         string    `json:"from" required:"true" description:"The organisation that sent it."`
	CreatedAt    time.Time `json:"created_at" required:"true"`
	SeenAt       time.Time `json:"seen_at" required:"true"`
	Until        time.Time `json:"until" required:"true"`
}

// Agents lists who acts for the caller now, the last to begin first.
func (s *Service) Agents(ctx context.Context, in rest.Paging) (p rest.Page[AgentView], err error) {
	who, err := me(ctx)
	if err != nil {
		return p, err
	}
	below, err := in.After(id.Session)
	if err != nil {
		return p, err
	}
	all, err := agentsOf(ctx, s.db, who.Human, below, in.Limit+1)
	return rest.View(all, in.Limit, func(v AgentView) AgentView {
		v.CreatedAt, v.SeenAt, v.Until = v.CreatedAt.UTC(), v.SeenAt.UTC(), v.Until.UTC()
		return v
	}, func(v AgentView) any { return v.Session }), err
}

// EndAgent has an agent act for the caller no more, from the next request on.
func (s *Service) EndAgent(ctx context.Context, in OneSession) (v EndedView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		n, err := endMandate(ctx, tx, who.Human, in.Session)
		if err == nil && n == 0 {
			return ErrNoSession
		}
		audit.Record(tx, "agents.end", who.Human, authz.Policy(ctx), map[string]string{"session": in.Session})
		return err
	})
	return EndedView{1}, err
}
