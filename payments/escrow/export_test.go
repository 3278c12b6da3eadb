package escrow

import (
	"context"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/pg"
)

// Pick takes an amount out of parts.
func Pick(amount int64, of []Part) []Part { return pick(amount, of) }

// Merge adds up the legs of one account on one side.
func Merge(t ledger.Transfer) ledger.Transfer { return merge(t) }

// HeldOnly says whether an amount can go back out of what is held.
func (h Hold) HeldOnly(amount int64) error { return h.heldOnly(amount) }

// Ruled says why a ruling cannot be.
func (h Hold) Ruled(r Ruling) error { return h.ruled(r) }

// May says why a move cannot be.
func (h Hold) May(m Move) error { return h.may(m) }

// ReleaseDue is what the timer does with one order.
func (s *Service) ReleaseDue(ctx context.Context, tx *pg.Tx, order string) error {
	return s.releaseDue(ctx, tx, order)
}

// BooksOf is a transfer as a move books it.
func BooksOf(m Move, t ledger.Transfer) (ledger.Transfer, error) { return m.books(t) }

// ReserveDue is what the timer does with the first lot of an order.
func (s *Service) ReserveDue(ctx context.Context, tx *pg.Tx, order string) error {
	lot, err := pg.Value[string](ctx, tx, ErrNotFound, `select id from escrow.lot where order_id = $1 order by id limit 1`, order)
	if err != nil {
		return err
	}
	return s.freeReserve(ctx, tx, lot)
}

// CloseDue is what the timer does with one order.
func (s *Service) CloseDue(ctx context.Context, tx *pg.Tx, order string) error {
	return s.close(ctx, tx, order)
}
