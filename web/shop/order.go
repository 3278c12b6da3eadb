package shop

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/payments/disputes"
	"tiwiza/pkg/rest"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// An order as its buyer sees it.
type order struct {
	*ui.Page
	orders.View
	Key      string
	Steps    []ui.Step
	Square   string // the delivery code for cameras
	Invoice  *orders.InvoiceView
	Dispute  *disputes.View
	Returns  []orders.ReturnView
	Messages []orders.MessageView
	Reviewed map[string]bool // variants that were reviewed
	Files    []orders.DigitalView
	Done     string
	Wrongs   []ui.Wrong
	Text     string // what was typed and not taken
	RIB      string
	Asked    bool // its buyer came back from paying a short while ago
}

// tones are how the states of an order look.
var tones = map[orders.State]string{
	orders.PendingPayment: "warn", orders.ToConfirm: "warn", orders.Paid: "", orders.Confirmed: "", orders.Accepted: "", orders.Shipped: "warn",
	orders.Delivered: "ok", orders.Completed: "ok", orders.Expired: "bad", orders.Cancelled: "bad", orders.Refunded: "bad", orders.Refused: "bad",
}

func summaries(all []orders.View) []orders.Summary {
	out := make([]orders.Summary, len(all))
	for i, o := range all {
		out[i] = o.Summary
	}
	return out
}

// order shows one order to its buyer.
func (s *Shop) order(v *site.Visit) error {
	o, err := readOrder(v)
	if err != nil {
		return err
	}
	if v.Query.Get("merci") != "" {
		o.Done = v.T("buy.thanks")
	}
	if key := "buy.done_" + v.Query.Get("fait"); v.Query.Get("fait") != "" && v.T(key) != key {
		o.Done = v.T(key)
	}
	return v.Show(orderPage(o))
}

// readOrder reads an order with what hangs on it. What is not there yet is left
// out.
func readOrder(v *site.Visit) (order, error) {
	id := v.R.PathValue("order")
	if v.Token() == "" {
		return order{}, site.ErrSignIn
	}
	view, err := site.Get[orders.View](v, "/v1/orders/"+escape(id))
	if err != nil {
		return order{}, err
	}
	at := "/v1/orders/" + view.ID
	o := order{Page: v.Page, View: view, Key: site.NewKey(), Reviewed: map[string]bool{}}
	o.Steps, o.Asked = way(v.Page, view), v.WentToPay(view.Group)
	v.Title = v.T("buy.order_title")
	if o.showsCode() {
		if o.Square, err = ui.QR(view.Delivery.Code); err != nil {
			return o, err
		}
	}
	if i, err := site.Get[orders.InvoiceView](v, at+"/invoice"); err == nil {
		o.Invoice = &i
	} else if !gone(err) && view.State == orders.Completed {
		return o, err
	}
	if c := view.Case; c != nil && c.Kind == "dispute" {
		d, err := site.Get[disputes.View](v, "/v1/disputes/"+c.ID)
		if err != nil {
			return o, err
		}
		o.Dispute = &d
	}
	if came(view.State) {
		back, err := site.Get[rest.Page[orders.ReturnView]](v, "/v1/returns?limit=10&order="+view.ID)
		if err != nil {
			return o, err
		}
		o.Returns = back.Data
		said, err := site.Get[rest.Page[orders.ReviewView]](v, "/v1/reviews?limit=100")
		if err != nil {
			return o, err
		}
		for _, r := range said.Data {
			if r.Order == view.ID {
				o.Reviewed[r.Variant] = true
			}
		}
	}
	if o.digital() && view.State != orders.PendingPayment {
		got, err := site.Get[orders.DigitalView](v, at+"/digital")
		if err != nil {
			return o, err
		}
		o.Files = append(o.Files, got)
	}
	m, err := site.Get[rest.Page[orders.MessageView]](v, at+"/messages?limit=30")
	if err != nil {
		return o, err
	}
	o.Messages = m.Data
	return o, nil
}

// came says whether the goods are there.
func came(s orders.State) bool {
	return s == orders.Delivered || s == orders.Completed || s == orders.Refunded
}

// over says whether nothing happens to an order any more.
func over(s orders.State) bool {
	return slices.Contains([]orders.State{orders.Completed, orders.Expired, orders.Cancelled, orders.Refunded, orders.Refused}, s)
}

// way are the steps of an order.
func way(p *ui.Page, o orders.View) []ui.Step {
	if over(o.State) && o.State != orders.Completed {
		return nil
	}
	first := []orders.State{orders.PendingPayment, orders.Paid}
	if o.Payment.Method == charges.Cash {
		first = []orders.State{orders.ToConfirm, orders.Confirmed}
	}
	all := append(first, orders.Accepted, orders.Shipped, orders.Delivered)
	at := slices.Index(all, o.State)
	if o.State == orders.Completed {
		at = len(all)
	}
	var out []ui.Step
	for i, s := range all[1:] {
		step := ui.Step{Text: p.T("buy.step_" + string(s))}
		switch {
		case i+1 <= at:
			step.State = "done"
		case i == at:
			step.State = "now"
		}
		out = append(out, step)
	}
	return out
}

// digital says whether files or codes are among what was bought; onlyDigital
// whether nothing else is.
func (o order) digital() bool {
	return slices.ContainsFunc(o.Lines, func(l orders.OrderLine) bool { return l.Kind == catalog.Digital })
}

func (o order) onlyDigital() bool {
	return !slices.ContainsFunc(o.Lines, func(l orders.OrderLine) bool { return l.Kind != catalog.Digital })
}

// nameOf is what an article of the order is called.
func (o order) nameOf(variant string) ui.Said {
	for _, l := range o.Lines {
		if l.Variant == variant {
			return o.Say(l.Names)
		}
	}
	return ui.Said{}
}

func (o order) showsCode() bool {
	return o.Delivery.Code != "" && slices.Contains([]orders.State{orders.Paid, orders.Confirmed, orders.Accepted, orders.Shipped}, o.State)
}

// owes says whether it is to be paid, and no payment is on its way.
func (o order) owes() bool {
	return o.State == orders.PendingPayment && !o.Asked && o.Escrow.Held.IsZero()
}

// receives says whether its buyer can say that the goods are there.
func (o order) receives() bool {
	if o.onlyDigital() {
		return false // whoever opens it has it
	}
	return o.Case == nil && o.State == orders.Delivered || o.Case == nil && o.State == orders.Shipped && o.Payment.Method != charges.Cash
}

// cancels says whether it can be given up without sending anything back.
func (o order) cancels() bool {
	return o.Case == nil && slices.Contains([]orders.State{orders.Paid, orders.ToConfirm, orders.Confirmed, orders.Accepted}, o.State)
}

// complains says whether its buyer can say that something is wrong.
func (o order) complains() bool {
	return o.Case == nil && slices.Contains([]orders.State{orders.Paid, orders.Accepted, orders.Shipped, orders.Delivered}, o.State) && o.Escrow.Held.Sign() > 0
}

// sendsBack says whether something of it can be sent back.
func (o order) sendsBack() bool {
	return o.Case == nil && (o.State == orders.Delivered || o.State == orders.Completed) &&
		!slices.ContainsFunc(o.Returns, func(r orders.ReturnView) bool { return r.EndedAt == nil })
}

// waitsForRIB is a refund that needs an account.
func (o order) waitsForRIB() string {
	for _, r := range o.Refunds {
		if r.State == "awaiting_rib" {
			return r.ID
		}
	}
	return ""
}

// wrong is what is wrong with a field.
func (o order) wrong(name string) string {
	for _, w := range o.Wrongs {
		if w.Name == name {
			return w.Text
		}
	}
	return ""
}

// acts are what a buyer does with an order by one key: the route, and what it
// sends.
var acts = map[string]func(v *site.Visit) (string, any){
	"recu":      func(*site.Visit) (string, any) { return "receive", nil },
	"confirmer": func(*site.Visit) (string, any) { return "confirm", nil },
	"ouvrir": func(v *site.Visit) (string, any) {
		return "digital/open", map[string]any{"variants": []string{v.Field("variante")}}
	},
	"annuler": func(v *site.Visit) (string, any) {
		return "cancel", map[string]string{"reason": cmp.Or(v.Field("raison"), v.T("buy.no_reason"))}
	},
	"message": func(v *site.Visit) (string, any) {
		return "messages", map[string]any{"text": v.Field("texte")}
	},
	"avis": func(v *site.Visit) (string, any) {
		n, _ := strconv.Atoi(v.Field("etoiles")) // 0 is refused
		return "reviews", map[string]any{"variant": v.Field("variante"), "rating": n, "text": v.Field("texte")}
	},
}

// act does one thing with an order and shows it again.
func (s *Shop) act(v *site.Visit) error {
	name := v.R.PathValue("acte")
	do, ok := acts[name]
	if !ok {
		return site.ErrNotFound
	}
	id := v.R.PathValue("order")
	route, in := do(v)
	_, err := site.Post[struct{}](v, "/v1/orders/"+escape(id)+"/"+route, in)
	if err != nil {
		return s.again(v, err, map[string]string{"/rating": "etoiles", "/text": "texte", "/reason": "raison"})
	}
	return v.Go("/o/"+id, "fait", name)
}

// account says where a refund shall go.
func (s *Shop) account(v *site.Visit) error {
	in := map[string]string{"rib": v.Field("rib")}
	if h := v.Field("titulaire"); h != "" {
		in["holder"] = h
	}
	_, err := site.Post[struct{}](v, "/v1/refunds/"+escape(v.Field("remboursement"))+"/account", in)
	if err != nil {
		return s.again(v, err, map[string]string{"/rib": "rib", "/holder": "titulaire"})
	}
	return v.Go("/o/"+v.R.PathValue("order"), "fait", "rib")
}

// again shows an order with what was wrong, or fails when it is not about what
// was typed.
func (s *Shop) again(v *site.Visit, err error, fields map[string]string) error {
	f, ok := errors.AsType[*site.Fault](err)
	if !ok || f.Status != http.StatusUnprocessableEntity && f.Status != http.StatusConflict {
		return err
	}
	o, failed := readOrder(v)
	if failed != nil {
		return failed
	}
	o.Wrongs, o.Text, o.RIB = v.Wrongs(err, fields), v.Field("texte"), v.Field("rib")
	return v.ShowAs(f.Status, orderPage(o))
}
