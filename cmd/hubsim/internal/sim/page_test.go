package sim_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tiwiza/cmd/hubsim/internal/world"
)

// TestThePageShowsWhatWasExecutedAndArmsTheNextFault has a person choose a fault, see it
// played, and take another back.
func TestThePageShowsWhatWasExecutedAndArmsTheNextFault(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	read := func(res *http.Response, err error) (int, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if csp := res.Header.Get("Content-Security-Policy"); res.StatusCode != http.StatusForbidden && !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("the page's policy is %q", csp)
		}
		return res.StatusCode, string(b)
	}
	opens := func(path string) string {
		t.Helper()
		status, page := read(http.Get(r.url + path))
		if status != http.StatusOK {
			t.Errorf("%s answers %d", path, status)
		}
		return page
	}
	does := func(partner, fault, what string) (int, string) {
		t.Helper()
		return read(http.PostForm(r.url+"/", url.Values{"partenaire": {partner}, "faute": {fault}, "faire": {what}}))
	}
	if page := opens("/"); !strings.Contains(page, "Rien encore") || strings.Contains(page, "<select") {
		t.Errorf("at first: %s", page)
	}
	if page := opens("/?partenaire=wallet"); !strings.Contains(page, "<option>slow_body</option>") || strings.Contains(page, "<option>statement_missing</option>") {
		t.Errorf("a wallet may play: %s", page)
	}
	if page := opens("/?partenaire=<script>"); strings.Contains(page, "<script>") {
		t.Error("the page holds what its address says")
	}
	if status, page := does("crm", "rate_limited", "jouer"); status != http.StatusOK || !strings.Contains(page, "rate_limited : encore 1 fois") {
		t.Errorf("armed once: %d %s", status, page)
	}
	if status, page := does("bank", "slow_body", "cinq"); status != http.StatusOK || !strings.Contains(page, "slow_body : encore 5 fois") || strings.Contains(page, "rate_limited : encore") {
		t.Errorf("armed five times: %d %s", status, page)
	}
	for _, bad := range [][3]string{{"bank", "away", "jouer"}, {"nobody", "slow_body", "jouer"}, {"bank", "none", "jouer"}, {"bank", "slow_body", "danser"}} {
		if status, page := does(bad[0], bad[1], bad[2]); status != http.StatusUnprocessableEntity || !strings.Contains(page, `role="alert"`) {
			t.Errorf("%v: %d", bad, status)
		}
	}
	if _, page := does("bank", "slow_body", "annuler"); strings.Contains(page, "slow_body : encore") {
		t.Error("what was taken back is armed")
	}
	r.paidHere("PAGE-1", "12.00")
	r.want1("captures", "PAGE-1", "PAGE-1-C", "12.00", http.StatusCreated, "captured")
	if all, of := opens("/"), opens("/?partenaire=bank"); !strings.Contains(all, "PAGE-1") || strings.Contains(of, "PAGE-1") {
		t.Errorf("what was executed is not shown, or as another’s: %s", all)
	}
	var left struct{ Armed []world.Armed }
	if r.get("/faults", &left); len(left.Armed) != 1 || left.Armed[0] != (world.Armed{Partner: "crm", Fault: "rate_limited", Times: 1}) {
		t.Errorf("armed is %v", left.Armed)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/", strings.NewReader("partenaire=crm&faute=rate_limited&faire=cinq"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if status, _ := read((&http.Client{Timeout: time.Minute}).Do(req)); status != http.StatusForbidden {
		t.Errorf("a page elsewhere arms a fault: %d", status)
	}
}
