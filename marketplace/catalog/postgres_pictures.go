package catalog

import "tiwiza/pkg/pg"

// photoRead is a photograph p as photoJSON reads it.
const photoRead = `jsonb_build_object('file', p.file, 'alt', p.alt, 'width', p.width, 'height', p.height)`

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
