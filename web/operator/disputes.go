package operator

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/disputes"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// toRule are the states in which a dispute waits for the operator.
var toRule = []string{string(disputes.Answered), string(disputes.Mediation)}

// disputesPage lists disputes: first those that wait for us, by their deadline.
func disputesPage(v *view) error {
	tabs, chosen := v.tabs("etat", "dispute", "rule", "open", "resolved")
	states := []string{chosen}
	if chosen == "rule" {
		states = toRule
	}
	s := desk.Sheet{Heads: v.Heads("dispute", "reason", "wish", "opened", "deadline", "state")}
	var all []disputes.View
	for _, state := range states {
		found, err := site.Get[rest.Page[disputes.View]](v.Visit, desk.At("/v1/disputes", "state", state, "limit", "50", "cursor", v.Q("suite")))
		if err != nil {
			return err
		}
		all = append(all, found.Data...)
		if chosen != "rule" {
			s.Next = v.Next(found.Next)
		}
	}
	if chosen != "resolved" {
		slices.SortStableFunc(all, func(a, b disputes.View) int { return due(a).Compare(due(b)) })
	}
	for _, d := range all {
		s.Rows = append(s.Rows, []desk.Cell{
			v.link("/op/litiges/"+d.ID, d.ID), desk.Text(v.reason(d.Reason)), desk.Text(v.wish(d.Wish)), v.Time(d.OpenedAt), v.TimeOf(d.Deadline), v.state("dispute", string(d.State)),
		})
	}
	if v.wants() {
		return v.file("litiges", s)
	}
	return v.Blocks(v.T("op.disputes"), desk.Cell{}, nil, desk.Choose(v.T("op.show"), tabs), desk.List(v.Page, s, v.T("op.no_disputes"), v.T("op.see_money"), v.Href("/op/argent")), csvLink(v.Page, v.With("csv", "1")))
}

func due(d disputes.View) time.Time {
	if d.Deadline == nil {
		return time.Time{} // two people are to rule: it comes first
	}
	return *d.Deadline
}

func (v *view) reason(code string) string { return v.word("op.r_", code) }
func (v *view) wish(code string) string   { return v.word("op.w_", code) }

// word is the text of a code; the code itself where it has none.
func (v *view) word(prefix, code string) string {
	if said := v.T(prefix + code); said != prefix+code {
		return said
	}
	return code
}

// A piece is something that was said or shown about an order.
type piece struct {
	When, Text, sender string
	Files              []string
}

// disputePage shows both stories side by side, and the form of the ruling.
func disputePage(v *view) error { return v.dispute(nil, nil) }

func (v *view) dispute(err error, look *disputes.RuleInput) error {
	d, wrong := site.Get[disputes.View](v.Visit, "/v1/disputes/"+v.ID())
	if wrong != nil {
		return wrong
	}
	o, wrong := site.Get[orders.View](v.Visit, "/v1/orders/"+d.Order)
	if wrong != nil {
		return wrong
	}
	said, wrong := v.said(d)
	if wrong != nil {
		return wrong
	}
	blocks := []templ.Component{desk.Facts(v.Page, v.disputeFacts(d, o))}
	if d.Deadline != nil {
		key := "op.due_by"
		if d.State == disputes.Open {
			key = "op.due_reply"
		}
		whole := d.Deadline.Sub(d.OpenedAt)
		over := int(100 * v.Now.Sub(d.OpenedAt) / max(whole, 1))
		blocks = append(blocks, ui.Deadline(v.T(key, "at", v.Moment(*d.Deadline)), min(max(over, 0), 100)))
	}
	side := func(who string) templ.Component {
		mine := slices.DeleteFunc(slices.Clone(said), func(p piece) bool { return p.sender != who })
		if len(mine) == 0 {
			return nil
		}
		return pieces(v.Page, v.T("op.piece"), mine)
	}
	blocks = append(blocks, desk.Columns(true,
		told(v.Page, v.T("op.buyer_says"), v.Moment(d.OpenedAt), join(d.Text), v.T("op.no_words"), side("buyer")),
		told(v.Page, v.T("op.seller_says"), v.When(d.RepliedAt), d.Reply, v.T("op.no_reply"), side("seller"))))
	if r := d.Ruling; r != nil {
		blocks = append(blocks, desk.Headed(v.T("op.ruling"), desk.Facts(v.Page, []desk.Fact{
			{Name: v.T("op.to_buyer"), Value: desk.Sum(r.Refund)}, {Name: v.T("op.to_seller"), Value: desk.Sum(r.Release)}, {Name: v.T("op.reason"), Value: desk.Text(r.Reason)}, {Name: v.T("op.h_at"), Value: v.Time(r.ResolvedAt)},
		})))
	} else {
		blocks = append(blocks, desk.Act(v.Page, v.Typed(err, v.ruling(d, o, look))[0]))
	}
	v.Back = v.Href("/op/litiges")
	v.Title = v.T("op.dispute_title", "reason", v.reason(d.Reason))
	return v.Blocks(v.Title, v.state("dispute", string(d.State)), err, blocks...)
}

func (v *view) disputeFacts(d disputes.View, o orders.View) []desk.Fact {
	seller := v.Say(o.Seller.Names)
	return []desk.Fact{
		{Name: v.T("op.h_order"), Value: v.thing(d.Order)},
		{Name: v.T("op.h_seller"), Value: desk.Cell{Said: &seller, Href: v.Href("/op/entites/" + o.Seller.ID)}},
		{Name: v.T("op.h_total"), Value: desk.Sum(o.Totals.Total)},
		{Name: v.T("op.h_held"), Value: desk.Sum(o.Escrow.Held)},
		{Name: v.T("op.h_wish"), Value: desk.Text(v.wish(d.Wish))},
	}
}

// said are the messages of the order with their files.
func (v *view) said(d disputes.View) (out []piece, err error) {
	all, err := site.Get[rest.Page[orders.MessageView]](v.Visit, desk.At("/v1/orders/"+d.Order+"/messages", "limit", "50"))
	if site.Code(err) == "auth.denied" || site.Code(err) == "orders.not_found" {
		return nil, nil
	}
	for _, m := range all.Data {
		p := piece{When: v.Moment(m.At), Text: m.Text, sender: m.Sender}
		for _, f := range m.Files {
			p.Files = append(p.Files, "/op/litiges/"+d.ID+"/pieces/"+m.ID+"/"+f[strings.LastIndexByte(f, '/')+1:])
		}
		out = append(out, p)
	}
	return out, err
}

// evidence passes a file of a message on.
func evidence(v *view) error {
	return v.HandOn("/v1/messages/" + url.PathEscape(v.R.PathValue("message")) + "/files/" + url.PathEscape(v.R.PathValue("file")))
}

// ruling is the form that shares what is held. look is what it would post.
func (v *view) ruling(d disputes.View, o orders.View, look *disputes.RuleInput) desk.Action {
	held := o.Escrow.Held
	a := desk.Action{
		Name: "rule", Path: v.Path, Label: v.T("op.rule"), Hint: v.T("op.rule_help", "sum", v.Sum(held)), Open: true, Style: "go", Preview: v.T("op.see_legs"), Fields: []ui.Field{
			{Name: "refund", Label: v.T("op.to_buyer"), Mode: "decimal", Required: true, Max: 14, Value: v.Lang.Amount(held.Sub(held))},
			{Name: "release", Label: v.T("op.to_seller"), Mode: "decimal", Required: true, Max: 14, Value: v.Lang.Amount(held)},
			{Name: "reason", Label: v.T("op.reason"), Hint: v.T("op.reason_help"), Area: true, Required: true, Max: 4000},
		},
	}
	if d.Approval != "" || d.State == disputes.Mediation {
		a.Hint += " " + v.T("op.two_rule")
	}
	if look != nil {
		a.Legs = []desk.Leg{{Side: "debit", Account: ledger.Escrow(d.Order), Money: held}}
		if look.Refund.Sign() > 0 {
			a.Legs = append(a.Legs, desk.Leg{Side: "credit", Account: v.T("op.leg_buyer"), Money: look.Refund})
		}
		if look.Release.Sign() > 0 {
			a.Legs = append(a.Legs, desk.Leg{Side: "credit", Account: v.T("op.leg_seller"), Money: look.Release})
		}
	}
	return a
}

// rule shares what is held, or shows what that would post.
func rule(v *view) error {
	in := disputes.RuleInput{Reason: v.Field("reason")}
	var err error
	for to, name := range map[*money.Money]string{&in.Refund: "refund", &in.Release: "release"} {
		m, wrong := v.amount(name)
		if wrong != nil {
			err = wrong
		}
		*to = m
	}
	if err == nil && in.Reason == "" && v.Field("voir") == "" {
		err = desk.WrongField("reason")
	}
	if err == nil && v.Field("voir") != "" {
		if err = v.fits(in); err == nil {
			return v.dispute(nil, &in)
		}
	}
	if err != nil {
		return v.dispute(err, nil)
	}
	d, err := site.Post[disputes.View](v.Visit, "/v1/disputes/"+v.ID()+"/rule", map[string]any{"refund": in.Refund, "release": in.Release, "reason": in.Reason})
	if err != nil {
		return v.dispute(err, nil)
	}
	said := "ruled"
	if d.Approval != "" {
		said = "proposed"
	}
	return v.Go("/op/litiges/"+v.ID(), "fait", said)
}

// fits says whether the two shares are what is held.
func (v *view) fits(in disputes.RuleInput) error {
	d, err := site.Get[disputes.View](v.Visit, "/v1/disputes/"+v.ID())
	if err != nil {
		return err
	}
	o, err := site.Get[orders.View](v.Visit, "/v1/orders/"+d.Order)
	if err == nil && !in.Refund.Add(in.Release).Equal(o.Escrow.Held) {
		f := desk.WrongField("refund").(*site.Fault) //nolint:errorlint // it is one
		f.Code = "escrow.shares"
		return f
	}
	return err
}
