package charges_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

var lines atomic.Int64

// wire makes a charge of 115.00 by transfer, for two orders.
func (h *hub) wire() (c charges.Receipt) {
	h.t.Helper()
	c, _ = h.order(charges.Transfer, 7500, 4000)
	return c
}

// order makes a charge of orders of some amounts; 15.00 of each are a carrier's.
func (h *hub) order(method string, amounts ...int64) (c charges.Receipt, orders []string) {
	h.t.Helper()
	return h.broughtBy("demo", method, amounts...)
}

// broughtBy is order, of goods that somebody brings.
func (h *hub) broughtBy(carrier, method string, amounts ...int64) (c charges.Receipt, orders []string) {
	h.t.Helper()
	ctx := h.t.Context()
	h.ok(h.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		orders = nil
		n := charges.Sale{Group: id.New(id.Group), Buyer: "per_b", Method: method, Amount: money.Dirhams(0), Name: "Aïcha Exemple", Phone: "+212600000000", Lang: "fr"}
		for _, a := range amounts {
			o := id.New(id.Order)
			orders = append(orders, o)
			n.Amount = n.Amount.Add(money.Dirhams(a))
			n.Parts = append(n.Parts, charges.Part{Order: o, Amount: money.Dirhams(a), Seller: "org_s", Carrier: carrier, Fee: money.Dirhams(1500)})
		}
		if c, err = h.charges.Create(ctx, tx, n); err != nil {
			return err
		}
		for i, o := range orders {
			if _, err := h.escrows.Open(ctx, tx, escrow.Terms{
				Order: o, Seller: "org_s", Buyer: "per_b", Charge: c.ID, Carrier: carrier, Amount: money.Dirhams(amounts[i]),
				Legs: escrow.Legs{Seller: amounts[i] - 1500 - 600, Commission: 500, VAT: 100, Carrier: 1500},
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	return c, orders
}

func (h *hub) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// arrives has a statement show money with some words; what is not taken goes to
// suspense, as reconciliation puts it.
func (h *hub) arrives(said string, centimes int64) (t charges.Taken) {
	h.t.Helper()
	h.ok(h.show(&t, fmt.Sprint("lin_", lines.Add(1)), said, centimes))
	return t
}

func (h *hub) show(t *charges.Taken, line, said string, centimes int64) error {
	ctx := auth.With(h.t.Context(), auth.Hub)
	return h.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		c := charges.Credit{
			Bank: "bank", Line: line + "/0", From: ledger.Safeguard("bank"), Suspense: ledger.Suspense(line), Said: said,
			Payer: charges.Payer{Name: "AICHA EXEMPLE", RIB: "007780000000000000002197"}, Amount: centimes, Currency: money.MAD,
		}
		if *t, err = h.charges.Receive(ctx, tx, c); err != nil {
			return err
		}
		loose := t.Loose
		if t.Subject == "" {
			loose = centimes
		}
		if loose == 0 {
			return nil
		}
		return h.books.Post(ctx, tx, ledger.Transfer{Key: "loose:" + line, Kind: "suspense", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Safeguard("bank"), loose), ledger.Credit(ledger.Suspense(line), loose),
		}})
	})
}

func (h *hub) refunds(charge string) (sum int64) {
	h.t.Helper()
	sum, err := pg.Value[int64](h.t.Context(), h.db, nil, `select coalesce(sum(amount), 0)::bigint from charges.refund where charge = $1`, charge)
	h.ok(err)
	return sum
}

func (h *hub) settled(charge string) bool {
	h.t.Helper()
	s, err := pg.Value[bool](h.t.Context(), h.db, nil, `select settled from charges.charge where id = $1`, charge)
	h.ok(err)
	return s
}

func TestATransferOfTheWholeFundsAndSettles(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := h.wire()
	in := c.NextAction.Transfer
	if c.State != charges.Accepted || c.NextAction.Type != "none" || in == nil || in.Amount.Amount() != "115.00" || in.RIB == "" {
		t.Fatalf("receipt %+v, instructions %+v", c, in)
	}
	if got := h.arrives("VIR "+strings.ToLower(in.Reference)+" merci", 11500); got.Subject != c.ID {
		t.Fatalf("taken %+v", got)
	}
	h.becomes(c.ID, charges.Confirmed)
	if !h.settled(c.ID) {
		t.Error("money at the bank is not settled")
	}
	h.has("bank:bank:safeguard", 11500)
	h.has("suspense:"+c.ID, 0)
	holds, err := h.escrows.OfCharge(t.Context(), h.db, c.ID)
	h.ok(err)
	for _, x := range holds {
		if x.State != escrow.Funded || !x.Settled {
			t.Errorf("escrow %+v", x)
		}
		h.has("escrow:"+x.Order, x.Amount)
	}
	if got := <-h.events; got != "paid "+c.ID {
		t.Errorf("event %q", got)
	}
}

func TestATransferInPartsWaitsForTheWhole(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := h.wire()
	ref := c.NextAction.Transfer.Reference
	if got := h.arrives(ref, 11499); got.Subject != c.ID || got.Why == "" {
		t.Fatalf("taken %+v", got)
	}
	h.has("suspense:"+c.ID, 11499)
	r, _, err := h.charges.OfGroup(t.Context(), h.db, group(h, c.ID))
	h.ok(err)
	if in := r.NextAction.Transfer; in == nil || in.Amount.Amount() != "0.01" || in.Received.Amount() != "114.99" {
		t.Errorf("instructions %+v, want 0.01 still to come", in)
	}
	h.arrives(ref, 1)
	h.becomes(c.ID, charges.Confirmed)
	h.has("suspense:"+c.ID, 0)
	h.has("bank:bank:safeguard", 11500)
}

func group(h *hub, charge string) string {
	g, err := pg.Value[string](h.t.Context(), h.db, nil, `select group_id from charges.charge where id = $1`, charge)
	h.ok(err)
	return g
}

func TestWhatIsTooMuchTooLateOrTooLittleGoesBack(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		before, after []int64 // what comes before and after the window's end
		back          int64
		state         charges.State
	}{
		"too much at once":       {[]int64{12000}, nil, 500, charges.Confirmed},
		"too much in parts":      {[]int64{6000, 6000}, nil, 500, charges.Confirmed},
		"twice":                  {[]int64{11500, 11500}, nil, 11500, charges.Confirmed},
		"too little":             {[]int64{5000}, nil, 5000, charges.Expired},
		"too late":               {nil, []int64{11500}, 11500, charges.Expired},
		"the rest comes late":    {[]int64{5000}, []int64{6500}, 11500, charges.Expired},
		"paid, and paid again":   {[]int64{11500}, []int64{11500}, 11500, charges.Confirmed},
		"nothing at all came in": {nil, nil, 0, charges.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			c := h.wire()
			ref := c.NextAction.Transfer.Reference
			var sum int64
			for _, a := range tc.before {
				h.arrives(ref, a)
				sum += a
			}
			h.advance(charges.TransferWindow + time.Minute)
			h.becomes(c.ID, tc.state)
			for _, a := range tc.after {
				if got := h.arrives(ref, a); got.Subject != c.ID {
					t.Errorf("taken %+v", got)
				}
				sum += a
			}
			if got := h.refunds(c.ID); got != tc.back {
				t.Errorf("%d goes back, want %d", got, tc.back)
			}
			h.has("suspense:"+c.ID, 0)
			h.has("bank:bank:safeguard", sum)
			rib, err := pg.Value[int](t.Context(), h.db, nil, `select count(*) from charges.refund where rib <> '007780000000000000002197'`)
			if err != nil || rib != 0 {
				t.Errorf("%d refunds go elsewhere than to the account the money came from (%v)", rib, err)
			}
		})
	}
}

func TestMoneyWithoutAReferenceIsOnlySuggested(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, b := h.wire(), h.wire()
	got := h.arrives("virement", 11500)
	if got.Subject != "" || !strings.Contains(got.Why, "amount and name (Aïcha Exemple)") {
		t.Errorf("taken %+v, want a suggestion", got)
	}
	got = h.arrives(a.NextAction.Transfer.Reference+" "+b.NextAction.Transfer.Reference, 23000)
	if got.Subject != "" || !strings.Contains(got.Why, "names") {
		t.Errorf("two references: %+v, want neither", got)
	}
	if got := h.arrives("TV 0000 0001", 700); got.Subject != "" || got.Why != "" {
		t.Errorf("a reference of nobody's: %+v", got)
	}
	if h.state(a.ID) != charges.Accepted || h.state(b.ID) != charges.Accepted {
		t.Error("a charge was paid by a guess")
	}
	// People say what it is.
	line, err := pg.Value[string](t.Context(), h.db, nil, `select line from charges.credit where amount = 11500`)
	h.ok(err)
	h.ok(h.db.InTx(t.Context(), func(tx *pg.Tx) error {
		_, err := h.charges.Match(t.Context(), tx, line, a.ID)
		return err
	}))
	h.becomes(a.ID, charges.Confirmed)
	h.has("suspense:"+strings.TrimSuffix(line, "/0"), 0)
	if err := h.db.InTx(t.Context(), func(tx *pg.Tx) error {
		_, err := h.charges.Match(t.Context(), tx, line, b.ID)
		return err
	}); err == nil {
		t.Error("money was matched twice")
	}
}

func TestALineIsTakenOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := h.wire()
	ref := c.NextAction.Transfer.Reference
	var taken charges.Taken
	h.ok(h.show(&taken, "lin_same", ref, 11500))
	if err := h.show(&taken, "lin_same", ref, 11500); err == nil {
		t.Error("the same line was taken twice")
	}
	h.has("bank:bank:safeguard", 11500)
}

func TestTransfersAtOnceFundOnceAndTheRestGoesBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := h.wire()
	ref := c.NextAction.Transfer.Reference
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			var got charges.Taken
			if err := h.show(&got, fmt.Sprint("lin_race", i), ref, 11500); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	h.becomes(c.ID, charges.Confirmed)
	h.has("bank:bank:safeguard", 8*11500)
	h.has("suspense:"+c.ID, 0)
	if got := h.refunds(c.ID); got != 7*11500 {
		t.Errorf("%d goes back, want %d", got, 7*11500)
	}
}

// Whoever transfers a centime with an order's reference does not get its refund.
func TestARefundGoesBackToWhoPaid(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.order(charges.Transfer, 11500)
	h.arrives(c.NextAction.Transfer.Reference, 11500)
	h.becomes(c.ID, charges.Confirmed)
	h.must(h.tx(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.charges.Receive(ctx, tx, charges.Credit{
			Bank: "bank", Line: "lin_x/0", From: ledger.Safeguard("bank"), Suspense: ledger.Suspense("lin_x"), Said: c.NextAction.Transfer.Reference,
			Payer: charges.Payer{Name: "SOMEBODY ELSE", RIB: otherRIB}, Amount: 1, Currency: "MAD",
		})
		return err
	}))
	rid := h.giveBack(c, orders[0], 11500)
	pay, err := h.charges.Transfer(t.Context(), h.db, rid)
	if err != nil || pay.To.RIB == otherRIB {
		t.Errorf("115.00 that AICHA EXEMPLE paid goes back to %+v (%v), who sent 0.01", pay.To, err)
	}
}
