package policies_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/marketplace/policies"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pgtest"
)

// Whatever members, insurers, the bank and the network do, in whatever order: each
// premium in the books is of a policy that holds or is being asked for, or went
// back; each policy of the insurer's was bound once; and no member has more or less
// than what it earned, paid and was given.
func TestAnySequenceKeepsPremiumsAndPoliciesTogether(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 7))
			h := newHub(t)
			products := h.sold()
			codes := []string{"stock", "sante", "pluie"}
			type one struct {
				org    string
				key    auth.Key
				earned int64
			}
			var all []one
			for range 3 {
				org, key := h.rich(2000_00)
				all = append(all, one{org, key, 2000_00})
			}
			faults := []string{"", "", "", "lose", "drop", "refuse", "unsent", "keep", "much", "commission", "decline"}
			given := map[string]int64{}
			for range 40 {
				m := &all[r.IntN(len(all))]
				h.insurer.set(faults[r.IntN(len(faults))])
				var held struct{ Data []policies.PolicyView }
				h.want(200, &held, m.key, "GET", "/v1/insurance/policies?limit=100", nil)
				switch r.IntN(6) {
				case 0:
					h.earns(m.org, 300_00, r.IntN(3) > 0)
					m.earned += 300_00
				case 1, 2:
					q := h.quotedLate(m.key, products[codes[r.IntN(len(codes))]])
					if q.State == policies.QuoteOpen {
						h.ask(m.key, "POST", "/v1/insurance/policies", agreed(q)) // a short balance is refused
					}
				case 3:
					if len(held.Data) > 0 {
						h.ask(m.key, "POST", "/v1/insurance/policies/"+held.Data[r.IntN(len(held.Data))].ID+"/cancel", fields{"reason": "hasard"})
					}
				case 4:
					if len(held.Data) == 0 {
						break
					}
					p := held.Data[r.IntN(len(held.Data))]
					if p.State != insurance.PolicyActive {
						break
					}
					h.insurer.set("")
					h.idle()
					pgtest.Advance(t, h.db, time.Minute)
					var c policies.ClaimView
					w := h.ask(m.key, "POST", "/v1/insurance/claims", fields{
						"policy": p.ID, "event_at": p.Starts.Add(time.Second), "type": "fire", "description": "hasard", "amount": fields{"amount": "120.00", "currency": "MAD"},
						"evidence": []fields{{"file": h.file(m.key, p.ID), "kind": "photograph"}},
					})
					if decode(w, 201, &c) != nil {
						break
					}
					h.idle()
					transfer := "VIR-7" + refOf(c.ID)[20:] // with a digit always: a word of letters alone is no transfer's name
					h.insurer.decides(refOf(c.ID), insurance.ClaimPaid, 100_00, transfer, "")
					if r.IntN(2) == 0 {
						h.hears(refOf(c.ID))
						h.idle()
					}
					h.credit(transfer, 100_00)
					h.hears(refOf(c.ID))
					h.claimBecomes(m.key, c.ID, insurance.ClaimPaid)
					given[m.org] += 100_00
				case 5:
					pgtest.Pass(t, h.db, h.timers, time.Duration(1+r.IntN(90))*time.Minute)
				}
				h.idle()
				h.sound()
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
			h.insurer.set("")
			for range 24 { // all that is in doubt resolves itself
				pgtest.Pass(t, h.db, h.timers, 10*time.Minute)
				h.idle()
			}
			h.sound()
			if n := h.insurer.times(); n > 1 {
				t.Errorf("a policy was bound %d times", n)
			}
			for _, m := range all {
				var held struct{ Data []policies.PolicyView }
				h.want(200, &held, m.key, "GET", "/v1/insurance/policies?limit=100", nil)
				want := m.earned + given[m.org]
				for _, p := range held.Data {
					if p.State == insurance.PolicyPending {
						t.Errorf("policy %s is still being asked for", p.ID)
					}
					h.want(200, &p, m.key, "GET", "/v1/insurance/policies/"+p.ID, nil)
					for _, pr := range p.Premiums {
						if pr.State != "undone" {
							want -= pr.Amount.Centimes() - pr.Returned.Centimes()
						}
					}
				}
				got, err := h.books.Balance(t.Context(), h.db, "seller:"+m.org+":available", money.MAD)
				must(t, err)
				due, err := h.owed(m.org)
				must(t, err)
				if got+due != want {
					t.Errorf("%s has %d and is owed %d, want %d together", m.org, got, due, want)
				}
			}
		})
	}
}
