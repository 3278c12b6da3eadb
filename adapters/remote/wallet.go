package remote

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"tiwiza/adapters/wallet"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

// walletPath is where a connector speaks wallet.v1.
const walletPath = "/wallet/v1"

// Features of wallet.v1 that a connector may declare.
const (
	Reversals = "reversals" // payments are undone, whole or in part
	Payouts   = "payouts"   // money is paid to a phone
)

// Wallet speaks wallet.v1 behind the wallet's port. What is asked for is a request,
// which is known by our reference alone.
type Wallet struct {
	n    *Connector
	name string
}

// NewWallet is the driver of a connector that speaks wallet.v1, with the features
// of its manifest: it is a wallet.Reverser and a wallet.Payer as these say. Name is
// what the hub calls it.
func NewWallet(n *Connector, name string, features []string) wallet.Driver {
	d := &Wallet{n, name}
	c := Capability{Features: features}
	switch reverses, pays := c.Has(Reversals), c.Has(Payouts); {
	case reverses && pays:
		return struct {
			*Wallet
			reverser
			payer
		}{d, reverser{d}, payer{d}}
	case reverses:
		return struct {
			*Wallet
			reverser
		}{d, reverser{d}}
	case pays:
		return struct {
			*Wallet
			payer
		}{d, payer{d}}
	}
	return d
}

// reverser is a wallet with the feature reversals.
type reverser struct{ to *Wallet }

// Reverse undoes a payment, whole or in part.
func (d reverser) Reverse(ctx context.Context, f wallet.Refund) outbound.Result {
	return d.to.move(ctx, "/payments/"+url.PathEscape(f.Of)+"/reversals", walletOrder{f.Ref, f.Phone, f.Amount, cut(f.Text, 160)})
}

// payer is a wallet with the feature payouts.
type payer struct{ to *Wallet }

// Pay pays to the wallet of a phone.
func (d payer) Pay(ctx context.Context, f wallet.Refund) outbound.Result {
	return d.to.move(ctx, "/payouts", walletOrder{f.Ref, f.Phone, f.Amount, cut(f.Text, 160)})
}

// walletOrder is the body of all that moves money.
type walletOrder struct {
	Ref    string      `json:"ref"`
	Phone  string      `json:"phone"`
	Amount money.Money `json:"amount"`
	Text   string      `json:"text,omitempty"`
}

// walletRequest is what stands of a request.
type walletRequest struct {
	ID     string       `json:"id"`
	Ref    string       `json:"ref"`
	State  string       `json:"state"`
	Amount *money.Money `json:"amount"`
	Reason string       `json:"reason"`
	Text   string       `json:"text"`
}

// walletFinal are the codes by which a wallet refuses for good: nothing of the
// request is or will be done.
var walletFinal = map[string]int{"refused": 422, "invalid": 422, "not_reversible": 409, "payment_not_found": 404}

// walletReasons are why a request failed, as the protocol lists them.
var walletReasons = []string{string(wallet.Limit), string(wallet.Funds), string(wallet.NotApproved), string(wallet.NoWallet), string(wallet.Other)}

var partnerID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// Merchant is what the hub calls the connector; wallet.v1 has no other name for us
// than our credentials.
func (d *Wallet) Merchant() string { return d.name }

// Ask asks the owner of a phone to pay.
func (d *Wallet) Ask(ctx context.Context, p wallet.Payment) outbound.Result {
	return d.move(ctx, "/payments", walletOrder{p.Ref, p.Phone, p.Amount, cut(p.Text, 160)})
}

// move posts what moves money, under its own reference as the key. An answer that
// says more or less was moved than was asked for is for people.
func (d *Wallet) move(ctx context.Context, path string, o walletOrder) outbound.Result {
	body, err := json.Marshal(o)
	if err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: err}
	}
	a, r, ok := d.n.call(ctx, request{http.MethodPost, walletPath + path, o.Ref, body})
	if !ok {
		return outbound.Refused(a, r, walletFinal)
	}
	s := walletStatus(a.Body, r.Evidence, o.Ref)
	if s.Amount != nil && !s.Amount.Equal(o.Amount) {
		s.Outcome, s.Reason, s.Text = outbound.Unknown, outbound.Differs, fmt.Sprintf("taken in for %s, not %s", s.Amount, o.Amount)
	}
	return s.Result
}

// Query asks where a request stands. What the wallet calls it does not matter.
func (d *Wallet) Query(ctx context.Context, ref, _ string) wallet.Status {
	a, r, ok := d.n.call(ctx, request{method: http.MethodGet, path: walletPath + "/requests/" + url.PathEscape(ref)})
	if !ok {
		return wallet.Status{Result: outbound.Refused(a, r, nil, "request_not_found"), State: wallet.None}
	}
	return walletStatus(a.Body, r.Evidence, ref)
}

// walletStatus reads what stands of a request of ours.
func walletStatus(body, evidence []byte, ref string) wallet.Status {
	s := wallet.Status{State: wallet.None, Result: outbound.Result{Outcome: outbound.Unknown, Evidence: evidence}}
	var q walletRequest
	switch err := strict.Object(body, &q); {
	case err != nil:
		s.Err = fmt.Errorf("read the answer: %w", err)
		return s
	case q.Ref != ref:
		s.Err = fmt.Errorf("the answer speaks of the request %q, want %q", cut(q.Ref, 80), ref)
		return s
	case !partnerID.MatchString(q.ID):
		s.Err = fmt.Errorf("the wallet's name of the request is %q", cut(q.ID, 80))
		return s
	case q.Amount == nil || q.Amount.Currency() != money.MAD || q.Amount.Sign() <= 0:
		s.Err = errors.New("the request has no amount in MAD")
		return s
	}
	s.PartnerID, s.Amount, s.Text = q.ID, q.Amount, cut(q.Text, 200)
	switch wallet.State(q.State) {
	case wallet.Pending:
		s.State, s.Outcome = wallet.Pending, outbound.Accepted
	case wallet.Completed:
		s.State, s.Outcome = wallet.Completed, outbound.Succeeded
	case wallet.Failed:
		s.State, s.Code = wallet.Failed, cut(q.Reason, 64)
		if s.Outcome = outbound.Declined; !slices.Contains(walletReasons, q.Reason) { // failed, and yet not by a word of the protocol
			s.Outcome, s.Reason = outbound.Unknown, outbound.Unlisted
		}
	default:
		s.Err = fmt.Errorf("the state %q is not one of the protocol's", cut(q.State, 40))
	}
	return s
}

// Refusal is what a reason means to the buyer: the protocol's reasons are the
// port's own words.
func (d *Wallet) Refusal(code string) wallet.Refusal {
	if slices.Contains(walletReasons, code) {
		return wallet.Refusal(code)
	}
	return wallet.Other
}

// Notice reads the event request.updated. Who signed it is looked at by whoever
// takes it in; it proves no more than that there is a reason to ask.
func (d *Wallet) Notice(c wallet.Callback) (wallet.Notice, error) {
	sum := sha256.Sum256(c.Body)
	id := hex.EncodeToString(sum[:])
	if c.Hash != "" && subtle.ConstantTimeCompare([]byte(strings.ToLower(c.Hash)), []byte(id)) != 1 {
		return wallet.Notice{}, wallet.ErrUnreadable.With(errors.New("the sum is another body's"))
	}
	var in struct {
		Type string `json:"type"`
		Data struct {
			Ref    string `json:"ref"`
			State  string `json:"state"`
			Reason string `json:"reason"`
		} `json:"data"`
	}
	if err := strict.Object(c.Body, &in); err != nil {
		return wallet.Notice{}, wallet.ErrUnreadable.With(err)
	}
	state := wallet.State(in.Data.State)
	if in.Type != "request.updated" || !refShape.MatchString(in.Data.Ref) || !slices.Contains([]wallet.State{wallet.Pending, wallet.Completed, wallet.Failed}, state) {
		return wallet.Notice{}, wallet.ErrUnreadable.With(fmt.Errorf("the event %q of %q is %q", cut(in.Type, 40), cut(in.Data.Ref, 40), cut(in.Data.State, 40)))
	}
	return wallet.Notice{Ref: in.Data.Ref, State: state, Code: cut(in.Data.Reason, 64), EventID: id, Raw: slices.Clone(c.Body)}, nil
}

var refShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,34}$`)
