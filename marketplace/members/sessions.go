package members

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Errors of sessions.
var (
	ErrEnded     = auth.ErrEnded
	ErrNoSession = fault.New(fault.NotFound, "sessions.not_found", "You have no such session.")
	ErrNoDesk    = fault.New(fault.NotFound, "sessions.no_desk", "You do not belong to this organisation.")
	ErrStale     = fault.New(fault.Denied, "sessions.stale", "It is too long since you showed who you are; do so again with your passkey or a fresh code, then sit down here.")
)

// fresh is how long somebody who has just shown who it is may do what asks for
// that.
const fresh = 10 * time.Minute

// touched is how exactly the hub knows when a session was last seen.
const touched = time.Minute

// A term is how long sessions of a role last.
type term struct {
	idle time.Duration // unused
	all  time.Duration // since the person showed who it is
}

// terms follow OWASP ASVS 5.0, 7.3: the more a role may do, the shorter.
var terms = map[auth.Role]term{
	auth.Buyer:       {30 * day, 30 * day},
	auth.Seller:      {12 * time.Hour, 30 * day},
	auth.Bank:        {15 * time.Minute, 8 * time.Hour},
	auth.Insurer:     {15 * time.Minute, 8 * time.Hour},
	auth.Institution: {15 * time.Minute, 8 * time.Hour},
	auth.Provider:    {12 * time.Hour, 30 * day},
	auth.Operator:    {15 * time.Minute, 8 * time.Hour},
}

// A Desk is an organisation that a person works for.
type Desk struct {
	Organisation string    `json:"organisation"`
	Names        Texts     `json:"names"`
	Kind         Kind      `json:"kind"`
	Role         auth.Role `json:"role,omitempty"`
	Template     string    `json:"template"`
	Rights       []string  `json:"rights"`
	State        State     `json:"state" required:"true" enum:"draft,submitted,under_review,changes_requested,active,suspended"`
	Note         string    `json:"note,omitempty" description:"Why the operator suspended it."`

	behind  string // the operator's person on whose word it belongs there
	charter int    // the version of the charter that binds the organisation
}

// A seatRow is a desk as the database gives it.
type seatRow struct {
	Desk
	Behind  string `json:"behind"`
	Charter int    `json:"charter"`
}

// A Visitor is who holds a session, as pages need it.
type Visitor struct {
	Session, Person string
	Names           Texts
	Lang            string
	Desks           []Desk
	As              auth.Principal
	Desk            *Desk // where it sits; nil: for itself, as a buyer
	SteppedUpAt     *time.Time
	Passkeys        int
}

// A sitting is a session as it is looked up, with all that a request needs.
type sitting struct {
	ID           string
	Person       string
	Hash         []byte
	Organisation *string
	Proof        string
	MadeAt       time.Time
	SeenAt       time.Time
	ProvedAt     time.Time
	EndedAt      *time.Time
	LockedAt     *time.Time
	ActsFor      *string
	ActsUntil    *time.Time
	Sent         bool // whoever sent the agent still does; true when there is none
	Names        Texts
	Lang         string
	Passkeys     int
	Guests       string
	Seats        []seatRow
	Desks        []Desk `db:"-"`
	Now          time.Time
}

// desk finds an organisation among those that the person works for.
func (c sitting) desk(org string) *Desk {
	if i := slices.IndexFunc(c.Desks, func(d Desk) bool { return d.Organisation == org && d.Role != "" }); i >= 0 {
		return &c.Desks[i]
	}
	return nil
}

// lives says whether the session has ended by itself for a role.
func (c sitting) lives(role auth.Role) bool {
	t := terms[role]
	return c.Now.Sub(c.SeenAt) < t.idle && c.Now.Sub(c.ProvedAt) < t.all
}

// visitor is who sits there now, or ErrEnded.
func (c sitting) visitor() (Visitor, error) {
	v := Visitor{Session: c.ID, Person: c.Person, Names: c.Names, Lang: c.Lang, Desks: c.Desks, Passkeys: c.Passkeys}
	v.As = auth.Principal{
		Key: c.ID, Subject: c.Person, Role: auth.Buyer, Human: c.Person, Behind: "operator " + c.Person,
		Guests: c.Guests,
		Proof:  auth.Proof{Session: true, SteppedUp: c.Proof != "pin" && c.Now.Sub(c.ProvedAt) < fresh, Passkey: c.Proof == "passkey", PIN: c.Proof == "pin"},
	}
	if c.Organisation != nil {
		d := c.desk(*c.Organisation)
		if d == nil { // no member any more
			return Visitor{}, ErrEnded
		}
		v.Desk, v.As.Role, v.As.Guests = d, d.Role, ""
		v.As.Proof.Desk, v.As.Proof.Rights = true, auth.RightsOf(d.Rights)
		v.As.Proof.Applicant = d.State != Active && d.State != Suspended
		if d.Role == auth.Operator { // its people are themselves, whatever they sign in with
			v.As.Behind = ""
		} else {
			v.As.Subject, v.As.Charter = d.Organisation, d.charter
			v.As.Behind = cmp.Or(d.behind, v.As.Behind)
		}
	}
	if c.ActsFor != nil {
		if !c.Sent || !c.Now.Before(*c.ActsUntil) {
			return Visitor{}, ErrEnded
		}
		v.As.For, v.As.Proof.Agent = *c.ActsFor, true
		v.As.Proof.Rights &= auth.Sell | auth.Deliver
	}
	if c.EndedAt != nil || !c.lives(v.As.Role) {
		return Visitor{}, ErrEnded
	}
	if c.LockedAt != nil {
		return Visitor{}, ErrLocked
	}
	if v.As.Proof.SteppedUp {
		v.SteppedUpAt = &c.ProvedAt
	}
	return v, nil
}

// Visitor says who holds a session's token. One that is not known, was ended, or
// has ended by itself is ErrEnded.
func (s *Service) Visitor(ctx context.Context, token string) (Visitor, error) {
	k, err := auth.ParseKey(token)
	if err != nil || !k.Session() {
		return Visitor{}, ErrEnded
	}
	v, err := s.visit(ctx, s.db, k)
	if errors.Is(err, auth.ErrUnknown) {
		err = ErrEnded
	}
	return v, err
}

// visit looks a session up, in one query, and once a minute writes down that it
// was seen.
func (s *Service) visit(ctx context.Context, db pg.DB, k auth.Key) (Visitor, error) {
	c, err := loadSitting(ctx, db, k.ID)
	if err != nil {
		return Visitor{}, err
	}
	if !k.Matches(c.Hash) {
		return Visitor{}, auth.ErrUnknown
	}
	v, err := c.visitor()
	if err == nil && db == pg.DB(s.db) && c.Now.Sub(c.SeenAt) >= touched {
		err = s.db.InTx(auth.With(ctx, v.As), func(tx *pg.Tx) error { see(tx, c.ID); return nil })
	}
	return v, err
}

// open writes down a new session and returns its token.
func (s *Service) open(tx *pg.Tx, person, proof string, desk *string, from Origin) auth.Key {
	k := auth.KeyOf(id.New(id.Session))
	insertSession(tx, k, person, desk, proof, from)
	return k
}

// SwitchDesk seats a session's holder at an organisation's desk, or lets it be
// itself ("", a buyer).
func (s *Service) SwitchDesk(ctx context.Context, token, organisation string) error {
	k, err := auth.ParseKey(token)
	if err != nil || !k.Session() {
		return ErrEnded
	}
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		_, err := s.sit(ctx, tx, k, organisation)
		return err
	})
}

// sit is SwitchDesk in the caller's unit of work.
func (s *Service) sit(ctx context.Context, tx *pg.Tx, k auth.Key, organisation string) (Visitor, error) {
	if err := lockSession(ctx, tx, k.ID); err != nil {
		return Visitor{}, err
	}
	c, err := loadSitting(ctx, tx, k.ID)
	if err != nil {
		return Visitor{}, err
	}
	if !k.Matches(c.Hash) {
		return Visitor{}, ErrEnded
	}
	if _, err := c.visitor(); err != nil {
		return Visitor{}, err
	}
	return s.seat(tx, c, organisation)
}

// seat moves a session that is locked and lives.
func (s *Service) seat(tx *pg.Tx, c sitting, organisation string) (Visitor, error) {
	if c.ActsFor != nil {
		return Visitor{}, authz.ErrDenied
	}
	c.Organisation = nil
	if organisation != "" {
		d := c.desk(organisation)
		if d == nil {
			return Visitor{}, ErrNoDesk
		}
		if c.Now.Sub(c.ProvedAt) >= terms[d.Role].all {
			return Visitor{}, ErrStale
		}
		c.Organisation = &organisation
	}
	c.SeenAt = c.Now
	saveDesk(tx, c.ID, c.Organisation)
	audit.Record(tx, "sessions.desk", c.ID, "", map[string]string{"person": c.Person, "organisation": organisation})
	return c.visitor()
}

// End signs a person's session out, from the next request on; one that is not
// the person's is ErrNoSession.
func (s *Service) End(ctx context.Context, tx *pg.Tx, person, session, why string) error {
	n, err := endSession(ctx, tx, person, session, why)
	if err == nil && n == 0 {
		return ErrNoSession
	}
	return err
}

// EndAll signs a person out everywhere but in one session ("": everywhere), and
// says how many sessions that ended.
func (s *Service) EndAll(ctx context.Context, tx *pg.Tx, person, but, why string) (int64, error) {
	return endSessions(ctx, tx, person, but, why)
}
