package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A walletSale is a checkout that a wallet pays.
type walletSale struct {
	buyer  string
	Group  string `json:"order_group"`
	Orders []orderView
	Charge walletCharge
}

type walletCharge struct {
	ID, Status string
	Amount     moneyView
	NextAction struct {
		Type   string
		Wallet *struct {
			Phone  string
			Amount moneyView
			Until  time.Time
		}
	} `json:"next_action"`
	Refusal *struct{ Code, Text string }
}

var phones atomic.Int64

// phone is a number of its own that behaves as its last two digits say.
func phone(ends string) string { return fmt.Sprintf("06%06d%s", phones.Add(1), ends) }

// buyByWallet has a buyer order one of something, paid from a phone.
func (r *rig) buyByWallet(t testing.TB, variant, from string) (s walletSale) {
	t.Helper()
	s.buyer = r.buyer(t)
	basket := r.basket(t, s.buyer, map[string]int{variant: 1})
	body := ordering(basket, r.quote(t, s.buyer, basket))
	body["payment"] = map[string]any{"method": "wallet", "phone": from}
	r.ask(t, req{key: s.buyer, method: "POST", path: "/v1/checkouts", body: body, idem: once()}).into(t, &s)
	if s.Charge.Status != "created" || s.Charge.NextAction.Type != "none" || s.Charge.NextAction.Wallet == nil || s.Charge.NextAction.Wallet.Phone != "+212"+from[1:] {
		t.Fatalf("the charge is %+v", s.Charge)
	}
	return s
}

func (r *rig) walletChargeOf(t testing.TB, s walletSale) walletCharge {
	t.Helper()
	var g struct{ Charge walletCharge }
	r.ask(t, req{key: s.buyer, method: "GET", path: "/v1/order-groups/" + s.Group}).into(t, &g)
	return g.Charge
}

// onPhone does something on a buyer's phone.
func (r *rig) onPhone(t testing.TB, body map[string]any) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(r.sim+"/wallet/phone", "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		t.Fatalf("the phone answers %s to %s", res.Status, b)
	}
}

func (r *rig) walletPaid(t testing.TB, s walletSale) {
	t.Helper()
	r.until(t, "the wallet to pay", func() bool {
		o := r.orderOf(t, s.buyer, s.Orders[0].ID)
		return o.State == "paid" && o.Escrow.State == "funded" && o.Escrow.Held.Equal(s.Charge.Amount)
	})
}

func (r *rig) walletSettled(t testing.TB, s walletSale) {
	t.Helper()
	r.until(t, "the wallet's settlement", func() bool {
		var c struct{ Settled bool }
		r.ask(t, req{key: s.buyer, method: "GET", path: "/v1/charges/" + s.Charge.ID}).into(t, &c)
		return c.Settled
	})
}

// byWallet plays the main job with money of a mobile wallet, approved on the
// phone.
func byWallet(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	from := phone("01")
	sale := r.buyByWallet(t, r.ware(t, s, 3, "100.00").variant, from)
	r.until(t, "the phone to be asked", func() bool { return r.walletChargeOf(t, sale).Status == "accepted" })
	at := "/v1/orders/" + sale.Orders[0].ID
	r.ask(t, req{key: s.key, method: "POST", path: at + "/accept"}).refused(t, 409, "orders.state")
	r.onPhone(t, map[string]any{"phone": from, "pin": "1234"})
	r.walletPaid(t, sale)
	r.moved(t, refOf(sale.Charge.ID), "charge", sale.Charge.Amount)
	r.ask(t, req{key: s.key, method: "POST", path: at + "/accept"}).into(t, nil)
	r.ask(t, req{key: s.key, method: "POST", path: at + "/ship", body: map[string]string{"carrier": "Messagerie exemple", "tracking": "EX-W"}}).into(t, nil)
	r.ask(t, req{key: sale.buyer, method: "POST", path: at + "/receive", idem: once()}).into(t, nil)
	r.walletSettled(t, sale)
	r.isPaidOut(t, s, "94.00") // 100.00 less 5 % and VAT on it
}

// refusedWallets are told why, and ask again with another number.
func refusedWallets(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	w := r.ware(t, s, 9, "200.00")
	for ends, code := range map[string]string{"11": "not_approved", "22": "funds", "33": "limit", "44": "no_wallet"} {
		sale := r.buyByWallet(t, w.variant, phone(ends))
		var c walletCharge
		r.until(t, "the refusal for "+code, func() bool { c = r.walletChargeOf(t, sale); return c.Status == "declined" })
		if c.Refusal == nil || c.Refusal.Code != code || !strings.Contains(c.Refusal.Text, "way") {
			t.Errorf("a phone that ends in %s is refused with %+v, want %s", ends, c.Refusal, code)
		}
		if o := r.orderOf(t, sale.buyer, sale.Orders[0].ID); o.State != "pending_payment" {
			t.Errorf("the order is %s while its buyer may try again", o.State)
		}
		again := req{key: sale.buyer, method: "POST", path: "/v1/charges/" + sale.Charge.ID + "/wallet", body: map[string]string{"phone": "+212" + phone("00")[1:]}, idem: once()}
		stranger := again
		stranger.key, stranger.idem = r.buyer(t), once()
		r.ask(t, stranger).refused(t, 404, "charges.not_found")
		r.ask(t, again).into(t, nil)
		r.ask(t, again).into(t, nil)
		r.walletPaid(t, sale)
		r.moved(t, refOf(sale.Charge.ID)+"-2", "charge", sale.Charge.Amount)
		again.idem = once()
		r.ask(t, again).refused(t, 409, "charges.not_declined")
		r.walletSettled(t, sale)
	}
}

// walletAddresses are those nobody can guess: what comes elsewhere is refused,
// what comes there proves nothing.
func walletAddresses(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	from := phone("01")
	w := r.ware(t, s, 3, "100.00")
	sale := r.buyByWallet(t, w.variant, from)
	r.until(t, "the phone to be asked", func() bool { return r.walletChargeOf(t, sale).Status == "accepted" })
	ref := refOf(sale.Charge.ID)
	token := callbackToken(t, r, ref)
	done := []byte(fmt.Sprintf(`{"amount":"130","currency":"MAD","transactionReference":"MP1","transactionStatus":"completed","requestingOrganisationTransactionReference":%q}`, ref))
	put := func(method, path string, body []byte) answer {
		return r.ask(t, req{method: method, path: path, body: body, media: "application/json"})
	}
	at := "/callbacks/wallet/wallet/" + ref + "/"
	put("PUT", at+token[:len(token)-1]+"x", done).refused(t, 403, "wallet.forged")
	put("PUT", "/callbacks/wallet/wallet/"+ref+"X/"+token, done).refused(t, 403, "wallet.forged")
	put("PUT", "/callbacks/bank/wallet/"+ref+"/"+token, done).refused(t, 404, "charges.no_such_partner")
	put("PUT", at+token, []byte("{")).refused(t, 400, "wallet.unreadable")
	put("PUT", at+token, bytes.ReplaceAll(done, []byte(ref), []byte("CHG1"))).refused(t, 400, "wallet.unreadable")
	for range 3 {
		put("PUT", at+token, done).into(t, nil)
		put("POST", at+token, done).into(t, nil)
	}
	time.Sleep(time.Second)
	if o := r.orderOf(t, sale.buyer, sale.Orders[0].ID); o.State != "pending_payment" || !o.Escrow.Held.IsZero() {
		t.Errorf("a callback alone made the order %s", o.State)
	}
	r.onPhone(t, map[string]any{"phone": from, "decline": true})
	leave := req{key: sale.buyer, method: "POST", path: "/v1/charges/" + sale.Charge.ID + "/give-up", idem: once()}
	r.until(t, "the refusal", func() bool { return r.walletChargeOf(t, sale).Status == "declined" })
	r.ask(t, leave).into(t, nil)
	r.until(t, "the order to end", func() bool { return r.orderOf(t, sale.buyer, sale.Orders[0].ID).State == "expired" })
	if got := r.left(t, w); got != 3 {
		t.Errorf("of a sale that was given up %d are on sale, want 3", got)
	}
	leave.idem = once()
	r.ask(t, leave).refused(t, 409, "charges.not_declined")
}

// callbackToken is that of the address which the provider was given, as the hub
// makes it from its settings.
func callbackToken(t *testing.T, r *rig, ref string) string {
	t.Helper()
	cfg, err := askPartners(t.Context(), strings.TrimPrefix(r.sim, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := cfg.Wallet.open(nil)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(w.CallbackURL("", ref), "/")
	return parts[len(parts)-1]
}

// TestWalletThatMisbehavesTakesOnce plays each fault of the wallets' provider on
// a sale of its own: it ends paid, and the wallet was charged once.
func TestWalletThatMisbehavesTakesOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.seller(t)
	w := r.ware(t, s, 100, "40.00")
	for _, fault := range []string{
		"drop_request", "execute_then_drop", "execute_then_500", "execute_then_garbage", "execute_late", "answer_twice",
		"callback_before_answer", "callbacks_shuffled", "callback_missing", "not_found_then_visible", "same_ref_other_amount",
		"bad_signature", "replayed_callback", "rate_limited", "slow_body", "contradicts_itself",
	} {
		t.Run(fault, func(t *testing.T) {
			r.fault(t, "wallet", fault)
			sale := r.buyByWallet(t, w.variant, phone("00"))
			r.nudged(t, "the sale to be paid", 46*time.Second, 1, "4m", func() bool {
				o := r.orderOf(t, sale.buyer, sale.Orders[0].ID)
				return o.State == "paid" && o.Escrow.State == "funded" && o.Escrow.Held.Equal(sale.Charge.Amount)
			})
			r.moved(t, refOf(sale.Charge.ID), "charge", sale.Charge.Amount)
			if left := r.armed(t); slices.Contains(left, fault) {
				t.Errorf("the provider did not play %s", fault)
			}
			r.walletSettled(t, sale)
		})
	}
	t.Run("what is approved after the window goes back", func(t *testing.T) { r.approvedLate(t, s) })
	r.verify(t)
}

// approvedLate approves on the phone once the order has expired. The goods are on
// sale again, and the money is back in the wallet.
func (r *rig) approvedLate(t *testing.T, seller *shop) {
	w, from := r.ware(t, seller, 1, "70.00"), phone("01")
	sale := r.buyByWallet(t, w.variant, from)
	r.until(t, "the phone to be asked", func() bool { return r.walletChargeOf(t, sale).Status == "accepted" })
	r.advance(t, "31m")
	r.until(t, "the order to expire", func() bool { return r.orderOf(t, sale.buyer, sale.Orders[0].ID).State == "expired" })
	if got := r.left(t, w); got != 1 {
		t.Errorf("after the window %d are on sale, want 1", got)
	}
	r.onPhone(t, map[string]any{"phone": from, "pin": "1234"})
	var v struct{ Refunds []refundView }
	r.until(t, "the money to be back", func() bool {
		r.ask(t, req{key: sale.buyer, method: "GET", path: "/v1/charges/" + sale.Charge.ID}).into(t, &v)
		return len(v.Refunds) == 1 && v.Refunds[0].State == "confirmed"
	})
	r.moved(t, refOf(sale.Charge.ID), "charge", sale.Charge.Amount)
	r.moved(t, refOf(v.Refunds[0].ID), "refund", sale.Charge.Amount)
}

// TestWalletThatMisbehavesGivesBackOnce plays each fault of the provider on a
// refund of its own: it ends confirmed, and the wallet got it once.
func TestWalletThatMisbehavesGivesBackOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.seller(t)
	w := r.ware(t, s, 100, "40.00")
	for _, ends := range []string{"00", "66"} { // the payment is undone; or the phone is paid
		for _, fault := range []string{
			"", "drop_request", "execute_then_drop", "execute_then_500", "execute_then_garbage", "execute_late", "answer_twice",
			"callback_missing", "not_found_then_visible", "rate_limited", "slow_body", "contradicts_itself",
		} {
			t.Run(ends+" "+fault, func(t *testing.T) {
				sale := r.buyByWallet(t, w.variant, phone(ends))
				r.walletPaid(t, sale)
				r.walletSettled(t, sale)
				if fault != "" {
					r.fault(t, "wallet", fault)
				}
				v := r.givenBack(t, s, sale)
				r.nudged(t, "the refund "+v.ID, 46*time.Second, 1, "4m", func() bool { return r.refundOf(t, sale.buyer, v.ID).State == "confirmed" })
				ref := refOf(v.ID)
				if ends == "66" {
					ref += "-2"
				}
				r.moved(t, ref, "refund", v.Amount)
				if ends == "66" && len(r.truth(t, refOf(v.ID))) != 0 {
					t.Errorf("it was undone as well: %v", r.truth(t, refOf(v.ID)))
				}
				if left := r.armed(t); fault != "" && slices.Contains(left, fault) {
					t.Errorf("the provider did not play %s", fault)
				}
			})
		}
	}
	t.Run("a closed wallet's refund goes to the buyer's account", func(t *testing.T) {
		r.earn(t, s, "500.00") // the clients' account can pay
		sale := r.buyByWallet(t, w.variant, phone("77"))
		r.walletPaid(t, sale)
		r.walletSettled(t, sale)
		v := r.givenBack(t, s, sale)
		r.until(t, "the wallet to refuse "+v.ID, func() bool { v = r.refundOf(t, sale.buyer, v.ID); return v.State == "awaiting_rib" })
		r.ask(t, req{key: sale.buyer, method: "POST", path: "/v1/refunds/" + v.ID + "/account", body: map[string]string{"rib": "011519000001205000534921"}, idem: once()}).into(t, nil)
		r.advance(t, "3s")
		r.until(t, "the transfer", func() bool {
			v = r.refundOf(t, sale.buyer, v.ID)
			return v.State == "confirmed" && v.Rail == "transfer"
		})
		r.moved(t, refOf(v.ID)+"-3", "refund", v.Amount)
	})
	r.until(t, "the wallet to owe nothing", func() bool {
		var a struct{ Balance moneyView }
		r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/ledger/accounts/psp:wallet:clearing"}).into(t, &a)
		return a.Balance.IsZero()
	})
	r.verify(t)
}

// givenBack has the seller give a part of a sale back.
func (r *rig) givenBack(t *testing.T, s *shop, sale walletSale) (v refundView) {
	t.Helper()
	at := "/v1/orders/" + sale.Orders[0].ID
	r.ask(t, req{key: s.key, method: "POST", path: at + "/accept"}).into(t, nil)
	r.ask(t, req{key: s.key, method: "POST", path: at + "/ship", body: map[string]string{"carrier": "Messagerie exemple", "tracking": "EX-W"}}).into(t, nil)
	r.ask(t, req{key: s.key, method: "POST", path: at + "/refunds", body: map[string]any{"amount": dirhams("15.00"), "reason": "Un pot est cassé."}, idem: once()}).into(t, &v)
	if v.Rail != "wallet" {
		t.Errorf("the refund goes by %s", v.Rail)
	}
	return v
}
