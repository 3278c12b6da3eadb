package groupbuys

import (
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tiwiza/marketplace/delivery"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const all, one = "/v1/group-buys", "/v1/group-buys/{group}"
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Commit("POST", all, "group_buys.make", "Begin to buy an article together", made, s.Make),
		rest.Handle("GET", all, "group_buys.list", "List the group buys that can be joined, the newest first", ok, s.List, rest.Public()),
		rest.Handle("GET", all+"/mine", "group_buys.mine", "List the group buys that one sells in or organises, the newest first", ok, s.Mine),
		rest.Handle("GET", one, "group_buys.show", "Show how far a group buy is", ok, s.Show, rest.Public()),
		rest.Commit("POST", one+"/admit", "group_buys.admit", "Agree to a group buy of one's article that somebody else asked for", ok, s.Admit),
		rest.Commit("POST", one+"/decline", "group_buys.decline", "Decline a group buy of one's article that somebody else asked for", ok, s.Decline),
		rest.Commit("POST", one+"/cancel", "group_buys.cancel", "Call a group buy off, and give back what was paid", ok, s.Cancel),
		rest.Commit("POST", one+"/baskets", "group_buys.join", "Take a basket with a place in a group buy", made, s.Join),
		rest.Handle("GET", one+"/orders", "group_buys.orders", "List the orders of a group buy, the newest first, for their seller", ok, s.Orders),
		rest.Handle("GET", one+"/orders.csv", "group_buys.export", "Export the orders of a group buy, for handing them out", ok, s.Export, rest.Gives("text/csv")),
	}
}

// One names a group buy.
type One struct {
	Group string `path:"group"`
}

// ReasonInput says why.
type ReasonInput struct {
	Group  string `path:"group"`
	Reason string `json:"reason" required:"true" minLength:"1" maxLength:"500"`
}

// JoinInput says how many one wants.
type JoinInput struct {
	Group    string `path:"group"`
	Quantity int    `json:"quantity" required:"true" minimum:"1" maximum:"999"`
}

// JoinView is a basket that, ordered and paid before the deadline, is a place in
// a group.
type JoinView struct {
	Group     string      `json:"group_buy" required:"true"`
	Basket    string      `json:"basket" required:"true"`
	Agreement string      `json:"agreement" required:"true"`
	Quantity  int         `json:"quantity" required:"true"`
	Price     money.Money `json:"price" required:"true" description:"Of each; what the group gets it for less goes back to you once it is ordered."`
	Until     time.Time   `json:"until" required:"true"`
}

// TierView is what each costs when so many are bought.
type TierView struct {
	From  int         `json:"from" required:"true" minimum:"1" maximum:"1000000"`
	Price money.Money `json:"price" required:"true"`
}

// NextView is the tier that comes next.
type NextView struct {
	TierView
	Missing int `json:"missing" required:"true"`
}

// View is a group buy as everybody sees it.
type View struct {
	ID           string            `json:"id" required:"true"`
	State        State             `json:"state" required:"true" enum:"asked,declined,open,reached,ordered,distributed,failed,refunded"`
	Seller       string            `json:"seller" required:"true"`
	Offer        string            `json:"offer" required:"true"`
	Variant      string            `json:"variant" required:"true"`
	Names        map[string]string `json:"names" required:"true"`
	VariantNames map[string]string `json:"variant_names" required:"true"`
	Category     string            `json:"category" required:"true"`
	Region       string            `json:"region" required:"true" description:"Where it is fetched or, if that is left to each buyer, comes from."`
	Commune      string            `json:"commune" required:"true"`
	Way          string            `json:"way,omitempty" description:"The seller's way of delivery that all of it goes; left out when each buyer chooses."`
	Fetch        *delivery.Spot    `json:"fetch,omitempty" description:"Where all of it is fetched."`
	Minimum      int               `json:"minimum" required:"true"`
	Maximum      int               `json:"maximum" required:"true"`
	Price        money.Money       `json:"price" required:"true" description:"Of each, with the minimum; who joins pays this, and gets the difference back."`
	Tiers        []TierView        `json:"tiers" required:"true"`
	Deadline     time.Time         `json:"deadline" required:"true"`
	Paid         int               `json:"paid" required:"true" description:"Pieces that were paid: the progress."`
	Pending      int               `json:"pending" required:"true" description:"Pieces that were ordered and are not paid yet."`
	Buyers       int               `json:"buyers" required:"true"`
	Left         int               `json:"left" required:"true" description:"Pieces that can still be joined for."`
	PriceNow     money.Money       `json:"price_now" required:"true" description:"Of each, if nobody else joins or leaves; once it is decided, what each costs."`
	Next         *NextView         `json:"next,omitempty"`
	Why          string            `json:"why,omitempty" description:"It failed, or was declined: missed, silent, seller_unavailable, or in words."`
	MadeAt       time.Time         `json:"made_at" required:"true"`
	ClosedAt     *time.Time        `json:"closed_at,omitempty"`

	Organiser string `json:"organiser,omitempty" description:"Shown to the seller, to itself and to the operator."`
	Open      *int   `json:"open,omitempty" description:"Orders that are not at their end; shown as organiser is."`
}

func dirhams(c int64) money.Money { return money.Dirhams(c) }

// party says whether p sells or organises it, or is the operator.
func (g GroupBuy) party(p auth.Principal) bool {
	return p.Role == auth.Operator || p.Subject != "" && (p.Subject == g.Seller || p.Owns(g.Organiser))
}

// shown says whether p may see it: everybody, once its seller has agreed.
func (g GroupBuy) shown(p auth.Principal) bool {
	return g.party(p) || g.State != Asked && g.State != Declined
}

// view is the group buy as p sees it.
func (g GroupBuy) view(p auth.Principal) View {
	v := View{
		ID: g.ID, State: g.State, Seller: g.Seller, Offer: g.Offer, Variant: g.Variant, Names: g.Names, VariantNames: g.VariantNames, Category: g.Category,
		Region: g.Region, Commune: g.Commune, Way: g.Way, Fetch: g.Spot, Minimum: g.MinQty, Maximum: g.MaxQty, Price: dirhams(g.Price), Tiers: []TierView{},
		Deadline: g.Deadline.UTC(), Paid: g.Paid, Pending: g.Pending, Buyers: g.Buyers, PriceNow: dirhams(g.PriceOf(g.Paid)), Why: g.Why,
		MadeAt: g.MadeAt.UTC(), ClosedAt: rest.UTC(g.ClosedAt),
	}
	for _, t := range g.Tiers {
		v.Tiers = append(v.Tiers, TierView{t.From, dirhams(t.Price)})
	}
	if g.Final != nil {
		v.PriceNow = dirhams(*g.Final)
	}
	if g.Gathers() {
		v.Left = g.Left()
		if t, ok := g.Next(); ok {
			v.Next = &NextView{TierView{t.From, dirhams(t.Price)}, t.From - g.Paid}
		}
	}
	if g.party(p) {
		v.Organiser, v.Open = g.Organiser, &g.Undone
	}
	return v
}

// Show shows a group buy to everybody; one that its seller has not agreed to, to
// those whom it concerns.
func (s *Service) Show(ctx context.Context, in One) (v View, err error) {
	g, err := byID(ctx, s.db, in.Group)
	if err != nil {
		return v, err
	}
	p := auth.From(ctx)
	if !g.shown(p) {
		return v, ErrNotFound
	}
	return g.view(p), nil
}

// ListInput asks for group buys.
type ListInput struct {
	Category string `query:"category" maxLength:"60"`
	Region   string `query:"region" maxLength:"5"`
	Seller   string `query:"seller" maxLength:"40"`
	rest.Paging
}

// List lists the group buys that can be joined.
func (s *Service) List(ctx context.Context, in ListInput) (p rest.Page[View], err error) {
	below, err := in.After(id.GroupBuy)
	if err != nil {
		return p, err
	}
	all, err := joinableNow(ctx, s.db, in, below, in.Limit+1)
	return page(ctx, all, in.Limit), err
}

// Mine lists the group buys that the caller sells in or organises; for the
// operator all.
func (s *Service) Mine(ctx context.Context, in rest.Paging) (p rest.Page[View], err error) {
	below, err := in.After(id.GroupBuy)
	if err != nil {
		return p, err
	}
	who := auth.From(ctx)
	whose := who.Subject
	if who.Role == auth.Operator {
		whose = ""
	}
	all, err := concerning(ctx, s.db, whose, below, in.Limit+1)
	return page(ctx, all, in.Limit), err
}

func page(ctx context.Context, all []GroupBuy, limit int) rest.Page[View] {
	p := auth.From(ctx)
	return rest.View(all, limit, func(g GroupBuy) View { return g.view(p) }, func(v View) any { return v.ID })
}

// SeatView is an order of a group buy as its seller sees it. Whom to hand it to
// is shown once the group is ordered.
type SeatView struct {
	Order    string       `json:"order" required:"true"`
	State    orders.State `json:"state" required:"true" enum:"pending_payment,paid,placed,confirmed,accepted,shipped,delivered,completed,expired,cancelled,refunded,refused"`
	Quantity int          `json:"quantity" required:"true"`
	Waits    bool         `json:"waits" required:"true" description:"For its group."`
	PaidBack money.Money  `json:"paid_back" required:"true" description:"The difference to the price that the group reached."`
	Name     string       `json:"name,omitempty"`
	Phone    string       `json:"phone,omitempty"`
}

// OrdersInput asks for the orders of a group buy.
type OrdersInput struct {
	Group string `path:"group"`
	rest.Paging
}

// Orders lists the orders of a group buy for its seller and the operator.
func (s *Service) Orders(ctx context.Context, in OrdersInput) (p rest.Page[SeatView], err error) {
	below, err := in.After(id.Order)
	if err != nil {
		return p, err
	}
	all, err := s.list(ctx, in.Group, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.Cut(all, in.Limit, func(v SeatView) any { return v.Order }), nil
}

func (s *Service) list(ctx context.Context, group, below string, limit int) ([]SeatView, error) {
	g, err := byID(ctx, s.db, group)
	if err != nil {
		return nil, err
	}
	if p := auth.From(ctx); p.Role != auth.Operator && p.Subject != g.Seller {
		return nil, ErrNotFound
	}
	seats, err := taken(ctx, s.db, g.ID, below, limit)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(seats))
	for i, st := range seats {
		ids[i] = st.OrderID
	}
	faces, err := s.orders.Faces(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	out := make([]SeatView, len(seats))
	for i, st := range seats {
		f := faces[st.OrderID]
		out[i] = SeatView{Order: st.OrderID, State: f.State, Quantity: st.Quantity, Waits: f.Waits, PaidBack: dirhams(st.PaidBack)}
		if st.State == Going || st.State == Served {
			out[i].Name, out[i].Phone = f.Name, f.Phone
		}
	}
	return out, nil
}

// mostRows is how many orders one file has at most: more than are handed out at
// one place.
const mostRows = 10_000

// Export writes the orders of a group buy that are with its seller, for handing
// them out at one place.
func (s *Service) Export(ctx context.Context, in One) (rest.Blob, error) {
	all, err := s.list(ctx, in.Group, "", mostRows+1)
	if err != nil {
		return rest.Blob{}, err
	}
	if len(all) > mostRows {
		return rest.Blob{}, ErrLarge
	}
	return rest.Blob{ContentType: "text/csv; charset=utf-8", FileName: in.Group + ".csv", Write: func(w io.Writer) error {
		c := csv.NewWriter(w)
		_ = c.Write([]string{"order", "state", "quantity", "name", "phone", "paid_back"})
		for _, v := range all {
			_ = c.Write([]string{v.Order, string(v.State), strconv.Itoa(v.Quantity), plain(v.Name), plain(strings.Replace(v.Phone, "+212", "0", 1)), v.PaidBack.Amount()})
		}
		c.Flush()
		return c.Error()
	}}, nil
}

func number(n int) string { return strconv.Itoa(max(n, 0)) }
