package charges

import (
	"context"
	"errors"

	"tiwiza/payments/operations"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// An Adjustment is a part of an acquirer's settlement that is not a charge: a
// refund or a chargeback that it takes off, or one that was won and comes again.
type Adjustment struct {
	Ref      string // the charge's; the refund's own at a wallet
	Case     string // the acquirer's name of a chargeback, or ""
	Gross    int64  // centimes; below zero it is taken off
	Fee      int64  // what is taken besides
	Currency string
	Line     string // names the line of the statement, for ever
}

// Adjusted takes in an adjustment that a statement shows, and says what it is
// about: the strongest word there is, it proves refunds whose outcome was open
// and chargebacks that nobody told of. What of the clearing account it settles
// is Gross − Fee, with the sign turned. It answers ErrNotFound for what is none
// of ours, operations.ErrAmount for another amount, and ErrSettled for one that
// was shown before; nothing is changed then.
func (s *Service) Adjusted(ctx context.Context, tx *pg.Tx, acquirer string, a Adjustment) (subject string, err error) {
	if is, err := s.isWallet(ctx, tx, acquirer); err != nil {
		return "", err
	} else if is {
		return s.walletAdjusted(ctx, tx, acquirer, a)
	}
	c, err := lockByRef(ctx, tx, acquirer, a.Ref)
	if err != nil {
		return "", err
	}
	switch {
	case a.Currency != c.Currency:
		return "", operations.ErrAmount
	case a.Case != "":
		return s.caseShown(ctx, tx, c, a)
	case a.Gross >= 0:
		return "", ErrNotFound
	}
	return s.refundShown(ctx, tx, c, a)
}

// caseShown is a chargeback on a statement.
func (s *Service) caseShown(ctx context.Context, tx *pg.Tx, c Charge, a Adjustment) (string, error) {
	b, err := lockCase(ctx, tx, c.Acquirer, a.Case)
	switch {
	case errors.Is(err, ErrNoChargeback) && a.Gross < 0 && -a.Gross <= c.Captured:
		if _, err = s.opened(ctx, tx, c, Chargeback{Acquirer: c.Acquirer, Case: a.Case, Amount: -a.Gross, Fee: a.Fee, Reason: "shown by the settlement"}); err != nil {
			return "", err
		}
		if b, err = lockCase(ctx, tx, c.Acquirer, a.Case); err != nil {
			return "", err
		}
	case errors.Is(err, ErrNoChargeback):
		return "", ErrNotFound
	case err != nil:
		return "", err
	}
	taken, back := a.Gross == -b.Amount && a.Fee == b.Fee, a.Gross == b.Amount && a.Fee == 0
	switch {
	case b.Charge != c.ID || !taken && !back:
		return "", operations.ErrAmount
	case taken && b.Deducted, back && b.Restored:
		return "", ErrSettled
	case taken:
		markDeducted(tx, b.ID)
		return b.ID, nil
	case b.Verdict == ChargebackLost:
		return "", ErrUnproved
	}
	markRestored(tx, b.ID)
	return b.ID, s.decide(ctx, tx, b, ChargebackWon)
}

// refundShown finds the refund that a deduction is: one that is known to have
// been done, else one whose outcome is open, else one that was refused.
func (s *Service) refundShown(ctx context.Context, tx *pg.Tx, c Charge, a Adjustment) (string, error) {
	all, err := refundsOf(ctx, tx, c.ID)
	if err != nil {
		return "", err
	}
	for _, fits := range []func(r Refund) bool{
		func(r Refund) bool { return r.Rail == railCard && r.State == RefundConfirmed },
		func(r Refund) bool { return r.Rail == railCard && r.Attempt > 0 && !r.Done() && !r.Waits() },
		func(r Refund) bool { return r.State != RefundRejected && (r.Rail == railTransfer || r.Waits()) },
	} {
		for _, r := range all {
			if r.Deducted || r.Amount != -a.Gross || !fits(r) {
				continue
			}
			if r.State != RefundConfirmed || r.Rail != railCard {
				if err := s.proveRefund(ctx, tx, c, r, a.Line); err != nil {
					return "", err
				}
			}
			markShown(tx, r.ID)
			return r.ID, nil
		}
	}
	return "", ErrNotFound
}

// proveRefund lets a statement stand for a refund over the card.
func (s *Service) proveRefund(ctx context.Context, tx *pg.Tx, c Charge, r Refund, line string) error {
	o, err := s.ops.Find(ctx, tx, c.Acquirer, RefOf(r.ID))
	if errors.Is(err, operations.ErrNotFound) { // it never went over the card
		return ErrNotFound
	}
	if err != nil {
		return err
	}
	_, err = s.ops.Heard(ctx, tx, o.ID, operations.Statement, outbound.Result{Outcome: outbound.Succeeded, Text: "taken off the settlement"}, "deducted "+line)
	return err
}
