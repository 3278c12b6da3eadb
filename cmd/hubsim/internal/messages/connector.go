package messages

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/door"
	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
)

// The gateway's second door: notify.v1 of the partner protocol, for all channels. What it
// brings is on the same page.

// unhurried is how long a message of the second door is under way by itself.
const unhurried = 30 * time.Second

// A letter is what came by the second door under a reference.
type letter struct {
	ID   string `json:"id"`
	Hash string `json:"hash"`
	Lost bool   `json:"lost,omitempty"` // the first answer was
}

// order is a message as the protocol has it.
type order struct {
	Ref      string   `json:"ref"`
	Channel  string   `json:"channel"`
	To       string   `json:"to"`
	Subject  string   `json:"subject"`
	Text     string   `json:"text"`
	Lang     string   `json:"lang"`
	Template string   `json:"template"`
	Params   []string `json:"params"`
}

// unseen is the one template that the provider has not seen.
const unseen = "certify_no_such_template"

func newDoor(w *world.World) *door.Door {
	d := door.New(w, world.SMS, "notify")
	d.ID, d.Owner, d.Features = "messages-exemple", "Messages exemple (démonstration)", []string{"sms", "whatsapp", "email", "events", "sandbox"}
	return d
}

// answer answers at the second door.
func (m *Messages) answer(tx *journal.Tx, c door.Call) door.Said {
	switch path := c.Method + " " + strings.Join(c.Path, "/"); {
	case path == "POST messages":
		return m.order(tx, c)
	case path == "POST sandbox/settle":
		for _, id := range m.open.All(tx) {
			if in, _ := m.messages.Get(tx, id); in.Door {
				m.bring(tx, in)
			}
		}
		return door.OK(struct{}{})
	case path == "GET sandbox/outbox":
		all := []map[string]string{}
		if l, ok := m.letters.Get(tx, c.Ref); ok {
			in, _ := m.messages.Get(tx, l.ID)
			all = append(all, map[string]string{"ref": in.Ref, "channel": in.Channel, "to": in.To, "subject": in.Subject, "text": in.Text})
		}
		return door.OK(map[string]any{"data": all})
	case len(c.Path) == 2 && c.Method == http.MethodGet && c.Path[0] == "messages":
		if l, ok := m.letters.Get(tx, c.Path[1]); ok {
			return door.OK(m.standing(tx, l))
		}
		return door.Problem(http.StatusNotFound, "message_not_found", "No message has this reference.")
	}
	return door.Problem(http.StatusNotFound, "not_found", "There is nothing here.")
}

// standing is what stands of a message.
func (m *Messages) standing(tx *journal.Tx, l letter) news {
	in, _ := m.messages.Get(tx, l.ID)
	return newsOf(in)
}

// newsOf is what the second door says of a message.
func newsOf(in message) news {
	n := news{ID: in.ID, Ref: in.Ref, V1: map[string]string{accepted: "underway", delivered: "delivered", failed: "failed"}[in.State]}
	if in.State == failed {
		n.Code = "undeliverable"
	}
	return n
}

// before is how the name in an address ends.
func before(to string) string {
	name, _, _ := strings.Cut(to, "@")
	return ending(name)
}

func (m *Messages) order(tx *journal.Tx, c door.Call) door.Said {
	in, wrong := door.Read[order](c)
	if wrong != nil {
		return *wrong
	}
	if in.Ref == "" || c.Key != `"`+in.Ref+`"` {
		return door.Problem(http.StatusBadRequest, "idempotency_key", "The key is the message's ref, in quotes.")
	}
	text, err := json.Marshal(in)
	if err != nil {
		return door.Problem(http.StatusInternalServerError, "internal", err.Error())
	}
	sum := sha256.Sum256(text)
	hash := hex.EncodeToString(sum[:])
	if l, ok := m.letters.Get(tx, in.Ref); ok {
		if l.Hash != hash {
			return door.Problem(http.StatusUnprocessableEntity, "idempotency_conflict", "Another message has this ref.")
		}
		old, _ := m.messages.Get(tx, l.ID)
		old.Taken++
		m.messages.Put(tx, l.ID, old)
		return door.OK(newsOf(old))
	}
	refuse := func(code, why string) door.Said { return door.Problem(http.StatusUnprocessableEntity, code, why) }
	switch {
	case in.Text == "" || in.To == "" || !slices.Contains([]string{"sms", "whatsapp", "email"}, in.Channel):
		return refuse("invalid", "Give channel, to and text.")
	case before(in.To) == "01", in.Channel != "email" && !number.MatchString(in.To):
		return refuse("unreachable", "Nobody can be reached there.")
	case before(in.To) == "04":
		return refuse("opted_out", "This person wants no messages.")
	case in.Channel == "whatsapp" && in.Template == unseen:
		return refuse("template_unknown", "The provider has not seen this template.")
	}
	took := message{
		ID: name(in.Channel, m.World.Next(tx, "messages")), Ref: in.Ref, Channel: in.Channel, From: "TIWIZA", To: in.To, Subject: in.Subject, Text: in.Text,
		State: accepted, Taken: 1, At: m.World.Now(), Brought: m.World.Now().Add(unhurried), Door: true,
	}
	m.messages.Put(tx, took.ID, took)
	m.open.Put(tx, took.ID, took.ID)
	l := letter{took.ID, hash, before(in.To) == "03"}
	m.letters.Put(tx, in.Ref, l)
	return door.Said{Status: http.StatusCreated, Body: newsOf(took), Lost: l.Lost}
}
