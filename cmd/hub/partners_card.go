package main

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/adapters/card"
	"tiwiza/adapters/card/nestpay"
	"tiwiza/pkg/lanes"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// acquirerConfig is one acquirer; several may speak the same protocol.
type acquirerConfig struct {
	Name        string `json:"name"` // in the books, in callbacks' addresses, on /v1/partners
	ClientID    string `json:"client_id"`
	StoreKey    string `json:"store_key"`
	APIUser     string `json:"api_user"`
	APIPassword string `json:"api_password"`
	GateURL     string `json:"gate_url"`
	APIURL      string `json:"api_url"`
	Certified   proofs `json:"certified"`
	// FeePercent is what its contract lets it keep of each charge. Where it is
	// not given, a settlement that tells only the net is for people.
	FeePercent *decimal.Decimal `json:"fee_percent"`
	// SettlesFrom is the account that it pays us from: who else names a charge
	// on a statement settles nothing.
	SettlesFrom string `json:"settles_from"`
}

var partnerName = regexp.MustCompile(`^[a-z][a-z0-9]{1,29}$`)

// cards are all acquirers, each by its name, in order of preference.
func (c partnerConfig) cards() []acquirerConfig {
	all := append([]acquirerConfig{c.Acquirer}, c.Acquirers...)
	all[0].Name = cmp.Or(all[0].Name, acquirerName)
	return all
}

// unsafe lists what must not be in production.
func (a acquirerConfig) unsafe(named bool) (errs []error) {
	for what, u := range map[string]string{"gate_url": a.GateURL, "api_url": a.APIURL} {
		if p, err := url.Parse(u); err != nil || p.Scheme != "https" {
			errs = append(errs, fmt.Errorf("the %s's %s %q is not https", a.Name, what, u))
		}
	}
	if len(a.StoreKey) < 8 {
		errs = append(errs, fmt.Errorf("the %s's store_key is missing or short: callbacks could be forged", a.Name))
	}
	if a.SettlesFrom == "" && !named {
		errs = append(errs, fmt.Errorf("the %s's settles_from is missing: nothing tells its settlements from a stranger's transfer", a.Name))
	}
	return errs
}

// pinged is how often an acquirer is asked how it is while there is another one:
// a buyer is sent to the one that answers.
const pinged = 15 * time.Second

// openCards makes the acquirers ready.
func (c partnerConfig) openCards(s outbound.Settings, m *outbound.Metrics) (all []*card.Acquirer, err error) {
	seen := map[string]bool{bankName: true, walletName: true}
	for _, a := range c.cards() {
		if !partnerName.MatchString(a.Name) || seen[a.Name] {
			return nil, fmt.Errorf("the acquirer's name %q is another partner's, or not small letters and digits", a.Name)
		}
		seen[a.Name] = true
		d, err := nestpay.New(nestpay.Config{
			ClientID: a.ClientID, StoreKey: a.StoreKey, APIUser: a.APIUser, APIPassword: a.APIPassword, GateURL: a.GateURL, APIURL: a.APIURL, Settings: s,
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		pay := s
		if len(c.Acquirers) > 0 && pay.Ping == 0 {
			pay.Ping = pinged
		}
		all = append(all, card.New(a.Name, d, card.Options{Pay: pay, Query: s, Metrics: m}))
	}
	return all, nil
}

// names are the partners whose jobs wait in queues of their own.
func (p *partners) names() (all []string) {
	for _, a := range p.acquirers {
		all = append(all, a.ID())
	}
	if p.wallet != nil {
		all = append(all, p.wallet.ID())
	}
	if p.bank != nil {
		all = append(all, p.bank.ID())
	}
	if p.insurance.OpenInsurance != nil {
		all = append(all, insurerName)
	}
	return all
}

// watched keeps how the partners are.
func (p *partners) watched(store *pg.Store) *lanes.Service {
	if p.metrics == nil {
		p.metrics = outbound.NewMetrics(nil)
	}
	return lanes.New(store, p.metrics)
}
