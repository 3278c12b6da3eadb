package main

import (
	"fmt"
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
	for path, media := range map[string]string{"/v1/exports/offers.csv": "text/csv", "/v1/exports/offers.xlsx": workbook} {
		out := r.ask(t, req{key: s.key, method: "GET", path: path})
		r.ask(t, req{key: s.key, method: "POST", path: "/v1/imports", body: out.body, media: media}).into(t, &v)
		if v.Unchanged != 3 || v.Rows != 3 {
			t.Errorf("%s imports as %+v", path, v)
		}
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
