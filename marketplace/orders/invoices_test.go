package orders_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/payments/ledger"
)

func (h *hub) invoice(o string) (v orders.InvoiceView) {
	h.t.Helper()
	h.want(200, &v, h.boss, "GET", "/v1/orders/"+o+"/invoice", "")
	return v
}

// Whatever is credited in whatever parts, no rate goes below nothing, and once
// all is credited no VAT is left.
func TestCreditNotesTakeExactlyWhatAnInvoiceHad(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := map[int]int64{}
		var all int64
		for _, bp := range rapid.SliceOfNDistinct(rapid.SampledFrom([]int{0, 700, 1000, 1400, 2000}), 1, 5, rapid.ID[int]).Draw(t, "rates") {
			parts[bp] = rapid.Int64Range(1, 100_000_00).Draw(t, "total")
			all += parts[bp]
		}
		amounts := rapid.SliceOfN(rapid.Int64Range(1, all), 0, 8).Draw(t, "amounts")
		left, vat := orders.CreditAll(parts, amounts)
		for i := range left {
			if left[i] < 0 || vat[i] < 0 || vat[i] > left[i] {
				t.Fatalf("left %v with VAT %v", left, vat)
			}
		}
		left, vat = orders.CreditAll(parts, append(amounts, all))
		if slices.Max(left) != 0 || slices.Max(vat) != 0 {
			t.Fatalf("all is credited, and %v with VAT %v is left", left, vat)
		}
	})
}

func TestAnInvoiceNamesThePartiesAndTheVATByRate(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("110.00", 9, ""), h.buyer()
	plain := h.home(me, 1, s).ids()[0]
	v := h.invoice(plain)
	if v.Number != fmt.Sprintf("F-%d-000001", v.IssuedAt.Year()) || v.VAT.Sign() != 0 || len(v.VATs) != 0 || v.Total.Amount() != "140.00" || v.Net.Amount() != "140.00" {
		t.Errorf("without rates it is %+v", v)
	}
	if v.Seller.Names["fr"] == "" || v.Seller.Region != "MA-09" || v.Buyer.Name != "Acheteur (exemple)" || v.Buyer.Commune == "" || len(v.Lines) != 2 {
		t.Errorf("its parties are %+v, %+v; its lines %+v", v.Seller, v.Buyer, v.Lines)
	}
	h.want(201, nil, s.key, "POST", "/v1/vat-rates", `{"percent":20}`, fresh())
	h.want(201, nil, s.key, "POST", "/v1/vat-rates", `{"percent":10,"category":"saffron"}`, fresh())
	h.refused(422, "vat_rates.since", "/since", s.key, "POST", "/v1/vat-rates", `{"percent":7,"since":"2020-01-01T00:00:00Z"}`, fresh())
	h.refused(422, "vat_rates.percent", "/percent", s.key, "POST", "/v1/vat-rates", `{"percent":8}`, fresh())
	h.refused(403, "auth.denied", "", me, "POST", "/v1/vat-rates", `{"percent":7}`, fresh())
	var list orders.VATList
	h.want(200, &list, s.key, "GET", "/v1/vat-rates", "")
	if len(list.Data) != 2 {
		t.Errorf("the rates are %+v", list.Data)
	}
	if again := h.invoice(plain); again.VAT.Sign() != 0 {
		t.Errorf("an invoice has changed: %+v", again)
	}
	o := h.home(me, 2, s).ids()[0]
	v = h.invoice(o)
	if len(v.VATs) != 1 || v.VATs[0].Percent != 10 || v.Total.Amount() != "250.00" || v.VAT.Amount() != "22.73" || !v.Net.Add(v.VAT).Equal(v.Total) {
		t.Errorf("at 10 percent it is %+v", v)
	}
	h.refused(404, "orders.not_found", "", h.buyer(), "GET", "/v1/orders/"+o+"/invoice", "")
	h.refused(404, "orders.not_found", "", h.shop("1.00", 1, "").key, "GET", "/v1/orders/"+o+"/invoice", "")
	waits := h.buy(me, 1, s)
	h.refused(404, "invoices.not_found", "", me, "GET", "/v1/orders/"+waits.ids()[0]+"/invoice", "")
}

func TestAPaperIsForWhoeverHasItsKey(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("110.00", 9, ""), h.buyer()
	c := h.home(me, 1, s)
	h.want(201, nil, s.key, "POST", "/v1/orders/"+c.ids()[0]+"/refunds", `{"amount":{"amount":"10.00","currency":"MAD"},"reason":"geste"}`, fresh())
	h.deliver()
	v := h.invoice(c.ids()[0])
	read := func(address string) (orders.Paper, error) {
		name, key, _ := strings.Cut(strings.TrimPrefix(address, "/factures/"), "?cle=")
		return h.orders.Paper(t.Context(), name, key)
	}
	p, err := read(v.Print)
	if err != nil || p.Number != v.Number || p.Credit != nil || !strings.HasPrefix(v.Print, "/factures/"+v.ID+"?cle=") {
		t.Errorf("%s: %+v, %v", v.Print, p, err)
	}
	note := v.CreditNotes[0]
	if p, err := read(note.Print); err != nil || p.Credit == nil || p.Credit.Number != note.Number || p.Number != v.Number {
		t.Errorf("%s: %+v, %v", note.Print, p, err)
	}
	_, key, _ := strings.Cut(note.Print, "?cle=")
	for _, address := range []string{v.Print[:len(v.Print)-1], "/factures/" + v.ID, "/factures/" + v.ID + "?cle=" + key, "/factures/inv_none?cle=" + key, v.Print + "0"} {
		if _, err := read(address); !errors.Is(err, orders.ErrNoPaper) {
			t.Errorf("%s: %v", address, err)
		}
	}
	h.moveOn(3652 * 24 * time.Hour)
	if _, err := read(v.Print); err != nil {
		t.Errorf("after almost ten years: %v", err)
	}
	h.moveOn(3 * 24 * time.Hour)
	if _, err := read(v.Print); !errors.Is(err, orders.ErrNoPaper) {
		t.Errorf("after more than ten years: %v", err)
	}
}

func TestACompanyIsNamedOnTheInvoiceAndIsNoPartyOfTheOrder(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("110.00", 9, ""), h.buyer()
	b := h.fill(me, 1, s)
	body := func(company string) string {
		return strings.Replace(order(b, h.quote(me, b).Hash), `"contact":{`, `"contact":{"company":`+company+`,`, 1)
	}
	for company, pointer := range map[string]string{
		`{"name":"Riad (exemple)","ice":"000000000000098"}`:                          "/contact/company/ice",
		`{"name":"Riad (exemple)","ice":"97"}`:                                       "/contact/company/ice",
		`{"name":" ","ice":"000000000000097"}`:                                       "/contact/company/name",
		`{"name":"Riad (exemple)","ice":"000000000000097","if":"ABC"}`:               "/contact/company/if",
		`{"name":"Riad (exemple)","ice":"000000000000097","if":"12345678901234567"}`: "/contact/company/if",
	} {
		h.refused(422, "orders.invalid", pointer, me, "POST", "/v1/checkouts", body(company), fresh())
	}
	var c checkout
	h.want(201, &c, me, "POST", "/v1/checkouts", body(`{"name":"Riad  (exemple)","ice":"٠٠٠ 000 000 000 097","if":"123 456"}`), fresh())
	o := c.ids()[0]
	h.pay(c)
	h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/accept", "")
	h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/ship", shipping)
	h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/deliver", fmt.Sprintf(`{"code":%q}`, h.show(me, o).Delivery.Code))
	v := h.invoice(o)
	if got := v.Buyer.Company; got == nil || *got != (orders.Company{Name: "Riad (exemple)", ICE: "000000000000097", IF: "123456"}) || v.Buyer.Name != "Acheteur (exemple)" {
		t.Errorf("the invoice names %+v", v.Buyer)
	}
	for ice, taken := range map[string]bool{"000000000000097": true, "000000000000098": false, "97": false, "": false} {
		_, err := h.db.Exec(t.Context(), `insert into orders.order_group (id, basket, buyer, charge, currency, total, contact, delivery)
			select id || $2, basket || $2, buyer, charge || $2, currency, total, jsonb_set(contact, '{company,ice}', to_jsonb($2::text)), delivery from orders.order_group where id = $1`, c.Group, ice)
		if (err == nil) != taken {
			t.Errorf("the database on an ICE of %q: %v", ice, err)
		}
	}
}

func TestWhatGoesBackIsCreditedOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 9, ""), h.buyer()
	h.want(201, nil, s.key, "POST", "/v1/vat-rates", `{"percent":20}`, fresh())
	c := h.buy(me, 2, s)
	h.pay(c)
	o := c.ids()[0]
	at := "/v1/orders/" + o
	h.want(200, nil, s.key, "POST", at+"/accept", "")
	h.want(200, nil, s.key, "POST", at+"/ship", shipping)
	refund := func(amount string) {
		h.want(201, nil, s.key, "POST", at+"/refunds", fmt.Sprintf(`{"amount":{"amount":%q,"currency":"MAD"},"reason":"geste"}`, amount), fresh())
	}
	refund("20.00") // before there is an invoice
	h.want(200, nil, s.key, "POST", at+"/deliver", fmt.Sprintf(`{"code":%q}`, h.show(me, o).Delivery.Code))
	h.deliver()
	v := h.invoice(o)
	if v.Total.Amount() != "230.00" || len(v.CreditNotes) != 1 || v.CreditNotes[0].Total.Amount() != "20.00" || v.CreditNotes[0].Cause != "before delivery" {
		t.Fatalf("after a gesture before delivery it is %+v", v)
	}
	refund("30.00")
	h.deliver()
	h.deliver()
	r := h.sendBack(me, s, o, 2, "withdrawal")
	h.turn(me, r.ID, "send", parcel)
	h.turn(s.key, r.ID, "receive", "{}")
	h.deliver()
	v = h.invoice(o)
	sum, vat := v.Total, v.VAT
	for i, n := range v.CreditNotes {
		sum, vat = sum.Sub(n.Total), vat.Sub(n.VAT)
		if want := fmt.Sprintf("A-%d-%06d", n.IssuedAt.Year(), i+1); n.Number != want {
			t.Errorf("credit note %d is %s, want %s", i, n.Number, want)
		}
	}
	if len(v.CreditNotes) != 3 || !sum.IsZero() || !vat.IsZero() {
		t.Errorf("%s with VAT %s is left after %+v", sum, vat, v.CreditNotes)
	}
}

func TestCashThatWasNotCollectedIsCredited(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 9, ""), h.buyer()
	c := h.buyBy(me, charges.Cash, 1, s)
	at := h.atTheDoor(me, s, c)
	h.want(200, nil, s.key, "POST", at+"/collect", `{"amount":{"amount":"110.00","currency":"MAD"}}`, fresh())
	v := h.invoice(c.ids()[0])
	if v.Total.Amount() != "130.00" || len(v.CreditNotes) != 1 || v.CreditNotes[0].Total.Amount() != "20.00" {
		t.Errorf("it is %+v", v)
	}
}

// Orders of one seller are accepted at once, half of them by callers who hang up
// in the middle and ask again: the numbers have no holes, each order has one.
func TestInvoiceNumbersHaveNoHolesWhoeverHangsUp(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 99, ""), h.buyer()
	const n = 16
	var ids []string
	for range n {
		c := h.buy(me, 1, s)
		h.pay(c)
		h.want(200, nil, s.key, "POST", "/v1/orders/"+c.ids()[0]+"/accept", "")
		h.want(200, nil, s.key, "POST", "/v1/orders/"+c.ids()[0]+"/ship", shipping)
		ids = append(ids, c.ids()[0])
	}
	var wg sync.WaitGroup
	for i, o := range ids {
		for range 2 {
			wg.Go(func() {
				if i%2 == 0 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(30))*time.Millisecond)
					defer cancel()
					r := httptest.NewRequestWithContext(ctx, "POST", "/v1/orders/"+o+"/receive", strings.NewReader(""))
					r.Header.Set("Authorization", "Bearer "+me.String())
					r.Header.Set("Idempotency-Key", fresh())
					h.web.ServeHTTP(httptest.NewRecorder(), r)
				}
				h.want(200, nil, me, "POST", "/v1/orders/"+o+"/receive", "", fresh())
			})
		}
	}
	wg.Wait()
	var got []string
	for _, o := range ids {
		got = append(got, h.invoice(o).Number)
	}
	slices.Sort(got)
	year := h.invoice(ids[0]).IssuedAt.Year()
	for i, g := range got {
		if want := fmt.Sprintf("F-%d-%06d", year, i+1); g != want {
			t.Errorf("invoice %d is %s, want %s: %v", i, g, want, got)
		}
	}
	if h.balance(ledger.Fees) == 0 {
		t.Error("nothing was released")
	}
}
