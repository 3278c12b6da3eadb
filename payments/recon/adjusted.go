package recon

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/payments/charges"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/pg"
)

// isCase says whether an acquirer's line is about a chargeback, by the case that
// stands where a transfer has its instruction.
func isCase(d bank.Detail) bool { return strings.HasPrefix(d.InstructionID, "CBK-") }

// adjusts says whether a part of a settlement is no charge but a refund or a
// chargeback that the acquirer takes off, or one that was won and comes again.
func adjusts(d bank.Detail) bool { return d.Gross.Sign() < 0 || isCase(d) }

// adjustments takes in the parts of a settlement that are no charges, and says
// what they come to on the account and what they settle of the clearing account.
func (s *Service) adjustments(ctx context.Context, tx *pg.Tx, e bank.Entry, key string, parts []verdict) (sum int64, legs []ledger.Leg, err error) {
	for i, d := range details(e) {
		if !adjusts(d) {
			continue
		}
		v, acquirer, err := s.adjusted(ctx, tx, d, fmt.Sprintf("%s/%d", key, i))
		if err != nil {
			return 0, nil, err
		}
		if v.state == Matched {
			sum += d.Amount.Centimes()
			legs = append(legs, ledger.Credit(ledger.Clearing(acquirer), d.Amount.Centimes()))
		}
		parts[i] = v
	}
	return sum, legs, nil
}

// adjusted tells charges of such a part. What of the clearing account it settles
// is its whole amount, fee included.
func (s *Service) adjusted(ctx context.Context, tx *pg.Tx, d bank.Detail, line string) (v verdict, acquirer string, err error) {
	a := charges.Adjustment{Ref: d.Ref, Gross: d.Gross.Centimes(), Fee: d.Fee.Centimes(), Currency: d.Gross.Currency(), Line: line}
	if isCase(d) {
		a.Case = d.InstructionID
	}
	for _, acquirer := range s.charges.Acquirers() {
		subject, err := s.charges.Adjusted(ctx, tx, acquirer, a)
		switch {
		case errors.Is(err, charges.ErrNotFound):
			continue
		case errors.Is(err, operations.ErrAmount):
			return verdict{Unmatched, "", "another amount than the chargeback " + a.Case}, "", nil
		case errors.Is(err, charges.ErrSettled):
			return verdict{Unmatched, "", "shown before: " + a.Ref + " " + a.Case}, "", nil
		case errors.Is(err, charges.ErrUnproved):
			return verdict{Unmatched, "", "lost, and yet it comes again: " + a.Case}, "", nil
		}
		return verdict{Matched, subject, ""}, acquirer, err
	}
	return verdict{Unmatched, "", "a part of it takes money away for a reason that is not known: " + d.Ref}, "", nil
}

// settles says whether a line is an acquirer's settlement: all of it names
// charges of ours.
func (s *Service) settles(ctx context.Context, tx *pg.Tx, e bank.Entry) (bool, error) {
	for _, d := range e.Details {
		known := false
		for _, a := range s.charges.Acquirers() {
			_, err := s.charges.ByRef(ctx, tx, a, d.Ref)
			if err != nil && !errors.Is(err, charges.ErrNotFound) {
				return false, err
			}
			known = known || err == nil
		}
		if !known {
			return false, nil
		}
	}
	return len(e.Details) > 0, nil
}
