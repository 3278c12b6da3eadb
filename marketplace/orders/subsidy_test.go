package orders_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/promotions"
	"tiwiza/payments/charges"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

func dirhams(amount string) string { return fmt.Sprintf(`{"amount":%q,"currency":"MAD"}`, amount) }

// helps has the market take an amount off.
func (h *hub) helps(code, amount, budget, more string) (promotion string) {
	h.t.Helper()
	return h.promote(h.boss, code, `"paid_by":"market","kind":"amount","amount":`+dirhams(amount)+`,"budget":`+dirhams(budget)+more)
}

// markets is the market's promotion as the operator sees it.
func (h *hub) markets(promotion string) promotions.View {
	h.t.Helper()
	var p struct{ Data []promotions.View }
	h.want(200, &p, h.boss, "GET", "/v1/promotions?paid_by=market&ended=true", "")
	for _, v := range p.Data {
		if v.ID == promotion {
			return v
		}
	}
	h.t.Fatalf("%s is not among %+v", promotion, p.Data)
	return promotions.View{}
}

func (h *hub) grant(me auth.Key, centimes int64, until time.Duration) (promotion, code string) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) (err error) {
		promotion, code, err = h.offs.Grant(h.t.Context(), tx, promotions.Gift{
			Person: h.who(me).Subject, Amount: centimes, Names: map[string]string{"fr": "Bon (exemple)"}, Until: tx.Now().Add(until), MadeFor: "exm_1",
		})
		return err
	}))
	return promotion, code
}

// told are the events of a promotion, in their order.
func (h *hub) told(promotion string) string {
	h.t.Helper()
	all, err := pg.Column[string](h.t.Context(), h.db, `select type from platform.event where subject = $1 order by seq`, promotion)
	must(h.t, err)
	return strings.ReplaceAll(strings.Join(all, " "), "promotions.", "")
}

func (h *hub) checksOut(key auth.Key, basket string, q quote, method string) (c checkout) {
	h.t.Helper()
	h.want(201, &c, key, "POST", "/v1/checkouts", strings.Replace(order(basket, q.Hash), `"method":"card"`, fmt.Sprintf(`"method":%q`, method), 1), basket)
	return c
}

// TestTheMarketPaysWhatBuyersDoNot has a seller and the market take something off
// the same goods: the seller gets what it asked for, and the buyer pays the rest.
func TestTheMarketPaysWhatBuyersDoNot(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a := h.buyer(), h.shop("100.00", 99, "")
	h.promote(a.key, "", `"kind":"percent","percent":"10"`)
	promotion := h.helps("", "25.00", "100.00", "")
	basket := h.fill(me, 2, a)
	q := h.quotedBy(me, basket)
	if got := q.Totals; got.Discount.Amount() != "45.00" || got.MarketPays.Amount() != "25.00" || got.Total.Amount() != "185.00" {
		t.Fatalf("totals %+v", got)
	}
	if len(q.Discounts) != 2 || q.Discounts[0].PaidBy != promotions.Seller || q.Discounts[1].PaidBy != promotions.Market || q.Lines[0].MarketPays.Amount() != "25.00" {
		t.Errorf("%+v of %+v", q.Discounts, q.Lines)
	}
	c := h.checksOut(me, basket, q, "card")
	h.pay(c)
	o := c.ids()[0]
	at := "/v1/orders/" + o
	if v := h.markets(promotion); v.Spent.Amount() != "25.00" || *v.Used != 1 {
		t.Errorf("it says %+v", v)
	}
	h.want(200, nil, a.key, "POST", at+"/accept", "")
	h.want(200, nil, a.key, "POST", at+"/ship", shipping)
	h.want(200, nil, me, "POST", at+"/receive", "", o)
	h.deliver()
	// Of 180.00 the market takes 9.00 and the VAT on it, 1.80.
	for account, want := range map[string]int64{
		"seller:" + a.id + ":available": 16920, "fees": 900, "payable:vat": 180, "payable:carrier:demo": 3000, "promotions": 2500, "bank:bank:transit": 2500, "bank:bank:operating": -2500,
	} {
		if got := h.balance(account); got != want {
			t.Errorf("%s has %d, want %d", account, got, want)
		}
	}
	v := h.invoice(o)
	if v.Total.Amount() != "210.00" || v.MarketPays.Amount() != "25.00" || v.BuyerPays.Amount() != "185.00" || v.Lines[0].Discount.Amount() != "20.00" || v.Lines[0].Total.Amount() != "180.00" {
		t.Errorf("the invoice is %+v", v)
	}
	if got := h.show(me, o); got.Totals.MarketPays.Amount() != "25.00" || got.Lines[0].MarketPays.Amount() != "25.00" {
		t.Errorf("the order says %+v", got.Totals)
	}
	h.capital()
	h.sound()
	// All of it back: the buyer has what it paid, and the market what it added.
	h.want(201, nil, h.boss, "POST", at+"/refunds", `{"amount":`+dirhams("185.00")+`,"reason":"exemple","delivery":true}`, fresh())
	h.deliver()
	for account, want := range map[string]int64{"seller:" + a.id + ":available": 0, "promotions": 0, "fees": 0} {
		if got := h.balance(account); got != want {
			t.Errorf("after all went back %s has %d, want %d", account, got, want)
		}
	}
	if v := h.invoice(o); len(v.CreditNotes) != 1 || v.CreditNotes[0].Total.Amount() != "210.00" {
		t.Errorf("credited: %+v", v.CreditNotes)
	}
}

// capital has the operator pay in what the market adds.
func (h *hub) capital() {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		return ledger.New(h.db).Post(h.t.Context(), tx, ledger.Transfer{Key: "capital", Kind: "capital", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Operating("bank"), 100_000_00), ledger.Credit(ledger.Capital, 100_000_00),
		}})
	}))
}

// One of two articles comes back after the release: the buyer gets what it paid
// for it, and the market half of what it added.
func TestAReturnTakesTheMarketsPartOfItsGoods(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a := h.buyer(), h.shop("50.00", 99, "")
	h.helps("", "20.00", "100.00", "")
	c := h.home(me, 2, a)
	o := c.ids()[0]
	r := h.sendBack(me, a, o, 1, "withdrawal")
	if r.Amount.Amount() != "40.00" {
		t.Errorf("what is sent back cost %s, want 40.00", r.Amount)
	}
	h.turn(me, r.ID, "send", parcel)
	h.turn(a.key, r.ID, "receive", "{}")
	h.deliver()
	h.went("40.00 return " + r.ID)
	v := h.invoice(o)
	if len(v.CreditNotes) != 1 || v.CreditNotes[0].Total.Amount() != "50.00" {
		t.Errorf("credited: %+v, want the article's whole price", v.CreditNotes)
	}
	h.want(200, nil, me, "POST", "/v1/orders/"+o+"/receive", "", o)
	h.deliver()
	// Of 100.00 half is left: 50.00 less 2.50 and VAT on that of 0.50.
	if got := h.balance("seller:" + a.id + ":available"); got != 4700 {
		t.Errorf("the seller has %d, want 4700", got)
	}
	if got := h.balance("promotions"); got != 1000 {
		t.Errorf("the market paid %d, want 1000", got)
	}
}

// TestRule3_7TwoHundredAtOnceSpendABudgetExactly has all quotes given before
// anybody orders.
func TestRule3_7TwoHundredAtOnceSpendABudgetExactly(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a := h.shop("100.00", 999, "")
	promotion := h.helps("AIDE", "20.00", "310.00", "") // fifteen times, and something is left
	type try struct {
		key          auth.Key
		basket, hash string
	}
	var tries []try
	for range 40 {
		key := h.buyer()
		for range 5 {
			b := h.fill(key, 1, a)
			tries = append(tries, try{key, b, h.quotedBy(key, b, "AIDE").Hash})
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	got, made := map[string]int{}, []checkout{}
	for _, x := range tries {
		wg.Go(func() {
			w := h.ask(x.key, "POST", "/v1/checkouts", order(x.basket, x.hash), x.basket)
			var p problem
			_ = json.Unmarshal(w.Body.Bytes(), &p)
			mu.Lock()
			defer mu.Unlock()
			got[fmt.Sprint(w.Code, " ", p.Code)]++
			if w.Code == 201 {
				var c checkout
				must(t, json.Unmarshal(w.Body.Bytes(), &c))
				made = append(made, c)
			}
		})
	}
	wg.Wait()
	if got["201 "] != 15 || got["409 promotions.used_up"]+got["409 orders.quote_changed"] != 185 {
		t.Errorf("200 at once: %v, want 15 orders and 185 told to look again", got)
	}
	if v := h.markets(promotion); v.Spent.Amount() != "300.00" || *v.Used != 15 {
		t.Errorf("it says %+v", v)
	}
	for _, sql := range []string{`update promotions.promotion set spent = 31001`, `update promotions.promotion set spent = -1`, `update promotions.promotion set agreed_at = null`} {
		if _, err := h.db.Exec(t.Context(), sql); pg.Code(err) != "23514" {
			t.Errorf("%s: %v, want the database to refuse it", sql, err)
		}
	}
	// What ends unpaid gives its part of the budget back, once.
	for range 2 {
		for _, c := range made[:10] {
			h.tell(charges.Lapsed{Charge: c.Charge.ID, Group: c.Group, Orders: c.ids()})
		}
	}
	if v := h.markets(promotion); v.Spent.Amount() != "100.00" || *v.Used != 5 {
		t.Errorf("after ten have ended unpaid it says %+v", v)
	}
	me := h.buyer()
	if q := h.quotedBy(me, h.fill(me, 1, a), "AIDE"); q.Totals.MarketPays.Amount() != "20.00" {
		t.Errorf("%s is taken off again, want 20.00", q.Totals.MarketPays)
	}
}

// Who works for a seller has the market pay nothing to it: neither by a code of
// everybody's nor by an own.
func TestTheMarketPaysNothingForOwnGoods(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a, b := h.buyer(), h.shop("90.00", 99, ""), h.shop("80.00", 99, "")
	h.helps("AIDE", "20.00", "900.00", "")
	if q := h.quotedBy(me, h.fill(me, 1, a), "AIDE"); q.Totals.MarketPays.Amount() != "20.00" {
		t.Errorf("a stranger: %+v", q.Totals)
	}
	must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) error { return h.members.Join(t.Context(), tx, h.who(me).Subject, a.id, "member") }))
	_, own := h.grant(me, 5000, 48*time.Hour)
	for _, code := range []string{"AIDE", own} {
		q := h.quotedBy(me, h.fill(me, 1, a), code)
		if !q.Totals.MarketPays.IsZero() || fmt.Sprint(problems(q)) != "[/codes/0 code_own_goods]" {
			t.Errorf("own goods by %s: %+v, %v", code, q.Totals, problems(q))
		}
	}
	if q := h.quotedBy(me, h.fill(me, 1, a, b), "AIDE"); q.Totals.MarketPays.Amount() != "20.00" || q.Discounts[0].Seller.ID != b.id {
		t.Errorf("beside another's goods: %+v", q.Discounts)
	}
}

// A person's own is used once, by that person, for the parcel of which it takes
// most; and comes back when the order ends unpaid.
func TestAGrantIsOnePersonsOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, other, a, b := h.buyer(), h.buyer(), h.shop("20.00", 99, ""), h.shop("90.00", 99, "")
	promotion, code := h.grant(me, 5000, 48*time.Hour)
	if got := problems(h.quotedBy(other, h.fill(other, 1, b), code)); fmt.Sprint(got) != "[/codes/0 code_unknown]" {
		t.Errorf("another's own: %v", got)
	}
	small := h.quotedBy(me, h.fill(me, 1, a), code)
	if left := 50_00 - small.Totals.MarketPays.Centimes(); fmt.Sprint(problems(small)) != "[/codes/0 code_rest_lost]" || small.Problems[0].Blocking || !strings.Contains(small.Problems[0].Detail, money.Dirhams(left).String()) {
		t.Errorf("an order of less than it is worth: %+v", small.Problems)
	}
	basket := h.fill(me, 1, a, b)
	q := h.quotedBy(me, basket, strings.ToLower(code))
	if len(q.Discounts) != 1 || q.Discounts[0].Seller.ID != b.id || q.Totals.MarketPays.Amount() != "50.00" || len(q.Problems) != 0 {
		t.Fatalf("of two parcels: %+v, %v", q.Discounts, q.Problems)
	}
	c := h.checksOut(me, basket, q, "card")
	if got := problems(h.quotedBy(me, h.fill(me, 1, b), code)); fmt.Sprint(got) != "[/codes/0 code_used_up]" {
		t.Errorf("once more: %v", got)
	}
	revoke := func() error {
		return h.db.InTx(t.Context(), func(tx *pg.Tx) error { return h.offs.Revoke(t.Context(), tx, promotion) })
	}
	if err := revoke(); !errors.Is(err, promotions.ErrUsed) {
		t.Errorf("taking back what is used: %v", err)
	}
	h.moveOn(49 * time.Hour) // its time is over while the order waits
	h.tell(charges.Lapsed{Charge: c.Charge.ID, Group: c.Group, Orders: c.ids()})
	h.moveOn(time.Second)
	if got := h.told(promotion); got != "granted used given_back lapsed" {
		t.Errorf("it tells %q", got)
	}
	must(t, revoke()) // harmless
	var mine struct{ Data []promotions.View }
	h.want(200, &mine, me, "GET", "/v1/promotions?ended=true", "")
	if len(mine.Data) != 1 || mine.Data[0].ID != promotion || mine.Data[0].EndedAt == nil {
		t.Errorf("the buyer sees %+v", mine.Data)
	}
	h.want(200, &mine, other, "GET", "/v1/promotions?ended=true", "")
	if len(mine.Data) != 0 {
		t.Errorf("another sees %+v", mine.Data)
	}
	h.refused(404, "promotions.not_found", "", h.boss, "POST", "/v1/promotions/"+promotion+"/end", "", fresh())
	promotion, code = h.grant(me, 5000, 48*time.Hour)
	must(t, revoke())
	if got := problems(h.quotedBy(me, h.fill(me, 1, b), code)); fmt.Sprint(got) != "[/codes/0 code_unknown]" || h.told(promotion) != "granted lapsed" {
		t.Errorf("taken back: %v, told %q", got, h.told(promotion))
	}
	promotion, _ = h.grant(me, 5000, time.Hour)
	h.moveOn(time.Hour)
	if got := h.told(promotion); got != "granted lapsed" {
		t.Errorf("unused it tells %q", got)
	}
	for _, bad := range []promotions.Gift{{Amount: 1}, {Person: "per_x"}, {Person: "per_x", Amount: -5}, {Person: "per_x", Amount: 1 << 50}} {
		bad.Names, bad.Until = map[string]string{"fr": "x"}, time.Now().Add(30*24*time.Hour)
		if err := h.db.InTx(t.Context(), func(tx *pg.Tx) error { _, _, err := h.offs.Grant(t.Context(), tx, bad); return err }); !errors.Is(err, promotions.ErrInvalid) {
			t.Errorf("%+v: %v, want ErrInvalid", bad, err)
		}
	}
}

// Twenty at once use a person's own once.
func TestAGrantRacesWithItself(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a := h.buyer(), h.shop("90.00", 99, "")
	promotion, code := h.grant(me, 5000, 48*time.Hour)
	baskets, hashes := make([]string, 20), make([]string, 20)
	for i := range baskets {
		baskets[i] = h.fill(me, 1, a)
		hashes[i] = h.quotedBy(me, baskets[i], code).Hash
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for i, b := range baskets {
		wg.Go(func() {
			if h.ask(me, "POST", "/v1/checkouts", order(b, hashes[i]), b).Code == 201 {
				mu.Lock()
				made++
				mu.Unlock()
			}
		})
	}
	wg.Go(func() { // or it is taken back first
		_ = h.db.InTx(context.WithoutCancel(t.Context()), func(tx *pg.Tx) error { return h.offs.Revoke(t.Context(), tx, promotion) })
	})
	wg.Wait()
	if got := h.told(promotion); made == 1 && got != "granted used" || made == 0 && got != "granted lapsed" || made > 1 {
		t.Errorf("%d orders; it tells %q", made, got)
	}
}

func TestAboveASumTwoDecideWhatTheMarketPays(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a, two := h.buyer(), h.shop("100.00", 99, ""), h.second()
	h.refused(403, "promotions.payer", "", a.key, "POST", "/v1/promotions", helping("X-1", "10.00"), fresh())
	h.refused(422, "promotions.invalid", "/seller", h.boss, "POST", "/v1/promotions", strings.Replace(helping("X-1", "10.00"), `{`, `{"seller":"`+a.id+`",`, 1), fresh())
	h.refused(422, "promotions.invalid", "/budget", h.boss, "POST", "/v1/promotions", strings.Replace(helping("X-1", "10.00"), `"budget"`, `"most"`, 1), fresh())
	h.refused(422, "promotions.invalid", "/budget", a.key, "POST", "/v1/promotions", strings.Replace(helping("X-1", "10.00"), `"market"`, `"seller"`, 1), fresh())
	off := func(code string) string {
		return h.quotedBy(me, h.fill(me, 1, a), code).Totals.MarketPays.Amount()
	}
	ask := func(key auth.Key, code, budget string) (v promotions.View) {
		h.want(201, &v, key, "POST", "/v1/promotions", helping(code, budget), fresh())
		return v
	}
	if v := ask(h.boss, "SEULE", "3000.00"); v.AgreedAt == nil || v.Approval != "" || off("SEULE") != "10.00" {
		t.Errorf("alone: %+v takes %s off", v, off("SEULE"))
	}
	if v := ask(two, "ENCORE", "5000.00"); v.AgreedAt == nil {
		t.Errorf("another person's sum is its own: %+v", v)
	}
	v := ask(h.boss, "DEUX", "2000.01") // the sum of both
	if v.AgreedAt != nil || v.Approval == "" || off("DEUX") != "0.00" {
		t.Fatalf("above the sum: %+v takes %s off", v, off("DEUX"))
	}
	decide := "/v1/approvals/" + v.Approval
	h.refused(403, "approvals.self", "", h.boss, "POST", decide, `{"decision":"approve"}`, fresh())
	h.want(200, nil, two, "POST", decide, `{"decision":"approve"}`, fresh())
	if got := h.markets(v.ID); got.AgreedAt == nil || off("DEUX") != "10.00" {
		t.Errorf("approved it is %+v and takes %s off", got, off("DEUX"))
	}
	no, gone := ask(h.boss, "NON", "9000.00"), ask(h.boss, "PARTI", "9000.00")
	h.want(200, nil, two, "POST", "/v1/approvals/"+no.Approval, `{"decision":"refuse"}`, fresh())
	h.want(200, nil, h.boss, "POST", "/v1/promotions/"+gone.ID+"/end", "", fresh())
	h.refused(409, "approvals.ended", "", two, "POST", "/v1/approvals/"+gone.Approval, `{"decision":"approve"}`, fresh())
	if h.markets(no.ID).EndedAt == nil || off("NON") != "0.00" || off("PARTI") != "0.00" {
		t.Error("what was refused or ended takes something off")
	}
	late := ask(h.boss, "TARD", "9000.00")
	h.moveOn(200 * 24 * time.Hour)
	h.refused(409, "promotions.changed", "", two, "POST", "/v1/approvals/"+late.Approval, `{"decision":"approve"}`, fresh())
	h.refused(404, "promotions.not_found", "", a.key, "GET", "/v1/promotions?paid_by=market", "")
	h.refused(422, "promotions.invalid", "?seller", h.boss, "GET", "/v1/promotions", "")
}

func helping(code, budget string) string {
	now := time.Now()
	return fmt.Sprintf(`{"paid_by":"market","code":%q,"names":{"fr":"Aide (exemple)"},"from":%q,"to":%q,"kind":"amount","amount":%s,"budget":%s}`,
		code, now.AddDate(0, -1, 0).Format(time.DateOnly), now.AddDate(0, 3, 0).Format(time.DateOnly), dirhams("10.00"), dirhams(budget))
}

// TestTheBuyerAlwaysPaysDeliveryAndFees has the market offer more than the goods
// cost.
func TestTheBuyerAlwaysPaysDeliveryAndFees(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a, cheap := h.buyer(), h.shop("10.00", 99, ""), h.shop("0.02", 99, "")
	h.helps("TOUT", "500.00", "1000.00", "")
	q := h.quotedBy(me, h.fill(me, 1, a), "TOUT")
	// 0.50 and VAT of 0.10 are the market's, and one centime is the seller's.
	if q.Totals.MarketPays.Amount() != "9.39" || q.Totals.Total.Amount() != "30.61" {
		t.Errorf("the market pays %s of %s", q.Totals.MarketPays, q.Totals.Total)
	}
	cents := h.shop("0.01", 99, "")
	if got := problems(h.quotedBy(me, h.fill(me, 1, cents), "TOUT")); fmt.Sprint(got) != "[/codes/0 code_no_room]" {
		t.Errorf("of one centime: %v", got)
	}
	if q := h.quotedBy(me, h.fill(me, 1, cheap), "TOUT"); q.Totals.MarketPays.Amount() != "0.01" {
		t.Errorf("of two centimes: %s", q.Totals.MarketPays)
	}
	h.helps("PEU", "60.00", "100.00", "")
	b := h.fill(me, 9, a)
	c := h.checksOut(me, b, h.quotedBy(me, b, "PEU"), "card")
	if c.Orders[0].Totals.MarketPays.Amount() != "60.00" {
		t.Fatalf("%+v", c.Orders[0].Totals)
	}
	// 40.00 of the budget is left: 60.00 is not taken off in part.
	if got := problems(h.quotedBy(me, h.fill(me, 9, a), "PEU")); fmt.Sprint(got) != "[/codes/0 code_used_up]" {
		t.Errorf("with too little left: %v", got)
	}
}

// Cash: the bonus comes with the release, and of what was collected in part a
// part of it.
func TestOfCashTheMarketAddsAtTheRelease(t *testing.T) {
	t.Parallel()
	for cash, want := range map[string]struct {
		bonus, credited string
	}{"110.00": {"20.00", ""}, "55.00": {"10.00", "65.00"}} {
		h := newHub(t)
		me, a := h.buyer(), h.shop("100.00", 9, "")
		h.helps("", "20.00", "100.00", "")
		b := h.fill(me, 1, a)
		c := h.checksOut(me, b, h.quotedBy(me, b), charges.Cash)
		at := h.atTheDoor(me, a, c)
		h.want(200, nil, a.key, "POST", at+"/collect", `{"amount":`+dirhams(cash)+`}`, fresh())
		h.deliver()
		if n := h.balance("promotions"); n != 0 {
			t.Errorf("before the cash was remitted the market added %d", n)
		}
		v := h.invoice(c.ids()[0])
		if got := strings.Trim(fmt.Sprint(creditedSums(v)), "[]"); got != want.credited || v.Total.Amount() != "130.00" {
			t.Errorf("of %s an invoice of %s, credited %q, want %q", cash, v.Total, got, want.credited)
		}
		holds, err := h.escrows.OfOrders(t.Context(), h.db, c.ids())
		must(t, err)
		if got := money.Dirhams(holds[c.ids()[0]].Bonus).Amount(); got != want.bonus {
			t.Errorf("of %s the market adds %s, want %s", cash, got, want.bonus)
		}
		h.sound()
	}
}

func creditedSums(v orders.InvoiceView) (out []string) {
	for _, n := range v.CreditNotes {
		out = append(out, n.Total.Amount())
	}
	return out
}

// anyOffs draws promotions of sellers and of the market.
func anyOffs(t *rapid.T) (all []promotions.Available) {
	for i := range rapid.IntRange(0, 8).Draw(t, "promotions") {
		p := promotions.Promotion{
			ID: fmt.Sprintf("prm_%d", i), Payer: promotions.Seller, Seller: fmt.Sprintf("org_%d", rapid.IntRange(0, 3).Draw(t, "of")),
			Kind: promotions.Amount, Amount: rapid.Int64Range(1, 1e9).Draw(t, "amount"), Since: time.Unix(-1, 0), Until: time.Unix(1, 0),
		}
		if rapid.Bool().Draw(t, "percent") {
			p.Kind, p.Percent = promotions.Percent, decimal.New(rapid.Int64Range(1, 10000).Draw(t, "percents"), -2)
		}
		if rapid.Bool().Draw(t, "total") {
			p.Total = new(rapid.IntRange(1, 2).Draw(t, "uses"))
		}
		if rapid.Bool().Draw(t, "market") {
			p.Payer, p.Seller, p.Budget = promotions.Market, "", new(rapid.Int64Range(1, 3e9).Draw(t, "budget"))
			p.Spent = rapid.Int64Range(0, *p.Budget).Draw(t, "spent")
		}
		all = append(all, promotions.Available{Promotion: p})
	}
	return all
}

// Whatever the market pays, the seller of each parcel has what it would have had
// at its price, what the buyer pays covers everybody else, and no promotion is used
// more often or costs more than it may.
func TestRule3_4WhatTheMarketPaysIsTheSellers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, lines := anyMarket(t)
		m.Offs = anyOffs(t)
		to := orders.Destination{Method: "carrier", Commune: "Fès", Region: "MA-03"}
		q := m.Quote(lines, to)
		plain := m
		plain.Offs = nil
		for _, p := range m.Offs {
			if p.Payer == promotions.Seller {
				plain.Offs = append(plain.Offs, p)
			}
		}
		alone := plain.Quote(lines, to).Split("grp_1", "per_1", m.Fees, m.At)
		uses, cost := map[string]int{}, map[string]int64{}
		var whole, bonus int64
		for i, d := range q.Split("grp_1", "per_1", m.Fees, m.At) {
			want := alone[i].Legs
			want.Seller -= d.Bonus
			if d.Legs != want || d.Legs.Total() != d.Total || d.Total+d.Bonus != alone[i].Total {
				t.Fatalf("legs %+v and a bonus of %d; without it %+v", d.Legs, d.Bonus, alone[i].Legs)
			}
			if d.Bonus < 0 || d.Bonus > 0 && d.Legs.Seller < 1 || d.Bonus > d.Discount {
				t.Fatalf("the market pays %d of %d, and the buyer %+v", d.Bonus, d.Discount, d.Legs)
			}
			payers := map[promotions.Payer]int{}
			for _, off := range d.Offs {
				payers[off.PaidBy]++
				uses[off.Promotion]++
				cost[off.Promotion] += off.Amount.Centimes()
			}
			if payers[promotions.Seller] > 1 || payers[promotions.Market] > 1 || (payers[promotions.Market] == 1) != (d.Bonus > 0) {
				t.Fatalf("%+v are taken off one parcel", d.Offs)
			}
			whole, bonus = whole+d.Total, bonus+d.Bonus
		}
		for _, p := range m.Offs {
			if p.Total != nil && p.Payer == promotions.Market && uses[p.ID] > *p.Total || p.Budget != nil && cost[p.ID] > *p.Budget-p.Spent {
				t.Fatalf("%d uses of %+v cost %d", uses[p.ID], p, cost[p.ID])
			}
		}
		for _, l := range q.Lines {
			if l.MarketPays.Sign() < 0 || l.MarketPays.Cmp(l.Discount) > 0 || l.Discount.Cmp(l.Total) > 0 {
				t.Fatalf("of a line of %s %s is taken off, %s of it the market's", l.Total, l.Discount, l.MarketPays)
			}
		}
		if whole != q.Totals.Total.Centimes() || bonus != q.Totals.MarketPays.Centimes() {
			t.Fatalf("the orders make %d and %d of the market, the quote says %+v", whole, bonus, q.Totals)
		}
	})
}
