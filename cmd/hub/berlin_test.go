package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/bank/berlin"
	"tiwiza/payments/files"
	"tiwiza/pkg/outbound/netfault"
)

// TestBankOverBerlinPaysOnceAndReconciles has the built-in bank reached over
// NextGenPSD2: payouts leave as bulk payments, what the bank booked comes back as
// statements, and a lost answer never pays twice.
func TestBankOverBerlinPaysOnceAndReconciles(t *testing.T) {
	t.Parallel()
	r := newRig(t, "HUBSIM_BANK=berlin")
	if list := r.shows(t, r.operator(), "/v1/partners"); !strings.Contains(list, `"driver":"berlin"`) {
		t.Fatalf("the bank is not reached over berlin: %s", list)
	}
	s := r.seller(t)
	r.earn(t, s, "4000.00")
	for _, fault := range []string{"execute_then_drop", "execute_then_500", "", "execute_then_garbage", "drop_request", "", "rate_limited"} { // never three failures in a row: the breaker would open
		t.Run("with "+fault, func(t *testing.T) {
			if fault != "" {
				r.fault(t, "bank", fault)
			}
			p := r.payout(t, s, "100.00")
			r.advance(t, "3s")
			r.nudged(t, "the payout "+p.ID, 8*time.Minute, 2, "11m", func() bool { p = r.payoutOf(t, s, p.ID); return p.State == "paid" })
			r.moved(t, p.Ref, "payout", p.Amount)
			if left := r.armed(t); slices.Contains(left, fault) {
				t.Errorf("the bank did not play %s", fault)
			}
		})
	}
	t.Run("paid_then_returned", func(t *testing.T) {
		before := r.available(t, s)
		r.fault(t, "bank", "paid_then_returned")
		p := r.payout(t, s, "100.00")
		r.advance(t, "3s")
		r.until(t, "the payout "+p.ID, func() bool { return r.payoutOf(t, s, p.ID).State == "paid" })
		r.partnersAdvance(t, "73h")
		r.until(t, "the return of "+p.ID, func() bool { return r.payoutOf(t, s, p.ID).State == "returned" })
		if got := r.available(t, s); !got.Equal(before) {
			t.Errorf("after the return the seller has %s, want %s", got, before)
		}
	})
	if got := r.shows(t, r.operator(), "/v1/breaks"); !strings.Contains(got, `"data":[]`) {
		t.Errorf("there are breaks: %s", got)
	}
	r.verify(t)
}

// TestHubCertifyPassesTheStandIns: the stand-in bank speaks bank.v1, and the stand-in
// acquirer card.v1, over the same truth, and both reach the highest level, their signed
// events included.
func TestHubCertifyPassesTheStandIns(t *testing.T) {
	t.Parallel()
	dir, addr, events := t.TempDir(), netfault.FreeAddr(t), netfault.FreeAddr(t)
	sim := start(t, "hubsim", filepath.Join(dir, "hubsim.log"), []string{
		"HUBSIM_ADDR=" + addr, "HUBSIM_DATA_DIR=" + filepath.Join(dir, "sim"), "HUBSIM_EVENTS_TO=http://" + events, "HUBSIM_CARD_EVENTS_TO=http://" + events,
	})
	t.Cleanup(func() { sim.end(os.Interrupt, 10*time.Second) })
	client := &http.Client{Timeout: time.Second}
	var said struct {
		Bank struct {
			Connector struct{ URL, Token, Account string }
		}
		Acquirer struct {
			URL   string `json:"connector_url"`
			Token string `json:"connector_token"`
		}
	}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		res, err := client.Get("http://" + addr + "/config")
		if err == nil {
			err = json.NewDecoder(res.Body).Decode(&said)
			res.Body.Close()
		}
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the stand-ins do not answer: %v", err)
		}
	}
	at, cards := said.Bank.Connector, said.Acquirer
	for _, stand := range [][]string{{at.URL, "--token", at.Token, "--account", at.Account}, {cards.URL, "--token", cards.Token}} {
		args := slices.Concat([]string{"certify"}, stand, []string{"--sign-key", strings.Repeat("7a", 32), "--events", events, "--seed", "7", "--json", filepath.Join(dir, "report.json"), "--junit", filepath.Join(dir, "report.xml")})
		out, code := command(t, []string{"HUB_DATA_DIR=" + dir}, args...)
		if code != 0 || !strings.Contains(out, "has reached C5") {
			t.Fatalf("hub certify exits %d\n%s", code, out)
		}
		for s := bufio.NewScanner(strings.NewReader(out)); s.Scan(); {
			if strings.Contains(s.Text(), "skip") {
				t.Errorf("a case was left out: %s", s.Text())
			}
		}
		var report struct {
			Level   string
			Results []struct{ Passed bool }
		}
		text, err := os.ReadFile(filepath.Join(dir, "report.json"))
		if err == nil {
			err = json.Unmarshal(text, &report)
		}
		if err != nil || report.Level != "C5" || len(report.Results) < 20 {
			t.Errorf("the report says %+v (%v)", report, err)
		}
		if text, err = os.ReadFile(filepath.Join(dir, "report.xml")); err != nil || strings.Count(string(text), "<testcase ") != len(report.Results) || strings.Contains(string(text), "<failure") {
			t.Errorf("the build server is told %.300s (%v)", text, err)
		}
	}
	res, err := client.Get("http://" + addr + "/truth")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var truth struct{ Executed []executed }
	if err := json.NewDecoder(res.Body).Decode(&truth); err != nil {
		t.Fatal(err)
	}
	did := map[string]int{}
	for _, e := range truth.Executed {
		did[e.Partner]++
	}
	if did["bank"] < 100 || did["acquirer"] < 100 {
		t.Errorf("the partners' own truth has these movements of what was certified: %v", did)
	}
}

// TestABankOverBerlinIsSafeInProduction: an open way, or one token for ever, makes
// the hub refuse to start.
func TestABankOverBerlinIsSafeInProduction(t *testing.T) {
	t.Parallel()
	good := berlinConfig{BaseURL: "https://bank.example", TokenURL: "https://bank.example/token", ClientID: "x", ClientSecret: "y"}
	if errs := good.unsafe(); len(errs) != 0 {
		t.Errorf("a good one is refused: %v", errs)
	}
	for name, spoil := range map[string]func(*berlinConfig){
		"an open way":              func(c *berlinConfig) { c.BaseURL = "http://bank.example" },
		"an open way to its token": func(c *berlinConfig) { c.TokenURL = "http://bank.example/token" },
		"a token for ever":         func(c *berlinConfig) { c.TokenURL, c.Token = "", "a-token-for-ever" },
	} {
		c := good
		spoil(&c)
		var all partnerConfig
		all.Bank.Berlin = &c
		if len(c.unsafe()) != 1 || all.unsafe() == nil {
			t.Errorf("%s is taken: %v", name, c.unsafe())
		}
	}
	for name, spoil := range map[string]func(*berlinConfig){
		"no first day":       func(c *berlinConfig) { c.Since = "" },
		"a promise in words": func(c *berlinConfig) { c.Repeats = "a day" },
	} {
		c := berlinConfig{
			BaseURL: "https://bank.example", Token: "a-token-for-ever", Address: "192.0.2.7", Consent: "c", Since: "2026-11-01",
			Accounts: []berlin.Account{{RIB: "001810007800020110620318", Resource: "a"}},
		}
		if _, err := c.open(files.NewNotes("bank")); err != nil {
			t.Fatalf("a good one does not open: %v", err)
		}
		spoil(&c)
		if _, err := c.open(files.NewNotes("bank")); err == nil {
			t.Errorf("%s: it opens", name)
		}
	}
}
