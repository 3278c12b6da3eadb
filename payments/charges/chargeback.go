package charges

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// ErrNoChargeback says that there is no such chargeback.
var ErrNoChargeback = fault.New(fault.NotFound, "chargebacks.not_found", "There is no such chargeback.")

// ChargebackState is where a chargeback stands (API.md).
type ChargebackState string

// The states.
const (
	ChargebackOpen ChargebackState = "open"
	ChargebackWon  ChargebackState = "won"
	ChargebackLost ChargebackState = "lost"
)

// A Chargeback is a payment that the buyer's bank takes back, by the acquirer's
// word. The acquirer's own name of it tells it apart.
type Chargeback struct {
	ID       string
	Acquirer string
	Case     string `db:"partner_case"`
	Charge   string
	Currency string
	Amount   int64 // centimes
	Fee      int64 // what the acquirer takes for it
	Reason   string
	State    ChargebackState
	Verdict  ChargebackState // told; the state follows once it can be booked
	Booked   string          // where its money was: escrow or suspense
	Taken    int64           // out of suspense, when it was lost
	Deducted bool            // the settlement has shown that it was taken
	Restored bool            // the settlement has shown that it came again
	Version  int64
	OpenedAt time.Time
	EndedAt  *time.Time
}

// Money is the chargeback's amount.
func (b Chargeback) Money() money.Money { return money.FromCentimes(b.Amount, b.Currency) }

func (b Chargeback) view() ChargebackView {
	v := ChargebackView{
		b.ID, b.Acquirer, b.Case, b.Charge, b.State, b.Verdict, b.Money(), money.FromCentimes(b.Fee, b.Currency), b.Reason, b.OpenedAt.UTC(), nil,
	}
	if b.EndedAt != nil {
		at := b.EndedAt.UTC()
		v.EndedAt = &at
	}
	return v
}

// Where a chargeback's money was when it was opened.
const (
	inEscrow   = "escrow"
	inSuspense = "suspense"
)

// timerDecide looks again whether a verdict can be booked.
const timerDecide = "charges.chargeback"

// mostFee is the most that an acquirer takes for a chargeback by its own word alone,
// in centimes: what such a case costs is far below.
const mostFee = 1000_00

// heardCase takes in one authentic message about a chargeback. Each is kept as
// it came; the same twice changes nothing. Known says whether there is such a
// payment.
func (s *Service) heardCase(ctx context.Context, tx *pg.Tx, a *card.Acquirer, n card.Case) (known bool, err error) {
	c, err := lockByRef(ctx, tx, a.ID(), n.Ref)
	said := map[string]string{"event": n.EventID, "case": n.ID, "state": string(n.State), "amount": n.Amount.String(), "fee": n.Fee.String()}
	if errors.Is(err, ErrNotFound) {
		audit.Record(tx, "callbacks.chargeback", n.Ref, "unknown reference", said)
		return false, nil
	}
	if err != nil {
		return true, err
	}
	if n.Merchant != a.Merchant() || n.Amount.Currency() != c.Currency || n.Amount.Centimes() > c.Captured || n.Fee.Centimes() > mostFee {
		slog.ErrorContext(ctx, "a chargeback does not fit its charge", "partner", a.ID(), "charge", c.ID, "case", n.ID, "amount", n.Amount.String())
		audit.Record(tx, "callbacks.chargeback", c.ID, "another amount, fee or merchant", said)
		return true, tx.Publish(ctx, ChargebackUnfit{c.ID, a.ID(), n.ID, n.Amount})
	}
	b, err := s.opened(ctx, tx, c, Chargeback{
		Acquirer: a.ID(), Case: n.ID, Amount: n.Amount.Centimes(), Fee: n.Fee.Centimes(), Reason: n.Reason,
	})
	if err != nil {
		return true, err
	}
	if b.Charge != c.ID || b.Amount != n.Amount.Centimes() {
		audit.Record(tx, "callbacks.chargeback", b.ID, "another amount or charge than before", said)
		return true, nil
	}
	fresh, err := keepMessage(ctx, tx, b, n)
	if err != nil || !fresh || n.State == card.CaseOpened {
		return true, err
	}
	return true, s.decide(ctx, tx, b, ChargebackState(n.State))
}

// opened returns the chargeback of a case, and books it if it is new: refunds
// that were surely not sent are cancelled first, for the money goes one way
// only. The caller holds the charge.
func (s *Service) opened(ctx context.Context, tx *pg.Tx, c Charge, b Chargeback) (Chargeback, error) {
	old, err := lockCase(ctx, tx, b.Acquirer, b.Case)
	if err == nil || !errors.Is(err, ErrNoChargeback) {
		return old, err
	}
	b.ID, b.Charge, b.Currency, b.State, b.OpenedAt = id.New(id.Chargeback), c.ID, c.Currency, ChargebackOpen, tx.Now()
	undone, err := s.CancelUnsent(ctx, tx, c.ID, b.ID)
	if err != nil {
		return b, err
	}
	for _, r := range undone {
		if r.Order == "" {
			continue
		}
		if _, err := s.escrows.PutBack(ctx, tx, r.ID); err != nil {
			return b, fmt.Errorf("put refund %s back: %w", r.ID, err)
		}
	}
	holds, err := s.escrows.OfCharge(ctx, tx, c.ID)
	if err != nil {
		return b, err
	}
	b.Booked = inSuspense
	if len(holds) > 0 && holds[0].FundedAt != nil {
		b.Booked = inEscrow
	}
	insertChargeback(tx, b)
	if b.Booked == inEscrow {
		err = s.escrows.Contest(ctx, tx, escrow.Contest{Case: b.ID, Charge: c.ID, Acquirer: b.Acquirer, Amount: b.Amount, Fee: b.Fee})
	} else {
		err = s.books.Post(ctx, tx, s.openedLoose(b))
	}
	if err != nil {
		return b, fmt.Errorf("book chargeback %s: %w", b.ID, err)
	}
	slog.WarnContext(ctx, "a buyer's bank takes a payment back", "chargeback", b.ID, "partner", b.Acquirer, "case", b.Case, "charge", c.ID, "amount", b.Money().String())
	return b, tx.Publish(ctx, ChargebackOpened{b.ID, c.ID, orders(holds), b.Money()})
}

// openedLoose books a chargeback of money that never reached an escrow: our own
// money stands in for what the acquirer takes.
func (s *Service) openedLoose(b Chargeback) ledger.Transfer {
	all := b.Amount + b.Fee
	return ledger.Transfer{Key: "chargeback:" + b.ID, Kind: "chargeback.opened", Currency: b.Currency, Legs: []ledger.Leg{
		ledger.Debit(ledger.Disputed(b.Acquirer), b.Amount), ledger.Debit(ledger.DisputeCost, b.Fee), ledger.Debit(ledger.Transit(s.bank), all),
		ledger.Credit(ledger.Clearing(b.Acquirer), all), ledger.Credit(ledger.Operating(s.bank), all),
	}}
}

// decide takes in the acquirer's verdict, and books it as soon as that can be:
// a loss waits for refunds whose outcome is not known. The caller holds the
// charge and the chargeback.
func (s *Service) decide(ctx context.Context, tx *pg.Tx, b Chargeback, verdict ChargebackState) error {
	if b.Verdict != "" && b.Verdict != verdict {
		slog.ErrorContext(ctx, "an acquirer decides a chargeback both ways", "chargeback", b.ID, "case", b.Case, "first", string(b.Verdict), "then", string(verdict))
		audit.Record(tx, "callbacks.chargeback", b.ID, "decided otherwise before", map[string]string{"first": string(b.Verdict), "then": string(verdict)})
		return nil
	}
	if b.State != ChargebackOpen {
		return nil
	}
	b.Verdict = verdict
	taken, err := s.book(ctx, tx, b)
	switch {
	case errors.Is(err, escrow.ErrFlying):
		job.Set(tx, timerDecide, b.ID, tx.Now().Add(time.Hour))
		saveChargeback(tx, b)
		return nil
	case err != nil:
		return fmt.Errorf("end chargeback %s as %s: %w", b.ID, verdict, err)
	}
	at := tx.Now()
	b.State, b.EndedAt, b.Taken = verdict, &at, taken
	job.Clear(tx, timerDecide, b.ID)
	saveChargeback(tx, b)
	if err := s.resume(ctx, tx, b.Charge); err != nil {
		return err
	}
	holds, err := s.escrows.OfCharge(ctx, tx, b.Charge)
	if err != nil {
		return err
	}
	return tx.Publish(ctx, ChargebackEnded{b.ID, b.Charge, orders(holds), b.State, b.Money()})
}

// book books a verdict, and says what of a loss came out of suspense.
func (s *Service) book(ctx context.Context, tx *pg.Tx, b Chargeback) (taken int64, err error) {
	switch {
	case b.Booked == inEscrow && b.Verdict == ChargebackWon:
		return 0, s.escrows.Won(ctx, tx, b.ID)
	case b.Booked == inEscrow:
		return 0, s.escrows.Lost(ctx, tx, b.ID, escrow.Loser{PlatformBears: s.config.BearLosses})
	}
	return s.bookLoose(ctx, tx, b)
}

// bookLoose is book for money that never reached an escrow. What is won goes
// back to the buyer after all: it was too late for its order. Of that, what
// other chargebacks had cost us is ours.
func (s *Service) bookLoose(ctx context.Context, tx *pg.Tx, b Chargeback) (taken int64, err error) {
	c, err := load(ctx, tx, b.Charge)
	if err != nil {
		return 0, err
	}
	all, err := refundsOf(ctx, tx, b.Charge)
	if err != nil {
		return 0, err
	}
	for _, r := range all {
		if !r.Done() {
			return 0, escrow.ErrFlying
		}
	}
	loose := c.Captured - c.Refunded
	t := ledger.Transfer{Key: "chargeback.won:" + b.ID, Kind: "chargeback.won", Currency: b.Currency, Legs: []ledger.Leg{
		ledger.Debit(ledger.Clearing(b.Acquirer), b.Amount), ledger.Credit(ledger.Disputed(b.Acquirer), b.Amount),
	}}
	if b.Verdict == ChargebackLost {
		taken = min(b.Amount, loose)
		t.Key, t.Kind, t.Legs = "chargeback.lost:"+b.ID, "chargeback.lost", []ledger.Leg{
			ledger.Debit(ledger.Suspense(c.ID), taken), ledger.Debit(ledger.Loss, b.Amount-taken), ledger.Credit(ledger.Disputed(b.Acquirer), b.Amount),
		}
	}
	if err := s.books.Post(ctx, tx, t); err != nil {
		return 0, err
	}
	if loose, err = s.makeGood(ctx, tx, c, loose-taken, b.ID); err != nil {
		return taken, err
	}
	if loose > 0 {
		_, err = s.loose(ctx, tx, c, money.FromCentimes(loose, c.Currency), "paid after the order had ended")
	}
	return taken, err
}

// decideOpen books what verdicts of a charge's chargebacks were waiting. The
// caller holds the charge.
func (s *Service) decideOpen(ctx context.Context, tx *pg.Tx, c Charge) error {
	open, err := openChargebacks(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	for _, b := range open {
		if b.Verdict == "" {
			continue
		}
		if err := s.decide(ctx, tx, b, b.Verdict); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) decideDue(ctx context.Context, tx *pg.Tx, chargeback string) error {
	b, err := loadChargeback(ctx, tx, chargeback)
	if err != nil || b.State != ChargebackOpen {
		return err
	}
	c, err := lock(ctx, tx, b.Charge)
	if err != nil {
		return err
	}
	return s.decideOpen(ctx, tx, c)
}
