package recon

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/payments/charges"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// A Receiver knows by a payer's reference what money is for: a buyer's transfer,
// or what a carrier remits.
type Receiver interface {
	Receive(ctx context.Context, tx *pg.Tx, c charges.Credit) (charges.Taken, error)
	// Match books what waits in suspense of a line's part for what people say.
	Match(ctx context.Context, tx *pg.Tx, line, subject string) (charges.Taken, error)
	// Otherwise says that a line's part is none of the Receiver's.
	Otherwise(tx *pg.Tx, line, by string)
}

// Receives says who is asked about money that came without an acquirer. It is
// called at start; without it such money waits in suspense.
func (s *Service) Receives(by Receiver) *Service { s.receiver = by; return s }

// received asks what one part of a credit is for. It answers what was made of
// it, and how much of it is still nobody's.
func (s *Service) received(ctx context.Context, tx *pg.Tx, h House, e bank.Entry, d bank.Detail, l Line, part int) ([]verdict, int64, error) {
	amount := d.Amount.Centimes()
	nobody := []verdict{{Suspense, "", nobodys.English}}
	if s.receiver == nil || amount == 0 {
		return nobody, amount, nil
	}
	t, err := s.receiver.Receive(ctx, tx, charges.Credit{
		Bank: h.Bank.ID(), Line: creditOf(l.ID, part), From: ledger.Safeguard(h.Bank.ID()), Suspense: ledger.Suspense(l.ID),
		Said: writtenBy(e, d), Payer: payer(d), Amount: amount, Currency: l.Currency,
	})
	switch {
	case err != nil:
		return nil, 0, err
	case t.Subject == "" && t.Why != "":
		return []verdict{{Suspense, "", t.Why}}, amount, nil
	case t.Subject == "":
		return nobody, amount, nil
	case t.Loose > 0:
		return []verdict{{Matched, t.Subject, ""}, {Suspense, "", t.Why}}, t.Loose, nil
	}
	return []verdict{{Matched, t.Subject, t.Why}}, 0, nil
}

// creditOf is what a part of a line is known by to a Receiver.
func creditOf(line string, part int) string { return fmt.Sprintf("%s/%d", line, part) }

// Subscribe ends breaks about money that was found to be for something: by a
// list, say, that came after it.
func (s *Service) Subscribe(b *event.Bus) {
	event.Subscribe(b, "recon", func(ctx context.Context, tx *pg.Tx, e charges.Explained) error {
		line, n, _ := strings.Cut(e.Line, "/")
		part, err := strconv.Atoi(n)
		if err != nil {
			return nil //nolint:nilerr // a name that is none of ours
		}
		b, err := breakOf(ctx, tx, line, part)
		if errors.Is(err, ErrNoBreak) {
			return nil // people ended it, by this very match
		}
		if err != nil {
			return err
		}
		l, err := lockLine(ctx, tx, line)
		if err != nil {
			return err
		}
		w := work{s: s, tx: tx, b: b, l: l, to: []string{e.For}}
		r := Resolution{By: byMatch, Pieces: []Piece{{By: byMatch, To: e.For, Amount: money.FromCentimes(b.size(), b.Currency)}}}
		if _, err := s.done(ctx, tx, b, r, "hub"); err != nil {
			return err
		}
		return w.finish(ctx)
	})
}

// writtenBy is all in which a payer may have written a reference, a line for each.
func writtenBy(e bank.Entry, d bank.Detail) string {
	var lines []string
	for _, s := range []string{d.Ref, d.InstructionID, d.Info, e.Info, e.Ref} {
		if s != "" {
			lines = append(lines, strings.ReplaceAll(s, "\n", " "))
		}
	}
	return strings.Join(lines, "\n")
}

// payer is who sent a part, with the account that money can go back to.
func payer(d bank.Detail) charges.Payer {
	p := charges.Payer{Name: d.Counterparty}
	if rib, err := bank.RIBOf(d.CounterpartyAccount); err == nil {
		p.RIB = rib
	} else if bank.CheckRIB(d.CounterpartyAccount) == nil {
		p.RIB = d.CounterpartyAccount
	}
	return p
}
