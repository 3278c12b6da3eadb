package sharing_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

func TestABankAsksSeesAndIsSeen(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	bank, officer := h.member(members.Bank, "Banque (exemple)")
	balance := h.puts(owner, coop, "financial", "bilan 2026", false)
	h.puts(owner, coop, "social", "liste des membres", false)
	secret := h.puts(owner, coop, "financial", "dettes", true)

	h.refused(404, "sharing.not_found", "", officer, "GET", "/v1/dossiers/"+coop, nil)
	ask := fields{"owner": coop, "purpose": "credit", "sections": []string{"financial"}, "days": 90, "why": "Crédit de campagne."}
	var c sharing.ConsentView
	h.want(201, &c, officer, "POST", "/v1/consent-requests", ask)
	h.refused(409, "sharing.asked", "", officer, "POST", "/v1/consent-requests", ask)
	h.refused(404, "sharing.not_found", "", officer, "GET", "/v1/dossiers/"+coop, nil)
	if !strings.Contains(c.Text["fr"], "Banque (exemple) pourra voir votre dossier (finances) pendant 90 jours") {
		t.Errorf("it reads %q", c.Text["fr"])
	}
	h.refused(422, "sharing.invalid", "/digest", owner, "POST", "/v1/consents/"+c.ID+"/answer", fields{"decision": "grant"})
	h.refused(404, "sharing.not_found", "", officer, "GET", "/v1/consents/cns_1", nil)
	h.want(200, &c, owner, "POST", "/v1/consents/"+c.ID+"/answer", fields{"decision": "grant", "digest": c.Digest})
	if c.Evidence != "key" || c.Until == nil || c.Until.Sub(*c.Since) != 90*24*time.Hour {
		t.Errorf("granted: %+v", c)
	}
	var d sharing.DossierView
	h.want(200, &d, officer, "GET", "/v1/dossiers/"+coop, nil)
	if len(d.Items) != 1 || d.Items[0].ID != balance || d.On.Consent != c.ID {
		t.Fatalf("the bank sees %+v", d)
	}
	var v sharing.SeenView
	h.want(200, &v, officer, "GET", "/v1/dossiers/"+coop+"/items/"+balance, nil)
	if v.Form["chiffre"] != 12.0 {
		t.Errorf("the form reads %v", v.Form)
	}
	h.refused(403, "sharing.ended", "", officer, "GET", "/v1/dossiers/"+coop+"/items/"+secret, nil)
	said := h.looks(owner, coop)
	if len(said) != 2 || said[0].Said["fr"] != "Banque (exemple) a vu votre «bilan 2026» le "+time.Now().In(clock.Morocco).Format("02/01/2006")+"." || said[0].Consent != c.ID || said[0].Organisation != bank || said[0].Policy != "sharing.look" {
		t.Errorf("the owner reads %+v", said)
	}
	n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from platform.event where type = 'sharing.looked'`)
	must(t, err)
	if n != 1 {
		t.Errorf("told %d times; the first look is news, the others are in the log", n)
	}
}

func TestWithdrawnIsRefusedOnTheNextRequest(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	bank, officer := h.member(members.Bank, "Banque (exemple)")
	item := h.puts(owner, coop, "financial", "bilan", false)
	c := h.gives(owner, bank, 90, false, "financial")
	at := "/v1/dossiers/" + coop + "/items/" + item
	h.want(200, nil, officer, "GET", at, nil)
	h.refused(403, "auth.denied", "", officer, "POST", "/v1/consents/"+c.ID+"/withdraw", nil)
	h.want(200, &c, owner, "POST", "/v1/consents/"+c.ID+"/withdraw", nil)
	h.want(200, nil, owner, "POST", "/v1/consents/"+c.ID+"/withdraw", nil) // harmless
	h.refused(403, "sharing.ended", "", officer, "GET", at, nil)
	h.refused(403, "sharing.ended", "", officer, "GET", "/v1/dossiers/"+coop, nil)
	if got := h.looks(owner, coop); len(got) != 1 {
		t.Errorf("%d looks are written down, want one", len(got))
	}
	again := h.gives(owner, bank, 1, false, "financial")
	h.want(200, nil, officer, "GET", at, nil)
	pgtest.Pass(t, h.db, h.timers, 24*time.Hour)
	h.refused(403, "sharing.ended", "", officer, "GET", at, nil)
	h.want(200, &c, owner, "GET", "/v1/consents/"+again.ID, nil)
	if c.State != sharing.Expired || !c.EndedAt.Equal(*c.Until) {
		t.Errorf("after its days it is %+v", c)
	}
}

func TestARefusalIsWrittenDownAndARequestLapses(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	_, officer := h.member(members.Insurer, "Assurance (exemple)")
	_, other := h.member(members.Bank, "Banque (exemple)")
	ask := fields{"owner": coop, "purpose": "insurance", "sections": []string{"production", "identity"}, "days": 30}
	var c, late sharing.ConsentView
	h.want(201, &c, officer, "POST", "/v1/consent-requests", ask)
	h.refused(403, "auth.denied", "", officer, "POST", "/v1/consents/"+c.ID+"/answer", fields{"decision": "grant", "digest": c.Digest})
	h.refused(404, "sharing.not_found", "", other, "GET", "/v1/consents/"+c.ID, nil)
	h.want(200, &c, owner, "POST", "/v1/consents/"+c.ID+"/answer", fields{"decision": "refuse"})
	h.refused(409, "sharing.state", "", owner, "POST", "/v1/consents/"+c.ID+"/answer", fields{"decision": "grant", "digest": c.Digest})
	h.refused(404, "sharing.not_found", "", officer, "GET", "/v1/dossiers/"+coop, nil)
	h.want(201, &late, officer, "POST", "/v1/consent-requests", ask)
	pgtest.Pass(t, h.db, h.timers, 31*24*time.Hour)
	h.refused(409, "sharing.state", "", owner, "POST", "/v1/consents/"+late.ID+"/answer", fields{"decision": "grant", "digest": late.Digest})
	var p struct{ Data []sharing.ConsentView }
	h.want(200, &p, officer, "GET", "/v1/consents", nil)
	if len(p.Data) != 2 || p.Data[0].State != sharing.Expired || p.Data[1].State != sharing.Refused {
		t.Errorf("the insurer sees %+v", p.Data)
	}
}

func TestAProgrammeLetsInWhoTakesPart(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	bank, officer := h.member(members.Bank, "Banque (exemple)")
	item := h.puts(owner, coop, "project", "plan", false)
	var p sharing.ProgrammeView
	h.want(201, &p, h.boss, "POST", "/v1/programmes", fields{"names": fields{"fr": "Programme (exemple)"}})
	h.want(201, nil, owner, "POST", "/v1/consents", fields{"programme": p.ID, "purpose": "programme", "sections": []string{"project"}, "days": 30})
	at := "/v1/dossiers/" + coop + "/items/" + item
	h.refused(404, "sharing.not_found", "", officer, "GET", at, nil)
	enlist := func(ends bool) {
		h.want(200, &p, h.boss, "POST", "/v1/programmes/"+p.ID+"/participants", fields{"organisation": bank, "ends": ends})
	}
	enlist(false)
	enlist(false)
	if len(p.Participants) != 1 {
		t.Errorf("part take %v", p.Participants)
	}
	h.want(200, nil, officer, "GET", at, nil)
	enlist(true)
	h.refused(403, "sharing.ended", "", officer, "GET", at, nil)
	h.refused(422, "sharing.invalid", "/organisation", h.boss, "POST", "/v1/programmes/"+p.ID+"/participants", fields{"organisation": "org_1"})
	h.refused(404, "sharing.not_found", "", h.boss, "POST", "/v1/programmes/pgm_1/participants", fields{"organisation": bank})
}

func TestASuspendedBankSeesNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	bank, officer := h.member(members.Bank, "Banque (exemple)")
	h.puts(owner, coop, "financial", "bilan", false)
	h.gives(owner, bank, 90, false, "financial")
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+bank+"/suspend", fields{"note": "Enquête."})
	h.refused(403, "sharing.barred", "", officer, "GET", "/v1/dossiers/"+coop, nil)
	if got := h.looks(owner, coop); len(got) != 0 {
		t.Errorf("%d looks are written down", len(got))
	}
}

func TestTwoPeopleBreakTheGlassAndTheOwnerSeesIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	item := h.puts(owner, coop, "financial", "bilan", true)
	other := h.puts(owner, coop, "social", "membres", false)
	at := "/v1/dossiers/" + coop
	h.refused(404, "sharing.not_found", "", h.boss, "GET", at, nil)
	why := fields{"reason": "Réquisition du tribunal de commerce n° 12.", "sections": []string{"financial"}}
	var g sharing.GlassView
	h.want(201, &g, h.boss, "POST", at+"/break-glass", why)
	h.refused(404, "sharing.not_found", "", h.boss, "GET", at, nil)
	h.refused(403, "approvals.self", "", h.boss, "POST", "/v1/approvals/"+g.Approval, fields{"decision": "approve"})
	h.want(200, nil, h.mate, "POST", "/v1/approvals/"+g.Approval, fields{"decision": "approve"})
	h.want(200, nil, h.boss, "GET", at+"/items/"+item, nil)
	h.refused(404, "sharing.not_found", "", h.boss, "GET", at+"/items/"+other, nil)
	h.refused(404, "sharing.not_found", "", h.third, "GET", at+"/items/"+item, nil)
	if got := h.looks(owner, coop); len(got) != 1 || got[0].Glass != g.ID || !strings.HasPrefix(got[0].Said["fr"], "L'équipe de Tiwiza a vu votre «bilan»") {
		t.Errorf("the owner reads %+v", got)
	}
	n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from platform.event where type = 'sharing.glass_broken' and payload ->> 'reason' like 'Réquisition%'`)
	must(t, err)
	if n != 1 {
		t.Errorf("the owner was told %d times", n)
	}
	pgtest.Advance(t, h.db, 25*time.Hour)
	h.refused(404, "sharing.not_found", "", h.boss, "GET", at+"/items/"+item, nil)
	h.want(201, &g, h.boss, "POST", at+"/break-glass", why)
	h.want(200, nil, h.mate, "POST", "/v1/approvals/"+g.Approval, fields{"decision": "refuse", "note": "Non."})
	h.refused(404, "sharing.not_found", "", h.boss, "GET", at+"/items/"+item, nil)
}

func TestADownloadCarriesAMarkOfWhoTookIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	bank, officer := h.member(members.Bank, "Banque Été (exemple)")
	var v sharing.ItemView
	h.want(201, &v, owner, "POST", "/v1/organisations/"+coop+"/dossier", fields{"section": "identity", "title": "statuts", "file": h.file(owner, "statuts")})
	m := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for i := range m.Pix {
		m.Pix[i] = 200
	}
	m.Set(1, 1, color.Black)
	var photo bytes.Buffer
	must(t, jpeg.Encode(&photo, m, nil))
	var f struct{ ID string }
	h.want(201, &f, owner, "POST", "/v1/files?kind=proof", photo.Bytes())
	var pic sharing.ItemView
	h.want(201, &pic, owner, "POST", "/v1/organisations/"+coop+"/dossier", fields{"section": "identity", "title": "carte", "file": f.ID})
	c := h.gives(owner, bank, 90, false, "identity")
	w := h.ask(officer, "GET", "/v1/dossiers/"+coop+"/items/"+v.ID+"/content", nil)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "%%EOF\n\n% Banque Ete (exemple)") || !strings.Contains(w.Body.String(), c.ID) {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	w = h.ask(officer, "GET", "/v1/dossiers/"+coop+"/items/"+pic.ID+"/content", nil)
	got, err := jpeg.Decode(w.Body)
	must(t, err)
	marks := 0
	for y := range 480 {
		for x := range 640 {
			if r, _, b, _ := got.At(x, y).RGBA(); r > b+0x2000 {
				marks++
			}
		}
	}
	if w.Code != 200 || marks < 500 {
		t.Errorf("%d; %d points carry the mark", w.Code, marks)
	}
	if got := h.looks(owner, coop); len(got) != 2 || got[1].Action != "download" || got[0].Title != "carte" {
		t.Errorf("the owner reads %+v", got)
	}
}

// No log, no read: when the row cannot be written, nothing is shown.
func TestWithoutItsRowNothingIsRead(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	bank, officer := h.member(members.Bank, "Banque (exemple)")
	item := h.puts(owner, coop, "financial", "bilan", false)
	h.gives(owner, bank, 90, false, "financial")
	full := pgtest.Open(t, h.url, pg.Options{MaxConns: 1})
	_, err := full.Exec(t.Context(), `set role none`)
	must(t, err)
	_, err = full.Exec(t.Context(), `alter table sharing.consultation add constraint full_disk check (false) not valid`)
	must(t, err)
	for _, path := range []string{"/v1/dossiers/" + coop, "/v1/dossiers/" + coop + "/items/" + item} {
		if w := h.ask(officer, "GET", path, nil); w.Code != 500 || strings.Contains(w.Body.String(), "bilan") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// Of readers and an owner who withdraws at the same moment, whoever reads has its
// row from before the end, and nobody reads after it.
func TestAWithdrawalAmongReadersIsExact(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	bank, officer := h.member(members.Bank, "Banque (exemple)")
	item := h.puts(owner, coop, "financial", "bilan", false)
	c := h.gives(owner, bank, 90, false, "financial")
	var all sync.WaitGroup
	var mu sync.Mutex
	read := 0
	for i := range 24 {
		all.Go(func() {
			if i == 12 {
				h.ask(owner, "POST", "/v1/consents/"+c.ID+"/withdraw", nil)
				return
			}
			if w := h.ask(officer, "GET", "/v1/dossiers/"+coop+"/items/"+item, nil); w.Code == 200 {
				mu.Lock()
				read++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	bad, err := pg.Value[int](pgtest.Hub(t), h.db.Asking(), nil, `select count(*)::int from sharing.consultation k join sharing.consent c on c.id = k.consent where k.at > c.ended_at`)
	must(t, err)
	if n := len(h.looks(owner, coop)); n != read || bad != 0 {
		t.Errorf("%d read, %d rows, %d of them after the end", read, n, bad)
	}
	h.refused(403, "sharing.ended", "", officer, "GET", "/v1/dossiers/"+coop+"/items/"+item, nil)
}

func TestDossiersOfOthersAreNotThere(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	other, stranger := h.member(members.Cooperative, "Autre (exemple)")
	bank, officer := h.member(members.Bank, "Banque (exemple)")
	item, form := h.puts(owner, coop, "financial", "bilan", false), fields{"form": fields{"a": 1}}
	theirs := h.puts(stranger, other, "financial", "à elle", false)
	c := h.gives(owner, bank, 90, false, "financial")
	for _, q := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/v1/organisations/" + coop + "/dossier", nil},
		{"POST", "/v1/organisations/" + coop + "/dossier", fields{"section": "social", "title": "x", "form": fields{"a": 1}}},
		{"GET", "/v1/dossier-items/" + item, nil},
		{"POST", "/v1/dossier-items/" + item + "/versions", form},
		{"POST", "/v1/dossier-items/" + item + "/retire", nil},
		{"GET", "/v1/organisations/" + coop + "/consultations", nil},
		{"GET", "/v1/consents/" + c.ID, nil},
		{"POST", "/v1/consents/" + c.ID + "/withdraw", nil},
		{"POST", "/v1/consents/" + c.ID + "/answer", fields{"decision": "refuse"}},
	} {
		h.refused(404, "sharing.not_found", "", stranger, q.method, q.path, q.body)
	}
	h.refused(403, "sharing.ended", "", officer, "GET", "/v1/dossiers/"+coop+"/items/"+theirs, nil)
	h.refused(404, "sharing.not_found", "", officer, "GET", "/v1/dossiers/"+other+"/items/"+theirs, nil)
	h.refused(404, "sharing.not_found", "", officer, "GET", "/v1/dossiers/"+other+"/items/"+item, nil)
	h.refused(409, "media.gone", "", owner, "POST", "/v1/organisations/"+coop+"/dossier", fields{"section": "social", "title": "x", "file": h.file(stranger, "à elle")})
	h.refused(422, "sharing.invalid", "/grantee", owner, "POST", "/v1/consents", fields{"grantee": coop, "purpose": "credit", "sections": []string{"social"}, "days": 3})
	h.refused(422, "sharing.invalid", "/grantee", owner, "POST", "/v1/consents", fields{"purpose": "credit", "sections": []string{"social"}, "days": 3})
	h.refused(422, "sharing.invalid", "/owner", officer, "POST", "/v1/consent-requests", fields{"owner": bank, "purpose": "credit", "sections": []string{"social"}, "days": 3})
}

func TestANewVersionTakesThePlaceAndTheLogNamesWhatWasSeen(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	bank, officer := h.member(members.Bank, "Banque (exemple)")
	item := h.puts(owner, coop, "financial", "bilan", false)
	h.gives(owner, bank, 90, false, "financial")
	at := "/v1/dossiers/" + coop + "/items/" + item
	h.want(200, nil, officer, "GET", at, nil)
	h.want(201, nil, owner, "POST", "/v1/dossier-items/"+item+"/versions", fields{"form": fields{"chiffre": 13}})
	var v sharing.SeenView
	h.want(200, &v, officer, "GET", at, nil)
	if v.Version != 2 || v.Form["chiffre"] != 13.0 {
		t.Errorf("the bank sees %+v", v)
	}
	if got := h.looks(owner, coop); got[0].Version != 2 || got[1].Version != 1 {
		t.Errorf("the log says %+v", got)
	}
	h.want(200, nil, owner, "POST", "/v1/dossier-items/"+item+"/retire", nil)
	h.refused(409, "sharing.retired", "", owner, "POST", "/v1/dossier-items/"+item+"/versions", fields{"form": fields{"a": 1}})
	h.refused(403, "sharing.ended", "", officer, "GET", at, nil)
}

func TestTheDatabaseRefusesALookWithoutConsent(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	bank, officer := h.member(members.Bank, "Banque (exemple)")
	item := h.puts(owner, coop, "financial", "bilan", false)
	secret := h.puts(owner, coop, "financial", "dettes", true)
	c := h.gives(owner, bank, 90, false, "financial")
	h.want(200, nil, officer, "GET", "/v1/dossiers/"+coop, nil)
	look := func(consent, org, what, sensitive, at string) string {
		return `insert into sharing.consultation (at, owner, consent, organisation, by, item, version, section, sensitive, purpose, action, policy)
			values (` + at + `, '` + coop + `', '` + consent + `', '` + org + `', 'key_1', '` + what + `', 1, 'financial', ` + sensitive + `, 'credit', 'view', 'x')`
	}
	const by, now = "consultation_allowed", "platform.now()"
	pgtest.Wall{
		{By: by, SQL: look("cns_none", bank, item, "false", now)},
		{By: by, SQL: look(c.ID, "org_other", item, "false", now)},
		{By: by, SQL: look(c.ID, bank, secret, "true", now)},
		{By: by, SQL: look(c.ID, bank, secret, "false", now)},
		{By: by, SQL: look(c.ID, bank, "itm_none", "false", now)},
		{By: by, SQL: look(c.ID, bank, item, "false", now+" + interval '91 days'")},
		{By: by, SQL: look(c.ID, bank, item, "false", now+" - interval '1 day'")},
		{By: "consent_moves", SQL: `update sharing.consent set until = until + interval '1 day' where id = '` + c.ID + `'`},
		{By: "consent_moves", SQL: `update sharing.consent set state = 'requested' where id = '` + c.ID + `'`},
		{By: "42501", SQL: `update sharing.consent set sections = '{social}'`},
		{By: "42501", SQL: `update sharing.consultation set by = 'nobody'`},
		{By: "42501", SQL: `delete from sharing.consultation`},
		{By: "consent_period", SQL: `insert into sharing.consent (id, owner, grantee, purpose, sections, sensitive, days, text, digest, state, asked_by, asked_at, answered_by, evidence, since, until)
			values ('cns_x', 'a', 'b', 'credit', '{social}', false, 1, '{}', sha256(''), 'granted', 'x', now(), 'x', 'key', now(), now() + interval '2 days')`},
	}.Stands(t, h.url)
	pgtest.Seal(t, h.db, sharing.Chain)
	owns := pgtest.Open(t, h.url, pg.Options{MaxConns: 1})
	for _, sql := range []string{`set role none`, `alter table sharing.consultation disable trigger all`, `update sharing.consultation set organisation = 'org_x'`} {
		_, err := owns.Exec(t.Context(), sql)
		must(t, err)
	}
	broken, err := pg.Column[string](t.Context(), h.db, sharing.Chain.Broken(0))
	must(t, err)
	if len(broken) != 1 || !strings.Contains(broken[0], "was altered") {
		t.Errorf("the chain says %v", broken)
	}
}

func TestAConsentIsTheLastWord(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	bank, officer := h.member(members.Bank, "Banque (exemple)")
	ask := fields{"owner": coop, "purpose": "credit", "sections": []string{"financial"}, "days": 90}
	var given, refused, waits sharing.ConsentView
	h.want(201, &refused, officer, "POST", "/v1/consent-requests", ask)
	h.want(200, &refused, owner, "POST", "/v1/consents/"+refused.ID+"/answer", fields{"decision": "refuse"})
	h.want(201, &given, owner, "POST", "/v1/consents", fields{"grantee": bank, "purpose": "credit", "sections": []string{"financial"}, "days": 5})
	h.want(201, &waits, officer, "POST", "/v1/consent-requests", ask)
	says := func() string {
		t.Helper()
		all, err := pg.Column[string](t.Context(), h.db, `select word || ' ' || channel || ' ' || encode(hash, 'hex') || coalesce(' ' || until::text, '') from accords.accord where who = $1 and subject = 'dossier' order by seq`, coop)
		must(t, err)
		return strings.Join(all, "\n")
	}
	if all := strings.Split(says(), "\n"); len(all) != 2 || all[0] != "refused api "+refused.Digest || !strings.HasPrefix(all[1], "given api "+given.Digest+" 20") {
		t.Errorf("the ledger says %q", all)
	}
	for _, sql := range []string{
		`update sharing.consent set state = 'granted', answered_by = 'x', evidence = 'key', since = platform.now(), until = platform.now() + interval '90 days' where id = '` + waits.ID + `'`,
		`insert into accords.accord (who, subject, about, word, hash, channel) values ('` + coop + `', 'dossier', '` + waits.ID + `', 'given', sha256('x'), 'page')`,
		`insert into accords.accord (who, subject, about, word, hash, channel) values ('` + coop + `', 'dossier', '` + given.ID + `', 'withdrawn', sha256('x'), 'page')`,
	} {
		ctx := auth.With(t.Context(), auth.Hub)
		if err := h.db.InTx(ctx, func(tx *pg.Tx) error {
			_, err := tx.Exec(ctx, sql)
			return err
		}); !pg.Violates(err, "consent_is_said") {
			t.Errorf("%s alone: %v", sql, err)
		}
	}
	h.want(200, &given, owner, "POST", "/v1/consents/"+given.ID+"/withdraw", nil)
	if all := strings.Split(says(), "\n"); len(all) != 3 || all[2] != "withdrawn api "+given.Digest {
		t.Errorf("the ledger says %q", all)
	}
}
