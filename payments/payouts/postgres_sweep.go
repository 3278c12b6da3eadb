package payouts

import (
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/pg"
)

// insertAll writes drafts down that nothing holds, with what they cover.
func insertAll(tx *pg.Tx, all []going) {
	var ids, sellers, banks, refs, currencies, ribs, holders, by []string
	var amounts []int64
	var at []time.Time
	var of []string
	var covers []escrow.Cover
	for _, g := range all {
		p := g.Payout
		ids, sellers, banks, refs, currencies = append(ids, p.ID), append(sellers, p.Seller), append(banks, p.Bank), append(refs, p.Ref), append(currencies, p.Currency)
		amounts, ribs, holders, by, at = append(amounts, p.Amount), append(ribs, p.RIB), append(holders, p.Holder), append(by, p.CreatedBy), append(at, p.CreatedAt)
		for _, c := range g.covers {
			of, covers = append(of, p.ID), append(covers, c)
		}
	}
	tx.Queue(`insert into payouts.payout (id, payee, seller, bank, ref, currency, amount, rib, holder, state, needs_two, created_by, created_at, changed_at)
		select id, 'seller', seller, bank, ref, currency, amount, rib, holder, 'draft', false, by, at, at
		from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::timestamptz[])
			x (id, seller, bank, ref, currency, amount, rib, holder, by, at)`, ids, sellers, banks, refs, currencies, amounts, ribs, holders, by, at)
	insertAllCovers(tx, of, covers)
}

// approveAll lets drafts go that were just made; above the limits of the day it
// is ErrLimit.
func approveAll(tx *pg.Tx, all []going, day, at time.Time) {
	ids := make([]string, len(all))
	for i, g := range all {
		ids[i] = g.ID
	}
	tx.QueueThen(func(tag pgconn.CommandTag, err error) error { return changed(tag, err, len(all)) },
		`update payouts.payout set state = 'approved', day = $2, changed_at = $3, version = version + 1 where id = any($1) and state = 'draft'`, ids, day, at)
}
