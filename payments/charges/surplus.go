package charges

import (
	"context"
	"log/slog"

	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// giveBack sends money of a transfer back that is not for the orders.
func (s *Service) giveBack(ctx context.Context, _ *pg.Tx, c Charge, _ Wire, amount int64, why string) error {
	slog.WarnContext(ctx, "money is to go back", "charge", c.ID, "amount", money.FromCentimes(amount, c.Currency).String(), "why", why)
	return nil
}
