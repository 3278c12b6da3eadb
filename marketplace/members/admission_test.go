package members_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/pg"
)

// commits sends a request of a row that keeps its answer.
func (h *hub) commits(key, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(h.t.Context(), "POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Idempotency-Key", rand.Text())
	w := httptest.NewRecorder()
	h.web.ServeHTTP(w, r)
	return w
}

// A gate is a Gate that says what it is told to.
type gate func(m members.Move) error

func (g gate) Passes(_ context.Context, _ *pg.Tx, _ members.Organisation, m members.Move) error {
	return g(m)
}

func TestAnApplicationIsTakenUpAndPassesTheGate(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	shut := errors.New("not yet")
	h.members.GuardedBy(gate(func(m members.Move) error {
		if m == members.Approve {
			return shut
		}
		return nil
	}))
	org, key := h.org()
	path := "/v1/organisations/" + org
	var o members.View
	h.want(200, &o, key, "POST", path+"/submit", "")
	if o.AskedAt == nil {
		t.Error("nobody knows when it asked")
	}
	if w := h.commits(h.boss.String(), path+"/review", `{"note":"Bientôt"}`); w.Code != 200 || !strings.Contains(w.Body.String(), `"state":"under_review"`) || !strings.Contains(w.Body.String(), "operator per_boss") {
		t.Fatalf("taken up: %d %s", w.Code, w.Body)
	}
	if w := h.ask(h.boss.String(), "POST", path+"/approve", ""); w.Code != 500 { // the gate's error, which has no kind
		t.Errorf("approved past the gate: %d %s", w.Code, w.Body)
	}
	h.want(200, &o, key, "GET", path, "")
	if o.State != members.UnderReview {
		t.Errorf("state = %s after a refusal of the gate", o.State)
	}
	h.members.GuardedBy(gate(func(members.Move) error { return nil }))
	o = members.View{}
	h.want(200, &o, h.boss.String(), "POST", path+"/approve", "")
	if o.State != members.Active || o.Reviewer != "" {
		t.Errorf("organisation = %+v", o)
	}
}

func TestARestrictedSellerSellsNothingNew(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org()
	h.want(200, nil, key, "POST", "/v1/organisations/"+org+"/submit", "")
	h.want(200, nil, h.boss.String(), "POST", "/v1/organisations/"+org+"/approve", "")
	for _, c := range []struct {
		do   func(ctx context.Context, tx *pg.Tx, o members.Organisation, why string) (members.Organisation, error)
		why  string
		left []string
	}{
		{h.members.Restrict, members.LacksPapers, []string{members.LacksPapers}},
		{h.members.Restrict, members.LacksPapers, []string{members.LacksPapers}},
		{h.members.Restrict, members.LacksCharter, []string{members.LacksPapers, members.LacksCharter}},
		{h.members.Lift, members.LacksPapers, []string{members.LacksCharter}}, // one lifted keeps the other
		{h.members.Lift, members.LacksPapers, []string{members.LacksCharter}},
		{h.members.Lift, members.LacksCharter, []string{}},
	} {
		var o members.Organisation
		h.tx(func(tx *pg.Tx) (err error) {
			if o, err = h.members.Locked(t.Context(), tx, org); err == nil {
				_, err = c.do(t.Context(), tx, o, c.why)
			}
			return err
		})
		o, err := h.members.Of(t.Context(), h.db, org)
		must(t, err)
		got, err := h.members.Sellers(t.Context(), h.db, []string{org})
		must(t, err)
		if got[org].Active != (len(c.left) == 0) || !slices.Equal(o.Restricted, c.left) {
			t.Errorf("after %q it is restricted by %q, want %q; it sells: %t", c.why, o.Restricted, c.left, got[org].Active)
		}
	}
	n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from platform.event where type = 'members.restricted' and subject = $1`, org)
	must(t, err)
	if n != 4 {
		t.Errorf("told %d times, want four times: what is so already is no news", n)
	}
	_, err = h.db.Exec(t.Context(), `update members.organisation set restricted = '{papers,papers}' where id = $1`, org)
	if !pg.Violates(err, "organisation_reasons") {
		t.Errorf("the database took a reason twice: %v", err)
	}
}

func TestWhoIsNoMemberAnyMoreActsForNobody(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org()
	path := "/v1/organisations/" + org
	h.want(200, nil, key, "POST", path+"/submit", "")
	h.want(200, nil, h.boss.String(), "POST", path+"/approve", "")
	if w := h.commits(h.boss.String(), path+"/terminate", `{}`); w.Code != 409 {
		t.Fatalf("ended while at work: %d %s", w.Code, w.Body)
	}
	h.want(200, nil, h.boss.String(), "POST", path+"/suspend", `{"note":"Cessation"}`)
	if w := h.commits(h.boss.String(), path+"/terminate", `{"note":"Cessation"}`); w.Code != 200 {
		t.Fatalf("ended: %d %s", w.Code, w.Body)
	}
	h.refused(401, "auth.unknown", "", key, "GET", path, "")
	h.refused(409, "organisations.state", "", h.boss.String(), "POST", path+"/reactivate", "")
	barred, err := h.members.Suspended(t.Context(), h.db, org)
	must(t, err)
	if !barred[org] {
		t.Error("its payouts go by themselves")
	}
	_, err = h.db.Exec(t.Context(), `update members.organisation set state = 'active' where id = $1`, org)
	if !pg.Violates(err, "organisation_moves") {
		t.Errorf("the database let it come back: %v", err)
	}
}

func TestNamesThatLookLikeOthersAreRefused(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for name, bad := range map[string]bool{
		"Coopérative Tissaliwine": false, "تعاونية تيساليوين": false, "ⵜⴰⵎⵙⵎⵓⵏⵜ": false, "Coop n° 3 (Aït Baha)": false, "Tissa تيسا": false, "تعـاونية": false,
		"Cооpérative": true, "Coop\u202eevitarépooC": true, "Co\u200bop": true, "Κoop": true, "Coopتعاونية": true,
	} {
		body := strings.Replace(goodOrg, `"Coopérative (exemple)"`, fmt.Sprintf("%q", name), 1)
		w := h.ask(h.boss.String(), "POST", "/v1/organisations", body)
		if (w.Code == 422) != bad {
			t.Errorf("%+q: %d %s", name, w.Code, w.Body)
		}
	}
}

// Who admits an organisation is told whom it may be taken for: members of the same
// region, whichever way the name was made to look like theirs.
func TestWhoLooksLikeAMemberIsShownBesideIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	asks := func(name, region string) string {
		var o struct{ ID string }
		body := fmt.Sprintf(`{"kind":"beneficiary_coop","names":{"fr":%q},"region":%q,"commune":%q}`, name, region, map[string]string{"MA-09": "Taroudant", "MA-01": "Tanger"}[region])
		h.want(201, &o, h.boss.String(), "POST", "/v1/organisations", body)
		return o.ID
	}
	admits := func(org string) {
		for _, move := range []string{"submit", "approve"} {
			h.want(200, nil, h.boss.String(), "POST", "/v1/organisations/"+org+"/"+move, "")
		}
	}
	amal, arkane := asks("Coopérative Amal Arganier", "MA-09"), asks("تعاونية أركان", "MA-09")
	admits(amal)
	admits(arkane)
	alike := func(org string) (ids []string) {
		var v struct{ Data []struct{ ID string } }
		h.want(200, &v, h.boss.String(), "GET", "/v1/organisations/"+org+"/lookalikes", "")
		for _, o := range v.Data {
			ids = append(ids, o.ID)
		}
		return ids
	}
	for name, want := range map[string]string{
		"COOPERATIVE AMAL ARGANIER": amal, "Coopérative Arnal Arganier": amal, "Coopérative Ama1 Argan|er": amal, "Coopérative-Amal d Arganier": "", "Coopérative Amal": "",
		"CoopérativeAmalArganier": amal, "تعاونيه اركان": arkane, "تَعـاونية أركان": arkane, "تعاونیة ارکان": arkane, "تعاونية الأمل": "", "Cøøpérative Amal Arganier": amal,
	} {
		got := alike(asks(name, "MA-09"))
		if want == "" && len(got) != 0 || want != "" && !slices.Equal(got, []string{want}) {
			t.Errorf("%s looks like %v, want %q", name, got, want)
		}
	}
	if got := alike(asks("Coopérative Amal Arganier", "MA-01")); len(got) != 0 {
		t.Errorf("in another region it looks like %v", got)
	}
	if got := alike(amal); len(got) != 0 {
		t.Errorf("a member looks like %v, of which none is admitted", got)
	}
	h.want(200, nil, h.boss.String(), "POST", "/v1/organisations/"+amal+"/suspend", `{"note":"Exemple."}`)
	if got := alike(asks("Coopérative Amal Arganier", "MA-09")); !slices.Equal(got, []string{amal}) {
		t.Errorf("while that is suspended, it looks like %v", got)
	}
	h.refused(404, "organisations.not_found", "", h.boss.String(), "GET", "/v1/organisations/org_none/lookalikes", "")
	if w := h.ask("", "GET", "/v1/organisations/"+amal+"/lookalikes", ""); w.Code != 401 {
		t.Errorf("a stranger is answered %d", w.Code)
	}
}

// Of many who wait, those of a region are read by its index, page after page, each
// once and in their order.
func TestTheQueueIsReadByItsIndex(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, err := h.db.Exec(t.Context(), `insert into members.organisation (id, kind, names, region, commune, lat, lng, state, asked_at, created_at)
		select 'org_' || lpad(n::text, 26, '0'), 'beneficiary_coop', '{"fr":"Exemple"}', 'MA-' || lpad((1 + n % 12)::text, 2, '0'), 'Rabat', 34, -6,
			case when n % 100 = 0 then 'submitted' else 'active' end, platform.now() - n * interval '1 second', platform.now() from generate_series(1, 20000) n`)
	must(t, err)
	_, err = h.db.Exec(t.Context(), `analyze members.organisation`)
	must(t, err)
	var seen []string
	var behind members.Place
	var last time.Time
	for {
		all, err := h.members.Queue(t.Context(), h.db, members.Waiters{Region: "MA-05", Behind: behind, Limit: 7})
		must(t, err)
		for _, o := range all {
			if o.Region != "MA-05" || o.AskedAt.Before(last) {
				t.Fatalf("%s of %s at %s", o.ID, o.Region, o.AskedAt)
			}
			last = *o.AskedAt
			seen = append(seen, o.ID)
		}
		if len(all) < 7 {
			break
		}
		behind = members.Place{At: last, ID: all[len(all)-1].ID}
	}
	if len(seen) != 67 {
		t.Errorf("%d wait in the region", len(seen))
	}
	plan, err := pg.Column[string](t.Context(), h.db, `explain (analyze, buffers, costs off, timing off, summary off) select id from members.organisation
		where state in ('submitted', 'under_review') and region = 'MA-05' and (asked_at, id) > (platform.now() - interval '5 hours', '') order by asked_at, id limit 25`)
	must(t, err)
	if text := strings.Join(plan, "\n"); !strings.Contains(text, "organisation_queue_region") || strings.Contains(text, "Sort") {
		t.Errorf("it is read so:\n%s", text)
	}
}
