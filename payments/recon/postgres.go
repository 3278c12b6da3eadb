package recon

import (
	"context"
	"errors"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/pg"
)

var errNoFile = errors.New("there is no such file")

// oneAtATime has a bank's files taken in one after the other, so that two hubs
// never book one file both.
func oneAtATime(ctx context.Context, tx *pg.Tx, bank string) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('recon ' || $1, 0))`, bank)
	return err
}

type fileRow struct{ ID, Kind, Error string }

func fileBySum(ctx context.Context, tx *pg.Tx, bank, sha256 string) (fileRow, error) {
	return pg.One[fileRow](ctx, tx, errNoFile, `select id, kind, error from recon.file where bank = $1 and sha256 = $2
		order by kind = 'unreadable' limit 1`, bank, sha256)
}

func insertFile(tx *pg.Tx, id, of string, f bank.Received, kind, problem string) {
	tx.Queue(`insert into recon.file (id, bank, name, sha256, bytes, kind, error) values ($1, $2, $3, $4, $5, $6, left($7, 1000))`,
		id, of, f.Name, f.SHA256, f.Bytes, kind, problem)
}

func readsOf(ctx context.Context, tx *pg.Tx, file string) ([]Read, error) {
	return pg.All[Read](ctx, tx, `select id, entries, matched, partly, unmatched from recon.statement where file = $1 order by id`, file)
}

type statementRow struct {
	Read
	Content []byte
}

func statementByName(ctx context.Context, tx *pg.Tx, of string, st bank.Statement) (statementRow, error) {
	return pg.One[statementRow](ctx, tx, errNoFile, `select id, entries, matched, partly, unmatched, content from recon.statement
		where bank = $1 and account = $2 and kind = $3 and statement_id = $4 and page = $5`, of, st.Account, st.Kind, st.ID, max(st.Page, 1))
}

func insertStatement(tx *pg.Tx, of, file string, st bank.Statement, content []byte, r Read) {
	var opening, closing *int64
	if st.HasBalances {
		o, c := st.Opening.Centimes(), st.Closing.Centimes()
		opening, closing = &o, &c
	}
	tx.Queue(`insert into recon.statement (id, file, bank, account, statement_id, kind, sequence, currency, opening, closing, content, entries, matched, partly, unmatched, created_at, page)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		r.ID, file, of, st.Account, st.ID, st.Kind, st.Sequence, st.Currency, opening, closing, content, r.Entries, r.Matched, r.Partly, r.Unmatched, st.Created, max(st.Page, 1))
}

func insertLine(tx *pg.Tx, l Line) {
	tx.Queue(`insert into recon.line (id, statement, no, amount, currency, state, ref, bank_ref, matched_to, why, booked_on)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, left($10, 1000), $11)`,
		l.ID, l.Statement, l.No, l.Amount, l.Currency, l.State, l.Ref, l.BankRef, l.MatchedTo, l.Why, l.BookedOn)
}

type breakRow struct {
	ID, Kind, Bank, About, Why string
	Amount                     *int64
	Currency                   string
	Sort                       string
}

// breaks lists what people must look at, newest first: lines that match
// nothing, files that cannot be read, and statements with a hole before them.
func breaks(ctx context.Context, db pg.DB, before string, limit int) ([]breakRow, error) {
	return pg.All[breakRow](ctx, db, `select * from (
			select l.id, l.state as kind, s.bank, coalesce(nullif(l.ref, ''), s.statement_id) as about, l.why, l.amount, l.currency, l.id as sort
			from recon.line l join recon.statement s on s.id = l.statement where l.state in ('partly', 'suspense', 'unmatched')
			union all
			select id, kind, bank, name, error, null, '', id from recon.file where kind = 'unreadable'
			union all
			select id, 'gap', bank, statement_id, 'no statement leads up to its opening balance', opening, currency, id from (
				select s.*, lag(closing) over (partition by bank, account order by created_at, sequence, page) as last
				from recon.statement s where kind = 'statement') g where last <> opening
		) b where $1 = '' or sort < $1 order by sort desc limit $2`, before, limit)
}
