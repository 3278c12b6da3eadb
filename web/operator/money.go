package operator

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"tiwiza/payments/charges"
	"tiwiza/pkg/id"
	"tiwiza/pkg/phone"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// named are the kinds of ids that have a page of their own.
var named = map[id.Kind]string{
	id.Charge: "/op/argent/", id.Payout: "/op/argent/", id.Order: "/op/argent/", id.Group: "/op/argent/", id.Refund: "/op/argent/", id.Operation: "/op/argent/",
	id.Escrow: "/op/argent/", id.Dispute: "/op/litiges/", id.Organisation: "/op/entites/",
}

// pageOf is the page of a thing, by its id; "" when it has none.
func pageOf(name string) string {
	for k, path := range named {
		if id.Is(k, name) {
			return path + name
		}
	}
	if strings.HasPrefix(name, "brk_") {
		return "/op/rapprochement/" + url.PathEscape(name)
	}
	return ""
}

// thing is an id, and the way to its page.
func (v *view) thing(name string) desk.Cell {
	if p := pageOf(name); p != "" {
		return v.link(p, name)
	}
	return desk.Code(name)
}

var sumLike = regexp.MustCompile(`^[0-9][0-9\s\x{202f}\x{a0}]*([.,][0-9]{1,2})?$`)

// find looks for payments. What is typed is taken for what it looks like: an id,
// a phone number, an amount, else a reference.
func find(v *view) error {
	what := v.Q("q")
	if p := pageOf(what); p != "" {
		return v.Go(p)
	}
	in := []string{"limit", "50", "cursor", v.Q("suite"), "from", v.day("du", 0), "until", v.day("au", 1)}
	tabs, chosen := v.tabs("etat", "charge", "", "confirmed", "created", "accepted", "unknown", "declined", "expired")
	in = append(in, "state", chosen)
	number, isPhone := phone.E164(what)
	switch {
	case what == "":
	case isPhone:
		in = append(in, "phone", number)
	case sumLike.MatchString(what):
		in = append(in, "amount", dots(what))
	default:
		in = append(in, "reference", what)
	}
	found, err := site.Get[rest.Page[charges.Brief]](v.Visit, desk.At("/v1/charges", in...))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("payment", "made", "channel", "buyer", ">amount", "state", "reference"), Next: v.Next(found.Next)}
	for _, c := range found.Data {
		s.Rows = append(s.Rows, v.chargeRow(c))
	}
	if v.wants() {
		return v.file("paiements", s)
	}
	filters := []ui.Field{
		{Name: "q", Label: v.T("op.find"), Hint: v.T("op.find_help"), Value: what, Max: 100},
		{Name: "du", Label: v.T("op.from"), Value: v.Q("du"), Type: "date"},
		{Name: "au", Label: v.T("op.until"), Value: v.Q("au"), Type: "date"},
	}
	var kept [][2]string
	if e := v.Q("etat"); e != "" {
		kept = append(kept, [2]string{"etat", e})
	}
	return v.Blocks(v.T("op.money"), desk.Cell{}, nil, seek(v.Page, filters, kept, v.With("csv", "1")), desk.Choose(v.T("op.show"), tabs),
		desk.List(v.Page, s, v.T("op.none_found"), v.T("op.see_all"), v.Href("/op/argent")))
}

// dots writes an amount as the interface reads it.
func dots(s string) string {
	s = strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", ",", ".").Replace(s)
	whole, cents, _ := strings.Cut(s, ".")
	return whole + "." + (cents + "00")[:2]
}

func (v *view) chargeRow(c charges.Brief) []desk.Cell {
	channel := v.word("op.method_", c.Method)
	return []desk.Cell{
		v.link("/op/argent/"+c.ID, c.ID), v.Time(c.CreatedAt), desk.Text(channel, c.Partner), desk.Text(c.Buyer, c.Phone), desk.Sum(c.Amount),
		v.state("charge", string(c.State)), desk.Code(c.Ref),
	}
}

// story shows what happened to one payment, or leads from a part of it to the
// whole.
func story(v *view) error { return v.story(nil) }

func (v *view) story(err error) error {
	name := v.R.PathValue("id")
	switch {
	case id.Is(id.Charge, name):
		return v.chargeStory(name, err)
	case id.Is(id.Payout, name):
		return v.payoutStory(name, err)
	}
	whole, wrong := v.whole(name)
	if wrong != nil {
		return wrong
	}
	if !id.Is(id.Charge, whole) && !id.Is(id.Payout, whole) {
		return site.ErrNotFound
	}
	http.Redirect(v.W, v.R, v.Href("/op/argent/"+whole), http.StatusSeeOther)
	return nil
}

// whole is the payment that a thing is a part of; "" when it is of none.
func (v *view) whole(name string) (string, error) {
	type of struct{ Charge, Subject, Order string }
	switch {
	case id.Is(id.Order, name), id.Is(id.Group, name):
		found, err := site.Get[rest.Page[charges.Brief]](v.Visit, desk.At("/v1/charges", "order", name))
		if err != nil || len(found.Data) == 0 {
			return "", err
		}
		return found.Data[0].ID, nil
	case id.Is(id.Refund, name):
		r, err := site.Get[of](v.Visit, "/v1/refunds/"+name)
		return r.Charge, err
	case id.Is(id.Escrow, name):
		e, err := site.Get[of](v.Visit, "/v1/escrows/"+name)
		if err != nil {
			return "", err
		}
		return v.whole(e.Order)
	case id.Is(id.Operation, name):
		o, err := site.Get[of](v.Visit, "/v1/operations/"+name)
		if err != nil || id.Is(id.Charge, o.Subject) || id.Is(id.Payout, o.Subject) {
			return o.Subject, err
		}
		return v.whole(o.Subject)
	}
	return "", nil
}
