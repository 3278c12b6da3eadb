package main

import (
	"strings"
	"testing"
)

// invoiced plays an invoice over HTTP, with a credit note for what went back.
func invoiced(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/vat-rates", body: map[string]int{"percent": 20}, idem: once()}).into(t, nil)
	r.ask(t, req{key: s.key, method: "GET", path: "/v1/vat-rates"}).into(t, nil)
	sale := r.sold(t, r.ware(t, s, 2, "100.00"), goodCard, false)
	at := r.delivered(t, sale, s)
	r.ask(t, refunding(sale, s.key, "12.00")).into(t, nil)
	var v struct {
		Number      string
		Total       moneyView
		VAT         moneyView `json:"vat_total"`
		Print       string
		CreditNotes []struct{ Total moneyView } `json:"credit_notes"`
	}
	r.until(t, "the credit note", func() bool {
		r.ask(t, req{key: sale.buyer, method: "GET", path: at + "/invoice"}).into(t, &v)
		return len(v.CreditNotes) == 1
	})
	if v.Total.Amount() != "130.00" || v.VAT.Amount() != "21.67" || v.CreditNotes[0].Total.Amount() != "12.00" {
		t.Errorf("the invoice is %+v", v)
	}
	if page := r.shows(t, "", v.Print); !strings.Contains(page, v.Number) || !strings.Contains(page, "21,67") {
		t.Errorf("its page is %s", page)
	}
}

// The rates, for the suite of what happens once: each category has its own.
func init() {
	postings["vat_rates.set"] = func(t *testing.T, o *onceRig) posting {
		rate := func(percent int) map[string]any {
			return map[string]any{"percent": percent, "category": "c" + strings.ToLower(once()[:8])}
		}
		p := posting{by: o.stranger.key}
		p.key, p.path, p.body = o.shop.key, "/v1/vat-rates", rate(0)
		p.bad, p.other = p.at(p.path, rate(8)), p.at(p.path, rate(7))
		p.effect, p.of = `select count(*) from orders.vat_rate where category = $1`, p.body.(map[string]any)["category"].(string)
		return p
	}
}
