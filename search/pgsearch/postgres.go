package pgsearch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
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
	seen := map[string]string{} // words, and a document that has each
	for i, d := range docs {
		head, all, words := vectors(d)
		source, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("index %s: %w", d.ID, err)
		}
		digest := sha256.Sum256(source)
		rows[i] = row{
			d.ID, d.Seller, d.Category, d.Region, append([]string{}, d.Labels...), d.Price, d.Available, d.Lat, d.Lng, d.Published,
			head, all, source, hex.EncodeToString(digest[:16]),
		}
		for _, w := range words {
			seen[w] = d.ID
		}
	}
	body, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("index documents: %w", err)
	}
	addWords(tx, seen)
	tx.Queue(`insert into search.document (id, seller, category, region, labels, price, available, lat, lng, published, head, words, source, digest, analysis)
		select r.id, r.seller, r.category, r.region, r.labels, r.price, r.available, r.lat, r.lng, r.published, r.head::tsvector, r.words::tsvector,
			r.source, r.digest, $2
		from jsonb_to_recordset($1) as r(id text, seller text, category text, region text, labels text[], price bigint,
			available bool, lat float8, lng float8, published timestamptz, head text, words text, source jsonb, digest text)
		order by r.id
		on conflict (id) do update set seller = excluded.seller, category = excluded.category, region = excluded.region,
			labels = excluded.labels, price = excluded.price, available = excluded.available, lat = excluded.lat,
			lng = excluded.lng, published = excluded.published, head = excluded.head, words = excluded.words,
			source = excluded.source, digest = excluded.digest, analysis = excluded.analysis`, string(body), analysis)
	return nil
}

// row is a document as the table has it.
type row struct {
	ID        string          `json:"id"`
	Seller    string          `json:"seller"`
	Category  string          `json:"category"`
	Region    string          `json:"region"`
	Labels    []string        `json:"labels"`
	Price     int64           `json:"price"`
	Available bool            `json:"available"`
	Lat       *float64        `json:"lat"`
	Lng       *float64        `json:"lng"`
	Published time.Time       `json:"published"`
	Head      string          `json:"head"`
	Words     string          `json:"words"`
	Source    json.RawMessage `json:"source"`
	Digest    string          `json:"digest"`
}

// addWords adds to the words that may be meant, in one order for everyone. A word
// whose witness is gone gets another. It looks each up by its key: a join may be
// planned to read all documents.
func addWords(tx *pg.Tx, seen map[string]string) {
	words := slices.Sorted(maps.Keys(seen))
	n := len(words)
	codes, sizes, keys, bones, witnesses := make([]string, n), make([]int, n), make([]string, n), make([]string, n), make([]string, n)
	for i, w := range words {
		codes[i], sizes[i], keys[i], bones[i], witnesses[i] = code(w), utf8.RuneCountInString(w), search.Key(w), search.Bones(w), seen[w]
		if len(keys[i]) < 2 {
			keys[i] = ""
		}
	}
	tx.Queue(`insert into search.word as w (word, code, size, key, bones, witness)
		select r.word, r.code, r.size, r.key, r.bones, r.witness
		from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[]) as r(word, code, size, key, bones, witness)
		where (select w.key = r.key and w.bones = r.bones and (select true from search.document d where d.id = w.witness)
			from search.word w where w.word = r.word) is not true
		order by r.word collate "C"
		on conflict (word) do update set key = excluded.key, bones = excluded.bones, witness = excluded.witness`, words, codes, sizes, keys, bones, witnesses)
}

// Stale are the sellers of documents that an older analysis made, whose offers
// are to be indexed anew.
func (x *Index) Stale(ctx context.Context) ([]string, error) {
	return pg.Column[string](ctx, x.db, `select distinct seller from search.document where analysis < $1 order by seller`, analysis)
}

// Remove takes documents out in the caller's unit of work. Their words stay:
// they match nothing and cost little.
func (x *Index) Remove(_ context.Context, tx *pg.Tx, ids ...string) error {
	if len(ids) > 0 {
		tx.Queue(`delete from search.document where id = any($1)`, ids)
	}
	return nil
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
func filter(q search.Query, terms []search.Term, w way) *clause {
	c := &clause{}
	if len(terms) > 0 {
		c.and("words @@ %s::tsquery", tsquery(terms, w))
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

// ask reads in one round trip; what has words, by an index. For words that many
// documents have the planner would read the table from the start, not knowing that
// each of its texts lies elsewhere.
func ask[T any](ctx context.Context, db pg.DB, words bool, sql string, args ...any) (all []T, err error) {
	err = pg.Together(ctx, db, func(b *pgx.Batch) {
		if words {
			b.Queue(`select set_config('enable_seqscan', 'off', true)`)
		}
		b.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
			all, err = pgx.CollectRows(rows, pgx.RowToStructByName[T])
			return err
		})
	})
	return all, err
}

// find reads one more hit than is asked, which says whether there are more.
func find(ctx context.Context, db pg.DB, q search.Query, terms []search.Term, at cursor, w way) ([]found, error) {
	if q.Sort == search.Relevance {
		return best(ctx, db, q, terms, at, w)
	}
	c := filter(q, terms, w)
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
	default:
		key, order = "(extract(epoch from published) * 1000000)::int8", "published desc, id desc"
		if at.Int != nil {
			c.and("(published, id) < (%s, %s)", time.UnixMicro(*at.Int), at.ID)
		}
	}
	sql := fmt.Sprintf("select id, %s as key, %s as km from search.document%s", key, km, c)
	if q.Sort == search.Nearest { // sorted by what is computed
		sql = "select id, key, km from (" + sql + ") d" + after
	}
	rows, err := ask[found](ctx, db, len(terms) > 0, sql+" order by "+order+" limit "+c.arg(q.Limit+1), c.args...)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return rows, nil
}

// Ranking reads each document, so not more than this many are ranked: when words
// are left out, those that have the most of them; those with the words in their
// names, what can be had first, then those with them anywhere. A result by
// relevance ends there.
const (
	mostRanked = 400
	mostBare   = 200
)

// best finds by relevance.
func best(ctx context.Context, db pg.DB, q search.Query, terms []search.Term, at cursor, w way) ([]found, error) {
	c := filter(q, nil, w)
	where, most := strings.Replace(c.String(), " where ", " and ", 1), mostRanked
	if q.Bare {
		most = mostBare
	}
	some := func(query, which string) string {
		return fmt.Sprintf("(select id, head, words, available, labels, lat, lng from search.document where words @@ %s::tsquery%s%s limit %d)", c.arg(query), which, where, most)
	}
	all := tsquery(terms, w)
	km := "null::float8"
	if q.Near != nil {
		km = fmt.Sprintf("search.km(lat, lng, %s, %s)", c.arg(q.Near.Lat), c.arg(q.Near.Lng))
	}
	var parts []string // each is read only if those before it leave room
	if w == relaxed {
		for _, query := range fuller(terms) {
			parts = append(parts, some(query, ""))
		}
	}
	parts = append(parts, some(names(all), " and available"), some(names(all), " and not available"), some(all, ""))
	sql := fmt.Sprintf("select distinct id, key, km from (select id, %s as key, %s as km from (select * from (%s) u limit %d) d) r",
		rank(c, terms, w), km, strings.Join(parts, " union all "), most)
	if at.Int != nil {
		sql += fmt.Sprintf(" where (key, id) < (%s, %s)", c.arg(*at.Int), c.arg(at.ID))
	}
	rows, err := ask[found](ctx, db, len(terms) > 0, sql+" order by key desc, id desc limit "+c.arg(q.Limit+1), c.args...)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return rows, nil
}

// rank says how well a document fits, as a whole number so that a cursor can
// name it. Each term counts by where it stands; as typed, or as the synonyms
// say it, twice as much as unfinished or mistyped; the first most, since
// French, Arabic and Darija begin with the thing itself (savon noir). More
// terms go before fewer, what can be had before what cannot, and a label in
// date counts a little.
func rank(c *clause, terms []search.Term, w way) string {
	var sum, have []string
	part := func(share float64, query string) string {
		if query == "" {
			return "0"
		}
		// ts_rank divides by the query's size: many ways to say a thing would
		// make it count less.
		return fmt.Sprintf("%.3f * ts_rank('{0.05,0.2,0.6,1}', head, %s::tsquery)", share*float64(size(query)), c.arg(query))
	}
	for i, t := range terms {
		weight := 1 / (1 + 0.25*float64(i))
		sum = append(sum, part(weight, strings.Join(exact(t), "|")), part(weight/2, soft(t, w)))
		if w == relaxed {
			have = append(have, fmt.Sprintf("(words @@ %s::tsquery)::int", c.arg(group(t, w))))
		}
	}
	key := "(0.01 + " + strings.Join(sum, " + ") + ") * (case when available then 1 else 0.6 end) * (case when labels = '{}' then 1 else 1.05 end)"
	if w == relaxed {
		key = "100 * (" + strings.Join(have, " + ") + ") + " + key
	}
	return "(1000000 * (" + key + "))::int8"
}

// count counts a whole result, or enough of it to say that it is large.
func count(ctx context.Context, db pg.DB, q search.Query, terms []search.Term, w way) (counted, error) {
	c := filter(q, terms, w)
	most := mostListed
	if len(terms) > 0 {
		most = mostCounted
	}
	where := c.String() + " limit " + c.arg(most+1)
	type line struct {
		Facet string
		Value string
		N     int
	}
	rows, err := ask[line](ctx, db, len(terms) > 0, fmt.Sprintf(`with hit as materialized (select category, region, labels, price from search.document%s)
		select 'category' as facet, category as value, count(*) as n from hit group by category
		union all select 'region', region, count(*) from hit group by region
		union all select 'label', l, count(*) from hit, unnest(labels) as l group by l
		union all select 'price', ((%s::text[])[width_bucket(price, %s::bigint[])]), count(*) from hit group by 2
		union all select '', '', count(*) from hit`, where, c.arg(search.BucketNames), c.arg(search.Buckets)), c.args...)
	if err != nil {
		return counted{}, fmt.Errorf("count what was found: %w", err)
	}
	out := counted{facets: search.NoFacets(), at: time.Now()}
	for _, r := range rows {
		if r.Facet == "" {
			out.total = r.N
		} else {
			out.facets[r.Facet][r.Value] = r.N
		}
	}
	if out.total > most {
		out.total, out.capped = most, true
	}
	return out, nil
}
