package notices_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tiwiza/adapters/notify"
	"tiwiza/marketplace/notices"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// askable is a gateway that can be asked what became of a message.
type askable struct {
	*gateway
	state  notify.State // "" it never had it
	asked  int
	barred bool
	err    error
}

func (a *askable) Ask(_ context.Context, ref string) (notify.Report, outbound.Result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked++; a.state == "" {
		return notify.Report{}, outbound.Result{Outcome: outbound.NotFound}
	}
	return notify.Report{Ref: ref, PartnerID: "gw-" + ref, State: a.state, Code: "undeliverable"}, outbound.Result{Outcome: outbound.Succeeded}
}

func (a *askable) carrier() *notify.Carrier {
	return notify.New("plugged", a, notify.Options{Lane: outbound.Settings{Consecutive: 1000, Volume: 1000, Rate: 1000, Burst: 1000}})
}

// Carriers is it, unless it is barred.
func (a *askable) Carriers(context.Context, pg.DB) ([]*notify.Carrier, error) {
	if a.barred {
		return nil, a.err
	}
	return []*notify.Carrier{a.carrier()}, a.err
}

// Carrier is it, also when it is barred.
func (a *askable) Carrier(_ context.Context, _ pg.DB, name string) (*notify.Carrier, error) {
	if name != "plugged" {
		return nil, notices.ErrPartner
	}
	return a.carrier(), nil
}

// TestWhoIsPluggedInBringsInsteadOfTheBuiltIn has a gateway come and go while the hub
// runs; its reports are heard also when it may bring nothing.
func TestWhoIsPluggedInBringsInsteadOfTheBuiltIn(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	in := &askable{gateway: &gateway{channel: notify.SMS}}
	p.s.Plugged = in
	who := id.New(id.Person)
	p.tell(news(who))
	p.counts(0, 0)
	if len(in.sent()) != 1 {
		t.Fatalf("who is plugged in was handed %d messages, want 1", len(in.sent()))
	}
	p.stands(who, notices.Sent, "sms", "")
	in.barred, in.err = true, errors.New("cannot be opened")
	other := id.New(id.Person)
	p.tell(news(other))
	p.counts(1, 0)
	report := notify.Callback{Signature: "right", Body: []byte("delivered " + in.sent()[0].Ref)}
	for name, want := range map[string]error{"plugged": nil, "nobody": notices.ErrPartner} {
		if err := p.s.Reported(auth.With(t.Context(), auth.Hub), name, report); !errors.Is(err, want) {
			t.Errorf("a report of %s: %v, want %v", name, err, want)
		}
	}
	p.stands(who, notices.Delivered, "sms", "")

	// What one left in doubt another brings, and reports on.
	in.barred, in.err = false, nil
	in.will(unknown)
	third := id.New(id.Person)
	p.tell(news(third))
	p.stands(third, notices.Waiting, "sms", "")
	in.barred = true
	p.pass(5 * time.Minute)
	p.counts(2, 0)
	if got := p.sms.sent()[1].Ref; got != in.sent()[1].Ref {
		t.Errorf("another brings it as %s, it was %s", got, in.sent()[1].Ref)
	}
	if err := p.s.Reported(auth.With(t.Context(), auth.Hub), "sms", notify.Callback{Signature: "right", Body: []byte("delivered " + p.sms.sent()[1].Ref)}); err != nil {
		t.Error(err)
	}
	p.stands(third, notices.Delivered, "sms", "")
}

// TestAMessageInDoubtIsAskedForBeforeItIsSentAgain loses answers of a gateway that can
// be asked.
func TestAMessageInDoubtIsAskedForBeforeItIsSentAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state notify.State
		want  notices.State
	}{{notify.Underway, notices.Sent}, {notify.Delivered, notices.Delivered}, {"", notices.Unknown}} {
		p := newPost(t)
		in := &askable{gateway: &gateway{channel: notify.SMS}, state: c.state}
		p.s.Plugged = in
		in.will(unknown)
		who := id.New(id.Person)
		p.tell(code(who))
		p.pass(2 * time.Minute)
		if len(in.sent()) != 1 || in.asked != 1 {
			t.Errorf("%q: sent %d times, asked %d times", c.state, len(in.sent()), in.asked)
		}
		why := ""
		if c.want == notices.Unknown {
			why = "no_answer"
		}
		p.stands(who, c.want, "sms", why)
	}
	// One that failed there goes by the next channel.
	p := newPost(t)
	in := &askable{gateway: &gateway{channel: notify.SMS}, state: notify.Failed}
	p.s.Plugged = in
	in.will(unknown)
	who := id.New(id.Person)
	p.tell(news(who))
	p.counts(0, 1)
	p.stands(who, notices.Sent, "email", "")
}
