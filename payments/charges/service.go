package charges

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"

	"tiwiza/adapters/card"
	"tiwiza/adapters/wallet"
	"tiwiza/payments/approvals"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// Books is what charges ask of the ledger.
type Books interface {
	Post(ctx context.Context, tx *pg.Tx, t ledger.Transfer) error
}

// Escrows is what charges ask of escrow.
type Escrows interface {
	OfOrders(ctx context.Context, db pg.DB, orders []string) (map[string]escrow.Hold, error)
	Fund(ctx context.Context, tx *pg.Tx, charge, from string) ([]escrow.Hold, error)
	Expire(ctx context.Context, tx *pg.Tx, charge string) ([]escrow.Hold, error)
	Settled(ctx context.Context, tx *pg.Tx, charge string) error
	OfCharge(ctx context.Context, db pg.DB, charge string) ([]escrow.Hold, error)
	Collect(ctx context.Context, tx *pg.Tx, c escrow.Collected) (escrow.Hold, error)
	Remitted(ctx context.Context, tx *pg.Tx, order string) (escrow.Hold, error)
	Refuse(ctx context.Context, tx *pg.Tx, order string, carrierFee int64) (escrow.Hold, error)
	Authorize(ctx context.Context, tx *pg.Tx, charge string) ([]escrow.Hold, error)
	Void(ctx context.Context, tx *pg.Tx, charge string) ([]escrow.Hold, error)
	Arrived(ctx context.Context, tx *pg.Tx, refund string) (escrow.Hold, error)
	PutBack(ctx context.Context, tx *pg.Tx, refund string) (escrow.Hold, error)
	CameBack(ctx context.Context, tx *pg.Tx, refund string) (escrow.Hold, error)
	Again(ctx context.Context, tx *pg.Tx, a escrow.Anew) (escrow.Hold, int64, error)
	TakenBy(ctx context.Context, db pg.DB, contest string) (map[string]int64, error)
	CostUs(ctx context.Context, tx *pg.Tx, charge string) (string, error)
	Contest(ctx context.Context, tx *pg.Tx, c escrow.Contest) error
	Won(ctx context.Context, tx *pg.Tx, caseID string) error
	Lost(ctx context.Context, tx *pg.Tx, caseID string, l escrow.Loser) error
}

// Approvals is the second person.
type Approvals interface {
	Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r approvals.Request) error)
	Ask(ctx context.Context, tx *pg.Tx, a approvals.Ask) (approvals.Request, error)
	Void(ctx context.Context, tx *pg.Tx, kind, subject string) error
}

// Judge says who may do what, and by which policy.
type Judge interface {
	May(p auth.Principal, action string, r authz.Resource) (policy string, err error)
}

// Config says where buyers and acquirers find the hub.
type Config struct {
	PublicURL string // without a slash at the end
	// Email stands in for a buyer who gave none: acquirers ask for one.
	Email string
	// Bank is where transfers and remitted cash come in, on Account. Without one
	// neither is offered.
	Bank    string
	Account Account
	// BearLosses: the platform bears chargebacks that are lost, and asks nothing
	// of the sellers.
	BearLosses bool
}

// An Account is the clients' money account that buyers transfer to.
type Account struct{ RIB, Holder, BIC string }

// Service is what others may ask of charges.
type Service struct {
	db        *pg.Store
	books     Books
	escrows   Escrows
	ops       *operations.Engine
	judge     Judge
	acquirers []*card.Acquirer // in order of preference
	wallets   []*wallet.Wallet // likewise
	config    Config
	plugged   Plugged // more of both
	bank      string  // who carries transfers to buyers
	transfers Transfers
	approvals Approvals
}

// New makes the service and registers its operations with the engine.
func New(db *pg.Store, books Books, escrows Escrows, ops *operations.Engine, judge Judge, acquirers []*card.Acquirer, c Config) *Service {
	s := &Service{db: db, books: books, escrows: escrows, ops: ops, judge: judge, acquirers: acquirers, config: c, plugged: nobody{}}
	ops.Handle(kindCharge, operations.Handler{Inquire: s.inquireCharge, Moved: s.chargeMoved, Hosted: true})
	// A status query that shows the money authorised proves that it was not
	// captured, so the capture may be ordered again where the acquirer has proved
	// that it takes one once.
	ops.Handle(kindCapture, operations.Handler{
		Send: s.sendCapture, Inquire: s.inquireCapture, Moved: s.captureMoved, Policy: operations.Policy{Resend: true},
	})
	ops.Handle(kindVoid, operations.Handler{Send: s.sendVoid, Inquire: s.inquireVoid, Policy: operations.Policy{Resend: true}})
	// Likewise one that shows the sum given back as it stood before.
	ops.Handle(kindRefund, operations.Handler{
		Send: s.sendRefund, Inquire: s.inquireRefund, Moved: s.RefundMoved, Contradicted: s.RefundContradicted, Out: true,
		Policy: operations.Policy{Resend: true},
	})
	return s
}

// The kinds of operation a card charge is made of. The hosted page's charge is
// accepted once its form is handed out; the capture is what takes the money.
const (
	kindCharge  = "charge"
	kindCapture = "capture"
	kindVoid    = "void"
)

// Methods are the ways to pay that there are partners for. Those that are plugged in
// are asked for only where none is built in.
func (s *Service) Methods(ctx context.Context, db pg.DB) (ways []string, err error) {
	acquirers, purses := len(s.acquirers), len(s.wallets)
	if acquirers == 0 {
		found, err := s.cards(ctx, db)
		if err != nil {
			return nil, err
		}
		acquirers = len(found)
	}
	if purses == 0 {
		found, err := s.askable(ctx, db)
		if err != nil {
			return nil, err
		}
		purses = len(found)
	}
	if acquirers > 0 {
		ways = append(ways, Card)
	}
	if purses > 0 {
		ways = append(ways, Wallet)
	}
	if s.config.Bank != "" {
		ways = append(ways, Transfer, Cash)
	}
	return ways, nil
}

// Create makes the charge of a checkout, as part of it. What the buyer does next
// comes back in the receipt: the form for the card page, or what to tell the
// bank; nothing is sent to anyone.
func (s *Service) Create(ctx context.Context, tx *pg.Tx, n Sale) (Receipt, error) {
	ways, err := s.Methods(ctx, tx)
	switch {
	case err != nil:
		return Receipt{}, err
	case n.Method == Card && !slices.Contains(ways, Card):
		return Receipt{}, ErrPartner
	case !slices.Contains(ways, n.Method):
		return Receipt{}, ErrMethod.At("/payment/method", "There is no partner for this yet; pay by "+strings.Join(ways, ", ")+".")
	}
	sum := n.Amount
	for _, p := range n.Parts {
		sum = sum.Sub(p.Amount)
	}
	if !sum.IsZero() || n.Amount.Sign() <= 0 {
		return Receipt{}, ErrParts
	}
	at := tx.Now()
	c := Charge{
		ID: id.New(id.Charge), Group: n.Group, Buyer: n.Buyer, Method: n.Method,
		Contact: Contact{n.Name, n.Email, n.Phone, n.Lang}, Currency: n.Amount.Currency(), Amount: n.Amount.Centimes(),
		State: Accepted, CreatedAt: at, ExpiresAt: at.Add(Window),
	}
	switch n.Method {
	case Transfer:
		return s.awaitTransfer(tx, c)
	case Cash:
		return s.awaitCash(tx, c, n.Parts)
	case Wallet:
		return s.awaitWallet(ctx, tx, c, cmp.Or(n.Wallet, n.Phone))
	}
	if c, err = s.openPage(ctx, tx, c); err != nil {
		return Receipt{}, err
	}
	return s.cardReceipt(ctx, tx, c)
}

// OfGroup returns the charge of an order group, with what the buyer does next
// while it can still be paid.
func (s *Service) OfGroup(ctx context.Context, db pg.DB, group string) (Receipt, Charge, error) {
	c, err := ofGroup(ctx, db, group)
	if err != nil {
		return Receipt{}, c, err
	}
	r, err := s.receipt(ctx, db, c)
	return r, c, err
}

func (s *Service) receipt(ctx context.Context, db pg.DB, c Charge) (Receipt, error) {
	switch c.Method {
	case Transfer:
		t, err := transferOf(ctx, db, c.ID)
		if err != nil {
			return Receipt{}, err
		}
		return s.transferReceipt(c, t), nil
	case Wallet:
		w, err := requestOf(ctx, db, c.Acquirer, c.Ref)
		return s.walletReceipt(c, w), err
	case Cash:
		return plainReceipt(c), nil
	}
	return s.cardReceipt(ctx, db, c)
}

// plainReceipt is that of a charge for which the buyer has nothing to do here.
func plainReceipt(c Charge) Receipt {
	return Receipt{ID: c.ID, State: c.State, ExpiresAt: c.ExpiresAt, NextAction: NextAction{Type: "none"}}
}

func (s *Service) cardReceipt(ctx context.Context, db pg.DB, c Charge) (Receipt, error) {
	r := plainReceipt(c)
	if c.State != Accepted {
		return r, nil
	}
	a, barred, err := s.acquirer(ctx, db, c.Acquirer)
	if err != nil || barred != "" { // nobody is sent where nothing may leave for
		return r, err
	}
	pay := card.Payment{
		Ref: c.Ref, Amount: c.Money(), Lang: c.Contact.Lang, Nonce: rand.Text(), ExpiresAt: c.ExpiresAt,
		Buyer:       card.Buyer{Name: c.Contact.Name, Email: cmp.Or(c.Contact.Email, s.config.Email), Phone: c.Contact.Phone},
		CallbackURL: s.config.PublicURL + "/callbacks/" + c.Acquirer + "/card",
		OKURL:       s.config.PublicURL + "/paiement/" + c.Group,
		FailURL:     s.config.PublicURL + "/paiement/" + c.Group,
		ShopURL:     s.config.PublicURL + "/",
	}
	f, err := a.Form(pay)
	if errors.Is(err, card.ErrInvalid) { // what a buyer may be called, an acquirer may not be able to show
		pay.Buyer = card.Buyer{Name: "Client", Email: s.config.Email}
		f, err = a.Form(pay)
	}
	if err != nil {
		return r, err
	}
	r.NextAction = NextAction{Type: "form", URL: f.URL, Method: f.Method, Fields: f.Fields}
	return r, nil
}

// confirm books a charge's money once the acquirer's own word says that it was
// taken. Money for a charge that ended before goes to suspense: it is the
// buyer's, and goes back.
func (s *Service) confirm(ctx context.Context, tx *pg.Tx, chargeID string) error {
	c, err := lock(ctx, tx, chargeID)
	if err != nil || c.State == Confirmed {
		return err
	}
	if !c.Open() {
		return s.late(ctx, tx, c)
	}
	clearing := ledger.Clearing(c.Acquirer)
	c.State, c.Captured = Confirmed, c.Amount
	save(tx, c)
	addCaptured(tx, c.ID, c.Amount)
	job.Clear(tx, timerWindow, c.ID)
	if err := s.pageDone(ctx, tx, c); err != nil {
		return err
	}
	holds, err := s.escrows.Fund(ctx, tx, c.ID, clearing)
	if err != nil {
		return fmt.Errorf("fund the escrows of %s: %w", c.ID, err)
	}
	return tx.Publish(ctx, Paid{c.ID, c.Group, orders(holds)})
}

// late takes in money for a charge that had ended. It waits in suspense only
// until the next line: it goes back by itself, by the rail it came in.
func (s *Service) late(ctx context.Context, tx *pg.Tx, c Charge) error {
	if c.Captured > 0 {
		return nil
	}
	slog.WarnContext(ctx, "money for a charge that had ended goes back", "charge", c.ID, "state", string(c.State))
	err := s.books.Post(ctx, tx, ledger.Transfer{
		Key: "late:" + c.ID, Kind: "charge.late", Currency: c.Currency,
		Legs: []ledger.Leg{ledger.Debit(ledger.Clearing(c.Acquirer), c.Amount), ledger.Credit(ledger.Suspense(c.ID), c.Amount)},
	})
	if err != nil {
		return err
	}
	c.Captured = c.Amount
	addCaptured(tx, c.ID, c.Amount)
	_, err = s.loose(ctx, tx, c, c.Money(), "paid after the order had ended")
	return err
}

// expire ends a charge that nobody paid.
func (s *Service) expire(ctx context.Context, tx *pg.Tx, chargeID string) error {
	c, err := lock(ctx, tx, chargeID)
	if err != nil || !c.Open() {
		return err
	}
	c.State = Expired
	save(tx, c)
	job.Clear(tx, timerWindow, c.ID)
	holds, err := s.unpaid(ctx, tx, c)
	if err != nil {
		return fmt.Errorf("end the escrows of %s: %w", c.ID, err)
	}
	if c.Method == Transfer {
		if err := s.overdue(ctx, tx, c); err != nil {
			return err
		}
	}
	return tx.Publish(ctx, Lapsed{c.ID, c.Group, orders(holds)})
}

// unpaid ends the escrows of a charge: those whose card was reserved are let go.
func (s *Service) unpaid(ctx context.Context, tx *pg.Tx, c Charge) ([]escrow.Hold, error) {
	holds, err := s.escrows.OfCharge(ctx, tx, c.ID)
	if err != nil {
		return nil, err
	}
	if len(holds) > 0 && holds[0].State == escrow.Authorized {
		return s.escrows.Void(ctx, tx, c.ID)
	}
	return s.escrows.Expire(ctx, tx, c.ID)
}

// reserved says that the acquirer's own status shows the card as reserved for a
// charge, for exactly its amount.
func (s *Service) reserved(ctx context.Context, tx *pg.Tx, c Charge) error {
	holds, err := s.escrows.OfCharge(ctx, tx, c.ID)
	if err != nil || len(holds) == 0 || holds[0].State != escrow.Awaiting {
		return err
	}
	_, err = s.escrows.Authorize(ctx, tx, c.ID)
	return err
}

// Settle is told by reconciliation that the acquirer has paid a charge to the
// safeguard account, gross and fee in centimes. The statement is the strongest
// word there is: it confirms a capture whose outcome was not known. It answers
// ErrNotFound for a reference that is no charge's, operations.ErrAmount for
// another amount than the charge's, and ErrSettled for one settled before;
// nothing is changed then.
func (s *Service) Settle(ctx context.Context, tx *pg.Tx, acquirer, ref string, gross int64, currency string) (Charge, error) {
	if is, err := s.isWallet(ctx, tx, acquirer); err != nil {
		return Charge{}, err
	} else if is {
		return s.settleWallet(ctx, tx, acquirer, ref, gross, currency)
	}
	c, err := lockByRef(ctx, tx, acquirer, ref)
	if err != nil {
		return c, err
	}
	if c.Amount != gross || c.Currency != currency {
		return c, operations.ErrAmount
	}
	if c.Settled {
		return c, ErrSettled
	}
	if c.State != Confirmed {
		if err := s.provedBy(ctx, tx, c); err != nil {
			return c, err
		}
	}
	if err := markSettled(ctx, tx, c.ID); err != nil {
		return c, err
	}
	c.Settled = true
	if err := s.escrows.Settled(ctx, tx, c.ID); err != nil {
		return c, err
	}
	if err := s.nextCard(ctx, tx, c, true); err != nil {
		return c, err
	}
	return c, tx.Publish(ctx, Settled{c.ID, c.Group})
}

// Acquirers lists those that are built in and settle charges, by name: the acquirers
// in order of preference, then the wallets.
func (s *Service) Acquirers() []string {
	names := make([]string, 0, len(s.acquirers)+len(s.wallets))
	for _, a := range s.acquirers {
		names = append(names, a.ID())
	}
	for _, w := range s.wallets {
		names = append(names, w.ID())
	}
	return names
}

func orders(holds []escrow.Hold) []string {
	ids := make([]string, len(holds))
	for i, h := range holds {
		ids[i] = h.Order
	}
	return ids
}
