package charges

import (
	"cmp"
	"context"
	"fmt"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// A Wire is what is particular to a charge that is paid by bank transfer.
type Wire struct {
	Charge    string
	Reference string
	Bank      string
	Returned  int64 // centimes of what was captured that go back or are back: never the orders'
	Payer     Payer
}

// A Payer is who a statement says sent money.
type Payer struct {
	Name string `json:"name,omitempty"`
	RIB  string `json:"rib,omitempty"`
}

// paidBy remembers who sent the money that is for the orders. When several did,
// none of them is the one that it goes back to.
func (w Wire) paidBy(p Payer, more bool) Wire {
	if !more {
		w.Payer = p
	} else if p.RIB != w.Payer.RIB {
		w.Payer.RIB = ""
	}
	return w
}

// kept is what of a charge's captured money is not going back by itself, in
// centimes.
func (w Wire) kept(c Charge) int64 { return c.Captured - w.Returned }

// awaitTransfer keeps a charge that waits for a transfer.
func (s *Service) awaitTransfer(tx *pg.Tx, c Charge) (Receipt, error) {
	c.Ref, c.ExpiresAt = newReference(forTransfer), c.CreatedAt.Add(TransferWindow)
	w := Wire{Charge: c.ID, Reference: c.Ref, Bank: s.config.Bank}
	insert(tx, c)
	insertWire(tx, w)
	job.Set(tx, timerWindow, c.ID, c.ExpiresAt)
	return s.transferReceipt(c, w), nil
}

func (s *Service) transferReceipt(c Charge, w Wire) Receipt {
	r := plainReceipt(c)
	if c.State != Accepted {
		return r
	}
	m := func(centimes int64) money.Money { return money.FromCentimes(centimes, c.Currency) }
	r.NextAction.Transfer = &Instructions{
		RIB: s.config.Account.RIB, Holder: s.config.Account.Holder, BIC: s.config.Account.BIC,
		Amount: m(c.Amount - w.kept(c)), Received: m(w.kept(c)), Reference: Spaced(w.Reference), Until: c.ExpiresAt.UTC(),
	}
	return r
}

// wired takes in money for a transfer's charge. The whole amount funds the
// escrows; less waits in the charge's suspense for the rest. What is more, or
// comes too late, waits there too, and goes back.
func (s *Service) wired(ctx context.Context, tx *pg.Tx, cr Credit, charge string) (Taken, error) {
	c, err := lock(ctx, tx, charge)
	if err != nil {
		return Taken{}, err
	}
	w, err := transferOf(ctx, tx, c.ID)
	if err != nil {
		return Taken{}, err
	}
	if cr.Currency != c.Currency {
		return Taken{Why: otherCurrency.Of(c.ID)}, nil
	}
	before := w.kept(c)
	c.Captured += cr.Amount
	addCaptured(tx, c.ID, cr.Amount)
	if c.Open() {
		w = w.paidBy(cr.Payer, before > 0)
		saveWire(tx, w)
	}
	t := Taken{Subject: c.ID}
	suspense := ledger.Suspense(c.ID)
	switch have := before + cr.Amount; {
	case !c.Open():
		t.Why = goesBack.Of(c.State)
		if err := s.wait(ctx, tx, cr, suspense, cr.Amount); err != nil {
			return t, err
		}
		return t, s.giveBack(ctx, tx, c, w, cr.Payer, cr.Amount, "it came when the charge was "+string(c.State))
	case have < c.Amount:
		t.Why = partCame.Of(money.FromCentimes(c.Amount-have, c.Currency))
		return t, s.wait(ctx, tx, cr, suspense, cr.Amount)
	case before == 0:
		if err := s.wiredWhole(ctx, tx, c, cr.From); err != nil {
			return t, err
		}
		if err := s.wait(ctx, tx, cr, suspense, have-c.Amount); err != nil {
			return t, err
		}
	default:
		if err := s.wait(ctx, tx, cr, suspense, cr.Amount); err != nil {
			return t, err
		}
		if err := s.wiredWhole(ctx, tx, c, suspense); err != nil {
			return t, err
		}
	}
	over := before + cr.Amount - c.Amount
	if over == 0 {
		return t, nil
	}
	t.Why = moreThanAsked.Of(money.FromCentimes(over, c.Currency))
	return t, s.giveBack(ctx, tx, c, w, cr.Payer, over, "more was transferred than asked")
}

// wiredWhole confirms a charge whose money is all there: it stands at the bank
// already, so it is settled too.
func (s *Service) wiredWhole(ctx context.Context, tx *pg.Tx, c Charge, from string) error {
	c.State = Confirmed
	save(tx, c)
	job.Clear(tx, timerWindow, c.ID)
	holds, err := s.escrows.Fund(ctx, tx, c.ID, from)
	if err != nil {
		return fmt.Errorf("fund the escrows of %s: %w", c.ID, err)
	}
	if err := markSettled(ctx, tx, c.ID); err != nil {
		return err
	}
	if err := s.escrows.Settled(ctx, tx, c.ID); err != nil {
		return err
	}
	if err := tx.Publish(ctx, Paid{c.ID, c.Group, orders(holds)}); err != nil {
		return err
	}
	return tx.Publish(ctx, Settled{c.ID, c.Group})
}

// wait puts money of a credit into a suspense account.
func (s *Service) wait(ctx context.Context, tx *pg.Tx, cr Credit, suspense string, amount int64) error {
	if amount == 0 || cr.From == suspense {
		return nil
	}
	kind := "suspense"
	if cr.waits() {
		kind = "suspense.matched"
	}
	return s.books.Post(ctx, tx, ledger.Transfer{
		Key: "wait:" + cr.Line, Kind: kind, Currency: cr.Currency,
		Legs: []ledger.Leg{ledger.Debit(cr.From, amount), ledger.Credit(suspense, amount)},
	})
}

// overdue sends back what came for a charge that is not paid in time.
func (s *Service) overdue(ctx context.Context, tx *pg.Tx, c Charge) error {
	w, err := transferOf(ctx, tx, c.ID)
	if err != nil || w.kept(c) == 0 {
		return err
	}
	return s.giveBack(ctx, tx, c, w, w.Payer, w.kept(c), "less was transferred than asked, and the time is over")
}

// giveBack sends money of a transfer back, from the charge's suspense, that is
// not for the orders: to the account it came from, or to one that the buyer is
// asked for.
func (s *Service) giveBack(ctx context.Context, tx *pg.Tx, c Charge, w Wire, to Payer, amount int64, why string) error {
	w.Returned += amount
	saveWire(tx, w)
	in := RefundOrder{
		ID: id.New(id.Refund), Charge: c.ID, Amount: money.FromCentimes(amount, c.Currency), Reason: why, By: auth.From(ctx).Person(),
	}
	if to.RIB != "" {
		in.RIB, in.Holder = to.RIB, cmp.Or(to.Name, c.Contact.Name)
	}
	err := s.books.Post(ctx, tx, ledger.Transfer{
		Key: "suspense.refund:" + in.ID, Kind: "suspense.refund", Currency: c.Currency,
		Legs: []ledger.Leg{ledger.Debit(ledger.Suspense(c.ID), amount), ledger.Credit(ledger.Refund(in.ID), amount)},
	})
	if err != nil {
		return err
	}
	_, err = s.refund(ctx, tx, c, in)
	return err
}

// payer is the account that a charge's money came from, if a statement told it.
func (s *Service) payer(ctx context.Context, db pg.DB, c Charge) (rib, holder string, err error) {
	if c.Method != Transfer {
		return "", "", nil
	}
	w, err := transferOf(ctx, db, c.ID)
	if err != nil || w.Payer.RIB == "" {
		return "", "", err
	}
	return w.Payer.RIB, cmp.Or(w.Payer.Name, c.Contact.Name), nil
}
