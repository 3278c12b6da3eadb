package invariants_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
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

// due makes the next look due.
func (w *world) due() {
	w.t.Helper()
	w.sql(`update invariants.look set due = '-infinity'`)
}

// look takes a look that is due.
func (w *world) look(s *invariants.Service) {
	w.t.Helper()
	looked, err := s.Look(auth.With(w.t.Context(), auth.Hub), time.Minute)
	w.ok(err)
	if !looked {
		w.t.Fatal("the look was not due")
	}
}

func TestAnyoneSeesEachPromiseWithItsFigure(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	s := invariants.New(w.db)
	h := w.site(s)
	w.look(s)
	v := show(t, h)
	if len(v.Invariants) != len(invariants.All) || len(v.Guarantees) != len(invariants.Guarantees) || v.Violations != 0 ||
		time.Since(v.CheckedAt) > time.Minute || v.ProvedAt == nil {
		t.Fatalf("%d invariants and %d promises with %d violations at %s (seals %v), want all without any, now", len(v.Invariants), len(v.Guarantees), v.Violations, v.CheckedAt, v.ProvedAt)
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
	for _, g := range v.Guarantees {
		if live := len(g.Invariants) > 0; live != (g.Violations != nil) {
			t.Errorf("%s rests on %v, and has violations %v", g.ID, g.Invariants, g.Violations)
		}
		if (g.Of != "") != (g.Checked != nil) {
			t.Errorf("%s counts %q, and has %v", g.ID, g.Of, g.Checked)
		}
		if g.Of == "escrows" && *g.Checked != 5 {
			t.Errorf("%s was checked on %d escrows, want 5", g.ID, *g.Checked)
		}
	}
}

func TestABrokenPromiseIsShownUntilItIsMended(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	s := invariants.New(w.db)
	h := w.site(s)
	w.look(s)
	w.sql(`insert into ledger.hold (id, account_id, amount, remains, why) values ('x', ` + of("capital") + `, 7, 7, 'x')`)
	if v := show(t, h); v.Violations != 0 {
		t.Errorf("before the next look %d violations are shown, want the last look's", v.Violations)
	}
	var since time.Time
	for range 2 {
		w.due()
		w.look(s)
		v := show(t, h)
		if v.Violations != 1 {
			t.Errorf("%d violations in all, want 1", v.Violations)
		}
		for _, i := range v.Invariants {
			if want := map[bool]int{true: 1}[i.ID == "I5"]; i.Violations != want || (want > 0) != (i.Since != nil) {
				t.Errorf("%s has %d violations since %v, want %d", i.ID, i.Violations, i.Since, want)
			}
		}
		for _, g := range v.Guarantees {
			if g.ID != "books-add-up" {
				continue
			}
			if *g.Violations != 1 || g.Since == nil || !since.IsZero() && !g.Since.Equal(since) {
				t.Errorf("the books' promise has %d violations since %v, want 1 since %s", *g.Violations, g.Since, since)
			}
			since = *g.Since
		}
	}
	w.sql(`delete from ledger.hold where id = 'x'`)
	w.due()
	w.look(s)
	if v := show(t, h); v.Violations != 0 {
		t.Errorf("once mended %d violations are shown", v.Violations)
	}
}

func TestManyHubsShareOneLook(t *testing.T) {
	t.Parallel()
	w := open(t)
	var looks atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			looked, err := invariants.New(w.db).Look(auth.With(t.Context(), auth.Hub), time.Minute)
			if err != nil {
				t.Error(err)
			}
			if looked {
				looks.Add(1)
			}
		})
	}
	wg.Wait()
	if looks.Load() != 1 {
		t.Errorf("20 hubs at once took %d looks, want 1", looks.Load())
	}
}

func TestAFailedLookShowsTheOneBefore(t *testing.T) {
	t.Parallel()
	w := open(t)
	s := invariants.New(w.db)
	h := w.site(s)
	w.look(s)
	first := show(t, h)
	w.sql(`alter table recon.line rename to elsewhere`)
	w.due()
	if looked, err := s.Look(auth.With(t.Context(), auth.Hub), time.Minute); looked || err == nil {
		t.Errorf("a look at a broken schema: %t, %v", looked, err)
	}
	if v := show(t, h); !v.CheckedAt.Equal(first.CheckedAt) {
		t.Errorf("checked at %s, want the first look's %s", v.CheckedAt, first.CheckedAt)
	}
}

// The seals are read from their beginning once a day, their last blocks else.
func TestTheSealsAreProvedOnceADay(t *testing.T) {
	t.Parallel()
	w := open(t)
	s := invariants.New(w.db)
	proved := func() time.Time {
		w.due()
		w.look(s)
		r, err := s.Latest(t.Context())
		w.ok(err)
		return *r.ProvedAt
	}
	first := proved()
	if again := proved(); !again.Equal(first) {
		t.Errorf("proved again at %s, after %s", again, first)
	}
	w.sql(`update invariants.look set proved_at = proved_at - interval '25 hours'`)
	if later := proved(); !later.After(first) {
		t.Errorf("a day later proved at %s, as before", later)
	}
}

func TestAYoungHubSaysThatNobodyHasLooked(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	if _, err := invariants.New(open(t).db).Latest(ctx); !errors.Is(err, invariants.ErrNotYet) {
		t.Errorf("without a look: %v, want ErrNotYet", err)
	}
}
