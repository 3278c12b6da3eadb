package escrow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// trial is a move that is tried on an order of a charge.
type trial func(h hub, order, charge string) error

func (h hub) on(f func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error)) error {
	return h.do(func(ctx context.Context, tx *pg.Tx) error { _, err := f(ctx, tx); return err })
}

// trials are the moves as they are made on an order, with rfd_x flying and the
// chargeback x open where there are such.
var trials = map[escrow.Move]trial{
	escrow.MoveAuthorize: func(h hub, _, charge string) error {
		return h.do(func(ctx context.Context, tx *pg.Tx) error { _, err := h.escrow.Authorize(ctx, tx, charge); return err })
	},
	escrow.MoveVoid: func(h hub, _, charge string) error {
		return h.do(func(ctx context.Context, tx *pg.Tx) error { _, err := h.escrow.Void(ctx, tx, charge); return err })
	},
	escrow.MoveFund: func(h hub, _, charge string) error {
		return h.do(func(ctx context.Context, tx *pg.Tx) error {
			_, err := h.escrow.Fund(ctx, tx, charge, "psp:p:clearing")
			return err
		})
	},
	escrow.MoveExpire: func(h hub, _, charge string) error {
		return h.do(func(ctx context.Context, tx *pg.Tx) error { _, err := h.escrow.Expire(ctx, tx, charge); return err })
	},
	escrow.MoveCollect: func(h hub, order, _ string) error { return h.collect(order, 7500, 1500) },
	escrow.MoveRefuse: func(h hub, order, _ string) error {
		return h.on(func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error) {
			return h.escrow.Refuse(ctx, tx, order, 1500)
		})
	},
	escrow.MoveRemit: func(h hub, order, _ string) error {
		return h.on(func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error) { return h.escrow.Remitted(ctx, tx, order) })
	},
	escrow.MoveShip: func(h hub, order, _ string) error {
		return h.do(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Shipped(ctx, tx, order, tx.Now()) })
	},
	escrow.MoveDeliver: func(h hub, order, _ string) error {
		return h.do(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Delivered(ctx, tx, order, tx.Now()) })
	},
	escrow.MoveRelease: func(h hub, order, _ string) error {
		return h.on(func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error) {
			return h.escrow.ReleaseOrder(ctx, tx, order)
		})
	},
	escrow.MoveRefund: func(h hub, order, _ string) error {
		_, err := h.back(escrow.Back{Refund: "rfd_y", Order: order, Amount: 10, HeldOnly: true})
		return err
	},
	escrow.MoveTakeBack: func(h hub, order, _ string) error {
		_, err := h.back(escrow.Back{Refund: "rfd_y", Order: order, Amount: 10})
		return err
	},
	escrow.MoveArrive: func(h hub, _, _ string) error {
		return h.on(func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error) { return h.escrow.Arrived(ctx, tx, "rfd_x") })
	},
	escrow.MoveReturn: func(h hub, _, _ string) error {
		return h.on(func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error) { return h.escrow.CameBack(ctx, tx, "rfd_z") })
	},
	escrow.MoveUndo: func(h hub, _, _ string) error {
		return h.on(func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error) { return h.escrow.PutBack(ctx, tx, "rfd_x") })
	},
	escrow.MoveFreeze: func(h hub, order, _ string) error {
		return h.on(func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error) {
			return h.escrow.Freeze(ctx, tx, order, escrow.Case{ID: "dsp_y", Kind: "dispute", State: "open"})
		})
	},
	escrow.MoveThaw: func(h hub, order, _ string) error {
		return h.on(func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error) { return h.escrow.Thaw(ctx, tx, order, "x") })
	},
	escrow.MoveRule: func(h hub, order, _ string) error {
		_, err := rule(h, escrow.Ruling{Order: order, Case: "x", Refund: "rfd_y", Back: 10, Release: h.hold(order).Held() - 10})
		return err
	},
	escrow.MoveContest: func(h hub, _, charge string) error {
		return h.contest(escrow.Contest{Case: "cbk_y", Charge: charge, Acquirer: "p", Amount: 10})
	},
	escrow.MoveWin:  func(h hub, _, _ string) error { return h.won("x") },
	escrow.MoveLose: func(h hub, _, _ string) error { return h.lost("x", escrow.Loser{}) },
	escrow.MoveReserve: func(h hub, order, _ string) error {
		return h.do(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.ReserveDue(ctx, tx, order) })
	},
	escrow.MoveClose: func(h hub, order, _ string) error {
		return h.do(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.CloseDue(ctx, tx, order) })
	},
}

var (
	states = []escrow.State{escrow.Awaiting, escrow.Authorized, escrow.Funded, escrow.Released, escrow.Refunded, escrow.Expired, escrow.Voided, escrow.Closed}
	// elsewhere are the moves that the trade's packages make: of these the escrow
	// has no state to change.
	elsewhere = []escrow.Move{escrow.MoveOpen, escrow.MoveUnsigned, escrow.MoveCap}
	// quiet are those that change nothing, rather than refuse, where they come too late.
	quiet = []escrow.Move{escrow.MoveShip, escrow.MoveDeliver, escrow.MoveClose}
)

// From every state a move is refused that its row does not let start there, and
// while a case is open what its row calls calm; nothing of the escrow, of its
// timers or of the books has changed by then.
func TestWhatARowDoesNotAllowChangesNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	h := newHubAt(t, url)
	owner := pgtest.Open(t, url, pg.Options{MaxConns: 1})
	order := h.sale("org_s", "chg", "k")
	h.fund("chg")
	h.part(order, 3000)
	for _, refund := range []string{"rfd_x", "rfd_z"} {
		h.mustBack(escrow.Back{Refund: refund, Order: order, Amount: 100})
	}
	h.arrive("rfd_z", 100)
	h.ok(h.contest(escrow.Contest{Case: "x", Charge: "chg", Acquirer: "p", Amount: 50}))
	set := func(sql string, args ...any) {
		t.Helper()
		for _, text := range []string{`set role none`, `set session_replication_role = replica`} {
			if _, err := owner.Exec(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := owner.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	set(`update platform.timer set due = due + interval '1 year'`)
	set(`update escrow.lot set due = due - interval '1 year'`)
	before := func() []string {
		rows, err := pg.Column[string](t.Context(), owner, `select h::text from escrow.hold h
			union all select 'transfers ' || count(*) from ledger.transfer union all select 'held ' || coalesce(sum(held), 0) from ledger.balance
			union all select 'timer ' || kind || subject || due from platform.timer where kind <> 'escrow.close' union all select t::text from escrow.contest t
			union all select t::text from escrow.back t union all select t::text from escrow.lot t union all select t::text from escrow.release t order by 1`)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	for _, r := range escrow.Machine {
		try, ok := trials[r.Move]
		if !ok {
			if !slices.Contains(elsewhere, r.Move) {
				t.Errorf("%s is not tried", r.Move)
			}
			continue
		}
		for _, s := range states {
			for _, open := range []bool{false, true} {
				starts := slices.Contains(r.From, s)
				if starts && (!open || !r.Calm) {
					continue // what is allowed then is for the other tests
				}
				set(`update escrow.hold set state = $1, cases = case when $2 then '{x}'::text[] else '{}' end, frozen_at = case when $2 then platform.now() end,
					flying = case when $3 then 0 else 1 end, shipped_at = null, release_due = null`, s, open || r.Move == escrow.MoveThaw, r.Move == escrow.MoveLose)
				was := before()
				err := try(h, order, "chg")
				want := escrow.ErrState
				if starts {
					want = escrow.ErrFrozen
				}
				if calm := slices.Contains(quiet, r.Move) || r.Move == escrow.MoveReserve && open; err != nil && calm || !calm && !errors.Is(err, want) {
					t.Errorf("%s from %s, a case open %t: %v, want %v", r.Move, s, open, err, want)
				}
				if diff := cmp.Diff(was, before()); diff != "" {
					t.Errorf("%s from %s, a case open %t, was refused and changed this:\n%s", r.Move, s, open, diff)
				}
			}
		}
	}
}

// What a guard refuses is answered as its row says, each of its answers once, and
// changes nothing.
func TestEachGuardAnswersWhatItsRowSays(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	got := map[escrow.Move][]string{}
	for _, r := range escrow.Machine {
		for i, refuse := range refusals[r.Move] {
			name := strings.ReplaceAll(fmt.Sprintf("no_%s_%d", r.Move, i), " ", "_")
			order := h.sale(name, name, "k")
			try := refuse(h, order, name)
			was := h.accounts()
			hold := h.hold(order)
			err := try()
			f, ok := errors.AsType[*fault.Error](err)
			if !ok {
				t.Errorf("%s, %d: %v, want a refusal", r.Move, i, err)
				continue
			}
			if !slices.Contains(got[r.Move], f.Code) {
				got[r.Move] = append(got[r.Move], f.Code)
			}
			if diff := cmp.Diff(was, h.accounts()) + cmp.Diff(hold, h.hold(order)); diff != "" {
				t.Errorf("%s, %d, was refused and changed this:\n%s", r.Move, i, diff)
			}
		}
		var want []string
		for _, e := range r.Refuses {
			want = append(want, e.Code)
		}
		slices.Sort(want)
		slices.Sort(got[r.Move])
		if !slices.Equal(got[r.Move], want) {
			t.Errorf("%s was refused with %v, its row says %v", r.Move, got[r.Move], want)
		}
	}
}

// A refusal prepares an order for a move, and gives the move that its guard
// refuses.
type refusal func(h hub, order, name string) func() error

func (h hub) cash(order string) {
	h.t.Helper()
	h.ok(h.collect(order, 7500, 1500))
}

func (h hub) opening(terms func(*escrow.Terms)) func() error {
	return func() error {
		return h.do(func(ctx context.Context, tx *pg.Tx) error {
			in := escrow.Terms{Order: "ord_x", Seller: "s", Buyer: "b", Charge: "c", Amount: money.Dirhams(100), Legs: escrow.Legs{Seller: 100}}
			terms(&in)
			_, err := h.escrow.Open(ctx, tx, in)
			return err
		})
	}
}

// backs takes so much of an order back, once it has been made ready.
func backs(heldOnly bool, amount int64, ready func(h hub, order, name string)) refusal {
	return func(h hub, order, name string) func() error {
		ready(h, order, name)
		return func() error {
			_, err := h.back(escrow.Back{Refund: "rfd_" + name, Order: order, Amount: amount, HeldOnly: heldOnly})
			return err
		}
	}
}

func paidIn(h hub, _, name string)     { h.fund(name) }
func collected(h hub, order, _ string) { h.cash(order) }

// flies has a refund of an order on its way.
func flies(h hub, order, name string) {
	h.fund(name)
	h.mustBack(escrow.Back{Refund: "rfd_" + name, Order: order, Amount: 100})
}

func contests(h hub, name string) {
	h.t.Helper()
	h.ok(h.contest(escrow.Contest{Case: name, Charge: name, Acquirer: "p", Amount: 50}))
}

// tries is a trial of a refund or of a chargeback that has the order's name.
func (h hub) tries(f func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error)) func() error {
	return func() error { return h.on(f) }
}

func ruling(back, release int64, ready func(h hub, order, name string)) refusal {
	return func(h hub, order, name string) func() error {
		ready(h, order, name)
		return func() error {
			_, err := rule(h, escrow.Ruling{Order: order, Case: name, Refund: "rfd_" + name, Back: back, Release: release})
			return err
		}
	}
}

var refusals = map[escrow.Move][]refusal{
	escrow.MoveOpen: {
		func(h hub, _, _ string) func() error { return h.opening(func(t *escrow.Terms) { t.Legs.Seller-- }) },
		func(h hub, _, _ string) func() error { return h.opening(func(t *escrow.Terms) { t.Bonus = -1 }) },
		func(h hub, _, _ string) func() error {
			return h.opening(func(t *escrow.Terms) { t.Legs, t.Bonus = escrow.Legs{Carrier: 100}, 1 })
		},
	},
	escrow.MoveCollect: {
		func(h hub, order, _ string) func() error { return func() error { return h.collect(order, 7501, 0) } },
		func(h hub, order, _ string) func() error { return func() error { return h.collect(order, 0, 0) } },
		func(h hub, order, _ string) func() error { return func() error { return h.collect(order, 5, 6) } },
	},
	escrow.MoveRelease: {
		func(h hub, order, name string) func() error {
			h.fund(name)
			as := auth.With(h.t.Context(), auth.Principal{Subject: "per_b", Role: auth.Buyer})
			return func() error {
				return h.db.InTx(as, func(tx *pg.Tx) error {
					_, err := h.escrow.Release(as, tx, escrow.ReleaseInput{Escrow: h.hold(order).ID, Amount: money.Dirhams(7501)})
					return err
				})
			}
		},
		func(h hub, order, _ string) func() error {
			h.cash(order)
			return h.tries(func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error) {
				return h.escrow.ReleaseOrder(ctx, tx, order)
			})
		},
	},
	escrow.MoveRefund: {
		backs(true, 7501, paidIn), backs(true, 0, paidIn), backs(true, 100, collected),
		backs(true, 6001, func(h hub, order, name string) { h.fund(name); h.ship(order) }), // the carrier is on its way
	},
	escrow.MoveTakeBack: {backs(false, 7501, paidIn), backs(false, -1, paidIn), backs(false, 100, collected)},
	escrow.MoveArrive: {func(h hub, order, name string) func() error {
		flies(h, order, name)
		h.putBack("rfd_" + name)
		return h.tries(func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error) {
			return h.escrow.Arrived(ctx, tx, "rfd_"+name)
		})
	}},
	escrow.MoveReturn: {func(h hub, order, name string) func() error {
		flies(h, order, name)
		h.putBack("rfd_" + name)
		return h.tries(func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error) {
			return h.escrow.CameBack(ctx, tx, "rfd_"+name)
		})
	}},
	escrow.MoveUndo: {func(h hub, order, name string) func() error {
		flies(h, order, name)
		h.arrive("rfd_"+name, 100)
		return h.tries(func(ctx context.Context, tx *pg.Tx) (escrow.Hold, error) {
			return h.escrow.PutBack(ctx, tx, "rfd_"+name)
		})
	}},
	escrow.MoveRule: {
		ruling(10, 10, func(h hub, order, name string) { h.fund(name); h.freeze(order, name) }),
		ruling(7501, -1, func(h hub, order, name string) { h.fund(name); h.freeze(order, name) }),
		ruling(7500, 0, paidIn),
		ruling(6000, 0, func(h hub, order, name string) { h.cash(order); h.freeze(order, name) }),
	},
	escrow.MoveContest: {
		func(h hub, _, name string) func() error {
			h.fund(name)
			return func() error { return h.contest(escrow.Contest{Case: name, Charge: name, Acquirer: "p"}) }
		},
		func(h hub, _, name string) func() error {
			h.fund(name)
			contests(h, name)
			return func() error { return h.contest(escrow.Contest{Case: name, Charge: name, Acquirer: "p", Amount: 51}) }
		},
	},
	escrow.MoveWin: {func(h hub, _, name string) func() error {
		h.fund(name)
		contests(h, name)
		h.ok(h.lost(name, escrow.Loser{}))
		return func() error { return h.won(name) }
	}},
	escrow.MoveLose: {
		func(h hub, order, name string) func() error {
			flies(h, order, name)
			contests(h, name)
			return func() error { return h.lost(name, escrow.Loser{}) }
		},
		func(h hub, _, name string) func() error {
			h.fund(name)
			contests(h, name)
			h.ok(h.won(name))
			return func() error { return h.lost(name, escrow.Loser{}) }
		},
	},
}
