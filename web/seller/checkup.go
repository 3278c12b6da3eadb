package seller

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"tiwiza/marketplace/diagnosis"
	"tiwiza/pkg/id"
	"tiwiza/web/chart"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

const checkUps = "/v1/diagnostics"

type checkUpsPage struct {
	at
	Said   string
	Wrongs []ui.Wrong
	Open   []checkUpOf
	Past   []checkUpPast
	Next   string
}

// A checkUpOf is a questionnaire that the member may begin, or go on with.
type checkUpOf struct {
	Code        string
	Name, About ui.Said
	Key         string
	GoOn        string // its page, when one is under way
	From        string // the day from which on the next begins; "" now
	Main        string // how its button looks: one on the page stands out
}

// A checkUpPast is one that was finished.
type checkUpPast struct {
	Href, Day   string
	Name, Level ui.Said
	Score       int
	Meter       string
}

// checkUps lists what the member may answer, and what came of it before.
func (d *Desk) checkUps(v *site.Visit, seat site.Seat) error {
	return d.showCheckUps(v, seat, nil)
}

func (d *Desk) showCheckUps(v *site.Visit, seat site.Seat, wrong error) error {
	p := checkUpsPage{at: d.at(v, seat, v.T("checkup.title"), "/v")}
	all, err := site.Get[page[diagnosis.EditionView]](v, "/v1/questionnaires"+query("limit", "100", "kind", seat.Kind))
	if err != nil {
		return err
	}
	cursor := v.Query.Get("cursor")
	mine, err := site.Get[page[diagnosis.RunView]](v, checkUps+query("cursor", cursor))
	if err != nil {
		return err
	}
	levels, main := map[string]map[string]string{}, false
	for _, e := range all.Data {
		q := e.Questionnaire
		for _, l := range q.Levels {
			levels[e.Code+" "+l.Code] = l.Names
		}
		if cursor != "" { // what is under way, or done lately, stands on the first page alone
			continue
		}
		x := checkUpOf{Code: e.Code, Name: v.Say(q.Names), About: v.Say(q.About), Key: site.NewKey()}
		for _, r := range slices.Backward(mine.Data) { // the newest says
			if r.Questionnaire != e.Code {
				continue
			}
			x.GoOn, x.From = "", ""
			switch {
			case r.State == diagnosis.Open:
				x.GoOn = v.Href("/v/diagnostic/" + r.ID)
			case r.AgainFrom != nil:
				x.From = v.Lang.Date(*r.AgainFrom)
			}
		}
		if x.From == "" && !main {
			x.Main, main = "go", true
		}
		p.Open = append(p.Open, x)
	}
	for _, r := range mine.Data {
		if r.State == diagnosis.Finished {
			p.Past = append(p.Past, checkUpPast{
				v.Href("/v/diagnostic/" + r.ID), v.Lang.Date(*r.FinishedAt), v.Say(r.Names), v.Say(levels[r.Questionnaire+" "+r.Level]), *r.Score, meter(v, *r.Score, -1),
			})
		}
	}
	if next := mine.next(); next != "" {
		p.Next = v.Href("/v/diagnostic", "cursor", next)
	}
	if wrong == nil {
		return v.Show(checkUpsView(p))
	}
	return d.untaken(v, wrong, nil, func(w []ui.Wrong) templ.Component {
		p.Wrongs = w
		return checkUpsView(p)
	})
}

// beginCheckUp begins one, or goes on with the one that is under way.
func (d *Desk) beginCheckUp(v *site.Visit, seat site.Seat) error {
	r, err := site.Post[diagnosis.RunView](v, checkUps, map[string]string{"questionnaire": v.Field("questionnaire")})
	if err != nil {
		return d.showCheckUps(v, seat, err)
	}
	return v.Go("/v/diagnostic/" + r.ID)
}

type questionPage struct {
	at
	Run      string
	Rule     diagnosis.QuestionRule
	Part     ui.Said // the dimension
	Icon     string
	N, Of    int
	Previous string
	Answer   diagnosis.Answer
	Number   ui.Field
	Key      string
	Wrongs   []ui.Wrong
}

// chosen says whether a choice is the answer, or one of them.
func (p questionPage) chosen(code string) bool {
	return p.Answer.Choice == code || slices.Contains(p.Answer.Choices, code)
}

// options are the choices of a question with their words.
func (p questionPage) options() []diagnosis.ChoiceRule {
	if p.Rule.Type != diagnosis.YesNo {
		return p.Rule.Choices
	}
	word := func(key string) map[string]string {
		return map[string]string{string(p.Lang): p.T(key)}
	}
	return []diagnosis.ChoiceRule{{Code: "yes", Texts: word("checkup.yes"), Icon: "check"}, {Code: "no", Texts: word("checkup.no"), Icon: "x"}}
}

// checkUp shows a question of one that is under way, or the result.
func (d *Desk) checkUp(v *site.Visit, seat site.Seat) error {
	return d.showCheckUp(v, seat, v.Query.Get("q"), nil)
}

func (d *Desk) showCheckUp(v *site.Visit, seat site.Seat, question string, wrong error) error {
	run, err := named(v, "id")
	if err != nil || !id.Is(id.Diagnostic, run) {
		return site.ErrNotFound
	}
	r, err := site.Get[diagnosis.RunView](v, checkUps+"/"+run)
	if err != nil {
		return err
	}
	e, err := site.Get[diagnosis.EditionView](v, "/v1/questionnaires/"+r.Questionnaire+query("version", strconv.Itoa(r.Edition)))
	if err != nil {
		return err
	}
	var show func(w []ui.Wrong) templ.Component
	switch i := standsAt(r, question); {
	case r.State != diagnosis.Open:
		p := d.result(v, seat, r, e.Questionnaire)
		show = func(w []ui.Wrong) templ.Component { p.Wrongs = w; return resultView(p) }
	case i < 0:
		p := lastPage{at: d.at(v, seat, v.Say(r.Names).Text, "/v/diagnostic"), Run: run, Of: len(r.Questions), Key: site.NewKey(), Previous: v.Href("/v/diagnostic/"+run, "q", r.Questions[len(r.Questions)-1].Code)}
		show = func(w []ui.Wrong) templ.Component { p.Wrongs = w; return lastView(p) }
	default:
		p := d.question(v, seat, r, e.Questionnaire, i)
		show = func(w []ui.Wrong) templ.Component {
			p.Wrongs, p.Number.Error = w, wrongOf(w, "nombre")
			return questionView(p)
		}
	}
	if wrong != nil {
		return d.untaken(v, wrong, map[string]string{"/number": "nombre", "/choices": "choix", "/choice": "choix"}, show)
	}
	return v.Show(show(nil))
}

// standsAt is the place of the question that is asked for, or of the first that has no
// answer; below 0 when all have one.
func standsAt(r diagnosis.RunView, question string) int {
	if i := slices.IndexFunc(r.Questions, func(q diagnosis.QuestionView) bool { return q.Code == question && !q.Waiting }); i >= 0 {
		return i
	}
	return slices.IndexFunc(r.Questions, func(q diagnosis.QuestionView) bool { return !q.Answered && !q.Waiting })
}

func (d *Desk) question(v *site.Visit, seat site.Seat, r diagnosis.RunView, q diagnosis.Questionnaire, i int) questionPage {
	p := questionPage{at: d.at(v, seat, v.Say(r.Names).Text, "/v/diagnostic"), Run: r.ID, N: i + 1, Of: len(r.Questions), Key: site.NewKey(), Answer: r.Answers[r.Questions[i].Code]}
	if i > 0 {
		p.Previous = v.Href("/v/diagnostic/"+r.ID, "q", r.Questions[i-1].Code)
	}
	for _, x := range q.Dimensions {
		for _, rule := range x.Questions {
			if rule.Code == r.Questions[i].Code {
				p.Rule, p.Part, p.Icon = rule, v.Say(x.Names), x.Icon
			}
		}
	}
	p.Number = ui.Field{Name: "nombre", Label: v.T("checkup.number"), Mode: "numeric", Complete: "off", Max: 10, Required: true}
	if p.Answer.Number != nil {
		p.Number.Value = strconv.Itoa(*p.Answer.Number)
	}
	if v.R.Method == http.MethodPost && v.Form().Has("nombre") {
		p.Number.Value = v.Field("nombre")
	}
	return p
}

type lastPage struct {
	at
	Run, Previous string
	Of            int
	Key           string
	Wrongs        []ui.Wrong
}

// actCheckUp saves an answer, finishes, or puts a result into the dossier.
func (d *Desk) actCheckUp(v *site.Visit, seat site.Seat) error {
	run, err := named(v, "id")
	if err != nil || !id.Is(id.Diagnostic, run) {
		return site.ErrNotFound
	}
	one, page := checkUps+"/"+run, "/v/diagnostic/"+run
	switch v.Field("quoi") {
	case "answer":
		question := v.Field("question")
		if !plain(question) {
			return site.ErrNotFound
		}
		_, err := site.Do[diagnosis.RunView](v, http.MethodPut, one+"/answers/"+question, answerTyped(v))
		switch code := site.Code(err); {
		case code == "diagnosis.state" || code == "diagnosis.unasked": // done in another window
			return v.Go(page)
		case err != nil:
			return d.showCheckUp(v, seat, question, err)
		}
		return v.Go(page)
	case "finish":
		_, err := site.Post[diagnosis.RunView](v, one+"/finish", nil)
		if code := site.Code(err); err != nil && code != "diagnosis.state" && code != "diagnosis.lacking" {
			return d.showCheckUp(v, seat, "", err)
		}
		return v.Go(page)
	case "share":
		_, err := site.Post[diagnosis.RunView](v, one+"/share", nil)
		if err != nil && site.Code(err) != "diagnosis.shared" {
			return d.showCheckUp(v, seat, "", err)
		}
		return v.Go(page, "fait", "share")
	}
	return site.ErrNotFound
}

// answerTyped is what was chosen or typed, as the interface takes it. What is no number
// is left as it is, and the hub says what is wrong with it.
func answerTyped(v *site.Visit) map[string]any {
	switch f := v.Form(); {
	case f.Has("sans"):
		return map[string]any{"none": true}
	case f.Has("nombre"):
		if n, err := strconv.Atoi(digits(v.Field("nombre"))); err == nil && n >= 0 && n <= 1_000_000_000 {
			return map[string]any{"number": n}
		}
		return map[string]any{}
	case f.Has("plusieurs"):
		return map[string]any{"choices": append([]string{}, f["choix"]...)}
	}
	return map[string]any{"choice": v.Field("choix")}
}

type resultPage struct {
	at
	Run        string
	Said       string
	Wrongs     []ui.Wrong
	Key        string
	Lapsed     bool
	Score      int
	Level      ui.Said
	LevelAbout ui.Said
	Day        string
	Meter      string
	Before     string // the result ahead of it, in words
	Parts      []partLine
	Advice     []adviceCard
	Shared     bool
	MayShare   bool
	Again      string // the day from which on the next begins; "" now
}

// A partLine is a dimension of a result.
type partLine struct {
	Icon        string
	Name, Level ui.Said
	Score       int
	Was         string
	Meter       string
}

// first is how many pieces of advice a result shows at first; the others stand below.
const first = 3

// An adviceCard is a piece of advice.
type adviceCard struct {
	Text, Why, First ui.Said
	Href             string
}

// meter draws points of a hundred.
func meter(v *site.Visit, points, before int) string {
	return chart.Meter(points, before, v.Lang.Dir() == "rtl")
}

func (d *Desk) result(v *site.Visit, seat site.Seat, r diagnosis.RunView, q diagnosis.Questionnaire) resultPage {
	p := resultPage{
		at: d.at(v, seat, v.Say(r.Names).Text, "/v/diagnostic"), Run: r.ID, Key: site.NewKey(), Lapsed: r.State == diagnosis.Lapsed, Shared: r.Shared != nil, MayShare: slices.Contains(seat.Rights, "people"),
	}
	if p.Lapsed {
		return p
	}
	if v.Query.Get("fait") == "share" && p.Shared {
		p.Said = v.T("checkup.done_share")
	}
	if r.AgainFrom != nil {
		p.Again = v.Lang.Date(*r.AgainFrom)
	}
	levels := map[string]diagnosis.LevelRule{}
	for _, l := range q.Levels {
		levels[l.Code] = l
	}
	p.Score, p.Day = *r.Score, v.Lang.Date(*r.FinishedAt)
	p.Level, p.LevelAbout = v.Say(levels[r.Level].Names), v.Say(levels[r.Level].About)
	was, earlier := -1, map[string]*int{}
	if r.Before != nil {
		was = r.Before.Score
		p.Before = v.T("checkup.before", "score", was, "day", v.Lang.Date(r.Before.FinishedAt))
		for _, x := range r.Before.Dimensions {
			earlier[x.Code] = x.Score
		}
	}
	p.Meter = meter(v, p.Score, was)
	for i, x := range r.Dimensions {
		line := partLine{Icon: q.Dimensions[i].Icon, Name: v.Say(q.Dimensions[i].Names)}
		if x.Score != nil {
			old := -1
			if e := earlier[x.Code]; e != nil {
				old = *e
				line.Was = v.T("checkup.was", "score", old)
			}
			line.Score, line.Level, line.Meter = *x.Score, v.Say(levels[x.Level].Names), meter(v, *x.Score, old)
		}
		p.Parts = append(p.Parts, line)
	}
	for _, a := range r.Advice {
		c := adviceCard{Text: v.Say(a.Texts), Why: v.Say(a.Why), First: v.Say(a.First)}
		if a.Page != "" {
			c.Href = v.Href(a.Page)
		}
		p.Advice = append(p.Advice, c)
	}
	return p
}
