package recon

import (
	"context"
	"fmt"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/payments/charges"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/pg"
)

// A Receiver knows by a payer's reference what money is for: a buyer's transfer,
// or what a carrier remits.
type Receiver interface {
	Receive(ctx context.Context, tx *pg.Tx, c charges.Credit) (charges.Taken, error)
}

// Receives says who is asked about money that came without an acquirer. It is
// called at start; without it such money waits in suspense.
func (s *Service) Receives(by Receiver) *Service { s.receiver = by; return s }

// received asks what one part of a credit is for. It answers what was made of
// it, and how much of it is still nobody's.
func (s *Service) received(ctx context.Context, tx *pg.Tx, h House, e bank.Entry, d bank.Detail, l Line, part int) ([]verdict, int64, error) {
	amount := d.Amount.Centimes()
	nobody := []verdict{{Suspense, "", "no charge of ours is named"}}
	if s.receiver == nil || amount == 0 {
		return nobody, amount, nil
	}
	t, err := s.receiver.Receive(ctx, tx, charges.Credit{
		Bank: h.Bank.ID(), Line: fmt.Sprintf("%s/%d", l.ID, part), From: ledger.Safeguard(h.Bank.ID()), Suspense: ledger.Suspense(l.ID),
		Said: said(e, d), Payer: payer(d), Amount: amount, Currency: l.Currency,
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

// said is all in which a payer may have written a reference, a line for each.
func said(e bank.Entry, d bank.Detail) string {
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
