package hubspot_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/adapters/crm/hubspot"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/prismtest"
)

// TestTheOfficialDocumentsTakeOurRequests sends the driver's requests to Prism,
// which serves HubSpot's own documents: HUB_SPECS is the folder in whose
// openapi/hubspot they are, HUB_PRISM the program, prism when it is not set. What
// Prism invents as answers is not ours: only whether it takes the requests counts.
func TestTheOfficialDocumentsTakeOurRequests(t *testing.T) {
	t.Parallel()
	w := prismtest.Open(t, prismtest.Rules{
		Documents: map[string]string{
			"/crm/v3/objects/contacts":   prismtest.Document(t, "openapi/hubspot/contacts.prism.json"),
			"/crm/v3/objects/deals":      prismtest.Document(t, "openapi/hubspot/deals.prism.json"),
			"/communication-preferences": prismtest.Document(t, "openapi/hubspot/subscriptions.prism.json"),
		},
		Ask: func(r *http.Request) { // the documents name the private app's token twice; this is the other way
			r.Header.Set("Private-App", "token")
			r.Header.Set("Private-App-Legacy", "token")
		},
		Say: func(r *http.Response) {
			if strings.Contains(r.Request.URL.Path, "/batch/") { // not what Prism makes up
				prismtest.Answer(r, `{"status":"COMPLETE","results":[]}`)
			}
		},
	})
	d, err := hubspot.New(hubspot.Config{BaseURL: w.URL, Token: "token", Subscription: mails, Every: 10000})
	if err != nil {
		t.Fatal(err)
	}
	who, known := whoever(), whoever()
	known.RemoteID = "501"
	o := crm.Deal{ID: id.New(id.Order), ContactID: "501", Name: "Commande A1", Amount: money.Dirhams(12350), Stage: crm.Paid, At: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	old := o
	old.ID, old.RemoteID = id.New(id.Order), "77"
	d.PutContacts(t.Context(), []crm.Contact{who, known})
	d.PutDeals(t.Context(), []crm.Deal{o, old})
	d.PutPoints(t.Context(), []crm.Points{{ID: known.ID, ContactID: "501", Points: 12, Version: 3}})
	d.Wish(t.Context(), crm.Wish{Email: who.Email, Granted: true, Why: "Accord"})
	d.Wish(t.Context(), crm.Wish{Email: who.Email, Why: "Retrait"})
	d.Refusing(t.Context(), []string{who.Email})
	d.Erase(t.Context(), crm.Erasure{ID: known.ID, RemoteID: "501"})
	d.Probe(t.Context())
	w.Taken(t,
		"POST /crm/v3/objects/contacts/batch/read", "POST /crm/v3/objects/contacts/batch/create", "POST /crm/v3/objects/contacts/batch/update", "POST /crm/v3/objects/contacts/gdpr-delete",
		"POST /crm/v3/objects/deals/batch/read", "POST /crm/v3/objects/deals/batch/create", "POST /crm/v3/objects/deals/batch/update",
		"POST /communication-preferences/v3/subscribe", "POST /communication-preferences/v3/unsubscribe", "POST /communication-preferences/v3/status/email/bulk", "GET /communication-preferences/v3/definitions",
	)
	bad, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL+"/crm/v3/objects/contacts/batch/create", strings.NewReader(`{"inputs":[{"properties":{"hub_points":1}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	bad.Header.Set("Content-Type", "application/json")
	w.Refused(t, bad) // a property that is a number
}
