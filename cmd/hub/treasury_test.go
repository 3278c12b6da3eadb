package main

import (
	"testing"
	"time"
)

// carrierPayout pays the carrier what it has earned of settled orders.
func (r *rig) carrierPayout(t *testing.T) {
	op, two := r.operator(), r.keys.SecondOperator.APIKey
	body := map[string]any{"beneficiary": "carrier:nobody"}
	r.ask(t, req{key: op, method: "POST", path: "/v1/payouts", body: body, idem: once()}).refused(t, 409, "payouts.nothing_due")
	r.ask(t, req{key: op, method: "POST", path: "/v1/payouts", body: map[string]any{"beneficiary": "org_x"}, idem: once()}).refused(t, 422, "payouts.beneficiary", "/beneficiary")
	r.earn(t, r.seller(t), "100.00")
	name := r.carrier(t)
	body = map[string]any{"beneficiary": "carrier:" + name, "amount": dirhams("5.00"), "account": map[string]string{"rib": number(24, 97), "holder": "Transport (exemple)"}}
	var p payoutView
	r.ask(t, req{key: op, method: "POST", path: "/v1/payouts", body: body, idem: once()}).into(t, &p)
	if p.State != "draft" {
		t.Errorf("a payout to an account that was given is %s, want draft until a second person has looked", p.State)
	}
	at := "/v1/payouts/" + p.ID
	r.ask(t, req{key: op, method: "POST", path: at + "/approve", idem: once()}).refused(t, 403, "approvals.self")
	r.ask(t, req{key: two, method: "POST", path: at + "/approve", idem: once()}).into(t, nil)
	r.until(t, "the payout "+p.ID, func() bool {
		r.ask(t, req{key: op, method: "GET", path: at}).into(t, &p)
		return p.State == "paid"
	})
	r.moved(t, p.Ref, "payout", p.Amount)
}

// carrier is a carrier that is owed something.
func (r *rig) carrier(t *testing.T) string {
	var b struct {
		Accounts []struct{ Code, Credit string }
	}
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/ledger/trial-balance"}).into(t, &b)
	const payable = "payable:carrier:"
	for _, a := range b.Accounts {
		if len(a.Code) > len(payable) && a.Code[:len(payable)] == payable && a.Credit != "0.00" {
			return a.Code[len(payable):]
		}
	}
	t.Fatal("no carrier has earned anything")
	return ""
}

// ownMoney tops the clients' account up, and takes what is ours out of it.
func (r *rig) ownMoney(t *testing.T) {
	type move struct {
		ID, Kind, Ref, State string
		Amount               moneyView
	}
	for route, kind := range map[string]string{"top-ups": "top_up", "sweeps": "sweep"} {
		var m move
		r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/treasury/" + route, idem: once()}).into(t, &m)
		if m.Kind != kind || m.Amount.Sign() <= 0 {
			t.Errorf("%s made %+v", route, m)
		}
		again := r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/treasury/" + route, idem: once()})
		again.refused(t, 409, "treasury.open")
		r.until(t, "the "+kind, func() bool {
			var list struct{ Data []move }
			r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/treasury/moves?kind=" + kind}).into(t, &list)
			return list.Data[0].ID == m.ID && list.Data[0].State == "done"
		})
		r.moved(t, m.Ref, kind, m.Amount)
	}
}

// halt turns the switch as an operator.
func (r *rig) halt(t *testing.T, key string, on bool) (v struct {
	On       bool
	Approval string
},
) {
	t.Helper()
	r.ask(t, req{key: key, method: "POST", path: "/v1/halt", body: map[string]any{"on": on, "reason": "Exercice (exemple)"}}).into(t, &v)
	return v
}

// resume lets payments go on, by two people.
func (r *rig) resume(t *testing.T) {
	t.Helper()
	two := r.keys.SecondOperator.APIKey
	v := r.halt(t, r.operator(), false)
	if !v.On || v.Approval == "" {
		t.Fatalf("one person alone let payments go on: %+v", v)
	}
	at := "/v1/approvals/" + v.Approval
	r.ask(t, req{key: two, method: "GET", path: "/v1/approvals?state=open"}).into(t, nil)
	r.ask(t, req{key: two, method: "GET", path: at}).into(t, nil)
	r.ask(t, req{key: r.operator(), method: "POST", path: at, body: map[string]string{"decision": "approve"}, idem: once()}).refused(t, 403, "approvals.self")
	r.ask(t, req{key: two, method: "POST", path: at, body: map[string]string{"decision": "approve"}, idem: once()}).into(t, nil)
}

// halts stops all payments out for a moment, and asks for other limits that
// nobody approves.
func (r *rig) halts(t *testing.T) {
	if v := r.halt(t, r.operator(), true); !v.On {
		t.Errorf("the switch is %+v", v)
	}
	r.resume(t)
	var v struct{ On bool }
	if r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/halt"}).into(t, &v); v.On {
		t.Error("two people let payments go on, and yet they are halted")
	}
	limits := map[string]any{
		"two_above": dirhams("1.00"), "member_day": dirhams("1.00"), "total_day": dirhams("0.50"), "debt_above": dirhams("1.00"), "reason": "Exercice (exemple)",
	}
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/payout-limits", body: limits, idem: once()}).refused(t, 422, "payouts.invalid", "/total_day")
	limits["total_day"] = dirhams("1.00")
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/payout-limits", body: limits, idem: once()}).into(t, nil)
}

// haltBoth halts payments at one hub while both have some to send.
func haltBoth(t *testing.T, one, two *rig) {
	s := one.seller(t)
	one.earn(t, s, "200.00")
	two.halt(t, two.keys.Operator.APIKey, true)
	time.Sleep(5 * time.Second) // what was under way may end
	var made []payoutView
	for _, r := range []*rig{one, two, one, two} {
		made = append(made, r.payout(t, s, "10.00"))
	}
	one.advance(t, "10s")
	time.Sleep(4 * time.Second)
	for _, p := range made {
		if got := one.truth(t, p.Ref); len(got) != 0 {
			t.Errorf("while payments were halted the bank was asked for %v", got)
		}
	}
	one.resume(t)
	one.advance(t, "1m")
	for _, p := range made {
		two.until(t, "the payout "+p.ID, func() bool { return two.payoutOf(t, s, p.ID).State == "paid" })
		one.moved(t, p.Ref, "payout", p.Amount)
	}
}
