package catalog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/xuri/excelize/v2"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/media"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
	"tiwiza/search/pgsearch"
)

const xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// many is a file of n rows, each an offer of its own.
func many(n int) string {
	var b strings.Builder
	b.WriteString("offer_key,category,name_fr,sku,price,stock,commune\n")
	for i := range n {
		fmt.Fprintf(&b, "k%d,dates,Dattes numero%d,S%d,%d.50,%d,Erfoud\n", i, i, i, 10+i%90, 1+i%50)
	}
	return b.String()
}

// rows are an import's verdicts, page by page.
func (m *market) rows(imp, verdict string) (out []catalog.Outcome) {
	m.Helper()
	query := url.Values{"limit": {"100"}}
	if verdict != "" {
		query.Set("verdict", verdict)
	}
	for {
		var p rest.Page[catalog.Outcome]
		m.json(operatorKey, "GET", "/v1/imports/"+imp+"/rows?"+query.Encode(), "").as(http.StatusOK, &p)
		out = append(out, p.Data...)
		if p.Next == nil {
			return out
		}
		query.Set("cursor", *p.Next)
	}
}

// sums checks that each row of a file has one verdict, and the counts are theirs.
func (m *market) sums(r catalog.Report) {
	m.Helper()
	n := map[catalog.RowVerdict]int{}
	last := 0
	for _, o := range m.rows(r.ID, "") {
		if o.Row <= last {
			m.Errorf("row %d comes after %d", o.Row, last)
		}
		last = o.Row
		n[o.Verdict]++
	}
	want := map[catalog.RowVerdict]int{"created": r.Created, "updated": r.Updated, "unchanged": r.Unchanged, "rejected": r.RejectedRows}
	maps.DeleteFunc(want, func(_ catalog.RowVerdict, n int) bool { return n == 0 })
	if diff := cmp.Diff(want, n); diff != "" || r.Done != r.Rows || r.Created+r.Updated+r.Unchanged+r.RejectedRows != r.Rows {
		m.Errorf("%d of %d rows have a verdict (-counted +listed):\n%s", r.Done, r.Rows, diff)
	}
}

func (m *market) show(imp string) (r catalog.Report) {
	m.Helper()
	m.json(ourKey, "GET", "/v1/imports/"+imp, "").as(http.StatusOK, &r)
	return r
}

// catalogue is what a seller's export says, without whose it is.
func (m *market) catalogue(seller string) string {
	m.Helper()
	a := m.json(operatorKey, "GET", "/v1/exports/offers.csv?seller="+seller, "")
	if a.status != http.StatusOK {
		m.Fatalf("%d: %s", a.status, a.body)
	}
	return strings.ReplaceAll(string(a.body), seller, "")
}

// A dying context ends some statements later: whoever works in it is cut off in
// the middle, as by a kill.
type dying struct {
	context.Context
	mu   sync.Mutex
	left int
	done chan struct{}
}

func die(ctx context.Context, left int) *dying {
	return &dying{Context: ctx, left: left, done: make(chan struct{})}
}

// Done counts how often somebody asks.
func (d *dying) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left--; d.left == 0 {
		close(d.done)
	}
	return d.done
}

// Err is asked when Done is.
func (d *dying) Err() error {
	select {
	case <-d.done:
		return context.Canceled
	default:
		return d.Context.Err()
	}
}

// Whoever takes a file in may be cut off anywhere, and another goes on: the end is
// that of an import that nobody disturbed.
func TestAnImportThatIsCutOffGoesOnAndEndsRight(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	file := strings.Replace(many(2500), "k17,dates", "k17,cars", 1) + "k3,dates,,S3b,20,1,\n"
	whole := m.imports(otherKey, "", file)
	r := m.imports(ourKey, "?background=true", file)
	if r.State != catalog.ImportRunning || r.Created != 0 || r.Rows != 2501 {
		t.Fatalf("%+v", r)
	}
	cuts := 0
	for left := 30; m.show(r.ID).State == catalog.ImportRunning && cuts < 100; left += 20 {
		if err := m.s.Continue(die(as(t, operatorKey), left), r.ID); err != nil {
			cuts++
		}
	}
	got := m.show(r.ID)
	opts := cmpopts.IgnoreFields(catalog.Report{}, "ID", "Seller", "File", "CreatedAt", "FinishedAt")
	if diff := cmp.Diff(whole, got, opts); diff != "" || cuts < 2 {
		t.Errorf("cut off %d times (-undisturbed +got):\n%s", cuts, diff)
	}
	m.sums(got)
	if a, b := m.catalogue(others), m.catalogue(ours); a != b {
		t.Error("the catalogues differ")
	}
	m.whole()
}

// A look at a file that takes longer than one turn goes on where it stood, and still
// knows which SKUs the rows before would bring.
func TestALookThatIsCutOffGoesOnWhereItStood(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	file := strings.Replace(many(5000), "k17,dates", "k17,cars", 1) + "zz,dates,Dattes,S3,20,1,Erfoud\nyy,dates,Dattes,S17,20,1,Erfoud\n"
	whole := m.imports(otherKey, "?dry_run=true", file)
	r := m.imports(ourKey, "?dry_run=true&background=true", file)
	turns := 0
	for ; m.show(r.ID).State == catalog.ImportRunning && turns < 30; turns++ {
		_ = m.s.Continue(die(as(t, operatorKey), 110), r.ID) // each turn has as long, and is cut off
	}
	got := m.show(r.ID)
	opts := cmpopts.IgnoreFields(catalog.Report{}, "ID", "Seller", "File", "CreatedAt", "FinishedAt")
	if diff := cmp.Diff(whole, got, opts); diff != "" || turns < 2 || got.RejectedRows != 2 {
		t.Errorf("after %d turns (-undisturbed +got):\n%s", turns, diff)
	}
	m.sums(got)
}

// Two who go on with the same import do not do it twice.
func TestTwoWhoGoOnWithOneImportDoItOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	r := m.imports(ourKey, "?background=true", many(3000))
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := m.s.Continue(as(t, operatorKey), r.ID); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for m.show(r.ID).State == catalog.ImportRunning {
		if err := m.s.Continue(as(t, operatorKey), r.ID); err != nil {
			t.Fatal(err)
		}
	}
	got := m.show(r.ID)
	if got.Created != 3000 {
		t.Errorf("%+v", got)
	}
	m.sums(got)
	m.whole()
	n, err := pg.Value[int](t.Context(), m.db, nil, `select count(*) from catalog.stock_move`)
	if err != nil || n != 3000 {
		t.Errorf("%d changes of stock (%v), want 3000", n, err)
	}
}

// The same file twice at once is the same catalogue once.
func TestTheSameFileTwiceAtOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	var all sync.WaitGroup
	reports := make([]catalog.Report, 4)
	for i := range reports {
		all.Go(func() {
			var err error
			if reports[i], err = m.s.Import(as(t, ourKey), catalog.ImportInput{File: rest.File{Bytes: []byte(many(1500))}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	created, unchanged := 0, 0
	for _, r := range reports {
		created, unchanged = created+r.Created, unchanged+r.Unchanged
		m.sums(r)
	}
	if created != 1500 || unchanged != 3*1500 {
		t.Errorf("%d created and %d unchanged, want 1500 and 4500", created, unchanged)
	}
	m.whole()
}

// What a hub has begun and left is taken up by a job, at the hub's time.
func TestALeftImportIsTakenUpByAJob(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	timers, workers := job.NewTimers(m.db), job.NewWorkers()
	catalog.Timers(timers, m.s)
	catalog.Work(workers, m.s)
	r := m.imports(ourKey, "?background=true", many(900))
	pgtest.Work(t, m.db, workers, event.NewBus())
	if fired, err := timers.Due(t.Context()); err != nil || fired == 0 {
		t.Fatalf("%d timers fired (%v)", fired, err)
	}
	for end := time.Now().Add(time.Minute); m.show(r.ID).State == catalog.ImportRunning; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it is still running: %+v", m.show(r.ID))
		}
	}
	if got := m.show(r.ID); got.Created != 900 || got.FinishedAt == nil {
		t.Errorf("%+v", got)
	}
	if got := m.list("q=numero899"); len(got.Data) != 1 {
		t.Errorf("the last row is found %d times", len(got.Data))
	}
}

// Files and verdicts are kept for ninety days.
func TestWhatIsKeptOfAnImportGoes(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	timers := job.NewTimers(m.db)
	catalog.Timers(timers, m.s)
	r := m.imports(ourKey, "", goods)
	kept := func() (n int) {
		t.Helper()
		n, err := pg.Value[int](t.Context(), m.db, nil, `select (select count(*) from catalog.import_row) + (select count(*) from media.use)`)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, step := range []struct{ days, want int }{{89, 4}, {2, 0}} {
		if err := m.tx(func(tx *pg.Tx) error {
			_, err := clock.Advance(t.Context(), tx, time.Duration(step.days)*24*time.Hour)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := timers.Due(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := kept(); got != step.want {
			t.Errorf("%d rows are kept after %d more days, want %d", got, step.days, step.want)
		}
	}
	if got := m.show(r.ID); got.Created != 3 || got.File != "" {
		t.Errorf("%+v", got)
	}
}

func TestAnImportEndsWhenItsSellerIsSuspended(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	r := m.imports(ourKey, "?background=true", many(900))
	sus := m.sellers[ours]
	sus.Active = false
	m.sellers[ours] = sus
	if err := m.s.Continue(as(t, operatorKey), r.ID); err != nil {
		t.Fatal(err)
	}
	got := m.show(r.ID)
	if got.State != catalog.ImportFailed || got.Reason == "" || got.Done != 0 || got.FinishedAt == nil {
		t.Errorf("%+v", got)
	}
	m.call(ourKey, "POST", "/v1/imports", "text/csv", goods).refused(http.StatusForbidden, "catalog.seller_inactive")
}

// Both rows that have one reference say so, and one of them lands.
func TestAReferenceThatIsThereTwiceIsReportedOnBothRows(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	file := many(1200) + "k5,dates,,S5,99,1,\nother,dates,Dattes,S7,99,1,Erfoud\n"
	for _, query := range []string{"?dry_run=true", "", ""} {
		r := m.imports(ourKey, query, file)
		if diff := cmp.Diff([]string{"1202 /sku", "1203 /sku"}, verdicts(r)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
		m.sums(r)
		noted := map[int]int{}
		for _, o := range m.rows(r.ID, "") {
			for _, d := range o.Details {
				if d.Pointer == "/sku" {
					noted[o.Row]++
				}
			}
		}
		if diff := cmp.Diff(map[int]int{7: 1, 9: 1, 1202: 1, 1203: 1}, noted); diff != "" {
			t.Errorf("%q: notes (-want +got):\n%s", query, diff)
		}
	}
}

func TestImportsAreListedAndAreTheirSellersOwn(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	var ids []string
	for range 3 {
		ids = append(ids, m.imports(ourKey, "", goods).ID)
	}
	theirs := m.imports(otherKey, "", goods).ID
	list := func(query string) (out []string, next *string) {
		t.Helper()
		var p rest.Page[catalog.Report]
		m.json(ourKey, "GET", "/v1/imports?"+query, "").as(http.StatusOK, &p)
		for _, r := range p.Data {
			out = append(out, r.ID)
		}
		return out, p.Next
	}
	first, next := list("limit=2")
	rest, end := list("limit=2&cursor=" + *next)
	slices.Reverse(ids)
	if diff := cmp.Diff(ids, append(first, rest...)); diff != "" || end != nil {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, path := range []string{"", "/rows"} {
		m.json(ourKey, "GET", "/v1/imports/"+theirs+path, "").refused(http.StatusNotFound, "catalog.no_import")
		m.json(ourKey, "GET", "/v1/imports/imp_none"+path, "").refused(http.StatusNotFound, "catalog.no_import")
		m.json(operatorKey, "GET", "/v1/imports/"+theirs+path, "").as(http.StatusOK, nil)
		if a := m.json(buyerKey, "GET", "/v1/imports/"+theirs+path, ""); a.status != http.StatusForbidden {
			t.Errorf("a buyer is answered %d", a.status)
		}
	}
	m.json(ourKey, "GET", "/v1/imports?seller="+others, "").refused(http.StatusNotFound, "catalog.not_found")
	m.json(ourKey, "GET", "/v1/imports?cursor=x", "").refused(http.StatusBadRequest, "request.malformed", "?cursor")
	m.json(ourKey, "GET", "/v1/imports/"+ids[0]+"/rows?cursor=x", "").refused(http.StatusBadRequest, "request.malformed", "?cursor")
	m.json(ourKey, "GET", "/v1/exports/offers.xlsx?seller="+others, "").refused(http.StatusNotFound, "catalog.not_found")
}

// A workbook as a seller makes it: dates are numbers, prices have the noise of
// binary fractions, and a formula is what it last gave.
func TestAWorkbookIsACatalogue(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	book := excelize.NewFile()
	defer book.Close()
	tenth := 110.0
	for i, row := range [][]any{
		{"offer_key", "category", "name_fr", "sku", "price", "stock", "commune", "label", "label_issuer", "label_number", "label_from", "label_to", "weight_g"},
		{"argan", "oils", "Huile d’argane", "A1", tenth + 0.1, 5, "Taliouine", "IGP", "SDOQ", "EX-1", time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC), "31/12/2098", 480.0},
		{"miel", "honey", "=HYPERLINK(\"http://x\")", 6111800000000.0, "1 210,50", "", "Azrou"},
		{"tapis", "rugs", "Tapis", "6.1118E+12", 10, 1, "Azrou"},
	} {
		if err := book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if err := book.Write(&file); err != nil {
		t.Fatal(err)
	}
	var r catalog.Report
	m.call(ourKey, "POST", "/v1/imports", xlsx, file.String()).as(http.StatusCreated, &r)
	if diff := cmp.Diff([]string{"4 /sku"}, verdicts(r)); diff != "" || r.Created != 2 || r.Form != "xlsx" {
		t.Fatalf("%+v %s", r, diff)
	}
	var v catalog.View
	m.json(ourKey, "GET", "/v1/offers/"+m.list("q=argane").Data[0].ID, "").as(http.StatusOK, &v)
	if p := v.Variants[0]; p.Price.String() != "110.10 MAD" || p.WeightG != 480 || v.LabelsOwn[0].ValidFrom != "2024-01-31" || *v.LabelsOwn[0].ValidTo != "2098-12-31" {
		t.Errorf("%+v %+v", p, v.LabelsOwn)
	}
	m.json(ourKey, "GET", "/v1/offers/"+m.list("category=honey").Data[0].ID, "").as(http.StatusOK, &v)
	if v.Names["fr"] != `=HYPERLINK("http://x")` || v.Variants[0].SKU != "6111800000000" {
		t.Errorf("%+v", v)
	}
	again := m.json(ourKey, "GET", "/v1/exports/offers.xlsx", "")
	m.call(ourKey, "POST", "/v1/imports", xlsx, string(again.body)).as(http.StatusCreated, &r)
	if r.Unchanged != 2 || r.Rows != 2 {
		t.Errorf("the export of a workbook imports as %+v", r)
	}
}

// What a file says of an offer's state holds, as far as its rules allow.
func TestAFileMaySayAState(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	file := func(states ...string) string {
		s := "offer_key,category,name_fr,sku,price,stock,commune,state\n"
		for i, state := range states {
			s += fmt.Sprintf("k%d,dates,Dattes,S%d,10,1,Erfoud,%s\n", i, i, state)
		}
		return s
	}
	if r := m.imports(ourKey, "", file("draft", "published", "paused", "archived", "")); r.Created != 5 {
		t.Fatalf("%+v", r)
	}
	if n := len(m.list("").Data); n != 2 {
		t.Errorf("%d offers are found, want 2", n)
	}
	if r := m.imports(ourKey, "", file("draft", "published", "paused", "archived", "")); r.Unchanged != 5 {
		t.Errorf("%+v", r)
	}
	r := m.imports(ourKey, "", file("published", "paused", "draft", "published", "sold"))
	if diff := cmp.Diff([]string{"4 /state", "5 /offer_key", "6 /state"}, verdicts(r)); diff != "" || r.Updated != 2 {
		t.Errorf("%+v (-want +got):\n%s", r, diff)
	}
	m.whole()
}

// A hub that loses its storage for a moment says so, and nothing is half begun.
func TestAnImportNeedsItsFileKept(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	lost := catalog.New(m.db, pgsearch.Open(m.db, pgsearch.Options{}), m.sellers, media.New(m.db, blob.Over(nil), nil))
	if _, err := lost.Import(as(t, ourKey), catalog.ImportInput{File: rest.File{Bytes: []byte(goods)}}); !errors.Is(err, media.ErrUnreachable) {
		t.Errorf("an import whose file cannot be kept: %v", err)
	}
	if n, err := pg.Value[int](t.Context(), m.db, nil, `select count(*) from catalog.import`); err != nil || n != 0 {
		t.Errorf("%d imports stand (%v)", n, err)
	}
	if errors.Is(m.s.Continue(as(t, operatorKey), "imp_none"), catalog.ErrNoImport) {
		t.Error("going on with an import that is gone is an error")
	}
}
