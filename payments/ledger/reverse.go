package ledger

import (
	"context"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// Errors of taking a transfer back.
var (
	ErrTransfer = fault.New(fault.NotFound, "ledger.no_transfer", "The books have no transfer of this reference.")
	ErrReversal = fault.New(fault.Conflict, "ledger.reversal", "This transfer takes another back; post anew what shall count again.")
	ErrShort    = fault.New(fault.Conflict, "ledger.clients_short", "Taking this back would leave clients short; post a transfer with its own top-up instead.")
)

func (r reversible) transfer() Transfer {
	t := Transfer{Order: r.OrderID, Currency: r.Currency}
	for i, a := range r.Accounts {
		t.Legs = append(t.Legs, Leg{a, r.Amounts[i]})
	}
	return t
}

// Reverse takes the transfer of key of back, as part of tx, by posting its
// mirror under key, with the reason. It answers the key under which it was taken
// back: a transfer is taken back once, and whoever comes second gets the first
// one's. Taking a reversal back is ErrReversal. Like Post it is queued.
func (b *Books) Reverse(ctx context.Context, tx *pg.Tx, key, of, why string) (string, error) {
	row, err := lockTransfer(ctx, tx, of)
	if err != nil {
		return "", err
	}
	switch {
	case row.Reverses != nil:
		return "", ErrReversal
	case row.ReversedBy != "":
		return row.ReversedBy, nil
	}
	m, err := row.transfer().Mirror(key, why)
	if err != nil {
		return "", err
	}
	m.reverses = row.ID
	return key, b.Post(ctx, tx, m)
}
