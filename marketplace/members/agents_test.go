package members_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/pg"
)

// A field is a member's organisation, and an agent at the desk of another's.
type field struct {
	org, base     string
	member, agent members.SignedIn
}

const memberPhone, agentPhone = "+212600000011", "+212600000012"

func (h *hub) field() (f field) {
	h.t.Helper()
	f.org, _ = h.org()
	f.base, _ = h.org()
	f.member, f.agent = h.signIn(memberPhone, ""), h.signIn(agentPhone, "")
	h.joins(f.member.Person, f.org, "manager")
	h.joins(f.agent.Person, f.base, "agent")
	h.want(200, nil, f.agent.Token, "PUT", "/v1/sessions/desk", fmt.Sprintf(`{"organisation":%q}`, f.base))
	return f
}

// mandate is what the agent sends with the code that a phone was told.
func (h *hub) mandate(f field, org, phone string) string {
	h.t.Helper()
	var a asked
	h.want(202, &a, f.agent.Token, "POST", "/v1/agent/codes", fmt.Sprintf(`{"organisation":%q,"phone":%q}`, org, phone))
	return fmt.Sprintf(`{"organisation":%q,"phone":%q,"code":%q,"handle":%q}`, org, phone, h.told(phone), a.Handle)
}

func TestAnAgentActsForAMemberWhoGaveItsCode(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	f := h.field()
	body := h.mandate(f, f.org, memberPhone)
	h.refused(403, "auth.denied", "", f.member.Token, "POST", "/v1/agent/sessions", body)
	h.refused(422, "sign_in.code", "", "", "POST", "/v1/sign-in/sessions", strings.Replace(body, `"organisation":"`+f.org+`",`, "", 1))
	h.refused(422, "sign_in.code", "", f.agent.Token, "POST", "/v1/agent/sessions", strings.Replace(body, f.org, f.base, 1))
	var v members.MandateView
	h.want(201, &v, f.agent.Token, "POST", "/v1/agent/sessions", body)
	h.refused(422, "sign_in.code", "", f.agent.Token, "POST", "/v1/agent/sessions", body)
	h.want(200, nil, v.Token, "GET", "/v1/organisations/"+f.org, "")
	h.refused(404, "organisations.not_found", "", v.Token, "GET", "/v1/organisations/"+f.base, "")
	h.want(200, nil, v.Token, "POST", "/v1/organisations/"+f.org+"/submit", "")
	for path, method := range map[string]string{
		"/v1/organisations/" + f.org + "/bank-accounts": "GET", "/v1/organisations/" + f.org + "/members": "GET", "/v1/organisations/" + f.org + "/api-keys": "GET",
		"/v1/step-up/codes": "POST", "/v1/passkeys/options": "POST", "/v1/sessions/lock": "POST", "/v1/me/agents": "GET",
	} {
		h.refused(403, "auth.denied", "", v.Token, method, path, "")
	}
	h.refused(403, "auth.denied", "", v.Token, "PUT", "/v1/sessions/desk", `{"organisation":""}`)
	if err := h.members.SwitchDesk(t.Context(), v.Token, ""); err == nil {
		t.Error("the agent left the member's desk")
	}
	w, err := h.members.Visitor(t.Context(), v.Token)
	must(t, err)
	if w.As.Human != f.agent.Person || w.As.For != f.member.Person || w.As.Subject != f.org || !strings.HasSuffix(w.As.Actor(), " by "+f.agent.Person+" on_behalf_of "+f.member.Person) {
		t.Errorf("it is %+v, %s", w.As, w.As.Actor())
	}
	n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from platform.audit where action = 'organisations.submit' and actor like '% on_behalf_of ' || $1`, f.member.Person)
	must(t, err)
	if n != 1 {
		t.Errorf("%d rows of the trail say on whose behalf, want 1", n)
	}
	var list struct{ Data []members.AgentView }
	h.want(200, &list, f.member.Token, "GET", "/v1/me/agents", "")
	if len(list.Data) != 1 || list.Data[0].Session != v.Session || list.Data[0].Agent != f.agent.Person || list.Data[0].From != f.base {
		t.Errorf("the member sees %+v", list.Data)
	}
	h.refused(404, "sessions.not_found", "", h.signIn("+212600000013", "").Token, "DELETE", "/v1/me/agents/"+v.Session, "")
	h.want(200, nil, f.member.Token, "DELETE", "/v1/me/agents/"+v.Session, "")
	h.refused(401, "sessions.ended", "", v.Token, "GET", "/v1/me", "")
	h.want(200, nil, f.agent.Token, "GET", "/v1/me", "")
}

func TestAMandateEndsByItselfAndWithWhoGaveIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for name, end := range map[string]func(f field){
		"the member left": func(f field) {
			h.tx(func(tx *pg.Tx) error { return h.members.Leave(t.Context(), tx, f.member.Person, f.org) })
		},
		"the agent left": func(f field) {
			h.tx(func(tx *pg.Tx) error { return h.members.Leave(t.Context(), tx, f.agent.Person, f.base) })
		},
		"the hours were over": func(field) { h.later(8*time.Hour + time.Second) },
	} {
		f := h.field()
		var v members.MandateView
		h.want(201, &v, f.agent.Token, "POST", "/v1/agent/sessions", h.mandate(f, f.org, memberPhone))
		h.later(7 * time.Hour)
		h.want(200, nil, v.Token, "GET", "/v1/me", "")
		end(f)
		if w := h.ask(v.Token, "GET", "/v1/me", ""); w.Code != 401 {
			t.Errorf("%s: %d %s, want it ended", name, w.Code, w.Body)
		}
		h.later(24 * time.Hour)
	}
}

func TestOnlyWhoSellsForAnOrganisationLetsAnAgentAct(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	f := h.field()
	treasurer := h.signIn("+212600000014", "")
	h.joins(treasurer.Person, f.org, "treasurer")
	for name, c := range map[string]struct{ org, phone string }{
		"nobody known": {f.org, "+212600000019"},
		"a treasurer":  {f.org, "+212600000014"},
		"of another":   {f.base, memberPhone},
		"itself":       {f.org, agentPhone},
		"the operator": {h.house, memberPhone},
	} {
		if w := h.ask(f.agent.Token, "POST", "/v1/agent/sessions", h.mandate(f, c.org, c.phone)); w.Code != 404 || !strings.Contains(w.Body.String(), "agents.no_member") {
			t.Errorf("%s: %d %s, want it refused", name, w.Code, w.Body)
		}
		h.later(11 * time.Minute)
	}
}
