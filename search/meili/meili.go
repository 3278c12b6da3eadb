// Package meili keeps a second index of the market in a Meilisearch server, for
// markets that outgrow PostgreSQL's. PostgreSQL stays the truth: changes are
// noted in the same unit of work and told to the server afterwards, and whenever
// it is down, slow or has nothing, PostgreSQL answers.
package meili

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/meilisearch/meilisearch-go"

	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/search"
)

// Truth is the index that is always right; search/pgsearch is one.
type Truth interface {
	search.Index
	// Understand reads a query's terms and what mistyped ones may have meant.
	Understand(ctx context.Context, text string) ([]search.Term, error)
}

// Options tune an Index.
type Options struct {
	URL string
	// Key may manage the server's indexes and keys. Searches use a key of their
	// own that can do nothing else.
	Key string
	// Name of the index on the server; "tiwiza_offers" unless said.
	Name string
	// Patience is how long a search may take before PostgreSQL answers (250 ms).
	Patience time.Duration
	// Every is how often changes are told (500 ms), and Compare how often the
	// server is compared with PostgreSQL (an hour).
	Every, Compare time.Duration
	Metrics        *outbound.Metrics
}

// Index is a search.Index in Meilisearch.
type Index struct {
	db       *pg.Store
	truth    Truth
	o        Options
	holder   string
	admin    meilisearch.ServiceManager
	find     atomic.Pointer[meilisearch.IndexManager] // with a key that only searches, once there is one
	narrowed atomic.Bool                              // find is as it should be
	looked   bool                                     // compared since this hub started
	lane     *outbound.Lane
	synonym  *watched
}

var _ search.Index = (*Index)(nil)

// Open makes the index; it asks the server nothing yet.
func Open(db *pg.Store, truth Truth, o Options) *Index {
	if o.Name == "" {
		o.Name = "tiwiza_offers"
	}
	for d, v := range map[*time.Duration]time.Duration{&o.Patience: 250 * time.Millisecond, &o.Every: 500 * time.Millisecond, &o.Compare: time.Hour} {
		if *d == 0 {
			*d = v
		}
	}
	x := &Index{db: db, truth: truth, o: o, holder: rand.Text(), synonym: &watched{}}
	x.admin = x.client(o.Key)
	x.search(o.Key)
	x.lane = outbound.NewLane("meilisearch", outbound.Query, outbound.Settings{
		Deadline: o.Patience, Bulkhead: 64, Rate: 5000, Burst: 5000, Consecutive: 3, Cooldown: 2 * time.Second,
	}, o.Metrics)
	return x
}

// client speaks to the server with one key. It sends nothing twice by itself,
// and keeps its connections: what a dead one lost is asked of PostgreSQL, or
// told again.
func (x *Index) client(key string) meilisearch.ServiceManager {
	c := outbound.Client(outbound.Settings{}, nil)
	t := outbound.Transport(outbound.Settings{}, nil)
	t.DisableKeepAlives, t.IdleConnTimeout, t.MaxIdleConnsPerHost = false, 30*time.Second, 16
	c.Transport = t
	return meilisearch.New(x.o.URL, meilisearch.WithAPIKey(key), meilisearch.DisableRetries(), meilisearch.WithCustomClient(c))
}

// Put adds documents to PostgreSQL, and notes that the server is to hear.
func (x *Index) Put(ctx context.Context, tx *pg.Tx, docs ...search.Document) error {
	if err := x.truth.Put(ctx, tx, docs...); err != nil {
		return err
	}
	ids := make([]string, len(docs))
	for i, d := range docs {
		ids[i] = d.ID
	}
	queue(tx, ids)
	return nil
}

// Remove takes documents out of PostgreSQL, and notes that the server is to
// hear.
func (x *Index) Remove(ctx context.Context, tx *pg.Tx, ids ...string) error {
	if err := x.truth.Remove(ctx, tx, ids...); err != nil {
		return err
	}
	queue(tx, ids)
	return nil
}

// Understand reads a query's terms as PostgreSQL does.
func (x *Index) Understand(ctx context.Context, text string) ([]search.Term, error) {
	return x.truth.Understand(ctx, text)
}

// few hits on a first page, and PostgreSQL's less strict ways are tried.
const few = 5

// Query finds; see search.Index. The server answers what has all words as they
// are; for the rest, and when the server does not answer in time, PostgreSQL
// does.
func (x *Index) Query(ctx context.Context, q search.Query) (search.Result, error) {
	at, ours, err := decode(q)
	switch {
	case err != nil:
		return search.Result{}, err
	case q.Cursor != "" && !ours:
		return x.truth.Query(ctx, q) // it was made while the server was away
	}
	req := request(q, at)
	if req == nil {
		return x.truth.Query(ctx, q)
	}
	var res *meilisearch.SearchResponse
	done := x.lane.Do(ctx, "search", func(ctx context.Context) outbound.Result {
		var err error
		if res, err = (*x.find.Load()).SearchWithContext(ctx, req.Query, req); err != nil {
			return outbound.Result{Outcome: outbound.Unknown, Err: err}
		}
		return outbound.Result{Outcome: outbound.Succeeded}
	})
	switch {
	case ctx.Err() != nil:
		return search.Result{}, ctx.Err()
	case done.Outcome != outbound.Succeeded:
		if refused(done.Err) {
			x.narrowed.Store(false) // the key is gone, or the server is another: look for one again
		}
		if done.Reason == "" {
			slog.WarnContext(ctx, "PostgreSQL answers a search in Meilisearch's stead", "error", done.Err)
		}
		return x.instead(ctx, q, at)
	case q.Text != "" && at.Offset == 0 && len(res.Hits) < few:
		return x.truth.Query(ctx, q)
	}
	r, err := result(q, at, res)
	if err != nil {
		return search.Result{}, err
	}
	if q.Text != "" {
		r.Terms = x.synonym.terms(q.Text)
	}
	return r, nil
}

// instead has PostgreSQL read on where a cursor of the server's stands.
func (x *Index) instead(ctx context.Context, q search.Query, at cursor) (search.Result, error) {
	q.Cursor = ""
	page := q
	page.Bare = true
	for left := at.Offset; left > 0; left -= page.Limit {
		page.Limit = min(left, 100)
		r, err := x.truth.Query(ctx, page)
		if err != nil || r.Next == "" {
			return search.Result{Facets: search.NoFacets()}, err
		}
		page.Cursor, q.Cursor = r.Next, r.Next
	}
	return x.truth.Query(ctx, q)
}

// A taskError says what a task that did not succeed was about.
type taskError struct {
	code, text string
}

func (e taskError) Error() string { return e.text }

func failed(t *meilisearch.Task) error {
	return taskError{t.Error.Code, fmt.Sprintf("task %d (%s) ended as %s: %s %s", t.TaskUID, t.Type, t.Status, t.Error.Code, t.Error.Message)}
}
