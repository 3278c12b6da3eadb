package finance_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/marketplace/finance"
	"tiwiza/pkg/auth"
)

// Whatever a member and its bank do, and however time passes, the bank reads papers
// exactly while a consent of the member's lives, and the application says so.
func TestNoReadingWithoutALiveConsent(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	_, stranger := c.hub.member("operational_bank", "Autre banque (exemple)")
	rapid.Check(t, func(rt *rapid.T) {
		coop, member := c.hub.member("beneficiary_coop", "Coopérative (exemple)")
		c.puts(member, coop, "identity", "statuts")
		type given struct {
			id    string
			until time.Time
		}
		var live []given // as the test knows them
		var a finance.ApplicationView
		clockNow := func() time.Time { return soon(c).Add(-72 * time.Hour) }
		reads := func(who auth.Key, consent string) int {
			return c.ask(who, "GET", "/v1/dossiers/"+coop+"?consent="+consent, nil).Code
		}
		for range rapid.IntRange(3, 9).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"apply", "withdraw consent", "withdraw application", "time", "refuse"}).Draw(rt, "step") {
			case "apply":
				a = c.applies(member, c.account, finance.Account)
				g := a.Consents[0]
				live = append(live, given{g.ID, g.Until})
			case "withdraw consent":
				if n := len(live); n > 0 {
					g := &live[n-1]
					if !g.until.IsZero() && !clockNow().Before(g.until) { // it is over
						c.want(http.StatusConflict, nil, member, "POST", "/v1/consents/"+g.id+"/withdraw", nil)
						break
					}
					c.want(200, nil, member, "POST", "/v1/consents/"+g.id+"/withdraw", nil)
					g.until = time.Time{}
				}
			case "withdraw application":
				if a.ID != "" {
					_ = c.ask(member, "POST", applications+"/"+a.ID+"/withdraw", nil)
				}
			case "refuse":
				if a.ID != "" {
					_ = c.ask(c.bank, "POST", applications+"/"+a.ID+"/refuse", fields{"reason": "Non."})
				}
			case "time":
				c.advance(time.Duration(rapid.IntRange(1, 100).Draw(rt, "days")) * 24 * time.Hour)
			}
			for _, g := range live {
				want := http.StatusForbidden
				if clockNow().Before(g.until) {
					want = http.StatusOK
				}
				if got := reads(c.bank, g.id); got != want {
					rt.Fatalf("on %s the bank is answered %d, want %d", g.id, got, want)
				}
				if got := reads(stranger, g.id); got != http.StatusNotFound {
					rt.Fatalf("another bank is answered %d", got)
				}
			}
			if a.ID == "" {
				continue
			}
			var v finance.ApplicationView
			if err := json.Unmarshal(c.ask(c.bank, "GET", applications+"/"+a.ID, nil).Body.Bytes(), &v); err != nil {
				rt.Fatal(err)
			}
			for _, g := range v.Consents {
				open := reads(c.bank, g.ID) == http.StatusOK
				if said := g.Ended == "" && clockNow().Before(g.Until); said != open {
					rt.Fatalf("the application says of %s that it is open: %v; reading is open: %v", g.ID, said, open)
				}
			}
		}
	})
}
