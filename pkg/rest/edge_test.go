package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/rest"
)

func TestKindsAnswerTheirStatus(t *testing.T) {
	t.Parallel()
	kinds := map[fault.Kind]int{
		fault.Internal: 500, fault.Malformed: 400, fault.Unauthenticated: 401, fault.Denied: 403, fault.NotFound: 404,
		fault.Conflict: 409, fault.Invalid: 422, fault.Limited: 429, fault.Unavailable: 503,
	}
	for kind, want := range kinds {
		h := mount([]rest.Route{rest.Handle("GET", "/v1/x", "x.y", "", 200, func(context.Context, rest.None) (rest.None, error) {
			return rest.None{}, fmt.Errorf("doing it: %w", fault.New(kind, "x.wrong", "It is wrong."))
		})}, edge())
		w := ask(h, "GET", "/v1/x", "")
		if p := problemOf(t, w); w.Code != want || p.Code != "x.wrong" || kind != fault.Internal && p.Detail != "It is wrong." {
			t.Errorf("kind %d answers %d %s, want %d", kind, w.Code, w.Body, want)
		}
		if w.Code == 401 && w.Header().Get("WWW-Authenticate") == "" {
			t.Error("401 does not say how to sign in")
		}
		if w.Code == 503 && w.Header().Get("Retry-After") == "" {
			t.Error("503 does not say when to come back")
		}
	}
}

func TestCausesStayInTheLog(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]int{"panic": 500, "plain": 500, "internal": 500, "closed": 409, "late": 503, "none": 404} {
		var log bytes.Buffer
		e := edge()
		e.Log = slog.New(slog.NewJSONHandler(&log, nil))
		w := ask(mount(shop(), e), "POST", "/v1/failures/"+how, "")
		p := problemOf(t, w)
		if w.Code != want || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: got %d %s, want %d and no cause", how, w.Code, w.Body, want)
		}
		var line struct{ Route, Code, Actor, Cause string }
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatalf("%s: the log is not one line: %s", how, &log)
		}
		if line.Route != "shop.fail" || line.Code != p.Code || line.Actor != "seller org_a/"+amina.ID {
			t.Errorf("%s: logged %s", how, &log)
		}
		if how != "none" && how != "late" && !strings.Contains(line.Cause, "secret of the house") {
			t.Errorf("%s: the cause is not in the log: %s", how, &log)
		}
	}
}

func TestConflictSaysWhere(t *testing.T) {
	t.Parallel()
	p := problemOf(t, ask(mount(shop(), edge()), "POST", "/v1/failures/closed", ""))
	if p.Code != "shop.closed" || len(p.Errors) != 1 || p.Errors[0].Pointer != "/lines/0" {
		t.Errorf("got %+v", p)
	}
}

func TestPathsAndMethodsThatAreNotThere(t *testing.T) {
	t.Parallel()
	h := mount(shop(), edge())
	for _, c := range []struct {
		method, path string
		status       int
		code, allow  string
	}{
		{"GET", "/v1/nothing", 404, "request.no_such_path", ""},
		{"GET", "/v1/shops/s1/sales/more", 404, "request.no_such_path", ""},
		{"GET", "/elsewhere", 404, "request.no_such_path", ""},
		{"DELETE", "/v1/shops/s1/sales", 405, "request.method", "GET, HEAD, POST"},
		{"GET", "/v1/shops/s1/open", 405, "request.method", "POST"},
		{"OPTIONS", "/v1/shops/s1/open", 405, "request.method", "POST"},
		{"TRACE", "/v1/me", 405, "request.method", "GET, HEAD"},
	} {
		w := ask(h, c.method, c.path, "")
		if p := problemOf(t, w); w.Code != c.status || p.Code != c.code || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: got %d %s (Allow %q), want %d", c.method, c.path, w.Code, w.Body, w.Header().Get("Allow"), c.status)
		}
	}
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	t.Parallel()
	w := ask(mount(shop(), edge()), "HEAD", "/v1/me", "")
	if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "0" || w.Header().Get("Content-Length") == "" {
		t.Errorf("got %d %q of %s bytes", w.Code, w.Body, w.Header().Get("Content-Length"))
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	h := mount(shop(), edge())
	seen := map[string]bool{}
	for _, path := range []string{"/v1/me", "/v1/nothing", "/elsewhere"} {
		w := ask(h, "GET", path, "", "X-Request-Id", "theirs")
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		id := w.Header().Get("X-Request-Id")
		if id == "theirs" || !strings.HasPrefix(id, "req_") || seen[id] {
			t.Errorf("%s: X-Request-Id is %q", path, id)
		}
		seen[id] = true
	}
}

func TestWhoIsAsking(t *testing.T) {
	t.Parallel()
	h := mount(shop(), edge())
	for _, c := range []struct {
		name, path, header string
		status             int
		says               string
	}{
		{"a member", "/v1/me", "Bearer " + amina.String(), 200, "seller org_a/" + amina.ID},
		{"a visitor", "/v1/me", "", 200, "guest"},
		{"a wrong key, though visitors may ask", "/v1/me", "Bearer " + auth.NewKey().String(), 401, "auth.unknown"},
		{"no key at all", "/v1/me", "Bearer x", 401, "auth.unknown"},
		{"another scheme", "/v1/me", "Basic eDp5", 401, "auth.missing"},
		{"a visitor where a key is needed", "/v1/exports/sales.csv", "", 401, "auth.missing"},
		{"somebody who may not", "/v1/shops/s/open", "Bearer " + karim.String(), 403, "auth.denied"},
	} {
		method := "GET"
		if strings.HasSuffix(c.path, "open") {
			method = "POST"
		}
		w := ask(h, method, c.path, "", "Authorization", c.header, "X-User-Id", "org_boss", "X-Forwarded-User", "org_boss")
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: got %d %s, want %d and %s", c.name, w.Code, w.Body, c.status, c.says)
		}
	}
}

func TestBrokenLookUpIsNotAWrongKey(t *testing.T) {
	t.Parallel()
	e := edge()
	e.Authenticate = func(context.Context, auth.Key) (auth.Principal, error) {
		return auth.Principal{}, errors.New("no database")
	}
	if w := ask(mount(shop(), e), "GET", "/v1/me", ""); w.Code != 500 || strings.Contains(w.Body.String(), "no database") {
		t.Errorf("got %d %s, want 500 without the cause", w.Code, w.Body)
	}
}

func TestDenialComesBeforeReading(t *testing.T) {
	t.Parallel()
	w := ask(mount(shop(), edge()), "POST", "/v1/shops/s/open", "not JSON", "Authorization", "Bearer "+karim.String())
	if w.Code != 403 {
		t.Errorf("got %d, want 403 before 400", w.Code)
	}
}

func TestMembersHaveLimitsOfTheirOwn(t *testing.T) {
	t.Parallel()
	e := edge()
	e.Limits = rest.Limits{Principal: 0.001, PrincipalBurst: 3, Address: 0.001, AddressBurst: 2}
	h := mount(shop(), e)
	for i, c := range []struct {
		key    string
		status int
	}{
		{"Bearer " + amina.String(), 200},
		{"Bearer " + aminaToo.String(), 200},
		{"Bearer " + amina.String(), 200},
		{"Bearer " + aminaToo.String(), 429},
		{"Bearer " + karim.String(), 200},
		{"", 200},
		{"", 200},
		{"", 429},
	} {
		w := ask(h, "GET", "/v1/me", "", "Authorization", c.key, "X-Forwarded-For", fmt.Sprintf("10.0.0.%d", i))
		if w.Code != c.status {
			t.Fatalf("request %d: got %d %s, want %d", i, w.Code, w.Body, c.status)
		}
		if w.Header().Get("RateLimit") == "" || w.Header().Get("RateLimit-Policy") == "" {
			t.Errorf("request %d does not say where it stands", i)
		}
		if limited := w.Header().Get("Retry-After") != ""; limited != (c.status == 429) {
			t.Errorf("request %d: Retry-After is %q of status %d", i, w.Header().Get("Retry-After"), w.Code)
		}
	}
}

func TestGuessingKeysIsStopped(t *testing.T) {
	t.Parallel()
	e, asked := edge(), 0
	look := e.Authenticate
	e.Authenticate = func(ctx context.Context, k auth.Key) (auth.Principal, error) { asked++; return look(ctx, k) }
	e.Limits = rest.Limits{Refused: 0.001, RefusedBurst: 5}
	h := mount(shop(), e)
	last := 0
	for range 10 {
		last = ask(h, "GET", "/v1/me", "", "Authorization", "Bearer "+auth.NewKey().String()).Code
	}
	if last != 429 || asked != 5 {
		t.Errorf("ten wrong keys ended in %d after %d look-ups, want 429 after 5", last, asked)
	}
}

func TestMetricsCountByRouteAndStatus(t *testing.T) {
	t.Parallel()
	e, reg := edge(), prometheus.NewRegistry()
	e.Metrics = reg
	h := mount(shop(), e)
	mount(shop(), e) // a second time on the same registry
	ask(h, "GET", "/v1/me", "")
	ask(h, "POST", "/v1/failures/panic", "")
	families, err := reg.Gather()
	if err != nil || len(families) != 1 || len(families[0].GetMetric()) != 2 {
		t.Errorf("got %v (%v), want one histogram of two series", families, err)
	}
	mux := http.NewServeMux()
	rest.Health(mux, nil, reg, nil)
	text := ask(mux, "GET", "/metrics", "").Body.String()
	for _, want := range []string{`hub_http_request_seconds_count{route="shop.me",status="200"} 1`, `hub_http_request_seconds_count{route="shop.fail",status="500"} 1`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in the metrics", want)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	broken, mux := false, http.NewServeMux()
	rest.Health(mux, []rest.Check{
		{Name: "database", Required: true, Run: func(context.Context) error {
			if broken {
				return errors.New("secret address")
			}
			return nil
		}},
		{Name: "partners", Run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
	}, prometheus.NewRegistry(), []byte(`{"openapi":"3.1.0"}`))
	get := func(path string) *httptest.ResponseRecorder { return ask(mux, "GET", path, "") }
	if w := get("/readyz"); w.Code != 200 || !strings.Contains(w.Body.String(), `"database":"ok"`) || strings.Contains(w.Body.String(), `"partners":"ok"`) {
		t.Errorf("ready: got %d %s", w.Code, w.Body)
	}
	broken = true
	if w := get("/readyz"); w.Code != 503 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("not ready: got %d %s", w.Code, w.Body)
	}
	if w := get("/livez"); w.Code != 200 {
		t.Errorf("a hub without a database is dead: %d", w.Code)
	}
	if w := get("/openapi.json"); w.Code != 200 || w.Body.String() != `{"openapi":"3.1.0"}` {
		t.Errorf("document: got %d %s", w.Code, w.Body)
	}
}

func TestCursorsComeBackAndOthersAreRefused(t *testing.T) {
	t.Parallel()
	type at struct{ Seq int64 }
	page := rest.Cut([]int64{9, 8, 7}, 2, func(last int64) any { return at{last} })
	if len(page.Data) != 2 || page.Next == nil {
		t.Fatalf("got %+v, want two and a cursor", page)
	}
	var got at
	if err := rest.DecodeCursor(*page.Next, &got); err != nil || got.Seq != 8 {
		t.Errorf("came back as %+v (%v), want 8", got, err)
	}
	for _, wrong := range []string{"!", "x", "bnVsbA=", rest.EncodeCursor("text"), rest.EncodeCursor([]int{1})} {
		err := rest.DecodeCursor(wrong, &got)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Malformed || f.Details[0].Pointer != "?cursor" {
			t.Errorf("%q: got %v, want ErrCursor", wrong, err)
		}
	}
	if b, _ := json.Marshal(rest.Cut[int](nil, 5, nil)); string(b) != `{"data":[],"next":null}` {
		t.Errorf("an empty page is %s", b)
	}
}

func TestExportIsOfferedForSaving(t *testing.T) {
	t.Parallel()
	w := ask(mount(shop(), edge()), "GET", "/v1/exports/sales.csv", "")
	if w.Code != 200 || w.Body.String() != "id,total\n" || w.Header().Get("Content-Disposition") != "attachment; filename=sales.csv" || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("got %d %q %v", w.Code, w.Body, w.Header())
	}
}

func TestAStreamIsWrittenWhileItIsRead(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(mount(shop(), edge()))
	defer srv.Close()
	get := func(query string) (*http.Response, int64, error) {
		r, err := srv.Client().Get(srv.URL + "/v1/exports/everything.txt?lines=" + query)
		if err != nil {
			return nil, 0, err
		}
		defer r.Body.Close()
		n, err := io.Copy(io.Discard, r.Body)
		return r, n, err
	}
	r, n, err := get("100000") // 10 MB
	if err != nil || n != 10_000_000 || r.StatusCode != 200 || r.Header.Get("Content-Disposition") != "attachment; filename=all.txt" || r.ContentLength != -1 {
		t.Errorf("got %d bytes (%v), %d %v", n, err, r.StatusCode, r.Header)
	}
	if _, n, err := get("13"); err == nil {
		t.Errorf("a stream that broke looks whole, of %d bytes", n)
	}
	if w := ask(mount(shop(), edge()), "HEAD", "/v1/exports/everything.txt", ""); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD answers %d with %d bytes", w.Code, w.Body.Len())
	}
}

func TestAStepThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	began := time.Now()
	w := ask(mount(shop(), edge()), "POST", "/v1/failures/hang", "")
	if took := time.Since(began); w.Code != 503 || took > 10*time.Second {
		t.Errorf("got %d after %s, want 503 after a second", w.Code, took)
	}
}

// A home has a whole /64, and so one limit; the next home has its own.
func TestAHomeHasOneLimit(t *testing.T) {
	t.Parallel()
	e := edge()
	e.Limits = rest.Limits{Address: 0.001, AddressBurst: 1}
	h := mount(shop(), e)
	for _, c := range []struct {
		from   string
		status int
	}{
		{"[2001:db8:0:1::1]:5000", 200},
		{"[2001:db8:0:1:ffff::2]:5000", 429},
		{"[2001:db8:0:2::1]:5000", 200},
	} {
		r := httptest.NewRequest("GET", "/v1/me", nil)
		r.RemoteAddr = c.from
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: got %d, want %d", c.from, w.Code, c.status)
		}
	}
}

// A proxy or an office has one address for many members: wrong keys from there
// do not lock out the right ones.
func TestWrongKeysLockNoRightOneOut(t *testing.T) {
	t.Parallel()
	h := mount(shop(), edge())
	if w := ask(h, "GET", "/v1/me", ""); w.Code != 200 {
		t.Fatalf("got %d", w.Code)
	}
	limited := false
	for range 60 {
		w := ask(h, "GET", "/v1/me", "", "Authorization", "Bearer "+auth.NewKey().String())
		limited = limited || w.Code == 429
	}
	if !limited {
		t.Error("wrong keys are never stopped")
	}
	if w := ask(h, "GET", "/v1/me", ""); w.Code != 200 {
		t.Errorf("the right key gets %d after wrong ones, want 200", w.Code)
	}
}

func TestANumberWithoutEndIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	w := ask(mount(shop(), edge()), "POST", "/v1/shops/s/sales", `{"quantity":`+strings.Repeat("9", 100_000)+`}`)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "too long") {
		t.Errorf("got %d %.200s", w.Code, w.Body)
	}
}
