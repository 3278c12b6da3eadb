package delivery

import (
	"context"
	"slices"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
)

// Places are where sellers keep goods.
type Places interface {
	PlacesOf(ctx context.Context, db pg.DB, seller string) ([]catalog.Place, error)
}

// Sellers says who sells.
type Sellers interface {
	Sellers(ctx context.Context, db pg.DB, ids []string) (map[string]members.Seller, error)
}

// Service is what others may ask of delivery.
type Service struct {
	db      *pg.Store
	places  Places
	sellers Sellers
}

// New makes the service.
func New(db *pg.Store, places Places, sellers Sellers) *Service { return &Service{db, places, sellers} }

// Serving reads the ways that hold now of some sellers, and the relay points of
// a commune; none when that is not known.
func (s *Service) Serving(sellers []string, region, commune string, out *[]Way) pg.Read {
	if commune != "" {
		sellers = append(slices.Clone(sellers), at(region, commune))
	}
	return serving(sellers, out)
}

// Make adds a way of delivery: a seller's own, or by the operator one of a
// seller's or a relay point. Quotes that were given hold as they are.
func (s *Service) Make(ctx context.Context, tx *pg.Tx, in WayInput) (v WayView, err error) {
	seller, ok := auth.From(ctx).Of(in.Seller)
	if !ok {
		return v, ErrNotFound
	}
	place, err := s.place(ctx, tx, seller, in)
	if err != nil {
		return v, err
	}
	w, err := in.way(seller, place)
	if err != nil {
		return v, err
	}
	w.MadeAt = tx.Now()
	alone(tx, w.served())
	insert(tx, w)
	audit.Record(tx, "delivery.make", w.ID, authz.Policy(ctx), in)
	return w.view(), tx.Publish(ctx, Changed{w.ID, w.Seller, w.Kind, false})
}

// place is the seller's place that a way names, if it does. The seller must be
// one.
func (s *Service) place(ctx context.Context, tx *pg.Tx, seller string, in WayInput) (*catalog.Place, error) {
	if seller != "" {
		known, err := s.sellers.Sellers(ctx, tx, []string{seller})
		if err != nil {
			return nil, err
		}
		if _, ok := known[seller]; !ok {
			return nil, ErrInvalid.At("/seller", "There is no such organisation.")
		}
	}
	if in.Place == "" {
		return nil, nil
	}
	all, err := s.places.PlacesOf(ctx, tx, seller)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.ID == in.Place {
			return &p, nil
		}
	}
	return nil, ErrInvalid.At("/place", "This is none of the seller's places.")
}

// End ends a way of delivery: no new quote has it. Ending it again is harmless.
func (s *Service) End(ctx context.Context, tx *pg.Tx, in OneWay) (v WayView, err error) {
	w, err := lock(ctx, tx, in.Way)
	if err != nil {
		return v, err
	}
	if seller, ok := auth.From(ctx).Of(w.Seller); !ok || seller != w.Seller {
		return v, ErrNotFound
	}
	if w.EndedAt != nil {
		return w.view(), nil
	}
	at := tx.Now()
	w.EndedAt = &at
	end(tx, w.ID, at)
	audit.Record(tx, "delivery.end", w.ID, authz.Policy(ctx), nil)
	return w.view(), tx.Publish(ctx, Changed{w.ID, w.Seller, w.Kind, true})
}
