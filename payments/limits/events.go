package limits

import (
	"context"

	"tiwiza/pkg/pg"
)

// Stopped says that a sale is held or shall be looked at, or that a payout
// waits.
type Stopped struct {
	Decision string   `json:"decision"`
	What     string   `json:"what"` // sale or payout
	Ref      string   `json:"ref"`
	Outcome  Action   `json:"outcome"`
	Rules    []string `json:"rules"`
}

// EventType names the event.
func (Stopped) EventType() string { return "limits.stopped" }

// Subject is the sale or the payout.
func (e Stopped) Subject() string { return e.Ref }

// Cleared says that a person let a sale or a payout go on.
type Cleared struct {
	Decision string   `json:"decision"`
	What     string   `json:"what"`
	Ref      string   `json:"ref"`
	Orders   []string `json:"orders"` // whose money waits no more
}

// EventType names the event.
func (Cleared) EventType() string { return "limits.cleared" }

// Subject is the sale or the payout.
func (e Cleared) Subject() string { return e.Ref }

// tell publishes a decision that stops something.
func (d decision) tell(ctx context.Context, tx *pg.Tx) error {
	if !d.Open {
		return nil
	}
	rules, _ := d.shown()
	return tx.Publish(ctx, Stopped{d.ID, d.What, d.Ref, d.Outcome, rules})
}
