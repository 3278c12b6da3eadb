package catalog_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

func TestAnOfferFromDraftToArchive(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	var v catalog.View
	m.json(ourKey, "POST", "/v1/offers", create).as(http.StatusCreated, &v)
	if v.State != catalog.Draft || v.Region != "MA-09" || v.Point == nil || v.Key != "argan" || len(v.Variants) != 2 || *v.Variants[0].OnHand != 5 {
		t.Fatalf("created %+v", v)
	}
	at := "/v1/offers/" + v.ID
	m.json(auth.Key{}, "GET", at, "").refused(http.StatusNotFound, "catalog.not_found")
	if l := m.list(""); len(l.Data) != 0 {
		t.Errorf("a draft is listed: %+v", l.Data)
	}
	m.json(ourKey, "POST", at+"/publish", "{}").as(http.StatusOK, &v)
	m.json(ourKey, "POST", at+"/publish", "").as(http.StatusOK, &v) // twice is harmless
	if l := m.list("q=argane"); len(l.Data) != 1 || v.Version != 2 {
		t.Errorf("published as version %d, found %+v", v.Version, l.Data)
	}
	m.json(ourKey, "POST", at+"/pause", "").as(http.StatusOK, &v)
	if l := m.list("q=argane"); len(l.Data) != 0 || v.State != catalog.Paused {
		t.Errorf("%s, found %+v", v.State, l.Data)
	}
	m.json(auth.Key{}, "GET", at, "").refused(http.StatusNotFound, "catalog.not_found")
	m.json(ourKey, "POST", at+"/publish", "").as(http.StatusOK, nil)
	m.json(ourKey, "POST", at+"/archive", "").as(http.StatusOK, &v)
	m.json(ourKey, "POST", at+"/publish", "").refused(http.StatusConflict, "catalog.wrong_state")
	m.json(operatorKey, "GET", at, "").as(http.StatusOK, &v)
	if v.State != catalog.Archived {
		t.Errorf("state %s, want archived", v.State)
	}
}

func TestVisitorsSeeWhatIsPublic(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	made := m.offer()
	var v catalog.View
	m.json(auth.Key{}, "GET", "/v1/offers/"+made.ID, "").as(http.StatusOK, &v)
	if v.Key != "" || v.Variants[0].OnHand != nil || v.Variants[0].Available != 5 || v.Seller.Names["fr"] == "" {
		t.Errorf("a visitor sees %+v", v)
	}
	if len(v.Labels) != 1 || v.Labels[0].Code != "IGP Argane" {
		t.Errorf("labels %+v, want only the one in date", v.Labels)
	}
	if len(v.Images) != 1 || v.Images[0] != (catalog.ImageView{URL: "/media/oil-argan.svg", Drawing: true}) {
		t.Errorf("images %+v", v.Images)
	}
	card := m.list("near=30.42,-9.58&lang=ar").Data[0]
	if card.Price.String() != "135.00 MAD" || !card.Available || *card.Image != "/media/oil-argan.svg" || !card.Drawing ||
		card.DistanceKM == nil || len(card.Labels) != 1 || card.Seller.ID != ours {
		t.Errorf("card %+v", card)
	}
}

func TestListFindsFiltersAndCounts(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.offer()
	m.stocked(3)
	for query, want := range map[string]int{
		"": 2, "q=zit": 1, "q=xylophone": 0, "q=%D8%B2%D9%8A%D8%AA": 1, "q=datte": 1, "q=dtates": 1, "category=dates": 1, "region=MA-08": 1,
		"label=IGP%20Argane": 1, "label=Pass%C3%A9": 0, "seller=" + ours: 2, "seller=org_none": 0, "min=100": 1, "max=99.99": 1,
		"near=30.5,-7.9&radius_km=50": 1, "near=30.5,-7.9&sort=distance": 2, "sort=-price&limit=1": 1,
	} {
		if l := m.list(query); len(l.Data) != want {
			t.Errorf("?%s lists %d, want %d", query, len(l.Data), want)
		}
	}
	l := m.list("")
	want := map[string]map[string]int{
		"category": {"oils": 1, "dates": 1}, "region": {"MA-08": 1, "MA-09": 1},
		"label": {"IGP Argane": 1}, "price": {"50-100": 1, "100-200": 1},
	}
	if diff := cmp.Diff(want, l.Facets); diff != "" || l.TotalEstimate != 2 || l.Next != nil {
		t.Errorf("estimate %d, next %v, facets (-want +got):\n%s", l.TotalEstimate, l.Next, diff)
	}
	first := m.list("limit=1&sort=price")
	second := m.list("limit=1&sort=price&cursor=" + *first.Next)
	if first.Data[0].Category != "dates" || second.Data[0].Category != "oils" || second.Next != nil {
		t.Errorf("pages %+v and %+v", first, second)
	}
}

func TestListRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	for query, want := range map[string]struct {
		status  int
		code    string
		pointer string
	}{
		"limit=101":            {http.StatusUnprocessableEntity, "request.invalid", "?limit"},
		"limit=x":              {http.StatusBadRequest, "request.malformed", "?limit"},
		"nonsense=1":           {http.StatusBadRequest, "request.malformed", "?nonsense"},
		"cursor=rubbish":       {http.StatusBadRequest, "search.cursor", "?cursor"},
		"min=abc":              {http.StatusUnprocessableEntity, "catalog.query", "?min"},
		"min=-1":               {http.StatusUnprocessableEntity, "catalog.query", "?min"},
		"max=1e9":              {http.StatusUnprocessableEntity, "catalog.query", "?max"},
		"min=20&max=10":        {http.StatusUnprocessableEntity, "catalog.query", "?max"},
		"near=somewhere":       {http.StatusUnprocessableEntity, "catalog.query", "?near"},
		"near=NaN,NaN":         {http.StatusUnprocessableEntity, "catalog.query", "?near"},
		"sort=distance":        {http.StatusUnprocessableEntity, "catalog.query", "?near"},
		"sort=best":            {http.StatusUnprocessableEntity, "request.invalid", "?sort"},
		"q=" + long(201):       {http.StatusUnprocessableEntity, "request.invalid", "?q"},
		"near=1,1&radius_km=z": {http.StatusBadRequest, "request.malformed", "?radius_km"},
	} {
		m.json(auth.Key{}, "GET", "/v1/offers?"+query, "").refused(want.status, want.code, want.pointer)
	}
}

func long(n int) string { return strings.Repeat("a", n) }

func TestAnothersOfferIsNotFound(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.offer()
	at := "/v1/offers/" + v.ID
	for _, call := range [][3]string{
		{"PATCH", at, `{"category":"dates"}`},
		{"POST", at + "/pause", "{}"},
		{"POST", at + "/archive", "{}"},
		{"POST", at + "/publish", "{}"},
		{"PATCH", "/v1/variants/" + v.Variants[0].ID + "/stock", `{"on_hand":1}`},
		{"PATCH", "/v1/offers/off_none", `{"category":"dates"}`},
		{"PATCH", "/v1/variants/var_none/stock", `{"delta":1}`},
		{"GET", "/v1/exports/offers.csv?seller=" + ours, ""},
		{"POST", "/v1/offers", `{"seller":"` + ours + `",` + create[1:]},
	} {
		m.json(otherKey, call[0], call[1], call[2]).refused(http.StatusNotFound, "catalog.not_found")
	}
	m.json(buyerKey, "PATCH", at, `{"category":"dates"}`).refused(http.StatusForbidden, "auth.denied")
	m.json(auth.Key{}, "PATCH", at, `{"category":"dates"}`).refused(http.StatusUnauthorized, "auth.missing")
	if got := m.left(v.Variants[0].ID); !slices.Equal(got, []int{5}) || len(m.list("").Data) != 1 {
		t.Errorf("something changed: %v left", got)
	}
}

func TestChangesAreFoundAtOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	at := "/v1/offers/" + m.offer().ID
	var v catalog.View
	m.json(ourKey, "PATCH", at, `{"version":2,"names":{"fr":"Beurre d’amlou"},"commune":"Erfoud","labels":[],
		"variants":[{"sku":"A250","price":{"amount":"80.50","currency":"MAD"}},{"sku":"A1000","price":{"amount":"400.00","currency":"MAD"}}]}`).as(http.StatusOK, &v)
	if v.Version != 3 || v.Region != "MA-09" || len(v.Variants) != 3 || len(v.Labels) != 0 || v.Names["ar"] != "" {
		t.Errorf("changed to %+v", v)
	}
	if v.Asked == nil || v.Asked.Origin == nil || v.Asked.Origin.Region != "MA-08" {
		t.Fatalf("asked %+v, want another origin", v.Asked)
	}
	m.json(operatorKey, "POST", "/v1/changes/"+v.Asked.ID+"/approve", "").as(http.StatusOK, nil)
	l := m.list("q=amlou&region=MA-08&max=81")
	if len(l.Data) != 1 || l.Data[0].Price.String() != "80.50 MAD" {
		t.Errorf("found %+v", l.Data)
	}
	m.json(ourKey, "PATCH", at, `{"version":2,"category":"dates"}`).refused(http.StatusConflict, "catalog.changed")
}

func TestWrongOffersAreRefusedWithPointers(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.offer()
	m.json(ourKey, "POST", "/v1/offers", `{"category":"cars","names":{"en":"x"},"commune":"Atlantis","image":"../etc/passwd","withdrawal_exempt":"",
		"labels":[{"code":"X","valid_from":"2026-02-01","valid_to":"2026-01-01"}],
		"variants":[{"sku":"=1","price":{"amount":"0.00","currency":"MAD"}},{"sku":"=1","price":{"amount":"1.00","currency":"MAD"}}]}`).
		refused(http.StatusUnprocessableEntity, "catalog.invalid", "/category", "/names/fr", "/image", "/commune", "/labels/0/valid_to",
			"/variants/0/sku", "/variants/0/price", "/variants/1/sku", "/variants/1/sku")
	m.json(ourKey, "POST", "/v1/offers", `{"category":"oils","names":{"fr":"x"},"region":"MA-01","commune":"Erfoud","variants":[{"sku":"N1","price":{"amount":"1.00","currency":"MAD"}}]}`).
		refused(http.StatusUnprocessableEntity, "catalog.invalid", "/region")
	m.json(ourKey, "POST", "/v1/offers", `{"category":"oils","names":{"fr":"x"},"region":"MA-01","variants":[{"sku":"A250","price":{"amount":"1.00","currency":"MAD"}}]}`).
		refused(http.StatusConflict, "catalog.sku_taken")
	m.json(ourKey, "POST", "/v1/offers", `{"category":"oils","color":"red"}`).refused(http.StatusBadRequest, "request.malformed", "/color", "/names", "/variants")
	m.json(operatorKey, "POST", "/v1/offers", create).refused(http.StatusUnprocessableEntity, "catalog.invalid", "/seller")
	m.json(operatorKey, "POST", "/v1/offers", `{"seller":"`+others+`",`+create[1:]).as(http.StatusCreated, nil)
	if n := len(m.list("").Data); n != 1 {
		t.Errorf("%d offers are listed, want the one that was right and published", n)
	}
}

func TestStockIsCountedOrMoved(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.stocked(5)[0]
	at := "/v1/variants/" + v + "/stock"
	if err := m.reserve("ord_a", catalog.Line{Variant: v, Quantity: 2}); err != nil {
		t.Fatal(err)
	}
	var s catalog.StockView
	m.json(ourKey, "PATCH", at, `{"delta":-3}`).as(http.StatusOK, &s)
	if s.OnHand != 2 || s.Reserved != 2 || s.Available != 0 || len(s.Places) != 0 {
		t.Errorf("stock %+v, want 2 of which 2 are held", s)
	}
	if m.list("").Data[0].Available {
		t.Error("the offer is listed as available; all of it is held")
	}
	m.json(ourKey, "PATCH", at, `{"on_hand":1}`).refused(http.StatusConflict, "catalog.stock_held", "/on_hand")
	m.json(ourKey, "PATCH", at, `{"delta":-1}`).refused(http.StatusConflict, "catalog.stock_held", "/delta")
	m.json(ourKey, "PATCH", at, `{"delta":-3}`).refused(http.StatusUnprocessableEntity, "catalog.invalid", "/delta")
	m.json(ourKey, "PATCH", at, `{"on_hand":3,"delta":1}`).refused(http.StatusUnprocessableEntity, "catalog.invalid", "/on_hand")
	m.json(ourKey, "PATCH", at, `{}`).refused(http.StatusUnprocessableEntity, "catalog.invalid", "/on_hand")
	m.json(ourKey, "PATCH", at, `{"on_hand":10}`).as(http.StatusOK, &s)
	if s.Available != 8 || !m.list("").Data[0].Available {
		t.Errorf("stock %+v, want 8 available and listed so", s)
	}
	m.whole()
}

func TestRule3_9_ListReadsTheCatalogueNotTheIndex(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.offer()
	for _, sql := range []string{`update catalog.variant set price = 9900 where offer = $1`, `update catalog.offer set state = 'paused' where id = $1`} {
		if l := m.list("q=argane&min=100"); len(l.Data) != 1 || l.Data[0].ID != v.ID {
			t.Fatalf("before %s: %+v", sql, l.Data)
		}
		if _, err := m.db.Exec(t.Context(), sql, v.ID); err != nil { // behind the index's back
			t.Fatal(err)
		}
		if l := m.list("q=argane&min=100"); len(l.Data) == 1 && l.Data[0].Price.String() != "99.00 MAD" {
			t.Errorf("after %s: %+v", sql, l.Data)
		}
	}
	if l := m.list("q=argane"); len(l.Data) != 0 || l.TotalEstimate != 1 {
		t.Errorf("a paused offer is listed: %+v, estimate %d", l.Data, l.TotalEstimate)
	}
}

func TestSuspendedSellersDoNotSell(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.offer()
	gone := m.sellers[ours]
	gone.Active = false
	m.sellers[ours] = gone
	m.json(auth.Key{}, "GET", "/v1/offers/"+v.ID, "").refused(http.StatusNotFound, "catalog.not_found")
	if l := m.list(""); len(l.Data) != 0 {
		t.Errorf("listed before the index heard of it: %+v", l.Data)
	}
	m.json(ourKey, "POST", "/v1/offers/"+v.ID+"/publish", "").refused(http.StatusForbidden, "catalog.seller_inactive")
	reindex := func() {
		t.Helper()
		if err := m.tx(func(tx *pg.Tx) error { return m.s.Reindex(t.Context(), tx, ours) }); err != nil {
			t.Fatal(err)
		}
	}
	reindex()
	if l := m.list(""); l.TotalEstimate != 0 {
		t.Errorf("%d offers of a suspended seller are in the index", l.TotalEstimate)
	}
	gone.Active = true
	m.sellers[ours] = gone
	reindex()
	if l := m.list(""); len(l.Data) != 1 {
		t.Errorf("%d offers after it was reactivated, want 1", len(l.Data))
	}
}
