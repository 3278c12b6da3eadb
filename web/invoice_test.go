package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/pkg/money"
	"tiwiza/web"
)

// drawer has one invoice and one credit note of it.
type drawer struct{ papers map[string]orders.Paper }

// Paper finds them by their keys.
func (d drawer) Paper(_ context.Context, invoice, key string) (orders.Paper, error) {
	p, ok := d.papers[invoice+" "+key]
	if !ok {
		return p, orders.ErrNoPaper
	}
	return p, nil
}

func dh(centimes int64) money.Money { return money.Dirhams(centimes) }

func papers() drawer {
	market, buyer := dh(25_00), dh(1_265_00)
	at := time.Date(2026, 6, 1, 23, 30, 0, 0, time.UTC) // the second of June in Morocco
	v := orders.InvoiceView{
		Number: "F-2026-000012", IssuedAt: at, Order: "ord_01jd0000000000000000000000", Ordered: at.AddDate(0, 0, -9), Came: at, Payment: "cash_on_delivery",
		Seller: orders.InvoiceSeller{Names: map[string]string{"fr": "Coopérative Exemple", "ar": "تعاونية المثال"}, ICE: "000000000000097", IF: "1234567", RC: "456", Region: "MA-09", Commune: "Taliouine"},
		Buyer:  orders.InvoiceBuyer{Name: "Acheteur (exemple)", Address: "12, rue de l’Exemple", Commune: "Rabat", Company: &orders.Company{Name: "Riad <Exemple>", ICE: "000000000000194"}},
		Lines: []orders.InvoiceLineView{
			{Kind: "article", Names: map[string]string{"fr": "Safran de Taliouine", "ar": "زعفران تاليوين"}, VariantNames: map[string]string{"fr": "boîte de 1 g"}, SKU: "S-1", Quantity: 12, Price: dh(100_00), Discount: dh(20_00), Total: dh(1_180_00), Percent: 20},
			{Kind: "article", Names: map[string]string{"en": "Thyme honey"}, SKU: "M-2", Quantity: 1, Price: dh(80_00), Discount: dh(0), Total: dh(80_00), Percent: 7},
			{Kind: "delivery", Quantity: 1, Price: dh(30_00), Discount: dh(0), Total: dh(30_00), Percent: 20},
		},
		Sums:       orders.Sums{VATs: []orders.VATSum{{Percent: 7, Net: dh(74_77), VAT: dh(5_23)}, {Percent: 20, Net: dh(1_008_33), VAT: dh(201_67)}}, Net: dh(1_083_10), VAT: dh(206_90), Total: dh(1_290_00)},
		MarketPays: &market, BuyerPays: &buyer,
	}
	credit := orders.CreditNoteView{Number: "A-2026-000003", IssuedAt: at.AddDate(0, 0, 5), Sums: orders.Sums{Net: dh(50_00), VAT: dh(0), Total: dh(50_00)}}
	return drawer{map[string]orders.Paper{"inv_a key": {InvoiceView: v}, "inv_b other": {InvoiceView: v, Credit: &credit}}}
}

func TestAnInvoiceIsPrintedInBothLanguages(t *testing.T) {
	t.Parallel()
	h := web.New(web.Hub{Papers: papers(), Images: fstest.MapFS{}})
	fr, header := get(t, h, "/factures/inv_a?cle=key", http.StatusOK)
	contains(t, "the invoice", fr, `lang="fr" dir="ltr"`, "Facture", "F-2026-000012", "02/06/2026", "Coopérative Exemple", "Riad &lt;Exemple&gt;", "Acheteur (exemple)",
		"000000000000097", "000000000000194", "1234567", ">456<", "Safran de Taliouine", `<bdi lang="en" dir="ltr">Thyme honey`, "Livraison", "−20,00", ">20 %<", "201,67", "5,23", "1\u202f083,10", "1\u202f290,00",
		"Payé par le marché", "25,00", "1\u202f265,00", "espèces à la livraison", `href="/ar/factures/inv_a?cle=key"`)
	if header.Get("Cache-Control") != "no-store" || header.Get("Referrer-Policy") != "no-referrer" || header.Get("X-Robots-Tag") != "noindex" || strings.Contains(header.Get("Content-Security-Policy"), "unsafe") {
		t.Errorf("headers %v", header)
	}
	ar, _ := get(t, h, "/ar/factures/inv_a?cle=key", http.StatusOK)
	contains(t, "the invoice", ar, `lang="ar" dir="rtl"`, "فاتورة", "تعاونية المثال", "زعفران تاليوين", "التوصيل", "نقدا عند التسليم", `<span class="num" dir="ltr">F-2026-000012</span>`)
	note, _ := get(t, h, "/factures/inv_b?cle=other", http.StatusOK)
	contains(t, "the credit note", note, "Avoir", "A-2026-000003", "Corrige la facture", "F-2026-000012", "Montant crédité", "50,00", "TVA non mentionnée")
	for _, body := range []string{fr, ar, note} {
		for _, bad := range []string{"<script>", " style=", "http://", "https://"} {
			if strings.Contains(body, bad) {
				t.Errorf("the page holds %q", bad)
			}
		}
	}
	if strings.Contains(note, "Safran") {
		t.Error("a credit note lists articles that it may not be for")
	}
}

func TestAnInvoiceIsShownToWhoHasItsKey(t *testing.T) {
	t.Parallel()
	h := web.New(web.Hub{Papers: papers(), Images: fstest.MapFS{}})
	for _, path := range []string{"/factures/inv_a", "/factures/inv_a?cle=other", "/factures/inv_b?cle=key", "/factures/inv_c?cle=key", "/factures/%00?cle=key"} {
		body, _ := get(t, h, path, http.StatusNotFound)
		if strings.Contains(body, "Exemple") || strings.Contains(body, "F-2026") {
			t.Errorf("%s shows the invoice", path)
		}
	}
}
