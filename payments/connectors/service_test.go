package connectors_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/connectors"
	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/certificate"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// desk is two hubs on one database, with connectors on paper.
type desk struct {
	t        *testing.T
	db       *pg.Store
	ap       *approvals.Service
	one, two *connectors.Service
	found    connectors.Found
	opened   atomic.Int64
	seen     sync.Map // the token that was opened with last
	key      ed25519.PrivateKey
}

func newDesk(t *testing.T, sandboxes bool) *desk {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(nil)
	must(t, err)
	d := &desk{t: t, db: pgtest.New(t), key: key, found: connectors.Found{
		ID: "atlas", Owner: "Banque exemple", Speaks: true, Features: []string{"reports"}, Remembers: 720 * time.Hour, Sandbox: sandboxes, Manifest: "m",
	}}
	box, err := connectors.NewBox(make([]byte, connectors.KeySize))
	must(t, err)
	d.ap = approvals.New(d.db)
	open := func() *connectors.Service {
		return connectors.New(d.db, operations.New(d.db), d.ap, connectors.Config{
			Box: box, Policy: connectors.Policy{Level: certificate.Security, Keys: []ed25519.PublicKey{pub}, Sandboxes: sandboxes},
			Names: []string{"bank"}, Accounts: []string{paperbank.RIB(9)}, Kinds: []string{"payout"},
			Line: connectors.Line{
				Check: func(o connectors.Opening) string {
					if strings.Contains(o.URL, "10.0.0.1") {
						return "The address must be on the open internet."
					}
					return ""
				},
				Ask: func(context.Context, connectors.Opening) (connectors.Found, error) { return d.found, nil },
				Open: func(o connectors.Opening) (bank.Driver, error) {
					d.opened.Add(1)
					d.seen.Store("tokens", tokens(o))
					return &paperbank.Bank{}, nil
				},
			},
		})
	}
	d.one, d.two = open(), open()
	return d
}

func tokens(o connectors.Opening) string {
	var all []string
	for _, c := range o.Credentials {
		all = append(all, c.Token)
	}
	return strings.Join(all, " ")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func as(person string) context.Context {
	return auth.With(context.Background(), auth.Principal{Role: auth.Operator, Subject: person, Key: "key_" + person})
}

// do makes a step of its own as a person.
func do[In, Out any](d *desk, person string, f func(context.Context, *pg.Tx, In) (Out, error), in In) (out Out, err error) {
	err = d.db.InTx(as(person), func(tx *pg.Tx) error {
		out, err = f(as(person), tx, in)
		return err
	})
	return out, err
}

func atlas() connectors.RegisterInput {
	return connectors.RegisterInput{
		ID: "atlas", Port: "bank", URL: "https://atlas.example/", Credentials: connectors.Credentials{Token: "the-first-token-of-atlas"},
		Safeguard: connectors.AccountInput{RIB: paperbank.RIB(1), Name: "Clients"}, Operating: connectors.AccountInput{RIB: paperbank.RIB(2), Name: "Tiwiza"},
	}
}

func (d *desk) certificate(level certificate.Level) string {
	now := time.Now()
	text, err := certificate.Sign(d.key, certificate.Certificate{
		Connector: "atlas", Protocol: "bank.v1", Features: []string{"reports"}, Level: level, Remembers: "720h", IssuedAt: now, ExpiresAt: now.Add(certificate.Lifetime),
	})
	must(d.t, err)
	return text
}

// live brings atlas as far as two people can.
func (d *desk) live(pays bool) {
	d.t.Helper()
	_, err := do(d, "ann", d.one.Register, atlas())
	must(d.t, err)
	_, err = d.one.Test(as("ann"), connectors.One{Partner: "atlas"})
	must(d.t, err)
	_, err = do(d, "ann", d.one.Certify, connectors.CertifyInput{Partner: "atlas", Certificate: d.certificate(certificate.Security)})
	must(d.t, err)
	must(d.t, d.resume(pays))
}

func (d *desk) resume(pays bool) error {
	v, err := do(d, "ann", d.one.Resume, connectors.ResumeInput{Partner: "atlas", Pays: pays, Why: "test"})
	if err != nil {
		return err
	}
	_, err = do(d, "ben", d.ap.Decide, approvals.DecideInput{Approval: v.Approval, Decision: "approve"})
	return err
}

// house asks the second hub.
func (d *desk) house(name string) (barred string, ok bool) {
	d.t.Helper()
	h, ok, err := d.two.House(d.t.Context(), d.db, name)
	must(d.t, err)
	return h.Barred, ok
}

func TestTwoPeopleAndACertificateLetMoneyThrough(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	_, err := do(d, "ann", d.one.Register, atlas())
	must(t, err)
	if _, err := do(d, "ann", d.one.Resume, connectors.ResumeInput{Partner: "atlas", Why: "x"}); !errors.Is(err, connectors.ErrUnasked) {
		t.Errorf("untested: %v", err)
	}
	if _, err := do(d, "ann", d.one.Certify, connectors.CertifyInput{Partner: "atlas", Certificate: d.certificate("C5")}); !errors.Is(err, connectors.ErrUnasked) {
		t.Errorf("certified before it was tested: %v", err)
	}
	_, err = d.one.Test(as("ann"), connectors.One{Partner: "atlas"})
	must(t, err)
	if err := d.resume(true); !errors.Is(err, connectors.ErrUncertified) {
		t.Errorf("uncertified: %v", err)
	}
	if _, err := do(d, "ann", d.one.Certify, connectors.CertifyInput{Partner: "atlas", Certificate: d.certificate("C4")}); !errors.Is(err, connectors.ErrCertificate) {
		t.Errorf("certified too low: %v", err)
	}
	if _, ok := d.house(""); ok {
		t.Error("payouts leave from a bank that nobody approved")
	}
	if barred, ok := d.house("atlas"); !ok || barred == "" {
		t.Errorf("a registered bank is barred because %q, %t", barred, ok)
	}
	_, err = do(d, "ann", d.one.Certify, connectors.CertifyInput{Partner: "atlas", Certificate: d.certificate("C5") + "\n"})
	must(t, err)
	v, err := do(d, "ann", d.one.Resume, connectors.ResumeInput{Partner: "atlas", Pays: true, Why: "x"})
	must(t, err)
	if _, err := do(d, "ann", d.ap.Decide, approvals.DecideInput{Approval: v.Approval, Decision: "approve"}); !errors.Is(err, approvals.ErrSelf) {
		t.Errorf("approved by who asked: %v", err)
	}
	_, err = do(d, "ben", d.ap.Decide, approvals.DecideInput{Approval: v.Approval, Decision: "approve"})
	must(t, err)
	if barred, ok := d.house(""); !ok || barred != "" {
		t.Errorf("the second hub pays from it: %t, barred because %q", ok, barred)
	}
	if _, err := do(d, "cleo", d.two.Pause, connectors.One{Partner: "atlas"}); err != nil {
		t.Error(err)
	}
	if _, ok := d.house(""); ok {
		t.Error("payouts leave from a paused bank")
	}
	if barred, _ := d.house("atlas"); !strings.Contains(barred, "paused") {
		t.Errorf("barred because %q", barred)
	}
	must(t, d.resume(false))
	if _, ok := d.house(""); ok {
		t.Error("payouts leave from a bank that is live for its statements only")
	}
}

func TestWhatChangedAfterItWasAskedIsNotApproved(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	d.live(false)
	v, err := do(d, "ann", d.one.Resume, connectors.ResumeInput{Partner: "atlas", Pays: true, Why: "x"})
	must(t, err)
	_, err = do(d, "ann", d.one.Certify, connectors.CertifyInput{Partner: "atlas", Certificate: d.certificate("C5")})
	must(t, err)
	if _, err := do(d, "ben", d.ap.Decide, approvals.DecideInput{Approval: v.Approval, Decision: "approve"}); !errors.Is(err, approvals.ErrChanged) {
		t.Errorf("approved after the certificate changed: %v", err)
	}
}

func TestCertificateHoldsOnlyForWhatTheConnectorStillIs(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	d.live(true)
	d.found.Features = []string{"reports", "direct_debit"}
	_, err := d.one.Test(as("ann"), connectors.One{Partner: "atlas"})
	must(t, err)
	if barred, _ := d.house("atlas"); !strings.Contains(barred, "direct_debit") {
		t.Errorf("with a feature that nobody certified it is barred because %q", barred)
	}
	d.found.Features, d.found.Remembers = []string{"reports"}, 24*time.Hour
	_, err = d.one.Test(as("ann"), connectors.One{Partner: "atlas"})
	must(t, err)
	if barred, _ := d.house("atlas"); !strings.Contains(barred, "forgets") {
		t.Errorf("when it forgets sooner it is barred because %q", barred)
	}
	d.found.ID = "rif"
	if _, err := d.one.Test(as("ann"), connectors.One{Partner: "atlas"}); !errors.Is(err, connectors.ErrUnlike) {
		t.Errorf("another connector at the same address: %v", err)
	}
}

func TestSandboxIsLiveInDemonstrationsOnly(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	d.found.Sandbox = true
	_, err := do(d, "ann", d.one.Register, atlas())
	must(t, err)
	_, err = d.one.Test(as("ann"), connectors.One{Partner: "atlas"})
	must(t, err)
	_, err = do(d, "ann", d.one.Certify, connectors.CertifyInput{Partner: "atlas", Certificate: d.certificate("C5")})
	must(t, err)
	if err := d.resume(true); !errors.Is(err, connectors.ErrSandbox) {
		t.Errorf("a sandbox: %v", err)
	}
}

func TestTwoCredentialsAreValidAtOnceAndSealed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	d.live(true)
	d.house("atlas")
	d.house("atlas")
	if got, want := d.opened.Load(), int64(1); got != want {
		t.Errorf("opened %d times for one version, want %d", got, want)
	}
	for _, token := range []string{"the-second-token-of-atlas", "the-third-token-of-atlas"} {
		v, err := do(d, "ann", d.one.Rotate, connectors.RotateInput{Partner: "atlas", Credentials: connectors.Credentials{Token: token}})
		must(t, err)
		if len(v.Credentials) != 2 {
			t.Errorf("%d credentials, want 2", len(v.Credentials))
		}
		d.house("atlas")
	}
	if got, _ := d.seen.Load("tokens"); got != "the-third-token-of-atlas the-second-token-of-atlas" {
		t.Errorf("the second hub signs in with %q", got)
	}
	var kept string
	must(t, d.db.Pool().QueryRow(t.Context(), `select string_agg(encode(sealed, 'escape'), ' ') from connectors.credential`).Scan(&kept))
	if strings.Contains(kept, "token") {
		t.Error("a secret is kept in the open")
	}
	if _, err := d.db.Pool().Exec(t.Context(), `update connectors.credential set connector = connector, sealed = (select sealed from connectors.credential order by slot limit 1)`); err == nil {
		d.two = connectors.New(d.db, operations.New(d.db), d.ap, connectors.Config{})
		if _, _, err := d.two.House(t.Context(), d.db, "atlas"); err == nil {
			t.Error("secrets were opened without the key")
		}
	}
}

func TestRotationsAtOnceLeaveTwo(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	d.live(true)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			s := []*connectors.Service{d.one, d.two}[i%2]
			_, err := do(d, "ann", s.Rotate, connectors.RotateInput{Partner: "atlas", Credentials: connectors.Credentials{Token: strings.Repeat("x", 20+i)}})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	v, err := d.one.Show(as("ann"), connectors.One{Partner: "atlas"})
	must(t, err)
	if len(v.Credentials) != 2 {
		t.Errorf("%d credentials, want 2", len(v.Credentials))
	}
}

// TestAnInsurerIsPluggedInLikeABank registers a connector of the port insurance: it
// has no accounts of ours, no payout leaves from it, and it is found as a plug.
func TestAnInsurerIsPluggedInLikeABank(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	in := connectors.RegisterInput{ID: "atlas", Port: "insurance", URL: "https://atlas.example/", Credentials: connectors.Credentials{Token: "the-first-token-of-atlas"}}
	bad := in
	bad.Safeguard = connectors.AccountInput{RIB: paperbank.RIB(1), Name: "Clients"}
	if _, err := do(d, "ann", d.one.Register, bad); !errors.Is(err, connectors.ErrInvalid) {
		t.Errorf("an insurer with an account of ours: %v", err)
	}
	v, err := do(d, "ann", d.one.Register, in)
	must(t, err)
	if v.Safeguard != nil || v.Operating != nil || v.Port != "insurance" {
		t.Errorf("it is shown as %+v", v)
	}
	_, err = d.one.Test(as("ann"), connectors.One{Partner: "atlas"})
	must(t, err)
	if p, err := d.two.Plug(t.Context(), d.db, "insurance", "atlas"); err != nil || p.Barred == "" || p.ID != "atlas" {
		t.Errorf("before it is live it is %+v, %v; want one that is barred", p, err)
	}
	if all, err := d.two.Plugs(t.Context(), d.db, "insurance"); err != nil || len(all) != 0 {
		t.Errorf("before it is live the plugs are %+v, %v", all, err)
	}
	if _, err := do(d, "ann", d.one.Certify, connectors.CertifyInput{Partner: "atlas", Certificate: d.certificate("C5")}); !errors.Is(err, connectors.ErrCertificate) {
		t.Errorf("certified as a bank: %v", err)
	}
	now := time.Now()
	text, err := certificate.Sign(d.key, certificate.Certificate{
		Connector: "atlas", Protocol: "insurance.v1", Features: []string{"reports"}, Level: certificate.Security, Remembers: "720h", IssuedAt: now, ExpiresAt: now.Add(certificate.Lifetime),
	})
	must(t, err)
	_, err = do(d, "ann", d.one.Certify, connectors.CertifyInput{Partner: "atlas", Certificate: text})
	must(t, err)
	if err := d.resume(true); !errors.Is(err, connectors.ErrState) {
		t.Errorf("payouts leave from an insurer: %v", err)
	}
	must(t, d.resume(false))
	all, err := d.two.Plugs(t.Context(), d.db, "insurance")
	if err != nil || len(all) != 1 || all[0].ID != "atlas" || all[0].Barred != "" {
		t.Fatalf("once it is live the plugs are %+v, %v", all, err)
	}
	if o, err := d.two.Opening(t.Context(), d.db, all[0]); err != nil || o.Port != "insurance" || o.URL != "https://atlas.example" || len(o.Credentials) != 1 {
		t.Errorf("it is called by %+v, %v", o, err)
	}
	if _, ok := d.house("atlas"); ok {
		t.Error("an insurer is a bank")
	}
	if houses, err := d.two.Houses(t.Context(), d.db); err != nil || len(houses) != 0 {
		t.Errorf("the banks are %+v, %v", houses, err)
	}
	if _, err := d.two.Plug(t.Context(), d.db, "bank", "atlas"); !errors.Is(err, connectors.ErrNotFound) {
		t.Errorf("as a bank it is found: %v", err)
	}
	if _, err := do(d, "cleo", d.two.Pause, connectors.One{Partner: "atlas"}); err != nil {
		t.Error(err)
	}
	if p, err := d.one.Plug(t.Context(), d.db, "insurance", "atlas"); err != nil || !strings.Contains(p.Barred, "paused") || p.Version <= all[0].Version {
		t.Errorf("paused it is %+v, %v", p, err)
	}
}

// TestACRMSaysWhereItKeepsPeople has a customer relation system be plugged in: that it
// is live takes part in the unit of work that lets it.
func TestACRMSaysWhereItKeepsPeople(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	var live []connectors.Plug
	for _, s := range []*connectors.Service{d.one, d.two} {
		s.OnLive("crm", func(_ context.Context, _ *pg.Tx, c connectors.Plug) error { live = append(live, c); return nil })
		s.OnLive("notify", func(context.Context, *pg.Tx, connectors.Plug) error { return errors.New("of another port") })
	}
	in := connectors.RegisterInput{ID: "atlas", Port: "crm", URL: "https://atlas.example/", Credentials: connectors.Credentials{Token: "the-first-token-of-atlas"}}
	for port, hosted := range map[string]string{"crm": "", "insurance": "morocco"} {
		bad := in
		bad.Port, bad.Hosted = port, hosted
		_, err := do(d, "ann", d.one.Register, bad)
		if f, ok := errors.AsType[*fault.Error](err); !ok || len(f.Details) != 1 || f.Details[0].Pointer != "/hosted" {
			t.Errorf("%s hosted %q: %v", port, hosted, err)
		}
	}
	in.Hosted = connectors.Abroad
	v, err := do(d, "ann", d.one.Register, in)
	must(t, err)
	if v.Hosted != "abroad" || v.Safeguard != nil {
		t.Errorf("it is shown as %+v", v)
	}
	_, err = d.one.Test(as("ann"), connectors.One{Partner: "atlas"})
	must(t, err)
	if err := d.resume(false); !errors.Is(err, connectors.ErrUncertified) {
		t.Errorf("without a certificate: %v", err)
	}
	now := time.Now()
	text, err := certificate.Sign(d.key, certificate.Certificate{
		Connector: "atlas", Protocol: "crm.v1", Features: []string{"reports"}, Level: certificate.Security, Remembers: "720h", IssuedAt: now, ExpiresAt: now.Add(certificate.Lifetime),
	})
	must(t, err)
	_, err = do(d, "ann", d.one.Certify, connectors.CertifyInput{Partner: "atlas", Certificate: text})
	must(t, err)
	if all, err := d.two.Plugs(t.Context(), d.db, "crm"); err != nil || len(all) != 0 || len(live) != 0 {
		t.Errorf("before it is live there are %+v, %v, and told were %+v", all, err, live)
	}
	must(t, d.resume(false))
	all, err := d.two.Plugs(t.Context(), d.db, "crm")
	for _, told := range [][]connectors.Plug{all, live} {
		if err != nil || len(told) != 1 || told[0].ID != "atlas" || !slices.Equal(told[0].Features, []string{"reports"}) || told[0].Hosted != "abroad" || told[0].Barred != "" {
			t.Errorf("once it is live there are %+v, %v, and told were %+v", all, err, live)
		}
	}
	if p, err := d.two.Plug(t.Context(), d.db, "crm", "atlas"); err != nil || p.Hosted != "abroad" || p.Barred != "" {
		t.Errorf("it is %+v, %v", p, err)
	}
}

func TestWhatCannotBeRegisteredIsPointedAt(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	for pointer, change := range map[string]func(*connectors.RegisterInput){
		"/id":            func(in *connectors.RegisterInput) { in.ID = "bank" },
		"/url":           func(in *connectors.RegisterInput) { in.URL = "https://10.0.0.1" },
		"/safeguard/rib": func(in *connectors.RegisterInput) { in.Safeguard.RIB = paperbank.RIB(9) },
		"/operating/rib": func(in *connectors.RegisterInput) { in.Operating.RIB = in.Safeguard.RIB },
	} {
		in := atlas()
		change(&in)
		_, err := do(d, "ann", d.one.Register, in)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || len(f.Details) != 1 || f.Details[0].Pointer != pointer {
			t.Errorf("%s: %v %+v", pointer, err, f)
		}
	}
	_, err := do(d, "ann", d.one.Register, atlas())
	must(t, err)
	again := atlas()
	if _, err := do(d, "ann", d.one.Register, again); !errors.Is(err, connectors.ErrTaken) {
		t.Errorf("the name again: %v", err)
	}
	again.ID, again.Operating.RIB = "rif", paperbank.RIB(5)
	if _, err := do(d, "ann", d.one.Register, again); !errors.Is(err, connectors.ErrTaken) {
		t.Errorf("the account again: %v", err)
	}
	if _, err := d.one.Show(as("ann"), connectors.One{Partner: "rif"}); !errors.Is(err, connectors.ErrNotFound) {
		t.Errorf("another: %v", err)
	}
}
