package escrow

import (
	"context"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// ErrPrice is a price that cannot be shared.
var ErrPrice = fault.New(fault.Invalid, "fees.price", "This is not a price that goods can have; see errors.")

// mostPrice is the dearest that goods are.
const mostPrice = 10_000_000_00

// ShareInput is a price of goods.
type ShareInput struct {
	Goods    string `query:"goods" required:"true" maxLength:"20" description:"In dirhams, as 50 or 49.90."`
	Category string `query:"category" maxLength:"60"`
}

// ShareView is what becomes of a price.
type ShareView struct {
	Goods   money.Money `json:"goods" required:"true"`
	Fees    money.Money `json:"fees" required:"true" description:"What the market takes of the seller, VAT included."`
	Share   money.Money `json:"share" required:"true" description:"What the seller has: the goods less the fees."`
	Reserve money.Money `json:"reserve" required:"true" description:"Of the share, what comes later."`
}

// ShowShare shows what a seller would have of a price today.
func (s *Service) ShowShare(ctx context.Context, in ShareInput) (v ShareView, err error) {
	goods, err := money.Parse(in.Goods, money.MAD)
	if err != nil || goods.Sign() < 0 || goods.Centimes() > mostPrice {
		return v, ErrPrice.At("?goods", "Write a price in dirhams, as 50 or 49.90.")
	}
	sheet, err := loadSheet(ctx, s.db)
	if err != nil {
		return v, err
	}
	at, err := clock.Now(ctx, s.db)
	if err != nil {
		return v, err
	}
	legs, _ := sheet.Share(Sale{Goods: map[string]int64{in.Category: goods.Centimes()}, At: at})
	share := money.Dirhams(legs.Seller + legs.Reserve)
	return ShareView{goods, goods.Sub(share), share, money.Dirhams(legs.Reserve)}, nil
}
