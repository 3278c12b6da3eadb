package groupbuys

import (
	"context"
	"slices"
	"time"

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

// Catalogue is what is on offer.
type Catalogue interface {
	Items(ctx context.Context, db pg.DB, variants []string) (map[string]catalog.Item, error)
}

// Sellers says who sells, from where, and whether they may now.
type Sellers interface {
	Sellers(ctx context.Context, db pg.DB, ids []string) (map[string]members.Seller, error)
	Imprints(ctx context.Context, db pg.DB, ids []string) (map[string]members.Imprint, error)
}

// Ways are the ways of delivery of sellers.
type Ways interface {
	Serving(sellers []string, region, commune string, out *[]delivery.Way) pg.Read
}

// Agreements are what sellers and buyers agreed on before an order.
type Agreements interface {
	Make(ctx context.Context, tx *pg.Tx, a agreements.Agreement) (agreements.Agreement, error)
}

// Orders are what is placed by those who join.
type Orders interface {
	Fill(tx *pg.Tx, a agreements.Agreement) (basket string)
	Proceed(ctx context.Context, tx *pg.Tx, order string) (bool, error)
	PayBack(ctx context.Context, tx *pg.Tx, order string, centimes int64) (orders.Difference, error)
	CallOff(ctx context.Context, tx *pg.Tx, timer, order, reason string) error
	Faces(ctx context.Context, db pg.DB, ids []string) (map[string]orders.Face, error)
}

// Needs are the others that group buys work with.
type Needs struct {
	Catalogue Catalogue
	Sellers   Sellers
	Ways      Ways
	Agreed    Agreements
}

// Service is what others may ask of group buys.
type Service struct {
	db *pg.Store
	Needs
	orders Orders
}

// New makes the service. Orders ask it about places in groups; Work tells it of
// them.
func New(db *pg.Store, n Needs) *Service { return &Service{db: db, Needs: n} }

// Make begins a group buy: a seller's of its own, or anybody's of a seller's
// article, which begins when its seller agrees.
func (s *Service) Make(ctx context.Context, tx *pg.Tx, in Input) (v View, err error) {
	items, err := s.Catalogue.Items(ctx, tx, []string{in.Variant})
	if err != nil {
		return v, err
	}
	p := auth.From(ctx)
	item, there := items[in.Variant]
	if !there || !item.Published || p.Role == auth.Seller && item.Seller != p.Subject {
		return v, ErrInvalid.At("/variant", "There is no such article on offer, or it is not yours.")
	}
	way, err := s.way(ctx, tx, item.Seller, in.Way)
	if err != nil {
		return v, err
	}
	sellers, err := s.Sellers.Sellers(ctx, tx, []string{item.Seller})
	if err != nil {
		return v, err
	}
	if !sellers[item.Seller].Active {
		return v, ErrInvalid.At("/variant", "Its seller does not sell at the moment.")
	}
	from, err := s.Sellers.Imprints(ctx, tx, []string{item.Seller})
	if err != nil {
		return v, err
	}
	g, err := in.groupBuy(p, item, way, from[item.Seller], tx.Now())
	if err != nil {
		return v, err
	}
	insert(tx, g)
	job.Set(tx, timerClose, g.ID, g.Deadline)
	audit.Record(tx, "group_buys.make", g.ID, authz.Policy(ctx), in)
	return g.view(p), s.tell(ctx, tx, g)
}

// way is a place of the seller's where its goods are fetched.
func (s *Service) way(ctx context.Context, tx *pg.Tx, seller, way string) (*delivery.Way, error) {
	if way == "" {
		return nil, nil
	}
	var all []delivery.Way
	if err := pg.Together(ctx, tx, s.Ways.Serving([]string{seller}, "", "", &all)); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(w delivery.Way) bool { return w.ID == way && w.Kind == delivery.Pickup && w.Spot != nil })
	if i < 0 {
		return nil, ErrInvalid.At("/way", "One of the seller's ways of delivery where its buyers fetch the goods.")
	}
	return &all[i], nil
}

// Admit has the group buy begin that somebody asked its seller for. Admitting
// twice is harmless.
func (s *Service) Admit(ctx context.Context, tx *pg.Tx, in One) (View, error) {
	return s.answer(ctx, tx, in.Group, Admit, "")
}

// Decline says that the seller does not want the group buy that somebody asked
// for. Declining twice is harmless.
func (s *Service) Decline(ctx context.Context, tx *pg.Tx, in ReasonInput) (View, error) {
	return s.answer(ctx, tx, in.Group, Decline, in.Reason)
}

func (s *Service) answer(ctx context.Context, tx *pg.Tx, group string, m Move, why string) (v View, err error) {
	g, err := lock(ctx, tx, group)
	if err != nil {
		return v, err
	}
	p := auth.From(ctx)
	if g.Seller != p.Subject {
		return v, ErrNotFound
	}
	if g.State != moves[m].to {
		if m == Admit && !tx.Now().Before(g.Deadline) {
			return v, ErrClosed.At("/state", string(g.State))
		}
		if m == Admit { // who is suspended, or may sell nothing new, begins no sale
			sellers, err := s.Sellers.Sellers(ctx, tx, []string{g.Seller})
			if err == nil && !sellers[g.Seller].Active {
				err = ErrState.Say("You may sell nothing new at the moment; ask the market's operator why.").At("/state", string(g.State))
			}
			if err != nil {
				return v, err
			}
		}
		if g, err = g.do(m); err != nil {
			return v, err
		}
		g.Why = why
		if g, err = s.keep(ctx, tx, g); err != nil {
			return v, err
		}
		audit.Record(tx, "group_buys."+string(m), g.ID, authz.Policy(ctx), map[string]string{"reason": why})
	}
	return g.view(p), nil
}

// Cancel calls a group buy off before it is decided; what was paid goes back. A
// seller can while the minimum is not reached, an organiser while nobody has
// joined, the operator until the end. Cancelling twice is harmless.
func (s *Service) Cancel(ctx context.Context, tx *pg.Tx, in ReasonInput) (v View, err error) {
	g, err := lock(ctx, tx, in.Group)
	if err != nil {
		return v, err
	}
	p := auth.From(ctx)
	switch {
	case !g.party(p):
		return v, ErrNotFound
	case g.State == Failed || g.State == Refunded || g.State == Declined:
		return g.view(p), nil
	case p.Role == auth.Seller && g.State == Reached:
		return v, ErrState.Say("The minimum is reached: the group counts on these goods. Ask the market's operator if you cannot serve it.").At("/state", string(g.State))
	case p.Role == auth.Buyer && g.Paid+g.Pending > 0:
		return v, ErrState.Say("Others have joined already; they decide for themselves until the deadline.").At("/state", string(g.State))
	}
	if g.State == Asked {
		g, err = g.do(Decline)
		g.Why = in.Reason
	} else {
		g, err = g.called(in.Reason, tx.Now())
	}
	if err != nil {
		return v, err
	}
	if g, err = s.decided(ctx, tx, g); err != nil {
		return v, err
	}
	audit.Record(tx, "group_buys.cancel", g.ID, authz.Policy(ctx), map[string]string{"reason": in.Reason})
	return g.view(p), nil
}

// called is the group buy called off by people.
func (g GroupBuy) called(why string, at time.Time) (GroupBuy, error) {
	if _, err := g.do(Fail); err != nil {
		return g, err
	}
	g.ClosedAt = &at
	return g.fail(why), nil
}

// Join gives a buyer a basket with so many of the article at the group's price:
// ordered and paid like any other, it is a place in the group. Nothing is kept
// for it before it is ordered.
func (s *Service) Join(ctx context.Context, tx *pg.Tx, in JoinInput) (v JoinView, err error) {
	g, err := byID(ctx, tx, in.Group)
	if err != nil {
		return v, err
	}
	p := auth.From(ctx)
	if !g.shown(p) {
		return v, ErrNotFound
	}
	if err := g.joinable(in.Quantity, tx.Now()); err != nil {
		return v, err
	}
	seat := Seat{ID: id.New(id.Seat), Grp: g.ID, Buyer: p.Subject, Quantity: in.Quantity, State: Offered, MadeAt: tx.Now()}
	a, err := s.Agreed.Make(ctx, tx, g.agreement(seat))
	if err != nil {
		return v, err
	}
	seat.Agreement = a.ID
	insertSeat(tx, seat)
	audit.Record(tx, "group_buys.join", g.ID, authz.Policy(ctx), map[string]any{"seat": seat.ID, "quantity": in.Quantity})
	return JoinView{g.ID, s.orders.Fill(tx, a), a.ID, in.Quantity, dirhams(g.Price), g.Deadline.UTC()}, nil
}

// agreement is what a seat is bought by.
func (g GroupBuy) agreement(s Seat) agreements.Agreement {
	a := agreements.Agreement{
		Kind: orders.Gathers, Source: s.ID, Seller: g.Seller, Buyer: s.Buyer, Until: g.Deadline,
		Lines: []agreements.Line{{Variant: g.Variant, Least: s.Quantity, Most: s.Quantity, Price: g.Price}},
	}
	if g.Way != "" {
		a.Delivery = &agreements.Delivery{Method: string(delivery.Pickup), Way: g.Way, Spot: g.Spot}
	}
	return a
}

// Take has an order take a seat, in the unit of work that orders. It is the last
// thing that is locked.
func (s *Service) Take(ctx context.Context, tx *pg.Tx, seat, order string) error {
	g, st, err := lockSeat(ctx, tx, "id", seat)
	if err != nil {
		return err
	}
	if g, st, err = g.take(st, order, tx.Now()); err != nil {
		return err
	}
	saveSeat(tx, st)
	save(tx, g)
	return nil
}

// Moved has a group follow one of its orders, in the unit of work that moved it.
func (s *Service) Moved(ctx context.Context, tx *pg.Tx, o orders.Order) error {
	was, st, err := lockSeat(ctx, tx, "order_id", o.ID)
	if err != nil {
		return err
	}
	g, to, err := was.Follow(st, o, auth.From(ctx).Role, tx.Now())
	if err != nil || to == st {
		return err
	}
	if to.State == Late {
		job.Set(tx, timerCarry, o.ID, tx.Now())
	}
	if to.State == Offered {
		to.OrderID = ""
	}
	saveSeat(tx, to)
	// What it waited for may have come.
	if g.Gathers() && (g.Paid == g.MaxQty || g.Pending == 0 && !tx.Now().Before(g.Deadline)) {
		job.Set(tx, timerClose, g.ID, tx.Now())
	}
	if g.State == was.State && g.Paid == was.Paid {
		save(tx, g)
		return nil
	}
	_, err = s.keep(ctx, tx, g)
	return err
}

// keep saves a group buy and tells of it.
func (s *Service) keep(ctx context.Context, tx *pg.Tx, g GroupBuy) (GroupBuy, error) {
	save(tx, g)
	g.Version++
	return g, s.tell(ctx, tx, g)
}

func (s *Service) tell(ctx context.Context, tx *pg.Tx, g GroupBuy) error {
	return tx.Publish(ctx, Moved{g.ID, g.Seller, g.Organiser, g.State, g.Paid, g.Final})
}
