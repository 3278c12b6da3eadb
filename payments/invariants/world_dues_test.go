package invariants_test

import (
	"context"

	"tiwiza/payments/dues"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// administer has a member pay two fees of institutions: one is earned, one goes back.
func (w *world) administer() {
	w.t.Helper()
	s := dues.New(w.books, w.escrows)
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		for _, c := range []string{"cas_1", "cas_2"} {
			if _, err := s.Take(ctx, tx, c, "s1", "i1", money.Dirhams(100)); err != nil {
				return err
			}
		}
		if err := s.Keep(ctx, tx, "cas_1"); err != nil {
			return err
		}
		_, err := s.Undo(ctx, tx, "cas_2")
		return err
	})
}

// administered is a wound to what a member's fees have done.
func administered(says string, sql ...string) wound {
	o := do(says, sql...)
	return wound{says: says, do: func(w *world) {
		w.administer()
		o.do(w)
	}}
}
