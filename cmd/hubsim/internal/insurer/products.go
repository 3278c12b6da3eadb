package insurer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/pkg/money"
)

type texts map[string]string

func said(fr, ar, en string) texts { return texts{"fr": fr, "ar": ar, "en": en} }

// A product is what the insurer offers. Amounts are centimes; Months is how long a
// premium lasts, 0 for the whole term.
type product struct {
	ID         string
	Version    int
	Line       string
	Kind       string // of its subject
	Names      texts
	Covers     []texts
	Exclusions []texts
	Fixed      int64
	Rate       int64 // thousandths of the sum insured
	Min        int64
	Period     string
	Months     int
	Most       int64
	Excess     int64
	Waiting    int
	CoolingOff int
	Commission int64 // thousandths of the premium without its taxes
	Papers     []string
	Trigger    *trigger
}

type trigger struct {
	Index, Source, Threshold string
	Below                    bool
	Pays                     int64
}

// taxPercent is within each premium.
const taxPercent = 14

// products are the insurer's, plainly invented.
var products = []product{
	{
		ID: "colis-exemple", Version: 1, Line: "parcel", Kind: "shipment", Names: said("Colis assuré (exemple)", "طرد مؤمَّن (مثال)", "Parcel cover (example)"),
		Covers: []texts{
			said("Perte du colis", "ضياع الطرد", "Loss of the parcel"), said("Casse pendant le transport", "الكسر أثناء النقل", "Breakage on the way"),
			said("Vol avant la livraison", "السرقة قبل التسليم", "Theft before delivery"),
		},
		Exclusions: []texts{
			said("Emballage insuffisant", "تغليف غير كاف", "Insufficient packing"), said("Retard de livraison", "تأخر التسليم", "Late delivery"),
		},
		Rate: 15, Min: 5_00, Period: "once", Most: 5_000_00, Commission: 150, Papers: []string{"photo"},
	},
	{
		ID: "stock-exemple", Version: 1, Line: "stock", Kind: "stock", Names: said("Stock et atelier (exemple)", "المخزون والورشة (مثال)", "Stock and workshop (example)"),
		Covers: []texts{
			said("Incendie", "الحريق", "Fire"), said("Dégât des eaux", "أضرار المياه", "Water damage"), said("Vol avec effraction", "السرقة بالكسر", "Burglary"),
		},
		Exclusions: []texts{
			said("Usure normale", "الاستهلاك العادي", "Normal wear"), said("Stock non inventorié", "مخزون غير مجرود", "Stock that was not counted"),
		},
		Rate: 2, Min: 20_00, Period: "month", Months: 1, Most: 200_000_00, Excess: 500_00, CoolingOff: 14, Commission: 120, Papers: []string{"photo", "inventory"},
	},
	{
		ID: "recolte-exemple", Version: 1, Line: "crop", Kind: "crop", Names: said("Récolte, indice de pluie (exemple)", "المحصول، مؤشر المطر (مثال)", "Harvest, rain index (example)"),
		Covers:     []texts{said("Moins de 40 mm de pluie sur le mois, dans la commune", "أقل من 40 ملم من المطر خلال الشهر في الجماعة", "Less than 40 mm of rain over the month, in the commune")},
		Exclusions: []texts{said("Pertes sans rapport avec la pluie", "خسائر لا علاقة لها بالمطر", "Losses that rain has no part in")},
		Rate:       50, Min: 100_00, Period: "season", Most: 100_000_00, CoolingOff: 14, Commission: 100,
		Trigger: &trigger{Index: "rain_mm", Source: "Station pluviométrique (exemple)", Below: true, Threshold: "40.0", Pays: 2_000_00},
	},
	{
		ID: "sante-exemple", Version: 1, Line: "health", Kind: "person", Names: said("Santé des artisans (exemple)", "صحة الصناع (مثال)", "Health for makers (example)"),
		Covers: []texts{
			said("Hospitalisation", "الاستشفاء", "Hospital stay"), said("Accident du travail", "حادثة شغل", "Accident at work"),
		},
		Exclusions: []texts{
			said("Soins esthétiques", "العلاجات التجميلية", "Cosmetic care"), said("Maladie connue avant le contrat", "مرض معروف قبل العقد", "Illness known before"),
		},
		Fixed: 120_00, Period: "month", Months: 1, Most: 50_000_00, Waiting: 30, CoolingOff: 14, Commission: 100, Papers: []string{"invoice", "medical_certificate"},
	},
}

func productOf(id string, version int) (product, bool) {
	for _, p := range products {
		if p.ID == id && p.Version == version {
			return p, true
		}
	}
	return product{}, false
}

// share is thousandths of an amount, to the nearest centime.
func share(centimes, permille int64) int64 { return (centimes*permille + 500) / 1000 }

// price is what a product costs for a sum insured: the premium, with its taxes
// inside, and the distributor's commission.
func (p product) price(sum int64) (premium, taxes, commission int64) {
	premium = p.Fixed
	if p.Rate > 0 {
		premium = max(share(sum, p.Rate), p.Min)
	}
	net := (premium*100 + (100+taxPercent)/2) / (100 + taxPercent)
	return premium, premium - net, share(net, p.Commission)
}

// wireProduct is a product as the protocol writes it.
func (p *Insurer) wireProduct(o product) map[string]any {
	premium := map[string]any{"period": o.Period}
	if o.Rate > 0 {
		premium["rate_permille"], premium["minimum"] = o.Rate, money.Dirhams(o.Min)
	} else {
		premium["fixed"] = money.Dirhams(o.Fixed)
	}
	out := map[string]any{
		"id": o.ID, "version": o.Version, "line": o.Line, "names": o.Names, "covers": o.Covers, "exclusions": o.Exclusions, "premium": premium,
		"most": money.Dirhams(o.Most), "excess": money.Dirhams(o.Excess), "waiting_days": o.Waiting, "cooling_off_days": o.CoolingOff,
		"commission_permille": o.Commission, "papers": append([]string{}, o.Papers...), "documents": p.documents(o),
	}
	if t := o.Trigger; t != nil {
		out["trigger"] = map[string]any{"index": t.Index, "source": t.Source, "below": t.Below, "threshold": t.Threshold, "pays": money.Dirhams(t.Pays)}
	}
	return out
}

type document struct {
	Kind   string `json:"kind"`
	Lang   string `json:"lang"`
	URL    string `json:"url"`
	SHA256 string `json:"sha256"`
}

var langs = []string{"fr", "ar", "en"}

// documents are the information sheets of a product.
func (p *Insurer) documents(o product) (all []document) {
	for _, lang := range langs {
		sum := sha256.Sum256(sheetOf(o, lang))
		all = append(all, document{"information_sheet", lang, p.URL + Base + "/sheets/" + sheetName(o, lang), hex.EncodeToString(sum[:])})
	}
	return all
}

func sheetName(o product, lang string) string {
	return fmt.Sprintf("%s-v%d-%s.html", o.ID, o.Version, lang)
}

var sheetPage = template.Must(template.New("sheet").Parse(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Name}}</title>
<style>body{font:17px/1.6 system-ui,"Noto Naskh Arabic",sans-serif;max-width:40rem;margin:1rem auto;padding:0 1rem;color:#2b2118}h1{font-size:1.3rem}h2{font-size:1.05rem}.demo{background:#fff3d1;padding:.5rem .8rem}</style></head>
<body><p class="demo">{{.Demo}}</p><h1>{{.Name}}</h1>
<h2>{{.T.Covered}}</h2><ul>{{range .Covers}}<li>{{.}}</li>{{end}}</ul>
<h2>{{.T.Not}}</h2><ul>{{range .Exclusions}}<li>{{.}}</li>{{end}}</ul>
<h2>{{.T.Terms}}</h2><ul><li>{{.T.Premium}} <bdi>{{.Premium}}</bdi></li><li>{{.T.Most}} <bdi>{{.Most}} MAD</bdi></li><li>{{.T.Excess}} <bdi>{{.Excess}} MAD</bdi></li><li>{{.T.Waiting}} <bdi>{{.Waiting}}</bdi></li><li>{{.T.Cooling}} <bdi>{{.CoolingOff}}</bdi></li></ul>
<p>{{.T.Version}} <bdi>{{.ID}} v{{.Version}}</bdi></p></body></html>
`))

type sheetWords struct{ Covered, Not, Terms, Premium, Most, Excess, Waiting, Cooling, Version string }

var sheetTexts = map[string]struct {
	Dir, Demo string
	T         sheetWords
}{
	"fr": {"ltr", "Démonstration : cet assureur n’existe pas, personne n’est assuré.", sheetWords{
		"Ce qui est couvert", "Ce qui ne l’est pas", "Conditions", "Prime :", "Somme assurée, au plus :", "Franchise :", "Délai de carence, en jours :", "Rétractation, en jours :", "Fiche d’information",
	}},
	"ar": {"rtl", "عرض تجريبي: هذا المؤمِّن غير موجود ولا أحد مؤمَّن.", sheetWords{
		"ما يشمله التأمين", "ما لا يشمله", "الشروط", "القسط:", "المبلغ المؤمَّن، كحد أقصى:", "الخلوص:", "مدة الانتظار، بالأيام:", "حق التراجع، بالأيام:", "ورقة المعلومات",
	}},
	"en": {"ltr", "Demonstration: this insurer does not exist and nobody is insured.", sheetWords{
		"What is covered", "What is not", "Terms", "Premium:", "Sum insured, at most:", "Excess:", "Waiting period, in days:", "Cooling-off, in days:", "Information sheet",
	}},
}

// sheetOf is an information sheet, always in the same bytes.
func sheetOf(o product, lang string) []byte {
	w := sheetTexts[lang]
	of := func(all []texts) (out []string) {
		for _, t := range all {
			out = append(out, t[lang])
		}
		return out
	}
	premium := money.Dirhams(o.Fixed).Amount() + " MAD"
	if o.Rate > 0 {
		premium = fmt.Sprintf("%d ‰ (≥ %s MAD)", o.Rate, money.Dirhams(o.Min).Amount())
	}
	var b bytes.Buffer
	err := sheetPage.Execute(&b, map[string]any{
		"Lang": lang, "Dir": w.Dir, "Demo": w.Demo, "T": w.T, "Name": o.Names[lang], "Covers": of(o.Covers), "Exclusions": of(o.Exclusions), "Premium": premium + " / " + o.Period,
		"Most": money.Dirhams(o.Most).Amount(), "Excess": money.Dirhams(o.Excess).Amount(), "Waiting": o.Waiting, "CoolingOff": o.CoolingOff, "ID": o.ID, "Version": o.Version,
	})
	if err != nil {
		panic("insurer: " + err.Error())
	}
	return b.Bytes()
}

func (p *Insurer) sheet(rw http.ResponseWriter, r *http.Request) {
	for _, o := range products {
		for _, lang := range langs {
			if strings.EqualFold(r.PathValue("name"), sheetName(o, lang)) {
				rw.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
				provider.Reply(rw, "text/html; charset=utf-8", http.StatusOK, sheetOf(o, lang), false)
				return
			}
		}
	}
	http.NotFound(rw, r)
}
