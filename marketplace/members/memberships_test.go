package members_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

func inviting(phone, role string) string { return fmt.Sprintf(`{"phone":%q,"role":%q}`, phone, role) }

// token is that of the last invitation to an address.
func (h *hub) token(address string) string {
	h.t.Helper()
	var box struct{ Data []members.MessageView }
	h.want(200, &box, "", "GET", "/v1/demo/inbox?address="+strings.ReplaceAll(address, "+", "%2B"), "")
	for _, m := range box.Data {
		if m.Kind == "members.invitation" {
			return m.Params["token"]
		}
	}
	h.t.Fatalf("%s was not invited: %+v", address, box.Data)
	return ""
}

func TestAnInvitationIsForOnePersonOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org()
	at := "/v1/organisations/" + org
	var i, again members.InvitationView
	h.want(201, &i, key, "POST", at+"/members", inviting(phone, "treasurer"))
	h.want(201, &again, key, "POST", at+"/members", inviting("06 00 00 00 01", "treasurer"))
	if i.ID != again.ID || i.Waits || strings.Contains(fmt.Sprint(i), h.token(phone)) {
		t.Errorf("asked twice it is %+v and %+v; want one, without its token", i, again)
	}
	accept := "/v1/invitations/" + h.token(phone) + "/accept"
	stranger, mine := h.signIn("+212600000002", ""), h.signIn(phone, "")
	h.refused(404, "invitations.not_found", "", stranger.Token, "POST", accept, "")
	h.refused(404, "invitations.not_found", "", mine.Token, "POST", "/v1/invitations/"+auth.Secret()+"/accept", "")
	h.refused(404, "invitations.not_found", "", mine.Token, "POST", "/v1/invitations/"+i.ID+"/accept", "")
	h.refused(403, "auth.denied", "", key, "POST", accept, "")
	h.refused(401, "auth.missing", "", "", "POST", accept, "")
	var in atomic.Int32
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if h.ask(mine.Token, "POST", accept, "").Code == 200 {
				in.Add(1)
			}
		})
	}
	all.Wait()
	if got := in.Load(); got != 1 {
		t.Errorf("it was accepted %d times, want once", got)
	}
	var list struct{ Data []members.MembershipView }
	h.want(200, &list, key, "GET", at+"/members", "")
	if len(list.Data) != 1 || list.Data[0].Role != "treasurer" || list.Data[0].Person != mine.Person || strings.Contains(list.Data[0].Phone, "000000") {
		t.Errorf("its people are %+v", list.Data)
	}
	h.refused(409, "memberships.already", "", key, "POST", at+"/members", inviting(phone, "manager"))
	must(t, h.members.SwitchDesk(t.Context(), mine.Token, org))
	h.refused(404, "memberships.not_found", "", stranger.Token, "DELETE", "/v1/me/memberships/"+list.Data[0].ID, "")
	_, elsewhere := h.org()
	h.refused(404, "organisations.not_found", "", elsewhere, "DELETE", at+"/members/"+list.Data[0].ID, "")
	h.want(200, nil, key, "DELETE", at+"/members/"+list.Data[0].ID, "")
	h.refused(401, "sessions.ended", "", mine.Token, "GET", at, "")
	h.refused(404, "memberships.not_found", "", key, "DELETE", at+"/members/"+list.Data[0].ID, "")
}

func TestAnInvitationEnds(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, key := h.org()
	h.want(201, nil, key, "POST", "/v1/organisations/"+org+"/members", inviting(phone, "member"))
	old := h.token(phone)
	h.later(7*24*time.Hour + time.Minute)
	mine := h.signIn(phone, "")
	h.refused(404, "invitations.not_found", "", mine.Token, "POST", "/v1/invitations/"+old+"/accept", "")
	h.want(201, nil, key, "POST", "/v1/organisations/"+org+"/members", inviting(phone, "member"))
	h.want(200, nil, mine.Token, "POST", "/v1/invitations/"+h.token(phone)+"/accept", "")
	h.refused(404, "invitations.not_found", "", mine.Token, "POST", "/v1/invitations/"+old+"/accept", "")
}

// Whoever the operator puts into an organisation could be the operator's own: one
// person alone does so for a seller's first, who is counted as that person.
func TestTheOperatorPutsNobodyAnywhereAlone(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	boss, mate := h.boss.String(), h.mate.String()
	shop, bank := h.member("beneficiary_coop"), h.member("operational_bank")
	var first, next, teller members.InvitationView
	h.want(201, &first, boss, "POST", "/v1/organisations/"+shop+"/members", inviting(phone, "manager"))
	h.want(201, &next, boss, "POST", "/v1/organisations/"+shop+"/members", inviting("+212600000002", "manager"))
	h.want(201, &teller, boss, "POST", "/v1/organisations/"+bank+"/members", inviting("+212600000003", "manager"))
	if first.Waits || !next.Waits || !teller.Waits || next.Approval == "" {
		t.Fatalf("they are %+v, %+v, %+v; want the first to go out alone", first, next, teller)
	}
	mine := h.signIn(phone, "")
	h.want(200, nil, mine.Token, "POST", "/v1/invitations/"+h.token(phone)+"/accept", "")
	must(t, h.members.SwitchDesk(t.Context(), mine.Token, shop))
	v, err := h.members.Visitor(t.Context(), mine.Token)
	must(t, err)
	if v.As.Behind != "operator per_boss" {
		t.Errorf("behind it stands %q, want who put it there", v.As.Behind)
	}
	h.refused(403, "approvals.self", "", boss, "POST", "/v1/approvals/"+teller.Approval, yes)
	h.want(200, nil, mate, "POST", "/v1/approvals/"+teller.Approval, yes)
	h.want(200, nil, mate, "POST", "/v1/approvals/"+next.Approval, no)
	clerk := h.signIn("+212600000003", "")
	h.want(200, nil, clerk.Token, "POST", "/v1/invitations/"+h.token("+212600000003")+"/accept", "")
	// Who was put into a shop does not become the operator's, nor the other way.
	var staff members.InvitationView
	h.want(201, &staff, boss, "POST", "/v1/organisations/"+h.house+"/members", inviting(phone, "manager"))
	h.want(200, nil, mate, "POST", "/v1/approvals/"+staff.Approval, yes)
	h.refused(409, "memberships.two_sides", "", mine.Token, "POST", "/v1/invitations/"+h.token(phone)+"/accept", "")
	n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*) from members.invitation where address = '+212600000002' and (hash is not null or ended_at is null)`)
	if err != nil || n != 0 {
		t.Errorf("a refused invitation is still there (%d, %v)", n, err)
	}
	_, err = h.db.Exec(t.Context(), `insert into members.invitation (id, organisation, role, address, hash, made_by, behind, made_at, expires_at)
		values ('ivt_x', $1, 'manager', '+212600000009', sha256(''), 'operator per_mate', 'operator per_mate', now(), now())`, shop)
	if !pg.Violates(err, "invitation_first") {
		t.Errorf("error = %v, want a refusal", err)
	}
}

func TestNamesHideNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	mine := h.signIn(phone, "")
	for name, code := range map[string]string{`A\u202exe`: "request.invalid", `A\u2066b`: "request.invalid", `A\u200bb`: "request.invalid", `a\nb`: "organisations.invalid", `A\u200cb`: "organisations.invalid"} {
		h.refused(422, code, "/names/fr", mine.Token, "PATCH", "/v1/me", `{"names":{"fr":"`+name+`"}}`)
	}
	var m members.MeView
	h.want(200, &m, mine.Token, "PATCH", "/v1/me", `{"names":{"ar":"مثال","fr":"Exemple"},"lang":"ar","voice":true}`)
	h.want(200, &m, mine.Token, "PATCH", "/v1/me", `{}`)
	if m.Names["ar"] != "مثال" || m.Lang != "ar" || !m.Voice {
		t.Errorf("it is %+v", m)
	}
}
