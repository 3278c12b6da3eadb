package sim_test

import (
	"net/http"
	"testing"
	"time"

	"tiwiza/cmd/hubsim/internal/acquirer"
)

// A play arms nothing itself: it is called with the fault armed once, acts,
// and says what the fault did.
type play func(t *testing.T, r *rig)

// acquirerPlays and bankPlays have one row for each fault a partner can play.
var acquirerPlays = map[string]play{
	"away": func(t *testing.T, r *rig) {
		if _, text, err := r.api(query("A")); err == nil {
			t.Errorf("answered %s", text)
		}
		r.authorise("A")
		r.want("A", "acquirer charge 10.00")
	},
	"drop_request": func(t *testing.T, r *rig) {
		r.authorise("A")
		if _, text, err := r.api(operation("PostAuth", "A", "")); err == nil {
			t.Errorf("answered %s", text)
		}
		r.want("A", "acquirer charge 10.00")
		r.captures("A")
	},
	"execute_then_drop": func(t *testing.T, r *rig) {
		r.authorise("A")
		if _, text, err := r.api(operation("PostAuth", "A", "")); err == nil {
			t.Errorf("answered %s", text)
		}
		r.want("A", "acquirer charge 10.00", "acquirer capture 10.00")
	},
	"execute_then_500": func(t *testing.T, r *rig) {
		r.authorise("A")
		if status, _, err := r.api(operation("Void", "A", "")); err != nil || status != http.StatusInternalServerError {
			t.Errorf("answered %d %v", status, err)
		}
		r.want("A", "acquirer charge 10.00", "acquirer void 10.00")
	},
	"execute_then_garbage": func(t *testing.T, r *rig) { // by the callback: captured, and told again
		r.pay("A", "10.00", good, "123456")
		r.want("A", "acquirer charge 10.00", "acquirer capture 10.00")
		r.advance("5s")
		r.wait(func() (bool, string) { return len(r.callbacks()) == 2, "the callback did not come again" })
		r.want("A", "acquirer charge 10.00", "acquirer capture 10.00")
	},
	"execute_late": func(t *testing.T, r *rig) {
		r.pay("A", "10.00", good, "123456")
		if _, text, _ := r.api(query("A")); field(text, "TRANS_STAT") != "A" {
			t.Errorf("before: %s", text)
		}
		r.advance("41s")
		r.want("A", "acquirer charge 10.00", "acquirer capture 10.00")
	},
	"answer_twice": func(t *testing.T, r *rig) {
		r.pay("A", "10.00", good, "123456")
		told := r.callbacks()
		if len(told) != 2 || told[0].Get("HASH") != told[1].Get("HASH") {
			t.Errorf("%d callbacks", len(told))
		}
		r.want("A", "acquirer charge 10.00", "acquirer capture 10.00")
	},
	"callback_before_answer": func(t *testing.T, r *rig) {
		var told time.Time
		r.answer = func(acquirer.Fields) string { told = time.Now(); return "ACTION=POSTAUTH" }
		r.pay("A", "10.00", good, "123456")
		if held := time.Since(told); held < 1900*time.Millisecond {
			t.Errorf("the page came %s after the callback", held)
		}
	},
	"callbacks_shuffled": func(t *testing.T, r *rig) {
		r.pay("A", "10.00", good, "123456")
		r.wait(func() (bool, string) { return len(r.callbacks()) == 2, "no older decline" })
		told := r.callbacks()
		if told[0].Get("Response") != "Approved" || told[1].Get("Response") != "Declined" || !r.signed(told[1]) ||
			told[1].Get("EXTRA_TRXDATE") >= told[0].Get("EXTRA_TRXDATE") || told[1].Get("TransId") == told[0].Get("TransId") {
			t.Errorf("told %v", told)
		}
		r.want("A", "acquirer charge 10.00", "acquirer capture 10.00")
	},
	"callback_missing": func(t *testing.T, r *rig) {
		r.pay("A", "10.00", good, "123456")
		r.advance("24h")
		if _, text, _ := r.api(query("A")); field(text, "TRANS_STAT") != "A" || len(r.callbacks()) != 0 {
			t.Errorf("%d callbacks, status %s", len(r.callbacks()), text)
		}
		r.captures("A")
	},
	"not_found_then_visible": func(t *testing.T, r *rig) {
		r.pay("A", "10.00", good, "123456")
		for _, want := range []string{"No such order", "No such order"} {
			if _, text, _ := r.api(query("A")); field(text, "ErrMsg") != want {
				t.Errorf("hidden: %s", text)
			}
		}
		r.advance("10m")
		if _, text, _ := r.api(query("A")); field(text, "TRANS_STAT") != "C" {
			t.Errorf("visible: %s", text)
		}
	},
	"same_ref_other_amount": func(t *testing.T, r *rig) {
		r.answer = func(acquirer.Fields) string { return "APPROVED" }
		r.pay("A", "10.00", good, "123456")
		told := r.callbacks()
		if len(told) != 1 || told[0].Get("amount") != "11.00" || !r.signed(told[0]) {
			t.Errorf("told %v", told)
		}
		r.want("A", "acquirer charge 10.00")
	},
	"bad_signature": func(t *testing.T, r *rig) {
		r.answer = func(f acquirer.Fields) string {
			if !r.signed(f) {
				return "FAILURE"
			}
			return "ACTION=POSTAUTH"
		}
		r.pay("A", "10.00", good, "123456")
		r.want("A", "acquirer charge 10.00")
		r.advance("5s")
		r.want("A", "acquirer charge 10.00", "acquirer capture 10.00")
	},
	"replayed_callback": func(t *testing.T, r *rig) {
		r.pay("A", "10.00", good, "123456")
		r.advance("6s")
		r.wait(func() (bool, string) { return len(r.callbacks()) == 2, "no replay" })
		if told := r.callbacks(); told[0].Get("HASH") != told[1].Get("HASH") {
			t.Error("the replay differs")
		}
		r.want("A", "acquirer charge 10.00", "acquirer capture 10.00")
	},
	"rate_limited": func(t *testing.T, r *rig) {
		r.authorise("A")
		if status, _, err := r.api(operation("PostAuth", "A", "")); err != nil || status != http.StatusTooManyRequests {
			t.Errorf("answered %d %v", status, err)
		}
		r.want("A", "acquirer charge 10.00")
		r.captures("A")
	},
	"slow_body": func(t *testing.T, r *rig) {
		r.authorise("A")
		began := time.Now()
		r.captures("A")
		if took := time.Since(began); took < 2*time.Second {
			t.Errorf("the answer took %s", took)
		}
	},
	"contradicts_itself": func(t *testing.T, r *rig) {
		r.authorise("A")
		if _, text, _ := r.api(operation("PostAuth", "A", "")); field(text, "Response") != "Declined" {
			t.Errorf("answered %s", text)
		}
		if _, text, _ := r.api(query("A")); field(text, "TRANS_STAT") != "C" {
			t.Errorf("status %s", text)
		}
	},
}

// authorise makes an order that is not captured.
func (r *rig) authorise(oid string) {
	r.t.Helper()
	r.mu.Lock()
	r.answer = func(acquirer.Fields) string { return "APPROVED" }
	r.mu.Unlock()
	r.pay(oid, "10.00", good, "123456")
}

// captures wants the capture of an order to go through.
func (r *rig) captures(oid string) {
	r.t.Helper()
	if _, text, err := r.api(operation("PostAuth", oid, "")); err != nil || field(text, "Response") != "Approved" {
		r.t.Errorf("capture: %s %v", text, err)
	}
	r.want(oid, "acquirer charge 10.00", "acquirer capture 10.00")
}
