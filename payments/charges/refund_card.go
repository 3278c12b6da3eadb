package charges

import (
	"context"
	"errors"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/payments/operations"
	"tiwiza/pkg/job"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// kindRefund is the operation of a refund over the card. The acquirer tells the
// sum that it gave back of a charge, not each refund: refunds of a charge go one
// after the other, and each knows the sum that stood there before it.
const kindRefund = "refund"

// askSettled is how often an acquirer is asked whether it has settled a charge
// of which a part shall go back.
const askSettled = 10 * time.Minute

const timerReady = "charges.refund_ready"

type readyJob struct {
	Refund string `json:"refund"`
}

// Kind names the job.
func (readyJob) Kind() string { return "charges.refund_ready" }

// beginCard asks the acquirer for a refund when it is its turn: none other of
// the charge is being asked for, and the charge is settled or goes back as a
// whole. Acquirers let go of what they have not settled, and give back what they
// have; a part of what is not settled waits. The caller holds the charge and
// keeps what comes back.
func (s *Service) beginCard(ctx context.Context, tx *pg.Tx, c Charge, r Refund, settled bool) (Refund, error) {
	all, err := refundsOf(ctx, tx, c.ID)
	if err != nil {
		return r, err
	}
	before, busy := int64(0), false
	for _, o := range all {
		if o.ID == r.ID {
			continue
		}
		if o.Rail == railCard && o.State == RefundConfirmed || o.Rail != railCard && o.Deducted {
			before += o.Amount
		}
		busy = busy || o.Rail == railCard && o.Attempt > 0 && !o.Done() && !o.Waits()
	}
	if busy || !settled && !c.Settled && !r.whole(c) {
		job.Set(tx, timerReady, r.ID, tx.Now().Add(askSettled))
		return r, nil
	}
	job.Clear(tx, timerReady, r.ID)
	r = r.Ask(c.Acquirer)
	r.Before = before
	s.ops.Intend(tx, operations.Intention{Subject: r.ID, Kind: kindRefund, Connector: r.Connector, Ref: r.Ref, Amount: r.Money()})
	return r, nil
}

// nextCard asks for the oldest refund of a charge that waits for its turn. The
// caller holds the charge.
func (s *Service) nextCard(ctx context.Context, tx *pg.Tx, c Charge, settled bool) error {
	all, err := refundsOf(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Rail != railCard || r.Attempt > 0 || r.State != RefundCreated {
			continue
		}
		next, err := s.beginCard(ctx, tx, c, r, settled)
		if err != nil || next.Attempt == r.Attempt {
			return err
		}
		saveRefund(tx, next)
		return nil
	}
	return nil
}

// readyDue has the acquirer asked whether a refund's charge is settled by now.
func (s *Service) readyDue(ctx context.Context, tx *pg.Tx, refundID string) error {
	r, err := loadRefund(ctx, tx, refundID)
	if err != nil || r.State != RefundCreated || r.Attempt > 0 {
		return err
	}
	job.Set(tx, timerReady, r.ID, tx.Now().Add(askSettled))
	c, err := load(ctx, tx, r.Charge)
	if err != nil {
		return err
	}
	tx.Enqueue(readyJob{r.ID}, s.ops.Queue(c.Acquirer))
	return nil
}

func (s *Service) ready(ctx context.Context, refundID string) error {
	r, err := loadRefund(ctx, s.db, refundID)
	if errors.Is(err, ErrNoRefund) {
		return job.Cancel(err)
	}
	if err != nil || r.State != RefundCreated || r.Attempt > 0 {
		return err
	}
	c, err := load(ctx, s.db, r.Charge)
	if err != nil {
		return err
	}
	a, _, err := s.acquirer(ctx, s.db, c.Acquirer)
	if err != nil {
		return err
	}
	st := a.Query(ctx, c.Ref)
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		c, err := lock(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		return s.nextCard(ctx, tx, c, st.State == card.Settled || st.State == card.Refunded)
	})
}

// sendRefund looks where the charge stands, and lets it go or gives back of it.
// A refusal is believed once the acquirer's status agrees: money that went back
// in spite of it would go back again to the buyer's account.
func (s *Service) sendRefund(ctx context.Context, o operations.Operation) outbound.Result {
	r, c, a, barred, err := s.refundAt(ctx, o)
	if err = leaving(barred, err); err != nil {
		return notSent(err)
	}
	st := a.Query(ctx, c.Ref)
	seen, text := r.see(c, st)
	switch {
	case seen == sightDone:
		return r.inquired(c, st)
	case seen == sightOdd:
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: text, Evidence: st.Evidence}
	case seen == sightNone:
		return outbound.Result{Outcome: outbound.NotSent, Reason: st.Reason, Text: text, RetryAfter: st.RetryAfter, Evidence: st.Evidence}
	case st.State == card.Captured && !r.whole(c):
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Limited, Text: "the acquirer has not settled the charge yet"}
	case st.State == card.Captured:
		return s.believed(ctx, a, r, c, a.Void(ctx, card.Order{Ref: o.Ref + "-V", Of: c.Ref, Amount: c.Money()}), outbound.NotSent)
	case seen == sightHidden:
		return a.Refund(ctx, card.Order{Ref: o.Ref, Of: c.Ref, Amount: r.Money()})
	}
	return s.believed(ctx, a, r, c, a.Refund(ctx, card.Order{Ref: o.Ref, Of: c.Ref, Amount: r.Money(), Back: st.Refunded}), outbound.Declined)
}

// believed takes a refusal for what it is worth: absent is what it means when
// the status proves that nothing went back.
func (s *Service) believed(ctx context.Context, a *card.Acquirer, r Refund, c Charge, res outbound.Result, absent outbound.Outcome) outbound.Result {
	if res.Outcome != outbound.Declined {
		return res
	}
	switch seen, text := r.see(c, a.Query(ctx, c.Ref)); seen {
	case sightDone:
		res.Outcome, res.Text = outbound.Succeeded, "refused, and done all the same"
	case sightAbsent:
		res.Outcome = absent
	default:
		res.Outcome, res.Text = outbound.Unknown, "refused, and not confirmed: "+text
	}
	return res
}

func (s *Service) inquireRefund(ctx context.Context, o operations.Operation) outbound.Result {
	r, c, a, _, err := s.refundAt(ctx, o)
	if err != nil {
		return outbound.Result{Outcome: outbound.Unknown, Text: err.Error()}
	}
	return r.inquired(c, a.Query(ctx, c.Ref))
}

// refundAt is what an operation over the card is about.
func (s *Service) refundAt(ctx context.Context, o operations.Operation) (r Refund, c Charge, a *card.Acquirer, barred string, err error) {
	if r, err = loadRefund(ctx, s.db, o.Subject); err != nil {
		return r, c, nil, "", err
	}
	if r.Ref != o.Ref || r.Connector != o.Connector {
		return r, c, nil, "", errors.New("the refund is asked for elsewhere by now")
	}
	if c, err = load(ctx, s.db, r.Charge); err != nil {
		return r, c, nil, "", err
	}
	a, barred, err = s.acquirer(ctx, s.db, o.Connector)
	return r, c, a, barred, err
}
