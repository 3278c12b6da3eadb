package relations

import (
	"context"
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
	CRMs    []*crm.CRM
	// Transfer is, by the system's name, the authorisation by which data may leave
	// the country for it, as it stands when the system is first met; an operator
	// may change it.
	Transfer map[string]string
	// LookEvery is how often a system is asked who refuses there; a quarter of an
	// hour when it is zero.
	LookEvery time.Duration
}

// Service is what others may ask of relations.
type Service struct {
	db *pg.Store
	Needs
	crms map[string]*crm.CRM
}

// New makes the service.
func New(db *pg.Store, n Needs) *Service {
	s := &Service{db: db, Needs: n, crms: map[string]*crm.CRM{}}
	if s.LookEvery == 0 {
		s.LookEvery = 15 * time.Minute
	}
	for _, c := range n.CRMs {
		s.crms[c.ID()] = c
	}
	return s
}

// Arm meets the systems that the hub is set up with: one that it never met hears
// of all who agreed. It is called at start, by any number of hubs.
func (s *Service) Arm(ctx context.Context) error {
	for _, c := range s.CRMs {
		err := s.db.InTx(ctx, func(tx *pg.Tx) error {
			fresh, err := meet(ctx, tx, c.ID(), s.Transfer[c.ID()])
			if err != nil {
				return err
			}
			if fresh {
				wantAll(tx, c.ID(), entitiesOf(c))
			}
			s.soon(tx, c.ID())
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// entitiesOf are what a system keeps, without orders: those are said as they come.
func entitiesOf(c *crm.CRM) []string {
	all := []string{string(Contact)}
	if c.KeepsWishes() {
		all = append(all, string(Consent))
	}
	if c.KeepsPoints() {
		all = append(all, string(Points))
	}
	return all
}
