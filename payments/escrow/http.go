package escrow

import (
	"context"
	"net/http"

	"tiwiza/pkg/authz"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of escrow.
func Routes(s *Service) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/escrows/{escrow}", "escrows.show", "Show what is held for an order", http.StatusOK, s.Show),
		rest.Commit("POST", "/v1/escrows/{escrow}/release", "escrows.release", "Let a part of an escrow go to those it belongs to", http.StatusOK, s.Release,
			rest.About("What an operator lets go is written down with its reason; above 5,000 MAD of an order another person decides (/v1/approvals).")),
		rest.Handle("GET", "/v1/fees", "fees.show", "Show what the market takes, and will take", http.StatusOK, s.ShowFees),
		rest.Handle("GET", "/v1/fees/share", "fees.share", "Show what a seller would have of a price", http.StatusOK, s.ShowShare),
		rest.Commit("POST", "/v1/fees", "fees.change", "Ask for other fees from a day to come", http.StatusAccepted, s.ChangeFees),
	}
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
	Refunded money.Money `json:"refunded" required:"true" description:"Gone back to the buyer, or on its way."`
	Charged  money.Money `json:"charged_back" required:"true" description:"Taken by the buyer's bank."`
	Case     string      `json:"case,omitempty" description:"The open case that keeps it as it is."`
	Settled  bool        `json:"settled" required:"true" description:"The money has reached the safeguard account."`
	Approval string      `json:"approval,omitempty" description:"What a second person must agree to first."`

	// What the market adds for the seller, who has less of the buyer.
	Bonus      *money.Money `json:"bonus,omitempty" description:"What the market adds for the seller beside the amount, as it is released."`
	BonusGiven *money.Money `json:"bonus_given,omitempty" description:"Of it, what the seller has."`
}

// View is the escrow as the API shows it.
func (h Hold) View() View {
	m := func(c int64) money.Money { return money.FromCentimes(c, h.Currency) }
	v := View{
		ID: h.ID, Order: h.Order, Seller: h.Seller, State: h.State, Amount: m(h.Amount), Held: m(h.Held()), Released: m(h.Released),
		Refunded: m(h.Returned()), Charged: m(h.Charged + h.Clawed), Settled: h.Settled,
	}
	if has, _ := h.Bonuses(); h.Bonus > 0 {
		all, given := m(h.Bonus), m(has)
		v.Bonus, v.BonusGiven = &all, &given
	}
	if len(h.Cases) > 0 {
		v.Case = h.Cases[len(h.Cases)-1]
	}
	return v
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
	Reason string      `json:"reason,omitempty" maxLength:"500" description:"Why an operator lets it go without its buyer's word."`
}

// Release lets a part of an escrow go, by its buyer's or the operator's word. What
// an operator lets go above AgentAlone waits for a second person.
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
	approval, err := s.byAgent(ctx, tx, h, in.Amount.Centimes(), in.Reason)
	if err == nil && approval == "" {
		h, err = s.release(ctx, tx, h, in.Amount.Centimes())
	}
	v := h.View()
	v.Approval = approval
	return v, err
}
