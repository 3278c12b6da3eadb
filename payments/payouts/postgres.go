package payouts

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/pg"
)

const columns = `id, payee, seller, bank, ref, currency, amount, rib, holder, state, needs_two, created_by, approved_by, approved_hash,
	waits, why, day, contradicted, owed, version, created_at, changed_at`

// lockParty has a beneficiary's payouts asked for one after the other, so that
// each sees what the one before left.
func lockParty(ctx context.Context, tx *pg.Tx, b Beneficiary) error {
	name := b.Name
	if b.Payee != Seller {
		name = b.String()
	}
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('payouts ' || $1, 0))`, name)
	return err
}

// lockFreeSellers is lockParty of sellers, but for those that others have.
func lockFreeSellers(ctx context.Context, tx *pg.Tx, sellers []string) ([]string, error) {
	return pg.Column[string](ctx, tx, `select seller from unnest($1::text[]) x (seller) where pg_try_advisory_xact_lock(hashtextextended('payouts ' || seller, 0))`, sellers)
}

func insert(tx *pg.Tx, p Payout, covers []escrow.Cover) {
	tx.Queue(`insert into payouts.payout (id, payee, seller, bank, ref, currency, amount, rib, holder, state, needs_two, created_by, created_at, changed_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)`,
		p.ID, p.Payee, p.Seller, p.Bank, p.Ref, p.Currency, p.Amount, p.RIB, p.Holder, p.State, p.NeedsTwo, p.CreatedBy, p.CreatedAt)
	insertCovers(tx, p.ID, covers)
}

func insertCovers(tx *pg.Tx, payout string, covers []escrow.Cover) {
	insertAllCovers(tx, slices.Repeat([]string{payout}, len(covers)), covers)
}

// insertAllCovers writes covers down, each of the payout beside it.
func insertAllCovers(tx *pg.Tx, payouts []string, covers []escrow.Cover) {
	if len(covers) == 0 {
		return
	}
	amounts := make([]int64, len(covers))
	for i, c := range covers {
		amounts[i] = c.Amount
	}
	tx.Queue(`insert into payouts.cover (payout, release, amount) select p, r, a from unnest($1::text[], $2::text[], $3::bigint[]) x (p, r, a)`,
		payouts, ids(covers), amounts)
}

func dropCovers(tx *pg.Tx, payout string) {
	tx.Queue(`delete from payouts.cover where payout = $1`, payout)
}

func load(ctx context.Context, db pg.DB, id string) (Payout, error) {
	return pg.One[Payout](ctx, db, ErrNotFound, `select `+columns+` from payouts.payout where id = $1`, id)
}

func lock(ctx context.Context, tx *pg.Tx, id string) (Payout, error) {
	return pg.One[Payout](ctx, tx, ErrNotFound, `select `+columns+` from payouts.payout where id = $1 for update`, id)
}

// save writes a payout's changes; above the limits of the day it is ErrLimit.
func save(tx *pg.Tx, p Payout) {
	waits, err := json.Marshal(p.Waits)
	if err != nil || p.Waits == nil {
		waits = []byte(`[]`)
	}
	hash := p.ApprovedHash
	if hash == nil {
		hash = []byte{}
	}
	tx.QueueThen(func(tag pgconn.CommandTag, err error) error { return changed(tag, err, 1) }, `update payouts.payout set state = $3, rib = $4, holder = $5, needs_two = $6, approved_by = $7, approved_hash = $8, waits = $9, why = left($10, 500),
			day = $11, contradicted = $12, owed = $13, changed_at = $14, version = version + 1
		where id = $1 and version = $2`,
		p.ID, p.Version, p.State, p.RIB, p.Holder, p.NeedsTwo, p.ApprovedBy, hash, waits, p.Why, p.Day, p.Contradicted, p.Owed, p.ChangedAt)
}

// changed says whether a change of so many payouts took place.
func changed(tag pgconn.CommandTag, err error, n int) error {
	switch {
	case pg.Code(err) == "HB070":
		return ErrState.With(err)
	case pg.Code(err) == "HB071":
		return ErrLimit.With(err)
	case err == nil && tag.RowsAffected() != int64(n):
		return ErrState
	}
	return err
}

func covered(ctx context.Context, db pg.DB, payout string) ([]escrow.Cover, error) {
	return pg.All[escrow.Cover](ctx, db, `select release, amount, false as settled from payouts.cover where payout = $1 order by release`, payout)
}

// draftsOver lists the drafts that cover any of these releases.
func draftsOver(ctx context.Context, db pg.DB, releases []string) ([]string, error) {
	return pg.Column[string](ctx, db, `select distinct p.id from payouts.cover c join payouts.payout p on p.id = c.payout
		where c.release = any($1) and p.state = 'draft' order by 1`, releases)
}

// A payee is a party at one of its accounts.
type payee struct{ Party, RIB string }

// cameBack are the accounts of some parties to which the bank returned a payout.
func cameBack(ctx context.Context, db pg.DB, kind Payee, parties ...string) (map[payee]bool, error) {
	type row struct {
		Seller string
		RIB    string `db:"rib"`
	}
	rows, err := pg.All[row](ctx, db, `select distinct seller, rib from payouts.payout where payee = $1 and seller = any($2) and state = 'returned'`, kind, parties)
	out := make(map[payee]bool, len(rows))
	for _, r := range rows {
		out[payee{r.Seller, r.RIB}] = true
	}
	return out, err
}

// lastPaid is the account of the last payout that reached a carrier or insurer.
func lastPaid(ctx context.Context, db pg.DB, b Beneficiary) (Account, error) {
	return pg.One[Account](ctx, db, ErrNoAccount, `select rib, holder, true as verified, '0001-01-01'::timestamptz as since from payouts.payout p
		where payee = $1 and seller = $2 and payee <> 'seller' and state = 'paid' and not contradicted
			and not exists (select from payouts.payout r where r.payee = p.payee and r.seller = p.seller and r.rib = p.rib and r.state = 'returned')
		order by id desc limit 1`, b.Payee, b.Name)
}

// A sought is what payouts are looked for by; zero fields are any.
type sought struct {
	seller, state, ref string
	amount             int64
}

// list pages through payouts, newest first; seller "" lists everybody's.
func list(ctx context.Context, db pg.DB, by sought, before string, limit int) ([]Payout, error) {
	var w pg.Where
	w.And(by.seller != "", "payee = 'seller' and seller =", by.seller)
	w.And(by.state != "", "state =", by.state)
	w.And(by.ref != "", "ref =", by.ref)
	w.And(by.amount > 0, "amount =", by.amount)
	w.And(before != "", "id <", before)
	most := w.Arg(limit)
	return pg.All[Payout](ctx, db, `select `+columns+` from payouts.payout where `+w.String()+` order by id desc limit `+most, w.Args()...)
}

func waiting(ctx context.Context, db pg.DB) (int, error) {
	return pg.Value[int](ctx, db, nil, `select count(*)::int from (select from payouts.payout where state = 'draft' and needs_two and approved_by = '' limit 100) w`)
}

// usedOn is what was approved for each of some parties, and for all, on a day.
// It is the caller's turn until its unit of work ends: what it approves, the next
// one sees.
func usedOn(ctx context.Context, tx *pg.Tx, kind Payee, day time.Time, parties ...string) (of map[string]int64, whole int64, err error) {
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('payouts of a day', 0))`); err != nil {
		return nil, 0, err
	}
	type row struct {
		Party  string
		Amount int64
	}
	rows, err := pg.All[row](ctx, tx, `select '' as party, coalesce(sum(amount), 0)::bigint as amount from payouts.payout where day = $3 and state not in ('draft', 'rejected')
		union all select seller, sum(amount)::bigint from payouts.payout
			where day = $3 and state not in ('draft', 'rejected') and payee = $1 and seller = any($2) group by seller`, kind, parties, day)
	of = make(map[string]int64, len(rows))
	for _, r := range rows {
		of[r.Party] = r.Amount
	}
	return of, of[""], err
}
