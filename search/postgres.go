package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// Kept is the table of synonyms as it stands. Version 0 is the market's own,
// which nobody has changed.
type Kept struct {
	Version int
	Groups  [][]string
	SetBy   string
	SetAt   *time.Time
}

var errUntouched = errors.New("nobody has set synonyms")

// errStale says that somebody else has set the synonyms.
var errStale = fault.New(fault.Conflict, "search.synonyms_changed", "Somebody has changed the synonyms in between; read them again.")

// Groups reads the table of synonyms.
func Groups(ctx context.Context, db pg.DB) (Kept, error) {
	type row struct {
		Version int
		Groups  []byte
		SetBy   string
		SetAt   *time.Time
	}
	r, err := pg.One[row](ctx, db, errUntouched, `select version, groups, set_by, set_at from search.synonyms`)
	if errors.Is(err, errUntouched) {
		return Kept{Groups: DefaultGroups()}, nil
	}
	k := Kept{Version: r.Version, SetBy: r.SetBy, SetAt: r.SetAt}
	if err == nil {
		err = json.Unmarshal(r.Groups, &k.Groups)
	}
	if err != nil {
		return k, fmt.Errorf("read the synonyms: %w", err)
	}
	return k, nil
}

// SynonymsVersion is the version Groups would have, for those who keep them.
func SynonymsVersion(ctx context.Context, db pg.DB) (int, error) {
	n, err := pg.Value[int](ctx, db, errUntouched, `select version from search.synonyms`)
	if errors.Is(err, errUntouched) {
		return 0, nil
	}
	return n, err
}

// setGroups replaces the table in the caller's unit of work; version is the
// one that was read.
func setGroups(tx *pg.Tx, version int, groups [][]string, by string) {
	body, err := json.Marshal(groups)
	if err != nil {
		panic(err) // plain texts
	}
	if version == 0 {
		tx.QueueOne(errStale, `insert into search.synonyms (version, groups, set_by, set_at) values (1, $1, $2, $3) on conflict do nothing`,
			string(body), by, tx.Now())
		return
	}
	tx.QueueOne(errStale, `update search.synonyms set version = version + 1, groups = $1, set_by = $2, set_at = $3 where version = $4`,
		string(body), by, tx.Now(), version)
}

// saveAsked adds to the counts of today, and forgets those of long ago.
func saveAsked(tx *pg.Tx, asked map[Asked]int) {
	if len(asked) == 0 {
		return
	}
	var langs, queries []string
	var times, found []int
	for a, n := range asked {
		langs, queries, times, found = append(langs, a.Lang), append(queries, a.Query), append(times, n), append(found, a.Found)
	}
	tx.Queue(`insert into search.asked as a (day, lang, query, times, found, nothing)
		select $1::date, r.lang, r.query, sum(r.times), max(r.found), coalesce(sum(r.times) filter (where r.found = 0), 0)
		from unnest($2::text[], $3::text[], $4::int[], $5::int[]) as r(lang, query, times, found)
		group by r.lang, r.query order by r.query collate "C", r.lang
		on conflict (day, query, lang) do update set times = a.times + excluded.times, found = excluded.found, nothing = a.nothing + excluded.nothing`,
		tx.Now(), langs, queries, times, found)
	tx.Queue(`delete from search.asked where day < $1::date - $2::int`, tx.Now(), keepAsked)
}

// popular queries begin with something.
func popular(ctx context.Context, db pg.DB, begins string, limit int) ([]string, error) {
	like := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(begins) + "%"
	return pg.Column[string](ctx, db, `select query from search.asked
		where query like $1 and found > 0 and day > platform.now()::date - 30
		group by query having sum(times) >= 3 order by sum(times) desc, query limit $2`, like, limit)
}

// askedRows are the queries of the last days, the most asked first; or those
// that found nothing.
func askedRows(ctx context.Context, db pg.DB, days int, nothing bool) ([]AskedRow, error) {
	return pg.All[AskedRow](ctx, db, `select query, lang, sum(times)::int as times, sum(nothing)::int as nothing, max(day)::text as last
		from search.asked where day > platform.now()::date - $1::int and ($2 = false or nothing > 0)
		group by query, lang order by case when $2 then sum(nothing) else sum(times) end desc, query, lang limit $3`, days, nothing, shownAsked)
}

type total struct{ Times, Nothing int }

func askedTotal(ctx context.Context, db pg.DB, days int) (total, error) {
	return pg.One[total](ctx, db, nil, `select coalesce(sum(times), 0)::int as times, coalesce(sum(nothing), 0)::int as nothing
		from search.asked where day > platform.now()::date - $1::int`, days)
}
