package orders_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/auth"
)

// mine is the number that order() leaves.
const mine = "+212612345678"

// code asks for a code, and is what to sign in with.
func (h *hub) code(phone, guest string) string {
	h.t.Helper()
	var a struct{ Handle string }
	var box struct{ Data []members.MessageView }
	h.want(202, &a, auth.Key{}, "POST", "/v1/sign-in/codes", fmt.Sprintf(`{"phone":%q}`, phone))
	h.want(200, &box, auth.Key{}, "GET", "/v1/demo/inbox?limit=1&address="+url.QueryEscape(phone), "")
	return fmt.Sprintf(`{"phone":%q,"handle":%q,"code":%q,"guest":%q}`, phone, a.Handle, box.Data[0].Params["code"], guest)
}

// signIn signs somebody in on a device that keeps a guest's secret, or none.
func (h *hub) signIn(phone string, guest auth.Key) (k auth.Key) {
	h.t.Helper()
	secret := ""
	if guest.ID != "" {
		secret = guest.String()
	}
	var v members.SignedIn
	h.want(201, &v, auth.Key{}, "POST", "/v1/sign-in/sessions", h.code(phone, secret))
	k, err := auth.ParseKey(v.Token)
	must(h.t, err)
	return k
}

// holds counts the orders that somebody has.
func (h *hub) holds(key auth.Key) int {
	h.t.Helper()
	var p struct{ Data []orders.Summary }
	h.want(200, &p, key, "GET", "/v1/orders", "")
	return len(p.Data)
}

func TestAGuestsOrdersAreThePersonsWhoSignsInWithTheirPhone(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, first, second, early := h.shop("100.00", 99, ""), h.guest(), h.guest(), h.signIn("+212600000009", auth.Key{})
	one, two := h.buy(first, 1, a), h.buy(second, 1, a)
	h.pay(one)
	h.pay(two)
	b := h.fill(second, 1, a)
	var other checkout // of the second guest, for somebody else's number
	h.want(201, &other, second, "POST", "/v1/checkouts", strings.Replace(order(b, h.quote(second, b).Hash), "06 12 34 56 78", "06 00 00 00 08", 1), b)
	me := h.signIn(mine, auth.Key{})
	if n := h.holds(me); n != 1 {
		t.Errorf("the person has %d orders, want the one of the guest who ordered for nobody else", n)
	}
	if v := h.show(me, one.Orders[0].ID); v.Delivery.Code == "" || v.Delivery.Contact.Phone != mine {
		t.Errorf("the person sees %+v, want the order with its code", v)
	}
	h.want(200, nil, me, "GET", "/v1/order-groups/"+one.Group, "")
	h.want(201, nil, me, "POST", "/v1/orders/"+one.Orders[0].ID+"/messages", `{"text":"Bonjour"}`, "m1")
	h.want(200, nil, me, "POST", "/v1/orders/"+one.Orders[0].ID+"/cancel", `{"reason":"changed_mind"}`, "c1")
	h.refused(404, "orders.not_found", "", me, "GET", "/v1/orders/"+two.Orders[0].ID, "")
	h.refused(404, "orders.not_found", "", early, "GET", "/v1/orders/"+one.Orders[0].ID, "")
	h.refused(401, "auth.unknown", "", first, "GET", "/v1/orders", "")
	if h.holds(second) != 2 || h.holds(early) != 0 {
		t.Error("who was not found lost orders, or who ordered nothing has some")
	}
	if h.holds(h.signIn("+212600000008", second)) != 2 || h.holds(h.signIn(mine, second)) != 1 {
		t.Error("the first to show a secret has its orders, and nobody after")
	}
}

// A number that nobody pays for is given to somebody else: who has it now sees
// nothing that is old, but a device's secret shows whose it was.
func TestAPhoneAloneBringsNothingOlderThanNinetyDays(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, kept, lost := h.shop("100.00", 99, ""), h.guest(), h.guest()
	h.buy(kept, 1, a)
	h.buy(lost, 1, a)
	h.advance(91 * 24 * time.Hour)
	h.buy(lost, 1, a)
	if n := h.holds(h.signIn(mine, auth.Key{})); n != 0 {
		t.Errorf("the number alone brings %d old orders", n)
	}
	if n := h.holds(h.signIn(mine, kept)); n != 1 {
		t.Errorf("with the secret there are %d orders, want 1", n)
	}
}

func TestTwoWhoClaimOneGuestDoNotShareIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a := h.shop("100.00", 99, "")
	for i := range 4 {
		guest := h.guest()
		c := h.buy(guest, 1, a)
		phones := []string{mine, fmt.Sprintf("+21260000010%d", i)}
		bodies := []string{h.code(phones[0], ""), h.code(phones[1], guest.String())}
		var in sync.WaitGroup
		tokens := make([]members.SignedIn, 2)
		for j := range 2 {
			in.Go(func() {
				h.want(201, &tokens[j], auth.Key{}, "POST", "/v1/sign-in/sessions", bodies[j])
			})
		}
		in.Wait()
		seen := 0
		for _, v := range tokens {
			k, err := auth.ParseKey(v.Token)
			must(t, err)
			if h.ask(k, "GET", "/v1/orders/"+c.Orders[0].ID, "").Code == 200 {
				seen++
			}
		}
		if seen != 1 {
			t.Errorf("%d of two persons see the order, want one", seen)
		}
		h.advance(11 * time.Minute) // for more codes
	}
}

func TestSixtyFiveLinesOfAGuestSurviveSigningIn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, guest := h.shop("100.00", 9, ""), h.guest()
	variants := h.assorted(a, 65, 50)
	from := h.filled(guest, 2, variants...)
	me, stranger := h.signIn(mine, guest), h.signIn("+212600000007", guest)
	to, theirs := h.filled(me, 3, variants[:10]...), h.filled(stranger, 1)
	h.refused(404, "orders.no_basket", "/key", stranger, "POST", "/v1/baskets/"+theirs+"/merge", merging(from, guest), "s1")
	h.refused(404, "orders.no_basket", "/from", stranger, "POST", "/v1/baskets/"+theirs+"/merge", fmt.Sprintf(`{"from":%q}`, from), "s2")
	var b orders.MergeView
	h.want(200, &b, me, "POST", "/v1/baskets/"+to+"/merge", merging(from, guest), "m1") // a device sends the secret that it keeps
	units := 0
	for _, l := range b.Lines {
		units += l.Quantity
	}
	if len(b.Lines) != 65 || units != 65*2+10*3 || len(b.Notes) != 0 {
		t.Errorf("%d lines with %d units survive, want 65 with 160; %+v", len(b.Lines), units, b.Notes)
	}
}
