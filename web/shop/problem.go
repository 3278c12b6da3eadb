package shop

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/disputes"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A complaint is what is wrong with an order, or what of it is sent back.
type complaint struct {
	order
	Reason, Wish string
	Quantities   map[string]string
}

// A picture of a reason, for those who would rather see it than read it.
type reason struct{ Code, Icon string }

// disputed are the reasons why something is wrong with an order, sentBack those
// why goods go back.
var (
	disputed  = []reason{{"not_received", "truck"}, {"damaged", "triangle-alert"}, {"wrong_item", "package-open"}, {"not_as_described", "eye"}}
	sentBack  = []reason{{"withdrawal", "undo-2"}, {"damaged", "triangle-alert"}, {"wrong_item", "package-open"}, {"not_as_described", "eye"}, {"incomplete", "blocks"}}
	wishes    = []string{"refund", "partial_refund", "replacement"}
	backWants = []string{"refund", "replacement"}
)

// maxPhoto is how large a photograph may be.
const maxPhoto = 12 << 20

func (s *Shop) problem(v *site.Visit) error {
	o, err := readOrder(v)
	if err != nil {
		return err
	}
	if !o.complains() {
		return v.Go("/o/" + o.ID)
	}
	v.Title = v.T("buy.problem_title")
	return v.Show(problemPage(complaint{order: o}))
}

// complain says that something is wrong: the order's money stays where it is. A
// photograph goes with a message, so that both see it.
func (s *Shop) complain(v *site.Visit) error {
	id := escape(v.R.PathValue("order"))
	photo, err := proof(v)
	if err != nil {
		return s.complainAgain(v, problemPage, err)
	}
	_, err = site.Post[disputes.View](v, "/v1/orders/"+id+"/disputes", map[string]string{"reason": v.Field("motif"), "wish": v.Field("souhait"), "text": v.Field("texte")})
	if err != nil {
		return s.complainAgain(v, problemPage, err)
	}
	if photo != "" {
		_, err = site.Post[orders.MessageView](v, "/v1/orders/"+id+"/messages", map[string]any{"text": v.T("buy.photo_of_problem"), "files": []string{photo}})
		if err != nil {
			return err
		}
	}
	return v.Go("/o/"+v.R.PathValue("order"), "fait", "probleme")
}

// proof hands a photograph of the form over, if there is one, and gives its id.
func proof(v *site.Visit) (string, error) {
	name, kind, content, err := v.File("photo", maxPhoto)
	if err != nil || content == nil {
		return "", err
	}
	made, err := site.Upload[struct {
		ID string `json:"id"`
	}](v, "/v1/files?kind=proof", name, kind, content)
	return made.ID, err
}

func (s *Shop) sendBack(v *site.Visit) error {
	o, err := readOrder(v)
	if err != nil {
		return err
	}
	if !o.sendsBack() {
		return v.Go("/o/" + o.ID)
	}
	v.Title = v.T("buy.send_back")
	return v.Show(returnPage(complaint{order: o}))
}

// giveBack asks to send goods of an order back.
func (s *Shop) giveBack(v *site.Visit) error {
	photo, err := proof(v)
	if err != nil {
		return s.complainAgain(v, returnPage, err)
	}
	var lines []map[string]any
	for name, values := range v.Form() {
		variant, ok := strings.CutPrefix(name, "q.")
		if n, err := strconv.Atoi(values[0]); ok && err == nil && n > 0 {
			lines = append(lines, map[string]any{"variant": variant, "quantity": n})
		}
	}
	slices.SortFunc(lines, func(a, b map[string]any) int {
		return strings.Compare(a["variant"].(string), b["variant"].(string)) // both were set above
	})
	in := map[string]any{"lines": lines, "reason": v.Field("motif"), "text": v.Field("texte")}
	if lines == nil {
		in["lines"] = []any{}
	}
	if w := v.Field("souhait"); w != "" {
		in["wish"] = w
	}
	if photo != "" {
		in["photos"] = []string{photo}
	}
	if _, err := site.Post[orders.ReturnView](v, "/v1/orders/"+escape(v.R.PathValue("order"))+"/returns", in); err != nil {
		return s.complainAgain(v, returnPage, err)
	}
	return v.Go("/o/"+v.R.PathValue("order"), "fait", "retour")
}

// goesBack says that the goods of a return are on their way.
func (s *Shop) goesBack(v *site.Visit) error {
	_, err := site.Post[orders.ReturnView](v, "/v1/returns/"+escape(v.Field("retour"))+"/send", map[string]string{"carrier": v.Field("transporteur"), "tracking": v.Field("suivi")})
	if err != nil {
		return s.again(v, err, map[string]string{"/carrier": "transporteur", "/tracking": "suivi"})
	}
	return v.Go("/o/"+v.R.PathValue("order"), "fait", "envoi")
}

// complainAgain shows a form of complaint with what was wrong with it.
func (s *Shop) complainAgain(v *site.Visit, page func(complaint) templ.Component, err error) error {
	f, ok := errors.AsType[*site.Fault](err)
	if !ok || f.Status != http.StatusUnprocessableEntity && f.Status != http.StatusConflict && f.Status != http.StatusBadRequest {
		return err
	}
	o, failed := readOrder(v)
	if failed != nil {
		return failed
	}
	c := complaint{order: o, Reason: v.Field("motif"), Wish: v.Field("souhait"), Quantities: map[string]string{}}
	for _, l := range o.Lines {
		c.Quantities[l.Variant] = v.Field("q." + l.Variant)
	}
	c.Wrongs, c.Text = v.Wrongs(err, map[string]string{"/reason": "motif", "/wish": "souhait", "/lines": "lignes", "/text": "texte"}), v.Field("texte")
	v.Title = v.T("buy.problem_title")
	return v.ShowAs(http.StatusUnprocessableEntity, page(c))
}

// piece hands on a file that was sent with a message.
func (s *Shop) piece(v *site.Visit) error {
	return v.HandOn("/v1/messages/" + escape(v.R.PathValue("message")) + "/files/" + escape(v.R.PathValue("file")))
}

// fetch hands on a file that was bought.
func (s *Shop) fetch(v *site.Visit) error {
	return v.HandOn("/v1/orders/" + escape(v.R.PathValue("order")) + "/digital/" + escape(v.R.PathValue("variant")) + "/" + escape(v.R.PathValue("ware")))
}

// afterV1 is the rest of an address of the interface after /v1/messages.
func afterV1(path string) string { return strings.TrimPrefix(path, "/v1/messages") }

// returnTone is how the state of a return looks.
func returnTone(r orders.ReturnView) string {
	switch r.State {
	case orders.PaidBack, orders.Replaced:
		return "ok"
	case orders.Rejected, orders.ClosedOff:
		return "bad"
	}
	return "warn"
}

// refundTone is how the state of a refund looks.
func refundTone(state string) string {
	switch state {
	case "confirmed":
		return "ok"
	case "returned", "rejected", "awaiting_rib":
		return "warn"
	}
	return ""
}

// ownPath is an address of this site in the page's language.
func ownPath(p *ui.Page, address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return p.Href("/")
	}
	_, path, _ := ui.CutLang(u.Path)
	out := p.Href(path)
	if u.RawQuery != "" {
		out += "?" + u.RawQuery
	}
	return out
}

// eventTones are what of an order's story is good or bad news.
var eventTones = map[string]string{
	"paid": "ok", "delivered": "ok", "received": "ok", "settled": "ok", "completed": "ok", "cancelled": "bad", "expired": "bad", "refused": "bad",
	"disputed": "warn", "late": "warn", "missed": "warn", "refund": "warn",
}

// events are the order's story, newest first. What has no words of its own is
// left out.
func (o order) events() []ui.Event {
	var out []ui.Event
	for i := len(o.Timeline) - 1; i >= 0; i-- {
		e := o.Timeline[i]
		key := "buy.event_" + e.What
		text := o.T(key)
		if text == key {
			continue
		}
		out = append(out, ui.Event{At: o.Lang.Moment(e.At), Text: text, Tone: eventTones[e.What]})
	}
	return out
}

// quantity is how many of an article are sent back, as it was typed or all.
func (c complaint) quantity(variant string, all int) string {
	if n := c.Quantities[variant]; n != "" {
		return n
	}
	return strconv.Itoa(all)
}
