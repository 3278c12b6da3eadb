// Package messages plays those who bring messages to people: an SMS gateway over
// HTTP that reports what arrived, WhatsApp's Cloud API, and a mail server. What arrives is shown on a
// page. It is a demonstration: no phone rings.
package messages

import (
	"net"
	"net/http"
	"slices"
	"time"

	"tiwiza/cmd/hubsim/internal/door"
	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
)

// Secrets are what the gateway and its customer share.
type Secrets struct {
	APIKey    string `json:"api_key"`
	ReportKey string `json:"report_key"` // signs the reports
	BoxKey    string `json:"box_key"`    // the customer's own; nobody here uses it
}

// The states of a message.
const (
	accepted  = "accepted"
	delivered = "delivered"
	failed    = "undeliverable"
)

// A message is what somebody was sent.
type message struct {
	ID      string    `json:"id"`
	Ref     string    `json:"ref"`
	Channel string    `json:"channel"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Subject string    `json:"subject,omitempty"`
	Text    string    `json:"text"`
	State   string    `json:"state"`
	Taken   int       `json:"taken"` // how often it was handed in; it is brought once
	Report  string    `json:"report,omitempty"`
	At      time.Time `json:"at"`
	Brought time.Time `json:"brought,omitzero"` // when it is to arrive
	Door    bool      `json:"door,omitempty"`   // it came by the connector
}

// Messages is the stand-in. Make it with New before the journal is loaded, serve
// Routes, Listen for mail, and Run it for what happens by itself.
type Messages struct {
	*provider.Provider[news]
	Secrets  Secrets
	MailAddr string

	mail     net.Listener
	messages *journal.Table[message] // by id, which counts up
	refs     *journal.Table[string]  // channel and reference → id
	open     *journal.Table[string]  // those that have not arrived

	// Connector is the door by notify.v1.
	Connector *door.Door
	letters   *journal.Table[letter] // what came by it, by reference
}

// New makes a gateway and a mail server.
func New(w *world.World) *Messages {
	m := &Messages{
		messages: journal.NewTable[message](w.Journal, "messages"),
		refs:     journal.NewTable[string](w.Journal, "message_refs"),
		open:     journal.NewTable[string](w.Journal, "messages_open"),
		letters:  journal.NewTable[letter](w.Journal, "notify_v1_messages"), Connector: newDoor(w),
	}
	m.Provider = provider.New(w, world.SMS, nil, m)
	return m
}

// Routes adds the gateway, and the page of what arrived.
func (m *Messages) Routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /sms/messages", m.postSMS)
	mux.HandleFunc("POST /whatsapp/v1/{phone}/messages", m.postWhatsApp)
	m.Connector.Routes(mux, m.answer)
	mux.HandleFunc("GET /inbox", m.page)
	mux.HandleFunc("GET /inbox.json", m.list)
}

// Settled is never asked for: messages are not settled.
func (m *Messages) Settled(*journal.Tx, world.Net) string { return "" }

// take keeps a message that was handed in. One whose reference is known is not
// brought again.
func (m *Messages) take(tx *journal.Tx, in message) message {
	key := in.Channel + " " + in.Ref
	if id, ok := m.refs.Get(tx, key); ok && in.Ref != "" {
		old, _ := m.messages.Get(tx, id)
		old.Taken++
		m.messages.Put(tx, id, old)
		return old
	}
	in.ID = name(in.Channel, m.World.Next(tx, "messages"))
	in.Taken, in.At, in.State = 1, m.World.Now(), accepted
	in.Brought = in.At.Add(time.Second)
	m.messages.Put(tx, in.ID, in)
	m.refs.Put(tx, key, in.ID)
	m.open.Put(tx, in.ID, in.ID)
	return in
}

// Act brings what is due, and reports it.
func (m *Messages) Act() error {
	return m.World.Journal.Update(func(tx *journal.Tx) error {
		for _, id := range m.open.All(tx) {
			if in, _ := m.messages.Get(tx, id); !in.Brought.After(m.World.Now()) {
				m.bring(tx, in)
			}
		}
		return nil
	})
}

func (m *Messages) bring(tx *journal.Tx, in message) {
	in.State = delivered
	if !in.Door && ending(in.To) == "55" || in.Door && before(in.To) == "02" {
		in.State = failed
	}
	m.messages.Put(tx, in.ID, in)
	m.open.Delete(tx, in.ID)
	m.tell(tx, in)
}

// received are the messages that arrived, or were taken in, the newest first; to
// is one address, or "".
func (m *Messages) received(to string) (out []message) {
	out = []message{}
	m.World.Journal.View(func(tx *journal.Tx) {
		for _, in := range m.messages.All(tx) {
			if to == "" || in.To == to {
				out = append(out, in)
			}
		}
	})
	slices.SortStableFunc(out, func(a, b message) int { return b.At.Compare(a.At) })
	return out
}

func (m *Messages) list(rw http.ResponseWriter, r *http.Request) {
	world.Answer(rw, http.StatusOK, map[string]any{"messages": m.received(r.URL.Query().Get("to"))})
}
