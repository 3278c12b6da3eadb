package members

import (
	"context"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// ToSign is the purpose of codes, and of passkeys, by which a person signs one
// text: they open nothing else, and no other text.
const ToSign Purpose = "sign"

// ErrOwnHand says that only who reads its own messages can sign so.
var ErrOwnHand = fault.New(fault.Denied, "signing.agent", "An agent has no passkey of the member's: let it read the code to you that it was sent.")

// A Signer is who signed: the member's person, or an agent in whose presence it read
// out its code; and with what.
type Signer struct {
	Person string // whose hand it is
	Agent  string // who acted for it; "": nobody
	Proof  string // code or passkey
}

// signer is the caller as somebody who signs. What a person may not sign by itself it
// does not sign beside an agent: who speaks for the organisation is asked of the
// person whose hand it is.
func signer(ctx context.Context, db pg.DB) (auth.Principal, Signer, error) {
	who, err := me(ctx)
	if err != nil || who.For == "" {
		return who, Signer{Person: who.Human}, err
	}
	by := Signer{Person: who.For, Agent: who.Human}
	speaks, err := speaksFor(ctx, db, by.Person, who.Subject)
	if err == nil && !speaks {
		err = authz.ErrDenied
	}
	return who, by, err
}

// AskSigning sends the code with which the caller, or the member for whom an agent
// acts, signs what is named: of at most 200 letters, and the same in Signs.
func (s *Service) AskSigning(ctx context.Context, what string, from Origin) (CodeView, error) {
	who, by, err := signer(ctx, s.db)
	if err != nil {
		return CodeView{}, err
	}
	p, err := loadPerson(ctx, s.db, by.Person)
	if err != nil {
		return CodeView{}, err
	}
	at, err := p.address()
	if err != nil {
		return CodeView{}, err
	}
	return s.askCode(ctx, ToSign, bond(who.Key, what), at, Notice{Person: p.ID, Lang: p.Lang}, from)
}

// BeginSigning asks for one of the caller's own passkeys, to sign what is named.
func (s *Service) BeginSigning(ctx context.Context, what string) (v CeremonyView, err error) {
	who, by, err := signer(ctx, s.db)
	switch {
	case err != nil:
		return v, err
	case by.Agent != "":
		return v, ErrOwnHand
	case s.passkeys == nil:
		return v, ErrNoPasskeys
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		h, err := s.holder(ctx, tx, who.Human)
		if err == nil && len(h.keys) == 0 {
			err = ErrNoPasskey
		}
		if err != nil {
			return err
		}
		options, data, err := s.passkeys.BeginLogin(h, webauthn.WithUserVerification(protocol.VerificationRequired))
		if err != nil {
			return err
		}
		v, err = s.begin(tx, string(ToSign), bond(who.Key, what), options, data)
		return err
	})
	return v, err
}

// A Hand is how somebody signs: with the code that it was sent, or with what its
// passkey answered; and the handle it was asked with.
type Hand struct {
	Handle     string         `json:"handle" required:"true" minLength:"43" maxLength:"43"`
	Code       string         `json:"code,omitempty" pattern:"^[0-9]{6}$" description:"That the person who signs was sent."`
	Credential map[string]any `json:"credential,omitempty" description:"Instead of a code, what the passkey answered."`
}

// Signs takes in a code, or a passkey, with which the caller signs what is named.
// refused is why not; the caller commits all the same, so that what was tried is
// counted, and signs nothing.
func (s *Service) Signs(ctx context.Context, tx *pg.Tx, what string, in Hand, from Origin) (by Signer, refused, err error) {
	who, by, err := signer(ctx, tx)
	if err != nil {
		return by, nil, err
	}
	if len(in.Credential) > 0 {
		by.Proof = byPasskey
		refused, err = s.signsByPasskey(ctx, tx, bond(who.Key, what), by, in)
		return by, refused, err
	}
	by.Proof = "code"
	p, err := loadPerson(ctx, tx, by.Person)
	if err != nil {
		return by, nil, err
	}
	at, err := p.address()
	if err != nil {
		return by, nil, err
	}
	refused, err = s.use(ctx, tx, ToSign, bond(who.Key, what), at, in.Handle, in.Code, from)
	return by, refused, err
}

// signsByPasskey checks the answer of a passkey of the signer's own.
func (s *Service) signsByPasskey(ctx context.Context, tx *pg.Tx, bound string, by Signer, in Hand) (refused, err error) {
	switch {
	case by.Agent != "":
		return ErrOwnHand, nil
	case s.passkeys == nil:
		return ErrNoPasskeys, nil
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(raw(in.Credential))
	if err != nil {
		return ErrPasskey.With(err), nil
	}
	data, err := s.finish(ctx, tx, string(ToSign), bound, in.Handle)
	if err != nil {
		return nil, err
	}
	k, used, err := s.check(ctx, tx, data, parsed)
	switch {
	case err != nil:
		return nil, err
	case k.Person != by.Person:
		return ErrPasskey, nil
	case used.Authenticator.CloneWarning:
		return ErrCloned, s.drop(ctx, tx, k, "copied")
	}
	usePasskey(tx, k.ID, *used)
	return nil, nil
}
