package orders

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// insertConsents writes down what the buyer of a group agreed to.
func insertConsents(tx *pg.Tx, g group, all []Consent, lang string) {
	for _, c := range all {
		tx.Queue(`insert into orders.consent (grp, kind, hash, texts, lang, at) values ($1, $2, $3, $4, $5, $6)`, g.ID, c.Kind, c.Hash, c.Texts, lang, g.CreatedAt)
	}
}

// consentsOf are what the buyer of a group agreed to.
func consentsOf(ctx context.Context, db pg.DB, grp string) ([]Agreed, error) {
	type row struct {
		Kind, Hash, Text string
		At               time.Time
	}
	rows, err := pg.All[row](ctx, db, `select kind, hash, coalesce(texts ->> lang, texts ->> 'fr', '') as text, at from orders.consent where grp = $1 order by kind`, grp)
	out := make([]Agreed, len(rows))
	for i, r := range rows {
		out[i] = Agreed{r.Kind, r.Hash, r.Text, r.At.UTC()}
	}
	return out, err
}
