package card

import (
	"context"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"

	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// Acquirer is the portable type the hub takes cards with: it checks what goes
// out, and carries each call in a lane of its class.
type Acquirer struct {
	id         string
	d          Driver
	pay, query *outbound.Lane
}

// Options tune an acquirer; the zero value is the defaults.
type Options struct {
	Pay, Query outbound.Settings
	Metrics    *outbound.Metrics
}

// probeRef is a reference that no payment has: the question that tries an
// acquirer again must not be about anybody's money.
const probeRef = "HUB-PROBE"

// New makes an acquirer of a driver; id names it in figures and in the books.
func New(id string, d Driver, o Options) *Acquirer {
	if o.Metrics == nil {
		o.Metrics = outbound.NewMetrics(nil)
	}
	a := &Acquirer{id: id, d: d, query: outbound.NewLane(id, outbound.Query, o.Query, o.Metrics)}
	a.pay = outbound.NewLane(id, outbound.Pay, o.Pay, o.Metrics).WithProbe(func(ctx context.Context) outbound.Result {
		ctx, cancel := context.WithTimeout(ctx, a.query.Settings().Deadline)
		defer cancel()
		return d.Query(ctx, probeRef).Result
	})
	return a
}

// ID names the acquirer.
func (a *Acquirer) ID() string { return a.id }

// Merchant is the name the acquirer knows the hub by.
func (a *Acquirer) Merchant() string { return a.d.Merchant() }

// Lanes are the states of the acquirer's lanes.
func (a *Acquirer) Lanes() []outbound.LaneState {
	return []outbound.LaneState{a.pay.State(), a.query.State()}
}

// Ready says whether a buyer may be sent to the acquirer: people have not stopped
// it, and it answers as far as is known.
func (a *Acquirer) Ready() bool { return a.pay.Ready() && a.query.Ready() }

// Held says whether people have stopped it.
func (a *Acquirer) Held() bool { return a.pay.State().Held }

var (
	refShape   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,34}$`)
	nonceShape = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)
	phoneShape = regexp.MustCompile(`^\+?[0-9]{6,15}$`)
)

// Form makes what the buyer's browser posts to the acquirer's page. It sends
// nothing; a payment that the acquirer could not take is ErrInvalid.
func (a *Acquirer) Form(p Payment) (Form, error) {
	if err := check(p); err != nil {
		return Form{}, err
	}
	return a.d.Form(p)
}

func check(p Payment) error {
	bad := ErrInvalid
	wrong := func(field, why string) { bad = bad.At("/"+field, why) }
	if !refShape.MatchString(p.Ref) {
		wrong("ref", "Use 1 to 35 letters, digits, - and _, beginning with a letter or a digit.")
	}
	if p.Amount.Currency() != money.MAD || p.Amount.Sign() <= 0 {
		wrong("amount", "Ask for more than nothing, in MAD.")
	}
	if p.ExpiresAt.IsZero() {
		wrong("expires_at", "Say until when it may be paid.")
	}
	if !nonceShape.MatchString(p.Nonce) {
		wrong("nonce", "Use 8 to 64 letters, digits, - and _.")
	}
	if p.Buyer.Name == "" || len(p.Buyer.Name) > 200 {
		wrong("buyer/name", "Give a name of at most 200 bytes.")
	}
	if m, err := mail.ParseAddress(p.Buyer.Email); err != nil || m.Address != p.Buyer.Email || len(p.Buyer.Email) > 64 {
		wrong("buyer/email", "Give a bare e-mail address of at most 64 letters.")
	}
	if p.Buyer.Phone != "" && !phoneShape.MatchString(p.Buyer.Phone) {
		wrong("buyer/phone", "Give 6 to 15 digits, with + in front of a country code.")
	}
	if !slices.Contains([]string{"fr", "ar", "en", "zgh"}, p.Lang) {
		wrong("lang", "Use fr, ar, en or zgh.")
	}
	for name, u := range map[string]string{"ok_url": p.OKURL, "fail_url": p.FailURL, "callback_url": p.CallbackURL, "shop_url": p.ShopURL} {
		if v, err := url.Parse(u); err != nil || v.Host == "" || v.Scheme != "https" && v.Scheme != "http" || len(u) > 255 {
			wrong(name, "Give a whole http(s) address of at most 255 bytes.")
		}
	}
	if len(bad.Details) > 0 {
		return bad
	}
	return nil
}

// Notice reads a callback and proves who signed it: ErrForged, ErrUnreadable;
// ErrNoNotices for an acquirer that sends none. The caller still compares merchant,
// amount and reference with its own row.
func (a *Acquirer) Notice(body []byte) (Notice, error) {
	d, ok := a.d.(Noticer)
	if !ok {
		return Notice{}, ErrNoNotices
	}
	return d.Notice(body)
}

// Told is the payment that an event is about, whose signer was looked at before:
// ErrUnreadable; ErrNoNotices for an acquirer that sends none.
func (a *Acquirer) Told(event []byte) (ref string, err error) {
	d, ok := a.d.(Teller)
	if !ok {
		return "", ErrNoNotices
	}
	return d.Told(event)
}

// Case reads what the acquirer says of a chargeback and proves who signed it:
// ErrForged, ErrUnreadable; ErrNoCases for one that does not tell. The caller
// still compares merchant and reference with its own row.
func (a *Acquirer) Case(body []byte) (Case, error) {
	d, ok := a.d.(Disputer)
	if !ok {
		return Case{}, ErrNoCases
	}
	return d.Case(body)
}

// Reply is the plain text that answers a callback; "" of an acquirer that sends none.
func (a *Acquirer) Reply(v Verdict) string {
	if d, ok := a.d.(Noticer); ok {
		return d.Reply(v)
	}
	return ""
}

// Query asks where a payment stands.
func (a *Acquirer) Query(ctx context.Context, ref string) Status {
	if !refShape.MatchString(ref) {
		return Status{Result: unfit("the reference %q is not one of ours", ref), State: None}
	}
	s := Status{State: None}
	r := a.query.Do(ctx, "card.query", func(ctx context.Context) outbound.Result {
		s = a.d.Query(ctx, ref)
		return s.Result
	})
	s.Result = r
	return s
}

// Capture takes authorised money, whole or in part.
func (a *Acquirer) Capture(ctx context.Context, o Order) outbound.Result {
	d, ok := a.d.(Capturer)
	if r := a.fits(ok, o); r != nil {
		return *r
	}
	return a.pay.Do(ctx, "card.capture", func(ctx context.Context) outbound.Result { return d.Capture(ctx, o) })
}

// Void lets go of money that is not settled.
func (a *Acquirer) Void(ctx context.Context, o Order) outbound.Result {
	d, ok := a.d.(Voider)
	if r := a.fits(ok, o); r != nil {
		return *r
	}
	return a.pay.Do(ctx, "card.void", func(ctx context.Context) outbound.Result { return d.Void(ctx, o) })
}

// Refund gives back settled money, whole or in part.
func (a *Acquirer) Refund(ctx context.Context, o Order) outbound.Result {
	d, ok := a.d.(Refunder)
	if r := a.fits(ok, o); r != nil {
		return *r
	}
	return a.pay.Do(ctx, "card.refund", func(ctx context.Context) outbound.Result { return d.Refund(ctx, o) })
}

// fits says why a call cannot be made at all, or nil.
func (a *Acquirer) fits(able bool, o Order) *outbound.Result {
	var r outbound.Result
	switch {
	case !able:
		r = unfit("the acquirer %s cannot do that", a.id)
	case !refShape.MatchString(o.Ref) || !refShape.MatchString(o.Of):
		r = unfit("the reference %q of %q is not one of ours", o.Ref, o.Of)
	case o.Amount.Currency() != money.MAD || o.Amount.Sign() <= 0:
		r = unfit("the amount %s cannot be moved", o.Amount)
	default:
		return nil
	}
	return &r
}

func unfit(format string, args ...any) outbound.Result {
	err := fmt.Errorf(format, args...)
	return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: err.Error(), Err: err}
}
