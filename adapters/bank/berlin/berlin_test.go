package berlin_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/berlin"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/outbound/netfault"
)

func batch(id string) bank.Batch {
	return bank.Batch{
		ID: id, Created: noon, Execute: noon.AddDate(0, 0, 1), From: bank.Account{RIB: ours, Name: "Compte de cantonnement", BIC: "BKAMMAMR"},
		Transfers: []bank.Transfer{
			{Ref: id + "-A", Amount: money.Dirhams(12350), To: bank.Account{RIB: "011519000001205000534921", Name: "Coopérative «Tirizi» (exemple)", BIC: "BCMAMAMC"}, Info: "Versement n° 12 · تعاونية"},
			{Ref: id + "-B", Amount: money.Dirhams(700), To: bank.Account{RIB: "007780000123456789012396", Name: "تعاونية مثال"}},
		},
	}
}

func rendered(t testing.TB, d bank.Driver, id string) bank.File {
	t.Helper()
	f, err := bank.New("bank", d, bank.Options{}).Render(batch(id))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func is(t *testing.T, what string, r outbound.Result, o outbound.Outcome, why outbound.Reason) {
	t.Helper()
	if r.Outcome != o || r.Reason != why {
		t.Errorf("%s = %s %q (%s %s, %v), want %s %q", what, r.Outcome, r.Reason, r.Code, r.Text, r.Err, o, why)
	}
}

// TestAnOrderWhoseAnswerIsLostIsNeverSentAgain holds for a bank that promises
// nothing of a repeated X-Request-ID: what was lost is found once the bank books
// it, by any hub, and no second order ever leaves.
func TestAnOrderWhoseAnswerIsLostIsNeverSentAgain(t *testing.T) {
	t.Parallel()
	for _, lists := range []bool{false, true} {
		s, server, roots := newStand(t)
		s.mute = !lists
		notes := newMemory()
		net := netfault.New(t, server.Listener.Addr().String())
		dial := func() *berlin.Driver {
			c := config("https://"+net.Addr, berlin.Profile{Lists: lists}, notes)
			c.Roots = roots
			return driver(t, c)
		}
		f := rendered(t, dial(), "B1")
		s.broken = func(w http.ResponseWriter, r *http.Request) bool { // it takes the order, and its answer never comes
			if r.Method != http.MethodPost {
				return false
			}
			s.posts++
			name := s.in + "/BULK_B1.json"
			if err := os.WriteFile(name, f.Bytes, 0o644); err != nil {
				t.Error(err)
			}
			panic(http.ErrAbortHandler)
		}
		is(t, "Publish", dial().Publish(t.Context(), f), outbound.Unknown, "")
		s.mu.Lock()
		s.broken = nil
		s.mu.Unlock()
		if lists { // the pending list tells at once
			is(t, "Publish again", dial().Publish(t.Context(), f), outbound.Accepted, "")
		} else {
			is(t, "Publish again", dial().Publish(t.Context(), f), outbound.Unknown, outbound.Unsaid)
			is(t, "Find", dial().Find(t.Context(), f), outbound.Unknown, outbound.Unsaid)
			s.mu.Lock()
			s.booked = []string{"B1"}
			s.mu.Unlock()
		}
		is(t, "Find once it shows", dial().Find(t.Context(), f), outbound.Accepted, "")
		is(t, "Publish once it shows", dial().Publish(t.Context(), f), outbound.Accepted, "")
		if s.posts != 1 {
			t.Errorf("the order left %d times, want once", s.posts)
		}
	}
}

// TestAnOrderThatTheBankNeverHadIsNotSentAgain even where the bank's list does not
// show it: it may still be on its way.
func TestAnOrderThatTheBankNeverHadIsNotSentAgain(t *testing.T) {
	t.Parallel()
	s, server, roots := newStand(t)
	c := config(server.URL, berlin.Profile{Lists: true}, newMemory())
	c.Roots = roots
	d := driver(t, c)
	f := rendered(t, d, "B1")
	s.broken = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			s.posts++
			panic(http.ErrAbortHandler)
		}
		return false
	}
	is(t, "Publish", d.Publish(t.Context(), f), outbound.Unknown, "")
	is(t, "Publish again", d.Publish(t.Context(), f), outbound.Unknown, outbound.Unsaid)
	is(t, "Find", d.Find(t.Context(), f), outbound.NotFound, "")
	if s.posts != 1 {
		t.Errorf("the order left %d times, want once", s.posts)
	}
}

// TestAPromiseEnds has a bank that promises repeated requests for a day: later
// the order is looked for.
func TestAPromiseEnds(t *testing.T) {
	t.Parallel()
	s, server, roots := newStand(t)
	now := noon
	c := config(server.URL, berlin.Profile{Repeats: 24 * time.Hour}, newMemory())
	c.Roots, c.Now = roots, func() time.Time { return now }
	d := driver(t, c)
	f := rendered(t, d, "B1")
	s.broken = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			s.posts++
			panic(http.ErrAbortHandler)
		}
		return false
	}
	d.Publish(t.Context(), f)
	now = noon.Add(23 * time.Hour)
	d.Publish(t.Context(), f)
	now = noon.Add(24 * time.Hour)
	is(t, "Publish after a day", d.Publish(t.Context(), f), outbound.Unknown, outbound.Unsaid)
	if s.posts != 2 {
		t.Errorf("the order left %d times, want twice within the promise", s.posts)
	}
}

// TestARefusalIsFinalForTheFirstOrderAlone: a second one may be refused because
// the first one stands.
func TestARefusalIsFinalForTheFirstOrderAlone(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		status       int
		code         string
		first, again outbound.Outcome
	}{
		{400, "FORMAT_ERROR", outbound.Declined, outbound.Unknown},
		{400, "PAYMENT_FAILED", outbound.Declined, outbound.Unknown},
		{403, "PRODUCT_INVALID", outbound.Declined, outbound.Unknown},
		{404, "PRODUCT_UNKNOWN", outbound.Declined, outbound.Unknown},
		{400, "SOMETHING_NEW", outbound.Unknown, outbound.Unknown},
		{409, "STATUS_INVALID", outbound.Unknown, outbound.Unknown},
		{500, "FORMAT_ERROR", outbound.Unknown, outbound.Unknown},
		{403, "CONSENT_UNKNOWN", outbound.Unknown, outbound.Unknown},
		{401, "TOKEN_EXPIRED", outbound.NotSent, outbound.NotSent},
		{401, "", outbound.Unknown, outbound.Unknown},
	} {
		for _, again := range []bool{false, true} {
			s, server, roots := newStand(t)
			c := config(server.URL, repeating, newMemory())
			c.Roots = roots
			d := driver(t, c)
			f := rendered(t, d, "B1")
			if again {
				s.broken = func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
				d.Publish(t.Context(), f)
			}
			s.mu.Lock()
			s.broken = func(w http.ResponseWriter, _ *http.Request) bool { refuse(w, x.status, x.code, "no"); return true }
			s.mu.Unlock()
			want := x.first
			if again {
				want = x.again
			}
			if r := d.Publish(t.Context(), f); r.Outcome != want {
				t.Errorf("%d %s, a second time %v: %s (%v), want %s", x.status, x.code, again, r.Outcome, r.Err, want)
			}
		}
	}
}

// TestAnswersThatAreNoneLeaveAnOrderUnknown and are never taken for more.
func TestAnswersThatAreNoneLeaveAnOrderUnknown(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 64 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	z.Close()
	for name, answer := range map[string]func(w http.ResponseWriter){
		"garbage": func(w http.ResponseWriter) { w.WriteHeader(201); fmt.Fprint(w, "<html>") },
		"nothing": func(w http.ResponseWriter) { w.WriteHeader(201) },
		"no name": func(w http.ResponseWriter) { w.WriteHeader(201); fmt.Fprint(w, `{"transactionStatus":"RCVD"}`) },
		"two names": func(w http.ResponseWriter) {
			w.WriteHeader(201)
			fmt.Fprint(w, `{"transactionStatus":"RCVD","paymentId":"P-1","paymentId":"P-2"}`)
		},
		"a name with a path": func(w http.ResponseWriter) {
			w.WriteHeader(201)
			fmt.Fprint(w, `{"transactionStatus":"RCVD","paymentId":"../../accounts"}`)
		},
		"another standing": func(w http.ResponseWriter) {
			w.WriteHeader(201)
			fmt.Fprint(w, `{"transactionStatus":"DONE","paymentId":"P-1"}`)
		},
		"a redirect": func(w http.ResponseWriter) { w.Header().Set("Location", "/elsewhere"); w.WriteHeader(302) },
		"accepted": func(w http.ResponseWriter) {
			w.WriteHeader(202)
			fmt.Fprint(w, `{"transactionStatus":"RCVD","paymentId":"P-1"}`)
		},
		"a bomb": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(201)
			_, _ = w.Write(bomb.Bytes())
		},
		"trailing": func(w http.ResponseWriter) {
			w.WriteHeader(201)
			fmt.Fprint(w, `{"transactionStatus":"RCVD","paymentId":"P-1"}{}`)
		},
	} {
		s, server, roots := newStand(t)
		s.broken = func(w http.ResponseWriter, _ *http.Request) bool { answer(w); return true }
		c := config(server.URL, repeating, newMemory())
		c.Roots = roots
		d := driver(t, c)
		f := rendered(t, d, "B1")
		if r := d.Publish(t.Context(), f); r.Outcome != outbound.Unknown {
			t.Errorf("%s: Publish = %+v", name, r)
		}
		if r := d.Find(t.Context(), f); r.Outcome != outbound.Unknown {
			t.Errorf("%s: Find = %+v", name, r)
		}
		if _, err := d.Waiting(t.Context()); err == nil {
			t.Errorf("%s: Waiting found nothing wrong", name)
		}
	}
}

// TestAnAmountThatIsNotOursIsForPeople when the bank shows our reference with
// another sum.
func TestAnAmountThatIsNotOursIsForPeople(t *testing.T) {
	t.Parallel()
	s, server, roots := newStand(t)
	c := config(server.URL, repeating, newMemory())
	c.Roots = roots
	d := driver(t, c)
	other := strings.Replace(string(rendered(t, d, "B1").Bytes), "123.50", "124.50", 1)
	if err := os.WriteFile(s.in+"/BULK_B1.json", []byte(other), 0o644); err != nil {
		t.Fatal(err)
	}
	is(t, "Find", d.Find(t.Context(), rendered(t, d, "B1")), outbound.Unknown, outbound.Differs)
}

// page is an answer with transactions.
func page(balance string, more string, lines ...string) string {
	return fmt.Sprintf(`{"account":{"bban":%q},"transactions":{"booked":[%s],"_links":{%s}},"balances":[%s]}`, ours, strings.Join(lines, ","), more, balance)
}

func tx(id, ref, sum string) string {
	return fmt.Sprintf(`{"entryReference":%q,"endToEndId":%q,"bookingDate":"2026-11-21","transactionAmount":{"currency":"MAD","amount":%q},"creditorName":"X"}`, id, ref, sum)
}

func closing(sum string) string {
	return fmt.Sprintf(`{"balanceType":"interimBooked","balanceAmount":{"currency":"MAD","amount":%q}}`, sum)
}

// window is what the driver hands out of such pages.
func window(t testing.TB, opening string, pages ...string) bank.Received {
	t.Helper()
	raw := make([]json.RawMessage, len(pages))
	for i, p := range pages {
		raw[i] = json.RawMessage(p)
	}
	w := map[string]any{"kind": "transactions", "account": ours, "sequence": 7, "pages": raw, "known": []string{"OLD"}}
	if opening != "" {
		w["opening"] = map[string]string{"currency": "MAD", "amount": opening}
	}
	b, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	return bank.Received{Name: "w", Bytes: b}
}

func TestTransactionsAreReadAsStatementsThatBalance(t *testing.T) {
	t.Parallel()
	_, server, _ := newStand(t)
	hub := bank.New("bank", driver(t, config(server.URL, repeating, newMemory())), bank.Options{})
	const fee = `{"entryReference":"F","bookingDate":"2026-11-22","transactionAmount":{"currency":"MAD","amount":"-2.500"},"bankTransactionCode":"PMNT-ICDT-CHRG"}`
	const gathered = `{"entryReference":"G","bookingDate":"2026-11-22","transactionAmount":{"currency":"MAD","amount":"-30"},
		"entryDetails":[{"endToEndId":"P1","transactionAmount":{"currency":"MAD","amount":"10.00"}},{"endToEndId":"P2","transactionAmount":{"currency":"MAD","amount":"20.00"}}]}`
	const back = `{"transactionId":"R","endToEndId":"P1","bookingDate":"2026-11-22","transactionAmount":{"currency":"MAD","amount":"10.0"},"bankTransactionCode":"PMNT-ICDT-RRTN"}`
	m, err := hub.Read(window(t, "100.00", page(closing("77.50"), "", tx("OLD", "O", "-5.00"), fee, gathered), page("", "", gathered, back)))
	if err != nil {
		t.Fatal(err)
	}
	s := m.Statements[0]
	if len(s.Entries) != 3 || s.Opening.Amount() != "100.00" || s.Closing.Amount() != "77.50" || s.Sequence != 7 || s.Account != ours {
		t.Errorf("the statement is %+v", s)
	}
	for _, e := range s.Entries {
		switch e.Ref {
		case "F":
			if !e.Charge || e.Amount.Centimes() != -250 {
				t.Errorf("the fee is %+v", e)
			}
		case "G":
			if len(e.Details) != 2 || e.Details[1].Ref != "P2" || e.Details[1].Amount.Centimes() != -2000 {
				t.Errorf("the gathered line is %+v", e)
			}
		case "R":
			if !e.Reversal || e.Details[0].Ref != "P1" {
				t.Errorf("what came back is %+v", e)
			}
		}
	}
	for name, w := range map[string]bank.Received{
		"a hole in the sum":      window(t, "100.00", page(closing("77.51"), "", fee, gathered, back)),
		"no balance":             window(t, "100.00", page("", "", fee)),
		"no balance at first":    window(t, "", page("", "", fee)),
		"an expected balance":    window(t, "100.00", page(strings.Replace(closing("97.50"), "interimBooked", "expected", 1), "", fee)),
		"a balance in EUR":       window(t, "100.00", page(strings.Replace(closing("97.50"), "MAD", "EUR", 1), "", fee)),
		"a line altered":         window(t, "100.00", page(closing("97.50"), "", strings.Replace(fee, "-2.500", "-2.510", 1))),
		"the one before altered": window(t, "100.01", page(closing("97.50"), "", fee)),
	} {
		if _, err := hub.Read(w); !errors.Is(err, bank.ErrUnbalanced) {
			t.Errorf("%s: %v, want it to be unbalanced", name, err)
		}
	}
	for name, w := range map[string]bank.Received{
		"another account":       window(t, "1.00", strings.Replace(page(closing("1.00"), "", fee), ours, "007780000123456789012396", 1)),
		"two amounts":           window(t, "1.00", page(closing("1.00"), "", strings.Replace(fee, `"amount":"-2.500"`, `"amount":"-2.500","Amount":"-1.00"`, 1))),
		"an amount in three":    window(t, "1.00", page(closing("1.00"), "", strings.Replace(fee, "-2.500", "-2.505", 1))),
		"an exponent":           window(t, "1.00", page(closing("1.00"), "", strings.Replace(fee, "-2.500", "-2e1", 1))),
		"a number":              window(t, "1.00", page(closing("1.00"), "", strings.Replace(fee, `"-2.500"`, `-2.5`, 1))),
		"euros":                 window(t, "1.00", page(closing("1.00"), "", strings.Replace(fee, "MAD", "EUR", 1))),
		"nothing":               window(t, "1.00", page(closing("1.00"), "", strings.Replace(fee, "-2.500", "0.00", 1))),
		"no day":                window(t, "1.00", page(closing("1.00"), "", strings.Replace(fee, "2026-11-22", "", 1))),
		"no name":               window(t, "1.00", page(closing("1.00"), "", strings.Replace(fee, `"entryReference":"F",`, "", 1))),
		"no transactions":       window(t, "1.00", `{"account":{},"_links":{"download":{"href":"/x"}}}`),
		"nothing at all":        {Name: "w"},
		"another kind":          {Name: "w", Bytes: []byte(`{"kind":"letter"}`)},
		"a standing unheard of": {Name: "w", Bytes: []byte(`{"kind":"status","batch":"B","payment":"P","answer":{"transactionStatus":"OK"}}`)},
		"two standings":         {Name: "w", Bytes: []byte(`{"kind":"status","batch":"B","payment":"P","answer":{"transactionStatus":"ACSC","transactionStatus":"RJCT"}}`)},
		"deep":                  {Name: "w", Bytes: []byte(`{"kind":"status","batch":"B","payment":"P","answer":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`)},
	} {
		if _, err := hub.Read(w); !errors.Is(err, bank.ErrUnreadable) {
			t.Errorf("%s: %v, want it to be unreadable", name, err)
		}
	}
}

// TestDetailsAddUpWithTheirSigns: a settlement may take more back than it gives,
// and one whose parts do not add up is for people.
func TestDetailsAddUpWithTheirSigns(t *testing.T) {
	t.Parallel()
	_, server, _ := newStand(t)
	hub := bank.New("bank", driver(t, config(server.URL, repeating, newMemory())), bank.Options{})
	for parts, want := range map[string]string{
		"10.00 -40.00":  "1000 -4000",
		"-10.00 -20.00": "-1000 -2000",
		"10.00 20.00":   "-1000 -2000",
		"10.00 20.01":   "1000 2001",
	} {
		one, two, _ := strings.Cut(parts, " ")
		line := fmt.Sprintf(`{"entryReference":"S","bookingDate":"2026-11-22","transactionAmount":{"currency":"MAD","amount":"-30"},
			"entryDetails":[{"endToEndId":"P1","transactionAmount":{"currency":"MAD","amount":%q}},{"endToEndId":"P2","transactionAmount":{"currency":"MAD","amount":%q}}]}`, one, two)
		m, err := hub.Read(window(t, "100.00", page(closing("70.00"), "", line)))
		if err != nil {
			t.Errorf("%s: %v", parts, err)
			continue
		}
		e := m.Statements[0].Entries[0]
		if got := fmt.Sprint(e.Details[0].Amount.Centimes(), " ", e.Details[1].Amount.Centimes()); got != want || e.Explained() != (parts != "10.00 20.01") {
			t.Errorf("%s is read as %s, explained %v; want %s", parts, got, e.Explained(), want)
		}
	}
}

// TestWhatCannotBeReadIsSetAsideAndReadOnceItIsPutRight: nothing else waits for it.
func TestWhatCannotBeReadIsSetAsideAndReadOnceItIsPutRight(t *testing.T) {
	t.Parallel()
	s, server, roots := newStand(t)
	answer := page(closing("97.50"), "", tx("A", "P1", "-2.50"), strings.Replace(tx("B", "P2", "-1.00"), "2026-11-21", "soon", 1))
	s.broken = func(w http.ResponseWriter, r *http.Request) bool { fmt.Fprint(w, answer); return true }
	c := config(server.URL, repeating, newMemory())
	c.Roots = roots
	d := driver(t, c)
	waiting := func(want int) []bank.Received {
		t.Helper()
		got, err := d.Waiting(t.Context())
		if err != nil || len(got) != want {
			t.Fatalf("Waiting = %d, %v; want %d", len(got), err, want)
		}
		return got
	}
	bad := waiting(1)[0]
	if _, err := d.Read(bad); !errors.Is(err, bank.ErrUnreadable) {
		t.Errorf("it is read: %v", err)
	}
	for range 2 {
		if err := d.Archive(t.Context(), bad); err != nil {
			t.Error(err)
		}
	}
	waiting(0)
	s.mu.Lock()
	answer = page(closing("96.50"), "", tx("A", "P1", "-2.50"), tx("B", "P2", "-1.00"))
	s.mu.Unlock()
	good := waiting(1)[0]
	if m, err := d.Read(good); err != nil || len(m.Statements[0].Entries) != 2 || m.Statements[0].Check() != nil {
		t.Errorf("put right it is %+v, %v", m, err)
	}
	if err := d.Archive(t.Context(), good); err != nil {
		t.Error(err)
	}
	waiting(0)
}

// TestNoPageIsFetchedFromElsewhere: the bank's answer names the next page.
func TestNoPageIsFetchedFromElsewhere(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]string{
		"another host":   "https://bank.example/v1/accounts/acc-1/transactions?page=1",
		"another call":   "/v1/consents",
		"itself":         "/v1/accounts/acc-1/transactions?page=1",
		"never an end":   "+",
		"somebody in it": "https://me:you@127.0.0.1/v1/accounts/acc-1/transactions",
	} {
		s, server, roots := newStand(t)
		asked := 0
		s.broken = func(w http.ResponseWriter, r *http.Request) bool {
			asked++
			link := next
			if next == "+" {
				link = fmt.Sprintf("/v1/accounts/acc-1/transactions?page=%d", asked)
			}
			fmt.Fprint(w, page(closing("1.00"), fmt.Sprintf(`"next":{"href":%q}`, link)))
			return true
		}
		c := config(server.URL, repeating, newMemory())
		c.Roots = roots
		if _, err := driver(t, c).Waiting(t.Context()); err == nil || asked > 50 {
			t.Errorf("%s: %v after %d pages", name, err, asked)
		}
	}
}

// TestTheBankIsAskedNoOftenerThanItWants.
func TestTheBankIsAskedNoOftenerThanItWants(t *testing.T) {
	t.Parallel()
	s, server, roots := newStand(t)
	now, asked := noon, 0
	s.broken = func(http.ResponseWriter, *http.Request) bool { asked++; return false }
	c := config(server.URL, repeating, newMemory())
	c.Roots, c.Every, c.Now = roots, time.Hour, func() time.Time { return now }
	d := driver(t, c)
	for range 5 {
		if _, err := d.Waiting(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(20 * time.Minute)
	}
	if asked != 2 {
		t.Errorf("in 80 minutes it was asked %d times, want 2", asked)
	}
}

// TestAWordOnOneOrderKeepsNothingWaiting has a bank say of one order what the
// standard does not: the others' standing and the statements come all the same.
func TestAWordOnOneOrderKeepsNothingWaiting(t *testing.T) {
	t.Parallel()
	for _, odd := range []struct {
		status int
		body   string
	}{{200, `{"transactionStatus":"ZZZZ"}`}, {500, `{}`}, {403, `{"tppMessages":[{"category":"ERROR","code":"SERVICE_BLOCKED"}]}`}} {
		s, server, roots := newStand(t)
		now, asked := noon, 0
		c := config(server.URL, repeating, newMemory())
		c.Roots, c.Now = roots, func() time.Time { return now }
		d := driver(t, c)
		first := d.Publish(t.Context(), rendered(t, d, "B1"))
		is(t, "Publish", first, outbound.Accepted, "")
		is(t, "Publish", d.Publish(t.Context(), rendered(t, d, "B2")), outbound.Accepted, "")
		s.mu.Lock()
		s.booked = []string{"B2"}
		s.broken = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/"+first.PartnerID+"/status") {
				return false
			}
			asked++
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(odd.status)
			_, _ = w.Write([]byte(odd.body))
			return true
		}
		s.mu.Unlock()
		all, err := d.Waiting(t.Context())
		var names []string
		for _, r := range all {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, " "); err != nil || !strings.Contains(got, "STATUS_B2_") || !strings.Contains(got, "BOOKED_") {
			t.Errorf("beside %d %s it says %q (%v)", odd.status, odd.body, got, err)
		}
		for now = now.AddDate(0, 0, 11); asked < 3; now = now.Add(time.Hour) { // by then it is asked for the last time
			before := asked
			if _, err := d.Waiting(t.Context()); err != nil {
				t.Fatal(err)
			}
			if asked == before {
				break
			}
		}
		if asked != 2 {
			t.Errorf("it was asked for %d times, want 2", asked)
		}
	}
}

// TestAConfigurationThatLacksSomethingIsRefused.
func TestAConfigurationThatLacksSomethingIsRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*berlin.Config){
		"no address":     func(c *berlin.Config) { c.BaseURL = "bank" },
		"a query":        func(c *berlin.Config) { c.BaseURL += "?x=1" },
		"no token":       func(c *berlin.Config) { c.Token = "" },
		"two ways in":    func(c *berlin.Config) { c.TokenURL = "https://x.example" },
		"IPv6":           func(c *berlin.Config) { c.Address = "::1" },
		"no consent":     func(c *berlin.Config) { c.Consent = "" },
		"no accounts":    func(c *berlin.Config) { c.Accounts = nil },
		"a wrong RIB":    func(c *berlin.Config) { c.Accounts = []berlin.Account{{RIB: "1", Resource: "x"}} },
		"a path":         func(c *berlin.Config) { c.Accounts = []berlin.Account{{RIB: ours, Resource: "../x"}} },
		"no notes":       func(c *berlin.Config) { c.Notes = nil },
		"no first day":   func(c *berlin.Config) { c.Since = time.Time{} },
		"no roots":       func(c *berlin.Config) { c.Roots = "x" },
		"no certificate": func(c *berlin.Config) { c.Certificate = "x" },
		"a product":      func(c *berlin.Config) { c.Profile.Product = "a/b" },
	} {
		c := config("https://bank.example", repeating, newMemory())
		spoil(&c)
		if _, err := berlin.New(c); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
