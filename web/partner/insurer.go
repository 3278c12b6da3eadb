package partner

import (
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"tiwiza/marketplace/policies"
	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/services"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// insurerHouse is what the desk shows insurers.
var insurerHouse = house{
	menu: "partner.claims", inbox: claims, file: insuredFile, act: answerClaim, paper: evidence, products: covers, product: cover, publish: proposeCover, contracts: policiesPage, waiting: openClaims,
}

const insuring = "/v1/insurance"

// mostWaiting is how far the claims that wait are counted.
const mostWaiting = 50

// openClaims is how many claims wait for the insurer.
func openClaims(v *view) (int, error) {
	all, err := site.Get[rest.Page[policies.ClaimView]](v.Visit, desk.At(insuring+"/claims", "state", "open", "limit", "50"))
	return min(len(all.Data), mostWaiting), err
}

// covered is a state of an insurance as a word, a shape and a colour.
func (v *view) covered(kind, state string) desk.Cell {
	return desk.Cell{Text: v.T("insure." + kind + "_" + state), Tone: services.Tone(kind, state), State: true}
}

// stateTabs are the states of a list to choose from; the first is what is shown when
// the address names none.
func (v *view) stateTabs(kind string, states ...string) (all []desk.Tab, chosen string) {
	if chosen = v.Q("etat"); chosen == "" {
		chosen = states[0]
	}
	for _, s := range states {
		label := v.T("insure." + kind + "_" + s)
		switch s {
		case "open":
			label = v.T("partner.open")
		case "tous":
			label = v.T("partner.all")
		}
		all = append(all, desk.Tab{Text: label, Href: v.With("etat", s), Here: s == chosen})
	}
	if chosen == "tous" {
		return all, ""
	}
	return all, chosen
}

// claims lists what members declare: first what waits.
func claims(v *view) error {
	tabs, chosen := v.stateTabs("claim", "open", "notified", "review", "accepted", "paid", "rejected", "tous")
	all, err := site.Get[rest.Page[policies.ClaimView]](v.Visit, desk.At(insuring+"/claims", "state", chosen, "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("member", "reason", ">amount", "answer_by", "state"), Next: v.Next(all.Next)}
	for _, c := range all.Data {
		who := desk.Code(c.Member)
		what := desk.Text(v.T("insure.type_" + c.Type))
		if u := c.Under; u != nil {
			who, what.Lines = v.Named(u.MemberName), []string{v.Say(u.ProductName).Text}
		}
		who.Href = v.Href("/b/d/" + c.ID)
		s.Rows = append(s.Rows, []desk.Cell{who, what, desk.Sum(c.Amount), v.Time(c.AnswerBy), v.covered("claim", string(c.State))})
	}
	return v.Blocks(v.T("partner.claims"), desk.Cell{}, nil, desk.Choose(v.T("partner.h_state"), tabs),
		desk.List(v.Page, s, v.T("partner.no_claims"), v.T("partner.contracts"), v.Href("/b/contrats")))
}

// insuredFile shows a claim, or a policy.
func insuredFile(v *view) error {
	switch thing := v.R.PathValue("id"); {
	case id.Is(id.Claim, thing):
		return v.claim(nil)
	case id.Is(id.Policy, thing):
		return v.policy()
	}
	return site.ErrNotFound
}

func (v *view) claim(wrong error) error {
	c, err := site.Get[policies.ClaimView](v.Visit, insuring+"/claims/"+v.ID())
	if err != nil {
		return err
	}
	under := policies.UnderView{}
	if c.Under != nil {
		under = *c.Under
	}
	known := []desk.Fact{
		{Name: v.T("partner.h_reason"), Value: desk.Text(v.T("insure.type_" + c.Type))},
		{Name: v.T("partner.h_amount"), Value: desk.Sum(c.Amount)},
		{Name: v.T("partner.happened"), Value: desk.Text(v.Lang.Date(c.EventAt))},
		{Name: v.T("partner.h_since"), Value: v.Time(c.MadeAt)},
		{Name: v.T("partner.contract"), Value: desk.Cell{Text: c.Policy, Href: v.Href("/b/d/" + c.Policy), Code: true, Lines: []string{v.Say(under.ProductName).Text, under.Number}}},
		{Name: v.T("insure.insured"), Value: desk.Sum(under.Sum)},
		{Name: v.T("partner.h_number"), Value: desk.Code(c.ID)},
	}
	if c.Accepted != nil {
		known = append(known, desk.Fact{Name: v.T("insure.claim_accepted"), Value: desk.Sum(*c.Accepted)})
	}
	switch {
	case c.Transfer != "":
		known = append(known, desk.Fact{Name: v.T("partner.transfer"), Value: desk.Code(c.Transfer)})
	case c.SetOff:
		known = append(known, desk.Fact{Name: v.T("partner.transfer"), Value: desk.Text(v.T("partner.set_off"))})
	}
	if c.Reason != "" {
		known = append(known, desk.Fact{Name: v.T("partner.reason"), Value: desk.Text(c.Reason)})
	}
	blocks := []templ.Component{desk.Facts(v.Page, known)}
	waits := c.State == "notified" || c.State == "review"
	if waits {
		over := int(100 * v.Now.Sub(c.MadeAt) / max(c.AnswerBy.Sub(c.MadeAt), 1))
		blocks = append(blocks, ui.Deadline(v.T("partner.due", "at", v.Moment(c.AnswerBy)), min(max(over, 0), 100)))
	}
	blocks = append(blocks, desk.Headed(v.T("partner.member_says"), desk.Words(c.Description)))
	papers := desk.Sheet{Heads: v.Heads("paper", "added", "digest")}
	for _, e := range c.Evidence {
		papers.Rows = append(papers.Rows, []desk.Cell{
			{Text: services.Word(v.Lang, "insure.paper_", e.Kind), Href: v.Href("/b/d/" + c.ID + "/p/" + e.File)}, v.Time(e.AddedAt), {Text: e.SHA256[:min(16, len(e.SHA256))], Code: true},
		})
	}
	evidence := []templ.Component{desk.List(v.Page, papers, v.T("partner.no_evidence"), "", "")}
	if len(c.Asks) > 0 {
		evidence = append(evidence, desk.Para("", v.T("partner.asked_for", "what", v.paperNames(c.Asks))))
	}
	if len(under.Papers) > 0 {
		evidence = append(evidence, desk.Para("muted small", v.T("partner.product_needs", "what", v.paperNames(under.Papers))))
	}
	var doing templ.Component = desk.Group()
	if all := v.decisions(c); len(all) > 0 {
		doing = desk.Acts(v.Page, v.Typed(wrong, all...))
	}
	blocks = append(blocks, desk.Columns(false, doing, desk.Headed(v.T("partner.evidence"), evidence...)))
	v.Back = v.Href("/b")
	who := v.Say(under.MemberName).Text
	if who == "" {
		who = c.Member
	}
	v.Title = v.T("partner.claim_of", "who", who)
	return v.Blocks(who, v.covered("claim", string(c.State)), wrong, blocks...)
}

func (v *view) paperNames(all []string) string {
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = services.Word(v.Lang, "insure.paper_", p)
	}
	return strings.Join(out, v.T("common.comma"))
}

// decisions are the forms of what the insurer may say of a claim now.
func (v *view) decisions(c policies.ClaimView) []desk.Action {
	form := func(name, style string, open bool, fields ...ui.Field) desk.Action {
		return desk.Action{Name: name, Path: v.Path, Label: v.T("partner.do_" + name), Hint: v.hint(name), Style: style, Open: open, Top: true, Fields: fields}
	}
	transfer := ui.Field{Name: "accept_transfer_ref", Label: v.T("partner.transfer"), Hint: v.T("partner.transfer_help"), Max: 64, Complete: "off"}
	accept := form("accept", "go", true, ui.Field{Name: "accept_amount", Label: v.T("partner.accepted_amount"), Mode: "decimal", Required: true, Max: 14, Value: v.Lang.Amount(c.Amount)}, transfer)
	accept.Tick, accept.Checks = v.T("partner.or_set_off"), []desk.Check{{Name: "set_off", Value: "1", Text: v.T("partner.set_off")}}
	ask := form("need", "", false, ui.Field{Name: "need_asks", Label: v.T("partner.need_papers"), Hint: v.T("partner.one_a_line"), Area: true, Required: true, Max: 1000})
	reject := form("reject", "stop", false, ui.Field{Name: "reject_reason", Label: v.T("partner.reason"), Hint: v.T("partner.member_reads"), Area: true, Required: true, Max: 500})
	switch c.State {
	case "notified":
		return []desk.Action{accept, ask, reject}
	case "review":
		return []desk.Action{accept, ask, reject}
	case "rejected":
		accept.Open = false
		return []desk.Action{accept, ask}
	case "accepted":
		named := form("name", "go", true, ui.Field{Name: "name_transfer_ref", Label: v.T("partner.transfer"), Hint: v.T("partner.transfer_help"), Max: 64, Required: true, Complete: "off", Value: c.Transfer})
		return []desk.Action{named}
	}
	return nil
}

// answered are what the forms of a claim do, and what the page then says.
var answered = map[string]string{"accept": "accepted", "need": "asked", "reject": "rejected", "name": "named"}

// answerClaim says what the insurer says of a claim.
func answerClaim(v *view) error {
	if !id.Is(id.Claim, v.R.PathValue("id")) {
		return site.ErrNotFound
	}
	move := v.Field("quoi")
	said, ok := answered[move]
	if !ok {
		return site.ErrNotFound
	}
	in, err := v.answerTo(move)
	if err == nil {
		_, err = site.Post[struct{}](v.Visit, insuring+"/claims/"+v.ID()+"/answer", in)
	}
	if err != nil {
		return v.claim(err)
	}
	return v.Go("/b/d/"+v.ID(), "fait", said)
}

func (v *view) answerTo(move string) (map[string]any, error) {
	switch move {
	case "need":
		return map[string]any{"state": "review", "asks": lines(v.Field("need_asks"))}, nil
	case "reject":
		return map[string]any{"state": "rejected", "reason": v.Field("reject_reason")}, nil
	case "name":
		c, err := site.Get[policies.ClaimView](v.Visit, insuring+"/claims/"+v.ID())
		return map[string]any{"state": "accepted", "amount": c.Accepted, "transfer_ref": v.Field("name_transfer_ref")}, err
	}
	m, err := v.Dirhams("accept_amount")
	in := map[string]any{"state": "accepted", "amount": m}
	if s := v.Field("accept_transfer_ref"); s != "" {
		in["transfer_ref"] = s
	}
	if v.Field("set_off") == "1" {
		in["set_off"] = true
	}
	return in, err
}

// lines are what was typed, a thing a line.
func lines(s string) []string {
	out := []string{}
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// evidence hands a paper of a claim on.
func evidence(v *view) error {
	if !id.Is(id.Claim, v.R.PathValue("id")) {
		return site.ErrNotFound
	}
	return v.HandOn(insuring + "/claims/" + v.ID() + "/evidence/" + url.PathEscape(v.R.PathValue("item")))
}

// policiesPage lists the policies that run, and those that did.
func policiesPage(v *view) error {
	tabs, chosen := v.stateTabs("policy", "active", "pending", "claimed", "lapsed", "cancelled", "expired", "refused", "tous")
	all, err := site.Get[rest.Page[policies.PolicyView]](v.Visit, desk.At(insuring+"/policies", "state", chosen, "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("member", "product", ">insured", ">premium", "until", "state"), Next: v.Next(all.Next)}
	for _, p := range all.Data {
		who := v.Named(p.MemberName)
		who.Href = v.Href("/b/d/" + p.ID)
		who.Lines = []string{p.Number}
		premium := desk.Sum(p.Premium)
		premium.Lines = []string{v.T("insure.period_" + p.Period)}
		s.Rows = append(s.Rows, []desk.Cell{who, v.Named(p.ProductName), desk.Sum(p.Sum), premium, desk.Text(v.Lang.Date(p.Ends)), v.covered("policy", string(p.State))})
	}
	return v.Blocks(v.T("partner.contracts"), desk.Cell{}, nil, desk.Choose(v.T("partner.h_state"), tabs), desk.List(v.Page, s, v.T("partner.no_contracts"), v.T("partner.see_products"), v.Href("/b/produits")))
}

// policy shows one policy with its premiums and its claims.
func (v *view) policy() error {
	p, err := site.Get[policies.PolicyView](v.Visit, insuring+"/policies/"+v.ID())
	if err != nil {
		return err
	}
	claimed, err := site.Get[rest.Page[policies.ClaimView]](v.Visit, desk.At(insuring+"/claims", "policy", p.ID))
	if err != nil {
		return err
	}
	known := []desk.Fact{
		{Name: v.T("partner.h_product"), Value: v.Named(p.ProductName)},
		{Name: v.T("partner.h_number"), Value: desk.Cell{Text: p.Number, Code: true, Lines: []string{p.ID}}},
		{Name: v.T("insure.insured"), Value: desk.Sum(p.Sum)},
		{Name: v.T("insure.premium"), Value: desk.Cell{Money: &p.Premium, Lines: []string{v.T("insure.period_" + p.Period)}}},
		{Name: v.T("insure.from"), Value: desk.Text(v.Lang.Date(p.Starts))},
		{Name: v.T("insure.to"), Value: desk.Text(v.Lang.Date(p.Ends))},
		{Name: v.T("partner.agreed"), Value: desk.Text(v.Moment(p.Consent.At), p.Consent.TextHash)},
	}
	if p.Why != "" {
		known = append(known, desk.Fact{Name: v.T("partner.reason"), Value: desk.Text(p.Why)})
	}
	if p.Refund != nil {
		known = append(known, desk.Fact{Name: v.T("partner.refund"), Value: desk.Sum(*p.Refund)})
	}
	paid := desk.Sheet{Heads: v.Heads("since", "period", ">amount", "state")}
	for _, x := range p.Premiums {
		row := []desk.Cell{v.Time(x.TakenAt), desk.Code(x.Period), desk.Sum(x.Amount), desk.Text(v.T("insure.premium_" + string(x.State)))}
		if x.Period == "first" {
			row[1] = desk.Text(v.T("partner.first_period"))
		}
		paid.Rows = append(paid.Rows, row)
	}
	s := desk.Sheet{Heads: v.Heads("reason", ">amount", "state")}
	for _, c := range claimed.Data {
		s.Rows = append(s.Rows, []desk.Cell{{Text: v.T("insure.type_"+c.Type) + v.T("common.comma") + v.Lang.Date(c.EventAt), Href: v.Href("/b/d/" + c.ID)}, desk.Sum(c.Amount), v.covered("claim", string(c.State))})
	}
	v.Back = v.Href("/b/contrats")
	who := v.Say(p.MemberName).Text
	v.Title = v.T("partner.policy_of", "who", who)
	return v.Blocks(who, v.covered("policy", string(p.State)), nil, desk.Facts(v.Page, known), desk.Headed(v.T("insure.paid"), desk.List(v.Page, paid, v.T("partner.no_contracts"), "", "")),
		desk.Headed(v.T("partner.claims"), desk.List(v.Page, s, v.T("partner.no_claims_here"), "", "")))
}
