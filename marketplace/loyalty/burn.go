package loyalty

import (
	"context"
	"fmt"
	"time"

	"tiwiza/marketplace/promotions"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Gifts gives people something to take off one order.
type Gifts interface {
	Grant(ctx context.Context, tx *pg.Tx, g promotions.Gift) (promotion, code string, err error)
}

// A Voucher is what points were spent on.
type Voucher struct {
	Promotion string
	Person    string
	Move      string
	Points    int64
	Worth     int64 // centimes
	Until     time.Time
	Back      int64 // points that came back
	EndedAt   *time.Time
	Version   int64
}

// returns is how many points have come back of a voucher whose order's buyer has
// kept so much of a total: what is not whole stays spent.
func (v Voucher) returns(kept, total int64) int64 { return due(v.Points, total-kept, total) }

// BurnInput spends points.
type BurnInput struct {
	Points int64 `json:"points" required:"true" minimum:"1" maximum:"100000000"`
}

// BurnView is what they were spent on.
type BurnView struct {
	Promotion string      `json:"promotion" required:"true"`
	Code      string      `json:"code" required:"true" description:"What the buyer types for a quote, once."`
	Amount    money.Money `json:"amount" required:"true"`
	Points    int64       `json:"points" required:"true"`
	Until     time.Time   `json:"until" required:"true" description:"Not used by then, the points come back; those that would be over are over."`
}

// giftNames are what such a promotion is called.
var giftNames = map[string]string{"fr": "Points de fidélité", "ar": "نقط الوفاء", "en": "Loyalty points"}

// Burn spends points of the caller's, those that are over first in front, on
// something that the market takes off one order.
func (s *Service) Burn(ctx context.Context, tx *pg.Tx, in BurnInput) (v BurnView, err error) {
	person := auth.From(ctx).Subject
	terms, err := termsAt(ctx, tx, tx.Now())
	if err != nil {
		return v, err
	}
	if in.Points < terms.Least {
		return v, ErrInvalid.At("/points", fmt.Sprintf("At least %d points are spent at once.", terms.Least))
	}
	a, lots, err := lockAccount(ctx, tx, person)
	if err != nil {
		return v, err
	}
	after, m, err := a.Debit(Burnt, in.Points, lots)
	if err != nil {
		return v, ErrPoints.Say("You have %d points, not %d.", a.Points, in.Points)
	}
	w := Voucher{Person: person, Points: in.Points, Worth: in.Points * int64(terms.Worth), Until: tx.Now().AddDate(0, 0, terms.VoucherDays)}
	var code string
	w.Promotion, code, err = s.Gifts.Grant(ctx, tx, promotions.Gift{Person: person, Amount: w.Worth, Names: giftNames, Until: w.Until, MadeFor: "loyalty"})
	if err != nil {
		return v, err
	}
	if w.Move, err = s.keep(ctx, tx, a, after, m, w.Promotion, ""); err != nil {
		return v, err
	}
	insertVoucher(tx, w)
	audit.Record(tx, "loyalty.burn", w.Promotion, authz.Policy(ctx), in)
	return BurnView{w.Promotion, code, money.Dirhams(w.Worth), w.Points, w.Until.UTC()}, nil
}

// used writes down which order a voucher is used for, whose money may have gone
// back by now.
func (s *Service) used(ctx context.Context, tx *pg.Tx, e promotions.Used) error {
	insertUse(tx, e.Promotion, e.Order)
	return s.settle(ctx, tx, e.Order)
}

// lapsed gives points back that were spent on what was not used in time. They are
// over when they would have been: whoever lets it lapse does not make old points
// young.
func (s *Service) lapsed(ctx context.Context, tx *pg.Tx, e promotions.Lapsed) error {
	all, err := lockVoucher(ctx, tx, e.Promotion)
	if err != nil || len(all) == 0 || all[0].EndedAt != nil {
		return err
	}
	at := tx.Now()
	all[0].EndedAt = &at
	return s.giveBack(ctx, tx, all[0], all[0].Points, time.Time{})
}

// refund gives points back that were spent on an order whose money went back, in
// proportion, for at least the time of notice: or spends them again.
func (s *Service) refund(ctx context.Context, tx *pg.Tx, order string, h escrow.Hold, total int64) error {
	if h.FundedAt == nil || total == 0 {
		return nil // what was never paid is given back as a whole
	}
	all, err := lockVouchers(ctx, tx, order)
	if err != nil {
		return err
	}
	for _, v := range all {
		if err := s.giveBack(ctx, tx, v, v.returns(min(h.Claim(), total), total), tx.Now().Add(notice)); err != nil {
			return err
		}
	}
	return nil
}

// giveBack brings the points that came back of a voucher to what they shall be.
func (s *Service) giveBack(ctx context.Context, tx *pg.Tx, v Voucher, back int64, least time.Time) error {
	n := back - v.Back
	if n == 0 && v.EndedAt == nil {
		return nil
	}
	v.Back = back
	saveVoucher(tx, v)
	ref := fmt.Sprintf("%s/%d", v.Promotion, v.Version+1)
	switch {
	case n > 0:
		until, err := drawnUntil(ctx, tx, v.Move)
		if err != nil {
			return err
		}
		if until.Before(least) {
			until = least
		}
		return s.credit(ctx, tx, v.Person, GivenBack, ref, n, "", &until)
	case n < 0:
		return s.debit(ctx, tx, v.Person, TakenBack, ref, -n, "", func(lots []Lot) []Lot { return youngest(lots, "") })
	}
	return nil
}
