// Package provider is what the acquirer and the provider of wallets do alike:
// they tell the shop what has ended until it understands, settle with the bank
// in one sum, and misbehave on the wire.
package provider

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

// A Bank takes a provider's settlements to the shop's account.
type Bank interface {
	// Covers says whether the account can bear a net amount, which refunds may
	// have made negative.
	Covers(tx *journal.Tx, centimes int64) bool
	// Settle books a net amount on the account.
	Settle(tx *journal.Tx, n world.Net)
}

// A Protocol is what each provider does in its own way; M is what it tells.
type Protocol[M any] interface {
	// Act does what is due by itself.
	Act() error
	// Request makes one try of a callback.
	Request(ctx context.Context, cb Callback[M]) (*http.Request, error)
	// Understood does what the shop answered, and says whether that ends it.
	Understood(tx *journal.Tx, cb Callback[M], status int, answer string) bool
	// Older makes what is told last by the fault callbacks_shuffled: a refusal
	// from before.
	Older(m M) M
	// Settled names a settlement, and notes it with what it settles.
	Settled(tx *journal.Tx, n world.Net) string
}

// Provider is a stand-in's common part. Make it with New before the journal is
// loaded, and Run it for what happens by itself.
type Provider[M any] struct {
	SettleEvery time.Duration
	World       *world.World
	Unsettled   *journal.Table[world.NetLine]

	name      string
	protocol  Protocol[M]
	bank      Bank
	callbacks *journal.Table[Callback[M]]

	client  *http.Client
	mu      sync.Mutex
	sending map[string]chan struct{}
	work    sync.WaitGroup
	ctx     context.Context
	stop    context.CancelFunc
}

// New makes the common part of the partner so named, which settles to a bank.
func New[M any](w *world.World, name string, b Bank, own Protocol[M]) *Provider[M] {
	p := &Provider[M]{
		SettleEvery: 2 * time.Second,
		World:       w,
		Unsettled:   journal.NewTable[world.NetLine](w.Journal, name+"_unsettled"),
		name:        name,
		protocol:    own,
		bank:        b,
		callbacks:   journal.NewTable[Callback[M]](w.Journal, name+"_callbacks"),
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

// Run acts, sends callbacks and settles until the context ends; it returns
// when nothing of its own is running any more.
func (p *Provider[M]) Run(ctx context.Context) error {
	tick, settle := time.NewTicker(100*time.Millisecond), time.NewTicker(p.SettleEvery)
	defer tick.Stop()
	defer settle.Stop()
	defer p.halt()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			err = p.protocol.Act()
			p.sendDue()
		case <-settle.C:
			err = p.SettleNow()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
}

// halt lets no callback start any more, and waits for those that run.
func (p *Provider[M]) halt() {
	p.mu.Lock()
	p.stop()
	p.mu.Unlock()
	p.work.Wait()
}

// SettleNow pays all that was not settled yet, less the fees, and takes off what
// went back, as one sum.
func (p *Provider[M]) SettleNow() error {
	return p.World.Journal.Update(func(tx *journal.Tx) error {
		n := world.Net{At: p.World.Now(), Lines: p.Unsettled.All(tx)}
		if len(n.Lines) == 0 || !p.bank.Covers(tx, n.Amount()) {
			return nil
		}
		n.ID = p.protocol.Settled(tx, n)
		for _, key := range p.Unsettled.Keys(tx) {
			p.Unsettled.Delete(tx, key)
		}
		p.Did(tx, n.ID, world.Settlement, n.Amount())
		p.bank.Settle(tx, n)
		slog.Info(p.name+" settled", "settlement", n.ID, "lines", len(n.Lines), "net", money.Dirhams(n.Amount()).String())
		return nil
	})
}

// Did notes what the provider executed.
func (p *Provider[M]) Did(tx *journal.Tx, ref, kind string, centimes int64) {
	p.World.Did(tx, world.Executed{Partner: p.name, Ref: ref, Kind: kind, Amount: money.Dirhams(centimes), At: p.World.Now()})
}
