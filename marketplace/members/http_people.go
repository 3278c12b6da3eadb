package members

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/phone"
	"tiwiza/pkg/rest"
)

// PeopleRoutes is how people sign in, and what they see of themselves. A token is
// never kept for a second answer, so no row here is a Commit one.
func PeopleRoutes(s *Service) []rest.Route {
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Handle("POST", "/v1/sign-in/codes", "sign_in.code", "Ask for a code to sign in with", http.StatusAccepted,
			func(ctx context.Context, in CodeInput) (CodeView, error) { return s.AskCode(ctx, in, origin(ctx)) }, rest.Public()),
		rest.Handle("POST", "/v1/sign-in/sessions", "sign_in.session", "Sign in with a code; the token is shown once", made,
			func(ctx context.Context, in SignInInput) (SignedIn, error) { return s.SignIn(ctx, in, origin(ctx)) }, rest.Public()),
		rest.Handle("POST", "/v1/step-up/codes", "sessions.step_up_code", "Ask for a fresh code, to show once more who one is", http.StatusAccepted,
			func(ctx context.Context, _ rest.None) (CodeView, error) { return s.AskStepUp(ctx, origin(ctx)) }),
		rest.Handle("POST", "/v1/step-up", "sessions.step_up", "Show once more who one is; the new token is shown once", ok,
			func(ctx context.Context, in StepUpInput) (SignedIn, error) { return s.StepUp(ctx, in, origin(ctx)) }),
		rest.Handle("POST", "/v1/agent/codes", "agents.code", "Ask a member for the code by which it lets one act for it", http.StatusAccepted,
			func(ctx context.Context, in AgentCodeInput) (CodeView, error) {
				return s.AskMandate(ctx, in, origin(ctx))
			}),
		rest.Handle("POST", "/v1/agent/sessions", "agents.session", "Act for a member who gave its code; the token is shown once", made,
			func(ctx context.Context, in MandateInput) (MandateView, error) {
				return s.Mandate(ctx, in, origin(ctx))
			}),
		rest.Handle("GET", "/v1/me/agents", "agents.list", "List who acts for one now", ok, s.Agents),
		rest.Handle("DELETE", "/v1/me/agents/{ses}", "agents.end", "Have an agent act for one no more", ok, s.EndAgent),
		rest.Handle("PUT", "/v1/me/pin", "people.pin", "Choose a PIN for a phone that several share", ok, s.SetPIN),
		rest.Handle("POST", "/v1/sessions/lock", "sessions.lock", "Lock one's session, to leave the device to somebody else", ok,
			func(ctx context.Context, _ rest.None) (LockedView, error) { return s.Lock(ctx) }),
		rest.Handle("POST", "/v1/sessions/unlock", "sessions.unlock", "Open a locked session with its person's PIN", ok, s.Unlock, rest.Public()),
		rest.Handle("GET", "/v1/me", "people.me", "Say who is signed in, and where it works", ok, s.showMe),
		rest.Handle("PUT", "/v1/sessions/desk", "sessions.desk", "Sit down at an organisation's desk, or be oneself", ok, s.moveDesk),
		rest.Handle("GET", "/v1/sessions", "sessions.list", "List the devices where one is signed in", ok, s.listSessions),
		rest.Handle("DELETE", "/v1/sessions/{ses}", "sessions.end", "Sign out on a device", ok, s.endOne),
		rest.Handle("DELETE", "/v1/sessions", "sessions.end_all", "Sign out everywhere", ok, s.endAll),
	}
}

func origin(ctx context.Context) Origin {
	address, device := rest.Origin(ctx)
	return Origin{address, device}
}

// MeView is who is signed in.
type MeView struct {
	Person      string     `json:"person" required:"true"`
	Session     string     `json:"session" required:"true"`
	Names       Texts      `json:"names" required:"true"`
	Phone       string     `json:"phone,omitempty" description:"Most of it hidden."`
	Email       string     `json:"email,omitempty" description:"Most of it hidden."`
	Lang        string     `json:"lang" required:"true"`
	Voice       bool       `json:"voice" required:"true" description:"Would rather be spoken to than read."`
	Desk        string     `json:"desk,omitempty" description:"The organisation at whose desk it sits."`
	Desks       []Desk     `json:"desks" required:"true"`
	Passkeys    int        `json:"passkeys" required:"true"`
	SteppedUpAt *time.Time `json:"stepped_up_at,omitempty" description:"When it last showed who it is, while that still counts."`
	Agent       bool       `json:"agent,omitempty" description:"The caller acts for a member who gave it a code."`
}

func (s *Service) showMe(ctx context.Context, _ rest.None) (MeView, error) {
	who, err := me(ctx)
	if err != nil {
		return MeView{}, err
	}
	return s.meView(ctx, s.db, who)
}

func (s *Service) meView(ctx context.Context, db pg.DB, who auth.Principal) (MeView, error) {
	c, err := loadSitting(ctx, db, who.Key)
	if err != nil {
		return MeView{}, err
	}
	v, err := c.visitor()
	if err != nil {
		return MeView{}, err
	}
	p, err := loadPerson(ctx, db, who.Human)
	if err != nil {
		return MeView{}, err
	}
	out := MeView{Person: p.ID, Session: v.Session, Names: p.Names, Lang: p.Lang, Voice: p.Voice, Desks: v.Desks, Passkeys: v.Passkeys, SteppedUpAt: rest.UTC(v.SteppedUpAt), Agent: v.As.For != ""}
	if p.Phone != nil {
		out.Phone = phone.Mask(*p.Phone)
	}
	if p.Email != nil {
		out.Email = phone.Mask(*p.Email)
	}
	if v.Desk != nil {
		out.Desk = v.Desk.Organisation
	}
	return out, nil
}

// DeskInput names an organisation.
type DeskInput struct {
	Organisation string `json:"organisation" required:"true" maxLength:"40" description:"At whose desk to sit down; \"\" to be oneself, a buyer."`
}

func (s *Service) moveDesk(ctx context.Context, in DeskInput) (v MeView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		if err := lockSession(ctx, tx, who.Key); err != nil {
			return err
		}
		c, err := loadSitting(ctx, tx, who.Key)
		if err != nil {
			return err
		}
		if _, err := s.seat(tx, c, in.Organisation); err != nil {
			return err
		}
		v, err = s.meView(ctx, tx, who)
		return err
	})
	return v, err
}

// SessionView is a device where one is signed in.
type SessionView struct {
	ID           string    `json:"id" required:"true"`
	Device       string    `json:"device" required:"true" description:"What the device says of itself."`
	Address      string    `json:"address" required:"true" description:"From where it signed in."`
	Organisation string    `json:"organisation,omitempty" description:"At whose desk it sits."`
	Proof        string    `json:"proof" required:"true" enum:"code,passkey,pin"`
	Current      bool      `json:"current,omitempty" description:"It is the one that asks."`
	CreatedAt    time.Time `json:"created_at" required:"true"`
	SeenAt       time.Time `json:"seen_at" required:"true" description:"To the minute."`
}

func (s *Service) listSessions(ctx context.Context, in rest.Paging) (p rest.Page[SessionView], err error) {
	who, err := me(ctx)
	if err != nil {
		return p, err
	}
	var below string
	if err := rest.DecodeCursor(in.Cursor, &below); err != nil {
		return p, err
	}
	all, err := devicesOf(ctx, s.db, who.Human, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, func(d device) SessionView {
		v := SessionView{d.ID, d.Device, d.Address, "", d.Proof, d.ID == who.Key, d.MadeAt.UTC(), d.SeenAt.UTC()}
		if d.Organisation != nil {
			v.Organisation = *d.Organisation
		}
		return v
	}, func(v SessionView) any { return v.ID }), nil
}

// OneSession names a session.
type OneSession struct {
	Session string `path:"ses"`
}

// EndedView says how many sessions were ended.
type EndedView struct {
	Ended int64 `json:"ended" required:"true"`
}

func (s *Service) endOne(ctx context.Context, in OneSession) (v EndedView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		audit.Record(tx, "sessions.end", who.Human, authz.Policy(ctx), map[string]string{"session": in.Session})
		return s.End(ctx, tx, who.Human, in.Session, who.Human)
	})
	return EndedView{1}, err
}

func (s *Service) endAll(ctx context.Context, _ rest.None) (v EndedView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		audit.Record(tx, "sessions.end_all", who.Human, authz.Policy(ctx), nil)
		v.Ended, err = s.EndAll(ctx, tx, who.Human, "", who.Human)
		return err
	})
	return v, err
}
