package charges

import (
	"context"
	"fmt"
	"strings"

	"tiwiza/pkg/latin"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// A Credit is money that a bank's statement shows as come in.
type Credit struct {
	Bank     string
	Line     string // the statement's line, and which part of it: the same for ever
	From     string // the account it is taken from: the bank's safeguard, or suspense when it waited
	Suspense string // where it waits when nobody knows what it is for
	Said     string // all in which the payer may have written a reference
	Payer    Payer
	Amount   int64 // centimes
	Currency string
}

// waits says whether the money was in suspense.
func (c Credit) waits() bool { return strings.HasPrefix(c.From, "suspense:") }

// Taken is what became of a credit. Without a subject it was not taken at all,
// and Why says what it may be. Loose is the part that is not the subject's.
type Taken struct {
	Subject string // charge, order or remittance
	Why     string
	Loose   int64
}

// Receive looks whether money that a statement shows is for something of ours
// by the reference that its payer wrote, and books it. It is called once for
// each part of a line; what it does not take, the caller puts in suspense.
// Money is never taken by amount or name alone: that is a suggestion.
func (s *Service) Receive(ctx context.Context, tx *pg.Tx, c Credit) (Taken, error) {
	known, err := subjectsOf(ctx, tx, References(c.Said))
	if err != nil {
		return Taken{}, err
	}
	if len(known) == 0 && len(signs(c.Said)) > 0 {
		if known, err = s.announced(ctx, tx, c); err != nil {
			return Taken{}, err
		}
	}
	t := Taken{}
	switch len(known) {
	case 0:
		t.Why, err = s.guess(ctx, tx, c)
	case 1:
		t, err = s.Assign(ctx, tx, c, known[0])
	default:
		t.Why = namesSeveral.Of(strings.Join(known, ", "))
	}
	if err == nil {
		insertCredit(tx, c, t.Subject)
	}
	return t, err
}

// Assign books a credit for a charge that is paid by transfer, for the cash of
// an order, or for a carrier's remittance, whatever its payer wrote. The
// subject must be one of these: ErrNotFound.
func (s *Service) Assign(ctx context.Context, tx *pg.Tx, c Credit, subject string) (Taken, error) {
	switch kind, _, _ := strings.Cut(subject, "_"); kind {
	case "chg":
		return s.wired(ctx, tx, c, subject)
	case "ord":
		return s.remittedOne(ctx, tx, c, subject)
	case "rem":
		return s.remittedList(ctx, tx, c, subject)
	}
	return Taken{}, ErrNotFound
}

// Match is Assign for a credit that waits in suspense: people, or a list that
// came after its money, say what it is for.
func (s *Service) Match(ctx context.Context, tx *pg.Tx, line, subject string) (Taken, error) {
	c, err := looseCredit(ctx, tx, line)
	if err != nil {
		return Taken{}, err
	}
	t, err := s.Assign(ctx, tx, c, subject)
	if err != nil || t.Subject == "" {
		return t, err
	}
	if t.Loose > 0 {
		return Taken{Why: moreThanExplains.Of(money.FromCentimes(c.Amount, c.Currency), subject)}, ErrLoose
	}
	explain(tx, line, t.Subject)
	return t, tx.Publish(ctx, Explained{line, t.Subject})
}

// announced finds the one remittance whose carrier wrote its own name of it.
func (s *Service) announced(ctx context.Context, tx *pg.Tx, c Credit) (found []string, err error) {
	open, err := openRemittances(ctx, tx, c.Amount, c.Currency)
	if err != nil {
		return nil, err
	}
	for _, r := range open {
		if r.named(c.Said) {
			found = append(found, r.ID)
		}
	}
	return found, nil
}

// guess says what a credit without a reference may be, for people to decide: a
// transfer that is waited for, of this amount, best of this name.
func (s *Service) guess(ctx context.Context, tx *pg.Tx, c Credit) (string, error) {
	wires, err := awaited(ctx, tx, c.Amount, c.Currency)
	if err != nil {
		return "", err
	}
	for _, w := range wires {
		if latin.Alike(w.Contact.Name, c.Payer.Name) {
			return fmt.Sprintf("no reference; amount and name (%s) are those of the transfer %s", w.Contact.Name, w.ID), nil
		}
	}
	if len(wires) == 1 {
		return "no reference; the amount is that of the transfer " + wires[0].ID, nil
	}
	if open, err := openRemittances(ctx, tx, c.Amount, c.Currency); err != nil || len(open) == 1 {
		if err != nil {
			return "", err
		}
		return "no reference; the amount is that of the remittance " + open[0].ID, nil
	}
	return "", nil
}
