package catalog_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
	"tiwiza/search/pgsearch"
)

// counter counts the statements a store sends.
type counter struct{ n atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c *counter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (c *counter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) { c.n.Add(1) }
func (c *counter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// fill imports n offers of ours, of many kinds and places.
func fill(t testing.TB, s *catalog.Service, n int) {
	t.Helper()
	towns := []string{"Erfoud", "Taliouine", "Azrou", "Chefchaouen", "Essaouira", "Zagora", "Berkane", "Dakhla"}
	things := []string{"Huile d’argane", "Miel de thym", "Tapis noué", "Safran pur", "Plat en terre", "Dattes Majhoul", "Savon noir", "Couscous d’orge"}
	kinds := catalog.CategoryCodes()
	for from := 0; from < n; from += 5000 {
		var b strings.Builder
		b.WriteString("offer_key,category,name_fr,name_ar,description_fr,sku,weight_g,price,stock,commune,label,label_from,image\n")
		for i := from; i < min(n, from+5000); i++ {
			label := ""
			if i%4 == 0 {
				label = "IGP"
			}
			fmt.Fprintf(&b, "k%d,%s,%s numéro %d,منتج محلي رقم %d,Fait à la main par une coopérative de la région; quantité limitée.,S%d,500,%d.00,%d,%s,%s,2024-01-01,oil.svg\n",
				i, kinds[i%len(kinds)], things[i%len(things)], i, i, i, 20+i%900, i%40, towns[i%len(towns)], label)
		}
		ctx := auth.With(t.Context(), auth.Principal{Subject: ours, Role: auth.Seller})
		r, err := s.Import(ctx, catalog.ImportInput{File: rest.File{Bytes: []byte(b.String())}})
		if err != nil || len(r.Rejected) > 0 {
			t.Fatal(err, r.Rejected)
		}
	}
}

func TestRule3_8_ListSendsAFixedNumberOfStatements(t *testing.T) {
	t.Parallel()
	count := &counter{}
	db := pgtest.Open(t, pgtest.URL(t), pg.Options{MaxConns: 4, Tracer: count})
	db.Use(nil, event.NewBus())
	m := openMarket(t, db, time.Hour)
	fill(t, m.s, 120)
	for query, want := range map[string]int64{
		"limit=1": 2, "limit=100": 2, "category=dates&limit=50": 2, "near=30,-8&sort=distance": 2, "q=tapis&limit=3": 3, "q=tapis&sort=price": 3, // one says how to plan, in the same round trip
		"q=taips": 6, // looks for what was meant, then for that
	} {
		m.list(query) // the first time counts the facets
		before := count.n.Load()
		l := m.list(query)
		if got := count.n.Load() - before; got != want || len(l.Data) == 0 {
			t.Errorf("?%s shows %d offers with %d statements, want %d", query, len(l.Data), got, want)
		}
	}
}

// An import sends the same statements whatever rows a batch has, and each batch
// more sends the same again: none for a row.
func TestImportSendsAFixedNumberOfStatementsForABatch(t *testing.T) {
	t.Parallel()
	count := &counter{}
	db := pgtest.Open(t, pgtest.URL(t), pg.Options{MaxConns: 4, Tracer: count})
	db.Use(nil, event.NewBus())
	m := openMarket(t, db, time.Hour)
	sent := func(name string, rows int) int64 {
		t.Helper()
		before := count.n.Load()
		if r := m.imports(ourKey, "", dates(name, rows)); r.Created != rows {
			t.Fatalf("%d of %d rows are created: %+v", r.Created, rows, r.Rejected)
		}
		return count.n.Load() - before
	}
	sent("warm", 2) // statements are prepared, what is kept for a moment is read
	few, one := sent("few", 10), sent("one", 400)
	if one != few {
		t.Errorf("400 rows take %d statements, 10 take %d", one, few)
	}
	two, five := sent("two", 800), sent("five", 2000)
	if five-two != 3*(two-one) {
		t.Errorf("five batches take %d statements, two %d, one %d", five, two, one)
	}
}

// dates is a file of so many offers.
func dates(name string, rows int) string {
	var b strings.Builder
	b.WriteString("offer_key,category,name_fr,sku,price,stock,commune\n")
	for i := range rows {
		fmt.Fprintf(&b, "%s%d,Dattes,Dattes %s%d,%s%d,10.50,3,Erfoud\n", name, i, name, i, name, i)
	}
	return b.String()
}

// BenchmarkList is a page of 24 from 10,000 offers through the routes. It
// reports the processor time of the hub and of PostgreSQL for one request.
func BenchmarkList(b *testing.B) {
	url := pgtest.URL(b)
	db := pgtest.Open(b, url, pg.Options{MaxConns: 4})
	db.Use(nil, event.NewBus())
	s := catalog.New(db, pgsearch.Open(db, pgsearch.Options{}), organisations(), shelf(b, db))
	fill(b, s, 10_000)
	owner, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := owner.Exec(b.Context(), "analyze"); err != nil {
		b.Fatal(err)
	}
	owner.Close(b.Context())
	mux := http.NewServeMux()
	rest.Mount(mux, catalog.Routes(s), rest.Edge{
		Store: db, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Address: 1e9, AddressBurst: 1e9},
		May: func(context.Context, auth.Principal, string) (string, error) { return "", nil },
	})
	for _, query := range []string{
		"", "category=dates", "region=MA-09&sort=price", "q=numéro 77", "q=tapis", "q=tapis noué 42", "q=saffran",
		"label=IGP&sort=-price", "near=30.4,-9.6&radius_km=150&sort=distance", "near=30.4,-9.6&sort=distance", "min=100&max=200",
	} {
		b.Run("q:"+query, func(b *testing.B) {
			path := "/v1/offers?" + strings.ReplaceAll(query, " ", "%20")
			var spent [2]time.Duration
			spent[0], spent[1] = used(b, db)
			for b.Loop() {
				w := httptest.NewRecorder()
				mux.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), "GET", path, http.NoBody))
				if w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
			hub, server := used(b, db)
			b.ReportMetric(float64((hub-spent[0]).Microseconds())/float64(b.N)/1000, "hub-ms/op")
			b.ReportMetric(float64((server-spent[1]).Microseconds())/float64(b.N)/1000, "pg-ms/op")
		})
	}
}

// used is the processor time this program and the store's connections have
// used so far.
func used(b *testing.B, db *pg.Store) (hub, server time.Duration) {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	hub = time.Duration(r.Utime.Nano() + r.Stime.Nano())
	pids, err := pg.Column[int](b.Context(), db, `select pid from pg_stat_activity where datname = current_database()`)
	if err != nil {
		b.Fatal(err)
	}
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it ended, or there is no /proc here
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		for _, f := range fields[11:13] { // user and system time, in hundredths
			ticks, err := strconv.ParseInt(f, 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			server += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return hub, server
}
