package demo_test

import (
	"encoding/csv"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"tiwiza/cmd/hub/demo"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/money"
)

// row is a line of a file by the names of its columns.
type row map[string]string

// read gives a file's rows; columns is the heading it must have.
func read(t *testing.T, file, columns string) []row {
	t.Helper()
	f, err := demo.Files.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatalf("read %s: %v", file, err)
	}
	if got := strings.Join(lines[0], ","); got != columns {
		t.Fatalf("%s has the columns %s, want %s", file, got, columns)
	}
	var all []row
	for _, line := range lines[1:] {
		r := row{}
		for i, cell := range line {
			if cell != strings.TrimSpace(cell) || !utf8.ValidString(cell) {
				t.Errorf("%s: %q is not a clean text", file, cell)
			}
			r[lines[0][i]] = cell
		}
		all = append(all, r)
	}
	return all
}

func categories(t *testing.T) []row {
	t.Helper()
	return read(t, "categories.csv", "code,name_fr,name_ar,name_en")
}

func cooperatives(t *testing.T) []row {
	t.Helper()
	return read(t, "cooperatives.csv", "key,name_fr,name_ar,name_en,kind,region,commune,lat,lng,ice,rib,story_fr,story_ar")
}

func offers(t *testing.T) []row {
	t.Helper()
	return read(t, "offers.csv", "seller_key,offer_key,category,name_fr,name_ar,name_en,description_fr,description_ar,description_en,"+
		"sku,variant_fr,variant_ar,unit,weight_g,price,stock,region,commune,lat,lng,"+
		"label,label_issuer,label_number,label_from,label_to,withdrawal_exempt,image,"+
		"net_quantity,net_unit,tiers,policy,lead_days,weekly,attributes,claims")
}

// by groups rows by the value of a column.
func by(rows []row, column string) map[string][]row {
	m := map[string][]row{}
	for _, r := range rows {
		m[r[column]] = append(m[r[column]], r)
	}
	return m
}

func TestTheMarketIsLargeAndSpreadEnough(t *testing.T) {
	t.Parallel()
	coops, all := cooperatives(t), offers(t)
	perOffer := map[string]row{}
	crafts, several := 0, 0
	for _, r := range all {
		id := r["seller_key"] + "/" + r["offer_key"]
		if perOffer[id] != nil {
			several++
			continue
		}
		perOffer[id] = r
		switch r["category"] {
		case "rugs", "textiles", "pottery", "leather", "wood", "basketry", "jewellery":
			crafts++
		}
	}
	for what, n := range map[string][2]int{
		"cooperatives": {len(coops), 14}, "regions": {len(by(coops, "region")), 8}, "offers": {len(perOffer), 90},
		"craft offers": {crafts, 25}, "further variants": {several, 30}, "drawings in use": {len(by(all, "image")), 24},
	} {
		if n[0] < n[1] {
			t.Errorf("%d %s, want at least %d", n[0], what, n[1])
		}
	}
	sold := by(all, "category")
	for _, c := range categories(t) {
		if len(sold[c["code"]]) == 0 {
			t.Errorf("nothing is on sale in %s", c["code"])
		}
	}
}

func TestEveryKeyResolvesAndNoneIsTwice(t *testing.T) {
	t.Parallel()
	sellers, codes, all := by(cooperatives(t), "key"), by(categories(t), "code"), offers(t)
	for _, r := range all {
		if sellers[r["seller_key"]] == nil || codes[r["category"]] == nil {
			t.Errorf("%s: seller %q or category %q is unknown", r["sku"], r["seller_key"], r["category"])
		}
	}
	for what, groups := range map[string]map[string][]row{"seller": sellers, "category": codes, "sku": by(all, "sku"), "rib": by(cooperatives(t), "rib"), "ice": by(cooperatives(t), "ice")} {
		for key, rows := range groups {
			if len(rows) > 1 || key == "" {
				t.Errorf("%s %q is on %d rows", what, key, len(rows))
			}
		}
	}
	for key := range sellers {
		if by(all, "seller_key")[key] == nil {
			t.Errorf("%s sells nothing", key)
		}
	}
}

func TestVariantsOfOneOfferDifferInNothingButThemselves(t *testing.T) {
	t.Parallel()
	own := map[string]bool{
		"sku": true, "variant_fr": true, "variant_ar": true, "unit": true, "weight_g": true, "price": true, "stock": true,
		"net_quantity": true, "net_unit": true, "tiers": true, "policy": true, "lead_days": true, "weekly": true,
	}
	for key, rows := range by(offers(t), "offer_key") {
		variants := map[string]bool{}
		for _, r := range rows {
			for column, cell := range r {
				if !own[column] && cell != rows[0][column] {
					t.Errorf("%s: %s is %q and %q", key, column, rows[0][column], cell)
				}
			}
			variants[r["variant_fr"]] = true
		}
		if len(variants) != len(rows) {
			t.Errorf("%s: two variants share a name", key)
		}
	}
}

func TestEveryCooperativeIsMarkedAsAnExample(t *testing.T) {
	t.Parallel()
	for _, c := range cooperatives(t) {
		if !strings.HasSuffix(c["name_fr"], "(exemple)") || !strings.HasSuffix(c["name_ar"], "(مثال)") || !strings.HasSuffix(c["name_en"], "(example)") {
			t.Errorf("%s is called %q, %q, %q", c["key"], c["name_fr"], c["name_ar"], c["name_en"])
		}
		if c["kind"] != "beneficiary_coop" {
			t.Errorf("%s is a %q", c["key"], c["kind"])
		}
		if !strings.HasPrefix(c["ice"], "00990") || c["rib"][6:14] != "00990000" || c["rib"][20:22] == "66" {
			t.Errorf("%s: ICE %s or RIB %s is not in the made-up range", c["key"], c["ice"], c["rib"])
		}
	}
}

func TestNumbersOfCooperativesAddUp(t *testing.T) {
	t.Parallel()
	banks := regexp.MustCompile(`^(007|011|013|021|022|225|230|310|350)`)
	for _, c := range cooperatives(t) {
		if !regexp.MustCompile(`^[0-9]{15}$`).MatchString(c["ice"]) || mod97(c["ice"]) != 0 {
			t.Errorf("%s: ICE %s", c["key"], c["ice"])
		}
		if !regexp.MustCompile(`^[0-9]{24}$`).MatchString(c["rib"]) || mod97(c["rib"]) != 0 || !banks.MatchString(c["rib"]) {
			t.Errorf("%s: RIB %s", c["key"], c["rib"])
		}
	}
}

func mod97(digits string) int64 {
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return -1
	}
	return n.Mod(n, big.NewInt(97)).Int64()
}

func TestEveryCommuneIsAPlaceOfItsRegion(t *testing.T) {
	t.Parallel()
	for _, r := range append(cooperatives(t), offers(t)...) {
		p, ok := geo.FindIn(r["commune"], r["region"])
		lat, _ := strconv.ParseFloat(r["lat"], 64)
		lng, _ := strconv.ParseFloat(r["lng"], 64)
		if km := geo.Distance(p, geo.Place{Lat: lat, Lng: lng}); !ok || km > 1 {
			t.Errorf("%s%s: %s in %s is known: %t, %.1f km away", r["key"], r["sku"], r["commune"], r["region"], ok, km)
		}
		if q, _ := geo.Find(r["commune"]); q.Region != r["region"] {
			t.Errorf("%s without its region is taken for one in %s", r["commune"], q.Region)
		}
	}
}

func TestPricesWeightsAndStockAreSound(t *testing.T) {
	t.Parallel()
	units := map[string]bool{"bag": true, "bottle": true, "box": true, "can": true, "crate": true, "jar": true, "m2": true, "pair": true, "piece": true, "set": true}
	exempt := map[string]bool{"": true, "perishable": true, "made_to_measure": true}
	for _, r := range offers(t) {
		price, err := money.Parse(r["price"], money.MAD)
		if err != nil || price.Cmp(money.Dirhams(10_00)) < 0 || price.Cmp(money.Dirhams(5000_00)) > 0 || price.Amount() != r["price"] {
			t.Errorf("%s costs %q: %v", r["sku"], r["price"], err)
		}
		if w, err := strconv.Atoi(r["weight_g"]); err != nil || w < 10 || w > 15_000 {
			t.Errorf("%s weighs %q g", r["sku"], r["weight_g"])
		}
		if s, err := strconv.Atoi(r["stock"]); err != nil || (s < 1) != (r["policy"] == "made_to_order") || s > 500 {
			t.Errorf("%s: %q in stock", r["sku"], r["stock"])
		}
		if !units[r["unit"]] || !exempt[r["withdrawal_exempt"]] {
			t.Errorf("%s: unit %q, exempt %q", r["sku"], r["unit"], r["withdrawal_exempt"])
		}
		if !regexp.MustCompile(`^[A-Z0-9-]{3,64}$`).MatchString(r["sku"]) {
			t.Errorf("sku %q", r["sku"])
		}
	}
}

func TestALargerPackCostsMoreButLessAKilo(t *testing.T) {
	t.Parallel()
	net := regexp.MustCompile(`^([0-9]+) (g|kg|ml|l)$`)
	for key, rows := range by(offers(t), "offer_key") {
		var size, price float64
		for _, r := range rows {
			m := net.FindStringSubmatch(r["variant_fr"])
			if m == nil {
				continue
			}
			n, _ := strconv.ParseFloat(m[1], 64)
			if m[2] == "kg" || m[2] == "l" {
				n *= 1000
			}
			p, _ := strconv.ParseFloat(r["price"], 64)
			if w, _ := strconv.ParseFloat(r["weight_g"], 64); w < n*0.9 {
				t.Errorf("%s holds %s and weighs %s g", r["sku"], r["variant_fr"], r["weight_g"])
			}
			if size > 0 && (n <= size || p <= price || p/n > price/size) {
				t.Errorf("%s: %s for %s after %v for %v", key, r["variant_fr"], r["price"], size, price)
			}
			size, price = n, p
		}
	}
}

func TestEveryTextIsThereInItsOwnScript(t *testing.T) {
	t.Parallel()
	for _, r := range append(append(categories(t), cooperatives(t)...), offers(t)...) {
		for column, cell := range r {
			arabic := strings.HasSuffix(column, "_ar")
			if !arabic && !strings.HasSuffix(column, "_fr") && !strings.HasSuffix(column, "_en") {
				continue
			}
			if cell == "" || arabic != strings.ContainsFunc(cell, func(r rune) bool { return unicode.Is(unicode.Arabic, r) && unicode.IsLetter(r) }) {
				t.Errorf("%s%s%s: %s is %q", r["code"], r["key"], r["sku"], column, cell)
			}
		}
	}
}
