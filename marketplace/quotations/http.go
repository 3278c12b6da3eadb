package quotations

import (
	"context"
	"net/http"
	"slices"
	"time"

	"tiwiza/marketplace/agreements"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const all, one, offer = "/v1/quotation-requests", "/v1/quotation-requests/{request}", "/v1/quotation-offers/{offer}"
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Commit("POST", all, "quotations.ask", "Ask sellers for offers", made, s.Ask),
		rest.Handle("GET", all, "quotations.list", "List one's requests, or those put to one, the newest first", ok, s.List),
		rest.Handle("GET", one, "quotations.show", "Show a request", ok, s.Show),
		rest.Handle("GET", one+"/files/{file}", "quotations.file", "Read a file of a request", ok, s.File, rest.Gives("application/pdf", "image/jpeg")),
		rest.Commit("POST", one+"/close", "quotations.close", "Take no more offers", ok, s.CloseRequest),
		rest.Commit("POST", one+"/cancel", "quotations.cancel", "End a request and all of its offers", ok, s.CancelRequest),
		rest.Commit("POST", one+"/decline", "quotations.decline", "Say that one makes no offer, and why", ok, s.DeclineRequest),
		rest.Commit("POST", one+"/messages", "quotations.write", "Ask or answer something about a request", made, s.Write),
		rest.Handle("GET", one+"/messages", "quotations.messages", "List what the buyer and one seller said, the newest first", ok, s.Messages),
		rest.Commit("POST", one+"/offers", "quotations.offer", "Make an offer, in place of one's earlier one", made, s.MakeOffer),
		rest.Handle("GET", one+"/offers", "quotations.offers", "List the offers for a request, the newest first", ok, s.Offers),
		rest.Handle("GET", offer, "quotations.show_offer", "Show an offer", ok, s.ShowOffer),
		rest.Commit("POST", offer+"/withdraw", "quotations.withdraw", "Withdraw an offer", ok, s.WithdrawOffer),
		rest.Commit("POST", offer+"/decline", "quotations.refuse", "Say that an offer is not wanted, and why", ok, s.RefuseOffer),
		rest.Commit("POST", offer+"/accept", "quotations.accept", "Accept an offer, and have a basket that is ready to order", ok, s.Accept),
	}
}

// One names a request.
type One struct {
	Request string `path:"request"`
}

// OneOffer names an offer.
type OneOffer struct {
	Offer string `path:"offer"`
}

// DeclineInput says why a seller makes no offer.
type DeclineInput struct {
	Request string `path:"request"`
	Reason  string `json:"reason" required:"true" enum:"not_in_stock,too_little,too_much,too_far,too_soon,not_our_trade,other"`
}

// RefuseInput says why a buyer does not want an offer.
type RefuseInput struct {
	Offer  string `path:"offer"`
	Reason string `json:"reason" required:"true" enum:"too_dear,too_late,other_goods,other_seller,not_needed,other"`
}

// WriteInput is a question or an answer.
type WriteInput struct {
	Request string `path:"request"`
	Seller  string `json:"seller,omitempty" maxLength:"40" description:"To whom, for buyers."`
	Text    string `json:"text" required:"true" minLength:"1" maxLength:"2000"`
}

// MessagesInput asks for messages.
type MessagesInput struct {
	Request string `path:"request"`
	Seller  string `query:"seller" maxLength:"40" description:"With whom, for buyers and operators."`
	rest.Paging
}

// MessageView is a message as the API shows it.
type MessageView struct {
	ID     string    `json:"id" required:"true"`
	Seller string    `json:"seller" required:"true"`
	Sender string    `json:"sender" required:"true" enum:"buyer,seller"`
	Text   string    `json:"text" required:"true"`
	At     time.Time `json:"at" required:"true"`
}

func (m Message) view() MessageView {
	return MessageView{m.ID, m.Seller, m.Sender, m.Text, m.At.UTC()}
}

// RequestView is a request as its buyer and those it was put to see it.
type RequestView struct {
	ID        string       `json:"id" required:"true"`
	State     State        `json:"state" required:"true" enum:"open,closed,awarded,done,cancelled" description:"To sellers whose offer was not accepted one that is awarded or done is closed."`
	Lines     []Line       `json:"lines" required:"true"`
	Text      string       `json:"text" required:"true"`
	Commune   string       `json:"commune" required:"true"`
	Region    string       `json:"region" required:"true"`
	WantedOn  string       `json:"wanted_on,omitempty" format:"date"`
	Budget    *money.Money `json:"budget,omitempty"`
	Files     []string     `json:"files" required:"true" description:"Where they are."`
	ToAll     bool         `json:"to_all" required:"true" description:"It was put to all sellers of a category, not to some by name."`
	Category  string       `json:"category,omitempty"`
	Area      string       `json:"area,omitempty" description:"The region whose sellers are asked."`
	Deadline  time.Time    `json:"deadline" required:"true"`
	MadeAt    time.Time    `json:"made_at" required:"true"`
	Sellers   []string     `json:"sellers,omitempty" description:"Who was asked by name; for the buyer."`
	Buyer     string       `json:"buyer,omitempty" description:"For the seller whose offer was accepted."`
	Declined  string       `json:"declined,omitempty" description:"Why this seller makes no offer."`
	LastOffer string       `json:"last_offer,omitempty" description:"This seller's."`
}

// A side is how somebody stands to a request.
type side struct {
	buyer, operator bool
	seller          string
	asked           bool // by name, or it has answered
	mine            bool // its offer is accepted
	declined        string
	lastOffer       string
}

// outside is a request's state as sellers see it whose offer was not accepted.
func outside(s State) State {
	if s == Awarded || s == Done {
		return Closed
	}
	return s
}

// view is a request as somebody sees it. Who else was asked is for its buyer and
// the operator; who asks is for the seller whose offer is accepted.
func (r Request) view(me side, named []string) RequestView {
	v := RequestView{
		ID: r.ID, State: r.State, Lines: r.Lines, Text: r.Text, Commune: r.Commune, Region: r.Region, Files: []string{}, ToAll: r.ToAll,
		Category: r.Category, Area: r.Area, Deadline: r.Deadline.UTC(), MadeAt: r.MadeAt.UTC(), Declined: me.declined, LastOffer: me.lastOffer,
	}
	if r.WantedOn != nil {
		v.WantedOn = r.WantedOn.In(clock.Morocco).Format(time.DateOnly)
	}
	if r.Budget != nil {
		m := money.Dirhams(*r.Budget)
		v.Budget = &m
	}
	for _, f := range r.Files {
		v.Files = append(v.Files, "/v1/quotation-requests/"+r.ID+"/files/"+f)
	}
	switch {
	case me.buyer || me.operator:
		v.Sellers = named
	case !me.mine:
		v.State = outside(r.State)
	}
	if me.operator || me.mine {
		v.Buyer = r.Buyer
	}
	return v
}

// DeliveryView is how an offer is brought.
type DeliveryView struct {
	Method   string      `json:"method" required:"true" enum:"carrier,own,pickup"`
	Amount   money.Money `json:"amount" required:"true"`
	LeadDays int         `json:"lead_days,omitempty" minimum:"0" maximum:"60"`
}

// OfferLineView is one article of an offer.
type OfferLineView struct {
	Variant  string      `json:"variant" required:"true" maxLength:"40" description:"An article of the seller's."`
	Line     *int        `json:"line,omitempty" minimum:"1" maximum:"50" description:"Which line of the request it answers, from 1 on."`
	Quantity int         `json:"quantity" required:"true" minimum:"1" maximum:"999"`
	Price    money.Money `json:"price" required:"true" description:"Of each."`
}

// OfferView is an offer as its buyer and its seller see it.
type OfferView struct {
	ID         string          `json:"id" required:"true"`
	Request    string          `json:"request" required:"true"`
	Seller     string          `json:"seller" required:"true"`
	Revision   int             `json:"revision" required:"true"`
	State      OfferState      `json:"state" required:"true" enum:"standing,accepted,replaced,withdrawn,declined,expired,lapsed,passed"`
	Lines      []OfferLineView `json:"lines" required:"true"`
	Delivery   DeliveryView    `json:"delivery" required:"true"`
	Total      money.Money     `json:"total" required:"true"`
	Text       string          `json:"text" required:"true"`
	Reason     string          `json:"reason,omitempty" description:"Why it was declined."`
	Agreement  string          `json:"agreement,omitempty"`
	ValidUntil time.Time       `json:"valid_until" required:"true"`
	MadeAt     time.Time       `json:"made_at" required:"true"`
}

func (o Offer) view() OfferView {
	v := OfferView{
		ID: o.ID, Request: o.Request, Seller: o.Seller, Revision: o.Revision, State: o.State, Lines: make([]OfferLineView, len(o.Lines)),
		Delivery: DeliveryView{o.Method, money.Dirhams(o.Delivery), o.LeadDays}, Total: money.Dirhams(o.Total), Text: o.Text, Reason: o.Reason,
		Agreement: o.Agreement, ValidUntil: o.ValidUntil.UTC(), MadeAt: o.MadeAt.UTC(),
	}
	for i, l := range o.Lines {
		v.Lines[i] = OfferLineView{l.Variant, l.Answers, l.Quantity, money.Dirhams(l.Price)}
	}
	return v
}

// AcceptedView is what a buyer has of accepting an offer.
type AcceptedView struct {
	Offer     OfferView       `json:"offer" required:"true"`
	Agreement agreements.View `json:"agreement" required:"true"`
	Basket    string          `json:"basket" required:"true" description:"Ask it for a quote, and check out, until the agreement's time is over."`
}

// List lists the caller's requests; a seller's list has those put to it.
func (s *Service) List(ctx context.Context, in rest.Paging) (p rest.Page[RequestView], err error) {
	below, err := in.After(id.QuotationRequest)
	if err != nil {
		return p, err
	}
	last := func(v RequestView) any { return v.ID }
	caller := auth.From(ctx)
	if caller.Role == auth.Seller {
		shelves, region, err := s.sells(ctx, s.db, caller.Subject)
		if err != nil {
			return p, err
		}
		all, err := inbox(ctx, s.db, caller.Subject, shelves, region, below, in.Limit+1)
		return rest.View(all, in.Limit, func(r inboxRow) RequestView {
			return r.view(side{seller: caller.Subject, mine: r.Mine, declined: r.Declined, lastOffer: r.LastOffer}, nil)
		}, last), err
	}
	_, buyers := caller.Sides()
	all, err := listOwn(ctx, s.db, buyers, below, in.Limit+1)
	return rest.View(all, in.Limit, func(r Request) RequestView { return r.view(side{buyer: true}, nil) }, last), err
}

// Show shows a request to its buyer, and to those it was put to.
func (s *Service) Show(ctx context.Context, in One) (v RequestView, err error) {
	r, err := byRequest(ctx, s.db, in.Request)
	if err != nil {
		return v, err
	}
	me, err := s.side(ctx, s.db, r)
	if err != nil {
		return v, err
	}
	var named []string
	if me.buyer || me.operator {
		named, err = namedIn(ctx, s.db, r.ID)
	}
	return r.view(me, named), err
}

// FileInput names a file of a request.
type FileInput struct {
	Request string `path:"request"`
	File    string `path:"file"`
}

// File is a file of a request, for those who see the request.
func (s *Service) File(ctx context.Context, in FileInput) (b rest.Blob, err error) {
	r, err := byRequest(ctx, s.db, in.Request)
	if err != nil {
		return b, err
	}
	if _, err := s.side(ctx, s.db, r); err != nil {
		return b, err
	}
	if !slices.Contains(r.Files, in.File) {
		return b, ErrNotFound
	}
	return s.Files.Of(ctx, s.db, in.File, r.ID)
}

// OffersInput asks for the offers for a request.
type OffersInput struct {
	Request string `path:"request"`
	rest.Paging
}

// Offers lists the offers for a request: all of them to its buyer, a seller's own
// to that seller.
func (s *Service) Offers(ctx context.Context, in OffersInput) (p rest.Page[OfferView], err error) {
	below, err := in.After(id.QuotationOffer)
	if err != nil {
		return p, err
	}
	r, err := byRequest(ctx, s.db, in.Request)
	if err != nil {
		return p, err
	}
	me, err := s.side(ctx, s.db, r)
	if err != nil {
		return p, err
	}
	all, err := listOffers(ctx, s.db, r.ID, me.seller, below, in.Limit+1)
	return rest.View(all, in.Limit, Offer.view, func(v OfferView) any { return v.ID }), err
}

// ShowOffer shows an offer to the two whom it concerns.
func (s *Service) ShowOffer(ctx context.Context, in OneOffer) (v OfferView, err error) {
	o, err := byOffer(ctx, s.db, in.Offer)
	if err != nil {
		return v, err
	}
	switch p := auth.From(ctx); p.Role {
	case auth.Operator:
	case auth.Seller:
		if p.Subject != o.Seller {
			return v, ErrNoOffer
		}
	default:
		r, err := byRequest(ctx, s.db, o.Request)
		if err != nil {
			return v, err
		}
		if !p.Owns(r.Buyer) {
			return v, ErrNoOffer
		}
	}
	return o.view(), nil
}
