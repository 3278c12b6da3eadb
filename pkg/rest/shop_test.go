package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// A small shop of the tests' own.

type line struct {
	Offer    string `json:"offer" required:"true" minLength:"3"`
	Quantity int64  `json:"quantity" required:"true" minimum:"1" maximum:"100000"`
}

type contact struct {
	Name  string  `json:"name" required:"true" minLength:"2" maxLength:"80"`
	Phone string  `json:"phone" required:"true" pattern:"^\\+212[5-7][0-9]{8}$"`
	Email *string `json:"email,omitempty" format:"email"`
}

type buyInput struct {
	Shop    string            `path:"shop"`
	Note    string            `header:"X-Note" maxLength:"10"`
	Contact contact           `json:"contact" required:"true"`
	Lines   []line            `json:"lines" required:"true" minItems:"1" maxItems:"50"`
	Method  string            `json:"method" required:"true" enum:"card,cash_on_delivery" description:"How it is paid."`
	Tip     *money.Money      `json:"tip,omitempty"`
	Names   map[string]string `json:"names,omitempty"`
}

type sale struct {
	ID     string      `json:"id" required:"true"`
	Shop   string      `json:"shop" required:"true"`
	Total  money.Money `json:"total" required:"true"`
	Lines  []line      `json:"lines" required:"true"`
	Labels []string    `json:"labels" required:"true"`
	Note   *string     `json:"note" required:"true"`
}

type listInput struct {
	rest.Paging
	Shop   string     `path:"shop"`
	Labels []string   `query:"label" enum:"bio,igp"`
	Min    *float64   `query:"min" minimum:"0"`
	Open   bool       `query:"open"`
	Sort   string     `query:"sort" enum:"price,new" default:"new"`
	Since  *time.Time `query:"since"`
}

type echo struct {
	Limit  int      `json:"limit"`
	Cursor string   `json:"cursor"`
	Shop   string   `json:"shop"`
	Labels []string `json:"labels"`
	Min    *float64 `json:"min"`
	Open   bool     `json:"open"`
	Sort   string   `json:"sort"`
}

type uploadInput struct {
	File rest.File `body:"file"`
	Dry  bool      `query:"dry_run"`
}

type rawInput struct {
	Kind string   `path:"kind"`
	Sign string   `header:"Webhook-Signature"`
	Body rest.Raw `body:"raw"`
}

var errClosed = fault.New(fault.Conflict, "shop.closed", "The shop is closed; come back tomorrow.")

func buy(_ context.Context, in buyInput) (sale, error) {
	return sale{ID: "sal_1", Shop: in.Shop, Total: money.Dirhams(12350)}, nil
}

func fail(ctx context.Context, in struct {
	How string `path:"how"`
},
) (rest.None, error) {
	switch in.How {
	case "panic":
		panic("secret of the house")
	case "plain":
		return rest.None{}, errors.New("secret of the house")
	case "internal":
		return rest.None{}, fault.New(fault.Internal, "shop.broken", "secret of the house").At("/secret", "secret of the house")
	case "closed":
		return rest.None{}, errClosed.With(errors.New("secret of the house")).At("/lines/0", "Only 2 are left.")
	case "late":
		return rest.None{}, context.DeadlineExceeded
	case "hang":
		select {
		case <-ctx.Done():
			return rest.None{}, ctx.Err()
		case <-time.After(20 * time.Second):
		}
	}
	return rest.None{}, fault.New(fault.NotFound, "shop.none", "There is no such shop.")
}

func shop() []rest.Route {
	return []rest.Route{
		rest.Handle("POST", "/v1/shops/{shop}/sales", "shop.buy", "Buy", http.StatusCreated, buy),
		rest.Handle("GET", "/v1/shops/{shop}/sales", "shop.list", "List what was bought", http.StatusOK,
			func(_ context.Context, in listInput) (rest.Page[echo], error) {
				return rest.Cut([]echo{{in.Limit, in.Cursor, in.Shop, in.Labels, in.Min, in.Open, in.Sort}}, in.Limit, func(e echo) any { return e.Limit }), nil
			}, rest.Public()),
		rest.Handle("POST", "/v1/shops/{shop}/open", "shop.open", "Open the shop", http.StatusOK,
			func(_ context.Context, in struct {
				Shop string `path:"shop"`
			},
			) (echo, error) {
				return echo{Shop: in.Shop}, nil
			}),
		rest.Handle("POST", "/v1/imports", "shop.import", "Take in a file", http.StatusOK,
			func(_ context.Context, in uploadInput) (map[string]any, error) {
				return map[string]any{"name": in.File.Name, "type": in.File.ContentType, "text": string(in.File.Bytes), "dry": in.Dry}, nil
			}, rest.Body(2000)),
		rest.Handle("POST", "/callbacks/{kind}", "shop.callback", "Hear from a partner", http.StatusOK,
			func(_ context.Context, in rawInput) (rest.Text, error) {
				return rest.Text(in.Kind + "|" + in.Sign + "|" + in.Body.ContentType + "|" + string(in.Body.Bytes)), nil
			}, rest.Public()),
		rest.Handle("GET", "/v1/exports/sales.csv", "shop.export", "Everything that was bought", http.StatusOK,
			func(_ context.Context, _ rest.None) (rest.Blob, error) {
				return rest.Blob{ContentType: "text/csv; charset=utf-8", FileName: "sales.csv", Write: func(w io.Writer) error {
					_, err := io.WriteString(w, "id,total\n")
					return err
				}}, nil
			}, rest.Gives("text/csv")),
		rest.Handle("GET", "/v1/exports/everything.txt", "shop.stream", "All there is", http.StatusOK,
			func(_ context.Context, in struct {
				Lines int `query:"lines" default:"3" minimum:"0"`
			},
			) (rest.Stream, error) {
				return rest.Stream{ContentType: "text/plain; charset=utf-8", FileName: "all.txt", Write: func(ctx context.Context, w io.Writer) error {
					for range in.Lines {
						if _, err := io.WriteString(w, strings.Repeat("x", 99)+"\n"); err != nil {
							return err
						}
					}
					if in.Lines == 13 {
						return errors.New("it broke")
					}
					return ctx.Err()
				}}, nil
			}, rest.Public(), rest.Timeout(time.Nanosecond), rest.Gives("text/plain")),
		rest.Handle("POST", "/v1/failures/{how}", "shop.fail", "Fail", http.StatusOK, fail, rest.Timeout(time.Second)),
		rest.Handle("GET", "/v1/me", "shop.me", "Who is asking", http.StatusOK,
			func(ctx context.Context, _ rest.None) (map[string]string, error) {
				return map[string]string{"actor": auth.From(ctx).Actor()}, nil
			}, rest.Public()),
	}
}

// keys are API keys of the tests' members: one for each, two for the first.
var (
	amina, aminaToo, karim = auth.NewKey(), auth.NewKey(), auth.NewKey()
	members                = map[string]auth.Principal{
		amina.ID:    {Key: amina.ID, Subject: "org_a", Role: auth.Seller},
		aminaToo.ID: {Key: aminaToo.ID, Subject: "org_a", Role: auth.Seller},
		karim.ID:    {Key: karim.ID, Subject: "org_k", Role: auth.Seller},
	}
)

func edge() rest.Edge {
	return rest.Edge{
		Authenticate: func(_ context.Context, k auth.Key) (auth.Principal, error) {
			p, ok := members[k.ID]
			if !ok {
				return p, auth.ErrUnknown
			}
			return p, nil
		},
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			if action == "shop.open" && p.Subject == "org_k" {
				return "", fault.New(fault.Denied, "auth.denied", "You may not do this.")
			}
			return "policy", nil
		},
		Log: slog.New(slog.DiscardHandler),
	}
}

func mount(routes []rest.Route, e rest.Edge) http.Handler {
	mux := http.NewServeMux()
	rest.Mount(mux, routes, e)
	mux.Handle("/", rest.NotFound())
	return mux
}

// ask sends one request as amina, unless a header says else.
func ask(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+amina.String())
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func problemOf(t *testing.T, w *httptest.ResponseRecorder) rest.Problem {
	t.Helper()
	if got, want := w.Header().Get("Content-Type"), "application/problem+json"; got != want {
		t.Fatalf("%d %s is %s, want %s", w.Code, w.Body, got, want)
	}
	var p rest.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("problem %s: %v", w.Body, err)
	}
	if p.Status != w.Code || p.TraceID == "" || p.Detail == "" || p.Code == "" || p.Type == "" || p.Title == "" {
		t.Errorf("problem %s of status %d is not whole", w.Body, w.Code)
	}
	return p
}

const goodSale = `{"contact":{"name":"Example Buyer","phone":"+212612345678"},"lines":[{"offer":"off_1","quantity":2}],"method":"card"}`
