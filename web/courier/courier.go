// Package courier is the one page of whoever brings a parcel. It opens by a link
// that was given for this parcel; there is nobody to sign in.
package courier

import (
	"errors"
	"net/http"
	"strings"

	"tiwiza/marketplace/orders"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/money"
	"tiwiza/web/seller"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A Desk serves the courier's page.
type Desk struct{ Site *site.Site }

// Mount puts the page on mux.
func (d *Desk) Mount(mux *http.ServeMux) {
	mux.Handle("GET /l/{token}", d.Site.Page(ui.Courier, d.show))
	mux.Handle("POST /l/{token}/{act}", d.Site.Page(ui.Courier, d.act))
	mux.Handle("GET /hors-ligne/l", d.Site.Page(ui.Courier, d.offline))
}

// offline is what a telephone keeps for when there is no network. Anybody may read
// it: it holds nothing of a parcel.
func (d *Desk) offline(v *site.Visit) error {
	v.Title, v.Public = v.T("help.offline"), true
	return v.Show(offlineView(v.Page))
}

// misses are why a parcel is brought in vain.
var misses = []string{"absent", "unreachable", "wrong_address", "refused", "closed", "damaged", "weather", "other"}

type courierPage struct {
	*ui.Page
	View   orders.CourierView
	Number string
	Seller ui.Said
	Place  string
	Map    string // the address for the phone's own map
	Lines  []line
	Token  string
	Key    string
	Wrongs []ui.Wrong
	Typed  string
	Phone  string
}

type line struct {
	Name  ui.Said
	Count int
}

// Open says whether the parcel is still to be brought.
func (p courierPage) Open() bool {
	return p.View.Shipment.State == orders.OnItsWay || p.View.Shipment.State == orders.Missed
}

// Wrong is what is wrong with a field; "" nothing.
func (p courierPage) Wrong(name string) string {
	for _, w := range p.Wrongs {
		if w.Name == name {
			return w.Text
		}
	}
	return ""
}

// token is the secret of the page's address, which this visit's requests bring.
func token(v *site.Visit) (string, error) {
	t := v.R.PathValue("token")
	if len(t) != 22 || strings.ContainsFunc(t, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return "", site.ErrNotFound
	}
	v.As("lnk." + t)
	return t, nil
}

// gone is what a link that opens nothing any more is to a visitor: no page. There
// is nowhere to sign in.
func gone(err error) error {
	if f, ok := errors.AsType[*site.Fault](err); ok && f.Status == http.StatusUnauthorized {
		return site.ErrNotFound
	}
	return err
}

func (d *Desk) show(v *site.Visit) error {
	p, err := d.page(v)
	if err != nil {
		return gone(err)
	}
	return v.Show(courierView(p))
}

func (d *Desk) page(v *site.Visit) (p courierPage, err error) {
	t, err := token(v)
	if err != nil {
		return p, err
	}
	x, err := site.Get[orders.CourierView](v, "/v1/courier")
	if err != nil {
		return p, err
	}
	p = courierPage{Page: v.Page, View: x, Number: seller.Number(x.Order), Seller: v.Say(x.Seller.Names), Token: t, Key: site.NewKey(), Place: x.Commune, Phone: d.Site.Phone}
	if at, ok := geo.Find(x.Commune); ok && at.Names[string(v.Lang.Text())] != "" {
		p.Place = at.Names[string(v.Lang.Text())]
	}
	p.Map = "geo:0,0?q=" + strings.ReplaceAll(x.Address+", "+x.Commune, " ", "+")
	for _, a := range x.Articles {
		p.Lines = append(p.Lines, line{v.Say(a.Names), a.Quantity})
	}
	v.Title = v.T("sell.parcel", "n", p.Number)
	return p, nil
}

// act proves the parcel, or says why it did not come. What is sent twice is one.
func (d *Desk) act(v *site.Visit) error {
	t, err := token(v)
	if err != nil {
		return err
	}
	shipment, order := v.Field("colis"), v.Field("commande")
	if !plain(shipment) || !plain(order) {
		return site.ErrNotFound
	}
	name := v.R.PathValue("act")
	switch name {
	case "code", "photo":
		var in map[string]any
		if in, err = seller.Proof(v, mostPhoto); err == nil {
			_, err = site.Post[struct{}](v, "/v1/shipments/"+shipment+"/deliver", in)
		}
	case "echec":
		var in map[string]any
		if in, err = seller.Missed(v); err == nil {
			_, err = site.Post[struct{}](v, "/v1/shipments/"+shipment+"/fail", in)
		}
	case "encaisser":
		m, bad := money.Parse(strings.NewReplacer(",", ".", " ", "").Replace(v.Field("somme")), money.MAD)
		if bad != nil || m.Sign() <= 0 {
			err = &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.amount"}
			break
		}
		_, err = site.Post[struct{}](v, "/v1/orders/"+order+"/collect", map[string]any{"amount": m})
	default:
		return site.ErrNotFound
	}
	if err == nil {
		return v.Go("/l/" + t)
	}
	fault, ok := errors.AsType[*site.Fault](err)
	if !ok || fault.Status >= 500 || fault.Status == http.StatusNotFound || fault.Status == http.StatusUnauthorized {
		return gone(err)
	}
	return d.again(v, name, fault)
}

const mostPhoto = 12 << 20

// fields of the forms by what the interface calls them.
var fields = map[string]string{"/code": "code", "/place": "photo", "/photo": "photo", "/amount": "somme", "/reason": "raison"}

// again shows the page as it stands now with what was wrong: a wrong code counts.
func (d *Desk) again(v *site.Visit, act string, fault *site.Fault) error {
	p, err := d.page(v)
	if err != nil {
		return gone(err)
	}
	p.Wrongs, p.Typed = v.Wrongs(fault, fields), v.Field("somme")
	if act == "code" && p.Open() {
		p.Wrongs = []ui.Wrong{{Name: "code", Text: v.T("sell.wrong_code", "n", p.View.Shipment.TriesLeft)}}
		if p.View.Shipment.TriesLeft == 0 {
			p.Wrongs = []ui.Wrong{{Text: v.T("sell.code_locked")}}
		}
	}
	return v.ShowAs(http.StatusUnprocessableEntity, courierView(p))
}

// plain says that s can be a part of an address of the interface.
func plain(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
}
