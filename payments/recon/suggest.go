package recon

import (
	"context"
	"errors"
	"slices"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/payments/charges"
	"tiwiza/payments/operations"
	"tiwiza/pkg/latin"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// suggest looks for a reason that a part of a line may have. What it finds is
// for people: by amount, day and name alone nothing is ever booked.
func (s *Service) suggest(ctx context.Context, tx *pg.Tx, h House, st bank.Statement, e bank.Entry, l Line, p part) (*Suggestion, error) {
	if found, err := s.shownElsewhere(ctx, tx, h, st.Account, l, p); err != nil || found != nil {
		return found, err
	}
	looks := []func(context.Context, *pg.Tx, House, bank.Entry, Line, part) (*Suggestion, error){
		s.opposite, s.byReference, s.byAmount, s.bySale,
	}
	if h.role(st.Account) == operating {
		looks = looks[:1]
	}
	for _, look := range looks {
		if found, err := look(ctx, tx, h, e, l, p); err != nil || found != nil {
			return found, err
		}
	}
	if e.Amount.Sign() < 0 && p.Ref == "" && p.Counterparty == "" && -e.Amount.Centimes() <= WriteOffAlone {
		return &Suggestion{By: byFee, Reason: hintCharge.English}, nil
	}
	return nil, nil
}

// shownElsewhere: an earlier statement had the very same movement.
func (s *Service) shownElsewhere(ctx context.Context, tx *pg.Tx, h House, account string, l Line, p part) (*Suggestion, error) {
	name, same := strings.CutPrefix(p.why, repeated)
	if !same {
		return nil, nil
	}
	lines, err := linesLike(ctx, tx, h.Bank.ID(), account, name, l)
	if err != nil {
		return nil, err
	}
	line := likest(lines, l, p.Ref)
	if line == "" {
		return nil, nil
	}
	reason := hintSameRef.English
	if l.BankRef == "" {
		reason = hintOverlap.English
	}
	return &Suggestion{By: byMatch, To: line, Reason: reason}, nil
}

// likest is the line that another most probably repeats, of those of its amount
// and day; "" when none can be it.
func likest(lines []stood, l Line, ref string) string {
	for _, is := range []func(o stood) bool{
		func(o stood) bool { return o.BankRef == l.BankRef && o.Ref == ref },
		func(o stood) bool { return o.BankRef == l.BankRef && o.mayBe(ref) },
		func(o stood) bool { return alike(o.BankRef, l.BankRef) && o.mayBe(ref) },
		func(o stood) bool { return o.BankRef == "" || l.BankRef == "" },
	} {
		if i := slices.IndexFunc(lines, is); i >= 0 {
			return lines[i].ID
		}
	}
	return ""
}

// opposite: the bank may have taken back what it booked by mistake.
func (s *Service) opposite(ctx context.Context, tx *pg.Tx, h House, _ bank.Entry, l Line, p part) (*Suggestion, error) {
	lines, err := oppositeLines(ctx, tx, h.Bank.ID(), l, p.Amount.Centimes())
	if err != nil || len(lines) != 1 {
		return nil, err
	}
	return &Suggestion{By: byMatch, To: lines[0], Reason: hintOpposite.English}, nil
}

// byReference: the reference is of ours, and something about it does not fit.
func (s *Service) byReference(ctx context.Context, tx *pg.Tx, h House, _ bank.Entry, _ Line, p part) (*Suggestion, error) {
	c, err := s.charge(ctx, tx, h, p.Ref)
	if err == nil {
		return ofCharge(c, p), nil
	}
	if !errors.Is(err, errNoCharge) {
		return nil, err
	}
	o, err := s.find(ctx, tx, h, p.Detail)
	if errors.Is(err, operations.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ours, moved := money.FromCentimes(o.Amount, o.Currency), p.Amount
	if moved.Sign() < 0 {
		moved = moved.Neg()
	}
	switch {
	case p.Amount.Sign() > 0 && o.State == operations.Confirmed && moved.Equal(ours):
		return &Suggestion{By: byMatch, To: o.Subject, Reason: hintCameBack.Of(o.Subject)}, nil
	case o.State == operations.Confirmed || o.State == operations.Returned:
		return &Suggestion{Reason: hintCorrect.Of(o.Subject)}, nil
	case o.Currency == moved.Currency() && moved.Cmp(ours) > 0 && !o.Done():
		fee := moved.Sub(ours)
		return &Suggestion{By: bySplit, To: o.Subject, Fee: &fee, Reason: hintAdded.Of(o.Subject, ours, fee)}, nil
	}
	return &Suggestion{Reason: hintAskBank.Of(o.Subject, o.State, ours)}, nil
}

// ofCharge compares what an acquirer paid with the charge it names.
func ofCharge(c charges.Charge, p part) *Suggestion {
	short := c.Money().Sub(p.Amount)
	switch {
	case c.Settled:
		return &Suggestion{Reason: hintAskAcquirer.Of(c.ID)}
	case c.State == charges.Confirmed && p.Amount.Sign() > 0 && short.Sign() > 0 && short.Times(20).Cmp(c.Money()) <= 0: // at most a twentieth
		return &Suggestion{By: byMatch, To: c.ID, Fee: &short, Reason: hintFee.Of(c.Money(), short)}
	}
	return &Suggestion{Reason: hintOfCharge.Of(c.ID, c.State, c.Money())}
}

// byAmount: the only payment of this amount that the bank has not shown yet.
func (s *Service) byAmount(ctx context.Context, tx *pg.Tx, h House, _ bank.Entry, l Line, p part) (*Suggestion, error) {
	if p.Amount.Sign() >= 0 {
		return nil, nil
	}
	open, err := s.ops.Awaited(ctx, tx, h.Bank.ID(), -p.Amount.Centimes(), l.Currency, 20)
	if err != nil {
		return nil, err
	}
	var fits []operations.Operation
	for _, o := range open {
		if o.SentAt == nil || l.BookedOn.IsZero() || !l.BookedOn.AddDate(0, 0, 1).Before(*o.SentAt) {
			fits = append(fits, o)
		}
	}
	why := hintOnly.English
	for _, o := range fits {
		if name, ok, err := s.receives(ctx, tx, o.Subject, p); err != nil {
			return nil, err
		} else if ok {
			fits, why = []operations.Operation{o}, hintReceiver.Of(name)
			break
		}
	}
	switch len(fits) {
	case 0:
		return nil, nil
	case 1:
		return &Suggestion{By: byMatch, To: fits[0].Subject, Reason: why}, nil
	}
	return &Suggestion{Reason: hintSeveral.Of(len(fits), fits[0].Subject)}, nil
}

// receives says whether a subject is paid to the one a line names.
func (s *Service) receives(ctx context.Context, db pg.DB, subject string, p part) (string, bool, error) {
	if s.ties.Receiver == nil || p.Counterparty == "" && p.CounterpartyAccount == "" {
		return "", false, nil
	}
	name, rib, err := s.ties.Receiver(ctx, db, subject)
	if errors.Is(err, ErrNotOurs) {
		return "", false, nil
	}
	if p.CounterpartyAccount != "" {
		return name, rib == p.CounterpartyAccount, err
	}
	return name, err == nil && latin.Alike(name, p.Counterparty), err
}

// bySale: the only charge of this amount that its acquirer has not paid yet.
func (s *Service) bySale(ctx context.Context, tx *pg.Tx, _ House, _ bank.Entry, l Line, p part) (*Suggestion, error) {
	if p.Amount.Sign() <= 0 {
		return nil, nil
	}
	open, err := s.charges.Unsettled(ctx, tx, p.Gross.Centimes(), l.Currency, 20)
	if err != nil {
		return nil, err
	}
	for _, c := range open {
		if latin.Alike(c.Contact.Name, p.Counterparty) {
			return &Suggestion{By: byMatch, To: c.ID, Reason: hintName.Of(c.Contact.Name)}, nil
		}
	}
	if len(open) == 1 {
		return &Suggestion{By: byMatch, To: open[0].ID, Reason: hintOnlyCharge.English}, nil
	}
	return nil, nil
}
