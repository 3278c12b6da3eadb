package relations

import (
	"context"
	"slices"
	"strings"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Partners shows how the hub stands with each system.
func (s *Service) Partners(ctx context.Context, _ rest.None) (v PartnersView, err error) {
	systems, err := s.systems(ctx, s.db)
	if err != nil {
		return v, err
	}
	names := make([]string, len(systems))
	for i, x := range systems {
		names[i] = x.ID
	}
	all, err := listPartners(ctx, s.db, names)
	if err != nil {
		return v, err
	}
	waiting, err := backlogs(ctx, s.db, names)
	if err != nil {
		return v, err
	}
	known := by(systems, func(x System) string { return x.ID })
	heap := by(waiting, func(b backlog) string { return b.Partner })
	v.Data = make([]PartnerView, len(all))
	for i, p := range all {
		v.Data[i] = p.view(known[p.Partner], heap[p.Partner])
	}
	return v, nil
}

// PartnerInput changes how the hub stands with a system; what is left out stays.
type PartnerInput struct {
	Partner  string  `path:"partner" maxLength:"40"`
	Paused   *bool   `json:"paused,omitempty" description:"Nothing is said to it."`
	Transfer *string `json:"transfer,omitempty" maxLength:"100" description:"The authorisation by which data may leave the country for it; empty: they may not."`
}

// Change has a system rest, or go on, and lets data leave the country for it, or
// not any more.
func (s *Service) Change(ctx context.Context, tx *pg.Tx, in PartnerInput) (v PartnerView, err error) {
	x, err := s.system(ctx, tx, in.Partner)
	if err != nil {
		return v, err
	}
	p, err := lockPartner(ctx, tx, in.Partner)
	if err != nil {
		return v, err
	}
	was := p
	if in.Paused != nil {
		p.Paused = *in.Paused
	}
	if in.Transfer != nil {
		p.Transfer = strings.TrimSpace(*in.Transfer)
	}
	if was.Paused && !p.Paused || was.Transfer == "" && p.Transfer != "" {
		p.RetryAt = nil
	}
	savePartner(tx, p)
	if was.Transfer == "" && p.Transfer != "" {
		freeAll(tx, p.Partner, heldTransfer)
	}
	s.soon(tx, p.Partner)
	p.Version++
	audit.Record(tx, "crm.change", p.Partner, authz.Policy(ctx), map[string]any{"paused": p.Paused, "transfer": p.Transfer})
	return p.view(x, backlog{}), tx.Publish(ctx, PartnerChanged{p.Partner, p.Paused, p.Transfer})
}

// RedoInput says what a system is to be told again.
type RedoInput struct {
	Partner string `path:"partner" maxLength:"40"`
	Person  string `json:"person,omitempty" maxLength:"40" description:"Of whom; of everybody when left out."`
}

// Redo has a system be told again what it was told, though nothing changed, and
// what it refused.
func (s *Service) Redo(ctx context.Context, tx *pg.Tx, in RedoInput) (v RedoView, err error) {
	if _, err := s.system(ctx, tx, in.Partner); err != nil {
		return v, err
	}
	if in.Person != "" && !id.Is(id.Person, in.Person) {
		return v, ErrInvalid.At("/person", "Give a person's id.")
	}
	p, err := lockPartner(ctx, tx, in.Partner)
	if err != nil {
		return v, err
	}
	p.RetryAt = nil
	savePartner(tx, p)
	if v.Links, err = redo(ctx, tx, in.Partner, in.Person); err != nil {
		return v, err
	}
	s.soon(tx, in.Partner)
	audit.Record(tx, "crm.redo", in.Partner, authz.Policy(ctx), map[string]any{"person": in.Person, "links": v.Links})
	return v, nil
}

// LinksInput asks for what is kept at a system.
type LinksInput struct {
	Partner string `path:"partner" maxLength:"40"`
	Person  string `query:"person" maxLength:"40"`
	State   string `query:"state" enum:"waiting,held,said"`
	rest.Paging
}

// Links lists what is kept at a system, or is not and why.
func (s *Service) Links(ctx context.Context, in LinksInput) (p rest.Page[LinkView], err error) {
	if _, err := s.system(ctx, s.db, in.Partner); err != nil {
		return p, err
	}
	var after place
	if err := rest.DecodeCursor(in.Cursor, &after); err != nil {
		return p, err
	}
	if after.Entity != "" && !slices.Contains(entities, after.Entity) {
		return p, rest.ErrCursor
	}
	rows, err := listLinks(ctx, s.db, in.Partner, in.Person, in.State, after, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Link.view, func(v LinkView) any { return place{v.Entity, v.ID} }), nil
}
