package charges

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"tiwiza/pkg/authz"

	"tiwiza/adapters/card"
	"tiwiza/payments/operations"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of charges.
func Routes(s *Service) []rest.Route {
	return append([]rest.Route{
		rest.Handle("GET", "/v1/charges", "charges.list", "Find charges, newest first", http.StatusOK, s.List),
		rest.Handle("GET", "/v1/charges/{charge}", "charges.show", "Show a charge to its buyer or the operator", http.StatusOK, s.Show),
		rest.Handle("POST", "/callbacks/{partner}/card", "callbacks.card", "Take in what an acquirer says of a card payment", http.StatusOK, s.Callback,
			rest.Public(), rest.About("Form fields signed by the acquirer. The answer is plain text: ACTION=POSTAUTH orders the capture, APPROVED takes note, FAILURE says that the message was not authentic.")),
		rest.Handle("POST", "/callbacks/{partner}/chargeback", "callbacks.chargeback", "Take in what an acquirer says of a chargeback", http.StatusOK, s.CaseCallback,
			rest.Public(), rest.About("Form fields signed by the acquirer as those of a payment: messageType (CHARGEBACK), clientid, oid, caseId, caseState (OPENED, WON, LOST), amount, caseFee, caseReason, currency, hashAlgorithm, HASH, and no others. The answer is plain text: APPROVED takes note, FAILURE asks for the message again.")),
		rest.Handle("GET", "/v1/refunds/{refund}", "refunds.show", "Show a refund to its buyer, its seller or the operator", http.StatusOK, s.ShowRefund),
		rest.Commit("POST", "/v1/refunds/{refund}/account", "refunds.account", "Say to which account a refund shall go", http.StatusOK, s.Account),
		rest.Handle("GET", "/v1/chargebacks", "chargebacks.list", "List chargebacks, newest first", http.StatusOK, s.Chargebacks),
	}, append(walletRoutes(s), cashRoutes(s)...)...)
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

	Refunds []RefundBrief `json:"refunds" required:"true"`
	Refusal *Refusal      `json:"refusal,omitempty" description:"Why its wallet has not paid."`
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
	refunds, err := refundsOf(ctx, s.db, c.ID)
	if err != nil {
		return View{}, err
	}
	r, err := s.receipt(ctx, s.db, c)
	if err != nil {
		return View{}, err
	}
	return View{c.ID, c.Group, c.Method, c.State, c.Money(), c.Settled, orders(holds), Briefs(refunds), r.Refusal}, nil
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
	a, err := s.builtIn(in.Partner)
	if err != nil {
		return "", ErrPartnerUnknown
	}
	n, err := a.Notice(in.Body.Bytes)
	if err != nil {
		return s.forged(ctx, a, "callbacks.card", err)
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

// forged answers a message that is not authentic.
func (s *Service) forged(ctx context.Context, a *card.Acquirer, action string, err error) (rest.Text, error) {
	if !errors.Is(err, card.ErrForged) && !errors.Is(err, card.ErrUnreadable) {
		return "", err
	}
	slog.WarnContext(ctx, "callback refused", "partner", a.ID(), "cause", err)
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		audit.Record(tx, action, a.ID(), "refused: not authentic", nil)
		return nil
	})
	return rest.Text(a.Reply(card.Trouble)), err
}

// CaseCallback takes in an acquirer's message about a chargeback. It is
// acknowledged once what it says is committed.
func (s *Service) CaseCallback(ctx context.Context, in CallbackInput) (rest.Text, error) {
	a, err := s.builtIn(in.Partner)
	if err != nil {
		return "", ErrPartnerUnknown
	}
	n, err := a.Case(in.Body.Bytes)
	if err != nil {
		return s.forged(ctx, a, "callbacks.chargeback", err)
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		_, err := s.heardCase(ctx, tx, a, n)
		return err
	})
	if err != nil {
		slog.ErrorContext(ctx, "callback failed", "partner", in.Partner, "our_ref", n.Ref, "case", n.ID, "error", err)
		return rest.Text(a.Reply(card.Trouble)), nil
	}
	return rest.Text(a.Reply(card.Acknowledge)), nil
}

// CardTold hears an event of an acquirer; the caller has looked who signed it. One of a
// payment proves nothing, and has the acquirer asked at once; one of a chargeback is
// believed: ErrPartnerUnknown, ErrNotFound, card.ErrUnreadable.
func (s *Service) CardTold(ctx context.Context, name string, event []byte) error {
	a, _, err := s.acquirer(ctx, s.db, name)
	if errors.Is(err, ErrPartner) {
		return ErrPartnerUnknown.With(err)
	}
	if err != nil {
		return err
	}
	if n, err := a.Case(event); err == nil {
		known := true
		err := s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
			known, err = s.heardCase(ctx, tx, a, n)
			return err
		})
		if err == nil && !known {
			return ErrNotFound // that it was told is kept; it is told again
		}
		return err
	}
	ref, err := a.Told(event)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		o, err := s.ops.Find(ctx, tx, name, ref)
		if errors.Is(err, operations.ErrNotFound) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		c, err := load(ctx, tx, o.Subject)
		if err != nil {
			return err
		}
		if s.strayed(c, o) {
			tx.Enqueue(strayJob{c.ID}, s.ops.Queue(name))
			return nil
		}
		s.ops.AskNow(tx, o)
		return nil
	})
}
