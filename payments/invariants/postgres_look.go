package invariants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

// counted is how many things there are of each kind that guarantees speak of.
var counted = map[string]string{
	"escrows":              `select count(*) from escrow.hold`,
	"order groups":         `select count(*) from orders.order_group`,
	"charges":              `select count(*) from charges.charge where state = 'confirmed'`,
	"operations":           `select count(*) from operations.operation`,
	"payouts":              `select count(*) from payouts.payout`,
	"refunds and payouts":  `select (select count(*) from charges.refund) + (select count(*) from payouts.payout)`,
	"looks into dossiers":  `select count(*) from sharing.consultation`,
	"words of people":      `select count(*) from accords.accord`,
	"accounts":             `select count(*) from ledger.account`,
	"reserves":             `select count(*) from escrow.lot`,
	"answers kept":         `select count(*) from platform.answer`,
	"events":               `select count(*) from platform.event`,
	"policies":             `select count(*) from policies.policy`,
	"promotions used":      `select count(*) from promotions.redemption where given_back_at is null`,
	"group buys":           `select count(*) from groupbuys.group_buy`,
	"pools":                `select count(*) from pools.pool`,
	"moves of points":      `select count(*) from loyalty.move`,
	"invoices":             `select count(*) from orders.invoice`,
	"variants":             `select count(*) from catalog.variant`,
	"halts":                `select count(*) from treasury.halt`,
	"transfers":            `select count(*) from ledger.transfer`,
	"sealed blocks":        `select (select count(*) from ledger.block) + (select count(*) from platform.audit_block)`,
	"statement lines":      `select count(*) from recon.line`,
	"pieces of evidence":   `select count(*) from operations.evidence`,
	"closed days":          `select count(*) from recon.closing`,
	"parcels paid in cash": `select count(*) from charges.parcel`,
	"webhooks delivered":   `select count(*) from platform.webhook_delivery where state = 'delivered'`,
}

// counts counts them all.
func counts(ctx context.Context, tx pgx.Tx) (map[string]int64, error) {
	out := make(map[string]int64, len(counted))
	for of, sql := range counted {
		var n int64
		if err := tx.QueryRow(ctx, sql).Scan(&n); err != nil {
			return nil, fmt.Errorf("count %s: %w", of, err)
		}
		out[of] = n
	}
	return out, nil
}

// claim takes the next look if it is due, for a while in which no other hub
// takes it. It says whether the seals are to be read from their beginning.
func claim(ctx context.Context, tx *pg.Tx, lease time.Duration) (full bool, err error) {
	return pg.Value[bool](ctx, tx, errNotDue, `update invariants.look set due = platform.now() + $1 where due <= platform.now()
		returning proved_at is null or proved_at < platform.now() - interval '24 hours'`, lease)
}

// keep writes down what a look found, unless a later one has; the next is due
// after wait.
func keep(tx *pg.Tx, r Report, wait time.Duration) error {
	figures, err := json.Marshal(r.Figures)
	if err != nil {
		return err
	}
	counts, err := json.Marshal(r.Counts)
	if err != nil {
		return err
	}
	tx.Queue(`update invariants.look set at = $1, proved_at = case when $2 then $1 else proved_at end, took_ms = $3, figures = $4, counts = $5,
			due = platform.now() + $6
		where at is null or at < $1`, r.At, r.Full, r.took.Milliseconds(), figures, counts, wait)
	for _, f := range r.Findings {
		tx.Queue(`insert into invariants.finding as f (id, violations, at, since) values ($1, $2, $3, case when $2::bigint > 0 then $3::timestamptz end)
			on conflict (id) do update set violations = excluded.violations, at = excluded.at,
				since = case when excluded.violations > 0 then coalesce(f.since, excluded.since) end
			where f.at < excluded.at`, f.ID, f.Count, r.At)
	}
	return nil
}

// lookRow is a look and what it found, read in one statement so that both are of
// one look.
type lookRow struct {
	At       time.Time
	ProvedAt *time.Time
	Figures  []byte
	Counts   []byte
	Found    []byte
}

// last is the last report that a hub kept, or errNone.
func last(ctx context.Context, db pg.DB) (r Report, err error) {
	row, err := pg.One[lookRow](ctx, db, errNone, `select at, proved_at, figures, counts,
			(select coalesce(jsonb_object_agg(id, jsonb_build_object('count', violations, 'since', since)), '{}') from invariants.finding) as found
		from invariants.look where at is not null`)
	if err != nil {
		return r, err
	}
	r.At, r.ProvedAt = row.At.UTC(), row.ProvedAt
	found := map[string]Finding{}
	err = errors.Join(json.Unmarshal(row.Figures, &r.Figures), json.Unmarshal(row.Counts, &r.Counts), json.Unmarshal(row.Found, &found))
	if err != nil {
		return r, fmt.Errorf("read the last look: %w", err)
	}
	for _, i := range All { // what was found of a promise that is no more is not shown
		if f, ok := found[i.ID]; ok {
			r.Findings = append(r.Findings, Finding{ID: i.ID, Promise: i.Promise, Count: f.Count, Since: f.Since})
		}
	}
	return r, nil
}
