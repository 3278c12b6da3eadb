package catalog

import (
	"context"

	"tiwiza/pkg/pg"
)

func listMine(ctx context.Context, db pg.DB, seller string, in MineInput, below string) ([]Offer, error) {
	return many(ctx, db, offers+`where o.id in (select id from catalog.offer
			where seller = $1 and ($2 = '' or state = $2) and ($3 = '' or ref = $3) and ($4 = '' or id < $4)
			order by id desc limit $5)
		order by o.id desc`, seller, in.State, in.Key, below, in.Limit+1)
}

// A thumbRow is an offer's first picture.
type thumbRow struct {
	ID    string
	Image string
	Photo *photoJSON
}

func thumbsOf(ctx context.Context, db pg.DB, ids []string) ([]thumbRow, error) {
	return pg.All[thumbRow](ctx, db, `select o.id, o.image, (select `+photoRead+` from catalog.picture p where p.offer = o.id and p.place = 1) as photo
		from catalog.offer o where o.id `+pg.OfThese, ids)
}
