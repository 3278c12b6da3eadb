package gsma_test

import (
	"net/http"
	"os"
	"testing"

	"tiwiza/adapters/wallet"
	"tiwiza/adapters/wallet/gsma"
	"tiwiza/pkg/money"
	"tiwiza/pkg/prismtest"
)

// TestTheOfficialDocumentTakesOurRequests sends the driver's requests to Prism,
// which serves the GSMA's own document: that of HUB_SPECS, or the very file that
// HUB_GSMA_SPEC names.
func TestTheOfficialDocumentTakesOurRequests(t *testing.T) {
	t.Parallel()
	document := os.Getenv("HUB_GSMA_SPEC")
	if document == "" {
		document = prismtest.Document(t, "openapi/gsma_mobile_money_api.yaml")
	}
	w := prismtest.Open(t, prismtest.Rules{Documents: map[string]string{"": document}})
	d, err := gsma.New(gsma.Config{BaseURL: w.URL, Merchant: "600009", ClientID: "tiwiza", APIKey: "key"})
	if err != nil {
		t.Fatal(err)
	}
	p := payment()
	p.CallbackURL, p.Text = "https://hub.example/callbacks/wallet/wallet/CHG1/x", "Coopérative d’essai"
	f := wallet.Refund{Ref: "RFD1", Of: "MP1", Phone: p.Phone, Amount: money.Dirhams(1050), Text: "Remboursement", CallbackURL: p.CallbackURL}
	d.Ask(t.Context(), p)
	d.Reverse(t.Context(), f)
	d.Pay(t.Context(), f)
	d.Query(t.Context(), p.Ref, "")
	d.Query(t.Context(), p.Ref, "requeststates/5b0b0f3a-0f3a-4f3a-8f3a-000000000001")
	w.Taken(t,
		"POST /transactions/type/merchantpay", "POST /transactions/MP1/reversals", "POST /transactions/type/disbursement",
		"GET /responses/"+d.Correlation(p.Ref), "GET /requeststates/5b0b0f3a-0f3a-4f3a-8f3a-000000000001",
	)
	bad, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+"/responses/none", nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Refused(t, bad) // a correlation id that is no UUID
}
