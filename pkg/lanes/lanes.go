// Package lanes keeps how partners are called as data: bounds that people change
// and partners that they stop while the hub runs, followed by every hub within
// seconds. It writes down when a breaker opened and closed, and tells it.
package lanes

import (
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/outbound"
)

// Errors of lanes.
var (
	ErrNotFound = fault.New(fault.NotFound, "partners.not_found", "There is no such partner, or it has no calls of this class.")
	ErrBounds   = fault.New(fault.Invalid, "partners.bounds", "These bounds do not fit together.")
	ErrNoProbe  = fault.New(fault.Conflict, "partners.no_probe", "There is no harmless question for this partner: its next call will tell.")
)

// Bounds are what people set of a lane; 0 is as it is built in.
type Bounds struct {
	DialMS            int `json:"dial_ms,omitempty" minimum:"0" maximum:"40000" description:"To connect."`
	TLSMS             int `json:"tls_ms,omitempty" minimum:"0" maximum:"40000" description:"For the TLS handshake."`
	HeaderMS          int `json:"header_ms,omitempty" minimum:"0" maximum:"40000" description:"Until the answer begins."`
	DeadlineMS        int `json:"deadline_ms,omitempty" minimum:"0" maximum:"40000" description:"For the whole call."`
	Bulkhead          int `json:"bulkhead,omitempty" minimum:"0" maximum:"256" description:"Calls at once."`
	ContractPerMinute int `json:"contract_per_minute,omitempty" minimum:"0" maximum:"6000000" description:"Calls that the contract allows; the hub makes 80 % of them."`
	Burst             int `json:"burst,omitempty" minimum:"0" maximum:"100000" description:"Calls that may come together."`
	WindowS           int `json:"window_s,omitempty" minimum:"0" maximum:"3600" description:"The breaker counts over this, rolling."`
	Consecutive       int `json:"consecutive,omitempty" minimum:"0" maximum:"1000" description:"Failures in a row that open it."`
	Volume            int `json:"volume,omitempty" minimum:"0" maximum:"100000" description:"Or this many calls …"`
	RatioPercent      int `json:"ratio_percent,omitempty" minimum:"0" maximum:"100" description:"… of which this share failed."`
	CooldownS         int `json:"cooldown_s,omitempty" minimum:"0" maximum:"3600" description:"Open for this long, then one trial."`
	Retries           int `json:"retries,omitempty" minimum:"-1" maximum:"5" description:"How often a question is asked again within its deadline; -1: never. Only of the class query."`
	RetryMinMS        int `json:"retry_min_ms,omitempty" minimum:"0" maximum:"40000"`
	RetryMaxMS        int `json:"retry_max_ms,omitempty" minimum:"0" maximum:"40000"`
	PingS             int `json:"ping_s,omitempty" minimum:"-1" maximum:"3600" description:"After this long without a call the partner is asked how it is; -1: never."`
}

// contractShare is what of a partner's contract the hub uses: the rest is for
// whoever else speaks for us.
const contractShare = 0.8

// settings are the bounds as a lane takes them.
func (b Bounds) settings() outbound.Settings {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	s := func(n int) time.Duration { return time.Duration(n) * time.Second }
	return outbound.Settings{
		Dial: ms(b.DialMS), TLS: ms(b.TLSMS), Header: ms(b.HeaderMS), Deadline: ms(b.DeadlineMS),
		Bulkhead: b.Bulkhead, Rate: contractShare * float64(b.ContractPerMinute) / 60, Burst: b.Burst,
		Window: s(b.WindowS), Consecutive: b.Consecutive, Volume: b.Volume, Ratio: float64(b.RatioPercent) / 100, Cooldown: s(b.CooldownS),
		Retries: b.Retries, RetryMin: ms(b.RetryMinMS), RetryMax: ms(b.RetryMaxMS), Ping: s(b.PingS),
	}
}

// boundsOf are a lane's bounds as people read them.
func boundsOf(s outbound.Settings) Bounds {
	ms := func(d time.Duration) int { return int(d.Milliseconds()) }
	sec := func(d time.Duration) int { return int(d.Seconds()) }
	return Bounds{
		DialMS: ms(s.Dial), TLSMS: ms(s.TLS), HeaderMS: ms(s.Header), DeadlineMS: ms(s.Deadline),
		Bulkhead: s.Bulkhead, ContractPerMinute: int(s.Rate*60/contractShare + 0.5), Burst: s.Burst,
		WindowS: sec(s.Window), Consecutive: s.Consecutive, Volume: s.Volume, RatioPercent: int(s.Ratio*100 + 0.5), CooldownS: sec(s.Cooldown),
		Retries: s.Retries, RetryMinMS: ms(s.RetryMin), RetryMaxMS: ms(s.RetryMax), PingS: sec(s.Ping),
	}
}

// A setting is what people set of one lane.
type setting struct {
	Partner string
	Class   outbound.Class
	Bounds
	SetBy string
	SetAt time.Time
}

// A Pause is why and since when nothing is asked of a partner that moves
// anything.
type Pause struct {
	Partner string    `json:"-"`
	Reason  string    `json:"reason" required:"true"`
	By      string    `json:"by" required:"true"`
	At      time.Time `json:"at" required:"true"`
}

// A State is how one hub finds one lane.
type State struct {
	Hub      string
	Partner  string
	Class    outbound.Class
	Breaker  string
	Since    time.Time
	Reason   string
	InFlight int
	P95us    int64 `db:"p95_us"`
	Calls    int
	Failures int
	Errors   []Failure
	SeenAt   time.Time
}

// A Failure is a call without a final answer, as people read it.
type Failure struct {
	At   time.Time `json:"at" required:"true"`
	Op   string    `json:"op" required:"true"`
	Text string    `json:"text" required:"true"`
}

// rank orders states from well to broken.
var rank = map[string]int{"closed": 0, "half-open": 1, "open": 2}

// merge puts what several hubs say of one lane together: the worst breaker, and
// all that is under way.
func merge(all []State) State {
	out := all[0]
	for _, s := range all[1:] {
		calls, failures, flying, p95 := out.Calls+s.Calls, out.Failures+s.Failures, out.InFlight+s.InFlight, max(out.P95us, s.P95us)
		if rank[s.Breaker] > rank[out.Breaker] {
			out = s
		}
		out.Calls, out.Failures, out.InFlight, out.P95us = calls, failures, flying, p95
	}
	return out
}

// same says whether nothing that people wait for has changed between two looks
// at a lane.
func (s State) same(o State) bool {
	return s.Breaker == o.Breaker && s.Reason == o.Reason && len(s.Errors) == len(o.Errors) &&
		(len(s.Errors) == 0 || s.Errors[0] == o.Errors[0])
}

// A Change is a breaker that opened or closed, or what people did.
type Change struct {
	ID      int64
	At      time.Time
	Hub     string
	Partner string
	Class   outbound.Class
	Change  string
	Reason  string
}

// Quarter and Quarters say how a day of a partner is shown: as the state in
// each quarter of an hour.
const (
	Quarter  = 15 * time.Minute
	Quarters = 96
)

// strip is the day before now: for each quarter 1 well, 2 paused, 3 open at some
// time in it. Changes come oldest first; was is how the day began: for each hub
// and class whether its breaker was open, and under "" whether people had
// stopped the partner.
func strip(changes []Change, was map[string]bool, now time.Time) []int {
	out := make([]int, Quarters)
	from := now.Add(-Quarters * Quarter)
	next := 0
	for i := range out {
		end := from.Add(time.Duration(i+1) * Quarter)
		worst := worstOf(was)
		for ; next < len(changes) && !changes[next].At.After(end); next++ {
			changes[next].onto(was)
			worst = max(worst, worstOf(was))
		}
		out[i] = worst
	}
	return out
}

// onto applies a change to what stands open.
func (c Change) onto(open map[string]bool) {
	switch c.Change {
	case "opened":
		open[c.Hub+" "+string(c.Class)] = true
	case "closed":
		delete(open, c.Hub+" "+string(c.Class))
	case "paused":
		open[""] = true
	case "resumed":
		delete(open, "")
	}
}

func worstOf(open map[string]bool) int {
	switch {
	case len(open) == 0:
		return 1
	case len(open) == 1 && open[""]:
		return 2
	}
	return 3
}
