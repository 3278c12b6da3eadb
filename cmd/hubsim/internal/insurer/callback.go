package insurer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
)

// news is what the hub is told: that something changed, and of what.
type news struct {
	ID   string    `json:"id"`
	Kind string    `json:"kind"`
	Ref  string    `json:"ref"`
	At   time.Time `json:"at"`
}

// eventFaults are the faults that an event can play, first come first.
var eventFaults = []string{"callback_missing", "bad_signature", "callbacks_shuffled", "answer_twice", "replayed_callback"}

// PublicKey is the key of its events, as a manifest lists it.
func (p *Insurer) PublicKey() string {
	return world.PublicKey(p.Key())
}

// tell puts down that something changed, when there is somebody to be told; it gives
// the event's name.
func (p *Insurer) tell(tx *journal.Tx, kind, ref string) string {
	url, _ := p.events.Get(tx, "url")
	if url == "" {
		return ""
	}
	fault := p.World.Take(tx, world.Insurer, eventFaults...)
	if fault == "callback_missing" {
		return ""
	}
	n := news{ID: fmt.Sprintf("msg_ex%08d", p.World.Next(tx, "insurer_events")), Kind: kind, Ref: ref, At: p.World.Now()}
	p.Tell(tx, n.ID, url, n, fault)
	return n.ID
}

// Request posts an event.
func (p *Insurer) Request(ctx context.Context, cb provider.Callback[news]) (*http.Request, error) {
	n := cb.Says
	body, err := json.Marshal(map[string]any{"type": n.Kind, "timestamp": n.At.UTC(), "data": map[string]string{"ref": n.Ref}})
	if err != nil {
		return nil, err
	}
	return world.Signed(ctx, cb.URL, p.Key(), n.ID, body, cb.Spoilt())
}

// Understood says whether the hub took the event in.
func (p *Insurer) Understood(_ *journal.Tx, _ provider.Callback[news], status int, _ string) bool {
	return status >= 200 && status < 300
}

// Older makes an event from before.
func (p *Insurer) Older(n news) news {
	n.ID, n.Kind, n.At = n.ID+"-before", "claim.updated", n.At.Add(-time.Hour)
	return n
}
