package members

import (
	"context"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/pg"
)

// Gate decides what a move of an organisation asks for: its papers, its visits,
// that nothing is owed. Its error undoes the move.
type Gate interface {
	Passes(ctx context.Context, tx *pg.Tx, o Organisation, m Move) error
}

// GuardedBy has every move pass a gate. It is called at start.
func (s *Service) GuardedBy(g Gate) { s.gate = g }

// Of is an organisation.
func (s *Service) Of(ctx context.Context, db pg.DB, org string) (Organisation, error) {
	return load(ctx, db, org)
}

// Locked is an organisation that nobody else moves until the caller's unit of work
// has ended.
func (s *Service) Locked(ctx context.Context, tx *pg.Tx, org string) (Organisation, error) {
	return lock(ctx, tx, org)
}

// Restrict has an organisation that is locked sell nothing new, or with no reason
// lets it again. What is so already changes nothing.
func (s *Service) Restrict(ctx context.Context, tx *pg.Tx, o Organisation, why string) error {
	if o.Restricted == why {
		return nil
	}
	o.Restricted = why
	o.Version++
	save(tx, o)
	audit.Record(tx, "organisations.restrict", o.ID, "", map[string]string{"why": why})
	return tx.Publish(ctx, Restricted{o.ID, why})
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
