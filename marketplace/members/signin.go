package members

import (
	"context"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/phone"
)

// CodeInput asks for a code to sign in with.
type CodeInput struct {
	Phone string `json:"phone,omitempty" maxLength:"30" description:"A Moroccan number, as 06… or +2126…; or an e-mail address."`
	Email string `json:"email,omitempty" maxLength:"254"`
	Lang  string `json:"lang,omitempty" enum:"fr,ar,zgh,en" description:"Of the message."`
}

// CodeView says that a code is on its way, in the same words whether or not
// anybody is known at the address.
type CodeView struct {
	Handle    string    `json:"handle" required:"true" description:"Send it back with the code: only who asked can use it."`
	To        string    `json:"to" required:"true" description:"The address, most of it hidden."`
	ExpiresAt time.Time `json:"expires_at" required:"true"`
}

// AskCode sends a code of six digits to sign in with. It is good for five
// minutes, for five tries and for whoever has the handle; it takes the place of
// the one before.
func (s *Service) AskCode(ctx context.Context, in CodeInput, from Origin) (CodeView, error) {
	at, err := addressOf(in.Phone, in.Email)
	if err != nil {
		return CodeView{}, err
	}
	return s.askCode(ctx, ToSignIn, "", at, Notice{Lang: in.Lang}, from)
}

func (s *Service) askCode(ctx context.Context, purpose Purpose, bound string, at Address, n Notice, from Origin) (v CodeView, err error) {
	var refused error
	err = s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		v = CodeView{To: phone.Mask(string(at)), ExpiresAt: tx.Now().Add(codeLife).UTC().Truncate(time.Second)}
		v.Handle, refused, err = s.send(ctx, tx, purpose, bound, at, n, from)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return CodeView{}, err
	}
	return v, nil
}

// SignInInput is a code with the handle it was asked with.
type SignInInput struct {
	Phone        string `json:"phone,omitempty" maxLength:"30"`
	Email        string `json:"email,omitempty" maxLength:"254"`
	Code         string `json:"code" required:"true" pattern:"^[0-9]{6}$"`
	Handle       string `json:"handle" required:"true" minLength:"43" maxLength:"43"`
	Lang         string `json:"lang,omitempty" enum:"fr,ar,zgh,en" description:"Of a person who comes for the first time."`
	Organisation string `json:"organisation,omitempty" maxLength:"40" description:"At whose desk to sit down; left out, one is oneself, a buyer."`
	Guest        string `json:"guest,omitempty" maxLength:"200" description:"The secret with which one has bought here without an account: what it opened is one's own from now on, and it opens nothing any more. Orders of the last 90 days with one's phone number are found without it."`
}

// SignedIn is a session with its token, shown this once.
type SignedIn struct {
	Session string `json:"session" required:"true"`
	Token   string `json:"token" required:"true" description:"Send it as Authorization: Bearer. It is shown this once."`
	Person  string `json:"person" required:"true"`
	New     bool   `json:"new,omitempty" description:"Nobody was known at the address before."`
}

// SignIn opens a session with a code. Whoever is not known yet becomes known: the
// code proves the address.
func (s *Service) SignIn(ctx context.Context, in SignInInput, from Origin) (v SignedIn, err error) {
	at, err := addressOf(in.Phone, in.Email)
	if err != nil {
		return v, err
	}
	var refused error
	err = s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		v = SignedIn{}
		if refused, err = s.use(ctx, tx, ToSignIn, "", at, in.Handle, in.Code, from); err != nil || refused != nil {
			return err
		}
		p, fresh, err := s.arrive(ctx, tx, at, in.Lang)
		if err != nil {
			return err
		}
		if err := s.claim(ctx, tx, p.ID, at, in.Guest); err != nil {
			return err
		}
		v, err = s.admit(ctx, tx, p.ID, "code", in.Organisation, from)
		v.New = fresh
		return err
	})
	if err == nil {
		err = refused
	}
	return v, err
}

// admit opens a session of a person who has shown who it is.
func (s *Service) admit(ctx context.Context, tx *pg.Tx, person, proof, organisation string, from Origin) (v SignedIn, err error) {
	forgivePIN(tx, person)
	k := s.open(tx, person, proof, nil, from)
	v = SignedIn{Session: k.ID, Token: k.String(), Person: person}
	if organisation != "" {
		if _, err := s.sit(ctx, tx, k, organisation); err != nil {
			return SignedIn{}, err
		}
	}
	audit.Record(tx, "sign_in.session", person, authz.Policy(ctx), map[string]string{"session": k.ID, "proof": proof, "from": from.Address})
	return v, tx.Publish(ctx, SignedInAt{Person: person, Session: k.ID, Device: clip(from.Device)})
}

// me is the person whose session asks.
func me(ctx context.Context) (auth.Principal, error) {
	p := auth.From(ctx)
	if !p.Proof.Session || p.Human == "" {
		return p, ErrEnded
	}
	return p, nil
}

// AskStepUp sends the caller a fresh code, to its own phone or else by e-mail.
func (s *Service) AskStepUp(ctx context.Context, from Origin) (CodeView, error) {
	who, err := me(ctx)
	if err != nil {
		return CodeView{}, err
	}
	p, err := loadPerson(ctx, s.db, who.Human)
	if err != nil {
		return CodeView{}, err
	}
	at, err := p.address()
	if err != nil {
		return CodeView{}, err
	}
	return s.askCode(ctx, ToStepUp, who.Key, at, Notice{Person: p.ID, Lang: p.Lang}, from)
}

// address is where the person is reached first.
func (p Person) address() (Address, error) {
	switch {
	case p.Phone != nil:
		return Address(*p.Phone), nil
	case p.Email != nil:
		return Address(*p.Email), nil
	}
	return "", ErrNoWhere
}

// StepUpInput shows once more who one is.
type StepUpInput struct {
	Code   string `json:"code" required:"true" pattern:"^[0-9]{6}$"`
	Handle string `json:"handle" required:"true" minLength:"43" maxLength:"43"`
}

// StepUp takes a fresh code in and gives the caller's session a new token, with
// which it may do for ten minutes what asks for more than a session. The token of
// before opens nothing any more.
func (s *Service) StepUp(ctx context.Context, in StepUpInput, from Origin) (v SignedIn, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	var refused error
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		v = SignedIn{}
		if err := lockSession(ctx, tx, who.Key); err != nil {
			return err
		}
		p, err := loadPerson(ctx, tx, who.Human)
		if err != nil {
			return err
		}
		at, err := p.address()
		if err != nil {
			return err
		}
		if refused, err = s.use(ctx, tx, ToStepUp, who.Key, at, in.Handle, in.Code, from); err != nil || refused != nil {
			return err
		}
		v = s.renew(ctx, tx, who, "code")
		return nil
	})
	if err == nil {
		err = refused
	}
	return v, err
}

// renew gives a session that is locked a new token.
func (s *Service) renew(ctx context.Context, tx *pg.Tx, who auth.Principal, proof string) SignedIn {
	k := auth.KeyOf(who.Key)
	prove(tx, k, proof)
	forgivePIN(tx, who.Human)
	audit.Record(tx, "sessions.step_up", who.Human, authz.Policy(ctx), map[string]string{"session": k.ID, "proof": proof})
	return SignedIn{Session: k.ID, Token: k.String(), Person: who.Human}
}
