package charges

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"tiwiza/adapters/wallet"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// Errors of paying by wallet.
var (
	errNoWallet = fault.New(fault.Unavailable, "charges.no_wallet", "Payments by wallet are not available at the moment.")
	errPhone    = ErrMethod.At("/payment/phone", "Give the mobile number of the wallet, such as 06 12 34 56 78.")
)

// kindWallet is the operation of asking a wallet's owner to pay.
const kindWallet = "wallet"

// A Request is one time that the owner of a phone was asked to pay for a charge.
// One that was refused may be followed by another.
type Request struct {
	Charge    string
	No        int
	Connector string
	Ref       string
	Phone     string
	Refusal   wallet.Refusal // "" unless it was refused
	Paid      bool           // its money came, in time or not
	Settled   bool
	CreatedAt time.Time
}

// An Approval is what a buyer approves on the phone.
type Approval struct {
	Phone  string      `json:"phone" required:"true" description:"Where the wallet's provider asks."`
	Amount money.Money `json:"amount" required:"true"`
	Until  time.Time   `json:"until" required:"true"`
}

// A Refusal is why a wallet did not pay, and what its owner can do.
type Refusal struct {
	Code wallet.Refusal `json:"code" required:"true" enum:"limit,funds,not_approved,no_wallet,refused"`
	Text string         `json:"text" required:"true"`
}

func refusalOf(code wallet.Refusal) *Refusal {
	if code == "" {
		return nil
	}
	return &Refusal{code, code.Text()}
}

// Wallets gives charges the wallets that buyers may pay with, in order of
// preference, and registers their operations with the engine. It is called at
// start.
func (s *Service) Wallets(ws ...*wallet.Wallet) *Service {
	s.wallets = ws
	// The provider finds a request by the name we gave it, so what is surely
	// absent may go out again where that is proved to be taken once.
	s.ops.Handle(kindWallet, operations.Handler{
		Send: s.sendWallet, Inquire: s.inquireWallet, Moved: s.walletMoved, Contradicted: s.walletContradicted,
		Policy: operations.Policy{Resend: true},
	})
	s.ops.Handle(kindReversal, operations.Handler{
		Send: s.sendReversal, Inquire: s.inquireWallet, Moved: s.RefundMoved, Contradicted: s.RefundContradicted, Out: true,
		Policy: operations.Policy{Resend: true},
	})
	s.ops.Handle(kindDisbursement, operations.Handler{
		Send: s.sendDisbursement, Inquire: s.inquireWallet, Moved: s.RefundMoved, Contradicted: s.RefundContradicted, Out: true,
		Policy: operations.Policy{Resend: true},
	})
	return s
}

// awaitWallet keeps a charge whose buyer is asked on the phone.
func (s *Service) awaitWallet(ctx context.Context, tx *pg.Tx, c Charge, phone string) (Receipt, error) {
	if !wallet.IsPhone(phone) {
		return Receipt{}, errPhone
	}
	w, err := s.chosenWallet(ctx, tx)
	if err != nil {
		return Receipt{}, err
	}
	c.Acquirer, c.Ref, c.State = w.ID(), RefOf(c.ID), Created
	insert(tx, c)
	r := s.askOwner(tx, c, 1, phone)
	job.Set(tx, timerWindow, c.ID, c.ExpiresAt)
	return s.walletReceipt(c, r), nil
}

// askOwner makes a request an operation; the owner is asked after the commit.
func (s *Service) askOwner(tx *pg.Tx, c Charge, no int, phone string) Request {
	r := Request{Charge: c.ID, No: no, Connector: c.Acquirer, Ref: c.Ref, Phone: phone, CreatedAt: tx.Now()}
	insertRequest(tx, r)
	s.ops.Intend(tx, operations.Intention{Subject: c.ID, Kind: kindWallet, Connector: r.Connector, Ref: r.Ref, Amount: c.Money()})
	return r
}

// PayAnew asks for a charge once more that a wallet has refused: the same phone,
// or another; at another wallet when nothing may leave for that one. Only the
// buyer's time bounds it.
func (s *Service) PayAnew(ctx context.Context, tx *pg.Tx, charge, phone string) (Receipt, error) {
	c, err := lock(ctx, tx, charge)
	if err != nil {
		return Receipt{}, err
	}
	if c.Method != Wallet || c.State != Declined || !tx.Now().Before(c.ExpiresAt) {
		return Receipt{}, ErrNotDeclined.Say("This charge is %s; only one that its wallet has refused is asked for anew, until its time is over.", c.State)
	}
	last, err := requestOf(ctx, tx, c.Acquirer, c.Ref)
	if err != nil {
		return Receipt{}, err
	}
	if phone == "" {
		phone = last.Phone
	}
	if !wallet.IsPhone(phone) {
		return Receipt{}, errPhone.At("/phone", "as 06 12 34 56 78")
	}
	if _, barred, err := s.wallet(ctx, tx, c.Acquirer); err != nil || barred != "" {
		w, err := s.chosenWallet(ctx, tx)
		if err != nil {
			return Receipt{}, err
		}
		c.Acquirer = w.ID()
	}
	c.Ref, c.State = RefOf(c.ID)+"-"+strconv.Itoa(last.No+1), Created
	saveWay(tx, c)
	r := s.askOwner(tx, c, last.No+1, phone)
	return s.walletReceipt(c, r), nil
}

func (s *Service) walletReceipt(c Charge, r Request) Receipt {
	v := plainReceipt(c)
	switch c.State {
	case Created, Accepted, Unknown:
		v.NextAction.Wallet = &Approval{r.Phone, c.Money(), c.ExpiresAt.UTC()}
	case Declined:
		v.Refusal = refusalOf(r.Refusal)
	}
	return v
}

// sendWallet asks the owner. A refusal is believed once the provider's status
// agrees: one who is asked all the same may approve.
func (s *Service) sendWallet(ctx context.Context, o operations.Operation) outbound.Result {
	r, err := requestOf(ctx, s.db, o.Connector, o.Ref)
	if err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Text: err.Error()}
	}
	w, barred, err := s.wallet(ctx, s.db, o.Connector)
	if err = leaving(barred, err); err != nil {
		return notSent(err)
	}
	return s.agreed(ctx, w, o, w.Ask(ctx, wallet.Payment{
		Ref: o.Ref, Phone: r.Phone, Amount: o.Money(), Text: "Tiwiza " + o.Ref, CallbackURL: w.CallbackURL(s.config.PublicURL, o.Ref),
	}))
}

// agreed takes a refusal for what it is worth: what the provider's own status
// says of the request.
func (s *Service) agreed(ctx context.Context, w *wallet.Wallet, o operations.Operation, said outbound.Result) outbound.Result {
	if said.Outcome != outbound.Declined {
		return said
	}
	switch st := judged(o, w.Query(ctx, o.Ref, said.PartnerID)); st.Outcome {
	case outbound.NotFound, outbound.Declined:
	case outbound.Succeeded, outbound.Accepted:
		said = st
	default:
		said.Outcome, said.Text = outbound.Unknown, "refused, and not confirmed: "+said.Text
	}
	return said
}

func (s *Service) inquireWallet(ctx context.Context, o operations.Operation) outbound.Result {
	w, _, err := s.wallet(ctx, s.db, o.Connector)
	if err != nil {
		return outbound.Result{Outcome: outbound.Unknown, Text: err.Error()}
	}
	return judged(o, w.Query(ctx, o.Ref, o.PartnerID))
}

// judged compares what the provider says that it did with what it was asked for.
func judged(o operations.Operation, st wallet.Status) outbound.Result {
	r := st.Result
	if r.Outcome == outbound.Succeeded && (st.Amount == nil && o.Kind == kindWallet || st.Amount != nil && !st.Amount.Equal(o.Money())) {
		r.Outcome, r.Reason, r.Text = outbound.Unknown, outbound.Differs, fmt.Sprintf("done for %v, not %s", st.Amount, o.Money())
	}
	return r
}

// walletMoved follows a request: its confirmation is the charge's.
func (s *Service) walletMoved(ctx context.Context, tx *pg.Tx, o operations.Operation, _ operations.State) error {
	c, err := lock(ctx, tx, o.Subject)
	if err != nil {
		return err
	}
	if o.State == operations.Confirmed {
		return s.walletPaid(ctx, tx, c, o)
	}
	if o.State == operations.Rejected {
		return s.walletRefused(ctx, tx, c, o)
	}
	next, ok := map[operations.State]State{
		operations.Accepted: Accepted, operations.Unknown: Unknown, operations.Review: Unknown, operations.Intent: Created,
	}[o.State]
	if ok && c.Open() && c.own(o) && c.State != next {
		c.State = next
		save(tx, c)
	}
	return nil
}

// own says whether an operation is of the charge's last request.
func (c Charge) own(o operations.Operation) bool { return c.Acquirer == o.Connector && c.Ref == o.Ref }

// walletRefused keeps why the owner did not pay. Until the window is over the
// charge may be asked for anew.
func (s *Service) walletRefused(ctx context.Context, tx *pg.Tx, c Charge, o operations.Operation) error {
	code := wallet.Other
	if w, _, err := s.wallet(ctx, tx, o.Connector); err == nil {
		said, _, _ := strings.Cut(o.Why, " ") // the provider's code comes first
		code = w.Refusal(said)
	}
	if o.Tries == 0 {
		code = wallet.NotApproved // withdrawn before anybody was asked
	}
	markRefused(tx, o.Connector, o.Ref, code)
	if !c.Open() || !c.own(o) {
		return nil
	}
	if !tx.Now().Before(c.ExpiresAt) {
		return s.expire(ctx, tx, c.ID)
	}
	c.State = Declined
	save(tx, c)
	if o.Tries == 0 {
		return nil // its own request was paid after all, or its time is over
	}
	return tx.Publish(ctx, WalletRefused{c.ID, c.Group, code})
}

// walletPaid books a request's money. What comes for a charge that has ended, or
// is paid already, waits in suspense only until the next line: it goes back by
// itself, to the phone it came from.
func (s *Service) walletPaid(ctx context.Context, tx *pg.Tx, c Charge, o operations.Operation) error {
	r, err := requestOf(ctx, tx, o.Connector, o.Ref)
	if err != nil || r.Paid {
		return err
	}
	markPaid(tx, o.Connector, o.Ref)
	addCaptured(tx, c.ID, c.Amount)
	c.Captured += c.Amount
	if !c.Open() {
		return s.walletLate(ctx, tx, c, o)
	}
	c.Acquirer, c.Ref, c.State = o.Connector, o.Ref, Confirmed
	saveWay(tx, c)
	job.Clear(tx, timerWindow, c.ID)
	holds, err := s.escrows.Fund(ctx, tx, c.ID, ledger.Clearing(o.Connector))
	if err != nil {
		return fmt.Errorf("fund the escrows of %s: %w", c.ID, err)
	}
	return tx.Publish(ctx, Paid{c.ID, c.Group, orders(holds)})
}

func (s *Service) walletLate(ctx context.Context, tx *pg.Tx, c Charge, o operations.Operation) error {
	slog.WarnContext(ctx, "a wallet's money for a charge that had ended goes back", "charge", c.ID, "state", string(c.State), "our_ref", o.Ref)
	err := s.books.Post(ctx, tx, ledger.Transfer{
		Key: "late:" + c.ID + ":" + o.Ref, Kind: "charge.late", Currency: c.Currency,
		Legs: []ledger.Leg{ledger.Debit(ledger.Clearing(o.Connector), c.Amount), ledger.Credit(ledger.Suspense(c.ID), c.Amount)},
	})
	if err != nil {
		return err
	}
	in := RefundOrder{
		ID: id.New(id.Refund), Charge: c.ID, Amount: c.Money(), By: auth.From(ctx).Person(), Source: o.Ref,
		Reason: "paid when the charge was " + string(c.State),
	}
	err = s.books.Post(ctx, tx, ledger.Transfer{
		Key: "suspense.refund:" + in.ID, Kind: "suspense.refund", Currency: c.Currency,
		Legs: []ledger.Leg{ledger.Debit(ledger.Suspense(c.ID), c.Amount), ledger.Credit(ledger.Refund(in.ID), c.Amount)},
	})
	if err != nil {
		return err
	}
	_, err = s.refund(ctx, tx, c, in)
	return err
}

// walletContradicted is told that a request did not end as it was booked: its
// money came although it had been refused.
func (s *Service) walletContradicted(ctx context.Context, tx *pg.Tx, o operations.Operation, ended operations.State) error {
	if ended != operations.Rejected {
		return nil // said to be undone: people look
	}
	c, err := lock(ctx, tx, o.Subject)
	if err != nil {
		return err
	}
	live, err := s.live(ctx, tx, c, kindWallet)
	if err != nil {
		return err
	}
	if live != nil && live.State == operations.Intent && live.Gone == 0 { // asked for anew, and nobody has heard of it
		if err := s.withdraw(ctx, tx, live); err != nil {
			return err
		}
		if c, err = lock(ctx, tx, o.Subject); err != nil {
			return err
		}
	}
	return s.walletPaid(ctx, tx, c, o)
}

type lastAskJob struct {
	Charge string `json:"charge"`
}

// Kind names the job.
func (lastAskJob) Kind() string { return "charges.wallet_last" }

// walletWindow is the end of the window of a charge by wallet. One that nobody
// was asked for yet is withdrawn; where the outcome is not known the goods stay
// reserved; and the provider is asked a last time about what it has.
func (s *Service) walletWindow(ctx context.Context, tx *pg.Tx, c Charge) error {
	op, err := s.live(ctx, tx, c, kindWallet)
	if err != nil {
		return err
	}
	if op == nil {
		return s.expire(ctx, tx, c.ID)
	}
	job.Set(tx, timerWindow, c.ID, tx.Now().Add(time.Minute)) // until it is open no more
	switch op.State {
	case operations.Intent:
		return s.withdraw(ctx, tx, op)
	case operations.Accepted:
		tx.Enqueue(lastAskJob{c.ID}, nil)
	}
	return nil
}

// lastAsk asks once more when the window is over. The request of a wallet cannot
// be taken back: where its owner has not answered yet the charge expires all the
// same, and what is approved later goes back.
func (s *Service) lastAsk(ctx context.Context, charge string) error {
	c, err := load(ctx, s.db, charge)
	if errors.Is(err, ErrNotFound) {
		return job.Cancel(err)
	}
	if err != nil || !c.Open() {
		return err
	}
	o, err := s.live(ctx, s.db, c, kindWallet)
	if err != nil || o == nil || o.State != operations.Accepted {
		return err
	}
	said := s.inquireWallet(ctx, *o)
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		if said.Outcome == outbound.Succeeded || said.Outcome == outbound.Declined {
			_, err := s.ops.Heard(ctx, tx, o.ID, operations.Inquiry, said, "last "+o.Ref)
			return err
		}
		c, err := lock(ctx, tx, o.Subject)
		if err != nil || !c.Open() || !c.own(*o) || said.Outcome != outbound.Accepted && said.Outcome != outbound.NotFound {
			return err // ended meanwhile, or not known: the timer asks again
		}
		audit.Record(tx, "charges.expired", c.ID, "not approved on the phone when the window was over", map[string]string{"ref": o.Ref})
		return s.expire(ctx, tx, c.ID)
	})
}
