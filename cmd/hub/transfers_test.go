package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

type handResult struct{ Reference, State, Approval, Code string }

func legs(debit, credit, amount string) []map[string]any {
	return []map[string]any{
		{"account": debit, "side": "debit", "amount": dirhams(amount)},
		{"account": credit, "side": "credit", "amount": dirhams(amount)},
	}
}

func byHand(reference, debit, credit, amount string) map[string]any {
	return map[string]any{"reference": reference, "note": "a correction", "legs": legs(debit, credit, amount)}
}

// byHand has people post transfers: small ones at once, each once; weighty ones
// when a second person has agreed.
func (r *rig) byHand(t *testing.T) {
	post := func(body any) req {
		return req{key: r.operator(), method: "POST", path: "/v1/ledger/transfers", body: body, idem: once()}
	}
	one := post(byHand("h1", "psp_cost", "fees", "12.00"))
	var got handResult
	r.ask(t, one).into(t, &got)
	if got.State != "posted" || got.Reference != "h1" {
		t.Errorf("a small transfer is %+v, want posted", got)
	}
	other := post(byHand("h1", "psp_cost", "fees", "13.00"))
	r.ask(t, other).refused(t, 409, "ledger.reused")
	other.idem = one.idem
	r.ask(t, other).refused(t, 422, "idempotency.reused")
	r.ask(t, post(byHand("h3", "escrow:x", "fees", "1.00"))).refused(t, 422, "ledger.not_by_hand")
	r.ask(t, post(byHand("h4", "fees", "seller:nobody:available", "1.00"))).refused(t, 409, "ledger.clients_short")
	r.ask(t, post(map[string]any{"reference": "h5"})).refused(t, 422, "ledger.transfer")

	list := post(map[string]any{"transfers": []any{
		byHand("l1", "psp_cost", "fees", "1.00"), byHand("l2", "fees", "seller:nobody:available", "1.00"),
		byHand("l1", "psp_cost", "fees", "1.00"), byHand("l3", "bank:own:operating", "capital", "5.00"), byHand("l1", "psp_cost", "fees", "2.00"),
	}})
	var page struct{ Data []handResult }
	r.ask(t, list).into(t, &page)
	for i, want := range []handResult{{State: "posted"}, {State: "refused", Code: "ledger.clients_short"}, {State: "posted"}, {State: "waiting"}, {State: "refused", Code: "ledger.reused"}} {
		if len(page.Data) != 5 || page.Data[i].State != want.State || page.Data[i].Code != want.Code {
			t.Fatalf("the list is %+v; the result at %d should be %+v", page.Data, i, want)
		}
	}
	var again struct{ Data []handResult }
	r.ask(t, list).into(t, &again)
	if fmt.Sprint(again) != fmt.Sprint(page) {
		t.Errorf("asked again the list is %+v, first %+v", again, page)
	}

	yes := req{key: r.operator(), method: "POST", path: "/v1/approvals/" + page.Data[3].Approval, body: map[string]string{"decision": "approve"}, idem: once()}
	r.ask(t, yes).refused(t, 403, "approvals.self")
	yes.key, yes.idem = r.keys.SecondOperator.APIKey, once()
	r.ask(t, yes).into(t, nil)
	r.ask(t, post(byHand("l3", "bank:own:operating", "capital", "5.00"))).into(t, &got)
	if got.State != "posted" {
		t.Errorf("after the second person agreed it is %q, want posted", got.State)
	}
	undo := req{key: r.operator(), method: "POST", path: "/v1/ledger/reversals", body: map[string]string{"reference": "l3", "note": "paid in twice"}, idem: once()}
	r.ask(t, undo).into(t, &got)
	yes.path, yes.idem = "/v1/approvals/"+got.Approval, once()
	r.ask(t, yes).into(t, nil)
	undo.idem = once()
	r.ask(t, undo).refused(t, 409, "ledger.taken_back")
	big := post(byHand("h6", "psp_cost", "fees", "10000.01"))
	r.ask(t, big).into(t, &got)
	no := yes
	no.path, no.body, no.idem = "/v1/approvals/"+got.Approval, map[string]string{"decision": "refuse"}, once()
	r.ask(t, no).into(t, nil)
	big.idem = once()
	r.ask(t, big).refused(t, 409, "ledger.turned_down")
	r.race(t, post(byHand("h7", "psp_cost", "fees", "1.00")))
}

// race sends the same request fifty times at once: each gets the same answer.
func (r *rig) race(t *testing.T, q req) {
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			var got handResult
			a := r.ask(t, q)
			if a.status == http.StatusCreated {
				a.into(t, &got)
			}
			if got.State != "posted" {
				t.Errorf("one of fifty was answered %d %+v, want posted", a.status, got)
			}
		})
	}
	wg.Wait()
}
