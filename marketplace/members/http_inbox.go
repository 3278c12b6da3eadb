package members

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Inbox is the courier of demonstrations: what it is given can be read by anyone
// and goes nowhere. A production hub has none.
type Inbox struct{ db *pg.Store }

// NewInbox makes the courier of demonstrations.
func NewInbox(db *pg.Store) *Inbox { return &Inbox{db} }

// Tell writes the message down.
func (b *Inbox) Tell(_ context.Context, tx *pg.Tx, n Notice) error {
	at := n.Phone
	if at == "" {
		at = n.Email
	}
	insertMessage(tx, at, n)
	return nil
}

// MessageView is a message that a demonstration would have sent.
type MessageView struct {
	ID      string            `json:"id" required:"true"`
	Address string            `json:"address" required:"true"`
	Kind    string            `json:"kind" required:"true"`
	Lang    string            `json:"lang" required:"true"`
	Params  map[string]string `json:"params" required:"true"`
	At      time.Time         `json:"at" required:"true"`
}

// InboxInput asks for messages.
type InboxInput struct {
	Address string `query:"address" maxLength:"254" description:"Only those to this number or e-mail address."`
	rest.Paging
}

// Routes is the demonstration's own face: every message, newest first.
func (b *Inbox) Routes() []rest.Route {
	return []rest.Route{rest.Handle("GET", "/v1/demo/inbox", "demo.inbox", "Read what the demonstration would have sent", http.StatusOK, b.list, rest.Public())}
}

func (b *Inbox) list(ctx context.Context, in InboxInput) (p rest.Page[MessageView], err error) {
	var below string
	if err := rest.DecodeCursor(in.Cursor, &below); err != nil {
		return p, err
	}
	all, err := messages(ctx, b.db, in.Address, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	for i := range all {
		all[i].At = all[i].At.UTC()
	}
	return rest.Cut(all, in.Limit, func(m MessageView) any { return m.ID }), nil
}
