package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestTransfersByHandMakeNoMoney has one person try to make money by hand: out
// of claims below zero, in many small parts, with sums that wrap, from a seller,
// with a time to come, and with a request that is refused.
func TestTransfersByHandMakeNoMoney(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	post := func(body any) req {
		return req{key: r.operator(), method: "POST", path: "/v1/ledger/transfers", body: body, idem: once()}
	}
	t.Run("out of a claim below zero", func(t *testing.T) {
		r.ask(t, post(byHand("a1", "payable:carrier:nobody", "payable:carrier:demo", "9000.00"))).refused(t, 409, "ledger.clients_short")
		r.ask(t, post(byHand("a2", "payable:insurer:nobody", "payable:insurer:demo", "0.01"))).refused(t, 409, "ledger.clients_short")
		var all []any
		for i := range 100 {
			all = append(all, byHand(fmt.Sprint("a3-", i), "payable:carrier:nobody", "payable:carrier:demo", "10000.00"))
		}
		r.handed(t, post(map[string]any{"transfers": all}), "refused", "ledger.clients_short", 100)
		r.holds(t, "payable:carrier:demo", "0.00")
	})
	t.Run("what two agree to takes no claim below zero", func(t *testing.T) {
		var got handResult
		r.ask(t, post(byHand("b1", "bank:own:safeguard", "payable:carrier:some", "100.00"))).into(t, &got)
		r.seconded(t, got.Approval)
		var asked [2]handResult
		for i := range asked { // each is covered when it is asked for
			r.ask(t, post(byHand(fmt.Sprint("b2-", i), "payable:carrier:some", "payable:carrier:other", "60.00"))).into(t, &asked[i])
		}
		r.seconded(t, asked[1].Approval)
		yes := req{key: r.keys.SecondOperator.APIKey, method: "POST", path: "/v1/approvals/" + asked[0].Approval, body: map[string]string{"decision": "approve"}, idem: once()}
		r.ask(t, yes).refused(t, 409, "ledger.clients_short")
		r.holds(t, "payable:carrier:some", "40.00")
		r.holds(t, "payable:carrier:other", "60.00")
	})
	t.Run("in many small parts", func(t *testing.T) {
		var all []any
		for i := range 100 {
			all = append(all, byHand(fmt.Sprint("c1-", i), "psp_cost", "fees", "90.00"))
		}
		r.handed(t, post(map[string]any{"transfers": all}), "posted", "", 100)
		r.ask(t, post(byHand("c2", "psp_cost", "fees", "1000.01"))).refused(t, 409, "ledger.day_limit")
		all = nil
		for i := range 100 {
			all = append(all, byHand(fmt.Sprint("c3-", i), "psp_cost", "fees", "90.00"))
		}
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() { r.ask(t, post(map[string]any{"transfers": all[i*5 : i*5+5]})).into(t, nil) })
		}
		wg.Wait()
		r.holds(t, "fees", "9990.00")
		large := byHand("c2", "psp_cost", "fees", "1000.01")
		large["second_person"] = true
		var got handResult
		if r.ask(t, post(large)).into(t, &got); got.State != "waiting" {
			t.Errorf("with a second person it is %+v, want waiting", got)
		}
		r.seconded(t, got.Approval)
		r.holds(t, "fees", "10990.01")
	})
	t.Run("with sums that wrap", func(t *testing.T) {
		var wide []map[string]any
		for i := range 20 {
			wide = append(wide, legs(fmt.Sprint("payable:carrier:d", i), fmt.Sprint("payable:carrier:c", i), "9223372036854775.80")...)
		}
		r.ask(t, post(map[string]any{"reference": "d1", "note": "x", "legs": wide})).refused(t, 422, "ledger.too_much")
		r.handed(t, post(map[string]any{"transfers": []any{map[string]any{"reference": "d1", "note": "x", "legs": wide}}}), "refused", "ledger.too_much", 1)
		r.ask(t, post(byHand("d2", "psp_cost", "fees", "100000000000.01"))).refused(t, 422, "ledger.too_much")
		r.shows(t, r.operator(), "/v1/ledger/trial-balance")
	})
	t.Run("from a seller", func(t *testing.T) {
		var got handResult
		if r.ask(t, post(byHand("e1", "seller:nobody:available", "fees", "1.00"))).into(t, &got); got.State != "waiting" {
			t.Errorf("it is %+v, want waiting", got)
		}
		yes := req{key: r.keys.SecondOperator.APIKey, method: "POST", path: "/v1/approvals/" + got.Approval, body: map[string]string{"decision": "approve"}, idem: once()}
		r.ask(t, yes).refused(t, 409, "ledger.overdraft")
		r.ask(t, post(byHand("e2", "refund:x", "fees", "1.00"))).refused(t, 422, "ledger.not_by_hand")
	})
	t.Run("with a time to come", func(t *testing.T) {
		for i, accounts := range [][2]string{{"dispute_cost", "fees"}, {"loss", "capital"}} {
			for j, at := range []string{"9999-12-31T00:00:00Z", "2099-01-01T00:00:00Z"} {
				late := byHand(fmt.Sprintf("f1-%d-%d", i, j), accounts[0], accounts[1], "1.00")
				late["effective_at"] = at
				r.ask(t, post(late)).refused(t, 422, "ledger.future")
				r.handed(t, post(map[string]any{"transfers": []any{late}}), "refused", "ledger.future", 1)
			}
		}
	})
	t.Run("out of our own account, or as of before", func(t *testing.T) {
		r.ask(t, post(byHand("o1", "payable:vat", "bank:own:operating", "1.00"))).refused(t, 409, "ledger.overdraft")
		early := byHand("o2", "bank:own:operating", "capital", "1.00")
		early["effective_at"] = "2026-01-01T00:00:00Z"
		r.ask(t, post(early)).refused(t, 422, "ledger.dated")
	})
	t.Run("with a request that is refused", func(t *testing.T) {
		small := post(byHand("g1", "dispute_cost", "fees", "0.01"))
		r.ask(t, small).into(t, nil)
		weighty := small
		weighty.body = byHand("g2", "bank:own:operating", "capital", "5.00")
		r.ask(t, weighty).refused(t, 422, "idempotency.reused")
		weighty.body = map[string]any{"transfers": []any{weighty.body}}
		r.ask(t, weighty).refused(t, 422, "idempotency.reused")
		if open := r.shows(t, r.operator(), "/v1/approvals?state=open&limit=100"); strings.Contains(open, `"g2"`) {
			t.Errorf("what was refused waits all the same: %s", open)
		}
		key := once()
		var wg sync.WaitGroup
		answers := make([]answer, 20)
		for i := range answers {
			wg.Go(func() {
				q := post(byHand(fmt.Sprint("g3-", i), "bank:own:operating", "capital", "5.00"))
				q.idem = key
				answers[i] = r.ask(t, q)
			})
		}
		wg.Wait()
		open := r.shows(t, r.operator(), "/v1/approvals?state=open&limit=100")
		taken := 0
		for i, a := range answers {
			if a.status == 201 {
				taken++
			} else {
				a.refused(t, 422, "idempotency.reused")
			}
			if there := strings.Contains(open, fmt.Sprintf(`"g3-%d"`, i)); there != (a.status == 201) {
				t.Errorf("answered %d, it waits: %t", a.status, there)
			}
		}
		if taken != 1 {
			t.Errorf("%d of twenty requests under one key were taken, want 1", taken)
		}
	})
	r.verify(t)
}

// handed asks for a list of which each has the same result.
func (r *rig) handed(t *testing.T, q req, state, code string, n int) {
	t.Helper()
	var list struct{ Data []handResult }
	r.ask(t, q).into(t, &list)
	if len(list.Data) != n {
		t.Fatalf("%d results, want %d", len(list.Data), n)
	}
	for _, d := range list.Data {
		if d.State != state || d.Code != code {
			t.Fatalf("%+v, want %s %s", d, state, code)
		}
	}
}

// holds checks what stands in an account, by the API.
func (r *rig) holds(t *testing.T, account, want string) {
	t.Helper()
	a := r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/ledger/accounts/" + account})
	if a.status == 404 && want == "0.00" {
		return
	}
	var v struct{ Balance moneyView }
	if a.into(t, &v); v.Balance.Amount() != want {
		t.Errorf("%s has %s, want %s", account, v.Balance.Amount(), want)
	}
}
