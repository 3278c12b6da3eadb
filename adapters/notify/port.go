// Package notify sends short messages to people: SMS, WhatsApp and e-mail. A
// message that was sent may have arrived although nobody knows: what to do then
// is whoever's who sends it.
package notify

import (
	"context"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/outbound"
)

// Errors of a report.
var (
	ErrForged     = fault.New(fault.Unauthenticated, "notices.forged", "The report is not signed as agreed.")
	ErrUnreadable = fault.New(fault.Malformed, "notices.unreadable", "The report cannot be read.")
)

// A Channel is a way to reach a person.
type Channel string

// The channels.
const (
	SMS      Channel = "sms"
	WhatsApp Channel = "whatsapp"
	Email    Channel = "email"
)

// A Message is what one person is told by one channel.
type Message struct {
	Ref     string // ours, unique for ever: a gateway that knows references sends it once
	To      string // a number in international form, or an address
	Subject string // of an e-mail
	Text    string
	Lang    string // fr, ar or en

	// Template and Params stand for the text where a channel only carries texts
	// that its provider has seen before.
	Template string
	Params   []string

	Valid time.Duration // after which it is not worth bringing; 0: always
}

// A State is what a gateway says of a message later.
type State string

// The states.
const (
	Delivered State = "delivered" // on the phone, or in the mailbox
	Failed    State = "failed"    // it will not arrive
	Underway  State = "underway"  // neither yet
)

// A Report is what a gateway tells of a message that it took.
type Report struct {
	Ref       string // ours, if it tells that
	PartnerID string // its own
	State     State
	Code      string // why it failed, in its words
}

// A Callback is what came, as it came.
type Callback struct {
	Signature   string
	ContentType string
	Body        []byte
}

// A Driver speaks with one gateway. Send gives Accepted with the gateway's own
// name of the message (Succeeded, when it knows that it arrived); Declined by a
// code that says that this number or address cannot be reached; NotSent when
// nothing left us; else Unknown. It sends a message at most once a call.
type Driver interface {
	Name() string
	Channel() Channel
	Send(ctx context.Context, m Message) outbound.Result
}

// A Reporter is a Driver whose gateway tells later what became of messages:
// ErrForged, ErrUnreadable.
type Reporter interface {
	Reports(c Callback) ([]Report, error)
}

// A Greeter is a Reporter whose gateway first asks whether the address for
// reports is ours: it gives what to answer, or ErrForged.
type Greeter interface {
	Greet(mode, token, challenge string) (answer string, err error)
}

// An Asker is a Driver whose gateway can be asked what became of a message, by our
// reference: Succeeded with what it says, or NotFound when it surely never had it.
type Asker interface {
	Ask(ctx context.Context, ref string) (Report, outbound.Result)
}

// A Prober is a Driver whose gateway can be asked how it is without telling
// anybody anything.
type Prober interface {
	Probe(ctx context.Context) outbound.Result
}
