package catalog

// A Shelf is a category of goods.
type Shelf struct {
	Code  string
	Names map[string]string
}

// Categories are the kinds of goods, in the order they are shown.
var Categories = []Shelf{
	kind("oils", "Huiles", "زيوت", "Oils"),
	kind("honey", "Miels", "عسل", "Honey"),
	kind("dates", "Dattes", "تمور", "Dates"),
	kind("saffron", "Safran", "زعفران", "Saffron"),
	kind("spices", "Épices", "توابل", "Spices"),
	kind("preserves", "Conserves et confitures", "مصبرات ومربيات", "Preserves and jams"),
	kind("couscous_grains", "Couscous, grains et légumes secs", "كسكس وحبوب وقطاني", "Couscous, grains and pulses"),
	kind("dairy", "Produits laitiers", "منتجات الألبان", "Dairy"),
	kind("fruits", "Fruits frais et secs", "فواكه طرية وجافة", "Fresh and dried fruit"),
	kind("herbs_teas", "Herbes et tisanes", "أعشاب وشاي", "Herbs and teas"),
	kind("cosmetics", "Soins et savons", "عناية وصابون", "Care and soap"),
	kind("rugs", "Tapis", "زرابي", "Rugs"),
	kind("textiles", "Textiles", "منسوجات", "Textiles"),
	kind("pottery", "Poterie", "فخار وخزف", "Pottery"),
	kind("leather", "Cuir", "جلد", "Leather"),
	kind("wood", "Bois", "خشب", "Wood"),
	kind("basketry", "Vannerie", "سلال وحصائر", "Basketry"),
	kind("jewellery", "Bijoux", "حلي", "Jewellery"),
	kind("food_other", "Autres produits du terroir", "منتجات مجالية أخرى", "Other local food"),
}

func kind(code, fr, ar, en string) Shelf {
	return Shelf{code, map[string]string{"fr": fr, "ar": ar, "en": en}}
}

// Category finds a category by its code.
func Category(code string) (Shelf, bool) {
	for _, k := range Categories {
		if k.Code == code {
			return k, true
		}
	}
	return Shelf{}, false
}

// CategoryCodes are the codes of all categories.
func CategoryCodes() []string {
	codes := make([]string, len(Categories))
	for i, k := range Categories {
		codes[i] = k.Code
	}
	return codes
}
