package sim_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// crmPlays have one row for each fault of the CRM.
var crmPlays = map[string]play{
	"drop_request":         asks(0, "", 0),
	"rate_limited":         asks(429, "TEN_SECONDLY_ROLLING", 0),
	"execute_then_drop":    asks(0, "", 1),
	"execute_then_500":     asks(500, "INTERNAL_ERROR", 1),
	"execute_then_garbage": asks(200, `{"status":"COMPLETE","results":[{"id":`, 1),
	"execute_late":         gaveUp,
	"contradicts_itself":   asks(400, "VALIDATION_ERROR", 1),
	"slow_body":            asks(201, `"hub_customer_id":"per_1"`, 1),
}

// account is where the CRM is, and its key.
func (r *rig) account() (base, key string) {
	r.t.Helper()
	var c struct {
		CRM struct {
			HubSpot struct {
				BaseURL string `json:"base_url"`
				Token   string
			}
		}
	}
	r.get("/config", &c)
	return c.CRM.HubSpot.BaseURL, c.CRM.HubSpot.Token
}

// hubspot makes a call of the CRM; err says that there was no answer.
func (r *rig) hubspot(path, body string) (status int, text string, err error) {
	r.t.Helper()
	base, key := r.account()
	q, err := http.NewRequest(http.MethodPost, base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+key)
	res, err := (&http.Client{Timeout: time.Minute}).Do(q)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

func (r *rig) contacts() (ids []string) {
	r.t.Helper()
	var all struct {
		Contacts []struct{ Properties map[string]string }
	}
	r.get("/hubspot/objects.json", &all)
	for _, c := range all.Contacts {
		ids = append(ids, c.Properties["hub_customer_id"])
	}
	return ids
}

const oneContact = `{"inputs":[{"properties":{"hub_customer_id":"per_1","email":"a@exemple.ma"},"associations":[]}]}`

// asks expects an answer to one contact, and how many there are then.
func asks(status int, text string, there int) play {
	return func(t *testing.T, r *rig) {
		got, body, err := r.hubspot("/crm/v3/objects/contacts/batch/create", oneContact)
		if got != status || !strings.Contains(body, text) || (status == 0) != (err != nil) || len(r.contacts()) != there {
			t.Errorf("answered %d %q %v with %v there; want %d %q, %d", got, body, err, r.contacts(), status, text, there)
		}
	}
}

// gaveUp expects that nothing is answered to who waits, and done once it is gone.
func gaveUp(t *testing.T, r *rig) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	base, key := r.account()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/crm/v3/objects/contacts/batch/create", strings.NewReader(oneContact))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+key)
	if res, err := http.DefaultTransport.RoundTrip(q); err == nil {
		res.Body.Close()
		t.Errorf("it answered %s", res.Status)
	}
	for end := time.Now().Add(time.Minute); len(r.contacts()) != 1; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it was never done")
		}
	}
}

func TestTheCRMKeepsEachContactOnceOverARestart(t *testing.T) {
	t.Parallel()
	r := start(t, 1<<40)
	for i, want := range []int{201, 409} {
		if got, body, err := r.hubspot("/crm/v3/objects/contacts/batch/create", oneContact); got != want || err != nil {
			t.Errorf("%d: %d %s %v", i, got, body, err)
		}
	}
	r.restart()
	find := `{"idProperty":"hub_customer_id","properties":[],"propertiesWithHistory":[],"inputs":[{"id":"per_1"},{"id":"per_2"}]}`
	if got, body, _ := r.hubspot("/crm/v3/objects/contacts/batch/read", find); got != 207 || !strings.Contains(body, `"id":"501"`) || !strings.Contains(body, "OBJECT_NOT_FOUND") {
		t.Errorf("read: %d %s", got, body)
	}
	if got, body, _ := r.hubspot("/crm/v3/objects/contacts/batch/update", `{"inputs":[{"id":"501","properties":{"hub_points":"12"}},{"id":"9","properties":{}}]}`); got != 207 || !strings.Contains(body, `"hub_points":"12"`) {
		t.Errorf("update: %d %s", got, body)
	}
	wish := `{"emailAddress":"a@exemple.ma","subscriptionId":"4711"}`
	for path, want := range map[string]int{"subscribe": 200, "unsubscribe": 200} {
		if got, body, _ := r.hubspot("/communication-preferences/v3/"+path, wish); got != want {
			t.Errorf("%s: %d %s", path, got, body)
		}
	}
	if status, text := r.post("/hubspot/refusals", `{"email":"A@exemple.ma"}`); status != 200 {
		t.Errorf("refusing: %d %s", status, text)
	}
	if got, body, _ := r.hubspot("/communication-preferences/v3/subscribe", wish); got != 400 {
		t.Errorf("brought back: %d %s", got, body)
	}
	if got, body, _ := r.hubspot("/communication-preferences/v3/status/email/bulk", `["a@exemple.ma"]`); got != 200 || !strings.Contains(body, "NOT_SUBSCRIBED") {
		t.Errorf("statuses: %d %s", got, body)
	}
	if got, _, _ := r.hubspot("/crm/v3/objects/contacts/gdpr-delete", `{"objectId":"501"}`); got != 204 || len(r.contacts()) != 0 {
		t.Errorf("forgetting: %d, %v", got, r.contacts())
	}
}
