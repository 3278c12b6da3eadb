package insurance

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/webhook"
)

// Errors of a callback.
var (
	ErrForged     = fault.New(fault.Unauthenticated, "insurance.forged", "The signature does not fit, or is too old.")
	ErrUnreadable = fault.New(fault.Malformed, "insurance.unreadable", "The event cannot be read.")
)

// Insurer is the portable type the market insures with: it checks what goes out
// and what comes in, and makes each call in the lane of its class. What makes or
// ends an obligation is never repeated by it: a job asks what became of it, by our
// reference.
type Insurer struct {
	id         string
	d          Driver
	now        func() time.Time
	pay, query *outbound.Lane
}

// Options tune an insurer; the zero value is the defaults.
type Options struct {
	Pay, Query outbound.Settings
	Metrics    *outbound.Metrics
	// Now is the time by which a quote is over; nil is the machine's.
	Now func() time.Time
}

// probe is a reference that was never used: asking for it makes nothing.
const probe = "HUB-PROBE"

// New makes an insurer of a driver; id names it in figures and in the books.
func New(id string, d Driver, o Options) *Insurer {
	if o.Metrics == nil {
		o.Metrics = outbound.NewMetrics(nil)
	}
	if o.Now == nil {
		o.Now = webhook.Now
	}
	i := &Insurer{id: id, d: d, now: o.Now, query: outbound.NewLane(id, outbound.Query, o.Query, o.Metrics)}
	i.pay = outbound.NewLane(id, outbound.Pay, o.Pay, o.Metrics).WithProbe(func(ctx context.Context) outbound.Result {
		if p, ok := d.(Prober); ok {
			return p.Probe(ctx)
		}
		_, r := d.FindClaim(ctx, probe)
		return r
	})
	return i
}

// ID names the insurer.
func (i *Insurer) ID() string { return i.id }

// Driver names what speaks with it.
func (i *Insurer) Driver() string { return i.d.Name() }

// Lanes are the states of its lanes.
func (i *Insurer) Lanes() []outbound.LaneState {
	return []outbound.LaneState{i.pay.State(), i.query.State()}
}

// CanObserve says whether it pays by an index.
func (i *Insurer) CanObserve() bool { _, ok := i.d.(Observer); return ok }

// Products are what it offers now. One that is not as it must be makes the whole
// list Unknown: nobody is shown half an offer.
func (i *Insurer) Products(ctx context.Context) ([]Product, outbound.Result) {
	return carry(ctx, i.query, "insurance.products", i.d.Products, checkProducts)
}

// Quote asks for a price. Declined says that the insurer does not insure this.
func (i *Insurer) Quote(ctx context.Context, a Ask) (Quote, outbound.Result) {
	if err := a.check(); err != nil {
		return Quote{}, unfit(err)
	}
	return carry(ctx, i.query, "insurance.quote", func(ctx context.Context) (Quote, outbound.Result) { return i.d.Quote(ctx, a) },
		func(q *Quote) error { return q.check(a, i.now()) })
}

// Bind makes a policy of a quote: Succeeded when it is issued, Accepted while it is
// pending, Declined when it is refused, by its answer or by its state. What is
// Unknown is asked for by FindPolicy.
func (i *Insurer) Bind(ctx context.Context, b Binding) (Policy, outbound.Result) {
	if err := b.check(); err != nil {
		return Policy{}, unfit(err)
	}
	p, r := carry(ctx, i.pay, "insurance.bind", func(ctx context.Context) (Policy, outbound.Result) { return i.d.Bind(ctx, b) },
		func(p *Policy) error { return p.check(b.Ref) })
	return p, p.outcome(r)
}

// FindPolicy asks by our reference of the binding, with the outcomes of Bind, and
// NotFound: the insurer never bound it.
func (i *Insurer) FindPolicy(ctx context.Context, ref string) (Policy, outbound.Result) {
	if !refShape.MatchString(ref) {
		return Policy{}, unfit(fmt.Errorf("the reference %q is not one of ours", ref))
	}
	p, r := carry(ctx, i.query, "insurance.policy", func(ctx context.Context) (Policy, outbound.Result) { return i.d.FindPolicy(ctx, ref) },
		func(p *Policy) error { return p.check(ref) })
	return p, p.outcome(r)
}

// Cancel ends a policy. Succeeded only when the insurer says that it is cancelled,
// with what it gives back of the premium; Declined when it is kept.
func (i *Insurer) Cancel(ctx context.Context, c Cancellation) (Policy, outbound.Result) {
	switch {
	case !refShape.MatchString(c.Ref):
		return Policy{}, unfit(fmt.Errorf("the reference %q is not one of ours", c.Ref))
	case !nameShape.MatchString(c.Policy):
		return Policy{}, unfit(fmt.Errorf("the insurer's name %q of the policy cannot be right", c.Policy))
	case !line(c.Reason, 1, 300):
		return Policy{}, unfit(errors.New("a cancellation has a reason of one line"))
	}
	return carry(ctx, i.pay, "insurance.cancel", func(ctx context.Context) (Policy, outbound.Result) { return i.d.Cancel(ctx, c) },
		func(p *Policy) error {
			if p.ID != c.Policy || p.State != PolicyCancelled {
				return fmt.Errorf("the answer speaks of the policy %q as %q, want %q as cancelled", p.ID, p.State, c.Policy)
			}
			return p.check(p.Ref)
		})
}

// Paid tells that the premium of a later period was taken.
func (i *Insurer) Paid(ctx context.Context, p Payment) outbound.Result {
	switch {
	case !paymentShape.MatchString(p.Ref):
		return unfit(fmt.Errorf("the reference %q is not one of our books", p.Ref))
	case !nameShape.MatchString(p.Policy):
		return unfit(fmt.Errorf("the insurer's name %q of the policy cannot be right", p.Policy))
	case !periodShape.MatchString(p.Period):
		return unfit(fmt.Errorf("the period %q is no month", p.Period))
	case !above(p.Amount):
		return unfit(fmt.Errorf("the premium %s cannot be", p.Amount))
	}
	return i.pay.Do(ctx, "insurance.paid", func(ctx context.Context) outbound.Result { return i.d.Paid(ctx, p) })
}

// Notify claims under a policy: Succeeded when the claim is lodged, wherever it
// stands. What is Unknown is asked for by FindClaim.
func (i *Insurer) Notify(ctx context.Context, l Loss) (Claim, outbound.Result) {
	if err := l.check(); err != nil {
		return Claim{}, unfit(err)
	}
	return carry(ctx, i.pay, "insurance.notify", func(ctx context.Context) (Claim, outbound.Result) { return i.d.Notify(ctx, l) },
		func(c *Claim) error { return c.check(l.Ref, l.Policy) })
}

// FindClaim asks by our reference of the loss, or of the observation: Succeeded
// when there is a claim, wherever it stands; NotFound when there is none.
func (i *Insurer) FindClaim(ctx context.Context, ref string) (Claim, outbound.Result) {
	if !refShape.MatchString(ref) {
		return Claim{}, unfit(fmt.Errorf("the reference %q is not one of ours", ref))
	}
	return carry(ctx, i.query, "insurance.claim", func(ctx context.Context) (Claim, outbound.Result) { return i.d.FindClaim(ctx, ref) },
		func(c *Claim) error { return c.check(ref, c.Policy) })
}

// Observe tells one value of an index. The claim is what it made due; one without
// an ID says that nothing is.
func (i *Insurer) Observe(ctx context.Context, o Observation) (Claim, outbound.Result) {
	d, ok := i.d.(Observer)
	if !ok {
		return Claim{}, unfit(fmt.Errorf("the insurer %s pays by no index", i.id))
	}
	if err := o.check(); err != nil {
		return Claim{}, unfit(err)
	}
	return carry(ctx, i.pay, "insurance.observe", func(ctx context.Context) (Claim, outbound.Result) { return d.Observe(ctx, o) },
		func(c *Claim) error {
			if c.ID == "" && c.Ref == o.Ref {
				return nil
			}
			return c.check(o.Ref, o.Policy)
		})
}

// Statement is a month as the insurer has it: NotFound when it has none yet. One
// whose sums are not those of its rows is Unknown because it Differs, and comes
// all the same, for a person to look at.
func (i *Insurer) Statement(ctx context.Context, period string) (Statement, outbound.Result) {
	if !periodShape.MatchString(period) {
		return Statement{}, unfit(fmt.Errorf("the period %q is no month", period))
	}
	s, r := carry(ctx, i.query, "insurance.statement", func(ctx context.Context) (Statement, outbound.Result) { return i.d.Statement(ctx, period) },
		func(s *Statement) error { return s.check(period) })
	if r.Outcome != outbound.Succeeded {
		return s, r
	}
	if err := s.Check(); err != nil {
		r.Outcome, r.Reason, r.Text, r.Err = outbound.Unknown, outbound.Differs, "the statement's sums are not those of its rows", err
	}
	return s, r
}

// Heard reads a callback: ErrForged, ErrUnreadable. It proves no more than that
// there is a reason to ask.
func (i *Insurer) Heard(header map[string][]string, body []byte) (Event, error) {
	d, ok := i.d.(Listener)
	if !ok {
		return Event{}, ErrForged.With(fmt.Errorf("the insurer %s sends no events", i.id))
	}
	return d.Heard(header, body)
}

// carry makes a call in a lane. What the driver was told is checked inside, so that
// a partner that answers about something else is one that does not answer; a sum
// that is not ours is a person's work.
func carry[T any](ctx context.Context, l *outbound.Lane, op string, call func(context.Context) (T, outbound.Result), fits func(*T) error) (out T, r outbound.Result) {
	r = l.Do(ctx, op, func(ctx context.Context) outbound.Result {
		told, r := call(ctx)
		if r.Outcome != outbound.Succeeded && r.Outcome != outbound.Accepted {
			return r
		}
		if err := fits(&told); err != nil {
			why := outbound.Reason("")
			if errors.Is(err, errSum) {
				why = outbound.Differs
			}
			return outbound.Result{Outcome: outbound.Unknown, Reason: why, Text: err.Error(), Evidence: r.Evidence, Err: fmt.Errorf("%s: %w", op, err)}
		}
		out = told
		return r
	})
	return out, r
}

func unfit(err error) outbound.Result {
	return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: err.Error(), Err: err}
}

// outcome is what a policy's state makes of a call that was answered.
func (p Policy) outcome(r outbound.Result) outbound.Result {
	if r.Outcome != outbound.Succeeded && r.Outcome != outbound.Accepted {
		return r
	}
	r.PartnerID = p.ID
	switch p.State {
	case PolicyPending:
		r.Outcome = outbound.Accepted
	case PolicyRefused:
		r.Outcome, r.Code, r.Text = outbound.Declined, "refused", p.Reason
	default:
		r.Outcome = outbound.Succeeded
	}
	return r
}

var (
	refShape     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,34}$`)
	paymentShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}$`)
	nameShape    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$`)
	periodShape  = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])$`)
	valueShape   = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$`)
	hashShape    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	wordShape    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	langShape    = regexp.MustCompile(`^[a-z]{2,3}$`)
)

// dirhams gives nothing its currency, and says whether an amount can be one of
// ours: dirhams, and not below nothing.
func dirhams(m *money.Money) bool {
	if m.IsZero() && m.Currency() == "" {
		*m = money.Dirhams(0)
	}
	return m.Currency() == money.MAD && m.Sign() >= 0
}

func above(m money.Money) bool { return m.Currency() == money.MAD && m.Sign() > 0 }
