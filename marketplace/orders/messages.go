package orders

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tiwiza/marketplace/media"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Errors of messages.
var (
	ErrNoMessage  = fault.New(fault.NotFound, "messages.not_found", "There is no such message.")
	ErrBlank      = fault.New(fault.Invalid, "messages.blank", "Write something.")
	ErrTalkative  = fault.New(fault.Limited, "messages.too_many", "These are many messages for one day; please go on tomorrow, or call.")
	ErrNoContract = fault.New(fault.Conflict, "messages.closed", "This order was never bought; there is nobody to write to about it.")
)

// mostMessages is how many messages one side may send about one order in a day.
const mostMessages = 50

// A Message is what buyer or seller say to each other about an order.
type Message struct {
	ID     string
	Order  string `db:"order_id"`
	Sender string // buyer or seller
	Text   string
	Files  []string
	At     time.Time
}

// SendMessage says something about an order to its other side.
func (s *Service) SendMessage(ctx context.Context, tx *pg.Tx, in MessageInput) (v MessageView, err error) {
	o, policy, err := s.lock(ctx, tx, in.Order, "write")
	if err != nil {
		return v, err
	}
	if o.State == PendingPayment || o.State == Expired {
		return v, ErrNoContract.At("/state", string(o.State))
	}
	m := Message{id.New(id.Message), o.ID, who(ctx), strings.TrimSpace(in.Text), append([]string{}, in.Files...), tx.Now()}
	if m.Text == "" {
		return v, ErrBlank.At("/text", "Write something.")
	}
	n, err := messagesSince(ctx, tx, o.ID, m.Sender, tx.Now().Add(-24*time.Hour))
	if err != nil {
		return v, err
	}
	if n >= mostMessages {
		return v, ErrTalkative
	}
	for i, f := range m.Files {
		if _, err := s.Files.Use(ctx, tx, f, auth.From(ctx).Subject, media.Proof, m.ID); err != nil {
			return v, wrongFile(err, fmt.Sprintf("/files/%d", i))
		}
	}
	insertMessage(tx, m)
	audit.Record(tx, "orders.write", m.ID, policy, map[string]string{"order": o.ID})
	return m.view(), tx.Publish(ctx, MessageSent{Moved{o.ID, o.Group, o.Seller, o.Buyer}, m.ID, m.Sender})
}

// Messages are what buyer and seller said about an order, the newest first. When
// the operator reads them, that is written down.
func (s *Service) Messages(ctx context.Context, in MessagesInput) (p rest.Page[MessageView], err error) {
	below, err := in.After(id.Message)
	if err != nil {
		return p, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		if err := s.reads(ctx, tx, in.Order, ErrNotFound); err != nil {
			return err
		}
		all, err := listMessages(ctx, tx, in.Order, below, in.Limit+1)
		p = rest.View(all, in.Limit, Message.view, func(v MessageView) any { return v.ID })
		return err
	})
	return p, err
}

// reads says whether the caller may read the messages of an order. An operator
// who does leaves a row in the audit trail.
func (s *Service) reads(ctx context.Context, tx *pg.Tx, order string, missing error) error {
	if !id.Is(id.Order, order) {
		return missing
	}
	o, err := loadOrder(ctx, tx, order)
	if err != nil {
		return err
	}
	policy, err := s.may(ctx, "orders.messages", o.Seller, o.Buyer, missing)
	if err == nil && auth.From(ctx).Role == auth.Operator {
		audit.Record(tx, "orders.messages", o.ID, policy, nil)
	}
	return err
}

// MessageFile is a file that was sent with a message.
func (s *Service) MessageFile(ctx context.Context, in MessageFileInput) (b rest.Blob, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		order, err := orderOfMessage(ctx, tx, in.Message)
		if err != nil {
			return err
		}
		if err := s.reads(ctx, tx, order, ErrNoMessage); err != nil {
			return err
		}
		b, err = s.Files.Of(ctx, tx, in.File, in.Message)
		return err
	})
	return b, err
}
