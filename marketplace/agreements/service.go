package agreements

import (
	"context"

	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// timerUntil is when an agreement that nobody used ends, by agreement.
const timerUntil = "agreements.until"

// Service is what others may ask of agreements.
type Service struct{ db *pg.Store }

// New makes the service.
func New(db *pg.Store) *Service { return &Service{db} }

// Timers registers the timers of agreements.
func Timers(t *job.Timers, s *Service) { t.Handle(timerUntil, s.due) }

// Make writes down what was agreed on, a step of whoever brought the two
// together. Of one source there is one agreement.
func (s *Service) Make(ctx context.Context, tx *pg.Tx, a Agreement) (Agreement, error) {
	a.ID, a.State, a.Order, a.MadeAt, a.Version = id.New(id.Agreement), Open, "", tx.Now(), 1
	if err := a.Check(a.MadeAt); err != nil {
		return a, err
	}
	insert(tx, a)
	job.Set(tx, timerUntil, a.ID, a.Until)
	return a, tx.Publish(ctx, a.news())
}

// Of reads agreements by their ids; those that there are not are left out.
func (s *Service) Of(ids []string, out *[]Agreement) pg.Read { return of(ids, out) }

// OfOrder are the agreements of a kind that an order uses.
func (s *Service) OfOrder(ctx context.Context, db pg.DB, order, kind string) ([]Agreement, error) {
	return ofOrder(ctx, db, order, kind)
}

// Use has an order use an agreement, in the caller's unit of work, whose error is
// ErrUsed when it does not hold any more. Who uses several does so in the order
// of their ids, after the stock and the promotions.
func (s *Service) Use(ctx context.Context, tx *pg.Tx, a Agreement, order string) error {
	use(tx, a.ID, order)
	a.State, a.Order = Used, order
	return tx.Publish(ctx, a.news())
}

// GiveBack frees what an order used that ended unpaid. What has run out
// meanwhile ends. Again is harmless.
func (s *Service) GiveBack(ctx context.Context, tx *pg.Tx, order string) error {
	all, err := giveBack(ctx, tx, order)
	if err != nil {
		return err
	}
	for _, a := range all {
		job.Set(tx, timerUntil, a.ID, a.Until)
		if err := tx.Publish(ctx, a.news()); err != nil {
			return err
		}
	}
	return nil
}

// End ends an agreement that no order uses, a step of whoever made it. One that
// is used is ErrUsed; ending it again is harmless.
func (s *Service) End(ctx context.Context, tx *pg.Tx, agreement string) (Agreement, error) {
	a, err := lock(ctx, tx, agreement)
	switch {
	case err != nil || a.State == Ended:
		return a, err
	case a.State == Used:
		return a, ErrUsed
	}
	return s.end(ctx, tx, a)
}

func (s *Service) end(ctx context.Context, tx *pg.Tx, a Agreement) (Agreement, error) {
	a.State = Ended
	end(tx, a)
	job.Clear(tx, timerUntil, a.ID)
	return a, tx.Publish(ctx, a.news())
}

// due ends an agreement whose time is over. One that an order uses is looked at
// again if the order gives it back.
func (s *Service) due(ctx context.Context, tx *pg.Tx, agreement string) error {
	a, err := lock(ctx, tx, agreement)
	if err != nil || a.State != Open || tx.Now().Before(a.Until) {
		return err
	}
	_, err = s.end(ctx, tx, a)
	return err
}
