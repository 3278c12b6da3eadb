package seller

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"tiwiza/marketplace/catalog"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A good is one of the seller's own offers in the grid.
type good struct {
	ID, State, Tone, Tag string
	Name                 ui.Said
	Picture              ui.Picture
	Sizes                []goodSize
	Live                 bool
}

type goodSize struct {
	ID    string
	Name  ui.Said
	View  catalog.VariantView
	Count int
	Keeps bool // it has a stock
}

type goodsPage struct {
	at
	Goods  []good
	Key    string
	Next   string
	Wrongs []ui.Wrong
}

// goodTones are how the states of goods are shown.
var goodTones = map[catalog.State]string{catalog.Published: "ok", catalog.Draft: "warn", catalog.Paused: "warn"}

// goods is the grid of all that the seller sells, by its photographs.
func (d *Desk) goods(v *site.Visit, seat site.Seat) error {
	return d.showGoods(v, seat, http.StatusOK, nil)
}

func (d *Desk) showGoods(v *site.Visit, seat site.Seat, status int, wrong []ui.Wrong) error {
	p := goodsPage{at: d.at(v, seat, v.T("sell.goods"), "/v"), Key: site.NewKey(), Wrongs: wrong}
	found, err := site.Get[page[catalog.View]](v, "/v1/offers/mine"+query("limit", "24", "cursor", v.Query.Get("suite")))
	if err != nil {
		return err
	}
	for _, o := range found.Data {
		if o.State == catalog.Archived {
			continue
		}
		g := good{
			ID: o.ID, State: string(o.State), Name: v.Say(o.Names), Live: o.State == catalog.Published,
			Tone: goodTones[o.State], Tag: v.T("sell.good_" + string(o.State)),
		}
		if g.Live && !o.Available {
			g.Tone, g.Tag = "bad", v.T("common.sold_out")
		}
		if len(o.Images) > 0 {
			g.Picture = wide(o.Images[0])
			g.Picture.Lazy = len(p.Goods) > 3
		}
		for _, x := range o.Variants {
			s := goodSize{ID: x.ID, Name: v.Say(x.Names), View: x, Keeps: x.Policy == catalog.Stocked}
			if x.OnHand != nil {
				s.Count = *x.OnHand
			}
			g.Sizes = append(g.Sizes, s)
		}
		p.Goods = append(p.Goods, g)
	}
	if n := found.next(); n != "" {
		p.Next = v.Href("/v/produits", "suite", n)
	}
	return v.ShowAs(status, goodsView(p))
}

// moves of goods by the last part of the address.
var goodMoves = map[string]string{"cacher": "pause", "montrer": "publish", "ranger": "archive"}

// keepGoods changes the stock of goods, or whether they are shown. A change of
// stock says how many the seller saw: sent twice it is done once, and what was sold
// meanwhile is not sold again.
func (d *Desk) keepGoods(v *site.Visit, seat site.Seat) error {
	offer, err := named(v, "offer")
	if err != nil {
		return err
	}
	act := v.R.PathValue("act")
	switch move := goodMoves[act]; {
	case act == "reste":
		err = d.stock(v)
	case move != "":
		_, err = site.Post[struct{}](v, "/v1/offers/"+offer+"/"+move, nil)
	default:
		return site.ErrNotFound
	}
	if fault, ok := errors.AsType[*site.Fault](err); ok && (fault.Status == http.StatusConflict || fault.Status == http.StatusUnprocessableEntity) {
		if site.Code(err) == "catalog.wrong_state" && act != "reste" { // it is there already, or sent twice
			return v.Go("/v/produits")
		}
		return d.showGoods(v, seat, fault.Status, []ui.Wrong{{Text: v.Explain(err)}})
	}
	if err != nil {
		return err
	}
	if to := v.Field("vers"); strings.HasPrefix(to, "/v/") {
		return v.Go(to)
	}
	return v.Go("/v/produits")
}

func (d *Desk) stock(v *site.Visit) error {
	variant := v.Field("taille")
	from, err1 := strconv.Atoi(v.Field("de"))
	to, err2 := strconv.Atoi(v.Field("a"))
	if !plain(variant) || err1 != nil || err2 != nil || to < 0 {
		return &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.stock"}
	}
	_, err := site.Do[struct{}](v, http.MethodPatch, "/v1/variants/"+variant+"/stock", map[string]int{"on_hand": to, "from": from})
	return err
}

// export hands the seller's catalogue over as a file.
func (d *Desk) export(v *site.Visit, _ site.Seat) error {
	format := v.R.PathValue("format")
	if format != "csv" && format != "xlsx" {
		return site.ErrNotFound
	}
	b, h, err := v.Raw("/v1/exports/offers." + format)
	if err != nil {
		return err
	}
	return hand(v, b, h.Get("Content-Type"), "offres."+format)
}

// hand gives the visitor a file to keep.
func hand(v *site.Visit, b []byte, kind, name string) error {
	h := v.W.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	_, _ = v.W.Write(b) // the visitor may be gone
	return nil
}
