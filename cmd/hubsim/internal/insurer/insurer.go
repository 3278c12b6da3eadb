// Package insurer plays an insurer that speaks insurance.v1: products with their
// information sheets, quotes, policies, premiums, claims that a person decides,
// observations of an index, statements, and signed events. What it pays leaves as a
// credit at the stand-in bank. It is a demonstration: nobody is insured.
package insurer

import (
	"crypto/ed25519"
	"fmt"
	"net/http"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
)

// Secrets are what the insurer and its distributor share.
type Secrets struct {
	APIKey string `json:"api_key"`
	Seed   []byte `json:"seed"` // of the key that signs its events
}

// Bank is the stand-in bank, where what the insurer pays comes in.
type Bank interface {
	provider.Bank
	// Pays has the insurer transfer to the hub's safeguard account.
	Pays(tx *journal.Tx, endToEnd, text string, centimes int64)
}

// Base is where the insurer's paths begin.
const Base = "/insurer"

// payAfter is how long after a claim was accepted its money leaves.
const payAfter = 2 * time.Second

// A quote is a price that was given. Amounts are centimes.
type quote struct {
	ID         string    `json:"id"`
	Ref        string    `json:"ref"`
	Asked      asked     `json:"asked"`
	Premium    int64     `json:"premium"`
	Taxes      int64     `json:"taxes"`
	Commission int64     `json:"commission"`
	Until      time.Time `json:"until"`
	UsedBy     string    `json:"used_by,omitempty"` // the policy's reference
}

// A policy is one that was asked for.
type policy struct {
	ID          string    `json:"id"`
	Ref         string    `json:"ref"`
	Number      string    `json:"number"`
	State       string    `json:"state"`
	Reason      string    `json:"reason,omitempty"`
	Quote       quote     `json:"quote"`
	Holder      string    `json:"holder"`
	Payment     string    `json:"payment"`
	BoundAt     time.Time `json:"bound_at"`
	PaidUntil   time.Time `json:"paid_until,omitzero"`
	Refund      int64     `json:"refund,omitempty"`
	HiddenUntil time.Time `json:"hidden_until,omitzero"`
}

// A claim is what was claimed, or what an index made due.
type claim struct {
	ID          string    `json:"id"`
	Ref         string    `json:"ref"`
	Policy      string    `json:"policy"`
	State       string    `json:"state"`
	Type        string    `json:"type"`
	Text        string    `json:"text,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	Asks        []string  `json:"asks,omitempty"`
	Asked       int64     `json:"asked"`
	Amount      int64     `json:"amount,omitempty"`
	Transfer    string    `json:"transfer,omitempty"`
	Papers      []paper   `json:"papers,omitempty"`
	At          time.Time `json:"at"`
	PayAt       time.Time `json:"pay_at,omitzero"`
	HiddenUntil time.Time `json:"hidden_until,omitzero"`
}

// The states.
const (
	pending   = "pending"
	active    = "active"
	lapsed    = "lapsed"
	cancelled = "cancelled"
	expired   = "expired"
	claimed   = "claimed"
	refused   = "refused"

	notified = "notified"
	review   = "review"
	accepted = "accepted"
	rejected = "rejected"
	paid     = "paid"
)

// A row is one movement of a statement.
type row struct {
	Period     string `json:"period"`
	Kind       string `json:"kind"`
	Ref        string `json:"ref"`
	Policy     string `json:"policy"`
	Amount     int64  `json:"amount"`
	Commission int64  `json:"commission"`
}

// taken is what was answered once, by its path and key.
type taken struct {
	Sum string    `json:"sum"`
	At  time.Time `json:"at"`
}

// late is a call that is executed when nobody waits for it any more.
type late struct {
	ID   string    `json:"id"`
	Call call      `json:"call"`
	Due  time.Time `json:"due"`
}

// Insurer is the stand-in. Make it with New before the journal is loaded, serve
// Routes, and Run it for what happens by itself.
type Insurer struct {
	*provider.Provider[news]
	Secrets Secrets
	URL     string // where the simulator answers: sheets are there

	bank     Bank
	quotes   *journal.Table[quote]  // by our reference
	quoted   *journal.Table[string] // the quote's id → our reference
	policies *journal.Table[policy] // by our reference
	named    *journal.Table[string] // the policy's id → our reference
	claims   *journal.Table[claim]  // by our reference
	rows     *journal.Table[row]
	taken    *journal.Table[taken]
	late     *journal.Table[late]
	events   *journal.Table[string] // where they are told
	hidden   *journal.Table[time.Time]
}

// New makes an insurer that pays through a bank.
func New(w *world.World, b Bank) *Insurer {
	p := &Insurer{
		bank:     b,
		quotes:   journal.NewTable[quote](w.Journal, "insurer_quotes"),
		quoted:   journal.NewTable[string](w.Journal, "insurer_quote_ids"),
		policies: journal.NewTable[policy](w.Journal, "insurer_policies"),
		named:    journal.NewTable[string](w.Journal, "insurer_policy_ids"),
		claims:   journal.NewTable[claim](w.Journal, "insurer_claims"),
		rows:     journal.NewTable[row](w.Journal, "insurer_rows"),
		taken:    journal.NewTable[taken](w.Journal, "insurer_taken"),
		late:     journal.NewTable[late](w.Journal, "insurer_late"),
		events:   journal.NewTable[string](w.Journal, "insurer_events"),
		hidden:   journal.NewTable[time.Time](w.Journal, "insurer_hidden"),
	}
	p.Provider = provider.New(w, world.Insurer, b, p)
	p.SettleEvery = time.Hour // what it pays is paid claim by claim
	return p
}

// Key is what its events are signed with.
func (p *Insurer) Key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(p.Secrets.Seed) }

// Routes adds the insurer's interface, its sheets, its page and its controls.
func (p *Insurer) Routes(mux *http.ServeMux) {
	const v1 = Base + "/insurance/v1"
	mux.HandleFunc("GET "+Base+"/.well-known/hub-connector", p.manifest)
	mux.HandleFunc("GET "+v1+"/products", p.getProducts)
	mux.HandleFunc("GET "+v1+"/policies", p.getPolicy)
	mux.HandleFunc("GET "+v1+"/policies/{id}", p.getPolicy)
	mux.HandleFunc("GET "+v1+"/claims", p.getClaim)
	mux.HandleFunc("GET "+v1+"/statements", p.getStatement)
	for path, kind := range map[string]string{
		"/quotes": "quote", "/policies": "bind", "/policies/{id}/cancel": "cancel", "/policies/{id}/premiums/{period}/confirm": "premium",
		"/policies/{id}/observations": "observation", "/claims": "claim",
	} {
		mux.HandleFunc("POST "+v1+path, p.post(kind))
	}
	mux.HandleFunc("POST "+v1+"/sandbox/day-end", p.dayEnd)
	mux.HandleFunc(v1+"/", p.nothing)
	mux.HandleFunc("GET "+Base+"/sheets/{name}", p.sheet)
	mux.HandleFunc("GET "+Base, p.page)
	mux.HandleFunc("POST "+Base+"/page", p.postPage)
	mux.HandleFunc("POST "+Base+"/claims", p.postDecision)
	mux.HandleFunc("POST "+Base+"/events", p.postEvents)
}

// Settled is never called: nothing of the insurer's is settled in one sum.
func (p *Insurer) Settled(tx *journal.Tx, _ world.Net) string {
	return fmt.Sprintf("IST-%06d", p.World.Next(tx, "insurer_settlements"))
}

// manifest says what the connector is, for hub certify and for a hub that plugs it
// in by its address.
func (p *Insurer) manifest(rw http.ResponseWriter, _ *http.Request) {
	world.Answer(rw, http.StatusOK, map[string]any{
		"id": "assurance-exemple", "owner": "Assurance exemple (démonstration)",
		"capabilities": []any{map[string]any{"name": "insurance", "version": "1", "features": []string{"statements", "observations", "events", "sandbox"}}},
		"auth":         []string{"bearer"}, "idempotency_retention": "720h", "rate_limit": map[string]int{"per_second": 200, "burst": 200},
		"webhook_keys": []string{p.PublicKey()}, "sandbox": true,
	})
}
