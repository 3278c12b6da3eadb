package insurer

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
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
	return "whpk_" + base64.StdEncoding.EncodeToString(p.Key().Public().(ed25519.PublicKey))
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

// Request posts an event, signed by Standard Webhooks. A signature's time is the
// machine's, whatever the partners' clock says.
func (p *Insurer) Request(ctx context.Context, cb provider.Callback[news]) (*http.Request, error) {
	n := cb.Says
	body, err := json.Marshal(map[string]any{"type": n.Kind, "timestamp": n.At.UTC(), "data": map[string]string{"ref": n.Ref}})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, cb.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	signature := ed25519.Sign(p.Key(), append([]byte(n.ID+"."+stamp+"."), body...))
	if cb.Spoilt() {
		signature[0] ^= 1
	}
	for name, v := range map[string]string{
		"Content-Type": "application/json", "webhook-id": n.ID, "webhook-timestamp": stamp, "webhook-signature": "v1a," + base64.StdEncoding.EncodeToString(signature),
	} {
		req.Header.Set(name, v)
	}
	return req, nil
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
