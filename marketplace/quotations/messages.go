package quotations

import (
	"context"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// mostMessages is how many messages one side may send to the other about one
// request in a day.
const mostMessages = 50

// A Message is a question or an answer between the buyer and one seller.
type Message struct {
	ID      string
	Request string
	Seller  string
	Sender  string // buyer or seller
	Text    string
	At      time.Time
}

// Write asks the other side something about a request, or answers. A buyer says
// to which of the sellers whom it was put to.
func (s *Service) Write(ctx context.Context, tx *pg.Tx, in WriteInput) (v MessageView, err error) {
	r, me, err := s.lockAsked(ctx, tx, in.Request)
	if err != nil {
		return v, err
	}
	m := Message{id.New(id.Message), r.ID, me.seller, "seller", words(in.Text), tx.Now()}
	if me.operator {
		return v, ErrNotFound
	}
	if me.buyer {
		m.Seller, m.Sender = in.Seller, "buyer"
		to, err := standing(ctx, tx, r.ID, in.Seller)
		if err != nil {
			return v, err
		}
		if !to.asked {
			return v, ErrInvalid.At("/seller", "Write to a seller that you asked, or that has answered.")
		}
	}
	switch {
	case m.Text == "":
		return v, ErrInvalid.At("/text", "Write something.")
	case r.State == Cancelled || r.State == Done:
		return v, ErrState.Say("This request is over.").At("/state", string(Closed))
	}
	n, err := messagesSince(ctx, tx, m, tx.Now().Add(-24*time.Hour))
	if err != nil {
		return v, err
	}
	if n >= mostMessages {
		return v, ErrTalkative
	}
	if !me.buyer && !me.asked {
		join(tx, r.ID, me, "")
	}
	insertMessage(tx, m)
	audit.Record(tx, "quotations.write", m.ID, authz.Policy(ctx), map[string]string{"request": r.ID})
	return m.view(), tx.Publish(ctx, MessageSent{m.ID, r.ID, m.Seller, r.Buyer, m.Sender})
}

// Messages are what the buyer and one seller said to each other, the newest
// first.
func (s *Service) Messages(ctx context.Context, in MessagesInput) (p rest.Page[MessageView], err error) {
	below, err := in.After(id.Message)
	if err != nil {
		return p, err
	}
	r, err := byRequest(ctx, s.db, in.Request)
	if err != nil {
		return p, err
	}
	me, err := s.side(ctx, s.db, r)
	if err != nil {
		return p, err
	}
	with := in.Seller
	if auth.From(ctx).Role == auth.Seller {
		with = me.seller
	}
	if with == "" {
		return p, ErrInvalid.At("?seller", "Say with whom.")
	}
	all, err := listMessages(ctx, s.db, r.ID, with, below, in.Limit+1)
	return rest.View(all, in.Limit, Message.view, func(v MessageView) any { return v.ID }), err
}
