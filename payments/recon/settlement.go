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
	d, c, err := s.settle(ctx, tx, h, e, d)
	switch {
	case err == nil:
		b.paid(c.Acquirer, d)
		return []part{{d, verdict{Matched, c.ID, ""}}}, 0, nil
	case errors.Is(err, errNoCharge) || errors.Is(err, errStranger):
		d.Gross, d.Fee = d.Amount, d.Amount.Sub(d.Amount) // nobody else's word on what was kept counts
		made, left, rerr := s.received(ctx, tx, h, e, d, l, i)
		if n := len(made); errors.Is(err, errStranger) && n > 0 && made[n-1].state == Suspense {
			if made[n-1].why == nobodys.English {
				made[n-1].why = ""
			}
			made[n-1].why = join(reason(err, d), made[n-1].why)
		}
		return shares(d, made, left), left, rerr
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
func (s *Service) priced(h House, acquirer string, c charges.Charge, d bank.Detail) bank.Detail {
	if !d.Fee.IsZero() {
		return d
	}
	gross := c.Money()
	if fee, known := s.fee(h, acquirer, gross); known && c.Currency == d.Amount.Currency() && gross.Sub(fee).Equal(d.Amount) {
		d.Gross, d.Fee = gross, fee
	}
	return d
}

// errNoCharge says that a reference is no charge's.
var errNoCharge = errors.New("no charge of ours has this reference")

// settle tells charges what its acquirer paid of a charge, and answers the part
// with what the acquirer kept.
func (s *Service) settle(ctx context.Context, tx *pg.Tx, h House, e bank.Entry, d bank.Detail) (bank.Detail, charges.Charge, error) {
	c, acquirer, err := s.namedBy(ctx, tx, h, e, d)
	if err != nil {
		return d, c, err
	}
	d = s.priced(h, acquirer, c, d)
	if err := s.fair(h, acquirer, d); err != nil {
		return d, c, err
	}
	c, err = s.charges.Settle(ctx, tx, acquirer, d.Ref, d.Gross.Centimes(), d.Gross.Currency())
	if errors.Is(err, charges.ErrNotFound) {
		err = errNoCharge
	}
	return d, c, err
}

// ours says whether err is a failure of ours and not the line's.
func ours(err error) bool {
	if _, its := errors.AsType[dear](err); its {
		return false
	}
	return !errors.Is(err, errNoCharge) && !errors.Is(err, errStranger) && !errors.Is(err, operations.ErrAmount) && !errors.Is(err, charges.ErrSettled) && !errors.Is(err, charges.ErrUnproved)
}

func reason(err error, d bank.Detail) string {
	if why, its := errors.AsType[dear](err); its {
		return why.why
	}
	switch {
	case errors.Is(err, errStranger):
		return stranger.Of(d.Ref)
	case errors.Is(err, operations.ErrAmount):
		return otherThanCharge.Of(d.Ref)
	case errors.Is(err, charges.ErrSettled):
		return settledBefore.Of(d.Ref)
	case errors.Is(err, charges.ErrUnproved):
		return refusedYetSettled.Of(d.Ref)
	}
	return nobodys.English
}
