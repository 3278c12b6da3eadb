package main

import (
	"context"
	"testing"

	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// leftOpen is an operation that only people can end: its partner refused it for
// a reason that is not listed as final. It is about nothing else of the market.
func (r *rig) leftOpen(t *testing.T) (opID string) {
	t.Helper()
	ctx := auth.With(t.Context(), auth.Hub)
	ops := r.house.engine
	err := r.house.store.InTx(ctx, func(tx *pg.Tx) error {
		opID = ops.Intend(tx, operations.Intention{
			Subject: id.New("prm"), Kind: "premium", Connector: "insurer", Ref: id.New("ref")[4:], Amount: money.Dirhams(100), State: operations.Accepted,
		}).ID
		return nil
	})
	if err == nil {
		err = ops.Outcome(ctx, operations.Callback, outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Unlisted, Code: "ZZ99"}, opID)
	}
	if err != nil {
		t.Fatal(err)
	}
	return opID
}

type operationView struct {
	ID, State, Kind, Subject, Proof string
	Age                             int64 `json:"age_seconds"`
	Evidence                        []struct{ Source, Outcome, Said string }
}

// reviewed has two people end an operation that no partner will.
func reviewed(t *testing.T, r *rig, _ trade) {
	op := r.leftOpen(t)
	at := "/v1/operations/" + op
	body := map[string]any{"decision": "rejected", "evidence": "The insurer's letter says that nothing was booked.", "reference": "LTR-1"}
	q := req{key: r.operator(), method: "POST", path: at + "/review", body: body, idem: once()}
	for name, bad := range map[string]any{
		"no evidence": map[string]any{"decision": "rejected"}, "another decision": map[string]any{"decision": "returned", "evidence": "long enough a text"},
	} {
		q := q
		q.body, q.idem = bad, once()
		if a := r.ask(t, q); a.status != 400 && a.status != 422 {
			t.Errorf("a review with %s is answered %d", name, a.status)
		}
	}
	r.ask(t, req{key: r.keys.Buyer.APIKey, method: "POST", path: at + "/review", body: body, idem: once()}).refused(t, 403, "auth.denied")
	r.ask(t, req{key: r.operator(), method: "POST", path: at + "/review", body: body}).refused(t, 400, "idempotency.missing")
	var v struct {
		Approval, State string
		Operation       operationView
	}
	first := r.ask(t, q).into(t, &v)
	if again := r.ask(t, q).into(t, nil); string(again.body) != string(first.body) {
		t.Errorf("a review sent twice answers\n%s and\n%s", first.body, again.body)
	}
	if v.State != "open" || v.Operation.State != "review" {
		t.Errorf("after one person's word the request is %s and the operation %s", v.State, v.Operation.State)
	}
	decide := req{key: r.operator(), method: "POST", path: "/v1/approvals/" + v.Approval, body: map[string]string{"decision": "approve"}, idem: once()}
	r.ask(t, decide).refused(t, 403, "approvals.self")
	decide.key, decide.idem = r.keys.SecondOperator.APIKey, once()
	r.ask(t, decide).into(t, nil)
	var o operationView
	r.ask(t, req{key: r.operator(), method: "GET", path: at}).into(t, &o)
	if n := len(o.Evidence); o.State != "rejected" || o.Proof != "person" || n == 0 || o.Evidence[n-1].Source != "person" {
		t.Errorf("after two people's word the operation is %+v", o)
	}
	q.idem = once()
	r.ask(t, q).refused(t, 409, "operations.state")
	var list struct{ Data []struct{ ID, State string } }
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/approvals?limit=100"}).into(t, &list)
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/approvals/" + v.Approval}).into(t, nil)
	if len(list.Data) == 0 {
		t.Error("the request is not listed")
	}
}

// operationsIn are the operations of something.
func (h *house) operationsIn(ctx context.Context, t testing.TB, subject string) []operations.Operation {
	t.Helper()
	ops, err := h.engine.Of(ctx, h.store, subject)
	if err != nil {
		t.Fatal(err)
	}
	return ops
}
