package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// partnersView is GET /v1/partners as these tests read it.
type partnersSeen struct {
	Data []struct {
		ID      string
		Breaker map[string]string
		Paused  *struct{ Reason string }
		Strip   []int
		Lanes   []struct {
			Class, Breaker, Reason string
			Since                  time.Time
			Errors                 []struct{ Text string }
		}
	}
}

func (r *rig) breakerOf(t testing.TB, partner, class string) string {
	t.Helper()
	var v partnersSeen
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/partners"}).into(t, &v)
	for _, p := range v.Data {
		if p.ID == partner {
			return p.Breaker[class]
		}
	}
	return "none"
}

// away has a partner hang up on whoever calls, until it is told not to.
func (r *rig) away(t testing.TB, partner string, times int) {
	t.Helper()
	r.partner(t, "POST", "/faults", map[string]any{"partner": partner, "fault": "away", "times": times}, nil)
}

// TestChargesGoToTheAcquirerThatAnswers has the first acquirer go away and come
// back: its breaker is seen to open and close, and what is sold meanwhile is
// paid, settled and given back at the second.
func TestChargesGoToTheAcquirerThatAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	op := r.operator()
	s := r.seller(t)
	w := r.ware(t, s, 20, "50.00")
	// At once what takes a minute in earnest.
	var tuned struct {
		Now struct {
			Ping     int `json:"ping_s"`
			Deadline int `json:"deadline_ms"`
		}
	}
	for _, class := range []string{"pay", "query"} {
		r.ask(t, req{key: op, method: "POST", path: "/v1/partners/acquirer/lanes/" + class, idem: once(), body: map[string]int{
			"ping_s": map[string]int{"pay": 1}[class], "cooldown_s": 1, "retries": map[string]int{"query": -1}[class],
		}}).into(t, &tuned)
	}
	handed := r.checkout(t, r.buyer(t), map[string]int{w.variant: 1})
	if !strings.Contains(handed.Charge.NextAction.URL, "/acquirer/") {
		t.Fatalf("while all are well a buyer is sent to %s", handed.Charge.NextAction.URL)
	}
	r.away(t, "acquirer", 100_000)
	r.until(t, "the breaker to open", func() bool { return r.breakerOf(t, "acquirer", "pay") != "closed" })
	if got := r.breakerOf(t, "acquirer2", "pay"); got != "closed" {
		t.Errorf("the second acquirer's breaker is %s", got)
	}

	t.Run("a new charge goes to the second", func(t *testing.T) {
		var sale sale
		r.until(t, "a buyer to be sent to the second", func() bool { // between two trials it may be the first's turn
			sale = r.checkout(t, r.buyer(t), map[string]int{w.variant: 1})
			return strings.Contains(sale.Charge.NextAction.URL, "/acquirer2/")
		})
		r.payBy(t, sale, goodCard)
		r.paid(t, sale)
		r.captured(t, sale)
		if got := r.truth(t, refOf(sale.Charge.ID))[0].Partner; got != "acquirer2" {
			t.Errorf("it was executed by %s", got)
		}
		if all := r.shows(t, op, "/v1/operations?subject="+sale.Charge.ID); !strings.Contains(all, "taken to acquirer2: it was not sent there: it does not answer") {
			t.Errorf("its story does not say why: %s", all)
		}
		r.until(t, "the second acquirer's settlement", func() bool {
			var c struct{ Settled bool }
			r.ask(t, req{key: op, method: "GET", path: "/v1/charges/" + sale.Charge.ID}).into(t, &c)
			return c.Settled
		})
		r.shipped(t, sale, s)
		var v refundView
		r.ask(t, refunding(sale, s.key, "5.00")).into(t, &v)
		r.nudged(t, "the refund by the second", 2*time.Minute, 1, "1s", func() bool { return r.refundOf(t, sale.buyer, v.ID).State == "confirmed" })
		if !slices.ContainsFunc(r.truth(t, refOf(sale.Charge.ID)), func(e executed) bool { return e.Partner == "acquirer2" && e.Kind == "refund" }) {
			t.Errorf("the refund was not executed by the second: %v", r.truth(t, refOf(sale.Charge.ID)))
		}
	})

	t.Run("one whose page was handed out goes on, and is charged once", func(t *testing.T) {
		var page struct {
			Charge struct {
				NextAction struct {
					URL    string
					Fields map[string]string
				} `json:"next_action"`
			}
		}
		r.nudged(t, "the charge to go on", 50*time.Second, 1, "1s", func() bool {
			r.ask(t, req{key: handed.buyer, method: "GET", path: "/v1/order-groups/" + handed.Group}).into(t, &page)
			return strings.Contains(page.Charge.NextAction.URL, "/acquirer2/")
		})
		r.away(t, "acquirer", 0)
		if err := r.pay(t.Context(), page.Charge.NextAction.URL, page.Charge.NextAction.Fields, goodCard); err != nil {
			t.Fatal(err)
		}
		r.payBy(t, handed, goodCard) // the first page was still open
		r.paid(t, handed)
		r.nudged(t, "the second payment to be let go", 2*time.Minute, 1, "1s", func() bool {
			return slices.ContainsFunc(r.truth(t, refOf(handed.Charge.ID)), func(e executed) bool { return e.Partner == "acquirer" && e.Kind == "void" })
		})
		r.captured(t, handed) // once
	})

	r.until(t, "the breaker to close", func() bool { return r.breakerOf(t, "acquirer", "pay") == "closed" })
	var changes struct {
		Data []struct{ Change, Class, Reason string }
	}
	r.ask(t, req{key: op, method: "GET", path: "/v1/partners/acquirer/changes?limit=100"}).into(t, &changes)
	if n := len(changes.Data); n < 4 || changes.Data[0].Change != "closed" || changes.Data[n-1].Change != "tuned" ||
		!slices.ContainsFunc(changes.Data, func(c struct{ Change, Class, Reason string }) bool { return c.Change == "opened" && c.Reason != "" }) {
		t.Errorf("what happened to it is told as %+v", changes.Data)
	}
	if events := r.shows(t, op, "/v1/events?limit=100"); !strings.Contains(events, "charges.moved") {
		t.Log("the events of the way are further back")
	}

	t.Run("people stop and try a partner", func(t *testing.T) {
		r.ask(t, req{key: op, method: "POST", path: "/v1/partners/acquirer/lanes/pause", idem: once(), body: reason("Maintenance")}).into(t, nil)
		if sale := r.checkout(t, r.buyer(t), map[string]int{w.variant: 1}); !strings.Contains(sale.Charge.NextAction.URL, "/acquirer2/") {
			t.Errorf("while the first is paused a buyer is sent to %s", sale.Charge.NextAction.URL)
		}
		var test struct {
			Answers bool
			Said    string
		}
		r.ask(t, req{key: op, method: "POST", path: "/v1/partners/acquirer/lanes/test"}).into(t, &test)
		if !test.Answers {
			t.Errorf("a test is answered: %+v", test)
		}
		r.ask(t, req{key: op, method: "POST", path: "/v1/partners/acquirer/lanes/resume", idem: once()}).into(t, nil)
		if sale := r.checkout(t, r.buyer(t), map[string]int{w.variant: 1}); !strings.Contains(sale.Charge.NextAction.URL, "/acquirer/") {
			t.Errorf("once it goes on a buyer is sent to %s", sale.Charge.NextAction.URL)
		}
		r.shows(t, op, "/v1/partners/acquirer/lanes")
		if a := r.ask(t, req{key: s.key, method: "POST", path: "/v1/partners/acquirer/lanes/pause", idem: once(), body: reason("x")}); a.status != 403 {
			t.Errorf("a seller who stops a partner is answered %d", a.status)
		}
	})
	r.verify(t)
}
