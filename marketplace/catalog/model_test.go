package catalog_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/media"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/rest"
)

func TestAttributesAreThoseOfTheCategoryAndTyped(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	in := func(attributes string) string {
		return `{"category":"oils","names":{"fr":"Huile"},"commune":"Rabat","attributes":` + attributes + `,"variants":[{"sku":"H","price":{"amount":"10.00","currency":"MAD"}}]}`
	}
	for _, c := range []struct {
		attributes string
		wrong      []string
	}{
		{
			`{"pressing":"warm","harvest_year":1066,"roasted":"perhaps","allergens":["nuts","nuts"],"fibre":"wool","ingredients":"a | b"}`,
			[]string{"/attributes/allergens", "/attributes/fibre", "/attributes/harvest_year", "/attributes/ingredients", "/attributes/pressing", "/attributes/roasted"},
		},
		{`{"harvest_year":2025.5}`, []string{"/attributes/harvest_year"}},
		{`{"keeps_months":"many"}`, []string{"/attributes/keeps_months"}},
	} {
		m.json(ourKey, "POST", "/v1/offers", in(c.attributes)).refused(http.StatusUnprocessableEntity, "catalog.invalid", c.wrong...)
	}
	var v catalog.View
	m.json(ourKey, "POST", "/v1/offers", in(`{"pressing":"cold","harvest_year":2025,"roasted":false,"allergens":["nuts","sesame"]}`)).as(http.StatusCreated, &v)
	want := map[string]any{"pressing": "cold", "harvest_year": 2025., "roasted": false, "allergens": []any{"nuts", "sesame"}}
	if diff := cmp.Diff(want, v.Attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	m.json(ourKey, "PATCH", "/v1/offers/"+v.ID, `{"category":"rugs"}`).
		refused(http.StatusUnprocessableEntity, "catalog.invalid", "/attributes/allergens", "/attributes/harvest_year", "/attributes/pressing", "/attributes/roasted")
}

func TestAttributesAndClaimsAreWellFormedData(t *testing.T) {
	t.Parallel()
	named := func(what string, names map[string]string) {
		for _, lang := range []string{"fr", "ar", "en"} {
			if names[lang] == "" {
				t.Errorf("%s has no name in %s", what, lang)
			}
		}
	}
	seen := map[string]bool{}
	for _, a := range catalog.Attributes {
		named(a.Code, a.Names)
		if seen[a.Code] || len(a.Categories) == 0 || (len(a.Options) > 0) != strings.HasPrefix(a.Type, "choice") ||
			(a.Max > 0) != (a.Type == "number" || a.Type == "text") || a.Min > a.Max {
			t.Errorf("%+v", a)
		}
		seen[a.Code] = true
		for _, o := range a.Options {
			named(a.Code+" "+o.Code, o.Names)
		}
		for _, c := range a.Categories {
			if _, ok := catalog.Category(c); !ok {
				t.Errorf("%s is for the unknown category %s", a.Code, c)
			}
		}
	}
	for _, c := range catalog.Claims {
		named(c.Code, c.Names)
	}
	m := newMarket(t)
	var all catalog.KindsView
	m.json(auth.Key{}, "GET", "/v1/categories", "").as(http.StatusOK, &all)
	if len(all.Data) != len(catalog.Categories) || len(all.Claims) != len(catalog.Claims) || len(all.Data[0].Attributes) == 0 {
		t.Errorf("%d categories, %d claims", len(all.Data), len(all.Claims))
	}
}

func TestKindsWaysAndSuppliesFitTogether(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	for _, c := range []struct {
		offer, variant string
		wrong          []string
	}{
		{`"kind":"service"`, ``, []string{"/way"}},
		{`"way":"quote"`, ``, []string{"/way"}},
		{`"kind":"service","way":"booking"`, ``, []string{"/variants/0/starts_at"}},
		{`"kind":"service","way":"booking"`, `,"starts_at":"2031-01-01T10:00:00Z","policy":"unlimited"`, []string{"/variants/0/policy"}},
		{`"kind":"digital"`, `,"weight_g":5`, []string{"/variants/0/weight_g"}},
		{`"kind":"product"`, `,"starts_at":"2031-01-01T10:00:00Z"`, []string{"/variants/0/starts_at"}},
		{`"kind":"product"`, `,"policy":"made_to_order"`, []string{"/variants/0/weekly"}},
		{`"kind":"product"`, `,"weekly":3`, []string{"/variants/0/weekly"}},
		{`"kind":"product","voice":"../x"`, ``, []string{"/voice"}},
		{`"kind":"product","claims":["holy","organic","organic"]`, ``, []string{"/claims/0", "/claims/2"}},
	} {
		m.json(ourKey, "POST", "/v1/offers", `{`+c.offer+`,"category":"oils","names":{"fr":"Chose"},"commune":"Rabat",
			"variants":[{"sku":"S","price":{"amount":"10.00","currency":"MAD"}`+c.variant+`}]}`).refused(http.StatusUnprocessableEntity, "catalog.invalid", c.wrong...)
	}
	var v catalog.View
	m.json(ourKey, "POST", "/v1/offers", `{"kind":"digital","category":"rugs","names":{"fr":"Patron à imprimer"},"commune":"Rabat","voice":"`+m.sent(ourKey, media.Sound, note("how"))+`",
		"variants":[{"sku":"P","price":{"amount":"10.00","currency":"MAD"}}]}`).as(http.StatusCreated, &v)
	if x := v.Variants[0]; x.Policy != catalog.Unlimited || x.Available < 1000 || v.Voice == "" || v.Kind != catalog.Digital {
		t.Errorf("made %+v", v)
	}
	m.json(ourKey, "POST", "/v1/offers/"+v.ID+"/publish", "").as(http.StatusOK, nil)
	if err := m.reserve("ord_file", catalog.Line{Variant: v.Variants[0].ID, Quantity: 3}); err != nil {
		t.Fatal(err)
	}
	if err := m.take("ord_file"); err != nil {
		t.Fatal(err)
	}
	m.whole()
	if l := m.list(""); !l.Data[0].Available || l.Data[0].Kind != catalog.Digital {
		t.Errorf("listed %+v", l.Data)
	}
}

func TestNetQuantityShowsThePriceOfAKilogramOrLitre(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.offer()
	m.json(ourKey, "PATCH", "/v1/offers/"+v.ID, `{"variants":[{"sku":"A250","net":{"quantity":250,"unit":"ml"}},{"sku":"A500","net":{"quantity":46,"unit":"cl"}}]}`).as(http.StatusOK, &v)
	var got []string
	for _, x := range v.Variants {
		got = append(got, x.UnitPrice.Price.String()+" / "+x.UnitPrice.Per)
	}
	if want := []string{"540.00 MAD / l", "554.35 MAD / l"}; !slices.Equal(got, want) { // 255 / 0.46 = 554.347…
		t.Errorf("unit prices %v, want %v", got, want)
	}
}

// What a seller says of origin and making waits for a moderator; price, texts and
// stock do not.
func TestClaimsAndOriginWaitAndPricesDoNot(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.offer()
	at := "/v1/offers/" + v.ID
	var own, shown catalog.View
	m.json(ourKey, "PATCH", at, `{"claims":["organic","handmade"],"commune":"Essaouira","variants":[{"sku":"A250","price":{"amount":"99.00","currency":"MAD"}}]}`).as(http.StatusOK, &own)
	m.json(auth.Key{}, "GET", at, "").as(http.StatusOK, &shown)
	if len(shown.Claims) != 0 || shown.Commune != "Taliouine" || shown.Variants[0].Price.Amount() != "99.00" || shown.Asked != nil {
		t.Errorf("buyers read %+v", shown)
	}
	if own.Asked == nil {
		t.Fatal("nothing was asked")
	}
	first := *own.Asked
	own.Asked = nil
	if first.State != catalog.Open || !slices.Equal(first.Claims, []string{"handmade", "organic"}) || first.Origin.Commune != "Essaouira" {
		t.Fatalf("asked %+v", first)
	}
	m.json(ourKey, "POST", "/v1/changes/"+first.ID+"/approve", "").refused(http.StatusForbidden, "auth.denied")
	m.json(otherKey, "POST", "/v1/changes/"+first.ID+"/withdraw", "").refused(http.StatusNotFound, "catalog.no_change")
	// The same again asks nothing new; other claims take the place of the first.
	m.json(ourKey, "PATCH", at, `{"claims":["organic","handmade"],"commune":"Essaouira"}`).as(http.StatusOK, &own)
	if own.Asked.ID != first.ID {
		t.Errorf("asked again as %s", own.Asked.ID)
	}
	m.json(ourKey, "PATCH", at, `{"claims":["handmade"]}`).as(http.StatusOK, &own)
	if own.Asked.ID == first.ID || own.Asked.Origin == nil || !slices.Equal(own.Asked.Claims, []string{"handmade"}) {
		t.Errorf("now asked %+v, want handmade, and the origin still", own.Asked)
	}
	m.json(operatorKey, "POST", "/v1/changes/"+first.ID+"/approve", "").refused(http.StatusConflict, "catalog.change_decided")
	m.json(operatorKey, "POST", "/v1/changes/"+own.Asked.ID+"/approve", "").as(http.StatusOK, nil)
	m.json(auth.Key{}, "GET", at, "").as(http.StatusOK, &shown)
	if !slices.Equal(shown.Claims, []string{"handmade"}) || shown.Commune != "Essaouira" || shown.Region != "MA-07" {
		t.Errorf("buyers read %v of %s, %s", shown.Claims, shown.Commune, shown.Region)
	}
	if l := m.list("q=essaouira&region=MA-07"); len(l.Data) != 1 {
		t.Errorf("found %d by the new origin", len(l.Data))
	}
	// Saying less needs nobody.
	m.json(ourKey, "PATCH", at, `{"claims":[]}`).as(http.StatusOK, &own)
	if len(own.Claims) != 0 || own.Asked.State != catalog.Approved {
		t.Errorf("claims %v, asked %+v", own.Claims, own.Asked)
	}
	m.json(ourKey, "PATCH", at, `{"claims":["wild"]}`).as(http.StatusOK, &own)
	m.json(operatorKey, "POST", "/v1/changes/"+own.Asked.ID+"/reject", `{"reason":"It is grown."}`).as(http.StatusOK, nil)
	m.json(ourKey, "GET", at, "").as(http.StatusOK, &own)
	if len(own.Claims) != 0 || own.Asked.State != catalog.Rejected || own.Asked.Reason == "" {
		t.Errorf("after the rejection: %v, %+v", own.Claims, own.Asked)
	}
	if got := m.said("catalog.change_decided"); len(got) != 2 {
		t.Errorf("told %v, want two decisions", got)
	}
}

// A file has all of the model, goes out and comes in without loss, and asks a
// moderator once.
func TestAFileHasAllOfTheModelAndComesBackWhole(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	file := "offer_key,category,name_fr,name_zgh,sku,price,stock,commune,attributes,claims,net_quantity,net_unit,tiers,policy,lead_days,weekly,kind,way,starts_at,minutes,voice\n" +
		"oil,oils,Huile,ⵣⵉⵜ,H1,120,5,Rabat,pressing=cold | harvest_year=2025,handmade | raw,500,ml,6: 110 | 12: 99.50,,,,,,,,\n" +
		"rug,rugs,Tapis,,T1,900,,Rabat,,,,,,made_to_order,30,4,,,,,\n" +
		"day,pottery,Atelier,,D1,200,8,Rabat,,,,,,,,,service,booking,2031-03-08 14:00,90," + m.sent(ourKey, media.Sound, note("day")) + "\n"
	if r := m.imports(ourKey, "", file); len(r.Rejected) != 0 || r.Created != 3 {
		t.Fatalf("%+v", r)
	}
	export := func() string { return string(m.json(ourKey, "GET", "/v1/exports/offers.csv", "").body) }
	was := export()
	for _, want := range []string{"harvest_year=2025 | pressing=cold", "handmade | raw", "6: 110.00 | 12: 99.50", "made_to_order,30,4", "2031-03-08T14:00:00+01:00,90", "ⵣⵉⵜ"} {
		if !strings.Contains(was, want) {
			t.Errorf("the export lacks %q:\n%s", want, was)
		}
	}
	if r := m.imports(ourKey, "", was); len(r.Rejected) != 0 || r.Created != 0 {
		t.Fatalf("%+v", r)
	}
	if got := export(); got != was {
		t.Errorf("the export changed:\n%s\n%s", was, got)
	}
	asked, err := m.s.ListChanges(as(t, operatorKey), catalog.ChangesInput{Paging: rest.Paging{Limit: 10}})
	if err != nil || len(asked.Data) != 1 || asked.Data[0].State != catalog.Open {
		t.Errorf("asked %+v (%v), want once", asked.Data, err)
	}
	bad := "offer_key,category,name_fr,sku,price,commune,attributes,tiers,net_quantity,net_unit,weekly,policy,starts_at,claims\n" +
		"x,oils,Huile,X1,120,Rabat,pressing:cold,6=9,many,pound,,made_to_order,soon,holy\n"
	want := []string{"2 /attributes", "2 /claims", "2 /net_quantity", "2 /tiers", "2 /starts_at", "2 /net_unit", "2 /net_quantity", "2 /weekly"}
	got := verdicts(m.imports(ourKey, "?dry_run=true", bad))
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}
