package relations

import (
	"context"
	"errors"
	"slices"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/marketplace/loyalty"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/pg"
)

// A Profile is what there is to know of a person; Phone and Email may be "".
type Profile struct{ ID, Name, Phone, Email, Lang string }

// People says who some persons are; who is not known is left out.
type People interface {
	Profiles(ctx context.Context, db pg.DB, persons []string) ([]Profile, error)
}

// Orders says what some orders are.
type Orders interface {
	Briefs(ctx context.Context, db pg.DB, ids []string) ([]orders.Brief, error)
}

// Loyalty says what some persons have in points.
type Loyalty interface {
	Balances(ctx context.Context, db pg.DB, persons []string, at time.Time) ([]loyalty.Balance, error)
}

// Needs are the others that relations works with.
type Needs struct {
	People  People
	Orders  Orders
	Loyalty Loyalty
	CRMs    []*crm.CRM // built in
	Plugged Plugged    // those that are plugged in while the hub runs; nil: none
	// Transfer is, by the system's name, the authorisation by which data may leave
	// the country for it, as it stands when the system is first met; an operator
	// may change it.
	Transfer map[string]string
	// LookEvery is how often a system is asked who refuses there; a quarter of an
	// hour when it is zero.
	LookEvery time.Duration
}

// A System is one outside that is kept up to date, and what it keeps.
type System struct {
	ID, Driver             string
	Points, Wishes, Abroad bool
}

// Plugged are systems that are plugged in while the hub runs. Systems lists those that
// were ever live, and needs none of their secrets. Open is one, ready to be called, and
// why nothing may be said to it now, or "": ErrPartner.
type Plugged interface {
	Systems(ctx context.Context, db pg.DB) ([]System, error)
	Open(ctx context.Context, db pg.DB, name string) (c *crm.CRM, barred string, err error)
	// Any says whether there may be one. It asks nobody.
	Any() bool
}

// Service is what others may ask of relations.
type Service struct {
	db *pg.Store
	Needs
}

// New makes the service.
func New(db *pg.Store, n Needs) *Service {
	s := &Service{db: db, Needs: n}
	if s.LookEvery == 0 {
		s.LookEvery = 15 * time.Minute
	}
	return s
}

// any says whether there may be a system to keep up to date. It asks nobody.
func (s *Service) any() bool { return len(s.CRMs) > 0 || s.Plugged != nil && s.Plugged.Any() }

// systems are all that are kept up to date now.
func (s *Service) systems(ctx context.Context, db pg.DB) (all []System, err error) {
	for _, c := range s.CRMs {
		all = append(all, System{c.ID(), c.Driver(), c.KeepsPoints(), c.KeepsWishes(), c.Abroad()})
	}
	if s.Plugged == nil {
		return all, nil
	}
	more, err := s.Plugged.Systems(ctx, db)
	return append(all, more...), err
}

// system is one of them: ErrPartner.
func (s *Service) system(ctx context.Context, db pg.DB, name string) (System, error) {
	all, err := s.systems(ctx, db)
	if err != nil {
		return System{}, err
	}
	i := slices.IndexFunc(all, func(x System) bool { return x.ID == name })
	if i < 0 {
		return System{}, ErrPartner
	}
	return all[i], nil
}

// open is a system, ready to be called; nil when it may not be now, or is none any
// more.
func (s *Service) open(ctx context.Context, db pg.DB, name string) (*crm.CRM, error) {
	for _, c := range s.CRMs {
		if c.ID() == name {
			return c, nil
		}
	}
	if s.Plugged == nil {
		return nil, nil
	}
	c, barred, err := s.Plugged.Open(ctx, db, name)
	if errors.Is(err, ErrPartner) || err == nil && barred != "" {
		return nil, nil
	}
	return c, err
}

// Arm meets the systems that there are: one that the hub never met hears of all who
// agreed. It is called at start, by any number of hubs.
func (s *Service) Arm(ctx context.Context) error {
	all, err := s.systems(ctx, s.db)
	if err != nil {
		return err
	}
	for _, x := range all {
		if err := s.db.InTx(ctx, func(tx *pg.Tx) error { return s.Meet(ctx, tx, x) }); err != nil {
			return err
		}
	}
	return nil
}

// Meet meets a system, as a step of the caller's unit of work: one that is new hears
// of all who agreed. Nothing is said to one before it was met.
func (s *Service) Meet(ctx context.Context, tx *pg.Tx, x System) error {
	fresh, err := meet(ctx, tx, x.ID, s.Transfer[x.ID])
	if err != nil {
		return err
	}
	if fresh {
		wantAll(tx, x.ID, entitiesOf(x))
	}
	s.soon(tx, x.ID)
	return nil
}

// entitiesOf are what a system keeps, without orders: those are said as they come.
func entitiesOf(x System) []string {
	all := []string{string(Contact)}
	if x.Wishes {
		all = append(all, string(Consent))
	}
	if x.Points {
		all = append(all, string(Points))
	}
	return all
}
