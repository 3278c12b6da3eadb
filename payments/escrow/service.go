package escrow

import (
	"context"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Books is what escrow asks of the ledger.
type Books interface {
	Post(ctx context.Context, tx *pg.Tx, t ledger.Transfer) error
}

// Judge says who may do what, and by which policy.
type Judge interface {
	May(p auth.Principal, action string, r authz.Resource) (policy string, err error)
}

// Service is what others may ask of escrow.
type Service struct {
	db    *pg.Store
	books Books
	judge Judge
}

// New makes the service.
func New(db *pg.Store, books Books, judge Judge) *Service { return &Service{db, books, judge} }

// Open makes an escrow that awaits its money, as part of a checkout. The write
// is queued.
func (s *Service) Open(_ context.Context, tx *pg.Tx, t Terms) (string, error) {
	if t.Legs.Total() != t.Amount.Centimes() || t.Amount.Sign() <= 0 {
		return "", ErrTerms
	}
	h := Hold{
		ID: id.New(id.Escrow), Order: t.Order, Seller: t.Seller, Buyer: t.Buyer, Charge: t.Charge, Carrier: t.Carrier,
		Currency: t.Amount.Currency(), Amount: t.Amount.Centimes(), Legs: t.Legs, State: Awaiting,
		WaitS: int64(t.Release.Wait() / time.Second),
	}
	insert(tx, h)
	return h.ID, nil
}

// Fund puts a confirmed charge's money into the escrows it was made for: from
// is the account it stands in (the acquirer's clearing). It returns them as
// they are now. An escrow that is not awaited any more is an error: the caller
// puts such money in suspense instead.
func (s *Service) Fund(ctx context.Context, tx *pg.Tx, charge, from string) ([]Hold, error) {
	holds, err := lockCharge(ctx, tx, charge)
	if err != nil {
		return nil, err
	}
	t := ledger.Transfer{Key: "fund:" + charge, Kind: "escrow.fund"}
	var whole int64
	for i, h := range holds {
		if holds[i], err = h.Fund(tx.Now()); err != nil {
			return nil, err
		}
		save(tx, holds[i])
		t.Currency = h.Currency
		t.Legs = append(t.Legs, ledger.Credit(ledger.Escrow(h.Order), h.Amount))
		whole += h.Amount
		if err := tx.Publish(ctx, Opened{h.ID, h.Order, money.FromCentimes(h.Amount, h.Currency)}); err != nil {
			return nil, err
		}
	}
	t.Legs = append(t.Legs, ledger.Debit(from, whole))
	return holds, s.books.Post(ctx, tx, t)
}

// Expire ends the escrows of a charge that will not be paid.
func (s *Service) Expire(ctx context.Context, tx *pg.Tx, charge string) ([]Hold, error) {
	holds, err := lockCharge(ctx, tx, charge)
	if err != nil {
		return nil, err
	}
	for i, h := range holds {
		if holds[i], err = h.Expire(); err != nil {
			return nil, err
		}
		save(tx, holds[i])
	}
	return holds, nil
}

// Settled marks the escrows of a charge, and what was released of them, as
// money that has reached the safeguard account: payouts may cover it.
func (s *Service) Settled(ctx context.Context, tx *pg.Tx, charge string) error {
	return settle(ctx, tx, charge)
}

// ReleaseOrder lets everything go that is held for an order, to those it
// belongs to. Only the buyer's acceptance and the timer lead here; who may call
// has been decided by then. What is not funded is ErrState.
func (s *Service) ReleaseOrder(ctx context.Context, tx *pg.Tx, order string) (Hold, error) {
	h, err := lockOrder(ctx, tx, order)
	if err != nil {
		return h, err
	}
	return s.release(ctx, tx, h, h.Held())
}

// release books one release: the shares leave the escrow, and the seller's is
// written down for payouts to cover.
func (s *Service) release(ctx context.Context, tx *pg.Tx, h Hold, amount int64) (Hold, error) {
	if h.State != Funded {
		return h, ErrState.Say("This escrow is %s; only what is funded can be released.", h.State)
	}
	h, part, err := h.Release(amount)
	if err != nil {
		return h, err
	}
	save(tx, h)
	rid := id.New(id.Release)
	if part.Seller > 0 {
		insertRelease(tx, rid, h, part.Seller)
	}
	if h.State == Released {
		job.Clear(tx, timerRelease, h.Order)
	}
	err = s.books.Post(ctx, tx, ledger.Transfer{
		Key: "release:" + rid, Kind: "escrow.release", Order: h.Order, Currency: h.Currency,
		Legs: []ledger.Leg{
			ledger.Debit(ledger.Escrow(h.Order), amount),
			ledger.Credit(ledger.Available(h.Seller), part.Seller),
			ledger.Credit(ledger.Reserve(h.Seller), part.Reserve),
			ledger.Credit(ledger.CarrierPayable(h.Carrier), part.Carrier),
			ledger.Credit(ledger.Fees, part.Commission),
			ledger.Credit(ledger.VAT, part.VAT),
		},
	})
	if err != nil {
		return h, err
	}
	return h, tx.Publish(ctx, Let{
		h.ID, h.Order, h.Seller, money.FromCentimes(amount, h.Currency), money.FromCentimes(part.Seller, h.Currency), h.State == Released,
	})
}

const timerRelease = "escrow.release"

// Delivered starts the wait after which the money goes by itself when the
// buyer says nothing.
func (s *Service) Delivered(ctx context.Context, tx *pg.Tx, order string, at time.Time) error {
	h, err := lockOrder(ctx, tx, order)
	if err != nil {
		return err
	}
	if h.State == Funded {
		job.Set(tx, timerRelease, order, at.Add(time.Duration(h.WaitS)*time.Second))
	}
	return nil
}

// Work registers the escrow's timer. It re-checks what it finds: an escrow
// that is not funded any more is left alone.
func (s *Service) Work(t *job.Timers) {
	t.Handle(timerRelease, func(ctx context.Context, tx *pg.Tx, order string) error {
		h, err := lockOrder(ctx, tx, order)
		if err != nil || h.State != Funded {
			return err
		}
		_, err = s.release(ctx, tx, h, h.Held())
		return err
	})
}

// OfOrders returns the escrows of orders by order.
func (s *Service) OfOrders(ctx context.Context, db pg.DB, orders []string) (map[string]Hold, error) {
	holds, err := ofOrders(ctx, db, orders)
	if err != nil {
		return nil, err
	}
	by := make(map[string]Hold, len(holds))
	for _, h := range holds {
		by[h.Order] = h
	}
	return by, nil
}

// OfCharge returns the escrows of a charge.
func (s *Service) OfCharge(ctx context.Context, db pg.DB, charge string) ([]Hold, error) {
	return ofCharge(ctx, db, charge)
}

// Pending is a seller's share of what is still held, in centimes.
func (s *Service) Pending(ctx context.Context, db pg.DB, seller, currency string) (int64, error) {
	return pending(ctx, db, seller, currency)
}

// A Cover is the part of one release that a payout pays.
type Cover struct {
	Release string
	Amount  int64
	Settled bool
}

// Cover takes up to amount of what a seller was given and no payout covers yet,
// oldest first and settled money before unsettled, for the caller's payout.
// Money that another payout is taking at this moment is passed over.
func (s *Service) Cover(ctx context.Context, tx *pg.Tx, seller, currency string, amount int64) ([]Cover, error) {
	open, err := openReleases(ctx, tx, seller, currency)
	if err != nil {
		return nil, err
	}
	var covers []Cover
	for _, r := range open {
		take := min(amount, r.Amount-r.Covered)
		if take == 0 {
			break
		}
		amount -= take
		cover(tx, r.ID, take)
		covers = append(covers, Cover{r.ID, take, r.Settled})
	}
	return covers, nil
}

// Uncover gives back what a payout covered that was refused or came back.
func (s *Service) Uncover(tx *pg.Tx, covers []Cover) {
	for _, c := range covers {
		cover(tx, c.Release, -c.Amount)
	}
}

// AllSettled says whether the money of all these releases has been settled.
func (s *Service) AllSettled(ctx context.Context, db pg.DB, releases []string) (bool, error) {
	return allSettled(ctx, db, releases)
}

// ReleasesOf lists what was released of a charge.
func (s *Service) ReleasesOf(ctx context.Context, db pg.DB, charge string) ([]string, error) {
	return releasesOf(ctx, db, charge)
}

// View is an escrow as the API shows it.
type View struct {
	ID       string      `json:"id" required:"true"`
	Order    string      `json:"order" required:"true"`
	Seller   string      `json:"seller" required:"true"`
	State    State       `json:"state" required:"true" enum:"awaiting,authorized,funded,released,closed,expired,voided,refunded"`
	Amount   money.Money `json:"amount" required:"true"`
	Held     money.Money `json:"held" required:"true"`
	Released money.Money `json:"released" required:"true"`
	Refunded money.Money `json:"refunded" required:"true"`
	Settled  bool        `json:"settled" required:"true" description:"The money has reached the safeguard account."`
}

// View is the escrow as the API shows it.
func (h Hold) View() View {
	m := func(c int64) money.Money { return money.FromCentimes(c, h.Currency) }
	return View{h.ID, h.Order, h.Seller, h.State, m(h.Amount), m(h.Held()), m(h.Released), m(h.Refunded), h.Settled}
}

// ShowInput names an escrow.
type ShowInput struct {
	Escrow string `path:"escrow"`
}

// Show returns an escrow to its buyer, its seller or the operator.
func (s *Service) Show(ctx context.Context, in ShowInput) (View, error) {
	h, err := load(ctx, s.db, in.Escrow)
	if err != nil {
		return View{}, err
	}
	if !authz.Allows(ctx, s.judge, "escrows.show", authz.Resource{Seller: h.Seller, Buyer: h.Buyer}) {
		return View{}, ErrNotFound
	}
	return h.View(), nil
}

// ReleaseInput asks for some of an escrow to be let go.
type ReleaseInput struct {
	Escrow string      `path:"escrow"`
	Amount money.Money `json:"amount" required:"true" description:"At most what is held."`
}

// Release lets a part of an escrow go, by its buyer's or the operator's word.
func (s *Service) Release(ctx context.Context, tx *pg.Tx, in ReleaseInput) (View, error) {
	h, err := lock(ctx, tx, in.Escrow)
	if err != nil {
		return View{}, err
	}
	if !authz.Allows(ctx, s.judge, "escrows.release", authz.Resource{Seller: h.Seller, Buyer: h.Buyer}) {
		return View{}, ErrNotFound
	}
	if in.Amount.Currency() != h.Currency {
		return View{}, ErrAmount.At("/amount/currency", "the escrow is in "+h.Currency)
	}
	h, err = s.release(ctx, tx, h, in.Amount.Centimes())
	return h.View(), err
}
