package recon

import (
	"context"
	"errors"

	"tiwiza/adapters/bank"
	"tiwiza/payments/charges"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// A settlement gathers what one line of an acquirer's says, for one posting.
type settlement struct {
	bank string
	t    ledger.Transfer
	net  int64 // what came to the account
	fees int64
}

func newSettlement(of, key, currency string) *settlement {
	return &settlement{bank: of, t: ledger.Transfer{Key: "line:" + key, Kind: "settlement.negative", Currency: currency}}
}

// paid adds a charge that the acquirer paid, less its fee.
func (b *settlement) paid(acquirer string, d bank.Detail) {
	b.t.Kind = "settlement"
	b.net, b.fees = b.net+d.Amount.Centimes(), b.fees+d.Fee.Centimes()
	b.t.Legs = append(b.t.Legs, ledger.Credit(ledger.Clearing(acquirer), d.Gross.Centimes()))
}

// adjust adds what the acquirer took off or gave back besides charges: it owes us
// that much more, or less, of what it still has, its fee included.
func (b *settlement) adjust(acquirer string, d bank.Detail) {
	if d.Amount.Sign() > 0 { // a chargeback that was won
		b.t.Kind = "settlement"
	}
	b.net += d.Amount.Centimes()
	b.t.Legs = append(b.t.Legs, ledger.Credit(ledger.Clearing(acquirer), d.Amount.Centimes()))
}

// post books what was gathered, if anything was. The acquirer's fee is ours:
// our own money makes the clients' whole again, and is on its way to their
// account until the bank says so.
func (b *settlement) post(ctx context.Context, tx *pg.Tx, books Books) error {
	if len(b.t.Legs) == 0 {
		return nil
	}
	b.t.Legs = append([]ledger.Leg{
		ledger.Debit(ledger.Safeguard(b.bank), b.net), ledger.Debit(ledger.PSPCost, b.fees), ledger.Debit(ledger.Transit(b.bank), b.fees),
	}, append(b.t.Legs, ledger.Credit(ledger.Operating(b.bank), b.fees))...)
	return books.Post(ctx, tx, b.t)
}

// came makes something of one part that brought money: an acquirer's charge, or
// what its payer's reference says. It answers how much of it is still nobody's.
func (s *Service) came(ctx context.Context, tx *pg.Tx, h House, b *settlement, e bank.Entry, d bank.Detail, l Line, i int) ([]part, int64, error) {
	d, err := s.priced(ctx, tx, d)
	if err != nil {
		return nil, 0, err
	}
	c, err := s.settle(ctx, tx, d)
	switch {
	case err == nil:
		b.paid(c.Acquirer, d)
		return []part{{d, verdict{Matched, c.ID, ""}}}, 0, nil
	case errors.Is(err, errNoCharge):
		made, left, err := s.received(ctx, tx, h, e, d, l, i)
		return shares(d, made, left), left, err
	case ours(err):
		return nil, 0, err
	}
	return []part{{d, verdict{Suspense, "", reason(err, d)}}}, d.Amount.Centimes(), nil
}

// shares gives each of what was made of a part its share of the money: the last
// is what is left.
func shares(d bank.Detail, made []verdict, left int64) []part {
	out := make([]part, len(made))
	for i, v := range made {
		out[i] = part{d, v}
	}
	if len(out) == 2 {
		rest := money.FromCentimes(left, d.Amount.Currency())
		for i, m := range []money.Money{d.Amount.Sub(rest), rest} {
			out[i].Amount, out[i].Gross = m, m
		}
	}
	return out
}

// priced gives a detail that tells only what was paid its gross and its fee,
// when the fee is exactly what the acquirer's contract says. Any other
// difference is for people.
func (s *Service) priced(ctx context.Context, tx *pg.Tx, d bank.Detail) (bank.Detail, error) {
	if s.ties.Fee == nil || !d.Fee.IsZero() {
		return d, nil
	}
	c, err := s.charge(ctx, tx, d.Ref)
	if errors.Is(err, errNoCharge) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	gross := c.Money()
	if fee, known := s.ties.Fee(c.Acquirer, gross); known && c.Currency == d.Amount.Currency() && gross.Sub(fee).Equal(d.Amount) {
		d.Gross, d.Fee = gross, fee
	}
	return d, nil
}

// errNoCharge says that a reference is no charge's.
var errNoCharge = errors.New("no charge of ours has this reference")

func (s *Service) settle(ctx context.Context, tx *pg.Tx, d bank.Detail) (charges.Charge, error) {
	if d.Ref == "" {
		return charges.Charge{}, errNoCharge
	}
	for _, a := range s.charges.Acquirers() {
		c, err := s.charges.Settle(ctx, tx, a, d.Ref, d.Gross.Centimes(), d.Gross.Currency())
		if !errors.Is(err, charges.ErrNotFound) {
			return c, err
		}
	}
	return charges.Charge{}, errNoCharge
}

// ours says whether err is a failure of ours and not the line's.
func ours(err error) bool {
	return !errors.Is(err, errNoCharge) && !errors.Is(err, operations.ErrAmount) && !errors.Is(err, charges.ErrSettled) && !errors.Is(err, charges.ErrUnproved)
}

func reason(err error, d bank.Detail) string {
	switch {
	case errors.Is(err, operations.ErrAmount):
		return "another amount than the charge " + d.Ref
	case errors.Is(err, charges.ErrSettled):
		return "the charge " + d.Ref + " was settled before"
	case errors.Is(err, charges.ErrUnproved):
		return "the charge " + d.Ref + " was refused, and yet it is settled"
	}
	return "no charge of ours is named"
}
