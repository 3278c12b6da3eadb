package ledger_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/payments/ledger"
)

func TestCheckTakesOnlyWhatAddsUpToZero(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cents := rapid.SliceOfN(rapid.Int64Range(-1e12, 1e12).Filter(func(n int64) bool { return n != 0 }), 1, 8).Draw(t, "cents")
		tr := ledger.Transfer{Key: "k", Kind: "test", Currency: "MAD"}
		var rest int64
		for _, c := range cents {
			tr.Legs = append(tr.Legs, ledger.Leg{Account: "fees", Amount: c})
			rest -= c
		}
		if rest != 0 {
			if _, err := tr.Check(); !errors.Is(err, ledger.ErrUnbalanced) {
				t.Fatalf("open transfer: %v, want ErrUnbalanced", err)
			}
			tr.Legs = append(tr.Legs, ledger.Leg{Account: "loss", Amount: rest})
		}
		if len(tr.Legs) < 2 {
			return
		}
		if _, err := tr.Check(); err != nil {
			t.Fatalf("closed transfer: %v", err)
		}
	})
}

func TestFindKnowsTheChartAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"escrow:ord_1", "seller:org_1:available", "bank:b:safeguard", "psp:p:clearing", "fees", "payable:vat", "payable:carrier:k"} {
		if a, err := ledger.Find(code); err != nil || a.Code != code {
			t.Errorf("Find(%q) = %+v, %v", code, a, err)
		}
	}
	for _, code := range []string{"", "escrow:", "escrow", "escrow:a:b", "seller::available", "seller:x:other", "Fees"} {
		if _, err := ledger.Find(code); !errors.Is(err, ledger.ErrAccount) {
			t.Errorf("Find(%q) = %v, want ErrAccount", code, err)
		}
	}
}

func TestHashTellsTransfersApart(t *testing.T) {
	t.Parallel()
	base := ledger.Transfer{Kind: "a", Order: "b", Currency: "MAD", Legs: []ledger.Leg{ledger.Debit("fees", 1), ledger.Credit("loss", 1)}}
	for name, change := range map[string]func(*ledger.Transfer){
		"kind":     func(t *ledger.Transfer) { t.Kind = "c" },
		"order":    func(t *ledger.Transfer) { t.Order = "" },
		"currency": func(t *ledger.Transfer) { t.Currency = "EUR" },
		"amount":   func(t *ledger.Transfer) { t.Legs = []ledger.Leg{ledger.Debit("fees", 2), ledger.Credit("loss", 2)} },
		"account":  func(t *ledger.Transfer) { t.Legs = []ledger.Leg{ledger.Debit("psp_cost", 1), ledger.Credit("loss", 1)} },
	} {
		other := base
		change(&other)
		if bytes.Equal(base.Hash(), other.Hash()) {
			t.Errorf("another %s has the same hash", name)
		}
	}
}
