// Package walletconform says what every wallet driver must do, over a network
// that fails in every way a network can.
package walletconform

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"tiwiza/adapters/wallet"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// Fixture is what a driver's test gives the suite: a stand-in provider and
// drivers that reach it.
type Fixture struct {
	Addr     string                                  // the stand-in's host and port
	Dial     func(addr string) wallet.Driver         // a driver that reaches the stand-in through addr
	Intruder func(addr string) wallet.Driver         // one that the stand-in does not let in, or nil
	Approve  func(ref string)                        // the phone's owner approves
	Refuse   func(ref string, why wallet.Refusal)    // the payment fails
	Executed func(kind, ref string) int              // how often the stand-in did "charge", "reversal" or "disbursement"
	Asked    func(ref string) money.Money            // what the stand-in understood that it shall move
	Garble   func(status int, body string)           // execute the next request, and answer this
	Callback func(ref string, s wallet.State) []byte // what the provider tells of a reference
}

// Run holds a driver to the contract. open is called once for each fact.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	for name, fact := range map[string]func(*testing.T, Fixture){
		"asking twice is one payment":               once,
		"a refused payment says why":                refused,
		"an unknown reference is not found":         absent,
		"a payment is given back in parts":          reversed,
		"money is paid to a phone":                  paid,
		"rule 3.4: an amount is what it was":        amounts,
		"a callback is read, and proves nothing":    notices,
		"what cannot be sent is not":                unfit,
		"a lost answer is unknown, and inquired":    lost,
		"a strange answer is unknown":               strange,
		"without a connection nothing is sent":      offline,
		"an intruder is not the provider's failure": intruder,
		"a partner that is back is asked first":     recovery,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fact(t, open(t))
		})
	}
}

const (
	ref   = "CHG-CONFORMANCE-1"
	phone = "+212600000000"
)

var ten = money.MustParse("10.60", money.MAD)

func direct(f Fixture) *wallet.Wallet {
	return wallet.New("wallet", f.Dial(f.Addr), wallet.Options{Key: "conformance"})
}

func payment(ref string) wallet.Payment {
	return wallet.Payment{Ref: ref, Phone: phone, Amount: ten, Text: "Coopérative d’essai", CallbackURL: "https://hub.example/callbacks/wallet/wallet/x/y"}
}

// asked has a payment pending at the provider.
func asked(t *testing.T, w *wallet.Wallet, ref string) outbound.Result {
	t.Helper()
	r := w.Ask(t.Context(), payment(ref))
	if r.Outcome != outbound.Accepted || r.PartnerID == "" {
		t.Fatalf("Ask = %+v, want Accepted with a name", r)
	}
	return r
}

// stands checks where the provider says a reference is, and gives its name.
func stands(t *testing.T, w *wallet.Wallet, ref, known string, state wallet.State, o outbound.Outcome) wallet.Status {
	t.Helper()
	s := w.Query(t.Context(), ref, known)
	if s.State != state || s.Outcome != o || state == wallet.Completed && (s.Amount == nil || s.PartnerID == "") {
		t.Errorf("Query of %s (known as %q) = %s %s, %v (%v); want %s %s", ref, known, s.Outcome, s.State, s.Amount, s.Err, o, state)
	}
	return s
}

func once(t *testing.T, f Fixture) {
	w := direct(f)
	first := asked(t, w, ref)
	if again := asked(t, w, ref); again.PartnerID != first.PartnerID {
		t.Errorf("asked again it is %q, first it was %q", again.PartnerID, first.PartnerID)
	}
	for _, known := range []string{"", first.PartnerID} {
		stands(t, w, ref, known, wallet.Pending, outbound.Accepted)
	}
	f.Approve(ref)
	for _, known := range []string{"", first.PartnerID} {
		if s := stands(t, w, ref, known, wallet.Completed, outbound.Succeeded); s.Amount != nil && !s.Amount.Equal(ten) {
			t.Errorf("the payment was made for %s, want %s", s.Amount, ten)
		}
	}
	if r := w.Ask(t.Context(), payment(ref)); r.Outcome != outbound.Accepted && r.Outcome != outbound.Succeeded || f.Executed("charge", ref) != 1 {
		t.Errorf("asked for again after it was made: %+v, executed %d times, want once", r, f.Executed("charge", ref))
	}
	stands(t, w, ref, "", wallet.Completed, outbound.Succeeded)
}

func refused(t *testing.T, f Fixture) {
	w := direct(f)
	for _, why := range []wallet.Refusal{wallet.Limit, wallet.Funds, wallet.NotApproved, wallet.NoWallet} {
		ref := ref + "-" + map[wallet.Refusal]string{wallet.Limit: "L", wallet.Funds: "F", wallet.NotApproved: "N", wallet.NoWallet: "W"}[why]
		name := asked(t, w, ref).PartnerID
		f.Refuse(ref, why)
		for _, known := range []string{"", name} {
			s := stands(t, w, ref, known, wallet.Failed, outbound.Declined)
			if got := w.Refusal(s.Code); got != why || got.Text() == wallet.Other.Text() {
				t.Errorf("refused with %q, which is %s to its buyer, want %s", s.Code, got, why)
			}
		}
		if f.Executed("charge", ref) != 0 {
			t.Errorf("a payment refused for %s was executed", why)
		}
	}
	if got := w.Refusal("made up"); got != wallet.Other {
		t.Errorf("a code that nobody knows is %s", got)
	}
}

func absent(t *testing.T, f Fixture) {
	w := direct(f)
	stands(t, w, ref, "", wallet.None, outbound.NotFound)
	other := asked(t, w, ref+"-2").PartnerID
	f.Approve(ref + "-2")
	if s := w.Query(t.Context(), ref, other); s.Outcome == outbound.Succeeded || s.Outcome == outbound.Declined {
		t.Errorf("by the name of another payment the inquiry says %s %s", s.Outcome, s.State)
	}
}

// made has a payment that the phone's owner approved, and gives its name.
func made(t *testing.T, w *wallet.Wallet, f Fixture, ref string) string {
	t.Helper()
	asked(t, w, ref)
	f.Approve(ref)
	return stands(t, w, ref, "", wallet.Completed, outbound.Succeeded).PartnerID
}

func refund(ref, of, amount string) wallet.Refund {
	return wallet.Refund{Ref: ref, Of: of, Phone: phone, Amount: money.MustParse(amount, money.MAD), Text: "Remboursement"}
}

// happens checks that what was asked for is done, once, however it is answered.
func happens(t *testing.T, w *wallet.Wallet, f Fixture, kind, ref, amount string, do func() outbound.Result) {
	t.Helper()
	for range 2 {
		if r := do(); r.Outcome != outbound.Succeeded && r.Outcome != outbound.Accepted {
			t.Errorf("%s = %+v, want Succeeded or Accepted", kind, r)
		}
	}
	if s := stands(t, w, ref, "", wallet.Completed, outbound.Succeeded); s.Amount != nil && s.Amount.Amount() != amount || f.Executed(kind, ref) != 1 {
		t.Errorf("the %s was made for %s, %d times; want %s, once", kind, s.Amount, f.Executed(kind, ref), amount)
	}
}

func reversed(t *testing.T, f Fixture) {
	w := direct(f)
	if !w.Reverses() {
		if r := w.Reverse(t.Context(), refund("RFD-1", "X", "4.00")); r.Outcome != outbound.NotSent || r.Reason != outbound.Unfit {
			t.Errorf("a driver that cannot reverse answered %+v", r)
		}
		return
	}
	of := made(t, w, f, ref)
	for _, ref := range []string{"RFD-1", "RFD-2"} {
		happens(t, w, f, "reversal", ref, "4.00", func() outbound.Result { return w.Reverse(t.Context(), refund(ref, of, "4.00")) })
	}
	if r := w.Reverse(t.Context(), refund("RFD-3", of, "4.00")); r.Outcome == outbound.Succeeded || f.Executed("reversal", "RFD-3") != 0 {
		t.Errorf("a reversal of more than is left: %+v, executed %d", r, f.Executed("reversal", "RFD-3"))
	}
}

func paid(t *testing.T, f Fixture) {
	w := direct(f)
	if !w.Pays() {
		if r := w.Pay(t.Context(), refund("RFD-1", "", "4.00")); r.Outcome != outbound.NotSent || r.Reason != outbound.Unfit {
			t.Errorf("a driver that cannot pay answered %+v", r)
		}
		return
	}
	happens(t, w, f, "disbursement", "RFD-1", "4.50", func() outbound.Result { return w.Pay(t.Context(), refund("RFD-1", "", "4.50")) })
}

// amounts sends what drivers get wrong that count in other units: the least, whole
// dirhams, and many.
func amounts(t *testing.T, f Fixture) {
	w := direct(f)
	for i, amount := range []string{"0.01", "1.00", "103.00", "99999.99"} {
		of, m := fmt.Sprint(ref, "-", i), money.MustParse(amount, money.MAD)
		whole := func(what, ref string) {
			t.Helper()
			if got := f.Asked(ref); !got.Equal(m) {
				t.Errorf("a %s of %s reaches the provider as %s", what, m, got)
			}
			if s := stands(t, w, ref, "", wallet.Completed, outbound.Succeeded); s.Amount != nil && !s.Amount.Equal(m) {
				t.Errorf("of a %s of %s the inquiry says %s", what, m, s.Amount)
			}
		}
		p := payment(of)
		p.Amount = m
		if r := w.Ask(t.Context(), p); r.Outcome != outbound.Accepted {
			t.Fatalf("Ask for %s = %+v, want Accepted", m, r)
		}
		f.Approve(of)
		whole("payment", of)
		if w.Reverses() {
			name := w.Query(t.Context(), of, "").PartnerID
			back := fmt.Sprint("RFD-", i)
			happens(t, w, f, "reversal", back, amount, func() outbound.Result { return w.Reverse(t.Context(), refund(back, name, amount)) })
			whole("reversal", back)
		}
		if w.Pays() {
			out := fmt.Sprint("OUT-", i)
			happens(t, w, f, "disbursement", out, amount, func() outbound.Result { return w.Pay(t.Context(), refund(out, "", amount)) })
			whole("disbursement", out)
		}
	}
}

func notices(t *testing.T, f Fixture) {
	w := direct(f)
	asked(t, w, ref)
	for _, state := range []wallet.State{wallet.Completed, wallet.Failed} {
		raw := f.Callback(ref, state)
		n, err := w.Notice(wallet.Callback{Body: raw})
		if err != nil || n.State != state || n.Ref != "" && n.Ref != ref || n.EventID == "" || !slices.Equal(n.Raw, raw) {
			t.Errorf("Notice = %+v, %v; want %s", n, err, state)
		}
		if again, err := w.Notice(wallet.Callback{Body: f.Callback(ref, state)}); err != nil || again.EventID != n.EventID {
			t.Errorf("the same content is event %q, then %q (%v)", n.EventID, again.EventID, err)
		}
		for i := range raw {
			if cut, err := w.Notice(wallet.Callback{Body: raw[:i]}); err == nil {
				t.Fatalf("a callback cut at %d was read as %+v", i, cut)
			}
		}
		if _, err := w.Notice(wallet.Callback{Body: raw, Hash: "00"}); !errors.Is(err, wallet.ErrUnreadable) {
			t.Errorf("with another body's sum: %v, want ErrUnreadable", err)
		}
	}
	stands(t, w, ref, "", wallet.Pending, outbound.Accepted)
	for _, raw := range [][]byte{nil, []byte("x"), []byte("{}"), []byte("[]"), []byte("null")} {
		if _, err := w.Notice(wallet.Callback{Body: raw}); !errors.Is(err, wallet.ErrUnreadable) {
			t.Errorf("Notice(%q): %v, want ErrUnreadable", raw, err)
		}
	}
}

func unfit(t *testing.T, f Fixture) {
	w := direct(f)
	for name, spoil := range map[string]func(*wallet.Payment){
		"ref":      func(p *wallet.Payment) { p.Ref = "a b" },
		"phone":    func(p *wallet.Payment) { p.Phone = "0600000000" },
		"landline": func(p *wallet.Payment) { p.Phone = "+212522000000" },
		"amount":   func(p *wallet.Payment) { p.Amount = money.Dirhams(0) },
		"currency": func(p *wallet.Payment) { p.Amount = money.FromCentimes(1, "EUR") },
		"callback": func(p *wallet.Payment) { p.CallbackURL = "/cb" },
	} {
		p := payment(ref)
		spoil(&p)
		if r := w.Ask(t.Context(), p); r.Outcome != outbound.NotSent || r.Reason != outbound.Unfit {
			t.Errorf("Ask with a bad %s = %+v, want NotSent", name, r)
		}
	}
	stands(t, w, ref, "", wallet.None, outbound.NotFound)
}
