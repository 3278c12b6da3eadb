package partner

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tiwiza/marketplace/finance"
	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/services"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

const products = "/v1/finance/products"

// fresh is the page of a product that is yet to be made.
const fresh = "nouveau"

// productsPage lists what the bank offers.
func productsPage(v *view) error {
	all, err := site.Get[rest.Page[finance.EditionView]](v.Visit, desk.At(products, "state", v.Q("etat"), "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	tabs := []desk.Tab{{Text: v.T("partner.all"), Href: v.With("etat", ""), Here: v.Q("etat") == ""}}
	for _, s := range []string{"draft", "submitted", "published", "withdrawn"} {
		tabs = append(tabs, desk.Tab{Text: v.T("finance.e_" + s), Href: v.With("etat", s), Here: v.Q("etat") == s})
	}
	s := desk.Sheet{Heads: v.Heads("product", "kind", "version", "state"), Next: v.Next(all.Next)}
	for _, e := range all.Data {
		name := v.Named(e.Names)
		name.Href = v.Href("/b/produits/" + e.Product)
		s.Rows = append(s.Rows, []desk.Cell{name, desk.Text(v.T("finance.kind_" + string(e.Kind))), desk.Text(v.Lang.Number(int64(e.Version))), v.state("e", string(e.State))})
	}
	make := desk.Group(desk.Button(v.T("partner.new_loan"), v.Href("/b/produits/"+fresh, "genre", "loan")), desk.Button(v.T("partner.new_account"), v.Href("/b/produits/"+fresh, "genre", "account")))
	return v.Blocks(v.T("partner.products"), desk.Cell{}, nil, make, desk.Choose(v.T("partner.h_state"), tabs), desk.List(v.Page, s, v.T("partner.no_products"), "", ""))
}

// productPage is the editor of a product, with the member's card beside it.
func productPage(v *view) error { return v.product(nil) }

// languages are those in which a bank says what it offers.
var languages = []ui.Lang{ui.French, ui.Arabic, ui.English}

func (v *view) product(wrong error) error {
	v.Back = v.Href("/b/produits")
	if v.R.PathValue("id") == fresh {
		kind := finance.ProductKind(v.Q("genre"))
		if k := v.Field("kind"); v.R.Method == http.MethodPost {
			kind = finance.ProductKind(k)
		}
		if kind != finance.Account && kind != finance.Loan {
			return site.ErrNotFound
		}
		e := finance.EditionView{Kind: kind, Version: 1, State: finance.Drafted, Bank: finance.NamedView{ID: v.seat.Organisation, Names: v.seat.Names}, Sections: []string{"identity"}}
		return v.Blocks(v.T("partner.new_"+string(kind)), desk.Cell{}, wrong, v.editor(e, wrong))
	}
	p, err := site.Get[finance.VersionsView](v.Visit, products+"/"+v.ID())
	if err != nil {
		return err
	}
	e := p.Versions[0]
	var blocks []templ.Component
	if e.Note != "" {
		blocks = append(blocks, desk.Notice(v.T("partner.returned", "why", e.Note)))
	}
	var all []desk.Action
	if e.State == finance.Drafted {
		all = append(all, desk.Action{Name: "submit", Path: v.Path, Label: v.T("partner.do_submit"), Hint: v.T("partner.help_submit"), Top: true})
	}
	if slices.ContainsFunc(p.Versions, func(e finance.EditionView) bool { return e.State == finance.Published }) {
		all = append(all, desk.Action{Name: "withdraw", Path: v.Path, Label: v.T("partner.do_retire"), Hint: v.T("partner.help_retire"), Style: "stop", Top: true})
	}
	if len(all) > 0 {
		blocks = append(blocks, desk.Acts(v.Page, v.Typed(wrong, all...)))
	}
	blocks = append(blocks, v.editor(e, wrong))
	s := desk.Sheet{Heads: v.Heads("version", "state", "since")}
	for _, x := range p.Versions {
		since := x.MadeAt
		if x.DecidedAt != nil {
			since = *x.DecidedAt
		}
		s.Rows = append(s.Rows, []desk.Cell{desk.Text(v.Lang.Number(int64(x.Version))), v.state("e", string(x.State)), v.Time(since)})
	}
	return v.Blocks(v.Say(e.Names).Text, v.state("e", string(e.State)), wrong, append(blocks, desk.Headed(v.T("partner.versions"), desk.Table(v.Page, s)))...)
}

// editor is the form of a product and its card. While the market's people look at a
// version, there is only the card.
func (v *view) editor(e finance.EditionView, wrong error) templ.Component {
	v.retype(&e)
	shown := ui.French
	if l, ok := ui.ParseLang(v.Q("carte")); ok && slices.Contains(languages, l) {
		shown = l
	}
	var tabs []desk.Tab
	for _, l := range languages {
		tabs = append(tabs, desk.Tab{Text: v.T("partner.lang_" + string(l)), Href: v.With("carte", string(l)), Here: l == shown})
	}
	card := desk.Group(desk.Choose(v.T("partner.card"), tabs), desk.Phone(ui.OfferCardOf(v.as(shown), services.Card(shown, e))))
	second := desk.Headed(v.T("partner.card"), card, desk.Para("muted small", v.T("partner.card_help")))
	if e.State == finance.Waiting {
		return desk.Columns(false, desk.Notice(v.T("partner.waits")), second)
	}
	return desk.Columns(false, desk.Headed(v.T("partner.edit"), desk.ActForm(v.Page, v.Typed(wrong, v.form(e))[0])), second)
}

// as is this page in another language, for what is shown of it.
func (v *view) as(l ui.Lang) *ui.Page {
	p := *v.Page
	p.Lang = l
	return &p
}

// form is the editor's.
func (v *view) form(e finance.EditionView) desk.Action {
	a := desk.Action{Name: "save", Path: v.Path, Label: v.T("partner.do_save"), Style: "go", Tick: v.T("partner.sections"), Hidden: [][2]string{{"kind", string(e.Kind)}}}
	if e.State != finance.Drafted {
		a.Hint = v.T("partner.next_version", "n", v.Lang.Number(int64(e.Version+1)))
	}
	for _, l := range languages {
		a.Fields = append(a.Fields, ui.Field{Name: "names_" + string(l), Label: v.T("partner.name_in", "lang", v.T("partner.lang_"+string(l))), Value: e.Names[string(l)], Required: true, Max: 80})
	}
	for _, l := range languages {
		a.Fields = append(a.Fields, ui.Field{Name: "terms_" + string(l), Label: v.T("partner.terms_in", "lang", v.T("partner.lang_"+string(l))), Hint: v.T("partner.terms_help"), Area: true, Value: e.Terms[string(l)], Required: true, Max: 1200})
	}
	if e.Kind == finance.Loan {
		typed := func(m *money.Money) string {
			if m == nil {
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
		a.Fields = append(a.Fields,
			ui.Field{Name: "least", Label: v.T("partner.least"), Mode: "decimal", Value: typed(e.Least), Required: true, Max: 14},
			ui.Field{Name: "most", Label: v.T("partner.most"), Mode: "decimal", Value: typed(e.Most), Required: true, Max: 14},
			ui.Field{Name: "shortest", Label: v.T("partner.shortest"), Mode: "numeric", Value: number(e.Shortest), Required: true, Max: 3},
			ui.Field{Name: "longest", Label: v.T("partner.longest"), Mode: "numeric", Value: number(e.Longest), Required: true, Max: 3},
			ui.Field{Name: "rate", Label: v.T("partner.rate_from"), Hint: v.T("partner.rate_help"), Mode: "decimal", Value: typedRate(v.Lang, e.Rate), Required: true, Max: 5})
	}
	for _, s := range sharing.Sections {
		a.Checks = append(a.Checks, desk.Check{Name: "sections", Value: s, Text: v.T("finance.section_" + s), On: slices.Contains(e.Sections, s)})
	}
	return a
}

// typedRate is a rate as it is typed.
func typedRate(l ui.Lang, rate string) string {
	if l == ui.English {
		return rate
	}
	return strings.ReplaceAll(rate, ".", ",")
}

// retype puts what was typed into the card, so that it shows what would be saved.
func (v *view) retype(e *finance.EditionView) {
	if v.R.Method != http.MethodPost || v.Field("quoi") != "save" {
		return
	}
	e.Names, e.Terms, e.Sections, e.Rate = map[string]string{}, map[string]string{}, v.Form()["sections"], strings.ReplaceAll(v.Field("rate"), ",", ".")
	for _, l := range languages {
		e.Names[string(l)], e.Terms[string(l)] = v.Field("names_"+string(l)), v.Field("terms_"+string(l))
	}
	e.Least, _ = v.Dirhams("least") // what is wrong with them the page says
	e.Most, _ = v.Dirhams("most")
	e.Shortest, _ = whole(v.Field("shortest"))
	e.Longest, _ = whole(v.Field("longest"))
	e.Example = nil
}

// productDo does what a form of a product's page asks for.
func productDo(v *view) error {
	switch what := v.Field("quoi"); what {
	case "submit", "withdraw":
		if _, err := site.Post[struct{}](v.Visit, products+"/"+v.ID()+"/"+what, nil); err != nil {
			return v.product(err)
		}
		return v.Go("/b/produits/"+v.ID(), "fait", map[string]string{"submit": "submitted", "withdraw": "withdrawn"}[what])
	case "save":
		return v.save()
	}
	return site.ErrNotFound
}

func (v *view) save() error {
	in := map[string]any{"names": v.texts("names_"), "terms": v.texts("terms_"), "sections": v.Form()["sections"]}
	if len(v.Form()["sections"]) == 0 {
		in["sections"] = []string{}
	}
	if v.Field("kind") == string(finance.Loan) {
		in["rate"] = strings.ReplaceAll(v.Field("rate"), ",", ".")
		for _, name := range []string{"least", "most"} {
			m, err := v.Dirhams(name)
			if err != nil {
				return v.product(err)
			}
			in[name] = m
		}
		for _, name := range []string{"shortest", "longest"} {
			n, err := whole(v.Field(name))
			if err != nil {
				return v.product(desk.WrongField(name))
			}
			in[name] = n
		}
	}
	id := v.ID()
	if id == fresh {
		in["kind"] = v.Field("kind")
		e, err := site.Post[finance.EditionView](v.Visit, products, in)
		if err != nil {
			return v.product(err)
		}
		id = e.Product
	} else if _, err := site.Do[finance.EditionView](v.Visit, http.MethodPut, products+"/"+id+"/draft", in); err != nil {
		return v.product(err)
	}
	return v.Go("/b/produits/"+id, "fait", "saved")
}

// texts are the fields of a text by language.
func (v *view) texts(prefix string) map[string]string {
	out := map[string]string{}
	for _, l := range languages {
		out[string(l)] = v.Field(prefix + string(l))
	}
	return out
}

// whole reads a whole number.
func whole(s string) (int, error) {
	return strconv.Atoi(strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "").Replace(s))
}

// endOf reads a day of the form as its last moment in Morocco.
func (v *view) endOf(name string) (time.Time, error) {
	d, err := time.ParseInLocation(time.DateOnly, v.Field(name), clock.Morocco)
	if err != nil {
		return d, desk.WrongField(name)
	}
	return d.AddDate(0, 0, 1).Add(-time.Second).UTC(), nil
}
