package notices_test

import (
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/groupbuys"
	"tiwiza/marketplace/loyalty"
	"tiwiza/marketplace/notices"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/pools"
	"tiwiza/marketplace/quotations"
	"tiwiza/payments/charges"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// TestRule3_2_WhoPaidTooLateIsToldThatItGoesBack has money come when its order had
// ended, or too much of it: its refund is of no order, and its buyer hears of it
// all the same, and is asked for an account when it needs one.
func TestRule3_2_WhoPaidTooLateIsToldThatItGoesBack(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	buyer, o := id.New(id.Person), id.New(id.Order)
	sum := money.MustParse("75.00", money.MAD)
	p.briefs[o] = orders.Brief{ID: o, Buyer: buyer, Seller: id.New(id.Organisation), Total: sum, Phone: "+212600000002", State: orders.Expired}
	for _, c := range []struct {
		event pg.Event
		want  string
	}{
		{charges.RefundMade{Refund: "rfd_1", Charge: "chg_1", Buyer: buyer, Amount: sum}, "75,00 DH sont venus trop tard ou en trop pour la commande " + notices.Number(o)},
		{charges.RefundMade{Refund: "rfd_1", Charge: "chg_1", Buyer: buyer, Amount: sum}, ""},
		{charges.RefundWaits{Refund: "rfd_1", Charge: "chg_1", Buyer: buyer, State: charges.RefundAwaiting, Amount: sum}, "Donnez votre RIB"},
		{charges.Refunded{Refund: "rfd_1", Charge: "chg_1", Buyer: buyer, Amount: sum}, "75,00 DH vous ont été"},
		{charges.RefundMade{Refund: "rfd_2", Charge: "chg_unknown", Buyer: buyer, Amount: sum}, ""},
	} {
		before := len(p.sms.sent())
		p.publish(c.event)
		told := ""
		for _, m := range p.sms.sent()[before:] {
			told += m.Text
		}
		if (told == "") != (c.want == "") || !strings.Contains(told, c.want) {
			t.Errorf("%T: the buyer is told %q, want %q", c.event, told, c.want)
		}
	}
}

// A label that ends, an article that sold out, a quotation that is asked for, what
// was bought together: each is told to whom it concerns, once.
func TestTheTradeIsToldToWhomItConcerns(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	shop, buyer := id.New(id.Organisation), id.New(id.Person)
	p.people[shop], p.people[buyer] = []notices.Address{{Phone: "+212600000001"}}, []notices.Address{{Phone: "+212600000002"}}
	ends := catalog.LabelExpiring{Label: "lab_1", Seller: shop, Code: "Bio", Days: 7, Last: "2027-03-31"}
	label := func(s catalog.LabelState) catalog.LabelMoved {
		return catalog.LabelMoved{Label: "lab_1", Seller: shop, Code: "Bio", State: s}
	}
	stock := func(left bool) catalog.AvailabilityChanged {
		return catalog.AvailabilityChanged{Variant: "var_1", Offer: "off_1", Seller: shop, Available: left, Names: map[string]string{"fr": "Huile d’argane"}}
	}
	request := quotations.RequestMoved{Request: "qrq_1", Buyer: buyer, State: quotations.Open, Sellers: []string{shop}}
	closed := request
	closed.State = quotations.Closed
	offer := func(s quotations.OfferState) quotations.OfferMoved {
		return quotations.OfferMoved{Offer: "qof_1", Request: "qrq_1", Seller: shop, Buyer: buyer, State: s}
	}
	deal := func(s pools.DealState) pools.DealMoved {
		return pools.DealMoved{Deal: "dea_1", Pool: "pol_1", Buyer: buyer, Seller: shop, State: s, Quantity: 3, Price: 4050}
	}
	group := func(s groupbuys.State, organiser string) groupbuys.Moved {
		return groupbuys.Moved{Group: "gby_" + string(s), Seller: shop, Organiser: organiser, State: s}
	}
	o := id.New(id.Order)
	p.briefs[o] = orders.Brief{ID: o, Buyer: buyer, Seller: shop, SellerNames: map[string]string{"fr": "Coopérative Exemple"}, Total: money.Dirhams(100), Phone: "+212600000002"}
	review := func(state string, replied bool) orders.ReviewMoved {
		return orders.ReviewMoved{Review: "rev_1", Order: o, Seller: shop, Buyer: buyer, Stars: 4, State: state, Replied: replied}
	}
	claim := func(s catalog.ChangeState) catalog.ChangeDecided {
		return catalog.ChangeDecided{Change: "chn_" + string(s), Offer: "off_1", Seller: shop, State: s}
	}
	for i, c := range []struct {
		event         pg.Event
		seller, buyer string // a part of what each is told; "" is nothing
	}{
		{review("shown", false), notices.Number(o) + " a recu un avis, 4 sur 5", ""},
		{review("hidden", false), "", ""},
		{review("shown", true), "", "Coopérative Exemple a répondu à votre avis"},
		{claim(catalog.Approved), "article est accepté", ""},
		{claim(catalog.Rejected), "pas accepté ce que", ""},
		{claim(catalog.TakenBack), "", ""},
		{claim(catalog.Approved), "", ""},
		{offer(quotations.Withdrawn), "", ""},
		{stock(false), "argane est épuisé", ""},
		{stock(true), "", ""},
		{stock(false), "", ""}, // once a day
		{ends, "label Bio finit le 31/03/2027", ""},
		{ends, "", ""},
		{label(catalog.Claimed), "", ""},
		{label(catalog.Verified), "Bio est vérifié", ""},
		{label(catalog.Expired), "ne voient plus le label Bio", ""},
		{label(catalog.Withdrawn), "", ""}, // it was the seller itself
		{request, "demande un devis", ""},
		{closed, "", ""},
		{quotations.RequestOpened{Request: "qrq_2", Category: "oils", Sellers: []string{shop}}, "demande un devis", ""},
		{quotations.RequestOpened{Request: "qrq_3", Category: "oils", Sellers: []string{shop}}, "", ""}, // once a day
		{offer(quotations.Standing), "", "répond à votre demande"},
		{offer(quotations.Accepted), "devis est accepté", ""},
		{offer(quotations.Expired), "", ""},
		{deal(pools.Proposed), "", "121,50 DH et la livraison"},
		{deal(pools.Paid), "", ""},
		{group(groupbuys.Asked, buyer), "propose un achat groupé", ""},
		{group(groupbuys.Asked, id.New(id.Person)), "", ""}, // once a day
		{group(groupbuys.Open, buyer), "", ""},
		{group(groupbuys.Ordered, buyer), "achat groupé est terminé", "achat groupé est terminé"},
		{group(groupbuys.Failed, shop), "achat groupé est terminé", ""},
		{loyalty.Expiring{Person: buyer, Points: 120, On: time.Date(2027, 3, 31, 12, 0, 0, 0, clock.Morocco)}, "", "120 points finissent à partir du 31/03/2027"},
	} {
		if i%8 == 7 {
			p.at(10, 0) // nobody is told so much in an hour
		}
		before := len(p.sms.sent())
		p.publish(c.event)
		told := map[string]string{}
		for _, m := range p.sms.sent()[before:] {
			told[m.To] += m.Text
		}
		for to, want := range map[string]string{"+212600000001": c.seller, "+212600000002": c.buyer} {
			if got := told[to]; (got == "") != (want == "") || !strings.Contains(got, want) {
				t.Errorf("%T %+v: %s is told %q, want %q", c.event, c.event, to, got, want)
			}
		}
	}
}
