// Package cardconform says what every card driver must do, over a network
// that fails in every way a network can.
package cardconform

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// Fixture is what a driver's test gives the suite: a stand-in acquirer and
// drivers that reach it.
type Fixture struct {
	Addr      string                          // the stand-in's host and port
	Dial      func(addr string) card.Driver   // a driver that reaches the stand-in through addr
	Intruder  func(addr string) card.Driver   // one that the stand-in does not let in, or nil
	Authorize func(ref string, m money.Money) // a buyer pays on the page
	Decline   func(ref string, m money.Money) // a buyer is refused
	Settle    func(ref string)                // the day ends
	Executed  func(kind, ref string) int      // how often the stand-in did "capture", "void" or "refund"
	Garble    func(status int, body string)   // execute the next request, and answer this
	Notice    func(ref string, m money.Money, approved bool) []byte
	Case      func(c card.Case) []byte // a chargeback's message, for a driver that reads them
}

// Run holds a driver to the contract. open is called once for each fact.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	for name, fact := range map[string]func(*testing.T, Fixture){
		"a form belongs to its payment":             forms,
		"a notice tells what the acquirer signed":   notices,
		"an unknown reference is not found":         absent,
		"authorised money is captured once":         capture,
		"authorised money can be let go":            void,
		"settled money can be given back in parts":  refund,
		"rule 3.4: amounts arrive as they are":      amounts,
		"a refused payment is declined":             declined,
		"a chargeback is what the acquirer signed":  cases,
		"a lost answer is unknown, and inquired":    lost,
		"a strange answer is unknown":               strange,
		"without a connection nothing is sent":      offline,
		"an intruder is not the acquirer's failure": intruder,
		"a partner that is back is asked first":     recovery,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fact(t, open(t))
		})
	}
}

const ref = "chg_conformance_1"

var ten = money.MustParse("10.60", money.MAD)

func payment() card.Payment {
	return card.Payment{
		Ref: ref, Amount: ten, Lang: "fr", Nonce: "nonce-0001", ExpiresAt: time.Now().UTC().Add(time.Hour).Truncate(time.Second),
		Buyer: card.Buyer{Name: "Coopérative d’essai", Email: "essai@example.ma", Phone: "+212600000000"},
		OKURL: "https://hub.example/ok", FailURL: "https://hub.example/no", CallbackURL: "https://hub.example/cb", ShopURL: "https://hub.example/",
	}
}

// order is what moves money of a payment; each name stands for a reference of its own.
func order(name, of string, m money.Money) card.Order {
	return card.Order{Ref: of + "_" + name, Of: of, Amount: m}
}

func direct(f Fixture) *card.Acquirer { return card.New("acquirer", f.Dial(f.Addr), card.Options{}) }

func forms(t *testing.T, f Fixture) {
	a := direct(f)
	p := payment()
	first, err := a.Form(p)
	if err != nil || first.URL == "" || len(first.Fields) == 0 {
		t.Fatalf("Form = %+v, %v", first, err)
	}
	same, _ := a.Form(p)
	fresh := p
	fresh.Nonce = "nonce-0002"
	other, _ := a.Form(fresh)
	if !equal(first.Fields, same.Fields) || equal(first.Fields, other.Fields) {
		t.Error("a form is not pure, or its nonce does not matter")
	}
	for name, spoil := range map[string]func(*card.Payment){
		"ref":      func(p *card.Payment) { p.Ref = "a b" },
		"amount":   func(p *card.Payment) { p.Amount = money.Dirhams(0) },
		"currency": func(p *card.Payment) { p.Amount = money.FromCentimes(1, "EUR") },
		"email":    func(p *card.Payment) { p.Buyer.Email = "x" },
		"url":      func(p *card.Payment) { p.CallbackURL = "/cb" },
		"lang":     func(p *card.Payment) { p.Lang = "de" },
		"end":      func(p *card.Payment) { p.ExpiresAt = time.Time{} },
		"nonce":    func(p *card.Payment) { p.Nonce = "" },
	} {
		p := payment()
		spoil(&p)
		if _, err := a.Form(p); !errors.Is(err, card.ErrInvalid) {
			t.Errorf("a payment with a bad %s: %v, want ErrInvalid", name, err)
		}
	}
}

func equal(a, b map[string]string) bool {
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return len(a) == len(b)
}

func notices(t *testing.T, f Fixture) {
	a := direct(f)
	if _, ok := f.Dial(f.Addr).(card.Noticer); !ok {
		if _, err := a.Notice(f.Notice(ref, ten, true)); !errors.Is(err, card.ErrNoNotices) || a.Reply(card.Capture) != "" {
			t.Errorf("an acquirer without callbacks reads one: %v", err)
		}
		told(t, f, a)
		return
	}
	for _, approved := range []bool{true, false} {
		raw := f.Notice(ref, ten, approved)
		n, err := a.Notice(raw)
		if err != nil || n.Ref != ref || !n.Amount.Equal(ten) || n.Approved != approved || n.Merchant != a.Merchant() || n.EventID == "" || string(n.Raw) != string(raw) {
			t.Errorf("Notice = %+v, %v; want approved %v", n, err, approved)
		}
		again, err := a.Notice(f.Notice(ref, ten, approved))
		if err != nil || again.EventID != n.EventID {
			t.Errorf("the same content is event %q, then %q (%v)", n.EventID, again.EventID, err)
		}
		for i := range raw { // whatever changes a signed message is refused, or means the same
			cut, err := a.Notice(raw[:i])
			if err == nil && (cut.Approved != n.Approved || cut.Ref != n.Ref || !cut.Amount.Equal(n.Amount)) {
				t.Fatalf("a notice cut at %d was read as %+v", i, cut)
			}
		}
	}
	for _, raw := range [][]byte{nil, []byte("x"), []byte("a=b&c=d")} {
		if _, err := a.Notice(raw); !errors.Is(err, card.ErrForged) && !errors.Is(err, card.ErrUnreadable) {
			t.Errorf("Notice(%q): %v, want ErrForged or ErrUnreadable", raw, err)
		}
	}
	if a.Reply(card.Capture) == a.Reply(card.Acknowledge) || a.Reply(card.Acknowledge) == a.Reply(card.Trouble) {
		t.Error("two verdicts are answered alike")
	}
}

// told holds an acquirer's events to what they are for: to name a payment.
func told(t *testing.T, f Fixture, a *card.Acquirer) {
	raw := f.Notice(ref, ten, true)
	if of, err := a.Told(raw); err != nil || of != ref {
		t.Errorf("Told = %q, %v; want %q", of, err, ref)
	}
	for i := range raw {
		if of, err := a.Told(raw[:i]); err == nil {
			t.Fatalf("an event cut at %d was read, of %q", i, of)
		}
	}
	for _, bad := range [][]byte{nil, []byte("x"), []byte("{}"), f.Notice("a b", ten, true)} {
		if _, err := a.Told(bad); !errors.Is(err, card.ErrUnreadable) {
			t.Errorf("Told(%.40q): %v, want ErrUnreadable", bad, err)
		}
	}
}

func absent(t *testing.T, f Fixture) {
	if s := direct(f).Query(t.Context(), ref); s.Outcome != outbound.NotFound || s.State != card.None {
		t.Errorf("Query = %+v, want NotFound", s)
	}
}

// stands checks where the acquirer says the payment is.
func stands(t *testing.T, a *card.Acquirer, state card.State, o outbound.Outcome, captured string) {
	t.Helper()
	s := a.Query(t.Context(), ref)
	if s.State != state || s.Outcome != o || !s.Amount.Equal(ten) || !s.Captured.Equal(money.MustParse(captured, money.MAD)) {
		t.Errorf("Query = %s %s of %s, captured %s (%v); want %s %s, captured %s", s.Outcome, s.State, s.Amount, s.Captured, s.Err, o, state, captured)
	}
}

func capture(t *testing.T, f Fixture) {
	a := direct(f)
	if _, ok := f.Dial(f.Addr).(card.Capturer); !ok {
		if r := a.Capture(t.Context(), order("c", ref, ten)); r.Outcome != outbound.NotSent || r.Reason != outbound.Unfit {
			t.Errorf("a driver that cannot capture answered %+v", r)
		}
		return
	}
	f.Authorize(ref, ten)
	stands(t, a, card.Authorized, outbound.Accepted, "0")
	if r := a.Capture(t.Context(), order("c", ref, ten)); r.Outcome != outbound.Succeeded {
		t.Errorf("Capture = %+v, want Succeeded", r)
	}
	stands(t, a, card.Captured, outbound.Succeeded, "10.60")
	if r := a.Capture(t.Context(), order("c2", ref, ten)); r.Outcome == outbound.NotSent || f.Executed("capture", ref) != 1 {
		t.Errorf("a second Capture = %+v, and %d were executed; want 1", r, f.Executed("capture", ref))
	}
	for _, m := range []money.Money{money.Dirhams(0), ten.Neg(), money.FromCentimes(1, "EUR")} {
		if r := a.Capture(t.Context(), order("c3", ref, m)); r.Outcome != outbound.NotSent || r.Reason != outbound.Unfit {
			t.Errorf("Capture of %s = %+v, want NotSent", m, r)
		}
	}
}

func void(t *testing.T, f Fixture) {
	if _, ok := f.Dial(f.Addr).(card.Voider); !ok {
		return
	}
	a := direct(f)
	f.Authorize(ref, ten)
	if r := a.Void(t.Context(), order("v", ref, ten)); r.Outcome != outbound.Succeeded || f.Executed("void", ref) != 1 {
		t.Errorf("Void = %+v, want Succeeded, once", r)
	}
	stands(t, a, card.Voided, outbound.Declined, "0")
}

func refund(t *testing.T, f Fixture) {
	if _, ok := f.Dial(f.Addr).(card.Refunder); !ok {
		return
	}
	a := direct(f)
	f.Authorize(ref, ten)
	a.Capture(t.Context(), order("c", ref, ten))
	f.Settle(ref)
	stands(t, a, card.Settled, outbound.Succeeded, "10.60")
	four := money.MustParse("4.00", money.MAD)
	for i := range 2 {
		if r := a.Refund(t.Context(), order(fmt.Sprint("r", i), ref, four)); r.Outcome != outbound.Succeeded {
			t.Errorf("Refund = %+v, want Succeeded", r)
		}
		want := money.Dirhams(400 * int64(i+1))
		if s := a.Query(t.Context(), ref); s.Refunded != nil && !s.Refunded.Equal(want) {
			t.Errorf("after %d refunds of 4.00 the inquiry says %s went back, want %s", i+1, s.Refunded, want)
		}
	}
	if r := a.Refund(t.Context(), order("r9", ref, four)); r.Outcome == outbound.Succeeded || f.Executed("refund", ref) != 2 {
		t.Errorf("a refund of more than is left: %+v, executed %d", r, f.Executed("refund", ref))
	}
}

// amounts sends what drivers get wrong that count in other units: the least, whole
// dirhams, and many.
func amounts(t *testing.T, f Fixture) {
	a := direct(f)
	for i, amount := range []string{"0.01", "1.00", "103.00", "99999.99"} {
		of, m := fmt.Sprint(ref, i), money.MustParse(amount, money.MAD)
		if _, ok := f.Dial(f.Addr).(card.Noticer); ok {
			if n, err := a.Notice(f.Notice(of, m, true)); err != nil || !n.Amount.Equal(m) {
				t.Errorf("a notice of %s is read as %s (%v)", m, n.Amount, err)
			}
		}
		f.Authorize(of, m)
		if _, ok := f.Dial(f.Addr).(card.Capturer); !ok {
			continue
		}
		if r := a.Capture(t.Context(), order("c", of, m)); r.Outcome != outbound.Succeeded {
			t.Errorf("Capture of %s = %+v, want Succeeded", m, r)
		}
		if s := a.Query(t.Context(), of); !s.Amount.Equal(m) || !s.Captured.Equal(m) {
			t.Errorf("of %s the inquiry says %s, captured %s", m, s.Amount, s.Captured)
		}
		if _, ok := f.Dial(f.Addr).(card.Refunder); !ok {
			continue
		}
		f.Settle(of)
		if r := a.Refund(t.Context(), order("r", of, m)); r.Outcome != outbound.Succeeded {
			t.Errorf("Refund of %s = %+v, want Succeeded", m, r)
		}
		if s := a.Query(t.Context(), of); s.Refunded != nil && !s.Refunded.Equal(m) {
			t.Errorf("after a refund of %s the inquiry says %s went back", m, *s.Refunded)
		}
	}
}

func declined(t *testing.T, f Fixture) {
	f.Decline(ref, ten)
	stands(t, direct(f), card.Declined, outbound.Declined, "0")
}

func cases(t *testing.T, f Fixture) {
	if _, ok := f.Dial(f.Addr).(card.Disputer); !ok {
		return
	}
	a := direct(f)
	for _, state := range []card.CaseState{card.CaseOpened, card.CaseWon, card.CaseLost} {
		want := card.Case{ID: "CBK-1", Ref: ref, State: state, Amount: ten, Fee: money.Dirhams(1500)}
		raw := f.Case(want)
		got, err := a.Case(raw)
		if err != nil || got.ID != want.ID || got.Ref != want.Ref || got.State != state || !got.Amount.Equal(ten) ||
			!got.Fee.Equal(want.Fee) || got.Merchant != a.Merchant() || got.EventID == "" || string(got.Raw) != string(raw) {
			t.Errorf("Case = %+v, %v; want %+v", got, err, want)
		}
		for i := range raw { // cut anywhere it is refused, or means the same
			if cut, err := a.Case(raw[:i]); err == nil && (cut.ID != got.ID || cut.State != state || !cut.Amount.Equal(ten) || !cut.Fee.Equal(want.Fee)) {
				t.Fatalf("a chargeback cut at %d was read as %+v", i, cut)
			}
		}
		if _, ok := f.Dial(f.Addr).(card.Noticer); !ok {
			if of, err := a.Told(raw); err == nil {
				t.Errorf("the message about a chargeback was taken for a payment's, of %q", of)
			}
		} else if _, err := a.Notice(raw); err == nil {
			t.Error("the message about a chargeback was taken for a payment's notice")
		}
	}
	for _, raw := range [][]byte{nil, []byte("x"), []byte("a=b&c=d"), f.Notice(ref, ten, true)} {
		if _, err := a.Case(raw); !errors.Is(err, card.ErrForged) && !errors.Is(err, card.ErrUnreadable) {
			t.Errorf("Case(%.20q) = %v, want a refusal", raw, err)
		}
	}
}
