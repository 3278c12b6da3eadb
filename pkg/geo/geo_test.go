package geo_test

import (
	"math"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"tiwiza/pkg/geo"
)

// capitals are the seats of the 75 provinces and prefectures, by region.
var capitals = map[string]string{
	"MA-01": "Tanger, M'diq, Tétouan, Anjra, Larache, Al Hoceïma, Chefchaouen, Ouezzane",
	"MA-02": "Oujda, Nador, Driouch, Jerada, Berkane, Taourirt, Guercif, Figuig",
	"MA-03": "Fès, Meknès, El Hajeb, Ifrane, Moulay Yacoub, Sefrou, Boulemane, Taounate, Taza",
	"MA-04": "Rabat, Salé, Témara, Kénitra, Khémisset, Sidi Kacem, Sidi Slimane",
	"MA-05": "Béni Mellal, Azilal, Fquih Ben Salah, Khénifra, Khouribga",
	"MA-06": "Casablanca, Mohammedia, El Jadida, Nouaceur, Médiouna, Benslimane, Berrechid, Settat, Sidi Bennour",
	"MA-07": "Marrakech, Chichaoua, Tahannaout, El Kelaâ des Sraghna, Essaouira, Benguérir, Safi, Youssoufia",
	"MA-08": "Errachidia, Ouarzazate, Midelt, Tinghir, Zagora",
	"MA-09": "Agadir, Inezgane, Biougra, Taroudant, Tiznit, Tata",
	"MA-10": "Guelmim, Assa, Tan-Tan, Sidi Ifni",
	"MA-11": "Laâyoune, Boujdour, Tarfaya, Es-Semara",
	"MA-12": "Dakhla, Aousserd",
}

func TestEverySeatOfAProvinceIsKnownInFrenchAndArabic(t *testing.T) {
	t.Parallel()
	seats := 0
	for region, list := range capitals {
		for _, name := range strings.Split(list, ", ") {
			seats++
			p, ok := geo.Find(name)
			if !ok || p.Region != region {
				t.Errorf("Find(%q) = %s in %s, %t, want a place in %s", name, p.Name, p.Region, ok, region)
			}
			if p.Names["fr"] != name || p.Names["ar"] == "" {
				t.Errorf("%s is called %v", name, p.Names)
			}
			if q, ok := geo.Find(p.Names["ar"]); !ok || q.Name != p.Name {
				t.Errorf("Find(%q) = %s, want %s", p.Names["ar"], q.Name, p.Name)
			}
		}
	}
	if seats != 75 {
		t.Errorf("%d seats, want 75", seats)
	}
}

func TestANameIsFoundHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	for want, ways := range map[string][]string{
		"Fès":                   {"Fez", "FES", "fès", "فاس", "فـــاس", "فَاسُ"},
		"Casablanca":            {"casablanca", "Dar El Beida", "الدار البيضاء", "الدارالبيضاء", "دار البيضاء", "الدار البيضا"},
		"Marrakech":             {"Marrakesh", "MARRAKECH", "مراكش", "مرّاكش"},
		"Tanger":                {"Tangier", "Tanja", "طنجة", "طنجه"},
		"El Jadida":             {"al-jadida", "Jadida", "الجديدة", "جديدة"},
		"Al Hoceïma":            {"El Hoceima", "Hoceima", "الحسيمه"},
		"M'diq":                 {"Mdiq", "M’diq", "المضيق"},
		"Tan-Tan":               {"tan tan", "Tantan"},
		"Béni Mellal":           {"Bni Mellal", "beni-mellal", "بنى ملال"},
		"Agadir":                {"أكادير", "أݣادير", "اگادير", "اكادير"},
		"Aït Melloul":           {"Ait Melloul", "أيت ملول", "ايت ملول"},
		"Ouarzazate":            {"Warzazat", "ouarzazate"},
		"Benguérir":             {"Ben Guerir", "ابن جرير", "بن جرير"},
		"Laâyoune":              {"Laayoune", "العيون", "عيون"},
		"Taroudant":             {"Taroudannt", "تارودانت"},
		"Oued Zem":              {"Wed Zem", "واد زم", "وادي زم"},
		"Rissani":               {"Reçani", "الريصاني"},
		"Es-Semara":             {"Smara", "السمارة"},
		"Kelaât M'Gouna":        {"Kelaat Mgouna", "قلعة مكونة", "قلعة امكونة"},
		"Moulay Yacoub":         {"My Yacoub", "مولاي يعقوب"},
		"Souk Sebt Oulad Nemma": {"Souq Sebt Ouled Nemma"},
		"Aklim":                 {"Aqlim"},
		"Fquih Ben Salah":       {"Fkih Ben Salah", "الفقيه ابن صالح"},
	} {
		for _, way := range ways {
			if p, ok := geo.Find(way); !ok || p.Name != want {
				t.Errorf("Find(%q) = %q, %t, want %q", way, p.Name, ok, want)
			}
		}
	}
}

func TestAWordThatIsNoPlaceIsNotFound(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", " ", "-", "El", "l'", "ال", "Atlantis", "Paris", "باريس", "Fès Paris", "'; drop table places"} {
		if p, ok := geo.Find(name); ok {
			t.Errorf("Find(%q) = %s", name, p.Name)
		}
	}
}

func TestEveryPlaceIsFoundByEachOfItsNames(t *testing.T) {
	t.Parallel()
	for _, p := range geo.Places() {
		for _, name := range []string{p.Name, p.Names["fr"], p.Names["ar"]} {
			if name == "" {
				continue
			}
			if q, ok := geo.FindIn(name, p.Region); !ok || q.Lat != p.Lat || q.Lng != p.Lng {
				t.Errorf("FindIn(%q, %s) = %s at %v,%v, want %v,%v", name, p.Region, q.Name, q.Lat, q.Lng, p.Lat, p.Lng)
			}
		}
	}
}

func TestTheBetterKnownOfTwoNamesakesAnswers(t *testing.T) {
	t.Parallel()
	if p, _ := geo.Find("Skoura"); p.Region != "MA-08" {
		t.Errorf("Skoura is in %s, want MA-08", p.Region)
	}
	if p, ok := geo.FindIn("Ifrane", "MA-05"); !ok || p.Region != "MA-05" {
		t.Errorf("Ifrane of MA-05 is %v, %t", p, ok)
	}
	if p, ok := geo.FindIn("Tanger", "MA-09"); ok {
		t.Errorf("Tanger is in Souss-Massa: %v", p)
	}
}

func TestEveryPlaceLiesInOneOfTwelveRegions(t *testing.T) {
	t.Parallel()
	regions := map[string]int{}
	for _, r := range geo.Regions() {
		regions[r.Code] = 0
		if r.Names["fr"] == "" || r.Names["ar"] == "" || r.Names["zgh"] == "" {
			t.Errorf("%s is called %v", r.Code, r.Names)
		}
	}
	for _, p := range geo.Places() {
		if _, ok := regions[p.Region]; !ok {
			t.Errorf("%s lies in %q", p.Name, p.Region)
		}
		regions[p.Region]++
		if p.Lat < 20.7 || p.Lat > 36 || p.Lng < -17.2 || p.Lng > -0.9 {
			t.Errorf("%s lies at %v, %v", p.Name, p.Lat, p.Lng)
		}
	}
	if got, want := len(regions), 12; got != want {
		t.Errorf("%d regions, want %d", got, want)
	}
	for code, n := range regions {
		if n < 5 {
			t.Errorf("%s has %d places", code, n)
		}
	}
}

func TestDistanceIsThatOfTheMap(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		km   float64
	}{
		{"Casablanca", "Rabat", 86}, {"Tanger", "Agadir", 694}, {"Fès", "Meknès", 53}, {"Tanger", "Dakhla", 1652}, {"Oujda", "Oujda", 0},
	} {
		a, _ := geo.Find(tc.a)
		b, _ := geo.Find(tc.b)
		if got := geo.Distance(a, b); math.Abs(got-tc.km) > 1+tc.km/100 {
			t.Errorf("%s to %s is %.1f km, want about %v", tc.a, tc.b, got, tc.km)
		}
	}
}

func TestDistanceIsSymmetricAndNoDetourIsShorter(t *testing.T) {
	t.Parallel()
	places := geo.Places()
	rapid.Check(t, func(t *rapid.T) {
		pick := rapid.SampledFrom(places)
		a, b, c := pick.Draw(t, "a"), pick.Draw(t, "b"), pick.Draw(t, "c")
		if geo.Distance(a, b) != geo.Distance(b, a) {
			t.Fatalf("%s to %s is %v, back %v", a.Name, b.Name, geo.Distance(a, b), geo.Distance(b, a))
		}
		if geo.Distance(a, c) > geo.Distance(a, b)+geo.Distance(b, c)+1e-6 {
			t.Fatalf("%s to %s is longer than over %s", a.Name, c.Name, b.Name)
		}
	})
}

func TestCapitalsAndSignsMakeNoDifference(t *testing.T) {
	t.Parallel()
	places := geo.Places()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(places).Draw(t, "place")
		name := rapid.SampledFrom([]string{p.Name, p.Names["ar"]}).Draw(t, "name")
		if name == "" {
			return
		}
		var b strings.Builder
		for _, r := range name {
			if rapid.Bool().Draw(t, "upper") {
				r = unicode.ToUpper(r)
			}
			b.WriteRune(r)
			if unicode.Is(unicode.Arabic, r) && unicode.IsLetter(r) && rapid.Bool().Draw(t, "sign") {
				b.WriteRune(rapid.SampledFrom([]rune{'ـ', '\u064e', '\u0651', '\u0652'}).Draw(t, "which"))
			}
		}
		if q, ok := geo.FindIn(b.String(), p.Region); !ok || q.Lat != p.Lat {
			t.Fatalf("FindIn(%q, %s) = %s, want %s", b.String(), p.Region, q.Name, p.Name)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	for b.Loop() {
		if _, ok := geo.Find("Kelaât M'Gouna"); !ok {
			b.Fatal("not found")
		}
	}
}
