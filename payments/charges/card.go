package charges

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/payments/operations"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/job"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// How soon the acquirer is asked by itself: about a page that was handed out,
// in case its callback never comes; and about a capture that our reply to the
// callback has just ordered.
const (
	askHosted  = 45 * time.Second
	askCapture = time.Second
)

// notice takes in one authentic callback and says how to answer it. Several
// come for one charge: failures, then a success, and each of them again.
//
// What the callback says is compared with our own row. An approval makes the
// capture an operation that is being sent, committed before the reply that
// orders it; only the acquirer's own status, or its settlement, confirms it.
func (s *Service) notice(ctx context.Context, tx *pg.Tx, a *card.Acquirer, n card.Notice) (card.Verdict, error) {
	c, left, err := s.noticed(ctx, tx, a, n.Ref)
	if errors.Is(err, ErrNotFound) {
		audit.Record(tx, "callbacks.card", n.Ref, "unknown reference", map[string]string{"event": n.EventID})
		return card.Acknowledge, nil
	}
	if err != nil {
		return card.Trouble, err
	}
	op, err := s.ops.Find(ctx, tx, a.ID(), n.Ref)
	if err != nil {
		return card.Trouble, err
	}
	r := outbound.Result{Outcome: outbound.Accepted, Code: n.Code, Text: n.Text, PartnerID: n.PartnerID, Evidence: n.Raw}
	if n.Merchant != a.Merchant() || !n.Amount.Equal(c.Money()) {
		audit.Record(tx, "callbacks.card", c.ID, "another amount or merchant", map[string]string{"event": n.EventID, "amount": n.Amount.String(), "ours": c.Money().String()})
		r.Text = "speaks of " + n.Amount.String() + ", not of " + c.Money().String()
		_, err := s.ops.Heard(ctx, tx, op.ID, operations.Callback, r, n.EventID)
		return card.Acknowledge, err
	}
	if _, err := s.ops.Heard(ctx, tx, op.ID, operations.Callback, r, n.EventID); err != nil {
		return card.Trouble, err
	}
	switch {
	case !n.Approved:
		return card.Acknowledge, nil
	case left != nil:
		return s.paidThere(ctx, tx, a, c, *left)
	case c.State == Confirmed:
		return card.Capture, nil
	case !c.Open():
		return card.Acknowledge, s.letGo(ctx, tx, c)
	}
	return card.Capture, s.capture(ctx, tx, c, operations.Sending)
}

// capture makes the capture of a charge an operation, once: sending when our
// reply orders it, an intent when a call of our own shall.
func (s *Service) capture(ctx context.Context, tx *pg.Tx, c Charge, state operations.State) error {
	if op, err := s.live(ctx, tx, c, kindCapture); err != nil || op != nil {
		return err
	}
	ref, err := s.nextRef(ctx, tx, c, kindCapture, c.Ref+"-C")
	if err != nil {
		return err
	}
	s.ops.Intend(tx, operations.Intention{
		Subject: c.ID, Kind: kindCapture, Connector: c.Acquirer, Ref: ref, Amount: c.Money(), State: state, Ask: askCapture,
	})
	if state == operations.Sending {
		c.State = Unknown
		save(tx, c)
	}
	return nil
}

// letGo has the reservation of a charge that ended released at the acquirer.
func (s *Service) letGo(ctx context.Context, tx *pg.Tx, c Charge) error {
	return s.letGoAt(ctx, tx, c, c.Acquirer)
}

// letGoAt is letGo at any acquirer that a charge was sent to, once at each.
func (s *Service) letGoAt(ctx context.Context, tx *pg.Tx, c Charge, acquirer string) error {
	ops, err := s.ops.Of(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	for _, o := range ops {
		if o.Kind == kindVoid && o.Connector == acquirer && o.State != operations.Rejected && o.State != operations.Returned {
			return nil
		}
	}
	ref, err := s.nextRef(ctx, tx, c, kindVoid, c.Ref+"-V")
	if err != nil {
		return err
	}
	s.ops.Intend(tx, operations.Intention{Subject: c.ID, Kind: kindVoid, Connector: acquirer, Ref: ref, Amount: c.Money()})
	return nil
}

// nextRef names the next operation of a kind: one that failed keeps its name for
// ever, so those after it are counted, as CHG…-C2.
func (s *Service) nextRef(ctx context.Context, tx *pg.Tx, c Charge, kind, first string) (string, error) {
	ops, err := s.ops.Of(ctx, tx, c.ID)
	if err != nil {
		return "", err
	}
	n := 1
	for _, o := range ops {
		if o.Kind == kind {
			n++
		}
	}
	if n == 1 {
		return first, nil
	}
	return first + strconv.Itoa(n), nil
}

// live is the operation of a kind that a charge has and that did not fail, or
// nil. The charge is locked, so nobody else makes one meanwhile.
func (s *Service) live(ctx context.Context, db pg.DB, c Charge, kind string) (*operations.Operation, error) {
	ops, err := s.ops.Of(ctx, db, c.ID)
	if err != nil {
		return nil, err
	}
	for _, o := range ops {
		if o.Kind == kind && o.State != operations.Rejected && o.State != operations.Returned {
			return &o, nil
		}
	}
	return nil, nil
}

// captureMoved follows the capture: its confirmation is the charge's.
func (s *Service) captureMoved(ctx context.Context, tx *pg.Tx, o operations.Operation, _ operations.State) error {
	if o.State == operations.Confirmed {
		return s.confirm(ctx, tx, o.Subject)
	}
	if o.State == operations.Rejected { // the buyer may try another card while the window is open
		c, err := lock(ctx, tx, o.Subject)
		if err != nil || c.State != Unknown {
			return err
		}
		c.State = Accepted
		save(tx, c)
	}
	return nil
}

// pageDone ends the hosted page's operation: its money was captured, and the
// acquirer is not asked about it any more.
func (s *Service) pageDone(ctx context.Context, tx *pg.Tx, c Charge) error {
	op, err := s.live(ctx, tx, c, kindCharge)
	if err != nil || op == nil {
		return err
	}
	_, err = s.ops.Heard(ctx, tx, op.ID, operations.Inquiry, outbound.Result{Outcome: outbound.Succeeded, Text: "captured"}, "captured "+c.Ref)
	return err
}

// chargeMoved follows the hosted page's charge: it is rejected when the window
// is over and the acquirer says that nothing was paid.
func (s *Service) chargeMoved(ctx context.Context, tx *pg.Tx, o operations.Operation, _ operations.State) error {
	if o.State != operations.Rejected {
		return nil
	}
	c, err := lock(ctx, tx, o.Subject)
	if err != nil || c.Acquirer != o.Connector { // it is paid elsewhere
		return err
	}
	return s.expire(ctx, tx, o.Subject)
}

// provedBy lets a statement that names the charge stand for the capture.
func (s *Service) provedBy(ctx context.Context, tx *pg.Tx, c Charge) error {
	op, err := s.live(ctx, tx, c, kindCapture)
	if err != nil {
		return err
	}
	if op == nil { // we never ordered it, and yet it was taken
		if err := s.capture(ctx, tx, c, operations.Accepted); err != nil {
			return err
		}
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		if op, err = s.live(ctx, tx, c, kindCapture); err != nil {
			return err
		}
	}
	proved, err := s.ops.Heard(ctx, tx, op.ID, operations.Statement, outbound.Result{Outcome: outbound.Succeeded, Text: "settled"}, "settled "+c.Ref)
	if err == nil && proved.State != operations.Confirmed {
		return ErrUnproved
	}
	return err
}

// inquireCapture asks where the money is.
func (s *Service) inquireCapture(ctx context.Context, o operations.Operation) outbound.Result {
	c, st, _, err := s.query(ctx, o)
	if err != nil {
		return outbound.Result{Outcome: outbound.Unknown, Text: err.Error()}
	}
	r := st.Result
	switch st.State {
	case card.Captured, card.Settled:
		r.Outcome = outbound.Succeeded
		if !st.Captured.Equal(c.Money()) {
			r.Outcome, r.Text = outbound.Unknown, fmt.Sprintf("captured %s, not %s", st.Captured, c.Money())
		}
	case card.Authorized:
		r.Outcome = outbound.NotFound // the reservation stands: no capture yet
	case card.Declined, card.Voided:
		r.Outcome = outbound.Declined
	case card.Refunded:
		r.Outcome, r.Text = outbound.Unknown, "captured, and given back by somebody: the money is not there"
	}
	return r
}

// inquireCharge asks about a page that was handed out, in case its callback got
// lost: a reservation found this way is captured by a call of our own.
func (s *Service) inquireCharge(ctx context.Context, o operations.Operation) outbound.Result {
	c, st, barred, err := s.query(ctx, o)
	if err != nil {
		return outbound.Result{Outcome: outbound.Unknown, Text: err.Error()}
	}
	r, why := st.Result, ""
	switch {
	case s.unreached(ctx, o.Connector, r):
		why = "it does not answer"
	case barred != "" && (st.State == card.None || st.State == card.Declined): // nobody is sent there again
		why = barred
	}
	if why != "" {
		if err := s.db.InTx(ctx, func(tx *pg.Tx) error { return s.goOn(ctx, tx, c.ID, o.Connector, why) }); err != nil {
			return outbound.Result{Outcome: outbound.Unknown, Text: err.Error()}
		}
	}
	switch st.State {
	case card.Authorized, card.Captured, card.Settled:
		if !st.Amount.Equal(c.Money()) {
			return s.otherAmount(ctx, c, st)
		}
		state := operations.Intent
		if st.State != card.Authorized {
			state = operations.Accepted
		}
		if err := s.db.InTx(ctx, func(tx *pg.Tx) error {
			c, err := lock(ctx, tx, c.ID)
			if err != nil || !c.Open() || c.Acquirer != o.Connector {
				return err
			}
			if state == operations.Intent {
				if err := s.reserved(ctx, tx, c); err != nil {
					return err
				}
			}
			return s.capture(ctx, tx, c, state)
		}); err != nil {
			return outbound.Result{Outcome: outbound.Unknown, Text: err.Error()}
		}
	}
	if r.Outcome != outbound.Unknown && r.Outcome != outbound.NotSent {
		r.Outcome = outbound.Accepted // nothing is final before the window is over: a buyer may try again
	}
	return r
}

// otherAmount is a reservation that is not for what the charge asks: it is never
// captured, and let go.
func (s *Service) otherAmount(ctx context.Context, c Charge, st card.Status) outbound.Result {
	r := outbound.Result{Outcome: outbound.Accepted, Text: "holds " + st.Amount.String() + ", not " + c.Money().String(), Evidence: st.Evidence}
	if st.State != card.Authorized {
		return r
	}
	err := s.db.InTx(ctx, func(tx *pg.Tx) error {
		c, err := lock(ctx, tx, c.ID)
		if err != nil || !c.Open() {
			return err
		}
		audit.Record(tx, "charges.other_amount", c.ID, "another amount than ours", map[string]string{"amount": st.Amount.String(), "ours": c.Money().String()})
		return s.letGo(ctx, tx, c)
	})
	if err != nil {
		r.Outcome, r.Text = outbound.Unknown, err.Error()
	}
	return r
}

// query asks where a charge stands; barred says why nothing may leave for its acquirer.
func (s *Service) query(ctx context.Context, o operations.Operation) (c Charge, st card.Status, barred string, err error) {
	if c, err = load(ctx, s.db, o.Subject); err != nil {
		return c, st, "", err
	}
	a, barred, err := s.acquirer(ctx, s.db, o.Connector)
	if err != nil {
		return c, st, "", err
	}
	return c, a.Query(ctx, c.Ref), barred, nil
}

func (s *Service) sendCapture(ctx context.Context, o operations.Operation) outbound.Result {
	return s.call(ctx, o, func(a *card.Acquirer, c Charge) outbound.Result {
		return a.Capture(ctx, card.Order{Ref: o.Ref, Of: c.Ref, Amount: c.Money()})
	})
}

func (s *Service) sendVoid(ctx context.Context, o operations.Operation) outbound.Result {
	return s.call(ctx, o, func(a *card.Acquirer, c Charge) outbound.Result {
		return a.Void(ctx, card.Order{Ref: o.Ref, Of: c.Ref, Amount: c.Money()})
	})
}

// call makes a call about a charge; before it is made, nothing was sent.
func (s *Service) call(ctx context.Context, o operations.Operation, do func(*card.Acquirer, Charge) outbound.Result) outbound.Result {
	c, err := load(ctx, s.db, o.Subject)
	if err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Text: err.Error()}
	}
	a, barred, err := s.acquirer(ctx, s.db, o.Connector)
	if err = leaving(barred, err); err != nil {
		return notSent(err)
	}
	return do(a, c)
}

func (s *Service) inquireVoid(ctx context.Context, o operations.Operation) outbound.Result {
	_, st, _, err := s.query(ctx, o)
	if err != nil {
		return outbound.Result{Outcome: outbound.Unknown, Text: err.Error()}
	}
	r := st.Result
	switch st.State {
	case card.Voided, card.Declined:
		r.Outcome = outbound.Succeeded
	case card.Authorized:
		r.Outcome = outbound.NotFound
	case card.Captured, card.Settled, card.Refunded:
		r.Outcome = outbound.Declined
	}
	return r
}

const timerWindow = "charges.window"

type finalJob struct {
	Charge string `json:"charge"`
}

// Kind names the job.
func (finalJob) Kind() string { return "charges.final" }

// Work registers the jobs and timers of charges.
func (s *Service) Work(w *job.Workers, t *job.Timers) {
	job.Handle(w, func(ctx context.Context, j finalJob) error { return s.final(ctx, j.Charge) })
	job.Handle(w, func(ctx context.Context, j strayJob) error { return s.strays(ctx, j.Charge) })
	job.Handle(w, func(ctx context.Context, j readyJob) error { return s.ready(ctx, j.Refund) })
	job.Handle(w, func(ctx context.Context, j lastAskJob) error { return s.lastAsk(ctx, j.Charge) })
	t.Handle(timerWindow, s.windowOver)
	t.Handle(timerStray, s.strayDue)
	t.Handle(timerReady, s.readyDue)
	t.Handle(timerClaim, s.claimDue)
	t.Handle(timerDecide, s.decideDue)
}

// windowOver is the end of the payment window. A charge whose capture is on its
// way is not ended; the acquirer is asked one last time about the others.
func (s *Service) windowOver(ctx context.Context, tx *pg.Tx, chargeID string) error {
	c, err := lock(ctx, tx, chargeID)
	if err != nil || !c.Open() {
		return err
	}
	switch c.Method {
	case Transfer: // only the statement brings money, and it has not
		return s.expire(ctx, tx, chargeID)
	case Wallet:
		return s.walletWindow(ctx, tx, c)
	}
	job.Set(tx, timerWindow, chargeID, tx.Now().Add(time.Minute)) // until it is open no more
	op, err := s.live(ctx, tx, c, kindCapture)
	if err != nil {
		return err
	}
	if op != nil {
		return s.giveUp(ctx, tx, c, op.ID)
	}
	tx.Enqueue(finalJob{chargeID}, s.ops.Queue(c.Acquirer))
	return nil
}

// pausedFor is how long after the window the goods wait for an acquirer that people
// have stopped.
const pausedFor = 2 * time.Hour

// giveUp ends a charge whose capture surely never left, and may not leave: its acquirer
// is stopped. What is reserved there is let go of once that may leave.
func (s *Service) giveUp(ctx context.Context, tx *pg.Tx, c Charge, capture string) error {
	if tx.Now().Before(c.ExpiresAt.Add(pausedFor)) {
		return nil
	}
	a, barred, err := s.acquirer(ctx, tx, c.Acquirer)
	if err != nil && !errors.Is(err, ErrPartner) || err == nil && barred == "" && !a.Held() {
		return err
	}
	o, err := s.ops.ByID(ctx, tx, capture)
	if err != nil || o.State != operations.Intent || o.Gone > 0 {
		return err
	}
	if err := s.withdraw(ctx, tx, &o); err != nil {
		return err
	}
	if err := s.letGo(ctx, tx, c); err != nil {
		return err
	}
	page, err := s.live(ctx, tx, c, kindCharge)
	if err != nil || page == nil {
		return err
	}
	_, err = s.ops.Heard(ctx, tx, page.ID, operations.Inquiry, outbound.Result{Outcome: outbound.Declined, Text: "reserved, and never taken: the acquirer was stopped"}, "given up "+c.Ref)
	return err
}

func (s *Service) final(ctx context.Context, chargeID string) error {
	c, err := load(ctx, s.db, chargeID)
	if errors.Is(err, ErrNotFound) {
		return job.Cancel(err)
	}
	if err != nil || !c.Open() {
		return err
	}
	a, _, err := s.acquirer(ctx, s.db, c.Acquirer)
	if err != nil {
		return err
	}
	st := a.Query(ctx, c.Ref)
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		c, err := lock(ctx, tx, chargeID)
		if err != nil || !c.Open() {
			return err
		}
		if op, err := s.live(ctx, tx, c, kindCapture); err != nil || op != nil {
			return err
		}
		switch {
		case st.State == card.Authorized && !st.Amount.Equal(c.Money()):
			return s.letGo(ctx, tx, c) // the timer asks again once it is gone
		case st.State == card.Authorized:
			if err := s.reserved(ctx, tx, c); err != nil {
				return err
			}
			return s.capture(ctx, tx, c, operations.Intent)
		case st.State == card.Captured, st.State == card.Settled:
			return s.capture(ctx, tx, c, operations.Accepted)
		}
		unpaid := st.State == card.Declined || st.State == card.Voided || st.Outcome == outbound.NotFound
		if !unpaid {
			return nil // not known: the timer asks again
		}
		op, err := s.live(ctx, tx, c, kindCharge)
		if err != nil || op == nil {
			return err
		}
		r := st.Result
		r.Outcome, r.Text = outbound.Declined, "not paid when the window was over"
		_, err = s.ops.Heard(ctx, tx, op.ID, operations.Inquiry, r, "final "+c.Ref)
		return err
	})
}
