package partner

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"tiwiza/marketplace/policies"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/services"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// covers lists the versions of what the insurer offers, the newest first.
func covers(v *view) error {
	tabs, chosen := v.stateTabs("product", "tous", "offered", "approved", "rejected", "withdrawn")
	all, err := site.Get[rest.Page[policies.ProductView]](v.Visit, desk.At(insuring+"/products", "state", chosen, "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("product", "kind", "version", "from", "state"), Next: v.Next(all.Next)}
	for _, p := range all.Data {
		name := v.Named(p.Names)
		name.Href, name.Lines = v.Href("/b/produits/"+p.ID), []string{p.Code}
		s.Rows = append(s.Rows, []desk.Cell{name, desk.Text(v.T("insure.line_" + string(p.Line))), desk.Text(v.Lang.Number(int64(p.Number))), desk.Text(v.T("partner.from_" + p.Source)), v.covered("product", string(p.State))})
	}
	return v.Blocks(v.T("partner.products"), desk.Cell{}, nil, desk.Button(v.T("partner.new_cover"), v.Href("/b/produits/"+fresh)), desk.Choose(v.T("partner.h_state"), tabs),
		desk.List(v.Page, s, v.T("partner.no_covers"), "", ""))
}

// cover shows a version of a product with the member's card, and the form of the
// next one.
func cover(v *view) error { return v.cover(nil) }

func (v *view) cover(wrong error) error {
	v.Back = v.Href("/b/produits")
	if v.R.PathValue("id") == fresh {
		p := policies.ProductView{Number: 1, Insurer: v.seat.Organisation, InsurerName: v.seat.Names, Offer: policies.Offer{Line: "stock", CoolingOff: 14, Premium: policies.PremiumRule{Period: "year"}}}
		return v.Blocks(v.T("partner.new_cover"), desk.Cell{}, wrong, v.coverEditor(p, wrong))
	}
	p, err := site.Get[policies.ProductView](v.Visit, insuring+"/products/"+v.ID())
	if err != nil {
		return err
	}
	var blocks []templ.Component
	switch {
	case p.State == policies.Rejected:
		blocks = append(blocks, desk.Notice(v.T("partner.returned", "why", p.Note)))
	case p.State == policies.Offered:
		blocks = append(blocks, desk.Notice(v.T("partner.cover_waits")))
	case p.Note != "":
		blocks = append(blocks, desk.Notice(p.Note))
	}
	if p.Source == "insurer" {
		blocks = append(blocks, desk.Para("muted", v.T("partner.by_your_system")))
	}
	return v.Blocks(v.Say(p.Names).Text, v.covered("product", string(p.State)), wrong, append(blocks, v.coverEditor(p, wrong))...)
}

// coverEditor is the form of a product and its card. A product that the insurer's
// own system offers is changed there.
func (v *view) coverEditor(p policies.ProductView, wrong error) templ.Component {
	v.retypeCover(&p)
	shown := ui.French
	if l, ok := ui.ParseLang(v.Q("carte")); ok && slices.Contains(languages, l) {
		shown = l
	}
	var tabs []desk.Tab
	for _, l := range languages {
		tabs = append(tabs, desk.Tab{Text: v.T("partner.lang_" + string(l)), Href: v.With("carte", string(l)), Here: l == shown})
	}
	card := desk.Headed(v.T("partner.card"), desk.Choose(v.T("partner.card"), tabs), desk.Phone(ui.OfferCardOf(v.as(shown), services.Cover(shown, p))), desk.Para("muted small", v.T("partner.card_help")))
	papers := desk.Sheet{Heads: v.Heads("paper", "digest")}
	for _, d := range p.Documents {
		papers.Rows = append(papers.Rows, []desk.Cell{{Text: services.Word(v.Lang, "insure.doc_", d.Kind), Lines: []string{services.Word(v.Lang, "insure.lang_", d.Lang), d.URL}}, {Text: d.SHA256[:min(16, len(d.SHA256))], Code: true}})
	}
	if p.Source == "insurer" {
		return desk.Columns(false, desk.Headed(v.T("insure.papers"), desk.List(v.Page, papers, v.T("partner.no_evidence"), "", "")), card)
	}
	return desk.Columns(false, desk.Headed(v.T("partner.edit"), desk.ActForm(v.Page, v.Typed(wrong, v.coverForm(p))[0])), card)
}

// coverForm is the editor's: what is a thing a line stands in each language in the
// same order.
func (v *view) coverForm(p policies.ProductView) desk.Action {
	a := desk.Action{Name: "propose", Path: v.Path, Label: v.T("partner.do_propose"), Style: "go", Hint: v.T("partner.help_propose")}
	if p.ID != "" {
		a.Hint = v.T("partner.next_version", "n", v.Lang.Number(int64(p.Number+1)))
		a.Hidden = [][2]string{{"code", p.Code}}
	}
	add := func(f ui.Field) { a.Fields = append(a.Fields, f) }
	if p.ID == "" {
		add(ui.Field{Name: "code", Label: v.T("partner.code"), Hint: v.T("partner.code_help"), Value: p.Code, Required: true, Max: 40})
	}
	choice := func(prefix string, all ...string) (out []ui.Option) {
		for _, x := range all {
			out = append(out, ui.Option{Value: x, Text: v.T(prefix + x)})
		}
		return out
	}
	add(ui.Field{Name: "line", Label: v.T("partner.h_kind"), Options: choice("insure.line_", "stock", "crop", "health", "parcel"), Value: string(p.Line), Required: true})
	in := func(l ui.Lang) string { return v.T("partner.lang_" + string(l)) }
	for _, l := range languages {
		add(ui.Field{Name: "names_" + string(l), Label: v.T("partner.name_in", "lang", in(l)), Value: p.Names[string(l)], Required: l != ui.English, Max: 120})
	}
	for _, l := range languages {
		add(ui.Field{Name: "covers_" + string(l), Label: v.T("partner.covers_in", "lang", in(l)), Hint: v.T("partner.one_a_line"), Area: true, Value: aLine(p.Covers, l), Required: l != ui.English, Max: 6000})
	}
	for _, l := range languages {
		add(ui.Field{Name: "exclusions_" + string(l), Label: v.T("partner.excludes_in", "lang", in(l)), Hint: v.T("partner.at_most_five"), Area: true, Value: aLine(p.Exclusions, l), Max: 1500})
	}
	typed := func(m *money.Money) string {
		if m == nil || m.Currency() == "" {
			return ""
		}
		return v.Lang.Amount(*m)
	}
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	add(ui.Field{Name: "premium_fixed", Label: v.T("partner.fixed"), Hint: v.T("partner.fixed_help"), Mode: "decimal", Value: typed(p.Premium.Fixed), Max: 14})
	add(ui.Field{Name: "premium_rate_permille", Label: v.T("partner.permille"), Hint: v.T("partner.permille_help"), Mode: "numeric", Value: number(p.Premium.Rate), Max: 3})
	add(ui.Field{Name: "premium_minimum", Label: v.T("partner.minimum"), Mode: "decimal", Value: typed(p.Premium.Min), Max: 14})
	add(ui.Field{Name: "premium_period", Label: v.T("partner.h_period"), Options: choice("insure.period_", "once", "month", "season", "year"), Value: p.Premium.Period, Required: true})
	add(ui.Field{Name: "most", Label: v.T("partner.most_insured"), Mode: "decimal", Value: typed(&p.Most), Required: true, Max: 14})
	add(ui.Field{Name: "excess", Label: v.T("partner.excess"), Mode: "decimal", Value: typed(p.Excess), Max: 14})
	add(ui.Field{Name: "waiting_days", Label: v.T("partner.waiting_days"), Mode: "numeric", Value: number(p.Waiting), Max: 3})
	add(ui.Field{Name: "cooling_off_days", Label: v.T("partner.cooling_days"), Mode: "numeric", Value: number(p.CoolingOff), Max: 3})
	add(ui.Field{Name: "commission_permille", Label: v.T("partner.commission"), Hint: v.T("partner.commission_help"), Mode: "numeric", Value: number(p.Commission), Max: 3})
	add(ui.Field{Name: "papers", Label: v.T("partner.claim_papers"), Hint: v.T("partner.one_a_line"), Area: true, Value: strings.Join(p.Papers, "\n"), Max: 1000})
	for _, l := range languages {
		d := sheetIn(p.Documents, l)
		add(ui.Field{Name: "sheet_url_" + string(l), Label: v.T("partner.sheet_in", "lang", in(l)), Hint: v.T("partner.sheet_help"), Value: d.URL, Required: l == ui.French, Max: 500, Complete: "off"})
		add(ui.Field{Name: "sheet_sha256_" + string(l), Label: v.T("partner.sheet_hash", "lang", in(l)), Hint: v.T("partner.hash_help"), Value: d.SHA256, Required: l == ui.French, Max: 64, Complete: "off"})
	}
	return a
}

const sheet = "information_sheet"

// sheetIn is the information sheet in a language.
func sheetIn(all []policies.DocumentView, l ui.Lang) policies.DocumentView {
	for _, d := range all {
		if d.Kind == sheet && d.Lang == string(l) {
			return d
		}
	}
	return policies.DocumentView{}
}

// aLine is each text of a language on a line of its own.
func aLine(all []policies.Texts, l ui.Lang) string {
	out := make([]string, len(all))
	for i, t := range all {
		out[i] = t[string(l)]
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

// together are the lines of each language, joined by their order.
func (v *view) together(prefix string) []policies.Texts {
	out := []policies.Texts{}
	for _, l := range languages {
		for i, s := range lines(v.Field(prefix + string(l))) {
			if i == len(out) {
				out = append(out, policies.Texts{})
			}
			out[i][string(l)] = s
		}
	}
	return out
}

// retypeCover puts what was typed into the card, so that it shows what would be
// handed in.
func (v *view) retypeCover(p *policies.ProductView) {
	if v.R.Method != http.MethodPost || v.Field("quoi") != "propose" {
		return
	}
	o, _ := v.typedCover()
	p.Offer = o
}

// typedCover is what the form says, as the interface takes it; what cannot be read is
// a wrong field.
func (v *view) typedCover() (o policies.Offer, err error) {
	o = policies.Offer{Code: v.Field("code"), Names: v.texts("names_"), Covers: v.together("covers_"), Exclusions: v.together("exclusions_"), Premium: policies.PremiumRule{Period: v.Field("premium_period")}, Papers: lines(v.Field("papers")), Documents: []policies.DocumentView{}}
	o.Line = policies.Line(v.Field("line"))
	failed := func(e error) {
		if err == nil {
			err = e
		}
	}
	for _, x := range []struct {
		name string
		to   **money.Money
	}{{"premium_fixed", &o.Premium.Fixed}, {"premium_minimum", &o.Premium.Min}, {"excess", &o.Excess}} {
		m, e := v.Dirhams(x.name)
		failed(e)
		*x.to = m
	}
	o.Most = money.Dirhams(0)
	if m, e := v.Dirhams("most"); e != nil || m == nil {
		failed(desk.WrongField("most"))
	} else {
		o.Most = *m
	}
	for _, x := range []struct {
		name string
		to   *int
	}{{"premium_rate_permille", &o.Premium.Rate}, {"waiting_days", &o.Waiting}, {"cooling_off_days", &o.CoolingOff}, {"commission_permille", &o.Commission}} {
		if v.Field(x.name) == "" {
			continue
		}
		n, e := whole(v.Field(x.name))
		if e != nil {
			failed(desk.WrongField(x.name))
		}
		*x.to = n
	}
	for _, l := range languages {
		if at := v.Field("sheet_url_" + string(l)); at != "" {
			o.Documents = append(o.Documents, policies.DocumentView{Kind: sheet, Lang: string(l), URL: at, SHA256: strings.ToLower(v.Field("sheet_sha256_" + string(l)))})
		}
	}
	for _, l := range languages { // what is not said in a language is left out
		if o.Names[string(l)] == "" {
			delete(o.Names, string(l))
		}
	}
	return o, err
}

// proposeCover hands the next version of a product in.
func proposeCover(v *view) error {
	if v.Field("quoi") != "propose" {
		return site.ErrNotFound
	}
	o, err := v.typedCover()
	if err != nil {
		return v.cover(err)
	}
	p, err := site.Post[policies.ProductView](v.Visit, insuring+"/products", o)
	if err != nil {
		return v.cover(byField(err))
	}
	return v.Go("/b/produits/"+p.ID, "fait", "proposed")
}

// byField has what is wrong with one thing of a list stand at the field in which the
// list was typed: «/covers/0/ar» is the field of the risks in Arabic.
func byField(err error) error {
	f, ok := errors.AsType[*site.Fault](err)
	if !ok {
		return err
	}
	seen := map[string]bool{}
	kept := f.Errors[:0]
	for _, e := range f.Errors {
		switch part := strings.Split(e.Pointer, "/"); {
		case len(part) == 4 && (part[1] == "covers" || part[1] == "exclusions"):
			e.Pointer = "/" + part[1] + "/" + part[3]
		case part[1] == "covers":
			e.Pointer = "/covers/fr"
		case part[1] == "documents":
			e.Pointer = "/sheet/url/fr"
		case e.Pointer == "/premium":
			e.Pointer = "/premium/fixed"
		case e.Pointer == "/id":
			e.Pointer = "/code"
		}
		if !seen[e.Pointer] {
			seen[e.Pointer] = true
			kept = append(kept, e)
		}
	}
	f.Errors = kept
	return f
}
