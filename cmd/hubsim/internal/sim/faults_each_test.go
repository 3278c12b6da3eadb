package sim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tiwiza/cmd/hubsim/internal/world"
)

func TestEachFaultIsPlayedOnceInEarnest(t *testing.T) {
	t.Parallel()
	for partner, plays := range map[string]map[string]play{world.Acquirer: acquirerPlays, world.Bank: bankPlays, world.Wallet: walletPlays, world.SMS: smsPlays, world.WhatsApp: whatsAppPlays, world.Mail: mailPlays, world.CRM: crmPlays, world.Insurer: insurerPlays} {
		for _, fault := range world.Faults {
			t.Run(partner+"/"+fault, func(t *testing.T) {
				t.Parallel()
				playOne(t, partner, fault, plays[fault])
			})
		}
	}
}

func playOne(t *testing.T, partner, fault string, act play) {
	settle := time.Hour
	if fault == "statement_net_of_fee" {
		settle = 50 * time.Millisecond
	}
	r := start(t, settle)
	body := `{"partner":"` + partner + `","fault":"` + fault + `","times":1}`
	if act == nil {
		if status, text := r.post("/faults", body); status != http.StatusUnprocessableEntity {
			t.Errorf("no test plays it, and arming it answers %d %s", status, text)
		}
		return
	}
	if partner == world.Bank && !strings.HasPrefix(fault, "statement") {
		r.fill("100.00")
	}
	if status, text := r.post("/faults", body); status != http.StatusOK {
		t.Fatalf("arming answers %d %s", status, text)
	}
	if fault == "statement_missing" || fault == "statement_twice" {
		r.conf.StatementEvery = time.Second
		r.restart()
		r.fill("100.00")
	}
	act(t, r)
	var left struct{ Armed []world.Armed }
	r.get("/faults", &left)
	if len(left.Armed) != 0 {
		t.Errorf("still armed: %v", left.Armed)
	}
}

func TestAnUnknownFaultIsRefusedWithTheNames(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	for _, body := range []string{`{"partner":"nobody","fault":"slow_body","times":1}`, `{"partner":"bank","fault":"x","times":1}`, `{"partner":"bank","fault":"slow_body","times":-1}`, `{`} {
		if status, text := r.post("/faults", body); status != http.StatusBadRequest || (body != `{` && !strings.Contains(text, "paid_then_returned")) {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	r.arm(world.Armed{Partner: "bank", Fault: "slow_body", Times: 3})
	r.restart()
	var left struct{ Armed []world.Armed }
	if r.get("/faults", &left); len(left.Armed) != 1 || left.Armed[0].Times != 3 {
		t.Errorf("after a restart %v is armed", left.Armed)
	}
	r.arm(world.Armed{Partner: "bank", Fault: "slow_body", Times: 0})
	if r.get("/faults", &left); len(left.Armed) != 0 {
		t.Errorf("disarmed, %v is armed", left.Armed)
	}
}
