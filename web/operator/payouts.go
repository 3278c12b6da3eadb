package operator

import (
	"strings"

	"github.com/a-h/templ"

	"tiwiza/payments/approvals"
	"tiwiza/payments/ledger"
	"tiwiza/payments/payouts"
	"tiwiza/payments/treasury"
	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// payoutsPage lists payouts with what each waits for, under the switch that
// stops them all.
func payoutsPage(v *view) error { return v.payouts(nil) }

func (v *view) payouts(wrong error) error {
	halt, err := site.Get[treasury.HaltView](v.Visit, "/v1/halt")
	if err != nil {
		return err
	}
	tabs, chosen := v.tabs("etat", "payout", "draft", "sent", "unknown", "paid", "rejected", "returned", "")
	in := []string{"state", chosen, "limit", "50", "cursor", v.Q("suite")}
	if what := v.Q("q"); id.Is(id.Payout, what) {
		return v.Go("/op/argent/" + what)
	} else if sumLike.MatchString(what) {
		in = append(in, "amount", dots(what))
	} else {
		in = append(in, "reference", what)
	}
	found, err := site.Get[rest.Page[payouts.View]](v.Visit, desk.At("/v1/payouts", in...))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("payout", "made", "payee", ">amount", "state", "waits", "reference"), Next: v.Next(found.Next)}
	for _, p := range found.Data {
		s.Rows = append(s.Rows, []desk.Cell{
			v.link("/op/argent/"+p.ID, p.ID), v.Time(p.CreatedAt), v.payee(p), desk.Sum(p.Amount), v.state("payout", string(p.State)), {Lines: v.waits(p)}, desk.Code(p.Ref),
		})
	}
	if v.wants() {
		return v.file("versements", s)
	}
	filters := []ui.Field{{Name: "q", Label: v.T("op.find_payout"), Value: v.Q("q"), Max: 100}}
	return v.Blocks(v.T("op.payouts"), desk.Cell{}, wrong, v.halt(halt, wrong), desk.Choose(v.T("op.show"), tabs), seek(v.Page, filters, [][2]string{{"etat", v.Q("etat")}}, v.With("csv", "1")),
		desk.List(v.Page, s, v.T("op.no_payouts"), v.T("op.see_all"), v.Href("/op/versements", "etat", "tous")))
}

// payee is who is paid: a member by its page.
func (v *view) payee(p payouts.View) desk.Cell {
	if p.Seller != "" {
		return v.thing(p.Seller)
	}
	return desk.Code(p.Beneficiary)
}

// waits are the reasons why a payout has not left, in the page's words.
func (v *view) waits(p payouts.View) []string {
	out := []string{}
	for _, w := range p.Waits {
		s := v.T("op.wait_for_" + strings.ReplaceAll(w.Code, ".", "_"))
		if strings.HasPrefix(s, "op.") {
			s = w.Text
		}
		if w.Until != nil {
			s += v.T("common.colon") + v.Moment(*w.Until)
		}
		out = append(out, s)
	}
	if p.Why != "" {
		out = append(out, v.says(p.Why))
	}
	return out
}

// halt is the switch: one person stops, two let go on.
func (v *view) halt(h treasury.HaltView, wrong error) templ.Component {
	a := desk.Action{Name: "halt", Path: "/op/versements", Label: v.T("op.halt"), Hint: v.T("op.halt_help"), Style: "stop", Hidden: [][2]string{{"on", "1"}}}
	state := desk.Facts(v.Page, []desk.Fact{{Name: v.T("op.payments_out"), Value: desk.Cell{Text: v.T("op.running"), Tone: "ok", State: true}}})
	if h.On {
		a.Label, a.Hint, a.Style, a.Hidden = v.T("op.resume"), v.T("op.resume_help"), "", [][2]string{{"on", "0"}}
		state = desk.Facts(v.Page, []desk.Fact{
			{Name: v.T("op.payments_out"), Value: desk.Cell{Text: v.T("op.halted"), Tone: "bad", State: true}}, {Name: v.T("op.reason"), Value: desk.Text(h.Reason)}, {Name: v.T("op.h_by"), Value: desk.Code(h.By)}, {Name: v.T("op.h_at"), Value: v.TimeOf(h.Since)},
		})
		if h.Approval != "" {
			return desk.Group(state, desk.Para("muted", v.T("op.resume_waits")), desk.Para("", ""), desk.Button(v.T("op.approvals"), v.Href("/op/approbations")))
		}
	}
	a.Fields = []ui.Field{{Name: "halt_reason", Label: v.T("op.reason"), Required: true, Max: 500}}
	return desk.Group(state, desk.Acts(v.Page, v.Typed(wrong, a)))
}

// setHalt turns the switch.
func setHalt(v *view) error {
	h, err := site.Post[treasury.HaltView](v.Visit, "/v1/halt", map[string]any{"on": v.Field("on") == "1", "reason": v.Field("halt_reason")})
	switch {
	case err != nil:
		return v.payouts(err)
	case h.Approval != "":
		return v.Go("/op/versements", "fait", "asked")
	}
	return v.Go("/op/versements", "fait", "halted")
}

// payoutStory shows a payout: why it waits, what it pays, and what the bank said.
func (v *view) payoutStory(name string, wrong error) error {
	p, err := site.Get[payouts.View](v.Visit, "/v1/payouts/"+name)
	if err != nil {
		return err
	}
	var t tale
	t.add(p.CreatedAt, "", v.T("op.made"), "")
	if err := v.asked(&t, p.ID); err != nil {
		return err
	}
	if p.Seller != "" {
		mine := func(x ledger.TransferView) bool { return strings.Contains(x.Key, p.ID) }
		if err := v.books(&t, desk.At("/v1/ledger/transfers", "account", ledger.Available(p.Seller), "limit", "100"), mine); err != nil {
			return err
		}
	}
	var blocks []templ.Component
	for _, w := range p.Waits {
		if w.Code == "second_person" {
			blocks = append(blocks, desk.Act(v.Page, desk.Action{Name: "approve", Path: v.Path, Label: v.T("op.approve_payout"), Hint: v.T("op.four_eyes"), Style: "go", Open: true, Top: true}))
		}
	}
	blocks = append(blocks, desk.Facts(v.Page, []desk.Fact{
		{Name: v.T("op.h_payout"), Value: desk.Code(p.ID)},
		{Name: v.T("op.h_payee"), Value: v.payee(p)},
		{Name: v.T("op.account_end"), Value: desk.Code(p.Account)},
		{Name: v.T("op.h_reference"), Value: desk.Code(p.Ref)},
		{Name: v.T("op.h_made"), Value: v.Time(p.CreatedAt)},
		{Name: v.T("op.h_waits"), Value: desk.Cell{Lines: v.waits(p)}},
	}))
	if len(p.Covers) > 0 {
		s := desk.Sheet{Heads: v.Heads("release", ">amount")}
		for _, c := range p.Covers {
			s.Rows = append(s.Rows, []desk.Cell{desk.Code(c.Release), desk.Sum(c.Amount)})
		}
		blocks = append(blocks, desk.Headed(v.T("op.covers"), desk.Table(v.Page, s)))
	}
	v.Back = v.Href("/op/versements")
	v.Title = v.T("op.payout_of", "sum", v.Sum(p.Amount), "state", v.stateText("payout", string(p.State)))
	return v.Blocks(v.T("op.payout_title", "sum", v.Sum(p.Amount)), v.state("payout", string(p.State)), wrong, append(blocks, v.blocks(&t)...)...)
}

func (v *view) approvePayout() error {
	if _, err := site.Post[payouts.View](v.Visit, "/v1/payouts/"+v.ID()+"/approve", nil); err != nil {
		return v.story(err)
	}
	return v.Go("/op/argent/"+v.ID(), "fait", "approved")
}

// approvalsPage lists what one person asked for and another must decide.
func approvalsPage(v *view) error { return v.approvals(nil) }

func (v *view) approvals(wrong error) error {
	tabs, chosen := v.tabs("etat", "approval", "open", "approved", "refused", "void")
	found, err := site.Get[rest.Page[approvals.View]](v.Visit, desk.At("/v1/approvals", "state", chosen, "limit", "30", "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	blocks := []templ.Component{desk.Choose(v.T("op.show"), tabs)}
	if len(found.Data) == 0 {
		blocks = append(blocks, ui.Empty(v.T("op.no_approvals"), v.T("op.today"), v.Href("/op")))
	}
	for _, r := range found.Data {
		blocks = append(blocks, desk.Headed(v.word("op.a_", strings.ReplaceAll(r.Kind, ".", "_")), v.request(r)))
	}
	if next := v.Next(found.Next); next != "" {
		blocks = append(blocks, desk.Button(v.T("common.more"), next))
	}
	return v.Blocks(v.T("op.approvals"), desk.Cell{}, wrong, blocks...)
}

// request is one request, with what decides it.
func (v *view) request(r approvals.View) templ.Component {
	all := []desk.Fact{{Name: v.T("op.h_subject"), Value: v.thing(r.Subject)}}
	if r.Amount != nil {
		all = append(all, desk.Fact{Name: v.T("op.h_amount"), Value: desk.Sum(*r.Amount)})
	}
	all = append(all, desk.Fact{Name: v.T("op.reason"), Value: desk.Text(v.says(r.Why))})
	if r.Evidence != "" {
		all = append(all, desk.Fact{Name: v.T("op.h_evidence"), Value: desk.Text(r.Evidence)})
	}
	all = append(all, desk.Fact{Name: v.T("op.h_by"), Value: desk.Code(r.AskedBy)}, desk.Fact{Name: v.T("op.h_at"), Value: v.Time(r.AskedAt)}, desk.Fact{Name: v.T("op.hash"), Value: desk.Code(r.Hash[:min(16, len(r.Hash))])})
	if r.State != approvals.Open {
		return desk.Facts(v.Page, append(all, desk.Fact{Name: v.T("op.h_state"), Value: v.state("approval", string(r.State))}, desk.Fact{Name: v.T("op.approved_by"), Value: desk.Cell{Lines: r.By}}))
	}
	return desk.Group(desk.Facts(v.Page, all), decision(v.Page, r.ID))
}

// decide takes in the second person's word.
func decide(v *view) error {
	word, said := v.Field("mot"), "approved"
	if word == "refuse" {
		said = "refused"
	}
	request := v.Field("demande")
	if !id.Is(id.Approval, request) {
		return site.ErrNotFound
	}
	if _, err := site.Post[approvals.View](v.Visit, "/v1/approvals/"+request, map[string]string{"decision": word}); err != nil {
		return v.approvals(err)
	}
	return v.Go("/op/approbations", "fait", said)
}
