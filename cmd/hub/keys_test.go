package main

import (
	"strings"
	"testing"
)

// impersonated has one of the operator's people try to be somebody else: the
// bank, to have money taken for received, and a seller, to be paid itself.
func impersonated(t *testing.T, r *rig, _ trade) {
	t.Run("the bank", func(t *testing.T) { t.Parallel(); r.playsBank(t) })
	t.Run("a seller", func(t *testing.T) { t.Parallel(); r.playsSeller(t) })
}

type keyView struct {
	ID       string
	APIKey   string `json:"api_key"`
	Waits    bool
	Approval string
}

// mint makes a key of an organisation.
func (r *rig) mint(t *testing.T, key, org string) (k keyView) {
	t.Helper()
	r.ask(t, req{key: key, method: "POST", path: "/v1/organisations/" + org + "/api-keys", body: map[string]string{"label": "test"}}).into(t, &k)
	return k
}

// playsBank hands in a statement that is forged as the bank.
func (r *rig) playsBank(t *testing.T) {
	m, err := loadNote[market](t.Context(), r.house.store, "demo")
	if err != nil {
		t.Fatal(err)
	}
	k := r.mint(t, r.operator(), m.Bank)
	forged := unordered(r.config(t).Bank.Safeguard.RIB)
	word := func(by, decision string) answer {
		return r.ask(t, req{key: by, method: "POST", path: "/v1/approvals/" + k.Approval, body: map[string]string{"decision": decision}, idem: once()})
	}
	r.upload(t, k.APIKey, forged).refused(t, 401, "api_keys.waits")
	word(r.operator(), "approve").refused(t, 403, "approvals.self")
	r.upload(t, k.APIKey, forged).refused(t, 401, "api_keys.waits")
	word(r.keys.SecondOperator.APIKey, "refuse").into(t, nil)
	r.upload(t, k.APIKey, forged).refused(t, 401, "auth.unknown")

	own := r.mint(t, r.keys.Bank.APIKey, m.Bank)
	at := "/v1/organisations/" + m.Bank + "/api-keys"
	r.ask(t, req{key: own.APIKey, method: "GET", path: at}).into(t, nil)
	r.ask(t, req{key: r.operator(), method: "DELETE", path: at + "/" + own.ID}).into(t, nil)
	r.ask(t, req{key: own.APIKey, method: "GET", path: at}).refused(t, 401, "auth.unknown")
}

// playsSeller gives a seller another account, asks for its money, and approves
// it. The same person made the seller's key when it was enrolled.
func (r *rig) playsSeller(t *testing.T) {
	s := r.seller(t)
	if k := r.mint(t, r.operator(), s.org); !k.Waits {
		t.Errorf("a second key of a seller is %+v, want it to wait", k)
	} else {
		r.ask(t, req{key: k.APIKey, method: "GET", path: "/v1/balance"}).refused(t, 401, "api_keys.waits")
	}
	thiefs := map[string]string{"rib": number(24, 97), "holder": s.name}
	for _, key := range []string{r.operator(), r.operator(), s.key, r.operator()} {
		var a struct{ State string }
		r.ask(t, req{key: key, method: "POST", path: "/v1/organisations/" + s.org + "/bank-accounts", body: thiefs}).into(t, &a)
		if a.State != "pending" {
			t.Errorf("an account that one person gave is %s, want pending", a.State)
		}
	}
	r.earn(t, s, "60000.00")
	p := r.payout(t, s, "52000.00")
	if p.State != "draft" || !strings.HasSuffix(s.rib, p.Account) {
		t.Errorf("the payout is %+v, want a draft to the seller's own account", p)
	}
	at := "/v1/payouts/" + p.ID + "/approve"
	r.ask(t, req{key: r.operator(), method: "POST", path: at, idem: once()}).refused(t, 403, "approvals.self")
	var list struct {
		Data []struct{ ID, Subject, Behind string }
	}
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/approvals?state=open&limit=100"}).into(t, &list)
	found := false
	for _, a := range list.Data {
		if a.Subject != p.ID {
			continue
		}
		found = strings.HasPrefix(a.Behind, "operator ")
		yes := req{key: r.operator(), method: "POST", path: "/v1/approvals/" + a.ID, body: map[string]string{"decision": "approve"}, idem: once()}
		r.ask(t, yes).refused(t, 403, "approvals.self")
	}
	if !found {
		t.Errorf("%+v waits; want the payout %s among it, with who is behind it", list.Data, p.ID)
	}
	if got := r.payoutOf(t, s, p.ID); got.State != "draft" {
		t.Errorf("the payout is %s, want it still to wait", got.State)
	}
	r.ask(t, req{key: r.keys.SecondOperator.APIKey, method: "POST", path: at, idem: once()}).into(t, nil)
	r.until(t, "the payout "+p.ID, func() bool { return r.payoutOf(t, s, p.ID).State == "paid" })
	r.moved(t, p.Ref, "payout", p.Amount)
}
