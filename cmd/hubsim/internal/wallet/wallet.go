// Package wallet plays the provider of mobile wallets on the GSMA Mobile Money
// API 1.1: customers with a balance who approve on their phone, reversals and
// disbursements, callbacks, and the daily settlement. It is a demonstration: no
// wallet is charged.
package wallet

import (
	"fmt"
	"net/http"
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
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
	Acts        time.Time `json:"acts,omitzero"`  // when it is executed by itself
	Done        string    `json:"done,omitempty"` // the day it was completed, in UTC
	Expires     time.Time `json:"expires"`
	HiddenUntil time.Time `json:"hidden_until,omitzero"`
}

// Wallet is the stand-in. Make it with New before the journal is loaded, serve
// Routes, and Run it for what happens by itself.
type Wallet struct {
	*provider.Provider[news]
	Secrets   Secrets
	Connector *provider.Connector // of wallet.v1

	requests *journal.Table[request] // by server correlation id
	corrs    *journal.Table[string]  // client correlation id → server's
	names    *journal.Table[string]  // transaction → server correlation id
	open     *journal.Table[string]  // those that are pending
	balances *journal.Table[int64]   // by phone
	late     *journal.Table[request]
}

// New makes a provider that settles to a bank.
func New(w *world.World, b provider.Bank) *Wallet {
	p := &Wallet{
		Connector: newConnector(),
		requests:  journal.NewTable[request](w.Journal, "wallet_requests"),
		corrs:     journal.NewTable[string](w.Journal, "wallet_correlations"),
		names:     journal.NewTable[string](w.Journal, "wallet_transactions"),
		open:      journal.NewTable[string](w.Journal, "wallet_open"),
		balances:  journal.NewTable[int64](w.Journal, "wallet_balances"),
		late:      journal.NewTable[request](w.Journal, "wallet_late"),
	}
	p.Provider = provider.New(w, world.Wallet, b, p)
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
	p.routesConnector(mux)
}

// Settled names a settlement.
func (p *Wallet) Settled(tx *journal.Tx, n world.Net) string {
	return fmt.Sprintf("%s%s-%06d", world.WalletSettlement, n.At.Format("20060102"), p.World.Next(tx, "wallet_settlements"))
}
