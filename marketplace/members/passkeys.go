package members

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Errors of passkeys.
var (
	ErrPasskey    = fault.New(fault.Invalid, "passkeys.refused", "This passkey was not accepted; try again, or sign in with a code.")
	ErrNoPasskey  = fault.New(fault.NotFound, "passkeys.not_found", "You have no such passkey.")
	ErrNoPasskeys = fault.New(fault.Unavailable, "passkeys.unavailable", "This hub takes no passkeys: its public address is not set.")
	ErrCloned     = fault.New(fault.Denied, "passkeys.copied", "There seems to be a copy of this passkey, so it opens nothing any more; sign in with a code and add a new one.")
)

// The limits of passkeys.
const (
	ceremonyLife = 5 * time.Minute
	ceremoniesOf = 60 // begun without a session from one network address in askWindow
	mostPasskeys = 20
)

// The purposes of a ceremony.
const (
	toAdd     = "add"
	toSignIn  = "sign_in"
	toShow    = "step_up"
	byPasskey = "passkey"
)

// At says under which address people reach the hub: passkeys are bound to its
// host. Browsers know no passkeys of a bare network address, so on this machine
// it is localhost. It is called at start.
func (s *Service) At(public string) (*Service, error) {
	if public == "" {
		return s, nil
	}
	u, err := url.Parse(public)
	if err != nil {
		return nil, fmt.Errorf("read the public address: %w", err)
	}
	host, origins := u.Hostname(), []string{u.Scheme + "://" + u.Host}
	if a, err := netip.ParseAddr(host); err == nil && a.IsLoopback() {
		host = "localhost"
		origins = append(origins, u.Scheme+"://"+localhost(u.Port()))
	}
	s.passkeys, err = webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: "Tiwiza", RPOrigins: origins,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	return s, err
}

func localhost(port string) string {
	if port == "" {
		return "localhost"
	}
	return "localhost:" + port
}

// A passkey is one as the hub keeps it.
type passkey struct {
	ID           string
	Person       string
	CredentialID []byte
	Credential   webauthn.Credential
	Label        string
	MadeAt       time.Time
	UsedAt       *time.Time
}

// A holder is a person as the library asks for it.
type holder struct {
	person string
	name   string
	keys   []passkey
}

// WebAuthnID is the person's id, by which a device finds it again.
func (h holder) WebAuthnID() []byte { return []byte(h.person) }

// WebAuthnName is what the device shows.
func (h holder) WebAuthnName() string { return h.name }

// WebAuthnDisplayName is what the device shows, too.
func (h holder) WebAuthnDisplayName() string { return h.name }

// WebAuthnCredentials are the person's passkeys.
func (h holder) WebAuthnCredentials() []webauthn.Credential {
	out := []webauthn.Credential{}
	for _, k := range h.keys {
		out = append(out, k.Credential)
	}
	return out
}

// holder reads a person with its passkeys.
func (s *Service) holder(ctx context.Context, db pg.DB, person string) (holder, error) {
	p, err := loadPerson(ctx, db, person)
	if err != nil {
		return holder{}, err
	}
	h := holder{person: p.ID, name: p.ID}
	for _, n := range []string{p.Names["fr"], p.Names["ar"]} {
		if n != "" {
			h.name = n
			break
		}
	}
	h.keys, err = passkeysOf(ctx, db, person)
	return h, err
}

// A ceremony is what was asked of a device.
type ceremony struct {
	Handle    []byte
	Purpose   string
	Bound     string
	Data      webauthn.SessionData
	ExpiresAt time.Time
}

// CeremonyView is what a browser hands its device, and the handle to send back
// with the answer.
type CeremonyView struct {
	Handle  string         `json:"handle" required:"true"`
	Options map[string]any `json:"options" required:"true" description:"For navigator.credentials.create or .get, as PublicKeyCredential.parse…OptionsFromJSON reads them."`
}

// begin keeps a ceremony and shows its options.
func (s *Service) begin(tx *pg.Tx, purpose, bound string, options any, data *webauthn.SessionData) (v CeremonyView, err error) {
	b, err := json.Marshal(options)
	if err != nil {
		return v, err
	}
	var wrapped struct{ PublicKey map[string]any }
	if err := json.Unmarshal(b, &wrapped); err != nil {
		return v, err
	}
	v = CeremonyView{Handle: auth.Secret(), Options: wrapped.PublicKey}
	insertCeremony(tx, ceremony{hashOf(v.Handle), purpose, bound, *data, tx.Now().Add(ceremonyLife)})
	return v, nil
}

// finish takes a ceremony up again; once, in time, and by who began it.
func (s *Service) finish(ctx context.Context, tx *pg.Tx, purpose, bound, handle string) (webauthn.SessionData, error) {
	found, err := takeCeremony(ctx, tx, hashOf(handle))
	if err == nil && (len(found) == 0 || found[0].Purpose != purpose || found[0].Bound != bound || !tx.Now().Before(found[0].ExpiresAt)) {
		err = ErrPasskey
	}
	if err != nil {
		return webauthn.SessionData{}, err
	}
	return found[0].Data, nil
}

// BeginPasskey asks the caller's device for a new passkey. Who has one already
// shows it first: a stolen phone number adds none.
func (s *Service) BeginPasskey(ctx context.Context) (v CeremonyView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	if s.passkeys == nil {
		return v, ErrNoPasskeys
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		h, err := s.mayAdd(ctx, tx, who)
		if err != nil {
			return err
		}
		options, data, err := s.passkeys.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.WebAuthnCredentials()).CredentialDescriptors()))
		if err != nil {
			return err
		}
		v, err = s.begin(tx, toAdd, who.Key, options, data)
		return err
	})
	return v, err
}

func (s *Service) mayAdd(ctx context.Context, tx *pg.Tx, who auth.Principal) (holder, error) {
	if _, err := lockPerson(ctx, tx, who.Human); err != nil {
		return holder{}, err
	}
	h, err := s.holder(ctx, tx, who.Human)
	switch {
	case err != nil:
	case len(h.keys) > 0 && !who.Proof.Passkey:
		err = authz.ErrPasskey
	case len(h.keys) >= mostPasskeys:
		err = ErrPasskey.Say("You have %d passkeys; remove one that you do not use first.", mostPasskeys)
	}
	return h, err
}

// AddPasskeyInput is a device's answer.
type AddPasskeyInput struct {
	Handle     string         `json:"handle" required:"true" minLength:"43" maxLength:"43"`
	Label      string         `json:"label,omitempty" maxLength:"100" description:"Which device it is."`
	Credential map[string]any `json:"credential" required:"true" description:"PublicKeyCredential.toJSON()."`
}

// AddPasskey keeps a new passkey of the caller's. Its other sessions end: whoever
// had one of them has not shown the passkey.
func (s *Service) AddPasskey(ctx context.Context, in AddPasskeyInput) (v PasskeyView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	if s.passkeys == nil {
		return v, ErrNoPasskeys
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(raw(in.Credential))
	if err != nil {
		return v, ErrPasskey.With(err)
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		h, err := s.mayAdd(ctx, tx, who)
		if err != nil {
			return err
		}
		data, err := s.finish(ctx, tx, toAdd, who.Key, in.Handle)
		if err != nil {
			return err
		}
		c, err := s.passkeys.CreateCredential(h, data, parsed)
		if err != nil {
			return ErrPasskey.With(err)
		}
		k := passkey{ID: id.New(id.Passkey), Person: who.Human, CredentialID: c.ID, Credential: *c, Label: in.Label, MadeAt: tx.Now()}
		insertPasskey(tx, k)
		audit.Record(tx, "passkeys.add", who.Human, authz.Policy(ctx), map[string]string{"passkey": k.ID})
		if _, err := s.EndAll(ctx, tx, who.Human, who.Key, "a passkey was added"); err != nil {
			return err
		}
		v = passkeyView(k)
		return tx.Publish(ctx, PasskeyChanged{Person: who.Human, Passkey: k.ID, Change: "added"})
	})
	if pg.Violates(err, "passkey_credential_id_key") {
		err = ErrPasskey
	}
	return v, err
}

// raw is a credential as the library reads it. What came as JSON can be written
// as JSON.
func raw(credential map[string]any) []byte {
	b, _ := json.Marshal(credential)
	return b
}

// BeginPasskeySignIn asks whatever device there is for a passkey of this hub.
func (s *Service) BeginPasskeySignIn(ctx context.Context, from Origin) (v CeremonyView, err error) {
	if s.passkeys == nil {
		return v, ErrNoPasskeys
	}
	var refused error
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		n, err := throttle(ctx, tx, "ceremonies from "+from.Address, askWindow)
		if err != nil || n > ceremoniesOf {
			refused = ErrAsked
			return err
		}
		options, data, err := s.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
		if err != nil {
			return err
		}
		v, err = s.begin(tx, toSignIn, "", options, data)
		return err
	})
	return v, orElse(err, refused)
}

// PasskeyInput is a device's answer.
type PasskeyInput struct {
	Handle       string         `json:"handle" required:"true" minLength:"43" maxLength:"43"`
	Credential   map[string]any `json:"credential" required:"true" description:"PublicKeyCredential.toJSON()."`
	Organisation string         `json:"organisation,omitempty" maxLength:"40" description:"At whose desk to sit down when signing in."`
}

// PasskeySignIn opens a session with a passkey.
func (s *Service) PasskeySignIn(ctx context.Context, in PasskeyInput, from Origin) (v SignedIn, err error) {
	return s.showing(ctx, toSignIn, "", in, func(tx *pg.Tx, k passkey) (SignedIn, error) {
		return s.admit(ctx, tx, k.Person, byPasskey, in.Organisation, from)
	})
}

// BeginPasskeyStepUp asks for one of the caller's own passkeys.
func (s *Service) BeginPasskeyStepUp(ctx context.Context) (v CeremonyView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	if s.passkeys == nil {
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
		v, err = s.begin(tx, toShow, who.Key, options, data)
		return err
	})
	return v, err
}

// PasskeyStepUp gives the caller's session a new token, with a passkey of its own
// person.
func (s *Service) PasskeyStepUp(ctx context.Context, in PasskeyInput) (v SignedIn, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	return s.showing(ctx, toShow, who.Key, in, func(tx *pg.Tx, k passkey) (SignedIn, error) {
		if k.Person != who.Human {
			return SignedIn{}, ErrPasskey
		}
		if err := lockSession(ctx, tx, who.Key); err != nil {
			return SignedIn{}, err
		}
		return s.renew(ctx, tx, who, byPasskey), nil
	})
}

// showing checks a passkey that a device shows, and goes on in the same unit of
// work. One whose counter goes back has a copy: it is ended, which is committed
// though the caller is refused.
func (s *Service) showing(ctx context.Context, purpose, bound string, in PasskeyInput, then func(tx *pg.Tx, k passkey) (SignedIn, error)) (v SignedIn, err error) {
	if s.passkeys == nil {
		return v, ErrNoPasskeys
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(raw(in.Credential))
	if err != nil {
		return v, ErrPasskey.With(err)
	}
	var refused error
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		v, refused = SignedIn{}, nil
		data, err := s.finish(ctx, tx, purpose, bound, in.Handle)
		if err != nil {
			return err
		}
		k, used, err := s.check(ctx, tx, data, parsed)
		if err != nil {
			return err
		}
		if used.Authenticator.CloneWarning {
			refused = ErrCloned
			return s.drop(ctx, tx, k, "copied")
		}
		usePasskey(tx, k.ID, *used)
		v, err = then(tx, k)
		return err
	})
	return v, orElse(err, refused)
}

// check has the library compare an answer with the passkey it names.
func (s *Service) check(ctx context.Context, tx *pg.Tx, data webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData) (k passkey, used *webauthn.Credential, err error) {
	found, err := passkeyBy(ctx, tx, parsed.RawID)
	if err != nil {
		return k, nil, err
	}
	if len(found) == 0 {
		return k, nil, ErrPasskey
	}
	k = found[0]
	h, err := s.holder(ctx, tx, k.Person)
	if err != nil {
		return k, nil, err
	}
	if len(data.UserID) > 0 {
		used, err = s.passkeys.ValidateLogin(h, data, parsed)
	} else {
		_, used, err = s.passkeys.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
			if !bytes.Equal(handle, h.WebAuthnID()) {
				return nil, errors.New("the passkey is another person's")
			}
			return h, nil
		}, data, parsed)
	}
	if err != nil {
		return k, nil, ErrPasskey.With(err)
	}
	return k, used, nil
}

// drop ends a passkey, and its person's other sessions with it.
func (s *Service) drop(ctx context.Context, tx *pg.Tx, k passkey, why string) error {
	endPasskey(tx, k.ID, why)
	audit.Record(tx, "passkeys.end", k.Person, authz.Policy(ctx), map[string]string{"passkey": k.ID, "why": why})
	if _, err := s.EndAll(ctx, tx, k.Person, auth.From(ctx).Key, "a passkey was ended"); err != nil {
		return err
	}
	return tx.Publish(ctx, PasskeyChanged{Person: k.Person, Passkey: k.ID, Change: why})
}
