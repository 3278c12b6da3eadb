package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"

	"tiwiza/marketplace/catalog/sheet"
	"tiwiza/search"
)

// columns of a catalogue file, in the order an export writes them. seller_key
// is for files of several sellers, which are split before they are imported.
var columns = []string{
	"seller_key", "offer_key", "category", "name_fr", "name_ar", "name_en", "description_fr", "description_ar", "description_en",
	"sku", "variant_fr", "variant_ar", "unit", "weight_g", "price", "stock", "region", "commune", "lat", "lng",
	"label", "label_issuer", "label_number", "label_from", "label_to", "withdrawal_exempt", "image",
	"kind", "way", "name_zgh", "description_zgh", "attributes", "claims", "voice",
	"net_quantity", "net_unit", "tiers", "policy", "lead_days", "weekly", "starts_at", "minutes",
	"variant_en", "variant_zgh", "state",
}

// Columns are what a column of a catalogue file may be.
func Columns() []string { return slices.Clone(columns) }

// ofVariant are the columns that may differ between the rows of one offer.
var ofVariant = []string{
	"seller_key", "offer_key", "sku", "variant_fr", "variant_ar", "variant_en", "variant_zgh", "unit", "weight_g", "price", "stock",
	"net_quantity", "net_unit", "tiers", "policy", "lead_days", "weekly", "starts_at", "minutes",
	"label", "label_issuer", "label_number", "label_from", "label_to",
}

// needed columns; without one of them the file says too little. Without offer_key
// each row is an offer of its own, known by its SKU.
var needed = []string{"category", "sku", "price"}

// numbers says of a column that it holds numbers: they are no texts.
func numbers(column string) bool {
	return slices.Contains([]string{"weight_g", "price", "stock", "lat", "lng", "net_quantity", "lead_days", "weekly", "minutes"}, column)
}

// meant are what sellers call columns, in French, Arabic and English. They are
// compared as search compares words: without capitals, accents, articles and
// plurals.
var meant = map[string]string{
	"offer_key":         "code offre|code article|code produit|identifiant|identifiant produit|handle|product id|product key|offer key|رمز المنتج|معرف المنتج|رمز العرض",
	"category":          "catégorie|catégorie de produit|famille|rayon|type de produit|product category|product type|الفئة|الصنف|التصنيف|فئة المنتج|نوع المنتج",
	"name_fr":           "nom|nom du produit|nom produit|désignation|libellé|intitulé|titre|produit|article|nom fr|nom français|désignation produit",
	"name_ar":           "nom arabe|nom ar|désignation arabe|libellé arabe|arabic name|name ar|الاسم|اسم المنتج|المنتج|التسمية|الاسم بالعربية|البيان",
	"name_en":           "name|product name|title|product|item|nom anglais|nom en|english name|name en|الاسم بالإنجليزية",
	"name_zgh":          "nom amazigh|nom tamazight|amazigh name|الاسم بالأمازيغية",
	"description_fr":    "description|descriptif|détail|détails|description produit|description fr|description française|présentation",
	"description_ar":    "description arabe|description ar|arabic description|الوصف|وصف المنتج|التفاصيل|الوصف بالعربية",
	"description_en":    "description anglaise|description en|english description|body|الوصف بالإنجليزية",
	"description_zgh":   "description amazigh|description tamazight|الوصف بالأمازيغية",
	"sku":               "sku|ref|réf|référence|référence article|référence produit|code|code sku|code barre|code barres|ean|gtin|variant sku|item number|reference|reference number|المرجع|مرجع المنتج|الرمز|الكود|رقم المرجع",
	"variant_fr":        "variante|déclinaison|format|taille|contenance|conditionnement|variant|size|option|الحجم|الشكل|المتغير",
	"variant_ar":        "variante arabe|variante ar|المتغير بالعربية",
	"variant_en":        "variante anglaise|variant en|english variant",
	"variant_zgh":       "variante amazigh",
	"unit":              "unité|unité de vente|unit|الوحدة|وحدة البيع",
	"weight_g":          "poids|poids g|poids grammes|poids en grammes|poids brut|weight|weight g|weight grams|grams|variant grams|الوزن|الوزن بالغرام|الوزن غ",
	"price":             "prix|prix ttc|prix unitaire|prix de vente|prix public|prix dh|prix mad|tarif|pu|pu ttc|montant|price|unit price|sale price|variant price|الثمن|السعر|ثمن البيع|سعر البيع|الثمن بالدرهم|السعر بالدرهم|ثمن الوحدة",
	"stock":             "stock|quantité|qté|qte|quantité en stock|quantité disponible|disponible|en stock|quantity|qty|inventory|available|variant inventory qty|المخزون|الكمية|الكمية المتوفرة|العدد",
	"region":            "région|region|الجهة|المنطقة",
	"commune":           "commune|ville|localité|origine|provenance|lieu|city|town|origin|place|الجماعة|المدينة|المصدر|المنشأ",
	"lat":               "latitude|lat|خط العرض",
	"lng":               "longitude|lng|lon|long|خط الطول",
	"label":             "label|labels|certification|certificat|signe de qualité|certificate|العلامة|الشهادة|علامة الجودة",
	"label_issuer":      "organisme certificateur|certificateur|organisme|émetteur du label|issuer|certifier|الجهة المانحة|جهة الشهادة",
	"label_number":      "numéro de certificat|numéro du certificat|n certificat|numéro du label|certificate number|رقم الشهادة",
	"label_from":        "date du certificat|valable du|début de validité|valide du|label du|valid from|تاريخ الشهادة|صالح من",
	"label_to":          "date d'expiration|expiration|fin de validité|valable au|valide au|label au|valid to|expiry|expiry date|تاريخ الانتهاء|صالح إلى",
	"withdrawal_exempt": "sans rétractation|exempt de rétractation|no withdrawal",
	"kind":              "nature|genre|kind|النوع",
	"net_quantity":      "quantité nette|contenu net|poids net|net quantity|net weight|الكمية الصافية|الوزن الصافي",
	"net_unit":          "unité nette|unité du contenu|net unit|وحدة الوزن الصافي",
	"tiers":             "prix dégressifs|tarifs dégressifs|prix de gros|tier prices|volume prices|أثمان الجملة",
	"policy":            "politique de stock|stock policy",
	"lead_days":         "délai|délai jours|délai de préparation|lead time|lead days|مدة التحضير",
	"weekly":            "capacité hebdomadaire|capacité par semaine|weekly capacity|القدرة الأسبوعية",
	"starts_at":         "date|date de début|début|starts at|start date|تاريخ البداية|التاريخ",
	"minutes":           "durée|durée minutes|durée en minutes|duration|المدة|المدة بالدقائق",
	"attributes":        "attributs|caractéristiques|attributes|features|الخصائص",
	"claims":            "allégations|claims",
	"state":             "statut|état|state|status|الحالة",
}

// guesses are the columns by the folded words of their names.
var guesses = func() map[string]string {
	out := map[string]string{}
	for _, column := range columns {
		names := strings.Split(meant[column], "|")
		for _, name := range append(names, strings.ReplaceAll(column, "_", " ")) {
			if k := folded(name); k != "" && out[k] == "" {
				out[k] = column
			}
		}
	}
	return out
}()

func folded(name string) string { return strings.Join(search.Fold(name), " ") }

// header is a heading's cell as it is shown and spoken of.
func header(cell string) string {
	return clipped(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, sheet.Tidy(cell)), longestName)
}

// guess is the column that a heading's cell means, and whether that is its very
// name; "" when nobody can tell.
func guess(cell string) (column string, exact bool) {
	name := strings.ToLower(sheet.Tidy(cell))
	if slices.Contains(columns, name) {
		return name, true
	}
	if c := guesses[folded(name)]; c != "" {
		return c, false
	}
	if before, _, found := strings.Cut(name, "("); found { // Prix (DH)
		return guesses[folded(before)], false
	}
	return "", false
}

// known counts the cells of a heading that mean something.
func known(head []string) (n int) {
	for _, cell := range head {
		if c, _ := guess(cell); c != "" {
			n++
		}
	}
	return n
}

// A Column says what a column of a file is taken for.
type Column struct {
	Header string `json:"header" required:"true" description:"As the file has it."`
	Column string `json:"column" required:"true" description:"What it is taken for; empty when it is left aside."`
	By     string `json:"by" required:"true" enum:"name,guess,you,memory,nobody" description:"How that is known: its very name; a guess; you say so with map; you said so before; nobody knows."`
}

// fingerprint is the same for files with the same heading, in any order.
func fingerprint(head []string) string {
	names := make([]string, len(head))
	for i, h := range head {
		names[i] = strings.ToLower(sheet.Tidy(h))
	}
	slices.Sort(names)
	sum := sha256.Sum256([]byte(strings.Join(names, "\x1f")))
	return hex.EncodeToString(sum[:16])
}

// mapping says what each column of a heading is taken for: what the seller says
// now, else what it said before of the same heading, else its name, else a guess.
// Of two guesses at one column the first counts.
func mapping(head []string, said, before map[string]string) ([]Column, error) {
	out := make([]Column, len(head))
	used := map[string]int{}
	err := ErrUnreadable
	take := func(i int, column, by string) {
		if j, twice := used[column]; twice && column != "" {
			if by == "name" && out[j].By == "name" {
				err = err.At("/"+column, "This column is there twice.")
			}
			return
		}
		if column != "" {
			used[column] = i
		}
		out[i].Column, out[i].By = column, by
	}
	for i, h := range head {
		out[i] = Column{Header: header(h), By: "nobody"}
	}
	for i, c := range out {
		if column, ok := said[c.Header]; ok {
			take(i, column, "you")
		} else if column, ok := before[c.Header]; ok {
			take(i, column, "memory")
		}
	}
	for i, c := range out {
		if column, exact := guess(c.Header); c.By == "nobody" && exact {
			take(i, column, "name")
		}
	}
	for i, c := range out {
		if column, _ := guess(c.Header); c.By == "nobody" && column != "" {
			take(i, column, "guess")
		}
	}
	if len(err.Details) > 0 {
		return nil, err
	}
	return out, complete(out, said)
}

// complete says what the heading lacks, and what of it nobody knows: it may be
// that. It also says which of the seller's words name no column of the file.
func complete(all []Column, said map[string]string) error {
	err := ErrUnreadable
	for header := range said {
		if !slices.ContainsFunc(all, func(c Column) bool { return c.Header == header }) {
			err = err.At("?map", "The file has no column "+header+".")
		}
	}
	var missing []string
	for _, name := range needed {
		if !slices.ContainsFunc(all, func(c Column) bool { return c.Column == name }) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		for _, c := range all {
			if c.Column == "" {
				err = err.At("/"+c.Header, "This column is not known; say what it is, as map="+c.Header+"=price. The columns are "+strings.Join(columns, ", ")+".")
			}
		}
	}
	for _, name := range missing {
		err = err.At("/"+name, "This column is missing.")
	}
	if len(err.Details) > 0 {
		return err
	}
	return nil
}

// sayings reads what a seller says of columns: header=column, or header= for one
// that is to be left aside.
func sayings(all []string) (map[string]string, error) {
	out := map[string]string{}
	for _, s := range all {
		i := strings.LastIndexByte(s, '=')
		if i < 0 {
			return nil, ErrInvalid.At("?map", "Write header=column, as Prix TTC=price, or header= to leave a column aside.")
		}
		header, column := header(s[:i]), strings.TrimSpace(s[i+1:])
		if column != "" && !slices.Contains(columns, column) {
			return nil, ErrInvalid.At("?map", "There is no column "+column+"; the columns are "+strings.Join(columns, ", ")+".")
		}
		if _, twice := out[header]; twice {
			return nil, ErrInvalid.At("?map", "The column "+header+" is given twice.")
		}
		out[header] = column
	}
	return out, nil
}

// categoryWords reads what a seller means by categories: word=code, or word= for
// nothing of its own any more. The words are folded.
func categoryWords(all []string) (map[string]string, error) {
	out := map[string]string{}
	for _, s := range all {
		i := strings.LastIndexByte(s, '=')
		if i < 0 || folded(s[:i]) == "" {
			return nil, ErrInvalid.At("?category", "Write word=category, as Cosmétiques bio=cosmetics, or word= to forget it.")
		}
		word, code := folded(s[:i]), strings.TrimSpace(s[i+1:])
		if _, ok := Category(code); code != "" && !ok {
			return nil, ErrInvalid.At("?category", "There is no category "+code+"; the categories are "+strings.Join(CategoryCodes(), ", ")+".")
		}
		if len(word) > longestName {
			return nil, ErrInvalid.At("?category", "This word for a category is too long.")
		}
		if _, twice := out[word]; twice {
			return nil, ErrInvalid.At("?category", "The word "+s[:i]+" is given twice.")
		}
		out[word] = code
	}
	return out, nil
}
