package audit_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

func TestTheTrailIsReadNewestFirstAndByWhatIsLookedFor(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := auth.With(t.Context(), auth.Principal{Key: "key_1", Subject: "org_1", Role: auth.Operator})
	for i := range 5 {
		err := db.InTx(ctx, func(tx *pg.Tx) error {
			audit.Record(tx, []string{"a.even", "a.odd"}[i%2], "org_"+strconv.Itoa(i), "p", map[string]int{"n": i})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	mux := http.NewServeMux()
	rest.Mount(mux, audit.Routes(db), rest.Edge{
		Store: db,
		Authenticate: func(context.Context, auth.Key) (auth.Principal, error) {
			return auth.Principal{Subject: "per_1", Role: auth.Operator}, nil
		},
		May: func(context.Context, auth.Principal, string) (string, error) { return "test", nil },
	})
	read := func(queries ...string) (subjects []string, next string) {
		t.Helper()
		q := url.Values{}
		for i := 0; i < len(queries); i += 2 {
			q.Set(queries[i], queries[i+1])
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/audit?"+q.Encode(), http.NoBody)
		r.Header.Set("Authorization", "Bearer "+auth.NewKey().String())
		mux.ServeHTTP(w, r)
		var p struct {
			Data []audit.View
			Next *string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusOK {
			t.Fatal(w.Code, w.Body, err)
		}
		for _, v := range p.Data {
			subjects = append(subjects, v.Subject)
		}
		if p.Next != nil {
			next = *p.Next
		}
		return subjects, next
	}
	all, next := read("limit", "3")
	if got := strings.Join(all, " "); got != "org_4 org_3 org_2" || next == "" {
		t.Errorf("the newest three are %s, next %q", got, next)
	}
	if older, next := read("limit", "3", "cursor", next); strings.Join(older, " ") != "org_1 org_0" || next != "" {
		t.Errorf("the rest are %v, next %q", older, next)
	}
	for _, c := range []struct {
		by   []string
		want string
	}{
		{[]string{"action", "a.odd"}, "org_3 org_1"},
		{[]string{"subject", "org_2"}, "org_2"},
		{[]string{"actor", "operator org_1/key_1", "action", "a.even"}, "org_4 org_2 org_0"},
		{[]string{"actor", "somebody"}, ""},
		{[]string{"until", "2000-01-01T00:00:00Z"}, ""},
		{[]string{"from", "2000-01-01T00:00:00Z", "subject", "org_0"}, "org_0"},
	} {
		if got, _ := read(c.by...); strings.Join(got, " ") != c.want {
			t.Errorf("%v finds %v, want %s", c.by, got, c.want)
		}
	}
}
