package provider

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
)

// A Callback is what the shop is to be told, until it understands.
type Callback[M any] struct {
	ID    string    `json:"id"`
	URL   string    `json:"url"`
	Says  M         `json:"says"`
	Fault string    `json:"fault,omitempty"`
	Tries int       `json:"tries"`
	Due   time.Time `json:"due"`
	Until time.Time `json:"until,omitzero"` // it is tried until then at least
}

// Spoilt says that this try has a wrong signature, by the fault bad_signature.
func (cb Callback[M]) Spoilt() bool { return cb.Fault == "bad_signature" && cb.Tries == 0 }

// pauses are the waits between the tries; after the last the shop must ask, unless it
// is told for longer: then it is told each hour.
var pauses = []time.Duration{5 * time.Second, 15 * time.Second, 45 * time.Second, 2 * time.Minute, 5 * time.Minute}

// next is how long the next try waits, and whether there is one.
func (cb Callback[M]) next(now time.Time) (time.Duration, bool) {
	if cb.Tries < len(pauses) {
		return pauses[cb.Tries], true
	}
	return time.Hour, now.Before(cb.Until)
}

// Tell puts a callback down, to be sent at once.
func (p *Provider[M]) Tell(tx *journal.Tx, id, url string, says M, fault string) {
	p.TellFor(tx, id, url, says, fault, 0)
}

// TellFor puts one down that is told for so long at least, unless it is understood.
func (p *Provider[M]) TellFor(tx *journal.Tx, id, url string, says M, fault string, atLeast time.Duration) {
	now := p.World.Now()
	p.callbacks.Put(tx, id, Callback[M]{ID: id, URL: url, Says: says, Fault: fault, Due: now, Until: now.Add(atLeast)})
}

// TellFirst sends a callback now and waits until the shop has it, for at most
// five seconds.
func (p *Provider[M]) TellFirst(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	select {
	case <-p.sendNow(id):
	case <-ctx.Done():
	}
}

// sendDue starts every callback whose time has come.
func (p *Provider[M]) sendDue() {
	var due []string
	now := p.World.Now()
	p.World.Journal.View(func(tx *journal.Tx) {
		for _, cb := range p.callbacks.All(tx) {
			if !cb.Due.After(now) && len(due) < 64 {
				due = append(due, cb.ID)
			}
		}
	})
	for _, id := range due {
		p.sendNow(id)
	}
}

// sendNow sends a callback unless it is being sent; the channel closes when
// the shop has answered, or will not.
func (p *Provider[M]) sendNow(id string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if told, ok := p.sending[id]; ok {
		return told
	}
	told := make(chan struct{})
	if p.ctx.Err() != nil {
		close(told)
		return told
	}
	p.sending[id] = told
	p.work.Add(1)
	go func() {
		defer p.work.Done()
		defer close(told)
		if err := p.send(id); err != nil {
			slog.Error(p.name+" callback", "id", id, "err", err)
		}
		p.mu.Lock()
		delete(p.sending, id)
		p.mu.Unlock()
	}()
	return told
}

// An answer is the shop's; its zero value is none.
type answer struct {
	status int
	text   string
}

// send makes one try, twice at once when told to, and does what the answer says.
func (p *Provider[M]) send(id string) error {
	var cb Callback[M]
	p.World.Journal.View(func(tx *journal.Tx) { cb, _ = p.callbacks.Get(tx, id) })
	if cb.ID == "" {
		return nil
	}
	answers := make(chan answer, 2)
	times := 1
	if cb.Fault == "answer_twice" && cb.Tries == 0 {
		times = 2
	}
	for range times {
		go func() { answers <- p.try(cb) }()
	}
	for range times {
		if err := p.answered(cb, <-answers); err != nil {
			return err
		}
	}
	return nil
}

func (p *Provider[M]) try(cb Callback[M]) answer {
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	req, err := p.protocol.Request(ctx, cb)
	if err != nil {
		return answer{}
	}
	res, err := p.client.Do(req)
	if err != nil {
		slog.Warn(p.name+" callback not delivered", "err", err)
		return answer{}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err != nil {
		text = nil // one that was cut says nothing
	}
	return answer{res.StatusCode, strings.TrimSpace(string(text))}
}

// answered ends a callback that was understood, and puts the next try off.
func (p *Provider[M]) answered(sent Callback[M], a answer) error {
	return p.World.Journal.Update(func(tx *journal.Tx) error {
		cb, ok := p.callbacks.Get(tx, sent.ID)
		switch {
		case !ok:
			return nil
		case p.protocol.Understood(tx, cb, a.status, a.text):
			p.callbacks.Delete(tx, cb.ID)
			p.aftermath(tx, cb)
			return nil
		case cb.Tries != sent.Tries:
			return nil // the twin of this try has already put the next one off
		}
		slog.Warn(p.name+" callback not understood", "id", cb.ID, "status", a.status, "try", cb.Tries+1)
		now := p.World.Now()
		pause, more := cb.next(now)
		if !more {
			p.callbacks.Delete(tx, cb.ID)
			return nil
		}
		cb.Due = now.Add(pause)
		cb.Tries++
		p.callbacks.Put(tx, cb.ID, cb)
		return nil
	})
}

// aftermath sends what a fault makes follow a callback that was understood.
func (p *Provider[M]) aftermath(tx *journal.Tx, cb Callback[M]) {
	again := Callback[M]{ID: cb.ID + "-again", URL: cb.URL, Says: cb.Says, Due: p.World.Now()}
	switch cb.Fault {
	case "replayed_callback":
		again.Due = again.Due.Add(5 * time.Second)
	case "callbacks_shuffled":
		again.Says = p.protocol.Older(cb.Says)
	default:
		return
	}
	p.callbacks.Put(tx, again.ID, again)
}
