package main

import (
	"math/rand/v2"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// pending is a sale of one thing that waits for its payment.
func (r *rig) pending(t *testing.T) sale {
	t.Helper()
	return r.checkout(t, r.buyer(t), map[string]int{r.ware(t, r.seller(t), 1, "50.00").variant: 1})
}

// unpaid fails if a sale's charge was touched: its state, and the operations it
// has, are those of a page that was handed out.
func (r *rig) unpaid(t *testing.T, s sale) {
	t.Helper()
	if o := r.orderOf(t, s.buyer, s.Orders[0].ID); o.State != "pending_payment" || !o.Escrow.Held.IsZero() {
		t.Errorf("the order is %s and holds %s, want pending_payment and nothing", o.State, o.Escrow.Held)
	}
	var c struct{ State string }
	if r.ask(t, req{key: s.buyer, method: "GET", path: "/v1/charges/" + s.Charge.ID}).into(t, &c); c.State != "accepted" {
		t.Errorf("the charge is %s, want accepted", c.State)
	}
	if kinds := r.operationsOf(t, s.Charge.ID); len(kinds) != 1 || kinds[0] != "charge" {
		t.Errorf("the charge has the operations %v, want [charge]", kinds)
	}
}

// operationsOf are the kinds of operation that something has.
func (r *rig) operationsOf(t *testing.T, subject string) (kinds []string) {
	t.Helper()
	cursor := ""
	for range 20 {
		var list struct {
			Data []struct{ Subject, Kind string }
			Next *string
		}
		r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/operations?limit=100" + cursor}).into(t, &list)
		for _, o := range list.Data {
			if o.Subject == subject {
				kinds = append(kinds, o.Kind)
			}
		}
		if list.Next == nil {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(*list.Next)
	}
	return kinds
}

// forged sends a signed callback with one byte altered, at each of many places.
func forged(t *testing.T, r *rig, _ trade) {
	s := r.pending(t)
	key := r.config(t).Acquirer.StoreKey
	body := sign(r.notice(t, s.Charge.ID, s.Charge.Amount.Amount()), key)
	right, err := url.ParseQuery(body)
	if err != nil {
		t.Fatal(err)
	}
	step := 3
	if long {
		step = 1
	}
	tried := 0
	for i := rand.IntN(step); i < len(body); i += step {
		b := []byte(body)
		b[i] ^= 1 << rand.IntN(7)
		if v, err := url.ParseQuery(string(b)); err == nil && reflect.DeepEqual(v, right) {
			continue // the same, in other letters: %2b for %2B
		}
		tried++
		if got, want := r.callback(t, string(b)), "FAILURE"; got != want {
			t.Errorf("with byte %d altered the hub answers %s, want %s\n%s", i, got, want, b)
		}
	}
	if tried < 100 {
		t.Errorf("only %d forgeries were tried", tried)
	}
	for name, body := range map[string]string{
		"nothing": "", "no signature": strings.Split(body, "HASH=")[0], "another key": sign(r.notice(t, s.Charge.ID, s.Charge.Amount.Amount()), key+"x"),
		"no key": sign(r.notice(t, s.Charge.ID, s.Charge.Amount.Amount()), ""), "half": body[:len(body)/2], "a field more": body + "&note=1",
	} {
		if got := r.callback(t, body); got != "FAILURE" {
			t.Errorf("a callback with %s is answered %s, want FAILURE", name, got)
		}
	}
	r.ask(t, req{method: "POST", path: "/callbacks/nobody/card", body: body, media: "application/x-www-form-urlencoded"}).refused(t, 404, "charges.no_such_partner")
	r.unpaid(t, s)
}

// otherPayments sends callbacks that are rightly signed and speak of something
// else than the charge they name. None is answered by a capture.
func otherPayments(t *testing.T, r *rig, _ trade) {
	s, other := r.pending(t), r.pending(t)
	key, amount := r.config(t).Acquirer.StoreKey, s.Charge.Amount.Amount()
	for name, c := range map[string]struct {
		change map[string]string
		answer string
	}{
		"a dirham less":            {map[string]string{"amount": "0.01"}, "APPROVED"},
		"a hundred times as much":  {map[string]string{"amount": strings.Replace(amount, ".", "", 1)}, "APPROVED"},
		"another currency":         {map[string]string{"currency": "978"}, "APPROVED"},
		"a currency that is none":  {map[string]string{"currency": "000"}, "FAILURE"},
		"an amount that is none":   {map[string]string{"amount": "1e9"}, "FAILURE"},
		"another merchant":         {map[string]string{"clientid": "600000000"}, "FAILURE"},
		"an order nobody knows":    {map[string]string{"oid": "CHG00000000000000000000000000", "ReturnOid": "CHG00000000000000000000000000"}, "APPROVED"},
		"two orders":               {map[string]string{"ReturnOid": refOf(other.Charge.ID)}, "FAILURE"},
		"a card that was declined": {map[string]string{"ProcReturnCode": "51", "Response": "Declined"}, "APPROVED"},
		"a failed 3-D Secure":      {map[string]string{"mdStatus": "0"}, "APPROVED"},
	} {
		n := r.notice(t, s.Charge.ID, amount)
		for k, v := range c.change {
			n[k] = v
		}
		if got := r.callback(t, sign(n, key)); got != c.answer {
			t.Errorf("a callback with %s is answered %s, want %s", name, got, c.answer)
		}
	}
	// What was signed for one order does not do for another.
	n := r.notice(t, s.Charge.ID, amount)
	signed, err := url.ParseQuery(sign(n, key))
	if err != nil {
		t.Fatal(err)
	}
	signed.Set("oid", refOf(other.Charge.ID))
	signed.Set("ReturnOid", refOf(other.Charge.ID))
	if got := r.callback(t, signed.Encode()); got != "FAILURE" {
		t.Errorf("the hash of another order is answered %s, want FAILURE", got)
	}
	r.unpaid(t, s)
	r.unpaid(t, other)
}

// replayed sends a good callback again and again: before the acquirer itself
// says that the money is there, and after.
func replayed(t *testing.T, r *rig, _ trade) {
	s := r.pending(t)
	body := sign(r.notice(t, s.Charge.ID, s.Charge.Amount.Amount()), r.config(t).Acquirer.StoreKey)
	again := func() {
		t.Helper()
		for range 5 {
			if got, want := r.callback(t, body), "ACTION=POSTAUTH"; got != want {
				t.Errorf("a good callback is answered %s, want %s", got, want)
			}
		}
		if kinds := r.operationsOf(t, s.Charge.ID); len(kinds) != 2 {
			t.Errorf("repeated callbacks made the operations %v, want a charge and a capture", kinds)
		}
	}
	again()
	if o := r.orderOf(t, s.buyer, s.Orders[0].ID); o.State != "pending_payment" || !o.Escrow.Held.IsZero() {
		t.Errorf("on a callback's word alone the order is %s and holds %s, want pending_payment and nothing", o.State, o.Escrow.Held)
	}
	r.payBy(t, s, goodCard)
	r.paid(t, s)
	before := r.shows(t, s.buyer, "/v1/orders/"+s.Orders[0].ID)
	again()
	if after := r.shows(t, s.buyer, "/v1/orders/"+s.Orders[0].ID); after != before {
		t.Errorf("a replayed callback changed the order from\n%s to\n%s", before, after)
	}
	r.captured(t, s)
}

// declined pays with a card that has no money, then with one that has.
func declined(t *testing.T, r *rig, _ trade) {
	s := r.pending(t)
	r.payBy(t, s, map[string]string{"pan": "4000000000000002", "expiry": "12/29", "cvv": "000", "otp": "123456"})
	r.unpaid(t, s)
	r.payBy(t, s, goodCard)
	r.paid(t, s)
	r.captured(t, s)
}
