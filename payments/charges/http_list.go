package charges

import (
	"context"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/phone"
	"tiwiza/pkg/rest"
)

// ErrFind says that nothing can be looked for so.
var ErrFind = fault.New(fault.Invalid, "charges.find", "Some of what is looked for cannot be read; see errors.")

// ListInput says which charges are looked for. What is left out is any.
type ListInput struct {
	State  string     `query:"state" enum:"created,accepted,confirmed,declined,unknown,expired"`
	Order  string     `query:"order" maxLength:"60" description:"An order, or a group of orders."`
	Ref    string     `query:"reference" maxLength:"100" description:"What the acquirer, or the buyer's bank, knows it by."`
	Phone  string     `query:"phone" maxLength:"30" description:"The buyer's."`
	Amount string     `query:"amount" maxLength:"20" description:"Exactly, in dirhams: 240.00."`
	From   *time.Time `query:"from" description:"Made then or later."`
	Until  *time.Time `query:"until" description:"Made before then."`
	rest.Paging
}

// Brief is a charge in a list.
type Brief struct {
	ID        string      `json:"id" required:"true"`
	Group     string      `json:"order_group" required:"true"`
	Method    string      `json:"method" required:"true"`
	Partner   string      `json:"partner,omitempty" description:"The acquirer or the wallet."`
	Ref       string      `json:"reference,omitempty"`
	State     State       `json:"state" required:"true" enum:"created,accepted,confirmed,declined,unknown,expired"`
	Amount    money.Money `json:"amount" required:"true"`
	Refunded  money.Money `json:"refunded" required:"true" description:"Of it, what goes back or went back."`
	Settled   bool        `json:"settled" required:"true"`
	Buyer     string      `json:"buyer" required:"true" description:"The name that the buyer gave."`
	Phone     string      `json:"phone,omitempty"`
	CreatedAt time.Time   `json:"created_at" required:"true"`
}

func (c Charge) brief() Brief {
	return Brief{
		c.ID, c.Group, c.Method, c.Acquirer, c.Ref, c.State, c.Money(), money.FromCentimes(c.Refunded, c.Currency), c.Settled,
		c.Contact.Name, c.Contact.Phone, c.CreatedAt.UTC(),
	}
}

// A sought is what charges are looked for by; zero fields are any.
type sought struct {
	state, group, charge, ref, phone string
	amount                           int64
	from, until                      *time.Time
}

// List finds charges, newest first; the operator asks.
func (s *Service) List(ctx context.Context, in ListInput) (p rest.Page[Brief], err error) {
	below, err := in.After(id.Charge)
	if err != nil {
		return p, err
	}
	by, found, err := s.sought(ctx, in)
	if err != nil || !found {
		return rest.Page[Brief]{Data: []Brief{}}, err
	}
	rows, err := find(ctx, s.db, by, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Charge.brief, func(b Brief) any { return b.ID }), nil
}

// sought reads what is looked for; found is false when nothing can have it.
func (s *Service) sought(ctx context.Context, in ListInput) (by sought, found bool, err error) {
	by = sought{state: in.State, ref: in.Ref, from: in.From, until: in.Until}
	if in.Amount != "" {
		m, err := money.Parse(in.Amount, money.MAD)
		if err != nil || m.Sign() <= 0 {
			return by, false, ErrFind.At("?amount", "an amount in dirhams, such as 240.00")
		}
		by.amount = m.Centimes()
	}
	if in.Phone != "" {
		var ok bool
		if by.phone, ok = phone.E164(in.Phone); !ok {
			return by, false, ErrFind.At("?phone", "a phone number, such as 0612345678")
		}
	}
	switch {
	case id.Is(id.Order, in.Order):
		holds, err := s.escrows.OfOrders(ctx, s.db, []string{in.Order})
		by.charge = holds[in.Order].Charge
		return by, by.charge != "", err
	case in.Order != "":
		by.group = in.Order
	}
	return by, true, nil
}

// An Hour is what buyers did in one hour.
type Hour struct {
	Begins time.Time `db:"begins"`
	Paid   int64     // charges
	Failed int64     // charges that were declined, expired or are in doubt
	Taken  int64     // centimes
}

// Hours are what was charged since a time, hour by hour; hours without a charge
// are left out.
func (s *Service) Hours(ctx context.Context, db pg.DB, since time.Time) ([]Hour, error) {
	return hours(ctx, db, since)
}
