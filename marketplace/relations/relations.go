// Package relations keeps what people wish to be told by those who sell, and keeps
// systems outside (a CRM) up to date with who agreed to that: the person, its
// orders, its points. Nothing of it stands in the way of an order: it hears by
// events, says it in its own time, and looks at the truth each time, so that late
// or repeated events change nothing.
package relations

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/marketplace/accords"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/fault"
)

// Errors of relations.
var (
	ErrPartner  = fault.New(fault.NotFound, "relations.no_such_partner", "No system of this name is kept up to date.")
	ErrNotFound = fault.New(fault.NotFound, "relations.not_found", "There is nothing of this person here.")
	ErrInvalid  = fault.New(fault.Invalid, "relations.invalid", "Some of this is not right; see errors.")
	ErrChanged  = fault.New(fault.Conflict, "relations.changed", "This changed meanwhile; look again.")
	ErrText     = fault.New(fault.Conflict, "relations.other_text", "The text that was agreed to is not the one in force; show it again and ask anew.")
)

// Marketing is the purpose that people agree to: to be written to about goods.
const Marketing = "marketing"

// A Source says who had a wish written down.
type Source string

// The sources.
const (
	ByPerson  Source = "person"  // itself, here
	ByCRM     Source = "crm"     // itself, at a system that wrote to it
	ByErasure Source = "erasure" // who wants to be forgotten wants no letters
)

// A Wish is what somebody said once.
type Wish struct {
	ID       string
	Person   string
	Purpose  string
	Granted  bool
	Source   Source
	Partner  string
	TextHash string
	Lang     string
	At       time.Time
}

// A Stance is the last of somebody's wishes; who never said anything agreed to
// nothing.
type Stance struct {
	Person  string
	Purpose string
	Granted bool
	Wish    string
	At      time.Time
	Version int64
}

// Text is what people agree to, in one of its languages; French for any other.
func Text(lang string) (in, text, hash string) {
	t := accords.Current(accords.Marketing, lang)
	return t.Lang, t.Says, t.Hex()
}

// langOf finds in which language a text was agreed to, by its hash.
func langOf(hash string) (lang string, ok bool) {
	t, ok := accords.Shown(accords.Marketing, hash)
	return t.Lang, ok
}

// An Entity is what is kept at a system.
type Entity string

// The entities, in the order in which they are said: the others are about a
// person that the system must know.
const (
	Contact Entity = "contact"
	Consent Entity = "consent"
	Points  Entity = "points"
	Deal    Entity = "deal"
)

var entities = []Entity{Contact, Consent, Points, Deal}

// Why nothing is said of something.
const (
	heldConsent  = "consent"  // the person does not agree, or no more
	heldAddress  = "address"  // nobody can be reached
	heldTransfer = "transfer" // nothing may leave the country for this system
	heldContact  = "contact"  // the system does not have the person
	heldRefused  = "refused"  // the system does not take it
	heldGone     = "gone"     // there is nothing to tell
)

// A Link is one thing of ours at one system.
type Link struct {
	Partner     string
	Entity      Entity
	LocalID     string
	Person      string
	RemoteID    string
	Asked       bool // the system may have it, though it never said so
	ContentHash string
	Version     int64
	Wanted      int64
	Done        int64
	Held        string
	Code        string
	Tries       int
	DueAt       time.Time
	SentAt      *time.Time
}

// A Partner is how the hub stands with one system.
type Partner struct {
	Partner   string
	Paused    bool
	Transfer  string
	BusyUntil *time.Time
	RetryAt   *time.Time
	Failures  int
	Reason    string
	Code      string
	SyncedAt  *time.Time
	Cursor    string
	LookedAt  *time.Time
	Version   int64
}

// rested says whether a system may be spoken to.
func (p Partner) rested(now time.Time) bool {
	return !p.Paused && (p.BusyUntil == nil || !p.BusyUntil.After(now)) && (p.RetryAt == nil || !p.RetryAt.After(now))
}

// pause is how long a system is left alone after it failed so often in a row: half
// a minute, twice as long after each more, at most a quarter of an hour.
func pause(failures int) time.Duration {
	return min(30*time.Second<<min(max(failures-1, 0), 6), 15*time.Minute)
}

// aside is how long something in doubt is left while the others are said: longer
// than the system is left alone, or it would be what each talk ends with.
func aside(tries int) time.Duration { return 4 * pause(tries) }

// hash is of what a system is told of something. Times stand in UTC, names in the
// order of the fields.
func hash(content any) string {
	b, err := json.Marshal(content)
	if err != nil {
		panic("relations: " + err.Error()) // these are plain fields
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// stage is where an order stands for those who sell.
func stage(s orders.State) crm.Stage {
	switch s {
	case orders.Paid, orders.Accepted, orders.Confirmed:
		return crm.Paid
	case orders.Shipped, orders.Delivered:
		return crm.Shipped
	case orders.Completed:
		return crm.Won
	case orders.Expired, orders.Cancelled, orders.Refused, orders.Refunded:
		return crm.Lost
	}
	return crm.Created
}
