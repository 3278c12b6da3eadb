package outbound

import (
	"fmt"
	"time"
)

// A Class groups the calls of a partner that share a fate: a bank whose
// inquiries work may still be down for payments.
type Class string

// The classes.
const (
	Pay   Class = "pay"   // moves money
	Query Class = "query" // only asks
	File  Class = "file"  // puts and takes files
	Tell  Class = "tell"  // tells people something
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

	Retries            int           // how often Read asks again; below 0: never
	RetryMin, RetryMax time.Duration // bounds of the wait before, drawn anew each time
	Ping               time.Duration // after this long without a call the partner is asked how it is; below 0: never
}

// Within are settings of one of so many lanes to a partner whose contract allows calls
// a second, and together: all lanes make at most 80 % of them, and none goes faster than
// others of its class. 0 is not known.
func Within(c Class, perSecond, together, lanes int) (s Settings) {
	usual := Defaults(c)
	if rate := 0.8 * float64(perSecond) / float64(lanes); perSecond > 0 && rate < usual.Rate {
		s.Rate = rate
	}
	if burst := max(1, together*8/10/lanes); together > 0 && burst < usual.Burst {
		s.Burst = burst
	}
	return s
}

// Defaults are the starting values of a class.
func Defaults(c Class) Settings {
	s := Settings{
		Dial: 2 * time.Second, TLS: 3 * time.Second, Header: 20 * time.Second, Deadline: 25 * time.Second,
		Bulkhead: 8, Rate: 20, Burst: 20,
		Window: time.Minute, Consecutive: 3, Volume: 10, Ratio: 0.5, Cooldown: 30 * time.Second,
	}
	if c == Query || c == Tell {
		s.Header, s.Deadline = 5*time.Second, 8*time.Second
		s.Bulkhead, s.Rate, s.Burst = 20, 50, 50
		s.Consecutive, s.Volume, s.Cooldown = 5, 20, 15*time.Second
	}
	if c == Query {
		s.Retries, s.RetryMin, s.RetryMax = 3, 200*time.Millisecond, 5*time.Second
	}
	if c == Tell { // gateways bring messages in more slowly than they are asked
		s.Header, s.Deadline = 10*time.Second, 15*time.Second
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
	fill(&s.Retries, d.Retries)
	fill(&s.RetryMin, d.RetryMin)
	fill(&s.RetryMax, d.RetryMax)
	fill(&s.Ping, d.Ping)
	return s
}

// MaxDeadline bounds what a call may take: a job that makes it has 45 seconds,
// and must still write down what came of it.
const MaxDeadline = 40 * time.Second

// Check says why settings do not do for a class, defaults filled in.
func (s Settings) Check(c Class) error {
	within := func(name string, v, least, most time.Duration) error {
		if v < least || v > most {
			return fmt.Errorf("%s is %s; it is from %s to %s", name, v, least, most)
		}
		return nil
	}
	for _, err := range []error{
		within("the deadline", s.Deadline, 100*time.Millisecond, MaxDeadline),
		within("the time for headers", s.Header, 50*time.Millisecond, s.Deadline),
		within("the time to connect", s.Dial, 10*time.Millisecond, MaxDeadline),
		within("the time for TLS", s.TLS, 10*time.Millisecond, MaxDeadline),
		within("the window", s.Window, time.Second, time.Hour),
		within("the cool-down", s.Cooldown, 10*time.Millisecond, time.Hour),
		within("the ping", s.Ping, -time.Second, time.Hour),
	} {
		if err != nil {
			return err
		}
	}
	switch {
	case s.Bulkhead < 1 || s.Bulkhead > 256:
		return fmt.Errorf("%d calls at once; 1 to 256 are", s.Bulkhead)
	case !(s.Rate > 0 && s.Rate <= 100_000) || s.Burst < 1 || s.Burst > 100_000:
		return fmt.Errorf("a rate of %g with bursts of %d; both are above 0, and at most 100,000", s.Rate, s.Burst)
	case s.Consecutive < 1 || s.Volume < 1 || !(s.Ratio > 0 && s.Ratio <= 1):
		return fmt.Errorf("a breaker opens after 1 failure in a row at least, or a share above 0 of 1 call at least")
	case s.Retries < -1 || s.Retries > 5:
		return fmt.Errorf("%d retries; 1 to 5 are, or -1 for none", s.Retries)
	case s.Retries > 0 && c != Query:
		return fmt.Errorf("only what asks is asked again by itself: %s never is", c)
	case s.Retries > 0 && (s.RetryMin <= 0 || s.RetryMax < s.RetryMin):
		return fmt.Errorf("waits from %s to %s before a retry", s.RetryMin, s.RetryMax)
	}
	return nil
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
