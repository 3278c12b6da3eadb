package catalog

import (
	"slices"
	"strings"
)

// How the category of a row is known.
const (
	byName  = "name"  // its code, or its name in some language
	bySaid  = "said"  // the seller says so, now or before
	byGuess = "guess" // what is called so belongs there
)

// shelving tells the category that a cell means. A nil one knows no seller.
type shelving map[string]string // what a seller says, folded: codes

// of is the code of a category told by its code, by the seller's own word for
// it, by its name in any language, or by what goods of it are called; a cell may
// hold a path, the narrowest last. What is none of these stays as it is, and by
// is "".
func (s shelving) of(said string) (code, by string) {
	if code := s[folded(said)]; code != "" {
		return code, bySaid
	}
	if _, ok := Category(said); ok {
		return said, byName
	}
	if code := shelves[folded(said)]; code != "" {
		return code, byName
	}
	steps := strings.FieldsFunc(said, func(r rune) bool { return strings.ContainsRune(">›»/|\\", r) })
	for _, step := range slices.Backward(steps) {
		if code := s[folded(step)]; code != "" {
			return code, bySaid
		}
		if code := goods(strings.Fields(folded(step))); code != "" {
			return code, byGuess
		}
	}
	return said, ""
}

// goods is the category of what is called so. French, Arabic and Darija begin
// with the thing itself and English ends with it; a word that only English has
// says which of the two it is.
func goods(words []string) string {
	if len(words) == 0 {
		return ""
	}
	if code := shelves[strings.Join(words, " ")]; code != "" {
		return code
	}
	for n := len(words); n > 0; n-- {
		if code := ending[strings.Join(words[len(words)-n:], " ")]; code != "" {
			return code
		}
	}
	for n := len(words); n > 0; n-- {
		if code := beginning[strings.Join(words[:n], " ")]; code != "" {
			return code
		}
	}
	return ""
}

// called are what goods of each category are called: in French, Arabic and
// Darija, then in English.
var called = map[string][2]string{
	"oils":            {"huile|huile végétale|huilerie|زيت|زيوت|zit", "oil"},
	"honey":           {"miel|produits de la ruche|ruche|apiculture|pollen|propolis|gelée royale|عسل|منتجات الخلية|3sel|3sal", "honey|beekeeping"},
	"dates":           {"datte|produits de la datte|pâte de dattes|تمر|تمور|tmar|tmer", "dates"},
	"saffron":         {"safran|pistil de safran|زعفران|za3fran", "saffron"},
	"spices":          {"épice|aromate|condiment|assaisonnement|cumin|ras el hanout|paprika|piment|nigelle|curcuma|gingembre|cannelle|poivre|توابل|بهارات|عطرية|كمون|راس الحانوت|3tria", "spice|seasoning"},
	"preserves":       {"conserve|confiture|gelée|marmelade|olive|olives de table|sirop|mélasse|câpre|amlou|pâte de coing|tartinade|pâte à tartiner|مربى|مربيات|مصبرات|زيتون|شراب|رب|دبس|أملو|قبار|كونفيتير|konfitir", "jam|preserve|syrup|spread|molasses|pickle"},
	"couscous_grains": {"couscous|semoule|céréale|farine|blé|orge|lentille|pois chiche|fève|haricot sec|légumineuse|légumes secs|pâtes|riz|كسكس|سميد|حبوب|دقيق|شعير|قمح|عدس|حمص|فول|قطاني|seksou", "grain|cereal|flour|wheat|barley|lentil|chickpea|pulse|semolina|pasta|rice"},
	"dairy":           {"fromage|lait|beurre|yaourt|crème fraîche|laiterie|smen|جبن|حليب|زبدة|لبن|سمن|jben", "cheese|milk|butter|yoghurt|yogurt"},
	"fruits":          {"fruit|fruits secs|fruits à coque|amande|noix|noisette|pistache|figue|raisin|grenade|clémentine|orange|agrume|pomme|figue de barbarie|فواكه|فاكهة|لوز|جوز|تين|زبيب|عنب|رمان|برتقال|حوامض|صبار|louz", "nut|almond|walnut|fig|pomegranate|citrus|dried fruit"},
	"herbs_teas":      {"herbe|plante|plantes aromatiques|plantes médicinales|plantes aromatiques et médicinales|pam|tisane|infusion|thé|menthe|romarin|thym|verveine|lavande|boutons de rose|أعشاب|نباتات|نباتات طبية وعطرية|شاي|أتاي|نعناع|زعتر|أزير|لويزة|atay", "herb|tea|herbal tea|aromatic plant|medicinal plant"},
	"cosmetics":       {"cosmétique|beauté|soin|soins du corps|hygiène|savon|savonnerie|crème|baume|shampoing|parfum|eau de rose|eau florale|hydrolat|henné|ghassoul|rhassoul|huile cosmétique|huile de massage|huile de soin|huile essentielle|huile corporelle|تجميل|مواد التجميل|عناية|صابون|كريم|ماء الورد|حناء|غاسول|عطر|زيت التجميل|زيوت أساسية|saboun|lghasoul", "cosmetic|beauty|skincare|skin care|body care|soap|cream|balm|shampoo|perfume|rose water|henna|essential oil|massage oil"},
	"rugs":            {"tapis|kilim|hanbel|tapisserie|زربية|زرابي|حنبل|سجاد|zarbiya|zrabi", "rug|carpet"},
	"textiles":        {"textile|tissage|tissu|vêtement|habit|couture|broderie|couverture|coussin|burnous|djellaba|caftan|gandoura|foulard|écharpe|châle|linge de maison|laine|melhfa|mendil|sac en laine|منسوجات|نسيج|ملابس|لباس|خياطة|طرز|بطانية|وسادة|جلباب|جلابة|قفطان|برنوس|سلهام|ملحفة|صوف", "clothing|clothes|weaving|fabric|embroidery|blanket|cushion|scarf|shawl|garment"},
	"pottery":         {"poterie|céramique|faïence|terre cuite|argile|tajine|vaisselle|assiette|bol|vase|zellige|فخار|خزف|طين|طاجين|أواني|صحون|زليج|fekhar", "pottery|ceramic|earthenware|tableware|tagine|bowl|plate"},
	"leather":         {"cuir|maroquinerie|tannerie|babouche|sac en cuir|ceinture|pouf|جلد|جلود|دباغة|بلغة|منتجات جلدية|belgha", "leather|leather goods|slipper"},
	"wood":            {"bois|ébénisterie|menuiserie|marqueterie|thuya|bois sculpté|boissellerie|خشب|نجارة|عرعار|نقش على الخشب", "wood|woodwork|carpentry|marquetry"},
	"basketry":        {"vannerie|panier|corbeille|osier|doum|natte|chapeau de paille|sparterie|سلال|قفة|سلة|حصيرة|حصائر|دوم|9offa", "basketry|basket|wickerwork|mat|straw hat"},
	"jewellery":       {"bijou|bijouterie|joaillerie|orfèvrerie|argenterie|bracelet|collier|boucles d'oreilles|bague|fibule|حلي|مجوهرات|فضة|دملج|قلادة|أقراط|خاتم|خلالة|dhab", "jewellery|jewelry|bracelet|necklace|earring|ring"},
	"food_other":      {"terroir|produits du terroir|alimentation|épicerie|épicerie fine|alimentaire|vinaigre|sel|algue|biscuit|gâteau|pain|chocolat|منتجات مجالية|مواد غذائية|تغذية|بقالة|خل|ملح|طحالب|حلويات|خبز", "food|grocery|vinegar|salt|seaweed|biscuit|bread|local food"},
}

// shelves are the categories by their names, beginning and ending by how the
// words for goods of them begin and, in English, end; all folded.
var shelves, beginning, ending = func() (names, begin, end map[string]string) {
	names, begin, end = map[string]string{}, map[string]string{}, map[string]string{}
	for _, k := range Categories {
		for _, name := range k.Names {
			names[folded(name)] = k.Code
		}
		for i, into := range []map[string]string{begin, end} {
			for _, word := range strings.Split(called[k.Code][i], "|") {
				into[folded(word)] = k.Code
			}
		}
	}
	for w := range begin { // it does not say that the words are English
		delete(end, w)
	}
	return names, begin, end
}()
