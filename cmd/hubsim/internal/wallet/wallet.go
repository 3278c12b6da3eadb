// Package wallet plays the provider of mobile wallets on the GSMA Mobile Money
// API 1.1: customers with a balance who approve on their phone, reversals and
// disbursements, callbacks, and the daily settlement. It is a demonstration: no
// wallet is charged.
package wallet

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// Secrets are what a shop and its provider share.
type Secrets struct {
	Merchant    string `json:"merchant"`
	ClientID    string `json:"client_id"`
	APIKey      string `json:"api_key"`
	TokenID     string `json:"token_id"`
	TokenSecret string `json:"token_secret"`
	TokenKey    string `json:"token_key"`    // signs the access tokens
	CallbackKey string `json:"callback_key"` // the shop's own; the provider never uses it
}

// A Bank takes the provider's settlements to the shop's account.
type Bank interface {
	// Covers says whether the account can bear a net amount, which refunds may
	// have made negative.
	Covers(tx *journal.Tx, centimes int64) bool
	// Settle books a net amount on the account.
	Settle(tx *journal.Tx, n world.Net)
}

// FeePercent is what the provider keeps of each payment.
var FeePercent = decimal.RequireFromString("0.9")

// The kinds of request, as the API's paths name them.
const (
	merchantPay  = "merchantpay"
	disbursement = "disbursement"
	reversal     = "reversal"
)

// The states of a request.
const (
	pending   = "pending"
	completed = "completed"
	failed    = "failed"
)

// A request is one thing the shop asked for. Amounts are centimes.
type request struct {
	ID          string    `json:"id"` // the server correlation id
	Corr        string    `json:"corr"`
	Body        string    `json:"body"` // sum of what was asked, to tell a repetition
	Kind        string    `json:"kind"`
	Ref         string    `json:"ref"`
	Phone       string    `json:"phone"`
	Amount      int64     `json:"amount"`
	Of          string    `json:"of,omitempty"`   // the request that a reversal undoes
	Back        int64     `json:"back,omitempty"` // of a payment, undone so far
	Status      string    `json:"status"`
	Name        string    `json:"name,omitempty"` // of the transaction it made
	Failure     problem   `json:"failure,omitzero"`
	Callback    string    `json:"callback,omitempty"`
	At          time.Time `json:"at"`
	Acts        time.Time `json:"acts,omitzero"` // when it is executed by itself
	Expires     time.Time `json:"expires"`
	HiddenUntil time.Time `json:"hidden_until,omitzero"`
}

// Wallet is the stand-in. Make it with New before the journal is loaded, serve
// Routes, and Run it for what happens by itself.
type Wallet struct {
	Secrets     Secrets
	SettleEvery time.Duration

	world     *world.World
	bank      Bank
	requests  *journal.Table[request] // by server correlation id
	corrs     *journal.Table[string]  // client correlation id → server's
	names     *journal.Table[string]  // transaction → server correlation id
	open      *journal.Table[string]  // those that are pending
	balances  *journal.Table[int64]   // by phone
	callbacks *journal.Table[callback]
	unsettled *journal.Table[world.NetLine]
	late      *journal.Table[request]

	client  *http.Client
	mu      sync.Mutex
	sending map[string]chan struct{}
	work    sync.WaitGroup
	ctx     context.Context
	stop    context.CancelFunc
}

// New makes a provider that settles to a bank.
func New(w *world.World, b Bank) *Wallet {
	p := &Wallet{
		SettleEvery: 2 * time.Second,
		world:       w,
		bank:        b,
		requests:    journal.NewTable[request](w.Journal, "wallet_requests"),
		corrs:       journal.NewTable[string](w.Journal, "wallet_correlations"),
		names:       journal.NewTable[string](w.Journal, "wallet_transactions"),
		open:        journal.NewTable[string](w.Journal, "wallet_open"),
		balances:    journal.NewTable[int64](w.Journal, "wallet_balances"),
		callbacks:   journal.NewTable[callback](w.Journal, "wallet_callbacks"),
		unsettled:   journal.NewTable[world.NetLine](w.Journal, "wallet_unsettled"),
		late:        journal.NewTable[request](w.Journal, "wallet_late"),
		sending:     map[string]chan struct{}{},
		client: &http.Client{
			Timeout:       10 * time.Second,
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

// Routes adds the provider's API and the phones.
func (p *Wallet) Routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /wallet/token", p.token)
	mux.HandleFunc("POST /wallet/mm/transactions/type/"+merchantPay, p.postTransaction(merchantPay))
	mux.HandleFunc("POST /wallet/mm/transactions/type/"+disbursement, p.postTransaction(disbursement))
	mux.HandleFunc("POST /wallet/mm/transactions/{name}/reversals", p.postReversal)
	mux.HandleFunc("GET /wallet/mm/transactions/{name}", p.getTransaction)
	mux.HandleFunc("GET /wallet/mm/requeststates/{id}", p.getState)
	mux.HandleFunc("GET /wallet/mm/responses/{corr}", p.getResponse)
	mux.HandleFunc("GET /wallet/phone", p.getPhone)
	mux.HandleFunc("POST /wallet/phone", p.postPhone)
}

// Run does what happens by itself until the context ends: phones that answer,
// requests that expire or were put off, callbacks and settlements. It returns
// when nothing of its own is running any more.
func (p *Wallet) Run(ctx context.Context) error {
	tick, settle := time.NewTicker(100*time.Millisecond), time.NewTicker(p.SettleEvery)
	defer tick.Stop()
	defer settle.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			p.halt()
			return nil
		case <-tick.C:
			err = p.act()
			p.sendDue()
		case <-settle.C:
			err = p.Settle()
		}
		if err != nil {
			p.halt()
			return fmt.Errorf("wallet: %w", err)
		}
	}
}

// halt lets no callback start any more, and waits for those that run.
func (p *Wallet) halt() {
	p.mu.Lock()
	p.stop()
	p.mu.Unlock()
	p.work.Wait()
}

// Settle pays all payments that were not settled yet, less the fee, and takes
// off what went back, as one sum.
func (p *Wallet) Settle() error {
	return p.world.Journal.Update(func(tx *journal.Tx) error {
		n := world.Net{At: p.world.Now(), Lines: p.unsettled.All(tx)}
		if len(n.Lines) == 0 || !p.bank.Covers(tx, n.Amount()) {
			return nil
		}
		n.ID = fmt.Sprintf("%s%s-%06d", world.WalletSettlement, n.At.Format("20060102"), p.world.Next(tx, "wallet_settlements"))
		for _, key := range p.unsettled.Keys(tx) {
			p.unsettled.Delete(tx, key)
		}
		p.did(tx, n.ID, world.Settlement, n.Amount())
		p.bank.Settle(tx, n)
		slog.Info("wallet settled", "settlement", n.ID, "lines", len(n.Lines), "net", money.Dirhams(n.Amount()).String())
		return nil
	})
}

func (p *Wallet) did(tx *journal.Tx, ref, kind string, centimes int64) {
	p.world.Did(tx, world.Executed{Partner: world.Wallet, Ref: ref, Kind: kind, Amount: money.Dirhams(centimes), At: p.world.Now()})
}
