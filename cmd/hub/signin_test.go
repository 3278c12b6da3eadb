package main

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/descope/virtualwebauthn"
)

// signing is what asking for a code is answered with.
type signing struct{ Handle string }

// codeFor reads the last code that an address was sent.
func (r *rig) codeFor(t testing.TB, address string) string {
	t.Helper()
	var box struct {
		Data []struct{ Params map[string]string }
	}
	r.ask(t, req{method: "GET", path: "/v1/demo/inbox?limit=1&address=" + url.QueryEscape(address)}).into(t, &box)
	if len(box.Data) == 0 {
		t.Fatalf("%s was sent nothing", address)
	}
	return box.Data[0].Params["code"]
}

// person signs somebody in.
func (r *rig) person(t testing.TB, phone string) (token, person string) {
	t.Helper()
	var s signing
	r.ask(t, req{method: "POST", path: "/v1/sign-in/codes", body: map[string]string{"phone": phone}}).into(t, &s)
	var v struct{ Token, Person string }
	r.ask(t, req{method: "POST", path: "/v1/sign-in/sessions", body: map[string]string{"phone": phone, "handle": s.Handle, "code": r.codeFor(t, phone)}}).into(t, &v)
	return v.Token, v.Person
}

// signedIn has a person sign in, buy as itself, and sign out.
func signedIn(t *testing.T, r *rig, _ trade) {
	const phone = "+212600077001"
	token, person := r.person(t, phone)
	var s signing
	r.ask(t, req{key: token, method: "POST", path: "/v1/step-up/codes"}).into(t, &s)
	var v struct{ Token, Person string }
	r.ask(t, req{key: token, method: "POST", path: "/v1/step-up", body: map[string]string{"handle": s.Handle, "code": r.codeFor(t, phone)}}).into(t, &v)
	token = v.Token
	r.ask(t, req{key: token, method: "GET", path: "/v1/me"}).into(t, &v)
	if v.Person != person {
		t.Errorf("it is %q, want %q", v.Person, person)
	}
	w := r.ware(t, r.seller(t), 5, "20.00")
	r.basket(t, token, map[string]int{w.variant: 1})
	r.ask(t, req{key: token, method: "GET", path: "/v1/orders"}).into(t, nil)
	r.ask(t, req{key: token, method: "GET", path: "/v1/payouts"}).refused(t, 403, "auth.denied")
	r.ask(t, req{key: token, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": ""}}).into(t, nil)
	tablet, _ := r.person(t, phone)
	var list struct{ Data []struct{ ID string } }
	r.ask(t, req{key: token, method: "GET", path: "/v1/sessions"}).into(t, &list)
	if len(list.Data) != 2 {
		t.Fatalf("the devices are %+v, want two", list.Data)
	}
	r.ask(t, req{key: token, method: "DELETE", path: "/v1/sessions/" + list.Data[0].ID}).into(t, nil)
	r.ask(t, req{key: tablet, method: "GET", path: "/v1/me"}).refused(t, 401, "sessions.ended")
	token = r.passkeys(t, token, person)
	s2 := r.seller(t)
	r.employs(t, s2, token, phone, "member")
	r.acts(t, s2, r.seller(t))
	r.shares(t, "+212600077004")
	r.ask(t, req{key: token, method: "DELETE", path: "/v1/sessions"}).into(t, nil)
	r.ask(t, req{key: token, method: "GET", path: "/v1/me"}).refused(t, 401, "sessions.ended")
}

// hires has a seller ask somebody to work for it, who comes.
func (r *rig) hires(t testing.TB, s *shop, token, phone, role string) {
	t.Helper()
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/organisations/" + s.org + "/members", body: map[string]string{"phone": phone, "role": role}}).into(t, nil)
	var box struct {
		Data []struct{ Params map[string]string }
	}
	r.ask(t, req{method: "GET", path: "/v1/demo/inbox?limit=1&address=" + url.QueryEscape(phone)}).into(t, &box)
	r.ask(t, req{key: token, method: "POST", path: "/v1/invitations/" + box.Data[0].Params["token"] + "/accept"}).into(t, nil)
}

// acts has an agent of one seller act for a member of another, who ends it.
func (r *rig) acts(t testing.TB, s, base *shop) {
	t.Helper()
	const memberPhone, agentPhone = "+212600077002", "+212600077003"
	member, _ := r.person(t, memberPhone)
	agent, _ := r.person(t, agentPhone)
	r.hires(t, s, member, memberPhone, "manager")
	r.hires(t, base, agent, agentPhone, "agent")
	r.ask(t, req{key: agent, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": base.org}}).into(t, nil)
	in := map[string]string{"organisation": s.org, "phone": memberPhone}
	var asked signing
	r.ask(t, req{key: agent, method: "POST", path: "/v1/agent/codes", body: in}).into(t, &asked)
	in["handle"], in["code"] = asked.Handle, r.codeFor(t, memberPhone)
	var v struct{ Session, Token string }
	r.ask(t, req{key: agent, method: "POST", path: "/v1/agent/sessions", body: in}).into(t, &v)
	r.ware(t, &shop{key: v.Token, org: s.org}, 5, "20.00")
	r.ask(t, req{key: v.Token, method: "GET", path: "/v1/payouts"}).refused(t, 403, "auth.denied")
	var list struct{ Data []struct{ Session string } }
	r.ask(t, req{key: member, method: "GET", path: "/v1/me/agents"}).into(t, &list)
	if len(list.Data) != 1 || list.Data[0].Session != v.Session {
		t.Fatalf("the member sees %+v", list.Data)
	}
	r.ask(t, req{key: member, method: "DELETE", path: "/v1/me/agents/" + v.Session}).into(t, nil)
	r.ask(t, req{key: v.Token, method: "GET", path: "/v1/me"}).refused(t, 401, "sessions.ended")
}

// shares has somebody leave a phone to the next, and come back with a PIN.
func (r *rig) shares(t testing.TB, phone string) {
	t.Helper()
	token, _ := r.person(t, phone)
	r.ask(t, req{key: token, method: "PUT", path: "/v1/me/pin", body: map[string]string{"pin": "2580"}}).into(t, nil)
	r.ask(t, req{key: token, method: "POST", path: "/v1/sessions/lock"}).into(t, nil)
	r.ask(t, req{key: token, method: "GET", path: "/v1/me"}).refused(t, 401, "sessions.locked")
	r.ask(t, req{method: "POST", path: "/v1/sessions/unlock", body: map[string]string{"token": token, "pin": "2580"}}).into(t, nil)
	r.ask(t, req{key: token, method: "GET", path: "/v1/me"}).into(t, nil)
}

// employs has a seller ask somebody to work for it, who comes, goes, and is sent away.
func (r *rig) employs(t testing.TB, s *shop, token, phone, role string) {
	t.Helper()
	at := "/v1/organisations/" + s.org
	invite := func() string {
		r.ask(t, req{key: s.key, method: "POST", path: at + "/members", body: map[string]string{"phone": phone, "role": role}}).into(t, nil)
		var box struct {
			Data []struct {
				Kind   string
				Params map[string]string
			}
		}
		r.ask(t, req{method: "GET", path: "/v1/demo/inbox?limit=1&address=" + url.QueryEscape(phone)}).into(t, &box)
		return "/v1/invitations/" + box.Data[0].Params["token"] + "/accept"
	}
	var m struct{ ID string }
	r.ask(t, req{key: s.key, method: "GET", path: at + "/invitations"}).into(t, nil)
	r.ask(t, req{key: token, method: "POST", path: invite()}).into(t, &m)
	r.ask(t, req{key: token, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": s.org}}).into(t, nil)
	r.ask(t, req{key: token, method: "GET", path: "/v1/balance"}).into(t, nil)
	r.ask(t, req{key: token, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": ""}}).into(t, nil)
	r.ask(t, req{key: token, method: "PATCH", path: "/v1/me", body: map[string]string{"lang": "ar"}}).into(t, nil)
	r.ask(t, req{key: token, method: "DELETE", path: "/v1/me/memberships/" + m.ID}).into(t, nil)
	r.ask(t, req{key: token, method: "POST", path: invite()}).into(t, &m)
	r.ask(t, req{key: s.key, method: "GET", path: at + "/members"}).into(t, nil)
	r.ask(t, req{key: s.key, method: "DELETE", path: at + "/members/" + m.ID}).into(t, nil)
	r.ask(t, req{key: token, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": s.org}}).refused(t, 404, "sessions.no_desk")
}

// passkeys has somebody add a passkey, sign in with it, show it once more and end
// it. It returns the token of its session.
func (r *rig) passkeys(t testing.TB, token, person string) string {
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
	ask := func(path string, answer func(options string) (string, error)) (out struct{ ID, Token string }) {
		var v struct {
			Handle  string
			Options map[string]any
		}
		r.ask(t, req{key: token, method: "POST", path: path + "/options"}).into(t, &v)
		b, err := json.Marshal(map[string]any{"publicKey": v.Options})
		if err != nil {
			t.Fatal(err)
		}
		credential, err := answer(string(b))
		if err != nil {
			t.Fatal(err)
		}
		r.ask(t, req{key: token, method: "POST", path: path, body: map[string]any{"handle": v.Handle, "credential": json.RawMessage(credential)}}).into(t, &out)
		return out
	}
	show := func(options string) (string, error) {
		o, err := virtualwebauthn.ParseAssertionOptions(options)
		if err != nil {
			return "", err
		}
		cred.Counter++
		return virtualwebauthn.CreateAssertionResponse(rp, device, cred, *o), nil
	}
	made := ask("/v1/passkeys", func(options string) (string, error) {
		o, err := virtualwebauthn.ParseAttestationOptions(options)
		if err != nil {
			return "", err
		}
		return virtualwebauthn.CreateAttestationResponse(rp, device, cred, *o), nil
	})
	token = ask("/v1/sign-in/passkeys", show).Token
	token = ask("/v1/step-up/passkeys", show).Token
	r.ask(t, req{key: token, method: "GET", path: "/v1/passkeys"}).into(t, nil)
	r.ask(t, req{key: token, method: "DELETE", path: "/v1/passkeys/" + made.ID}).into(t, nil)
	return token
}

// Everybody of the demonstration signs in by telephone and sits down where it works.
func demonstrated(t *testing.T, r *rig, _ trade) {
	for phone, where := range map[string]string{r.keys.Sellers[0].Phone: r.keys.Sellers[0].Organisation, r.keys.Buyer.Phone: "", r.keys.Bank.Phone: "bank", r.keys.SecondOperator.Phone: "operator"} {
		token, _ := r.person(t, phone)
		var m struct {
			Desks []struct{ Organisation, Role string }
		}
		r.ask(t, req{key: token, method: "GET", path: "/v1/me"}).into(t, &m)
		switch {
		case where == "":
			if len(m.Desks) != 0 {
				t.Errorf("the buyer works at %+v", m.Desks)
			}
			continue
		case len(m.Desks) != 1 || m.Desks[0].Organisation != where && m.Desks[0].Role != where:
			t.Errorf("%s works at %+v, want %s", phone, m.Desks, where)
			continue
		}
		r.ask(t, req{key: token, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": m.Desks[0].Organisation}}).into(t, nil)
		switch where {
		case "operator":
			r.ask(t, req{key: token, method: "GET", path: "/v1/ledger/trial-balance"}).refused(t, 403, "auth.passkey")
		case "bank":
			r.ask(t, req{key: token, method: "GET", path: "/v1/organisations/" + m.Desks[0].Organisation + "/api-keys"}).refused(t, 403, "auth.passkey")
		default:
			r.ask(t, req{key: token, method: "GET", path: "/v1/balance"}).into(t, nil)
		}
	}
}
