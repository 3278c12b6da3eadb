package procedures_test

import (
	"context"
	"testing"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/procedures"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// moves an organisation, and has what follows for its cases happen as its event does.
func (h *hub) moves(org, move string) {
	h.t.Helper()
	var why any
	if move == "suspend" {
		why = fields{"note": "Pour essayer."}
	}
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+org+"/"+move, why)
	h.do(func(_ context.Context, tx *pg.Tx) error { job.Set(tx, "procedures.strand", org, tx.Now()); return nil })
	h.advance(time.Second)
}

// The cases of an institution that is suspended stand still; the market's people give
// them to another, and their applicants are told.
func TestCasesOfASuspendedInstitutionGoToAnother(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	next, successor := h.member(members.Institution, "Relève")
	_, third := h.member(members.Institution, "Tiers")
	_, coop := h.member(members.Cooperative, "Coopérative")
	p := h.publishes(officer, definition("registration", paper("ENR")))
	c, late, back := h.submitted(coop, p).ID, h.submitted(second(h), p).ID, h.submitted(second(h), p).ID
	h.does(officer, c, "examine", nil)
	h.refused(409, "procedures.state", "", h.boss, "POST", all+"/"+c+"/entrust", fields{"to": next, "text": "Relève."})
	theirs := h.submitted(coop, h.publishes(third, definition("other"))).ID
	h.does(third, theirs, "examine", nil)
	h.does(third, theirs, "hand-over", fields{"to": office, "text": "Avis ?"})
	h.moves(office, "suspend")
	if v := h.seen(third, theirs); v.State != procedures.Examining || v.Holder.ID == office {
		t.Errorf("what was on its way to it is %s, with %s", v.State, v.Holder.ID)
	}
	for _, move := range []string{"ask", "decide", "advance"} {
		h.refused(409, "procedures.institution", "", officer, "POST", all+"/"+c+"/"+move, map[string]fields{"ask": {"text": "?"}, "decide": {"outcome": "grant"}, "advance": {}}[move])
	}
	if v := h.seen(coop, c); v.StrandedAt == nil || v.Moves[0].Move != procedures.Strand {
		t.Errorf("its applicant sees %+v", v)
	}
	var page struct{ Data []procedures.CaseView }
	h.want(200, &page, h.boss, "GET", all+"?stranded=true", nil)
	if len(page.Data) != 3 {
		t.Errorf("%d cases stand still, want 3", len(page.Data))
	}
	h.refused(403, "auth.denied", "", successor, "POST", all+"/"+c+"/entrust", fields{"to": next, "text": "À nous."})
	h.refused(422, "procedures.invalid", "/to", h.boss, "POST", all+"/"+c+"/entrust", fields{"to": office, "text": "Non."})
	for _, id := range []string{c, late} {
		h.want(200, nil, h.boss, "POST", all+"/"+id+"/entrust", fields{"to": next, "text": "L’office est suspendu."})
	}
	h.refused(404, "procedures.not_found", "", officer, "GET", all+"/"+c, nil)
	if v := h.seen(coop, c); v.State != procedures.Examining || v.Institution.ID != next || v.StrandedAt != nil || v.Moves[0].Note != "L’office est suspendu." {
		t.Errorf("entrusted it is %+v", v)
	}
	h.does(successor, late, "examine", nil)
	if v := h.does(successor, c, "decide", fields{"outcome": "grant"}); v.Document == nil || v.State != procedures.Granted {
		t.Errorf("decided it is %+v", v)
	}
	h.moves(office, "reactivate")
	if v := h.does(officer, back, "examine", nil); v.StrandedAt != nil || v.State != procedures.Examining {
		t.Errorf("what nobody took is %+v", v)
	}
}

// What a second person declines is proposed again, as often as it takes.
func TestACaseIsDecidedAfterManyProposals(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, key := h.member(members.Institution, "Office")
	_, coop := h.member(members.Cooperative, "Coopérative")
	one, two := h.person(office, auth.Institution, "per_one", ""), h.person(office, auth.Institution, "per_two", "")
	c := h.submitted(coop, h.publishes(key, definition("label", paper("LAB"), with("two", []string{"grant"})))).ID
	h.does(one, c, "examine", nil)
	for range 45 {
		h.does(one, c, "decide", fields{"outcome": "grant"})
		h.does(two, c, "confirm", fields{"decision": "disagree", "text": "Revoir."})
	}
	h.does(one, c, "decide", fields{"outcome": "grant"})
	v := h.does(two, c, "confirm", fields{"decision": "agree"})
	if v.State != procedures.Granted || len(v.Decisions) != 40 || v.Decisions[39].N != 46 {
		t.Errorf("in the end it is %s, and shows %d decisions", v.State, len(v.Decisions))
	}
}

// A label is given by the procedures of the institution that issues it alone.
func TestALabelIsGivenByItsIssuerAlone(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	other, officer2 := h.member(members.Institution, "Autre")
	_, coop := h.member(members.Cooperative, "Coopérative")
	label := definition("label", paper("LAB"), with("effect", fields{"kind": "label", "label": "terroir"}))
	h.refused(409, "procedures.label_issuer", "/effect/label", officer, "POST", "/v1/procedures", label)
	names := func(status int, key auth.Key, org string) {
		if w := h.ask(key, "PUT", "/v1/label-issuers/terroir", fields{"institution": org}); w.Code != status {
			t.Errorf("named: %d %s, want %d", w.Code, w.Body, status)
		}
	}
	names(403, officer, office)
	names(422, h.boss, "org_00000000000000000000000000")
	names(200, h.boss, office)
	p := h.publishes(officer, label)
	h.refused(409, "procedures.label_issuer", "/effect/label", officer2, "POST", "/v1/procedures", label)
	c := h.submitted(coop, p).ID
	h.does(officer, c, "examine", nil)
	names(200, h.boss, other)
	h.refused(409, "procedures.label_issuer", "", officer, "POST", all+"/"+c+"/decide", fields{"outcome": "grant"})
	h.publishes(officer2, label)
	var page struct{ Data []procedures.IssuerView }
	h.want(200, &page, h.boss, "GET", "/v1/label-issuers", nil)
	if len(page.Data) != 1 || page.Data[0].Institution.ID != other {
		t.Errorf("issuers: %+v", page.Data)
	}
	h.want(200, nil, officer, "GET", "/v1/label-issuers?limit=1", nil)
	h.refused(403, "auth.denied", "", coop, "GET", "/v1/label-issuers", nil)
}
