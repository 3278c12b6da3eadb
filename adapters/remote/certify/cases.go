// Package certify plays the hub against a partner's connector and says what it
// has proved. The cases are data that partners read too (docs/partner/cases).
package certify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"tiwiza/pkg/certificate"
)

// Cases are what is asked of the connectors of a protocol.
type Cases struct {
	Protocol string `yaml:"protocol"`
	Cases    []Case `yaml:"cases"`
	Digest   string `yaml:"-"`
}

// A Case is one thing to prove.
type Case struct {
	ID    string            `yaml:"id"`
	Level certificate.Level `yaml:"level"`
	Title string            `yaml:"title"`
	Needs []string          `yaml:"needs"`
	Steps []Step            `yaml:"steps"`
}

// A Step does one of these.
type Step struct {
	Manifest  *struct{}   `yaml:"manifest"`
	Get       *getStep    `yaml:"get"`
	Batch     *batchStep  `yaml:"batch"`
	Submit    *submitStep `yaml:"submit"`
	Show      *showStep   `yaml:"show"`
	Half      *named      `yaml:"half"`
	Hub       *named      `yaml:"hub"`
	DayEnd    *struct{}   `yaml:"day_end"`
	Read      *readStep   `yaml:"read"`
	Wrongly   *getStep    `yaml:"acknowledge_wrongly"`
	Report    *reportStep `yaml:"report"`
	Paid      *paidStep   `yaml:"paid"`
	Random    *randomStep `yaml:"random"`
	Reconcile *struct{}   `yaml:"reconcile"`
	Event     *struct{}   `yaml:"event"`
	Quiet     *struct{}   `yaml:"quiet"`
	TLS       *struct{}   `yaml:"tls"`

	// Of banks that take applications.
	Apply    *applyStep    `yaml:"apply"`
	Progress *progressStep `yaml:"progress"`
	Tell     *tellStep     `yaml:"tell"`

	// Of insurers.
	Post      *postStep      `yaml:"post"`
	Products  *struct{}      `yaml:"products"`
	Quote     *quoteStep     `yaml:"quote"`
	Bind      *bindStep      `yaml:"bind"`
	Cancel    *underStep     `yaml:"cancel"`
	Premium   *underStep     `yaml:"premium"`
	Claim     *underStep     `yaml:"claim"`
	Observe   *underStep     `yaml:"observe"`
	Again     *againStep     `yaml:"again"`
	Stands    *standsStep    `yaml:"stands"`
	Insure    *struct{}      `yaml:"insure"`
	Portfolio *portfolioStep `yaml:"portfolio"`

	// Of all but banks.
	Settle    *struct{} `yaml:"settle"`
	Statement *struct{} `yaml:"statement"`

	// Of wallets.
	Ask     *moveStep    `yaml:"ask"`
	Reverse *moveStep    `yaml:"reverse"`
	Payout  *moveStep    `yaml:"payout"`
	Moved   *movedStep   `yaml:"moved"`
	Wallet  *struct{}    `yaml:"wallet"`
	Traffic *trafficStep `yaml:"traffic"`

	cardSteps   `yaml:",inline"`
	crmSteps    `yaml:",inline"`
	notifySteps `yaml:",inline"`
}

type (
	named struct {
		Batch string `yaml:"batch"`
	}
	getStep struct {
		Path   string `yaml:"path"`
		Status int    `yaml:"status"`
		Code   string `yaml:"code"`
		Token  string `yaml:"token"` // none, wrong; else the right one
	}
	batchStep struct {
		As       string   `yaml:"as"`
		Payments []string `yaml:"payments"`
		Wrong    string   `yaml:"wrong"` // count, total, rib
		From     string   `yaml:"from"`
	}
	submitStep struct {
		Batch   string `yaml:"batch"`
		Text    string `yaml:"text"` // instead of a batch
		Status  []int  `yaml:"status"`
		Code    string `yaml:"code"`
		Token   string `yaml:"token"`
		Times   int    `yaml:"times"`
		AtOnce  int    `yaml:"at_once"`
		Altered bool   `yaml:"altered"`
		Lost    bool   `yaml:"lost"`
	}
	showStep struct {
		Batch  string `yaml:"batch"`
		Absent bool   `yaml:"absent"`
	}
	readStep struct {
		None bool `yaml:"none"`
	}
	reportStep struct {
		Batch   string `yaml:"batch"`
		Payment int    `yaml:"payment"`
		State   string `yaml:"state"`
		Reason  string `yaml:"reason"`
	}
	paidStep struct {
		Batch  string `yaml:"batch"`
		Except []int  `yaml:"except"`
	}
	randomStep struct {
		Batches  int `yaml:"batches"`
		Payments int `yaml:"payments"`
	}
)

// vital are the features without which a protocol's connectors are not certified: the
// hub cannot do without them.
var vital = map[string][]string{
	"bank.v1":      {"reports", "statements", "sandbox"},
	"insurance.v1": {"statements", "sandbox"},
	"crm.v1":       {"erasure", "sandbox"},
	"notify.v1":    {"sandbox"},
	"wallet.v1":    {"statements", "sandbox"},
	"card.v1":      {"statements", "sandbox"},
}

// capability is the name and the version of a protocol.
func capability(protocol string) (name, version string) {
	name, version, _ = strings.Cut(protocol, ".v")
	return name, version
}

// Read reads cases, and refuses what it does not know.
func Read(text []byte) (c Cases, err error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("read the cases: %w", err)
	}
	sum := sha256.Sum256(text)
	c.Digest = hex.EncodeToString(sum[:])
	seen := map[string]bool{}
	for _, k := range c.Cases {
		if k.ID == "" || seen[k.ID] || k.Title == "" || len(k.Steps) == 0 || !slices.Contains(certificate.Levels, k.Level) {
			return c, fmt.Errorf("case %q: give an id of its own, a level, a title and steps", k.ID)
		}
		seen[k.ID] = true
	}
	if _, known := vital[c.Protocol]; len(c.Cases) == 0 || !known {
		return c, fmt.Errorf("there are no cases of a protocol that is known here")
	}
	return c, nil
}
