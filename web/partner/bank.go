package partner

import (
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tiwiza/marketplace/finance"
	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/services"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// bankHouse is what the desk shows banks.
var bankHouse = house{
	menu: "partner.inbox", inbox: inbox, file: file, act: answer, paper: paper, products: productsPage, product: productPage, publish: productDo, contracts: contracts,
}

const applications = "/v1/finance/applications"

// tones are how states look: well, waiting, wrong, or a plain fact.
var tones = map[string]string{
	"submitted": "warn", "received": "warn", "in_review": "warn", "papers_asked": "", "offered": "", "accepted": "warn", "opened": "ok", "granted": "ok",
	"declined": "bad", "refused": "bad", "withdrawn": "bad", "expired": "bad", "draft": "warn", "published": "ok", "replaced": "",
}

func (v *view) state(kind, state string) desk.Cell {
	return desk.Cell{Text: v.T("finance." + kind + "_" + state), Tone: tones[state], State: true}
}

// inbox lists what members ask of the bank: first what goes on, by deadline.
func inbox(v *view) error {
	chosen, kind := v.Q("etat"), v.Q("genre")
	tabs := []desk.Tab{{Text: v.T("partner.open"), Href: v.With("etat", ""), Here: chosen == ""}}
	for _, s := range []finance.State{finance.Submitted, finance.InReview, finance.PapersAsked, finance.Offered, finance.Accepted, finance.Refused} {
		tabs = append(tabs, desk.Tab{Text: v.T("finance.s_" + string(s)), Href: v.With("etat", string(s)), Here: chosen == string(s)})
	}
	tabs = append(tabs, desk.Tab{Text: v.T("partner.all"), Href: v.With("etat", "tous"), Here: chosen == "tous"})
	kinds := []desk.Tab{{Text: v.T("partner.all_kinds"), Href: v.With("genre", ""), Here: kind == ""}}
	for _, k := range []string{"account", "loan"} {
		kinds = append(kinds, desk.Tab{Text: v.T("finance.kind_" + k), Href: v.With("genre", k), Here: kind == k})
	}
	state, sort := chosen, "newest"
	switch chosen {
	case "":
		sort = "deadline"
	case "tous":
		state = ""
	}
	all, err := site.Get[rest.Page[finance.ApplicationView]](v.Visit, desk.At(applications, "state", state, "kind", kind, "sort", sort, "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("member", "kind", ">amount", "deadline", "state"), Next: v.Next(all.Next)}
	for _, a := range all.Data {
		who := v.Named(a.Member.Names)
		who.Href = v.Href("/b/d/" + a.ID)
		if a.BySystem {
			who.Lines = []string{v.T("partner.by_system")}
		}
		s.Rows = append(s.Rows, []desk.Cell{who, {Text: v.T("finance.kind_" + string(a.Kind)), Lines: []string{v.Say(a.ProductNames).Text}}, desk.SumOf(a.Amount), v.TimeOf(a.Deadline), v.state("s", string(a.State))})
	}
	return v.Blocks(v.T("partner.inbox"), desk.Cell{}, nil, desk.Choose(v.T("partner.h_state"), tabs), desk.Choose(v.T("partner.h_kind"), kinds),
		desk.List(v.Page, s, v.T("partner.no_applications"), v.T("partner.see_products"), v.Href("/b/produits")))
}

// file shows one application with what its member lets the bank see.
func file(v *view) error { return v.file(nil) }

func (v *view) file(wrong error) error {
	a, err := site.Get[finance.ApplicationView](v.Visit, applications+"/"+v.ID())
	if err != nil {
		return err
	}
	blocks := []templ.Component{desk.Facts(v.Page, v.applicationFacts(a))}
	if a.Deadline != nil {
		over := int(100 * v.Now.Sub(a.MovedAt) / max(a.Deadline.Sub(a.MovedAt), 1))
		blocks = append(blocks, ui.Deadline(v.T("partner.due", "at", v.Moment(*a.Deadline)), min(max(over, 0), 100)))
	}
	if a.Purpose != "" {
		blocks = append(blocks, desk.Headed(v.T("partner.purpose"), desk.Words(a.Purpose)))
	}
	papers, err := v.papers(a)
	if err != nil {
		return err
	}
	var doing []templ.Component
	if all := v.answers(a); len(all) > 0 {
		doing = append(doing, desk.Acts(v.Page, v.Typed(wrong, all...)))
	} else if a.BySystem {
		doing = append(doing, desk.Notice(v.T("partner.by_system_help")))
	}
	doing = append(doing, v.offered(a)...)
	blocks = append(blocks, desk.Columns(false, desk.Group(append(doing, v.asked(a)...)...), desk.Group(papers...)), desk.Headed(v.T("partner.timeline"), ui.Timeline(v.Page, v.events(a))))
	v.Back = v.Href("/b")
	who := v.Say(a.Member.Names).Text
	v.Title = v.T("partner.file_of", "who", who)
	return v.Blocks(who, v.state("s", string(a.State)), wrong, blocks...)
}

func (v *view) applicationFacts(a finance.ApplicationView) []desk.Fact {
	f := []desk.Fact{{Name: v.T("partner.h_kind"), Value: desk.Cell{Text: v.T("finance.kind_" + string(a.Kind)), Lines: []string{v.Say(a.ProductNames).Text, v.T("partner.version", "n", v.Lang.Number(int64(a.Version)))}}}}
	if a.Amount != nil {
		f = append(f, desk.Fact{Name: v.T("partner.h_amount"), Value: desk.SumOf(a.Amount)}, desk.Fact{Name: v.T("partner.h_months"), Value: desk.Text(v.T("finance.months", "n", a.Months))})
	}
	f = append(f, desk.Fact{Name: v.T("partner.h_number"), Value: desk.Code(a.ID)}, desk.Fact{Name: v.T("partner.h_since"), Value: v.Time(a.MovedAt)})
	if a.Reason != "" {
		f = append(f, desk.Fact{Name: v.T("partner.reason"), Value: desk.Text(a.Reason)})
	}
	if a.RIB != "" {
		f = append(f, desk.Fact{Name: v.T("partner.rib"), Value: desk.Code(a.RIB)}, desk.Fact{Name: v.T("partner.holder"), Value: desk.Text(a.Holder)})
	}
	return f
}

// papers are what the member lets the bank see, with until when. The list itself is
// read when somebody asks for it, for its owner sees that it was.
func (v *view) papers(a finance.ApplicationView) (out []templ.Component, err error) {
	var lines []templ.Component
	live := false
	for _, c := range a.Consents {
		switch {
		case c.Ended != "":
			lines = append(lines, desk.Notice(v.T("partner.consent_"+c.Ended, "what", services.Sections(v.Lang, c.Sections), "at", v.When(c.EndedAt))))
			continue
		case !v.Now.Before(c.Until):
			lines = append(lines, desk.Notice(v.T("partner.consent_expired", "what", services.Sections(v.Lang, c.Sections), "at", v.Moment(c.Until))))
			continue
		}
		live = true
		lines = append(lines, desk.Para("", v.T("partner.consent", "what", services.Sections(v.Lang, c.Sections), "at", v.Lang.Date(c.Until))))
		if v.Q("papiers") == "" {
			continue
		}
		d, err := site.Get[sharing.DossierView](v.Visit, desk.At("/v1/dossiers/"+a.Member.ID, "consent", c.ID))
		if code := site.Code(err); code == "sharing.ended" || code == "sharing.not_found" {
			lines = append(lines, desk.Notice(v.T("partner.ended")))
			continue
		}
		if err != nil {
			return nil, err
		}
		s := desk.Sheet{Heads: v.Heads("paper", "section", "added")}
		for _, i := range d.Items {
			s.Rows = append(s.Rows, []desk.Cell{{Text: i.Title, Href: v.Href("/b/d/" + a.ID + "/p/" + i.ID)}, desk.Text(v.T("finance.section_" + i.Section)), desk.Text(v.Lang.Date(i.AddedAt))})
		}
		lines = append(lines, desk.List(v.Page, s, v.T("partner.no_papers"), "", ""))
	}
	if live {
		lines = append(lines, desk.Para("muted small", v.T("partner.recorded")))
		if v.Q("papiers") == "" {
			lines = append(lines, desk.Button(v.T("partner.read_papers"), v.Href("/b/d/"+a.ID, "papiers", "1")))
		}
	}
	return []templ.Component{desk.Headed(v.T("partner.papers"), lines...)}, nil
}

// offered is what the bank has offered.
func (v *view) offered(a finance.ApplicationView) []templ.Component {
	if a.Offer == nil {
		return nil
	}
	o := a.Offer
	var f []desk.Fact
	if o.Amount != nil {
		f = append(f, desk.Fact{Name: v.T("partner.h_amount"), Value: desk.SumOf(o.Amount)}, desk.Fact{Name: v.T("partner.rate"), Value: desk.Text(services.Percent(v.Lang, o.Rate))},
			desk.Fact{Name: v.T("partner.h_months"), Value: desk.Text(v.T("finance.months", "n", o.Months))}, desk.Fact{Name: v.T("finance.monthly"), Value: desk.SumOf(o.Monthly)})
	}
	f = append(f, desk.Fact{Name: v.T("partner.fees"), Value: desk.SumOf(&o.Fees)}, desk.Fact{Name: v.T("partner.until"), Value: v.Time(o.ValidUntil)})
	blocks := []templ.Component{desk.Facts(v.Page, f)}
	if o.Terms != "" {
		blocks = append(blocks, desk.Words(o.Terms))
	}
	return []templ.Component{desk.Headed(v.T("partner.the_offer"), blocks...)}
}

// asked is what the bank asked for, and what it was answered.
func (v *view) asked(a finance.ApplicationView) []templ.Component {
	var out []templ.Component
	for _, q := range slices.Backward(a.Questions) {
		f := []templ.Component{desk.Para("muted small", v.Moment(q.AskedAt)), desk.Words(q.Text)}
		if len(q.Sections) > 0 {
			f = append(f, desk.Para("small", services.Sections(v.Lang, q.Sections)))
		}
		if q.AnsweredAt == nil {
			f = append(f, desk.Para("muted", v.T("partner.no_answer")))
		} else {
			f = append(f, desk.Para("muted small", v.T("partner.answered", "at", v.Moment(*q.AnsweredAt))), desk.Words(q.Answer))
		}
		out = append(out, desk.Headed(v.T("partner.question"), f...))
	}
	return out
}

// events are what happened, the newest first.
func (v *view) events(a finance.ApplicationView) []ui.Event {
	out := make([]ui.Event, len(a.Steps))
	for i, s := range a.Steps {
		e := ui.Event{At: v.Moment(s.At), Text: v.T("finance.s_" + string(s.State)), Who: v.T("finance.by_" + s.By), Tone: tones[string(s.State)]}
		if s.Note == "consent_withdrawn" || s.Note == "consent_expired" {
			e.Text, e.Tone = v.T("finance."+s.Note), "bad"
		}
		out[i] = e
	}
	return out
}

// answers are the forms of what the bank may do now.
func (v *view) answers(a finance.ApplicationView) (all []desk.Action) {
	if a.BySystem {
		return nil
	}
	form := func(name, style string, open bool, fields ...ui.Field) desk.Action {
		return desk.Action{Name: name, Path: v.Path, Label: v.T("partner.do_" + name), Hint: v.hint(name), Style: style, Open: open, Top: true, Tick: v.T("partner.sections"), Fields: fields}
	}
	refuse := form("refuse", "stop", false, ui.Field{Name: "refuse_reason", Label: v.T("partner.reason"), Hint: v.T("partner.member_reads"), Area: true, Required: true, Max: 500})
	switch a.State {
	case finance.Submitted:
		return []desk.Action{form("review", "go", true), form("receive", "", false), refuse}
	case finance.Received:
		return []desk.Action{form("review", "go", true), v.ask(a, form), v.offer(a, form, false), refuse}
	case finance.InReview:
		return []desk.Action{v.offer(a, form, true), v.ask(a, form), refuse}
	case finance.PapersAsked:
		return []desk.Action{v.offer(a, form, false), refuse}
	case finance.Offered:
		return []desk.Action{refuse}
	case finance.Accepted:
		rib := ui.Field{Name: "complete_rib", Label: v.T("partner.rib"), Hint: v.T("partner.rib_help"), Mode: "numeric", Max: 40, Required: a.Kind == finance.Account}
		holder := ui.Field{Name: "complete_holder", Label: v.T("partner.holder"), Max: 140, Required: a.Kind == finance.Account, Value: v.Say(a.Member.Names).Text}
		if a.Kind == finance.Loan {
			holder.Value = ""
		}
		done := form("complete", "go", true, rib, holder)
		if a.Kind == finance.Loan {
			done.Label = v.T("partner.do_grant")
		}
		return []desk.Action{done, refuse}
	}
	return nil
}

// hint is what a form says of itself, if it says something.
func (v *view) hint(name string) string {
	if key := "partner.help_" + name; v.T(key) != key {
		return v.T(key)
	}
	return ""
}

type former func(name, style string, open bool, fields ...ui.Field) desk.Action

func (v *view) ask(a finance.ApplicationView, form former) desk.Action {
	f := form("ask", "", false, ui.Field{Name: "ask_text", Label: v.T("partner.ask_text"), Hint: v.T("partner.member_reads"), Area: true, Required: true, Max: 1000})
	for _, s := range sharing.Sections {
		if !slices.Contains(a.Sections, s) {
			f.Checks = append(f.Checks, desk.Check{Name: "ask_sections", Value: s, Text: v.T("finance.section_" + s)})
		}
	}
	return f
}

func (v *view) offer(a finance.ApplicationView, form former, open bool) desk.Action {
	style := ""
	if open {
		style = "go"
	}
	until := ui.Field{Name: "offer_valid_until", Label: v.T("partner.until"), Hint: v.T("partner.until_help"), Type: "date", Required: true, Value: v.Now.AddDate(0, 0, 30).Format(time.DateOnly)}
	fees := ui.Field{Name: "offer_fees", Label: v.T("partner.fees"), Hint: v.T("partner.fees_help"), Mode: "decimal", Max: 14}
	terms := ui.Field{Name: "offer_terms", Label: v.T("partner.terms"), Hint: v.T("partner.member_reads"), Area: true, Max: 2000, Required: a.Kind == finance.Account}
	if a.Kind == finance.Account {
		return form("offer", style, open, terms, fees, until)
	}
	return form("offer", style, open,
		ui.Field{Name: "offer_amount", Label: v.T("partner.h_amount"), Mode: "decimal", Required: true, Max: 14, Value: v.Lang.Amount(*a.Amount)},
		ui.Field{Name: "offer_rate", Label: v.T("partner.rate"), Hint: v.T("partner.rate_help"), Mode: "decimal", Required: true, Max: 5},
		ui.Field{Name: "offer_months", Label: v.T("partner.h_months"), Mode: "numeric", Required: true, Max: 3, Value: v.Lang.Number(int64(a.Months))},
		fees, terms, until)
}

// moves are what the forms of a file do, and what the page then says.
var moves = map[string]string{"receive": "received", "review": "reviewed", "ask": "asked", "offer": "offered", "refuse": "refused", "complete": "completed"}

// answer does what a form of the file's page asks for.
func answer(v *view) error {
	move := v.Field("quoi")
	said, ok := moves[move]
	if !ok {
		return site.ErrNotFound
	}
	in, err := v.answerOf(move)
	if err == nil {
		_, err = site.Post[struct{}](v.Visit, applications+"/"+v.ID()+"/"+move, in)
	}
	if err != nil {
		return v.file(err)
	}
	return v.Go("/b/d/"+v.ID(), "fait", said)
}

// answerOf is what a form says, as the interface takes it.
func (v *view) answerOf(move string) (in map[string]any, err error) {
	in = map[string]any{}
	put := func(name, field string) {
		if s := v.Field(field); s != "" {
			in[name] = s
		}
	}
	switch move {
	case "ask":
		in["text"] = v.Field("ask_text")
		if all := v.Form()["ask_sections"]; len(all) > 0 {
			in["sections"] = all
		}
	case "refuse":
		in["reason"] = v.Field("refuse_reason")
	case "complete":
		put("rib", "complete_rib")
		put("holder", "complete_holder")
	case "offer":
		return v.offerOf(in)
	}
	return in, nil
}

func (v *view) offerOf(in map[string]any) (map[string]any, error) {
	if s := v.Field("offer_terms"); s != "" {
		in["terms"] = s
	}
	if v.Form().Has("offer_rate") {
		in["rate"] = strings.ReplaceAll(v.Field("offer_rate"), ",", ".")
		n, err := whole(v.Field("offer_months"))
		if err != nil {
			return in, desk.WrongField("offer_months")
		}
		in["months"] = n
	}
	for _, name := range []string{"amount", "fees"} {
		m, err := v.Dirhams("offer_" + name)
		if err != nil {
			return in, err
		}
		if m != nil {
			in[name] = m
		}
	}
	until, err := v.endOf("offer_valid_until")
	in["valid_until"] = until
	return in, err
}

// contracts lists what runs: accounts that were opened, loans that were granted, and
// what is accepted and waits for the bank.
func contracts(v *view) error {
	chosen := v.Q("etat")
	if chosen == "" {
		chosen = string(finance.Granted)
	}
	var tabs []desk.Tab
	for _, s := range []finance.State{finance.Granted, finance.Opened, finance.Accepted} {
		tabs = append(tabs, desk.Tab{Text: v.T("partner.runs_" + string(s)), Href: v.With("etat", string(s)), Here: chosen == string(s)})
	}
	all, err := site.Get[rest.Page[finance.ApplicationView]](v.Visit, desk.At(applications, "state", chosen, "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("member", "kind", ">amount", ">monthly", "since"), Next: v.Next(all.Next)}
	for _, a := range all.Data {
		who := v.Named(a.Member.Names)
		who.Href = v.Href("/b/d/" + a.ID)
		row := []desk.Cell{who, {Text: v.Say(a.ProductNames).Text}, {}, {}, v.Time(a.MovedAt)}
		if a.Offer != nil {
			row[2], row[3] = desk.SumOf(a.Offer.Amount), desk.SumOf(a.Offer.Monthly)
		}
		s.Rows = append(s.Rows, row)
	}
	return v.Blocks(v.T("partner.contracts"), desk.Cell{}, nil, desk.Choose(v.T("partner.show"), tabs), desk.List(v.Page, s, v.T("partner.no_contracts"), v.T("partner.inbox"), v.Href("/b")))
}
