package recon

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/payments/charges"
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
// whether any of them is known.
func (s *Service) adjustments(ctx context.Context, tx *pg.Tx, h House, b *settlement, e bank.Entry, key string, parts []part) (known bool, err error) {
	for i, d := range details(e) {
		if !adjusts(d) {
			continue
		}
		if !h.sentByAny(e, d) {
			if d.Gross.Sign() < 0 {
				parts[i] = part{d, verdict{Unmatched, "", takesAway.Of(d.Ref)}}
			}
			continue // money that came, whatever its payer calls it
		}
		v, acquirer, err := s.adjusted(ctx, tx, h, e, d, fmt.Sprintf("%s/%d", key, i))
		if err != nil {
			return false, err
		}
		if v.state == Matched {
			known = true
			b.adjust(acquirer, d)
		}
		parts[i] = part{d, v}
	}
	return known, nil
}

// adjusted tells charges of such a part. What of the clearing account it settles
// is its whole amount, fee included.
func (s *Service) adjusted(ctx context.Context, tx *pg.Tx, h House, e bank.Entry, d bank.Detail, line string) (v verdict, acquirer string, err error) {
	a := charges.Adjustment{Ref: d.Ref, Gross: d.Gross.Centimes(), Fee: d.Fee.Centimes(), Currency: d.Gross.Currency(), Line: line}
	if isCase(d) {
		a.Case = d.InstructionID
	}
	for _, acquirer := range h.names {
		if !h.sent(acquirer, e, d) {
			continue
		}
		subject, err := s.charges.Adjusted(ctx, tx, acquirer, a)
		switch {
		case errors.Is(err, charges.ErrNotFound):
			continue
		case errors.Is(err, operations.ErrAmount):
			return verdict{Unmatched, "", otherThanChargeback.Of(a.Case)}, "", nil
		case errors.Is(err, charges.ErrSettled):
			return verdict{Unmatched, "", shownBefore.Of(a.Ref + " " + a.Case)}, "", nil
		case errors.Is(err, charges.ErrUnproved):
			return verdict{Unmatched, "", lostAgain.Of(a.Case)}, "", nil
		}
		return verdict{Matched, subject, ""}, acquirer, err
	}
	return verdict{Unmatched, "", takesUnknown.Of(d.Ref)}, "", nil
}
