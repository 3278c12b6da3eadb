package escrow

import (
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// A Grant is money that a member was given for no order: an insurer's, say. It
// lies in the safeguard account, and payouts cover it as they cover what orders
// released.
type Grant struct {
	Seller   string
	Of       string // what it was given for
	Currency string
	Amount   int64 // centimes
}

// Grant notes such money, a step of whoever books it into the member's balance.
func (s *Service) Grant(tx *pg.Tx, g Grant) {
	insertRelease(tx, id.New(id.Release), Hold{Order: g.Of, Seller: g.Seller, Currency: g.Currency, Settled: true}, g.Amount)
}
