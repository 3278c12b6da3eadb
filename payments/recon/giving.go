package recon

import (
	"context"
	"errors"

	"tiwiza/payments/charges"
)

// receive hands the whole of money that waits in suspense to whoever a payer's
// reference would have named, when people say that it is for a transfer, an
// order's cash or a remittance. For anything else it takes the money out of
// their hands.
func (w *work) receive(ctx context.Context, r Resolution) (bool, error) {
	if w.s.receiver == nil || w.b.Kind != KindSuspense {
		return false, nil
	}
	line := creditOf(w.l.ID, *w.b.Part)
	if len(r.Pieces) == 1 && r.Pieces[0].By == byMatch && r.Pieces[0].Fee == nil {
		to := r.Pieces[0].To
		t, err := w.s.receiver.Match(ctx, w.tx, line, to)
		switch {
		case err == nil && t.Subject != "":
			w.to = append(w.to, t.Subject)
			return true, nil
		case err == nil:
			return false, ErrUnfit.Say("This does not fit: %s.", t.Why)
		case !errors.Is(err, charges.ErrNotFound) && !errors.Is(err, charges.ErrNoCredit) && !errors.Is(err, charges.ErrMethod):
			return false, err
		}
	}
	w.s.receiver.Otherwise(w.tx, line, w.b.ID)
	return false, nil
}
