package sim_test

import (
	"flag"
	"log/slog"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/recon"
	"tiwiza/pkg/rest"
)

func TestMain(m *testing.M) {
	// The seed alone plays a failure again; and one worker may have to play all.
	flags := map[string]string{"rapid.nofailfile": "true", "rapid.checks": strconv.Itoa(seeds())}
	if os.Getenv("SEEDS") == "" {
		flags["rapid.seed"] = ordinary
	}
	for name, value := range flags {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the services tell of each oddity
	os.Exit(m.Run())
}

func reconUpload(f rest.File) recon.UploadInput { return recon.UploadInput{File: f} }

// ordinary is the seed of the ordinary run, so that a change is judged by the
// same lives as the one before it; with SEEDS they are always others.
const ordinary = "20261122"

// seeds is how many lives are played: 200, or SEEDS.
func seeds() int {
	if n, err := strconv.Atoi(os.Getenv("SEEDS")); err == nil && n > 0 {
		return n
	}
	return 200
}

// A command is something that happens, with how often it does.
type command struct {
	name  string
	often int
	run   func(*machine)
}

var commands = []command{
	{"a sale", 6, (*machine).sells},
	{"a checkout", 1, (*machine).checkout},
	{"a callback", 2, (*machine).notice},
	{"a capture", 2, (*machine).taken},
	{"a lapsed charge", 1, (*machine).lapses},
	{"a wallet's word", 6, (*machine).walletSays},
	{"a wallet asked anew", 3, (*machine).asksAnew},
	{"a charge given up", 1, (*machine).givesUp},
	{"a wallet's settlement", 2, (*machine).walletSettles},
	{"a settlement", 4, (*machine).settles},
	{"a deduction", 2, (*machine).deducts},
	{"a transfer", 2, (*machine).wires},
	{"a shipment", 5, (*machine).ships},
	{"a delivery", 4, (*machine).delivers},
	{"a release", 4, (*machine).releases},
	{"a refund", 6, (*machine).refunds},
	{"an answer to a refund", 6, (*machine).refundAnswered},
	{"an account for a refund", 3, (*machine).accountGiven},
	{"a chargeback", 5, (*machine).chargebacks},
	{"a return", 3, (*machine).sendsBack},
	{"goods that came back", 3, (*machine).gotBack},
	{"a dispute", 3, (*machine).disputed},
	{"a reply", 2, (*machine).replied},
	{"a ruling", 4, (*machine).ruled},
	{"cash collected", 3, (*machine).collects},
	{"cash refused", 1, (*machine).refused},
	{"cash remitted", 2, (*machine).remits},
	{"a payout", 7, (*machine).payouts},
	{"a file", 5, (*machine).dispatches},
	{"money that left", 7, (*machine).leaves},
	{"a payout refused", 2, (*machine).payoutRefused},
	{"a payment returned", 3, (*machine).returns},
	{"a line that nobody knows", 3, (*machine).stray},
	{"a break resolved", 6, (*machine).resolves},
	{"a new account", 1, (*machine).newAccount},
	{"a top-up", 1, (*machine).tops},
	{"a sweep", 1, (*machine).sweeps},
	{"a halt", 1, (*machine).halts},
	{"a hold", 1, (*machine).keeps},
	{"a reversal", 1, (*machine).reverses},
	{"a transfer by hand", 4, (*machine).hands},
	{"a transfer by hand taken back", 2, (*machine).takesBack},
	{"a closed period", 1, (*machine).shuts},
	{"an hour", 2, func(m *machine) { m.advance(time.Hour) }},
	{"some days", 3, func(m *machine) { m.advance(time.Duration(m.int64("days", 1, 9)) * day) }},
	{"a month", 2, func(m *machine) { m.advance(31 * day) }},
	{"a season", 1, func(m *machine) { m.advance(91 * day) }},
}

// lottery holds each command as often as it shall come.
var lottery = func() (all []command) {
	for _, c := range commands {
		for range c.often {
			all = append(all, c)
		}
	}
	return all
}()

// TestTheHubDoesWhatTheOracleSays plays lives: random sequences of commands and
// evidence, some of it twice, late or forged, with crashes and restarts between.
// After each the hub's answer, every balance and every state are what the oracle
// says, and every invariant holds. A failure prints how to play it again.
func TestTheHubDoesWhatTheOracleSays(t *testing.T) {
	t.Parallel()
	workers := 4
	var left, steps atomic.Int64
	left.Store(int64(seeds()))
	for i := range workers {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			y, broken := newYard(t), false
			rapid.Check(t, func(rt *rapid.T) {
				if !broken && left.Add(-1) < 0 {
					return
				}
				defer func() { broken = broken || rt.Failed() }() // what is broken is made small
				for range i {                                     // each worker plays other lives of one seed
					rapid.Uint64().Draw(rt, "worker")
				}
				m := y.begin(rt)
				m.live(&steps)
			})
		})
	}
	t.Cleanup(func() { t.Logf("%d commands in %d lives\n%s", steps.Load(), int64(seeds())-max(0, left.Load()), met) })
}

// live plays one life: an hour of the market, then whatever comes.
func (m *machine) live(steps *atomic.Int64) {
	m.doing = "a sale"
	for range 2 {
		m.sells()
	}
	m.compare()
	m.proofs()
	for n := 25 + m.roll("commands", 35); n > 0; n-- {
		c := one(m, "command", lottery)
		m.doing, m.acted = c.name, false
		if c.run(m); !m.acted {
			continue
		}
		steps.Add(1)
		m.compare()
		m.news()
		m.proofs()
	}
}
