package catalog

import (
	"context"

	"tiwiza/pkg/pg"
)

func badgesOf(ctx context.Context, db pg.DB, sellers []string) ([]Badge, error) {
	return pg.All[Badge](ctx, db, `select l.seller, l.code, l.issuer, l.number, l.valid_from::text as valid_from, coalesce(l.valid_to::text, '') as valid_to from catalog.label l
		where l.seller `+pg.OfThese+` and l.state = 'verified' and l.valid_from <= catalog.today() and (l.valid_to is null or l.valid_to >= catalog.today())
		order by l.seller, l.id`, sellers)
}

// A shelfRow is a category that a seller has something on offer in.
type shelfRow struct{ Seller, Category string }

func manyShelves(ctx context.Context, db pg.DB, sellers []string) ([]shelfRow, error) {
	return pg.All[shelfRow](ctx, db, `select distinct o.seller, o.category from catalog.offer o where o.seller `+pg.OfThese+` and o.state = 'published' order by o.seller, o.category`, sellers)
}
