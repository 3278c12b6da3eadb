package acquirer

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// The acquirer's second door: card.v1 of the partner protocol. Its payments are orders
// like the others, on the same pages and in the same settlement; but who is played by
// the sandbox pays with nobody's money, which settles when the day ends and never
// reaches the bank.

// Base is where the connector is, below the stand-ins' address.
func (a *Acquirer) Base() string { return "/" + a.name }

// What moves money of a payment, as the paths call it, and how it is refused.
const (
	captures = "captures"
	voids    = "voids"
	refunds  = "refunds"
)

var refusedAs = map[string]string{captures: "not_capturable", voids: "not_voidable", refunds: "not_refundable"}

// stateHere are the states of orders as this protocol calls them.
var stateHere = map[string]string{Authorised: "authorized", Captured: "captured", Settled: "settled", Voided: "voided", Declined: "declined"}

// reasons are why a card is declined, by the codes of ISO 8583.
var reasons = map[string]string{"51": "funds", "54": "expired", "99": "not_authenticated", blocked: "blocked"}

// blocked is the code of a card that was reported lost.
const blocked = "41"

var refText = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,34}$`)

func newConnector(name string) *provider.Connector {
	if name == world.Acquirer2 {
		return provider.NewConnector("hubsim-card2", "card", "Second acquéreur de démonstration (exemple)", "chargebacks")
	}
	return provider.NewConnector("hubsim-card", "card", "Acquéreur de démonstration (exemple)", "chargebacks")
}

func (a *Acquirer) routesConnector(mux *http.ServeMux) {
	c, v1 := a.Connector, a.Base()+"/card/v1/"
	mux.HandleFunc("GET "+a.Base()+"/.well-known/hub-connector", a.awake(c.Manifest))
	mux.HandleFunc("POST "+a.Base()+"/events", a.postEvents)
	mux.HandleFunc("POST "+v1+"pay", a.awake(a.pay))
	for path, h := range map[string]http.HandlerFunc{
		"GET " + v1 + "payments/{ref}": a.showPayment, "GET " + v1 + "statements": a.dayStatement,
		"POST " + v1 + "payments/{ref}/" + captures: a.move(captures), "POST " + v1 + "payments/{ref}/" + voids: a.move(voids),
		"POST " + v1 + "payments/{ref}/" + refunds: a.move(refunds),
		"POST " + v1 + "sandbox/buyers":            a.playBuyer, "POST " + v1 + "sandbox/day-end": a.endDay,
		v1: c.Nothing,
	} {
		mux.HandleFunc(path, a.awake(c.Signed(h)))
	}
}

// A move is a capture, a void or a refund that was asked for under its own reference,
// and how it was refused, if it was. Amounts are centimes.
type move struct {
	Ref     string            `json:"ref"`
	Of      string            `json:"of"` // the payment
	Kind    string            `json:"kind"`
	Amount  int64             `json:"amount"`
	Sum     string            `json:"sum"` // of what was asked, to tell a repetition
	Refused *provider.Refusal `json:"refused,omitempty"`
}

// move takes what moves money, once for its reference.
func (a *Acquirer) move(kind string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		in, ok := a.Connector.Posted(rw, r)
		if !ok {
			return
		}
		centimes, ok := in.Centimes()
		if !ok || !refText.MatchString(in.Ref) {
			a.Connector.Refuse(rw, &provider.Refusal{Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: "Give a reference of the protocol, and an amount above nothing in MAD."})
			return
		}
		m := move{Ref: in.Ref, Of: r.PathValue("ref"), Kind: kind, Amount: centimes, Sum: in.Sum}
		fault, ok := a.fault(rw, operationFaults...)
		switch {
		case !ok:
		case fault == "execute_late":
			if a.change(rw, func(tx *journal.Tx) { a.putOff(tx, lateOp{Move: &m}) }) {
				a.Hold(rw, r)
			}
		default:
			a.execute1(rw, m, fault)
		}
	}
}

// execute1 does what is asked and answers it, or misbehaves.
func (a *Acquirer) execute1(rw http.ResponseWriter, m move, fault string) {
	var out moved
	switch {
	case !a.change(rw, func(tx *journal.Tx) { out = a.once(tx, m) }):
	case out.lost:
		provider.Drop(rw) // it is done, and nobody hears of it
	case out.wrong != nil && (fault == "" || fault == "slow_body" || fault == "contradicts_itself"):
		a.Connector.Refuse(rw, out.wrong)
	default: // a refusal of which nobody hears has no status
		a.say(rw, cmp.Or(out.status, http.StatusCreated), out.order.here(), fault)
	}
}

// change writes to the journal; it has answered when it is false.
func (a *Acquirer) change(rw http.ResponseWriter, do func(tx *journal.Tx)) bool {
	err := a.World.Journal.Update(func(tx *journal.Tx) error {
		do(tx)
		return nil
	})
	if err != nil {
		slog.Error("acquirer connector", "err", err)
		a.Connector.Refuse(rw, &provider.Refusal{Status: http.StatusInternalServerError, Code: "internal"})
	}
	return err == nil
}

// fault takes one of these faults; those before anything is done are played at once,
// and then it is not ok.
func (a *Acquirer) fault(rw http.ResponseWriter, faults ...string) (fault string, ok bool) {
	switch ok = a.change(rw, func(tx *journal.Tx) { fault = a.World.Take(tx, a.name, faults...) }); {
	case !ok:
	case fault == "drop_request":
		provider.Drop(rw)
		return fault, false
	case fault == "rate_limited":
		rw.Header().Set("Retry-After", "2")
		a.Connector.Refuse(rw, &provider.Refusal{Status: http.StatusTooManyRequests, Code: "rate_limited"})
		return fault, false
	}
	return fault, ok
}

// say answers what was done, or misbehaves.
func (a *Acquirer) say(rw http.ResponseWriter, status int, v any, fault string) {
	switch fault {
	case "execute_then_drop":
		provider.Drop(rw)
	case "execute_then_500":
		a.Connector.Refuse(rw, &provider.Refusal{Status: http.StatusInternalServerError, Code: "internal"})
	case "execute_then_garbage":
		provider.Reply(rw, "application/json", status, []byte(`{"id":"","ref":"<html>502 Bad gatew`), false)
	case "contradicts_itself":
		a.Connector.Refuse(rw, &provider.Refusal{Status: http.StatusUnprocessableEntity, Code: "refused", Reason: "refused"})
	default:
		b, err := json.Marshal(v)
		if err != nil {
			panic("acquirer: " + err.Error())
		}
		provider.Reply(rw, "application/json", status, b, fault == "slow_body")
	}
}

// moved is what came of a move; lost says that its answer never comes.
type moved struct {
	order  order
	status int
	wrong  *provider.Refusal
	lost   bool
}

// once does a move the first time that it is asked for. What was refused by how the
// payment stood stays refused: nothing is or will be done under its reference.
func (a *Acquirer) once(tx *journal.Tx, m move) moved {
	if was, known := a.moves.Get(tx, m.Ref); known {
		o, _ := a.orders.Get(tx, was.Of)
		if was.Sum != m.Sum {
			return moved{wrong: &provider.Refusal{Status: http.StatusUnprocessableEntity, Code: "idempotency_conflict"}}
		}
		return moved{order: o, status: http.StatusOK, wrong: was.Refused}
	}
	if m.Refused = a.do(tx, m); m.Refused != nil && m.Refused.Code == "invalid" {
		return moved{wrong: m.Refused}
	}
	a.moves.Put(tx, m.Ref, m)
	if m.Refused != nil {
		return moved{wrong: m.Refused}
	}
	o, _ := a.orders.Get(tx, m.Of)
	a.updated(tx, o)
	return moved{order: o, status: http.StatusCreated, lost: m.Kind == captures && o.Nobody && provider.Magic(o.Amount) == 3}
}

// do does a move, or says why not.
func (a *Acquirer) do(tx *journal.Tx, m move) *provider.Refusal {
	o, ok := a.here(tx, m.Of)
	if !ok {
		return &provider.Refusal{Status: http.StatusNotFound, Code: "payment_not_found"}
	}
	no := notRefundable
	switch {
	case m.Kind == captures:
		no = a.capture(tx, m.Of, m.Amount)
	case m.Kind == voids && m.Amount != o.Amount:
		return &provider.Refusal{Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: "The amount of a void is the payment's."}
	case m.Kind == voids:
		no = a.void(tx, m.Of)
	case o.State == Settled:
		no = a.refund(tx, m.Of, m.Amount, m.Ref)
	}
	switch no {
	case done:
		return nil
	case cardClosed:
		return &provider.Refusal{Status: http.StatusUnprocessableEntity, Code: "refused", Reason: "blocked", Detail: "The card is closed."}
	}
	return &provider.Refusal{Status: http.StatusConflict, Code: refusedAs[m.Kind], Detail: string(no) + "."}
}

// here is a payment that was tried by this door.
func (a *Acquirer) here(tx *journal.Tx, ref string) (order, bool) {
	o, ok := a.orders.Get(tx, ref)
	return o, ok && o.V1
}

// here is an order as this protocol shows it.
func (o order) here() map[string]any {
	state, why := stateHere[o.State], ""
	switch {
	case o.Captured > 0 && o.Refunded == o.Captured:
		state = "refunded"
	case o.State == Declined:
		if why = reasons[o.Code]; why == "" {
			why = "refused"
		}
	}
	return map[string]any{
		"id": o.TransID, "ref": o.OID, "state": state, "reason": why, "text": texts[o.Code],
		"amount": money.Dirhams(o.Amount), "captured": money.Dirhams(o.Captured), "refunded": money.Dirhams(o.Refunded),
	}
}

func (a *Acquirer) showPayment(rw http.ResponseWriter, r *http.Request) {
	ref, faults := r.PathValue("ref"), []string(nil) // who only asks whether anybody is there is answered
	a.World.Journal.View(func(tx *journal.Tx) {
		if _, known := a.here(tx, ref); known {
			faults = append([]string{"not_found_then_visible"}, apiFaults...)
		}
	})
	fault, ok := a.fault(rw, faults...)
	if !ok {
		return
	}
	var o order
	known := false
	ok = a.change(rw, func(tx *journal.Tx) {
		if o, known = a.here(tx, ref); known && fault == "not_found_then_visible" {
			o.HiddenUntil = a.World.Now().Add(provider.HideFor)
			a.orders.Put(tx, ref, o)
		}
	})
	switch {
	case !ok:
	case !known || a.World.Now().Before(o.HiddenUntil):
		a.Connector.Refuse(rw, &provider.Refusal{Status: http.StatusNotFound, Code: "payment_not_found"})
	case fault == "contradicts_itself":
		o.State, o.Captured, o.Refunded = Declined, 0, 0
		a.say(rw, http.StatusOK, o.here(), "")
	default:
		a.say(rw, http.StatusOK, o.here(), fault)
	}
}

// A row is one of the statement, kept on the day that it came about.
type row struct {
	Ref    string `json:"ref"`
	Kind   string `json:"kind"` // payment, refund, chargeback
	Amount int64  `json:"amount"`
	Fee    int64  `json:"fee"`
	Day    string `json:"day"`
}

// stand writes what moved of an order onto the statement, if this door knows it. Key
// tells rows of one reference apart.
func (a *Acquirer) stand(tx *journal.Tx, o order, key string, r row) {
	if o.V1 {
		r.Day = provider.Today()
		a.rows.Put(tx, key, r)
	}
}

// settled has an order stand on the statement.
func (a *Acquirer) settled(tx *journal.Tx, o order, settlement string) {
	o.State, o.Settlement = Settled, settlement
	a.orders.Put(tx, o.OID, o)
	a.stand(tx, o, "payment/"+o.OID, row{Ref: o.OID, Kind: "payment", Amount: o.Captured, Fee: feeOf(o.Captured)})
	a.updated(tx, o)
}

func (a *Acquirer) dayStatement(rw http.ResponseWriter, r *http.Request) {
	fault, ok := a.fault(rw, "rate_limited", "drop_request")
	if !ok || fault != "" {
		return
	}
	var all []provider.Row
	a.World.Journal.View(func(tx *journal.Tx) {
		for _, r := range a.rows.All(tx) {
			all = append(all, provider.Row{Ref: r.Ref, Kind: r.Kind, Amount: money.Dirhams(r.Amount), Fee: money.Dirhams(r.Fee), Day: r.Day})
		}
	})
	a.Connector.Statement(rw, r, all)
}

// endDay settles what is captured: with the bank what people paid, and with nobody
// what the sandbox did, of which some is charged back.
func (a *Acquirer) endDay(rw http.ResponseWriter, _ *http.Request) {
	err := a.SettleNow()
	if err == nil {
		err = a.World.Journal.Update(a.endSandbox)
	}
	if err != nil {
		slog.Error("acquirer connector", "err", err)
		a.Connector.Refuse(rw, &provider.Refusal{Status: http.StatusInternalServerError, Code: "internal"})
		return
	}
	world.Answer(rw, http.StatusOK, map[string]any{})
}

func (a *Acquirer) endSandbox(tx *journal.Tx) error {
	for _, o := range a.orders.All(tx) {
		if !o.Nobody || o.State != Captured {
			continue
		}
		a.settled(tx, o, "")
		if provider.Magic(o.Amount) == 7 {
			if _, err := a.openCase(tx, caseInput{Ref: o.OID, Reason: "10.4 Fraude, carte absente"}); err != nil {
				return err
			}
		}
	}
	return nil
}
