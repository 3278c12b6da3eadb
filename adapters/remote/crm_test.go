package remote_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/adapters/crm/crmconform"
	"tiwiza/adapters/remote"
	"tiwiza/adapters/remote/tellconform"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/webhook"
)

// reached makes a connector that is reached through addr.
func reached(t testing.TB, addr, token string) *remote.Connector {
	t.Helper()
	n, err := remote.New(remote.Config{
		URL: "http://" + addr, Guard: webhook.Guard{Loopback: true}, Credentials: []remote.Credentials{{Token: token}}, Settings: outbound.Settings{Header: 5 * time.Second},
	})
	must(t, err)
	return n
}

func TestCRMConformance(t *testing.T) {
	t.Parallel()
	for name, features := range map[string][]string{"all features": {"points", "wishes", "erasure"}, "points": {"points"}, "wishes": {"wishes"}, "none": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			crmconform.Run(t, func(t *testing.T) crmconform.Fixture {
				s := tellconform.NewCRM(token, features...)
				addr := openly(t, s)
				return crmconform.Fixture{
					Addr:     addr,
					Dial:     func(addr string) crm.Driver { return remote.NewCRM(reached(t, addr, token), features) },
					Intruder: func(addr string) crm.Driver { return remote.NewCRM(reached(t, addr, "somebody-elses-token"), features) },
					Contacts: s.Contacts, Deals: s.Deals, Stage: func(g crm.Stage) string { return string(g) },
					Garble: s.Garble, Busy: s.Busy, Stranger: s.Stranger, Leave: s.Leave,
					Refused: func(c crm.Contact) crm.Contact { c.Phone = "+212699999901"; return c },
				}
			})
		})
	}
}

// TestACRMsAnswerIsTheProtocols holds what a connector says of those that were put to
// what the protocol lets it say.
func TestACRMsAnswerIsTheProtocols(t *testing.T) {
	t.Parallel()
	who := crm.Contact{ID: "per_a", Name: "Exemple", Email: "a@exemple.ma"}
	for body, want := range map[string]outbound.Outcome{
		`{"data":[{"id":"per_a","remote_id":"7"}]}`:          outbound.Succeeded,
		`{"data":[{"id":"per_a","remote_id":"7"}],"more":1}`: outbound.Succeeded,
		`{"data":[{"id":"per_a","refused":"invalid"}]}`:      outbound.Succeeded,
		`{"data":[]}`: outbound.Unknown,
		`{"data":[{"id":"per_b","remote_id":"7"}]}`:                                outbound.Unknown,
		`{"data":[{"id":"per_a"}]}`:                                                outbound.Unknown,
		`{"data":[{"id":"per_a","remote_id":"7","refused":"invalid"}]}`:            outbound.Unknown,
		`{"data":[{"id":"per_a","remote_id":"a b"}]}`:                              outbound.Unknown,
		`{"data":[{"id":"per_a","refused":"No, Sir"}]}`:                            outbound.Unknown,
		`{"data":[{"id":"per_a","remote_id":"7"},{"id":"per_a","remote_id":"8"}]}`: outbound.Unknown,
		`{"data":[{"id":"per_a","remote_id":"7"}],"data":[{"id":"per_a"}]}`:        outbound.Unknown,
		`{"data":[{"id":"per_a","remote_id":"7"}]} {"data":[]}`:                    outbound.Unknown,
		`{"data":{"id":"per_a","remote_id":"7"}}`:                                  outbound.Unknown,
		`<html>`: outbound.Unknown,
	} {
		addr := openly(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		c := crm.New("crm", remote.NewCRM(reached(t, addr, token), nil), crm.Options{})
		if puts, r := c.PutContacts(t.Context(), []crm.Contact{who}); r.Outcome != want || (len(puts) == 1) != (want == outbound.Succeeded) {
			t.Errorf("%s: %+v, %s %v; want %s", body, puts, r.Outcome, r.Err, want)
		}
	}
}

// TestOnlyItsOwnCodesAreFinal has a connector answer errors of all kinds.
func TestOnlyItsOwnCodesAreFinal(t *testing.T) {
	t.Parallel()
	for _, e := range []struct {
		status int
		code   string
		want   outbound.Outcome
	}{
		{422, "left", outbound.Declined},
		{422, "refused", outbound.Declined},
		{422, "something", outbound.Unknown},
		{400, "refused", outbound.Unknown},
		{409, "left", outbound.Unknown},
		{429, "rate_limited", outbound.NotSent},
		{429, "slow_down", outbound.Unknown},
		{401, "unauthenticated", outbound.NotSent},
		{401, "who", outbound.Unknown},
		{403, "forbidden", outbound.Unknown},
		{500, "internal", outbound.Unknown},
		{503, "unavailable", outbound.Unknown},
	} {
		addr := openly(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fail(w, e.status, e.code) }))
		c := crm.New("crm", remote.NewCRM(reached(t, addr, token), []string{"wishes"}), crm.Options{})
		if r := c.Wish(t.Context(), crm.Wish{Email: "a@exemple.ma", Granted: true}); r.Outcome != e.want {
			t.Errorf("%d %s is %s, want %s", e.status, e.code, r.Outcome, e.want)
		}
	}
}
