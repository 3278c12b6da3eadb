package sim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tiwiza/cmd/hubsim/internal/acquirer"
	"tiwiza/cmd/hubsim/internal/world"
)

// contest posts to /cases and gives the case's id.
func (r *rig) contest(body string) string {
	r.t.Helper()
	status, text := r.post("/cases", body)
	var c struct{ ID string }
	if status != http.StatusOK || json.Unmarshal([]byte(text), &c) != nil || c.ID == "" {
		r.t.Fatalf("POST /cases %s: %d %s", body, status, text)
	}
	return c.ID
}

// said are the messages about chargebacks so far, as "OPENED 75.00".
func (r *rig) said() (out []string) {
	for _, f := range r.callbacks() {
		if f.Get("messageType") == "CHARGEBACK" && r.signed(f) {
			out = append(out, f.Get("caseState")+" "+f.Get("amount"))
		}
	}
	return out
}

func TestAChargebackLeavesTheSettlementAndComesAgainWhenItIsWon(t *testing.T) {
	t.Parallel()
	r := start(t, 30*time.Millisecond)
	r.pay("ORD-1", "100.00", good, "123456")
	id := r.contest(`{"ref":"ORD-1","amount":"75.00","reason":"13.1"}`)
	r.wait(func() (bool, string) { return len(r.said()) == 1, "the shop hears of no chargeback" })
	if status, text := r.post("/cases", `{"ref":"ORD-1","amount":"25.01"}`); status != http.StatusUnprocessableEntity {
		t.Errorf("a chargeback of more than was captured: %d %s", status, text)
	}
	r.contest(`{"id":"` + id + `","state":"won"}`)
	if status, text := r.post("/cases", `{"id":"`+id+`","state":"lost"}`); status != http.StatusUnprocessableEntity {
		t.Errorf("a decided case was decided again: %d %s", status, text)
	}
	r.wait(func() (bool, string) {
		got := strings.Join(r.said(), ", ")
		return got == "OPENED 75.00, WON 75.00", "the shop heard " + got
	})
	r.want("ORD-1", "acquirer charge 100.00", "acquirer capture 100.00", "acquirer chargeback 75.00", "acquirer chargeback_won 75.00")
	r.wait(func() (bool, string) {
		sum := int64(0)
		var out struct{ Executed []world.Executed }
		r.get("/truth", &out)
		for _, e := range out.Executed {
			if e.Kind == world.Settlement {
				sum += e.Amount.Centimes()
			}
		}
		return sum == 100_00-1_80-15_00, "the settlements do not make 83.20"
	})
}

func TestTheMessageOfAChargebackMayGetLostOrComeTwice(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]int{"callback_missing": 0, "answer_twice": 2, "replayed_callback": 2, "bad_signature": 1} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			r := start(t, time.Hour)
			r.pay("ORD-1", "10.00", good, "123456")
			r.mu.Lock()
			r.answer = func(f acquirer.Fields) string {
				if !r.signed(f) {
					return "FAILURE"
				}
				return "APPROVED"
			}
			r.mu.Unlock()
			r.arm(world.Armed{Partner: world.Acquirer, Fault: fault, Times: 1})
			r.contest(`{"ref":"ORD-1"}`)
			r.wait(func() (bool, string) {
				var armed struct{ Armed []world.Armed }
				r.get("/faults", &armed)
				return len(armed.Armed) == 0, fault + " is not played"
			})
			r.wait(func() (bool, string) {
				r.advance("6s")
				return len(r.said()) == want, fmt.Sprintf("%d messages came with their signature, want %d", len(r.said()), want)
			})
		})
	}
}

func TestAClosedCardTakesNothingBack(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	r.pay("ORD-1", "10.00", acquirer.ClosedCard, "123456")
	r.want("ORD-1", "acquirer charge 10.00", "acquirer capture 10.00")
	_, text, err := r.api(operation("Credit", "ORD-1", "4.00"))
	if err != nil || field(text, "Response") != "Declined" || field(text, "ProcReturnCode") != "14" {
		t.Errorf("a refund to a closed card is answered %s (%v)", text, err)
	}
	r.want("ORD-1", "acquirer charge 10.00", "acquirer capture 10.00")
}
