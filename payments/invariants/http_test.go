package invariants_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"tiwiza/payments/invariants"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/rest"
)

// show asks for the guarantees as a visitor.
func show(t *testing.T, h http.Handler) (v invariants.GuaranteesView) {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/v1/guarantees", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func (w *world) site(s *invariants.Service) http.Handler {
	mux := http.NewServeMux()
	rest.Mount(mux, invariants.Routes(s), rest.Edge{
		Store: w.db, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Principal: -1, Address: -1},
		Authenticate: func(context.Context, auth.Key) (auth.Principal, error) { return auth.Nobody, nil },
		May:          func(context.Context, auth.Principal, string) (string, error) { return "test", nil },
	})
	return mux
}

func TestAnyoneSeesEachPromiseWithItsFigure(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	s := invariants.New(w.db)
	h := w.site(s)
	v := show(t, h)
	if len(v.Guarantees) != len(invariants.All) || v.Violations != 0 || time.Since(v.CheckedAt) > time.Minute {
		t.Fatalf("%d promises with %d violations at %s, want %d without any, now", len(v.Guarantees), v.Violations, v.CheckedAt, len(invariants.All))
	}
	f := v.Figures
	for name, x := range map[string][2]string{
		"charged": {f.Charged.String(), "340.00 MAD"}, "held": {f.Held.String(), "70.00 MAD"}, "released": {f.Released.String(), "270.00 MAD"},
		"in flight": {f.InFlight.String(), "20.00 MAD"}, "paid out": {f.PaidOut.String(), "120.00 MAD"}, "fees": {f.Fees.String(), "27.00 MAD"},
		"payable": {f.Payable.String(), "80.60 MAD"},
	} {
		if x[0] != x[1] {
			t.Errorf("%s is %s, want %s", name, x[0], x[1])
		}
	}
	if f.Orders != 5 || f.Matched != 8 || f.Unmatched != 1 {
		t.Errorf("%d orders, %d lines matched and %d not; want 5, 8 and 1", f.Orders, f.Matched, f.Unmatched)
	}
	w.sql(`update ledger.balance set held = 7 where account_id = ` + of("capital"))
	if v := show(t, h); v.Violations != 0 {
		t.Errorf("a second look within the moment finds %d violations, want the first look's", v.Violations)
	}
	invariants.Age(s)
	v = show(t, h)
	for _, g := range v.Guarantees {
		if want := map[bool]int{true: 1}[g.ID == "I5"]; g.Violations != want {
			t.Errorf("%s has %d violations, want %d", g.ID, g.Violations, want)
		}
	}
	if v.Violations != 1 {
		t.Errorf("%d violations in all, want 1", v.Violations)
	}
}

func TestManyVisitorsShareOneLook(t *testing.T) {
	t.Parallel()
	w := open(t)
	h := w.site(invariants.New(w.db))
	var all sync.Map
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { all.Store(show(t, h).CheckedAt, true) })
	}
	wg.Wait()
	looks := 0
	all.Range(func(any, any) bool { looks++; return true })
	if looks != 1 {
		t.Errorf("50 visitors at once made %d looks, want 1", looks)
	}
}

func TestAFailedLookShowsTheOneBefore(t *testing.T) {
	t.Parallel()
	w := open(t)
	s := invariants.New(w.db)
	h := w.site(s)
	first := show(t, h)
	w.sql(`alter table recon.line rename to elsewhere`)
	invariants.Age(s)
	if v := show(t, h); !v.CheckedAt.Equal(first.CheckedAt) {
		t.Errorf("checked at %s, want the first look's %s", v.CheckedAt, first.CheckedAt)
	}
}
