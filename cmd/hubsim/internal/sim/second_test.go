package sim_test

import (
	"strings"
	"testing"
	"time"
)

// Two acquirers speak one protocol, and neither knows what the other did.
func TestTheSecondAcquirerHasATruthOfItsOwn(t *testing.T) {
	t.Parallel()
	r := start(t, 50*time.Millisecond)
	first := r.config.Acquirer
	r.pay("A", "10.00", good, "123456")
	r.config.Acquirer = r.config.Acquirers[0]
	if r.config.Acquirer.StoreKey == first.StoreKey || r.config.Acquirer.ClientID == first.ClientID {
		t.Fatal("both acquirers gave the shop the same secrets")
	}
	if _, text, err := r.api(query("A")); err != nil || !strings.Contains(text, "No such order") {
		t.Errorf("the second, of the first's order: %s %v", text, err)
	}
	r.pay("A", "20.00", good, "123456")
	r.want("A", "acquirer charge 10.00", "acquirer capture 10.00", "acquirer2 charge 20.00", "acquirer2 capture 20.00")
	r.wait(func() (bool, string) {
		names := map[string]bool{}
		for _, e := range r.entries(r.config.Bank.Safeguard.RIB) {
			for _, d := range e.TxDtls {
				names[d.InstrID[:4]+d.Amt] = true
			}
		}
		return names["STL-10.00"] && names["ST2-20.00"], "each settles its own"
	})
	for _, f := range []string{"rate_limited", "away"} {
		if status, text := r.post("/faults", `{"partner":"acquirer2","fault":"`+f+`","times":1}`); status != 200 {
			t.Errorf("arming %s answers %d %s", f, status, text)
		}
	}
	r.config.Acquirer = first
	if _, text, err := r.api(query("A")); err != nil || field(text, "TRANS_STAT") != "S" && field(text, "TRANS_STAT") != "C" {
		t.Errorf("a fault of the second is played by the first: %s %v", text, err)
	}
}
