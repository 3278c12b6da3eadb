package gsma

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"tiwiza/adapters/wallet"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

// A PartnerID that begins so names a request that is not answered yet; any
// other is the name of a transaction.
const pendingName = "requeststates/"

// Ask asks the owner of a phone to pay: a merchant payment.
func (d *Driver) Ask(ctx context.Context, p wallet.Payment) outbound.Result {
	return d.move(ctx, "/transactions/type/merchantpay", p.CallbackURL, p.Amount, request{
		Amount: amountOf(p.Amount), Currency: p.Amount.Currency(), Reference: p.Ref, Description: cut(p.Text, 160),
		Debit: []party{{"msisdn", p.Phone}}, Credit: d.us(),
	})
}

// Pay pays to a wallet: a disbursement.
func (d *Driver) Pay(ctx context.Context, f wallet.Refund) outbound.Result {
	return d.move(ctx, "/transactions/type/disbursement", f.CallbackURL, f.Amount, request{
		Amount: amountOf(f.Amount), Currency: f.Amount.Currency(), Reference: f.Ref, Description: cut(f.Text, 160),
		Debit: d.us(), Credit: []party{{"msisdn", f.Phone}},
	})
}

// Reverse undoes a payment, whole or in part: a reversal.
func (d *Driver) Reverse(ctx context.Context, f wallet.Refund) outbound.Result {
	return d.move(ctx, "/transactions/"+url.PathEscape(f.Of)+"/reversals", f.CallbackURL, f.Amount, request{
		Amount: amountOf(f.Amount), Currency: f.Amount.Currency(), Type: "reversal", Reference: f.Ref, Description: cut(f.Text, 160),
	})
}

func (d *Driver) us() []party { return []party{{d.cfg.MerchantKey, d.cfg.Merchant}} }

// move sends what moves money, and classes the answer.
func (d *Driver) move(ctx context.Context, path, callback string, amount money.Money, body request) outbound.Result {
	b, err := json.Marshal(body)
	if err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: err}
	}
	a, r, ok := d.send(ctx, http.MethodPost, path, b, func(h http.Header) {
		h.Set("X-CorrelationID", d.Correlation(body.Reference))
		if callback != "" {
			h.Set("X-Callback-URL", callback)
		}
	})
	if !ok {
		return refused(a, r)
	}
	switch a.Status {
	case http.StatusAccepted:
		s := stateOf(r.Evidence)
		if s.State == wallet.Completed { // whose money, and how much, is for an inquiry to say
			s.Outcome = outbound.Accepted
		}
		return s.Result
	case http.StatusCreated:
		return made(r.Evidence, body.Reference, &amount).Result
	}
	r.Outcome, r.Err = outbound.Unknown, fmt.Errorf("the provider answered %d", a.Status)
	return r
}

// refused looks into an answer that is no success for a code that is listed as
// final.
func refused(a outbound.Answer, r outbound.Result) outbound.Result {
	switch a.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity:
	default:
		return r
	}
	var p problem
	if strict.Object(a.Body, &p) != nil || p.Code == "" {
		return r
	}
	said := class(p)
	said.Evidence, said.RetryAfter = r.Evidence, r.RetryAfter
	if said.Outcome == outbound.Unknown {
		said.Err = errors.New("refused with " + said.Code)
		if said.Reason == "" {
			said.Reason = r.Reason
		}
	}
	return said
}

// stateOf reads a request state.
func stateOf(body []byte) wallet.Status {
	s := wallet.Status{State: wallet.None, Result: outbound.Result{Outcome: outbound.Unknown, Evidence: body}}
	var q requestState
	if err := strict.Object(body, &q); err != nil {
		s.Err = fmt.Errorf("read answer: %w", err)
		return s
	}
	if !uuidShape.MatchString(q.ID) {
		s.Err = fmt.Errorf("the request's name is %q", cut(q.ID, 64))
		return s
	}
	s.PartnerID = pendingName + q.ID
	switch q.Status {
	case "pending":
		s.State, s.Outcome = wallet.Pending, outbound.Accepted
	case "completed":
		s.State, s.Outcome = wallet.Completed, outbound.Succeeded
		if nameShape.MatchString(q.Reference) {
			s.PartnerID = q.Reference
		}
	case "failed":
		var p problem
		if q.Error != nil {
			p = *q.Error
		}
		r := class(p)
		s.State, s.Outcome, s.Code, s.Text = wallet.Failed, r.Outcome, r.Code, r.Text
		if r.Outcome != outbound.Declined { // failed, and yet not by a word that we know to be final
			s.Reason = outbound.Unlisted
		}
	default:
		s.Err = fmt.Errorf("the request's status is %q", cut(q.Status, 64))
	}
	return s
}

// made reads a transaction that stands under our reference. Amount, when it is
// known, must be what it was for.
func made(body []byte, ref string, amount *money.Money) wallet.Status {
	s := wallet.Status{State: wallet.None, Result: outbound.Result{Outcome: outbound.Unknown, Evidence: body}}
	var t transaction
	if err := strict.Object(body, &t); err != nil {
		s.Err = fmt.Errorf("read answer: %w", err)
		return s
	}
	switch {
	case t.Reference != ref:
		s.Err = errors.New("the answer is not about our request")
		return s
	case !nameShape.MatchString(t.Name):
		s.Err = fmt.Errorf("the transaction's name is %q", cut(t.Name, 64))
		return s
	}
	if t.Amount != "" {
		m, err := readAmount(t.Amount, t.Currency)
		if err != nil {
			s.Err = err
			return s
		}
		s.Amount = &m
	}
	s.PartnerID = t.Name
	if amount != nil && s.Amount != nil && !s.Amount.Equal(*amount) {
		s.Reason, s.Text = outbound.Differs, "made for "+s.Amount.String()+", not "+amount.String()
		return s
	}
	switch t.Status {
	case "completed":
		s.State, s.Outcome = wallet.Completed, outbound.Succeeded
	case "pending":
		s.State, s.Outcome = wallet.Pending, outbound.Accepted
	default:
		s.Text = fmt.Sprintf("the transaction's status is %q", cut(t.Status, 64))
		s.Err = errors.New(s.Text)
	}
	return s
}

// send makes one call. Without ok, r is the result as far as HTTP tells; a is
// the answer, if there was one.
func (d *Driver) send(ctx context.Context, method, path string, body []byte, with func(http.Header)) (a outbound.Answer, r outbound.Result, ok bool) {
	token := ""
	if d.tokens != nil {
		if token, r, ok = d.tokens.Token(ctx); !ok {
			return a, r, false
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, d.cfg.BaseURL+path, bytes.NewReader(body))
	if err != nil {
		return a, outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: err}, false
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	outbound.Date(req, "X-Date")
	for name, v := range map[string]string{"X-Client-Id": d.cfg.ClientID, "X-API-Key": d.cfg.APIKey} {
		if v != "" {
			req.Header.Set(name, v)
		}
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if with != nil {
		with(req.Header)
	}
	carry := outbound.Send
	if method == http.MethodGet {
		carry = outbound.Read
	}
	a, r, ok = carry(d.client, req)
	r.Evidence = outbound.Redact(bytes.Clone(a.Body), d.cfg.APIKey, d.cfg.TokenSecret, token)
	if a.Status == http.StatusUnauthorized && token != "" {
		d.tokens.Forget(ctx, token)
	}
	return a, r, ok
}
