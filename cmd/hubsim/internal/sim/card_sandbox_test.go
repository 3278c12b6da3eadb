package sim_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tiwiza/cmd/hubsim/internal/world"
)

// A hub hears what the connector of an acquirer tells.
type hub struct {
	mu     sync.Mutex
	got    []string // "payment.updated P1 authorized", forged ones named so
	ids    []string
	answer int
}

func (h *hub) heard() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got)
}

func (h *hub) answers(status int) {
	h.mu.Lock()
	h.answer = status
	h.mu.Unlock()
}

// listening has a hub hear the first acquirer's events.
func (r *rig) listening() *hub {
	r.t.Helper()
	var m struct {
		Keys []string `json:"webhook_keys"`
	}
	r.get("/acquirer/.well-known/hub-connector", &m)
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Keys[0], "whpk_"))
	if err != nil {
		r.t.Fatal(err)
	}
	h := &hub{answer: http.StatusNoContent}
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		var e struct {
			Type string
			Data struct {
				ID, Ref, State string
				Amount, Fee    struct{ Amount string }
			}
		}
		_ = json.Unmarshal(body, &e)
		said := strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", e.Type, e.Data.Ref, e.Data.State, e.Data.Amount.Amount, e.Data.Fee.Amount))
		signature, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(q.Header.Get("webhook-signature"), "v1a,"))
		h.mu.Lock()
		defer h.mu.Unlock()
		if status := h.answer; ed25519.Verify(key, append([]byte(q.Header.Get("webhook-id")+"."+q.Header.Get("webhook-timestamp")+"."), body...), signature) {
			rw.WriteHeader(status)
		} else {
			said = "forged " + said
			rw.WriteHeader(http.StatusUnauthorized)
		}
		h.got, h.ids = append(h.got, said), append(h.ids, q.Header.Get("webhook-id"))
	}))
	r.t.Cleanup(s.Close)
	if status, text := r.post("/acquirer/events", `{"url":"`+s.URL+`"}`); status != http.StatusOK {
		r.t.Fatalf("events: %d %s", status, text)
	}
	return h
}

// hears waits until exactly this was heard, in whatever order.
func (r *rig) hears(h *hub, want ...string) {
	r.t.Helper()
	r.wait(func() (bool, string) { return h.heardAll(want) })
}

// hearsInTime is hears while the partners' time goes by.
func (r *rig) hearsInTime(h *hub, want ...string) {
	r.t.Helper()
	r.wait(func() (bool, string) {
		r.advance("6s")
		return h.heardAll(want)
	})
}

func (h *hub) heardAll(want []string) (bool, string) {
	got := h.heard()
	slices.Sort(got)
	slices.Sort(want)
	return slices.Equal(got, want), fmt.Sprintf("the hub heard %q, want %q", got, want)
}

func (r *rig) dayEnds() {
	r.t.Helper()
	if status, text, err := r.v1("POST", "/sandbox/day-end", "", "{}"); err != nil || status != http.StatusOK {
		r.t.Fatalf("day end: %d %s %v", status, text, err)
	}
}

func TestTheSandboxOfACardConnectorKnowsItsAmounts(t *testing.T) {
	t.Parallel()
	r := start(t, 30*time.Millisecond)
	h := r.listening()
	for amount, want := range map[string]string{
		"10.01": "declined 0.00 of 10.01, 0.00 back funds", "10.04": "declined 0.00 of 10.04, 0.00 back not_authenticated",
		"10.05": "declined 0.00 of 10.05, 0.00 back blocked", "10.03": "authorized 0.00 of 10.03, 0.00 back",
		"10.07": "authorized 0.00 of 10.07, 0.00 back", "10.06": "authorized 0.00 of 10.06, 0.00 back", "10.00": "authorized 0.00 of 10.00, 0.00 back",
	} {
		ref := "S" + amount[3:]
		r.played(ref, amount)
		r.is(ref, want)
		if status, text, err := r.v1("POST", "/sandbox/buyers", "", `{"ref":"`+ref+`"}`); err != nil || status != http.StatusOK {
			t.Errorf("the buyer comes again: %d %s %v", status, text, err)
		}
		r.is(ref, want)
	}
	if _, text, err := r.moves("captures", "S03", "S03-C", "10.03"); err == nil {
		t.Errorf("the answer that is lost is %s", text)
	}
	r.is("S03", "captured 10.03 of 10.03, 0.00 back")
	r.want1("captures", "S03", "S03-C", "10.03", http.StatusOK, "captured")
	r.want1("captures", "S07", "S07-C", "10.07", http.StatusCreated, "captured")
	r.want1("captures", "S06", "S06-C", "10.06", http.StatusCreated, "captured")
	r.want1("voids", "S06", "S06-V", "10.06", http.StatusCreated, "voided")
	r.want1("captures", "S00", "S00-C", "4.00", http.StatusCreated, "captured")
	r.paidHere("PERSON", "10.07") // a person's amounts are no magic
	r.want1("captures", "PERSON", "PERSON-C", "10.07", http.StatusCreated, "captured")
	r.wait(func() (bool, string) {
		return r.stands("PERSON").State == "settled", "what a person paid is not settled"
	})
	r.is("S00", "captured 4.00 of 10.00, 0.00 back")
	r.dayEnds()
	r.dayEnds()
	r.want1("refunds", "S00", "S00-R", "1.00", http.StatusCreated, "settled")
	r.want1("refunds", "S07", "S07-R", "0.01", http.StatusConflict, "not_refundable") // all of it was taken back
	rows, sums := r.statement()
	slices.Sort(rows)
	if got := strings.Join(rows, ", "); !strings.HasPrefix(got, "chargeback CBK-") ||
		!strings.HasSuffix(got, "-000001 -10.07-15.00, payment PERSON 10.07-0.18, payment S00 4.00-0.07, payment S03 10.03-0.18, payment S07 10.07-0.18, refund S00-R -1.00-0.00") || sums != "23.10-15.61=7.49" {
		t.Errorf("the statement shows %s; %s", got, sums)
	}
	want := []string{"chargeback.updated S07 opened 10.07 15.00"}
	for ref, states := range map[string]string{
		"S00": "authorized captured settled", "S01": "declined declined", "S03": "authorized captured settled", "S04": "declined declined", "S05": "declined declined",
		"S06": "authorized captured voided", "S07": "authorized captured settled", "PERSON": "authorized captured settled",
	} {
		for _, state := range strings.Fields(states) {
			want = append(want, "payment.updated "+ref+" "+state)
		}
	}
	r.hears(h, append(want, "payment.updated S00 settled")...) // again, for a part of it went back
	// Nothing of the sandbox's is at the bank, now or at the next settlement.
	r.paidHere("LAST", hundred)
	r.want1("captures", "LAST", "LAST-C", hundred, http.StatusCreated, "captured")
	r.wait(func() (bool, string) {
		refs := map[string]int{}
		for _, e := range r.entries(r.config.Bank.Safeguard.RIB) {
			for _, d := range e.TxDtls {
				refs[d.EndToEnd]++
			}
		}
		return len(refs) == 2 && refs["PERSON"] == 1 && refs["LAST"] == 1, fmt.Sprintf("at the bank are %v", refs)
	})
}

func TestAChargebackOfTheCardConnectorIsToldUntilItIsHeard(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	r.paidHere("P1", hundred)
	r.want1("captures", "P1", "C1", hundred, http.StatusCreated, "captured")
	r.dayEnds()
	h := r.listening()
	h.answers(http.StatusNotFound)
	id := r.contest(`{"ref":"P1","amount":"75.00","reason":"13.1"}`)
	// comes has it told once more: an hour passes, and another when the one before was
	// not written down yet.
	comes := func() {
		t.Helper()
		before := len(h.heard())
		var next time.Time
		r.wait(func() (bool, string) {
			if now := time.Now(); now.After(next) {
				r.advance("1h")
				next = now.Add(2 * time.Second)
			}
			return len(h.heard()) > before, "it is told no more"
		})
	}
	for range 7 {
		comes()
	}
	r.restart()
	r.advance("24h")
	comes()
	h.answers(http.StatusNoContent)
	comes()
	heard := len(h.heard())
	r.contest(`{"id":"` + id + `","state":"won"}`)
	r.wait(func() (bool, string) { return len(h.heard()) == heard+1, "its end is not told" })
	h.mu.Lock()
	defer h.mu.Unlock()
	for n, got := range h.got[:heard] {
		if got != "chargeback.updated P1 opened 75.00 15.00" || h.ids[n] != h.ids[0] {
			t.Fatalf("try %d says %s under %s", n, got, h.ids[n])
		}
	}
	if got := h.got[heard]; got != "chargeback.updated P1 won 75.00 15.00" || h.ids[heard] == h.ids[0] {
		t.Errorf("told at the end: %s", got)
	}
	rows, sums := r.statement()
	if got := strings.Join(rows, ", "); got != fmt.Sprintf("payment P1 100.00-1.80, chargeback %s -75.00-15.00, chargeback %s 75.00-0.00", id, id) || sums != "100.00-16.80=83.20" {
		t.Errorf("the statement shows %s; %s", got, sums)
	}
}

// captured1 has a person pay, and asks for the capture.
func (r *rig) captured1(status int, part string) {
	r.t.Helper()
	r.paidHere("P1", hundred)
	r.want1("captures", "P1", "C1", hundred, status, part)
}

func (r *rig) unanswered(t *testing.T) {
	t.Helper()
	r.paidHere("P1", hundred)
	if status, text, err := r.moves("captures", "P1", "C1", hundred); err == nil {
		t.Errorf("answered %d %s", status, text)
	}
}

// cardConnectorPlays have one row for each fault that the acquirer's second door plays.
var cardConnectorPlays = map[string]play{
	"away": func(t *testing.T, r *rig) {
		if status, text, err := r.v1("GET", "/payments/P1", "", ""); err == nil {
			t.Errorf("answered %d %s", status, text)
		}
		r.captured1(http.StatusCreated, "captured")
	},
	"drop_request": func(t *testing.T, r *rig) {
		r.unanswered(t)
		r.is("P1", "authorized 0.00 of 100.00, 0.00 back")
		r.want1("captures", "P1", "C1", hundred, http.StatusCreated, "captured")
	},
	"rate_limited": func(_ *testing.T, r *rig) {
		r.captured1(http.StatusTooManyRequests, "rate_limited")
		r.is("P1", "authorized 0.00 of 100.00, 0.00 back")
		r.want1("captures", "P1", "C1", hundred, http.StatusCreated, "captured")
	},
	"execute_then_drop": func(t *testing.T, r *rig) {
		r.unanswered(t)
		r.is("P1", "captured 100.00 of 100.00, 0.00 back")
		r.want1("captures", "P1", "C1", hundred, http.StatusOK, "captured")
	},
	"execute_then_500": func(_ *testing.T, r *rig) {
		r.captured1(http.StatusInternalServerError, "internal")
		r.want1("captures", "P1", "C1", hundred, http.StatusOK, "captured")
	},
	"execute_then_garbage": func(_ *testing.T, r *rig) {
		r.captured1(http.StatusCreated, "502 Bad gatew")
		r.want1("captures", "P1", "C1", hundred, http.StatusOK, "captured")
	},
	"contradicts_itself": func(_ *testing.T, r *rig) {
		r.captured1(http.StatusUnprocessableEntity, `"code":"refused"`)
		r.is("P1", "captured 100.00 of 100.00, 0.00 back")
	},
	"slow_body": func(_ *testing.T, r *rig) { r.captured1(http.StatusCreated, "captured") },
	"execute_late": func(_ *testing.T, r *rig) {
		r.paidHere("P1", hundred)
		go func() { _, _, _ = r.moves("captures", "P1", "C1", hundred) }() // its caller gives up when the simulator stops
		r.wait(func() (bool, string) {
			var armed struct{ Armed []world.Armed }
			r.get("/faults", &armed)
			return len(armed.Armed) == 0, "execute_late is not played"
		})
		r.is("P1", "authorized 0.00 of 100.00, 0.00 back")
		r.want1("captures", "P1", "C1", hundred, http.StatusCreated, "captured") // again, before the first is executed
		r.advance("41s")
		r.dayEnds()
		r.want("P1", "acquirer charge 100.00", "acquirer capture 100.00")
	},
	"not_found_then_visible": func(t *testing.T, r *rig) {
		r.paidHere("P1", hundred)
		if s := r.stands("P1"); s.Status != http.StatusNotFound {
			t.Errorf("it stands %+v", s)
		}
		r.advance("11m")
		r.is("P1", "authorized 0.00 of 100.00, 0.00 back")
	},
	"callback_missing": func(_ *testing.T, r *rig) {
		h := r.listening()
		r.captured1(http.StatusCreated, "captured")
		r.hears(h, "payment.updated P1 captured")
	},
	"bad_signature": func(_ *testing.T, r *rig) {
		h := r.listening()
		r.paidHere("P1", hundred)
		r.hears(h, "forged payment.updated P1 authorized")
		r.hearsInTime(h, "forged payment.updated P1 authorized", "payment.updated P1 authorized")
	},
	"callbacks_shuffled": func(_ *testing.T, r *rig) {
		h := r.listening()
		r.paidHere("P1", hundred)
		r.hears(h, "payment.updated P1 authorized", "payment.updated P1 declined")
	},
	"answer_twice": func(_ *testing.T, r *rig) {
		h := r.listening()
		r.paidHere("P1", hundred)
		r.hears(h, "payment.updated P1 authorized", "payment.updated P1 authorized")
	},
	"callback_before_answer": func(t *testing.T, r *rig) {
		h := r.listening()
		page := r.shown("P1", hundred)
		began := time.Now()
		r.types(page, good, "123456")
		if took := time.Since(began); took < 2*time.Second || len(h.heard()) != 1 {
			t.Errorf("the buyer goes back after %s, and %d events", took, len(h.heard()))
		}
	},
	"replayed_callback": func(t *testing.T, r *rig) {
		h := r.listening()
		r.paidHere("P1", hundred)
		r.hearsInTime(h, "payment.updated P1 authorized", "payment.updated P1 authorized")
		if h.mu.Lock(); h.ids[0] != h.ids[1] {
			t.Errorf("the replay has another name: %v", h.ids)
		}
		h.mu.Unlock()
	},
}

func TestEachFaultIsPlayedByTheCardConnector(t *testing.T) {
	t.Parallel()
	for _, fault := range world.Plays(world.Acquirer) {
		act, ok := cardConnectorPlays[fault]
		if !ok && fault != "same_ref_other_amount" { // its events have no amount
			t.Errorf("no row for %s", fault)
			continue
		}
		if ok {
			t.Run(fault, func(t *testing.T) {
				t.Parallel()
				playOne(t, world.Acquirer, fault, act)
			})
		}
	}
}

func TestManyAtOnceAreDoneOnceByTheCardConnector(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	r.paidHere("P1", hundred)
	var all sync.WaitGroup
	var mu sync.Mutex
	seen := map[int]int{}
	for range 16 {
		all.Go(func() {
			status, text, err := r.moves("captures", "P1", "C1", hundred)
			if err != nil || !strings.Contains(text, "captured") {
				t.Errorf("answered %d %s %v", status, text, err)
			}
			mu.Lock()
			seen[status]++
			mu.Unlock()
		})
	}
	all.Wait()
	if seen[http.StatusCreated] != 1 || seen[http.StatusOK] != 15 {
		t.Errorf("they are answered %v, want one 201", seen)
	}
	r.want("P1", "acquirer charge 100.00", "acquirer capture 100.00")
	r.dayEnds()
	for n := range 12 { // more than there is goes not back
		all.Go(func() { _, _, _ = r.moves("refunds", "P1", fmt.Sprint("R", n), "10.00") })
	}
	all.Wait()
	r.is("P1", "refunded 100.00 of 100.00, 100.00 back")
}

// written is how often something stands in the journal.
func (r *rig) written(part string) int {
	r.t.Helper()
	b, err := os.ReadFile(filepath.Join(r.conf.DataDir, "journal.jsonl"))
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Count(string(b), part)
}

func TestWhatTheCardConnectorDoesLateIsDoneOnce(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	r.captured1(http.StatusCreated, "captured")
	r.dayEnds()
	r.arm(world.Armed{Partner: world.Acquirer, Fault: "execute_late", Times: 1})
	go func() { _, _, _ = r.moves("refunds", "P1", "R1", "10.00") }() // its caller gives up when the simulator stops
	r.wait(func() (bool, string) {
		var armed struct{ Armed []world.Armed }
		r.get("/faults", &armed)
		return len(armed.Armed) == 0, "execute_late is not played"
	})
	r.want1("refunds", "P1", "R1", "10.00", http.StatusCreated, "settled") // again, before the first is done
	r.wait(func() (bool, string) { return r.written(`"t":"acquirer_late"`) == 1, "nothing is put off" })
	r.advance("41s")
	r.wait(func() (bool, string) { return r.written(`"t":"acquirer_late"`) == 2, "what was put off is not seen to" })
	r.is("P1", "settled 100.00 of 100.00, 10.00 back")
	r.want1("refunds", "P1", "R1", "10.00", http.StatusOK, "settled")
}

func TestKillNineLosesNothingOfTheCardConnector(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	r.stop()
	bin := build(t)
	p := r.launch(bin)
	again := func() {
		t.Helper()
		p.end(syscall.SIGKILL)
		p = r.launch(bin)
	}
	token := r.config.Acquirer.Token
	page := r.shown("P1", hundred)
	again()
	if status, text, to := r.types(page, good, "123456"); status != http.StatusSeeOther { // shown before, typed after
		t.Fatalf("the buyer ends at %d %q: %s", status, to, text)
	}
	again()
	r.is("P1", "authorized 0.00 of 100.00, 0.00 back")
	id := r.stands("P1").ID
	r.want1("captures", "P1", "C1", hundred, http.StatusCreated, "captured")
	r.want1("captures", "P1", "C2", hundred, http.StatusConflict, "not_capturable")
	again()
	r.want1("captures", "P1", "C1", hundred, http.StatusOK, `"id":"`+id+`"`)
	r.want1("captures", "P1", "C1", "1.00", http.StatusUnprocessableEntity, "idempotency_conflict")
	r.want1("captures", "P1", "C2", hundred, http.StatusConflict, "not_capturable")
	r.wait(func() (bool, string) { return r.stands("P1").State == "settled", "it is not settled" })
	r.want1("refunds", "P1", "R1", "40.00", http.StatusCreated, "settled")
	again()
	r.want1("refunds", "P1", "R1", "40.00", http.StatusOK, "settled")
	r.is("P1", "settled 100.00 of 100.00, 40.00 back")
	rows, sums := r.statement()
	if got := strings.Join(rows, ", "); got != "payment P1 100.00-1.80, refund R1 -40.00-0.00" || sums != "60.00-1.80=58.20" {
		t.Errorf("the statement shows %s; %s", got, sums)
	}
	r.want("P1", "acquirer charge 100.00", "acquirer capture 100.00", "acquirer refund 40.00")
	if r.config.Acquirer.Token != token {
		t.Error("the token is another")
	}
	p.end(syscall.SIGTERM)
}

func TestTheSecondAcquirersConnectorIsAnother(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	first, second := r.config.Acquirer, r.config.Acquirers[0]
	if first.URL == second.URL || first.Token == second.Token || first.SettlesFrom == second.SettlesFrom || second.SettlesFrom == "" {
		t.Fatalf("they are alike: %+v, %+v", first, second)
	}
	r.paidHere("P1", hundred)
	r.config.Acquirer = second
	if s := r.stands("P1"); s.Status != http.StatusNotFound {
		t.Errorf("the second knows the first's payments: %+v", s)
	}
	r.paidHere("P1", hundred)
	r.want("P1", "acquirer charge 100.00", "acquirer2 charge 100.00")
	var m struct {
		ID           string
		Capabilities []struct {
			Name, Version string
			Features      []string
		}
	}
	r.get("/acquirer2/.well-known/hub-connector", &m)
	if m.ID != "hubsim-card2" || len(m.Capabilities) != 1 || m.Capabilities[0].Name != "card" || !slices.Contains(m.Capabilities[0].Features, "chargebacks") {
		t.Errorf("its manifest is %+v", m)
	}
}

// TestARefusalOfTheCardConnectorIsGarbledToo plays on what is refused what is played on
// what is done.
func TestARefusalOfTheCardConnectorIsGarbledToo(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	if status, text := r.post("/faults", `{"partner":"`+world.Acquirer+`","fault":"execute_then_garbage","times":1}`); status != http.StatusOK {
		t.Fatalf("arming answers %d %s", status, text)
	}
	r.want1("captures", "NOBODY", "C1", hundred, http.StatusCreated, "502 Bad gatew")
	r.want1("captures", "NOBODY", "C1", hundred, http.StatusNotFound, "payment_not_found")
}
