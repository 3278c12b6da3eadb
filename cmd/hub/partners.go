package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/shopspring/decimal"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/mappedcsv"
	"tiwiza/adapters/bank/mt940"
	"tiwiza/adapters/card"
	"tiwiza/adapters/crm"
	"tiwiza/adapters/insurance"
	"tiwiza/adapters/notify"
	"tiwiza/adapters/wallet"
	"tiwiza/payments/charges"
	"tiwiza/payments/files"
	"tiwiza/payments/operations"
	"tiwiza/payments/recon"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// partnerConfig says who the hub's partners are. A file holds it (HUB_PARTNERS);
// in a demonstration the stand-ins answer it themselves.
type partnerConfig struct {
	Acquirer acquirerConfig `json:"acquirer"`
	// Acquirers are further ones, in the order in which they are asked when those
	// before do not answer.
	Acquirers []acquirerConfig `json:"acquirers"`
	Wallet    walletConfig     `json:"wallet"`
	Notify    notifyConfig     `json:"notify"`
	CRM       crmConfig        `json:"crm"`
	Insurance insuranceConfig  `json:"insurance"`
	Bank      struct {
		SFTPAddr   string `json:"sftp_addr"`
		HostKey    string `json:"host_key"`
		User       string `json:"user"`
		PrivateKey string `json:"private_key"`
		Safeguard  rib    `json:"safeguard"`
		Operating  rib    `json:"operating"`
		BIC        string `json:"bic"`
		ICE        string `json:"ice"`  // ours, for the files' header
		IBAN       bool   `json:"iban"` // whether the bank wants IBANs; else RIBs
		// When files leave and until when the bank acts on the same day; nothing:
		// at once, and always.
		Times files.Timetable `json:"times"`
		Dirs  struct {
			In      string `json:"in"`
			Out     string `json:"out"`
			Ack     string `json:"ack"`
			Archive string `json:"archive"`
		} `json:"dirs"`
		Berlin       *berlinConfig      `json:"berlin"` // the bank is reached over NextGenPSD2 instead of SFTP
		Certified    proofs             `json:"certified"`
		Organisation string             `json:"organisation"` // whose keys may hand in this bank's statements
		CSV          *mappedcsv.Mapping `json:"csv"`          // how it writes CSV, if it does
		MT940        mt940.Dialect      `json:"mt940"`        // how it writes :86: in MT940; text
		Settlements  []string           `json:"settlements"`  // its words for an acquirer's settlement, as PMNT/MCRD/POSP
	} `json:"bank"`
}

// proofs are what a partner has proved about the same reference sent twice, by
// kind of operation. What is not named here is never sent again by itself.
type proofs map[string]struct {
	Proof     string `json:"proof"`     // which tests, when, by whom
	Remembers string `json:"remembers"` // for how long it knows a reference: "24h"
}

func (p proofs) of(connector string) (all []operations.Certificate, err error) {
	for kind, c := range p {
		d, err := time.ParseDuration(c.Remembers)
		if err != nil {
			return nil, fmt.Errorf("how long %s remembers a %s: %w", connector, kind, err)
		}
		all = append(all, operations.Certificate{Connector: connector, Kind: kind, Proof: c.Proof, Remembers: d})
	}
	return all, nil
}

// standIns is what the stand-in partners' own tests prove of them.
func (c *partnerConfig) standIns() {
	const tests = "the tests of cmd/hubsim"
	all := map[*proofs][]string{&c.Bank.Certified: {"payout", charges.KindTransfer, "top_up", "sweep"}, &c.Wallet.Certified: {"wallet", "refund_wallet", "refund_phone"}}
	all[&c.Acquirer.Certified] = []string{"capture", "void", "refund"}
	for i := range c.Acquirers {
		all[&c.Acquirers[i].Certified] = []string{"capture", "void", "refund"}
	}
	if i := c.Insurance.OpenInsurance; i != nil {
		all[&i.Certified] = []string{"policy"}
	}
	for partner, kinds := range all {
		*partner = proofs{}
		for _, k := range kinds {
			p := (*partner)[k]
			p.Proof, p.Remembers = tests, "24h"
			(*partner)[k] = p
		}
	}
}

type rib struct {
	RIB  string `json:"rib"`
	Name string `json:"name"`
}

// Names of the partners in the books and on /v1/partners.
const (
	acquirerName = "acquirer"
	bankName     = "bank"
	walletName   = "wallet"
)

// partners are the hub's partners, ready to call.
type partners struct {
	acquirers []*card.Acquirer // in order of preference
	wallet    *wallet.Wallet   // nil without one
	bank      *bank.Bank
	notes     *files.Notes // the bank's driver's; nil when it needs none
	notify    notifyConfig
	tells     []*notify.Carrier // opened by build
	crm       crmConfig
	crms      []*crm.CRM // opened by build
	insurance insuranceConfig
	insurers  []*insurance.Insurer // built in; opened by build
	metrics   *outbound.Metrics    // of all calls; nil for nobody
	pays      files.House
	house     recon.House
	proved    map[string][]operations.Certificate // by partner
	owner     string                              // the organisation that is the bank, "" when it is none
	fee       func(acquirer string, gross money.Money) (money.Money, bool)
}

// name is the bank's in the books, or "" without a bank.
func (p *partners) name() string {
	if p.bank == nil {
		return ""
	}
	return bankName
}

// account is where buyers transfer to.
func (p *partners) account() charges.Account {
	return charges.Account{RIB: p.pays.Safeguard.RIB, Holder: p.pays.Safeguard.Name, BIC: p.pays.Safeguard.BIC}
}

func readPartners(path string) (c partnerConfig, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("read the partners: %w", err)
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("read the partners in %s: %w", path, err)
	}
	return c, nil
}

// askPartners asks the stand-ins at addr who they are.
func askPartners(ctx context.Context, addr string) (c partnerConfig, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/config", nil)
	if err != nil {
		return c, err
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return c, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return c, fmt.Errorf("the stand-in partners answer %s", res.Status)
	}
	return c, json.NewDecoder(res.Body).Decode(&c)
}

// unsafe lists what must not be in production.
func (c partnerConfig) unsafe() error {
	var errs []error
	for _, a := range c.cards() {
		errs = append(errs, a.unsafe(len(c.Bank.Settlements) > 0)...)
	}
	if d := c.Bank.MT940; d != "" && d != mt940.Text && len(c.Bank.Settlements) == 0 {
		errs = append(errs, fmt.Errorf("the bank's settlements are missing: in its MT940 (%s) a payer's words could pass for the sender's account; set settlements to the bank's own words for an acquirer's settlement, or mt940 to text", d))
	}
	errs = append(errs, c.Wallet.unsafe()...)
	errs = append(errs, c.Notify.unsafe()...)
	errs = append(errs, c.CRM.unsafe()...)
	errs = append(errs, c.Insurance.unsafe()...)
	switch {
	case c.Bank.Berlin != nil:
		errs = append(errs, c.Bank.Berlin.unsafe()...)
	case c.Bank.HostKey == "":
		errs = append(errs, errors.New("the bank's host_key is missing: anybody could stand in for it"))
	}
	return errors.Join(errs...)
}

// open makes the partners ready; it calls none of them.
func (c partnerConfig) open(reg prometheus.Registerer) (*partners, error) {
	m := outbound.NewMetrics(reg)
	acquirers, err := c.openCards(outbound.Settings{}, m)
	if err != nil {
		return nil, err
	}
	bd, notes, err := c.openBank()
	if err != nil {
		return nil, err
	}
	swift, err := mt940.New(c.Bank.MT940)
	if err != nil {
		return nil, err
	}
	readers := []bank.Reader{swift}
	if c.Bank.CSV != nil {
		r, err := mappedcsv.New(*c.Bank.CSV)
		if err != nil {
			return nil, err
		}
		readers = append(readers, r)
	}
	p := &partners{
		metrics: m, notify: c.Notify, crm: c.CRM, insurance: c.Insurance,
		acquirers: acquirers, notes: notes,
		bank: bank.New(bankName, bd, bank.Options{Metrics: m, Readers: readers}),
	}
	if p.wallet, err = c.Wallet.open(m); err != nil {
		return nil, err
	}
	p.pays = files.House{
		Bank: p.bank, Times: c.Bank.Times,
		Safeguard: bank.Account{RIB: c.Bank.Safeguard.RIB, Name: c.Bank.Safeguard.Name, BIC: c.Bank.BIC},
		Operating: bank.Account{RIB: c.Bank.Operating.RIB, Name: c.Bank.Operating.Name, BIC: c.Bank.BIC},
	}
	p.house = recon.House{
		Bank: p.bank, Safeguard: c.Bank.Safeguard.RIB, Operating: c.Bank.Operating.RIB, Settlements: c.Bank.Settlements,
		Acquirers: map[string]string{walletName: c.Wallet.SettlesFrom},
	}
	said := map[string]proofs{bankName: c.Bank.Certified, walletName: c.Wallet.Certified}
	if i := c.Insurance.OpenInsurance; i != nil {
		said[insurerName] = i.Certified
	}
	rates := map[string]*decimal.Decimal{walletName: c.Wallet.FeePercent}
	for _, a := range c.cards() {
		p.house.Acquirers[a.Name], said[a.Name], rates[a.Name] = a.SettlesFrom, a.Certified, a.FeePercent
	}
	p.proved = map[string][]operations.Certificate{}
	for name, said := range said {
		if p.proved[name], err = said.of(name); err != nil {
			return nil, err
		}
	}
	p.owner = c.Bank.Organisation
	p.fee = func(acquirer string, gross money.Money) (fee money.Money, known bool) {
		if rate := rates[acquirer]; rate != nil {
			return gross.Rate(*rate), true
		}
		return fee, false
	}
	return p, nil
}

// certify writes down what the partners have proved, as the settings say.
func (h *house) certify(ctx context.Context) error {
	for name, proved := range h.partners.proved {
		if err := h.engine.Certify(ctx, name, proved...); err != nil {
			return fmt.Errorf("certify %s: %w", name, err)
		}
	}
	return nil
}
