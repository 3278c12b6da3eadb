package crm

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"tiwiza/pkg/outbound"
)

// MaxBatch is how many are put in one call at most.
const MaxBatch = 100

// mostRefusals is how many calls may be refused while those are found because of
// whom a batch was: beyond, it is the system's setting that is wrong, and no
// contact's.
const mostRefusals = 20

// CRM is the portable type the market keeps a system up to date with: it checks
// what goes out, cuts it into batches, finds in a refused batch whom it was
// refused for, and makes each call in a lane of its own.
type CRM struct {
	id     string
	d      Driver
	abroad bool
	lane   *outbound.Lane
}

// Options tune a CRM; the zero value is the defaults.
type Options struct {
	Abroad  bool // it is kept in another country
	Lane    outbound.Settings
	Metrics *outbound.Metrics
}

// New makes one of a driver; id names it in figures and in what is kept.
func New(id string, d Driver, o Options) *CRM {
	lane := outbound.NewLane(id, outbound.Tell, o.Lane, o.Metrics)
	if p, ok := d.(Prober); ok {
		lane = lane.WithProbe(p.Probe)
	}
	return &CRM{id: id, d: d, abroad: o.Abroad, lane: lane}
}

// ID names it.
func (c *CRM) ID() string { return c.id }

// Driver names what speaks with it.
func (c *CRM) Driver() string { return c.d.Name() }

// Abroad says whether what it is told leaves the country.
func (c *CRM) Abroad() bool { return c.abroad }

// KeepsPoints says whether it keeps what people have in points.
func (c *CRM) KeepsPoints() bool { _, ok := c.d.(Pointer); return ok }

// KeepsWishes says whether it writes to people, and knows who does not want that.
func (c *CRM) KeepsWishes() bool { _, ok := c.d.(Subscriber); return ok }

// Lanes are the states of its lanes.
func (c *CRM) Lanes() []outbound.LaneState { return []outbound.LaneState{c.lane.State()} }

var (
	idShape    = regexp.MustCompile(`^[a-z]{2,4}_[0-9a-z]{1,40}$`)
	phoneShape = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)
	emailShape = regexp.MustCompile(`^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
)

// unfit is the code of what cannot be put at all.
const unfit = "unfit"

func (c Contact) fits() bool {
	if c.Withdrawn {
		return idShape.MatchString(c.ID)
	}
	return idShape.MatchString(c.ID) && line(c.Name, 200) && (c.Phone == "" || phoneShape.MatchString(c.Phone)) &&
		(c.Email == "" || IsEmail(c.Email)) && (c.Phone != "" || c.Email != "")
}

func (d Deal) fits() bool {
	return idShape.MatchString(d.ID) && line(d.Name, 200) && d.ContactID != "" && d.Amount.Sign() >= 0 && !d.At.IsZero() && d.Stage.known()
}

func (p Points) fits() bool {
	return idShape.MatchString(p.ID) && p.ContactID != "" && p.Points >= 0 && line(p.Tier, 60)
}

func (s Stage) known() bool {
	for _, k := range Stages {
		if k == s {
			return true
		}
	}
	return false
}

// IsEmail says whether an address is a plain one, of one person.
func IsEmail(s string) bool { return len(s) <= 200 && emailShape.MatchString(s) }

// line says whether a text is one line of at most n signs.
func line(s string, n int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= n && !strings.ContainsAny(s, "\r\n\x00")
}

// PutContacts puts people. What came of the whole says no more than that of those
// without a Put nothing is known.
func (c *CRM) PutContacts(ctx context.Context, all []Contact) ([]Put, outbound.Result) {
	return put(ctx, c, "crm.contacts", all, func(x Contact) string { return x.ID }, Contact.fits, c.d.PutContacts)
}

// PutDeals puts orders.
func (c *CRM) PutDeals(ctx context.Context, all []Deal) ([]Put, outbound.Result) {
	return put(ctx, c, "crm.deals", all, func(x Deal) string { return x.ID }, Deal.fits, c.d.PutDeals)
}

// PutPoints puts what people have in points.
func (c *CRM) PutPoints(ctx context.Context, all []Points) ([]Put, outbound.Result) {
	d, ok := c.d.(Pointer)
	if !ok {
		return nil, cannot("keep points")
	}
	return put(ctx, c, "crm.points", all, func(x Points) string { return x.ID }, Points.fits, d.PutPoints)
}

// Wish tells whether a person wants to be written to.
func (c *CRM) Wish(ctx context.Context, w Wish) outbound.Result {
	d, ok := c.d.(Subscriber)
	switch {
	case !ok:
		return cannot("keep who wants to be written to")
	case !IsEmail(w.Email) || !line(w.Why, 300):
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: "no e-mail can go to this address"}
	}
	return c.lane.Do(ctx, "crm.wish", func(ctx context.Context) outbound.Result { return d.Wish(ctx, w) })
}

// Refusing gives those of at most MaxBatch addresses that do not want to be
// written to.
func (c *CRM) Refusing(ctx context.Context, emails []string) (refusing []string, r outbound.Result) {
	d, ok := c.d.(Subscriber)
	switch {
	case !ok:
		return nil, cannot("keep who wants to be written to")
	case len(emails) == 0:
		return nil, outbound.Result{Outcome: outbound.Succeeded}
	case len(emails) > MaxBatch:
		return nil, outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: "more addresses than can be asked about at once"}
	}
	r = c.lane.Do(ctx, "crm.refusing", func(ctx context.Context) (r outbound.Result) {
		refusing, r = d.Refusing(ctx, emails)
		return r
	})
	return refusing, r
}

// Erase has a person forgotten.
func (c *CRM) Erase(ctx context.Context, e Erasure) (p Proof, r outbound.Result) {
	d, ok := c.d.(Eraser)
	switch {
	case !ok:
		return p, cannot("forget a person")
	case !idShape.MatchString(e.ID):
		return p, outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: "this is nobody of ours"}
	}
	r = c.lane.Do(ctx, "crm.erase", func(ctx context.Context) (r outbound.Result) {
		p, r = d.Erase(ctx, e)
		return r
	})
	return p, r
}

func cannot(what string) outbound.Result {
	err := errors.New("this system cannot " + what)
	return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: err.Error(), Err: err}
}

// put puts all in batches, as far as the system answers.
func put[T any](ctx context.Context, c *CRM, op string, all []T, id func(T) string, fits func(T) bool, call func(context.Context, []T) ([]Put, outbound.Result)) (done []Put, r outbound.Result) {
	b := &batches[T]{id: id, refusals: mostRefusals, call: func(part []T) (puts []Put, r outbound.Result) {
		r = c.lane.Do(ctx, op, func(ctx context.Context) (r outbound.Result) {
			puts, r = call(ctx, part)
			return r
		})
		return puts, r
	}}
	fit := make([]T, 0, len(all))
	seen := map[string]bool{}
	for _, x := range all {
		switch {
		case seen[id(x)]:
		case fits(x):
			fit = append(fit, x)
		default:
			b.done = append(b.done, Put{ID: id(x), Refused: unfit})
		}
		seen[id(x)] = true
	}
	r = outbound.Result{Outcome: outbound.Succeeded}
	for len(fit) > 0 && r.Outcome == outbound.Succeeded {
		n := min(MaxBatch, len(fit))
		r = b.put(fit[:n])
		fit = fit[n:]
	}
	return b.done, r
}

// batches puts parts of a whole, and keeps what became of each.
type batches[T any] struct {
	id       func(T) string
	call     func([]T) ([]Put, outbound.Result)
	refusals int
	done     []Put
}

// put puts a part. When it is refused because of some, each half is put by itself,
// until they stand alone; so is each that the system did not answer about.
func (b *batches[T]) put(part []T) outbound.Result {
	puts, r := b.call(part)
	b.done = append(b.done, puts...)
	told := map[string]bool{}
	for _, p := range puts {
		told[p.ID] = true
	}
	var rest []T
	for _, x := range part {
		if !told[b.id(x)] {
			rest = append(rest, x)
		}
	}
	switch {
	case r.Outcome != outbound.Declined && r.Outcome != outbound.Succeeded:
		return r
	case len(rest) == 0:
		return outbound.Result{Outcome: outbound.Succeeded}
	case len(part) == 1 && r.Outcome == outbound.Declined:
		b.done = append(b.done, Put{ID: b.id(part[0]), Refused: r.Code})
		return outbound.Result{Outcome: outbound.Succeeded}
	case len(part) == 1:
		return outbound.Result{Outcome: outbound.Unknown, Code: r.Code, Evidence: r.Evidence, Err: errors.New("the system did not say what became of one that it was given")}
	case b.refusals == 0:
		return outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Unlisted, Code: r.Code, Text: "the system refuses too many to be about them", Evidence: r.Evidence}
	}
	b.refusals--
	half := (len(rest) + 1) / 2
	if r := b.put(rest[:half]); r.Outcome != outbound.Succeeded || half == len(rest) {
		return r
	}
	return b.put(rest[half:])
}
