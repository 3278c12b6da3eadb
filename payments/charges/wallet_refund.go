package charges

import (
	"context"
	"errors"

	"tiwiza/adapters/wallet"
	"tiwiza/payments/operations"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// The operations of a refund to a wallet: the payment is undone, or, when its
// provider does not undo it any more, the money is paid to the phone. Each has a
// reference of its own, so refunds of a charge need not wait for each other.
const (
	kindReversal     = "refund_wallet"
	kindDisbursement = "refund_phone"
)

// beginWallet asks the wallet that paid for a refund. The caller keeps it.
func (s *Service) beginWallet(ctx context.Context, tx *pg.Tx, r Refund) (Refund, error) {
	from, err := requestOfCharge(ctx, tx, r.Charge, r.Source)
	if err != nil {
		return r, err
	}
	w, _, err := s.wallet(ctx, tx, from.Connector)
	switch {
	case err == nil && w.Reverses():
		return s.intendWallet(tx, r, from, kindReversal), nil
	case err == nil && w.Pays():
		return s.intendWallet(tx, r, from, kindDisbursement), nil
	}
	return s.await(ctx, tx, r, "the wallet gives nothing back")
}

func (s *Service) intendWallet(tx *pg.Tx, r Refund, from Request, kind string) Refund {
	r = r.Ask(from.Connector)
	s.ops.Intend(tx, operations.Intention{Subject: r.ID, Kind: kind, Connector: r.Connector, Ref: r.Ref, Amount: r.Money()})
	return r
}

// payOut pays a refund to the phone whose payment its provider has refused to
// undo, and says whether it does. It does not when a chargeback would cancel it.
func (s *Service) payOut(ctx context.Context, tx *pg.Tx, c Charge, r Refund, o operations.Operation) (bool, error) {
	w, _, err := s.wallet(ctx, tx, o.Connector)
	if err != nil || o.Kind != kindReversal || !w.Pays() {
		return false, nil
	}
	contested, err := openChargebacks(ctx, tx, c.ID)
	if err != nil || len(contested) > 0 {
		return false, err
	}
	from, err := requestOfCharge(ctx, tx, c.ID, r.Source)
	if err != nil {
		return false, err
	}
	if r.State != RefundCreated {
		if r, err = r.To(RefundCreated, o.Why, tx.Now()); err != nil {
			return false, err
		}
	}
	saveRefund(tx, s.intendWallet(tx, r, from, kindDisbursement))
	return true, nil
}

// sendReversal has the provider undo the payment, which it knows by a name of
// its own.
func (s *Service) sendReversal(ctx context.Context, o operations.Operation) outbound.Result {
	w, f, from, err := s.walletRefund(ctx, o)
	if err != nil {
		return notSent(err)
	}
	st := w.Query(ctx, from.Ref, "")
	if st.State != wallet.Completed {
		return outbound.Result{
			Outcome: outbound.NotSent, Reason: st.Reason, RetryAfter: st.RetryAfter, Evidence: st.Evidence,
			Text: "the payment is " + string(st.State) + " to the wallet",
		}
	}
	f.Of = st.PartnerID
	return s.agreed(ctx, w, o, w.Reverse(ctx, f))
}

// sendDisbursement pays to the phone that paid.
func (s *Service) sendDisbursement(ctx context.Context, o operations.Operation) outbound.Result {
	w, f, _, err := s.walletRefund(ctx, o)
	if err != nil {
		return notSent(err)
	}
	return s.agreed(ctx, w, o, w.Pay(ctx, f))
}

// walletRefund is what an operation of a refund is about.
func (s *Service) walletRefund(ctx context.Context, o operations.Operation) (w *wallet.Wallet, f wallet.Refund, from Request, err error) {
	r, err := loadRefund(ctx, s.db, o.Subject)
	if err != nil {
		return nil, f, from, err
	}
	if r.Ref != o.Ref || r.Connector != o.Connector {
		return nil, f, from, errors.New("the refund is asked for elsewhere by now")
	}
	if from, err = requestOfCharge(ctx, s.db, r.Charge, r.Source); err != nil {
		return nil, f, from, err
	}
	w, barred, err := s.wallet(ctx, s.db, o.Connector)
	if err = leaving(barred, err); err != nil {
		return nil, f, from, err
	}
	return w, wallet.Refund{
		Ref: o.Ref, Phone: from.Phone, Amount: o.Money(), Text: "Tiwiza remboursement " + o.Ref, CallbackURL: w.CallbackURL(s.config.PublicURL, o.Ref),
	}, from, nil
}

// settleWallet is Settle for a wallet: each request is a payment of its own
// there, and one that came too late or twice is settled like all others.
func (s *Service) settleWallet(ctx context.Context, tx *pg.Tx, name, ref string, gross int64, currency string) (Charge, error) {
	r, err := requestOf(ctx, tx, name, ref)
	if err != nil {
		return Charge{}, err
	}
	c, err := lock(ctx, tx, r.Charge)
	if err != nil {
		return c, err
	}
	if r, err = requestOf(ctx, tx, name, ref); err != nil {
		return c, err
	}
	switch {
	case c.Amount != gross || c.Currency != currency:
		return c, operations.ErrAmount
	case r.Settled:
		return c, ErrSettled
	case !r.Paid:
		if err := s.provedWallet(ctx, tx, name, ref); err != nil {
			return c, err
		}
		if c, err = lock(ctx, tx, r.Charge); err != nil {
			return c, err
		}
	}
	markRequestSettled(tx, name, ref)
	if c.State != Confirmed || c.Acquirer != name || c.Ref != ref {
		c.Acquirer = name // of this money, which is on its way back
		return c, nil
	}
	if err := markSettled(ctx, tx, c.ID); err != nil {
		return c, err
	}
	c.Settled = true
	if err := s.escrows.Settled(ctx, tx, c.ID); err != nil {
		return c, err
	}
	return c, tx.Publish(ctx, Settled{c.ID, c.Group})
}

// provedWallet lets a statement that names a request stand for the wallet's own
// word; its domain books the money.
func (s *Service) provedWallet(ctx context.Context, tx *pg.Tx, name, ref string) error {
	o, err := s.ops.Find(ctx, tx, name, ref)
	if err != nil {
		return err
	}
	o, err = s.ops.Heard(ctx, tx, o.ID, operations.Statement, outbound.Result{Outcome: outbound.Succeeded, Text: "settled"}, "settled "+ref)
	if err == nil && !o.Executed() {
		return ErrUnproved
	}
	return err
}

// walletAdjusted is Adjusted for a wallet: what it takes off a settlement is a
// refund, by the refund's own reference.
func (s *Service) walletAdjusted(ctx context.Context, tx *pg.Tx, name string, a Adjustment) (string, error) {
	id, ok := refundOfRef(a.Ref)
	if !ok || a.Gross >= 0 || a.Case != "" {
		return "", ErrNotFound
	}
	_, r, err := s.lockRefund(ctx, tx, id)
	if errors.Is(err, ErrNoRefund) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", err
	}
	o, err := s.ops.Find(ctx, tx, name, a.Ref)
	switch {
	case errors.Is(err, operations.ErrNotFound):
		return "", ErrNotFound
	case err != nil:
		return "", err
	case -a.Gross != o.Amount || a.Currency != o.Currency || a.Fee != 0:
		return "", operations.ErrAmount
	}
	shown, err := s.ops.Shown(ctx, tx, o.ID)
	if err != nil {
		return "", err
	}
	if shown {
		return "", ErrSettled
	}
	o, err = s.ops.Heard(ctx, tx, o.ID, operations.Statement, outbound.Result{Outcome: outbound.Succeeded, Text: "taken off the settlement"}, "deducted "+a.Line)
	if err == nil && !o.Executed() {
		return "", ErrUnproved
	}
	markShown(tx, r.ID)
	return r.ID, err
}
