package shop

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"tiwiza/marketplace/orders"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/money"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// pay takes the form of the basket: what changed of it is shown again, what is as
// it was looked at is ordered.
func (s *Shop) pay(v *site.Visit) error {
	basket, c := v.Basket(), said(v)
	if basket == "" || v.Token() == "" {
		return v.Go("/panier")
	}
	if err := s.settle(v, basket); err != nil {
		return s.stuck(v, basket, c, err)
	}
	if v.Field("faire") != "payer" {
		return s.anewTill(v, c, http.StatusOK, nil, "")
	}
	q, err := s.ask(v, basket, &c)
	if err != nil {
		return s.stuck(v, basket, c, err)
	}
	v.Title = v.T("buy.basket")
	t := setOut(v, c, q, nil, "")
	if wrongs := c.check(v, t.brought(), q.Consents); len(wrongs) > 0 {
		return s.anewTill(v, c, http.StatusUnprocessableEntity, wrongs, "", q.Problems...)
	}
	if t.Blocked || !agreed(v.Field("total"), q.Totals.Total) {
		return s.anewTill(v, c, http.StatusConflict, nil, v.T("buy.changed"), q.Problems...)
	}
	made, err := site.Post[orders.CheckoutView](v, "/v1/checkouts", c.order(v, basket, q))
	if err != nil {
		return s.stuck(v, basket, c, err)
	}
	v.KeepBasket("", 0)
	v.ForgetTyped()
	return s.onwards(v, made)
}

// onwards leads to where one pays, or to the order that is paid at the door.
func (s *Shop) onwards(v *site.Visit, made orders.CheckoutView) error {
	if next := made.Charge.NextAction; next.Type == "none" && next.Transfer == nil && next.Wallet == nil && len(made.Orders) == 1 {
		return v.Go("/o/"+made.Orders[0].ID, "merci", "1")
	}
	v.Owes(made.Group)
	return v.Go("/g/" + made.Group)
}

// order is the checkout of a quote.
func (c customer) order(v *site.Visit, basket string, q orders.Quote) map[string]any {
	contact := map[string]any{"name": c.Name, "phone": c.Phone}
	if c.Email != "" {
		contact["email"] = c.Email
	}
	if c.Company != "" || c.ICE != "" {
		contact["company"] = map[string]string{"name": c.Company, "ice": c.ICE, "if": c.IF}
	}
	p, _ := geo.Find(c.Commune) // it was checked
	to := map[string]any{"method": "carrier", "commune": p.Name}
	if c.Address != "" {
		to["address"] = c.Address
	}
	if len(q.Delivery.Choices) > 0 {
		to["choices"] = q.Delivery.Choices
	}
	if c.Nowhere {
		to = map[string]any{"method": "none"}
	}
	by := map[string]string{"method": c.Method}
	if c.Method == "wallet" && c.Wallet != "" {
		by["phone"] = c.Wallet
	}
	return map[string]any{"basket": basket, "quote": q.Hash, "contact": contact, "delivery": to, "payment": by, "lang": string(v.Lang.Text()), "consents": append([]string{}, c.Agreed...)}
}

// stuck answers what the interface would not do: a basket that was ordered
// already leads to its orders, the rest is said on the same page.
func (s *Shop) stuck(v *site.Visit, basket string, c customer, err error) error {
	f, ok := errors.AsType[*site.Fault](err)
	if !ok {
		return err
	}
	if strings.HasPrefix(f.Code, "idempotency.") { // it is being ordered, or was
		_, again := s.quote(v, basket, c)
		if g, ok := errors.AsType[*site.Fault](again); ok {
			f = g
		}
	}
	switch {
	case f.Code == "orders.basket_ordered":
		if group := madeOf(f); group != "" {
			return leadsOn(v, group)
		}
		v.KeepBasket("", 0)
		return v.Go("/moi")
	case f.Status == http.StatusConflict:
		return s.anewTill(v, c, f.Status, nil, v.Explain(err))
	case f.Status == http.StatusUnprocessableEntity:
		return s.anewTill(v, c, f.Status, v.Wrongs(err, fields), "")
	case f.Code == "auth.step_up":
		return s.showTill(v, c, f.Status, nil, v.Explain(err)) // asks once more who this is, and keeps the form
	case f.Status == http.StatusForbidden || f.Status == http.StatusTooManyRequests:
		return s.anewTill(v, c, f.Status, []ui.Wrong{{Text: v.Explain(err)}}, "")
	}
	return err
}

// madeOf is the group of orders that a basket became, where its refusal says so.
func madeOf(f *site.Fault) string {
	if f.Code != "orders.basket_ordered" || len(f.Errors) == 0 || !strings.HasPrefix(f.Errors[0].Detail, "grp_") {
		return ""
	}
	return f.Errors[0].Detail
}

// leadsOn leads to the orders that the basket became before, when the key was pressed
// twice.
func leadsOn(v *site.Visit, group string) error {
	v.KeepBasket("", 0)
	v.ForgetTyped()
	v.Owes(group)
	return v.Go("/g/" + group)
}

// agreed says whether a total is the one that stood on the key.
func agreed(shown string, total money.Money) bool {
	m, err := money.Parse(shown, total.Currency())
	return err == nil && m.Equal(total)
}

func pointer(before string, i int) string { return fmt.Sprintf("%s%d", before, i) }
