package procedures_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/procedures"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// paper is a document that a case gives.
func paper(prefix string) func(d fields) {
	return with("document", fields{"prefix": prefix, "months": 12, "texts": said("{holder} {number} {from} {to}"), "public": []string{"holder", "trade"}})
}

func TestACaseGoesFromItsDraftToADocumentThatAnybodyVerifies(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	_, coop := h.member(members.Cooperative, "Coopérative")
	_, stranger := h.member(members.Cooperative, "Autre")
	_, bank := h.member(members.Bank, "Banque")
	p := h.publishes(officer, definition("registration", paper("ENR"), with("papers", []any{fields{"code": "samples", "names": said("Photos")}})))

	h.refused(422, "procedures.invalid", "/answers/hands", coop, "POST", all, fields{"procedure": p, "answers": fields{"hands": 0}})
	c := h.begins(coop, p)
	h.refused(409, "procedures.already", "", coop, "POST", all, fields{"procedure": p})
	h.refused(404, "procedures.not_found", "", officer, "GET", all+"/"+c.ID, nil) // a draft is its applicant's
	h.refused(404, "procedures.not_found", "", stranger, "GET", all+"/"+c.ID, nil)
	h.refused(403, "auth.denied", "", bank, "GET", all+"/"+c.ID, nil)
	h.refused(409, "procedures.missing", "/papers/samples", coop, "POST", all+"/"+c.ID+"/submit", nil)
	h.refused(422, "procedures.invalid", "/file", coop, "POST", all+"/"+c.ID+"/papers", fields{"code": "samples", "file": h.file(stranger, "à une autre")})
	h.want(201, &c, coop, "POST", all+"/"+c.ID+"/papers", fields{"code": "samples", "file": h.file(coop, "photos")})
	h.want(200, &c, coop, "PUT", all+"/"+c.ID+"/answers", fields{"answers": fields{}})
	h.refused(422, "procedures.invalid", "/answers/trade", coop, "POST", all+"/"+c.ID+"/submit", nil)
	h.want(200, &c, coop, "PUT", all+"/"+c.ID+"/answers", fields{"answers": fields{"trade": "tapis"}})
	h.refused(409, "procedures.stale", "", coop, "POST", all+"/"+c.ID+"/submit", fields{"version": c.Version - 1})
	c = h.does(coop, c.ID, "submit", fields{"version": c.Version})
	if c.State != procedures.Submitted || c.Holder.ID != office || c.Desk != office || c.Moves[0].Channel != "api" {
		t.Fatalf("handed in it is %+v", c)
	}
	h.refused(404, "procedures.not_found", "", stranger, "POST", all+"/"+c.ID+"/withdraw", nil)
	h.refused(404, "procedures.not_found", "", stranger, "GET", all+"/"+c.ID+"/papers/samples", nil)
	if w := h.ask(officer, "GET", all+"/"+c.ID+"/papers/samples", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "photos") {
		t.Errorf("the officer reads %d %s", w.Code, w.Body)
	}
	h.does(officer, c.ID, "examine", nil)
	if c = h.does(officer, c.ID, "ask", fields{"text": "Combien de membres ?"}); c.State != procedures.Asked || c.Desk != "" {
		t.Fatalf("asked it is %+v", c)
	}
	h.want(200, nil, coop, "PUT", all+"/"+c.ID+"/answers", fields{"answers": fields{"trade": "tapis", "hands": 12}})
	h.does(coop, c.ID, "answer", fields{"text": "Douze."})
	c = h.does(officer, c.ID, "decide", fields{"outcome": "grant"})
	if c.State != procedures.Granted || c.Document == nil || !strings.HasPrefix(c.Document.Number, "ENR-20") || !strings.HasSuffix(c.Document.Number, "-00001") || c.Document.State != "valid" {
		t.Fatalf("granted it is %+v", c)
	}
	if got := c.Document.Texts["fr"]; !strings.Contains(got, "Coopérative (exemple) "+c.Document.Number) {
		t.Errorf("the document says %q", got)
	}
	var v procedures.VerifiedView
	address := strings.TrimPrefix(c.Document.Verify, "https://hub.example/verifier/")
	h.want(200, &v, auth.Key{}, "GET", "/v1/verifications/"+address, nil)
	if v.State != "valid" || v.Number != c.Document.Number || v.Shown["trade"] != "tapis" || v.Shown["hands"] != nil {
		t.Errorf("anybody sees %+v", v)
	}
	for _, wrong := range []string{"x", strings.Repeat("A", 22), address[:21] + "!"} {
		h.want(200, &v, auth.Key{}, "GET", "/v1/verifications/"+wrong, nil)
		if v = (procedures.VerifiedView{State: v.State}); v.State != "unknown" {
			t.Errorf("%s is %s", wrong, v.State)
		}
	}
	h.advance(366 * 24 * time.Hour)
	h.want(200, &v, auth.Key{}, "GET", "/v1/verifications/"+address, nil)
	if v.State != "expired" {
		t.Errorf("a year later it is %s", v.State)
	}
	if got := h.seen(coop, c.ID); got.State != procedures.Closed {
		t.Errorf("a year later the case is %s", got.State)
	}
	h.refused(422, "procedures.invalid", "/reason", officer, "POST", "/v1/documents/"+c.Document.ID+"/revoke", fields{"reason": "conditions", "text": "x"})
	h.want(200, nil, officer, "POST", "/v1/documents/"+c.Document.ID+"/revoke", fields{"reason": "untrue", "text": "Les photos sont d’une autre."})
	h.want(200, &v, auth.Key{}, "GET", "/v1/verifications/"+address, nil)
	if v.State != "revoked" {
		t.Errorf("revoked it is %s", v.State)
	}
	h.refused(409, "procedures.document_state", "", officer, "POST", "/v1/documents/"+c.Document.ID+"/revoke", fields{"reason": "untrue", "text": "x"})
}

// A fee leaves the balance when it is paid, is the institution's once somebody looks
// at the case, and goes back when nobody has.
func TestAFeeIsEarnedByLooking(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	p := h.publishes(officer, definition("label", with("fee", fields{"amount": fields{"amount": "200.00", "currency": "MAD"}, "refundable": true})))
	for _, c := range []struct {
		name  string
		moves func(coop auth.Key, c string)
		back  bool
	}{
		{"withdrawn before anybody looked", func(coop auth.Key, c string) { h.does(coop, c, "withdraw", nil) }, true},
		{"refused before anybody looked", func(_ auth.Key, c string) {
			h.does(officer, c, "decide", fields{"outcome": "refuse", "reason": "conditions", "text": "Pas ici."})
		}, true},
		{"refused after", func(_ auth.Key, c string) {
			h.does(officer, c, "examine", nil)
			h.does(officer, c, "decide", fields{"outcome": "refuse", "reason": "conditions", "text": "Non."})
		}, false},
		{"granted", func(_ auth.Key, c string) {
			h.does(officer, c, "examine", nil)
			h.does(officer, c, "decide", fields{"outcome": "grant"})
		}, false},
	} {
		org, coop := h.member(members.Cooperative, "Coopérative")
		before, payable := h.has(office)
		v := h.submitted(coop, p)
		if v.State != procedures.FeeDue || v.Fee.State != "due" {
			t.Fatalf("%s: handed in it is %+v", c.name, v)
		}
		h.refused(404, "procedures.not_found", "", officer, "GET", all+"/"+v.ID, nil)
		h.refused(409, "dues.short", "200.00 MAD", coop, "POST", all+"/"+v.ID+"/pay", nil)
		h.earns(org, 500_00)
		if v = h.does(coop, v.ID, "pay", nil); v.State != procedures.Submitted || v.Fee.State != "taken" {
			t.Fatalf("%s: paid it is %+v", c.name, v)
		}
		h.refused(409, "procedures.state", "", coop, "POST", all+"/"+v.ID+"/pay", nil)
		if b, can := h.has(office); b != before+200_00 || can != payable {
			t.Errorf("%s: paid, the office has %d more, of which %d payable", c.name, b-before, can-payable)
		}
		c.moves(coop, v.ID)
		mine, can := h.has(org)
		theirs, paid := h.has(office)
		want := []int64{300_00, 300_00, 200_00, 200_00}
		if c.back {
			want = []int64{500_00, 500_00, 0, 0}
		}
		if got := []int64{mine, can, theirs - before, paid - payable}; !slices.Equal(got, want) {
			t.Errorf("%s: balances and what is payable are %v, want %v", c.name, got, want)
		}
	}
	h.sound()
}

func TestTwoWhoPayAtOncePayOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, officer := h.member(members.Institution, "Office")
	p := h.publishes(officer, definition("label", with("fee", fields{"amount": fields{"amount": "200.00", "currency": "MAD"}, "refundable": false})))
	org, coop := h.member(members.Cooperative, "Coopérative")
	h.earns(org, 500_00)
	c := h.submitted(coop, p)
	var wg sync.WaitGroup
	codes := make([]int, 8)
	for i := range codes {
		wg.Go(func() { codes[i] = h.ask(coop, "POST", all+"/"+c.ID+"/pay", nil).Code })
	}
	wg.Wait()
	slices.Sort(codes)
	if codes[0] != 200 || codes[1] != 409 {
		t.Errorf("the answers are %v", codes)
	}
	if b, _ := h.has(org); b != 300_00 {
		t.Errorf("the balance is %d", b)
	}
	h.sound()
}

func TestACaseIsHandedOverWithAReceipt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	inspection, inspector := h.member(members.Institution, "Inspection")
	_, third := h.member(members.Institution, "Tiers")
	_, coop := h.member(members.Cooperative, "Coopérative")
	p := h.publishes(officer, definition("label", with("steps", []any{
		fields{"code": "check", "actor": "institution", "names": said("Vérification")},
		fields{"code": "visit", "actor": "other", "names": said("Visite")},
		fields{"code": "decision", "actor": "institution", "names": said("Décision")},
	})))
	c := h.submitted(coop, p).ID
	h.does(officer, c, "examine", nil)
	h.refused(409, "procedures.state", "steps before", officer, "POST", all+"/"+c+"/decide", fields{"outcome": "grant"})
	h.does(officer, c, "advance", nil)
	h.refused(409, "procedures.not_your_step", "", officer, "POST", all+"/"+c+"/advance", nil)
	h.refused(422, "procedures.invalid", "/to", officer, "POST", all+"/"+c+"/hand-over", fields{"to": office, "text": "x"})
	h.refused(422, "procedures.invalid", "/to", officer, "POST", all+"/"+c+"/hand-over", fields{"to": "org_x", "text": "x"})
	h.refused(404, "procedures.not_found", "", inspector, "GET", all+"/"+c, nil)
	v := h.does(officer, c, "hand-over", fields{"to": inspection, "text": "Visitez l’atelier."})
	if v.State != procedures.InTransit || v.Holder.ID != office || v.Desk != inspection {
		t.Fatalf("on its way it is %+v", v)
	}
	h.refused(404, "procedures.not_found", "", third, "POST", all+"/"+c+"/receive", nil)
	h.refused(409, "procedures.state", "", officer, "POST", all+"/"+c+"/receive", nil)
	v = h.does(inspector, c, "return", fields{"text": "Adresse manquante."})
	if v.State != procedures.Examining || v.Holder.ID != office || v.Transits[0].State != "returned" {
		t.Fatalf("returned it is %+v", v)
	}
	h.does(officer, c, "hand-over", fields{"to": inspection, "text": "12, rue des Tisserands."})
	v = h.does(inspector, c, "receive", nil)
	if v.State != procedures.Examining || v.Holder.ID != inspection || v.Transits[0].State != "accepted" || v.Transits[0].Receipt == "" || v.Transits[0].EndedAt == nil {
		t.Fatalf("received it is %+v", v)
	}
	h.refused(404, "procedures.not_found", "", officer, "POST", all+"/"+c+"/decide", fields{"outcome": "grant"}) // it is not there
	h.refused(409, "procedures.not_your_step", "", inspector, "POST", all+"/"+c+"/decide", fields{"outcome": "refuse", "reason": "conditions", "text": "x"})
	h.does(inspector, c, "advance", fields{"text": "Deux métiers, six tisserandes."})
	h.does(inspector, c, "hand-over", fields{"to": office, "text": "Visite faite."})
	h.does(officer, c, "receive", nil)
	if v = h.does(officer, c, "decide", fields{"outcome": "grant"}); v.State != procedures.Granted {
		t.Fatalf("in the end it is %s", v.State)
	}
	mine := h.seen(coop, c)
	if len(mine.Transits) != 3 || mine.Transits[1].Note != "" || mine.Transits[1].To.ID != inspection {
		t.Errorf("its applicant sees %+v", mine.Transits)
	}
	if v = h.seen(inspector, c); v.ID != c { // who had it may look it up
		t.Error("who had the case sees it no more")
	}
}

func TestTwoPeopleDecideWhatTheProcedureSays(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, key := h.member(members.Institution, "Office")
	_, coop := h.member(members.Cooperative, "Coopérative")
	one, two := h.person(office, auth.Institution, "per_one", ""), h.person(office, auth.Institution, "per_two", "")
	p := h.publishes(key, definition("label", paper("LAB"), with("two", []string{"grant", "revoke"})))
	c := h.submitted(coop, p).ID
	h.does(one, c, "examine", nil)
	grant := fields{"outcome": "grant"}
	h.refused(403, "procedures.people", "", key, "POST", all+"/"+c+"/decide", grant)
	if v := h.does(one, c, "decide", grant); v.State != procedures.Seconding || v.Document != nil {
		t.Fatalf("proposed it is %+v", v)
	}
	if v := h.seen(coop, c); len(v.Decisions) != 0 || v.Moves[0].Move == procedures.Propose {
		t.Errorf("its applicant sees what is not decided: %+v", v)
	}
	h.refused(403, "procedures.self", "", one, "POST", all+"/"+c+"/confirm", fields{"decision": "agree"})
	h.refused(403, "procedures.people", "", key, "POST", all+"/"+c+"/confirm", fields{"decision": "agree"})
	if v := h.does(two, c, "confirm", fields{"decision": "disagree", "text": "Revoir."}); v.State != procedures.Examining {
		t.Fatalf("declined it is %s", v.State)
	}
	h.does(two, c, "decide", grant)
	v := h.does(one, c, "confirm", fields{"decision": "agree"})
	if v.State != procedures.Granted || v.Document == nil || v.Decisions[1].DecidedBy != "per_two" || v.Decisions[1].SecondBy != "per_one" {
		t.Fatalf("confirmed it is %+v", v)
	}
	revoke, why := "/v1/documents/"+v.Document.ID+"/revoke", fields{"reason": "untrue", "text": "Faux."}
	h.refused(403, "procedures.people", "", key, "POST", revoke, why)
	var x procedures.DocumentView
	if h.want(200, &x, one, "POST", revoke, why); x.State != "valid" || !x.Revoking {
		t.Errorf("one has revoked: %+v", x)
	}
	h.refused(403, "procedures.self", "", one, "POST", revoke, why)
	if h.want(200, &x, two, "POST", revoke, why); x.State != "revoked" {
		t.Errorf("two have revoked: %+v", x)
	}
}

func TestARefusalIsObjectedToOnceAndAnotherPersonLooks(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, key := h.member(members.Institution, "Office")
	_, coop := h.member(members.Cooperative, "Coopérative")
	one, two := h.person(office, auth.Institution, "per_one", ""), h.person(office, auth.Institution, "per_two", "")
	p := h.publishes(key, definition("label", paper("LAB")))
	no := fields{"outcome": "refuse", "reason": "conditions", "text": "Non."}
	c := h.submitted(coop, p).ID
	h.does(one, c, "examine", nil)
	h.refused(422, "procedures.invalid", "/reason", one, "POST", all+"/"+c+"/decide", fields{"outcome": "refuse", "reason": "untrue", "text": "x"})
	h.refused(422, "procedures.invalid", "/text", one, "POST", all+"/"+c+"/decide", fields{"outcome": "refuse", "reason": "conditions"})
	h.does(one, c, "decide", no)
	v := h.does(coop, c, "appeal", fields{"text": "Nous les remplissons."})
	if v.State != procedures.Appealed || v.Desk != office || v.Decisions[0].Appeal == "" || v.Decisions[0].DecidedBy != "" {
		t.Fatalf("objected to it is %+v", v)
	}
	h.does(two, c, "examine", nil)
	h.refused(403, "procedures.self", "", one, "POST", all+"/"+c+"/decide", fields{"outcome": "grant"})
	v = h.does(two, c, "decide", fields{"outcome": "grant"})
	if v.State != procedures.Granted || v.Decisions[0].State != procedures.Overturned || !v.Decisions[1].OnAppeal {
		t.Fatalf("granted on appeal it is %+v", v.Decisions)
	}
	_, other := h.member(members.Cooperative, "Autre")
	c = h.submitted(other, p).ID
	h.does(one, c, "examine", nil)
	h.does(one, c, "decide", no)
	h.does(other, c, "appeal", fields{"text": "Pourtant."})
	h.does(two, c, "examine", nil)
	if v = h.does(two, c, "decide", no); v.Decisions[0].State != procedures.Upheld {
		t.Errorf("refused again, the first is %s", v.Decisions[0].State)
	}
	h.refused(409, "procedures.appealed", "", other, "POST", all+"/"+c+"/appeal", fields{"text": "Encore."})
	if n := len(v.Decisions); n != 2 {
		t.Errorf("there are %d decisions", n)
	}
}

// Online, at a counter or by telephone, it is one case; each move says by which way
// it came, and for whom.
func TestManyWaysOneCase(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	org, _ := h.member(members.Cooperative, "Coopérative")
	herself := h.person(org, auth.Seller, "per_her", "")
	agent := h.person(org, auth.Seller, "per_agent", "per_her")
	p := h.publishes(officer, definition("registration"))
	h.refused(422, "procedures.invalid", "/channel", herself, "POST", all, fields{"procedure": p, "channel": "counter"})
	var c procedures.CaseView
	h.want(201, &c, agent, "POST", all, fields{"procedure": p, "channel": "phone"})
	h.want(200, nil, herself, "PUT", all+"/"+c.ID+"/answers", fields{"answers": fields{"trade": "tapis"}})
	h.does(agent, c.ID, "submit", nil)
	h.does(officer, c.ID, "examine", nil)
	v := h.seen(herself, c.ID)
	var ways []string
	for _, m := range v.Moves {
		ways = append(ways, fmt.Sprintf("%s %s %s", m.Move, m.Channel, m.OnBehalfOf))
	}
	if got, want := strings.Join(ways, "; "), "examine api ; submit counter per_her; fill online ; begin phone per_her"; got != want {
		t.Errorf("the ways were %q, want %q", got, want)
	}
	actor, err := pg.Value[string](t.Context(), h.db, nil, `select actor from procedures.move where case_file = $1 and move = 'submit'`, c.ID)
	must(t, err)
	if !strings.Contains(actor, "by per_agent on_behalf_of per_her") {
		t.Errorf("the history says %q", actor)
	}
	_ = office
}

func TestTermsAreDataAndWhatIsLateIsTold(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, officer := h.member(members.Institution, "Office")
	_, coop := h.member(members.Cooperative, "Coopérative")
	p := h.publishes(officer, definition("registration"))
	c := h.submitted(coop, p)
	due := *c.Due
	h.until(due.Add(-72 * time.Hour))
	if n := h.told("procedures.case_due", `"overdue": false`); n != 1 {
		t.Errorf("the officer was reminded %d times", n)
	}
	h.does(officer, c.ID, "examine", nil)
	h.does(officer, c.ID, "ask", fields{"text": "Encore ?"})
	h.advance(5 * 24 * time.Hour)
	v := h.does(coop, c.ID, "answer", fields{"text": "Voilà."})
	if late := v.Due.Sub(due); late < 5*24*time.Hour || late > 6*24*time.Hour+time.Hour || v.Overdue {
		t.Errorf("the applicant's five days moved the term by %s", late)
	}
	h.until(*v.Due)
	if n := h.told("procedures.case_due", `"overdue": true`); n != 1 {
		t.Errorf("what is late was told %d times", n)
	}
	var inbox struct{ Data []procedures.CaseView }
	if h.want(200, &inbox, officer, "GET", all+"/inbox", nil); len(inbox.Data) != 1 || !inbox.Data[0].Overdue {
		t.Errorf("the inbox is %+v", inbox.Data)
	}
	h.does(officer, c.ID, "ask", fields{"text": "Et cela ?"})
	h.advance(16 * 24 * time.Hour)
	if v = h.seen(officer, c.ID); v.State != procedures.Examining || v.Moves[0].Move != procedures.Resume || v.Moves[0].Channel != "hub" {
		t.Errorf("without an answer it is %s after %s", v.State, v.Moves[0].Move)
	}
	draft := h.begins(second(h), p)
	h.advance(91 * 24 * time.Hour)
	state, err := pg.Value[string](t.Context(), h.db, nil, `select state from procedures.case_file where id = $1`, draft.ID)
	must(t, err)
	if state != "lapsed" {
		t.Errorf("a draft of three months is %s", state)
	}
}

func second(h *hub) auth.Key { _, k := h.member(members.Cooperative, "Autre"); return k }

func TestALabelShowsAsLongAsItsDocumentHolds(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	org, coop := h.member(members.Cooperative, "Coopérative")
	h.want(200, nil, h.boss, "PUT", "/v1/label-issuers/artisan", fields{"institution": office})
	p := h.publishes(officer, definition("label", paper("LAB"), with("effect", fields{"kind": "label", "label": "artisan"})))
	badge := func() string {
		s, err := pg.Value[string](t.Context(), h.db, nil, `select coalesce(string_agg(code || ' ' || number || ' ' || state || ' ' || catalog.shows(l, catalog.today()), ';'), '') from catalog.label l where seller = $1`, org)
		must(t, err)
		return s
	}
	c := h.submitted(coop, p).ID
	h.does(officer, c, "examine", nil)
	v := h.does(officer, c, "decide", fields{"outcome": "grant"})
	if got, want := badge(), "artisan "+v.Document.Number+" verified true"; got != want {
		t.Fatalf("granted, the badge is %q, want %q", got, want)
	}
	h.want(200, nil, officer, "POST", "/v1/documents/"+v.Document.ID+"/revoke", fields{"reason": "untrue", "text": "Faux."})
	if got, want := badge(), "artisan "+v.Document.Number+" revoked false"; got != want {
		t.Errorf("revoked, the badge is %q, want %q", got, want)
	}
	other, key := h.member(members.Cooperative, "Autre")
	org = other
	c = h.submitted(key, p).ID
	h.does(officer, c, "examine", nil)
	h.does(officer, c, "decide", fields{"outcome": "grant"})
	h.advance(367 * 24 * time.Hour)
	if got := badge(); !strings.HasSuffix(got, "expired false") {
		t.Errorf("a year later the badge is %q", got)
	}
}

func TestAProviderIsAccreditedByDomainAndRegion(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, _ := h.member(members.Institution, "Office")
	org, provider := h.member(members.Provider, "Prestataire")
	one, two := h.person(office, auth.Institution, "per_one", ""), h.person(office, auth.Institution, "per_two", "")
	all4, err := procedures.Shipped()
	must(t, err)
	b, err := json.Marshal(all4["accreditation"])
	must(t, err)
	var d fields
	must(t, json.Unmarshal(b, &d))
	p := h.publishes(one, d)
	var c procedures.CaseView
	h.want(201, &c, provider, "POST", all, fields{"procedure": p, "answers": fields{"domains": []string{"design", "export"}, "regions": []string{"MA-09"}, "team": 3}})
	h.want(201, nil, provider, "POST", all+"/"+c.ID+"/papers", fields{"code": "references", "file": h.file(provider, "références")})
	h.does(provider, c.ID, "submit", nil)
	h.does(one, c.ID, "examine", nil)
	h.does(one, c.ID, "advance", nil)
	h.does(one, c.ID, "decide", fields{"outcome": "grant"})
	v := h.does(two, c.ID, "confirm", fields{"decision": "agree"})
	is := func(domain, region string) bool {
		ok, err := h.cases.Accredited(t.Context(), h.db, org, domain, region)
		must(t, err)
		return ok
	}
	if !is("design", "MA-09") || !is("export", "MA-09") || is("law", "MA-09") || is("design", "MA-01") {
		t.Error("it is not accredited for exactly what was granted")
	}
	var list struct {
		Data []procedures.AccreditedView
		Next *string
	}
	h.want(200, &list, auth.Key{}, "GET", "/v1/accreditations?region=MA-09&limit=1", nil)
	if len(list.Data) != 1 || list.Data[0].Domain != "design" || list.Next == nil {
		t.Fatalf("the list is %+v", list)
	}
	h.want(200, &list, auth.Key{}, "GET", "/v1/accreditations?region=MA-09&limit=1&cursor="+*list.Next, nil)
	if len(list.Data) != 1 || list.Data[0].Domain != "export" || list.Next != nil {
		t.Errorf("the list goes on with %+v", list)
	}
	for _, k := range []auth.Key{one, two} {
		h.want(200, nil, k, "POST", "/v1/documents/"+v.Document.ID+"/revoke", fields{"reason": "breach", "text": "Non tenu."})
	}
	if is("design", "MA-09") {
		t.Error("revoked, it is still accredited")
	}
}

// Documents are numbered without holes, however many are granted at once, and some
// of the grants fail.
func TestNumbersHaveNoHoles(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, officer := h.member(members.Institution, "Office")
	p := h.publishes(officer, definition("registration", paper("ENR")))
	var cases []string
	for range 12 {
		c := h.submitted(second(h), p).ID
		h.does(officer, c, "examine", nil)
		cases = append(cases, c)
	}
	var wg sync.WaitGroup
	for _, c := range cases {
		for range 2 { // one of two is refused
			wg.Go(func() { h.ask(officer, "POST", all+"/"+c+"/decide", fields{"outcome": "grant"}) })
		}
	}
	wg.Wait()
	got, err := pg.Column[int](t.Context(), h.db, `select n from procedures.document order by n`)
	must(t, err)
	for i, n := range got {
		if n != i+1 {
			t.Fatalf("the numbers are %v", got)
		}
	}
	if len(got) != len(cases) {
		t.Errorf("%d documents of %d cases", len(got), len(cases))
	}
}

func TestACaseStaysWithTheVersionItWasMadeFor(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, officer := h.member(members.Institution, "Office")
	_, other := h.member(members.Institution, "Autre")
	_, coop := h.member(members.Cooperative, "Coopérative")
	p := h.publishes(officer, definition("registration"))
	c := h.begins(coop, p)
	if again := h.publishes(officer, definition("registration", with("papers", []any{fields{"code": "samples", "names": said("Photos")}}))); again != p {
		t.Errorf("the same code is another procedure")
	}
	if v := h.does(coop, c.ID, "submit", nil); v.Edition != 1 || v.State != procedures.Submitted {
		t.Errorf("it is of version %d, %s", v.Edition, v.State)
	}
	if _, err := h.db.Exec(t.Context(), `update procedures.edition set definition = '{}' where procedure = $1`, p); err == nil {
		t.Error("a version was changed")
	}
	h.refused(404, "procedures.not_found", "", other, "POST", "/v1/procedures/"+p+"/retire", nil)
	h.want(200, nil, officer, "POST", "/v1/procedures/"+p+"/retire", nil)
	h.refused(409, "procedures.gone", "", second(h), "POST", all, fields{"procedure": p})
	for name, bad := range map[string]fields{
		"/names/ar":        definition("x_y", with("names", fields{"fr": "x", "en": "x"})),
		"/form":            definition("x_y", with("form", fields{"type": "object", "properties": fields{"a": fields{"$ref": "file:///etc/passwd"}}})),
		"/form/type":       definition("x_y", with("form", fields{"type": "array"})),
		"/steps":           definition("x_y", with("steps", []any{fields{"code": "visit", "actor": "other", "names": said("x")}})),
		"/document/public": definition("x_y", with("document", fields{"prefix": "AB", "texts": said("x"), "public": []string{"secret"}})),
		"/effect":          definition("x_y", with("effect", fields{"kind": "label", "label": "artisan"})),
		"/papers/1/code":   definition("x_y", with("papers", []any{fields{"code": "ab", "names": said("x")}, fields{"code": "ab", "names": said("x")}})),
		"/fee/amount":      definition("x_y", with("fee", fields{"amount": fields{"amount": "0.00", "currency": "MAD"}, "refundable": true})),
	} {
		h.refused(422, "procedures.invalid", name, officer, "POST", "/v1/procedures", bad)
	}
}

// Whatever comes in whatever order, the database lets no case be where the table
// of moves does not lead.
func TestTheDatabaseHoldsTheTableOfMoves(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	other, _ := h.member(members.Institution, "Autre")
	p := h.publishes(officer, definition("registration"))
	c := h.submitted(second(h), p)
	for _, set := range []string{
		`state = 'granted', desk = '', decided_at = now(), outcome = 'grant', version = version + 1`,
		`holder = '` + other + `', desk = '` + other + `', version = version + 1`,
		`state = 'examining', examined_at = now()`,
		`desk = '', version = version + 1`,
		`answers = '{}', version = version + 1`,
		`state = 'draft', desk = '', version = version + 1`,
		`state = 'examining', desk = '` + office + `', version = version + 1`,
	} {
		if _, err := h.db.Exec(t.Context(), `update procedures.case_file set `+set+` where id = $1`, c.ID); err == nil {
			t.Errorf("the database took %s", set)
		}
	}
	if _, err := h.db.Exec(t.Context(), `delete from procedures.move`); err == nil {
		t.Error("the history was erased")
	}
}

func TestStatisticsHideSmallCells(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, officer := h.member(members.Institution, "Office")
	p := h.publishes(officer, definition("registration"))
	decides := func(n int) {
		for range n {
			c := h.submitted(second(h), p).ID
			h.does(officer, c, "examine", nil)
			h.does(officer, c, "decide", fields{"outcome": "grant"})
		}
	}
	decides(4)
	var v procedures.StatisticsView
	if h.want(200, &v, officer, "GET", all+"/statistics", nil); len(v.Data) != 1 || !v.Data[0].Hidden || v.Data[0].Decided != 0 || v.Data[0].Median != nil {
		t.Errorf("four cases show %+v", v.Data)
	}
	decides(1)
	if h.want(200, &v, officer, "GET", all+"/statistics", nil); len(v.Data) != 1 || v.Data[0].Decided != 5 || v.Data[0].Granted != 5 || v.Data[0].Median == nil {
		t.Errorf("five cases show %+v", v.Data)
	}
	if got := h.ask(officer, "GET", all+"/statistics.csv", nil).Body.String(); !strings.Contains(got, ",MA-09,5,5,0.0,0.0\n") {
		t.Errorf("the table is %q", got)
	}
	h.refused(422, "procedures.invalid", "?from", officer, "GET", all+"/statistics?from=2026-05&to=2026-01", nil)
}

// Where two people decide, nothing is granted that nobody examined, and one person
// alone does not decide what waits for a second one.
func TestWhatWaitsForASecondPersonIsNotDecidedByOne(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, key := h.member(members.Institution, "Office")
	one, two := h.person(office, auth.Institution, "per_one", ""), h.person(office, auth.Institution, "per_two", "")
	steps := with("steps", []any{fields{"code": "check", "actor": "institution", "names": said("Vérification")}, fields{"code": "decision", "actor": "institution", "names": said("Décision")}})
	grant, no := fields{"outcome": "grant"}, fields{"outcome": "refuse", "reason": "conditions", "text": "Non."}

	both := h.publishes(key, definition("both", steps, with("two", []string{"grant"})))
	c := h.submitted(second(h), both).ID
	h.refused(409, "procedures.state", "", one, "POST", all+"/"+c+"/decide", grant) // nobody has examined it
	h.does(one, c, "examine", nil)
	h.does(one, c, "advance", nil)
	h.does(one, c, "decide", grant)
	h.refused(409, "procedures.state", "", two, "POST", all+"/"+c+"/decide", no)
	h.refused(409, "procedures.state", "", one, "POST", all+"/"+c+"/decide", no)

	refusing := h.publishes(key, definition("refusing", steps, with("two", []string{"refuse"})))
	c = h.submitted(second(h), refusing).ID
	h.does(one, c, "decide", no)
	h.refused(409, "procedures.state", "", one, "POST", all+"/"+c+"/decide", grant)
	if v := h.does(two, c, "confirm", fields{"decision": "agree"}); v.State != procedures.Refused {
		t.Errorf("it is %s", v.State)
	}
}

// What was never handed in concerns its applicant alone.
func TestWhatWasNeverHandedInIsItsApplicantsAlone(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	p := h.publishes(officer, definition("registration"))
	costs := h.publishes(officer, definition("label", with("fee", fields{"amount": fields{"amount": "200.00", "currency": "MAD"}, "refundable": true})))
	drafted, due, lapses := second(h), second(h), second(h)
	h.does(drafted, h.begins(drafted, p).ID, "withdraw", nil)
	unpaid := h.submitted(due, costs).ID
	h.submitted(lapses, costs)
	var list struct{ Data []procedures.CaseView }
	for _, q := range []string{"", "?held=true", "?state=fee_due"} {
		if h.want(200, &list, officer, "GET", all+q, nil); len(list.Data) != 0 {
			t.Errorf("%q: the institution sees %+v", q, list.Data)
		}
	}
	h.does(due, unpaid, "withdraw", nil)
	h.advance(91 * 24 * time.Hour)
	for _, who := range []auth.Key{officer, h.boss} {
		if h.want(200, &list, who, "GET", all, nil); len(list.Data) != 0 {
			t.Errorf("later others see %+v", list.Data)
		}
	}
	n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from platform.event where payload::text like '%"move": "withdraw"%' and payload ? 'submitted_at'`)
	must(t, err)
	if n != 0 {
		t.Errorf("%d cases that were never handed in say that they were", n)
	}
	_ = office
}

// A case that nobody receives in time stays with who had it: it can be handed over
// again, or decided.
func TestWhatNobodyReceivesComesBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	inspection, inspector := h.member(members.Institution, "Inspection")
	p := h.publishes(officer, definition("registration"))
	coop := second(h)
	c := h.submitted(coop, p).ID
	h.does(officer, c, "examine", nil)
	v := h.does(officer, c, "hand-over", fields{"to": inspection, "text": "À vous."})
	h.until(*v.Due)
	v = h.seen(officer, c)
	if v.State != procedures.Examining || v.Desk != office || v.Holder.ID != office || v.Transits[0].State != "returned" || v.Moves[0].Move != procedures.Return || v.Moves[0].By != "hub" {
		t.Fatalf("not received in time it is %+v", v)
	}
	h.refused(409, "procedures.state", "", inspector, "POST", all+"/"+c+"/receive", nil)
	h.does(officer, c, "hand-over", fields{"to": inspection, "text": "Encore."})
	if v = h.does(inspector, c, "receive", nil); v.Holder.ID != inspection {
		t.Errorf("handed over again it is with %s", v.Holder.ID)
	}
}

// What nobody sees, but steers a page, is refused in an answer; what a telephone
// copies along is not kept of it.
func TestAnswersHaveNoHiddenSigns(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, officer := h.member(members.Institution, "Office")
	p := h.publishes(officer, definition("registration"))
	coop := second(h)
	var c procedures.CaseView
	for _, bad := range []string{"tapis \u202egnp", "ta\u2066pis", "ta\u200bpis"} {
		h.want(422, nil, coop, "POST", all, fields{"procedure": p, "answers": fields{"trade": bad}})
	}
	h.want(201, &c, coop, "POST", all, fields{"procedure": p, "answers": fields{"trade": " tapis gnp\u200f"}})
	if c.Answers["trade"] != "tapis gnp" {
		t.Errorf("the answer is %q", c.Answers["trade"])
	}
	h.want(200, &c, coop, "PUT", all+"/"+c.ID+"/answers", fields{"answers": fields{"trade": "ta\u202apis\u202c"}})
	if c.Answers["trade"] != "tapis" {
		t.Errorf("written anew it is %q", c.Answers["trade"])
	}
}

func TestNobodyPaysAnInstitutionThatIsNotAtWork(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	p := h.publishes(officer, definition("label", with("fee", fields{"amount": fields{"amount": "200.00", "currency": "MAD"}, "refundable": false})))
	org, coop := h.member(members.Cooperative, "Coopérative")
	h.earns(org, 500_00)
	c := h.submitted(coop, p)
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+office+"/suspend", fields{"note": "Pour essayer."})
	h.refused(409, "procedures.institution", "", coop, "POST", all+"/"+c.ID+"/pay", nil)
	if b, _ := h.has(org); b != 500_00 {
		t.Errorf("the balance is %d", b)
	}
	h.sound()
}

func TestAFormMustServeForDraftsToo(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, officer := h.member(members.Institution, "Office")
	h.refused(422, "procedures.invalid", "/form", officer, "POST", "/v1/procedures", definition("x_y", with("form", fields{
		"type": "object", "allOf": []any{fields{"type": "string"}}, "properties": fields{"trade": fields{"$ref": "#/allOf/0"}},
	})))
	h.publishes(officer, definition("x_y", with("form", fields{
		"type": "object", "$defs": fields{"text": fields{"type": "string"}}, "properties": fields{"trade": fields{"$ref": "#/$defs/text"}},
	})))
}

func TestAProcedureHasSoManyVersions(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, officer := h.member(members.Institution, "Office")
	p := h.publishes(officer, definition("registration"))
	h.do(func(_ context.Context, tx *pg.Tx) error {
		tx.Queue(`insert into procedures.edition (procedure, version, state, definition, made_by, made_at, ended_at)
			select procedure, 1000, 'replaced', definition, made_by, made_at, made_at from procedures.edition where procedure = $1`, p)
		return nil
	})
	h.refused(422, "procedures.invalid", "/code", officer, "POST", "/v1/procedures", definition("registration"))
}
