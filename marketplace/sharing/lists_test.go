package sharing_test

import (
	"slices"
	"testing"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/auth"
)

// An owner reads the very text that it would agree to, and what it then gives stands on
// that text or not at all; reading it records nothing.
func TestWhatIsGivenIsWhatWasRead(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	bank, officer := h.member(members.Bank, "Banque (exemple)")
	other, _ := h.member(members.Bank, "Autre banque (exemple)")
	const wording = "/v1/consents/wording?purpose=credit&days=30&sections=social&sections=financial"
	var w, sensitive sharing.WordingView
	h.want(200, &w, owner, "GET", wording+"&grantee="+bank, nil)
	h.want(200, &sensitive, owner, "GET", wording+"&sensitive=true&grantee="+bank, nil)
	if w.Digest == sensitive.Digest || w.Text["fr"] == sensitive.Text["fr"] {
		t.Errorf("with what is sensitive and without it the text is %q", w.Text["fr"])
	}
	h.refused(403, "auth.denied", "", officer, "GET", wording+"&grantee="+bank, nil)
	h.refused(422, "sharing.invalid", "/grantee", owner, "GET", wording, nil)
	h.refused(422, "sharing.invalid", "/grantee", owner, "GET", wording+"&grantee=org_none", nil)
	h.refused(422, "sharing.invalid", "/programme", owner, "GET", wording+"&programme=pgm_none", nil)
	give := fields{"grantee": other, "purpose": "credit", "sections": []string{"financial", "social"}, "days": 30, "digest": w.Digest}
	h.refused(422, "sharing.invalid", "/digest", owner, "POST", "/v1/consents", give)
	var p struct{ Data []sharing.ConsentView }
	if h.want(200, &p, owner, "GET", "/v1/consents", nil); len(p.Data) != 0 {
		t.Errorf("after reading alone there is %+v", p.Data)
	}
	give["grantee"] = bank
	var c sharing.ConsentView
	h.want(201, &c, owner, "POST", "/v1/consents", give)
	if c.Digest != w.Digest || c.Text["ar"] != w.Text["ar"] {
		t.Errorf("given is %q, want %q", c.Text["fr"], w.Text["fr"])
	}
}

// Both sides' names stand in lists; those of one state, or of all that ended, can be
// asked for; whoever takes part in a programme finds what was given to it, as long as
// it does.
func TestConsentsAreListedForBothSides(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	bank, officer := h.member(members.Bank, "Banque (exemple)")
	office, clerk := h.member(members.Institution, "Office (exemple)")
	live := h.gives(owner, bank, 90, false, "financial")
	gone := h.gives(owner, bank, 90, false, "social")
	h.want(200, nil, owner, "POST", "/v1/consents/"+gone.ID+"/withdraw", fields{})
	var asked sharing.ConsentView
	h.want(201, &asked, clerk, "POST", "/v1/consent-requests", fields{"owner": coop, "purpose": "label", "sections": []string{"production"}, "days": 9})
	h.want(200, nil, owner, "POST", "/v1/consents/"+asked.ID+"/answer", fields{"decision": "refuse"})
	var programme sharing.ProgrammeView
	h.want(201, &programme, h.boss, "POST", "/v1/programmes", fields{"names": fields{"fr": "Programme (exemple)"}})
	enlist := func(ends bool) {
		h.want(200, nil, h.boss, "POST", "/v1/programmes/"+programme.ID+"/participants", fields{"organisation": office, "ends": ends})
	}
	enlist(false)
	var joint sharing.ConsentView
	h.want(201, &joint, owner, "POST", "/v1/consents", fields{"programme": programme.ID, "purpose": "programme", "sections": []string{"financial"}, "days": 30})

	lists := func(who string, key auth.Key, query string, want ...string) {
		t.Helper()
		var of struct{ Data []sharing.ConsentView }
		h.want(200, &of, key, "GET", "/v1/consents"+query, nil)
		var got []string
		for _, c := range of.Data {
			got = append(got, c.ID)
			if c.OwnerName["fr"] != "Coopérative (exemple)" || c.Names["fr"] == "" {
				t.Errorf("%s reads the names %v and %v", who, c.OwnerName, c.Names)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s reads %v, want %v", who, got, want)
		}
	}
	lists("the owner", owner, "?state=ended", asked.ID, gone.ID)
	lists("the bank", officer, "", gone.ID, live.ID)
	lists("the office", clerk, "", joint.ID, asked.ID)
	h.want(200, nil, clerk, "GET", "/v1/dossiers/"+coop, nil)
	h.want(200, nil, clerk, "GET", "/v1/consents/"+joint.ID, nil)
	h.refused(404, "sharing.not_found", "", officer, "GET", "/v1/consents/"+joint.ID, nil)
	enlist(true)
	lists("the office", clerk, "", asked.ID)
	h.refused(404, "sharing.not_found", "", clerk, "GET", "/v1/consents/"+joint.ID, nil)
	h.refused(403, "sharing.ended", "", clerk, "GET", "/v1/dossiers/"+coop, nil)
}

// The market's people see which glasses wait and which are open, and the owner reads
// why somebody looked without its consent.
func TestABrokenGlassIsListedAndExplained(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	coop, owner := h.member(members.Cooperative, "Coopérative (exemple)")
	_, officer := h.member(members.Bank, "Banque (exemple)")
	h.puts(owner, coop, "financial", "bilan", true)
	const why = "Réquisition du tribunal de commerce (exemple)."
	var g sharing.GlassView
	h.want(201, &g, h.boss, "POST", "/v1/dossiers/"+coop+"/break-glass", fields{"reason": why, "sections": []string{"financial"}})
	list := func(key auth.Key, state string) (p struct{ Data []sharing.GlassView }) {
		t.Helper()
		h.want(200, &p, key, "GET", "/v1/broken-glasses?state="+state, nil)
		return p
	}
	if p := list(h.boss, "asked"); len(p.Data) != 1 || p.Data[0].ID != g.ID || !p.Data[0].Mine || p.Data[0].Reason != why || p.Data[0].Names["fr"] != "Coopérative (exemple)" {
		t.Errorf("what waits is %+v", p.Data)
	}
	if p := list(h.mate, "asked"); len(p.Data) != 1 || p.Data[0].Mine {
		t.Errorf("another of the market's people reads %+v", p.Data)
	}
	h.refused(403, "auth.denied", "", officer, "GET", "/v1/broken-glasses", nil)
	h.want(200, nil, h.mate, "POST", "/v1/approvals/"+g.Approval, fields{"decision": "approve"})
	if p := list(h.boss, "open"); len(p.Data) != 1 || p.Data[0].Until == nil || p.Data[0].OpenedBy == "" {
		t.Errorf("what is open is %+v", p.Data)
	}
	h.want(200, nil, h.boss, "GET", "/v1/dossiers/"+coop, nil)
	if looks := h.looks(owner, coop); len(looks) != 1 || looks[0].Why != why {
		t.Errorf("the owner reads %+v", looks)
	}
}
