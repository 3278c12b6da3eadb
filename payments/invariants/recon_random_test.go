package invariants_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"tiwiza/adapters/bank"
	"tiwiza/payments/payouts"
	"tiwiza/payments/recon"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Whatever the bank states, in whatever order it comes and however people
// explain it, the mirror equals the bank, no client is short, and nothing that
// is explained is left over. A seed reproduces a failure.
func TestWhateverTheBankStatesTheMirrorHolds(t *testing.T) {
	t.Parallel()
	seeds := uint64(6)
	if os.Getenv("HUB_LONG") != "" {
		seeds = 60
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			w := open(t)
			w.random(w.work(), rand.New(rand.NewPCG(seed, 1)))
		})
	}
}

func (w *world) random(s story, r *rand.Rand) {
	w.t.Helper()
	var late []bank.Statement
	for range 12 {
		st := w.next(w.entries(s, r)...)
		switch r.IntN(5) {
		case 0:
			late = append(late, st) // it comes after the next
		default:
			w.take(st)
			for _, l := range late {
				w.take(l)
			}
			late = nil
		}
		if r.IntN(4) == 0 {
			w.take(st) // it comes again
		}
		if len(late) == 0 {
			w.explain(s, r)
			for id, f := range w.broken("I2", "I3", "I4", "I8", "I12", "I15", "R4", "M1") {
				w.t.Fatalf("%s: %q", id, f.Rows)
			}
		}
	}
	for _, l := range late {
		w.take(l)
	}
	w.explain(s, r)
	for id, f := range w.broken("M1", "I8", "I12", "R4") {
		w.t.Errorf("at the end: %s: %q", id, f.Rows)
	}
}

// entries are up to four lines that a bank may write.
func (w *world) entries(s story, r *rand.Rand) (out []bank.Entry) {
	amount := 100 + r.Int64N(4000)
	for range r.IntN(5) {
		switch r.IntN(9) {
		case 0:
			out = append(out, entry(amount, detail("", amount, 0)))
		case 1:
			out = append(out, entry(-amount, detail("", -amount, 0)))
		case 2:
			out = append(out, charge(-amount))
		case 3:
			out = append(out, charge(amount))
		case 4:
			out = append(out, entry(-1500, detail(payouts.RefOf(s.sent.ID), -1500, 0)))
		case 5:
			out = append(out, entry(-1500-amount, detail(payouts.RefOf(s.sent.ID), -1500, 0), detail("", -amount, 0)))
		case 6:
			out = append(out, entry(3900, detail(s.fresh.Ref, 3900, 100)))
		case 7:
			out = append(out, entry(-amount, detail(s.fresh.Ref, -amount, 0)))
		case 8:
			out = append(out, entry(amount, detail("", amount, 0)), entry(-amount, detail("", -amount, 0)))
		}
	}
	return out
}

// explain has people resolve about two of three breaks, in every way that fits.
func (w *world) explain(s story, r *rand.Rand) {
	w.t.Helper()
	p, err := w.recon.Breaks(w.t.Context(), recon.BreaksInput{Paging: rest.Paging{Limit: 100}})
	w.ok(err)
	for _, b := range p.Data {
		if b.Amount == nil || b.Kind == recon.KindGap || r.IntN(3) == 0 {
			continue
		}
		in := recon.ResolveInput{Break: b.ID, By: "fee", Note: "by chance"}
		switch n := r.IntN(5); {
		case n == 0:
			in.By = "write_off"
		case n == 1 && b.Suggestion != nil && b.Suggestion.To != "" && b.Suggestion.By == "match":
			in.By, in.To, in.Fee = "match", b.Suggestion.To, b.Suggestion.Fee
		case n == 2:
			in.By, in.To = "match", s.sent.ID
		case n == 3:
			whole := *b.Amount
			if whole.Sign() < 0 {
				whole = whole.Neg()
			}
			if part := money.Dirhams(whole.Centimes() / 3); part.Sign() > 0 {
				in.By = "split"
				in.Parts = []recon.Piece{{By: "fee", Amount: part}, {By: "write_off", Amount: whole.Sub(part)}}
			}
		}
		v, err := w.tryResolve(in)
		if err == nil && v.Approval != "" {
			w.agree(v.Approval)
		}
	}
}
