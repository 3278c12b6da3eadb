package finance

import (
	"context"

	"tiwiza/pkg/pg"
)

const editionColumns = `e.product, e.kind, e.bank, e.version, e.state, e.names, e.terms, e.sections, e.sensitive, e.least, e.most, e.shortest, e.longest, e.rate, e.note, e.made_by, e.made_at, e.decided_by, e.decided_at, e.row_version`

func insertProduct(tx *pg.Tx, p Product) {
	tx.Queue(`insert into finance.product (id, bank, kind, made_by, made_at) values ($1, $2, $3, $4, $5)`, p.ID, p.Bank, p.Kind, p.MadeBy, p.MadeAt)
}

func insertEdition(tx *pg.Tx, e Edition) {
	tx.Queue(`insert into finance.edition (product, kind, bank, version, state, names, terms, sections, sensitive, least, most, shortest, longest, rate, made_by, made_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		e.Product, e.Kind, e.Bank, e.Version, e.State, e.Names, e.Terms, e.Sections, e.Sensitive, e.Least, e.Most, e.Shortest, e.Longest, e.Rate, e.MadeBy, e.MadeAt)
}

// rewrite writes a draft anew.
func rewrite(tx *pg.Tx, e Edition) {
	tx.QueueOne(ErrProduct, `update finance.edition set names = $3, terms = $4, sections = $5, sensitive = $6, least = $7, most = $8, shortest = $9, longest = $10, rate = $11, made_by = $12, row_version = $13
		where product = $1 and version = $2 and row_version = $13 - 1 and state = 'draft'`,
		e.Product, e.Version, e.Names, e.Terms, e.Sections, e.Sensitive, e.Least, e.Most, e.Shortest, e.Longest, e.Rate, e.MadeBy, e.RowVersion)
}

// saveEdition writes a version that was brought to a state.
func saveEdition(tx *pg.Tx, e Edition) {
	tx.QueueOne(ErrProduct, `update finance.edition set state = $3, note = $4, decided_by = $5, decided_at = $6, row_version = $7 where product = $1 and version = $2 and row_version = $7 - 1`,
		e.Product, e.Version, e.State, e.Note, e.DecidedBy, e.DecidedAt, e.RowVersion)
}

// lockEditions locks a product and gives its versions, the newest first.
func lockEditions(ctx context.Context, tx *pg.Tx, product string) ([]Edition, error) {
	return pg.All[Edition](ctx, tx, `select `+editionColumns+` from finance.edition e where e.product = $1 order by e.version desc for update`, product)
}

func editionsOf(ctx context.Context, db pg.DB, product string) ([]Edition, error) {
	return pg.All[Edition](ctx, db, `select `+editionColumns+` from finance.edition e where e.product = $1 order by e.version desc`, product)
}

func editionOf(ctx context.Context, db pg.DB, product string, version int) (Edition, error) {
	return pg.One[Edition](ctx, db, ErrNotFound, `select `+editionColumns+` from finance.edition e where e.product = $1 and e.version = $2`, product, version)
}

func publishedOf(ctx context.Context, db pg.DB, product string) (Edition, error) {
	return pg.One[Edition](ctx, db, ErrGone, `select `+editionColumns+` from finance.edition e where e.product = $1 and e.state = 'published'`, product)
}

func catalogue(ctx context.Context, db pg.DB, kind ProductKind, below string, limit int) ([]Edition, error) {
	var w pg.Where
	w.And(kind != "", "e.kind =", kind)
	w.And(below != "", "e.product <", below)
	return pg.All[Edition](ctx, db, `select `+editionColumns+` from finance.edition e where `+w.String()+` and e.state = 'published' order by e.product desc limit `+w.Arg(limit), w.Args()...)
}

// newest lists products in their newest version; without a bank those of all, but
// for drafts.
func newest(ctx context.Context, db pg.DB, bank string, state EditionState, below string, limit int) ([]Edition, error) {
	var w pg.Where
	w.And(bank != "", "p.bank =", bank)
	w.And(state != "", "e.state =", state)
	w.And(below != "", "p.id <", below)
	hidden := ""
	if bank == "" {
		hidden = ` and x.state <> 'draft'`
	}
	return pg.All[Edition](ctx, db, `select `+editionColumns+` from finance.product p
		cross join lateral (select x.* from finance.edition x where x.product = p.id`+hidden+` order by x.version desc limit 1) e
		where `+w.String()+` order by p.id desc limit `+w.Arg(limit), w.Args()...)
}
