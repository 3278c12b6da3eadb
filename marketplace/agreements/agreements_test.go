package agreements_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/marketplace/agreements"
	"tiwiza/pkg/event"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

func open(t *testing.T) (*pg.Store, *agreements.Service) {
	t.Helper()
	db := pgtest.New(t)
	runner, err := job.NewRunner(db, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	db.Use(runner.Jobs(), event.NewBus())
	return db, agreements.New(db)
}

func deal(until time.Time) agreements.Agreement {
	return agreements.Agreement{
		Kind: "quotation", Source: id.New("src"), Seller: id.New(id.Organisation), Buyer: id.New(id.Person), Until: until,
		Lines: []agreements.Line{{Variant: id.New(id.Variant), Least: 1, Most: 3, Price: 100}},
	}
}

func TestWhatCannotBeAgreedOnIsRefused(t *testing.T) {
	t.Parallel()
	now := time.Now()
	if err := deal(now.Add(time.Hour)).Check(now); err != nil {
		t.Fatalf("what can be is refused: %v", err)
	}
	for pointer, change := range map[string]func(*agreements.Agreement){
		"/lines":              func(a *agreements.Agreement) { a.Lines = nil },
		"/lines/0/variant":    func(a *agreements.Agreement) { a.Lines[0].Variant = "var_x" },
		"/lines/1/variant":    func(a *agreements.Agreement) { a.Lines = append(a.Lines, a.Lines[0]) },
		"/lines/0/quantity":   func(a *agreements.Agreement) { a.Lines[0].Least = 4 },
		"/lines/0/price":      func(a *agreements.Agreement) { a.Lines[0].Price = 0 },
		"/delivery/method":    func(a *agreements.Agreement) { a.Delivery = &agreements.Delivery{Method: "relay"} },
		"/delivery/amount":    func(a *agreements.Agreement) { a.Delivery = &agreements.Delivery{Method: "own", Amount: -1} },
		"/delivery/lead_days": func(a *agreements.Agreement) { a.Delivery = &agreements.Delivery{Method: "own", LeadDays: 61} },
		"/until":              func(a *agreements.Agreement) { a.Until = now },
	} {
		a := deal(now.Add(time.Hour))
		change(&a)
		var wrong *fault.Error
		if err := a.Check(now); !errors.As(err, &wrong) || wrong.Code != agreements.ErrInvalid.Code || wrong.Details[0].Pointer != pointer {
			t.Errorf("%s: %v", pointer, err)
		}
	}
}

// Of twenty orders at once, and somebody who ends it, one has the agreement.
func TestRule3_7_OneOrderOrItsEndHasAnAgreement(t *testing.T) {
	t.Parallel()
	db, s := open(t)
	for range 5 {
		var a agreements.Agreement
		err := db.InTx(t.Context(), func(tx *pg.Tx) (err error) {
			a, err = s.Make(t.Context(), tx, deal(tx.Now().Add(time.Hour)))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var used, ended atomic.Int32
		for range 20 {
			wg.Go(func() {
				err := db.InTx(t.Context(), func(tx *pg.Tx) error { return s.Use(t.Context(), tx, a, id.New(id.Order)) })
				if err == nil {
					used.Add(1)
				} else if !errors.Is(err, agreements.ErrUsed) {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			err := db.InTx(t.Context(), func(tx *pg.Tx) error { _, err := s.End(t.Context(), tx, a.ID); return err })
			if err == nil {
				ended.Add(1)
			} else if !errors.Is(err, agreements.ErrUsed) {
				t.Error(err)
			}
		})
		wg.Wait()
		if used.Load()+ended.Load() != 1 {
			t.Errorf("used %d times and ended %d times", used.Load(), ended.Load())
		}
	}
}

// Of one source there is one agreement, and what has ended stays so.
func TestASourceHasOneAgreementAndItsEndIsTheEnd(t *testing.T) {
	t.Parallel()
	db, s := open(t)
	in := func(f func(ctx context.Context, tx *pg.Tx) error) error {
		return db.InTx(t.Context(), func(tx *pg.Tx) error { return f(t.Context(), tx) })
	}
	var a agreements.Agreement
	if err := in(func(ctx context.Context, tx *pg.Tx) (err error) {
		a, err = s.Make(ctx, tx, deal(tx.Now().Add(time.Hour)))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	twice := deal(a.Until)
	twice.Source = a.Source
	if err := in(func(ctx context.Context, tx *pg.Tx) error { _, err := s.Make(ctx, tx, twice); return err }); !errors.Is(err, agreements.ErrUsed) {
		t.Errorf("a second agreement of a source: %v", err)
	}
	for range 2 {
		if err := in(func(ctx context.Context, tx *pg.Tx) error { _, err := s.End(ctx, tx, a.ID); return err }); err != nil {
			t.Errorf("ending it: %v", err)
		}
	}
	if err := in(func(ctx context.Context, tx *pg.Tx) error { return s.Use(ctx, tx, a, id.New(id.Order)) }); !errors.Is(err, agreements.ErrUsed) {
		t.Errorf("used after its end: %v", err)
	}
	if _, err := db.Exec(t.Context(), `update agreements.agreement set state = 'open' where id = $1`, a.ID); pg.Code(err) != "23514" {
		t.Errorf("the database opens it again: %v", err)
	}
}
