package escrow

import (
	"context"
	"errors"
	"fmt"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/pg"
)

// A Contest is a chargeback as the acquirer opened it.
type Contest struct {
	Case, Charge, Acquirer string
	Amount, Fee            int64 // centimes
}

// contest is a chargeback as it is kept.
type contest struct {
	ID       string
	Charge   string
	Acquirer string
	Currency string
	Amount   int64
	Fee      int64
	State    string
	Taken    int64 // of its orders, once it is lost; the rest was our loss
	Version  int64
}

// contested is the stake of one escrow in a chargeback.
type contested struct {
	Contest   string
	OrderID   string
	Seller    string
	Amount    int64
	Kept      int64 // kept back inside the seller's available money
	Keeps     int   // by so many holds
	Uncovered int64 // neither held nor kept
	Open      bool
	Taken     int64 // when it was lost
}

// Contest books an opened chargeback: the acquirer has taken it out of what it
// owes us, so our own money comes in. It is shared over the charge's escrows;
// what is not held of an escrow is kept back inside the seller's available
// money. Each stake is a case of its escrow. The caller has cancelled what
// refunds were not sent. Opening the same case twice is harmless.
func (s *Service) Contest(ctx context.Context, tx *pg.Tx, c Contest) error {
	if c.Amount <= 0 || c.Fee < 0 {
		return ErrAmount
	}
	holds, err := lockCharge(ctx, tx, c.Charge)
	if err != nil {
		return err
	}
	if len(holds) == 0 {
		return ErrNotFound
	}
	switch old, err := lockContest(ctx, tx, c.Case); {
	case err == nil && (old.Charge != c.Charge || old.Amount != c.Amount):
		return ErrState.Say("Case %s stands for another chargeback already.", c.Case)
	case err == nil || !errors.Is(err, ErrCase):
		return err
	}
	for _, h := range holds {
		if err := h.may(MoveContest); err != nil {
			return err
		}
	}
	top, err := s.topUp(c.Amount + c.Fee)
	if err != nil {
		return err
	}
	insertContest(tx, c, holds[0].Currency)
	stakes, _ := Shares(c.Amount, holds)
	for _, st := range stakes {
		if _, err := s.stake(ctx, tx, c.Case, st); err != nil {
			return err
		}
	}
	return s.post(ctx, tx, MoveContest, ledger.Transfer{
		Key: "chargeback:" + c.Case, Currency: holds[0].Currency,
		Legs: append(top, ledger.Debit(ledger.Disputed(c.Acquirer), c.Amount), ledger.Debit(ledger.DisputeCost, c.Fee),
			ledger.Credit(ledger.Clearing(c.Acquirer), c.Amount+c.Fee)),
	})
}

// stake writes down what a chargeback is of one escrow, covers it, and freezes
// the escrow.
func (s *Service) stake(ctx context.Context, tx *pg.Tx, caseID string, st Stake) (Hold, error) {
	h := st.Hold
	cut, err := h.Cut(st.Amount, true)
	if err != nil {
		return h, err
	}
	k := contested{Contest: caseID, OrderID: h.Order, Seller: h.Seller, Amount: st.Amount, Uncovered: cut.Gone.Total() + cut.Bonus}
	if k.Uncovered > 0 {
		if k.Kept, err = s.keepBack(ctx, tx, k, h.Currency); err != nil {
			return h, err
		}
		if k.Kept > 0 {
			k.Keeps = 1
		}
		k.Uncovered -= k.Kept
	}
	insertContested(tx, k)
	return s.freeze(ctx, tx, h, Case{ID: caseID, Kind: "chargeback", State: "open"})
}

// keepBack keeps what a stake is not covered by inside the seller's available
// money, as far as that goes.
func (s *Service) keepBack(ctx context.Context, tx *pg.Tx, k contested, currency string) (int64, error) {
	return s.books.HoldUpTo(ctx, tx, ledger.Hold{
		ID: k.keepID(k.Keeps), Account: ledger.Available(k.Seller), Currency: currency, Amount: k.Uncovered, Why: "chargeback " + k.Contest,
	})
}

// keepID names one of the holds that cover a stake.
func (k contested) keepID(n int) string {
	if n == 0 {
		return k.Contest + " " + k.OrderID
	}
	return fmt.Sprintf("%s %s %d", k.Contest, k.OrderID, n)
}

// coverAgain keeps back, of money that has come to a seller, what its open
// chargebacks are not covered by. The stakes were locked before the money moved.
func (s *Service) coverAgain(ctx context.Context, tx *pg.Tx, bare []contested, currency string) error {
	for _, k := range bare {
		more, err := s.keepBack(ctx, tx, k, currency)
		if err != nil {
			return err
		}
		if more > 0 {
			keepMore(tx, k, more)
		}
	}
	return nil
}

// Won ends a chargeback that the acquirer decided for us: what it took comes
// back. Our own money that stood in for it leaves with the sweep. Winning twice
// is harmless.
func (s *Service) Won(ctx context.Context, tx *pg.Tx, caseID string) error {
	c, holds, stakes, err := s.decided(ctx, tx, caseID, "won")
	if err != nil || c.State == "won" {
		return err
	}
	for _, k := range stakes {
		h := holds[k.OrderID]
		if err := h.may(MoveWin); err != nil {
			return err
		}
		if err := s.unstake(ctx, tx, k, 0); err != nil {
			return err
		}
		if h, err = s.thaw(ctx, tx, h, caseID); err != nil {
			return err
		}
		save(tx, h)
	}
	endContest(tx, c, "won", 0)
	return s.post(ctx, tx, MoveWin, ledger.Transfer{
		Key: "chargeback.won:" + caseID, Currency: c.Currency,
		Legs: []ledger.Leg{ledger.Debit(ledger.Clearing(c.Acquirer), c.Amount), ledger.Credit(ledger.Disputed(c.Acquirer), c.Amount)},
	})
}

// A Loser says who bears a chargeback that was lost.
type Loser struct {
	PlatformBears bool // it all, of orders whose delivery is proved
}

// Lost ends a chargeback that the acquirer decided for the buyer: what is held
// goes first, then what was released is taken back as for a refund. What is more
// than the buyer could still claim is our loss. While a refund of one of its
// orders is on its way it is ErrFlying: call again once that has ended. Losing
// twice is harmless.
func (s *Service) Lost(ctx context.Context, tx *pg.Tx, caseID string, l Loser) error {
	c, holds, stakes, err := s.decided(ctx, tx, caseID, "lost")
	if err != nil || c.State == "lost" {
		return err
	}
	for _, h := range holds {
		if h.Flying > 0 {
			return ErrFlying
		}
	}
	t := ledger.Transfer{Key: "chargeback.lost:" + caseID, Currency: c.Currency}
	loss, grown := c.Amount, c.Amount
	for _, k := range stakes {
		grown -= min(k.Amount, holds[k.OrderID].Claim())
	}
	for _, k := range stakes {
		h := holds[k.OrderID]
		if err := h.may(MoveLose); err != nil {
			return err
		}
		// A refund that was on its way when it was shared, and was undone since,
		// is the buyer's to claim again.
		share := min(k.Amount, h.Claim())
		more := min(grown, h.Claim()-share)
		grown -= more
		if err := s.unstake(ctx, tx, k, share+more); err != nil {
			return err
		}
		taken, legs, err := s.lose(ctx, tx, h, share+more, caseID, l)
		if err != nil {
			return err
		}
		loss -= taken
		t.Legs = append(t.Legs, legs...)
	}
	endContest(tx, c, "lost", c.Amount-loss)
	t.Legs = append(t.Legs, ledger.Debit(ledger.Loss, loss), ledger.Credit(ledger.Disputed(c.Acquirer), c.Amount))
	return s.post(ctx, tx, MoveLose, merge(t))
}

// lose takes a lost stake out of one escrow and ends its case there.
func (s *Service) lose(ctx context.Context, tx *pg.Tx, h Hold, amount int64, caseID string, l Loser) (int64, []ledger.Leg, error) {
	var legs []ledger.Leg
	if amount > 0 {
		cut, err := h.Cut(amount, true)
		if err != nil {
			return 0, nil, err
		}
		if _, legs, err = s.bear(ctx, tx, h, cut, Bearing{All: l.PlatformBears && h.ReleaseDue != nil}); err != nil {
			return 0, nil, err
		}
		legs = append(legs, ledger.Debit(ledger.Escrow(h.Order), cut.Held.Total()))
		h = h.Lose(cut)
	}
	h, err := s.thaw(ctx, tx, h, caseID)
	if err != nil {
		return 0, nil, err
	}
	_, err = s.keep(ctx, tx, h)
	return amount, legs, err
}

// decided locks a chargeback with its escrows, and says whether it may end so.
func (s *Service) decided(ctx context.Context, tx *pg.Tx, caseID, end string) (contest, map[string]Hold, []contested, error) {
	c, err := loadContest(ctx, tx, caseID)
	if err != nil {
		return c, nil, nil, err
	}
	all, err := lockCharge(ctx, tx, c.Charge) // before the case, as when it opens
	if err != nil {
		return c, nil, nil, err
	}
	if c, err = lockContest(ctx, tx, caseID); err != nil {
		return c, nil, nil, err
	}
	if c.State != "open" && c.State != end {
		return c, nil, nil, ErrState.Say("The chargeback %s was %s already.", caseID, c.State).At("/state", c.State)
	}
	stakes, err := stakesOf(ctx, tx, caseID)
	holds := make(map[string]Hold, len(all))
	for _, h := range all {
		holds[h.Order] = h
	}
	return c, holds, stakes, err
}

func (s *Service) unstake(ctx context.Context, tx *pg.Tx, k contested, taken int64) error {
	endContested(tx, k, taken)
	for n := range k.Keeps {
		if err := s.books.Drop(ctx, tx, k.keepID(n)); err != nil {
			return err
		}
	}
	return nil
}

// Blocked says why the payouts of those among some sellers stop who have a
// chargeback that nothing covers. What a seller may owe is for payouts to say.
func (s *Service) Blocked(ctx context.Context, db pg.DB, sellers ...string) (map[string]string, error) {
	open, err := uncovered(ctx, db, sellers)
	for seller, contest := range open {
		open[seller] = "A chargeback is open that the seller's money does not cover: " + contest + "."
	}
	return open, err
}
