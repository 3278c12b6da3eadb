package limits

import (
	"context"

	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// What one of the operator's people may decide alone, within a sum.
const (
	OfWriteOffs = "write_off" // of a bank's line, given up or said to be a fee
	OfGiveBacks = "give_back" // of what was released, back to its buyer
)

// Alone counts what a person is about to decide alone as part of the caller's
// unit of work. It is false, and nothing is counted, when that would reach a
// rule: then a second person must agree. Like Check it comes before the caller
// locks balances.
func (s *Service) Alone(ctx context.Context, tx *pg.Tx, what, person string, amount money.Money) (bool, error) {
	keys := []key{{"all", "*", amount.Centimes()}, {"person", person, amount.Centimes()}}
	figures, err := s.figures(ctx, tx, what, "", keys)
	if err != nil {
		return false, err
	}
	if worst, _ := verdict(figures); worst != Pass {
		return false, nil
	}
	count(tx, what, "", keys, tx.Now(), 1)
	return true, nil
}
