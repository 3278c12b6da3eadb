package members

import (
	"context"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Errors of applications.
var (
	ErrDrafts   = fault.New(fault.Conflict, "applications.open", "You have three applications under way; finish or withdraw one of them first.")
	ErrApplied  = fault.New(fault.Limited, "applications.tries", "You began several applications today; go on with one of them, or come back tomorrow.")
	ErrTaken    = fault.New(fault.Conflict, "organisations.ice_taken", "A member of the market has this ICE already; if it is yours, ask that member or the operator.")
	ErrOurs     = fault.New(fault.Denied, "applications.operator", "Whoever works for the operator decides on applications, and makes none.")
	ErrAdmitted = fault.New(fault.Conflict, "applications.closed", "The application is with the market's people, or was decided; it is changed as long as it is a draft or was sent back.")
)

// mostApplied is how many applications somebody begins in a day.
const mostApplied = 6

// Apply writes down an organisation as a draft on the word of a person who signed
// in, who becomes its first manager. It has three under way at most, and reserves
// nothing: an ICE belongs to whoever is admitted with it.
func (s *Service) Apply(ctx context.Context, tx *pg.Tx, in Application) (v View, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	p, err := lockPerson(ctx, tx, who.Human)
	if err != nil {
		return v, err
	}
	sides, err := sidesOf(ctx, tx, p.ID)
	if err == nil && sides.Operator {
		err = ErrOurs
	}
	if err != nil {
		return v, err
	}
	o, err := in.enrolment(in.Kind).draft(tx.Now())
	if err != nil {
		return v, err
	}
	if err := free(ctx, tx, o); err != nil {
		return v, err
	}
	slot, err := freeSlot(ctx, tx, p.ID)
	if err == nil && slot == 0 {
		err = ErrDrafts
	}
	if err != nil {
		return v, err
	}
	if n, err := appliedSince(ctx, tx, p.ID, tx.Now().Add(-day)); err != nil || n >= mostApplied {
		return v, orElse(err, ErrApplied)
	}
	insert(tx, o)
	insertApplication(tx, o.ID, p.ID, slot)
	insertMembership(tx, membership{ID: id.New(id.Membership), Person: p.ID, Organisation: o.ID, Role: "manager"})
	audit.Record(tx, "organisations.apply", o.ID, authz.Policy(ctx), map[string]any{"kind": o.Kind, "person": p.ID})
	if err := tx.Flush(ctx); err != nil {
		return v, err
	}
	return view(o), tx.Publish(ctx, Joined{Organisation: o.ID, Person: p.ID, Role: "manager"})
}

// Amend changes what an organisation says of itself, for itself, before anybody has
// decided on it: while it is a draft, or was sent back.
func (s *Service) Amend(ctx context.Context, in Amendment) (v View, err error) {
	policy, err := s.may(ctx, "organisations.amend", in.Org)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		o, err := lock(ctx, tx, in.Org)
		if err == nil && o.State != Draft && o.State != ChangesRequested {
			err = ErrAdmitted
		}
		if err != nil {
			return err
		}
		next, err := in.enrolment(o.Kind).draft(tx.Now())
		if err != nil {
			return err
		}
		next.ID = o.ID
		if err := free(ctx, tx, next); err != nil {
			return err
		}
		moved := o.Commune != next.Commune || o.Region != next.Region
		o.Names, o.Legal, o.Region, o.Commune = next.Names, next.Legal, next.Region, next.Commune
		if moved {
			o.Lat, o.Lng = next.Lat, next.Lng
		}
		o.Version++
		rewrite(tx, o)
		audit.Record(tx, "organisations.amend", o.ID, policy, map[string]any{"version": o.Version})
		v = view(o)
		return nil
	})
	return v, err
}

// Withdraw ends an application before it was admitted, on the word of a person who
// speaks for it, as itself. To others it is as if it did not exist.
func (s *Service) Withdraw(ctx context.Context, tx *pg.Tx, in One) (v View, err error) {
	who, err := me(ctx)
	if err != nil {
		return v, err
	}
	o, err := lock(ctx, tx, in.Org)
	if err != nil {
		return v, err
	}
	speaks, err := speaksFor(ctx, tx, who.Human, o.ID)
	switch {
	case err != nil:
		return v, err
	case !speaks:
		return v, ErrNotFound
	case o.State != Draft && o.State != ChangesRequested:
		return v, ErrAdmitted
	}
	o, err = s.step(ctx, tx, o, Terminate, "", "organisations.withdraw", authz.Policy(ctx))
	return view(o), err
}

// free says that no member has the organisation's ICE.
func free(ctx context.Context, tx *pg.Tx, o Organisation) error {
	if o.Legal.ICE == "" {
		return nil
	}
	n, err := bearers(ctx, tx, o.Legal.ICE, o.ID)
	if err == nil && n > 0 {
		err = ErrTaken.At("/legal/ice", "A member has this ICE already.")
	}
	return err
}

// enrolment is what the application says, as the operator would write it down.
func (a Said) enrolment(k Kind) Enrolment {
	if a.Region == "" {
		if p, ok := geo.Find(a.Commune); ok {
			a.Region = p.Region
		}
	}
	return Enrolment{Kind: k, Names: a.Names, Legal: a.Legal, Region: a.Region, Commune: a.Commune}
}
