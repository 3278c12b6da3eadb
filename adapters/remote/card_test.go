package remote_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/adapters/card/cardconform"
	"tiwiza/adapters/remote"
	"tiwiza/adapters/remote/moneyconform"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/webhook"
)

var cardFeatures = []string{remote.Chargebacks}

// acquirerAt is the port over a connector, whose breaker stays shut.
func acquirerAt(n *remote.Connector, features ...string) *card.Acquirer {
	calm := outbound.Settings{Consecutive: 1000, Volume: 1000}
	return card.New("acquirer", remote.NewCard(n, "acquirer", features), card.Options{Pay: calm, Query: calm})
}

func TestCardConformance(t *testing.T) {
	t.Parallel()
	cardconform.Run(t, func(t *testing.T) cardconform.Fixture {
		s := moneyconform.NewCard("")
		with := func(token string) func(addr string) card.Driver {
			return func(addr string) card.Driver { return remote.NewCard(lineTo(t, addr, token), "acquirer", cardFeatures) }
		}
		return cardconform.Fixture{
			Addr: openly(t, s), Dial: with(moneyconform.Token), Intruder: with("somebody-elses-token"),
			Authorize: s.Authorize, Decline: s.Decline, Settle: func(string) { s.Settle() }, Executed: s.Executed, Garble: s.Garble, Case: s.Case,
			Notice: func(ref string, _ money.Money, approved bool) []byte {
				return s.Event(ref, map[bool]card.State{true: card.Authorized, false: card.Declined}[approved])
			},
		}
	})
}

// TestCardSpeaksOfWhatWasAsked holds answers to the payment that they speak of.
func TestCardSpeaksOfWhatWasAsked(t *testing.T) {
	t.Parallel()
	s := moneyconform.NewCard("")
	a := acquirerAt(lineTo(t, openly(t, s), moneyconform.Token))
	const good = `{"id":"C1","ref":"CHG1","state":"refunded","amount":{"amount":"10.00","currency":"MAD"},"captured":{"amount":"8.00","currency":"MAD"},"refunded":{"amount":"8.00","currency":"MAD"}}`
	s.Garble(200, good)
	if st := a.Query(t.Context(), "CHG1"); st.State != card.Refunded || st.Outcome != outbound.Succeeded || st.Amount.Centimes() != 1000 || st.Captured.Centimes() != 800 || st.Refunded.Centimes() != 800 || st.PartnerID != "C1" {
		t.Fatalf("%+v", st)
	}
	for _, change := range [][2]string{
		{`"CHG1"`, `"CHG2"`},
		{`"C1"`, `""`},
		{`"C1"`, `"C 1"`},
		{`"refunded",`, `"done",`},
		{`"refunded",`, `"settled",`},
		{`"refunded",`, `"authorized",`},
		{`"refunded",`, `"voided",`},
		{`"10.00"`, `"0.00"`},
		{`"10.00"`, `"-10.00"`},
		{`"10.00"`, `"10.005"`},
		{`"10.00"`, `"7.99"`},
		{`"refunded":{"amount":"8.00"`, `"refunded":{"amount":"8.01"`},
		{`"refunded":{"amount":"8.00"`, `"refunded":{"amount":"7.99"`},
		{`"refunded":{"amount":"8.00","currency":"MAD"}`, `"refunded":null`},
		{`"captured":{"amount":"8.00","currency":"MAD"},`, ``},
		{`"MAD"`, `"EUR"`},
		{`"ref":"CHG1"`, `"ref":"CHG1","REF":"CHG1"`},
		{`}}`, `}} {}`},
	} {
		if strings.Count(good, change[0]) == 0 {
			t.Fatalf("%s is not in the answer", change[0])
		}
		s.Garble(200, strings.Replace(good, change[0], change[1], 1))
		if st := a.Query(t.Context(), "CHG1"); st.Outcome != outbound.Unknown || st.State != card.None {
			t.Errorf("%s instead of %s: %s %s", change[1], change[0], st.Outcome, st.State)
		}
	}
	// What moves money is answered by what was asked for, or people look at it.
	s.Authorize("CHG2", money.Dirhams(1000))
	s.Garble(201, `{"id":"C1","ref":"CHG2","state":"captured","amount":{"amount":"10.00","currency":"MAD"},"captured":{"amount":"10.00","currency":"MAD"},"refunded":{"amount":"0.00","currency":"MAD"}}`)
	if r := a.Capture(t.Context(), card.Order{Ref: "CHG2-c", Of: "CHG2", Amount: money.Dirhams(900)}); r.Outcome != outbound.Unknown || r.Reason != outbound.Differs {
		t.Errorf("a capture of 9.00 that took 10.00: %+v", r)
	}
	// A second refund that is taken in and not done yet is not the first one again.
	s.Garble(201, `{"id":"C1","ref":"CHG2","state":"settled","amount":{"amount":"10.00","currency":"MAD"},"captured":{"amount":"10.00","currency":"MAD"},"refunded":{"amount":"5.00","currency":"MAD"}}`)
	before := money.Dirhams(500)
	if r := a.Refund(t.Context(), card.Order{Ref: "CHG2-r2", Of: "CHG2", Amount: money.Dirhams(300), Back: &before}); r.Outcome != outbound.Unknown || r.Reason != outbound.Differs {
		t.Errorf("5.00 were given back before, and 3.00 more left 5.00: %+v", r)
	}
	for code, want := range map[string]outbound.Outcome{"not_refundable": outbound.Declined, "not_capturable": outbound.Declined, "idempotency_conflict": outbound.Unknown, "in_progress": outbound.Unknown} {
		s.Garble(409, `{"status":409,"code":"`+code+`"}`)
		if r := a.Refund(t.Context(), card.Order{Ref: "CHG2-" + code, Of: "CHG2", Amount: money.Dirhams(900)}); r.Outcome != want {
			t.Errorf("409 %s: %s, want %s", code, r.Outcome, want)
		}
	}
}

func TestCardEventIsReadOrNot(t *testing.T) {
	t.Parallel()
	a := acquirerAt(lineTo(t, "127.0.0.1:1", token), cardFeatures...)
	const good = `{"type":"payment.updated","timestamp":"2026-11-23T10:00:00Z","data":{"ref":"CHG1","state":"settled"}}`
	if of, err := a.Told([]byte(good)); err != nil || of != "CHG1" {
		t.Fatalf("%q, %v", of, err)
	}
	for _, bad := range [][2]string{{"payment.updated", "payment.eaten"}, {"payment.updated", "chargeback.updated"}, {"CHG1", "CHG 1"}, {`"settled"`, `"none"`}, {`"CHG1"`, `""`}, {`}}`, `}}x`}} {
		if _, err := a.Told([]byte(strings.Replace(good, bad[0], bad[1], 1))); !errors.Is(err, card.ErrUnreadable) {
			t.Errorf("%s instead of %s: %v", bad[1], bad[0], err)
		}
	}
	const contest = `{"type":"chargeback.updated","data":{"id":"CB1","ref":"CHG1","state":"opened","amount":{"amount":"8.00","currency":"MAD"},"fee":{"amount":"15.00","currency":"MAD"},"reason":"10.4"}}`
	if c, err := a.Case([]byte(contest)); err != nil || c.ID != "CB1" || c.Ref != "CHG1" || c.State != card.CaseOpened || c.Amount.Centimes() != 800 || c.Fee.Centimes() != 1500 || c.Merchant != "acquirer" {
		t.Fatalf("%+v, %v", c, err)
	}
	for _, bad := range [][2]string{
		{"chargeback.updated", "payment.updated"},
		{"CB1", ""},
		{"CB1", "CB 1"},
		{"CHG1", "CHG 1"},
		{"opened", "begun"},
		{"8.00", "0.00"},
		{"8.00", "-8.00"},
		{"15.00", "-15.00"},
		{`"MAD"`, `"EUR"`},
		{`,"fee":{"amount":"15.00","currency":"MAD"}`, ""},
		{`}}`, `}}x`},
	} {
		if _, err := a.Case([]byte(strings.Replace(contest, bad[0], bad[1], 1))); !errors.Is(err, card.ErrUnreadable) {
			t.Errorf("%s instead of %s: %v", bad[1], bad[0], err)
		}
	}
}

func TestCardDoesWhatItsManifestDeclares(t *testing.T) {
	t.Parallel()
	event := []byte(`{"type":"chargeback.updated","data":{"id":"CB1","ref":"CHG1","state":"won","amount":{"amount":"8.00","currency":"MAD"},"fee":{"amount":"0.00","currency":"MAD"}}}`)
	for _, c := range []struct {
		features []string
		want     error
	}{{nil, card.ErrNoCases}, {[]string{"statements", "sandbox"}, card.ErrNoCases}, {cardFeatures, nil}} {
		if _, err := acquirerAt(lineTo(t, "127.0.0.1:1", token), c.features...).Case(event); !errors.Is(err, c.want) {
			t.Errorf("with %v a chargeback is %v, want %v", c.features, err, c.want)
		}
	}
}

// toPay is a payment that the hub sends a buyer with.
func toPay(ref, amount string) card.Payment {
	return card.Payment{
		Ref: ref, Amount: money.MustParse(amount, money.MAD), Lang: "ar", Nonce: "nonce-0001", ExpiresAt: time.Now().Add(time.Hour),
		Buyer: card.Buyer{Name: "زبونة المثال", Email: "acheteuse@exemple.ma", Phone: "+212600000000"},
		OKURL: "https://hub.example/ok", FailURL: "https://hub.example/no", CallbackURL: "https://hub.example/cb", ShopURL: "https://hub.example/",
	}
}

// signedBy computes a form's signature as a partner's engineer reads card.v1.
func signedBy(secret, payment string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, "payment."+payment)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestCardFormIsSignedWithWhatTheHubSignsInWith(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		credentials []remote.Credentials
		secret      string
	}{
		"a token":            {[]remote.Credentials{{Token: moneyconform.Token}}, moneyconform.Token},
		"the newest token":   {[]remote.Credentials{{Token: "the-newest-token-of-two"}, {Token: moneyconform.Token}}, "the-newest-token-of-two"},
		"client credentials": {[]remote.Credentials{{TokenURL: "http://127.0.0.1:1/token", ClientID: "hub", ClientSecret: "s3cret-of-the-client"}}, "s3cret-of-the-client"},
		"nothing":            {nil, ""},
	} {
		n, err := remote.New(remote.Config{URL: "http://127.0.0.1:1/base", Guard: webhook.Guard{Loopback: true}, Credentials: c.credentials})
		must(t, err)
		p := toPay("CHG1", "10.60")
		f, err := acquirerAt(n).Form(p)
		if c.secret == "" {
			if err == nil {
				t.Errorf("%s: a form is signed: %+v", name, f)
			}
			continue
		}
		must(t, err)
		if f.URL != "http://127.0.0.1:1/base/card/v1/pay" || f.URL != n.Page() || f.Method != http.MethodPost || len(f.Fields) != 2 || f.Fields["signature"] != signedBy(c.secret, f.Fields["payment"]) {
			t.Errorf("%s: %+v", name, f)
		}
		var said struct {
			Ref, Lang, Nonce string
			Amount           struct{ Amount, Currency string }
			Buyer            struct{ Name, Email, Phone string }
			ReturnURL        string    `json:"return_url"`
			ShopURL          string    `json:"shop_url"`
			ExpiresAt        time.Time `json:"expires_at"`
		}
		must(t, json.Unmarshal([]byte(f.Fields["payment"]), &said))
		if said.Ref != p.Ref || said.Lang != p.Lang || said.Nonce != p.Nonce || said.Amount.Amount != "10.60" || said.Amount.Currency != "MAD" || said.Buyer != (struct{ Name, Email, Phone string })(p.Buyer) ||
			said.ReturnURL != p.OKURL || said.ShopURL != p.ShopURL || !said.ExpiresAt.Equal(p.ExpiresAt.Truncate(time.Second)) {
			t.Errorf("%s: %s", name, f.Fields["payment"])
		}
	}
}

// TestTheGuidesExampleIsSigned computes the signature that the guide shows.
func TestTheGuidesExampleIsSigned(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/partner/README.md")
	must(t, err)
	shown := regexp.MustCompile("(?s)Under `([^`]+)` this text\n\n```\n([^\n]+)\n```\n\nhas the signature `([^`]+)`").FindStringSubmatch(string(guide))
	if shown == nil {
		t.Fatal("the guide has no example of a signature")
	}
	secret, payment, signature := shown[1], shown[2], shown[3]
	if got := signedBy(secret, payment); got != signature || remote.SignPayment(secret, []byte(payment)) != signature {
		t.Errorf("the guide shows %s, and it is %s", signature, got)
	}
	form, err := acquirerAt(lineTo(t, "127.0.0.1:1", secret)).Form(card.Payment{
		Ref: "CHG1", Amount: money.MustParse("120.00", money.MAD), Lang: "fr", Nonce: "n-0123456789", ExpiresAt: time.Date(2026, 11, 23, 10, 30, 0, 0, time.UTC),
		Buyer: card.Buyer{Name: "Acheteuse (exemple)", Email: "acheteuse@exemple.ma"},
		OKURL: "https://hub.example/merci", FailURL: "https://hub.example/non", CallbackURL: "https://hub.example/suite", ShopURL: "https://hub.example/panier",
	})
	if must(t, err); form.Fields["payment"] != payment || form.Fields["signature"] != signature {
		t.Errorf("the hub's own form is %v", form.Fields)
	}
}

// TestCardPageTakesWhatTheHubSigned posts the hub's own form, as a buyer's browser
// does, and pays on the page.
func TestCardPageTakesWhatTheHubSigned(t *testing.T) {
	t.Parallel()
	s := moneyconform.NewCard("")
	a := acquirerAt(lineTo(t, openly(t, s), moneyconform.Token))
	browser := &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(p card.Payment, want int) {
		t.Helper()
		f, err := a.Form(p)
		must(t, err)
		res, err := browser.PostForm(f.URL, url.Values{"payment": {f.Fields["payment"]}, "signature": {f.Fields["signature"]}})
		must(t, err)
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s of %s is answered %d, want %d", p.Ref, p.Amount, res.StatusCode, want)
		}
	}
	is := func(ref string, want card.State) {
		t.Helper()
		if st := a.Query(t.Context(), ref); st.State != want {
			t.Errorf("%s is %s (%v), want %s", ref, st.State, st.Err, want)
		}
	}
	p := toPay("CHG1", "10.60")
	if s.Pay(p.Ref) {
		t.Error("a page that nobody asked for was paid on")
	}
	post(p, 200)
	is(p.Ref, card.None)
	fresh := p
	fresh.Nonce = "nonce-0002"
	post(fresh, 200)
	post(toPay("CHG1", "10.61"), 409)
	if !s.Pay(p.Ref) {
		t.Error("nobody could pay")
	}
	is(p.Ref, card.Authorized)
	post(p, 409)
	declined := toPay("CHG2", "10.04")
	post(declined, 200)
	s.Pay(declined.Ref)
	if st := a.Query(t.Context(), declined.Ref); st.State != card.Declined || st.Code != "not_authenticated" {
		t.Errorf("%+v", st)
	}
	post(declined, 200) // and may try again
	late := toPay("CHG3", "10.60")
	late.ExpiresAt = time.Now().Add(-time.Minute)
	post(late, 410)
	if s.Pay(late.Ref) {
		t.Error("a page whose time is over was paid on")
	}
}

// shown is the status that a form is answered with.
func shown(h http.Handler, form url.Values) int {
	req := httptest.NewRequest(http.MethodPost, "/card/v1/pay", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec.Code
}

// TestNoAlteredFormIsAccepted flips each bit of what is signed and of the signature,
// and cuts, doubles and lengthens both.
func TestNoAlteredFormIsAccepted(t *testing.T) {
	t.Parallel()
	s := moneyconform.NewCard("")
	f, err := acquirerAt(lineTo(t, openly(t, s), moneyconform.Token)).Form(toPay("CHG1", "10.60"))
	must(t, err)
	payment, signature := f.Fields["payment"], f.Fields["signature"]
	tried := 0
	refused := func(what string, fields url.Values) {
		tried++
		if status := shown(s, fields); status != http.StatusForbidden {
			t.Errorf("%s is answered %d: %v", what, status, fields)
		}
	}
	mutants := func(text string, post func(what, text string)) {
		for i := range len(text) {
			for bit := range 8 {
				b := []byte(text)
				b[i] ^= 1 << bit
				post("a flipped bit", string(b))
			}
			post("a lost byte", text[:i]+text[i+1:])
			post("a cut text", text[:i])
			for _, more := range []string{" ", "0", "9", "=", "\x00", `"`, "+", "%", "&", "\n", "\r\n", "A", "}", "{", ",", ":", "é"} {
				post("a byte more", text[:i]+more+text[i:])
			}
		}
	}
	mutants(payment, func(what, text string) {
		refused(what+" in the payment", url.Values{"payment": {text}, "signature": {signature}})
	})
	mutants(signature, func(what, text string) {
		refused(what+" in the signature", url.Values{"payment": {payment}, "signature": {text}})
	})
	random := rand.New(rand.NewPCG(7, 1))
	for range 2000 { // bytes flipped in both
		b := []byte(payment + signature)
		for range 1 + random.IntN(4) {
			b[random.IntN(len(b))] ^= byte(1 + random.IntN(255))
		}
		if string(b) != payment+signature {
			refused("flipped bytes", url.Values{"payment": {string(b[:len(payment)])}, "signature": {string(b[len(payment):])}})
		}
	}
	for what, fields := range map[string]url.Values{
		"no signature": {"payment": {payment}}, "no payment": {"signature": {signature}}, "nothing": {}, "two signatures": {"payment": {payment}, "signature": {signature, signature}},
		"two payments": {"payment": {payment, payment}, "signature": {signature}}, "halves": {"payment": {payment[:10], payment[10:]}, "signature": {signature}},
		"another secret": {"payment": {payment}, "signature": {signedBy("another-secret-altogether", payment)}}, "another context": {"payment": {"payment." + payment}, "signature": {signature}},
	} {
		refused(what, fields)
	}
	if s.Pay("CHG1") {
		t.Error("a page was opened")
	}
	t.Logf("%d mutants tried, none accepted", tried)
	if tried < 10_000 {
		t.Errorf("%d mutants are too few", tried)
	}
	if status := shown(s, url.Values{"payment": {payment}, "signature": {signature}}); status != http.StatusOK {
		t.Errorf("the form itself is answered %d", status)
	}
}

// TestEvidenceOfWhatWasDoneHoldsNoCredentials has partners repeat in an answer that is
// right what they were sent.
func TestEvidenceOfWhatWasDoneHoldsNoCredentials(t *testing.T) {
	t.Parallel()
	s := moneyconform.NewCard("")
	a := acquirerAt(lineTo(t, openly(t, s), moneyconform.Token))
	told := `{"id":"C1","ref":"CHG1","state":"captured","amount":{"amount":"8.00","currency":"MAD"},"captured":{"amount":"8.00","currency":"MAD"},"refunded":{"amount":"0.00","currency":"MAD"},"you":"Bearer ` + moneyconform.Token + `"}`
	kept := map[string][]byte{}
	s.Garble(200, told)
	kept["a question"] = a.Query(t.Context(), "CHG1").Evidence
	s.Authorize("CHG1", money.Dirhams(800))
	s.Garble(201, told)
	kept["a capture"] = a.Capture(t.Context(), card.Order{Ref: "CHG1-C", Of: "CHG1", Amount: money.Dirhams(800)}).Evidence
	d, _ := to(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"you":"`+r.Header.Get("Authorization")+`"}`)
	})
	kept["a batch"] = d.Publish(t.Context(), aBatch(t, d)).Evidence
	for what, evidence := range kept {
		if text := string(evidence); !strings.Contains(text, "[redacted]") || strings.Contains(text, moneyconform.Token) || strings.Contains(text, token) {
			t.Errorf("the evidence of %s is %s", what, text)
		}
	}
}

// TestAShortSecretSignsNoPayments: who was sent to a page could guess it at leisure.
func TestAShortSecretSignsNoPayments(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			_, _ = io.WriteString(w, `{"access_token":"an-access-token-of-now","token_type":"Bearer","expires_in":3600}`)
			return
		}
		fail(w, 404, "payment_not_found")
	}))
	t.Cleanup(s.Close)
	for secret, good := range map[string]bool{"fifteen-signs-1": false, "sixteen-signs-01": true} {
		n, err := remote.New(remote.Config{
			URL: s.URL, Guard: webhook.Guard{Loopback: true},
			Credentials: []remote.Credentials{{TokenURL: s.URL + "/token", ClientID: "hub", ClientSecret: secret}},
		})
		must(t, err)
		if err := n.SignIn(t.Context(), "card"); (err == nil) != good {
			t.Errorf("with %q an acquirer is signed in to: %v", secret, err)
		}
	}
}

// TestCardFormIsSignedWithWhatWasLetInLast has an acquirer know only the older of two
// tokens.
func TestCardFormIsSignedWithWhatWasLetInLast(t *testing.T) {
	t.Parallel()
	n, err := remote.New(remote.Config{
		URL: "http://" + openly(t, moneyconform.NewCard("")), Guard: webhook.Guard{Loopback: true}, Settings: outbound.Settings{Header: 5 * time.Second},
		Credentials: []remote.Credentials{{Token: "the-newest-token-of-two"}, {Token: moneyconform.Token}},
	})
	must(t, err)
	a := acquirerAt(n)
	for i, want := range []string{"the-newest-token-of-two", moneyconform.Token} {
		f, err := a.Form(toPay("CHG1", "10.60"))
		must(t, err)
		if f.Fields["signature"] != signedBy(want, f.Fields["payment"]) {
			t.Errorf("form %d is not signed with %s", i+1, want)
		}
		if st := a.Query(t.Context(), "CHG1"); st.Outcome != outbound.NotFound {
			t.Fatalf("%+v", st)
		}
	}
}
