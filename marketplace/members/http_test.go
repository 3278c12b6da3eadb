package members_test

import (
	"encoding/json"
	"strings"
	"testing"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

func TestACooperativeIsAdmitted(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org()
	boss, path := h.boss.String(), "/v1/organisations/"+org
	var o members.View
	h.want(200, &o, key, "POST", path+"/submit", "")
	if o.State != members.Submitted || o.Commune != "Taroudant" && o.Commune != "Taroudannt" || o.Point.Lat == 0 {
		t.Errorf("organisation = %+v, want it submitted, in its commune", o)
	}
	h.want(200, &o, boss, "POST", path+"/request-changes", `{"note":"Statuts signés"}`)
	h.want(200, &o, key, "GET", path, "")
	if o.State != members.ChangesRequested || o.Note != "Statuts signés" {
		t.Errorf("organisation = %s, %q; want it to see what is asked", o.State, o.Note)
	}
	o = members.View{}
	h.want(200, &o, key, "POST", path+"/submit", "{}")
	if o.Note != "" {
		t.Errorf("note = %q, want none", o.Note)
	}
	h.refused(409, "organisations.state", "", boss, "POST", path+"/suspend", "")
	h.want(200, &o, boss, "POST", path+"/approve", "")
	h.refused(409, "organisations.state", "", boss, "POST", path+"/approve", "")
	h.want(200, &o, boss, "POST", path+"/suspend", `{"note":"papers"}`)
	h.want(200, &o, key, "GET", path, "") // its keys still open the door
	h.want(200, &o, boss, "POST", path+"/reactivate", "")
	if o.State != members.Active {
		t.Errorf("state = %s, want active", o.State)
	}
	trail, err := pg.Column[string](t.Context(), h.db, `select action || ' ' || policy from platform.audit where subject = $1 order by seq`, org)
	must(t, err)
	want := `organisations.create members.operator, api_keys.create members.operator, organisations.submit members.seller_own, organisations.request_changes members.operator, ` +
		`organisations.submit members.seller_own, organisations.approve members.operator, organisations.suspend members.operator, organisations.reactivate members.operator`
	if got := strings.Join(trail, ", "); got != want {
		t.Errorf("trail = %s\nwant %s", got, want)
	}
}

func TestEnrolmentRefusesBadInput(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	boss := h.boss.String()
	swap := func(old, new string) string {
		if !strings.Contains(goodOrg, old) {
			t.Fatalf("%q is not in the body", old)
		}
		return strings.Replace(goodOrg, old, new, 1)
	}
	for _, c := range []struct {
		body          string
		status        int
		code, pointer string
	}{
		{swap("تارودانت", "Atlantide"), 422, "organisations.invalid", "/commune"},
		{swap("MA-09", "MA-03"), 422, "organisations.invalid", "/commune"},
		{swap("MA-09", "MA-99"), 422, "request.invalid", "/region"},
		{swap("000000000000097", "000000000000098"), 422, "organisations.invalid", "/legal/ice"},
		{swap(`"fr"`, `"en"`), 422, "organisations.invalid", "/names/fr"},
		{swap(`"ar"`, `"xx"`), 422, "organisations.invalid", "/names/xx"},
		{swap("beneficiary_coop", "operator"), 422, "request.invalid", "/kind"},
		{swap(`"region":"MA-09",`, ``), 400, "request.malformed", "/region"},
		{swap(`"region"`, `"state":"active","region"`), 400, "request.malformed", "/state"},
		{swap(`"region"`, `"point":{"lat":48.8,"lng":2.3},"region"`), 422, "request.invalid", "/point/lat"},
		{`{`, 400, "request.malformed", ""},
	} {
		h.refused(c.status, c.code, c.pointer, boss, "POST", "/v1/organisations", c.body)
	}
	_, key := h.org()
	h.refused(403, "auth.denied", "", key, "POST", "/v1/organisations", goodOrg)
	h.refused(401, "auth.missing", "", "", "POST", "/v1/organisations", goodOrg)
}

// What comes along with a name that was pasted, and shows nothing, is left out; what
// turns it around is refused.
func TestMarksThatShowNothingAreLeftOutOfNames(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	boss := h.boss.String()
	named := func(fr string) string {
		name, err := json.Marshal(fr)
		if err != nil {
			t.Fatal(err)
		}
		return `{"kind":"beneficiary_coop","names":{"fr":` + string(name) + `},"region":"MA-09","commune":"Taroudant"}`
	}
	for _, pasted := range []string{"\u200eCoopérative Amal\u200f", "Coopérative\u200f Amal", "Coopé\u00adrative Amal", "\u061cCoopérative Amal"} {
		var o members.View
		h.want(201, &o, boss, "POST", "/v1/organisations", named(pasted))
		if o.Names["fr"] != "Coopérative Amal" {
			t.Errorf("%+q is kept as %+q", pasted, o.Names["fr"])
		}
	}
	for _, turned := range []string{"Amal\u202eevitarépooC", "\u2066Amal\u2069", "\u202aAmal\u202c", "\u200e"} {
		if w := h.ask(boss, "POST", "/v1/organisations", named(turned)); w.Code != 422 {
			t.Errorf("%+q is answered %d %s", turned, w.Code, w.Body)
		}
	}
}

func TestStrangersFindNoOrganisation(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, _ := h.org()
	_, other := h.org()
	for _, path := range []string{"/v1/organisations/" + org, "/v1/organisations/org_1"} {
		h.refused(404, "organisations.not_found", "", other, "GET", path, "")
		h.refused(404, "organisations.not_found", "", other, "POST", path+"/submit", "")
		h.refused(404, "organisations.not_found", "", other, "GET", path+"/api-keys", "")
		h.refused(404, "organisations.not_found", "", other, "GET", path+"/bank-accounts", "")
		h.refused(404, "organisations.not_found", "", other, "POST", path+"/bank-accounts", `{"rib":"1","holder":"xx"}`)
	}
	h.refused(404, "organisations.not_found", "", h.boss.String(), "GET", "/v1/organisations/org_1/api-keys", "")
	h.refused(404, "organisations.not_found", "", h.boss.String(), "POST", "/v1/organisations/org_1/approve", "")
}

func TestASecretIsShownOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org()
	w := h.ask(key, "GET", "/v1/organisations/"+org+"/api-keys", "")
	id, secret, _ := strings.Cut(key, ".")
	if w.Code != 200 || !strings.Contains(w.Body.String(), id) || strings.Contains(w.Body.String(), secret) {
		t.Errorf("%d %s, want the key's id and not its secret", w.Code, w.Body)
	}
}

func TestKeysOpenOnlyWithTheirSecretUntilRevoked(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, text := h.org()
	k, err := auth.ParseKey(text)
	must(t, err)
	p, err := h.members.Authenticate(t.Context(), k)
	if err != nil || p.Subject != org || p.Role != auth.Seller || p.Key != k.ID {
		t.Errorf("principal = %+v (%v)", p, err)
	}
	_, other := h.org()
	thief, err := auth.ParseKey(other)
	must(t, err)
	for name, bad := range map[string]auth.Key{"another's secret": {ID: k.ID, Secret: thief.Secret}, "no such key": auth.NewKey()} {
		if _, err := h.members.Authenticate(t.Context(), bad); err == nil {
			t.Errorf("%s opened the door", name)
		}
	}
	h.tx(func(tx *pg.Tx) error { return h.members.RevokeKey(t.Context(), tx, k.ID) })
	h.refused(401, "auth.unknown", "", text, "GET", "/v1/organisations/"+org, "")
}

func TestKindsWithoutARoleGetNoKey(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var o members.View
	h.want(201, &o, h.boss.String(), "POST", "/v1/organisations", strings.Replace(goodOrg, "beneficiary_coop", "e_payment", 1))
	h.refused(409, "api_keys.no_access", "", h.boss.String(), "POST", "/v1/organisations/"+o.ID+"/api-keys", `{"label":"x"}`)
}

func TestSellersAreToldByID(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, key := h.org()
	b, _ := h.org()
	h.want(200, nil, key, "POST", "/v1/organisations/"+a+"/submit", "")
	h.want(200, nil, h.boss.String(), "POST", "/v1/organisations/"+a+"/approve", "")
	got, err := h.members.Sellers(t.Context(), h.db, []string{a, b, "org_1"})
	must(t, err)
	if len(got) != 2 || !got[a].Active || got[b].Active || got[a].Names["ar"] == "" {
		t.Errorf("sellers = %+v, want two, the first active", got)
	}
}

// A bank's word moves money: it gets no key before it has been approved.
func TestABankGetsNoKeyBeforeItIsApproved(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for _, kind := range []string{"operational_bank", "insurer", "institutional", "service_provider"} {
		var o members.View
		h.want(201, &o, h.boss.String(), "POST", "/v1/organisations", strings.Replace(h.nextOrg(), "beneficiary_coop", kind, 1))
		h.refused(409, "api_keys.not_active", "", h.boss.String(), "POST", "/v1/organisations/"+o.ID+"/api-keys", `{"label":"x"}`)
	}
}
