package remote

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

// cardPath is where a connector speaks card.v1.
const cardPath = "/card/v1"

// Chargebacks is the feature of card.v1 by which an acquirer tells of them.
const Chargebacks = "chargebacks"

// Card speaks card.v1 behind the card's port: a buyer is sent to the acquirer's page
// with a signed payment, and what becomes of it is asked for.
type Card struct {
	n    *Connector
	name string
}

// What card.v1 can do.
var _ interface {
	card.Driver
	card.Teller
	card.Capturer
	card.Voider
	card.Refunder
} = (*Card)(nil)

// NewCard is the driver of a connector that speaks card.v1, with the features of its
// manifest: it is a card.Disputer as these say. Name is what the hub calls it.
func NewCard(n *Connector, name string, features []string) card.Driver {
	d := &Card{n, name}
	if (Capability{Features: features}).Has(Chargebacks) {
		return struct {
			*Card
			disputer
		}{d, disputer{d}}
	}
	return d
}

// Page is where a connector's buyers are sent: its origin is in the address.
func (n *Connector) Page() string { return n.base + cardPath + "/pay" }

// cardPayment is what is signed, in this order of fields.
type cardPayment struct {
	Ref       string      `json:"ref"`
	Amount    money.Money `json:"amount"`
	Lang      string      `json:"lang"`
	Buyer     cardBuyer   `json:"buyer"`
	ReturnURL string      `json:"return_url"`
	ShopURL   string      `json:"shop_url"`
	ExpiresAt time.Time   `json:"expires_at"`
	Nonce     string      `json:"nonce"`
}

type cardBuyer struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone,omitempty"`
}

// cardOrder is the body of what moves money.
type cardOrder struct {
	Ref    string      `json:"ref"`
	Amount money.Money `json:"amount"`
}

// cardStanding is how a payment stands.
type cardStanding struct {
	ID       string       `json:"id"`
	Ref      string       `json:"ref"`
	State    string       `json:"state"`
	Amount   *money.Money `json:"amount"`
	Captured *money.Money `json:"captured"`
	Refunded *money.Money `json:"refunded"`
	Reason   string       `json:"reason"`
	Text     string       `json:"text"`
}

// cardFinal are the codes by which an acquirer refuses for good: nothing is or will
// be done under the reference.
var cardFinal = map[string]int{
	"refused": http.StatusUnprocessableEntity, "invalid": http.StatusUnprocessableEntity, "payment_not_found": http.StatusNotFound,
	"not_capturable": http.StatusConflict, "not_voidable": http.StatusConflict, "not_refundable": http.StatusConflict,
}

// cardStates are the states of the protocol, and what they come to.
var cardStates = map[card.State]outbound.Outcome{
	card.Authorized: outbound.Accepted, card.Captured: outbound.Succeeded, card.Settled: outbound.Succeeded, card.Refunded: outbound.Succeeded,
	card.Voided: outbound.Declined, card.Declined: outbound.Declined,
}

// Merchant is what the hub calls the connector; card.v1 has no other name for us than
// our credentials.
func (d *Card) Merchant() string { return d.name }

// Form is a payment that is signed with what the hub was let in with last. The
// acquirer's events go to one address, so the payment names none.
func (d *Card) Form(p card.Payment) (card.Form, error) {
	secret := d.n.secret()
	if secret == "" {
		return card.Form{}, errors.New("there are no credentials to sign a payment with")
	}
	body, err := json.Marshal(cardPayment{p.Ref, p.Amount, p.Lang, cardBuyer(p.Buyer), p.OKURL, p.ShopURL, p.ExpiresAt.UTC().Truncate(time.Second), p.Nonce})
	if err != nil {
		return card.Form{}, fmt.Errorf("write the payment: %w", err)
	}
	return card.Form{URL: d.n.Page(), Method: http.MethodPost, Fields: map[string]string{"payment": string(body), "signature": SignPayment(secret, body)}}, nil
}

// SignPayment is the signature of a payment under a secret, as card.v1 writes it.
func SignPayment(secret string, payment []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("payment."))
	mac.Write(payment)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Query asks where a payment stands.
func (d *Card) Query(ctx context.Context, ref string) card.Status {
	a, r, ok := d.n.call(ctx, request{method: http.MethodGet, path: cardPath + "/payments/" + url.PathEscape(ref)})
	if !ok {
		return card.Status{Result: outbound.Refused(a, r, nil, "payment_not_found"), State: card.None}
	}
	return cardStatus(a.Body, r.Evidence, ref)
}

// Capture takes what is authorised.
func (d *Card) Capture(ctx context.Context, o card.Order) outbound.Result {
	return d.move(ctx, "/captures", o, func(s card.Status) bool { return s.Captured.Equal(o.Amount) })
}

// Void lets go of what is not settled.
func (d *Card) Void(ctx context.Context, o card.Order) outbound.Result {
	return d.move(ctx, "/voids", o, func(s card.Status) bool { return s.State == card.Voided })
}

// Refund gives back of what is settled.
func (d *Card) Refund(ctx context.Context, o card.Order) outbound.Result {
	return d.move(ctx, "/refunds", o, func(s card.Status) bool {
		if o.Back != nil {
			return s.Refunded.Equal(o.Back.Add(o.Amount))
		}
		return s.Refunded.Centimes() >= o.Amount.Centimes()
	})
}

// move posts what moves money, under its own reference as the key. An answer by which
// something else was done is for people.
func (d *Card) move(ctx context.Context, what string, o card.Order, done func(card.Status) bool) outbound.Result {
	body, err := json.Marshal(cardOrder{o.Ref, o.Amount})
	if err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: err}
	}
	a, r, ok := d.n.call(ctx, request{http.MethodPost, cardPath + "/payments/" + url.PathEscape(o.Of) + what, o.Ref, body})
	if !ok {
		return outbound.Refused(a, r, cardFinal)
	}
	s := cardStatus(a.Body, r.Evidence, o.Of)
	switch {
	case s.State == card.None:
		return s.Result
	case !done(s):
		s.Outcome, s.Reason, s.Text = outbound.Unknown, outbound.Differs, fmt.Sprintf("taken in, and it is %s: captured %s, given back %s", s.State, s.Captured, s.Refunded)
	default:
		s.Outcome = outbound.Succeeded
	}
	return s.Result
}

// cardStatus reads how a payment of ours stands.
func cardStatus(body, evidence []byte, ref string) card.Status {
	s := card.Status{State: card.None, Result: outbound.Result{Outcome: outbound.Unknown, Evidence: evidence}}
	var p cardStanding
	switch err := strict.Object(body, &p); {
	case err != nil:
		s.Err = fmt.Errorf("read the answer: %w", err)
		return s
	case p.Ref != ref:
		s.Err = fmt.Errorf("the answer speaks of the payment %q, want %q", cut(p.Ref, 80), ref)
		return s
	case !partnerID.MatchString(p.ID):
		s.Err = fmt.Errorf("the acquirer's name of the payment is %q", cut(p.ID, 80))
		return s
	}
	state := card.State(p.State)
	out, known := cardStates[state]
	taken := state == card.Captured || state == card.Settled || state == card.Refunded
	switch {
	case !known:
		s.Err = fmt.Errorf("the state %q is not one of the protocol's", cut(p.State, 40))
	case !dirhams(p.Amount) || p.Amount.Sign() == 0 || !dirhams(p.Captured) || !dirhams(p.Refunded):
		s.Err = errors.New("the payment lacks an amount in MAD, or what was captured or given back")
	case p.Captured.Centimes() > p.Amount.Centimes() || p.Refunded.Centimes() > p.Captured.Centimes() || taken != (p.Captured.Sign() > 0):
		s.Err = fmt.Errorf("a payment of %s is %s, of which %s is captured and %s given back", p.Amount, state, p.Captured, p.Refunded)
	case (state == card.Refunded) != (taken && p.Refunded.Equal(*p.Captured)):
		s.Err = fmt.Errorf("a payment is %s, and %s of %s was given back", state, p.Refunded, p.Captured)
	default:
		s.PartnerID, s.State, s.Outcome, s.Amount, s.Captured, s.Refunded, s.Code, s.Text = p.ID, state, out, *p.Amount, *p.Captured, p.Refunded, cut(p.Reason, 64), cut(p.Text, 200)
	}
	return s
}

// dirhams says whether there is an amount in MAD that is not below nothing.
func dirhams(m *money.Money) bool { return m != nil && m.Currency() == money.MAD && m.Sign() >= 0 }

// Told reads the event payment.updated: ErrUnreadable.
func (d *Card) Told(event []byte) (ref string, err error) {
	var in struct {
		Type string `json:"type"`
		Data struct {
			Ref   string `json:"ref"`
			State string `json:"state"`
		} `json:"data"`
	}
	if err := strict.Object(event, &in); err != nil {
		return "", card.ErrUnreadable.With(err)
	}
	if _, known := cardStates[card.State(in.Data.State)]; in.Type != "payment.updated" || !refShape.MatchString(in.Data.Ref) || !known {
		return "", card.ErrUnreadable.With(fmt.Errorf("the event %q of %q is %q", cut(in.Type, 40), cut(in.Data.Ref, 40), cut(in.Data.State, 40)))
	}
	return in.Data.Ref, nil
}

// disputer is an acquirer with the feature chargebacks.
type disputer struct{ of *Card }

// Case reads the event chargeback.updated. Who signed it is looked at by whoever
// takes it in: ErrUnreadable.
func (d disputer) Case(event []byte) (card.Case, error) {
	var in struct {
		Type string `json:"type"`
		Data struct {
			ID     string       `json:"id"`
			Ref    string       `json:"ref"`
			State  string       `json:"state"`
			Amount *money.Money `json:"amount"`
			Fee    *money.Money `json:"fee"`
			Reason string       `json:"reason"`
		} `json:"data"`
	}
	if err := strict.Object(event, &in); err != nil {
		return card.Case{}, card.ErrUnreadable.With(err)
	}
	c, state := in.Data, card.CaseState(in.Data.State)
	if in.Type != "chargeback.updated" || !partnerID.MatchString(c.ID) || !refShape.MatchString(c.Ref) || !dirhams(c.Amount) || c.Amount.Sign() == 0 || !dirhams(c.Fee) ||
		!slices.Contains([]card.CaseState{card.CaseOpened, card.CaseWon, card.CaseLost}, state) {
		return card.Case{}, card.ErrUnreadable.With(fmt.Errorf("the event %q of the chargeback %q is %q", cut(in.Type, 40), cut(c.ID, 40), cut(c.State, 40)))
	}
	sum := sha256.Sum256(event)
	return card.Case{
		ID: c.ID, Ref: c.Ref, Merchant: d.of.name, State: state, Amount: *c.Amount, Fee: *c.Fee, Reason: cut(c.Reason, 200),
		EventID: hex.EncodeToString(sum[:]), Raw: slices.Clone(event),
	}, nil
}
