package recon

import (
	"context"
	"errors"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/payments/operations"
	"tiwiza/payments/treasury"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// comesIn says whether an operation brings money to the clients' account: a
// top-up does, and everything else takes some.
func comesIn(o operations.Operation) bool { return o.Kind == string(treasury.TopUp) }

// arrived says whether a line is a top-up on the clients' account.
func (s *Service) arrived(ctx context.Context, tx *pg.Tx, h House, e bank.Entry) (bool, error) {
	if e.Amount.Sign() <= 0 || len(e.Details) != 1 || e.Details[0].Ref == "" {
		return false, nil
	}
	o, err := s.ops.Find(ctx, tx, h.Bank.ID(), strings.ToUpper(e.Details[0].Ref))
	if errors.Is(err, operations.ErrNotFound) {
		return false, nil
	}
	return err == nil && comesIn(o), err
}

// otherSide recognises a top-up or a sweep on our operating account. The
// clients' account is the one whose lines are booked, so here it is only
// matched; a top-up that came back before it arrived is refused.
func (s *Service) otherSide(ctx context.Context, tx *pg.Tx, o operations.Operation, e bank.Entry, d bank.Detail) (verdict, error) {
	amount := e.Amount.Centimes()
	switch {
	case comesIn(o) && amount == -o.Amount, o.Kind == string(treasury.Sweep) && amount == o.Amount:
		return verdict{Matched, o.Subject, otherSide.Of(o.Ref)}, nil
	case comesIn(o) && amount == o.Amount && !o.Done():
		refused := outbound.Result{Outcome: outbound.Declined, Code: d.ReturnReason, Text: d.ReturnText, PartnerID: d.BankRef}
		_, err := s.ops.Heard(ctx, tx, o.ID, operations.Statement, refused, "back "+d.BankRef+" "+o.Ref)
		return verdict{Matched, o.Subject, cameBack.Of(d.ReturnReason)}, err
	}
	return verdict{Unmatched, "", notWhat.Of(o.Ref)}, nil
}
