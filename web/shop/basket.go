package shop

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"tiwiza/marketplace/orders"
	"tiwiza/pkg/fault"
	"tiwiza/web/site"
)

// most is how many of one article a basket takes.
const most = 999

// put lays an article into the visitor's basket: to buy it at once, or to look
// for more.
func (s *Shop) put(v *site.Visit) error {
	variant, n := v.Field("variante"), count(v.Field("combien"))
	if variant == "" || !plain(variant) {
		return v.Go("/p/" + v.Field("offre"))
	}
	if err := v.Guest(); err != nil {
		return err
	}
	b, err := s.openBasket(v)
	if err != nil {
		return err
	}
	buy := v.Field("faire") != "ajouter"
	for _, l := range b.Lines {
		if l.Variant == variant && buy {
			n = max(n, l.Quantity)
		} else if l.Variant == variant {
			n = min(n+l.Quantity, most)
		}
	}
	if b, err = putLine(v, b.ID, variant, n); err != nil {
		return err
	}
	v.KeepBasket(b.ID, things(b))
	if !buy && plain(v.Field("offre")) && v.Field("offre") != "" {
		return v.Go("/p/"+v.Field("offre"), "ajoute", "1")
	}
	return v.Go("/panier")
}

// count reads how many are wanted: at least one.
func count(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 1
	}
	return max(1, min(n, most))
}

func things(b orders.BasketView) (n int) {
	for _, l := range b.Lines {
		n += l.Quantity
	}
	return n
}

// openBasket is the visitor's basket as it is, or a new one when there is none
// that things can be put into.
func (s *Shop) openBasket(v *site.Visit) (orders.BasketView, error) {
	if id := v.Basket(); id != "" {
		b, err := site.Get[orders.BasketView](v, "/v1/baskets/"+escape(id))
		switch {
		case err == nil && b.State == "open":
			return b, nil
		case err != nil && !gone(err):
			return b, err
		}
	}
	return site.Post[orders.BasketView](v, "/v1/baskets", nil)
}

// gone says that a thing is not there for this visitor.
func gone(err error) bool {
	f, ok := errors.AsType[*site.Fault](err)
	return ok && f.Status == http.StatusNotFound || fault.KindOf(err) == fault.NotFound
}

func putLine(v *site.Visit, basket, variant string, n int) (orders.BasketView, error) {
	return site.Do[orders.BasketView](v, http.MethodPut, "/v1/baskets/"+escape(basket)+"/lines/"+escape(variant), map[string]int{"quantity": n})
}

// settle brings the basket to what the form says of its lines.
func (s *Shop) settle(v *site.Visit, basket string) error {
	b, err := site.Get[orders.BasketView](v, "/v1/baskets/"+escape(basket))
	if err != nil {
		return err
	}
	out, only, left := v.Field("enlever"), "", 0
	if variant, n, ok := strings.Cut(v.Field("mettre"), "."); ok {
		only, left = variant, count(n)
	}
	for _, l := range b.Lines {
		n := l.Quantity
		if t := v.Field("q." + l.Variant); t != "" {
			if typed, err := strconv.Atoi(t); err == nil {
				n = max(0, min(typed, most))
			}
		}
		switch l.Variant {
		case out:
			n = 0
		case only:
			n = left
		}
		if n == l.Quantity {
			continue
		}
		if b, err = putLine(v, basket, l.Variant, n); err != nil {
			return err
		}
	}
	v.KeepBasket(basket, things(b))
	return nil
}

// paidWith says how somebody paid the last time, if it was so.
func paidWith(method string) string { return cmp.Or(method, "card") }
