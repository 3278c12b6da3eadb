package sim_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
)

// What people post by hand, take back, and close.

// A handed transfer was asked for by a person.
type handed struct {
	ref   string
	legs  []leg
	at    time.Time // when it counts; zero: when it is posted
	state string    // waiting, posted, refused
	back  bool      // was taken back
}

// with is what the transfer does to an account.
func (h *handed) with(account string) (n int64) {
	for _, l := range h.legs {
		if l.account == account {
			n += l.amount
		}
	}
	return n
}

func (h *handed) sum() (n int64) {
	for _, l := range h.legs {
		n += max(0, l.amount)
	}
	return n
}

// mirror is what takes it back.
func (h *handed) mirror() *handed {
	m := &handed{}
	for _, l := range h.legs {
		m.legs = append(m.legs, leg{l.account, -l.amount})
	}
	return m
}

const aDay = 10_000_00 // is what one person moves alone in a day

// hands posts a transfer by hand: one that a person may make alone, one that
// needs another, one that nobody may; now and then the same again, or another of
// its name.
func (m *machine) hands() {
	var h *handed
	if m.roll("again", 5) == 4 {
		h = pick(m, "transfer", m.o.hands, func(*handed) bool { return true })
	}
	if h == nil {
		s := one(m, "whose", m.o.sellers)
		light := []string{"fees", "psp_cost", "dispute_cost"}
		heavy := []string{"loss", "capital", "payable:vat", operating, transit, clearing, payable("demo"), receivable(s)}
		never := []string{"promotions", reserve(s), "escrow:ord_000", "refund:x", "nothing:such"}
		side := func(name string) string {
			switch m.roll(name, 12) {
			case 10:
				return one(m, name, never)
			case 6, 7, 8, 9, 11:
				return one(m, name, heavy)
			}
			return one(m, name, light)
		}
		from, to, n := side("from"), side("to"), m.int64("amount", 1, 3000)
		if m.roll("much", 5) == 4 {
			n = one(m, "how much", []int64{aDay / 2, aDay, aDay + 1})
		}
		h = &handed{ref: fmt.Sprint("by-hand-", m.n), legs: []leg{dr(to, n), cr(from, n)}}
		// What would be refused for two reasons is not played.
		if h.with(receivable(s)) == 0 && m.o.alone[m.o.today()]+n <= aDay && (m.rare("dated") || !m.o.shut.IsZero() && m.bool("dated")) {
			h.at = m.o.now.Add(one(m, "when", []time.Duration{-time.Hour, -day, -3 * day, -6 * day, time.Hour})).Truncate(time.Microsecond)
		}
	} else if m.roll("another of its name", 4) == 3 {
		from, n := "psp_cost", h.sum()/2+1 // which takes as many people
		if two, _ := may(h); two {
			from = "loss"
		}
		h = &handed{ref: h.ref, legs: []leg{dr("fees", n), cr(from, n)}}
	}
	in := ledger.PostInput{Reference: h.ref, Note: "an example"}
	if !h.at.IsZero() {
		in.EffectiveAt = &h.at
	}
	for _, l := range h.legs {
		side := map[bool]string{true: "debit", false: "credit"}[l.amount > 0]
		in.Legs = append(in.Legs, ledger.LegView{Account: l.account, Side: side, Amount: money.Dirhams(max(l.amount, -l.amount))})
	}
	var known *handed
	r := m.post(agent, "/v1/ledger/transfers", in, func() (code string) { known, code = m.o.hand(h); return code })
	if r.code != "" {
		return
	}
	if r.State != known.state || (r.Then != "") != (known.state == "waiting") {
		m.rt.Fatalf("%s is %s, for approval %q; want it %s", m.doing, r.State, r.Then, known.state)
	}
	if known.state == "waiting" {
		m.decided(r.Then, func() string { return m.o.agreed(known) }, func() { known.state = "refused" })
	}
}

// takesBack asks for a transfer by hand to be taken back.
func (m *machine) takesBack() {
	ref := "unheard"
	h := pick(m, "transfer", m.o.hands, func(h *handed) bool { return h.state == "posted" && (!h.back || m.rare("again")) })
	if h != nil {
		ref = h.ref
	}
	r := m.post(agent, "/v1/ledger/reversals", ledger.ReverseInput{Reference: ref, Note: "a mistake"}, func() string { return m.o.backable(h) })
	if r.code == "" {
		m.decided(r.Then, func() string { return m.o.takenBack(h) }, func() {})
	}
}

// shuts closes the books up to a day.
func (m *machine) shuts() {
	upto := m.o.now.In(clock.Morocco).AddDate(0, 0, -m.roll("days", 4))
	d := time.Date(upto.Year(), upto.Month(), upto.Day(), 0, 0, 0, 0, clock.Morocco)
	in := ledger.AskToCloseInput{Upto: d.Format(time.DateOnly), Why: "an example"}
	r := m.post(agent, "/v1/ledger/closings", in, func() string { return m.o.shuttable(d.AddDate(0, 0, 1)) })
	if r.code != "" {
		return
	}
	m.decided(r.Then, func() string { m.o.shut = d.AddDate(0, 0, 1); return "" }, func() {})
	m.balanced()
}

// balanced holds the trial balance of each closed period that is finished
// against what the oracle had then.
func (m *machine) balanced() {
	for more := true; more; {
		var err error
		if more, err = m.hub.books.KeepDays(ctx(m)); err != nil {
			m.rt.Fatal(err)
		}
	}
	for upto, got := range m.pairs(`select upto::text, convert_from(trial, 'utf8') from ledger.closing where trial is not null`, nil) {
		d, err := time.ParseInLocation(time.DateOnly, upto, clock.Morocco)
		m.ok(err)
		met.add("a closed period → its trial balance")
		want, names := m.o.before(d.AddDate(0, 0, 1)), m.names()
		for line := range strings.Lines(got) {
			f := strings.Split(strings.TrimSpace(line), "\t")
			code := f[0]
			if n, ok := names[code]; ok {
				code = n
			}
			if has := money.MustParse(f[2], f[1]).Sub(money.MustParse(f[3], f[1])).Centimes(); has != want[code] {
				m.rt.Fatalf("closed up to %s: %s has %d, the oracle had %d", upto, code, has, want[code])
			}
			delete(want, code)
		}
		if len(want) > 0 {
			m.rt.Fatalf("closed up to %s: the trial balance lacks %v", upto, want)
		}
	}
}

// before is what stood in the accounts by all that counts from before a moment.
func (o *oracle) before(at time.Time) map[string]int64 {
	has := map[string]int64{}
	for _, e := range o.entries {
		if e.at.Before(at) {
			has[e.account] += e.amount
		}
	}
	maps.DeleteFunc(has, func(_ string, n int64) bool { return n == 0 })
	return has
}

func (o *oracle) shuttable(before time.Time) string {
	switch {
	case before.After(o.now):
		return "ledger.not_over"
	case !o.shut.Before(before):
		return "ledger.shut"
	}
	return ""
}

// hand says what a person's transfer is answered, and which it is by then.
func (o *oracle) hand(h *handed) (*handed, string) {
	two, code := may(h)
	if code != "" {
		return nil, code
	}
	known := find(o.hands, func(k *handed) bool { return k.ref == h.ref })
	late := h.at.After(o.now.Add(time.Minute))
	same := known != nil && slices.Equal(known.legs, h.legs) && known.at.Equal(h.at)
	today := o.today()
	switch {
	case two && late:
		return nil, "ledger.future"
	case known != nil && !same:
		return nil, "ledger.reused"
	case known != nil && known.state == "refused":
		return nil, "ledger.turned_down"
	case known != nil && known.state == "posted":
		return known, ""
	case two && o.covered(h) != "":
		return nil, o.covered(h)
	case two && known != nil:
		return known, ""
	case two:
		h.state = "waiting"
		o.hands = append(o.hands, h)
		return h, ""
	case o.alone[today]+h.sum() > aDay:
		return nil, "ledger.day_limit"
	case late:
		return nil, "ledger.future"
	}
	if code := o.enter(h); code != "" {
		return nil, code
	}
	o.alone[today] += h.sum()
	h.state = "posted"
	o.hands = append(o.hands, h)
	return h, ""
}

func (o *oracle) today() string { return o.now.In(clock.Morocco).Format(time.DateOnly) }

// may says whether people may make such a transfer at all, and whether it takes
// two: for all that is not our income and costs, and for much.
func may(h *handed) (two bool, code string) {
	var gain int64
	for _, l := range h.legs {
		switch {
		case strings.HasPrefix(l.account, "nothing:"):
			return false, "ledger.no_account"
		case slices.ContainsFunc([]string{"escrow:", "refund:", "promotions"}, func(p string) bool { return strings.HasPrefix(l.account, p) }),
			strings.HasSuffix(l.account, ":reserve"):
			return false, "ledger.not_by_hand"
		}
		two = two || !slices.Contains([]string{"fees", "psp_cost", "dispute_cost"}, l.account)
		if !h.at.IsZero() && (clients(l.account) > 0 || l.account == operating) {
			return false, "ledger.dated"
		}
		if clients(l.account) != 0 {
			gain += l.amount
		}
	}
	if gain < 0 {
		return false, "ledger.clients_short"
	}
	return two || h.sum() > aDay, ""
}

// covered says what keeps a transfer from taking out of a carrier's account, or
// out of our own, what is not in it, or "".
func (o *oracle) covered(h *handed) string {
	switch n, own := h.with(payable("demo")), -h.with(operating); {
	case n > 0 && -o.bal[payable("demo")] < n:
		return "ledger.clients_short"
	case own > 0 && o.bal[operating] < own:
		return "ledger.overdraft"
	}
	return ""
}

// enter puts a transfer by hand into the books, when they are open for it, and
// no seller would owe less than nothing.
func (o *oracle) enter(h *handed) string {
	at := h.at
	if at.IsZero() {
		at = o.now
	}
	if at.Before(o.shut) {
		return "ledger.closed"
	}
	for _, s := range o.sellers {
		if n := h.with(receivable(s)); n < 0 && o.owes(s)+n < 0 {
			return "ledger.overdraft"
		}
	}
	o.bookAt(at, h.legs...)
	return ""
}

// agreed is the second person's word; what stands in the way undoes it.
func (o *oracle) agreed(h *handed) string {
	if code := o.covered(h); code != "" {
		return code
	}
	if code := o.enter(h); code != "" {
		return code
	}
	h.state = "posted"
	return ""
}

func (o *oracle) backable(h *handed) string {
	switch {
	case h == nil || h.state != "posted":
		return "ledger.no_transfer"
	case h.back:
		return "ledger.taken_back"
	}
	if _, code := may(h.mirror()); code != "" {
		return code
	}
	return o.covered(h.mirror())
}

func (o *oracle) takenBack(h *handed) string {
	if code := o.backable(h); code != "" {
		return code
	}
	if code := o.enter(h.mirror()); code != "" {
		return code
	}
	h.back = true
	return ""
}
