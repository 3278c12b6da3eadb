package payouts

import (
	"context"
	"errors"
	"log/slog"

	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

const (
	timerReady = "payouts.ready" // a draft may be ready now
	timerDue   = "payouts.due"   // a beneficiary is paid by its schedule
)

// Work registers the timers of payouts.
func (s *Service) Work(t *job.Timers) {
	t.Handle(timerReady, s.retry)
	t.Handle(timerDue, s.scheduled)
	t.HandleMany(timerDue, s.sweep)
}

// scheduled makes the payout of a beneficiary whose time has come, of all the
// settled money that is due, unless it is less than the minimum. Each is a unit
// of work of its own, and several hubs share them out: whoever finds one claimed
// passes it over.
func (s *Service) scheduled(ctx context.Context, tx *pg.Tx, named string) error {
	b, ok := parse(named)
	if !ok {
		return nil
	}
	if err := lockParty(ctx, tx, b); err != nil {
		return err
	}
	v, err := setting(ctx, tx, b)
	if err != nil || v.Schedule == Manual {
		return err
	}
	job.Set(tx, timerDue, named, v.Schedule.Next(tx.Now()))
	want, err := s.due(ctx, tx, b, money.MAD)
	if err == nil && b.Payee == Seller {
		var settled int64
		settled, err = s.Escrows.Payable(ctx, tx, b.Name, money.MAD)
		want = min(want, settled)
	}
	if err != nil || want <= 0 || want < v.Minimum {
		return err
	}
	a, err := s.account(ctx, tx, b, nil)
	if errors.Is(err, ErrNoAccount) || err == nil && a.RIB == "" {
		slog.WarnContext(ctx, "a scheduled payout has no account to go to", "beneficiary", named)
		return nil
	}
	if err != nil {
		return err
	}
	covers, want, err := s.take(ctx, tx, b, want, false)
	if err != nil {
		return err
	}
	p, err := s.draft(ctx, tx, b, want, covers, a, false)
	return s.refused(ctx, tx, p, err)
}
