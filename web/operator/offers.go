package operator

import (
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"tiwiza/marketplace/finance"
	"tiwiza/marketplace/policies"
	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/services"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

const (
	insuring     = "/v1/insurance"
	bankProducts = "/v1/finance/products"
)

// offersPage lists what insurers and banks want to be shown to members, and what is.
func offersPage(v *view) error {
	tabs := []desk.Tab{}
	chosen := v.Q("etat")
	for _, s := range []string{"", "approved", "withdrawn"} {
		tabs = append(tabs, desk.Tab{Text: v.T("op.offers_" + map[string]string{"": "waiting", "approved": "shown", "withdrawn": "gone"}[s]), Href: v.Href(v.Path, "etat", s), Here: chosen == s})
	}
	state, edition := "offered", "submitted"
	switch chosen {
	case "approved":
		state, edition = chosen, "published"
	case "withdrawn":
		state, edition = chosen, chosen
	}
	insured, err := site.Get[rest.Page[policies.ProductView]](v.Visit, desk.At(insuring+"/products", "state", state, "limit", "50", "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("product", "kind", "insurer", "version", "at"), Next: v.Next(insured.Next)}
	for _, p := range insured.Data {
		name := v.Named(p.Names)
		name.Href = v.Href("/op/offres/" + p.ID)
		s.Rows = append(s.Rows, []desk.Cell{name, desk.Text(v.T("insure.line_" + string(p.Line))), desk.Text(v.Say(p.InsurerName).Text, p.Insurer), desk.Text(v.Lang.Number(int64(p.Number))), v.Time(p.MadeAt)})
	}
	lent, err := site.Get[rest.Page[finance.EditionView]](v.Visit, desk.At(bankProducts, "state", edition, "limit", "50"))
	if err != nil {
		return err
	}
	b := desk.Sheet{Heads: v.Heads("product", "kind", "bank", "version", "at")}
	for _, e := range lent.Data {
		name := v.Named(e.Names)
		name.Href = v.Href("/op/offres/" + e.Product)
		b.Rows = append(b.Rows, []desk.Cell{name, desk.Text(v.T("finance.kind_" + string(e.Kind))), v.Named(e.Bank.Names), desk.Text(v.Lang.Number(int64(e.Version))), v.Time(e.MadeAt)})
	}
	return v.Blocks(v.T("op.offers"), desk.Cell{}, nil, desk.Choose(v.T("op.show"), tabs),
		desk.Headed(v.T("op.of_insurers"), desk.List(v.Page, s, v.T("op.no_offers"), "", "")), desk.Headed(v.T("op.of_banks"), desk.List(v.Page, b, v.T("op.no_offers"), "", "")))
}

// offerPage shows one product as members would see it, and decides on it.
func offerPage(v *view) error { return v.offer(nil) }

func (v *view) offer(wrong error) error {
	v.Back = v.Href("/op/offres")
	switch thing := v.R.PathValue("id"); {
	case id.Is(id.InsuranceProduct, thing):
		return v.insuranceOffer(wrong)
	case id.Is(id.Product, thing):
		return v.bankOffer(wrong)
	}
	return site.ErrNotFound
}

// languages are those in which members read an offer.
var languages = []ui.Lang{ui.French, ui.Arabic, ui.English}

// cards are an offer's cards in each language.
func (v *view) cards(card func(l ui.Lang) ui.OfferCard) templ.Component {
	shown := ui.French
	if l, ok := ui.ParseLang(v.Q("carte")); ok && slices.Contains(languages, l) {
		shown = l
	}
	var tabs []desk.Tab
	for _, l := range languages {
		tabs = append(tabs, desk.Tab{Text: v.T("partner.lang_" + string(l)), Href: v.With("carte", string(l)), Here: l == shown})
	}
	p := *v.Page
	p.Lang = shown
	return desk.Headed(v.T("partner.card"), desk.Choose(v.T("partner.card"), tabs), desk.Phone(ui.OfferCardOf(&p, card(shown))))
}

// offerForm is a form that decides on an offer.
func (v *view) offerForm(name, style string, open bool, hidden [][2]string, fields ...ui.Field) desk.Action {
	return desk.Action{Name: name, Path: v.Path, Label: v.T("op.offer_" + name), Hint: v.T("op.offer_" + name + "_help"), Style: style, Open: open, Top: true, Hidden: hidden, Fields: fields}
}

// why is the field in which a decision is explained.
func (v *view) why(form string, required bool) ui.Field {
	return ui.Field{Name: form + "_note", Label: v.T("op.reason"), Hint: v.T("op.partner_reads"), Area: true, Required: required, Max: 500}
}

func (v *view) insuranceOffer(wrong error) error {
	p, err := site.Get[policies.ProductView](v.Visit, insuring+"/products/"+v.ID())
	if err != nil {
		return err
	}
	known := []desk.Fact{
		{Name: v.T("op.h_insurer"), Value: desk.Text(v.Say(p.InsurerName).Text, p.Insurer)},
		{Name: v.T("op.h_id"), Value: desk.Code(p.ID)},
		{Name: v.T("op.h_version"), Value: desk.Text(v.Lang.Number(int64(p.Number)), p.Code)},
		{Name: v.T("op.h_by"), Value: desk.Text(v.T("op.from_" + p.Source))},
		{Name: v.T("op.h_at"), Value: v.Time(p.MadeAt)},
		{Name: v.T("op.h_commission"), Value: desk.Text(services.Permille(v.Lang, p.Commission))},
	}
	if p.Note != "" {
		known = append(known, desk.Fact{Name: v.T("op.reason"), Value: desk.Text(p.Note)})
	}
	papers := desk.Sheet{Heads: v.Heads("paper", "hash")}
	for _, d := range p.Documents {
		papers.Rows = append(papers.Rows, []desk.Cell{{Text: services.Word(v.Lang, "insure.doc_", d.Kind), Href: d.URL, Lines: []string{services.Word(v.Lang, "insure.lang_", d.Lang)}}, desk.Code(d.SHA256[:min(16, len(d.SHA256))])})
	}
	var all []desk.Action
	switch p.State {
	case policies.Offered:
		all = []desk.Action{v.offerForm("approve", "go", true, nil, v.why("approve", false)), v.offerForm("reject", "stop", false, nil, v.why("reject", true))}
	case policies.Approved:
		all = []desk.Action{v.offerForm("withdraw", "stop", false, nil, v.why("withdraw", true))}
	}
	first := desk.Group(desk.Acts(v.Page, v.Typed(wrong, all...)), desk.Facts(v.Page, known), desk.Headed(v.T("insure.papers"), desk.Table(v.Page, papers)))
	tag := desk.Cell{Text: v.T("insure.product_" + string(p.State)), Tone: services.Tone("product", string(p.State)), State: true}
	return v.Blocks(v.Say(p.Names).Text, tag, wrong, desk.Columns(false, first, v.cards(func(l ui.Lang) ui.OfferCard { return services.Cover(l, p) })))
}

func (v *view) bankOffer(wrong error) error {
	all, err := site.Get[finance.VersionsView](v.Visit, bankProducts+"/"+v.ID())
	if err != nil || len(all.Versions) == 0 {
		return err
	}
	e := all.Versions[0]
	if i := slices.IndexFunc(all.Versions, func(e finance.EditionView) bool { return e.State == finance.Waiting }); i >= 0 {
		e = all.Versions[i]
	}
	version := strconv.Itoa(e.Version)
	known := []desk.Fact{
		{Name: v.T("op.h_bank"), Value: v.Named(e.Bank.Names)}, {Name: v.T("op.h_id"), Value: desk.Code(e.Product)}, {Name: v.T("op.h_version"), Value: desk.Text(version)}, {Name: v.T("op.h_at"), Value: v.Time(e.MadeAt)},
	}
	if e.Note != "" {
		known = append(known, desk.Fact{Name: v.T("op.reason"), Value: desk.Text(e.Note)})
	}
	var forms []desk.Action
	if e.State == finance.Waiting {
		hidden := [][2]string{{"version", version}}
		forms = []desk.Action{v.offerForm("publish", "go", true, hidden), v.offerForm("return", "stop", false, hidden, v.why("return", true))}
	}
	tag := desk.Cell{Text: v.T("finance.e_" + string(e.State)), Tone: map[finance.EditionState]string{finance.Waiting: "warn", finance.Published: "ok"}[e.State], State: true}
	first := desk.Group(desk.Acts(v.Page, v.Typed(wrong, forms...)), desk.Facts(v.Page, known))
	return v.Blocks(v.Say(e.Names).Text, tag, wrong, desk.Columns(false, first, v.cards(func(l ui.Lang) ui.OfferCard { return services.Card(l, e) })))
}

// offerDone are what the forms of an offer do, and what the page then says.
var offerDone = map[string]string{"approve": "shown", "reject": "sent_back", "withdraw": "gone", "publish": "shown", "return": "sent_back"}

// offerDo decides on an offer.
func offerDo(v *view) error {
	what := v.Field("quoi")
	said, ok := offerDone[what]
	ours := id.Is(id.InsuranceProduct, v.R.PathValue("id"))
	if !ok || ours == (what == "publish" || what == "return") {
		return site.ErrNotFound
	}
	path, in := insuring+"/products/"+v.ID()+"/"+what, map[string]any{}
	if note := v.Field(what + "_note"); note != "" {
		in["note"] = note
	} else if offerDone[what] != "shown" { // whoever offered it reads why
		return v.offer(desk.WrongField(what + "_note"))
	}
	if !ours {
		path = bankProducts + "/" + v.ID() + "/" + what
		n, err := strconv.Atoi(v.Field("version"))
		if err != nil {
			return v.offer(desk.WrongField("version"))
		}
		in["version"] = n
	}
	if _, err := site.Post[struct{}](v.Visit, path, in); err != nil {
		return v.offer(err)
	}
	if what == "return" { // it is the bank's draft again, and its own
		return v.Go("/op/offres", "fait", said)
	}
	return v.Go("/op/offres/"+v.ID(), "fait", said)
}

// insurancePage lists where insurers and the market say different things, and
// insurers' statements.
func insurancePage(v *view) error { return v.insurance(nil) }

// ways are how a break with an insurer was seen to.
var ways = []string{"insurer_corrects", "next_statement", "moved_by_hand", "explained"}

func (v *view) insurance(wrong error) error {
	tabs, chosen := v.tabs("etat", "gap", "open", "resolved")
	found, err := site.Get[rest.Page[policies.GapView]](v.Visit, desk.At(insuring+"/breaks", "state", chosen, "limit", "20", "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	blocks := []templ.Component{desk.Choose(v.T("op.show"), tabs)}
	if len(found.Data) == 0 {
		blocks = append(blocks, ui.Empty(v.T("op.no_gaps"), v.T("op.offers"), v.Href("/op/offres")))
	}
	var options []ui.Option
	for _, w := range ways {
		options = append(options, ui.Option{Value: w, Text: v.T("op.way_" + w)})
	}
	for _, g := range found.Data {
		known := []desk.Fact{{Name: v.T("op.h_insurer"), Value: desk.Text(g.Insurer, g.Period)}, {Name: v.T("op.h_since"), Value: v.Time(g.MadeAt)}}
		if g.Ours != nil || g.Theirs != nil {
			known = append(known, desk.Fact{Name: v.T("op.ours"), Value: desk.SumOf(g.Ours)}, desk.Fact{Name: v.T("op.theirs"), Value: desk.SumOf(g.Theirs)})
		}
		if g.Ref != "" {
			known = append(known, desk.Fact{Name: v.T("op.h_reference"), Value: desk.Code(g.Ref)})
		}
		if g.Subject != "" {
			known = append(known, desk.Fact{Name: v.T("op.h_subject"), Value: desk.Code(g.Subject)})
		}
		known = append(known, desk.Fact{Name: v.T("op.h_why"), Value: desk.Text(g.Detail)}, desk.Fact{Name: v.T("op.h_suggestion"), Value: desk.Text(g.Suggestion)})
		parts := []templ.Component{}
		if g.State == "open" {
			a := desk.Action{Name: g.ID, Path: v.Path, Label: v.T("op.resolve_gap"), Hint: v.T("op.resolve_gap_help"), Fields: []ui.Field{
				{Name: g.ID + "_by", Label: v.T("op.h_how"), Options: options, Required: true}, {Name: g.ID + "_note", Label: v.T("op.note"), Area: true, Required: true, Max: 1000},
			}}
			parts = append(parts, desk.Facts(v.Page, known), desk.Acts(v.Page, v.Typed(wrong, a)))
		} else {
			known = append(known, desk.Fact{Name: v.T("op.h_how"), Value: desk.Text(v.T("op.way_"+g.Resolution), g.Note, v.When(g.ResolvedAt))})
			parts = append(parts, desk.Facts(v.Page, known))
		}
		blocks = append(blocks, desk.Headed(v.T("op.g_"+g.Kind), parts...))
	}
	if next := v.Next(found.Next); next != "" {
		blocks = append(blocks, desk.Button(v.T("common.more"), next))
	}
	told, err := site.Get[rest.Page[policies.StatementView]](v.Visit, insuring+"/statements?limit=12")
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("insurer", "period", "state", ">rows", ">matched", ">due")}
	for _, x := range told.Data {
		state := desk.Cell{Text: v.T("op.s_statement_" + x.State), Tone: map[string]string{"asked": "warn", "read": "ok", "refused": "bad"}[x.State], State: true}
		if x.Why != "" {
			state.Lines = []string{x.Why}
		}
		s.Rows = append(s.Rows, []desk.Cell{desk.Text(x.Insurer), desk.Code(x.Period), state, desk.Text(v.Lang.Number(int64(x.Rows))), desk.Text(v.Lang.Number(int64(x.Matched))), desk.SumOf(x.Due)})
	}
	month := v.Now.AddDate(0, 0, -v.Now.Day()).Format("2006-01")
	ask := desk.Action{Name: "statement", Path: v.Path, Label: v.T("op.ask_statement"), Hint: v.T("op.ask_statement_help"), Fields: []ui.Field{
		{Name: "statement_insurer", Label: v.T("op.h_insurer"), Required: true, Max: 64, Value: insurerOf(told.Data)}, {Name: "statement_period", Label: v.T("op.h_period"), Hint: v.T("op.period_help"), Required: true, Max: 7, Value: month, Pattern: "[0-9]{4}-[0-9]{2}"},
	}}
	blocks = append(blocks, desk.Headed(v.T("op.insurers_statements"), desk.List(v.Page, s, v.T("op.no_statements"), "", ""), desk.Acts(v.Page, v.Typed(wrong, ask))))
	return v.Blocks(v.T("op.insurance"), desk.Cell{}, wrong, blocks...)
}

// insurerOf is the insurer that a statement came from last.
func insurerOf(all []policies.StatementView) string {
	if len(all) == 0 {
		return ""
	}
	return all[0].Insurer
}

// insuranceDo says how a break was seen to, or asks for a statement.
func insuranceDo(v *view) error {
	what := v.Field("quoi")
	var err error
	said := "resolved"
	switch {
	case what == "statement":
		said = "asked_insurer"
		_, err = site.Post[struct{}](v.Visit, insuring+"/statements", map[string]string{"insurer": v.Field("statement_insurer"), "period": v.Field("statement_period")})
	case id.Is(id.InsuranceGap, what):
		_, err = site.Post[struct{}](v.Visit, insuring+"/breaks/"+what+"/resolve", map[string]string{"by": v.Field(what + "_by"), "note": v.Field(what + "_note")})
	default:
		return site.ErrNotFound
	}
	if err != nil {
		return v.insurance(err)
	}
	return v.Go("/op/assurance", "fait", said)
}
