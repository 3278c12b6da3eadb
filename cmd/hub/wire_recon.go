package main

import (
	"context"
	"errors"

	"tiwiza/marketplace/members"
	"tiwiza/payments/limits"
	"tiwiza/payments/payouts"
	"tiwiza/payments/recon"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// suspended tells reconciliation whether a member is suspended.
func barred(m *members.Service) func(context.Context, pg.DB, string) (bool, error) {
	return func(ctx context.Context, db pg.DB, organisation string) (bool, error) {
		found, err := m.Suspended(ctx, db, organisation)
		return found[organisation], err
	}
}

// alone tells reconciliation what one person may still give up.
func alone(bounds *limits.Service) func(context.Context, *pg.Tx, string, money.Money) (bool, error) {
	return func(ctx context.Context, tx *pg.Tx, person string, amount money.Money) (bool, error) {
		return bounds.Alone(ctx, tx, limits.OfWriteOffs, person, amount)
	}
}

// receivers tells reconciliation who is paid by a payout.
func receivers(pay *payouts.Service) func(context.Context, pg.DB, string) (string, string, error) {
	return func(ctx context.Context, db pg.DB, subject string) (name, rib string, err error) {
		p, err := pay.ByID(ctx, db, subject)
		if errors.Is(err, payouts.ErrNotFound) {
			err = recon.ErrNotOurs
		}
		return p.Holder, p.RIB, err
	}
}

// owner tells reconciliation whose keys hand in a bank's statements: as the
// partners' file says, else the demonstration market's bank.
func owner(store *pg.Store, p *partners, o options) func(context.Context, string) (string, error) {
	return func(ctx context.Context, name string) (string, error) {
		if p.owner != "" || !o.Demo || name != bankName {
			return p.owner, nil
		}
		m, err := loadNote[market](ctx, store, "demo")
		if errors.Is(err, errNoNote) {
			return "", nil
		}
		return m.Bank, err
	}
}
