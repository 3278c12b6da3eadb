package recon

import (
	"context"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/pg"
)

// Step is Take as part of a test's unit of work.
func (s *Service) Step(ctx context.Context, tx *pg.Tx, h House, f bank.Received) ([]Read, error) {
	return s.take(ctx, tx, h, f)
}

// DayOver is the timer that closes a day by itself.
func (s *Service) DayOver(ctx context.Context, tx *pg.Tx, day string) error {
	return s.dayOver(ctx, tx, day)
}
