package orders

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/delivery"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const basket, order = "/v1/baskets/{basket}", "/v1/orders/{order}"
	ok, made := http.StatusOK, http.StatusCreated
	return slices.Concat([]rest.Route{
		rest.Handle("POST", "/v1/baskets", "baskets.create", "Take an empty basket", made, s.CreateBasket),
		rest.Handle("GET", basket, "baskets.show", "Show a basket at today's prices", ok, s.ShowBasket),
		rest.Handle("PUT", basket+"/lines/{variant}", "baskets.put_line", "Say how many of an article lie in a basket", ok, s.PutLine),
		rest.Commit("POST", basket+"/merge", "baskets.merge", "Pour another basket into one, as when a guest signs in", ok, s.Merge),
		rest.Handle("POST", basket+"/quotes", "quotes.create", "Ask what a basket costs, delivered", made, s.Quote),
		rest.Commit("POST", "/v1/checkouts", "checkouts.create", "Order what was quoted", made, s.Checkout),
		rest.Handle("GET", "/v1/delivery-tariffs", "delivery_tariffs.list", "List what the market's own delivery costs, the latest first", ok, s.ListTariffs),
		rest.Commit("POST", "/v1/delivery-tariffs", "delivery_tariffs.add", "Set what the market's own delivery costs from a day to come", made, s.AddTariff),
		rest.Handle("GET", "/v1/payment-rules", "payment_rules.list", "List up to what orders may be paid how, the latest first", ok, s.ListRules),
		rest.Commit("POST", "/v1/payment-rules", "payment_rules.add", "Say up to what an order may be paid in a way from a day to come", made, s.AddRule),
		rest.Handle("GET", "/v1/order-groups/{group}", "groups.show", "Show the orders of one checkout", ok, s.ShowGroup),
		rest.Handle("GET", "/v1/orders", "orders.list", "List one's orders, the newest first", ok, s.List),
		rest.Handle("GET", order, "orders.show", "Show an order", ok, s.Show),
		rest.Handle("POST", order+"/accept", "orders.accept", "Accept a paid order", ok, s.Accept),
		rest.Handle("POST", order+"/ship", "orders.ship", "Say that the goods left", ok, s.Ship),
		rest.Handle("POST", order+"/deliver", "orders.deliver", "Prove a delivery by the buyer's code", ok, s.Deliver),
		rest.Handle("POST", order+"/disputes", "orders.dispute", "Say that something is wrong with an order", made, s.Dispute),
		rest.Handle("POST", order+"/confirm", "orders.confirm", "Confirm an order that is paid in cash", ok, s.Confirm),
		rest.Commit("POST", order+"/collect", "orders.collect", "Say that the cash of an order was collected", ok, s.Collect),
		rest.Commit("POST", order+"/refuse", "orders.refuse", "Say that a cash order was not taken", ok, s.Refuse),
		rest.Commit("POST", order+"/take-back", "orders.take_back", "Say that the goods of a refused cash order came back", ok, s.TakeBack),
		rest.Commit("POST", order+"/cancel", "orders.cancel", "Cancel an order that was not shipped, and give its money back", ok, s.Cancel),
		rest.Commit("POST", order+"/refunds", "orders.refund", "Give some of an order's money back to its buyer", made, s.Refund),
		rest.Commit("POST", order+"/receive", "orders.receive", "Accept the goods and let the money go", ok, s.Receive),
	}, shipmentRoutes(s), returnRoutes(s), invoiceRoutes(s), reviewRoutes(s), digitalRoutes(s))
}

// Summary is an order in a list.
type Summary struct {
	ID        string    `json:"id" required:"true"`
	Group     string    `json:"order_group" required:"true"`
	State     State     `json:"state" required:"true" enum:"pending_payment,paid,placed,confirmed,accepted,shipped,delivered,completed,expired,cancelled,refunded,refused"`
	Seller    Party     `json:"seller" required:"true"`
	Totals    Totals    `json:"totals" required:"true"`
	CreatedAt time.Time `json:"created_at" required:"true"`
	ShipsBy   time.Time `json:"ships_by" required:"true" description:"By when the goods leave; until the seller accepts, as if it did at once."`
}

// View is an order with all that its parties may see.
type View struct {
	Summary
	Lines    []OrderLine  `json:"lines" required:"true"`
	Escrow   EscrowView   `json:"escrow" required:"true"`
	Payment  PaymentView  `json:"payment" required:"true"`
	Case     *CaseView    `json:"case,omitempty" description:"What keeps the order's money and timers as they are."`
	Delivery DeliveryView `json:"delivery" required:"true"`
	Timeline []Entry      `json:"timeline" required:"true"`

	Shipments []ShipmentView `json:"shipments" required:"true"`

	Refunds []charges.RefundBrief `json:"refunds" required:"true"`

	Share      *money.Money `json:"share,omitempty" description:"What its seller has of it when nothing goes back; its buyer does not see it."`
	ReleasesAt *time.Time   `json:"releases_at,omitempty" description:"When the money goes to the seller by itself, once the goods are there."`

	ComesBack Homeward `json:"comes_back,omitempty" enum:"awaited,back" description:"Where the goods are of an order that was refused at the door."`

	Waits  bool         `json:"waits" required:"true" description:"For its group buy to be ordered."`
	Rebate *money.Money `json:"rebate,omitempty" description:"What went back of its goods, for its group reached a lower price."`
}

// An OrderLine is one article of an order; it never changes.
type OrderLine struct {
	Variant      string            `json:"variant" required:"true"`
	Offer        string            `json:"offer" required:"true"`
	Names        map[string]string `json:"names" required:"true"`
	VariantNames map[string]string `json:"variant_names" required:"true"`
	SKU          string            `json:"sku" required:"true"`
	Quantity     int               `json:"quantity" required:"true"`
	Price        money.Money       `json:"price" required:"true"`
	Total        money.Money       `json:"total" required:"true"`
	Discount     money.Money       `json:"discount" required:"true" description:"What promotions took off the total."`
	MarketPays   money.Money       `json:"market_pays" required:"true" description:"Of the discount, what the market pays to the seller."`
	PriceFrom    From              `json:"price_from" required:"true" enum:"public,list,agreement" description:"By which rule the price came."`
	Agreement    string            `json:"agreement,omitempty" description:"By which it was sold."`
	Kind         catalog.Kind      `json:"kind" required:"true" enum:"product,service,digital"`
	StartsAt     *time.Time        `json:"starts_at,omitempty" description:"When the date that was booked begins; its buyer may cancel until a day before."`
	Minutes      int               `json:"minutes,omitempty" description:"How long it takes."`
}

// EscrowView is what is held for an order.
type EscrowView struct {
	ID       string       `json:"id" required:"true"`
	State    escrow.State `json:"state" required:"true" enum:"awaiting,authorized,funded,released,closed,expired,voided,refunded"`
	Held     money.Money  `json:"held" required:"true"`
	Released money.Money  `json:"released" required:"true"`
	Refunded money.Money  `json:"refunded" required:"true"`
}

// CaseView is an open dispute, chargeback or return.
type CaseView struct {
	ID       string     `json:"id" required:"true"`
	Kind     string     `json:"kind" required:"true" enum:"dispute,chargeback,return"`
	State    string     `json:"state" required:"true"`
	Deadline *time.Time `json:"deadline" required:"true" description:"Of whoever is to speak next; null when nobody in particular is."`
}

// caseView is the case of an order that has one.
func caseView(cases map[string]escrow.Case, order string) *CaseView {
	c, ok := cases[order]
	if !ok {
		return nil
	}
	v := CaseView{ID: c.ID, Kind: c.Kind, State: c.State}
	if c.Deadline != nil {
		due := c.Deadline.UTC()
		v.Deadline = &due
	}
	return &v
}

// DeliveryView is how the goods travel. The seller learns where to once the
// order is paid; the code is the buyer's alone.
type DeliveryView struct {
	Method   string   `json:"method" required:"true" enum:"carrier,own,pickup,relay,none"`
	Commune  string   `json:"commune" required:"true"`
	Region   string   `json:"region" required:"true"`
	Address  string   `json:"address,omitempty"`
	Point    *Point   `json:"point,omitempty"`
	Contact  *Contact `json:"contact,omitempty"`
	Carrier  string   `json:"carrier,omitempty"`
	Tracking string   `json:"tracking,omitempty"`
	Way      string   `json:"way,omitempty" description:"The seller's way of delivery, or the relay point."`
	LeadDays int      `json:"lead_days" required:"true" description:"How long the goods travel."`

	PreparingSince *time.Time `json:"preparing_since,omitempty"`

	Fetch *delivery.Spot `json:"fetch,omitempty" description:"Where the buyer fetches the goods."`
	Code  string         `json:"code,omitempty" description:"Four digits, for the buyer to say when the goods are there."`
}

// GroupView is what one checkout made, as its buyer sees it.
type GroupView struct {
	ID        string      `json:"id" required:"true"`
	Orders    []View      `json:"orders" required:"true"`
	Total     money.Money `json:"total" required:"true"`
	Charge    ChargeView  `json:"charge" required:"true"`
	CreatedAt time.Time   `json:"created_at" required:"true"`
}

func summary(o Order) Summary {
	mad := func(c int64) money.Money { return money.FromCentimes(c, o.Currency) }
	return Summary{
		o.ID, o.Group, o.State,
		Party{o.Seller, texts(o.SellerNames)},
		Totals{mad(o.Goods), mad(o.Delivery), mad(o.Fees), mad(o.Total), mad(o.Discount), mad(o.Bonus)},
		o.CreatedAt.UTC(), o.promised(),
	}
}

func escrowView(h escrow.Hold, currency string) EscrowView {
	mad := func(c int64) money.Money { return money.FromCentimes(c, currency) }
	return EscrowView{h.ID, h.State, mad(h.Held()), mad(h.Released), mad(h.Returned())}
}

// view is an order of the file for p.
func (f file) view(p auth.Principal, o Order, h escrow.Hold, c *CaseView, back []charges.Refund) View {
	to := f.group.Delivery
	d := DeliveryView{
		Method: o.Method, Commune: to.Commune, Region: to.Region, Carrier: o.Carrier, Tracking: o.Tracking,
		Way: o.Way, LeadDays: o.LeadDays, Fetch: o.Fetch, PreparingSince: rest.UTC(o.PreparingAt),
	}
	if p.Role != auth.Seller || !o.Waits && o.State != PendingPayment && o.State != ToConfirm && o.State != Expired {
		d.Address, d.Point, d.Contact = to.Address, to.Point, &f.group.Contact
	}
	if p.Role == auth.Buyer {
		d.Code = o.DeliveryCode
	}
	v := View{
		Summary: summary(o), Lines: f.lines[o.ID], Escrow: escrowView(h, o.Currency), Payment: PaymentView{Method: o.Payment}, Case: c, Delivery: d,
		Timeline: f.entries[o.ID], Shipments: f.parcels(o, p.Role == auth.Buyer), Refunds: charges.Briefs(back), ComesBack: o.ComesBack, Waits: o.Waits,
		Share: o.shareFor(p), ReleasesAt: rest.UTC(h.ReleaseDue),
	}
	if o.Rebate > 0 {
		back := money.FromCentimes(o.Rebate, o.Currency)
		v.Rebate = &back
	}
	return v
}

// Show shows an order to its buyer, its seller and the operator.
func (s *Service) Show(ctx context.Context, in One) (View, error) { return s.view(ctx, s.db, in.Order) }

func (s *Service) view(ctx context.Context, db pg.DB, order string) (v View, err error) {
	f, err := loadFile(ctx, db, id.Order, order)
	if err != nil {
		return v, err
	}
	o := f.orders[0]
	if _, err := s.may(ctx, "orders.show", o.Seller, o.Buyer, ErrNotFound); err != nil {
		return v, err
	}
	holds, err := s.Escrows.OfOrders(ctx, db, []string{o.ID})
	if err != nil {
		return v, err
	}
	cases, err := s.Escrows.CaseOf(ctx, db, []string{o.ID})
	if err != nil {
		return v, err
	}
	back, err := s.Charges.OfOrders(ctx, db, []string{o.ID})
	if err != nil {
		return v, err
	}
	loose, err := s.ofNone(ctx, db, o)
	if err != nil {
		return v, err
	}
	v = f.view(auth.From(ctx), o, holds[o.ID], caseView(cases, o.ID), append(back[o.ID], loose...))
	return v, s.showCash(ctx, db, &v)
}

// ofNone are the refunds of an order's checkout that are of no order, for its buyer,
// who may have to say where they go, and for the operator.
func (s *Service) ofNone(ctx context.Context, db pg.DB, o Order) ([]charges.Refund, error) {
	if p := auth.From(ctx); o.Cash() || p.Role != auth.Buyer && p.Role != auth.Operator {
		return nil, nil
	}
	return s.Charges.OfNone(ctx, db, o.Group)
}

// GroupInput names a group.
type GroupInput struct {
	Group string `path:"group"`
}

// ShowGroup shows what one checkout made, to its buyer.
func (s *Service) ShowGroup(ctx context.Context, in GroupInput) (v GroupView, err error) {
	f, err := loadFile(ctx, s.db, id.Group, in.Group)
	if errors.Is(err, ErrNotFound) {
		return v, ErrNoGroup
	}
	if err != nil {
		return v, err
	}
	if _, err := s.may(ctx, "groups.show", "", f.group.Buyer, ErrNoGroup); err != nil {
		return v, err
	}
	ids := make([]string, len(f.orders))
	for i, o := range f.orders {
		ids[i] = o.ID
	}
	holds, err := s.Escrows.OfOrders(ctx, s.db, ids)
	if err != nil {
		return v, err
	}
	cases, err := s.Escrows.CaseOf(ctx, s.db, ids)
	if err != nil {
		return v, err
	}
	back, err := s.Charges.OfOrders(ctx, s.db, ids)
	if err != nil {
		return v, err
	}
	r, c, err := s.Charges.OfGroup(ctx, s.db, f.group.ID)
	if err != nil {
		return v, err
	}
	total := money.FromCentimes(f.group.Total, f.group.Currency)
	v = GroupView{f.group.ID, nil, total, ChargeView{c.ID, c.State, c.Money(), r.NextAction, r.Refusal}, f.group.CreatedAt.UTC()}
	for _, o := range f.orders {
		v.Orders = append(v.Orders, f.view(auth.From(ctx), o, holds[o.ID], caseView(cases, o.ID), back[o.ID]))
	}
	for i := range v.Orders {
		if err := s.showCash(ctx, s.db, &v.Orders[i]); err != nil {
			return v, err
		}
	}
	return v, nil
}

// ListInput asks for orders.
type ListInput struct {
	State State `query:"state" enum:"pending_payment,paid,placed,confirmed,accepted,shipped,delivered,completed,expired,cancelled,refunded,refused"`
	rest.Paging
}
