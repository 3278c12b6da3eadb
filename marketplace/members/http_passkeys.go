package members

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// PasskeyRoutes is how passkeys are added, shown and ended. Each answer is to a
// challenge that is good once.
func PasskeyRoutes(s *Service) []rest.Route {
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Handle("POST", "/v1/passkeys/options", "passkeys.begin", "Ask one's device for a new passkey", made,
			func(ctx context.Context, _ rest.None) (CeremonyView, error) { return s.BeginPasskey(ctx) }),
		rest.Handle("POST", "/v1/passkeys", "passkeys.add", "Add a passkey", made, s.AddPasskey),
		rest.Handle("GET", "/v1/passkeys", "passkeys.list", "List one's passkeys", ok, s.listPasskeys),
		rest.Handle("DELETE", "/v1/passkeys/{psk}", "passkeys.end", "End a passkey, and one's other sessions", ok, s.endOnePasskey),
		rest.Handle("POST", "/v1/sign-in/passkeys/options", "sign_in.passkey_begin", "Ask a device for a passkey to sign in with", made,
			func(ctx context.Context, _ rest.None) (CeremonyView, error) {
				return s.BeginPasskeySignIn(ctx, origin(ctx))
			}, rest.Public()),
		rest.Handle("POST", "/v1/sign-in/passkeys", "sign_in.passkey", "Sign in with a passkey; the token is shown once", made,
			func(ctx context.Context, in PasskeyInput) (SignedIn, error) {
				return s.PasskeySignIn(ctx, in, origin(ctx))
			}, rest.Public()),
		rest.Handle("POST", "/v1/step-up/passkeys/options", "sessions.passkey_begin", "Ask for one of one's passkeys, to show once more who one is", made,
			func(ctx context.Context, _ rest.None) (CeremonyView, error) { return s.BeginPasskeyStepUp(ctx) }),
		rest.Handle("POST", "/v1/step-up/passkeys", "sessions.passkey", "Show once more who one is, with a passkey; the new token is shown once", ok, s.PasskeyStepUp),
	}
}

// PasskeyView is a passkey as its person sees it.
type PasskeyView struct {
	ID        string     `json:"id" required:"true"`
	Label     string     `json:"label" required:"true"`
	CreatedAt time.Time  `json:"created_at" required:"true"`
	UsedAt    *time.Time `json:"used_at,omitempty"`
}

func passkeyView(k passkey) PasskeyView {
	return PasskeyView{k.ID, k.Label, k.MadeAt.UTC(), rest.UTC(k.UsedAt)}
}

// listPasskeys lists all of them: nobody has more than a page.
func (s *Service) listPasskeys(ctx context.Context, in rest.Paging) (p rest.Page[PasskeyView], err error) {
	who, err := me(ctx)
	if err != nil {
		return p, err
	}
	all, err := passkeysOf(ctx, s.db, who.Human)
	if err != nil {
		return p, err
	}
	return rest.View(all, mostPasskeys, passkeyView, func(k PasskeyView) any { return k.ID }), nil
}

// OnePasskey names a passkey.
type OnePasskey struct {
	Passkey string `path:"psk"`
}

func (s *Service) endOnePasskey(ctx context.Context, in OnePasskey) (v EndedView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		h, err := s.holder(ctx, tx, who.Human)
		if err != nil {
			return err
		}
		for _, k := range h.keys {
			if k.ID == in.Passkey {
				if !who.Proof.Passkey { // a code alone takes none away
					return authz.ErrPasskey
				}
				return s.drop(ctx, tx, k, "ended by its person")
			}
		}
		return ErrNoPasskey
	})
	return EndedView{1}, err
}
