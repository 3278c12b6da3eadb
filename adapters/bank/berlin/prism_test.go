package berlin_test

import (
	"net/http"
	"strings"
	"testing"

	"tiwiza/adapters/bank/berlin"
	"tiwiza/pkg/prismtest"
)

// TestTheOfficialDocumentTakesOurRequests sends the driver's requests to Prism,
// which serves the Berlin Group's own document (HUB_SPECS).
func TestTheOfficialDocumentTakesOurRequests(t *testing.T) {
	t.Parallel()
	w := prismtest.Open(t, prismtest.Rules{
		Documents: map[string]string{"": prismtest.Document(t, "openapi/nextgenpsd2-1.3.12.json")},
		Say: func(r *http.Response) { // not what Prism makes up
			switch {
			case r.Request.Method == http.MethodPost:
				prismtest.Answer(r, `{"transactionStatus":"RCVD","paymentId":"1234-wertiq-983","_links":{}}`)
			case strings.HasSuffix(r.Request.URL.Path, "/transactions"):
				prismtest.Answer(r, `{"transactions":{"booked":[],"_links":{"account":{"href":"/v1/accounts/acc-1"}}}}`)
			}
		},
	})
	for _, p := range []berlin.Profile{{}, {IBAN: true}} {
		d := driver(t, config(w.URL, p, newMemory()))
		f := rendered(t, d, "B1")
		d.Find(t.Context(), f) // among the transactions
		d.Publish(t.Context(), f)
		d.Find(t.Context(), f) // by its name there
		if _, err := d.Waiting(t.Context()); err != nil {
			t.Errorf("Waiting: %v", err)
		}
	}
	w.Taken(t,
		"POST /v1/bulk-payments/sepa-credit-transfers", "GET /v1/bulk-payments/sepa-credit-transfers/1234-wertiq-983/status", "GET /v1/accounts/acc-1/transactions",
	)
	bad, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL+"/v1/bulk-payments/sepa-credit-transfers", strings.NewReader(`{"payments":[{"instructedAmount":{"currency":"MAD","amount":1}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	bad.Header.Set("Content-Type", "application/json")
	bad.Header.Set("X-Request-ID", "99391c7e-ad88-49ec-a2ad-99ddcb1f7721")
	bad.Header.Set("PSU-IP-Address", "192.0.2.7")
	w.Refused(t, bad) // an amount that is a number, and no account
}
