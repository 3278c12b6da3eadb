package members

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"time"

	"golang.org/x/crypto/argon2"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// Errors of PINs.
var (
	ErrLocked = fault.New(fault.Unauthenticated, "sessions.locked", "This session is locked; open it with its person's PIN, or sign in with a code.")
	ErrPIN    = fault.New(fault.Invalid, "pin.wrong", "This PIN is not right.")
	ErrPINs   = fault.New(fault.Limited, "pin.tries", "There were five wrong PINs; sign in with a code.")
	ErrNoPIN  = fault.New(fault.Conflict, "pin.none", "Choose a PIN first: without one the session could not be opened again.")
	ErrEasy   = fault.New(fault.Invalid, "pin.easy", "This PIN is too easy to guess; take four other digits.")
)

// pinTries is how many wrong PINs a person has, on all devices together, before
// only a code helps.
const pinTries = 5

// A pin is a person's PIN as the hub keeps it.
type pin struct {
	Person string
	Salt   []byte
	Hash   []byte
	Tries  int
	SetAt  time.Time
}

// newPIN draws a salt for four digits.
func newPIN(person, digits string, at time.Time) pin {
	p := pin{Person: person, Salt: make([]byte, 16), SetAt: at}
	_, _ = rand.Read(p.Salt) // never fails (crypto/rand)
	p.Hash = p.stretch(digits)
	return p
}

// stretch is Argon2id with 19 MiB and two passes, the second choice of OWASP's
// Password Storage Cheat Sheet. Ten thousand PINs are soon gone through by whoever
// has the table; the tries are what protects them.
func (p pin) stretch(digits string) []byte {
	return argon2.IDKey([]byte(digits), p.Salt, 2, 19*1024, 1, 32)
}

func (p pin) fits(digits string) bool {
	return subtle.ConstantTimeCompare(p.stretch(digits), p.Hash) == 1
}

// easy says whether four digits are the first that anybody tries: all alike, two
// by two, or in a row.
func easy(digits string) bool {
	step := digits[1] - digits[0]
	row := digits[2]-digits[1] == step && digits[3]-digits[2] == step && (step == 0 || step == 1 || step == 255)
	return row || digits[:2] == digits[2:]
}

// PINInput is a PIN to open one's sessions with.
type PINInput struct {
	PIN string `json:"pin" required:"true" pattern:"^[0-9]{4}$" description:"Four digits."`
}

// PINView says that a PIN was chosen.
type PINView struct {
	SetAt time.Time `json:"set_at" required:"true"`
}

// SetPIN gives the caller, who has just shown who it is, a PIN in the place of the
// one before.
func (s *Service) SetPIN(ctx context.Context, in PINInput) (v PINView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	if !who.Proof.SteppedUp {
		return v, authz.ErrStepUp
	}
	if easy(in.PIN) {
		return v, ErrEasy.At("/pin", "such as 1234, 1111 or 1212")
	}
	p := newPIN(who.Human, in.PIN, time.Time{})
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		p.SetAt = tx.Now()
		savePIN(tx, p)
		audit.Record(tx, "people.pin", who.Human, authz.Policy(ctx), map[string]string{"session": who.Key})
		return tx.Publish(ctx, PINChanged{who.Human})
	})
	return PINView{p.SetAt.UTC()}, err
}

// LockedView says that a session is locked.
type LockedView struct {
	Session string `json:"session" required:"true"`
}

// Lock has the caller's session open nothing until its PIN is typed, so that the
// next person can take the device. Its token stays there.
func (s *Service) Lock(ctx context.Context) (v LockedView, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		if _, err := lockPIN(ctx, tx, who.Human); err != nil {
			return err
		}
		lockUp(tx, who.Key)
		audit.Record(tx, "sessions.lock", who.Human, authz.Policy(ctx), map[string]string{"session": who.Key})
		return nil
	})
	return LockedView{who.Key}, err
}

// UnlockInput opens a locked session.
type UnlockInput struct {
	Token string `json:"token" required:"true" maxLength:"200" description:"Of the session that is locked; it stays as it is."`
	PIN   string `json:"pin" required:"true" pattern:"^[0-9]{4}$"`
}

// UnlockedView is a session that is open.
type UnlockedView struct {
	Session string `json:"session" required:"true"`
	Person  string `json:"person" required:"true"`
}

// Unlock opens a session that is locked with its person's PIN. What the session
// may do is less than before: nothing that moves money, until a fresh code or a
// passkey. Five wrong PINs, on all devices and hubs together, close this way until
// the person signs in with a code.
func (s *Service) Unlock(ctx context.Context, in UnlockInput) (v UnlockedView, err error) {
	k, err := auth.ParseKey(in.Token)
	if err != nil || !k.Session() {
		return v, ErrEnded
	}
	var refused error
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		v, refused = UnlockedView{}, nil // the unit of work may run again
		if err := lockSession(ctx, tx, k.ID); err != nil {
			return err
		}
		c, err := loadSitting(ctx, tx, k.ID)
		if err != nil {
			return err
		}
		if !k.Matches(c.Hash) {
			return ErrEnded
		}
		locked := c.LockedAt != nil
		c.LockedAt = nil
		if _, err := c.visitor(); err != nil {
			return err
		}
		v = UnlockedView{c.ID, c.Person}
		if refused, err = s.tryPIN(ctx, tx, c, in.PIN); err != nil || refused != nil {
			return err
		}
		if !locked { // the answer of before was lost
			return nil
		}
		unlock(tx, c.ID)
		audit.Record(tx, "sessions.unlock", c.Person, authz.Policy(ctx), map[string]string{"session": c.ID})
		return nil
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return UnlockedView{}, err
	}
	return v, nil
}

// tryPIN takes a PIN in. refused is why not; it is committed all the same, so that
// the count stays.
func (s *Service) tryPIN(ctx context.Context, tx *pg.Tx, c sitting, digits string) (refused, err error) {
	p, err := lockPIN(ctx, tx, c.Person)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Tries >= pinTries:
		return ErrPINs, nil
	case !p.fits(digits):
		countPIN(tx, c.Person, p.Tries+1)
		audit.Record(tx, "sessions.wrong_pin", c.Person, authz.Policy(ctx), map[string]string{"session": c.ID})
		return ErrPIN.At("/pin", "Five wrong ones close this way."), nil
	}
	countPIN(tx, c.Person, 0)
	return nil, nil
}
