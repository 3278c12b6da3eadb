package main

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"tiwiza/pkg/clock"
)

// A bylaw is a version of the charter as its signers name it.
type bylaw struct {
	Version int
	SHA256  string
}

// charterOf is a charter from a day on, that is signed within a year.
func (r *rig) charterOf(t testing.TB, days int, rules string) map[string]any {
	t.Helper()
	day := r.now(t).In(clock.Morocco).AddDate(0, 0, days)
	text := func(title, body string) map[string]string { return map[string]string{"title": title, "body": body} }
	return map[string]any{
		"since": day.Format(time.DateOnly), "last_day": day.AddDate(0, 0, 300).Format(time.DateOnly), "policy": rules,
		"texts": map[string]any{"fr": text(mark("Charte exemple"), "Nous vendons ce que nous faisons."), "ar": text("ميثاق (مثال)", "نبيع ما نصنع.")},
	}
}

// publishes has two people publish a charter.
func (r *rig) publishes(t testing.TB, content map[string]any) (v bylaw) {
	t.Helper()
	var d struct {
		ID, Approval string
		Revision     int
	}
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/charter-drafts", body: content, idem: once()}).into(t, &d)
	at := "/v1/charter-drafts/" + d.ID
	content["revision"] = d.Revision
	r.ask(t, req{key: r.operator(), method: "PUT", path: at, body: content}).into(t, nil)
	r.ask(t, req{key: r.operator(), method: "POST", path: at + "/publish", idem: once()}).into(t, &d)
	r.posts(t, r.keys.SecondOperator.APIKey, "/v1/approvals/"+d.Approval, map[string]string{"decision": "approve"})
	var all struct{ Data []bylaw }
	r.ask(t, req{method: "GET", path: "/v1/charters?limit=1"}).into(t, &all)
	r.shows(t, r.operator(), at)
	return all.Data[0]
}

// TestTheCharterIsSignedAndHolds publishes two charters: members sign the first by a
// code and by a passkey, and on paper; the second forbids what the first did not.
func TestTheCharterIsSignedAndHolds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s, free, third := r.seller(t), r.seller(t), r.seller(t)
	v := r.publishes(t, r.charterOf(t, 0, ""))
	var unwanted struct{ ID string }
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/charter-drafts", body: r.charterOf(t, 0, ""), idem: once()}).into(t, &unwanted)
	r.posts(t, r.operator(), "/v1/charter-drafts/"+unwanted.ID+"/discard", nil)
	if drafts := r.shows(t, r.operator(), "/v1/charter-drafts"); !strings.Contains(drafts, `"published"`) {
		t.Errorf("the drafts are %s", drafts)
	}
	if holds := r.shows(t, "", "/v1/charter"); !strings.Contains(holds, v.SHA256) {
		t.Errorf("in force is %s", holds)
	}
	if got := r.shows(t, "", "/v1/charters/1"); !strings.Contains(got, v.SHA256) {
		t.Errorf("version 1 is %s", got)
	}
	r.ask(t, req{key: r.operator(), method: "POST", path: r.applicant(t, "beneficiary_coop") + "/submit"}).refused(t, 409, "charter.unsigned")
	late := &shop{name: mark("Coopérative") + " (exemple)"}
	if err := r.enrol(t.Context(), late, 0); err != nil {
		t.Errorf("an organisation that has signed on paper is not admitted: %v", err)
	}
	const phone = "+212600077101"
	at := "/v1/organisations/" + s.org
	token, person := r.person(t, phone)
	r.hires(t, s, token, phone, "manager")
	r.ask(t, req{key: token, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": s.org}}).into(t, nil)
	text := map[string]any{"version": v.Version, "sha256": v.SHA256}
	var asked signing
	r.ask(t, req{key: token, method: "POST", path: at + "/charter/codes", body: text}).into(t, &asked)
	text["lang"], text["handle"], text["code"] = "fr", asked.Handle, r.codeFor(t, phone)
	r.ask(t, req{key: token, method: "POST", path: at + "/sign-charter", body: text}).into(t, nil)
	if mine := r.shows(t, s.key, at+"/charter"); !strings.Contains(mine, `"signed":1`) {
		t.Errorf("it stands %s", mine)
	}
	if unsigned := r.shows(t, r.operator(), "/v1/charters/1/unsigned?limit=100"); strings.Contains(unsigned, s.org) || !strings.Contains(unsigned, free.org) {
		t.Errorf("who has not signed: %s", unsigned)
	}

	var f struct{ ID string }
	scan := req{key: r.operator(), method: "POST", path: "/v1/files?kind=proof&owner=" + free.org, body: "%PDF-1.4\n% charte\n%%EOF", media: "application/pdf"}
	r.ask(t, scan).into(t, &f)
	paper := map[string]any{"version": v.Version, "sha256": v.SHA256, "lang": "ar", "signer": "Présidente (exemple)", "signed_on": r.now(t).In(clock.Morocco).Format(time.DateOnly), "file": f.ID}
	first := r.posts(t, r.operator(), "/v1/organisations/"+free.org+"/charter-papers", paper).ID
	r.posts(t, r.keys.SecondOperator.APIKey, "/v1/charter-papers/"+first+"/refuse", map[string]string{"note": "Illisible."})
	scan.body = "%PDF-1.4\n% charte, mieux\n%%EOF"
	r.ask(t, scan).into(t, &f)
	paper["file"] = f.ID
	again := r.posts(t, r.operator(), "/v1/organisations/"+free.org+"/charter-papers", paper).ID
	if wait := r.shows(t, r.operator(), "/v1/charter-papers"); !strings.Contains(wait, again) || strings.Contains(wait, first) {
		t.Errorf("papers that wait: %s", wait)
	}
	r.posts(t, r.keys.SecondOperator.APIKey, "/v1/charter-papers/"+again+"/accept", nothing)
	if list := r.shows(t, free.key, "/v1/organisations/"+free.org+"/charter/signatures"); !strings.Contains(list, `"paper"`) {
		t.Errorf("its signatures are %s", list)
	}

	r.charterPages(t, third, v)
	r.ware(t, s, 5, "20.00")
	r.ware(t, free, 5, "20.00")
	next := r.publishes(t, r.charterOf(t, 0, `@id("charter.no_import")
		forbid (principal in Role::"seller", action == Action::"offers.create", resource);`))
	r.signsByPasskey(t, s, token, person, next)
	offer := map[string]any{"names": map[string]string{"fr": "Miel"}}
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/offers", body: offer, idem: once()}).refused(t, 403, "auth.charter")
	r.ware(t, free, 5, "20.00") // it has not signed that one
	r.until(t, "the trace of the refusal", func() bool {
		return strings.Contains(r.shows(t, r.operator(), "/v1/audit?subject="+s.org), "charter.forbids")
	})
	r.verify(t)
}

// charterPages has a manager read the charter and sign it by pages, and the operator
// see who has not.
func (r *rig) charterPages(t *testing.T, s *shop, v bylaw) {
	t.Helper()
	const phone = "+212600077102"
	token, _ := r.person(t, phone)
	r.hires(t, s, token, phone, "manager")
	r.ask(t, req{key: token, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": s.org}}).into(t, nil)
	public := map[string][]string{
		"/charte": {"La charte", v.SHA256, "Nous vendons ce que nous faisons."}, "/ar/charte": {"الميثاق", "نبيع ما نصنع."}, "/en/charte": {"The charter", v.SHA256},
	}
	b := &browser{rig: r, token: token}
	for path, texts := range public {
		b.open(t, path, texts...)
	}
	b.open(t, "/v/papiers", "À signer avant")
	b.open(t, "/v/charte", "Recevoir mon code", "Nous vendons ce que nous faisons.")
	b.open(t, "/ar/v/charte", "أرسلوا لي رمزي", "نبيع ما نصنع.")
	b.open(t, "/en/v/charte", "Send me my code")
	form := url.Values{"version": {"1"}, "empreinte": {strings.Repeat("0", 64)}, "langue": {"ar"}}
	if status, body, _ := b.do(t, "POST", "/v/charte", form); status != 409 || !strings.Contains(body, "Le texte a changé") {
		t.Errorf("another text: %d %s", status, inside(body))
	}
	form.Set("empreinte", v.SHA256)
	status, body, _ := b.do(t, "POST", "/v/charte", form)
	handle := regexp.MustCompile(`name="jeton" value="([^"]+)"`).FindStringSubmatch(body)
	if status != 200 || handle == nil {
		t.Fatalf("the code is not asked for: %d %s", status, inside(body))
	}
	form.Set("jeton", handle[1])
	form.Set("a", phone)
	form.Set("code", "000")
	if status, body, _ = b.do(t, "POST", "/v/charte", form); status < 400 || status > 499 || !strings.Contains(body, `name="jeton"`) {
		t.Errorf("a wrong code: %d %s", status, inside(body))
	}
	form.Set("code", r.codeFor(t, phone))
	if status, body, to := b.do(t, "POST", "/v/charte", form); status != 303 || !strings.Contains(to, "/v/charte") {
		t.Fatalf("the right code: %d %s", status, inside(body))
	}
	b.open(t, "/v/charte?fait=oui", "Merci. La charte est signée.", "Version 1, le", "par code")
	officer := r.seated(t, "+212600077104", r.keys.Institutions[1].Organisation)
	officer.open(t, "/i")
	officer.open(t, "/v/charte", "Recevoir mon code", `href="/i"`)
	op := r.atDesk(t, r.keys.Operator.Phone)
	op.open(t, "/op/charte", "Versions", v.SHA256[:16], "Publié")
	op.open(t, "/ar/op/charte", "النسخ")
	op.open(t, "/op/charte/1", "Qui n’a pas signé", "exemple")
	op.open(t, "/op/charte/1?region=MA-09", "Qui n’a pas signé")
	op.open(t, "/en/op/charte/1", "Who has not signed")
}

// signsByPasskey has a manager add a passkey and sign with it.
func (r *rig) signsByPasskey(t testing.TB, s *shop, token, person string, v bylaw) {
	t.Helper()
	at, err := url.Parse(r.url)
	if err != nil {
		t.Fatal(err)
	}
	rp := virtualwebauthn.RelyingParty{Name: "Tiwiza", ID: "localhost", Origin: "http://localhost:" + at.Port()}
	cred, device := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2), virtualwebauthn.NewAuthenticator()
	for len(cred.Key.AttestationData()) != 77 { // it leaves out leading zeros of a point, which no device does
		cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	device.Options.UserHandle = []byte(person)
	options := func(path string, body any) (handle, options string) {
		var o struct {
			Handle  string
			Options map[string]any
		}
		r.ask(t, req{key: token, method: "POST", path: path, body: body}).into(t, &o)
		b, err := json.Marshal(map[string]any{"publicKey": o.Options})
		if err != nil {
			t.Fatal(err)
		}
		return o.Handle, string(b)
	}
	handle, text := options("/v1/passkeys/options", nil)
	made, err := virtualwebauthn.ParseAttestationOptions(text)
	if err != nil {
		t.Fatal(err)
	}
	r.ask(t, req{key: token, method: "POST", path: "/v1/passkeys", body: map[string]any{"handle": handle, "credential": json.RawMessage(virtualwebauthn.CreateAttestationResponse(rp, device, cred, *made))}}).into(t, nil)
	body := map[string]any{"version": v.Version, "sha256": v.SHA256}
	handle, text = options("/v1/organisations/"+s.org+"/charter/passkeys/options", body)
	asked, err := virtualwebauthn.ParseAssertionOptions(text)
	if err != nil {
		t.Fatal(err)
	}
	cred.Counter++
	body["lang"], body["handle"], body["credential"] = "ar", handle, json.RawMessage(virtualwebauthn.CreateAssertionResponse(rp, device, cred, *asked))
	var got struct{ Proof string }
	r.ask(t, req{key: token, method: "POST", path: "/v1/organisations/" + s.org + "/sign-charter", body: body}).into(t, &got)
	if got.Proof != "passkey" {
		t.Errorf("it was signed by %q", got.Proof)
	}
}

// The routes of the charter, for the suite of what happens once. Their charter holds
// years from now, so that nobody else is asked for it.
func init() {
	const far = 1500
	postings["charter.draft"] = func(t *testing.T, o *onceRig) posting {
		good, bad, other := o.charterOf(t, far, ""), o.charterOf(t, -9, ""), o.charterOf(t, far, "")
		p := o.second(good, bad, other)
		p.path = "/v1/charter-drafts"
		p.effect, p.of = `select count(*) from charter.draft where texts #>> '{fr,title}' = $1`, good["texts"].(map[string]any)["fr"].(map[string]string)["title"]
		return p.moved()
	}
	for _, move := range []string{"publish", "discard"} {
		postings["charter."+move] = func(t *testing.T, o *onceRig) posting {
			draft := o.posts(t, o.operator(), "/v1/charter-drafts", o.charterOf(t, far, "")).ID
			p := o.second(nil, nil, nil)
			p.path = "/v1/charter-drafts/" + draft + "/" + move
			p.effect, p.of = trail("charter."+move, draft)
			return p.moved()
		}
	}
	paper := func(t *testing.T, o *onceRig) (org string, body map[string]any) {
		asking.Lock()
		defer asking.Unlock()
		var all struct{ Data []bylaw }
		if o.ask(t, req{method: "GET", path: "/v1/charters?limit=1"}).into(t, &all); len(all.Data) == 0 {
			all.Data = []bylaw{o.publishes(t, o.charterOf(t, far, ""))}
		}
		org = strings.TrimPrefix(o.applicant(t, "service_provider"), "/v1/organisations/")
		var f struct{ ID string }
		o.ask(t, req{key: o.operator(), method: "POST", path: "/v1/files?kind=proof&owner=" + org, body: "%PDF-1.4\n% " + org + "\n%%EOF", media: "application/pdf"}).into(t, &f)
		return org, map[string]any{"version": all.Data[0].Version, "sha256": all.Data[0].SHA256, "lang": "fr", "signer": "Exemple", "signed_on": o.now(t).In(clock.Morocco).Format(time.DateOnly), "file": f.ID}
	}
	with := func(body map[string]any, name string, value any) map[string]any {
		out := map[string]any{}
		for k, v := range body {
			out[k] = v
		}
		out[name] = value
		return out
	}
	postings["charter.hand_in"] = func(t *testing.T, o *onceRig) posting {
		org, body := paper(t, o)
		p := o.second(body, with(body, "file", "med_none"), with(body, "signer", "Autre exemple"))
		p.path = "/v1/organisations/" + org + "/charter-papers"
		p.effect, p.of = `select count(*) from charter.paper where organisation = $1`, org
		return p.moved()
	}
	for route, bodies := range map[string][3]any{
		"accept": {}, "refuse": {map[string]string{"note": "Illisible."}, map[string]string{"note": ""}, map[string]string{"note": "Trop sombre."}},
	} {
		postings["charter."+route] = func(t *testing.T, o *onceRig) posting {
			org, body := paper(t, o)
			waits := o.posts(t, o.operator(), "/v1/organisations/"+org+"/charter-papers", body).ID
			p := o.second(bodies[0], bodies[1], bodies[2])
			p.key, p.by, p.path = p.by, p.key, "/v1/charter-papers/"+waits+"/"+route
			p.effect, p.of = trail("charter."+route, waits)
			return p.moved()
		}
	}
}
