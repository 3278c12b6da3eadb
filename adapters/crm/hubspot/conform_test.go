package hubspot_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/adapters/crm/crmconform"
	"tiwiza/adapters/crm/hubspot"
	"tiwiza/pkg/id"
	"tiwiza/pkg/outbound"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	crmconform.Run(t, func(t *testing.T) crmconform.Fixture {
		s := newStand()
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		return crmconform.Fixture{
			Addr:     server.Listener.Addr().String(),
			Dial:     func(addr string) crm.Driver { return driver(t, "http://"+addr, "right") },
			Intruder: func(addr string) crm.Driver { return driver(t, "http://"+addr, "wrong") },
			Contacts: func(id string) []crmconform.Seen { return s.seen("contacts", "hub_customer_id", id) },
			Deals:    func(id string) []crmconform.Seen { return s.seen("deals", "hub_order_id", id) },
			Stage: func(g crm.Stage) string {
				return map[crm.Stage]string{crm.Created: "appointmentscheduled", crm.Paid: "qualifiedtobuy", crm.Shipped: "presentationscheduled", crm.Won: "closedwon", crm.Lost: "perdu"}[g]
			},
			Garble: func(status int, body string) { s.do(func() { s.garble = &answer{status, body} }) },
			Busy:   func() { s.do(func() { s.busy = true }) },
			Stranger: func(email string) string {
				s.do(func() { s.objects["contacts"]["7"] = map[string]string{"email": email} })
				return "7"
			},
			Leave:   func(email string) { s.do(func() { s.left[email] = "left" }) },
			Refused: func(c crm.Contact) crm.Contact { c.Phone = "+212699999999"; return c },
		}
	})
}

// whoever is a contact that any account takes.
func whoever() crm.Contact {
	return crm.Contact{ID: id.New(id.Person), Name: "Exemple", Email: "nom@exemple.ma", Lang: "fr"}
}

func TestALimitSaysHowLongItLasts(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]time.Duration{
		`{"policyName":"TEN_SECONDLY_ROLLING"}`: 10 * time.Second,
		`{"policyName":"SECONDLY"}`:             time.Second,
		`{"policyName":"DAILY"}`:                outbound.MaxRetryAfter,
		`{}`:                                    10 * time.Second,
	} {
		for header, wait := range map[string]time.Duration{"": want, "7": 7 * time.Second} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if header != "" {
					w.Header().Set("Retry-After", header)
				}
				w.WriteHeader(429)
				_, _ = w.Write([]byte(body))
			}))
			_, r := driver(t, server.URL, "right").PutContacts(t.Context(), []crm.Contact{whoever()})
			server.Close()
			if r.Outcome != outbound.NotSent || r.Reason != outbound.Limited || r.RetryAfter != wait {
				t.Errorf("%s with Retry-After %q: %+v, want a wait of %s", body, header, r, wait)
			}
		}
	}
}

func TestAWrongAccountBlamesNoContact(t *testing.T) {
	t.Parallel()
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.WriteHeader(400)
		_, _ = w.Write([]byte(`{"status":"error","category":"VALIDATION_ERROR","message":"Property values were not valid: [{\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"hub_customer_id\"}]"}`))
	}))
	defer server.Close()
	all := []crm.Contact{}
	for range 50 {
		all = append(all, whoever())
	}
	c := crm.New("crm", driver(t, server.URL, "right"), crm.Options{})
	if puts, r := c.PutContacts(t.Context(), all); r.Outcome != outbound.Unknown || r.Reason != outbound.Unlisted || len(puts) != 0 || calls != 1 {
		t.Errorf("%d calls, %+v, %+v; want one that is for a person to look at", calls, puts, r)
	}
}

// refuses takes nobody.
type refuses struct{ calls int }

func (r *refuses) Name() string { return "refuses" }

func (r *refuses) PutContacts(context.Context, []crm.Contact) ([]crm.Put, outbound.Result) {
	r.calls++
	return nil, outbound.Result{Outcome: outbound.Declined, Code: "NO"}
}

func (r *refuses) PutDeals(context.Context, []crm.Deal) ([]crm.Put, outbound.Result) {
	return nil, outbound.Result{Outcome: outbound.Declined, Code: "NO"}
}

func TestASystemThatRefusesAllIsNotAskedForEver(t *testing.T) {
	t.Parallel()
	var all []crm.Contact
	for range 100 {
		all = append(all, whoever())
	}
	d := &refuses{}
	c := crm.New("crm", d, crm.Options{Lane: outbound.Settings{Rate: 1000, Burst: 1000}})
	if puts, r := c.PutContacts(t.Context(), all); r.Reason != outbound.Unlisted || d.calls > 40 || len(puts) > 20 {
		t.Errorf("after %d calls and %d refusals: %+v", d.calls, len(puts), r)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	right := hubspot.Config{BaseURL: "https://api.example", Token: "x", Subscription: "1"}
	for name, spoil := range map[string]func(*hubspot.Config){
		"no address":      func(c *hubspot.Config) { c.BaseURL = "api.example" },
		"no token":        func(c *hubspot.Config) { c.Token = "" },
		"no subscription": func(c *hubspot.Config) { c.Subscription = "" },
		"no stage":        func(c *hubspot.Config) { c.Stages = map[crm.Stage]string{"sold": "x"} },
		"an empty stage":  func(c *hubspot.Config) { c.Stages = map[crm.Stage]string{crm.Won: ""} },
	} {
		c := right
		spoil(&c)
		if _, err := hubspot.New(c); err == nil {
			t.Errorf("%s is taken", name)
		} else if strings.Contains(err.Error(), "x\"") && name == "no token" {
			t.Errorf("%s: the error tells the token: %v", name, err)
		}
	}
	if _, err := hubspot.New(right); err != nil {
		t.Error(err)
	}
}
