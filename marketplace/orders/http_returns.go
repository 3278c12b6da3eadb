package orders

import (
	"context"
	"net/http"
	"slices"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// returnRoutes are the routes of goods that are sent back.
func returnRoutes(s *Service) []rest.Route {
	const ret = "/v1/returns/{return}"
	ok := http.StatusOK
	return []rest.Route{
		rest.Commit("POST", "/v1/orders/{order}/returns", "returns.create", "Send goods of an order back", http.StatusCreated, s.RequestReturn,
			rest.About("For seven days after delivery without a reason (withdrawal, law 31-08; not what perishes, was made to measure or was sealed), for fourteen when something is wrong. The order's money stays where it is meanwhile. Photographs are files of kind proof.")),
		rest.Handle("GET", "/v1/returns", "returns.list", "List one's returns, the newest first", ok, s.ListReturns),
		rest.Handle("GET", ret, "returns.show", "Show a return", ok, s.ShowReturn),
		rest.Handle("GET", ret+"/photos/{file}", "returns.photo", "Look at a photograph of a return", ok, s.ReturnPhoto,
			rest.Gives("application/pdf", "image/jpeg")),
		rest.Commit("POST", ret+"/approve", "returns.approve", "Agree to take goods back", ok, s.ApproveReturn),
		rest.Commit("POST", ret+"/reject", "returns.reject", "Refuse to take goods back, or what came instead of them", ok, s.RejectReturn),
		rest.Commit("POST", ret+"/send", "returns.send", "Say that the goods are on their way back", ok, s.SendReturn),
		rest.Commit("POST", ret+"/receive", "returns.receive", "Say that the goods came back, and have them paid back", ok, s.ReceiveReturn),
		rest.Commit("POST", ret+"/replace", "returns.replace", "Say that other goods are on their way", ok, s.ReplaceReturn),
		rest.Commit("POST", ret+"/refund", "returns.refund", "Pay for goods that came back", ok, s.RefundReturn),
		rest.Commit("POST", ret+"/withdraw", "returns.withdraw", "Give up a return, or leave it as it ended", ok, s.WithdrawReturn),
	}
}

// ReturnInput says what is sent back, and why.
type ReturnInput struct {
	Order  string   `path:"order"`
	Lines  []Wanted `json:"lines" required:"true" minItems:"1" maxItems:"100"`
	Reason string   `json:"reason" required:"true" enum:"withdrawal,damaged,wrong_item,not_as_described,incomplete,other"`
	Wish   string   `json:"wish,omitempty" enum:"refund,replacement" description:"What the buyer wants for them: refund, unless said otherwise."`
	Text   string   `json:"text,omitempty" maxLength:"4000"`
	Photos []string `json:"photos,omitempty" maxItems:"6" uniqueItems:"true" description:"Files of the buyer's, of kind proof."`
}

// ReturnOne names a return.
type ReturnOne struct {
	Return string `path:"return"`
}

// RejectInput says why goods are not taken back.
type RejectInput struct {
	Return string `path:"return"`
	Reason string `json:"reason" required:"true" enum:"no_fault,too_late,never_arrived,not_the_goods,used,damaged_by_buyer,other"`
	Text   string `json:"text" required:"true" minLength:"1" maxLength:"4000"`
}

// SendBackInput says how goods travel.
type SendBackInput struct {
	Return   string `path:"return"`
	Carrier  string `json:"carrier" required:"true" minLength:"1" maxLength:"100"`
	Tracking string `json:"tracking" required:"true" minLength:"1" maxLength:"100"`
}

// ArriveInput says which goods can be sold again.
type ArriveInput struct {
	Return  string   `path:"return"`
	Restock []Wanted `json:"restock,omitempty" maxItems:"100" description:"What came back as it had left; it is on offer again."`
}

// ReturnView is a return as the API shows it.
type ReturnView struct {
	ID          string           `json:"id" required:"true"`
	Order       string           `json:"order" required:"true"`
	Seller      string           `json:"seller" required:"true"`
	State       ReturnState      `json:"state" required:"true" enum:"requested,approved,rejected,in_transit,received,refunded,replaced,closed"`
	Reason      string           `json:"reason" required:"true" enum:"withdrawal,damaged,wrong_item,not_as_described,incomplete,other"`
	Wish        string           `json:"wish" required:"true" enum:"refund,replacement"`
	Text        string           `json:"text" required:"true"`
	Lines       []ReturnLineView `json:"lines" required:"true"`
	Amount      money.Money      `json:"amount" required:"true" description:"What goes back at most, with delivery and fees once nothing of the order stays with the buyer."`
	Photos      []string         `json:"photos" required:"true" description:"Where they are."`
	RequestedAt time.Time        `json:"requested_at" required:"true"`
	Deadline    *time.Time       `json:"deadline,omitempty" description:"Of whoever is to act next."`
	Carrier     string           `json:"carrier,omitempty"`
	Tracking    string           `json:"tracking,omitempty"`
	SentAt      *time.Time       `json:"sent_at,omitempty"`
	ReceivedAt  *time.Time       `json:"received_at,omitempty"`
	Waits       string           `json:"waits,omitempty" enum:",operator,case,cash" description:"What the money waits for: the operator, for it was released; another case; cash on its way."`
	Why         string           `json:"why,omitempty" description:"Why it was rejected or closed."`
	Note        string           `json:"note,omitempty"`
	Refund      string           `json:"refund,omitempty"`
	Refunded    money.Money      `json:"refunded" required:"true"`
	Approval    string           `json:"approval,omitempty" description:"What a second person must approve first."`
	EndedAt     *time.Time       `json:"ended_at,omitempty" description:"From here on the order's money goes its way again."`
}

// ReturnLineView is some of an article.
type ReturnLineView struct {
	Variant   string      `json:"variant" required:"true"`
	Quantity  int         `json:"quantity" required:"true"`
	Total     money.Money `json:"total" required:"true"`
	Restocked int         `json:"restocked" required:"true" description:"How many can be sold again."`
}

func (r GoodsReturn) view(in parcelBack) ReturnView {
	v := ReturnView{
		ID: r.ID, Order: r.Order, Seller: r.Seller, State: r.State, Reason: r.Reason, Wish: r.Wish, Text: r.Text, Lines: []ReturnLineView{},
		Amount: r.money(r.Amount()), Photos: []string{}, RequestedAt: r.RequestedAt.UTC(), Deadline: rest.UTC(r.Deadline),
		Carrier: r.Carrier, Tracking: r.Tracking, SentAt: rest.UTC(r.SentAt), ReceivedAt: rest.UTC(r.ReceivedAt), Waits: r.Waits,
		Why: r.Why, Note: r.Note, Refund: r.Refund, Refunded: r.money(r.Back), EndedAt: rest.UTC(r.EndedAt),
	}
	for _, l := range in.lines {
		v.Lines = append(v.Lines, ReturnLineView{l.Variant, l.Quantity, r.money(l.Total), l.Whole})
	}
	for _, p := range in.photos {
		v.Photos = append(v.Photos, "/v1/returns/"+r.ID+"/photos/"+p)
	}
	return v
}

// ShowReturn shows a return to its buyer, its seller and the operator.
func (s *Service) ShowReturn(ctx context.Context, in ReturnOne) (v ReturnView, err error) {
	r, err := s.seen(ctx, in.Return, "returns.show")
	if err != nil {
		return v, err
	}
	made, err := contents(ctx, s.db, []string{r.ID})
	return r.view(made[r.ID]), err
}

// seen is a return that the caller may see.
func (s *Service) seen(ctx context.Context, ret, action string) (GoodsReturn, error) {
	r, err := loadReturn(ctx, s.db, ret)
	if err == nil {
		_, err = s.may(ctx, action, r.Seller, r.Buyer, ErrNoReturn)
	}
	return r, err
}

// ReturnPhotoInput names a photograph of a return.
type ReturnPhotoInput struct {
	Return string `path:"return"`
	File   string `path:"file"`
}

// ReturnPhoto is a photograph of a return, for those who may see the return.
func (s *Service) ReturnPhoto(ctx context.Context, in ReturnPhotoInput) (rest.Blob, error) {
	r, err := s.seen(ctx, in.Return, "returns.photo")
	if err != nil {
		return rest.Blob{}, err
	}
	return s.Files.Of(ctx, s.db, in.File, r.ID)
}

// ListReturnsInput asks for returns.
type ListReturnsInput struct {
	Order string      `query:"order" maxLength:"40" description:"Of this order only."`
	State ReturnState `query:"state" enum:"requested,approved,rejected,in_transit,received,refunded,replaced,closed"`
	rest.Paging
}

// ListReturns lists the caller's returns, the newest first: a seller's own, a
// buyer's own, and for the operator all.
func (s *Service) ListReturns(ctx context.Context, in ListReturnsInput) (p rest.Page[ReturnView], err error) {
	below, err := in.After(id.Return)
	if err != nil {
		return p, err
	}
	seller, buyers := auth.From(ctx).Sides()
	all, err := listReturns(ctx, s.db, seller, buyers, in.Order, string(in.State), below, in.Limit+1)
	if err != nil {
		return p, err
	}
	ids := make([]string, len(all))
	for i, r := range all {
		ids[i] = r.ID
	}
	made, err := contents(ctx, s.db, slices.Clip(ids))
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, func(r GoodsReturn) ReturnView { return r.view(made[r.ID]) }, func(v ReturnView) any { return v.ID }), nil
}
