package main

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// An imported is an import as the interface shows it.
type imported struct {
	ID, State                      string
	Rows, Done, Created, Unchanged int
	RejectedRows                   int `json:"rejected_rows"`
	Rejected                       []struct{ Row int }
}

const workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// catalogue is a file of n rows, whose names have a word that no other file has.
func catalogue(n int) (file, word string) {
	word = "zz" + strings.ToLower(once()[:10])
	var b strings.Builder
	b.WriteString("offer_key,category,name_fr,sku,price,stock,commune\n")
	for i := range n {
		fmt.Fprintf(&b, "%[1]s-%[2]d,dates,Dattes %[1]sn%[2]d (exemple),%[1]s-%[2]d,%[3]d.50,%[4]d,Erfoud\n", word, i, 10+i%90, 1+i%50)
	}
	return b.String(), word
}

// filed takes a catalogue in, shows what became of it, and reads its export back.
func filed(t *testing.T, r *rig, _ trade) {
	s, stranger := r.seller(t), r.seller(t)
	file, word := catalogue(3)
	file += word + "-x,dates,Dattes," + word + "-x,gratuit,1,Erfoud\n"
	var v imported
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/imports", body: file, media: "text/csv"}).into(t, &v)
	if v.State != "done" || v.Created != 3 || v.RejectedRows != 1 || len(v.Rejected) != 1 || v.Rejected[0].Row != 5 {
		t.Errorf("%+v", v)
	}
	for _, path := range []string{"/v1/imports/" + v.ID, "/v1/imports/" + v.ID + "/rows?verdict=rejected"} {
		r.ask(t, req{key: s.key, method: "GET", path: path}).into(t, nil)
		r.ask(t, req{key: stranger.key, method: "GET", path: path}).refused(t, 404, "catalog.no_import")
	}
	r.ask(t, req{key: s.key, method: "GET", path: "/v1/imports"}).into(t, nil)
	again := "/v1/imports/" + v.ID + "/again"
	r.ask(t, req{key: s.key, method: "POST", path: again, body: map[string]any{"dry_run": true}}).into(t, &v)
	if v.Unchanged != 3 || v.Created != 0 || v.RejectedRows != 1 {
		t.Errorf("looked at again it is %+v", v)
	}
	r.ask(t, req{key: stranger.key, method: "POST", path: again, body: map[string]any{}}).refused(t, 404, "catalog.no_import")
	for path, media := range map[string]string{"/v1/exports/offers.csv": "text/csv", "/v1/exports/offers.xlsx": workbook} {
		out := r.ask(t, req{key: s.key, method: "GET", path: path})
		r.ask(t, req{key: s.key, method: "POST", path: "/v1/imports", body: out.body, media: media}).into(t, &v)
		if v.Unchanged != 3 || v.Rows != 3 {
			t.Errorf("%s imports as %+v", path, v)
		}
	}
}

// filedByPages has a seller send a file whose heading and categories nobody knows, say
// what they are, look at what would become of it, and take it in, by pages without
// scripts.
func filedByPages(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	member := r.seated(t, "+212600088207", s.org)
	word := "zz" + strings.ToLower(once()[:10])
	file := strings.NewReplacer("@", word).Replace("Machin;Désignation;Bidule;Stock;Commune\nMerveilles @;Confit @ (exemple);@-1;4;Erfoud\nMerveilles @;Pâte @ (exemple);@-2;quatre;Erfoud\nZit argan;Argan @ (exemple);@-3;5;Erfoud\n")
	file = strings.ReplaceAll(strings.ReplaceAll(file, ";4;", ";12,50;4;"), ";5;", ";٣٠;5;")
	file = strings.Replace(strings.Replace(file, ";quatre;", ";20;quatre;", 1), "Bidule;Stock", "Bidule;Truc;Stock", 1)
	page := member.open(t, "/v/produits/importer", "Regarder le fichier")
	status, _, page := member.posts(t, page, `name="fichier"`, "fichier", file, nil)
	if status != http.StatusUnprocessableEntity {
		t.Fatalf("a file whose columns nobody knows is answered %d", status)
	}
	columns := url.Values{}
	for _, m := range regexp.MustCompile(`name="(c_\d+)\.de" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		columns.Set(m[1], map[string]string{"Machin": "category", "Bidule": "sku", "Truc": "price"}[m[2]])
	}
	if len(columns) != 3 {
		t.Fatalf("the page asks for %v: %.3000s", columns, inside(page))
	}
	page = member.hands(t, page, `name="fichier"`, "fichier", file, columns, "Rien n’est encore changé", "Importer 1 produit", "Merveilles "+word, "Catégorie")
	member.open(t, "/v/produits/importer", "papier.pdf")
	page = member.send(t, page, `value="regarder"`, url.Values{"quoi": {"regarder"}, "w_0": {"preserves"}}, "Importer 2 produits", "Ligne 3", "Un nombre entier, comme 12.")
	if strings.Contains(page, "Créés") {
		t.Error("a look took something in")
	}
	member.reads(t, regexp.MustCompile(`/v/importer/imp_[a-z0-9]{26}`).FindString(page))
	member.send(t, page, `value="prendre"`, url.Values{"quoi": {"prendre"}}, "Le fichier est pris.")
	member.open(t, "/v/produits", "Confit "+word, "Argan "+word)
	next := strings.NewReplacer(word+"-", word+"-n", "quatre", "4").Replace(file)
	member.hands(t, member.open(t, "/v/produits/importer"), `name="fichier"`, "fichier", next, nil, "Importer 3 produits") // it is remembered
	// What the browser takes a file for says nothing, and what is no table is refused
	// in words; one word in two spellings is one question.
	page = member.open(t, "/v/produits/importer")
	for kind, file := range map[string]string{"image/png": "\x89PNG\r\n\x1a\n\x00", "application/pdf": "%PDF-1.7\n"} {
		if status, _, answer := member.postsAs(t, page, `name="fichier"`, "fichier", kind, file, nil); status != http.StatusUnprocessableEntity || !strings.Contains(answer, "comme un tableau") {
			t.Errorf("a file of the kind %s is answered %d: %.300s", kind, status, inside(answer))
		}
	}
	for _, size := range []int{13 << 20, 16<<20 + 1<<10} { // more than a table, more than a form
		if status, _, answer := member.posts(t, page, `name="fichier"`, "fichier", strings.Repeat("\n", size), nil); status != http.StatusUnprocessableEntity || !strings.Contains(answer, "trop grand") {
			t.Errorf("a file of %d bytes is answered %d: %.300s", size, status, inside(answer))
		}
	}
	odd := strings.NewReplacer("@", word).Replace("category;sku;price;;name_fr;commune;Notes;Notes\nTrucs @;@-8;1;;A (exemple);Erfoud;a;b\nTRUC @;@-9;2;;B (exemple);Erfoud;a;b\n—;@-7;3;;C (exemple);Erfoud;a;b\n")
	status, to, _ := member.postsAs(t, page, `name="fichier"`, "fichier", "text/comma-separated-values", odd+strings.Repeat("\n", 11<<20), nil)
	if status != http.StatusSeeOther {
		t.Fatalf("a file of 11 MB is answered %d", status)
	}
	r.until(t, "the file to be looked at", func() bool {
		page = member.open(t, to)
		return !strings.Contains(page, "Voir où ça en est")
	})
	for part, want := range map[string]int{`<select id="f-w_`: 1, `<bdi>Notes</bdi>`: 1, `.de" value=""`: 0} {
		if got := strings.Count(page, part); got != want {
			t.Errorf("%s is there %d times, want %d", part, got, want)
		}
	}
	if status, _, _ := member.do(t, "GET", "/v/importer/imp_00000000000000000000000000", nil); status != http.StatusNotFound {
		t.Errorf("an import that is none is answered %d", status)
	}
}

// TestKilledHubGoesOnWithAnImport kills the hub in the middle of a long file, again
// and again: the next one goes on, and each row has its verdict, and is there, once.
func TestKilledHubGoesOnWithAnImport(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.seller(t)
	const rows = 6000
	file, word := catalogue(rows)
	var v imported
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/imports?background=true", body: file, media: "text/csv"}).into(t, &v)
	show := func() imported {
		r.ask(t, req{key: s.key, method: "GET", path: "/v1/imports/" + v.ID}).into(t, &v)
		return v
	}
	kills := 0
	for done := 0; kills < 3; kills++ {
		r.until(t, "the import to get on", func() bool { return show().Done > done || v.State != "running" })
		if v.State != "running" {
			break
		}
		done = v.Done
		r.kill()
		r.run(t)
	}
	r.until(t, "the import to end", func() bool { return show().State != "running" })
	if kills < 2 || v.State != "done" || v.Created != rows || v.RejectedRows != 0 {
		t.Errorf("after %d kills the import is %+v", kills, v)
	}
	var l struct {
		Data []struct{ ID string }
	}
	r.ask(t, req{method: "GET", path: fmt.Sprintf("/v1/offers?seller=%s&q=%sn%d", s.org, word, rows-1)}).into(t, &l)
	if len(l.Data) != 1 {
		t.Errorf("the last row is found %d times", len(l.Data))
	}
	var again imported
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/imports", body: file, media: "text/csv"}).into(t, &again)
	if again.State == "done" && again.Unchanged != rows {
		t.Errorf("the same file again is %+v", again)
	}
	t.Logf("the hub was killed %d times", kills)
	r.verify(t)
}
