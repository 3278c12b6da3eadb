package wallet

import (
	"net/http"
	"slices"
	"strings"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// The provider's second door: wallet.v1 of the partner protocol. What it executes is
// in the same truth and in the same settlement, but for the number of sandboxes:
// nobody has it, it never runs dry, and what it pays is nobody's money.

// Base is where the connector is, below the stand-ins' address.
const Base = "/wallet"

// nobody is the number of sandboxes.
const nobody = "+212600000000"

// ours begins the correlation of what came by this door; the other's are UUIDs.
const ours = "v1/"

// words are the kinds of request as this protocol calls them.
var words = map[string]string{merchantPay: "payment", reversal: "reversal", disbursement: "payout"}

// whyNot are the refusals of a sandbox, by the centimes of an amount.
var whyNot = map[int64]problem{1: declined, 4: overLimit, 5: tooLittle, 6: noWallet}

// reasonOf is a problem as this protocol calls it.
func reasonOf(p problem) string {
	switch p {
	case problem{}:
		return ""
	case overLimit:
		return "limit"
	case tooLittle:
		return "funds"
	case declined, wrongPIN, unanswered:
		return "not_approved"
	case noWallet:
		return "no_wallet"
	}
	return "refused"
}

func newConnector() *provider.Connector {
	return provider.NewConnector("hubsim-wallet", "wallet", "Portefeuille de démonstration (exemple)", "reversals", "payouts")
}

func (p *Wallet) routesConnector(mux *http.ServeMux) {
	c := p.Connector
	mux.HandleFunc("GET "+Base+"/.well-known/hub-connector", c.Manifest)
	mux.HandleFunc("POST "+Base+"/wallet/v1/payments", c.Signed(p.move(merchantPay)))
	mux.HandleFunc("POST "+Base+"/wallet/v1/payments/{id}/reversals", c.Signed(p.move(reversal)))
	mux.HandleFunc("POST "+Base+"/wallet/v1/payouts", c.Signed(p.move(disbursement)))
	mux.HandleFunc("GET "+Base+"/wallet/v1/requests/{ref}", c.Signed(p.showRequest))
	mux.HandleFunc("GET "+Base+"/wallet/v1/statements", c.Signed(p.dayStatement))
	mux.HandleFunc("POST "+Base+"/wallet/v1/sandbox/day-end", c.Signed(p.endDay))
	mux.HandleFunc(Base+"/wallet/v1/", c.Signed(c.Nothing))
}

// move takes what moves money, once for its reference.
func (p *Wallet) move(kind string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		o, ok := p.Connector.Posted(rw, r)
		if !ok {
			return
		}
		var q request
		var wrong *provider.Refusal
		status, lost := http.StatusCreated, false
		err := p.World.Journal.Update(func(tx *journal.Tx) error {
			if q, ok = p.byRef(tx, o.Ref); ok {
				if status = http.StatusOK; q.Body != o.Sum {
					wrong = &provider.Refusal{Status: http.StatusUnprocessableEntity, Code: "idempotency_conflict"}
				}
				return nil
			}
			if q, wrong = p.wanted(tx, kind, r.PathValue("id"), o); wrong == nil {
				q = p.takeHere(tx, q)
				lost = q.Phone == nobody && provider.Magic(q.Amount) == 3
			}
			return nil
		})
		switch {
		case err != nil:
			p.Connector.Refuse(rw, &provider.Refusal{Status: http.StatusInternalServerError, Code: "internal"})
		case wrong != nil:
			p.Connector.Refuse(rw, wrong)
		case lost:
			panic(http.ErrAbortHandler) // it is done, and nobody hears of it
		default:
			world.Answer(rw, status, q.here())
		}
	}
}

func (p *Wallet) byRef(tx *journal.Tx, ref string) (request, bool) {
	id, ok := p.corrs.Get(tx, ours+ref)
	if !ok {
		return request{}, false
	}
	return p.requests.Get(tx, id)
}

// wanted is what is asked for, or why it is refused.
func (p *Wallet) wanted(tx *journal.Tx, kind, of string, o provider.Order) (q request, wrong *provider.Refusal) {
	centimes, ok := o.Centimes()
	phone := international(o.Phone)
	if !ok || phone == "" || !strings.HasPrefix(o.Phone, "+212") || phone[4] != '6' && phone[4] != '7' {
		return q, &provider.Refusal{Status: http.StatusUnprocessableEntity, Code: "invalid"}
	}
	q = request{ID: newUUID(), Corr: ours + o.Ref, Body: o.Sum, Kind: kind, Ref: o.Ref, Phone: phone, Amount: centimes}
	if kind != reversal {
		return q, nil
	}
	paid, ok := p.requests.Get(tx, of)
	switch {
	case !ok || paid.Kind != merchantPay || !strings.HasPrefix(paid.Corr, ours):
		return q, &provider.Refusal{Status: http.StatusNotFound, Code: "payment_not_found"}
	case paid.Status != completed || centimes > paid.Amount-paid.Back || mannerOf(paid.Phone).stuck:
		return q, &provider.Refusal{Status: http.StatusConflict, Code: "not_reversible"}
	}
	q.Of, q.Phone = paid.ID, paid.Phone
	return q, nil
}

// takeHere takes a request. What does not need a phone is done at once; of the
// number of sandboxes the centimes say what becomes of it.
func (p *Wallet) takeHere(tx *journal.Tx, q request) request {
	magic := provider.Magic(q.Amount)
	why, refused := whyNot[magic]
	q = p.take(tx, q)
	switch {
	case q.Phone == nobody && magic == 2:
		q.Acts = q.Expires // until the day ends
		p.requests.Put(tx, q.ID, q)
	case q.Phone == nobody && refused:
		q = p.end(tx, q, why)
	case q.Phone == nobody || q.Kind != merchantPay:
		q = p.end(tx, q, problem{})
	case mannerOf(q.Phone).none:
		q = p.end(tx, q, noWallet)
	}
	return q
}

// here is a request as this protocol shows it.
func (q request) here() map[string]any {
	return map[string]any{
		"id": q.ID, "ref": q.Ref, "kind": words[q.Kind], "state": q.Status, "amount": money.Dirhams(q.Amount), "reason": reasonOf(q.Failure), "text": q.Failure.Text,
	}
}

func (p *Wallet) showRequest(rw http.ResponseWriter, r *http.Request) {
	var q request
	var ok bool
	p.World.Journal.View(func(tx *journal.Tx) { q, ok = p.byRef(tx, r.PathValue("ref")) })
	if !ok {
		p.Connector.Refuse(rw, &provider.Refusal{Status: http.StatusNotFound, Code: "request_not_found"})
		return
	}
	world.Answer(rw, http.StatusOK, q.here())
}

// dayStatement tells what came by this door.
func (p *Wallet) dayStatement(rw http.ResponseWriter, r *http.Request) {
	var all []provider.Row
	p.World.Journal.View(func(tx *journal.Tx) {
		for _, q := range p.requests.All(tx) {
			if q.Status != completed || !strings.HasPrefix(q.Corr, ours) {
				continue
			}
			one := provider.Row{Ref: q.Ref, Kind: words[q.Kind], Amount: money.Dirhams(-q.Amount), Fee: money.Dirhams(0), Day: q.Done}
			if q.Kind == merchantPay {
				one.Amount, one.Fee = money.Dirhams(q.Amount), money.Dirhams(q.Amount).Rate(FeePercent)
			}
			all = append(all, one)
		}
	})
	slices.SortFunc(all, func(a, b provider.Row) int { return strings.Compare(a.Ref, b.Ref) })
	p.Connector.Statement(rw, r, all)
}

// endDay completes what waits for it.
func (p *Wallet) endDay(rw http.ResponseWriter, _ *http.Request) {
	err := p.World.Journal.Update(func(tx *journal.Tx) error {
		for _, id := range p.open.All(tx) {
			if q, _ := p.requests.Get(tx, id); q.Phone == nobody && strings.HasPrefix(q.Corr, ours) {
				p.end(tx, q, problem{})
			}
		}
		return nil
	})
	if err != nil {
		p.Connector.Refuse(rw, &provider.Refusal{Status: http.StatusInternalServerError, Code: "internal"})
		return
	}
	world.Answer(rw, http.StatusOK, map[string]any{})
}
