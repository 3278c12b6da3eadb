package payouts

import (
	"context"

	"tiwiza/adapters/bank"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/pg"
)

const columns = `id, seller, bank, ref, currency, amount, rib, holder, state, needs_two, created_by, approved_by, why, version, created_at, changed_at`

// lockSeller has a seller's payouts asked for one after the other, so that each
// sees what the one before left.
func lockSeller(ctx context.Context, tx *pg.Tx, seller string) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('payouts ' || $1, 0))`, seller)
	return err
}

// oneAtATime has a bank's files made one after the other.
func oneAtATime(ctx context.Context, tx *pg.Tx, bank string) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('payout file ' || $1, 0))`, bank)
	return err
}

func insert(tx *pg.Tx, p Payout, covers []escrow.Cover) {
	tx.Queue(`insert into payouts.payout (id, seller, bank, ref, currency, amount, rib, holder, state, needs_two, created_by, created_at, changed_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)`,
		p.ID, p.Seller, p.Bank, p.Ref, p.Currency, p.Amount, p.RIB, p.Holder, p.State, p.NeedsTwo, p.CreatedBy, p.CreatedAt)
	amounts := make([]int64, len(covers))
	for i, c := range covers {
		amounts[i] = c.Amount
	}
	tx.Queue(`insert into payouts.cover (payout, release, amount) select $1, r, a from unnest($2::text[], $3::bigint[]) x (r, a)`, p.ID, ids(covers), amounts)
}

func load(ctx context.Context, db pg.DB, id string) (Payout, error) {
	return pg.One[Payout](ctx, db, ErrNotFound, `select `+columns+` from payouts.payout where id = $1`, id)
}

func lock(ctx context.Context, tx *pg.Tx, id string) (Payout, error) {
	return pg.One[Payout](ctx, tx, ErrNotFound, `select `+columns+` from payouts.payout where id = $1 for update`, id)
}

func save(tx *pg.Tx, p Payout) {
	tx.QueueOne(ErrState, `update payouts.payout set state = $3, rib = $4, holder = $5, approved_by = $6, why = left($7, 500), changed_at = $8, version = version + 1
		where id = $1 and version = $2`, p.ID, p.Version, p.State, p.RIB, p.Holder, p.ApprovedBy, p.Why, p.ChangedAt)
}

func covered(ctx context.Context, db pg.DB, payout string) ([]escrow.Cover, error) {
	return pg.All[escrow.Cover](ctx, db, `select release, amount, false as settled from payouts.cover where payout = $1 order by release`, payout)
}

// draftsOver lists the drafts that cover any of these releases.
func draftsOver(ctx context.Context, db pg.DB, releases []string) ([]string, error) {
	return pg.Column[string](ctx, db, `select distinct p.id from payouts.cover c join payouts.payout p on p.id = c.payout
		where c.release = any($1) and p.state = 'draft' order by 1`, releases)
}

// cameBack says whether the bank returned a payout to this account.
func cameBack(ctx context.Context, db pg.DB, seller, rib string) (bool, error) {
	return pg.Value[bool](ctx, db, nil, `select exists (select from payouts.payout where seller = $1 and rib = $2 and state = 'returned')`, seller, rib)
}

// list pages through payouts, newest first; seller "" lists everybody's.
func list(ctx context.Context, db pg.DB, seller, before string, limit int) ([]Payout, error) {
	return pg.All[Payout](ctx, db, `select `+columns+` from payouts.payout
		where ($1 = '' or seller = $1) and ($2 = '' or id < $2) order by id desc limit $3`, seller, before, limit)
}

func insertFile(tx *pg.Tx, id, of string, f bank.File) {
	tx.Queue(`insert into payouts.file (id, bank, name, bytes, sha256) values ($1, $2, $3, $4, $5)`, id, of, f.Name, f.Bytes, f.SHA256)
}

type fileRow struct {
	Name   string
	Bytes  []byte
	SHA256 string `db:"sha256"`
}

func loadFile(ctx context.Context, db pg.DB, id string) (bank.File, error) {
	r, err := pg.One[fileRow](ctx, db, ErrNotFound, `select name, bytes, sha256 from payouts.file where id = $1`, id)
	return bank.File(r), err
}
