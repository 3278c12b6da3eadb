package acquirer

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// caseFee is what the acquirer takes for a chargeback unless it is told
// otherwise, in centimes; it is not given back.
const caseFee = 15_00

// A contest is a chargeback: the buyer's bank takes a captured order back.
type contest struct {
	ID     string `json:"id"`
	OID    string `json:"ref"`
	State  string `json:"state"` // opened, won or lost
	Amount int64  `json:"amount"`
	Fee    int64  `json:"fee"`
	Reason string `json:"reason"`
	Told   int    `json:"told"`
}

// view is a case as the controls show it.
type view struct {
	ID     string      `json:"id"`
	OID    string      `json:"ref"`
	State  string      `json:"state"`
	Amount money.Money `json:"amount"`
	Fee    money.Money `json:"fee"`
	Reason string      `json:"reason"`
}

func (c contest) view() view {
	return view{c.ID, c.OID, c.State, money.Dirhams(c.Amount), money.Dirhams(c.Fee), c.Reason}
}

// notify is where the shop hears of chargebacks: beside where it hears of
// payments.
func notify(callbackURL string) string {
	u, err := url.Parse(provider.WebAddress(callbackURL))
	if err != nil || u.Host == "" {
		return ""
	}
	if i := strings.LastIndexByte(u.Path, '/'); i >= 0 {
		u.Path = u.Path[:i] + "/chargeback"
	}
	return u.String()
}

func (a *Acquirer) listCases(rw http.ResponseWriter, _ *http.Request) {
	out := []view{}
	a.World.Journal.View(func(tx *journal.Tx) {
		for _, c := range a.cases.All(tx) {
			out = append(out, c.view())
		}
	})
	world.Answer(rw, http.StatusOK, map[string]any{"cases": out})
}

// caseInput opens a chargeback of an order (ref), or ends one (id, state).
type caseInput struct {
	Ref    string  `json:"ref"`
	Amount string  `json:"amount"`
	Fee    *string `json:"fee"`
	Reason string  `json:"reason"`
	ID     string  `json:"id"`
	State  string  `json:"state"`
}

var errCase = errors.New("give ref (and amount, fee, reason) to open a chargeback, or id and state won or lost to end one")

func (a *Acquirer) postCase(rw http.ResponseWriter, r *http.Request) {
	var in caseInput
	if !world.Read(rw, r, &in) {
		return
	}
	var c contest
	err := a.World.Journal.Update(func(tx *journal.Tx) (err error) {
		switch {
		case in.Ref != "" && in.ID == "" && in.State == "":
			c, err = a.openCase(tx, in)
		case in.Ref == "" && in.ID != "" && (in.State == "won" || in.State == "lost"):
			c, err = a.endCase(tx, in.ID, in.State)
		default:
			err = errCase
		}
		return err
	})
	if err != nil {
		world.Problem(rw, http.StatusUnprocessableEntity, "sim.case", err.Error())
		return
	}
	slog.Info("acquirer case", "id", c.ID, "ref", c.OID, "state", c.State, "amount", money.Dirhams(c.Amount).String())
	world.Answer(rw, http.StatusOK, c.view())
}

// openCase takes the money of a captured order back, with the fee, out of the
// next settlement.
func (a *Acquirer) openCase(tx *journal.Tx, in caseInput) (c contest, err error) {
	o, ok := a.orders.Get(tx, in.Ref)
	if !ok || o.State != Captured && o.State != Settled {
		return c, fmt.Errorf("order %q was not captured", in.Ref)
	}
	c = contest{OID: o.OID, State: "opened", Amount: o.Captured - o.Contested, Fee: caseFee, Reason: in.Reason}
	if in.Amount != "" {
		if c.Amount, err = readAmount(in.Amount); err != nil {
			return c, err
		}
	}
	if in.Fee != nil {
		m, err := money.Parse(*in.Fee, money.MAD)
		if err != nil || m.Sign() < 0 {
			return c, fmt.Errorf("fee %q is no amount", *in.Fee)
		}
		c.Fee = m.Centimes()
	}
	// What was refunded before may be charged back all the same: the buyer's
	// bank does not ask.
	if c.Amount <= 0 || c.Amount > o.Captured-o.Contested {
		return c, errors.New("that is more than was captured")
	}
	c.ID = fmt.Sprintf("CBK-%s-%06d", a.World.Now().Format("20060102"), a.World.Next(tx, "cases"))
	o.Contested += c.Amount
	a.orders.Put(tx, o.OID, o)
	a.owe(tx, o, c.ID+"/opened", world.NetLine{Ref: o.OID, Gross: -c.Amount, Fee: c.Fee, Case: c.ID})
	a.stand(tx, o, c.ID+"/opened", row{Ref: c.ID, Kind: "chargeback", Amount: -c.Amount, Fee: c.Fee})
	a.Did(tx, o.OID, world.Chargeback, c.Amount)
	a.tellCase(tx, o, &c)
	return c, nil
}

// endCase decides a chargeback. What is won comes again with the next
// settlement; the fee does not.
func (a *Acquirer) endCase(tx *journal.Tx, id, state string) (contest, error) {
	c, ok := a.cases.Get(tx, id)
	if !ok || c.State != "opened" {
		return c, fmt.Errorf("case %q is not open", id)
	}
	o, _ := a.orders.Get(tx, c.OID)
	c.State = state
	kind := world.Lost
	if state == "won" {
		kind = world.Won
		o.Contested -= c.Amount
		a.orders.Put(tx, o.OID, o)
		a.owe(tx, o, c.ID+"/won", world.NetLine{Ref: o.OID, Gross: c.Amount, Case: c.ID})
		a.stand(tx, o, c.ID+"/won", row{Ref: c.ID, Kind: "chargeback", Amount: c.Amount})
	}
	a.Did(tx, o.OID, kind, c.Amount)
	a.tellCase(tx, o, &c)
	return c, nil
}

// caseFaults are the faults that a message about a chargeback can play.
var caseFaults = []string{"callback_missing", "bad_signature", "answer_twice", "replayed_callback"}

// tellCase keeps a case and puts its message to the shop down.
func (a *Acquirer) tellCase(tx *journal.Tx, o order, c *contest) {
	c.Told++
	a.cases.Put(tx, c.ID, *c)
	if o.V1 {
		a.tellCaseHere(tx, *c)
	}
	if o.Notify == "" {
		return
	}
	fault := a.World.Take(tx, a.name, caseFaults...)
	if fault == "callback_missing" {
		return
	}
	a.Tell(tx, fmt.Sprintf("%s-%d", c.ID, c.Told), o.Notify, result{OID: o.OID, Fields: Fields{
		{"messageType", "CHARGEBACK"},
		{"clientid", a.Secrets.ClientID},
		{"oid", o.OID},
		{"caseId", c.ID},
		{"caseState", strings.ToUpper(c.State)},
		{"amount", money.Dirhams(c.Amount).Amount()},
		{"caseFee", money.Dirhams(c.Fee).Amount()},
		{"caseReason", c.Reason},
		{"currency", "504"},
		{"hashAlgorithm", "ver3"},
	}}, fault)
}
