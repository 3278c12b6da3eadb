package meili_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/search"
	"tiwiza/search/meili"
	"tiwiza/search/pgsearch"
	"tiwiza/search/searchconform"
)

// A bench is a market with an index on a fake server.
type bench struct {
	*testing.T
	db    *pg.Store
	index *meili.Index
	fake  *fake
}

func open(t *testing.T) *bench {
	b := &bench{T: t, fake: newFake(t), db: pgtest.New(t)}
	b.index = b.join(meili.Options{URL: b.fake.URL, Key: b.fake.master, Patience: 5 * time.Second})
	return b
}

// join makes another hub's index.
func (b *bench) join(o meili.Options) *meili.Index {
	return meili.Open(b.db, pgsearch.Open(b.db, pgsearch.Options{FacetAge: time.Nanosecond}), o)
}

func (b *bench) put(docs ...search.Document) {
	b.Helper()
	if err := b.db.InTx(b.Context(), func(tx *pg.Tx) error { return b.index.Put(b.Context(), tx, docs...) }); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) remove(ids ...string) {
	b.Helper()
	if err := b.db.InTx(b.Context(), func(tx *pg.Tx) error { return b.index.Remove(b.Context(), tx, ids...) }); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) tell() {
	b.Helper()
	if err := b.index.Tell(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// finds checks how many a query finds, and how many searches reached the server.
func (b *bench) finds(text string, want, asked int) {
	b.Helper()
	was := b.fake.count("search")
	r, err := b.index.Query(b.Context(), search.Query{Text: text, Limit: 100})
	if err != nil || len(r.Hits) != want {
		b.Errorf("%q finds %d (%v), want %d", text, len(r.Hits), err, want)
	}
	if got := b.fake.count("search") - was; got != asked {
		b.Errorf("%q asks the server %d times, want %d", text, got, asked)
	}
}

func rugs(from, to int) (out []search.Document) {
	for n := from; n < to; n++ {
		out = append(out, search.Document{
			ID: fmt.Sprintf("off_%04d", n), Seller: "org_a", Category: "rugs", Region: "MA-03", Names: map[string]string{"fr": "Tapis rouge"}, Price: int64(n), Available: true,
		})
	}
	return out
}

func TestConformance(t *testing.T) {
	t.Parallel()
	searchconform.Run(t, func(t *testing.T) searchconform.Fixture {
		b := open(t)
		return searchconform.Fixture{DB: b.db, Index: b.index, Settle: func() { b.tell() }}
	})
}

// TestConformanceOfAServer runs the suite on a real one.
func TestConformanceOfAServer(t *testing.T) {
	url := os.Getenv("HUB_MEILI_URL")
	if url == "" {
		t.Skip("HUB_MEILI_URL is not set: there is no real Meilisearch to run the suite on (HUB_MEILI_KEY is its master key)")
	}
	t.Parallel()
	searchconform.Run(t, func(t *testing.T) searchconform.Fixture {
		db := pgtest.New(t)
		index := meili.Open(db, pgsearch.Open(db, pgsearch.Options{FacetAge: time.Nanosecond}), meili.Options{
			URL: url, Key: os.Getenv("HUB_MEILI_KEY"), Patience: 10 * time.Second,
			Name: "test_" + strings.NewReplacer("/", "_").Replace(t.Name()),
		})
		t.Cleanup(func() {
			if err := index.Forget(t.Context()); err != nil {
				t.Log(err)
			}
		})
		return searchconform.Fixture{DB: db, Index: index, Settle: func() {
			if err := index.Tell(t.Context()); err != nil {
				t.Fatal(err)
			}
		}}
	})
}

func TestServerAnswersWhatItHasAndPostgreSQLTheRest(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.put(rugs(0, 20)...)
	b.finds("tapis", 20, 0+1) // there is no such index yet: PostgreSQL answers
	b.tell()
	b.finds("tapis", 20, 1)
	b.finds("tapsi", 20, 1) // mistyped
	b.finds("xylophone", 0, 1)
}

func TestMarketIsSearchableWhileTheServerIsDownAndTheIndexConverges(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.put(rugs(0, 20)...)
	b.tell()
	b.fake.set(func(f *fake) { f.deny = 1 }) // it fails in the middle of a write
	b.put(rugs(20, 40)...)
	if err := b.index.Tell(t.Context()); err == nil || !strings.Contains(err.Error(), "No space left") {
		t.Errorf("a task that fails later is told as %v", err)
	}
	b.fake.set(func(f *fake) { f.down = true })
	b.remove("off_0000")
	if err := b.index.Tell(t.Context()); err == nil {
		t.Error("a server that is down hears")
	}
	b.finds("tapis", 39, 0)
	b.fake.set(func(f *fake) { f.down = false })
	b.tell()
	if got := b.fake.size("tiwiza_offers"); got != 39 {
		t.Errorf("the server has %d documents, want 39", got)
	}
}

func TestSlowServerIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.put(rugs(0, 20)...)
	b.tell()
	hasty := b.join(meili.Options{URL: b.fake.URL, Key: b.fake.master, Patience: 30 * time.Millisecond})
	b.fake.set(func(f *fake) { f.slow = time.Second })
	began := time.Now()
	for range 10 {
		if r, err := hasty.Query(t.Context(), search.Query{Text: "tapis"}); err != nil || len(r.Hits) != 20 {
			t.Errorf("%d hits, %v", len(r.Hits), err)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("ten searches took %s", took)
	}
	if n := b.fake.count("search"); n > 3 {
		t.Errorf("a server that is slow three times is asked %d times", n)
	}
}

// TestPagesOfAServerThatLeavesAreReadOn turns pages before, without and after.
func TestPagesOfAServerThatLeavesAreReadOn(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.put(rugs(0, 50)...)
	b.tell()
	q := search.Query{Sort: search.Cheapest, Limit: 9}
	seen := map[string]bool{}
	for page := 0; ; page++ {
		b.fake.set(func(f *fake) { f.down = page == 2 })
		r, err := b.index.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range r.Hits {
			if seen[h.ID] {
				t.Errorf("%s is shown twice", h.ID)
			}
			seen[h.ID] = true
		}
		if q.Cursor = r.Next; q.Cursor == "" {
			break
		}
	}
	if len(seen) != 50 {
		t.Errorf("%d are shown, want 50", len(seen))
	}
}

func TestRebuildWhileOthersWriteLosesNothing(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.put(rugs(0, 30)...)
	b.tell()
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 30; n < 60; n++ {
			b.put(rugs(n, n+1)...)
			b.remove(fmt.Sprintf("off_%04d", n-30))
		}
	})
	for range 3 {
		if err := b.index.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r, err := b.index.Query(t.Context(), search.Query{}); err != nil || len(r.Hits) == 0 {
			t.Errorf("during a rebuild %d are found (%v)", len(r.Hits), err)
		}
	}
	wg.Wait()
	b.tell()
	if got := b.fake.size("tiwiza_offers"); got != 30 {
		t.Errorf("the server has %d documents, want 30", got)
	}
	if d, err := b.index.Compare(t.Context()); err != nil || d != (meili.Drift{}) {
		t.Errorf("it differs: %+v, %v", d, err)
	}
}

func TestRule3_9_DriftIsFoundAndMended(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.put(rugs(0, 10)...)
	b.tell()
	b.fake.set(func(f *fake) {
		docs := f.indexes["tiwiza_offers"].docs
		delete(docs, "off_0001")
		docs["off_0002"]["digest"] = "other"
		docs["off_ghost"] = map[string]any{"id": "off_ghost", "digest": "x"}
	})
	b.put(rugs(10, 11)...) // on its way, so no drift
	if d, err := b.index.Compare(t.Context()); err != nil || d != (meili.Drift{Missing: 1, Changed: 1, Extra: 1}) {
		t.Errorf("the drift is %+v, %v", d, err)
	}
	b.tell()
	if d, err := b.index.Compare(t.Context()); err != nil || d != (meili.Drift{}) || b.fake.size("tiwiza_offers") != 11 {
		t.Errorf("mended, it differs by %+v (%v), with %d documents", d, err, b.fake.size("tiwiza_offers"))
	}
}

func TestOneHubTellsTheServer(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.put(rugs(0, 3)...)
	b.tell()
	if err := b.join(meili.Options{URL: b.fake.URL, Key: b.fake.master}).Tell(t.Context()); !errors.Is(err, meili.ErrHeld) {
		t.Errorf("a second hub tells too: %v", err)
	}
}

func TestSearchesUseAKeyThatCanDoNothingElse(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.put(rugs(0, 20)...)
	b.tell()
	b.finds("tapis", 20, 1)
	b.fake.set(func(f *fake) {
		if len(f.keys) != 1 || len(list(f.keys[0]["actions"])) != 1 || f.keys[0]["actions"].([]any)[0] != "search" || list(f.keys[0]["indexes"])[0] != "tiwiza_offers" {
			t.Errorf("the server's keys are %v", f.keys)
		}
		f.master = "another" // the writer's key is good for nothing now, the searches' still is
	})
	b.finds("tapis", 20, 1)
	b.fake.set(func(f *fake) { f.keys = nil })
	b.finds("tapis", 20, 0)
}

// TestAServerThatIsAnotherIsSearchedAgain loses keys and index, as a server with a
// new disk does.
func TestAServerThatIsAnotherIsSearchedAgain(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.put(rugs(0, 20)...)
	b.tell()
	b.finds("tapis", 20, 1)
	b.fake.set(func(f *fake) { f.keys, f.indexes = nil, map[string]*fakeIndex{} })
	b.finds("tapis", 20, 0)
	b.tell()
	b.finds("tapis", 20, 1)
}

func TestHubsThatDoNotTellSearchWithTheNarrowKey(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.put(rugs(0, 20)...)
	b.tell()
	other := b.join(meili.Options{URL: b.fake.URL, Key: b.fake.master, Patience: 5 * time.Second})
	if err := other.Tell(t.Context()); !errors.Is(err, meili.ErrHeld) {
		t.Errorf("a second hub tells too: %v", err)
	}
	b.fake.set(func(f *fake) {
		if len(f.keys) != 1 {
			t.Errorf("two hubs made %d keys", len(f.keys))
		}
		f.master = "another"
	})
	b.index = other
	b.finds("tapis", 20, 1)
}

func TestTooLargeAPayloadIsHalved(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.tell()
	b.fake.set(func(f *fake) { f.most = 7 })
	b.put(rugs(0, 40)...)
	b.tell()
	if got := b.fake.size("tiwiza_offers"); got != 40 {
		t.Errorf("the server has %d documents, want 40", got)
	}
}

func TestMoreWordsThanAServerReadsArePostgreSQLs(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.put(rugs(0, 20)...)
	b.tell()
	b.finds("tapis rouge tapis rouge tapis rouge tapis rouge tapis rouge", 20, 1)
	b.finds("tapis rouge tapis rouge tapis rouge tapis rouge tapis rouge tapis", 20, 0)
}

// TestFakeRefusesWhatAServerRefuses keeps the fake honest.
func TestFakeRefusesWhatAServerRefuses(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.put(rugs(0, 1)...)
	b.tell()
	for _, c := range []struct{ method, path, body, code string }{
		{"POST", "/indexes/tiwiza_offers/search", `{"q":"x","matchingStrategy":"all","filter":["digest = \"x\""]}`, "invalid_search_filter"},
		{"POST", "/indexes/tiwiza_offers/search", `{"q":"x","matchingStrategy":"all","filter":["price is 3"]}`, "invalid_search_filter"},
		{"POST", "/indexes/tiwiza_offers/search", `{"q":"x","matchingStrategy":"all","sort":["category:asc"]}`, "invalid_search_sort"},
		{"POST", "/indexes/tiwiza_offers/search", `{"q":"x","matchingStrategy":"all","facets":["digest"]}`, "invalid_search_facets"},
		{"POST", "/indexes/tiwiza_offers/search", `{"q":"x","matchingStrategy":"all","order":1}`, "bad_request"},
		{"POST", "/indexes/nothing/search", `{"q":"x"}`, "index_not_found"},
		{"PATCH", "/indexes/tiwiza_offers/settings", `{"rankingRule":[]}`, "bad_request"},
		{"PATCH", "/indexes/tiwiza_offers/settings", `{"rankingRules":["best"]}`, "invalid_settings_ranking_rules"},
		{"POST", "/indexes/tiwiza_offers/documents", `[{"name":"no key"}]`, "later: missing_document_id"},
		{"POST", "/indexes/tiwiza_offers/documents", `[{"id":"a b"}]`, "later: invalid_document_id"},
		{"POST", "/indexes", `{"uid":"tiwiza_offers"}`, "later: index_already_exists"},
		{"POST", "/swap-indexes", `[{"indexes":["tiwiza_offers","nothing"]}]`, "later: index_not_found"},
		{"POST", "/keys", `{"actions":["search"],"indexes":["x"]}`, "missing_api_key_expires_at"},
		{"POST", "/keys", `{"actions":["look"],"indexes":["x"],"expiresAt":null}`, "invalid_api_key_actions"},
		{"PATCH", "/indexes/tiwiza_offers/settings", `{"sortableAttributes":"price"}`, "invalid_settings_sortable_attributes"},
		{"PATCH", "/indexes/tiwiza_offers/settings", `{"typoTolerance":{"on":false}}`, "invalid_settings_typo_tolerance"},
		{"PATCH", "/indexes/tiwiza_offers/settings", `{"pagination":{"most":3}}`, "invalid_settings_pagination"},
		{"PATCH", "/indexes/tiwiza_offers/settings", `{"synonyms":{"a":"b"}}`, "invalid_settings_synonyms"},
		{"POST", "/swap-indexes", `[{"indexes":["tiwiza_offers","tiwiza_offers"]}]`, "invalid_swap_duplicate_index_found"},
		{"POST", "/indexes/tiwiza_offers/search", `{"q":"x","matchingStrategy":"all","limit":-1}`, "invalid_search_limit"},
	} {
		if got := b.fake.ask(t, c.method, c.path, c.body); got != c.code {
			t.Errorf("%s %s %s is refused with %q, want %q", c.method, c.path, c.body, got, c.code)
		}
	}
}
