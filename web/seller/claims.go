package seller

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"tiwiza/marketplace/policies"
	"tiwiza/pkg/clock"
	"tiwiza/web/services"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// losses are why something is claimed, with their pictures.
var losses = []struct{ Code, Icon string }{
	{"water", "droplet"}, {"fire", "flame"}, {"weather", "cloud-rain"}, {"theft", "lock-open"}, {"damage", "triangle-alert"}, {"illness", "heart-pulse"}, {"loss", "search-x"}, {"other", "message-circle"},
}

func reasonIcon(code string) string {
	for _, r := range losses {
		if r.Code == code {
			return r.Icon
		}
	}
	return "umbrella"
}

type declarePage struct {
	at
	Policy       policies.PolicyView
	Key          string
	Reason, When string
	Sum, Words   string
	Wrongs       []ui.Wrong
}

type claimPage struct {
	at
	policies.ClaimView
	Under      policies.UnderView
	By         ui.Said
	Tone, Text string
	Said       string
	Steps      []ui.Step
	Key        string
	Wrongs     []ui.Wrong
}

// photos are how many photographs a claim is declared with at most; more are added
// on its page.
const photos = 3

// maxPaper is how large a photograph or a paper may be.
const maxPaper = 10 << 20

func (d *Desk) declaring(v *site.Visit, seat site.Seat, policy string, wrong error) error {
	y, err := site.Get[policies.PolicyView](v, insuring+"/policies/"+policy)
	if err != nil {
		return err
	}
	p := declarePage{at: d.at(v, seat, v.T("insure.declare"), "/v/services/"+policy), Policy: y, Key: site.NewKey()}
	if wrong == nil {
		return v.Show(declareView(p))
	}
	p.Reason, p.When, p.Sum, p.Words = v.Field("motif"), v.Field("jour"), v.Field("somme"), v.Field("texte")
	fields := map[string]string{"/type": "motif", "/event_at": "jour", "/amount": "somme", "/amount/amount": "somme", "/description": "texte", "/file": "photo1"}
	return d.untaken(v, wrong, fields, func(w []ui.Wrong) templ.Component {
		p.Wrongs = w
		return declareView(p)
	})
}

func (d *Desk) claim(v *site.Visit, seat site.Seat, claim string, wrong error) error {
	if piece := v.Query.Get("piece"); piece != "" {
		if !plain(piece) {
			return site.ErrNotFound
		}
		return v.HandOn(insuring + "/claims/" + claim + "/evidence/" + piece)
	}
	c, err := site.Get[policies.ClaimView](v, insuring+"/claims/"+claim)
	if err != nil {
		return err
	}
	p := claimPage{
		at: d.at(v, seat, v.T("insure.type_"+c.Type), "/v/services/"+c.Policy), ClaimView: c, Tone: services.Tone("claim", string(c.State)), Text: v.T("insure.claim_" + string(c.State)),
		Said: told(v, wrong, "declare", "add"), Steps: claimSteps(v.Lang, string(c.State)), Key: site.NewKey(),
	}
	if c.Under != nil {
		p.Under, p.By = *c.Under, insurerOf(v, c.Under.InsurerName, c.Insurer)
	}
	if wrong == nil {
		return v.Show(claimView(p))
	}
	return d.untaken(v, wrong, map[string]string{"/file": "photo", "/kind": "papier", "/evidence": "photo"}, func(w []ui.Wrong) templ.Component {
		p.Wrongs = w
		return claimView(p)
	})
}

// claimSteps are the way of a claim, and where it is.
func claimSteps(l ui.Lang, state string) (out []ui.Step) {
	all := []string{"notified", "review", "accepted", "paid"}
	if state == "rejected" {
		all = []string{"notified", "review", "rejected"}
	}
	here := slices.Index(all, state)
	for i, s := range all {
		step := ui.Step{Text: l.T("insure.claim_" + s)}
		switch {
		case i < here || state == "paid":
			step.State = "done"
		case i == here:
			step.State = "now"
		}
		out = append(out, step)
	}
	return out
}

// declare declares a claim with its photographs.
func (d *Desk) declare(v *site.Visit, seat site.Seat, policy string) error {
	y, err := site.Get[policies.PolicyView](v, insuring+"/policies/"+policy)
	if err != nil {
		return err
	}
	bad := func(pointer string) error {
		return d.declaring(v, seat, policy, wrongAt("policies.invalid", pointer))
	}
	reason := v.Field("motif")
	if reasonIcon(reason) == "umbrella" {
		return bad("/type")
	}
	day, err := time.ParseInLocation(time.DateOnly, v.Field("jour"), clock.Morocco)
	if err != nil {
		return bad("/event_at")
	}
	if day.Before(y.Starts) && day.AddDate(0, 0, 1).After(y.Starts) {
		day = y.Starts // the day on which it began
	}
	m, err := readPrice(v.Field("somme"))
	if err != nil {
		return bad("/amount")
	}
	words := v.Field("texte")
	if len([]rune(words)) < 3 { // the picture says it
		words = v.T("insure.type_" + reason)
	}
	evidence := []map[string]string{}
	for i := range photos {
		file, err := paperOf(v, "photo"+strconv.Itoa(i+1))
		if err != nil {
			return d.declaring(v, seat, policy, atFile(err))
		}
		if file != "" {
			evidence = append(evidence, map[string]string{"file": file, "kind": "photograph"})
		}
	}
	in := map[string]any{"policy": policy, "event_at": day.UTC(), "type": reason, "description": words, "amount": m, "evidence": evidence}
	c, err := site.Post[policies.ClaimView](v, insuring+"/claims", in)
	if err != nil {
		return d.declaring(v, seat, policy, err)
	}
	return v.Go("/v/services/"+c.ID, "fait", "declare")
}

// addPaper adds a paper to a claim.
func (d *Desk) addPaper(v *site.Visit, seat site.Seat, claim string) error {
	file, err := paperOf(v, "photo")
	if err != nil {
		return d.claim(v, seat, claim, atFile(err))
	}
	if file == "" {
		return d.claim(v, seat, claim, wrongAt("insure.no_file", "/file"))
	}
	kind := v.Field("papier")
	if kind == "" {
		kind = "photograph"
	}
	in := map[string]any{"evidence": []map[string]string{{"file": file, "kind": kind}}}
	if _, err := site.Post[struct{}](v, insuring+"/claims/"+claim+"/evidence", in); err != nil {
		return d.claim(v, seat, claim, err)
	}
	return v.Go("/v/services/"+claim, "fait", "add")
}

// paperOf hands a file of the form over, if there is one, and gives its id.
func paperOf(v *site.Visit, field string) (string, error) {
	name, kind, content, err := v.File(field, maxPaper)
	if err != nil || content == nil {
		return "", err
	}
	made, err := site.Upload[struct {
		ID string `json:"id"`
	}](v, "/v1/files?kind=proof", fmt.Sprintf("%s-%s", field, name), kind, content)
	return made.ID, err
}

// atFile says that what is wrong is the file of the form, whatever the hub says of
// it.
func atFile(err error) error {
	f, ok := errors.AsType[*site.Fault](err)
	if !ok || len(f.Errors) > 0 {
		return err
	}
	return wrongAt(f.Code, "/file")
}

// asked are the papers that the insurer asks for, to choose from.
func (p claimPage) asked() (out []ui.Option) {
	for _, a := range p.Asks {
		out = append(out, ui.Option{Value: a, Text: services.Word(p.Lang, "insure.paper_", a)})
	}
	return out
}
