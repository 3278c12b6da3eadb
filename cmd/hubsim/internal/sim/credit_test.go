package sim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestACreditIsNotifiedAndStatedOnce(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	code, body := r.post("/bank/credits", `{"amount":"115.00","text":"TV 4K7P 9Q2M","end_to_end":"VIR-1","name":"AICHA EXEMPLE","notify":true}`)
	if code != http.StatusCreated {
		t.Fatalf("%d %s", code, body)
	}
	r.want("VIR-1", "bank credit 115.00")
	note := r.file("out", "CAMT054_")
	for _, part := range []string{"camt.054.001.08", "TV 4K7P 9Q2M", "AICHA EXEMPLE", ">115.00<", "CRDT"} {
		if !strings.Contains(note, part) {
			t.Errorf("the notification lacks %q: %s", part, note)
		}
	}
	if e := r.entry(r.config.Bank.Safeguard.RIB, "VIR-1"); e.Amt != "115.00" || e.Dir != "CRDT" {
		t.Errorf("the entry is %s %s", e.Dir, e.Amt)
	}
	for _, bad := range []string{`{"amount":"0.00"}`, `{"amount":"-1.00"}`, `{"amount":"x"}`, `{"amount":"1.00","rib":"12"}`} {
		if code, _ := r.post("/bank/credits", bad); code != http.StatusUnprocessableEntity {
			t.Errorf("%s answers %d, want 422", bad, code)
		}
	}
}
