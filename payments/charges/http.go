package charges

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"tiwiza/pkg/authz"

	"tiwiza/adapters/card"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of charges.
func Routes(s *Service) []rest.Route {
	return append([]rest.Route{
		rest.Handle("GET", "/v1/charges/{charge}", "charges.show", "Show a charge to its buyer or the operator", http.StatusOK, s.Show),
		rest.Handle("POST", "/callbacks/{partner}/card", "callbacks.card", "Take in what an acquirer says of a card payment", http.StatusOK, s.Callback,
			rest.Public(), rest.About("Form fields signed by the acquirer. The answer is plain text: ACTION=POSTAUTH orders the capture, APPROVED takes note, FAILURE says that the message was not authentic.")),
	}, cashRoutes(s)...)
}

// View is a charge as the API shows it.
type View struct {
	ID      string      `json:"id" required:"true"`
	Group   string      `json:"order_group" required:"true"`
	Method  string      `json:"method" required:"true"`
	State   State       `json:"state" required:"true" enum:"created,accepted,confirmed,declined,unknown,expired"`
	Amount  money.Money `json:"amount" required:"true"`
	Settled bool        `json:"settled" required:"true" description:"Its money has reached the safeguard account."`
	Orders  []string    `json:"orders" required:"true"`
}

// ShowInput names a charge.
type ShowInput struct {
	Charge string `path:"charge"`
}

// Show returns a charge to its buyer or the operator.
func (s *Service) Show(ctx context.Context, in ShowInput) (View, error) {
	c, err := load(ctx, s.db, in.Charge)
	if err != nil {
		return View{}, err
	}
	if !authz.Allows(ctx, s.judge, "charges.show", authz.Resource{Buyer: c.Buyer}) {
		return View{}, ErrNotFound
	}
	holds, err := s.escrows.OfCharge(ctx, s.db, c.ID)
	if err != nil {
		return View{}, err
	}
	return View{c.ID, c.Group, c.Method, c.State, c.Money(), c.Settled, orders(holds)}, nil
}

// CallbackInput is what an acquirer sends.
type CallbackInput struct {
	Partner string   `path:"partner"`
	Body    rest.Raw `body:"raw"`
}

// ErrPartnerUnknown says that nobody by that name sends callbacks.
var ErrPartnerUnknown = fault.New(fault.NotFound, "charges.no_such_partner", "There is no such partner.")

// Callback takes in an acquirer's notice. The reply is the acquirer's protocol:
// it goes out only once what it says is committed. What is not signed leaves
// nothing but a line in the audit trail.
func (s *Service) Callback(ctx context.Context, in CallbackInput) (rest.Text, error) {
	a, err := s.acquirer(in.Partner)
	if err != nil {
		return "", ErrPartnerUnknown
	}
	n, err := a.Notice(in.Body.Bytes)
	if err != nil {
		if !errors.Is(err, card.ErrForged) && !errors.Is(err, card.ErrUnreadable) {
			return "", err
		}
		slog.WarnContext(ctx, "callback refused", "partner", in.Partner, "cause", err)
		err = s.db.InTx(ctx, func(tx *pg.Tx) error {
			audit.Record(tx, "callbacks.card", in.Partner, "refused: not authentic", nil)
			return nil
		})
		return rest.Text(a.Reply(card.Trouble)), err
	}
	verdict := card.Trouble
	err = s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		verdict, err = s.notice(ctx, tx, a, n)
		return err
	})
	if err != nil {
		slog.ErrorContext(ctx, "callback failed", "partner", in.Partner, "our_ref", n.Ref, "error", err)
		return rest.Text(a.Reply(card.Trouble)), nil
	}
	return rest.Text(a.Reply(verdict)), nil
}
