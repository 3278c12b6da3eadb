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

// handed has a case of one institution's be with another.
func (h *hub) handed(from, to auth.Key, org, c string) {
	h.t.Helper()
	h.does(from, c, "examine", nil)
	h.does(from, c, "hand-over", fields{"to": org, "text": "Avis ?"})
	h.does(to, c, "receive", nil)
}

// A case that another had for its owner goes back to its owner, and only when that one is
// away too to somebody else.
func TestWhatWasHandedOverGoesBackToWhoseItIs(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	visits, visitor := h.member(members.Institution, "Visites")
	next, _ := h.member(members.Institution, "Relève")
	_, coop := h.member(members.Cooperative, "Coopérative")
	late := second(h)
	p := h.publishes(officer, definition("registration"))
	c, other := h.submitted(coop, p).ID, h.submitted(late, p).ID
	h.handed(officer, visitor, visits, c)
	h.handed(officer, visitor, visits, other)
	h.moves(visits, "suspend")
	to := func(org string) fields { return fields{"to": org, "text": "Les visites sont suspendues."} }
	h.refused(422, "procedures.invalid", "/to", h.boss, "POST", all+"/"+c+"/entrust", to(next))
	h.want(200, nil, h.boss, "POST", all+"/"+c+"/entrust", to(office))
	if v := h.does(officer, c, "decide", fields{"outcome": "refuse", "reason": "conditions", "text": "Non."}); v.State != procedures.Refused || v.StrandedAt != nil {
		t.Errorf("back with whose it is, it is %+v", v)
	}
	h.moves(office, "suspend")
	h.want(200, nil, h.boss, "POST", all+"/"+other+"/entrust", to(next))
	if v := h.seen(late, other); v.Institution.ID != next || v.Holder.ID != next {
		t.Errorf("with both away it is %s's, with %s", v.Institution.ID, v.Holder.ID)
	}
}

// What one person proposed on a case that nobody examined is examined where it is given
// to, and its fee is kept.
func TestWhatWaitedForASecondPersonIsExamined(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	next, successor := h.member(members.Institution, "Relève")
	org, coop := h.member(members.Cooperative, "Coopérative")
	h.earns(org, 500_00)
	fee := with("fee", fields{"amount": fields{"amount": "200.00", "currency": "MAD"}, "refundable": true})
	c := h.submitted(coop, h.publishes(officer, definition("label", fee, with("two", []string{"refuse"})))).ID
	h.does(coop, c, "pay", nil)
	no := fields{"outcome": "refuse", "reason": "conditions", "text": "Non."}
	if v := h.does(h.person(office, auth.Institution, "per_one", ""), c, "decide", no); v.State != procedures.Seconding {
		t.Fatalf("proposed it is %s", v.State)
	}
	h.moves(office, "suspend")
	h.want(200, nil, h.boss, "POST", all+"/"+c+"/entrust", fields{"to": next, "text": "Relève."})
	if v := h.seen(successor, c); v.State != procedures.Examining || v.Fee.State != "kept" {
		t.Errorf("entrusted it is %s, its fee %s", v.State, v.Fee.State)
	}
	h.sound()
}

// A fee that fell due to an institution that is away is paid to the next, or to itself
// once it is back, in a whole term.
func TestAFeeIsPaidOnceItsInstitutionIsThere(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	next, _ := h.member(members.Institution, "Relève")
	org, coop := h.member(members.Cooperative, "Coopérative")
	h.earns(org, 500_00)
	later := second(h)
	p := h.publishes(officer, definition("label", with("fee", fields{"amount": fields{"amount": "200.00", "currency": "MAD"}, "refundable": true})))
	c, waits := h.submitted(coop, p).ID, h.submitted(later, p).ID
	h.moves(office, "suspend")
	h.advance(100 * 24 * time.Hour)
	h.refused(409, "procedures.institution", "", coop, "POST", all+"/"+c+"/pay", nil)
	var page struct{ Data []procedures.CaseView }
	if h.want(200, &page, h.boss, "GET", all+"?stranded=true", nil); len(page.Data) != 2 {
		t.Errorf("%d cases stand still, want 2", len(page.Data))
	}
	if v := h.seen(h.boss, c); v.State != procedures.FeeDue {
		t.Errorf("it is %s", v.State)
	}
	h.refused(404, "procedures.not_found", "", officer, "GET", all+"/"+c, nil)
	h.want(200, nil, h.boss, "POST", all+"/"+c+"/entrust", fields{"to": next, "text": "Relève."})
	h.moves(office, "reactivate")
	h.advance(80 * 24 * time.Hour)
	if v := h.does(coop, c, "pay", nil); v.State != procedures.Submitted || v.Holder.ID != next {
		t.Errorf("paid it is %s, with %s", v.State, v.Holder.ID)
	}
	if v := h.seen(later, waits); v.State != procedures.FeeDue {
		t.Errorf("its term was not renewed: it is %s", v.State)
	}
	h.advance(20 * 24 * time.Hour)
	if v := h.seen(later, waits); v.State != procedures.Lapsed {
		t.Errorf("never paid it is %s", v.State)
	}
}

// What was withdrawn is given to nobody.
func TestAWithdrawnCaseIsGivenToNobody(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	next, _ := h.member(members.Institution, "Relève")
	_, coop := h.member(members.Cooperative, "Coopérative")
	c := h.submitted(coop, h.publishes(officer, definition("registration"))).ID
	h.moves(office, "suspend")
	if v := h.does(coop, c, "withdraw", nil); v.StrandedAt != nil {
		t.Errorf("withdrawn it stands still since %s", v.StrandedAt)
	}
	h.refused(409, "procedures.state", "", h.boss, "POST", all+"/"+c+"/entrust", fields{"to": next, "text": "Relève."})
}

// Cases of an institution that was suspended before cases followed that stand still once
// a hub starts.
func TestCasesFollowWhatHappenedBefore(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	_, third := h.member(members.Institution, "Tiers")
	_, coop := h.member(members.Cooperative, "Coopérative")
	c, well := h.submitted(coop, h.publishes(officer, definition("registration"))).ID, h.submitted(coop, h.publishes(third, definition("other"))).ID
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+office+"/suspend", fields{"note": "Pour essayer."})
	for range 2 {
		must(t, h.cases.Arm(auth.With(t.Context(), auth.Hub)))
		h.advance(time.Second)
	}
	if v := h.seen(coop, c); v.StrandedAt == nil || v.Moves[0].Move != procedures.Strand || len(v.Moves) != 3 {
		t.Errorf("it is %+v", v)
	}
	if v := h.seen(coop, well); v.StrandedAt != nil {
		t.Error("one whose institution is at work stands still")
	}
}

// A case that moves on while its institution's are gone through is left alone.
func TestACaseThatMovedOnIsLeftAlone(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	next, _ := h.member(members.Institution, "Relève")
	_, coop := h.member(members.Cooperative, "Coopérative")
	c := h.submitted(coop, h.publishes(officer, definition("registration"))).ID
	h.moves(office, "suspend")
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+office+"/reactivate", nil)
	must(t, h.cases.Arm(auth.With(t.Context(), auth.Hub)))
	fired := make(chan error, 1)
	must(t, h.db.InTx(auth.With(t.Context(), auth.Principal{Subject: "per_boss", Role: auth.Operator}), func(tx *pg.Tx) error {
		ctx := auth.With(t.Context(), auth.Principal{Subject: "per_boss", Role: auth.Operator})
		if _, err := h.cases.EntrustTo(ctx, tx, procedures.EntrustInput{Case: c, To: next, Text: "Relève."}); err != nil {
			return err
		}
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		go func() {
			_, err := h.timers.Due(auth.With(t.Context(), auth.Hub))
			fired <- err
		}()
		for range 3000 {
			waits, err := pg.Value[bool](ctx, tx, nil, `select exists (select from pg_locks where not granted and transactionid = pg_current_xact_id()::xid)`)
			if err != nil || waits {
				return err
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Error("nobody waits for the case")
		return nil
	}))
	must(t, <-fired)
	h.advance(time.Second) // says which timers failed
	if v := h.seen(coop, c); v.Institution.ID != next || v.StrandedAt != nil || v.Moves[0].Move != procedures.Entrust {
		t.Errorf("it is %+v", v)
	}
}
