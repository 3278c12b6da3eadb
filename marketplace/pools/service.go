package pools

import (
	"context"
	"slices"

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/delivery"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// Kind is the kind of the agreements that pools make; the deal is their source.
const Kind = "pool"

// Catalogue is what is on offer.
type Catalogue interface {
	Items(ctx context.Context, db pg.DB, variants []string) (map[string]catalog.Item, error)
}

// Sellers says who sells, and whether they may now.
type Sellers interface {
	Sellers(ctx context.Context, db pg.DB, ids []string) (map[string]members.Seller, error)
}

// Agreements are what sellers and buyers agreed on before an order.
type Agreements interface {
	Make(ctx context.Context, tx *pg.Tx, a agreements.Agreement) (agreements.Agreement, error)
	Of(ids []string, out *[]agreements.Agreement) pg.Read
}

// Orders give a buyer a basket with what was agreed on.
type Orders interface {
	FillAll(tx *pg.Tx, all []agreements.Agreement) (basket string)
	Faces(ctx context.Context, db pg.DB, ids []string) (map[string]orders.Face, error)
}

// Service is what others may ask of pools.
type Service struct {
	db        *pg.Store
	catalogue Catalogue
	sellers   Sellers
	agreed    Agreements
	orders    Orders
}

// New makes the service.
func New(db *pg.Store, c Catalogue, sellers Sellers, agreed Agreements, o Orders) *Service {
	return &Service{db, c, sellers, agreed, o}
}

// Make opens a pool.
func (s *Service) Make(ctx context.Context, tx *pg.Tx, in Input) (v View, err error) {
	who := auth.From(ctx)
	p, err := in.pool(who, tx.Now())
	if err != nil {
		return v, err
	}
	insert(tx, p)
	job.Set(tx, timerClear, p.ID, p.Deadline)
	audit.Record(tx, "pools.make", p.ID, authz.Policy(ctx), in)
	return p.view(who), s.tell(ctx, tx, p)
}

// Cancel calls a pool off that takes pledges. Cancelling twice is harmless.
func (s *Service) Cancel(ctx context.Context, tx *pg.Tx, in One) (v View, err error) {
	p, err := lock(ctx, tx, in.Pool)
	if err != nil {
		return v, err
	}
	who := auth.From(ctx)
	if !p.leads(who) {
		return v, ErrNotFound
	}
	if p.State == Cancelled {
		return p.view(who), nil
	}
	if p, err = p.do(Cancel); err != nil {
		return v, err
	}
	at := tx.Now()
	p.ClosedAt = &at
	job.Clear(tx, timerClear, p.ID)
	audit.Record(tx, "pools.cancel", p.ID, authz.Policy(ctx), nil)
	return p.view(who), s.keep(ctx, tx, p)
}

// Promise pledges to buy, or with a seller's key to sell. Others do not see it.
func (s *Service) Promise(ctx context.Context, tx *pg.Tx, in PledgeInput) (v PledgeView, err error) {
	who := auth.From(ctx)
	side := sideOf(who.Role)
	if err := s.suits(ctx, tx, in, who.Subject, side); err != nil {
		return v, err
	}
	p, err := lock(ctx, tx, in.Pool)
	if err != nil {
		return v, err
	}
	if err := p.takes(tx.Now()); err != nil {
		return v, err
	}
	pledge, err := in.pledge(p, who.Subject, side, tx.Now())
	if err != nil {
		return v, err
	}
	if p = p.count(side, 1); p.Buyers > mostPledges || p.Producers > mostPledges {
		return v, ErrFull
	}
	insertPledge(tx, pledge)
	audit.Record(tx, "pools.pledge", pledge.ID, authz.Policy(ctx), in)
	return pledge.view(), s.keep(ctx, tx, p)
}

// suits says why a producer cannot pledge an article.
func (s *Service) suits(ctx context.Context, tx *pg.Tx, in PledgeInput, member string, side Side) error {
	if side == Buys {
		if in.Variant != "" {
			return ErrInvalid.At("/variant", "Only who sells says of which article.")
		}
		return nil
	}
	p, err := byID(ctx, tx, in.Pool)
	if err != nil {
		return err
	}
	items, err := s.catalogue.Items(ctx, tx, []string{in.Variant})
	if err != nil {
		return err
	}
	item, ok := items[in.Variant]
	switch {
	case !ok || item.Seller != member || !item.Published:
		return ErrInvalid.At("/variant", "One of your own articles that is on offer.")
	case item.Category != p.Category:
		return ErrInvalid.At("/variant", "This pool is for another category: "+p.Category+".")
	}
	all, err := s.sellers.Sellers(ctx, tx, []string{member})
	if err == nil && !all[member].Active {
		err = ErrInvalid.At("/variant", "You do not sell at the moment.")
	}
	return err
}

// count counts pledges of a side.
func (p Pool) count(side Side, n int) Pool {
	if side == Buys {
		p.Buyers += n
	} else {
		p.Producers += n
	}
	return p
}

// Withdraw takes a pledge back while the pool takes pledges. Again is harmless.
func (s *Service) Withdraw(ctx context.Context, tx *pg.Tx, in OnePledge) (v PledgeView, err error) {
	p, err := lock(ctx, tx, in.Pool)
	if err != nil {
		return v, err
	}
	pledge, err := pledgeOf(ctx, tx, p.ID, in.Pledge)
	if err != nil {
		return v, err
	}
	if !auth.From(ctx).Owns(pledge.Member) {
		return v, ErrNoPledge
	}
	if pledge.State == Withdrawn {
		return pledge.view(), nil
	}
	if err := p.takes(tx.Now()); err != nil {
		return v, err
	}
	pledge.State = Withdrawn
	savePledges(tx, []Pledge{pledge})
	audit.Record(tx, "pools.withdraw", pledge.ID, authz.Policy(ctx), nil)
	return pledge.view(), s.keep(ctx, tx, p.count(pledge.Side, -1))
}

// Basket gives a buyer a basket with all that he or she has to pay in a pool.
func (s *Service) Basket(ctx context.Context, tx *pg.Tx, in One) (v BasketView, err error) {
	p, err := byID(ctx, tx, in.Pool)
	if err != nil {
		return v, err
	}
	deals, err := proposed(ctx, tx, p.ID, auth.From(ctx).Subject, tx.Now())
	if err != nil {
		return v, err
	}
	if len(deals) == 0 {
		return v, ErrNoDeal
	}
	ids := make([]string, len(deals))
	for i, d := range deals {
		ids[i] = d.Agreement
	}
	var all []agreements.Agreement
	if err := pg.Together(ctx, tx, s.agreed.Of(ids, &all)); err != nil {
		return v, err
	}
	all = slices.DeleteFunc(all, func(a agreements.Agreement) bool { return a.State != agreements.Open })
	if len(all) == 0 {
		return v, ErrNoDeal
	}
	v = BasketView{p.ID, s.orders.FillAll(tx, all), deals[0].Until.UTC()}
	audit.Record(tx, "pools.basket", v.Basket, authz.Policy(ctx), map[string]string{"pool": p.ID})
	return v, nil
}

// keep saves a pool and tells of it.
func (s *Service) keep(ctx context.Context, tx *pg.Tx, p Pool) error {
	save(tx, p)
	return s.tell(ctx, tx, p)
}

func (s *Service) tell(ctx context.Context, tx *pg.Tx, p Pool) error {
	return tx.Publish(ctx, Moved{p.ID, p.Organiser, p.State, p.Price, p.Quantity})
}

// agreement is what a deal is bought by.
func (p Pool) agreement(d Deal) agreements.Agreement {
	a := agreements.Agreement{
		Kind: Kind, Source: d.ID, Seller: d.Seller, Buyer: d.Buyer, Until: d.Until,
		Lines: []agreements.Line{{Variant: d.Variant, Least: d.Quantity, Most: d.Quantity, Price: d.Price}},
	}
	if p.Spot != nil {
		a.Delivery = &agreements.Delivery{Method: string(delivery.Pickup), Spot: p.Spot}
	}
	return a
}

// deal is what a match becomes.
func (p Pool) deal(m Match, tx *pg.Tx) Deal {
	return Deal{
		ID: id.New(id.Deal), Pool: p.ID, Buyer: m.Buy.Member, Seller: m.Sell.Member, Variant: m.Sell.Variant, Quantity: m.Quantity, Price: *p.Price,
		State: Proposed, Until: tx.Now().Add(PayWithin), MadeAt: tx.Now(),
	}
}
