package seller

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/policies"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/money"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A dispute as the seller reads it.
type dispute struct {
	ID       string     `json:"id"`
	Order    string     `json:"order"`
	Reason   string     `json:"reason"`
	Text     string     `json:"text"`
	Wish     string     `json:"wish"`
	State    string     `json:"state"`
	Reply    string     `json:"reply"`
	Deadline *time.Time `json:"deadline"`
}

// A giveBack is a return as the seller reads it.
type giveBack struct {
	ID       string      `json:"id"`
	Order    string      `json:"order"`
	Reason   string      `json:"reason"`
	Text     string      `json:"text"`
	Wish     string      `json:"wish"`
	State    string      `json:"state"`
	Amount   money.Money `json:"amount"`
	Carrier  string      `json:"carrier"`
	Tracking string      `json:"tracking"`
	Deadline *time.Time  `json:"deadline"`
}

// A line is one article to pack.
type line struct {
	Picture ui.Picture
	Name    ui.Said
	Detail  ui.Said
	Count   int
}

type parcelPage struct {
	at
	Order    orders.View
	Number   string
	Lines    []line
	Steps    []ui.Step
	Place    string
	Shipment *orders.ShipmentView // the one that is on its way
	Dispute  *dispute
	Return   *giveBack
	Insured  string // the insurance of its parcel, if it has one
	Cover    string // an insurer's product by which it can be insured, if it can
	Key      string
	Wrongs   []ui.Wrong
	Done     string
	Link     string // a courier's link that was just made
	Square   string // the link for cameras
	Share    string // the link for a message
	Typed    map[string]string
}

// Cash is what is collected at the door; nil for orders that are paid already.
func (p parcelPage) Cash() *money.Money {
	if p.Order.Payment.Method != "cash_on_delivery" {
		return nil
	}
	return &p.Order.Totals.Total
}

// By is who brings it, unless the seller says otherwise: as the buyer chose.
func (p parcelPage) By() string {
	if m := p.Order.Delivery.Method; m == "carrier" || m == "pickup" {
		return m
	}
	return "own"
}

// Can says whether a step is the next one.
func (p parcelPage) Can(step string) bool {
	o := p.Order
	switch step {
	case "accepter":
		return (o.State == orders.Paid || o.State == orders.Confirmed) && !o.Waits
	case "refuser":
		return o.State == orders.Paid || o.State == orders.Confirmed || o.State == orders.Accepted
	case "repris":
		return o.ComesBack == orders.Awaited
	case "emballer":
		return o.State == orders.Accepted && o.Delivery.PreparingSince == nil
	case "remettre":
		return o.State == orders.Accepted && o.Delivery.PreparingSince != nil
	case "code":
		return o.State == orders.Shipped && p.Shipment != nil && p.Cash() == nil
	case "encaisser":
		return o.State == orders.Shipped && p.Cash() != nil
	}
	return false
}

// parcel is one order from paid to paid out.
func (d *Desk) parcel(v *site.Visit, seat site.Seat) error {
	p, err := d.parcelOf(v, seat)
	if err != nil {
		return err
	}
	if done := v.Query.Get("fait"); plain(done) && acts[done] != nil {
		p.Done = v.T("sell.done_" + done)
	}
	return v.Show(parcelView(p))
}

func (d *Desk) parcelOf(v *site.Visit, seat site.Seat) (p parcelPage, err error) {
	id, err := named(v, "order")
	if err != nil {
		return p, err
	}
	o, err := site.Get[orders.View](v, "/v1/orders/"+id)
	if err != nil {
		return p, err
	}
	p = parcelPage{at: d.at(v, seat, v.T("sell.parcel", "n", Number(id)), "/v"), Order: o, Number: Number(id), Key: site.NewKey(), Place: place(v, o.Delivery.Commune), Typed: map[string]string{}}
	var offers []string
	for _, l := range o.Lines {
		offers = append(offers, l.Offer)
	}
	pictures, err := d.thumbs(v, offers)
	if err != nil {
		return p, err
	}
	for _, l := range o.Lines {
		p.Lines = append(p.Lines, line{pictures[l.Offer], v.Say(l.Names), v.Say(l.VariantNames), l.Quantity})
	}
	for i, s := range o.Shipments {
		if s.State == orders.OnItsWay || s.State == orders.Missed {
			p.Shipment = &o.Shipments[i]
		}
	}
	p.Steps = steps(v, o)
	if err := insurable(v, &p); err != nil {
		return p, err
	}
	return p, d.cases(v, &p)
}

// insurable finds the insurance of the parcel, or how it can be insured before it
// leaves.
func insurable(v *site.Visit, p *parcelPage) error {
	unsent := p.Order.State == orders.Paid || p.Order.State == orders.Confirmed || p.Order.State == orders.Accepted
	if !unsent && p.Order.State != orders.Shipped || p.Order.Delivery.Method == "none" {
		return nil
	}
	held, err := site.Get[page[policies.PolicyView]](v, insuring+"/policies?limit=5&order="+p.Order.ID)
	if err != nil {
		return err
	}
	for _, y := range held.Data {
		if y.State == "pending" || y.State == "active" || y.State == "claimed" {
			p.Insured = y.ID
		}
	}
	if p.Insured != "" || !unsent {
		return nil
	}
	sold, err := site.Get[page[policies.ProductView]](v, insuring+"/products?limit=1&state=approved&line="+ofSales)
	if len(sold.Data) > 0 {
		p.Cover = sold.Data[0].ID
	}
	return err
}

// cases are the dispute or the return that the order has.
func (d *Desk) cases(v *site.Visit, p *parcelPage) error {
	if p.Order.Case == nil {
		return nil
	}
	switch p.Order.Case.Kind {
	case "dispute":
		x, err := site.Get[dispute](v, "/v1/disputes/"+p.Order.Case.ID)
		if err != nil {
			return err
		}
		if !known[x.Reason] {
			x.Reason = "other"
		}
		p.Dispute = &x
	case "return":
		x, err := site.Get[giveBack](v, "/v1/returns/"+p.Order.Case.ID)
		if err != nil {
			return err
		}
		p.Return = &x
	}
	return nil
}

// steps are the way of an order, in four.
func steps(v *site.Visit, o orders.View) []ui.Step {
	at := map[orders.State]int{orders.Paid: 0, orders.Confirmed: 0, orders.Accepted: 1, orders.Shipped: 2, orders.Delivered: 3, orders.Completed: 4}
	now, ok := at[o.State]
	if !ok {
		return nil
	}
	var out []ui.Step
	for i, key := range []string{"sell.step_paid", "sell.step_pack", "sell.step_way", "sell.step_came"} {
		s := ui.Step{Text: v.T(key)}
		switch {
		case i < now:
			s.State = "done"
		case i == now:
			s.State = "now"
		}
		out = append(out, s)
	}
	return out
}

// place is a commune as it is called in the page's language.
func place(v *site.Visit, commune string) string {
	if p, ok := geo.Find(commune); ok && p.Names[string(v.Lang.Text())] != "" {
		return p.Names[string(v.Lang.Text())]
	}
	return commune
}

// acts are what a seller does with an order, by the last part of the address.
var acts = map[string]func(v *site.Visit, p *parcelPage) error{
	"accepter": func(v *site.Visit, p *parcelPage) error { return p.post(v, "accept", nil) },
	"refuser": func(v *site.Visit, p *parcelPage) error {
		move := "cancel"
		if p.Cash() != nil {
			move = "refuse"
		}
		return p.post(v, move, map[string]string{"reason": v.Field("raison")})
	},
	"repris": func(v *site.Visit, p *parcelPage) error {
		in := map[string]any{}
		if v.Field("etat") == "none" {
			in["restock"] = []any{}
		}
		return p.post(v, "take-back", in)
	},
	"emballer": func(v *site.Visit, p *parcelPage) error { return p.post(v, "prepare", nil) },
	"remettre": func(v *site.Visit, p *parcelPage) error {
		in := map[string]any{"method": v.Field("qui")}
		if in["method"] == "carrier" {
			in["carrier"], in["tracking"] = v.Field("transporteur"), v.Field("suivi")
		}
		return p.post(v, "shipments", in)
	},
	"encaisser": func(v *site.Visit, p *parcelPage) error {
		m, err := readPrice(v.Field("somme"))
		if err != nil {
			return &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.amount"}
		}
		return p.post(v, "collect", map[string]any{"amount": m})
	},
	"code":     func(v *site.Visit, p *parcelPage) error { return p.ship(v, "deliver", prove) },
	"photo":    func(v *site.Visit, p *parcelPage) error { return p.ship(v, "deliver", prove) },
	"echec":    func(v *site.Visit, p *parcelPage) error { return p.ship(v, "fail", Missed) },
	"lien":     func(v *site.Visit, p *parcelPage) error { return p.link(v) },
	"repondre": func(v *site.Visit, p *parcelPage) error { return p.reply(v) },
	"retour":   func(v *site.Visit, p *parcelPage) error { return p.back(v) },
}

func (p *parcelPage) post(v *site.Visit, move string, in any) error {
	_, err := site.Post[struct{}](v, "/v1/orders/"+p.Order.ID+"/"+move, in)
	return err
}

// ship says something of the parcel that is on its way.
func (p *parcelPage) ship(v *site.Visit, move string, say func(v *site.Visit) (map[string]any, error)) error {
	shipment := v.Field("colis") // of the form: what is sent twice may find it delivered
	if !plain(shipment) {
		return site.ErrNotFound
	}
	in, err := say(v)
	if err == nil {
		_, err = site.Post[struct{}](v, "/v1/shipments/"+shipment+"/"+move, in)
	}
	return err
}

// Missed is why a parcel was brought in vain, as a form says it.
func Missed(v *site.Visit) (map[string]any, error) {
	in := map[string]any{"reason": v.Field("raison")}
	Scene(v, in)
	return in, nil
}

func prove(v *site.Visit) (map[string]any, error) { return Proof(v, mostPhoto) }

// Proof is what proves that a parcel came, as a form says it: the buyer's code, or
// a photograph with its place, which is handed over first.
func Proof(v *site.Visit, most int64) (map[string]any, error) {
	in := map[string]any{}
	Scene(v, in)
	if code := v.Field("code"); code != "" {
		in["code"] = code
		return in, nil
	}
	_, kind, b, err := v.File("photo", most)
	switch {
	case err != nil:
		return nil, err
	case len(b) == 0 && v.R.PathValue("act") == "photo":
		return nil, &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.proof_photo"}
	case len(b) == 0:
		return nil, &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.proof_code"}
	case in["place"] == nil:
		return nil, &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.proof_place"}
	}
	kept, err := site.Upload[struct {
		ID string `json:"id"`
	}](v, "/v1/files?kind=proof", "preuve", kind, b)
	in["photo"] = kept.ID
	return in, err
}

// Scene adds where and when something was, by the phone's word. The place is
// «lat,lng,metres».
func Scene(v *site.Visit, in map[string]any) {
	var spot [3]json.Number
	if parts := strings.Split(v.Field("lieu"), ","); len(parts) == 3 {
		for i := range parts {
			spot[i] = json.Number(strings.TrimSpace(parts[i]))
			if _, err := spot[i].Float64(); err != nil {
				return
			}
		}
		in["place"] = map[string]json.Number{"lat": spot[0], "lng": spot[1], "accuracy_m": spot[2]}
	}
	if at, err := time.Parse(time.RFC3339, v.Field("quand")); err == nil {
		in["device_at"] = at.UTC()
	}
}

// link makes a link for whoever brings the parcel. It is shown now and not again.
func (p *parcelPage) link(v *site.Visit) error {
	shipment := v.Field("colis")
	if !plain(shipment) {
		return site.ErrNotFound
	}
	made, err := site.Post[struct {
		Secret string `json:"secret"`
	}](v, "/v1/shipments/"+shipment+"/courier-links", nil)
	if err != nil {
		return err
	}
	p.Link = v.Origin + v.Href("/l/"+made.Secret)
	p.Share = "https://wa.me/" + query("text", v.T("sell.link_text", "n", p.Number)+"\n"+p.Link)
	p.Square, err = ui.QR(p.Link)
	return err
}

// reply answers a dispute.
func (p *parcelPage) reply(v *site.Visit) error {
	if p.Dispute == nil {
		return site.ErrNotFound
	}
	in := map[string]any{"accept": v.Field("mot") == "accepter", "text": v.Field("texte")}
	_, err := site.Post[struct{}](v, "/v1/disputes/"+p.Dispute.ID+"/reply", in)
	return err
}

// backMoves are what a seller says of a return.
var backMoves = map[string]string{"accepter": "approve", "refuser": "reject", "recu": "receive"}

func (p *parcelPage) back(v *site.Visit) error {
	move := backMoves[v.Field("mot")]
	if p.Return == nil || move == "" {
		return site.ErrNotFound
	}
	var in any
	switch move {
	case "reject":
		in = map[string]string{"reason": v.Field("raison"), "text": v.Field("texte")}
	case "receive":
		in = map[string]any{}
	}
	_, err := site.Post[struct{}](v, "/v1/returns/"+p.Return.ID+"/"+move, in)
	return err
}

// parcelFields are the fields of the page's forms by what the interface calls them.
var parcelFields = map[string]string{"/code": "code", "/carrier": "transporteur", "/place": "photo", "/photo": "photo", "/amount": "somme", "/text": "texte", "/reason": "raison"}

// act does one step. What was not right is said on the same page; a step that was
// done already is no mistake.
func (d *Desk) act(v *site.Visit, seat site.Seat) error {
	name := v.R.PathValue("act")
	do := acts[name]
	if do == nil {
		return site.ErrNotFound
	}
	p, err := d.parcelOf(v, seat)
	if err != nil {
		return err
	}
	err = do(v, &p)
	if err == nil && p.Link == "" {
		return v.Go("/v/colis/"+p.Order.ID, "fait", name)
	}
	fault, ok := errors.AsType[*site.Fault](err)
	if err != nil && (!ok || fault.Status == http.StatusNotFound || fault.Status == http.StatusUnauthorized || fault.Status >= 500) {
		return err
	}
	if err == nil {
		return v.Show(parcelView(p))
	}
	q, err2 := d.parcelOf(v, seat) // as it stands now: a wrong code counts
	if err2 != nil {
		return err2
	}
	q.Wrongs, q.Typed = v.Wrongs(err, parcelFields), map[string]string{}
	for _, f := range []string{"transporteur", "suivi", "texte", "somme"} {
		q.Typed[f] = v.Field(f)
	}
	if q.Shipment != nil && name == "code" {
		q.Wrongs = []ui.Wrong{{Name: "code", Text: v.T("sell.wrong_code", "n", q.Shipment.TriesLeft)}}
		if fault.Code == "orders.code_locked" || q.Shipment.TriesLeft == 0 {
			q.Wrongs = []ui.Wrong{{Text: v.T("sell.code_locked")}}
		}
	}
	return v.ShowAs(http.StatusUnprocessableEntity, parcelView(q))
}

type labelPage struct {
	at
	Order        orders.View
	Number       string
	Place        string
	Lines        []line
	Square, Link string
}

// label is a page to print and put on the parcel: whom it is for, the weft and the
// number that tell it from others, and a square that opens the buyer's own page,
// where only the buyer says that the goods came.
func (d *Desk) label(v *site.Visit, seat site.Seat) error {
	p, err := d.parcelOf(v, seat)
	if err != nil {
		return err
	}
	l := labelPage{at: d.at(v, seat, v.T("sell.label", "n", p.Number), "/v/colis/"+p.Order.ID), Order: p.Order, Number: p.Number, Place: p.Place, Lines: p.Lines}
	l.Link = v.Origin + "/o/" + p.Order.ID
	if l.Square, err = ui.QR(l.Link); err != nil {
		return err
	}
	return v.Show(labelView(l))
}

// misses are why a parcel is brought in vain.
var misses = []string{"absent", "unreachable", "wrong_address", "refused", "closed", "damaged", "weather", "other"}

// wrongOf is what is wrong with a field; "" nothing.
func wrongOf(all []ui.Wrong, name string) string {
	for _, w := range all {
		if w.Name == name {
			return w.Text
		}
	}
	return ""
}

// known are the reasons of a dispute that have words of their own.
var known = map[string]bool{"not_received": true, "damaged": true, "wrong_item": true, "not_as_described": true, "incomplete": true, "wrong_price": true}
