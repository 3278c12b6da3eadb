package recon

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/payments/charges"
	"tiwiza/payments/files"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// keyOf is what a line's postings are known by in the books.
func keyOf(h House, st bank.Statement, l Line) string {
	return fmt.Sprintf("%s/%s/%s/%d/%d", h.Bank.ID(), st.Account, st.ID, max(st.Page, 1), l.No)
}

// line books one line of an account of ours. What is certain is booked; money
// that came for a reason nobody knows goes to suspense; everything else is for
// people.
func (s *Service) line(ctx context.Context, tx *pg.Tx, h House, st bank.Statement, told *repeats, e bank.Entry, l Line) ([]part, error) {
	key := keyOf(h, st, l)
	again, err := s.again(ctx, tx, h.Bank.ID(), st, told, e, l)
	if err != nil {
		return nil, err
	}
	if again != "" {
		return alone(e, verdict{Unmatched, "", sameAs.Of(again)}), nil
	}
	if h.role(st.Account) == operating {
		return s.own(ctx, tx, h, e, key)
	}
	if e.Charge {
		named, err := s.named(ctx, tx, h, e)
		if err != nil {
			return nil, err
		}
		if !named {
			return alone(e, verdict{Matched, bankCharge, bankOwn.Of(e.Code)}), s.books.Post(ctx, tx, charged(h.Bank.ID(), key, e.Amount.Centimes(), l.Currency))
		}
	}
	if e.Batch != "" && len(e.Details) == 0 && e.Amount.Sign() < 0 {
		if parts, err := s.file(ctx, tx, h, e, key); err != nil || parts != nil {
			return parts, err
		}
	}
	if len(e.Details) > 0 && !e.Explained() {
		v, err := s.unknown(ctx, tx, h, e.Amount.Centimes(), l, key, notAddUp.English)
		return alone(e, v), err
	}
	ours, err := s.settlement(ctx, tx, h, e)
	if err != nil {
		return nil, err
	}
	arrived, err := s.arrived(ctx, tx, h, e)
	if err != nil {
		return nil, err
	}
	if ours || e.Amount.Sign() > 0 && !returned(e) && !arrived {
		return s.credit(ctx, tx, h, e, l, key)
	}
	if mixed(e) {
		v, err := s.unknown(ctx, tx, h, e.Amount.Centimes(), l, key, mixes.English)
		return alone(e, v), err
	}
	parts := make([]part, 0, 1)
	for i, d := range details(e) {
		v, err := s.movement(ctx, tx, h, e, d, l, fmt.Sprintf("%s/%d", key, i))
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{d, v})
	}
	return parts, nil
}

// own looks at a line of our own account. The other side of a top-up or a sweep
// is booked by the safeguard account's line, and a bank's charge by itself.
func (s *Service) own(ctx context.Context, tx *pg.Tx, h House, e bank.Entry, key string) ([]part, error) {
	if e.Charge {
		t := ledger.Transfer{Key: "charge:" + key, Kind: bankCharge, Currency: e.Amount.Currency(), Legs: []ledger.Leg{
			{Account: ledger.PSPCost, Amount: -e.Amount.Centimes()}, {Account: ledger.Operating(h.Bank.ID()), Amount: e.Amount.Centimes()},
		}}
		if e.Amount.Sign() > 0 {
			t.Kind = bankChargeBack
		}
		return alone(e, verdict{Matched, bankCharge, bankOwn.Of(e.Code)}), s.books.Post(ctx, tx, t)
	}
	for _, d := range details(e) {
		o, err := s.find(ctx, tx, h, d)
		if errors.Is(err, operations.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		v, err := s.otherSide(ctx, tx, o, e, d)
		return alone(e, v), err
	}
	return alone(e, verdict{Unmatched, "", ownMovement.English}), nil
}

// The kinds of posting by which a bank takes for itself, or gives back.
const (
	bankCharge     = "bank.charge"
	bankChargeBack = "bank.charge_returned"
)

// charged is a bank's charge on the clients' account, below zero: it is ours,
// so our own money makes the clients' whole again.
func charged(of, key string, amount int64, currency string) ledger.Transfer {
	t := ledger.Transfer{Key: "charge:" + key, Kind: bankCharge, Currency: currency, Legs: []ledger.Leg{
		{Account: ledger.PSPCost, Amount: -amount},
		{Account: ledger.Transit(of), Amount: -amount},
		{Account: ledger.Safeguard(of), Amount: amount},
		{Account: ledger.Operating(of), Amount: amount},
	}}
	if amount > 0 {
		t.Kind = bankChargeBack
	}
	return t
}

// named says whether an entry names something of ours, which then decides
// before the bank's code does.
func (s *Service) named(ctx context.Context, tx *pg.Tx, h House, e bank.Entry) (bool, error) {
	for _, d := range details(e) {
		_, err := s.find(ctx, tx, h, d)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, operations.ErrNotFound) {
			return false, err
		}
		if _, err = s.charge(ctx, tx, h, d.Ref); err == nil || !errors.Is(err, errNoCharge) {
			return err == nil, err
		}
	}
	return false, nil
}

// find is the operation that a detail names, by either of our references.
func (s *Service) find(ctx context.Context, tx *pg.Tx, h House, d bank.Detail) (o operations.Operation, err error) {
	err = operations.ErrNotFound
	for _, ref := range []string{d.Ref, d.InstructionID} {
		if ref == "" || !errors.Is(err, operations.ErrNotFound) {
			continue
		}
		o, err = s.ops.Find(ctx, tx, h.Bank.ID(), strings.ToUpper(ref))
	}
	return o, err
}

// file books a line that carries out a whole file of ours: its operations that
// are under way, when they make exactly the line. It answers nothing when they
// do not.
func (s *Service) file(ctx context.Context, tx *pg.Tx, h House, e bank.Entry, key string) ([]part, error) {
	all, err := s.ops.OfFile(ctx, tx, files.FileOf(e.Batch))
	if err != nil {
		return nil, err
	}
	var left int64
	var open []operations.Operation
	for _, o := range all {
		if !o.Done() && o.Connector == h.Bank.ID() && o.Currency == e.Amount.Currency() {
			left += o.Amount
			open = append(open, o)
		}
	}
	if len(open) == 0 || left != -e.Amount.Centimes() {
		return nil, nil
	}
	parts := make([]part, len(open))
	for i, o := range open {
		paid := money.FromCentimes(-o.Amount, o.Currency)
		_, err := s.ops.Heard(ctx, tx, o.ID, operations.Statement, outbound.Result{Outcome: outbound.Succeeded, PartnerID: e.BankRef}, fmt.Sprintf("line %s/%s", key, o.Ref))
		if err != nil {
			return nil, err
		}
		parts[i] = part{bank.Detail{Ref: o.Ref, BankRef: e.BankRef, Amount: paid, Gross: paid}, verdict{Matched, o.Subject, ""}}
	}
	return parts, nil
}

// settlement says whether an acquirer names a charge in an entry: it is its.
func (s *Service) settlement(ctx context.Context, tx *pg.Tx, h House, e bank.Entry) (bool, error) {
	for _, d := range details(e) {
		_, _, err := s.namedBy(ctx, tx, h, e, d)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, errNoCharge) && !errors.Is(err, errStranger) {
			return false, err
		}
	}
	return false, nil
}

// charge is the charge of a reference, at any acquirer, or errNoCharge.
func (s *Service) charge(ctx context.Context, db pg.DB, h House, ref string) (charges.Charge, error) {
	if ref == "" {
		return charges.Charge{}, errNoCharge
	}
	for _, a := range h.names {
		c, err := s.charges.ByRef(ctx, db, a, ref)
		if !errors.Is(err, charges.ErrNotFound) {
			return c, err
		}
	}
	return charges.Charge{}, errNoCharge
}

// repeated begins the reason of a line that another statement has shown.
var repeated = sameAs.Of("")
