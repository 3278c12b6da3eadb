package notices

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"tiwiza/adapters/notify"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// How often one address is written to. What can wait does so when it is more; a
// code is not sent when there were so many of whatever kind: somebody plays with
// another's number.
const (
	hourly      = 12
	daily       = 40
	hourlyCodes = 20
)

// lease is how long a gateway's answer is waited for: longer than any call, so
// that after it whoever asked is gone.
const lease = 90 * time.Second

// A sending is one call of one gateway.
type sending struct {
	carrier *notify.Carrier
	message notify.Message
	notice  string
	attempt Attempt
}

// Bring sends a notice that is due, once. It asks a gateway between two units of
// work: what was about to be sent is on record before, so that a hub that dies
// leaves an unknown outcome, never an unknown send.
func (s *Service) Bring(ctx context.Context, notice string) error {
	var out *sending
	err := s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		out, err = s.take(ctx, tx, notice)
		return err
	})
	if err != nil || out == nil {
		return err
	}
	r := out.carrier.Send(ctx, out.message)
	if r.Outcome == outbound.Unknown {
		r = asked(ctx, *out, r)
	}
	if r.Err != nil {
		slog.WarnContext(ctx, "a notice was not taken", "notice", out.notice, "carrier", out.carrier.ID(), "outcome", r.Outcome, "reason", r.Reason, "error", r.Err)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.db.InTx(last, func(tx *pg.Tx) error { return s.heard(last, tx, *out, r) })
}

// asked asks a gateway what became of a message that is in doubt, before anybody sends
// it again. One that it never had stays in doubt: it may still be on its way there.
func asked(ctx context.Context, out sending, doubt outbound.Result) outbound.Result {
	n, r := out.carrier.Ask(ctx, out.message.Ref)
	if r.Outcome != outbound.Succeeded {
		return doubt
	}
	r = outbound.Result{Outcome: outbound.Accepted, PartnerID: n.PartnerID, Code: n.Code}
	switch n.State {
	case notify.Delivered:
		r.Outcome = outbound.Succeeded
	case notify.Failed:
		r.Outcome = outbound.Declined
	}
	return r
}

// take locks a notice that is due and writes down what is about to be sent; nil
// when there is nothing to send now.
func (s *Service) take(ctx context.Context, tx *pg.Tx, notice string) (*sending, error) {
	n, err := lock(ctx, tx, notice)
	if err != nil || n.State != Waiting || n.DueAt.After(tx.Now()) {
		return nil, unlessGone(err)
	}
	serving := s.serving(ctx, tx)
	turn, tries, err := s.turn(ctx, tx, n, serving)
	if err != nil {
		return nil, err
	}
	if turn.End != "" || turn.At.After(tx.Now()) {
		return nil, s.settle(ctx, tx, n, turn, 0)
	}
	free, err := s.crowded(ctx, tx, n, turn.Channel)
	switch {
	case err != nil:
		return nil, err
	case !free.IsZero() && n.Kind.spec().Class == Urgent:
		return nil, s.settle(ctx, tx, n, Turn{End: Dropped, Reason: "too_many"}, 0)
	case !free.IsZero():
		return nil, s.settle(ctx, tx, n, Turn{Channel: turn.Channel, At: free}, 0)
	}
	secrets, err := s.Box.open(n.ID, n.Sealed)
	if err != nil {
		slog.ErrorContext(ctx, "a notice cannot be opened: hubs on one database share one key", "notice", n.ID, "error", err)
		return nil, s.settle(ctx, tx, n, Turn{End: Failed, Reason: "sealed"}, 0)
	}
	return s.send(tx, n, serving[turn.Channel], tries, merged(n.Params, secrets)), nil
}

// turn says what comes next for a notice, by those who bring messages now.
func (s *Service) turn(ctx context.Context, tx *pg.Tx, n Notice, serving map[notify.Channel]*notify.Carrier) (Turn, []Attempt, error) {
	tries, err := attemptsOf(ctx, tx, n.ID)
	if err != nil {
		return Turn{}, nil, err
	}
	wishes, err := settingsOf(ctx, tx, n.Owner)
	return n.Next(wishes.Way(n, s.Ways, serving), tries, tx.Now()), tries, err
}

// send writes down that a notice goes out by who serves a channel.
func (s *Service) send(tx *pg.Tx, n Notice, carrier *notify.Carrier, tries []Attempt, values map[string]string) *sending {
	c := carrier.Channel()
	r := n.render(c, values)
	_, parts := notify.Count(r.text)
	if c != notify.SMS {
		parts = 1
	}
	a := Attempt{ID: id.New(id.Attempt), Notice: n.ID, Channel: c, Carrier: carrier.ID(), Address: n.address(c), Parts: parts, Version: 1}
	if i := slices.IndexFunc(tries, func(t Attempt) bool { return t.Channel == c }); i >= 0 {
		a = tries[i]
	}
	if a.Carrier != carrier.ID() { // another brings it than the last time
		a.Carrier, a.PartnerID = carrier.ID(), ""
	}
	a.State, a.At = TrySending, tx.Now()
	a.Sends++
	put(tx, a)
	if a.Sends > 1 {
		a.Version++
	}
	n.State = Sending
	save(tx, n)
	job.Set(tx, timerTurn, n.ID, tx.Now().Add(lease))
	return &sending{carrier: carrier, notice: n.ID, attempt: a, message: notify.Message{
		Ref: a.ID, To: a.Address, Subject: r.subject, Text: r.text, Lang: n.Lang, Template: r.template, Params: r.params, Valid: n.ExpiresAt.Sub(tx.Now()),
	}}
}

// crowded says when an address may be written to again, if not now.
func (s *Service) crowded(ctx context.Context, tx *pg.Tx, n Notice, c notify.Channel) (free time.Time, err error) {
	class, now := n.Kind.spec().Class, tx.Now()
	if class == Safety {
		return free, nil
	}
	inHour, inDay, err := crowd(ctx, tx, n.address(c), now.Add(-time.Hour), now.Add(-day))
	switch {
	case err != nil:
	case class == Urgent && inHour >= hourlyCodes, class == News && inHour >= hourly:
		free = Awake(now.Add(time.Hour))
	case class == News && inDay >= daily:
		free = Awake(now.Add(day / 2))
	}
	return free, err
}

// heard writes down what a gateway answered. A report may have come before it, or
// the wait for it been given up.
func (s *Service) heard(ctx context.Context, tx *pg.Tx, out sending, r outbound.Result) error {
	n, err := lock(ctx, tx, out.notice)
	if err != nil {
		return unlessGone(err)
	}
	tries, err := attemptsOf(ctx, tx, n.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(tries, func(a Attempt) bool { return a.ID == out.attempt.ID })
	if i < 0 || tries[i].Sends != out.attempt.Sends || tries[i].State != TrySending && tries[i].State != TryUnknown {
		return nil
	}
	saveAttempt(tx, tries[i].Heard(r))
	return s.onward(ctx, tx, n, r.RetryAfter)
}

// onward moves a notice on by what became of its attempts.
func (s *Service) onward(ctx context.Context, tx *pg.Tx, n Notice, wait time.Duration) error {
	turn, _, err := s.turn(ctx, tx, n, s.serving(ctx, tx))
	if err != nil || n.State.ended() && (turn.End == "" || turn.End == n.State) {
		return err // what has ended is not sent again: its secrets are gone
	}
	return s.settle(ctx, tx, n, turn, wait)
}

// settle brings a notice to what its turn says; a gateway may have asked to be left
// alone for a while.
func (s *Service) settle(ctx context.Context, tx *pg.Tx, n Notice, t Turn, wait time.Duration) error {
	was := n.State
	switch {
	case t.End != "":
		n.State, n.Reason = t.End, t.Reason
	default:
		n.State, n.DueAt = Waiting, t.At
		if after := tx.Now().Add(wait); wait > 0 && after.After(n.DueAt) {
			n.DueAt = after
		}
		if n.Kind.spec().Class == News {
			n.DueAt = Awake(n.DueAt)
		}
	}
	if n.State.ended() {
		n.Sealed = nil
	}
	save(tx, n)
	s.arm(tx, n)
	if n.State == was || !n.State.ended() && n.State != Sent {
		return nil
	}
	return tx.Publish(ctx, Moved{Notice: n.ID, Owner: n.Owner, Kind: n.Kind, State: n.State})
}
