package premiums

import (
	"context"

	"tiwiza/payments/charges"
	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Settled says that what an insurer owed a member is in the member's balance.
type Settled struct {
	Due     string      `json:"due"`
	Kind    string      `json:"kind"` // claim or refund
	Of      string      `json:"of"`   // the claim, or the policy that was cancelled
	Policy  string      `json:"policy"`
	Member  string      `json:"member"`
	Insurer string      `json:"insurer"`
	Amount  money.Money `json:"amount"`
	Way     string      `json:"way"` // transfer or set_off
}

// EventType names the event.
func (Settled) EventType() string { return "premiums.settled" }

// Subject is the debt.
func (e Settled) Subject() string { return e.Due }

// Subscribe has premiums hear that money in suspense is for something else: no
// indemnity is paid with it then.
func Subscribe(bus *event.Bus) {
	event.Subscribe(bus, "premiums", func(_ context.Context, tx *pg.Tx, e charges.Explained) error {
		dropLoose(tx, e.Line, e.For)
		return nil
	})
}

// Tell publishes what members hear of insurers' money.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "What an insurer owed, an indemnity or part of a premium, is in the balance.", func(_ context.Context, _ *pg.Tx, e Settled) (map[string]Settled, error) {
		return map[string]Settled{e.Member: e}, nil
	})
}
