package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"tiwiza/pkg/pg"
)

const importColumns = `id, seller, name, file, dry_run, state, reason, form, encoding, separator, columns, rows, batch, tries,
	created, updated, unchanged, rejected, at, finished_at, words`

func insertImport(tx *pg.Tx, i Import, sum []byte) {
	tx.Queue(`insert into catalog.import (id, seller, name, file, sha256, dry_run, state, form, encoding, separator, columns, rows, rejected, at, words)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		i.ID, i.Seller, i.Name, i.File, sum, i.DryRun, i.State, i.Form, i.Encoding, i.Separator, text(i.Columns), i.Rows, i.Rejected, i.At, text(i.Words))
}

// saveImport writes down how far an import is. Getting on gives it new tries.
func saveImport(tx *pg.Tx, i Import) {
	tx.QueueOne(ErrNoImport, `update catalog.import set state = $2, reason = $3, tries = case when batch < $4 then 0 else $5 end, batch = $4,
			created = $6, updated = $7, unchanged = $8, rejected = $9, finished_at = $10
		where id = $1 and state = 'running' and batch <= $4`,
		i.ID, i.State, i.Reason, i.Batch, i.Tries, i.Created, i.Updated, i.Unchanged, i.Rejected, i.FinishedAt)
}

func findImport(ctx context.Context, db pg.DB, id string) (Import, error) {
	return pg.One[Import](ctx, db, ErrNoImport, `select `+importColumns+` from catalog.import where id = $1`, id)
}

func lockImport(ctx context.Context, tx *pg.Tx, id string) (Import, error) {
	return pg.One[Import](ctx, tx, ErrNoImport, `select `+importColumns+` from catalog.import where id = $1 for update`, id)
}

func importsPage(ctx context.Context, db pg.DB, seller, after string, limit int) ([]Import, error) {
	return pg.All[Import](ctx, db, `select `+importColumns+` from catalog.import
		where ($1 = '' or seller = $1) and ($2 = '' or id < $2) order by id desc limit $3`, seller, after, limit)
}

// insertOutcomes writes down what became of rows.
func insertOutcomes(tx *pg.Tx, imp string, all []Outcome) {
	if len(all) == 0 {
		return
	}
	rows, verdicts, offers, details := make([]int, len(all)), make([]string, len(all)), make([]string, len(all)), make([]string, len(all))
	for i, o := range all {
		rows[i], verdicts[i], offers[i], details[i] = o.Row, string(o.Verdict), o.Offer, "[]"
		if len(o.Details) > 0 {
			details[i] = text(o.Details)
		}
	}
	tx.Queue(`insert into catalog.import_row (import, row, verdict, offer, details)
		select $1, r.row, r.verdict, r.offer, r.details::jsonb from unnest($2::int[], $3::text[], $4::text[], $5::text[]) r (row, verdict, offer, details)`,
		imp, rows, verdicts, offers, details)
}

// outcomes are what became of rows behind one, of one verdict or any (""), in
// their order.
func outcomes(ctx context.Context, db pg.DB, imp string, verdict RowVerdict, after, limit int) ([]Outcome, error) {
	if verdict == "" {
		return pg.All[Outcome](ctx, db, `select row, verdict, offer, details from catalog.import_row
			where import = $1 and row > $2 order by row limit $3`, imp, after, limit)
	}
	return pg.All[Outcome](ctx, db, `select row, verdict, offer, details from catalog.import_row
		where import = $1 and verdict = $2 and row > $3 order by row limit $4`, imp, verdict, after, limit)
}

// rejectedRows are the numbers of rows that were rejected, in their order.
func rejectedRows(ctx context.Context, db pg.DB, imp string) ([]int, error) {
	return pg.Column[int](ctx, db, `select row from catalog.import_row where import = $1 and verdict = 'rejected' order by row`, imp)
}

// forgetImport takes an import's verdicts away, and says which file it had.
func forgetImport(ctx context.Context, tx *pg.Tx, imp string) (file string, err error) {
	tx.Queue(`delete from catalog.import_row where import = $1`, imp)
	return pg.Value[string](ctx, tx, ErrNoImport, `with was as (select file from catalog.import where id = $1 for update)
		update catalog.import i set file = '' from was where i.id = $1 returning was.file`, imp)
}

// lockBatch gives the seller's offers that rows are about, by their keys and
// their SKUs, and locks what they are sold in. Imports of one seller take turns.
func lockBatch(ctx context.Context, tx *pg.Tx, seller string, rows []line) ([]Offer, error) {
	refs, skus := make([]string, len(rows)), make([]string, len(rows))
	for i, l := range rows {
		refs[i], skus[i] = l.key(), l.text("sku")
	}
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('catalog.import ' || $1, 0))`, seller)
	ids, err := pg.Column[string](ctx, tx, `select o.id from unnest($2::text[]) r (ref) join catalog.offer o on o.seller = $1 and o.ref = r.ref
		union select o.id from unnest($2::text[]) r (ref) join catalog.offer o on o.id = r.ref and o.seller = $1
		union select v.offer from unnest($3::text[]) r (sku) join catalog.variant v on v.seller = $1 and v.sku = r.sku`, seller, refs, skus)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	tx.Queue(`select id from catalog.variant where offer = any($1) order by id for update`, ids)
	return read(ctx, tx, ids)
}

var errNoMapping = errors.New("nothing is remembered")

// remembered is what a seller said of a heading before.
func remembered(ctx context.Context, db pg.DB, seller, fingerprint string) (map[string]string, error) {
	m, err := pg.Value[json.RawMessage](ctx, db, errNoMapping, `select columns from catalog.mapping where seller = $1 and fingerprint = $2`, seller, fingerprint)
	if errors.Is(err, errNoMapping) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a mapping: %w", err)
	}
	var out map[string]string
	return out, json.Unmarshal(m, &out)
}

func remember(tx *pg.Tx, seller, fingerprint string, columns map[string]string) {
	tx.Queue(`insert into catalog.mapping (seller, fingerprint, columns) values ($1, $2, $3)
		on conflict (seller, fingerprint) do update set columns = excluded.columns, at = platform.now()`, seller, fingerprint, text(columns))
}

// sellerWords are what a seller calls categories.
func sellerWords(ctx context.Context, db pg.DB, seller string) (shelving, error) {
	type row struct{ Word, Category string }
	rows, err := pg.All[row](ctx, db, `select word, category from catalog.category_word where seller = $1`, seller)
	if err != nil {
		return nil, fmt.Errorf("read a seller's words for categories: %w", err)
	}
	out := shelving{}
	for _, r := range rows {
		out[r.Word] = r.Category
	}
	return out, nil
}

// rememberShelves remembers what a seller calls categories; a word for none is
// forgotten.
func rememberShelves(tx *pg.Tx, seller string, words map[string]string) {
	var said, codes, gone []string
	for _, w := range slices.Sorted(maps.Keys(words)) {
		if words[w] == "" {
			gone = append(gone, w)
		} else {
			said, codes = append(said, w), append(codes, words[w])
		}
	}
	if len(gone) > 0 {
		tx.Queue(`delete from catalog.category_word where seller = $1 and word = any($2)`, seller, gone)
	}
	if len(said) > 0 {
		tx.Queue(`insert into catalog.category_word (seller, word, category)
			select $1, w.word, w.category from unnest($2::text[], $3::text[]) as w(word, category) order by w.word
			on conflict (seller, word) do update set category = excluded.category, at = platform.now()`, seller, said, codes)
	}
}

// exportPage is the next piece of a seller's offers.
func exportPage(ctx context.Context, db pg.DB, seller, after string) ([]Offer, error) {
	return many(ctx, db, offers+`where o.seller = $1 and o.id > $2 order by o.id limit 500`, seller, after)
}
