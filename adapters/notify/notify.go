package notify

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"tiwiza/pkg/outbound"
)

// Carrier is the portable type the hub tells people things with: it checks what
// goes out, and carries each message in a lane of its own.
type Carrier struct {
	id   string
	d    Driver
	lane *outbound.Lane
}

// Options tune a carrier; the zero value is the defaults.
type Options struct {
	Lane    outbound.Settings
	Metrics *outbound.Metrics
}

// New makes a carrier of a driver; id names it in figures and on callbacks.
func New(id string, d Driver, o Options) *Carrier {
	if o.Metrics == nil {
		o.Metrics = outbound.NewMetrics(nil)
	}
	lane := outbound.NewLane(id, outbound.Tell, o.Lane, o.Metrics)
	if p, ok := d.(Prober); ok {
		lane = lane.WithProbe(p.Probe)
	}
	return &Carrier{id: id, d: d, lane: lane}
}

// ID names the carrier.
func (c *Carrier) ID() string { return c.id }

// Driver names what speaks with its gateway.
func (c *Carrier) Driver() string { return c.d.Name() }

// Channel is the way its messages go.
func (c *Carrier) Channel() Channel { return c.d.Channel() }

// Lanes are the states of the carrier's lanes.
func (c *Carrier) Lanes() []outbound.LaneState { return []outbound.LaneState{c.lane.State()} }

var (
	refShape   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
	phoneShape = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)
	emailShape = regexp.MustCompile(`^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
)

// IsPhone says whether a number is in international form.
func IsPhone(s string) bool { return phoneShape.MatchString(s) }

// IsEmail says whether an address is a plain one, of one person.
func IsEmail(s string) bool { return len(s) <= 200 && emailShape.MatchString(s) }

// Reaches says whether a message of a channel can go to an address at all.
func (c Channel) Reaches(to string) bool {
	if c == Email {
		return IsEmail(to)
	}
	return IsPhone(to)
}

// maxText bounds a text; an SMS has its own.
const maxText = 4000

// Send sends a message once.
func (c *Carrier) Send(ctx context.Context, m Message) outbound.Result {
	if err := c.fits(m); err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: err.Error(), Err: err}
	}
	return c.lane.Do(ctx, "notify.send", func(ctx context.Context) outbound.Result { return c.d.Send(ctx, m) })
}

// fits says why a message cannot be sent at all, or nil.
func (c *Carrier) fits(m Message) error {
	switch _, parts := Count(m.Text); {
	case !refShape.MatchString(m.Ref):
		return fmt.Errorf("the reference %q is not one of ours", m.Ref)
	case !c.Channel().Reaches(m.To):
		return fmt.Errorf("no %s can go to this address", c.Channel())
	case strings.TrimSpace(m.Text) == "" || !utf8.ValidString(m.Text) || len(m.Text) > maxText || strings.ContainsRune(m.Text, 0):
		return fmt.Errorf("the text is none, or too long")
	case c.Channel() == SMS && parts > maxParts:
		return fmt.Errorf("the text needs %d messages, more than %d", parts, maxParts)
	case strings.ContainsAny(m.Subject, "\r\n\x00") || len(m.Subject) > 200:
		return fmt.Errorf("the subject is not one line")
	}
	return nil
}

// Ask asks what became of a message whose sending is in doubt; a gateway that cannot
// be asked leaves it so.
func (c *Carrier) Ask(ctx context.Context, ref string) (n Report, r outbound.Result) {
	a, ok := c.d.(Asker)
	switch {
	case !ok:
		return n, outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Unfit, Text: "this gateway cannot be asked"}
	case !refShape.MatchString(ref):
		return n, outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: "the reference is not one of ours"}
	}
	r = c.lane.Do(ctx, "notify.ask", func(ctx context.Context) (r outbound.Result) {
		n, r = a.Ask(ctx, ref)
		return r
	})
	return n, r
}

// Reports reads what a gateway says of messages: ErrForged, ErrUnreadable.
func (c *Carrier) Reports(b Callback) ([]Report, error) {
	r, ok := c.d.(Reporter)
	if !ok {
		return nil, ErrForged
	}
	return r.Reports(b)
}

// Greet answers a gateway that asks whether the address for reports is ours.
func (c *Carrier) Greet(mode, token, challenge string) (string, error) {
	g, ok := c.d.(Greeter)
	if !ok {
		return "", ErrForged
	}
	return g.Greet(mode, token, challenge)
}
