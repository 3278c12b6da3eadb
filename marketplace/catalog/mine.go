package catalog

import (
	"context"

	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
)

// MineInput says which of one's own offers are listed.
type MineInput struct {
	Seller string `query:"seller" maxLength:"40" description:"Whose offers; for operators."`
	State  State  `query:"state" enum:"draft,published,paused,archived"`
	Key    string `query:"key" maxLength:"64" description:"The one with this key of the seller's own."`
	rest.Paging
}

// ListMine lists a seller's offers in any state, the newest first, with their
// stock.
func (s *Service) ListMine(ctx context.Context, in MineInput) (p rest.Page[View], err error) {
	seller, err := owner(ctx, in.Seller, "?seller")
	if err != nil {
		return p, err
	}
	below, err := in.After(id.Offer)
	if err != nil {
		return p, err
	}
	all, err := listMine(ctx, s.db, seller, in, below)
	if err != nil {
		return p, err
	}
	known, err := s.sellers.Sellers(ctx, s.db, []string{seller})
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, func(o Offer) View { return viewOwn(o, known[seller]) }, func(v View) any { return v.ID }), nil
}

// Thumbs are the first pictures of offers in any state, by offer; one without a
// picture is left out.
func (s *Service) Thumbs(ctx context.Context, ids []string) (map[string]ImageView, error) {
	rows, err := thumbsOf(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	out := map[string]ImageView{}
	for _, r := range rows {
		switch {
		case r.Photo != nil:
			out[r.ID] = Photo(*r.Photo).view().image()
		case r.Image != "":
			out[r.ID] = ImageView{URL: drawings + r.Image, Drawing: true}
		}
	}
	return out, nil
}
