package certify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/card"
	"tiwiza/adapters/insurance"
	"tiwiza/adapters/remote"
	"tiwiza/adapters/wallet"
	"tiwiza/pkg/certificate"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/webhook"
)

// Options say which connector is asked, and how.
type Options struct {
	URL         string
	Credentials remote.Credentials
	Roots       string
	Account     string // the RIB that the sandbox lets us pay from
	To          string // one that it lets us pay to
	Level       certificate.Level
	Seed        uint64
	Now         func() time.Time
	// Listen is where the connector sends its events; "" when it was not told to.
	Listen string
	// Listening is told where that is, for a port that is any free one.
	Listening func(addr string)
	// Told is called after each case, if anybody waits.
	Told func(Result)
}

// A Result is what came of a case.
type Result struct {
	ID      string            `json:"id"`
	Level   certificate.Level `json:"level"`
	Title   string            `json:"title"`
	Passed  bool              `json:"passed"`
	Skipped string            `json:"skipped,omitempty"` // why it was left out
	Found   string            `json:"found,omitempty"`   // what is wrong
	Took    time.Duration     `json:"took_ns"`
}

// A Report is what a connector has proved.
type Report struct {
	Connector string            `json:"connector"`
	Owner     string            `json:"owner"`
	URL       string            `json:"url"`
	Protocol  string            `json:"protocol"`
	Level     certificate.Level `json:"level"` // the highest that was reached; "" for none
	Seed      uint64            `json:"seed"`
	At        time.Time         `json:"at"`
	Results   []Result          `json:"results"`

	manifest remote.Manifest
	cases    string
}

// Run plays the cases, in their order, up to a level.
func Run(ctx context.Context, c Cases, o Options) (Report, error) {
	r, err := newRunner(c.Protocol, o)
	if err != nil {
		return Report{}, err
	}
	if o.Listen != "" {
		stop, err := r.listen(o.Listen)
		if err != nil {
			return Report{}, err
		}
		defer stop()
	}
	out := Report{URL: o.URL, Protocol: c.Protocol, Seed: o.Seed, At: o.Now().UTC(), cases: c.Digest}
	failed := map[certificate.Level]bool{}
	for _, k := range c.Cases {
		if !o.Level.Reaches(k.Level) {
			continue
		}
		res := r.play(ctx, k)
		if failed[k.Level] = failed[k.Level] || !res.Passed && res.Skipped == ""; o.Told != nil {
			o.Told(res)
		}
		out.Results = append(out.Results, res)
		if err := ctx.Err(); err != nil {
			return out, err
		}
	}
	for _, l := range certificate.Levels {
		if failed[l] || !o.Level.Reaches(l) {
			break
		}
		out.Level = l
	}
	out.manifest, out.Connector, out.Owner = r.manifest, r.manifest.ID, r.manifest.Owner
	return out, nil
}

// Certificate is what may be signed of a report; false when nothing was proved.
func (r Report) Certificate() (certificate.Certificate, bool) {
	spoken, _ := r.manifest.Speaks(capability(r.Protocol))
	return certificate.Certificate{
		Connector: r.Connector, Owner: r.Owner, Protocol: r.Protocol, Features: spoken.Features, Level: r.Level, Remembers: r.manifest.Remembers().String(),
		Manifest: r.manifest.Digest, Cases: r.cases, URL: r.URL, IssuedAt: r.At, ExpiresAt: r.At.Add(certificate.Lifetime),
	}, r.Level != "" && r.Connector != ""
}

// runner plays the hub; it remembers all that it sent and was told.
type runner struct {
	protocol string
	o        Options
	random   *rand.Rand
	client   *http.Client
	hub      *bank.Bank
	line     *remote.Connector
	guard    webhook.Guard
	manifest remote.Manifest
	pace     *rate.Limiter // of what the manifest allows, once it is read

	batches  map[string]*sent // of this case, by their names there
	all      []*sent
	applied  map[string]bank.Application // by their names in the case
	seqs     map[string]int64            // how far each was heard
	messages []bank.Message
	known    map[string]string // messages that were acknowledged → their hash
	mu       sync.Mutex
	answers  []string // whatever was answered
	events   chan heard
	unsaid   []string // what nobody may be told beside our secrets
	serial   int

	insurer  *insurance.Insurer // of insurance.v1, once the manifest is read
	products []insurance.Product
	deals    map[string]*deal // of this case, by their names there
	dealings []*deal          // all that was bound, and what was done under it
	run      string
	began    time.Time // the day it began, in UTC

	wallet   *wallet.Wallet // of wallet.v1, once the manifest is read
	acquirer *card.Acquirer // of card.v1, likewise
	relation *relation      // of crm.v1, once the manifest is read
	gateway  *gateway       // of notify.v1, likewise
}

// patient lets certify ask as often and as fast as the cases say.
var patient = outbound.Settings{Consecutive: 1000, Volume: 1000, Rate: 1000, Burst: 1000}

func newRunner(protocol string, o Options) (*runner, error) {
	g := guardOf(o)
	n, err := remote.New(remote.Config{URL: o.URL, Roots: o.Roots, Guard: g, Credentials: []remote.Credentials{o.Credentials}})
	if err != nil {
		return nil, err
	}
	client, err := n.Client()
	if err != nil {
		return nil, err
	}
	d := remote.NewBank(n)
	random := rand.New(rand.NewPCG(o.Seed, 1))
	return &runner{
		protocol: protocol, pace: rate.NewLimiter(rate.Inf, 1), o: o, random: random, client: client, line: n, guard: g, hub: bank.New("certified", d, bank.Options{File: patient, Query: patient}),
		known: map[string]string{}, applied: map[string]bank.Application{}, seqs: map[string]int64{}, events: make(chan heard, 1000), began: o.Now().UTC().Truncate(24 * time.Hour),
		run: fmt.Sprintf("%s%04X", o.Now().UTC().Format("060102150405"), random.IntN(1<<16)),
	}, nil
}

// Spoken is the first of some protocols that a connector's manifest declares; the
// first of them when it cannot be read, so that its cases say why.
func Spoken(ctx context.Context, o Options, known []string) string {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	n, err := remote.New(remote.Config{URL: o.URL, Roots: o.Roots, Guard: guardOf(o)})
	if err != nil {
		return known[0]
	}
	m, err := n.Manifest(ctx)
	if err != nil {
		return known[0]
	}
	for _, c := range m.Capabilities {
		if p := c.Name + ".v" + c.Version; slices.Contains(known, p) {
			return p
		}
	}
	return known[0]
}

// guardOf lets certify go where whoever runs it says: it is their machine.
func guardOf(o Options) webhook.Guard {
	g := webhook.Guard{Loopback: true}
	for _, u := range []string{o.URL, o.Credentials.TokenURL} {
		if host := webhook.HostOf(u); host != "" {
			g.Hosts = append(g.Hosts, host)
		}
	}
	return g
}

// errSkip leaves a case out.
type errSkip string

func (e errSkip) Error() string { return string(e) }

// mostCalls is how many calls a case makes at most.
const mostCalls = 1000

// play plays one case, for as long as the partner's own pace asks.
func (r *runner) play(ctx context.Context, k Case) Result {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute+mostCalls*2*time.Second/time.Duration(max(r.manifest.Rate.PerSecond, 1)))
	defer cancel()
	began := r.o.Now()
	res := Result{ID: k.ID, Level: k.Level, Title: k.Title}
	r.batches, r.deals = map[string]*sent{}, map[string]*deal{}
	err := r.needs(k)
	for i := 0; err == nil && i < len(k.Steps); i++ {
		if err = r.step(ctx, k.Steps[i]); err != nil {
			if _, skip := errors.AsType[errSkip](err); !skip {
				err = fmt.Errorf("step %d: %w", i+1, err)
			}
		}
	}
	res.Took = r.o.Now().Sub(began)
	if skip, ok := errors.AsType[errSkip](err); ok {
		res.Skipped = string(skip)
	} else if err != nil {
		res.Found = strings.TrimSpace(r.redact(err.Error()))
	}
	res.Passed = err == nil
	return res
}

// needs leaves a case out that needs a feature which is not declared, but for those
// that the hub itself cannot do without.
func (r *runner) needs(k Case) error {
	c, _ := r.manifest.Speaks(capability(r.protocol))
	for _, f := range k.Needs {
		switch {
		case c.Has(f):
		case slices.Contains(vital[r.protocol], f):
			return fmt.Errorf("the manifest does not declare the feature %q, without which nothing is certified", f)
		default:
			return errSkip(fmt.Sprintf("the feature %q is not declared", f))
		}
	}
	return nil
}

func (r *runner) redact(s string) string {
	for _, secret := range r.secrets() {
		s = strings.ReplaceAll(s, secret, "[redacted]")
	}
	return s
}

func (r *runner) secrets() (all []string) {
	for _, s := range append([]string{r.o.Credentials.Token, r.o.Credentials.ClientSecret, r.o.Credentials.Key, wrongToken}, r.unsaid...) {
		if s != "" {
			all = append(all, s)
		}
	}
	return all
}

// listen takes in events; stop ends it.
func (r *runner) listen(addr string) (stop func(), err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for events: %w", err)
	}
	if r.o.Listening != nil {
		r.o.Listening(l.Addr().String())
	}
	srv := &http.Server{ReadTimeout: 10 * time.Second, Handler: http.HandlerFunc(r.hear)}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	return func() { _ = srv.Close(); <-done }, nil
}
