package search

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
)

// A Desk is where the operator looks after the search: its synonyms, and what
// people asked for and did not find.
type Desk struct {
	db *pg.Store

	mu    sync.Mutex
	asked map[Asked]int // times
}

// NewDesk makes the desk over a store.
func NewDesk(db *pg.Store) *Desk { return &Desk{db: db, asked: map[Asked]int{}} }

// Asked is what somebody looked for. Nobody is named.
type Asked struct {
	Lang  string
	Query string
	Found int
}

const (
	mostAsked  = 100              // signs of a query that are kept
	mostNoted  = 1000             // different queries between two writes
	noteEvery  = 10 * time.Second // queries are written together
	keepAsked  = 90               // days
	shownAsked = 100              // rows of the report
)

// Note remembers what was looked for, until the next Flush. What may name a
// person, an address or a long number, is not kept.
func (d *Desk) Note(a Asked) {
	if a.Query = plain(a.Query); a.Query == "" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, noted := d.asked[a]; noted || len(d.asked) < mostNoted {
		d.asked[a]++
	}
}

// Flush writes what was noted.
func (d *Desk) Flush(ctx context.Context) error {
	d.mu.Lock()
	batch := d.asked
	d.asked = map[Asked]int{}
	d.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	return d.db.InTx(ctx, func(tx *pg.Tx) error {
		saveAsked(tx, batch)
		return nil
	})
}

// Run writes what was noted every few seconds, until ctx ends.
func (d *Desk) Run(ctx context.Context) {
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		if err := d.Flush(last); err != nil {
			slog.WarnContext(ctx, "what people looked for was not noted", "error", err)
		}
		cancel()
	}
}

// plain is a query as it is kept: small letters, single spaces; "" if it may
// name somebody.
func plain(query string) string {
	query = strings.ToLower(strings.Join(strings.Fields(strings.ToValidUTF8(query, "")), " "))
	if strings.ContainsAny(query, "@\x00") || !strings.ContainsFunc(query, unicode.IsLetter) {
		return ""
	}
	digits := 0
	for _, r := range query {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	if digits >= 6 {
		return ""
	}
	if rs := []rune(query); len(rs) > mostAsked {
		query = strings.TrimSpace(string(rs[:mostAsked]))
	}
	return query
}

// Popular are queries that found something and begin as somebody types, the
// most asked of the last month first.
func (d *Desk) Popular(ctx context.Context, begins string, limit int) ([]string, error) {
	if begins = plain(begins); begins == "" {
		return nil, nil
	}
	return popular(ctx, d.db, begins, limit)
}

// Synonyms shows the table.
func (d *Desk) Synonyms(ctx context.Context, _ struct{}) (SynonymsView, error) {
	k, err := Groups(ctx, d.db)
	return k.view(), err
}

// SetSynonyms replaces the table: searches use it within seconds.
func (d *Desk) SetSynonyms(ctx context.Context, in SynonymsInput) (SynonymsView, error) {
	if bad := CheckGroups(in.Groups); len(bad) > 0 {
		err := ErrSynonyms
		for _, b := range bad {
			err = err.At(b.Pointer, b.Detail)
		}
		return SynonymsView{}, err
	}
	err := d.db.InTx(ctx, func(tx *pg.Tx) error {
		was, err := Groups(ctx, tx)
		if err != nil {
			return err
		}
		setGroups(tx, in.Version, in.Groups, auth.From(ctx).Subject)
		audit.Record(tx, "search.synonyms.put", "synonyms", authz.Policy(ctx), changed(was.Groups, in.Groups))
		return nil
	})
	if err != nil {
		return SynonymsView{}, err
	}
	return d.Synonyms(ctx, struct{}{})
}

// changed tells the trail which groups came and went.
func changed(was, is [][]string) map[string][]string {
	lines := func(groups [][]string) map[string]bool {
		m := map[string]bool{}
		for _, g := range groups {
			m[strings.Join(g, " | ")] = true
		}
		return m
	}
	before, after := lines(was), lines(is)
	out := map[string][]string{"added": {}, "removed": {}}
	for _, g := range is {
		if l := strings.Join(g, " | "); !before[l] {
			out["added"] = append(out["added"], l)
		}
	}
	for _, g := range was {
		if l := strings.Join(g, " | "); !after[l] {
			out["removed"] = append(out["removed"], l)
		}
	}
	return out
}

// Asked reports what people looked for.
func (d *Desk) Asked(ctx context.Context, in AskedInput) (AskedView, error) {
	if in.Days == 0 {
		in.Days = 30
	}
	rows, err := askedRows(ctx, d.db, in.Days, in.Nothing)
	if err != nil {
		return AskedView{}, err
	}
	v := AskedView{Days: in.Days, Data: rows}
	t, err := askedTotal(ctx, d.db, in.Days)
	if err != nil {
		return AskedView{}, err
	}
	v.Times, v.Nothing = t.Times, t.Nothing
	return v, nil
}
