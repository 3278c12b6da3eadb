package outbound

import "time"

// A Class groups the calls of a partner that share a fate: a bank whose
// inquiries work may still be down for payments.
type Class string

// The classes.
const (
	Pay   Class = "pay"   // moves money
	Query Class = "query" // only asks
	File  Class = "file"  // puts and takes files
)

// Settings bound the calls of one lane. A zero field takes the class's
// default, so that only what differs is written.
type Settings struct {
	Dial, TLS, Header time.Duration // bounds inside a call, for Client
	Deadline          time.Duration // bounds the whole call
	Bulkhead          int           // calls at once
	Rate              float64       // calls a second; 80 % of the contract
	Burst             int           // calls that may come together

	Window      time.Duration // the breaker counts over this, rolling
	Consecutive int           // failures in a row that open it
	Volume      int           // or this many calls …
	Ratio       float64       // … of which this share failed
	Cooldown    time.Duration // open for this long, then one probe
}

// Defaults are the starting values of a class.
func Defaults(c Class) Settings {
	s := Settings{
		Dial: 2 * time.Second, TLS: 3 * time.Second, Header: 20 * time.Second, Deadline: 25 * time.Second,
		Bulkhead: 8, Rate: 20, Burst: 20,
		Window: time.Minute, Consecutive: 3, Volume: 10, Ratio: 0.5, Cooldown: 30 * time.Second,
	}
	if c == Query {
		s.Header, s.Deadline = 5*time.Second, 8*time.Second
		s.Bulkhead, s.Rate, s.Burst = 20, 50, 50
		s.Consecutive, s.Volume, s.Cooldown = 5, 20, 15*time.Second
	}
	return s
}

// Or fills the zero fields of s with those of d.
func (s Settings) Or(d Settings) Settings {
	fill(&s.Dial, d.Dial)
	fill(&s.TLS, d.TLS)
	fill(&s.Header, d.Header)
	fill(&s.Deadline, d.Deadline)
	fill(&s.Bulkhead, d.Bulkhead)
	fill(&s.Rate, d.Rate)
	fill(&s.Burst, d.Burst)
	fill(&s.Window, d.Window)
	fill(&s.Consecutive, d.Consecutive)
	fill(&s.Volume, d.Volume)
	fill(&s.Ratio, d.Ratio)
	fill(&s.Cooldown, d.Cooldown)
	return s
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
