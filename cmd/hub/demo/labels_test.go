package demo_test

import (
	"strings"
	"testing"
	"time"
)

// labelled is the region where a real label may be claimed, by its title. Empty
// is a label that the sources tie to no one region.
var labelled = map[string]string{
	"IG Argane": "MA-09", "AOP Safran de Taliouine": "MA-09", "IGP Clémentine de Berkane": "MA-02", "IGP Dattes Majhoul de Tafilalet": "MA-08",
	"AOP Rose de Kelâat M’Gouna-Dadès": "MA-08", "AOP Eau de rose de Kelâat M’gouna-Dadès": "MA-08", "IGP Amande de Tafraout": "MA-09",
	"IGP Amandes d’Amellago-Assoul": "MA-08", "IGP Dattes Aziza Bouzid de Figuig": "MA-02", "IGP Dattes Bouittob de Tata": "MA-09",
	"IGP Dattes Boufeggous": "", "IGP Henné de Foum-Zguid": "MA-09", "IGP Henné d’Aït Ouabelli": "MA-09", "IGP Nèfles de Zegzel": "MA-02",
	"IG Miel de romarin de l’Oriental": "MA-02", "IGP Feuilles séchées du romarin de l’Oriental": "MA-02", "IG Miel d’euphorbe de Souss-Massa": "MA-09",
	"IGP Miel d’Euphorbe Tadla-Azilal": "MA-05", "IGP Miel d’euphorbe du Sahara": "", "IGP Miel d’arbousier Jbal My Abdessalam": "MA-01",
	"IGP Fromage de chèvre Chefchaouen": "MA-01", "IGP Huile d’olive vierge extra Ouezzane": "MA-01", "IG Huile d’olive Dir Béni Mellal": "MA-05",
	"IG Huile d’olive de Sefrou": "MA-03", "AOP Huile d’olive Tyout Chiadma": "MA-07", "IGP Grenade Sefri Ouled Abdellah": "MA-05",
	"IGP Figue sèche Nabout de Taounate": "MA-03", "IGP Lentille de Zaër": "MA-04", "IG Raisin Doukkali": "MA-06", "IGP Cumin Beldi de Rhamna": "MA-07",
	"IGP Figue de Barbarie d’Aït Baâmrane": "MA-10",
}

func TestALabelIsRealAndClaimedInItsRegion(t *testing.T) {
	t.Parallel()
	groups := by(offers(t), "label")
	for title, region := range labelled {
		if len(groups[title]) == 0 {
			t.Errorf("nothing carries %s", title)
		}
		for _, r := range groups[title] {
			if region != "" && r["region"] != region {
				t.Errorf("%s carries %s in %s, want %s", r["sku"], title, r["region"], region)
			}
		}
	}
	for title, rows := range groups {
		if _, ok := labelled[title]; !ok && title != "" {
			t.Errorf("%s carries the unknown label %s", rows[0]["sku"], title)
		}
	}
}

func TestALabelHasIssuerNumberAndOrderedDates(t *testing.T) {
	t.Parallel()
	for _, r := range offers(t) {
		if r["label"] == "" {
			if r["label_issuer"]+r["label_number"]+r["label_from"]+r["label_to"] != "" {
				t.Errorf("%s has label details but no label", r["sku"])
			}
			continue
		}
		from, err1 := time.Parse(time.DateOnly, r["label_from"])
		to, err2 := time.Parse(time.DateOnly, r["label_to"])
		if err1 != nil || err2 != nil || !from.Before(to) || from.Year() < 2024 || to.Year() < 2027 {
			t.Errorf("%s: label from %q to %q", r["sku"], r["label_from"], r["label_to"])
		}
		if !strings.HasPrefix(r["label_number"], "EX-") || !strings.Contains(r["label_issuer"], "25-06") {
			t.Errorf("%s: label number %q of %q", r["sku"], r["label_number"], r["label_issuer"])
		}
	}
}
