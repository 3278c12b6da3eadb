package recon_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/ledger"
	"tiwiza/payments/recon"
	"tiwiza/pkg/money"
)

// under is money that came, with the bank's reference of it and the payer's.
func under(centimes int64, bankRef, payers string) bank.Entry {
	e := entry(centimes, whole(centimes, bank.Detail{Ref: payers, BankRef: bankRef}))
	e.BankRef = bankRef
	return e
}

// An MT940 keeps 16 signs of the bank's reference and of the payer's. Of one day
// in two formats each movement is booked once, and one that only the second shows
// is booked too.
func TestAReferenceThatAFormatCutsIsOneMovement(t *testing.T) {
	t.Parallel()
	const day = "BANK202601020001" // 16 signs, which all movements of a day share
	later := under(3000, day, "")
	later.BookedOn = later.BookedOn.AddDate(0, 0, 1)
	for name, c := range map[string]struct {
		first, second []bank.Entry
		repeats       int
		has           int64
	}{
		"cut later":                     {[]bank.Entry{under(3000, day+"77", "")}, []bank.Entry{under(3000, day, "")}, 1, 3000},
		"cut before":                    {[]bank.Entry{under(3000, day, "")}, []bank.Entry{under(3000, day+"77", "")}, 1, 3000},
		"two that share it, cut later":  {[]bank.Entry{under(3000, day+"77", ""), under(3000, day+"78", "")}, []bank.Entry{under(3000, day, ""), under(3000, day, "")}, 2, 6000},
		"two that share it, cut before": {[]bank.Entry{under(3000, day, ""), under(3000, day, "")}, []bank.Entry{under(3000, day+"77", ""), under(3000, day+"78", "")}, 2, 6000},
		"one more, cut later":           {[]bank.Entry{under(3000, day+"77", "")}, []bank.Entry{under(3000, day, ""), under(3000, day, "")}, 1, 6000},
		"one more, cut before":          {[]bank.Entry{under(3000, day, "")}, []bank.Entry{under(3000, day+"77", ""), under(3000, day+"78", "")}, 1, 6000},
		"money that left":               {[]bank.Entry{under(-3000, day+"77", "")}, []bank.Entry{under(-3000, day, "")}, 1, 0},
		"the payer's too":               {[]bank.Entry{under(3000, day+"77", "INVOICE-2026-0001-A")}, []bank.Entry{under(3000, day, "INVOICE-2026-000")}, 1, 3000},
		"the payer's alone":             {[]bank.Entry{under(3000, "EX1", "INVOICE-2026-000")}, []bank.Entry{under(3000, "EX1", "INVOICE-2026-0001-A")}, 1, 3000},
		"another payer's":               {[]bank.Entry{under(3000, day+"77", "INVOICE-1")}, []bank.Entry{under(3000, day, "INVOICE-2")}, 0, 6000},
		"another amount":                {[]bank.Entry{under(3000, day+"77", "")}, []bank.Entry{under(3001, day, "")}, 0, 6001},
		"another day":                   {[]bank.Entry{under(3000, day+"77", "")}, []bank.Entry{later}, 0, 6000},
		"the other way":                 {[]bank.Entry{under(3000, day+"77", "")}, []bank.Entry{under(-3000, day, "")}, 0, 3000},
		"cut elsewhere":                 {[]bank.Entry{under(3000, day+"77", "")}, []bank.Entry{under(3000, day[:15], "")}, 0, 6000},
		"two whole ones":                {[]bank.Entry{under(3000, day+"77", "")}, []bank.Entry{under(3000, day+"78", "")}, 0, 6000},
		"letters of several bytes":      {[]bank.Entry{under(3000, strings.Repeat("é", 16)+"77", "")}, []bank.Entry{under(3000, strings.Repeat("é", 16), "")}, 1, 3000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			for i, entries := range [][]bank.Entry{c.first, c.second} {
				st := h.statement(entries...)
				h.at = 0 // both begin with the day
				st.Sequence = int64(100 * i)
				if _, err := h.take(fmt.Sprint("f", i), bank.Message{Statements: []bank.Statement{st}}); err != nil {
					t.Fatal(err)
				}
			}
			h.has("bank:bank:safeguard", c.has)
			repeats := 0
			for _, b := range h.breaks() {
				if !strings.HasPrefix(b.Why, "the same movement as") {
					continue
				}
				repeats++
				if b.Suggestion == nil || b.Suggestion.To == "" {
					t.Fatalf("suggestion %+v, want the line it repeats", b.Suggestion)
				}
				h.must(recon.ResolveInput{Break: b.ID, By: "match", To: b.Suggestion.To})
			}
			if repeats != c.repeats {
				t.Errorf("%d repeats, want %d", repeats, c.repeats)
			}
			h.has("bank:bank:safeguard", c.has)
		})
	}
}

// However a bank cuts its movements into overlapping statements, and whichever
// format it writes each in, none is booked twice; in whole references all are
// booked.
func TestOverlappingFormatsNeverBookTwice(t *testing.T) {
	t.Parallel()
	h, runs := newHub(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++ // at a bank of its own
		house := recon.House{Bank: bank.New(fmt.Sprint("bank", runs), h.bank, bank.Options{}), Safeguard: safeguard}
		amounts := rapid.SliceOfN(rapid.Int64Range(1, 2), 1, 6).Draw(rt, "movements")
		shares := rapid.SliceOfN(rapid.IntRange(0, 1), len(amounts), len(amounts)).Draw(rt, "shares")
		upTo, sometimes := 0, false
		for n := range rapid.IntRange(1, 4).Draw(rt, "statements") {
			from := rapid.IntRange(0, upTo).Draw(rt, "from") // nothing is left out
			to := rapid.IntRange(upTo, len(amounts)).Draw(rt, "to")
			if to == from {
				continue
			}
			short := rapid.Bool().Draw(rt, "cut")
			sometimes = sometimes || short
			st := bank.Statement{Kind: bank.OfAccount, ID: fmt.Sprint("N", n), Account: safeguard, Currency: money.MAD, Page: 1, LastPage: true, HasBalances: true}
			st.Sequence = rapid.Int64Range(0, 2).Draw(rt, "number")
			var at int64
			for i, c := range amounts[:to] {
				if i == from {
					st.Opening = money.Dirhams(at)
				}
				if at += c; i >= from {
					ref := fmt.Sprintf("BANK20260102000%d%02d", shares[i], i)
					if short {
						ref = ref[:16]
					}
					st.Entries = append(st.Entries, under(c, ref, ""))
				}
			}
			st.Closing, upTo = money.Dirhams(at), max(upTo, to)
			if _, err := h.recon.Take(t.Context(), house, paperbank.Received(st.ID, bank.Message{ID: house.Bank.ID() + st.ID, Statements: []bank.Statement{st}})); err != nil {
				rt.Fatal(err)
			}
		}
		var total int64
		for _, c := range amounts[:upTo] {
			total += c
		}
		if got, err := h.books.Balance(t.Context(), h.db, ledger.Safeguard(house.Bank.ID()), money.MAD); err != nil || got > total || !sometimes && got != total {
			rt.Fatalf("the account has %d (%v), and %d came; cut: %t", got, err, total, sometimes)
		}
	})
}
