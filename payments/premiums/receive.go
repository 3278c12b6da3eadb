package premiums

import (
	"context"
	"errors"
	"fmt"

	"tiwiza/payments/charges"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Next is who is asked about credits that are no insurer's.
type Next interface {
	Receive(ctx context.Context, tx *pg.Tx, c charges.Credit) (charges.Taken, error)
	Match(ctx context.Context, tx *pg.Tx, line, subject string) (charges.Taken, error)
	Otherwise(tx *pg.Tx, line, by string)
}

// A Desk knows insurers' transfers by their names, and hands every other credit
// of a statement on.
type Desk struct {
	s    *Service
	next Next
}

// Before is the desk that reconciliation asks, with who comes after it.
func (s *Service) Before(next Next) *Desk { return &Desk{s, next} }

// Receive books a credit whose payer wrote the name of a transfer that an insurer
// announced. One that is too small waits for the rest, which comes under the same
// name; of one that is too large the rest is nobody's.
func (d *Desk) Receive(ctx context.Context, tx *pg.Tx, c charges.Credit) (charges.Taken, error) {
	words := refs(c.Said)
	all, err := named(ctx, tx, words, c.Currency)
	if err != nil {
		return charges.Taken{}, err
	}
	switch len(all) {
	case 0:
		t, err := d.next.Receive(ctx, tx, c)
		if err == nil && t.Subject == "" && c.Amount > 0 {
			keep(tx, c, words, tx.Now())
		}
		return t, err
	case 1:
		return d.s.take(ctx, tx, all[0], c)
	}
	keep(tx, c, words, tx.Now())
	return charges.Taken{Why: fmt.Sprintf("it names %s and %s", all[0].Transfer, all[1].Transfer)}, nil
}

func (s *Service) take(ctx context.Context, tx *pg.Tx, d Due, c charges.Credit) (charges.Taken, error) {
	if c.Amount < d.net() {
		parts, err := looseParts(ctx, tx, refs(d.Transfer), d.Currency)
		if err != nil {
			return charges.Taken{}, err
		}
		sum, from := c.Amount, []ledger.Leg{ledger.Debit(c.From, c.Amount)}
		for _, l := range parts {
			sum, from = sum+l.Amount, append(from, ledger.Debit(l.Suspense, l.Amount))
		}
		if sum == d.net() {
			for _, l := range parts {
				useLoose(tx, l.Line, d.ID)
				if err := tx.Publish(ctx, charges.Explained{Line: l.Line, For: d.Subject}); err != nil {
					return charges.Taken{}, err
				}
			}
			return charges.Taken{Subject: d.Subject}, s.pay(ctx, tx, d, from, "transfer", c.Line)
		}
		keep(tx, c, refs(c.Said), tx.Now())
		return charges.Taken{Why: fmt.Sprintf("%s names %s, of which %s is due", money.FromCentimes(c.Amount, c.Currency), d.Subject, money.FromCentimes(d.net(), d.Currency))}, nil
	}
	t := charges.Taken{Subject: d.Subject, Loose: c.Amount - d.net()}
	if t.Loose > 0 {
		t.Why = "more than " + d.Subject + " is due"
	}
	return t, s.pay(ctx, tx, d, []ledger.Leg{ledger.Debit(c.From, d.net())}, "transfer", c.Line)
}

// cameBefore pays a debt whose transfer came before its name was known: one
// credit of that name and amount waits in suspense. Reconciliation hears of it.
func (s *Service) cameBefore(ctx context.Context, tx *pg.Tx, d Due) (bool, error) {
	if d.Transfer == "" {
		return false, nil
	}
	words := refs(d.Transfer)
	if len(words) != 1 {
		return false, nil
	}
	all, err := looseNamed(ctx, tx, words[0], d.Currency, d.net())
	if err != nil || len(all) != 1 {
		return false, err
	}
	return true, s.explain(ctx, tx, all[0], d)
}

// explain pays a debt with a credit that waits in suspense.
func (s *Service) explain(ctx context.Context, tx *pg.Tx, l loose, d Due) error {
	useLoose(tx, l.Line, d.ID)
	if err := s.pay(ctx, tx, d, []ledger.Leg{ledger.Debit(l.Suspense, d.net())}, "transfer", l.Line); err != nil {
		return err
	}
	return tx.Publish(ctx, charges.Explained{Line: l.Line, For: d.Subject})
}

// Match books what waits in suspense for the claim, or the cancelled policy, that
// people say it is for. It must be exactly what is due.
func (d *Desk) Match(ctx context.Context, tx *pg.Tx, line, subject string) (charges.Taken, error) {
	due, err := lockOpenDue(ctx, tx, subject)
	if errors.Is(err, ErrNotFound) {
		return d.next.Match(ctx, tx, line, subject)
	}
	if err != nil {
		return charges.Taken{}, err
	}
	l, err := lockLoose(ctx, tx, line)
	if errors.Is(err, ErrNotFound) {
		return d.next.Match(ctx, tx, line, subject)
	}
	if err != nil {
		return charges.Taken{}, err
	}
	if l.Amount != due.net() || l.Currency != due.Currency {
		return charges.Taken{Why: fmt.Sprintf("%s is due for %s", money.FromCentimes(due.net(), due.Currency), subject)}, nil
	}
	d.next.Otherwise(tx, line, due.ID)
	return charges.Taken{Subject: subject}, d.s.explain(ctx, tx, l, due)
}

// Otherwise says that a credit is none of an insurer's, nor of whoever comes
// after.
func (d *Desk) Otherwise(tx *pg.Tx, line, by string) {
	dropLoose(tx, line, by)
	d.next.Otherwise(tx, line, by)
}
