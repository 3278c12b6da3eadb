package charges_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/wallet"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// phones are a small provider of wallets in memory: a callback is JSON with a
// state.
type phones struct {
	mu      sync.Mutex
	by      map[string]*asked // by our reference
	down    bool              // it cannot be reached
	lost    bool              // its answers are
	stuck   bool              // it undoes nothing
	closed  bool              // and pays to no phone
	undone  int
	paidOut int
}

type asked struct {
	amount money.Money
	phone  string
	state  wallet.State
	code   string
}

func (p *phones) Merchant() string { return "600001" }

func (p *phones) take(ref, phone string, m money.Money, state wallet.State, code string) outbound.Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return outbound.Result{Outcome: outbound.NotSent}
	}
	if p.by[ref] == nil {
		p.by[ref] = &asked{m, phone, state, code}
	}
	if p.lost {
		return outbound.Result{Outcome: outbound.Unknown}
	}
	return p.by[ref].says(ref).Result
}

func (a *asked) says(ref string) wallet.Status {
	s := wallet.Status{State: a.state, Amount: &a.amount, Result: outbound.Result{PartnerID: "MP-" + ref}}
	switch a.state {
	case wallet.Pending:
		s.Outcome = outbound.Accepted
	case wallet.Completed:
		s.Outcome = outbound.Succeeded
	default:
		s.Outcome, s.Code = outbound.Declined, a.code
	}
	return s
}

func (p *phones) Ask(_ context.Context, n wallet.Payment) outbound.Result {
	return p.take(n.Ref, n.Phone, n.Amount, wallet.Pending, "")
}

func (p *phones) Reverse(_ context.Context, f wallet.Refund) outbound.Result {
	if p.stuck {
		return p.take(f.Ref, f.Phone, f.Amount, wallet.Failed, "incorrectState")
	}
	p.undone++
	return p.take(f.Ref, f.Phone, f.Amount, wallet.Completed, "")
}

func (p *phones) Pay(_ context.Context, f wallet.Refund) outbound.Result {
	if p.closed {
		return p.take(f.Ref, f.Phone, f.Amount, wallet.Failed, "identifierError")
	}
	p.paidOut++
	return p.take(f.Ref, f.Phone, f.Amount, wallet.Completed, "")
}

func (p *phones) Query(_ context.Context, ref, _ string) wallet.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch a := p.by[ref]; {
	case p.down:
		return wallet.Status{State: wallet.None, Result: outbound.Result{Outcome: outbound.NotSent}}
	case p.lost:
		return wallet.Status{State: wallet.None, Result: outbound.Result{Outcome: outbound.Unknown}}
	case a == nil:
		return wallet.Status{State: wallet.None, Result: outbound.Result{Outcome: outbound.NotFound}}
	default:
		return a.says(ref)
	}
}

func (p *phones) Notice(c wallet.Callback) (n wallet.Notice, err error) {
	if json.Unmarshal(c.Body, &n) != nil {
		return n, wallet.ErrUnreadable
	}
	n.EventID, n.Raw = string(c.Body), c.Body
	return n, nil
}

func (p *phones) Refusal(code string) wallet.Refusal {
	if code == "insufficientFunds" {
		return wallet.Funds
	}
	return wallet.Other
}

// answer has the owner of a phone answer a request.
func (p *phones) answer(ref string, s wallet.State, code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by[ref].state, p.by[ref].code = s, code
}

func (p *phones) tell(change func(p *phones)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *phones) has(ref string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.by[ref] != nil
}

// pending is a sale of 115.00 that its owner has been asked for.
func (h *hub) pending() (c charges.Receipt, orders []string, ref string) {
	h.t.Helper()
	c, orders = h.order(charges.Wallet, 7500, 4000)
	if c.State != charges.Created || c.NextAction.Wallet == nil || c.NextAction.Wallet.Amount.Amount() != "115.00" {
		h.t.Fatalf("the receipt is %+v", c)
	}
	h.becomes(c.ID, charges.Accepted)
	return c, orders, charges.RefOf(c.ID)
}

// called sends a callback to the address of a request.
func (h *hub) called(ref, token, body string) error {
	_, err := h.charges.WalletCallback(h.t.Context(), charges.WalletCallbackInput{Partner: "wal", Ref: ref, Token: token, Body: rest.Raw{Bytes: []byte(body)}})
	return err
}

func (h *hub) token(ref string) string {
	u := wallet.New("wal", h.phones, wallet.Options{Key: "secret"}).CallbackURL("", ref)
	return u[strings.LastIndexByte(u, '/')+1:]
}

func (h *hub) settleWallet(ref string) error {
	return h.tx(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.charges.Settle(ctx, tx, "wal", ref, 11500, money.MAD)
		return err
	})
}

// anew asks for a declined charge again.
func (h *hub) anew(charge, phone string) error {
	return h.tx(buyer, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.charges.Anew(ctx, tx, charges.AnewInput{Charge: charge, Phone: phone})
		return err
	})
}

// refundsAre waits until the refunds of a charge are all in a state, and gives
// the last one.
func (h *hub) refundsAre(charge string, n int, want charges.RefundState) (last string) {
	h.t.Helper()
	var got []string
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(15 * time.Millisecond) {
		var err error
		got, err = pg.Column[string](h.t.Context(), h.db, `select id from charges.refund where charge = $1 and state = $2 order by id`, charge, want)
		h.must(err)
		if len(got) == n {
			return got[n-1]
		}
		h.fire()
	}
	h.t.Fatalf("%d refunds are %s, want %d", len(got), want, n)
	return ""
}

func TestAWalletPaysWhenItsProviderSaysSo(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders, ref := h.pending()
	if err := h.called(ref, h.token(ref)[1:]+"x", `{"State":"completed"}`); !errors.Is(err, wallet.ErrForged) {
		t.Errorf("at another address: %v", err)
	}
	if err := h.called(ref, h.token(ref), `{"Ref":"CHG1"}`); !errors.Is(err, wallet.ErrUnreadable) {
		t.Errorf("about another request: %v", err)
	}
	h.must(h.called(ref, h.token(ref), `{"State":"completed"}`))
	h.fire()
	if got := h.state(c.ID); got != charges.Accepted {
		t.Fatalf("a callback alone made the charge %s", got)
	}
	h.has("psp:wal:clearing", 0)
	h.phones.answer(ref, wallet.Completed, "")
	h.must(h.called(ref, h.token(ref), `{"State":"completed","Code":"2"}`))
	h.becomes(c.ID, charges.Confirmed)
	for range 2 {
		h.must(h.called(ref, h.token(ref), `{"State":"failed"}`))
	}
	h.fire()
	h.has("psp:wal:clearing", 11500)
	h.holdIs(orders[0], escrow.Funded)
	h.must(h.settleWallet(ref))
	if err := h.settleWallet(ref); !errors.Is(err, charges.ErrSettled) || !h.settled(c.ID) {
		t.Errorf("settled again: %v", err)
	}
	h.safe()
}

func TestARefusedWalletIsAskedAnewAndASurplusGoesBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, _, ref := h.pending()
	if err := h.anew(c.ID, ""); !errors.Is(err, charges.ErrNotDeclined) {
		t.Errorf("asked anew while it is asked: %v", err)
	}
	h.phones.answer(ref, wallet.Failed, "insufficientFunds")
	h.becomes(c.ID, charges.Declined)
	v, err := h.charges.Show(auth.With(t.Context(), buyer), charges.ShowInput{Charge: c.ID})
	h.must(err)
	if v.Refusal == nil || v.Refusal.Code != wallet.Funds || v.Refusal.Text == "" {
		t.Errorf("the refusal is %+v", v.Refusal)
	}
	h.must(h.anew(c.ID, "+212611111111"))
	if err := h.anew(c.ID, ""); !errors.Is(err, charges.ErrNotDeclined) {
		t.Errorf("asked anew twice: %v", err)
	}
	h.becomes(c.ID, charges.Accepted)
	h.phones.answer(ref+"-2", wallet.Completed, "")
	h.becomes(c.ID, charges.Confirmed)
	h.must(h.settleWallet(ref + "-2"))
	h.must(h.settleWallet(ref)) // the first one, refused, was paid all the same
	h.phones.answer(ref, wallet.Completed, "")
	rid := h.refundsAre(c.ID, 1, charges.RefundConfirmed)
	if got := h.phones.by[charges.RefOf(rid)].phone; got != "+212600000000" {
		t.Errorf("the surplus went to %s", got)
	}
	h.has("suspense:"+c.ID, 0)
	h.has("psp:wal:clearing", 2*11500-11500)
	h.must(h.tx(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		subject, err := h.charges.Adjusted(ctx, tx, "wal", charges.Adjustment{Ref: charges.RefOf(rid), Gross: -11500, Currency: money.MAD, Line: "l1"})
		if err == nil && subject != rid {
			t.Errorf("what was taken off is of %s, want %s", subject, rid)
		}
		return err
	}))
	h.safe()
}

func TestARefusalThatTheSettlementContradictsIsPaid(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders, ref := h.pending()
	h.phones.answer(ref, wallet.Failed, "requestDeclined")
	h.becomes(c.ID, charges.Declined)
	h.must(h.settleWallet(ref))
	if got := h.state(c.ID); got != charges.Confirmed || !h.settled(c.ID) {
		t.Errorf("the charge is %s, settled %v", got, h.settled(c.ID))
	}
	h.holdIs(orders[1], escrow.Funded)
	h.has("psp:wal:clearing", 11500)
	h.safe()
}

func TestTheWindowOfAWallet(t *testing.T) {
	t.Parallel()
	t.Run("what is approved later goes back", func(t *testing.T) {
		t.Parallel()
		h := newHub(t)
		c, orders, ref := h.pending()
		h.advance(31 * time.Minute)
		h.becomes(c.ID, charges.Expired)
		h.holdIs(orders[0], escrow.Expired)
		h.phones.answer(ref, wallet.Completed, "")
		h.advance(time.Hour)
		rid := h.refundsAre(c.ID, 1, charges.RefundConfirmed)
		if v := h.refund(rid); v.Rail != "wallet" || v.Amount.Amount() != "115.00" || h.phones.undone != 1 {
			t.Errorf("the refund is %+v; %d were undone", v, h.phones.undone)
		}
		h.has("psp:wal:clearing", 0)
		h.has("suspense:"+c.ID, 0)
		h.must(h.settleWallet(ref))
		h.safe()
	})
	t.Run("what is not known keeps its goods", func(t *testing.T) {
		t.Parallel()
		h := newHub(t)
		h.phones.lost = true
		c, _ := h.order(charges.Wallet, 7500, 4000)
		h.becomes(c.ID, charges.Unknown)
		h.advance(40 * time.Minute)
		if got := h.state(c.ID); got != charges.Unknown {
			t.Fatalf("the charge is %s", got)
		}
		h.phones.tell(func(p *phones) { p.lost = false })
		h.phones.answer(charges.RefOf(c.ID), wallet.Completed, "")
		h.advance(time.Hour)
		h.becomes(c.ID, charges.Confirmed)
		h.safe()
	})
	t.Run("what never left is withdrawn", func(t *testing.T) {
		t.Parallel()
		h := newHub(t)
		h.phones.down = true
		c, _ := h.order(charges.Wallet, 7500, 4000)
		h.advance(31 * time.Minute)
		for range 20 { // a call under way when the window ends is looked at later
			time.Sleep(100 * time.Millisecond)
			if h.state(c.ID) == charges.Expired {
				break
			}
			h.advance(10 * time.Minute)
		}
		h.becomes(c.ID, charges.Expired)
		h.phones.tell(func(p *phones) { p.down = false })
		h.advance(2 * time.Hour)
		h.advance(2 * time.Hour)
		if h.phones.has(charges.RefOf(c.ID)) {
			t.Error("the phone was asked after the order had expired")
		}
	})
	t.Run("what was refused expires", func(t *testing.T) {
		t.Parallel()
		h := newHub(t)
		c, _, ref := h.pending()
		h.phones.answer(ref, wallet.Failed, "requestDeclined")
		h.becomes(c.ID, charges.Declined)
		h.advance(31 * time.Minute)
		h.becomes(c.ID, charges.Expired)
		if err := h.anew(c.ID, ""); !errors.Is(err, charges.ErrNotDeclined) {
			t.Errorf("asked anew after its time: %v", err)
		}
	})
}

func TestAnotherAmountIsForPeople(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, _, ref := h.pending()
	h.phones.tell(func(p *phones) { p.by[ref].amount, p.by[ref].state = money.Dirhams(11400), wallet.Completed })
	h.becomes(c.ID, charges.Unknown)
	state, err := pg.Value[string](t.Context(), h.db, nil, `select state from operations.operation where subject = $1`, c.ID)
	h.must(err)
	if state != "review" {
		t.Errorf("the operation is %s, want review", state)
	}
	h.has("psp:wal:clearing", 0)
}

func TestAWalletsRefundIsUndoneElsePaidElseTransferred(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders, ref := h.pending()
	h.phones.answer(ref, wallet.Completed, "")
	h.becomes(c.ID, charges.Confirmed)
	h.halted.Store(true)
	first := h.giveBack(c, orders[0], 1000)
	h.fire()
	time.Sleep(200 * time.Millisecond)
	if v := h.refund(first); v.State != charges.RefundCreated || h.phones.has(charges.RefOf(first)) {
		t.Errorf("while payments are halted the refund is %s", v.State)
	}
	h.halted.Store(false)
	h.advance(2 * time.Minute)
	if v := h.refundIs(first, charges.RefundConfirmed); v.Rail != "wallet" {
		t.Errorf("the refund is %+v", v)
	}
	h.has("psp:wal:clearing", 10500)
	h.phones.tell(func(p *phones) { p.stuck = true })
	second := h.giveBack(c, orders[0], 1100)
	h.refundIs(second, charges.RefundConfirmed)
	h.has("psp:wal:clearing", 9400)
	h.phones.tell(func(p *phones) { p.closed = true })
	third := h.giveBack(c, orders[1], 1200)
	h.refundIs(third, charges.RefundAwaiting)
	if h.phones.undone != 1 || h.phones.paidOut != 1 {
		t.Errorf("%d were undone and %d paid out, want one each", h.phones.undone, h.phones.paidOut)
	}
	if _, err := h.account(buyer, third, "011519000001205000534921"); err != nil {
		t.Fatal(err)
	}
	h.bankPaid(third)
	if v := h.refundIs(third, charges.RefundConfirmed); v.Rail != "transfer" {
		t.Errorf("the refund is %+v", v)
	}
	h.has("psp:wal:clearing", 9400)
	h.safe()
}
