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
func (s *Service) Before(next Next) *Desk {
	s.next = next
	return &Desk{s, next}
}

// Receive books a credit whose payer wrote the name of a transfer that an insurer
// announced. What carries a reference that the market gave is its charge's first:
// an insurer chooses its names itself, and may choose a common word. One that is too small waits for the rest, which comes under the same
// name; of one that is too large the rest is nobody's.
func (d *Desk) Receive(ctx context.Context, tx *pg.Tx, c charges.Credit) (charges.Taken, error) {
	words := refs(c.Said)
	all, err := named(ctx, tx, words, c.Currency)
	if err != nil {
		return charges.Taken{}, err
	}
	if len(all) == 0 || len(charges.References(c.Said)) > 0 {
		t, err := d.next.Receive(ctx, tx, c)
		if err != nil || t.Subject != "" || len(all) == 0 {
			if err == nil && t.Subject == "" && c.Amount > 0 {
				keep(tx, c, words, tx.Now())
			}
			return t, err
		}
	}
	if len(all) == 1 {
		t, err := d.s.take(ctx, tx, all[0], c)
		if err == nil && t.Subject != "" {
			d.next.Otherwise(tx, c.Line, all[0].ID)
		}
		return t, err
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
			sum += l.Amount
		}
		if sum == d.net() {
			return charges.Taken{Subject: d.Subject}, s.explain(ctx, tx, d, parts, from, c.Line)
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
// credit of that name and amount waits in suspense, or all of that name are
// together what is due. Reconciliation hears of it.
func (s *Service) cameBefore(ctx context.Context, tx *pg.Tx, d Due) (bool, error) {
	if d.Transfer == "" {
		return false, nil
	}
	words := refs(d.Transfer)
	if len(words) != 1 {
		return false, nil
	}
	all, err := looseNamed(ctx, tx, words[0], d.Currency, d.net())
	if err == nil && len(all) == 0 {
		all, err = looseParts(ctx, tx, words, d.Currency)
	}
	if err != nil || len(all) == 0 {
		return false, err
	}
	var sum int64
	for _, l := range all {
		sum += l.Amount
	}
	if sum != d.net() {
		return false, nil
	}
	return true, s.explain(ctx, tx, d, all, nil, all[0].Line)
}

// explain pays a debt with credits that wait in suspense, beside what comes from
// elsewhere: nobody else has them then.
func (s *Service) explain(ctx context.Context, tx *pg.Tx, d Due, all []loose, from []ledger.Leg, line string) error {
	for _, l := range all {
		useLoose(tx, l.Line, d.ID)
		if s.next != nil {
			s.next.Otherwise(tx, l.Line, d.ID)
		}
		from = append(from, ledger.Debit(l.Suspense, l.Amount))
		if err := tx.Publish(ctx, charges.Explained{Line: l.Line, For: d.Subject}); err != nil {
			return err
		}
	}
	return s.pay(ctx, tx, d, from, "transfer", line)
}

// Match books what waits in suspense for the claim, or the cancelled policy, that
// people say it is for. It must be exactly what is due.
func (d *Desk) Match(ctx context.Context, tx *pg.Tx, line, subject string) (charges.Taken, error) {
	due, err := lockOpenDue(ctx, tx, subject)
	if errors.Is(err, ErrNotFound) {
		t, err := d.next.Match(ctx, tx, line, subject)
		if err == nil && t.Subject != "" {
			dropLoose(tx, line, t.Subject)
		}
		return t, err
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
	return charges.Taken{Subject: subject}, d.s.explain(ctx, tx, due, []loose{l}, nil, l.Line)
}

// Otherwise says that a credit is none of an insurer's, nor of whoever comes
// after.
func (d *Desk) Otherwise(tx *pg.Tx, line, by string) {
	dropLoose(tx, line, by)
	d.next.Otherwise(tx, line, by)
}
