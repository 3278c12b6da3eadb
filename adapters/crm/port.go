// Package crm keeps a customer relation system up to date with what the market
// knows: people and their orders, each under our own name for it, so that saying
// it again changes nothing.
package crm

import (
	"context"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// A Contact is a person. RemoteID is the system's own name for it, "" while it is
// not known.
type Contact struct {
	ID       string `json:"id"` // ours, unique for ever
	RemoteID string `json:"-"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Phone    string `json:"phone"`
	Lang     string `json:"lang"`

	// Withdrawn says that the person does not agree any more: the system is to
	// leave it alone. Nothing else is said then; whom the system does not know is
	// refused as Gone, and not made.
	Withdrawn bool `json:"withdrawn"`
}

// A Stage is where an order stands, in the words of those who sell.
type Stage string

// The stages.
const (
	Created Stage = "created"
	Paid    Stage = "paid"
	Shipped Stage = "shipped"
	Won     Stage = "won"
	Lost    Stage = "lost"
)

// Stages are all of them, in their order.
var Stages = []Stage{Created, Paid, Shipped, Won, Lost}

// A Deal is one order of one person.
type Deal struct {
	ID        string      `json:"id"` // ours: the order's
	RemoteID  string      `json:"-"`
	ContactID string      `json:"-"` // the system's own name of the person
	Name      string      `json:"name"`
	Amount    money.Money `json:"amount"`
	Stage     Stage       `json:"stage"`
	At        time.Time   `json:"at"`
}

// Points are what a person has in points: the whole, never the change, so that
// what is told twice is told once. Of two the higher version holds.
type Points struct {
	ID        string `json:"id"` // the person's
	ContactID string `json:"-"`
	Points    int64  `json:"points"`
	Tier      string `json:"tier"`
	Version   int64  `json:"version"`
}

// A Put is what became of one of those that were put: it is there under the
// system's own name, or was refused by a code.
type Put struct {
	ID       string
	RemoteID string
	Refused  string
}

// Gone is the code of what the system had once and has no more: without its
// RemoteID it is put anew.
const Gone = "gone"

// A Wish is whether a person wants to be written to.
type Wish struct {
	Email   string
	Granted bool
	Why     string // in words, for who looks at the system
}

// An Erasure asks that all be forgotten that names a person.
type Erasure struct {
	ID       string
	RemoteID string // "" when it never came to be known
}

// A Proof is what shows that a person was forgotten: how the system answered, and
// that it was asked again and knew nobody.
type Proof struct {
	RemoteIDs []string `json:"remote_ids"` // whom it forgot; none: it knew nobody
	Answer    string   `json:"answer"`
	Checked   string   `json:"checked"` // what it said when asked again
}

// A Driver speaks with one system. It gives a Put for each of which the system has
// said what became of it, whatever the outcome of the whole; Succeeded, when it
// has answered about all together; Declined by a code, when all together were
// refused because of some. What it is given twice is there once.
type Driver interface {
	Name() string
	PutContacts(ctx context.Context, all []Contact) ([]Put, outbound.Result)
	PutDeals(ctx context.Context, all []Deal) ([]Put, outbound.Result)
}

// A Pointer is a Driver whose system keeps what people have in points.
type Pointer interface {
	PutPoints(ctx context.Context, all []Points) ([]Put, outbound.Result)
}

// A Subscriber is a Driver whose system writes to people, and knows who does not
// want that. Wish tells it; it is Declined when the system lets nobody but the
// person itself change that. Refusing gives those of some addresses that do not
// want to be written to.
type Subscriber interface {
	Wish(ctx context.Context, w Wish) outbound.Result
	Refusing(ctx context.Context, emails []string) ([]string, outbound.Result)
}

// An Eraser is a Driver whose system can forget a person for good. Succeeded says
// that it was asked afterwards and knows nobody of our name.
type Eraser interface {
	Erase(ctx context.Context, e Erasure) (Proof, outbound.Result)
}

// A Prober is a Driver whose system can be asked how it is.
type Prober interface {
	Probe(ctx context.Context) outbound.Result
}
