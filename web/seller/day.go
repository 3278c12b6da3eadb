package seller

import (
	"slices"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/sharing"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// most is how many parcels of a kind the day shows.
const most = 6

// A row is one order in a list.
type row struct {
	Href    string
	Order   string
	Number  string
	Picture ui.Picture
	Name    ui.Said
	Count   int
	More    int // other articles
	Label   string
	Tone    string
	State   string
	When    string
	Listed  orders.Listed
}

// A pile is one kind of rows.
type pile struct {
	Title, Icon string
	Rows        []row
	More        string // where the rest is
}

type dayPage struct {
	at
	Piles  []pile
	Answer []answer
	Sent   string // what was just done
	Speaks bool   // this person speaks for the member: its dossier and its people are its matter
}

// An answer is something that waits for the seller's word.
type answer struct {
	Href, Icon, Text string
	Until            *time.Time
}

// day is what there is to do: what to pack, what to hand over, and what money
// came.
func (d *Desk) day(v *site.Visit, seat site.Seat) error {
	p := dayPage{at: d.at(v, seat, v.T("sell.day"), "")}
	var all [][]orders.Listed
	for _, states := range [][]string{{"paid", "confirmed", "accepted"}, {"shipped"}, {"completed"}} {
		var some []orders.Listed
		for _, state := range states {
			found, err := site.Get[page[orders.Listed]](v, "/v1/orders"+query("state", state, "limit", "7"))
			if err != nil {
				return err
			}
			some = append(some, found.Data...)
		}
		all = append(all, some)
	}
	pictures, err := d.thumbsOf(v, all...)
	if err != nil {
		return err
	}
	for i, x := range []struct{ title, icon, state string }{{"sell.to_pack", "package-open", "emballer"}, {"sell.to_hand", "truck", "remettre"}, {"sell.came", "coins", "recu"}} {
		if len(all[i]) == 0 {
			continue
		}
		pl := pile{Title: v.T(x.title), Icon: x.icon}
		for j, o := range all[i] {
			if j == most {
				pl.More = v.Href("/v/colis", "quoi", x.state)
				break
			}
			pl.Rows = append(pl.Rows, rowOf(v, o, pictures))
		}
		p.Piles = append(p.Piles, pl)
	}
	if p.Answer, err = answers(v, all...); err != nil {
		return err
	}
	if p.Speaks = slices.Contains(seat.Rights, "people"); p.Speaks {
		asked, err := site.Get[page[sharing.ConsentView]](v, "/v1/consents?state=requested&limit=5")
		if err != nil {
			return err
		}
		for _, c := range asked.Data {
			p.Answer = append(p.Answer, answer{v.Href("/v/accords/" + c.ID), "folder", v.T("accord.answer", "who", v.Say(c.Names).Text), nil})
		}
	}
	notice, err := enrolNotice(v, seat.Organisation)
	if err != nil {
		return err
	}
	if notice != nil {
		p.Answer = append([]answer{*notice}, p.Answer...)
	}
	return v.Show(dayView(p))
}

func (d *Desk) thumbsOf(v *site.Visit, all ...[]orders.Listed) (map[string]ui.Picture, error) {
	var offers []string
	for _, some := range all {
		for _, o := range some {
			for _, a := range o.Articles {
				offers = append(offers, a.Offer)
			}
		}
	}
	return d.thumbs(v, offers)
}

// tones are how the states of orders are shown.
var tones = map[orders.State]string{
	orders.Paid: "warn", orders.Confirmed: "warn", orders.Accepted: "warn", orders.Shipped: "", orders.Delivered: "", orders.Completed: "ok",
	orders.Cancelled: "bad", orders.Refunded: "bad", orders.Refused: "bad", orders.Expired: "bad",
}

func rowOf(v *site.Visit, o orders.Listed, pictures map[string]ui.Picture) row {
	r := row{
		Href: v.Href("/v/colis/" + o.ID), Order: o.ID, Number: Number(o.ID), State: v.T("sell.state_" + string(o.State)), Tone: tones[o.State], Listed: o,
		More: max(len(o.Articles)-1, 0),
	}
	if len(o.Articles) > 0 {
		a := o.Articles[0]
		r.Picture, r.Name, r.Count = pictures[a.Offer], v.Say(a.Names), a.Quantity
	}
	switch o.State {
	case orders.Paid, orders.Confirmed, orders.Accepted:
		r.When = v.T("sell.leaves_by", "d", v.Lang.Day(o.ShipsBy))
	case orders.Delivered:
		if o.ReleasesAt != nil {
			r.When = v.T("sell.comes_on", "d", v.Lang.Day(*o.ReleasesAt))
		}
	}
	if o.Case != nil {
		r.Tone, r.State = "bad", v.T("sell.case_"+o.Case.Kind)
	}
	return r
}

// answers are what waits for the seller's word: disputes, returns, and buyers who
// ask for an offer.
func answers(v *site.Visit, all ...[]orders.Listed) ([]answer, error) {
	var out []answer
	disputes, err := site.Get[page[dispute]](v, "/v1/disputes?state=open&limit=5")
	if err != nil {
		return nil, err
	}
	for _, x := range disputes.Data {
		out = append(out, answer{v.Href("/v/colis/" + x.Order), "triangle-alert", v.T("sell.answer_dispute", "n", Number(x.Order)), x.Deadline})
	}
	returns, err := site.Get[page[giveBack]](v, "/v1/returns?state=requested&limit=5")
	if err != nil {
		return nil, err
	}
	for _, x := range returns.Data {
		out = append(out, answer{v.Href("/v/colis/" + x.Order), "refresh-cw", v.T("sell.answer_return", "n", Number(x.Order)), x.Deadline})
	}
	asked, err := site.Get[page[struct {
		State     string `json:"state"`
		LastOffer string `json:"last_offer"`
		Declined  string `json:"declined"`
	}]](v, "/v1/quotation-requests?limit=20")
	if err != nil {
		return nil, err
	}
	n := 0
	for _, x := range asked.Data {
		if x.State == "open" && x.LastOffer == "" && x.Declined == "" {
			n++
		}
	}
	if n > 0 {
		out = append(out, answer{"", "message-circle", v.T("sell.answer_quotes", "n", n), nil})
	}
	return out, nil
}

// kinds of lists of parcels: which states each has.
var lists = map[string][]string{"emballer": {"paid", "confirmed", "accepted"}, "remettre": {"shipped"}, "recu": {"completed"}, "tout": {""}}

type parcelsPage struct {
	at
	Rows []row
	Next string
}

// parcels lists all orders, newest first, or those of one state.
func (d *Desk) parcels(v *site.Visit, seat site.Seat) error {
	what := v.Query.Get("quoi")
	states, ok := lists[what]
	if !ok {
		what, states = "tout", lists["tout"]
	}
	p := parcelsPage{at: d.at(v, seat, v.T("sell.parcels_"+what), "/v")}
	var all []orders.Listed
	for _, state := range states {
		limit := "20"
		if len(states) > 1 {
			limit = "50"
		}
		found, err := site.Get[page[orders.Listed]](v, "/v1/orders"+query("state", state, "limit", limit, "cursor", v.Query.Get("suite")))
		if err != nil {
			return err
		}
		if all = append(all, found.Data...); len(states) == 1 && found.Next != nil {
			p.Next = v.Href("/v/colis", "quoi", what, "suite", *found.Next)
		}
	}
	pictures, err := d.thumbsOf(v, all)
	if err != nil {
		return err
	}
	for _, o := range all {
		p.Rows = append(p.Rows, rowOf(v, o, pictures))
	}
	return v.Show(parcelsView(p))
}
