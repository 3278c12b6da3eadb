package wallet

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"

	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// Wallet is the portable type the hub takes money from wallets with: it checks
// what goes out, and carries each call in a lane of its class.
type Wallet struct {
	id         string
	d          Driver
	key        []byte
	pay, query *outbound.Lane
}

// Options tune a wallet; the zero value is the defaults.
type Options struct {
	// Key signs the addresses that the provider is given for its callbacks, so
	// that nobody else can have the hub ask. Without one there are none.
	Key        string
	Pay, Query outbound.Settings
	Metrics    *outbound.Metrics
}

// probeRef is a reference that no payment has: the question that tries a
// provider again must not be about anybody's money.
const probeRef = "HUB-PROBE"

// New makes a wallet of a driver; id names it in figures and in the books.
func New(id string, d Driver, o Options) *Wallet {
	if o.Metrics == nil {
		o.Metrics = outbound.NewMetrics(nil)
	}
	w := &Wallet{id: id, d: d, key: []byte(o.Key), query: outbound.NewLane(id, outbound.Query, o.Query, o.Metrics)}
	w.pay = outbound.NewLane(id, outbound.Pay, o.Pay, o.Metrics).WithProbe(func(ctx context.Context) outbound.Result {
		ctx, cancel := context.WithTimeout(ctx, w.query.Settings().Deadline)
		defer cancel()
		return d.Query(ctx, probeRef, "").Result
	})
	return w
}

// ID names the wallet.
func (w *Wallet) ID() string { return w.id }

// Merchant is the name the provider knows the hub by.
func (w *Wallet) Merchant() string { return w.d.Merchant() }

// Lanes are the states of the wallet's lanes.
func (w *Wallet) Lanes() []outbound.LaneState {
	return []outbound.LaneState{w.pay.State(), w.query.State()}
}

// Ready says whether an owner may be asked here: people have not stopped it, and it
// answers as far as is known.
func (w *Wallet) Ready() bool { return w.pay.Ready() && w.query.Ready() }

// Held says whether people have stopped it.
func (w *Wallet) Held() bool { return w.pay.State().Held }

var (
	refShape   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,34}$`)
	phoneShape = regexp.MustCompile(`^\+212[67][0-9]{8}$`)
	ofShape    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
)

// IsPhone says whether a number, in international form, can have a wallet: it
// is a Moroccan mobile's.
func IsPhone(s string) bool { return phoneShape.MatchString(s) }

// CallbackURL is where the provider tells what became of a reference: an address
// below base that nobody else can guess, or "" without a key.
func (w *Wallet) CallbackURL(base, ref string) string {
	if len(w.key) == 0 {
		return ""
	}
	return base + "/callbacks/" + w.id + "/wallet/" + ref + "/" + w.token(ref)
}

// Genuine says whether a token is that of the address which the provider was
// given for a reference.
func (w *Wallet) Genuine(ref, token string) bool {
	return len(w.key) > 0 && subtle.ConstantTimeCompare([]byte(token), []byte(w.token(ref))) == 1
}

func (w *Wallet) token(ref string) string {
	h := hmac.New(sha256.New, w.key)
	fmt.Fprintf(h, "callback|%s|%s", w.id, ref)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:24])
}

// Notice reads a callback: ErrUnreadable. The caller has looked whether the
// address is Genuine, and asks the provider before it believes anything.
func (w *Wallet) Notice(c Callback) (Notice, error) { return w.d.Notice(c) }

// Refusal is what a code by which a payment was refused means to its buyer.
func (w *Wallet) Refusal(code string) Refusal { return w.d.Refusal(code) }

// Ask asks the owner of a phone to pay.
func (w *Wallet) Ask(ctx context.Context, p Payment) outbound.Result {
	if r := w.fits(true, p.Ref, p.Phone, p.Amount, p.CallbackURL); r != nil {
		return *r
	}
	return w.pay.Do(ctx, "wallet.ask", func(ctx context.Context) outbound.Result { return w.d.Ask(ctx, p) })
}

// Query asks where a payment or a refund stands, by our reference; known is the
// provider's own name of it as far as it was told, or "".
func (w *Wallet) Query(ctx context.Context, ref, known string) Status {
	if !refShape.MatchString(ref) {
		return Status{Result: unfit("the reference %q is not one of ours", ref), State: None}
	}
	s := Status{State: None}
	r := w.query.Do(ctx, "wallet.query", func(ctx context.Context) outbound.Result {
		s = w.d.Query(ctx, ref, known)
		return s.Result
	})
	s.Result = r
	return s
}

// Reverses says whether payments can be undone.
func (w *Wallet) Reverses() bool { _, ok := w.d.(Reverser); return ok }

// Pays says whether money can be paid to wallets.
func (w *Wallet) Pays() bool { _, ok := w.d.(Payer); return ok }

// Reverse undoes a payment, whole or in part.
func (w *Wallet) Reverse(ctx context.Context, f Refund) outbound.Result {
	d, ok := w.d.(Reverser)
	if r := w.fits(ok, f.Ref, f.Phone, f.Amount, f.CallbackURL); r != nil {
		return *r
	}
	if !ofShape.MatchString(f.Of) {
		return unfit("the provider's name %q of the payment cannot be right", f.Of)
	}
	return w.pay.Do(ctx, "wallet.reverse", func(ctx context.Context) outbound.Result { return d.Reverse(ctx, f) })
}

// Pay pays to the wallet of a phone.
func (w *Wallet) Pay(ctx context.Context, f Refund) outbound.Result {
	d, ok := w.d.(Payer)
	if r := w.fits(ok, f.Ref, f.Phone, f.Amount, f.CallbackURL); r != nil {
		return *r
	}
	return w.pay.Do(ctx, "wallet.pay", func(ctx context.Context) outbound.Result { return d.Pay(ctx, f) })
}

// fits says why a call cannot be made at all, or nil.
func (w *Wallet) fits(able bool, ref, phone string, amount money.Money, callback string) *outbound.Result {
	var r outbound.Result
	switch u, err := url.Parse(callback); {
	case !able:
		r = unfit("the wallet %s cannot do that", w.id)
	case !refShape.MatchString(ref):
		r = unfit("the reference %q is not one of ours", ref)
	case !phoneShape.MatchString(phone):
		r = unfit("%q is no mobile number in international form", phone)
	case amount.Currency() != money.MAD || amount.Sign() <= 0:
		r = unfit("the amount %s cannot be moved", amount)
	case callback != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(callback) > 255):
		r = unfit("%q is no address for callbacks", callback)
	default:
		return nil
	}
	return &r
}

func unfit(format string, args ...any) outbound.Result {
	err := fmt.Errorf(format, args...)
	return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: err.Error(), Err: err}
}
