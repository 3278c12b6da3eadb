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

// own says whether an operation moves money between our own accounts, so that
// two statements show it.
func own(o operations.Operation) bool { return comesIn(o) || o.Kind == string(treasury.Sweep) }

// arrives says whether a line is a top-up on the clients' account.
func (s *Service) arrives(ctx context.Context, tx *pg.Tx, h House, e bank.Entry) (bool, error) {
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
// clients' account is the one whose lines are booked, so here it is only noted;
// a top-up that came back before it arrived is refused.
func (s *Service) otherSide(ctx context.Context, tx *pg.Tx, h House, e bank.Entry) (verdict, bool, error) {
	if len(e.Details) != 1 || e.Details[0].Ref == "" {
		return verdict{}, false, nil
	}
	d := e.Details[0]
	o, err := s.ops.Find(ctx, tx, h.Bank.ID(), strings.ToUpper(d.Ref))
	if errors.Is(err, operations.ErrNotFound) {
		return verdict{}, false, nil
	}
	if err != nil || !own(o) {
		return verdict{}, false, err
	}
	if size := max(d.Amount.Centimes(), -d.Amount.Centimes()); size != o.Amount || d.Amount.Currency() != o.Currency {
		return verdict{Unmatched, "", "another amount than " + o.Ref}, true, nil
	}
	if comesIn(o) && d.Amount.Sign() > 0 && !o.Done() {
		refused := outbound.Result{Outcome: outbound.Declined, Code: d.ReturnReason, Text: d.ReturnText, PartnerID: d.BankRef}
		_, err = s.ops.Heard(ctx, tx, o.ID, operations.Statement, refused, "back "+d.BankRef+" "+o.Ref)
		return verdict{Noted, o.Subject, "came back"}, true, err
	}
	return verdict{Noted, o.Subject, "the clients' account shows the other side"}, true, nil
}
