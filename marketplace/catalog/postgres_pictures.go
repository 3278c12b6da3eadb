package catalog

import (
	"context"
	"fmt"

	"tiwiza/pkg/pg"
)

// photos are the photographs of an offer, in order.
func photos(ctx context.Context, db pg.DB, offer string) ([]Photo, error) {
	all, err := pg.All[Photo](ctx, db, `select file, alt, width, height from catalog.picture where offer = $1 order by place`, offer)
	if err != nil {
		return nil, fmt.Errorf("read photographs of %s: %w", offer, err)
	}
	return all, nil
}

type photoJSON struct {
	File   string            `json:"file"`
	Alt    map[string]string `json:"alt"`
	Width  int               `json:"width"`
	Height int               `json:"height"`
}

// savePhotos writes the photographs of an offer anew; the unit of work has the
// offer's lock.
func savePhotos(tx *pg.Tx, offer string, all []Photo) {
	rows := make([]photoJSON, len(all))
	for i, x := range all {
		rows[i] = photoJSON(x)
	}
	tx.Queue(`delete from catalog.picture where offer = $1`, offer)
	tx.Queue(`insert into catalog.picture (offer, file, place, alt, width, height)
		select $1, r.file, r.place, coalesce(r.alt, '{}'), r.width, r.height
		from rows from (jsonb_to_recordset($2) as (file text, alt jsonb, width int, height int)) with ordinality as r(file, alt, width, height, place)`,
		offer, text(rows))
}
