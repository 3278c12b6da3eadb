// Package auth says who is asking: API keys and principals. It stores nothing;
// members keeps the keys.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
)

// Errors of saying who one is.
var (
	ErrMissing = fault.New(fault.Unauthenticated, "auth.missing", "Send your API key as «Authorization: Bearer key_…», or your session's token.")
	ErrUnknown = fault.New(fault.Unauthenticated, "auth.unknown", "This API key or session is not known, or was revoked.")
	ErrEnded   = fault.New(fault.Unauthenticated, "sessions.ended", "You were signed out; sign in again.")
)

// A Role is what a principal does on the platform; policies speak of roles.
type Role string

// The roles.
const (
	Guest    Role = "guest" // nobody known: public pages and callbacks
	Buyer    Role = "buyer"
	Seller   Role = "seller"
	Operator Role = "operator"
	Bank     Role = "bank"
	Insurer  Role = "insurer"
	// Institution is a public body with procedures; Provider gives members services.
	Institution Role = "institution"
	Provider    Role = "provider"
	Courier     Role = "courier" // whoever brings one parcel, by its link
	System      Role = "system"  // the hub's own workers
)

// A Principal is who is asking. Subject is the person (per_…) or organisation
// (org_…) it stands for.
type Principal struct {
	Key     string // the API key's id, or the session's
	Subject string
	Role    Role
	Behind  string // the operator's person who made the key, or the key it was made with

	Human string // the person who signed in (per_…); "" for an API key
	For   string // the member's person on whose behalf Human acts; "" for itself
	Proof Proof  // how well Human proved who it is; zero for an API key

	Charter int // the version of the charter that binds whom it stands for; 0: none does

	Guests string // the buyers without an account (per_… per_…) that Human was, and has shown to have been
}

// Nobody is a visitor; Hub is the hub itself at work.
var (
	Nobody = Principal{Role: Guest}
	Hub    = Principal{Subject: "hub", Role: System}
)

// Actor is how the principal stands in the audit trail: "operator org_…/key_…",
// "seller org_…/ses_… by per_…".
func (p Principal) Actor() string {
	s := string(p.Role)
	if p.Subject != "" {
		s += " " + p.Subject
	}
	if p.Key != "" {
		s += "/" + p.Key
	}
	if p.Human != "" && p.Human != p.Subject {
		s += " by " + p.Human
	}
	if p.For != "" {
		s += " on_behalf_of " + p.For
	}
	return s
}

// Sides are the seller and the buyers whose things the principal may list: its
// own, with what it bought before it had an account; or those of all ("", nil)
// when it is the operator.
func (p Principal) Sides() (seller string, buyers []string) {
	switch p.Role {
	case Operator:
		return "", nil
	case Seller:
		return p.Subject, nil
	}
	return "", append([]string{p.Subject}, strings.Fields(p.Guests)...)
}

// Owns says whether what a buyer has is the principal's: its own, or what it
// bought before it had an account.
func (p Principal) Owns(buyer string) bool {
	return buyer != "" && (buyer == p.Subject || p.Guests != "" && slices.Contains(strings.Fields(p.Guests), buyer))
}

// Person is who the principal is where two people must decide: all keys of one
// organisation's operator are one person, and an operator's key that another
// made is that other.
func (p Principal) Person() string {
	if p.Role == Operator && p.Behind != "" {
		return p.Behind
	}
	return string(p.Role) + " " + p.Subject
}

// Makes is who stands behind a key that the principal makes: itself, when it is
// of the operator, else whoever stands behind its own.
func (p Principal) Makes() (behind string) {
	if p.Role == Operator {
		return p.Person()
	}
	return p.Behind
}

// Of is the seller whose things the principal means: a seller its own, everybody
// else whom they name. It is false for another's.
func (p Principal) Of(asked string) (seller string, ok bool) {
	if p.Role != Seller {
		return asked, true
	}
	return p.Subject, asked == "" || asked == p.Subject
}

type contextKey struct{}

// With returns a context in which p is asking.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From returns who is asking; Nobody when nothing was said.
func From(ctx context.Context) Principal {
	if p, ok := ctx.Value(contextKey{}).(Principal); ok {
		return p
	}
	return Nobody
}

type pageKey struct{}

// WithPage returns a context in which somebody asks by the market's own pages, which
// showed what the request says.
func WithPage(ctx context.Context) context.Context {
	return context.WithValue(ctx, pageKey{}, true)
}

// OnPage says whether somebody asks by the market's own pages.
func OnPage(ctx context.Context) bool { return ctx.Value(pageKey{}) != nil }

// A Key is an API key, or a session's token, as its owner holds it: an id and a
// secret of 256 random bits.
type Key struct{ ID, Secret string }

// NewKey makes an API key.
func NewKey() Key { return KeyOf(id.New(id.Key)) }

// KeyOf makes a key of what has an id already: a new token of a session.
func KeyOf(of string) Key { return Key{of, Secret()} }

// Secret makes 256 random bits, as 43 signs that an address can carry.
func Secret() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(secret)
}

// Session says whether the key is a session's token.
func (k Key) Session() bool { return strings.HasPrefix(k.ID, string(id.Session)+"_") }

// linked is what stands before the secret of a parcel's link.
const linked = "lnk"

// NewLink makes the key of a parcel's link: 132 random bits, in 22 signs.
func NewLink() Key { return Key{linked, Secret()[:22]} }

// Link says whether the key is that of a parcel's link.
func (k Key) Link() bool { return k.ID == linked }

// String is what the owner sends: "key_….secret".
func (k Key) String() string { return k.ID + "." + k.Secret }

// Hash is what the hub stores. The secret is random and long, so one round of
// SHA-256 is enough.
func (k Key) Hash() []byte {
	h := sha256.Sum256([]byte(k.Secret))
	return h[:]
}

// Matches compares with a stored hash in constant time.
func (k Key) Matches(hash []byte) bool { return subtle.ConstantTimeCompare(k.Hash(), hash) == 1 }

// ParseKey reads what an owner sent: an API key, or a session's token.
func ParseKey(s string) (Key, error) {
	kid, secret, ok := strings.Cut(s, ".")
	if kid == linked && len(secret) == 22 {
		return Key{kid, secret}, nil
	}
	if !ok || !id.Is(id.Key, kid) && !id.Is(id.Session, kid) || len(secret) != 43 {
		return Key{}, ErrUnknown
	}
	return Key{kid, secret}, nil
}

// Bearer takes the key out of an Authorization header; "" gives no key and no
// error.
func Bearer(header string) (key Key, sent bool, err error) {
	if header == "" {
		return Key{}, false, nil
	}
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Key{}, true, ErrMissing
	}
	key, err = ParseKey(strings.TrimSpace(rest))
	return key, true, err
}
