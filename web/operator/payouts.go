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
	in := []string{"state", chosen, "limit", "50", "cursor", v.q("suite")}
	if what := v.q("q"); id.Is(id.Payout, what) {
		return v.Go("/op/argent/" + what)
	} else if sumLike.MatchString(what) {
		in = append(in, "amount", dots(what))
	} else {
		in = append(in, "reference", what)
	}
	found, err := site.Get[rest.Page[payouts.View]](v.Visit, at("/v1/payouts", in...))
	if err != nil {
		return err
	}
	s := sheet{Heads: v.heads("payout", "made", "payee", ">amount", "state", "waits", "reference"), Next: v.next(found.Next)}
	for _, p := range found.Data {
		s.Rows = append(s.Rows, []cell{
			v.link("/op/argent/"+p.ID, p.ID), text(v.moment(p.CreatedAt)), v.payee(p), sum(p.Amount), v.state("payout", string(p.State)), {Lines: v.waits(p)}, code(p.Ref),
		})
	}
	if v.wants() {
		return v.file("versements", s)
	}
	filters := []ui.Field{{Name: "q", Label: v.T("op.find_payout"), Value: v.q("q"), Max: 100}}
	return v.show(v.T("op.payouts"), cell{}, wrong, v.halt(halt, wrong), choose(v.Page, tabs), seek(v.Page, filters, [][2]string{{"etat", v.q("etat")}}, v.with("csv", "1")),
		list(v.Page, s, v.T("op.no_payouts"), v.T("op.see_all"), v.Href("/op/versements", "etat", "tous")))
}

// payee is who is paid: a member by its page.
func (v *view) payee(p payouts.View) cell {
	if p.Seller != "" {
		return v.thing(p.Seller)
	}
	return code(p.Beneficiary)
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
			s += v.T("common.colon") + v.moment(*w.Until)
		}
		out = append(out, s)
	}
	if p.Why != "" {
		out = append(out, p.Why)
	}
	return out
}

// halt is the switch: one person stops, two let go on.
func (v *view) halt(h treasury.HaltView, wrong error) templ.Component {
	a := action{Name: "halt", Path: "/op/versements", Label: v.T("op.halt"), Hint: v.T("op.halt_help"), Style: "stop", Hidden: [][2]string{{"on", "1"}}}
	state := facts(v.Page, []fact{{v.T("op.payments_out"), cell{Text: v.T("op.running"), Tone: "ok", State: true}}})
	if h.On {
		a.Label, a.Hint, a.Style, a.Hidden = v.T("op.resume"), v.T("op.resume_help"), "", [][2]string{{"on", "0"}}
		state = facts(v.Page, []fact{
			{v.T("op.payments_out"), cell{Text: v.T("op.halted"), Tone: "bad", State: true}}, {v.T("op.reason"), text(h.Reason)}, {v.T("op.h_by"), code(h.By)}, {v.T("op.h_at"), text(v.when(h.Since))},
		})
		if h.Approval != "" {
			return group(state, para("muted", v.T("op.resume_waits")), para("", ""), linkTo(v.Href("/op/approbations"), v.T("op.approvals")))
		}
	}
	a.Fields = []ui.Field{{Name: "halt_reason", Label: v.T("op.reason"), Required: true, Max: 500}}
	return group(state, acts(v.Page, v.typed(wrong, a)))
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
		if err := v.books(&t, at("/v1/ledger/transfers", "account", ledger.Available(p.Seller), "limit", "100"), mine); err != nil {
			return err
		}
	}
	var blocks []templ.Component
	for _, w := range p.Waits {
		if w.Code == "second_person" {
			blocks = append(blocks, act1(v.Page, action{Name: "approve", Path: v.Path, Label: v.T("op.approve_payout"), Hint: v.T("op.four_eyes"), Style: "go", Open: true, Top: true}))
		}
	}
	blocks = append(blocks, facts(v.Page, []fact{
		{v.T("op.h_payout"), code(p.ID)},
		{v.T("op.h_payee"), v.payee(p)},
		{v.T("op.account_end"), code(p.Account)},
		{v.T("op.h_reference"), code(p.Ref)},
		{v.T("op.h_made"), text(v.moment(p.CreatedAt))},
		{v.T("op.h_waits"), cell{Lines: v.waits(p)}},
	}))
	if len(p.Covers) > 0 {
		s := sheet{Heads: v.heads("release", ">amount")}
		for _, c := range p.Covers {
			s.Rows = append(s.Rows, []cell{code(c.Release), sum(c.Amount)})
		}
		blocks = append(blocks, headed(v.T("op.covers"), table(v.Page, s)))
	}
	v.Back = v.Href("/op/versements")
	v.Title = v.T("op.payout_of", "sum", v.Sum(p.Amount), "state", v.stateText("payout", string(p.State)))
	return v.show(v.T("op.payout_title", "sum", v.Sum(p.Amount)), v.state("payout", string(p.State)), wrong, append(blocks, v.blocks(&t)...)...)
}

func (v *view) approvePayout() error {
	if _, err := site.Post[payouts.View](v.Visit, "/v1/payouts/"+v.id()+"/approve", nil); err != nil {
		return v.story(err)
	}
	return v.Go("/op/argent/"+v.id(), "fait", "approved")
}

// approvalsPage lists what one person asked for and another must decide.
func approvalsPage(v *view) error { return v.approvals(nil) }

func (v *view) approvals(wrong error) error {
	tabs, chosen := v.tabs("etat", "approval", "open", "approved", "refused", "void")
	found, err := site.Get[rest.Page[approvals.View]](v.Visit, at("/v1/approvals", "state", chosen, "limit", "30", "cursor", v.q("suite")))
	if err != nil {
		return err
	}
	blocks := []templ.Component{choose(v.Page, tabs)}
	if len(found.Data) == 0 {
		blocks = append(blocks, ui.Empty(v.T("op.no_approvals"), v.T("op.today"), v.Href("/op")))
	}
	for _, r := range found.Data {
		blocks = append(blocks, headed(v.word("op.a_", strings.ReplaceAll(r.Kind, ".", "_")), v.request(r)))
	}
	if next := v.next(found.Next); next != "" {
		blocks = append(blocks, linkTo(next, v.T("common.more")))
	}
	return v.show(v.T("op.approvals"), cell{}, wrong, blocks...)
}

// request is one request, with what decides it.
func (v *view) request(r approvals.View) templ.Component {
	all := []fact{{v.T("op.h_subject"), v.thing(r.Subject)}}
	if r.Amount != nil {
		all = append(all, fact{v.T("op.h_amount"), sum(*r.Amount)})
	}
	all = append(all, fact{v.T("op.reason"), text(r.Why)})
	if r.Evidence != "" {
		all = append(all, fact{v.T("op.h_evidence"), text(r.Evidence)})
	}
	all = append(all, fact{v.T("op.h_by"), code(r.AskedBy)}, fact{v.T("op.h_at"), text(v.moment(r.AskedAt))}, fact{v.T("op.hash"), code(r.Hash[:min(16, len(r.Hash))])})
	if r.State != approvals.Open {
		return facts(v.Page, append(all, fact{v.T("op.h_state"), v.state("approval", string(r.State))}, fact{v.T("op.approved_by"), cell{Lines: r.By}}))
	}
	return group(facts(v.Page, all), decision(v.Page, r.ID))
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
