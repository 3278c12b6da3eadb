package members

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"math/big"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// Errors of codes.
var (
	ErrCode    = fault.New(fault.Invalid, "sign_in.code", "This code is not right, or its five minutes are over; look at it again, or ask for a new one.")
	ErrTries   = fault.New(fault.Limited, "sign_in.tries", "There were too many wrong codes; wait ten minutes, then ask for a new one.")
	ErrAsked   = fault.New(fault.Limited, "sign_in.asked", "Several codes were asked for already; use the last one, or wait ten minutes.")
	ErrNobody  = fault.New(fault.Unavailable, "sign_in.no_courier", "Codes cannot be sent just now; try again later.")
	ErrNoWhere = fault.New(fault.Conflict, "sign_in.no_address", "No phone number or e-mail address of yours is known.")
)

// The limits of codes, counted for all hubs together.
const (
	codeLife    = 5 * time.Minute
	codeTries   = 5  // wrong ones for one code, and for one address in tryWindow
	codeTriesOf = 20 // wrong ones from one network address in tryWindow: many share one
	tryWindow   = 10 * time.Minute
	codeAsks    = 3 // codes for one address in askWindow
	codeAsksDay = 12
	codeAsksOf  = 30 // codes asked from one network address in askWindow
	askWindow   = 10 * time.Minute
	day         = 24 * time.Hour
)

// A Purpose is what a code is for; it opens nothing else.
type Purpose string

// The purposes.
const (
	ToSignIn Purpose = "sign_in"
	ToStepUp Purpose = "step_up"
)

// An Origin is where a request comes from: the network address, and what the
// device says of itself. For pages, which have no route.
type Origin struct{ Address, Device string }

// A code is a code as the hub keeps it: without itself.
type code struct {
	Address   string
	Purpose   Purpose
	Bound     string // the session that asked; "" for signing in
	Handle    []byte // of the handle, its hash
	MAC       []byte `db:"mac"`
	Tries     int
	ExpiresAt time.Time
}

// drawCode draws six digits.
func drawCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // never (crypto/rand)
	}
	return fmt.Sprintf("%06d", n)
}

// macOf ties a code to its handle, purpose, session and address: HMAC-SHA256 with
// the handle as the key.
func macOf(handle string, purpose Purpose, bound string, at Address, digits string) []byte {
	h := hmac.New(sha256.New, []byte(handle))
	_, _ = fmt.Fprintf(h, "%q %q %q %q", purpose, bound, at, digits)
	return h.Sum(nil)
}

func hashOf(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// fits says whether the code is the one that was sent, for what it was asked.
func (c code) fits(handle string, purpose Purpose, bound string, at Address, digits string, now time.Time) bool {
	right := subtle.ConstantTimeCompare(c.MAC, macOf(handle, purpose, bound, at, digits)) == 1
	return right && c.Tries < codeTries && now.Before(c.ExpiresAt)
}

// send makes a code, has it told, and returns its handle. The same happens
// whether or not anybody is known at the address. refused is why not; it is
// committed all the same, so that the count stays.
func (s *Service) send(ctx context.Context, tx *pg.Tx, purpose Purpose, bound string, at Address, n Notice, from Origin) (handle string, refused, err error) {
	if s.courier == nil {
		return "", ErrNobody, nil
	}
	for _, l := range []struct {
		key    string
		most   int
		window time.Duration
	}{
		{"asks " + string(at), codeAsks, askWindow}, {"asks a day " + string(at), codeAsksDay, day}, {"asks from " + from.Address, codeAsksOf, askWindow},
	} {
		if count, err := s.count(ctx, tx, l.key, l.window); err != nil || count > l.most {
			return "", ErrAsked, err
		}
	}
	handle = auth.Secret()
	digits := drawCode()
	saveCode(tx, code{
		Address: string(at), Purpose: purpose, Bound: bound, Handle: hashOf(handle), MAC: macOf(handle, purpose, bound, at, digits),
		ExpiresAt: tx.Now().Add(codeLife),
	})
	n.Phone, n.Email, n.Kind, n.Params = at.Phone(), at.Email(), "sign_in.code", map[string]string{"code": digits, "purpose": string(purpose)}
	return handle, nil, s.courier.Tell(ctx, tx, n)
}

// use takes a code in, once. refused is why not; it is committed all the same.
func (s *Service) use(ctx context.Context, tx *pg.Tx, purpose Purpose, bound string, at Address, handle, digits string, from Origin) (refused, err error) {
	origin := "tries from " + from.Address
	if n, err := s.count(ctx, tx, origin, tryWindow); err != nil || n > codeTriesOf {
		return ErrTries, err
	}
	found, err := lockCode(ctx, tx, hashOf(handle))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 || found[0].Address != string(at) || found[0].Purpose != purpose || found[0].Bound != bound {
		return ErrCode, nil // whoever did not ask cannot lock out who did
	}
	c, key := found[0], "tries "+string(at)
	if n, err := s.count(ctx, tx, key, tryWindow); err != nil || n > codeTries {
		return ErrTries, err
	}
	if !c.fits(handle, purpose, bound, at, digits, tx.Now()) {
		tryCode(tx, c)
		return ErrCode, nil
	}
	dropCode(tx, c)
	forgive(tx, key, codeTries)
	forgive(tx, origin, 1)
	return nil, nil
}

// count counts one more of something, and says how many there were lately.
func (s *Service) count(ctx context.Context, tx *pg.Tx, key string, window time.Duration) (int, error) {
	return throttle(ctx, tx, key, window)
}

// ForgetCodes deletes codes and counts that are over.
func (s *Service) ForgetCodes(ctx context.Context) error {
	return s.db.InTx(auth.With(ctx, auth.Hub), func(tx *pg.Tx) error {
		forgetCodes(tx, tx.Now().Add(-day))
		return nil
	})
}
