package moneyconform

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/pkg/money"
	"tiwiza/pkg/strict"
)

// The flaws of an acquirer.
const (
	AnyForm        Flaw = "any form is taken"
	AnySecret      Flaw = "a signature is not looked at when it is there"
	AnyTime        Flaw = "a page is open for ever"
	AnyPrice       Flaw = "what is paid is paid for another amount"
	AnyText        Flaw = "any payment is taken"
	TellsSignature Flaw = "the right signature is told"
	CapturesAgain  Flaw = "captures again"
	CapturesMore   Flaw = "captures more than is authorised"
	CapturesAll    Flaw = "captures all of it"
	VoidsSettled   Flaw = "lets go of what is settled"
	KeepsCaptured  Flaw = "what is let go stays captured"
	RefundsEarly   Flaw = "refunds before it is settled"
	NeverRefunded  Flaw = "nothing is ever refunded whole"
	SettlesEarly   Flaw = "settles at once"
	QuietCases     Flaw = "chargebacks are not told"
	FreeCases      Flaw = "chargebacks stand without their fee"
	SendsElsewhere Flaw = "the page is at another origin"
	PaysLate       Flaw = "a page that is open is paid on for ever"
	WritesAnew     Flaw = "the signature is of the text as it is written anew"
)

// Card is an acquirer that speaks card.v1.
type Card struct {
	*Stand
	payments map[string]*paying
}

// paying is a payment whose page was asked for; it stands nowhere before somebody
// tried to pay it.
type paying struct {
	ID       string      `json:"id"`
	Ref      string      `json:"ref"`
	State    card.State  `json:"state"`
	Amount   money.Money `json:"amount"`
	Captured money.Money `json:"captured"`
	Refunded money.Money `json:"refunded"`
	Reason   string      `json:"reason,omitempty"`
	Text     string      `json:"text"`
	expires  time.Time
	back     string // where the browser goes
	page     string // what the page is answered under
	disputed bool
}

// NewCard makes an acquirer. Buyers pay by Pay, or as a sandbox has them.
func NewCard(flaw Flaw) *Card {
	c := &Card{newStand("card", flaw, "chargebacks"), map[string]*paying{}}
	c.own = c
	return c
}

// Pay is a buyer who types a card on the page that the hub asked for; the centimes
// say what becomes of it. It is false when there is no such page (any more).
func (c *Card) Pay(ref string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buy(ref) == nil
}

// Authorize and Decline have a buyer pay, or be refused, on a page that nobody asked
// for.
func (c *Card) Authorize(ref string, m money.Money) { c.attempt(ref, m, "") }

// Decline is the other of them.
func (c *Card) Decline(ref string, m money.Money) { c.attempt(ref, m, "funds") }

func (c *Card) attempt(ref string, m money.Money, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.decide(c.opened(ref, m), reason)
}

// Settle ends the day.
func (c *Card) Settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dayEnd()
}

// ChargeBack has the buyer's bank take a part of a settled payment back, or decides
// about it; it is told where events go.
func (c *Card) ChargeBack(id, ref string, state card.CaseState, amount, fee money.Money) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.contest(card.Case{ID: id, Ref: ref, State: state, Amount: amount, Fee: fee, Reason: "10.4 Other Fraud"})
}

// Event is what the acquirer tells of a payment, were it to stand so.
func (c *Card) Event(ref string, state card.State) []byte {
	return encode(map[string]any{"type": "payment.updated", "timestamp": "2026-11-23T10:00:00Z", "data": map[string]any{"ref": ref, "state": state}})
}

// Case is what the acquirer tells of a chargeback.
func (c *Card) Case(of card.Case) []byte {
	return encode(map[string]any{"type": "chargeback.updated", "timestamp": "2026-11-23T10:00:00Z", "data": contested(of)})
}

func contested(of card.Case) map[string]any {
	return map[string]any{"id": of.ID, "ref": of.Ref, "state": of.State, "amount": of.Amount, "fee": of.Fee, "reason": of.Reason}
}

// ServeHTTP answers as card.v1 says. The page is for the buyer's browser, which has
// no credentials.
func (c *Card) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	steps, ours := c.steps(r)
	switch {
	case !ours || r.Method != http.MethodPost || steps[0] != "pay":
		c.Stand.ServeHTTP(w, r)
	case len(steps) == 1:
		c.page(w, r)
	default:
		c.typed(w, r, steps[1])
	}
}

// page shows the page of a payment that the hub signed.
func (c *Card) page(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	bad, said, p := &wrong{422, "invalid", ""}, "No.", (*paying)(nil)
	if err := r.ParseForm(); err == nil {
		c.mu.Lock()
		p, bad, said = c.signed(r.PostForm)
		c.mu.Unlock()
	}
	if bad != nil {
		kind := "application/problem+json"
		if c.flaw == PlainErrors {
			kind = "text/plain"
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(bad.status)
		_, _ = w.Write(encode(problem(*bad, said)))
		return
	}
	if c.flaw == SendsElsewhere {
		http.Redirect(w, r, "https://pages.exemple.ma/"+p.page, http.StatusSeeOther)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, `<!doctype html><title>Paiement</title><p>%s</p><form method="post" action="pay/%s"><button>Payer</button></form>`, html.EscapeString(p.Amount.String()), p.page)
}

// signed reads a form, whose signature is looked at before anything else.
func (c *Card) signed(form url.Values) (p *paying, bad *wrong, said string) {
	text, signature := form["payment"], form["signature"]
	mac := hmac.New(sha256.New, []byte(Token))
	written := strings.Join(text, "")
	if c.flaw == WritesAnew {
		written = strings.ReplaceAll(written, `\u0026`, "&")
	}
	mac.Write([]byte("payment." + written))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	one := len(text) == 1 && len(signature) == 1
	switch right := one && hmac.Equal([]byte(signature[0]), []byte(want)); {
	case right, c.flaw == AnyForm && len(text) == 1, c.flaw == AnySecret && one:
	case c.flaw == TellsSignature:
		return nil, &wrong{403, "forged", ""}, "The signature should be " + want
	default:
		return nil, &wrong{403, "forged", ""}, "The signature does not fit."
	}
	var in struct {
		Ref       string      `json:"ref"`
		Amount    money.Money `json:"amount"`
		Lang      string      `json:"lang"`
		ReturnURL string      `json:"return_url"`
		ShopURL   string      `json:"shop_url"`
		ExpiresAt time.Time   `json:"expires_at"`
		Nonce     string      `json:"nonce"`
		Buyer     struct {
			Name  string `json:"name"`
			Email string `json:"email"`
		} `json:"buyer"`
	}
	if err := strict.Object([]byte(text[0]), &in); err != nil {
		return nil, &wrong{422, "invalid", ""}, "The payment cannot be read."
	}
	if at := unfit(in.Ref, in.Amount, in.Lang, in.Buyer.Name, in.Buyer.Email, in.ReturnURL, in.ShopURL, in.Nonce); at != "" && c.flaw != AnyText {
		return nil, &wrong{422, "invalid", ""}, "The payment's " + at + " cannot be read."
	}
	p = c.payments[in.Ref]
	switch {
	case p != nil && c.flaw != AnyPrice && (!p.Amount.Equal(in.Amount) || p.State != "" && p.State != card.Declined):
		return nil, &wrong{409, "paid", ""}, "It is paid, or was asked for with another amount."
	case !in.ExpiresAt.After(time.Now()) && c.flaw != AnyTime:
		return nil, &wrong{410, "page_expired", ""}, "The time to pay is over."
	}
	p = c.opened(in.Ref, in.Amount)
	p.expires, p.back = in.ExpiresAt, in.ReturnURL
	return p, nil, ""
}

var (
	refShape   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,34}$`)
	nonceShape = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)
)

// unfit is the part of a payment that the protocol does not allow, or "".
func unfit(ref string, amount money.Money, lang, name, email, back, shop, nonce string) string {
	from, err := mail.ParseAddress(email)
	for at, ok := range map[string]bool{
		"ref": refShape.MatchString(ref), "amount": amount.Currency() == money.MAD && amount.Sign() > 0, "lang": slices.Contains([]string{"fr", "ar", "en", "zgh"}, lang),
		"buyer": name != "" && err == nil && from.Address == email, "return_url": address(back), "shop_url": address(shop), "nonce": nonceShape.MatchString(nonce),
	} {
		if !ok {
			return at
		}
	}
	return ""
}

func address(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// opened is a payment whose page is open.
func (c *Card) opened(ref string, amount money.Money) *paying {
	p := c.payments[ref]
	if p == nil {
		c.n++
		p = &paying{ID: fmt.Sprintf("C%06d", c.n), Ref: ref, Captured: money.Dirhams(0), Refunded: money.Dirhams(0), Text: strings.Repeat("x", 400)}
		p.page = rand.Text()
		c.payments[ref] = p
	}
	p.Amount, p.expires = amount, time.Now().Add(time.Hour)
	return p
}

// typed is the answer to the page: the browser goes back.
func (c *Card) typed(w http.ResponseWriter, r *http.Request, page string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.payments {
		if p.page == page && p.back != "" {
			c.buy(p.Ref)
			http.Redirect(w, r, p.back, http.StatusSeeOther)
			return
		}
	}
	http.NotFound(w, r)
}

// cardNot are the declines of a sandbox, by the centimes of an amount.
var cardNot = map[int64]string{1: "funds", 4: "not_authenticated", 5: "blocked"}

// buy is a buyer who types a card on an open page.
func (c *Card) buy(ref string) *wrong {
	p := c.payments[ref]
	switch {
	case p == nil:
		return &wrong{404, "payment_not_found", ""}
	case !p.expires.After(time.Now()) && c.flaw != AnyTime && c.flaw != PaysLate:
		return &wrong{410, "page_expired", ""}
	}
	c.decide(p, cardNot[p.Amount.Centimes()%100])
	return nil
}

// decide is what becomes of an attempt; "" authorises it.
func (c *Card) decide(p *paying, reason string) {
	if p.State != "" && p.State != card.Declined {
		return
	}
	p.State, p.Reason = card.Authorized, ""
	if reason != "" && c.flaw != NothingBad {
		p.State, p.Reason = card.Declined, reason
		if c.flaw == NoReason {
			p.Reason = ""
		}
	}
	c.updated(p)
}

func (c *Card) updated(p *paying) {
	c.tell("payment.updated", map[string]any{"ref": p.Ref, "state": p.State})
}

func (c *Card) posts(steps []string) bool {
	return len(steps) == 3 && steps[0] == "payments" && slices.Contains([]string{"captures", "voids", "refunds"}, steps[2])
}

func (c *Card) do(steps []string, body []byte) *wrong {
	var in struct {
		Ref    string
		Amount money.Money
	}
	if json.Unmarshal(body, &in) != nil || !refShape.MatchString(in.Ref) || in.Amount.Currency() != money.MAD || in.Amount.Sign() <= 0 {
		return &wrong{422, "invalid", ""}
	}
	p := c.payments[steps[1]]
	if p == nil || p.State == "" {
		return &wrong{404, "payment_not_found", ""}
	}
	return map[string]func(*paying, string, money.Money) *wrong{"captures": c.capture, "voids": c.void, "refunds": c.refund}[steps[2]](p, in.Ref, in.Amount)
}

func (c *Card) capture(p *paying, _ string, m money.Money) *wrong {
	again := c.flaw == CapturesAgain && p.State == card.Captured
	if p.State != card.Authorized && !again || m.Centimes() > p.Amount.Centimes() && c.flaw != CapturesMore {
		return &wrong{409, "not_capturable", ""}
	}
	if c.flaw == CapturesAll {
		m = p.Amount
	}
	p.State, p.Captured = card.Captured, m
	c.count("capture", p.Ref)
	if c.updated(p); c.flaw == SettlesEarly {
		c.settle(p)
	}
	return nil
}

func (c *Card) void(p *paying, _ string, m money.Money) *wrong {
	switch {
	case p.State != card.Authorized && p.State != card.Captured && (c.flaw != VoidsSettled || p.State != card.Settled):
		return &wrong{409, "not_voidable", ""}
	case !m.Equal(p.Amount):
		return &wrong{422, "invalid", ""}
	}
	p.State = card.Voided
	if c.flaw != KeepsCaptured {
		p.Captured = money.Dirhams(0)
	}
	c.count("void", p.Ref)
	c.updated(p)
	return nil
}

func (c *Card) refund(p *paying, ref string, m money.Money) *wrong {
	settled := p.State == card.Settled || c.flaw == RefundsEarly && p.State == card.Captured
	if c.flaw != BackForEver && (!settled || p.Refunded.Add(m).Centimes() > p.Captured.Centimes()) {
		return &wrong{409, "not_refundable", ""}
	}
	p.Refunded = p.Refunded.Add(m)
	if p.Refunded.Equal(p.Captured) && c.flaw != NeverRefunded {
		p.State = card.Refunded
	}
	c.count("refund", p.Ref)
	c.book(ref, "refund", m.Neg())
	c.updated(p)
	return nil
}

// view is how a payment stands.
func (c *Card) view(steps []string, _ string) (any, bool) {
	p := c.payments[steps[1]]
	if p == nil || p.State == "" {
		return nil, false
	}
	out := *p
	if c.flaw == AnotherAmount {
		out.Amount = out.Amount.Add(money.Dirhams(1))
	}
	return out, true
}

func (c *Card) get(steps []string, _ func(string) string) (any, *wrong) {
	if len(steps) != 2 || steps[0] != "payments" {
		return nil, &wrong{404, "not_found", ""}
	}
	if v, ok := c.view(steps, ""); ok {
		return v, nil
	}
	return nil, &wrong{404, "payment_not_found", ""}
}

// loses says whether the first answer to a capture is lost: by the payment's
// amount.
func (c *Card) loses(steps []string, _ int64) bool {
	p := c.payments[steps[1]]
	return p != nil && steps[2] == "captures" && p.Amount.Centimes()%100 == 3
}

// play has a buyer pay, or ends the day.
func (c *Card) play(what string, body []byte) *wrong {
	var in struct{ Ref string }
	switch {
	case what == "day-end":
		c.dayEnd()
	case what != "buyers":
		return &wrong{404, "not_found", ""}
	case json.Unmarshal(body, &in) != nil:
		return &wrong{400, "malformed", ""}
	default:
		return c.buy(in.Ref)
	}
	return nil
}

// dayEnd settles what is captured; then banks take back what they take back.
func (c *Card) dayEnd() {
	for _, p := range c.payments {
		if p.State == card.Captured {
			c.settle(p)
		}
		if p.Amount.Centimes()%100 == 7 && p.State == card.Settled && !p.disputed {
			p.disputed = true
			c.contest(card.Case{ID: "CB-" + p.ID, Ref: p.Ref, State: card.CaseOpened, Amount: p.Captured, Fee: money.Dirhams(15_00), Reason: "10.4 Other Fraud"})
		}
	}
}

func (c *Card) settle(p *paying) {
	p.State = card.Settled
	c.book(p.Ref, "payment", p.Captured)
	c.updated(p)
}

// contest is a chargeback, and the money that goes with it. What is won comes again;
// the fee does not.
func (c *Card) contest(of card.Case) {
	switch of.State {
	case card.CaseOpened:
		fee := of.Fee
		if c.flaw == FreeCases {
			fee = money.Dirhams(0)
		}
		c.line(of.ID, "chargeback", of.Amount.Neg(), fee)
	case card.CaseWon:
		c.line(of.ID, "chargeback", of.Amount, money.Dirhams(0))
	}
	if c.flaw != QuietCases {
		c.tell("chargeback.updated", contested(of))
	}
}

// invent does what was never sent whole.
func (c *Card) invent(steps []string, ref string) {
	if !c.posts(steps) {
		return
	}
	if p := c.payments[steps[1]]; p != nil && p.State == card.Authorized {
		c.capture(p, ref, p.Amount)
	}
}
