package operator

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A tale is everything that is known of one movement of money.
type tale struct {
	events    []event
	transfers []ledger.TransferView
	ops       []operations.WholeView
}

type event struct {
	at              time.Time
	text, who, tone string
}

func (t *tale) add(at time.Time, tone, text, who string) {
	t.events = append(t.events, event{at, text, who, tone})
}

// books adds the transfers about an order.
func (v *view) books(t *tale, path string, mine func(ledger.TransferView) bool) error {
	page, err := site.Get[rest.Page[ledger.TransferView]](v.Visit, path)
	if err != nil {
		return err
	}
	for _, x := range page.Data {
		if mine != nil && !mine(x) || slices.ContainsFunc(t.transfers, func(o ledger.TransferView) bool { return o.ID == x.ID }) {
			continue
		}
		t.transfers = append(t.transfers, x)
		t.add(x.RecordedAt, "ok", v.kind(x.Kind), v.Sum(size(x)))
	}
	return nil
}

// size is how much a transfer moves: what stands on its debit side.
func size(x ledger.TransferView) (m money.Money) {
	for i, l := range x.Legs {
		if l.Side != "debit" {
			continue
		}
		if i == 0 || m.Currency() == "" {
			m = l.Amount
			continue
		}
		m = m.Add(l.Amount)
	}
	return m
}

// kind is the name of a kind of transfer in words; its own where it has none.
func (v *view) kind(kind string) string {
	key := "op.k_" + strings.ReplaceAll(kind, ".", "_")
	if said := v.T(key); said != key {
		return said
	}
	return kind
}

// asked adds what partners were asked about a subject, and what they said.
func (v *view) asked(t *tale, subject string) error {
	page, err := site.Get[rest.Page[operations.View]](v.Visit, desk.At("/v1/operations", "subject", subject))
	if err != nil {
		return err
	}
	for _, o := range page.Data {
		w, err := site.Get[operations.WholeView](v.Visit, "/v1/operations/"+o.ID)
		if err != nil {
			return err
		}
		t.ops = append(t.ops, w)
		t.add(o.CreatedAt, "", v.T("op.asked_partner", "what", v.kind(o.Kind), "partner", o.Partner), "")
		for _, e := range w.Evidence {
			t.add(e.At, map[string]string{"succeeded": "ok", "accepted": "ok", "rejected": "bad", "unknown": "warn"}[e.Outcome],
				v.T("op.said", "who", v.T("op.source_"+string(e.Source)), "what", v.word("op.e_", e.Outcome)), join(e.Code, v.says(e.Said)))
		}
	}
	return nil
}

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " – ")
}

// blocks shows a tale: what happened, newest first, then the books, then what
// partners said.
func (v *view) blocks(t *tale) []templ.Component {
	slices.SortStableFunc(t.events, func(a, b event) int { return b.at.Compare(a.at) })
	line := make([]ui.Event, len(t.events))
	for i, e := range t.events {
		line[i] = ui.Event{At: v.Moment(e.at), Text: e.text, Who: e.who, Tone: e.tone}
	}
	out := []templ.Component{desk.Headed(v.T("op.timeline"), ui.Timeline(v.Page, line))}
	slices.SortFunc(t.transfers, func(a, b ledger.TransferView) int { return cmp.Compare(b.ID, a.ID) })
	books := desk.Sheet{Heads: v.Heads("entered", "movement", "account", ">debit", ">credit")}
	for _, x := range t.transfers {
		for i, l := range x.Legs {
			row := []desk.Cell{desk.Text(""), desk.Text(""), desk.Code(l.Account), desk.Text(""), desk.Text("")}
			if i == 0 {
				row[0], row[1] = v.Time(x.RecordedAt), desk.Text(v.kind(x.Kind), x.Note)
			}
			row[3+map[string]int{"debit": 0, "credit": 1}[l.Side]] = desk.Sum(l.Amount)
			books.Rows = append(books.Rows, row)
		}
	}
	if len(books.Rows) > 0 {
		out = append(out, desk.Headed(v.T("op.books"), desk.Table(v.Page, books)))
	}
	ops := desk.Sheet{Heads: v.Heads("operation", "partner", "reference", "state", "evidence")}
	for _, o := range t.ops {
		said := desk.Cell{Lines: []string{}}
		for _, e := range o.Evidence {
			said.Lines = append(said.Lines, join(v.T("op.source_"+string(e.Source)), v.word("op.e_", e.Outcome), e.Code, v.says(e.Said), v.Moment(e.At)))
		}
		if len(said.Lines) == 0 && o.Why != "" {
			said.Lines = append(said.Lines, v.says(o.Why))
		}
		ops.Rows = append(ops.Rows, []desk.Cell{desk.Text(v.kind(o.Kind), o.ID), desk.Text(o.Partner), desk.Code(o.Ref), v.state("op", string(o.State)), said})
	}
	if len(ops.Rows) > 0 {
		out = append(out, desk.Headed(v.T("op.evidence"), desk.Table(v.Page, ops)))
	}
	return out
}

func (v *view) chargeStory(name string, wrong error) error {
	c, err := site.Get[charges.View](v.Visit, "/v1/charges/"+name)
	if err != nil {
		return err
	}
	found, err := site.Get[rest.Page[charges.Brief]](v.Visit, desk.At("/v1/charges", "order", c.Group))
	if err != nil || len(found.Data) == 0 {
		return cmp.Or(err, error(site.ErrNotFound))
	}
	b := found.Data[0]
	var t tale
	t.add(b.CreatedAt, "", v.T("op.made"), b.Buyer)
	if err := v.asked(&t, c.ID); err != nil {
		return err
	}
	parts := desk.Sheet{Heads: v.Heads("order", "seller", ">held", ">released", ">refunded", "state")}
	var all []orders.View
	for _, o := range c.Orders {
		for _, by := range [][2]string{{"account", ledger.Escrow(o)}, {"order", o}} {
			if err := v.books(&t, desk.At("/v1/ledger/transfers", by[0], by[1], "limit", "50"), nil); err != nil {
				return err
			}
		}
		x, err := site.Get[orders.View](v.Visit, "/v1/orders/"+o)
		if err != nil {
			return err
		}
		all = append(all, x)
		seller := v.Say(x.Seller.Names)
		row := []desk.Cell{desk.Code(o), {Said: &seller, Href: v.Href("/op/entites/" + x.Seller.ID)}, desk.Sum(x.Escrow.Held), desk.Sum(x.Escrow.Released), desk.Sum(x.Escrow.Refunded), v.state("escrow", string(x.Escrow.State))}
		if x.Case != nil && id.Is(id.Dispute, x.Case.ID) {
			row[5].Lines = []string{v.T("op.disputed")}
			row[0] = desk.Cell{Text: o, Code: true, Href: v.Href("/op/litiges/" + x.Case.ID)}
		}
		parts.Rows = append(parts.Rows, row)
	}
	for _, r := range c.Refunds {
		if err := v.asked(&t, r.ID); err != nil {
			return err
		}
	}
	blocks := []templ.Component{
		desk.Acts(v.Page, v.Typed(wrong, v.onOrders(all)...)),
		desk.Facts(v.Page, v.chargeFacts(c, b)),
		desk.Headed(v.T("op.orders"), desk.Table(v.Page, parts)),
	}
	if len(c.Refunds) > 0 {
		back := desk.Sheet{Heads: v.Heads("refund", ">amount", "state")}
		for _, r := range c.Refunds {
			back.Rows = append(back.Rows, []desk.Cell{desk.Code(r.ID), desk.Sum(r.Amount), v.state("refund", string(r.State))})
		}
		blocks = append(blocks, desk.Headed(v.T("op.refunds"), desk.Table(v.Page, back)))
	}
	v.Title = v.T("op.payment_of", "sum", v.Sum(c.Amount), "state", v.stateText("charge", string(c.State)))
	v.Back = v.Href("/op/argent")
	return v.Blocks(v.T("op.payment_title", "sum", v.Sum(c.Amount)), v.state("charge", string(c.State)), wrong, append(blocks, v.blocks(&t)...)...)
}

func (v *view) chargeFacts(c charges.View, b charges.Brief) []desk.Fact {
	settled := v.T("op.not_settled")
	if c.Settled {
		settled = v.T("op.settled")
	}
	return []desk.Fact{
		{Name: v.T("op.h_payment"), Value: desk.Code(c.ID)},
		{Name: v.T("op.h_buyer"), Value: desk.Text(join(b.Buyer, b.Phone))},
		{Name: v.T("op.h_channel"), Value: desk.Text(join(v.word("op.method_", c.Method), b.Partner))},
		{Name: v.T("op.h_reference"), Value: desk.Code(b.Ref)},
		{Name: v.T("op.h_made"), Value: v.Time(b.CreatedAt)},
		{Name: v.T("op.h_bank"), Value: desk.Text(settled)},
	}
}

// onOrders are what may be done about the orders of a payment: give back, or let
// go, what is held.
func (v *view) onOrders(all []orders.View) []desk.Action {
	var some []ui.Option
	for _, o := range all {
		if o.Escrow.Held.Sign() > 0 {
			some = append(some, ui.Option{Value: o.ID, Text: o.ID + " – " + v.Sum(o.Escrow.Held)})
		}
	}
	if len(some) == 0 {
		return nil
	}
	form := func(name, label, hint, style string) desk.Action {
		return desk.Action{
			Name: name, Path: v.Path, Label: label, Hint: hint, Style: style, Fields: []ui.Field{
				{Name: name + "_order", Label: v.T("op.h_order"), Options: some, Required: true},
				{Name: name + "_amount", Label: v.T("op.h_amount"), Mode: "decimal", Required: true, Max: 14},
				{Name: name + "_reason", Label: v.T("op.reason"), Area: true, Required: true, Max: 500},
			},
		}
	}
	return []desk.Action{
		form("refund", v.T("op.refund"), v.T("op.refund_help"), "stop"),
		form("release", v.T("op.release"), v.T("op.release_help"), ""),
	}
}

// act does what was asked for on a story's page, and shows the story again.
func act(v *view) error {
	if id.Is(id.Payout, v.R.PathValue("id")) {
		return v.approvePayout()
	}
	what := v.Field("quoi")
	if what != "refund" && what != "release" {
		return site.ErrNotFound
	}
	order := v.Field(what + "_order")
	m, err := v.amount(what + "_amount")
	if err == nil && !id.Is(id.Order, order) {
		err = desk.WrongField(what + "_order")
	}
	if err != nil {
		return v.story(err)
	}
	body := map[string]any{"amount": m, "reason": v.Field(what + "_reason")}
	var waits string
	if what == "refund" {
		r, wrong := site.Post[charges.RefundView](v.Visit, "/v1/orders/"+order+"/refunds", body)
		err, waits = wrong, r.Approval
	} else {
		o, wrong := site.Get[orders.View](v.Visit, "/v1/orders/"+order)
		if err = wrong; err == nil {
			var e struct{ Approval string }
			e, err = site.Post[struct{ Approval string }](v.Visit, "/v1/escrows/"+o.Escrow.ID+"/release", body)
			waits = e.Approval
		}
	}
	if err != nil {
		return v.story(err)
	}
	said := map[string]string{"refund": "refunded", "release": "released"}[what]
	if waits != "" {
		said = "waits"
	}
	return v.Go("/op/argent/"+v.ID(), "fait", said)
}
