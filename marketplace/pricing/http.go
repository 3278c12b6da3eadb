package pricing

import (
	"context"
	"net/http"
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const groups, lists = "/v1/customer-groups", "/v1/price-lists"
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Commit("POST", groups, "customer_groups.make", "Make a group of one's customers", made, s.MakeGroup),
		rest.Handle("GET", groups, "customer_groups.list", "List a seller's groups of customers, the newest first", ok, s.ListGroups),
		rest.Handle("GET", groups+"/{group}/members", "customer_groups.members", "List who is in a group", ok, s.ListMembers),
		rest.Commit("POST", groups+"/{group}/members", "customer_groups.change", "Put customers into a group, or take them out", ok, s.ChangeMembers),
		rest.Commit("POST", groups+"/{group}/end", "customer_groups.end", "End a group of customers", ok, s.EndGroup),
		rest.Commit("POST", lists, "price_lists.make", "Make a price list for a group", made, s.MakeList),
		rest.Handle("GET", lists, "price_lists.list", "List a seller's price lists, the newest first", ok, s.ListLists),
		rest.Handle("GET", lists+"/{list}", "price_lists.show", "Show a price list with its prices", ok, s.ShowList),
		rest.Commit("POST", lists+"/{list}/end", "price_lists.end", "End a price list", ok, s.EndList),
		rest.Handle("GET", "/v1/offers/{offer}/own-prices", "price_lists.own", "Show what an offer costs the caller, by number", ok, s.OwnPrices),
	}
}

// GroupView is a group as its seller and the operator see it.
type GroupView struct {
	ID      string     `json:"id" required:"true"`
	Seller  string     `json:"seller" required:"true"`
	Name    string     `json:"name" required:"true"`
	Size    int        `json:"size" required:"true" description:"How many customers are in it."`
	MadeAt  time.Time  `json:"made_at" required:"true"`
	EndedAt *time.Time `json:"ended_at,omitempty"`
}

func (g Group) view() GroupView {
	return GroupView{g.ID, g.Seller, g.Name, g.Size, g.MadeAt.UTC(), rest.UTC(g.EndedAt)}
}

// MemberView is a customer in a group.
type MemberView struct {
	Member  string    `json:"member" required:"true"`
	AddedAt time.Time `json:"added_at" required:"true"`
}

// ListView is a price list as its seller and the operator see it.
type ListView struct {
	ID      string      `json:"id" required:"true"`
	Seller  string      `json:"seller" required:"true"`
	Group   string      `json:"group" required:"true"`
	Name    string      `json:"name" required:"true"`
	From    string      `json:"from" required:"true" format:"date"`
	To      string      `json:"to" required:"true" format:"date"`
	Prices  []PriceLine `json:"prices,omitempty" description:"Left out in lists."`
	MadeAt  time.Time   `json:"made_at" required:"true"`
	EndedAt *time.Time  `json:"ended_at,omitempty"`
}

// PriceLine is one price of a list.
type PriceLine struct {
	Variant string           `json:"variant,omitempty" maxLength:"40" description:"Left out: all goods of the seller; then with a percentage."`
	Least   int              `json:"least,omitempty" minimum:"1" maximum:"999" default:"1" description:"From how many on."`
	Price   *money.Money     `json:"price,omitempty" description:"Of each."`
	Percent *decimal.Decimal `json:"percent,omitempty" description:"Off the public price."`
}

func (l List) view() ListView {
	v := ListView{
		ID: l.ID, Seller: l.Seller, Group: l.Group, Name: l.Name, From: l.Since.In(clock.Morocco).Format(time.DateOnly),
		To: l.Until.In(clock.Morocco).AddDate(0, 0, -1).Format(time.DateOnly), MadeAt: l.MadeAt.UTC(), EndedAt: rest.UTC(l.EndedAt),
	}
	for _, p := range l.Prices {
		line := PriceLine{Variant: p.Variant, Least: p.Least}
		if p.Price > 0 {
			m := money.Dirhams(p.Price)
			line.Price = &m
		} else {
			line.Percent = &p.Percent
		}
		v.Prices = append(v.Prices, line)
	}
	return v
}

// OneGroup names a group.
type OneGroup struct {
	Group string `path:"group"`
}

// OneList names a price list.
type OneList struct {
	List string `path:"list"`
}

// SellersInput asks for a seller's groups or lists.
type SellersInput struct {
	Seller string `query:"seller" maxLength:"40" description:"Whose; for operators, who must say it."`
	Ended  bool   `query:"ended" description:"Also those that have ended."`
	rest.Paging
}

func (in SellersInput) of(ctx context.Context, k id.Kind) (seller, below string, err error) {
	seller, ok := auth.From(ctx).Of(in.Seller)
	switch {
	case !ok:
		return "", "", ErrNoGroup
	case seller == "":
		return "", "", ErrInvalid.At("?seller", "Say whose.")
	}
	below, err = in.After(k)
	return seller, below, err
}

// ListGroups lists a seller's groups.
func (s *Service) ListGroups(ctx context.Context, in SellersInput) (p rest.Page[GroupView], err error) {
	seller, below, err := in.of(ctx, id.CustomerGroup)
	if err != nil {
		return p, err
	}
	all, err := listGroups(ctx, s.db, seller, in.Ended, below, in.Limit+1)
	return rest.View(all, in.Limit, Group.view, func(v GroupView) any { return v.ID }), err
}

// MembersList asks who is in a group.
type MembersList struct {
	Group string `path:"group"`
	rest.Paging
}

// ListMembers lists who is in a group, by their ids.
func (s *Service) ListMembers(ctx context.Context, in MembersList) (p rest.Page[MemberView], err error) {
	g, err := byID(ctx, s.db, in.Group)
	if err != nil {
		return p, err
	}
	if !mine(ctx, g.Seller) {
		return p, ErrNoGroup
	}
	behind, err := in.After(id.Person, id.Organisation)
	if err != nil {
		return p, err
	}
	all, err := listMembers(ctx, s.db, g.ID, behind, in.Limit+1)
	for i := range all {
		all[i].AddedAt = all[i].AddedAt.UTC()
	}
	return rest.Cut(all, in.Limit, func(v MemberView) any { return v.Member }), err
}

// ListLists lists a seller's price lists.
func (s *Service) ListLists(ctx context.Context, in SellersInput) (p rest.Page[ListView], err error) {
	seller, below, err := in.of(ctx, id.PriceList)
	if err != nil {
		return p, err
	}
	all, err := listLists(ctx, s.db, seller, in.Ended, below, in.Limit+1)
	return rest.View(all, in.Limit, List.view, func(v ListView) any { return v.ID }), err
}

// ShowList shows a price list with its prices.
func (s *Service) ShowList(ctx context.Context, in OneList) (v ListView, err error) {
	l, err := listByID(ctx, s.db, in.List)
	if err != nil {
		return v, err
	}
	if !mine(ctx, l.Seller) {
		return v, ErrNoList
	}
	l.Prices, err = pricesOf(ctx, s.db, l.ID)
	return l.view(), err
}

// OneOffer names an offer.
type OneOffer struct {
	Offer string `path:"offer"`
}

// OwnView is what an offer costs one buyer.
type OwnView struct {
	Offer    string       `json:"offer" required:"true"`
	Variants []OwnVariant `json:"variants" required:"true"`
}

// OwnVariant is what a variant costs one buyer, by how many are taken.
type OwnVariant struct {
	Variant string    `json:"variant" required:"true"`
	Prices  []OwnStep `json:"prices" required:"true" description:"By rising number; each holds up to the next."`
}

// OwnStep is what each costs from a number on.
type OwnStep struct {
	Least int         `json:"least" required:"true"`
	Price money.Money `json:"price" required:"true"`
	From  string      `json:"price_from" required:"true" enum:"public,list"`
}

// OwnPrices shows what an offer costs the caller. The offer itself shows its
// public prices to everybody and can be kept by whoever stands between; this is
// for one buyer alone.
func (s *Service) OwnPrices(ctx context.Context, in OneOffer) (v OwnView, err error) {
	items, err := s.goods.ItemsOf(ctx, s.db, in.Offer)
	if err != nil {
		return v, err
	}
	if len(items) == 0 || !items[0].Published {
		return v, ErrNoOffer
	}
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.Variant
	}
	var mine []Own
	if err := pg.Together(ctx, s.db, own(auth.From(ctx).Subject, []string{items[0].Seller}, ids, &mine)); err != nil {
		return v, err
	}
	v = OwnView{in.Offer, []OwnVariant{}}
	for _, item := range items {
		v.Variants = append(v.Variants, OwnVariant{item.Variant, steps(item, mine)})
	}
	return v, nil
}

// steps are the prices of a variant by number, those alone at which one changes.
func steps(item catalog.Item, own []Own) (out []OwnStep) {
	for _, n := range numbers(item, own) {
		p, better := Best(own, item.Seller, item.Variant, n, item.PriceOf(n))
		step := OwnStep{n, p, "public"}
		if better {
			step.From = "list"
		}
		if last := len(out) - 1; last < 0 || !out[last].Price.Equal(p) || out[last].From != step.From {
			out = append(out, step)
		}
	}
	return out
}
