package catalog

import (
	"context"
	"slices"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Errors of requests to change what an offer claims.
var (
	ErrNoChange    = fault.New(fault.NotFound, "catalog.no_change", "There is no such request.")
	ErrChangeState = fault.New(fault.Conflict, "catalog.change_decided", "This request was decided already, or taken back.")
)

// A Change is what a seller asks to say of an offer: its claims, and where it
// comes from. What is nil stays as it is. Buyers read it once a moderator has
// approved it.
type Change struct {
	ID        string      `json:"id"`
	Offer     string      `json:"offer"`
	Seller    string      `json:"seller"`
	Claims    []string    `json:"claims"`
	Origin    *Origin     `json:"origin"`
	State     ChangeState `json:"state"`
	Reason    string      `json:"reason"`
	AskedAt   time.Time   `json:"asked_at"`
	DecidedAt *time.Time  `json:"decided_at"`
	DecidedBy string      `json:"decided_by"`
}

// An Origin is where goods come from.
type Origin struct {
	Region  string   `json:"region"`
	Commune string   `json:"commune"`
	Lat     *float64 `json:"lat"`
	Lng     *float64 `json:"lng"`
}

// A ChangeState is where a request stands.
type ChangeState string

// The states of requests.
const (
	Open      ChangeState = "open"
	Approved  ChangeState = "approved"
	Rejected  ChangeState = "rejected"
	TakenBack ChangeState = "withdrawn"
)

// Decide brings an open request to its end.
func (c Change) Decide(to ChangeState, who, reason string, at time.Time) (Change, error) {
	if c.State != Open {
		return c, ErrChangeState
	}
	c.State, c.Reason, c.DecidedAt, c.DecidedBy = to, reason, &at, who
	return c, nil
}

func (o Offer) origin() Origin { return Origin{o.Region, o.Commune, o.Lat, o.Lng} }

func (o Origin) equal(p Origin) bool {
	point := func(a, b *float64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
	return o.Region == p.Region && o.Commune == p.Commune && point(o.Lat, p.Lat) && point(o.Lng, p.Lng)
}

// asks says that two requests ask for the same.
func (c Change) asks(d Change) bool {
	origin := c.Origin == nil && d.Origin == nil || c.Origin != nil && d.Origin != nil && c.Origin.equal(*d.Origin)
	return origin && (c.Claims == nil) == (d.Claims == nil) && slices.Equal(c.Claims, d.Claims)
}

// review keeps what must be looked at out of the offer and gives it as a request,
// which may be empty. More claims are looked at always, fewer never; where goods
// come from, once buyers have seen it.
func (o Offer) review(was Offer, at time.Time) (Offer, Change) {
	c := Change{ID: id.New(id.Change), Offer: o.ID, Seller: o.Seller, State: Open, AskedAt: at}
	wanted := slices.Sorted(slices.Values(o.Claims))
	o.Claims = slices.DeleteFunc(slices.Clone(wanted), func(claim string) bool { return !slices.Contains(was.Claims, claim) })
	if len(o.Claims) < len(wanted) {
		c.Claims = wanted
	}
	if now := o.origin(); was.PublishedAt != nil && !now.equal(was.origin()) {
		c.Origin = &now
		o.Region, o.Commune, o.Lat, o.Lng = was.Region, was.Commune, was.Lat, was.Lng
	}
	return o, c
}

// empty says that it asks for nothing.
func (c Change) empty() bool { return c.Claims == nil && c.Origin == nil }

// A saying is which parts of an offer somebody spoke of.
type saying struct{ claims, origin, imported bool }

// after is what is new in a request when the last one is known; false when
// nothing is. What was not spoken of stays asked for; an empty request takes an
// open one back. A file that is imported every night does not ask again for what
// was rejected.
func (c Change) after(last *Change, said saying) (Change, bool) {
	if last != nil && last.State == Open {
		if !said.claims {
			c.Claims = last.Claims
		}
		if !said.origin {
			c.Origin = last.Origin
		}
		return c, !c.asks(*last)
	}
	again := last != nil && last.State == Rejected && said.imported && c.asks(*last)
	return c, !c.empty() && !again
}

// approved is the offer with what was approved.
func (o Offer) approved(c Change) Offer {
	if c.Claims != nil {
		o.Claims = c.Claims
	}
	if c.Origin != nil {
		o.Region, o.Commune, o.Lat, o.Lng = c.Origin.Region, c.Origin.Commune, c.Origin.Lat, c.Origin.Lng
	}
	o.Version++
	return o
}

// ListChanges lists a seller's requests to it, and all to the operator, the
// oldest first.
func (s *Service) ListChanges(ctx context.Context, in ChangesInput) (p rest.Page[ChangeView], err error) {
	seller, err := mine(ctx, in.Seller)
	if err != nil {
		return p, err
	}
	after, err := in.After(id.Change)
	if err != nil {
		return p, err
	}
	rows, err := changesPage(ctx, s.db, seller, in.State, after, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Change.view, func(v ChangeView) any { return v.ID }), nil
}

// ApproveChange has buyers read what was asked for.
func (s *Service) ApproveChange(ctx context.Context, in ChangeID) (ChangeView, error) {
	return s.decideChange(ctx, in.Change, Approved, "")
}

// RejectChange leaves the offer as it is.
func (s *Service) RejectChange(ctx context.Context, in ChangeReasonInput) (ChangeView, error) {
	return s.decideChange(ctx, in.Change, Rejected, in.Reason)
}

// WithdrawChange has a seller take its request back.
func (s *Service) WithdrawChange(ctx context.Context, in ChangeID) (ChangeView, error) {
	return s.decideChange(ctx, in.Change, TakenBack, "")
}

func (s *Service) decideChange(ctx context.Context, change string, to ChangeState, reason string) (v ChangeView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		c, err := findChange(ctx, tx, change)
		if err != nil {
			return err
		}
		if _, err := owner(ctx, c.Seller, ""); err != nil {
			return ErrNoChange
		}
		lockVariants(tx, c.Offer)
		o, err := lock(ctx, tx, c.Offer)
		if err != nil {
			return err
		}
		if c, err = findChange(ctx, tx, change); err != nil { // again, under the offer's lock
			return err
		}
		if c, err = c.Decide(to, auth.From(ctx).Subject, tidy(reason), tx.Now()); err != nil {
			return err
		}
		saveDecision(tx, c)
		if to == Approved {
			o = o.approved(c)
			save(tx, []Offer{o}, nil)
			if _, err := s.reindex(ctx, tx, o.ID); err != nil {
				return err
			}
		}
		v = c.view()
		audit.Record(tx, "changes."+string(to), c.ID, authz.Policy(ctx), map[string]string{"offer": c.Offer, "reason": c.Reason})
		if err := tx.Publish(ctx, ChangeDecided{c.ID, c.Offer, c.Seller, c.State, c.Reason}); err != nil || to != Approved {
			return err
		}
		return tx.Publish(ctx, o.news("updated"))
	})
	return v, err
}
