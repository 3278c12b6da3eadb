package shop

import (
	"errors"
	"maps"
	"net/http"
	"slices"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A payment is how the money of one checkout stands, and what its buyer does next.
type payment struct {
	*ui.Page
	Group  orders.GroupView
	Method string
	Stage  string // form, transfer, wallet, refused, checking, paid, over or none
	Names  []string
	Values map[string]string // of the form that leads to the card page
	Wrongs []ui.Wrong
	Key    string
}

// group shows what one checkout made: first how it is paid, then its orders.
func (s *Shop) group(v *site.Visit) error {
	g, err := site.Get[orders.GroupView](v, "/v1/order-groups/"+escape(v.R.PathValue("group")))
	if err != nil {
		return err
	}
	if g.Charge.Status == charges.Confirmed && len(g.Orders) == 1 {
		return v.Go("/o/"+g.Orders[0].ID, "merci", "1")
	}
	return s.showPayment(v, g, http.StatusOK, nil)
}

func (s *Shop) showPayment(v *site.Visit, g orders.GroupView, status int, wrongs []ui.Wrong) error {
	p := payment{Page: v.Page, Group: g, Wrongs: wrongs, Key: site.NewKey()}
	if len(g.Orders) > 0 {
		p.Method = g.Orders[0].Payment.Method
	}
	p.Stage = stage(g.Charge, p.Method)
	if p.Stage == "form" {
		if v.WentToPay(g.ID) && v.Query.Get("refus") == "" {
			p.Stage = "checking" // a second key so soon could charge twice
		}
		p.Values = g.Charge.NextAction.Fields
		p.Names = slices.Sorted(maps.Keys(p.Values))
		v.PostsTo(g.Charge.NextAction.URL)
	}
	v.Title = v.T("buy.stage_" + p.Stage)
	return v.ShowAs(status, paymentPage(p))
}

// stage is what a buyer sees of a charge.
func stage(c orders.ChargeView, method string) string {
	switch {
	case c.Status == charges.Confirmed:
		return "paid"
	case c.Status == charges.Expired:
		return "over"
	case c.Status == charges.Declined, c.Refusal != nil:
		return "refused"
	case c.Status == charges.Unknown:
		return "checking"
	case c.NextAction.Transfer != nil:
		return "transfer"
	case c.NextAction.Wallet != nil:
		return "wallet"
	case c.NextAction.Type == "form":
		return "form"
	case method == charges.Cash:
		return "none"
	}
	return "checking"
}

// returned is where the card page sends the buyer back to. It decides nothing:
// what it brings with it is the browser's word.
func (s *Shop) returned(v *site.Visit) error {
	id := v.R.PathValue("group")
	refused := v.Query.Get("refus") != ""
	if !refused {
		v.GoneToPay(id)
	}
	v.Title = v.T("shop.returned")
	if v.Token() == "" {
		return v.Show(ui.Problem(v.Page, v.T("shop.returned_help"), v.Href("/")))
	}
	g, err := site.Get[orders.GroupView](v, "/v1/order-groups/"+escape(id))
	if err != nil {
		return v.Show(ui.Problem(v.Page, v.T("shop.returned_help"), v.Href("/")))
	}
	if g.Charge.Status == charges.Confirmed && len(g.Orders) == 1 {
		return v.Go("/o/"+g.Orders[0].ID, "merci", "1")
	}
	if refused && g.Charge.NextAction.Type == "form" {
		return s.showPayment(v, g, http.StatusOK, []ui.Wrong{{Text: v.T("buy.card_refused")}})
	}
	return s.showPayment(v, g, http.StatusOK, nil)
}

// comeBack answers a post of the card page with a redirect, so that reloading
// sends nothing again.
func (s *Shop) comeBack(v *site.Visit) error {
	if l, ok := ui.ParseLang(v.Field("lang")); ok {
		v.Lang = l
	}
	refused := ""
	if r := v.Field("Response"); r == "Declined" || r == "Error" {
		refused = "1"
	}
	return v.Go("/paiement/"+escape(v.R.PathValue("group")), "refus", refused)
}

// anew asks a wallet again, with the same or another number, or gives the charge
// up to pay in another way.
func (s *Shop) anew(v *site.Visit) error {
	g, err := site.Get[orders.GroupView](v, "/v1/order-groups/"+escape(v.R.PathValue("group")))
	if err != nil {
		return err
	}
	path, in := "/wallet", map[string]string{}
	if v.Field("faire") == "abandonner" {
		path = "/give-up"
	} else if n := v.Field("portefeuille"); n != "" {
		in["phone"] = n
	}
	_, err = site.Post[struct{}](v, "/v1/charges/"+g.Charge.ID+path, in)
	if f, ok := errors.AsType[*site.Fault](err); ok && f.Status < http.StatusInternalServerError {
		return s.showPayment(v, g, http.StatusUnprocessableEntity, v.Wrongs(err, map[string]string{"/phone": "portefeuille"}))
	}
	if err != nil {
		return err
	}
	return v.Go("/g/" + g.ID)
}
