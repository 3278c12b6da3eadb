// Package acquirer plays a card acquirer on the NestPay ver3 protocol: the
// hosted card page, 3-D Secure, the signed callback whose answer captures, the
// server API and the daily settlement; and on card.v1 of the partner protocol. It is
// a demonstration: no card is charged and no card number is kept.
package acquirer

import (
	"fmt"
	"net/http"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
)

// Secrets are what a shop and its acquirer share, and the key that signs the
// hidden fields of the pages.
type Secrets struct {
	ClientID    string `json:"client_id"`
	StoreKey    string `json:"store_key"`
	APIUser     string `json:"api_user"`
	APIPassword string `json:"api_password"`
	PageKey     string `json:"page_key"`
}

// The states of an order, as the status query calls them.
const (
	Authorised = "A"
	Captured   = "C"
	Settled    = "S"
	Voided     = "V"
	Declined   = "D"
)

// An order is what the acquirer knows of one order number of the shop. Amounts
// are centimes.
type order struct {
	OID         string    `json:"oid"`
	State       string    `json:"state"`
	Amount      int64     `json:"amount"`
	Captured    int64     `json:"captured,omitempty"`
	Refunded    int64     `json:"refunded,omitempty"`
	Code        string    `json:"code"`
	TransID     string    `json:"trans_id"`
	AuthCode    string    `json:"auth_code,omitempty"`
	HostRef     string    `json:"host_ref,omitempty"`
	Settlement  string    `json:"settlement,omitempty"`
	Contested   int64     `json:"contested,omitempty"` // taken back by chargebacks that are open or lost
	Closed      bool      `json:"closed,omitempty"`    // the card takes nothing back any more
	Notify      string    `json:"notify,omitempty"`    // where the shop hears of chargebacks
	HiddenUntil time.Time `json:"hidden_until,omitzero"`
	V1          bool      `json:"v1,omitempty"`     // paid by card.v1
	Nobody      bool      `json:"nobody,omitempty"` // by a buyer of the sandbox: it never reaches the bank
}

// closed says that no further card may be tried on the order.
func (o order) closed() bool { return o.State != "" && o.State != Declined }

// Acquirer is the stand-in. Make it with New before the journal is loaded,
// serve Routes, and Run it for the callbacks and the settlements.
type Acquirer struct {
	*provider.Provider[result]
	Secrets   Secrets
	Connector *provider.Connector // of card.v1

	name      string
	orders    *journal.Table[order]
	attempts  *journal.Table[attempt]
	cases     *journal.Table[contest]
	late      *journal.Table[lateOp]
	wanted    *journal.Table[wanted] // of card.v1, by reference
	moves     *journal.Table[move]   // of card.v1, by reference
	rows      *journal.Table[row]    // of card.v1's statements
	listeners *journal.Table[string] // where card.v1's events go
}

// New makes the acquirer so named, with a truth of its own, that settles to a
// bank.
func New(w *world.World, name string, b provider.Bank) *Acquirer {
	a := &Acquirer{
		Connector: newConnector(name),
		name:      name,
		orders:    journal.NewTable[order](w.Journal, name+"_orders"),
		attempts:  journal.NewTable[attempt](w.Journal, name+"_attempts"),
		cases:     journal.NewTable[contest](w.Journal, name+"_cases"),
		late:      journal.NewTable[lateOp](w.Journal, name+"_late"),
		wanted:    journal.NewTable[wanted](w.Journal, name+"_wanted"),
		moves:     journal.NewTable[move](w.Journal, name+"_moves"),
		rows:      journal.NewTable[row](w.Journal, name+"_rows"),
		listeners: journal.NewTable[string](w.Journal, name+"_listeners"),
	}
	a.Provider = provider.New(w, name, b, a)
	return a
}

// Routes adds the acquirer's pages and its API.
func (a *Acquirer) Routes(mux *http.ServeMux) {
	for path, h := range map[string]http.HandlerFunc{"est3Dgate": a.gate, "card": a.card, "3ds": a.secure, "api": a.api} {
		mux.HandleFunc("POST /"+a.name+"/fim/"+path, a.awake(h))
	}
	a.routesConnector(mux)
	if a.name == world.Acquirer {
		mux.HandleFunc("GET /cases", a.listCases)
		mux.HandleFunc("POST /cases", a.postCase)
	}
}

// awake serves, unless the acquirer is told to be away: then whoever calls is
// hung up on.
func (a *Acquirer) awake(h http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if a.World.Away(a.name) {
			provider.Drop(rw)
			return
		}
		h(rw, r)
	}
}

// Settled names a settlement and writes the name on the orders it pays.
func (a *Acquirer) Settled(tx *journal.Tx, n world.Net) string {
	prefix, counter := "STL-", "settlements"
	if a.name == world.Acquirer2 {
		prefix, counter = world.Settlement2, "settlements2"
	}
	id := fmt.Sprintf("%s%s-%06d", prefix, n.At.Format("20060102"), a.World.Next(tx, counter))
	for _, l := range n.Lines {
		if o, ok := a.orders.Get(tx, l.Ref); ok && l.Gross > 0 && l.Case == "" {
			a.settled(tx, o, id)
		}
	}
	return id
}
