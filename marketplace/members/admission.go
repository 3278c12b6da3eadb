package members

import (
	"context"
	"slices"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/pg"
)

// Gate decides what a move of an organisation asks for: its papers, its visits,
// that nothing is owed. Its error undoes the move.
type Gate interface {
	Passes(ctx context.Context, tx *pg.Tx, o Organisation, m Move) error
}

// GuardedBy has every move pass some gates, one after the other. It is called at
// start.
func (s *Service) GuardedBy(gates ...Gate) { s.gates = gates }

// Of is an organisation.
func (s *Service) Of(ctx context.Context, db pg.DB, org string) (Organisation, error) {
	return load(ctx, db, org)
}

// Locked is an organisation that nobody else moves until the caller's unit of work
// has ended.
func (s *Service) Locked(ctx context.Context, tx *pg.Tx, org string) (Organisation, error) {
	return lock(ctx, tx, org)
}

// The reasons for which an organisation may sell nothing new.
const (
	LacksPapers  = "papers"
	LacksCharter = "charter" // the day by which it was to sign has passed
)

// Restrict has an organisation that is locked sell nothing new, for one more
// reason. What is so already changes nothing.
func (s *Service) Restrict(ctx context.Context, tx *pg.Tx, o Organisation, why string) (Organisation, error) {
	if slices.Contains(o.Restricted, why) {
		return o, nil
	}
	o.Restricted = append(slices.Clone(o.Restricted), why)
	o.Version++
	save(tx, o)
	audit.Record(tx, "organisations.restrict", o.ID, "", map[string]any{"why": why, "reasons": o.Restricted})
	return o, tx.Publish(ctx, Restricted{Organisation: o.ID, Why: why, Reasons: o.Restricted})
}

// Lift takes one reason from an organisation that is locked: it sells again once
// none is left. One that it has not changes nothing.
func (s *Service) Lift(ctx context.Context, tx *pg.Tx, o Organisation, why string) (Organisation, error) {
	if !slices.Contains(o.Restricted, why) {
		return o, nil
	}
	o.Restricted = slices.DeleteFunc(slices.Clone(o.Restricted), func(r string) bool { return r == why })
	o.Version++
	save(tx, o)
	audit.Record(tx, "organisations.lift", o.ID, "", map[string]any{"why": why, "reasons": o.Restricted})
	e := Restricted{Organisation: o.ID, Reasons: o.Restricted, Lifted: why}
	if len(o.Restricted) > 0 {
		e.Why = o.Restricted[0]
	}
	return o, tx.Publish(ctx, e)
}

// Bind has an organisation that is locked be bound by the version of the charter
// that it signs, from when that begins to hold; until then it is bound as before.
func (s *Service) Bind(tx *pg.Tx, o Organisation, version int, from time.Time) Organisation {
	if o.Charter < version {
		o = o.bound(version, from, tx.Now())
		o.Version++
		save(tx, o)
	}
	return o
}

// bound is the organisation once it has signed a version that holds from a moment on.
func (o Organisation) bound(version int, from, at time.Time) Organisation {
	before := o.Charter
	if o.CharterFrom != nil && at.Before(*o.CharterFrom) {
		before = o.CharterBefore
	}
	o.Charter, o.CharterBefore, o.CharterFrom = version, 0, nil
	if at.Before(from) {
		o.CharterBefore, o.CharterFrom = before, &from
	}
	return o
}

// Waiters says whose applications are asked for: of a region ("": of all), behind
// one in the queue.
type Waiters struct {
	Region string
	Behind Place
	Limit  int
}

// A Place is where an organisation stands in the queue.
type Place struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

// Queue lists who asks for admission, who waits longest first.
func (s *Service) Queue(ctx context.Context, db pg.DB, in Waiters) ([]Organisation, error) {
	return queue(ctx, db, in)
}

// A Named is an organisation as others name it, and whether it is at work.
type Named struct {
	Names  Texts
	Active bool
}

// Naming reads how an organisation is named as a part of a caller's round trip;
// one that does not exist leaves out alone.
func (s *Service) Naming(org string, out *Named) pg.Read {
	return faces([]string{org}, func(all []face) {
		for _, f := range all {
			*out = Named{f.Names, f.State == Active}
		}
	})
}

// Unsigned says who is asked for: members at work who are bound by a version of the
// charter before this one, of a region ("": of all), behind one in the list.
type Unsigned struct {
	Version int
	Region  string
	Behind  Bound
	Limit   int
}

// A Bound is where a member stands in that list.
type Bound struct {
	Charter int    `json:"charter"`
	ID      string `json:"id"`
}

// Unbound lists them, who has signed nothing first.
func (s *Service) Unbound(ctx context.Context, db pg.DB, in Unsigned) ([]Organisation, error) {
	return unbound(ctx, db, in)
}

// UnboundAfter are their ids, in order, behind one of them; those that are suspended only
// where that is asked for.
func (s *Service) UnboundAfter(ctx context.Context, db pg.DB, version int, org string, suspended bool, limit int) ([]string, error) {
	return unboundAfter(ctx, db, version, org, suspended, limit)
}

// AtWork lists members that are active, in the order of their ids, behind one of them.
func (s *Service) AtWork(ctx context.Context, db pg.DB, after string, limit int) ([]Organisation, error) {
	return atWork(ctx, db, after, limit)
}

// AllAtWork are those of some organisations that are active.
func (s *Service) AllAtWork(ctx context.Context, db pg.DB, orgs []string) ([]string, error) {
	return activeOf(ctx, db, orgs)
}
