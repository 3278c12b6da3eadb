package pools

import (
	"context"
	"net/http"
	"time"

	"tiwiza/marketplace/delivery"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const all, one = "/v1/pools", "/v1/pools/{pool}"
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Commit("POST", all, "pools.make", "Open a pool in which many buy of many producers", made, s.Make),
		rest.Handle("GET", all, "pools.list", "List the pools that take pledges, the newest first", ok, s.List, rest.Public()),
		rest.Handle("GET", one, "pools.show", "Show a pool, and what it came to", ok, s.Show, rest.Public()),
		rest.Commit("POST", one+"/cancel", "pools.cancel", "Call a pool off that takes pledges", ok, s.Cancel),
		rest.Commit("POST", one+"/pledges", "pools.pledge", "Pledge to buy at most so dear or, as a producer, to sell at least so dear", made, s.Promise),
		rest.Handle("GET", one+"/pledges", "pools.pledges", "List one's pledges in a pool, the newest first; once it is over, its organiser sees all", ok, s.Pledges),
		rest.Commit("POST", one+"/pledges/{pledge}/withdraw", "pools.withdraw", "Take a pledge back while the pool takes pledges", ok, s.Withdraw),
		rest.Handle("GET", one+"/deals", "pools.deals", "List what one gets or sells in a pool, the newest first; its organiser sees all", ok, s.Deals),
		rest.Commit("POST", one+"/baskets", "pools.basket", "Take a basket with all that one has to pay in a pool", made, s.Basket),
	}
}

// One names a pool.
type One struct {
	Pool string `path:"pool"`
}

// OnePledge names a pledge.
type OnePledge struct {
	Pool   string `path:"pool"`
	Pledge string `path:"pledge"`
}

// View is a pool as everybody sees it. What was pledged is not shown.
type View struct {
	ID        string            `json:"id" required:"true"`
	State     State             `json:"state" required:"true" enum:"open,cleared,settled,failed,cancelled"`
	Organiser string            `json:"organiser" required:"true"`
	Names     map[string]string `json:"names" required:"true"`
	Text      string            `json:"text" required:"true" description:"What quality is meant."`
	Category  string            `json:"category" required:"true"`
	Unit      string            `json:"unit" required:"true" description:"Of which quantities are."`
	Region    string            `json:"region" required:"true"`
	Commune   string            `json:"commune" required:"true"`
	Fetch     *delivery.Spot    `json:"fetch,omitempty" description:"Where producers bring the goods, at their cost, and buyers fetch them; left out when each producer delivers in its own ways."`
	Ceiling   money.Money       `json:"ceiling" required:"true" description:"Of each; nothing is bought above it."`
	Minimum   int               `json:"minimum" required:"true" description:"If less can be exchanged, nothing is."`
	Deadline  time.Time         `json:"deadline" required:"true"`
	Buyers    int               `json:"buyers" required:"true"`
	Producers int               `json:"producers" required:"true"`
	Price     *money.Money      `json:"price,omitempty" description:"Of each, for all, once it is cleared."`
	Quantity  int               `json:"quantity" required:"true" description:"That was matched."`
	Open      int               `json:"open" required:"true" description:"Deals that are neither paid nor lapsed."`
	MadeAt    time.Time         `json:"made_at" required:"true"`
	ClosedAt  *time.Time        `json:"closed_at,omitempty"`
}

// PledgeView is a pledge as its member sees it and, once the pool is over, whoever
// opened the pool.
type PledgeView struct {
	ID       string      `json:"id" required:"true"`
	Pool     string      `json:"pool" required:"true"`
	Member   string      `json:"member" required:"true"`
	Side     Side        `json:"side" required:"true" enum:"buy,sell"`
	Variant  string      `json:"variant,omitempty"`
	Quantity int         `json:"quantity" required:"true"`
	Price    money.Money `json:"price" required:"true" description:"Of each: a buyer's ceiling, a producer's floor."`
	Filled   int         `json:"filled" required:"true" description:"Of quantity, once the pool is cleared."`
	State    PledgeState `json:"state" required:"true" enum:"pledged,withdrawn,matched,unmatched"`
	MadeAt   time.Time   `json:"made_at" required:"true"`
}

// DealView is what one buyer gets of one producer.
type DealView struct {
	ID        string      `json:"id" required:"true"`
	Pool      string      `json:"pool" required:"true"`
	Buyer     string      `json:"buyer" required:"true"`
	Seller    string      `json:"seller" required:"true"`
	Variant   string      `json:"variant" required:"true"`
	Quantity  int         `json:"quantity" required:"true"`
	Price     money.Money `json:"price" required:"true" description:"Of each."`
	Agreement string      `json:"agreement" required:"true"`
	Order     string      `json:"order,omitempty"`
	State     DealState   `json:"state" required:"true" enum:"proposed,ordered,paid,lapsed"`
	Until     time.Time   `json:"until" required:"true" description:"It is ordered until then."`
}

// BasketView is a basket with all that a buyer has to pay in a pool.
type BasketView struct {
	Pool   string    `json:"pool" required:"true"`
	Basket string    `json:"basket" required:"true"`
	Until  time.Time `json:"until" required:"true"`
}

// leads says whether who opened the pool, or is the operator.
func (p Pool) leads(who auth.Principal) bool {
	return who.Role == auth.Operator || who.Owns(p.Organiser)
}

func (p Pool) view(auth.Principal) View {
	return View{
		ID: p.ID, State: p.State, Organiser: p.Organiser, Names: p.Names, Text: p.Text, Category: p.Category, Unit: p.Unit, Region: p.Region, Commune: p.Commune,
		Fetch: p.Spot, Ceiling: money.Dirhams(p.Ceiling), Minimum: p.Least, Deadline: p.Deadline.UTC(), Buyers: p.Buyers, Producers: p.Producers,
		Price: dirhams(p.Price), Quantity: p.Quantity, Open: p.Open, MadeAt: p.MadeAt.UTC(), ClosedAt: rest.UTC(p.ClosedAt),
	}
}

func (p Pledge) view() PledgeView {
	return PledgeView{p.ID, p.Pool, p.Member, p.Side, p.Variant, p.Quantity, money.Dirhams(p.Price), p.Filled, p.State, p.MadeAt.UTC()}
}

func (d Deal) view() DealView {
	return DealView{d.ID, d.Pool, d.Buyer, d.Seller, d.Variant, d.Quantity, money.Dirhams(d.Price), d.Agreement, d.OrderID, d.State, d.Until.UTC()}
}

// Show shows a pool.
func (s *Service) Show(ctx context.Context, in One) (View, error) {
	p, err := byID(ctx, s.db, in.Pool)
	if err != nil {
		return View{}, err
	}
	return p.view(auth.From(ctx)), nil
}

// ListInput asks for pools.
type ListInput struct {
	Category string `query:"category" maxLength:"60"`
	Region   string `query:"region" maxLength:"5"`
	rest.Paging
}

// List lists the pools that take pledges.
func (s *Service) List(ctx context.Context, in ListInput) (p rest.Page[View], err error) {
	below, err := in.After(id.Pool)
	if err != nil {
		return p, err
	}
	all, err := openNow(ctx, s.db, in, below, in.Limit+1)
	who := auth.From(ctx)
	return rest.View(all, in.Limit, func(p Pool) View { return p.view(who) }, func(v View) any { return v.ID }), err
}

// InPool asks for a list of a pool.
type InPool struct {
	Pool string `path:"pool"`
	rest.Paging
}

// Pledges lists the caller's pledges in a pool; all of them for whoever opened it,
// once it takes no more, and for the operator.
func (s *Service) Pledges(ctx context.Context, in InPool) (page rest.Page[PledgeView], err error) {
	below, err := in.After(id.Pledge)
	if err != nil {
		return page, err
	}
	p, err := byID(ctx, s.db, in.Pool)
	if err != nil {
		return page, err
	}
	who := auth.From(ctx)
	whose := who.Subject
	if who.Role == auth.Operator || p.leads(who) && p.State != Open {
		whose = ""
	}
	all, err := listPledges(ctx, s.db, p.ID, whose, below, in.Limit+1)
	return rest.View(all, in.Limit, Pledge.view, func(v PledgeView) any { return v.ID }), err
}

// Deals lists the caller's deals in a pool; all of them for whoever opened it.
func (s *Service) Deals(ctx context.Context, in InPool) (page rest.Page[DealView], err error) {
	below, err := in.After(id.Deal)
	if err != nil {
		return page, err
	}
	p, err := byID(ctx, s.db, in.Pool)
	if err != nil {
		return page, err
	}
	who := auth.From(ctx)
	whose := who.Subject
	if p.leads(who) {
		whose = ""
	}
	all, err := listDeals(ctx, s.db, p.ID, whose, below, in.Limit+1)
	return rest.View(all, in.Limit, Deal.view, func(v DealView) any { return v.ID }), err
}
