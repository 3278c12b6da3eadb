package charges

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"tiwiza/payments/operations"
	"tiwiza/pkg/pg"
)

// ByRef is the charge that an acquirer knows by our reference, or ErrNotFound; a
// wallet knows its refunds by references of their own.
func (s *Service) ByRef(ctx context.Context, db pg.DB, acquirer, ref string) (Charge, error) {
	if is, err := s.isWallet(ctx, db, acquirer); err != nil {
		return Charge{}, err
	} else if is {
		return s.byWalletRef(ctx, db, acquirer, ref)
	}
	return byRef(ctx, db, acquirer, ref)
}

func (s *Service) byWalletRef(ctx context.Context, db pg.DB, name, ref string) (Charge, error) {
	if r, err := requestOf(ctx, db, name, ref); err == nil || !errors.Is(err, ErrNotFound) {
		return loadOr(ctx, db, r.Charge, err)
	}
	refund, ok := refundOfRef(ref)
	if !ok {
		return Charge{}, ErrNotFound
	}
	ops, err := s.ops.Of(ctx, db, refund)
	if err != nil || !slices.ContainsFunc(ops, func(o operations.Operation) bool { return o.Connector == name && o.Ref == ref }) {
		return Charge{}, cmp.Or(err, error(ErrNotFound))
	}
	r, err := loadRefund(ctx, db, refund)
	return loadOr(ctx, db, r.Charge, err)
}

// loadOr is a charge whose name was found, or why it was not.
func loadOr(ctx context.Context, db pg.DB, id string, err error) (Charge, error) {
	if err != nil {
		return Charge{}, err
	}
	return load(ctx, db, id)
}

// ByID is a charge, or ErrNotFound.
func (s *Service) ByID(ctx context.Context, db pg.DB, id string) (Charge, error) {
	return load(ctx, db, id)
}

// Unsettled lists up to limit charges that wait for their acquirer's money,
// of an amount in centimes; the oldest first.
func (s *Service) Unsettled(ctx context.Context, db pg.DB, amount int64, currency string, limit int) ([]Charge, error) {
	return unsettled(ctx, db, amount, currency, limit)
}

// Otherwise says that money which waited in suspense was for nothing here, by
// people's word: no list and no announcement is matched with it any more.
func (s *Service) Otherwise(tx *pg.Tx, line, by string) { otherwise(tx, line, by) }
