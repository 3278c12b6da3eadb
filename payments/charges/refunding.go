package charges

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"

	"tiwiza/adapters/bank"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// KindTransfer is the operation of a refund by bank transfer.
const KindTransfer = "refund_transfer"

// Transfers take what goes to buyers' accounts into the bank's next file.
type Transfers interface {
	Intend(tx *pg.Tx, in operations.Intention) operations.Operation
}

// PayBy names the bank whose files carry transfers to buyers. It is called at
// start; without it refunds wait for an account that nobody can use.
func (s *Service) PayBy(bankName string, t Transfers) *Service {
	s.bank, s.transfers = bankName, t
	return s
}

// Lock locks a charge for the caller's unit of work. Who takes money back out of
// an escrow locks its charge first, as everybody does who is told of it by a
// partner.
func (s *Service) Lock(ctx context.Context, tx *pg.Tx, charge string) error {
	_, err := lock(ctx, tx, charge)
	return err
}

// A RefundOrder says what goes back to a buyer. Its money stands in
// refund:{ID} already.
type RefundOrder struct {
	ID     string // rfd_…, made by the caller
	Order  string // "" when its money waited in suspense
	Charge string
	Amount money.Money
	Reason string
	By     string // who asked
	// RIB and Holder are where a transfer goes, when that is known: the account
	// that the money came from. An order's is looked up.
	RIB, Holder string
	// Source is the wallet's request that brought the money, when it is not the
	// charge's own.
	Source string
}

// Refund sends money back by the rail it came in: the card or the wallet that was
// charged, or a transfer to the buyer's account. The charge is locked. More than came in and
// has not gone back is ErrTooMuch.
func (s *Service) Refund(ctx context.Context, tx *pg.Tx, in RefundOrder) (Refund, error) {
	c, err := lock(ctx, tx, in.Charge)
	if err != nil {
		return Refund{}, err
	}
	return s.refund(ctx, tx, c, in)
}

func (s *Service) refund(ctx context.Context, tx *pg.Tx, c Charge, in RefundOrder) (Refund, error) {
	amount := in.Amount.Centimes()
	if amount <= 0 || in.Amount.Currency() != c.Currency || amount > c.Captured-c.Refunded {
		return Refund{}, ErrTooMuch.At("/amount", "at most "+money.FromCentimes(c.Captured-c.Refunded, c.Currency).String())
	}
	r := Refund{
		ID: in.ID, Charge: c.ID, Order: in.Order, Buyer: c.Buyer, Currency: c.Currency, Amount: amount, Rail: railTransfer,
		RIB: in.RIB, Holder: in.Holder, State: RefundCreated, Reason: in.Reason, AskedBy: in.By, CreatedAt: tx.Now(), ChangedAt: tx.Now(),
	}
	switch {
	case in.Source != "", c.Method == Wallet:
		r.Rail, r.RIB, r.Holder, r.Source = railWallet, "", "", cmp.Or(in.Source, c.Ref)
	case c.Method == railCard:
		r.Rail, r.RIB, r.Holder = railCard, "", ""
	case r.RIB == "" && r.Order != "":
		var err error
		if r.RIB, r.Holder, err = s.payer(ctx, tx, c); err != nil {
			return r, err
		}
	}
	holds, err := s.escrows.OfCharge(ctx, tx, c.ID)
	if err != nil {
		return r, err
	}
	for _, h := range holds {
		if h.Order == in.Order {
			r.Seller = h.Seller
		}
	}
	c.Refunded += amount
	addRefunded(tx, c.ID, amount)
	switch {
	case r.Rail == railCard:
		r, err = s.beginCard(ctx, tx, c, r, false)
	case r.Rail == railWallet:
		r, err = s.beginWallet(ctx, tx, r)
	case r.RIB == "" || s.transfers == nil:
		r, err = s.await(ctx, tx, r, "the account that the money shall go to is not known")
	default:
		r = s.beginTransfer(tx, r)
	}
	if err != nil {
		return r, err
	}
	insertRefund(tx, r)
	return r, tx.Publish(ctx, RefundMade{r.ID, r.Order, r.Charge, r.Buyer, r.Money()})
}

// await has a refund wait for an account of the buyer's. The caller keeps it.
func (s *Service) await(ctx context.Context, tx *pg.Tx, r Refund, why string) (Refund, error) {
	r, err := r.To(RefundAwaiting, why, tx.Now())
	if err != nil {
		return r, err
	}
	return r, s.asks(ctx, tx, r)
}

// asks tells that the buyer must give an account, and for how long.
func (s *Service) asks(ctx context.Context, tx *pg.Tx, r Refund) error {
	job.Clear(tx, timerReady, r.ID)
	job.Set(tx, timerClaim, r.ID, tx.Now().Add(Patience))
	return tx.Publish(ctx, RefundWaits{r.ID, r.Order, r.Charge, r.Buyer, r.State, r.Money()})
}

// beginTransfer asks the bank for a refund whose account is known. The caller
// keeps it.
func (s *Service) beginTransfer(tx *pg.Tx, r Refund) Refund {
	r.Rail = railTransfer
	r = r.Ask(s.bank)
	s.transfers.Intend(tx, operations.Intention{Subject: r.ID, Kind: KindTransfer, Connector: r.Connector, Ref: r.Ref, Amount: r.Money()})
	return r
}

// Transfer is the bank's instruction for a refund.
func (s *Service) Transfer(ctx context.Context, db pg.DB, refund string) (bank.Transfer, error) {
	r, err := loadRefund(ctx, db, refund)
	return bank.Transfer{Ref: r.Ref, Amount: r.Money(), To: bank.Account{RIB: r.RIB, Name: r.Holder}, Info: "Tiwiza remboursement " + r.Ref}, err
}

// lockRefund locks a refund and, before it, its charge.
func (s *Service) lockRefund(ctx context.Context, tx *pg.Tx, refund string) (Charge, Refund, error) {
	r, err := loadRefund(ctx, tx, refund)
	if err != nil {
		return Charge{}, r, err
	}
	c, err := lock(ctx, tx, r.Charge)
	if err != nil {
		return c, r, err
	}
	r, err = lockRefund(ctx, tx, refund)
	return c, r, err
}

// RefundMoved follows a refund's operation, over the card or by transfer.
func (s *Service) RefundMoved(ctx context.Context, tx *pg.Tx, o operations.Operation, _ operations.State) error {
	c, r, err := s.lockRefund(ctx, tx, o.Subject)
	if err != nil {
		return err
	}
	next, err := follows(o.State)
	switch {
	case err != nil:
		return err
	case next == RefundReturned && (o.Ref != r.Ref || o.Connector != r.Connector || r.State == RefundRejected):
		return s.lossBack(ctx, tx, r, o)
	case o.Ref != r.Ref || o.Connector != r.Connector, r.State == next, r.State == RefundRejected:
		return nil
	case r.State == RefundConfirmed && next != RefundReturned:
		return nil // a contradiction is for people; what was booked stays booked
	}
	if next == RefundAwaiting {
		if again, err := s.payOut(ctx, tx, c, r, o); err != nil || again {
			return err
		}
	}
	if r, err = r.To(next, o.Why, tx.Now()); err != nil {
		return err
	}
	switch next {
	case RefundConfirmed:
		err = s.paid(ctx, tx, c, &r, o)
	case RefundAwaiting:
		err = s.refused(ctx, tx, c, &r)
	case RefundReturned:
		return s.cameBack(ctx, tx, c, r, o)
	}
	if err != nil {
		return err
	}
	saveRefund(tx, r)
	if next == RefundConfirmed || next == RefundAwaiting {
		return s.afterRefund(ctx, tx, c)
	}
	return nil
}

// afterRefund is what the end of one refund lets go on: the next of the charge,
// and a chargeback whose loss waited for it.
func (s *Service) afterRefund(ctx context.Context, tx *pg.Tx, c Charge) error {
	if err := s.nextCard(ctx, tx, c, false); err != nil {
		return err
	}
	return s.decideOpen(ctx, tx, c)
}

// purse is the account a connector pays refunds from.
func (s *Service) purse(ctx context.Context, db pg.DB, connector string) (string, error) {
	for _, takes := range []func(context.Context, pg.DB, string) (bool, error){s.isWallet, s.isAcquirer} {
		if is, err := takes(ctx, db, connector); err != nil || is {
			return ledger.Clearing(connector), err
		}
	}
	return ledger.Safeguard(connector), nil
}

// paid books a refund that has arrived.
func (s *Service) paid(ctx context.Context, tx *pg.Tx, c Charge, r *Refund, o operations.Operation) error {
	job.Clear(tx, timerReady, r.ID)
	job.Clear(tx, timerClaim, r.ID)
	from, err := s.purse(ctx, tx, o.Connector)
	if err != nil {
		return err
	}
	err = s.books.Post(ctx, tx, ledger.Transfer{
		Key: fmt.Sprintf("refund.paid:%s:%s", r.ID, o.Ref), Kind: "refund.paid", Order: r.Order, Currency: r.Currency,
		Legs: []ledger.Leg{ledger.Debit(ledger.Refund(r.ID), r.Amount), ledger.Credit(from, r.Amount)},
	})
	if err != nil {
		return err
	}
	if r.Order != "" {
		if _, err := s.escrows.Arrived(ctx, tx, r.ID); err != nil {
			return err
		}
	}
	return tx.Publish(ctx, Refunded{r.ID, r.Order, c.ID, r.Buyer, r.Money()})
}

// refused has a refund that a partner refused for good wait for another account;
// one that a chargeback stands against is cancelled.
func (s *Service) refused(ctx context.Context, tx *pg.Tx, c Charge, r *Refund) error {
	contested, err := openChargebacks(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	if len(contested) == 0 {
		return s.asks(ctx, tx, *r)
	}
	if *r, err = s.cancel(ctx, tx, *r, contested[0].ID); err != nil || r.Order == "" {
		return err
	}
	_, err = s.escrows.PutBack(ctx, tx, r.ID)
	return err
}

// cameBack takes in a transfer that the bank has returned: the refund is open
// again, unless a chargeback stands against it or has given the buyer the money
// already.
func (s *Service) cameBack(ctx context.Context, tx *pg.Tx, c Charge, r Refund, o operations.Operation) error {
	err := s.books.Post(ctx, tx, ledger.Transfer{
		Key: fmt.Sprintf("refund.returned:%s:%s", r.ID, o.Ref), Kind: "refund.returned", Order: r.Order, Currency: r.Currency,
		Legs: []ledger.Leg{ledger.Debit(ledger.Safeguard(o.Connector), r.Amount), ledger.Credit(ledger.Refund(r.ID), r.Amount)},
	})
	if err != nil {
		return err
	}
	if r.Order != "" {
		if _, err := s.escrows.CameBack(ctx, tx, r.ID); err != nil {
			return err
		}
	}
	instead, err := s.instead(ctx, tx, c, r)
	if err != nil {
		return err
	}
	if instead == "" {
		saveRefund(tx, r)
		return s.asks(ctx, tx, r)
	}
	return s.displace(ctx, tx, c, r, instead)
}

// RefundContradicted is told of a refund's operation that did not end as it was
// booked.
func (s *Service) RefundContradicted(ctx context.Context, tx *pg.Tx, o operations.Operation, ended operations.State) error {
	if ended != operations.Rejected {
		return nil // said to be undone: people look
	}
	c, r, err := s.lockRefund(ctx, tx, o.Subject)
	if err != nil {
		return err
	}
	return s.contradicted(ctx, tx, c, r, o)
}

// contradicted deals with an attempt that was refused and is paid all the same.
// If the money has not been sent anew, this was the payment. If it has, the
// buyer has it twice: the second is our loss, our own money makes the clients'
// whole, and people are told.
func (s *Service) contradicted(ctx context.Context, tx *pg.Tx, c Charge, r Refund, o operations.Operation) error {
	card, err := s.isAcquirer(ctx, tx, o.Connector)
	if err != nil {
		return err
	}
	r.Deducted = r.Deducted || card && o.Connector == c.Acquirer
	unsent, op, err := s.unsent(ctx, tx, r)
	if err != nil {
		return err
	}
	if unsent && r.State != RefundRejected {
		return s.paidAfterAll(ctx, tx, c, r, o, op)
	}
	slog.ErrorContext(ctx, "a refund that was refused is paid all the same, and was sent anew", "refund", r.ID, "our_ref", o.Ref, "partner", o.Connector)
	saveRefund(tx, r)
	from, err := s.purse(ctx, tx, o.Connector)
	if err != nil {
		return err
	}
	err = s.books.Post(ctx, tx, ledger.Transfer{
		Key: fmt.Sprintf("refund.contradicted:%s:%s", r.ID, o.Ref), Kind: "refund.contradicted", Order: r.Order, Currency: r.Currency,
		Legs: []ledger.Leg{
			ledger.Debit(ledger.Loss, r.Amount), ledger.Debit(ledger.Transit(s.bank), r.Amount),
			ledger.Credit(from, r.Amount), ledger.Credit(ledger.Operating(s.bank), r.Amount),
		},
	})
	if err != nil {
		return err
	}
	return tx.Publish(ctx, RefundContradicted{r.ID, r.Order, o.ID, r.Money()})
}

// lossBack books that an attempt came back which had been our loss: it was paid
// though the refund went, or goes, another way.
func (s *Service) lossBack(ctx context.Context, tx *pg.Tx, r Refund, o operations.Operation) error {
	from, err := s.purse(ctx, tx, o.Connector)
	if err != nil {
		return err
	}
	return s.books.Post(ctx, tx, ledger.Transfer{
		Key: fmt.Sprintf("refund.loss_back:%s:%s", r.ID, o.Ref), Kind: "refund.loss_back", Order: r.Order, Currency: r.Currency,
		Legs: []ledger.Leg{ledger.Debit(from, r.Amount), ledger.Credit(ledger.Loss, r.Amount)},
	})
}

// paidAfterAll takes an attempt that had been refused as the payment; the one
// that was to follow it is withdrawn.
func (s *Service) paidAfterAll(ctx context.Context, tx *pg.Tx, c Charge, r Refund, o operations.Operation, next *operations.Operation) (err error) {
	if r, err = r.To(RefundConfirmed, o.Why, tx.Now()); err != nil {
		return err
	}
	r.Connector, r.Ref = o.Connector, o.Ref
	if is, err := s.isWallet(ctx, tx, o.Connector); err != nil {
		return err
	} else if is {
		r.Rail = railWallet
	} else if o.Connector == c.Acquirer {
		r.Rail = railCard
	}
	if err := s.paid(ctx, tx, c, &r, o); err != nil {
		return err
	}
	saveRefund(tx, r)
	if err := s.withdraw(ctx, tx, next); err != nil {
		return err
	}
	return s.afterRefund(ctx, tx, c)
}

// unsent says whether a refund was surely not sent, and which operation would
// send it; that one is locked, so that it is not sent meanwhile.
func (s *Service) unsent(ctx context.Context, tx *pg.Tx, r Refund) (bool, *operations.Operation, error) {
	switch {
	case r.Waits(), r.State == RefundRejected:
		return true, nil, nil
	case r.State != RefundCreated:
		return false, nil, nil
	case r.Attempt == 0:
		return true, nil, nil
	}
	o, err := s.ops.Find(ctx, tx, r.Connector, r.Ref)
	if err != nil || o.State != operations.Intent || o.Gone > 0 {
		return false, nil, err
	}
	return true, &o, nil
}

// withdraw ends an operation that was not sent, if there is one. The refund has
// been moved on before: it hears of it.
func (s *Service) withdraw(ctx context.Context, tx *pg.Tx, o *operations.Operation) error {
	if o == nil {
		return nil
	}
	_, err := s.ops.Heard(ctx, tx, o.ID, operations.Answer,
		outbound.Result{Outcome: outbound.Declined, Code: "withdrawn", Text: "withdrawn before it was sent"}, "withdrawn "+o.ID)
	return err
}

// CancelUnsent cancels those refunds of a charge that were surely not sent: a
// chargeback, by, takes their place. It returns them, for the caller to put the
// money of each that has an order back into its escrow.
func (s *Service) CancelUnsent(ctx context.Context, tx *pg.Tx, charge, by string) ([]Refund, error) {
	if _, err := lock(ctx, tx, charge); err != nil {
		return nil, err
	}
	all, err := refundsOf(ctx, tx, charge)
	if err != nil {
		return nil, err
	}
	var out []Refund
	for _, r := range all {
		if r, err = lockRefund(ctx, tx, r.ID); err != nil {
			return nil, err
		}
		unsent, op, err := s.unsent(ctx, tx, r)
		if err != nil {
			return nil, err
		}
		if r.Done() || !unsent {
			continue
		}
		if r, err = s.cancel(ctx, tx, r, by); err != nil {
			return nil, err
		}
		saveRefund(tx, r)
		if err := s.withdraw(ctx, tx, op); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// cancel ends a refund that was surely not sent. Money that waited in suspense
// goes back there; an order's is for the caller to put back. The caller keeps
// the refund.
func (s *Service) cancel(ctx context.Context, tx *pg.Tx, r Refund, by string) (Refund, error) {
	r, err := r.To(RefundRejected, "a chargeback took its place", tx.Now())
	if err != nil {
		return r, err
	}
	r.Displaced = by
	addRefunded(tx, r.Charge, -r.Amount)
	job.Clear(tx, timerReady, r.ID)
	job.Clear(tx, timerClaim, r.ID)
	if r.Order != "" {
		return r, nil
	}
	return r, s.books.Post(ctx, tx, ledger.Transfer{
		Key: "refund.undone:" + r.ID, Kind: "refund.undone", Currency: r.Currency,
		Legs: []ledger.Leg{ledger.Debit(ledger.Refund(r.ID), r.Amount), ledger.Credit(ledger.Suspense(r.Charge), r.Amount)},
	})
}

// Loose sends back what waits in suspense of a charge: it came too late, or was
// too much. The charge's captured money counts it already.
func (s *Service) Loose(ctx context.Context, tx *pg.Tx, charge string, amount money.Money, reason string) (Refund, error) {
	c, err := lock(ctx, tx, charge)
	if err != nil {
		return Refund{}, err
	}
	return s.loose(ctx, tx, c, amount, reason)
}

func (s *Service) loose(ctx context.Context, tx *pg.Tx, c Charge, amount money.Money, reason string) (Refund, error) {
	in := RefundOrder{ID: id.New(id.Refund), Charge: c.ID, Amount: amount, Reason: reason, By: auth.From(ctx).Person()}
	err := s.books.Post(ctx, tx, ledger.Transfer{
		Key: "suspense.refund:" + in.ID, Kind: "suspense.refund", Currency: c.Currency,
		Legs: []ledger.Leg{ledger.Debit(ledger.Suspense(c.ID), amount.Centimes()), ledger.Credit(ledger.Refund(in.ID), amount.Centimes())},
	})
	if err != nil {
		return Refund{}, err
	}
	return s.refund(ctx, tx, c, in)
}

// OfNone lists the refunds of a checkout that are of none of its orders, oldest
// first: of money that came too late, or was too much.
func (s *Service) OfNone(ctx context.Context, db pg.DB, group string) ([]Refund, error) {
	return refundsOfNone(ctx, db, group)
}

// OfOrders lists the refunds of orders by order, oldest first.
func (s *Service) OfOrders(ctx context.Context, db pg.DB, orders []string) (map[string][]Refund, error) {
	all, err := refundsOfOrders(ctx, db, orders)
	by := make(map[string][]Refund, len(all))
	for _, r := range all {
		by[r.Order] = append(by[r.Order], r)
	}
	return by, err
}
