package connectors

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/adapters/bank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/operations"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/webhook"
)

// Approvals are the second person.
type Approvals interface {
	Ask(ctx context.Context, tx *pg.Tx, a approvals.Ask) (approvals.Request, error)
	Void(ctx context.Context, tx *pg.Tx, kind, subject string) error
	Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r approvals.Request) error)
}

// Line is how connectors are called; the protocol's own driver is behind it.
type Line struct {
	// Check says what is wrong with an address and credentials, or "": nobody is
	// called.
	Check func(Opening) string
	// Ask reads what a connector says of itself and signs in with each of the
	// credentials.
	Ask func(ctx context.Context, o Opening) (Found, error)
	// Open makes the driver of a bank. Connectors of other ports are opened by who
	// speaks with them: see Plugs.
	Open func(Opening) (bank.Driver, error)
}

// Config is what the house gives to connectors.
type Config struct {
	Line     Line
	Box      *Box // nil: nothing can be registered
	Policy   Policy
	Names    []string            // of partners that are built in
	Accounts []string            // RIBs that the house has elsewhere
	Kinds    []string            // of operations that leave in batches
	Binds    map[string][]string // kinds of operations that other ports do
	Metrics  *outbound.Metrics
	// Heard takes in an event of a connector of another port than the bank's, or of
	// a partner that is built in: ErrNotFound for nobody's, ErrSignature. Nil hears
	// none.
	Heard func(ctx context.Context, partner string, header map[string][]string, body []byte) error
}

// Service keeps connectors, for all hubs of a database: each looks at the row
// whenever it needs one, so that none has to be started again.
type Service struct {
	db        *pg.Store
	ops       *operations.Engine
	approvals Approvals
	cfg       Config

	woken chan struct{} // somebody has said that messages wait
	heard []func(ctx context.Context, partner string) error

	mu   sync.Mutex
	open map[string]opened // by connector

	known atomic.Pointer[[]string] // ports that somebody was ever live at; nil when that is not known
	lives atomic.Int64             // how many went live here

	live map[string][]func(ctx context.Context, tx *pg.Tx, p Plug) error              // by port: see OnLive
	news map[string]func(ctx context.Context, partner string, e webhook.Signed) error // by port: see OnNews
}

// opened is a bank that was made ready, of one version of its row.
type opened struct {
	version int64
	bank    *bank.Bank
}

const kindLive = "partners.live"

// New makes the service, and registers what follows a second person's word.
func New(db *pg.Store, ops *operations.Engine, a Approvals, c Config) *Service {
	s := &Service{db: db, ops: ops, approvals: a, cfg: c, open: map[string]opened{}, live: map[string][]func(context.Context, *pg.Tx, Plug) error{}, news: map[string]func(context.Context, string, webhook.Signed) error{}, woken: make(chan struct{}, 1)}
	a.Handle(kindLive, s.decided)
	return s
}

// OnEvent has f hear which partner says that something has changed. It is called at
// start.
func (s *Service) OnEvent(f func(ctx context.Context, partner string) error) {
	s.heard = append(s.heard, f)
}

// AccountInput is an account that we have at a bank.
type AccountInput struct {
	RIB  string `json:"rib" required:"true" minLength:"24" maxLength:"40"`
	Name string `json:"name" required:"true" minLength:"1" maxLength:"70"`
}

// RegisterInput is a partner that shall be plugged in.
type RegisterInput struct {
	ID          string       `json:"id" required:"true" minLength:"3" maxLength:"40" description:"What its manifest calls it; its accounts in the books have this name."`
	Port        string       `json:"port" required:"true" enum:"bank,card,insurance,wallet,crm,notify"`
	URL         string       `json:"url" required:"true" minLength:"8" maxLength:"1000" description:"Where its connector is; without a path of the protocol."`
	Credentials Credentials  `json:"credentials" required:"true"`
	Roots       string       `json:"roots,omitempty" maxLength:"60000" description:"PEM certificates that sign the connector's; the system's when left out."`
	Safeguard   AccountInput `json:"safeguard,omitempty" description:"Of a bank: where our clients' money is there."`
	Operating   AccountInput `json:"operating,omitempty" description:"Of a bank: our own account there."`
	BIC         string       `json:"bic,omitempty" maxLength:"11"`
	Hosted      string       `json:"hosted,omitempty" enum:"morocco,abroad" description:"Of a customer relation system, which needs it: where what it is told is kept. Abroad it is told nothing but what takes back, until POST /v1/crm/{partner} names the authorisation."`
	SettlesFrom string       `json:"settles_from,omitempty" maxLength:"40" description:"Of an acquirer or a wallet: the RIB it pays us from. Who else names a charge settles nothing."`
	FeePercent  string       `json:"fee_percent,omitempty" pattern:"^[0-9]{1,2}(\\.[0-9]{1,4})?$" description:"What its contract lets it keep of each charge, up to 20; where it is left out, a settlement that tells only the net is for people."`
}

var nameShape = regexp.MustCompile(`^[a-z][a-z0-9-]{2,39}$`)

// Register writes a partner down. Nothing is called yet, and no money moves.
// The operator's people call it.
func (s *Service) Register(ctx context.Context, tx *pg.Tx, in RegisterInput) (View, error) {
	if s.cfg.Box == nil {
		return View{}, ErrSealed
	}
	in.Safeguard.RIB, in.Operating.RIB = digits(in.Safeguard.RIB), digits(in.Operating.RIB)
	in.SettlesFrom = digits(in.SettlesFrom)
	fee, err := s.check(in)
	if err != nil {
		return View{}, err
	}
	at := tx.Now()
	c := Connector{
		ID: in.ID, Port: in.Port, URL: strings.TrimRight(in.URL, "/"), Roots: in.Roots, BIC: in.BIC,
		SafeguardRIB: in.Safeguard.RIB, SafeguardName: in.Safeguard.Name, OperatingRIB: in.Operating.RIB, OperatingName: in.Operating.Name,
		SettlesFrom: in.SettlesFrom, FeePercent: fee, Hosted: in.Hosted,
		State: Registered, Sandbox: true, Features: []string{}, WebhookKeys: []string{}, CreatedBy: auth.From(ctx).Person(), CreatedAt: at, ChangedAt: at, Version: 1,
	}
	insert(tx, c)
	k, err := s.keep(ctx, tx, c.ID, 1, in.Credentials)
	if err != nil {
		return View{}, err
	}
	audit.Record(tx, "partners.register", c.ID, authz.Policy(ctx), map[string]string{"url": c.URL, "safeguard": c.SafeguardRIB, "operating": c.OperatingRIB})
	return c.view([]credential{k}), tx.Publish(ctx, Changed{c.ID, "registered", c.State, false})
}

func digits(s string) string { return strings.Join(strings.Fields(s), "") }

// settlement says what about a new partner's settlements cannot be, and what it
// keeps; nil where nobody said.
func (s *Service) settlement(in RegisterInput, bad *fault.Error) (*fault.Error, *decimal.Decimal) {
	takes := settles(in.Port)
	switch {
	case !takes && in.SettlesFrom+in.FeePercent != "":
		bad = bad.At("/settles_from", "only acquirers and wallets settle to us")
	case takes && (bank.CheckRIB(in.SettlesFrom) != nil || slices.Contains(s.cfg.Accounts, in.SettlesFrom)):
		bad = bad.At("/settles_from", "a RIB whose key fits, and not of an account of ours: nothing else tells its settlements from a stranger's transfer")
	}
	if in.FeePercent == "" {
		return bad, nil
	}
	fee, err := decimal.NewFromString(in.FeePercent)
	if err != nil || fee.Sign() < 0 || fee.Cmp(decimal.NewFromInt(20)) > 0 {
		return bad.At("/fee_percent", "from 0 to 20"), nil
	}
	return bad, &fee
}

// check says what about a new partner cannot be, and what it keeps of charges.
func (s *Service) check(in RegisterInput) (*decimal.Decimal, error) {
	bad, fee := s.settlement(in, ErrInvalid)
	if !nameShape.MatchString(in.ID) || slices.Contains(s.cfg.Names, in.ID) {
		bad = bad.At("/id", "3 to 40 small letters, digits and -, and not the name of a partner that is built in")
	}
	for at, a := range map[string]AccountInput{"/safeguard": in.Safeguard, "/operating": in.Operating} {
		switch {
		case in.Port != PortBank && a != AccountInput{}:
			bad = bad.At(at, "only banks have accounts of ours")
		case in.Port == PortBank && (bank.CheckRIB(a.RIB) != nil || slices.Contains(s.cfg.Accounts, a.RIB)):
			bad = bad.At(at+"/rib", "a RIB whose key fits, of an account at this bank")
		}
	}
	if (in.Port == PortCRM) != (in.Hosted != "") {
		bad = bad.At("/hosted", "of a customer relation system, and of no other: morocco or abroad")
	}
	if in.Port == PortBank && in.Safeguard.RIB == in.Operating.RIB {
		bad = bad.At("/operating/rib", "another account than the clients'")
	}
	if wrong := s.cfg.Line.Check(Opening{in.ID, in.Port, in.URL, in.Roots, []Credentials{in.Credentials}}); wrong != "" {
		bad = bad.At("/url", wrong)
	}
	if len(bad.Details) > 0 {
		return nil, bad
	}
	return fee, nil
}

// keep seals credentials and writes them down.
func (s *Service) keep(ctx context.Context, tx *pg.Tx, connector string, slot int16, in Credentials) (credential, error) {
	k := credential{ID: id.New(credentialID), Connector: connector, Slot: slot, CreatedAt: tx.Now(), CreatedBy: auth.From(ctx).Person()}
	var err error
	if k.Sealed, err = s.cfg.Box.put(connector, k.ID, in); err == nil {
		insertCredential(tx, k)
	}
	return k, err
}

// RotateInput is another way to sign in.
type RotateInput struct {
	Partner     string      `path:"partner"`
	Credentials Credentials `json:"credentials" required:"true"`
}

// Rotate adds credentials, which are tried first; of the two before them the
// older go. The operator's people call it.
func (s *Service) Rotate(ctx context.Context, tx *pg.Tx, in RotateInput) (View, error) {
	c, err := lock(ctx, tx, in.Partner)
	if err != nil {
		return View{}, err
	}
	if wrong := s.cfg.Line.Check(Opening{c.ID, c.Port, c.URL, c.Roots, []Credentials{in.Credentials}}); wrong != "" {
		return View{}, ErrInvalid.At("/credentials", wrong)
	}
	have, err := credentials(ctx, tx, c.ID)
	if err != nil {
		return View{}, err
	}
	slot := int16(1)
	if len(have) > 0 {
		slot = 3 - have[0].Slot
	}
	if len(have) > 1 {
		dropCredential(tx, have[1].ID)
		have = have[:1]
	}
	k, err := s.keep(ctx, tx, c.ID, slot, in.Credentials)
	if err != nil {
		return View{}, err
	}
	have = append([]credential{k}, have...)
	return s.changed(ctx, tx, c, have, "credentials", "partners.rotate", map[string]string{"credential": k.ID})
}

// changed writes a change down and tells of it.
func (s *Service) changed(ctx context.Context, tx *pg.Tx, c Connector, have []credential, what, action string, details map[string]string) (View, error) {
	c.ChangedAt = tx.Now()
	save(tx, c)
	c.Version++
	audit.Record(tx, action, c.ID, authz.Policy(ctx), details)
	return c.view(have), tx.Publish(ctx, Changed{c.ID, what, c.State, c.Pays})
}

// One names a partner.
type One struct {
	Partner string `path:"partner"`
}

// Test asks the connector what it is and whether it lets us in, and writes down
// what it says. Nothing is moved.
func (s *Service) Test(ctx context.Context, in One) (v View, err error) {
	c, err := load(ctx, s.db, in.Partner)
	if err != nil {
		return v, err
	}
	o, have, err := s.opening(ctx, s.db, c)
	if err != nil {
		return v, err
	}
	found, err := s.cfg.Line.Ask(ctx, o)
	if err != nil {
		return v, ErrUnlike.Say("The connector cannot be asked: %s.", strings.TrimSuffix(fmt.Sprint(err), ".")).With(err)
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		if c, err = lock(ctx, tx, in.Partner); err != nil {
			return err
		}
		if c, err = c.Take(found, tx.Now()); err != nil {
			return err
		}
		v, err = s.changed(ctx, tx, c, have, "tested", "partners.test", map[string]string{"manifest": found.Manifest})
		return err
	})
	return v, err
}

// opening is all that is needed to call a connector.
func (s *Service) opening(ctx context.Context, db pg.DB, c Connector) (Opening, []credential, error) {
	o := Opening{ID: c.ID, Port: c.Port, URL: c.URL, Roots: c.Roots}
	have, err := credentials(ctx, db, c.ID)
	for i := 0; err == nil && i < len(have); i++ {
		var k Credentials
		k, err = s.cfg.Box.look(c.ID, have[i].ID, have[i].Sealed)
		o.Credentials = append(o.Credentials, k)
	}
	return o, have, err
}

// CertifyInput is what hub certify signed.
type CertifyInput struct {
	Partner     string `path:"partner"`
	Certificate string `json:"certificate" required:"true" minLength:"20" maxLength:"20000" description:"The line that hub certify wrote."`
}

// Certify takes in a certificate: it must be good, and of this connector as it
// is. The operator's people call it.
func (s *Service) Certify(ctx context.Context, tx *pg.Tx, in CertifyInput) (View, error) {
	c, err := lock(ctx, tx, in.Partner)
	if err != nil {
		return View{}, err
	}
	if c.FoundAt == nil {
		return View{}, ErrUnasked
	}
	text := strings.TrimSpace(in.Certificate)
	got, err := s.cfg.Policy.proves(c, text, tx.Now())
	if err != nil {
		return View{}, ErrCertificate.At("/certificate", err.Error())
	}
	c.Certificate = text
	if c.State == Live {
		if err := s.prove(tx, c, got.Remembers); err != nil {
			return View{}, err
		}
	}
	have, err := credentials(ctx, tx, c.ID)
	if err != nil {
		return View{}, err
	}
	return s.changed(ctx, tx, c, have, "certified", "partners.certify", map[string]string{"level": string(got.Level), "until": got.ExpiresAt.Format(time.DateOnly)})
}

// prove tells the engine what a connector has proved: what it surely has not got
// may go there again.
func (s *Service) prove(tx *pg.Tx, c Connector, remembers string) error {
	d, err := time.ParseDuration(remembers)
	if err != nil {
		return err
	}
	kinds := s.cfg.Kinds
	if c.Port != PortBank {
		kinds = s.cfg.Binds[c.Port]
	}
	var all []operations.Certificate
	for _, kind := range kinds {
		all = append(all, operations.Certificate{Connector: c.ID, Kind: kind, Proof: "certificate of " + c.ID, Remembers: d})
	}
	return s.ops.Proved(tx, c.ID, all...)
}
