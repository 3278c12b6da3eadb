package escrow_test

import (
	"errors"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/money"
)

func percent(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// sheet has one fee of the goods, with VAT and a reserve, since ever.
func sheet(commission, vat, reserve decimal.Decimal) escrow.Sheet {
	return escrow.Sheet{
		Tariffs: []escrow.Tariff{{Code: "commission", Base: escrow.OfGoods, Percent: commission, Payer: "seller"}},
		Rates:   []escrow.Rate{{Kind: "vat", Percent: vat}, {Kind: "reserve", Percent: reserve}},
	}
}

func TestShareIsTheExampleOfTheBooks(t *testing.T) {
	t.Parallel()
	sale := escrow.Sale{Goods: map[string]int64{"food": 14500}, Delivery: 1500}
	// 145 DH leaves the seller 136.30.
	l, _ := sheet(percent("5"), percent("20"), percent("0")).Share(sale)
	if want := (escrow.Legs{Seller: 13630, Commission: 725, VAT: 145, Carrier: 1500}); l != want {
		t.Errorf("shares = %+v, want %+v", l, want)
	}
	l, _ = sheet(percent("5"), percent("20"), percent("10")).Share(sale)
	if want := (escrow.Legs{Seller: 12267, Reserve: 1363, Commission: 725, VAT: 145, Carrier: 1500}); l != want {
		t.Errorf("with a reserve shares = %+v, want %+v", l, want)
	}
}

// However an escrow is let go bit by bit, each part adds up, no leg gives more
// than it has, and the last part takes exactly what is left.
func TestPartialReleasesShareExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SliceOfN(rapid.Int64Range(0, 1e6), 5, 5).Draw(t, "legs")
		n[0]++
		legs := escrow.Legs{Seller: n[0], Reserve: n[1], Commission: n[2], VAT: n[3], Carrier: n[4]}
		h := escrow.Hold{Amount: legs.Total(), Legs: legs, State: escrow.Funded, Currency: money.MAD}
		var sum escrow.Legs
		for h.State == escrow.Funded {
			held := h.Held()
			amount := rapid.Int64Range(max(1, held/4), held).Draw(t, "amount")
			next, part, err := h.Release(amount)
			if err != nil {
				t.Fatal(err)
			}
			if part.Total() != amount || next.Held() != held-amount && next.State == escrow.Funded {
				t.Fatalf("a release of %d shared %+v and left %d of %d", amount, part, next.Held(), held)
			}
			sum, h = sum.Plus(part), next
		}
		if h.State != escrow.Released || sum != legs {
			t.Fatalf("in the end it is %s and gave %+v, want released and %+v", h.State, sum, legs)
		}
	})
}

func TestWhatAnEscrowDoesNotAllow(t *testing.T) {
	t.Parallel()
	for _, s := range []escrow.State{escrow.Awaiting, escrow.Authorized, escrow.Released, escrow.Closed, escrow.Expired, escrow.Voided, escrow.Refunded} {
		h := escrow.Hold{Amount: 10, Legs: escrow.Legs{Seller: 10}, State: s}
		if _, _, err := h.Release(1); !errors.Is(err, escrow.ErrState) {
			t.Errorf("releasing a %s escrow: %v, want ErrState", s, err)
		}
		_, err := h.Fund(time.Now())
		if may := s == escrow.Awaiting || s == escrow.Authorized; may != (err == nil) {
			t.Errorf("funding a %s escrow: %v", s, err)
		}
		_, err = h.Expire()
		if may := s == escrow.Awaiting; may != (err == nil) {
			t.Errorf("expiring a %s escrow: %v", s, err)
		}
	}
	h := escrow.Hold{Amount: 10, Legs: escrow.Legs{Seller: 10}, State: escrow.Funded}
	for _, amount := range []int64{-1, 0, 11} {
		if _, _, err := h.Release(amount); !errors.Is(err, escrow.ErrAmount) {
			t.Errorf("releasing %d of 10: %v, want ErrAmount", amount, err)
		}
	}
}

func TestTheLongerWindowHolds(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for _, c := range []struct{ inspection, withdrawal, want time.Duration }{
		{3 * day, 7 * day, 7 * day}, {3 * day, 0, 3 * day}, {day, 0, day}, {30 * day, 7 * day, 14 * day},
	} {
		if got := (escrow.Windows{Inspection: c.inspection, Withdrawal: c.withdrawal}).Wait(); got != c.want {
			t.Errorf("inspection %s and withdrawal %s wait %s, want %s", c.inspection, c.withdrawal, got, c.want)
		}
	}
}
