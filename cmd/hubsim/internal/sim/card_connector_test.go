package sim_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tiwiza/cmd/hubsim/internal/acquirer"
	"tiwiza/pkg/money"
)

// hundred is what most payments of these tests are of.
const hundred = "100.00"

// paymentOf is what a hub signs.
func paymentOf(ref, amount string, ends time.Time) map[string]any {
	return map[string]any{
		"ref": ref, "amount": map[string]string{"amount": amount, "currency": "MAD"}, "lang": "fr",
		"buyer":      map[string]string{"name": "Acheteuse d’essai", "email": "acheteuse@shop.example"},
		"return_url": "http://shop.example/back", "shop_url": "http://shop.example/", "expires_at": ends.UTC().Format(time.RFC3339), "nonce": "nonce-" + ref,
	}
}

// signedBy is the form of a payment under a token.
func signedBy(token, text string) url.Values {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("payment." + text))
	return url.Values{"payment": {text}, "signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}}
}

func (r *rig) signedForm(p map[string]any) url.Values {
	b, _ := json.Marshal(p)
	return signedBy(r.config.Acquirer.Token, string(b))
}

// browser posts a form and follows nothing; it gives where it is sent.
func (r *rig) browser(address string, v url.Values) (status int, page, to string) {
	r.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = r.url + address
	}
	c := &http.Client{
		Timeout: 2 * time.Minute, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := c.PostForm(address, v)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header.Get("Location")
}

// types fills in what a buyer types on the card page and the page after it.
func (r *rig) types(page, pan, otp string) (status int, last, to string) {
	r.t.Helper()
	action, v := r.firstForm(page)
	v.Set("pan", pan)
	v.Set("expiry", "12/40")
	v.Set("cvv", "000")
	status, page, _ = r.browser(action, v)
	if status != http.StatusOK {
		return status, page, ""
	}
	action, v = r.firstForm(page)
	v.Set("otp", otp)
	return r.browser(action, v)
}

// shown asks for the page of a payment, and wants it.
func (r *rig) shown(ref, amount string) string {
	r.t.Helper()
	status, page, _ := r.browser(r.config.Acquirer.URL+"/card/v1/pay", r.signedForm(paymentOf(ref, amount, time.Now().Add(time.Hour))))
	if status != http.StatusOK {
		r.t.Fatalf("the page of %s is answered %d: %s", ref, status, page)
	}
	return page
}

// paidHere has a person pay on the page.
func (r *rig) paidHere(ref, amount string) {
	r.t.Helper()
	if status, page, to := r.types(r.shown(ref, amount), good, "123456"); status != http.StatusSeeOther || to != "http://shop.example/back" {
		r.t.Fatalf("the buyer ends at %d %q: %s", status, to, page)
	}
}

// played has a buyer of the sandbox pay.
func (r *rig) played(ref, amount string) {
	r.t.Helper()
	r.shown(ref, amount)
	if status, text, err := r.v1("POST", "/sandbox/buyers", "", `{"ref":"`+ref+`"}`); err != nil || status != http.StatusOK {
		r.t.Fatalf("the sandbox's buyer: %d %s %v", status, text, err)
	}
}

// v1 calls the connector; the error is the connection's.
func (r *rig) v1(method, path, key, body string) (int, string, error) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.config.Acquirer.URL+"/card/v1"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.config.Acquirer.Token)
	if key != "" {
		req.Header.Set("Idempotency-Key", `"`+key+`"`)
	}
	return r.roundTrip(req)
}

// moves asks for a capture, a void or a refund.
func (r *rig) moves(kind, of, ref, amount string) (int, string, error) {
	r.t.Helper()
	return r.v1("POST", "/payments/"+of+"/"+kind, ref, fmt.Sprintf(`{"ref":%q,"amount":{"amount":%q,"currency":"MAD"}}`, ref, amount))
}

// want1 asks for one and wants this answer, by its status and a part.
func (r *rig) want1(kind, of, ref, amount string, status int, part string) {
	r.t.Helper()
	if got, text, err := r.moves(kind, of, ref, amount); err != nil || got != status || !strings.Contains(text, part) {
		r.t.Errorf("%s of %s of %s under %s: %d %s (%v), want %d %s", kind, amount, of, ref, got, text, err, status, part)
	}
}

// standing is how a payment stands.
type standing struct {
	Status                       int `json:"-"`
	ID, Ref, State, Reason, Code string
	Amount, Captured, Refunded   struct{ Amount string }
}

func (r *rig) stands(ref string) (s standing) {
	r.t.Helper()
	status, text, err := r.v1("GET", "/payments/"+ref, "", "")
	if err != nil || json.Unmarshal([]byte(text), &struct {
		*standing
		Status int
	}{standing: &s}) != nil {
		r.t.Fatalf("payment %s: %d %s %v", ref, status, text, err)
	}
	s.Status = status
	return s
}

func (s standing) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s of %s, %s back %s", s.State, s.Captured.Amount, s.Amount.Amount, s.Refunded.Amount, s.Reason))
}

// is wants a payment to stand so.
func (r *rig) is(ref, want string) {
	r.t.Helper()
	if s := r.stands(ref); s.String() != want {
		r.t.Errorf("%s is %s, want %s", ref, s, want)
	}
}

// statement is what moved, and the sums: today's, and yesterday's besides when midnight
// has passed meanwhile.
func (r *rig) statement() (rows []string, sums string) {
	r.t.Helper()
	total, fees, net := money.Dirhams(0), money.Dirhams(0), money.Dirhams(0)
	for _, on := range []time.Time{time.Now().Add(-24 * time.Hour), time.Now()} {
		var day struct {
			Rows []struct {
				Ref, Kind   string
				Amount, Fee money.Money
			}
			Total, Fees, Net money.Money
		}
		status, text, err := r.v1("GET", "/statements?day="+on.UTC().Format(time.DateOnly), "", "")
		if err != nil || status != http.StatusOK || json.Unmarshal([]byte(text), &day) != nil {
			r.t.Fatalf("statement: %d %s %v", status, text, err)
		}
		for _, one := range day.Rows {
			rows = append(rows, fmt.Sprintf("%s %s %s-%s", one.Kind, one.Ref, one.Amount.Amount(), one.Fee.Amount()))
		}
		total, fees, net = total.Add(day.Total), fees.Add(day.Fees), net.Add(day.Net)
	}
	return rows, fmt.Sprintf("%s-%s=%s", total.Amount(), fees.Amount(), net.Amount())
}

func TestACardConnectorTakesSettlesAndGivesBack(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	if s := r.stands("P1"); s.Status != http.StatusNotFound || s.Code != "payment_not_found" {
		t.Errorf("a payment that nobody tried: %+v", s)
	}
	page := r.shown("P1", hundred)
	if !strings.Contains(page, "100.00 MAD") || !strings.Contains(page, `href="http://shop.example/"`) {
		t.Errorf("the page is %s", page)
	}
	if s := r.stands("P1"); s.Status != http.StatusNotFound {
		t.Errorf("a payment whose page was shown: %+v", s)
	}
	r.paidHere("P1", hundred)
	r.is("P1", "authorized 0.00 of 100.00, 0.00 back")
	id := r.stands("P1").ID
	r.want1("captures", "P1", "P1-C", "100.01", http.StatusConflict, "not_capturable")
	r.want1("captures", "P1", "P1-C", hundred, http.StatusUnprocessableEntity, "idempotency_conflict")
	r.want1("refunds", "P1", "P1-R0", "1.00", http.StatusConflict, "not_refundable")
	r.want1("captures", "P1", "P1-C2", "75.00", http.StatusCreated, `"state":"captured"`)
	r.want1("captures", "P1", "P1-C2", "75.00", http.StatusOK, `"state":"captured"`)
	r.want1("captures", "P1", "P1-C2", "74.00", http.StatusUnprocessableEntity, "idempotency_conflict")
	r.want1("refunds", "P1", "P1-C2", "75.00", http.StatusUnprocessableEntity, "idempotency_conflict")
	r.want1("captures", "P1", "P1-C3", "25.00", http.StatusConflict, "not_capturable")
	r.want1("refunds", "P1", "P1-R1", "1.00", http.StatusConflict, "not_refundable")
	if rows, _ := r.statement(); len(rows) != 0 {
		t.Errorf("before it is settled the statement shows %v", rows)
	}
	if status, text, err := r.v1("POST", "/sandbox/day-end", "", "{}"); err != nil || status != http.StatusOK {
		t.Fatalf("day end: %d %s %v", status, text, err)
	}
	r.is("P1", "settled 75.00 of 100.00, 0.00 back")
	r.want1("voids", "P1", "P1-V", hundred, http.StatusConflict, "not_voidable")
	r.want1("refunds", "P1", "P1-R1", "1.00", http.StatusConflict, "not_refundable") // it was refused for good
	r.want1("refunds", "P1", "P1-R2", "75.01", http.StatusConflict, "not_refundable")
	r.want1("refunds", "P1", "P1-R3", "25.00", http.StatusCreated, `"state":"settled"`)
	r.want1("refunds", "P1", "P1-R3", "25.00", http.StatusOK, `"state":"settled"`)
	r.want1("refunds", "P1", "P1-R4", "50.00", http.StatusCreated, `"state":"refunded"`)
	r.want1("captures", "P1", "P1-C2", "75.00", http.StatusOK, `"state":"refunded"`)
	r.is("P1", "refunded 75.00 of 100.00, 75.00 back")
	if got := r.stands("P1").ID; got != id || id == "" {
		t.Errorf("it was %q and is %q", id, got)
	}
	r.want("P1", "acquirer charge 100.00", "acquirer capture 75.00", "acquirer refund 25.00", "acquirer refund 50.00")
	rows, sums := r.statement()
	if got := strings.Join(rows, ", "); got != "payment P1 75.00-1.35, refund P1-R3 -25.00-0.00, refund P1-R4 -50.00-0.00" || sums != "0.00-1.35=-1.35" {
		t.Errorf("the statement shows %s; %s", got, sums)
	}
	r.paidHere("P2", hundred)
	r.want1("voids", "P2", "P2-V", "75.00", http.StatusUnprocessableEntity, "invalid")
	r.want1("voids", "P2", "P2-V", hundred, http.StatusCreated, `"state":"voided"`)
	r.want1("voids", "P2", "P2-V2", hundred, http.StatusConflict, "not_voidable")
	r.paidHere("P3", hundred)
	r.want1("captures", "P3", "P3-C", hundred, http.StatusCreated, `"state":"captured"`)
	r.want1("voids", "P3", "P3-V", hundred, http.StatusCreated, `"state":"voided"`)
	r.is("P3", "voided 0.00 of 100.00, 0.00 back")
	r.paidHere("P4", "10.03") // only the sandbox loses answers by the amount
	r.want1("captures", "P4", "P4-C", "10.03", http.StatusCreated, `"state":"captured"`)
	r.want1("voids", "NONE", "N-V", hundred, http.StatusNotFound, "payment_not_found")

	// The bank is paid by the same line as by the first door.
	r.wait(func() (bool, string) {
		var out []string
		for _, e := range r.entries(r.config.Bank.Safeguard.RIB) {
			for _, d := range e.TxDtls {
				out = append(out, d.Dir+" "+d.EndToEnd+" "+d.Gross+"-"+d.Fee)
			}
		}
		got := strings.Join(out, ", ")
		return got == "CRDT P1 75.00-1.35", "the bank's statement shows " + got
	})
}

func TestACardConnectorLetsInWhoHasTheToken(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	r.paidHere("P1", hundred)
	right := r.config.Acquirer.Token
	for _, token := range []string{"", "wrong", r.config.Wallet["connector_token"]} {
		r.config.Acquirer.Token = token
		for _, c := range [][2]string{{"GET", "/payments/P1"}, {"POST", "/payments/P1/captures"}, {"GET", "/statements?day=2026-11-23"}, {"POST", "/sandbox/buyers"}, {"POST", "/sandbox/day-end"}, {"GET", "/x"}} {
			if status, text, err := r.v1(c[0], c[1], "X", `{"ref":"X","amount":{"amount":"100.00","currency":"MAD"}}`); err != nil || status != http.StatusUnauthorized || !strings.Contains(text, "unauthenticated") {
				t.Errorf("%v with the token %q: %d %s %v", c, token, status, text, err)
			}
		}
	}
	r.config.Acquirer.Token = right
	r.is("P1", "authorized 0.00 of 100.00, 0.00 back")
	for _, c := range []struct {
		key, body string
		status    int
		code      string
	}{
		{"A", `{`, 400, "malformed"},
		{"B", `{"ref":"A","amount":{"amount":"1.00","currency":"MAD"}}`, 400, "idempotency_key"},
		{"", `{"ref":"A","amount":{"amount":"1.00","currency":"MAD"}}`, 400, "idempotency_key"},
		{"A", `{"ref":"A"}`, 422, "invalid"},
		{"A", `{"ref":"A","amount":{"amount":"0.00","currency":"MAD"}}`, 422, "invalid"},
		{"A", `{"ref":"A","amount":{"amount":"-1.00","currency":"MAD"}}`, 422, "invalid"},
		{"A", `{"ref":"A","amount":{"amount":"1.00","currency":"EUR"}}`, 422, "invalid"},
		{"a b", `{"ref":"a b","amount":{"amount":"1.00","currency":"MAD"}}`, 422, "invalid"},
		{"A", `{"ref":"A","x":"` + strings.Repeat("x", 1<<17) + `"}`, 413, "too_large"},
	} {
		if status, text, err := r.v1("POST", "/payments/P1/captures", c.key, c.body); err != nil || status != c.status || !strings.Contains(text, `"code":"`+c.code+`"`) {
			t.Errorf("%s %.80s: %d %s %v, want %d %s", c.key, c.body, status, text, err, c.status, c.code)
		}
	}
	r.want1("captures", "P1", "A", "1.00", http.StatusCreated, "captured") // nothing of that was kept
}

func TestACardConnectorBelievesOnlyWhatIsSigned(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	pay := r.config.Acquirer.URL + "/card/v1/pay"
	soon := time.Now().Add(time.Hour)
	form := r.signedForm(paymentOf("P1", hundred, soon))
	text, signature := form.Get("payment"), form.Get("signature")
	for name, v := range map[string]url.Values{
		"nothing":             {},
		"no signature":        {"payment": {text}},
		"another token":       signedBy("wrong", text),
		"no token":            signedBy("", text),
		"a cheaper payment":   {"payment": {strings.Replace(text, hundred, "1.00", 1)}, "signature": {signature}},
		"a payment and one":   {"payment": {text, text}, "signature": {signature}},
		"two signatures":      {"payment": {text}, "signature": {signature, signature}},
		"another version":     {"payment": {text}, "signature": {"v2" + signature[2:]}},
		"a signature alone":   {"payment": {""}, "signature": {signature}},
		"what is no payment":  {"payment": {"{"}, "signature": {signature}},
		"a signature and one": {"payment": {text}, "signature": {signature + "," + signature}},
	} {
		if status, page, _ := r.browser(pay, v); status != http.StatusForbidden || !strings.Contains(page, `"code":"forged"`) {
			t.Errorf("%s: %d %s", name, status, page)
		}
	}
	for i := range signature { // each byte of it counts
		b := []byte(signature)
		b[i] ^= 1
		if status, page, _ := r.browser(pay, url.Values{"payment": {text}, "signature": {string(b)}}); status != http.StatusForbidden {
			t.Fatalf("a signature changed at %d is answered %d: %s", i, status, page)
		}
	}
	if status, page, _ := r.v1("POST", "/sandbox/buyers", "", `{"ref":"P1"}`); status != http.StatusNotFound || !strings.Contains(page, "payment_not_found") {
		t.Errorf("a page that was never shown is paid: %d %s", status, page)
	}
	for name, change := range map[string]func(map[string]any){
		"no ref":             func(p map[string]any) { p["ref"] = "" },
		"a bad ref":          func(p map[string]any) { p["ref"] = "a b" },
		"no amount":          func(p map[string]any) { delete(p, "amount") },
		"nothing to pay":     func(p map[string]any) { p["amount"] = map[string]string{"amount": "0.00", "currency": "MAD"} },
		"euros":              func(p map[string]any) { p["amount"] = map[string]string{"amount": "1.00", "currency": "EUR"} },
		"another language":   func(p map[string]any) { p["lang"] = "de" },
		"no buyer":           func(p map[string]any) { delete(p, "buyer") },
		"a script to return": func(p map[string]any) { p["return_url"] = "javascript:alert(1)" },
		"no shop":            func(p map[string]any) { delete(p, "shop_url") },
		"no end":             func(p map[string]any) { delete(p, "expires_at") },
		"a bad end":          func(p map[string]any) { p["expires_at"] = "tomorrow" },
		"a short nonce":      func(p map[string]any) { p["nonce"] = "x" },
	} {
		p := paymentOf("P1", hundred, soon)
		change(p)
		if status, page, _ := r.browser(pay, r.signedForm(p)); status != http.StatusUnprocessableEntity || !strings.Contains(page, `"code":"invalid"`) {
			t.Errorf("%s: %d %s", name, status, page)
		}
	}
	if status, page, _ := r.browser(pay, signedBy(r.config.Acquirer.Token, "{")); status != http.StatusUnprocessableEntity {
		t.Errorf("no JSON: %d %s", status, page)
	}
	expect := func(name string, p map[string]any, want int, code string) {
		t.Helper()
		if status, page, _ := r.browser(pay, r.signedForm(p)); status != want || !strings.Contains(page, `"code":"`+code+`"`) {
			t.Errorf("%s: %d %s, want %d %s", name, status, page, want, code)
		}
	}
	expect("one whose time is over", paymentOf("P1", hundred, time.Now().Add(-time.Minute)), http.StatusGone, "page_expired")
	r.shown("P1", hundred)
	expect("for another amount", paymentOf("P1", "1.00", soon), http.StatusConflict, "paid")
	r.shown("P1", hundred) // again
	r.paidHere("P1", hundred)
	expect("one that is paid", paymentOf("P1", hundred, soon), http.StatusConflict, "paid")
	r.pay("P2", "10.00", good, "123456")
	expect("what the first door was paid", paymentOf("P2", "10.00", soon), http.StatusConflict, "paid")
	if s := r.stands("P2"); s.Status != http.StatusNotFound {
		t.Errorf("what the first door was paid stands here: %+v", s)
	}
}

func TestACardConnectorTakesNothingWhenTheTimeIsOver(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	var ends time.Time
	var page string
	for life := time.Second; ; life *= 2 { // a slow machine shows the page late
		var status int
		ends = time.Now().Add(life).Truncate(time.Second)
		if status, page, _ = r.browser(r.config.Acquirer.URL+"/card/v1/pay", r.signedForm(paymentOf("P1", hundred, ends))); status == http.StatusOK {
			break
		}
		if life > time.Minute {
			t.Fatalf("the page is not shown: %d %s", status, page)
		}
	}
	time.Sleep(time.Until(ends) + time.Millisecond)
	if status, page, _ := r.types(page, good, "123456"); status != http.StatusGone || !strings.Contains(page, "Le temps pour payer est écoulé") || !strings.Contains(page, "http://shop.example/back") {
		t.Errorf("a card typed too late: %d %s", status, page)
	}
	if status, text, err := r.v1("POST", "/sandbox/buyers", "", `{"ref":"P1"}`); err != nil || status != http.StatusGone {
		t.Errorf("the sandbox pays too late: %d %s %v", status, text, err)
	}
	if s := r.stands("P1"); s.Status != http.StatusNotFound {
		t.Errorf("it stands %+v", s)
	}
	r.paidHere("P1", hundred) // asked for again, in time
}

func TestACardThatIsDeclinedMayBeFollowedByAnother(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	page := r.shown("P1", hundred)
	var id string
	for _, c := range []struct{ pan, otp, reason, says string }{
		{"4000000000000002", "123456", "funds", "La provision"},
		{"4000000000000069", "123456", "expired", "La carte est expirée"},
		{good, acquirer.DeclineOTP, "not_authenticated", "3-D Secure a échoué"},
		{good, "", "not_authenticated", "3-D Secure a échoué"},
	} {
		status, again, _ := r.types(page, c.pan, c.otp)
		if status != http.StatusOK || !strings.Contains(again, c.says) || !strings.Contains(again, `name="pan"`) || !strings.Contains(again, `href="http://shop.example/back"`) {
			t.Fatalf("%s: %d %s", c.pan, status, again)
		}
		s := r.stands("P1")
		if s.State != "declined" || s.Reason != c.reason || id != "" && s.ID != id {
			t.Errorf("%s: %+v, want %s", c.pan, s, c.reason)
		}
		id, page = s.ID, again
	}
	r.want1("captures", "P1", "C1", hundred, http.StatusConflict, "not_capturable")
	r.want1("voids", "P1", "V1", hundred, http.StatusConflict, "not_voidable")
	status, _, to := r.types(page, good, "123456")
	if status != http.StatusSeeOther || to != "http://shop.example/back" {
		t.Errorf("the buyer ends at %d %q", status, to)
	}
	r.is("P1", "authorized 0.00 of 100.00, 0.00 back")
	if got := r.stands("P1").ID; got != id {
		t.Errorf("it was %q and is %q", id, got)
	}
	if status, page, _ := r.types(page, good, "123456"); status != http.StatusConflict || !strings.Contains(page, "déjà payée") {
		t.Errorf("an older page of what is paid: %d %s", status, page)
	}
	r.want("P1", "acquirer charge 100.00")
	// A card that is closed right after takes nothing back.
	status, _, _ = r.types(r.shown("P2", hundred), acquirer.ClosedCard, "123456")
	r.want1("captures", "P2", "C2", hundred, http.StatusCreated, "captured")
	if _, _, err := r.v1("POST", "/sandbox/day-end", "", "{}"); err != nil || status != http.StatusSeeOther {
		t.Fatal(status, err)
	}
	r.want1("refunds", "P2", "R2", hundred, http.StatusUnprocessableEntity, `"code":"refused"`)
	r.want1("refunds", "P2", "R2", hundred, http.StatusUnprocessableEntity, `"reason":"blocked"`)
}
