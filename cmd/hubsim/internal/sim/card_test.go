package sim_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"tiwiza/cmd/hubsim/internal/acquirer"
)

func TestACardIsAuthorisedAndItsCallbackCaptures(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	status, page := r.pay("ORD-1", "123.50", good, "123456")
	if status != http.StatusOK || !strings.Contains(page, "Paiement accepté") {
		t.Fatalf("the last page is %d: %s", status, page)
	}
	r.want("ORD-1", "acquirer charge 123.50", "acquirer capture 123.50")
	told := r.callbacks()
	if len(told) != 1 || !r.signed(told[0]) {
		t.Fatalf("%d callbacks, signed: %v", len(told), len(told) > 0 && r.signed(told[0]))
	}
	for name, want := range map[string]string{
		"oid": "ORD-1", "ReturnOid": "ORD-1", "amount": "123.50", "currency": "504", "ProcReturnCode": "00", "Response": "Approved",
		"mdStatus": "1", "MaskedPan": "400000***0010", "BillToName": "L&#39;Argane &amp; Fils | &lt;Exemple&gt;",
	} {
		if got := told[0].Get(name); got != want {
			t.Errorf("callback %s = %q, want %q", name, got, want)
		}
	}
	action, back := r.firstForm(page)
	var f acquirer.Fields
	for name := range back {
		f = append(f, acquirer.Field{Name: name, Value: back.Get(name)})
	}
	if want := acquirer.Hash(f, acquirer.Redirect, r.config.Acquirer.StoreKey); action != "http://shop.example/ok" || f.Get("HASH") != want {
		t.Errorf("the way back goes to %s with hash %s, want %s", action, f.Get("HASH"), want)
	}
}

func TestWhatTheShopAnswersDecides(t *testing.T) {
	t.Parallel()
	for answer, state := range map[string]string{"ACTION=POSTAUTH": "C", "APPROVED": "A", "FAILURE": "A", "<html>": "A"} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			r := start(t, time.Hour)
			r.answer = func(acquirer.Fields) string { return answer }
			r.pay("ORD-1", "10.00", good, "123456")
			if _, text, err := r.api(query("ORD-1")); err != nil || field(text, "TRANS_STAT") != state {
				t.Errorf("state is %s (%v), want %s", field(text, "TRANS_STAT"), err, state)
			}
		})
	}
}

func TestACallbackComesAgainUntilItIsAnsweredAlsoAfterARestart(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	r.answer = func(acquirer.Fields) string { return "FAILURE" }
	r.pay("ORD-1", "10.00", good, "123456")
	r.advance("5s")
	r.wait(func() (bool, string) { return len(r.callbacks()) == 2, "no second try" })
	r.restart()
	r.mu.Lock()
	r.answer = func(acquirer.Fields) string { return "ACTION=POSTAUTH" }
	r.mu.Unlock()
	r.advance("15s")
	r.want("ORD-1", "acquirer charge 10.00", "acquirer capture 10.00")
	for _, f := range r.callbacks() {
		if !r.signed(f) {
			t.Error("a try is not signed")
		}
	}
	r.advance("1h")
	if got := len(r.callbacks()); got != 3 {
		t.Errorf("%d callbacks after one was understood, want 3", got)
	}
}

func TestDeclinesAreToldAndLeaveTheOrderOpen(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	for _, c := range []struct{ pan, otp, code string }{
		{"4000000000000002", "123456", "51"},
		{"4000000000000069", "123456", "54"},
		{good, acquirer.DeclineOTP, "99"},
		{good, "12", "99"},
		{good, "", "99"},
	} {
		if status, page := r.pay("ORD-1", "10.00", c.pan, c.otp); status != http.StatusOK || !strings.Contains(page, "Paiement refusé") {
			t.Fatalf("card %s, code %q: %d %s", c.pan, c.otp, status, page)
		}
		told := r.callbacks()
		last := told[len(told)-1]
		if last.Get("Response") != "Declined" || last.Get("ProcReturnCode") != c.code || !r.signed(last) {
			t.Errorf("told %s %s, want Declined %s", last.Get("Response"), last.Get("ProcReturnCode"), c.code)
		}
	}
	if _, text, _ := r.api(query("ORD-1")); field(text, "TRANS_STAT") != "D" || field(text, "Response") != "Declined" {
		t.Errorf("status of a declined order: %s", text)
	}
	if rows := r.truth("ORD-1"); len(rows) != 0 {
		t.Errorf("executed %q, want nothing", rows)
	}
	r.pay("ORD-1", "10.00", good, "000000")
	r.want("ORD-1", "acquirer charge 10.00", "acquirer capture 10.00")
}

func TestTheGateRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	for name, change := range map[string]func(acquirer.Fields) acquirer.Fields{
		"another amount":   func(f acquirer.Fields) acquirer.Fields { return f.With("amount", "1.00") },
		"no hash":          func(f acquirer.Fields) acquirer.Fields { return f.With("HASH", "") },
		"another shop":     func(f acquirer.Fields) acquirer.Fields { return r.sign(f.With("clientid", "600000000")) },
		"another currency": func(f acquirer.Fields) acquirer.Fields { return r.sign(f.With("currency", "978")) },
		"nothing to pay":   func(f acquirer.Fields) acquirer.Fields { return r.sign(f.With("amount", "0.00")) },
		"three decimals":   func(f acquirer.Fields) acquirer.Fields { return r.sign(f.With("amount", "1.005")) },
		"a bad order":      func(f acquirer.Fields) acquirer.Fields { return r.sign(f.With("oid", "a b")) },
		"a bad type":       func(f acquirer.Fields) acquirer.Fields { return r.sign(f.With("trantype", "Credit")) },
		"a script address": func(f acquirer.Fields) acquirer.Fields { return r.sign(f.With("okUrl", "javascript:alert(1)")) },
	} {
		status, page := r.submit(r.config.Acquirer.GateURL, values(change(r.form("ORD-1", "10.00"))))
		if status != http.StatusBadRequest || strings.Contains(page, "<form") || !strings.Contains(page, "http://shop.example/fail") {
			t.Errorf("%s: %d %s", name, status, page)
		}
	}
}

func TestAWrongFigureStaysOnTheCardPage(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	_, page := r.submit(r.config.Acquirer.GateURL, values(r.form("ORD-1", "10.00")))
	for _, c := range [][3]string{{"4000000000000011", "12/40", "000"}, {"4000000000000010", "12/20", "000"}, {"4000000000000010", "13/40", "000"}, {"4000000000000010", "12/40", "x"}, {"", "", ""}} {
		action, v := r.firstForm(page)
		v.Set("pan", c[0])
		v.Set("expiry", c[1])
		v.Set("cvv", c[2])
		status, again := r.submit(action, v)
		if status != http.StatusUnprocessableEntity || !strings.Contains(again, `role="alert"`) || !strings.Contains(again, `name="pan"`) {
			t.Errorf("%v: %d %s", c, status, again)
		}
	}
	action, v := r.firstForm(page)
	body, mac, _ := strings.Cut(v.Get("state"), ".")
	text, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		t.Fatal(err)
	}
	cheaper := strings.Replace(string(text), `"amount":1000`, `"amount":1`, 1)
	v.Set("state", base64.RawURLEncoding.EncodeToString([]byte(cheaper))+"."+mac)
	if status, _ := r.submit(action, v); status != http.StatusBadRequest {
		t.Errorf("a changed state is answered %d, want 400", status)
	}
}

func TestAPostedPageTwiceChargesOnce(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	_, page := r.submit(r.config.Acquirer.GateURL, values(r.form("ORD-1", "10.00")))
	action, v := r.firstForm(page)
	v.Set("pan", good)
	v.Set("expiry", "1240")
	v.Set("cvv", "000")
	_, page = r.submit(action, v)
	action, v = r.firstForm(page)
	v.Set("otp", "123456")
	_, first := r.submit(action, v)
	_, second := r.submit(action, v)
	if first != second {
		t.Error("the second post shows another page")
	}
	r.want("ORD-1", "acquirer charge 10.00", "acquirer capture 10.00")
	if status, page := r.submit(r.config.Acquirer.GateURL, values(r.form("ORD-1", "10.00"))); status != http.StatusConflict || !strings.Contains(page, "déjà payée") {
		t.Errorf("a paid order at the gate: %d %s", status, page)
	}
}

func TestThePagesSpeakThreeLanguagesWithoutCookieOrScript(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	for lang, text := range map[string]string{"fr": `lang="fr" dir="ltr"`, "ar": `lang="ar" dir="rtl"`, "en": `lang="en" dir="ltr"`, "xx": `lang="fr"`} {
		_, page := r.submit(r.config.Acquirer.GateURL, values(r.sign(r.form("ORD-1", "10.00").With("lang", lang))))
		if !strings.Contains(page, text) || strings.Contains(page, "<script") || !strings.Contains(page, "10.00 MAD") {
			t.Errorf("%s: %s", lang, page)
		}
	}
}

func TestTheServerAPIKeepsItsRules(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	r.answer = func(acquirer.Fields) string { return "APPROVED" }
	r.pay("A", "100.00", good, "123456")
	r.pay("B", "100.00", good, "123456")
	for _, step := range []struct{ call, verdict, text string }{
		{query("none"), "Error", "No such order"},
		{operation("PostAuth", "none", ""), "Error", "No such order"},
		{operation("Credit", "A", "1.00"), "Error", "not captured"},
		{operation("PostAuth", "A", "100.01"), "Error", "exceeds"},
		{operation("PostAuth", "A", "75.00"), "Approved", ""},
		{operation("PostAuth", "A", "25.00"), "Error", "cannot be captured"},
		{operation("Credit", "A", "75.01"), "Error", "exceeds"},
		{operation("Credit", "A", "25.00"), "Approved", ""},
		{operation("Credit", "A", "50.01"), "Error", "exceeds"},
		{operation("Void", "A", ""), "Error", "cannot be voided"},
		{operation("Void", "B", ""), "Approved", ""},
		{operation("Void", "B", ""), "Error", "cannot be voided"},
		{operation("PostAuth", "B", ""), "Error", "cannot be captured"},
		{operation("PreAuth", "C", "1.00"), "Error", "not supported"},
	} {
		_, text, err := r.api(step.call)
		if err != nil || field(text, "Response") != step.verdict || !strings.Contains(field(text, "ErrMsg"), step.text) {
			t.Errorf("%s\n answers %s (%v)\n want %s %q", step.call, text, err, step.verdict, step.text)
		}
	}
	_, text, _ := r.api(query("A"))
	for name, want := range map[string]string{"TRANS_STAT": "C", "ORIG_TRANS_AMT": "10000", "CAPTURE_AMT": "7500", "CREDIT_AMT": "2500", "ProcReturnCode": "00"} {
		if got := field(text, name); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
	r.want("A", "acquirer charge 100.00", "acquirer capture 75.00", "acquirer refund 25.00")
	r.want("B", "acquirer charge 100.00", "acquirer void 100.00")
	r.config.Acquirer.APIPassword = "wrong"
	if _, text, _ := r.api(query("A")); !strings.Contains(text, "Authentication failed") {
		t.Errorf("a wrong password is answered %s", text)
	}
}

func TestATypeAuthIsCapturedAtOnce(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	r.answer = func(acquirer.Fields) string { return "APPROVED" }
	_, page := r.submit(r.config.Acquirer.GateURL, values(r.sign(r.form("ORD-1", "10.00").With("trantype", "Auth"))))
	action, v := r.firstForm(page)
	v.Set("pan", good)
	v.Set("expiry", "12/2040")
	v.Set("cvv", "000")
	_, page = r.submit(action, v)
	action, v = r.firstForm(page)
	v.Set("otp", "123456")
	r.submit(action, v)
	r.want("ORD-1", "acquirer charge 10.00", "acquirer capture 10.00")
}

func TestASettlementIsOneEntryWithGrossAndFeeOfEachCharge(t *testing.T) {
	t.Parallel()
	r := start(t, 300*time.Millisecond)
	r.pay("A", "100.00", good, "123456")
	r.pay("B", "0.25", good, "123456") // the fee of 0.0045 is rounded to nothing
	r.pay("C", "75.25", good, "123456")
	rib := r.config.Bank.Safeguard.RIB
	fees := map[string]string{"A": "1.80", "B": "", "C": "1.35"}
	lines := map[string]txDtls{}
	r.wait(func() (bool, string) {
		clear(lines)
		for _, e := range r.entries(rib) {
			var net int64
			for _, d := range e.TxDtls {
				lines[d.EndToEnd] = d
				net += centimes(d.Gross)
				if d.Fee != "" {
					net -= centimes(d.Fee)
				}
				if !strings.Contains(e.Info, d.InstrID) || d.InstrID == "" {
					t.Errorf("entry %q does not name settlement %q", e.Info, d.InstrID)
				}
				if got := r.truth(d.InstrID); len(got) != 2 || got[0] != "acquirer settlement "+e.Amt || got[1] != "bank credit "+e.Amt {
					t.Errorf("truth of the settlement is %q, the entry says %s", got, e.Amt)
				}
			}
			if net != signed(e.Amt, e.Dir) {
				t.Errorf("the details add up to %d, the entry is %s", net, e.Amt)
			}
		}
		return len(lines) == 3, "not all charges are settled"
	})
	for oid, fee := range fees {
		if d := lines[oid]; d.Fee != fee || d.Amt != d.Gross || d.Dir != "CRDT" || (fee != "" && d.FeeDir != "DBIT") {
			t.Errorf("charge %s is told as %+v, want fee %q", oid, d, fee)
		}
	}
	if _, text, _ := r.api(operation("Void", "A", "")); field(text, "Response") != "Error" {
		t.Errorf("a settled charge was voided: %s", text)
	}
	if _, text, _ := r.api(operation("Credit", "A", "40.00")); field(text, "Response") != "Approved" {
		t.Errorf("a settled charge was not refunded: %s", text)
	}
	r.wait(func() (bool, string) {
		for _, e := range r.entries(rib) {
			if e.Dir == "DBIT" && e.Amt == "40.00" && e.TxDtls[0].EndToEnd == "A" && e.TxDtls[0].Dir == "DBIT" {
				return true, ""
			}
		}
		return false, "the refund was not taken off a settlement"
	})
	if _, text, _ := r.api(query("A")); field(text, "TRANS_STAT") != "S" || field(text, "CREDIT_AMT") != "4000" {
		t.Errorf("status after settlement and refund: %s", text)
	}
}
