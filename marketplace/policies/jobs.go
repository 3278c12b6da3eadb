package policies

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"tiwiza/adapters/insurance"
	"tiwiza/payments/operations"
	"tiwiza/payments/premiums"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// Engine asks insurers for policies: an outcome that is not known resolves itself.
type Engine interface {
	Handle(kind string, h operations.Handler)
	Intend(tx *pg.Tx, in operations.Intention) operations.Operation
	Find(ctx context.Context, tx *pg.Tx, connector, ref string) (operations.Operation, error)
	AskNow(tx *pg.Tx, o operations.Operation)
	Queue(connector string) *river.InsertOpts
}

// fetchEvery is how often insurers are asked what they offer.
const fetchEvery = time.Hour

// meetEvery is how often the hub looks for insurers that it has not met.
const meetEvery = 5 * time.Minute

// Work says what jobs and timers do. It is called at start.
func (s *Service) Work(w *job.Workers, t *job.Timers) {
	job.Handle(w, func(ctx context.Context, e Errand) error { return s.run(ctx, e) })
	t.Handle(timerErrand, s.again)
	t.Handle(timerTurn, s.turn)
	t.Handle(timerAnswer, s.late)
	t.Handle(timerMonth, s.month)
	t.Handle(timerMeet, s.meet)
	t.Handle(timerAsk, s.askAgain)
	t.Handle(timerLook, s.lookAgain)
}

// Arm has insurers asked what they offer, and for their statements. It is called at
// start, by any number of hubs.
func (s *Service) Arm(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		job.SetOnce(tx, timerMeet, "all", tx.Now())
		return nil
	})
}

// meet has insurers that came while the hub runs asked what they offer, and for
// their statements.
func (s *Service) meet(ctx context.Context, tx *pg.Tx, _ string) error {
	now := tx.Now()
	job.Set(tx, timerMeet, "all", now.Add(meetEvery))
	all, err := s.Insurers.Names(ctx, tx)
	for _, i := range all {
		job.SetOnce(tx, timerErrand, Errand{errandFetch, i, i}.subject(), now)
		job.SetOnce(tx, timerMonth, i, nextMonth(now))
	}
	return err
}

// nextMonth is when insurers have their statement of a month ready.
func nextMonth(now time.Time) time.Time {
	return time.Date(now.Year(), now.Month()+1, 2, 6, 0, 0, 0, time.UTC)
}

// run runs an errand, and clears its timer when it came to its end.
func (s *Service) run(ctx context.Context, e Errand) error {
	i := s.at(ctx, s.db, e.Insurer)
	if i == nil {
		return nil // its timer tries again
	}
	var over bool
	var err error
	switch e.What {
	case errandQuote:
		over, err = s.askInsurer(ctx, i, e.Of)
	case errandPolicy:
		over, err = s.look(ctx, i, e.Of)
	case errandCancel:
		over, err = s.cancelThere(ctx, i, e.Of)
	case errandPaid:
		over, err = s.tellPaid(ctx, i, e.Of)
	case errandClaim:
		over, err = s.declare(ctx, i, e.Of)
	case errandAsk:
		over, err = s.lookAtClaim(ctx, i, e.Of)
	case errandObserve:
		over, err = s.observeThere(ctx, i, e.Of)
	case errandMonth:
		over, err = s.read(ctx, i, e.Of)
	case errandFetch:
		return s.fetch(ctx, i, e.Of) // its timer goes on
	}
	gone := errors.Is(err, ErrNotFound) // what it was about is not there
	if !gone && (err != nil || !over) {
		return err
	}
	if end := s.db.InTx(ctx, func(tx *pg.Tx) error {
		job.Clear(tx, timerErrand, e.subject())
		ended(tx, e, tx.Now())
		return nil
	}); end != nil || !gone {
		return end
	}
	return job.Cancel(err)
}

// again runs an errand once more, and sets the time of the next try.
func (s *Service) again(ctx context.Context, tx *pg.Tx, subject string) error {
	what, rest, _ := strings.Cut(subject, " ")
	insurer, of, _ := strings.Cut(rest, " ")
	there := s.at(ctx, tx, insurer) != nil
	wait := runAgain
	if what == errandFetch || !there {
		wait = fetchEvery
	}
	job.Set(tx, timerErrand, subject, tx.Now().Add(wait))
	e := Errand{what, insurer, of}
	if err := s.unanswered(ctx, tx, e); err != nil || !there {
		return err
	}
	tx.Enqueue(e, s.Engine.Queue(insurer))
	return nil
}

// asks are what errands are about, as people are told.
var asks = map[string]string{
	errandQuote: "it was asked for a price", errandPolicy: "it was asked how a policy stands", errandCancel: "it was asked to cancel a policy",
	errandPaid: "it was told of a later premium", errandClaim: "it was told of a claim", errandAsk: "it was asked how a claim stands",
	errandObserve: "it was told an index", errandMonth: "it was asked for its statement of a month",
}

// unanswered has people see to an errand that its insurer has not answered for
// days. It goes on all the same, and once it is answered nobody need see to it.
func (s *Service) unanswered(ctx context.Context, tx *pg.Tx, e Errand) error {
	since, err := errandSince(ctx, tx, e)
	if err != nil || since == nil || tx.Now().Sub(*since) < overdue {
		return err
	}
	return s.gap(ctx, tx, Gap{
		Insurer: e.Insurer, Kind: "no_answer", Ref: e.What, Subject: e.Of,
		Detail:     fmt.Sprintf("The insurer has not answered since %s: %s.", since.In(clock.Morocco).Format("02/01/2006 15:04"), asks[e.What]),
		Suggestion: "Call the insurer. It is asked again every few minutes, and this ends by itself when it answers.",
	})
}

// askAgain asks how a claim stands whose end is still to come: an event may have
// been lost.
func (s *Service) askAgain(ctx context.Context, tx *pg.Tx, claim string) error {
	c, err := lockClaim(ctx, tx, claim)
	if errors.Is(err, ErrNotFound) || err == nil && (c.State == insurance.ClaimPaid || c.State == insurance.ClaimRejected) {
		return nil
	}
	if err != nil {
		return err
	}
	s.send(tx, c.Insurer, errandAsk, c.ID)
	job.Set(tx, timerAsk, c.ID, tx.Now().Add(s.Every))
	return nil
}

// lookAgain asks once a day how a policy that holds stands.
func (s *Service) lookAgain(ctx context.Context, tx *pg.Tx, policy string) error {
	p, err := lockPolicy(ctx, tx, policy)
	if errors.Is(err, ErrNotFound) || err == nil && !p.Holds() {
		return nil
	}
	if err != nil {
		return err
	}
	s.send(tx, p.Insurer, errandPolicy, p.ID)
	job.Set(tx, timerLook, p.ID, tx.Now().Add(24*time.Hour))
	return nil
}

// turn does what happens to a policy by itself: it is reminded of, paid for by
// another period, lapses when it is not, and ends.
func (s *Service) turn(ctx context.Context, tx *pg.Tx, policy string) error {
	p, err := lockPolicy(ctx, tx, policy)
	if errors.Is(err, ErrNotFound) || err == nil && !p.Holds() {
		return nil
	}
	if err != nil {
		return err
	}
	now, was := tx.Now(), p
	if p.CancelRef != "" { // its insurer is asked to end it: nothing is taken, and its answer is waited for
		job.Set(tx, timerTurn, p.ID, now.Add(tryDaily))
		return nil
	}
	switch d := p.NextDue; {
	case !now.Before(p.Ends):
		return s.ends(ctx, tx, p, insurance.PolicyExpired, "its time is over")
	case d != nil && !now.Before(d.Add(grace)):
		return s.ends(ctx, tx, p, insurance.PolicyLapsed, "the premium of "+p.period()+" was not paid")
	case d != nil && !now.Before(*d):
		if p, err = s.takePeriod(ctx, tx, p); err != nil {
			return err
		}
	case d != nil && !p.Reminded && !now.Before(d.Add(-remindBefore)):
		p.Reminded = true
		if err := tx.Publish(ctx, p.told("premium_due", d)); err != nil {
			return err
		}
	}
	if !p.EndingTold && !now.Before(p.Ends.Add(-tellEnding)) {
		p.EndingTold = true
		if err := tx.Publish(ctx, p.told("ending", &p.Ends)); err != nil {
			return err
		}
	}
	if changed(was, p) {
		savePolicy(tx, p)
	}
	job.Set(tx, timerTurn, p.ID, p.turn(now))
	return nil
}

func changed(a, b Policy) bool {
	return a.Reminded != b.Reminded || a.EndingTold != b.EndingTold || a.Periods != b.Periods
}

// takePeriod pays for a policy's next period. When the balance is short the member
// is told, and it is tried again each day.
func (s *Service) takePeriod(ctx context.Context, tx *pg.Tx, p Policy) (Policy, error) {
	pr, err := s.Premiums.Take(ctx, tx, premiums.Taking{
		Policy: p.ID, Period: p.period(), Member: p.Member, Insurer: p.Insurer, Amount: p.money(p.Premium), Commission: p.money(p.Commission),
	})
	switch {
	case errors.Is(err, premiums.ErrShort), errors.Is(err, premiums.ErrBusy):
		return p, tx.Publish(ctx, p.told("premium_short", p.NextDue))
	case err != nil:
		return p, err
	}
	if err := tx.Flush(ctx); err != nil {
		return p, err
	}
	if err := s.Premiums.Bind(ctx, tx, pr.ID); err != nil {
		return p, err
	}
	audit.Record(tx, "insurance.premium", p.ID, "", map[string]any{"period": pr.Period, "premium": pr.ID, "amount": pr.Money()})
	s.send(tx, p.Insurer, errandPaid, p.ID+"/"+pr.ID)
	if err := tx.Publish(ctx, p.told("premium_taken", p.NextDue)); err != nil {
		return p, err
	}
	p.Periods++
	p.NextDue, p.Reminded = p.due(), false
	return p, nil
}

func (s *Service) ends(ctx context.Context, tx *pg.Tx, p Policy, to insurance.PolicyState, why string) error {
	next, err := p.Move(to, why)
	if err != nil {
		return err
	}
	savePolicy(tx, next)
	job.Clear(tx, timerTurn, p.ID)
	audit.Record(tx, "insurance."+string(to), p.ID, "", map[string]string{"why": why})
	return tx.Publish(ctx, next.moved())
}

// late tells of a claim that its insurer has not answered in time.
func (s *Service) late(ctx context.Context, tx *pg.Tx, claim string) error {
	c, err := lockClaim(ctx, tx, claim)
	if errors.Is(err, ErrNotFound) || err == nil && c.State != insurance.ClaimNotified && c.State != insurance.ClaimReview {
		return nil
	}
	if err != nil {
		return err
	}
	s.send(tx, c.Insurer, errandAsk, c.ID)
	job.Set(tx, timerAnswer, c.ID, tx.Now().Add(7*24*time.Hour))
	return tx.Publish(ctx, ClaimLate{c.ID, c.Policy, c.Member, c.Insurer, c.AnswerBy})
}

// month asks for the statement of the month that is over.
func (s *Service) month(_ context.Context, tx *pg.Tx, insurer string) error {
	now := tx.Now()
	job.Set(tx, timerMonth, insurer, nextMonth(now))
	st := Statement{ID: id.New(id.InsuranceStatement), Insurer: insurer, Period: now.AddDate(0, 0, -now.Day()).Format("2006-01"), State: "asked", AskedBy: "hub", AskedAt: now}
	insertStatement(tx, st, true)
	s.send(tx, insurer, errandMonth, st.ID)
	return nil
}

// Subscribe has policies hear that the money of a claim, or of a policy that was
// cancelled, is in the member's balance.
func Subscribe(bus *event.Bus, s *Service) {
	event.Subscribe(bus, "policies", func(ctx context.Context, tx *pg.Tx, e premiums.Settled) error {
		if e.Kind != premiums.Claim {
			return nil
		}
		c, err := lockClaim(ctx, tx, e.Of)
		if errors.Is(err, ErrNotFound) || err == nil && c.State == insurance.ClaimPaid {
			return nil
		}
		if err != nil {
			return err
		}
		c.State = insurance.ClaimPaid
		saveClaim(tx, c)
		job.Clear(tx, timerAnswer, c.ID)
		audit.Record(tx, "insurance.claim_paid", c.ID, "", map[string]any{"amount": e.Amount, "way": e.Way})
		return tx.Publish(ctx, c.moved())
	})
}
