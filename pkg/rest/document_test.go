package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

func document(t testing.TB, routes []rest.Route) []byte {
	t.Helper()
	b, err := rest.Document(rest.Info{Title: "Shop", Version: "1.0.0", Description: "A shop of the tests."}, routes)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func withCommit() []rest.Route {
	return append(shop(), rest.Commit("POST", "/v1/shops/{shop}/orders", "shop.order", "Order", http.StatusCreated,
		func(_ context.Context, _ *pg.Tx, in buyInput) (rest.Page[sale], error) { return rest.Page[sale]{}, nil }))
}

func TestDocumentIsOpenAPI(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(document(t, withCommit()))
	if err != nil {
		t.Fatal(err)
	}
	if !doc.IsOpenAPI31OrLater() {
		t.Errorf("the document is of version %s, want 3.1", doc.OpenAPI)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDocumentIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	first := document(t, withCommit())
	for range 20 {
		if !bytes.Equal(first, document(t, withCommit())) {
			t.Fatal("two documents of the same rows differ")
		}
	}
}

func TestDocumentSaysWhatRowsSay(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(document(t, withCommit()))
	if err != nil {
		t.Fatal(err)
	}
	order, list := doc.Paths.Find("/v1/shops/{shop}/orders").Post, doc.Paths.Find("/v1/shops/{shop}/sales").Get
	if order.OperationID != "shop.order" || !slices.Equal(order.Tags, []string{"shop"}) {
		t.Errorf("got %s in %v", order.OperationID, order.Tags)
	}
	if p := order.Parameters.GetByInAndName("header", "Idempotency-Key"); p == nil || !p.Required {
		t.Error("a Commit row does not ask for its Idempotency-Key")
	}
	if p := list.Parameters.GetByInAndName("query", "limit"); p == nil || p.Required || p.Schema.Value.Default != float64(24) || *p.Schema.Value.Max != 100 {
		t.Errorf("limit is %+v", p)
	}
	if got := list.Parameters.GetByInAndName("query", "label").Schema.Value.Items.Value.Enum; len(got) != 2 {
		t.Errorf("labels are one of %v, want two", got)
	}
	if len(*order.Security) != 1 || len(*list.Security) != 2 {
		t.Error("only a public row can be asked without a key")
	}
	for _, status := range []string{"400", "401", "403", "409", "413", "415", "422", "429", "default"} {
		if order.Responses.Value(status) == nil {
			t.Errorf("%s is not in the document", status)
		}
	}
	for _, kind := range []string{"text/csv", "multipart/form-data"} {
		if doc.Paths.Find("/v1/imports").Post.RequestBody.Value.Content[kind] == nil {
			t.Errorf("an import cannot be %s", kind)
		}
	}
	for path, kind := range map[string]string{"/v1/exports/sales.csv": "text/csv", "/callbacks/{kind}": "text/plain"} {
		for _, op := range doc.Paths.Find(path).Operations() {
			if op.Responses.Status(200).Value.Content[kind] == nil {
				t.Errorf("%s does not answer %s", path, kind)
			}
		}
	}
}

func TestOnlyWhatRequestsReachIsClosed(t *testing.T) {
	t.Parallel()
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				AdditionalProperties any `json:"additionalProperties"`
			}
		}
	}
	if err := json.Unmarshal(document(t, withCommit()), &doc); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for name, s := range doc.Components.Schemas {
		got[name] = s.AdditionalProperties == false
	}
	want := map[string]bool{
		"TestBuyInput": true, "TestContact": true, "TestLine": true, "Money": true,
		"Detail": false, "Problem": false, "TestEcho": false, "TestSale": false, "RestEchoPage": false, "RestSalePage": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTwoRowsOfOneNameAreRefused(t *testing.T) {
	t.Parallel()
	if _, err := rest.Document(rest.Info{}, append(shop(), shop()[0])); err == nil {
		t.Error("two rows of one name were taken")
	}
}

func TestRowsThatCannotBeReadPanic(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(){
		"no field for {a}": func() { rest.Handle("GET", "/v1/{a}", "x.y", "", 200, use[rest.None]) },
		"no {a} for a field": func() {
			rest.Handle("GET", "/v1/b", "x.y", "", 200, use[struct {
				A string `path:"a"`
			}])
		},
		"a field from nowhere": func() { rest.Handle("GET", "/v1/b", "x.y", "", 200, use[struct{ A string }]) },
		"a struct in the query": func() {
			rest.Handle("GET", "/v1/b", "x.y", "", 200, use[struct {
				A struct{} `query:"a"`
			}])
		},
		"two bodies": func() {
			rest.Handle("POST", "/v1/b", "x.y", "", 200, use[struct {
				A string    `json:"a"`
				B rest.File `body:"file"`
			}])
		},
		"a public Commit row": func() {
			rest.Commit("POST", "/v1/b", "x.y", "", 200, func(context.Context, *pg.Tx, rest.None) (rest.None, error) { return rest.None{}, nil }, rest.Public())
		},
		"a Commit row that answers text": func() {
			rest.Commit("POST", "/v1/b", "x.y", "", 200, func(context.Context, *pg.Tx, rest.None) (rest.Text, error) { return "", nil })
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: did not panic", name)
				}
			}()
			make()
		}()
	}
}

func use[In any](context.Context, In) (rest.None, error) { return rest.None{}, nil }
