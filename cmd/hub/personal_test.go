package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/marketplace/privacy"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// TestEachHolderDoesWhatTheRegisterSays compares what rooms do when somebody is
// forgotten with what the register tells people.
func TestEachHolderDoesWhatTheRegisterSays(t *testing.T) {
	t.Parallel()
	said := map[string]string{}
	for _, p := range privacy.TheRegister().Processings {
		for _, x := range p.Tables {
			said[x.Name] = x.After
		}
	}
	held := map[string]bool{}
	rooms := append(holding{}.rooms(), (*privacy.Service)(nil).Personal())
	for _, h := range rooms {
		r, ok := h.(interface{ Erases() map[string]bool })
		if !ok {
			t.Fatalf("%s does not say what it erases", h.Name())
		}
		for table, erases := range r.Erases() {
			if held[table] {
				t.Errorf("two rooms answer for %s", table)
			}
			held[table] = true
			if after, ok := said[table]; !ok || (after != "kept") != erases {
				t.Errorf("%s erases %s: %t; the register says %q", h.Name(), table, erases, after)
			}
		}
	}
	var aged, told []string
	for _, h := range rooms {
		aged = append(aged, h.Periods()...)
	}
	for _, p := range privacy.TheRegister().Periods {
		told = append(told, p.Code)
	}
	slices.Sort(aged)
	slices.Sort(told)
	if !slices.Equal(aged, told) {
		t.Errorf("rooms let go of %v by themselves, the register tells of %v", aged, told)
	}
	for table, after := range said {
		if after != "kept" && !held[table] {
			t.Errorf("the register says that %s is %s, and no room does so", table, after)
		}
	}
}

// A soul is a person of this test, by what it is known.
type soul struct {
	name, phone, local, email, address string
	token                              string
}

func (p soul) values() []string {
	return []string{p.name, p.phone, p.local, p.phone[1:], p.email, p.address}
}

// enters signs a person in, who has then just shown who it is.
func (r *rig) enters(t testing.TB, p *soul) {
	t.Helper()
	p.token, _ = r.person(t, p.phone)
}

// toTheDoor orders an article to the person's own door, and pays it.
func (r *rig) toTheDoor(t testing.TB, p *soul, w ware) sale {
	t.Helper()
	basket := r.basket(t, p.token, map[string]int{w.variant: 1})
	body := ordering(basket, r.quote(t, p.token, basket))
	body["contact"] = map[string]any{"name": p.name, "phone": p.local, "email": p.email}
	body["delivery"].(map[string]any)["address"] = p.address
	s := sale{buyer: p.token}
	r.ask(t, req{key: p.token, method: "POST", path: "/v1/checkouts", body: body, idem: once()}).into(t, &s)
	r.payBy(t, s, goodCard)
	r.paid(t, s)
	return s
}

// uses are what a person may do on the market that leaves something of it there.
func (r *rig) uses(t testing.TB, s *shop, w ware) map[string]func(p *soul) {
	bought := func(p *soul) sale {
		one := r.toTheDoor(t, p, w)
		r.complete(t, one, s)
		return one
	}
	return map[string]func(p *soul){
		"buys": func(p *soul) { bought(p) },
		"writes": func(p *soul) {
			one := bought(p)
			r.ask(t, req{key: p.token, method: "POST", path: "/v1/orders/" + one.Orders[0].ID + "/messages", body: map[string]any{"text": "Je suis " + p.name + ", " + p.address + ", appelez " + p.local}, idem: once()}).into(t, nil)
		},
		"reviews": func(p *soul) {
			one := bought(p)
			r.ask(t, req{key: p.token, method: "POST", path: "/v1/orders/" + one.Orders[0].ID + "/reviews", body: map[string]any{"variant": w.variant, "rating": 5, "text": "Merci, " + p.name}, idem: once()}).into(t, nil)
		},
		"cancels": func(p *soul) {
			one := r.toTheDoor(t, p, w)
			r.ask(t, req{key: p.token, method: "POST", path: "/v1/orders/" + one.Orders[0].ID + "/cancel", body: map[string]string{"reason": "changed_mind"}, idem: once()}).into(t, nil)
		},
		"asks for quotations": func(p *soul) {
			q := r.posts(t, p.token, requests, r.wants(t, "Pour "+p.name+" au "+p.address, s))
			r.posts(t, p.token, requests+"/"+q.ID+"/messages", map[string]string{"seller": s.org, "text": "Ecrivez a " + p.email})
			r.posts(t, p.token, requests+"/"+q.ID+"/cancel", nothing)
		},
		"asks for a correction": func(p *soul) {
			r.posts(t, p.token, "/v1/me/data-requests", map[string]string{"kind": "rectification", "about": "accounts", "text": "Je m'appelle " + p.name})
		},
		"has a name": func(p *soul) {
			r.ask(t, req{key: p.token, method: "PATCH", path: "/v1/me", body: map[string]any{"names": map[string]string{"fr": p.name}}}).into(t, nil)
		},
		"uploads": func(p *soul) {
			r.ask(t, req{key: p.token, method: "POST", path: "/v1/files?kind=proof", body: "%PDF-1.4\n9 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n", media: "application/pdf"}).into(t, nil)
		},
	}
}

// lies says in which columns of which tables a text lies open.
func lies(t testing.TB, owner *pg.Store, values []string) (where []string) {
	t.Helper()
	type column struct{ Tbl, Col, Kind string }
	all, err := pg.All[column](t.Context(), owner, `select format('%I.%I', table_schema, table_name) as tbl, column_name as col, data_type as kind from information_schema.columns c
		join information_schema.tables x using (table_schema, table_name)
		where x.table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema') and data_type in ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY', 'inet', 'xml', 'USER-DEFINED', 'name') order by 1, 2`)
	if err != nil || len(all) < 500 {
		t.Fatalf("%d columns, %v", len(all), err)
	}
	for _, c := range all {
		text := fmt.Sprintf("%q::text", c.Col)
		if c.Kind == "bytea" {
			text = fmt.Sprintf("encode(%q, 'escape')", c.Col)
		}
		n, err := pg.Value[int](t.Context(), owner, nil, `select count(*)::int from `+c.Tbl+` x, unnest($1::text[]) v where strpos(lower(`+text+`), lower(v)) > 0`, values)
		if err != nil {
			t.Fatalf("%s.%s: %v", c.Tbl, c.Col, err)
		}
		if n > 0 {
			where = append(where, c.Tbl+"."+c.Col)
		}
	}
	return where
}

// stays are the columns where something plain of somebody who was forgotten may stay,
// and why; the register says the same.
var stays = map[string]string{
	"orders.invoice.body":     "an invoice names its buyer for ten years",
	"operations.evidence.raw": "what the acquirer said is a record of the books",
}

// TestNothingOfWhoIsForgottenLiesOpen has people use the market in ways that are drawn,
// has them forgotten, and looks through the whole database. The hub is killed while it
// forgets.
func TestNothingOfWhoIsForgottenLiesOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.client = &http.Client{Timeout: 3 * time.Minute, Transport: watch} // nobody else says the same words here
	s := r.seller(t)
	w := r.ware(t, s, 100, "100.00")
	uses := r.uses(t, s, w)
	names := []string{}
	for n := range uses {
		names = append(names, n)
	}
	slices.Sort(names)
	drawn := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 2, 4, rapid.ID[string])
	var people []*soul
	for i := range 3 {
		p := &soul{
			name: fmt.Sprintf("Zineb Exemplaire%d", i), phone: fmt.Sprintf("+21260009900%d", i), local: fmt.Sprintf("060009900%d", i),
			email: fmt.Sprintf("zineb.%d@courrier.exemple", i), address: fmt.Sprintf("%d derb Exemplaire, porte bleue", 770+i),
		}
		r.enters(t, p)
		does := drawn.Example(i + 1)
		if i == 0 {
			does = names // the first does all of it
		}
		t.Logf("person %d: %v", i, does)
		for _, d := range does {
			uses[d](p)
		}
		people = append(people, p)
	}
	open := r.toTheDoor(t, people[0], w)
	r.ask(t, req{key: people[0].token, method: "POST", path: "/v1/me/erasure", idem: once()}).refused(t, 409, "personal_data.barred", "/orders.open", "/escrow.held")
	r.complete(t, open, s)
	r.advance(t, "480h")
	owner := ownerOf(t, r)
	found := lies(t, owner, people[0].values())
	for _, want := range []string{"members.person.phone", "orders.order_group.contact", "orders.message.text", "notices.notice.phone", "charges.charge.contact"} {
		if !slices.Contains(found, want) {
			t.Errorf("before, nothing lies in %s: the search is blind there (%v)", want, found)
		}
	}
	var certificates []string
	for _, p := range people {
		r.enters(t, p)
		r.copies(t, p, people)
		r.until(t, "nothing to stand in the way", func() bool {
			var v privacy.StandingView
			r.ask(t, req{key: p.token, method: "GET", path: "/v1/me/erasure"}).into(t, &v)
			return len(v.Bars) == 0
		})
		r.enters(t, p) // the waiting may have taken long
		var a privacy.AskedView
		r.ask(t, req{key: p.token, method: "POST", path: "/v1/me/erasure", idem: once()}).into(t, &a)
		certificates = append(certificates, a.Certificate[strings.Index(a.Certificate, "/v1/"):])
	}
	r.advance(t, "169h")
	r.until(t, "somebody to be forgotten in part", func() bool {
		n, err := pg.Value[int](t.Context(), owner, nil, `select count(*)::int from privacy.erased`)
		if err != nil {
			t.Fatal(err)
		}
		return n > 0
	})
	r.kill()
	r.run(t)
	for i, c := range certificates {
		var v privacy.CertificateView
		r.until(t, "somebody to be forgotten", func() bool {
			r.ask(t, req{method: "GET", path: c}).into(t, &v)
			return v.State == privacy.Done
		})
		if len(v.Tables) < 40 || v.Done != v.Rooms {
			t.Errorf("the certificate of %d names %d tables, %d of %d rooms", i, len(v.Tables), v.Done, v.Rooms)
		}
	}
	now := r.now(t).Add(31 * 24 * time.Hour)
	if _, err := rest.ForgetAnswers(t.Context(), r.house.store, now.Add(-keepAnswers)); err != nil { // as the hub does each hour
		t.Fatal(err)
	}
	for i, p := range people {
		for _, at := range lies(t, owner, p.values()) {
			if stays[at] == "" {
				t.Errorf("something of person %d lies in %s", i, at)
			}
		}
		r.ask(t, req{key: p.token, method: "GET", path: "/v1/me"}).refused(t, 401, "sessions.ended")
	}
	r.verify(t)
}

// copies has a person take away all that is held of it, and nobody else does.
func (r *rig) copies(t testing.TB, p *soul, others []*soul) {
	t.Helper()
	v := posts[privacy.ExportView](t, r, p.token, "/v1/me/data-exports", nothing)
	at := "/v1/me/data-exports/" + v.ID
	r.until(t, "the copy", func() bool {
		r.ask(t, req{key: p.token, method: "GET", path: at}).into(t, &v)
		return v.State == privacy.Ready
	})
	r.enters(t, p)
	text := r.shows(t, p.token, at+"/document")
	for _, o := range others {
		if has := strings.Contains(text, o.phone); has != (o == p) {
			t.Errorf("the copy of %s has %s: %t", p.name, o.phone, has)
		}
	}
	if page := r.shows(t, p.token, at+"/page?lang=ar"); !strings.Contains(page, `dir="rtl"`) || !strings.Contains(page, p.phone[1:]) {
		t.Errorf("the page is %.300s", page)
	}
	r.shows(t, p.token, "/v1/me/data-exports")
	for _, path := range []string{at, at + "/document", at + "/page"} {
		r.ask(t, req{key: r.buyer(t), method: "GET", path: path}).refused(t, http.StatusNotFound, "personal_data.not_found")
	}
}

// rightful has somebody read what is done with its data, take it away, correct, object,
// and think better of being forgotten.
func rightful(t *testing.T, r *rig, _ trade) {
	p := &soul{name: "Personne exemple", phone: "+212600077021"}
	r.enters(t, p)
	var reg privacy.RegisterView
	r.ask(t, req{method: "GET", path: "/v1/processings"}).into(t, &reg)
	if len(reg.Data) != len(privacy.TheRegister().Processings) || reg.Data[0].Number != "" {
		t.Errorf("the register has %d processings, the first with the number %q", len(reg.Data), reg.Data[0].Number)
	}
	if sheet := r.shows(t, r.operator(), "/v1/exports/processings.csv"); !strings.Contains(sheet, "déclaration en cours") || strings.Count(sheet, "\n") != len(reg.Data)+1 {
		t.Errorf("the sheet is %.400s", sheet)
	}
	q := posts[privacy.RequestView](t, r, p.token, "/v1/me/data-requests", map[string]string{"kind": "rectification", "about": "accounts", "text": "Mon nom."})
	if inbox := r.shows(t, r.operator(), "/v1/data-requests?limit=100"); !strings.Contains(inbox, q.ID) {
		t.Errorf("the inbox is %s", inbox)
	}
	r.posts(t, r.operator(), "/v1/data-requests/"+q.ID+"/answer", map[string]string{"decision": "answered", "answer": "C'est fait."})
	if mine := r.shows(t, p.token, "/v1/me/data-requests"); !strings.Contains(mine, "C'est fait.") {
		t.Errorf("the person reads %s", mine)
	}
	r.copies(t, p, []*soul{p})
	a := posts[privacy.AskedView](t, r, p.token, "/v1/me/erasure", nothing)
	if st := r.shows(t, p.token, "/v1/me/erasure"); !strings.Contains(st, a.ID) {
		t.Errorf("it stands so: %s", st)
	}
	if periods := r.shows(t, r.operator(), "/v1/retention"); !strings.Contains(periods, `"delivery_proofs"`) {
		t.Errorf("the periods are %s", periods)
	}
	r.shows(t, "", a.Certificate[strings.Index(a.Certificate, "/v1/"):])
	r.posts(t, p.token, "/v1/me/erasure/cancel", nothing)
	if all := r.shows(t, r.operator(), "/v1/data-erasures?state=cancelled&limit=100"); !strings.Contains(all, a.ID) {
		t.Errorf("the operator sees %s", all)
	}
}

// The routes of personal data, for the suite of what happens once.
func init() {
	own := func(t *testing.T, o *onceRig, body, bad, other any) (p posting, person string) {
		p = o.second(body, bad, other)
		p.key, p.by = o.buyer(t), o.buyer(t)
		return p, o.self(t, p.key)
	}
	postings["personal_data.export"] = func(t *testing.T, o *onceRig) posting {
		p, who := own(t, o, nil, map[string]int{"moon": 1}, nil)
		p.path, p.of = "/v1/me/data-exports", who
		p.effect = `select count(*) from privacy.export where person = $1`
		p = p.moved()
		p.other = p.at("/v1/me/data-requests", map[string]string{"kind": "objection", "about": "marketing"})
		return p
	}
	postings["personal_data.ask"] = func(t *testing.T, o *onceRig) posting {
		say := func(about, text string) map[string]string {
			return map[string]string{"kind": "rectification", "about": about, "text": text}
		}
		p, who := own(t, o, say("accounts", "Mon nom."), say("moon", "Mon nom."), say("orders", "Mon adresse."))
		p.path, p.of = "/v1/me/data-requests", who
		p.effect = `select count(*) from privacy.request where person = $1`
		return p.moved()
	}
	postings["personal_data.answer"] = func(t *testing.T, o *onceRig) posting {
		q := posts[privacy.RequestView](t, o.rig, o.buyer(t), "/v1/me/data-requests", map[string]string{"kind": "rectification", "about": "accounts", "text": "Mon nom."})
		with := func(decision, answer string) map[string]string {
			return map[string]string{"decision": decision, "answer": answer}
		}
		p := o.second(with("answered", "Fait."), with("refused", ""), with("refused", "Non."))
		p.path = "/v1/data-requests/" + q.ID + "/answer"
		p.effect, p.of = trail("personal_data.answer", q.ID)
		return p.moved()
	}
	postings["personal_data.erase"] = func(t *testing.T, o *onceRig) posting {
		p, who := own(t, o, nil, map[string]int{"moon": 1}, nil)
		p.path, p.of = "/v1/me/erasure", who
		p.effect = `select count(*) from privacy.erasure where person = $1`
		p = p.moved()
		p.other = p.at("/v1/me/data-requests", map[string]string{"kind": "objection", "about": "marketing"})
		return p
	}
	postings["personal_data.keep"] = func(t *testing.T, o *onceRig) posting {
		p, _ := own(t, o, nil, map[string]int{"moon": 1}, nil)
		e := posts[privacy.AskedView](t, o.rig, p.key, "/v1/me/erasure", nothing)
		p.path = "/v1/me/erasure/cancel"
		p.effect, p.of = trail("personal_data.keep", e.ID)
		p = p.moved()
		p.other = p.at("/v1/me/data-requests", map[string]string{"kind": "objection", "about": "marketing"})
		return p
	}
}
