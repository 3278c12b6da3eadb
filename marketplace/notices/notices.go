// Package notices tells people what they want to know, by SMS, WhatsApp or
// e-mail: once, by the ways they wish, not at night, and so that they can see
// afterwards what they were told.
package notices

import (
	"maps"
	"slices"
	"time"

	"tiwiza/adapters/notify"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/outbound"
)

// Errors of notices.
var (
	ErrNotFound = fault.New(fault.NotFound, "notices.not_found", "There is no such notice.")
	ErrPartner  = fault.New(fault.NotFound, "notices.no_such_partner", "No partner of this name brings messages.")
	ErrInvalid  = fault.New(fault.Invalid, "notices.invalid", "Some of this is not right; see errors.")
	ErrChanged  = fault.New(fault.Conflict, "notices.changed", "This changed meanwhile; look again.")
	ErrKind     = fault.New(fault.Internal, "notices.kind", "This kind of notice, or what it says, is not known.")
)

// A State is where a notice stands.
type State string

// The states.
const (
	Waiting   State = "waiting"   // for its time, or its next try
	Sending   State = "sending"   // a gateway is being asked
	Sent      State = "sent"      // a gateway has it
	Delivered State = "delivered" // a gateway says that it arrived
	Failed    State = "failed"    // no way brought it
	Unknown   State = "unknown"   // it may have arrived: no gateway says
	Dropped   State = "dropped"   // it was not to be sent
	Gathered  State = "gathered"  // it is told in the message of the day
)

// A Notice is something one person is told.
type Notice struct {
	ID        string
	Owner     string // whose log shows it
	Kind      Kind
	Lang      string
	Phone     string
	Email     string
	Params    map[string]string
	Sealed    []byte
	Amount    *int64
	Dedupe    string
	State     State
	Reason    string
	Within    *string
	DueAt     time.Time
	ExpiresAt time.Time
	CreatedAt time.Time
	Version   int64
}

// address is where a channel finds the person, or "".
func (n Notice) address(c notify.Channel) string {
	if c == notify.Email {
		return n.Email
	}
	return n.Phone
}

// ended says whether nothing more happens with a notice by itself.
func (s State) ended() bool { return !slices.Contains([]State{Waiting, Sending, Sent}, s) }

// A TryState is what is known of a notice by one channel.
type TryState string

// The states of an attempt.
const (
	TrySending   TryState = "sending"
	TryAccepted  TryState = "accepted"
	TryDelivered TryState = "delivered"
	TryRefused   TryState = "refused"
	TryNotSent   TryState = "not_sent"
	TryUnknown   TryState = "unknown"
)

// An Attempt is a notice on its way by one channel. Sent again it has the same
// id, which is the reference that the gateway is given.
type Attempt struct {
	ID        string
	Notice    string
	Channel   notify.Channel
	Carrier   string
	Address   string
	State     TryState
	Sends     int
	Code      string
	PartnerID string
	Parts     int
	At        time.Time
	Version   int64
}

// Heard is the attempt after its gateway answered. A gateway that does not let us
// in, or not now, has taken nothing: that is no money, and a message that comes
// twice harms nobody.
func (a Attempt) Heard(r outbound.Result) Attempt {
	a.Code, a.PartnerID = r.Code, r.PartnerID
	switch {
	case r.Outcome == outbound.Succeeded:
		a.State = TryDelivered
	case r.Outcome == outbound.Accepted:
		a.State = TryAccepted
	case r.Outcome == outbound.Declined, r.Outcome == outbound.NotSent && r.Reason == outbound.Unfit:
		a.State = TryRefused
	case r.Outcome == outbound.NotSent, r.Reason == outbound.Limited, r.Reason == outbound.Credentials:
		a.State = TryNotSent
	default:
		a.State = TryUnknown
	}
	if a.Code == "" {
		a.Code = string(r.Reason)
	}
	a.Version++
	return a
}

// How often one gateway is asked to bring one notice.
const (
	mostUnknown = 3
	mostNotSent = 5
)

// A Turn is what comes next for a notice: a channel and when, or its end.
type Turn struct {
	Channel notify.Channel
	At      time.Time
	End     State
	Reason  string
}

// Next says what comes next, by the channels that could bring a notice and what
// became of those that were tried.
//
// What tells something is brought at least once: when nobody knows whether a
// gateway has it, the gateway is asked again, under the same reference. A code is
// sent at most once by each channel, and after an unknown outcome by none: whoever
// waits for it asks for another, and two codes at once would only confuse.
func (n Notice) Next(way []notify.Channel, tries []Attempt, now time.Time) Turn {
	for _, a := range tries {
		switch a.State {
		case TryDelivered:
			return Turn{End: Delivered}
		case TryAccepted:
			return Turn{End: Sent}
		}
	}
	end := Turn{End: Failed, Reason: "no_way"}
	if len(way) == 0 {
		end.End = Dropped
	}
	urgent := n.Kind.spec().Class == Urgent
	for _, c := range way {
		i := slices.IndexFunc(tries, func(a Attempt) bool { return a.Channel == c })
		if i < 0 {
			if !now.Before(n.ExpiresAt) {
				return expired(tries)
			}
			return Turn{Channel: c, At: now}
		}
		a, again := tries[i], 0
		switch a.State {
		case TryNotSent:
			again = mostNotSent
		case TryUnknown, TrySending:
			if urgent {
				return Turn{End: Unknown, Reason: "no_answer"}
			}
			again = mostUnknown
		}
		if at := a.At.Add(pause(a.Sends)); !urgent && a.Sends < again {
			if !at.Before(n.ExpiresAt) {
				return expired(tries)
			}
			return Turn{Channel: c, At: at}
		}
		end.Reason = a.Code
	}
	return doubtful(end, tries)
}

// pause is how long a gateway is left alone after it was asked so often: half a
// minute, and four times as long after each more.
func pause(sends int) time.Duration { return 30 * time.Second << (2 * min(sends-1, 5)) }

func expired(tries []Attempt) Turn { return doubtful(Turn{End: Failed, Reason: "too_late"}, tries) }

// doubtful ends a notice of which some gateway may have brought a copy.
func doubtful(end Turn, tries []Attempt) Turn {
	if slices.ContainsFunc(tries, func(a Attempt) bool { return a.State == TryUnknown || a.State == TrySending }) {
		end.End, end.Reason = Unknown, "no_answer"
	}
	return end
}

// The night, in Morocco: what can wait is not brought then. The message of the
// day comes before.
const (
	nightFrom = 21
	nightTo   = 8
	digestAt  = 19
)

// Awake is the first moment from t on when people may be told what can wait.
func Awake(t time.Time) time.Time {
	l := t.In(clock.Morocco)
	switch h := l.Hour(); {
	case h >= nightFrom:
		return hour(l, 1, nightTo)
	case h < nightTo:
		return hour(l, 0, nightTo)
	}
	return t
}

// Evening is the next moment after t when the message of the day is made.
func Evening(t time.Time) time.Time {
	l := t.In(clock.Morocco)
	if l.Hour() < digestAt {
		return hour(l, 0, digestAt)
	}
	return hour(l, 1, digestAt)
}

func hour(l time.Time, days, h int) time.Time {
	return time.Date(l.Year(), l.Month(), l.Day()+days, h, 0, 0, 0, clock.Morocco).UTC()
}

// Settings are how somebody wishes to be told.
type Settings struct {
	Owner     string
	Lang      string // "": as the sender thinks
	Channels  []string
	Off       []string
	Digest    bool
	Phone     string
	Email     string
	Version   int64
	ChangedAt time.Time
}

// usual is the order of channels where nobody wishes another: what costs a
// person nothing first.
var usual = []notify.Channel{notify.WhatsApp, notify.SMS, notify.Email}

// Way are the channels for a notice, in their order: those that are wished, or
// the market's; that a carrier serves; and that have an address.
func (s Settings) Way(n Notice, wished []notify.Channel, carriers map[notify.Channel]*notify.Carrier) (way []notify.Channel) {
	if len(s.Channels) > 0 {
		wished = nil
		for _, c := range s.Channels {
			wished = append(wished, notify.Channel(c))
		}
	}
	for _, c := range wished {
		if carriers[c] != nil && c.Reaches(n.address(c)) && (c != notify.WhatsApp || n.Kind.spec().WhatsApp) {
			way = append(way, c)
		}
	}
	return way
}

// Muted says whether a kind is not wished; what the law or safety asks for is
// told all the same.
func (s Settings) Muted(k Kind) bool {
	return !k.spec().Required && slices.Contains(s.Off, string(k))
}

// merged are params and secrets together.
func merged(params, secrets map[string]string) map[string]string {
	all := maps.Clone(params)
	maps.Copy(all, secrets)
	return all
}
