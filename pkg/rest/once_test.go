package rest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// till is a shop whose only movement of money is one timer row for each sale.
type till struct {
	http.Handler
	db   *pg.Store
	runs atomic.Int64
	in   chan struct{} // a step says that it is at work
	on   chan struct{} // and waits for this
}

type payInput struct {
	Shop   string `path:"shop"`
	Dry    bool   `query:"dry_run"`
	Amount int64  `json:"amount" required:"true" minimum:"1"`
	How    string `json:"how,omitempty" enum:"refuse,panic,wait,break"`
}

type paid struct {
	Run    int64     `json:"run"`
	Amount int64     `json:"amount"`
	At     time.Time `json:"at"`
}

func newTill(t *testing.T) *till {
	t.Helper()
	s := &till{db: pgtest.New(t), in: make(chan struct{}), on: make(chan struct{})}
	e := edge()
	e.Store = s.db
	e.Limits = rest.Limits{Principal: -1}
	s.Handler = mount([]rest.Route{
		rest.Commit("POST", "/v1/shops/{shop}/payments", "shop.pay", "Pay", http.StatusCreated, s.pay),
		rest.Commit("POST", "/v1/shops/{shop}/tips", "shop.tip", "Tip", http.StatusCreated, s.pay),
	}, e)
	return s
}

func (s *till) pay(ctx context.Context, tx *pg.Tx, in payInput) (paid, error) {
	n := s.runs.Add(1)
	tx.Queue(`insert into platform.timer (kind, subject, due, next_at) values ('test.pay', $1, now(), now())`, fmt.Sprint(n))
	switch in.How {
	case "refuse":
		return paid{}, fault.New(fault.Conflict, "shop.refused", "Not now; try again.")
	case "panic":
		panic("the till broke")
	case "wait":
		if !s.wait() {
			return paid{}, errors.New("nobody waits for this step")
		}
	case "break":
		tx.Queue(`insert into platform.timer (kind) values (null)`)
	}
	return paid{n, in.Amount, tx.Now()}, nil
}

// wait holds a step until the test lets it go on.
func (s *till) wait() bool {
	patience := time.After(10 * time.Second)
	select {
	case s.in <- struct{}{}:
	case <-patience:
		return false
	}
	select {
	case <-s.on:
		return true
	case <-patience:
		return false
	}
}

// moved is how often money moved, by the database.
func (s *till) moved(t *testing.T) int64 {
	t.Helper()
	n, err := pg.Value[int64](t.Context(), s.db, errors.New("no count"), `select count(*) from platform.timer where kind = 'test.pay'`)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (s *till) post(path, key, body string, by auth.Key) *httptest.ResponseRecorder {
	return ask(s, "POST", path, body, "Idempotency-Key", key, "Authorization", "Bearer "+by.String())
}

const payments = "/v1/shops/s1/payments"

func TestSameKeyAndBodyMovesOnceAndAnswersTheSameBytes(t *testing.T) {
	t.Parallel()
	s := newTill(t)
	first := s.post(payments, "k1", `{"amount":5}`, amina)
	if first.Code != 201 || first.Header().Get("Idempotency-Replayed") != "" {
		t.Fatalf("got %d %s", first.Code, first.Body)
	}
	for _, key := range []string{"k1", `"k1"`} {
		for _, by := range []auth.Key{amina, aminaToo} { // two keys of one member
			again := s.post(payments, key, `{"amount":5}`, by)
			if again.Code != 201 || again.Body.String() != first.Body.String() || again.Header().Get("Idempotency-Replayed") != "true" ||
				again.Header().Get("Content-Type") != first.Header().Get("Content-Type") {
				t.Errorf("key %s by %s: got %d %s, want %s", key, by.ID, again.Code, again.Body, first.Body)
			}
		}
	}
	if got := s.moved(t); got != 1 {
		t.Errorf("money moved %d times, want once", got)
	}
}

func TestSameKeyForAnotherRequestIsRefused(t *testing.T) {
	t.Parallel()
	s := newTill(t)
	s.post(payments, "k1", `{"amount":5}`, amina)
	for name, w := range map[string]*httptest.ResponseRecorder{
		"another body":      s.post(payments, "k1", `{"amount":6}`, amina),
		"another path":      s.post("/v1/shops/s2/payments", "k1", `{"amount":5}`, amina),
		"another query":     s.post(payments+"?dry_run=true", "k1", `{"amount":5}`, amina),
		"another operation": s.post("/v1/shops/s1/tips", "k1", `{"amount":5}`, amina),
	} {
		if p := problemOf(t, w); w.Code != 422 || p.Code != "idempotency.reused" {
			t.Errorf("%s: got %d %s, want 422", name, w.Code, w.Body)
		}
	}
	if got := s.moved(t); got != 1 {
		t.Errorf("money moved %d times, want once", got)
	}
}

func TestKeyIsRequiredAndWellFormed(t *testing.T) {
	t.Parallel()
	s := newTill(t)
	long := make([]byte, 256)
	for i := range long {
		long[i] = 'k'
	}
	for _, key := range []string{"", " ", `""`, "a b", "é", string(long)} {
		w := s.post(payments, key, `{"amount":5}`, amina)
		if p := problemOf(t, w); w.Code != 400 || p.Code != "idempotency.missing" {
			t.Errorf("key %q: got %d %s, want 400", key, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest("POST", payments, http.NoBody)
	r.Header["Idempotency-Key"] = []string{"a", "b"}
	r.Header.Set("Authorization", "Bearer "+amina.String())
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != 400 {
		t.Errorf("two keys: got %d, want 400", w.Code)
	}
	if w := s.post(payments, string(long[1:]), `{"amount":5}`, amina); w.Code != 201 {
		t.Errorf("a key of 255: got %d %s", w.Code, w.Body)
	}
	if got := s.moved(t); got != 1 {
		t.Errorf("money moved %d times, want once", got)
	}
}

func TestAnotherMembersKeyIsAnotherKey(t *testing.T) {
	t.Parallel()
	s := newTill(t)
	a, k := s.post(payments, "k1", `{"amount":5}`, amina), s.post(payments, "k1", `{"amount":5}`, karim)
	if a.Code != 201 || k.Code != 201 || a.Body.String() == k.Body.String() || s.moved(t) != 2 {
		t.Errorf("got %s and %s, want two payments", a.Body, k.Body)
	}
}

func TestRaceOfFiftyMovesOnce(t *testing.T) {
	t.Parallel()
	s := newTill(t)
	var wg sync.WaitGroup
	answers := make([]*httptest.ResponseRecorder, 50)
	start := make(chan struct{})
	for i := range answers {
		wg.Go(func() {
			<-start
			answers[i] = s.post(payments, "k1", `{"amount":5}`, amina)
		})
	}
	close(start)
	wg.Wait()
	want := s.post(payments, "k1", `{"amount":5}`, amina).Body.String()
	made, replayed, busy := 0, 0, 0
	for _, w := range answers {
		switch {
		case w.Code == 201 && w.Body.String() == want && w.Header().Get("Idempotency-Replayed") == "":
			made++
		case w.Code == 201 && w.Body.String() == want:
			replayed++
		case w.Code == 409 && problemOf(t, w).Code == "idempotency.in_progress":
			busy++
		default:
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	}
	if made != 1 || s.moved(t) != 1 || s.runs.Load() != 1 {
		t.Errorf("%d made it, money moved %d times in %d runs; want once", made, s.moved(t), s.runs.Load())
	}
	t.Logf("%d made, %d replayed, %d busy", made, replayed, busy)
}

func TestWhileTheFirstRunsTheSecondIsToldToWait(t *testing.T) {
	t.Parallel()
	s := newTill(t)
	done := make(chan *httptest.ResponseRecorder)
	go func() { done <- s.post(payments, "k1", `{"amount":5,"how":"wait"}`, amina) }()
	<-s.in
	w := s.post(payments, "k1", `{"amount":5,"how":"wait"}`, amina)
	if p := problemOf(t, w); w.Code != 409 || p.Code != "idempotency.in_progress" || w.Header().Get("Retry-After") != "1" {
		t.Errorf("got %d %s, want 409 and Retry-After", w.Code, w.Body)
	}
	close(s.on)
	first := <-done
	if w = s.post(payments, "k1", `{"amount":5,"how":"wait"}`, amina); w.Code != 201 || w.Body.String() != first.Body.String() {
		t.Errorf("afterwards: got %d %s, want %s", w.Code, w.Body, first.Body)
	}
}

func TestWhatFailedCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		how    string
		status int
	}{{`{"amount":0}`, 422}, {`{"amount":5,"how":"refuse"}`, 409}, {`{"amount":5,"how":"panic"}`, 500}, {`{"amount":5,"how":"break"}`, 500}} {
		t.Run(c.how, func(t *testing.T) {
			t.Parallel()
			s := newTill(t)
			if w := s.post(payments, "k1", c.how, amina); w.Code != c.status {
				t.Fatalf("got %d %s, want %d", w.Code, w.Body, c.status)
			}
			if got := s.moved(t); got != 0 {
				t.Errorf("money moved %d times in a failure", got)
			}
			if w := s.post(payments, "k1", `{"amount":5}`, amina); w.Code != 201 || s.moved(t) != 1 {
				t.Errorf("trying again: got %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestCallerWhoLeftFindsTheAnswer(t *testing.T) {
	t.Parallel()
	s := newTill(t)
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := httptest.NewRequestWithContext(ctx, "POST", payments, strings.NewReader(`{"amount":5,"how":"wait"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k1")
		r.Header.Set("Authorization", "Bearer "+amina.String())
		s.ServeHTTP(httptest.NewRecorder(), r)
	}()
	<-s.in
	leave()
	close(s.on)
	<-done
	w := s.post(payments, "k1", `{"amount":5,"how":"wait"}`, amina)
	if w.Code != 201 || s.moved(t) != 1 {
		t.Errorf("got %d %s after %d movements, want 201 and one", w.Code, w.Body, s.moved(t))
	}
}

func TestForgottenKeyRunsAgain(t *testing.T) {
	t.Parallel()
	s := newTill(t)
	s.post(payments, "k1", `{"amount":5}`, amina)
	if n, err := rest.ForgetAnswers(t.Context(), s.db, time.Now().Add(-30*24*time.Hour)); err != nil || n != 0 {
		t.Errorf("forgot %d young answers (%v)", n, err)
	}
	if n, err := rest.ForgetAnswers(t.Context(), s.db, time.Now().Add(time.Hour)); err != nil || n != 1 {
		t.Errorf("forgot %d old answers (%v), want 1", n, err)
	}
	if w := s.post(payments, "k1", `{"amount":6}`, amina); w.Code != 201 || s.moved(t) != 2 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
