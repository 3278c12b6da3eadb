package nestpay

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tiwiza/adapters/card"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// order is the body of an API call.
type order struct {
	XMLName  xml.Name `xml:"CC5Request"`
	Name     string   `xml:"Name"`
	Password string   `xml:"Password"`
	ClientID string   `xml:"ClientId"`
	Type     string   `xml:"Type,omitempty"`
	OrderID  string   `xml:"OrderId"`
	Total    string   `xml:"Total,omitempty"`
	Currency string   `xml:"Currency,omitempty"`
	Status   string   `xml:"Extra>ORDERSTATUS,omitempty"`
}

// Capture takes reserved money: PostAuth.
func (d *Driver) Capture(ctx context.Context, o card.Order) outbound.Result {
	return d.move(ctx, order{Type: "PostAuth", OrderID: o.Of, Total: o.Amount.Amount(), Currency: dirham})
}

// Void lets go of what is not settled.
func (d *Driver) Void(ctx context.Context, o card.Order) outbound.Result {
	return d.move(ctx, order{Type: "Void", OrderID: o.Of})
}

// Refund gives settled money back: Credit. The platform has no idempotency
// key: ask before repeating.
func (d *Driver) Refund(ctx context.Context, o card.Order) outbound.Result {
	return d.move(ctx, order{Type: "Credit", OrderID: o.Of, Total: o.Amount.Amount(), Currency: dirham})
}

// move sends an order that moves money and classes the answer.
func (d *Driver) move(ctx context.Context, o order) outbound.Result {
	a, r, ok := d.send(ctx, o)
	if !ok {
		return r
	}
	r.Code, r.Text, r.PartnerID = a.get("ProcReturnCode"), a.get("ErrMsg"), a.get("TransId")
	switch {
	case a.get("OrderId") != o.OrderID:
		r.Outcome, r.Err = outbound.Unknown, errors.New("the answer is not about our order")
	case a.get("Response") == "Approved" && codes[r.Code].outcome == outbound.Succeeded:
		r.Outcome = outbound.Succeeded
	case a.get("Response") == "Declined" && codes[r.Code].outcome == outbound.Declined:
		r.Outcome = outbound.Declined
	default:
		r.Outcome, r.Err = outbound.Unknown, fmt.Errorf("response %q, code %q", a.get("Response"), r.Code)
	}
	return r
}

// Query asks where an order stands.
func (d *Driver) Query(ctx context.Context, ref string) card.Status {
	a, r, ok := d.send(ctx, order{OrderID: ref, Status: "QUERY"})
	s := card.Status{Result: r, State: card.None}
	if !ok {
		return s
	}
	s.Code, s.Text, s.PartnerID = a.get("ProcReturnCode"), a.get("ErrMsg"), a.get("TransId")
	if id := a.get("OrderId"); id != ref {
		s.Outcome = outbound.Unknown
		if id == "" && absent(a) {
			s.Outcome = outbound.NotFound
			return s
		}
		s.Err = errors.New("the answer is not about our order")
		return s
	}
	return status(s, a)
}

// status reads the answer about our own order.
func status(s card.Status, a answer) card.Status {
	s.Outcome = outbound.Unknown
	if absent(a) {
		s.Outcome = outbound.NotFound
		return s
	}
	st, ok := states[a.get("TRANS_STAT")]
	if !ok {
		s.Err = fmt.Errorf("the order's state is %q", a.get("TRANS_STAT"))
		return s
	}
	var err error
	if s.Amount, err = minor(a.get("ORIG_TRANS_AMT")); err == nil {
		s.Captured, err = minor(a.get("CAPTURE_AMT"))
	}
	if back := a.get("CREDIT_AMT"); err == nil && back != "" {
		var m money.Money
		if m, err = minor(back); err == nil {
			s.Refunded = &m
		}
	}
	if err != nil {
		s.Err = err
		return s
	}
	if st.outcome == outbound.Succeeded && s.Captured.Sign() <= 0 {
		s.Err = errors.New("the order is captured, of nothing")
		return s
	}
	s.State, s.Outcome = st.state, st.outcome
	return s
}

// states are what TRANS_STAT means; another letter is Unknown.
var states = map[string]struct {
	state   card.State
	outcome outbound.Outcome
}{
	"A": {card.Authorized, outbound.Accepted},
	"C": {card.Captured, outbound.Succeeded},
	"S": {card.Settled, outbound.Succeeded},
	"R": {card.Refunded, outbound.Succeeded},
	"V": {card.Voided, outbound.Declined},
	"D": {card.Declined, outbound.Declined},
}

// absent says whether the answer is that there is no such order. It is never
// final by itself: the caller asks again later.
func absent(a answer) bool {
	msg := strings.ToLower(a.get("ErrMsg"))
	return a.get("Response") != "Approved" && a.get("TRANS_STAT") == "" &&
		(strings.HasPrefix(msg, "no such order") || strings.HasPrefix(msg, "no record found"))
}

// minor reads an amount in centimes; none is nothing.
func minor(s string) (money.Money, error) {
	if s == "" {
		return money.Dirhams(0), nil
	}
	n, err := strconv.ParseUint(s, 10, 53)
	if err != nil {
		return money.Money{}, fmt.Errorf("the amount is %q", s)
	}
	return money.Dirhams(int64(n)), nil
}

// send posts an order and reads the answer; without ok, r is the result.
func (d *Driver) send(ctx context.Context, o order) (answer, outbound.Result, bool) {
	o.Name, o.Password, o.ClientID = d.cfg.APIUser, d.cfg.APIPassword, d.cfg.ClientID
	body, err := xml.Marshal(o)
	if err != nil {
		return nil, outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: err}, false
	}
	form := url.Values{"DATA": {xml.Header + string(body)}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.cfg.APIURL, strings.NewReader(form))
	if err != nil {
		return nil, outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: err}, false
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	carry := outbound.Send
	if o.Status != "" {
		carry = outbound.Read // a question, though it is posted
	}
	got, r, ok := carry(d.client, req)
	r.Evidence = outbound.Redact(bytes.Clone(got.Body), d.cfg.APIPassword, d.cfg.StoreKey)
	if !ok {
		return nil, r, false
	}
	a, err := understand(got.Body)
	if err != nil {
		r.Outcome, r.Err = outbound.Unknown, fmt.Errorf("read answer: %w", err)
		return nil, r, false
	}
	return a, r, true
}
