package certify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tiwiza/adapters/notify"
	"tiwiza/adapters/remote"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

const notifyPath = "/notify/v1"

// notifySteps are those of who brings messages.
type notifySteps struct {
	Message *messageStep `yaml:"message"`
	Stated  *statedStep  `yaml:"stated"`
	Arrive  *struct{}    `yaml:"arrive"`
	Brought *broughtStep `yaml:"brought"`
	Carry   *carryStep   `yaml:"carry"`
}

type (
	messageStep struct {
		As       string `yaml:"as"`
		Of       string `yaml:"of"`      // that one once more, instead of a new one
		Channel  string `yaml:"channel"` // one in turn when it is left out
		Magic    string `yaml:"magic"`
		Template string `yaml:"template"`
		Wrong    string `yaml:"wrong"`  // to, text
		Sooner   bool   `yaml:"sooner"` // less time is left to bring it
		Wait     bool   `yaml:"wait"`   // the answer says for how long to stay away
		how      `yaml:",inline"`
	}
	statedStep struct {
		Of     string `yaml:"of"`
		State  string `yaml:"state"`
		Absent bool   `yaml:"absent"`
		Token  string `yaml:"token"`
		Status int    `yaml:"status"`
		Code   string `yaml:"code"`
	}
	broughtStep struct {
		Of    string `yaml:"of"`
		Times int    `yaml:"times"`
	}
	carryStep struct {
		Messages int `yaml:"messages"`
	}
)

// A letter is a message to somebody invented.
type letter struct {
	notify.Message
	channel notify.Channel
	id      string // the gateway's own name of it
}

// A gateway is what notify.v1's cases were played with.
type gateway struct {
	channels []notify.Channel
	carriers map[notify.Channel]*notify.Carrier // the hub's own
	letters  map[string]*letter
}

// gated makes the hub's drivers ready, once the manifest was read.
func (r *runner) gated(c remote.Capability, keys []string) error {
	g := &gateway{channels: remote.Channels(c.Features), carriers: map[notify.Channel]*notify.Carrier{}, letters: map[string]*letter{}}
	if len(g.channels) == 0 {
		return errors.New("the manifest names no channel among its features: sms, whatsapp or email")
	}
	patient := outbound.Settings{Consecutive: 1000, Volume: 1000, Rate: 1000, Burst: 1000}
	for _, ch := range g.channels {
		g.carriers[ch] = notify.New("certified", remote.NewNotify(r.line, ch, keys...), notify.Options{Lane: patient})
	}
	r.gateway = g
	return nil
}

// bring does a step of who brings messages, if it is one.
func (r *runner) bring(ctx context.Context, s notifySteps) (done bool, err error) {
	switch {
	case s == (notifySteps{}):
		return false, nil
	case r.gateway == nil:
		return true, errUnread
	case s.Message != nil:
		return true, r.message(ctx, *s.Message)
	case s.Stated != nil:
		return true, r.heardOf(ctx, *s.Stated)
	case s.Arrive != nil:
		return true, r.sandbox(ctx, notifyPath+"/sandbox/settle", struct{}{})
	case s.Brought != nil:
		l, err := r.letter(s.Brought.Of)
		if err != nil {
			return true, err
		}
		return true, r.brought(ctx, l, s.Brought.Times)
	}
	return true, r.carry(ctx, s.Carry.Messages)
}

func (r *runner) letter(name string) (*letter, error) {
	if l := r.gateway.letters[name]; l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("the case makes no message %q", name)
}

// write makes a message to somebody invented, by a channel or one in turn.
func (r *runner) write(channel, magic string) *letter {
	r.serial++
	g := r.gateway
	l := &letter{channel: g.channels[r.serial%len(g.channels)], Message: notify.Message{
		Ref: fmt.Sprintf("CERT%s%04d", r.run, r.serial), Text: fmt.Sprintf("Exemple n° %d : «été» 100 %% \"x\" \\ الطلب 🧺\nFin.", r.serial), Lang: []string{"fr", "ar", "en"}[r.serial%3], Valid: time.Hour,
	}}
	if c := notify.Channel(channel); slices.Contains(g.channels, c) {
		l.channel = c
	}
	if l.To = r.phone(magic); l.channel == notify.Email {
		l.To = "certify." + strings.ToLower(l.Ref) + "." + l.To[len(l.To)-2:] + "@exemple.ma"
		l.Subject = "Exemple ✓ " + l.Ref
	}
	return l
}

// message sends a message, as the hub does, and holds the answer to what is wanted.
func (r *runner) message(ctx context.Context, s messageStep) error {
	if s.Channel != "" && !slices.Contains(r.gateway.channels, notify.Channel(s.Channel)) {
		return errSkip(fmt.Sprintf("the channel %q is not declared", s.Channel))
	}
	l := r.gateway.letters[s.Of]
	if l == nil {
		l = r.write(s.Channel, s.Magic)
		r.gateway.letters[s.As] = l
	}
	l.Template = s.Template
	switch s.Wrong {
	case "to":
		l.To = ""
	case "text":
		l.Text = ""
	}
	m := l.Message
	if s.Altered {
		m.Text += " !"
	}
	if s.Sooner {
		m.Valid -= time.Minute
	}
	body, err := json.Marshal(remote.RenderMessage(l.channel, m))
	if err != nil {
		return err
	}
	if s.Half {
		return r.halfOf(ctx, notifyPath+"/messages", l.Ref, body)
	}
	said := make(chan string, max(s.Times, s.AtOnce, 1))
	err = together(s.how, func() error {
		id, err := r.messageOnce(ctx, s, l.Ref, body)
		said <- id
		return err
	})
	close(said)
	for id := range said {
		if id != "" && l.id != "" && id != l.id {
			err = errors.Join(err, fmt.Errorf("message %s sent again is %s, and was %s", l.Ref, id, l.id))
		}
		if id != "" {
			l.id = id
		}
	}
	return err
}

// messageSaid is what a gateway says of a message.
type messageSaid struct {
	ID    string `json:"id"`
	Ref   string `json:"ref"`
	State string `json:"state"`
	Code  string `json:"code"`
}

func (r *runner) messageOnce(ctx context.Context, s messageStep, ref string, body []byte) (id string, err error) {
	a, err := r.call(ctx, http.MethodPost, notifyPath+"/messages", ref, s.Token, body)
	switch {
	case s.Lost && err != nil:
		return "", nil
	case s.Lost:
		return "", fmt.Errorf("the sandbox answers %d to an address that ends in 03; it shall bring it and lose its answer", a.Status)
	case err != nil:
		return "", err
	}
	if err := is("a message", a, s.Status, s.Code); err != nil || a.Status > 299 {
		if wait := a.Header.Get("Retry-After"); err == nil && s.Wait && (wait == "" || wait == "0") {
			err = fmt.Errorf("a message is answered %d without Retry-After", a.Status)
		}
		return "", err
	}
	var told messageSaid
	if err := strict.Object(a.Body, &told); err != nil || told.Ref != ref || told.ID == "" {
		return "", fmt.Errorf("the answer speaks of message %q as %q, and not of %s: %w", told.Ref, told.ID, ref, errors.Join(err, errors.New("its ref must be ours")))
	}
	return told.ID, nil
}

// heardOf asks what became of a message, through the hub's own driver unless another
// token is wanted.
func (r *runner) heardOf(ctx context.Context, s statedStep) error {
	l, err := r.letter(s.Of)
	if err != nil {
		return err
	}
	if s.Status != 0 {
		a, err := r.call(ctx, http.MethodGet, notifyPath+"/messages/"+l.Ref, "", s.Token, nil)
		if err != nil {
			return err
		}
		return is("message "+l.Ref, a, []int{s.Status}, s.Code)
	}
	n, res := r.gateway.carriers[l.channel].Ask(ctx, l.Ref)
	switch {
	case s.Absent && res.Outcome == outbound.NotFound:
		return nil
	case s.Absent:
		return fmt.Errorf("message %s, which is not to be there, is %s %s; want 404 message_not_found", l.Ref, res.Outcome, n.State)
	case res.Outcome != outbound.Succeeded:
		return because("message "+l.Ref, res)
	case string(n.State) != s.State:
		return fmt.Errorf("message %s is %s, want %s", l.Ref, n.State, s.State)
	case l.id != "" && n.PartnerID != l.id:
		return fmt.Errorf("message %s is %q, and was %q when it was sent", l.Ref, n.PartnerID, l.id)
	}
	return nil
}

// brought holds what the sandbox brought to what was sent.
func (r *runner) brought(ctx context.Context, l *letter, times int) error {
	a, err := r.call(ctx, http.MethodGet, notifyPath+"/sandbox/outbox?ref="+url.QueryEscape(l.Ref), "", "", nil)
	if err != nil {
		return err
	}
	if err := is("the sandbox's outbox", a, []int{200}, ""); err != nil {
		return err
	}
	var told struct {
		Data []struct {
			Ref     string         `json:"ref"`
			Channel notify.Channel `json:"channel"`
			To      string         `json:"to"`
			Subject string         `json:"subject"`
			Text    string         `json:"text"`
		} `json:"data"`
	}
	if err := strict.Object(a.Body, &told); err != nil {
		return fmt.Errorf("the sandbox's outbox: %w", err)
	}
	if len(told.Data) != times {
		return fmt.Errorf("message %s was brought %d times, want %d", l.Ref, len(told.Data), times)
	}
	for _, one := range told.Data {
		if one.Ref != l.Ref || one.Channel != l.channel || one.To != l.To || one.Subject != l.Subject || l.Template == "" && one.Text != l.Text {
			return fmt.Errorf("message %s was brought as %+v, and was sent as %s to %s: %q %q", l.Ref, one, l.channel, l.To, l.Subject, l.Text)
		}
	}
	return nil
}

// carry sends many through the hub's own drivers, some twice, and holds what was
// brought and what is told of each to what was sent.
func (r *runner) carry(ctx context.Context, n int) error {
	all := make([]*letter, n)
	for i := range all {
		all[i] = r.write("", []string{"", "", "", "02"}[r.random.IntN(4)])
		for range 1 + r.random.IntN(2) {
			res := r.gateway.carriers[all[i].channel].Send(ctx, all[i].Message)
			if res.Outcome != outbound.Accepted && res.Outcome != outbound.Succeeded {
				return because("message "+all[i].Ref, res)
			}
			if all[i].id != "" && all[i].id != res.PartnerID {
				return fmt.Errorf("message %s sent again is %s, and was %s", all[i].Ref, res.PartnerID, all[i].id)
			}
			all[i].id = res.PartnerID
		}
	}
	if err := r.sandbox(ctx, notifyPath+"/sandbox/settle", struct{}{}); err != nil {
		return err
	}
	pause := time.Second / time.Duration(max(r.manifest.Rate.PerSecond, 1))
	for _, l := range all {
		time.Sleep(pause)
		if err := r.brought(ctx, l, 1); err != nil {
			return err
		}
		want := "delivered"
		if name, _, _ := strings.Cut(l.To, "@"); strings.HasSuffix(name, "02") {
			want = "failed"
		}
		r.gateway.letters[l.Ref] = l
		if err := r.heardOf(ctx, statedStep{Of: l.Ref, State: want}); err != nil {
			return err
		}
	}
	return nil
}
