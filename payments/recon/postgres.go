package recon

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

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

func insertHanded(tx *pg.Tx, id, of string, f bank.Received, by string) {
	tx.Queue(`insert into recon.handed (id, bank, name, sha256, bytes, by) values ($1, $2, $3, $4, $5, $6) on conflict (bank, sha256) do nothing`,
		id, of, f.Name, f.SHA256, f.Bytes, by)
}

func loadHanded(ctx context.Context, tx *pg.Tx, of, sha256 string) (bank.Received, error) {
	r, err := pg.One[struct {
		Name, Sha256 string
		Bytes        []byte
	}](ctx, tx, errNoFile, `select name, sha256, bytes from recon.handed where bank = $1 and sha256 = $2`, of, sha256)
	return bank.Received{Name: r.Name, Bytes: r.Bytes, SHA256: r.Sha256}, err
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

// statementByContent is the statement that says the very same under another
// name.
func statementByContent(ctx context.Context, tx *pg.Tx, of string, st bank.Statement, content []byte) (statementRow, error) {
	return pg.One[statementRow](ctx, tx, errNoFile, `select id, entries, matched, partly, unmatched, content from recon.statement
		where bank = $1 and account = $2 and kind = 'statement' and day = $3 and content = $4`, of, st.Account, st.Day(), content)
}

func insertStatement(tx *pg.Tx, of, file, role string, st bank.Statement, content []byte, r Read) {
	var opening, closing *int64
	if st.HasBalances {
		o, c := st.Opening.Centimes(), st.Closing.Centimes()
		opening, closing = &o, &c
	}
	tx.Queue(`insert into recon.statement (id, file, bank, account, role, statement_id, kind, sequence, currency, opening, closing, content, entries, matched, partly, unmatched, created_at, page, day)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		r.ID, file, of, st.Account, role, st.ID, st.Kind, st.Sequence, st.Currency, opening, closing, content,
		r.Entries, r.Matched, r.Partly, r.Unmatched, st.Created, max(st.Page, 1), st.Day())
}

func insertLine(tx *pg.Tx, l Line) {
	tx.Queue(`insert into recon.line (id, statement, no, amount, currency, state, ref, bank_ref, matched_to, why, booked_on, booked, code, info, details)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, left($10, 1000), $11, $12, left($13, 100), left($14, 1000), $15)`,
		l.ID, l.Statement, l.No, l.Amount, l.Currency, l.State, l.Ref, l.BankRef, l.MatchedTo, l.Why, l.BookedOn, l.Booked, l.Code, l.Info, keep(l.Details))
}

// insertBooking notes that the mirror account took in an amount of a line.
func insertBooking(tx *pg.Tx, l lineRow, amount int64, at time.Time) {
	tx.Queue(`insert into recon.booking (line, bank, account, amount, at) values ($1, $2, $3, $4, $5)`, l.ID, l.Bank, l.Account, amount, at)
}

const lineColumns = `l.id, l.statement, l.no, l.amount, l.currency, l.state, l.ref, l.bank_ref, l.matched_to, l.why, l.booked_on, l.booked, l.code, l.info,
	s.bank, s.account, s.role, l.at`

func loadLine(ctx context.Context, db pg.DB, id string) (lineRow, error) {
	return pg.One[lineRow](ctx, db, ErrNoBreak, `select `+lineColumns+` from recon.line l join recon.statement s on s.id = l.statement where l.id = $1`, id)
}

func lockLine(ctx context.Context, tx *pg.Tx, id string) (lineRow, error) {
	return pg.One[lineRow](ctx, tx, ErrNoBreak, `select `+lineColumns+` from recon.line l join recon.statement s on s.id = l.statement where l.id = $1 for update of l`, id)
}

func saveLine(tx *pg.Tx, l Line) {
	tx.QueueOne(ErrNoBreak, `update recon.line set state = $2, matched_to = $3, why = left($4, 1000), booked = $5 where id = $1`, l.ID, l.State, l.MatchedTo, l.Why, l.Booked)
}

// shown are the lines of other statements that have a line's amount and day, and
// the bank's own reference of it, whole or as a format has cut it.
func shown(ctx context.Context, tx *pg.Tx, of, account string, l Line) ([]stood, error) {
	if l.BankRef == "" {
		return nil, nil
	}
	const columns, same = `select l.id, s.statement_id as name, l.amount, l.currency, l.ref, l.bank_ref, l.info, l.booked_on,
			l.state = 'unmatched' and l.why like $8 || '%' as again
		from recon.line l join recon.statement s on s.id = l.statement
		where s.bank = $1 and s.account = $2 and s.kind = 'statement' and l.state <> 'noted' and l.statement <> $3
			and l.amount = $4 and l.currency = $5 and l.booked_on = $6`, ` and l.bank_ref <> '' and l.bank_ref = `
	sql, args := columns+same+`$7`, []any{of, account, l.Statement, l.Amount, l.Currency, l.BookedOn, l.BankRef, repeated}
	switch n := utf8.RuneCountInString(l.BankRef); {
	case n > cutAfter: // each way has an index of its own
		sql, args = sql+` union all `+columns+same+`$9`, append(args, beginning(l.BankRef, cutAfter))
	case n == cutAfter:
		sql += ` union all ` + columns + ` and length(l.bank_ref) > 16 and left(l.bank_ref, 16) = $7`
	}
	return pg.All[stood](ctx, tx, sql+` order by id`, args...)
}

// linesLike are the lines of the statement of some name that have a line's
// amount and day.
func linesLike(ctx context.Context, tx *pg.Tx, of, account, name string, l Line) ([]stood, error) {
	return pg.All[stood](ctx, tx, `select l.id, s.statement_id as name, l.amount, l.currency, l.ref, l.bank_ref, l.info, l.booked_on, false as again
		from recon.line l join recon.statement s on s.id = l.statement
		where s.bank = $1 and s.account = $2 and s.kind = 'statement' and s.statement_id = $3 and l.state <> 'noted' and l.statement <> $4
			and l.amount = $5 and l.currency = $6 and l.booked_on = $7 order by l.id`, of, account, name, l.Statement, l.Amount, l.Currency, l.BookedOn)
}

// notified are the details that a notification gave of the same entry.
func notified(ctx context.Context, tx *pg.Tx, of, account string, e bank.Entry) ([]bank.Detail, error) {
	type row struct{ Details []kept }
	r, err := pg.One[row](ctx, tx, errNoFile, `select l.details from recon.line l join recon.statement s on s.id = l.statement
		where s.bank = $1 and s.account = $2 and s.kind = 'notification' and l.bank_ref = $3 and l.bank_ref <> '' and l.amount = $4 and l.currency = $5
			and jsonb_array_length(l.details) > 0 order by l.id desc limit 1`, of, account, e.BankRef, e.Amount.Centimes(), e.Amount.Currency())
	return given(r.Details), err
}

// oppositeLines are unexplained lines of an account that would cancel one out.
func oppositeLines(ctx context.Context, tx *pg.Tx, of string, l Line, amount int64) ([]string, error) {
	return pg.Column[string](ctx, tx, `select l.id from recon.break b join recon.line l on l.id = b.line
		where b.bank = $1 and b.state <> 'resolved' and b.amount = -$2::bigint and l.amount = b.amount and b.currency = $3
			and abs(extract(epoch from l.booked_on - $4)) <= 10 * 86400 order by l.id limit 2`, of, amount, l.Currency, l.BookedOn)
}

// neighbours are a statement with the one before and the one after it, as the
// bank's days and numbers order them.
func neighbours(ctx context.Context, tx *pg.Tx, of, account, statement string) ([]neighbour, error) {
	return pg.All[neighbour](ctx, tx, `with ordered as (
			select id, statement_id, sequence, page, extract(year from day)::int as year, opening, closing, currency,
				row_number() over (order by day, created_at, sequence, page, at, id) as n
			from recon.statement where kind = 'statement' and bank = $1 and account = $2
				and day between (select day - 40 from recon.statement where id = $3) and (select day + 40 from recon.statement where id = $3))
		select id, statement_id, sequence, page, year, opening, closing, currency from ordered
		where n between (select n - 1 from ordered where id = $3) and (select n + 1 from ordered where id = $3) order by n`, of, account, statement)
}
