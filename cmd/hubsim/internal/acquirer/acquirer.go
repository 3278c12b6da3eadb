// Package acquirer plays a card acquirer on the NestPay ver3 protocol: the
// hosted card page, 3-D Secure, the signed callback whose answer captures, the
// server API and the daily settlement. It is a demonstration: no card is
// charged and no card number is kept.
package acquirer

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
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

// A Bank takes the acquirer's settlements to the shop's account.
type Bank interface {
	// Covers says whether the account can bear a net amount, which refunds may
	// have made negative.
	Covers(tx *journal.Tx, centimes int64) bool
	// Settle books a net amount on the account.
	Settle(tx *journal.Tx, n world.Net)
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
}

// closed says that no further card may be tried on the order.
func (o order) closed() bool { return o.State != "" && o.State != Declined }

// Acquirer is the stand-in. Make it with New before the journal is loaded,
// serve Routes, and Run it for the callbacks and the settlements.
type Acquirer struct {
	Secrets     Secrets
	SettleEvery time.Duration

	world     *world.World
	bank      Bank
	orders    *journal.Table[order]
	attempts  *journal.Table[attempt]
	callbacks *journal.Table[callback]
	cases     *journal.Table[contest]
	unsettled *journal.Table[world.NetLine]
	late      *journal.Table[lateOp]

	client  *http.Client
	mu      sync.Mutex
	sending map[string]chan struct{}
	work    sync.WaitGroup
	ctx     context.Context
	stop    context.CancelFunc
}

// New makes an acquirer that settles to a bank.
func New(w *world.World, b Bank) *Acquirer {
	a := &Acquirer{
		SettleEvery: 2 * time.Second,
		world:       w,
		bank:        b,
		orders:      journal.NewTable[order](w.Journal, "acquirer_orders"),
		attempts:    journal.NewTable[attempt](w.Journal, "acquirer_attempts"),
		cases:       journal.NewTable[contest](w.Journal, "acquirer_cases"),
		callbacks:   journal.NewTable[callback](w.Journal, "acquirer_callbacks"),
		unsettled:   journal.NewTable[world.NetLine](w.Journal, "acquirer_unsettled"),
		late:        journal.NewTable[lateOp](w.Journal, "acquirer_late"),
		sending:     map[string]chan struct{}{},
		client: &http.Client{
			Timeout:       10 * time.Second,
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	a.ctx, a.stop = context.WithCancel(context.Background())
	return a
}

// Routes adds the acquirer's pages and its API.
func (a *Acquirer) Routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /acquirer/fim/est3Dgate", a.gate)
	mux.HandleFunc("POST /acquirer/fim/card", a.card)
	mux.HandleFunc("POST /acquirer/fim/3ds", a.secure)
	mux.HandleFunc("POST /acquirer/fim/api", a.api)
	mux.HandleFunc("GET /cases", a.listCases)
	mux.HandleFunc("POST /cases", a.postCase)
}

// Run sends callbacks, executes what was put off and settles, until the
// context ends; it returns when nothing of its own is running any more.
func (a *Acquirer) Run(ctx context.Context) error {
	tick, settle := time.NewTicker(100*time.Millisecond), time.NewTicker(a.SettleEvery)
	defer tick.Stop()
	defer settle.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			a.halt()
			return nil
		case <-tick.C:
			a.sendDue()
			err = a.executeLate()
		case <-settle.C:
			err = a.Settle()
		}
		if err != nil {
			a.halt()
			return fmt.Errorf("acquirer: %w", err)
		}
	}
}

// halt lets no callback start any more, and waits for those that run.
func (a *Acquirer) halt() {
	a.mu.Lock()
	a.stop()
	a.mu.Unlock()
	a.work.Wait()
}

// Settle pays all captured charges that were not settled yet, less the fee of
// 1.8 % of each, and takes refunds and chargebacks off, as one sum.
func (a *Acquirer) Settle() error {
	return a.world.Journal.Update(func(tx *journal.Tx) error {
		lines := a.unsettled.All(tx)
		n := world.Net{At: a.world.Now(), Lines: lines}
		if len(lines) == 0 || !a.bank.Covers(tx, n.Amount()) {
			return nil
		}
		n.ID = fmt.Sprintf("STL-%s-%06d", n.At.Format("20060102"), a.world.Next(tx, "settlements"))
		for _, l := range lines {
			if o, ok := a.orders.Get(tx, l.Ref); ok && l.Gross > 0 && l.Case == "" {
				o.State, o.Settlement = Settled, n.ID
				a.orders.Put(tx, l.Ref, o)
			}
		}
		for _, key := range a.unsettled.Keys(tx) {
			a.unsettled.Delete(tx, key)
		}
		a.did(tx, n.ID, world.Settlement, n.Amount())
		a.bank.Settle(tx, n)
		slog.Info("acquirer settled", "settlement", n.ID, "lines", len(lines), "net", money.Dirhams(n.Amount()).String())
		return nil
	})
}

func (a *Acquirer) did(tx *journal.Tx, ref, kind string, centimes int64) {
	a.world.Did(tx, world.Executed{
		Partner: world.Acquirer, Ref: ref, Kind: kind, Amount: money.Dirhams(centimes), At: a.world.Now(),
	})
}
