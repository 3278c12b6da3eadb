package pgsearch

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
	"tiwiza/search"
)

// Put adds or replaces documents in the caller's unit of work. It waits for
// nothing: its writes go out with the next round trip.
func (x *Index) Put(_ context.Context, tx *pg.Tx, docs ...search.Document) error {
	if len(docs) == 0 {
		return nil
	}
	rows := make([]row, len(docs))
	seen := map[string]bool{}
	for i, d := range docs {
		text, words := vector(d)
		rows[i] = row{d.ID, d.Seller, d.Category, d.Region, append([]string{}, d.Labels...), d.Price, d.Available, d.Lat, d.Lng, d.Published, text}
		for _, w := range words {
			seen[w] = true
		}
	}
	body, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("index documents: %w", err)
	}
	addWords(tx, seen)
	tx.Queue(`insert into search.document (id, seller, category, region, labels, price, available, lat, lng, published, words)
		select r.id, r.seller, r.category, r.region, r.labels, r.price, r.available, r.lat, r.lng, r.published, r.words::tsvector
		from jsonb_to_recordset($1) as r(id text, seller text, category text, region text, labels text[], price bigint,
			available bool, lat float8, lng float8, published timestamptz, words text)
		order by r.id
		on conflict (id) do update set seller = excluded.seller, category = excluded.category, region = excluded.region,
			labels = excluded.labels, price = excluded.price, available = excluded.available, lat = excluded.lat,
			lng = excluded.lng, published = excluded.published, words = excluded.words`, string(body))
	return nil
}

// row is a document as the table has it.
type row struct {
	ID        string    `json:"id"`
	Seller    string    `json:"seller"`
	Category  string    `json:"category"`
	Region    string    `json:"region"`
	Labels    []string  `json:"labels"`
	Price     int64     `json:"price"`
	Available bool      `json:"available"`
	Lat       *float64  `json:"lat"`
	Lng       *float64  `json:"lng"`
	Published time.Time `json:"published"`
	Words     string    `json:"words"`
}

// addWords adds to the words that may be meant, in one order for everyone.
func addWords(tx *pg.Tx, seen map[string]bool) {
	words := make([]string, 0, len(seen))
	for w := range seen {
		words = append(words, w)
	}
	slices.Sort(words)
	codes, sizes := make([]string, len(words)), make([]int, len(words))
	for i, w := range words {
		codes[i], sizes[i] = code(w), utf8.RuneCountInString(w)
	}
	tx.Queue(`insert into search.word (word, code, size)
		select r.word, r.code, r.size from unnest($1::text[], $2::text[], $3::int[]) as r(word, code, size)
		where not exists (select from search.word w where w.word = r.word)
		order by r.word collate "C" on conflict do nothing`, words, codes, sizes)
}

// Remove takes documents out in the caller's unit of work. Their words stay:
// they match nothing and cost little.
func (x *Index) Remove(_ context.Context, tx *pg.Tx, ids ...string) error {
	if len(ids) > 0 {
		tx.Queue(`delete from search.document where id = any($1)`, ids)
	}
	return nil
}

// widen gives terms the words they may have been meant for, in one round trip.
func widen(ctx context.Context, db pg.DB, terms []term) error {
	b := &pgx.Batch{}
	for i := range terms {
		b.Queue(`select like_word from search.like_word($1, $2)`, code(terms[i].word), utf8.RuneCountInString(terms[i].word)).
			Query(func(rows pgx.Rows) error {
				words, err := pgx.CollectRows(rows, pgx.RowTo[string])
				if err != nil {
					return err
				}
				terms[i].like = likely(terms[i].word, words)
				return nil
			})
	}
	if err := db.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("look for similar words: %w", err)
	}
	return nil
}

// likely keeps the words near enough, in an order of their own so that each
// page asks for the same.
func likely(word string, words []string) []string {
	words = slices.DeleteFunc(words, func(w string) bool { return w == word || !near(word, w) })
	slices.Sort(words)
	return words[:min(len(words), 20)]
}

// A clause collects conditions and their arguments.
type clause struct {
	where []string
	args  []any
}

func (c *clause) arg(v any) string {
	c.args = append(c.args, v)
	return fmt.Sprintf("$%d", len(c.args))
}

// and adds a condition whose arguments stand where format has %s.
func (c *clause) and(format string, args ...any) {
	names := make([]any, len(args))
	for i, a := range args {
		names[i] = c.arg(a)
	}
	c.where = append(c.where, fmt.Sprintf(format, names...))
}

func (c *clause) String() string {
	if len(c.where) == 0 {
		return ""
	}
	return " where " + strings.Join(c.where, " and ")
}

// filter is what a query asks of a document.
func filter(q search.Query, terms []term, loose bool) *clause {
	c := &clause{}
	if len(terms) > 0 {
		c.and("words @@ %s::tsquery", tsquery(terms, loose))
	}
	for _, f := range []struct{ condition, value string }{
		{"category = %s", q.Category}, {"region = %s", q.Region}, {"seller = %s", q.Seller}, {"labels @> array[%s::text]", q.Label},
	} {
		if f.value != "" {
			c.and(f.condition, f.value)
		}
	}
	if q.Min != nil {
		c.and("price >= %s", *q.Min)
	}
	if q.Max != nil {
		c.and("price <= %s", *q.Max)
	}
	if q.Near != nil && q.RadiusKM > 0 {
		const degree = 111.19 // kilometres of latitude, a little less than one has
		up := q.RadiusKM / degree
		c.and("lat between %s and %s", q.Near.Lat-up, q.Near.Lat+up)
		if shrink := math.Cos((math.Abs(q.Near.Lat) + up) * math.Pi / 180); shrink > 0.01 && math.Abs(q.Near.Lat)+up < 90 {
			c.and("lng between %s and %s", q.Near.Lng-up/shrink, q.Near.Lng+up/shrink)
		}
		c.and("search.km(lat, lng, %s, %s) <= %s", q.Near.Lat, q.Near.Lng, q.RadiusKM)
	}
	return c
}

// found is one row of a result. Key is what it is sorted by, unless that is
// the distance.
type found struct {
	ID  string
	Key int64
	KM  *float64
}

// find reads one more hit than is asked, which says whether there are more.
func find(ctx context.Context, db pg.DB, q search.Query, terms []term, at cursor, loose bool) ([]found, error) {
	c := filter(q, terms, loose)
	km := "null::float8"
	if q.Near != nil {
		km = fmt.Sprintf("search.km(lat, lng, %s, %s)", c.arg(q.Near.Lat), c.arg(q.Near.Lng))
	}
	key, order, after := "", "", ""
	switch q.Sort {
	case search.Cheapest:
		key, order = "price", "price, id"
		if at.Int != nil {
			c.and("(price, id) > (%s, %s)", *at.Int, at.ID)
		}
	case search.Dearest:
		key, order = "price", "price desc, id desc"
		if at.Int != nil {
			c.and("(price, id) < (%s, %s)", *at.Int, at.ID)
		}
	case search.Nearest:
		key, order = "0::int8", "km, id"
		c.where = append(c.where, "lat is not null")
		if at.KM != nil {
			after = fmt.Sprintf(" where (km, id) > (%s, %s)", c.arg(*at.KM), c.arg(at.ID))
		}
	case search.Relevance:
		key, order = rank(c, terms, loose), "key desc, id desc"
		if at.Int != nil {
			after = fmt.Sprintf(" where (key, id) < (%s, %s)", c.arg(*at.Int), c.arg(at.ID))
		}
	default:
		key, order = "(extract(epoch from published) * 1000000)::int8", "published desc, id desc"
		if at.Int != nil {
			c.and("(published, id) < (%s, %s)", time.UnixMicro(*at.Int), at.ID)
		}
	}
	sql := fmt.Sprintf("select id, %s as key, %s as km from search.document%s", key, km, c)
	if q.Sort == search.Nearest || q.Sort == search.Relevance { // sorted by what is computed
		sql = "select id, key, km from (" + sql + ") d" + after
	}
	rows, err := pg.All[found](ctx, db, sql+" order by "+order+" limit "+c.arg(q.Limit+1), c.args...)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return rows, nil
}

// rank says how well a document fits, as a whole number so that a cursor can
// name it: where a word stands counts, and words as they were typed count more
// than words like them.
func rank(c *clause, terms []term, loose bool) string {
	exact := fmt.Sprintf("ts_rank(words, %s::tsquery)", c.arg(tsquery(terms, false)))
	if loose {
		exact = fmt.Sprintf("4 * %s + ts_rank(words, %s::tsquery)", exact, c.arg(tsquery(terms, true)))
	}
	return "(1000000 * (" + exact + "))::int8"
}

// count counts a whole result.
func count(ctx context.Context, db pg.DB, q search.Query, terms []term, loose bool) (counted, error) {
	c := filter(q, terms, loose)
	where := c.String()
	type line struct {
		Facet string
		Value string
		N     int
	}
	rows, err := pg.All[line](ctx, db, fmt.Sprintf(`with hit as materialized (select category, region, labels, price from search.document%s)
		select 'category' as facet, category as value, count(*) as n from hit group by category
		union all select 'region', region, count(*) from hit group by region
		union all select 'label', l, count(*) from hit, unnest(labels) as l group by l
		union all select 'price', ((%s::text[])[width_bucket(price, %s::bigint[])]), count(*) from hit group by 2
		union all select '', '', count(*) from hit`, where, c.arg(search.BucketNames), c.arg(search.Buckets)), c.args...)
	if err != nil {
		return counted{}, fmt.Errorf("count what was found: %w", err)
	}
	out := counted{facets: nothing(), at: time.Now()}
	for _, r := range rows {
		if r.Facet == "" {
			out.total = r.N
		} else {
			out.facets[r.Facet][r.Value] = r.N
		}
	}
	return out, nil
}
